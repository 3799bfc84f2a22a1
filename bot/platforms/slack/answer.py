"""How an answer appears in Slack: eyes on the question, then a post under the child's name, the first one labelled.

It knows the Web API and where to post; which messages are answered, and with what, is decided elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.messages import NotYet, Outgoing, Place
from bot.platforms.base import PlatformError
from bot.platforms.manners import LABEL, speaking_seconds
from bot.platforms.slack import blocks
from bot.platforms.slack.connection import Unreachable, asked, message_id
from bot.platforms.slack.heard import read

log = structlog.get_logger(__name__)

EYES = "eyes"
ICON = ":child:"
ANSWER, NONCE = "pupil_answer", "nonce"
"""An answer carries its nonce as the message's metadata, which people do not see."""

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""Run something beside the rest, whose failing concerns nobody."""


class Speaker:
    """Posts what is to be shown."""

    def __init__(self, client: AsyncWebClient, once: AsyncWebClient, spawn: Spawn, *, pace: bool) -> None:
        self._client = client
        self._once = once
        """Tries once: for what must not be there twice."""
        self._spawn = spawn
        self._pace = pace

    async def show(self, place: Place, outgoing: Outgoing) -> str:
        """Post it; return the message's id."""
        under: dict[str, Any] = {}
        if outgoing.speaker:
            under = {"username": outgoing.speaker, "icon_emoji": ICON}
            if outgoing.first:
                under["attachments"] = [{"text": LABEL, "fallback": LABEL}]
            if self._pace:
                await asyncio.sleep(speaking_seconds(outgoing.text))
        client = self._client
        if outgoing.nonce:
            client = self._once
            under["metadata"] = {"event_type": ANSWER, "event_payload": {NONCE: outgoing.nonce}}
        sent = await asked(
            client.chat_postMessage(
                channel=place.channel,
                text=blocks.fitted(outgoing.text, blocks.MESSAGE_CHARACTERS),
                thread_ts=place.thread,
                mrkdwn=False,
                link_names=False,
                unfurl_links=False,
                unfurl_media=False,
                **under,
            )
        )
        return message_id(place.channel, str(sent["ts"]))

    async def find(self, place: Place, since: str, nonce: str) -> list[str]:
        """The message with that nonce, among those since then."""
        return [
            message_id(place.channel, str(each["ts"]))
            for each in await read(self._client, place.channel, since, thread=place.thread, metadata=True)
            if (each.get("metadata") or {}).get("event_payload", {}).get(NONCE) == nonce
        ]

    async def whisper(self, place: Place, user: str, text: str) -> bool:
        """Tell one person something that nobody else sees: there, or else in a message of their own."""
        text = blocks.fitted(text, blocks.MESSAGE_CHARACTERS)
        try:
            await asked(
                self._client.chat_postEphemeral(
                    channel=place.channel, user=user, text=text, thread_ts=place.thread
                )
            )
        except PlatformError as error:
            log.info("not whispered", reason=str(error))
            try:
                await asked(
                    self._client.chat_postMessage(channel=user, text=text, mrkdwn=False, link_names=False)
                )
            except PlatformError as second:
                log.info("not told", reason=str(second))
                return False
        return True

    def eyes(self, channel: str, when: str) -> asyncio.Task[None]:
        """Show on a person's message that it is being thought about; nobody waits for it."""
        return self._spawn(
            _quietly(asked(self._client.reactions_add(channel=channel, timestamp=when, name=EYES)))
        )

    def close_eyes(self, channel: str, when: str, opened: asyncio.Task[None]) -> None:
        """Take the reaction away, once it is there."""

        async def close() -> None:
            await opened
            await _quietly(asked(self._client.reactions_remove(channel=channel, timestamp=when, name=EYES)))

        self._spawn(close())


class Reply:
    """Shows the answer to one message of a person, which was said at `when`."""

    def __init__(self, speaker: Speaker, place: Place, when: str, user: str | None = None) -> None:
        self._speaker = speaker
        self._user = user
        self._place = place
        self._when = when
        self._eyes: asyncio.Task[None] | None = None

    async def thinking(self) -> None:
        """Eyes on the message; the answer does not wait for them."""
        self._eyes = self._speaker.eyes(self._place.channel, self._when)

    async def send(self, outgoing: Outgoing) -> str | None:
        """Post it where the message was, and take the eyes away; return the message's id."""
        try:
            return await self._speaker.show(self._place, outgoing)
        except Unreachable as error:
            raise _not_yet(error) from None
        finally:
            if self._eyes is not None:
                self._speaker.close_eyes(self._place.channel, self._when, self._eyes)
                self._eyes = None

    async def find(self, outgoing: Outgoing) -> list[str]:
        """Among what was said after the question."""
        try:
            return await self._speaker.find(self._place, self._when, outgoing.nonce)
        except Unreachable as error:
            raise _not_yet(error) from None

    async def tell(self, text: str) -> bool:
        """Where only whoever asked sees it."""
        return self._user is not None and await self._speaker.whisper(self._place, self._user, text)


def _not_yet(error: Unreachable) -> NotYet:
    return NotYet(str(error), error.seconds, may_be_there=not error.limited)


async def _quietly(call: Coroutine[Any, Any, Any]) -> None:
    """A decoration that fails is not worth more than a line for who looks for it."""
    try:
        await call
    except PlatformError as error:
        log.debug("not shown", reason=str(error))
