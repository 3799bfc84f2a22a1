"""How an answer appears in Slack: eyes on the question, then a post under the child's name, the first one labelled.

It knows the Web API and where to post; which messages are answered, and with what, is decided elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog
from slack_sdk.web.async_client import AsyncWebClient

from bot.messages import Outgoing, Place
from bot.platforms.base import PlatformError
from bot.platforms.manners import LABEL, speaking_seconds
from bot.platforms.slack import blocks
from bot.platforms.slack.connection import asked, message_id

log = structlog.get_logger(__name__)

EYES = "eyes"
ICON = ":child:"

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""Run something beside the rest, whose failing concerns nobody."""


class Speaker:
    """Posts what is to be shown."""

    def __init__(self, client: AsyncWebClient, spawn: Spawn, *, pace: bool) -> None:
        self._client = client
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
        sent = await asked(
            self._client.chat_postMessage(
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

    def __init__(self, speaker: Speaker, place: Place, when: str) -> None:
        self._speaker = speaker
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
        finally:
            if self._eyes is not None:
                self._speaker.close_eyes(self._place.channel, self._when, self._eyes)
                self._eyes = None


async def _quietly(call: Coroutine[Any, Any, Any]) -> None:
    """A decoration that fails is not worth more than a line for who looks for it."""
    try:
        await call
    except PlatformError as error:
        log.debug("not shown", reason=str(error))
