"""How an answer appears in Discord: typing, the child's own name through a webhook, the label, the cut.

It knows channels and webhooks; which messages are answered, and with what, is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import structlog

from bot.messages import NotYet, Outgoing, Place
from bot.platforms import manners
from bot.platforms.base import PlatformError

log = structlog.get_logger(__name__)

LONGEST = 2000
"""Characters in a message of a bot."""
WEBHOOK_NAME = "Pupil"
TRY_AGAIN_SECONDS = 600.0
"""After a channel refused a webhook (all taken, for instance), the bot speaks as itself for so long."""
FAILURES = (discord.DiscordException, aiohttp.ClientError, OSError)
"""What sending can raise: Discord said no, or it was not to be reached."""

MOST_LOOKED_AT = 500
"""Messages behind a question among which its answer is looked for."""
PATIENT_SECONDS = 5.0
"""What a rate limit may ask of discord.py; the outbox waits longer ones out, also over a restart."""

Speakable = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.ForumChannel
"""Channels that can have webhooks; a thread uses its parent's."""


def message_id(channel: int, message: int) -> str:
    """A message's id as the rest of the program knows it."""
    return f"discord:{channel}:{message}"


def place_of(channel: object, channel_id: int) -> Place:
    """The conversation of a channel; a thread is one of its own."""
    if isinstance(channel, discord.Thread):
        return Place("discord", str(channel.parent_id), str(channel.id))
    return Place("discord", str(channel_id), None)


def why(error: Exception) -> str:
    """One line about a failure, for a log and for `PlatformError`."""
    if isinstance(error, discord.Forbidden):
        return f"Discord forbids it ({error.text}); give the bot's role its permissions in this channel again"
    return str(error) if isinstance(error, PlatformError) else f"Discord: {error or type(error).__name__}"


class Held(discord.DiscordException):
    """Discord did not take a request now; after `seconds` it may, where it says so."""

    def __init__(self, status: int, seconds: float | None) -> None:
        super().__init__(f"Discord answered {status}")
        self.status = status
        self.seconds = seconds


def one_try() -> aiohttp.TraceConfig:
    """Keeps discord.py from asking again by itself where a message could be there twice, or for long.

    It does so after any error of the server, the message taken or not, and sleeps through every rate limit.
    """

    async def look(
        _session: aiohttp.ClientSession, _: SimpleNamespace, ended: aiohttp.TraceRequestEndParams
    ) -> None:
        path, status = ended.url.path, ended.response.status
        if ended.method != "POST" or not (path.endswith("/messages") or "/webhooks/" in path):
            return
        asked = _seconds(ended.response.headers.get("Retry-After"))
        limited = status == HTTPStatus.TOO_MANY_REQUESTS and asked > PATIENT_SECONDS
        if limited or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            ended.response.release()
            raise Held(status, asked or None)

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(look)
    return trace


def _seconds(asked: str | None) -> float:
    try:
        return float(asked or 0)
    except ValueError:
        return 0.0


def _not_now(error: Exception) -> NotYet | None:
    """The error as one that passes; None when Discord means it."""
    if isinstance(error, Held):
        limited = error.status == HTTPStatus.TOO_MANY_REQUESTS
        return NotYet(why(error), error.seconds, may_be_there=not limited)
    if isinstance(error, discord.HTTPException):
        limited = error.status == HTTPStatus.TOO_MANY_REQUESTS
        return NotYet(why(error), may_be_there=not limited) if limited or error.status >= _BROKEN else None
    return NotYet(why(error)) if isinstance(error, aiohttp.ClientError | OSError) else None


_BROKEN = HTTPStatus.INTERNAL_SERVER_ERROR


class Webhooks:
    """One webhook of our own per channel, found again after a restart, made where it is missing."""

    def __init__(self) -> None:
        self._found: dict[int, discord.Webhook] = {}
        self._refused: dict[int, float] = {}
        self._making = asyncio.Lock()

    async def of(self, channel: discord.abc.Messageable) -> discord.Webhook | None:
        """The webhook to speak through here, or None where there can be none."""
        home = channel.parent if isinstance(channel, discord.Thread) else channel
        if not isinstance(home, Speakable) or not home.permissions_for(home.guild.me).manage_webhooks:
            return None
        if home.id in self._found:
            return self._found[home.id]
        async with self._making:
            if home.id not in self._found and time.monotonic() >= self._refused.get(home.id, 0.0):
                try:
                    self._found[home.id] = await _find_or_make(home)
                except FAILURES as error:
                    self._refused[home.id] = time.monotonic() + TRY_AGAIN_SECONDS
                    log.warning("no webhook", channel=home.id, reason=why(error))
        return self._found.get(home.id)

    def gone(self, webhook: discord.Webhook) -> None:
        """Somebody deleted it: look or make anew next time."""
        self._found = {home: each for home, each in self._found.items() if each.id != webhook.id}


async def _find_or_make(home: Speakable) -> discord.Webhook:
    for webhook in await home.webhooks():
        if webhook.user == home.guild.me and webhook.token:
            return webhook
    return await home.create_webhook(name=WEBHOOK_NAME, reason="the child speaks under its own name")


class DiscordResponder:
    """Shows the answer to one message in its channel."""

    def __init__(  # noqa: PLR0913 - what it takes to answer one message
        self,
        channel: discord.abc.Messageable,
        channel_id: int,
        asked: int,
        webhooks: Webhooks,
        is_own: Callable[[discord.Message], bool],
        *,
        asker: discord.User | discord.Member | None = None,
        pace: bool,
    ) -> None:
        self._channel = channel
        self._channel_id = channel_id
        self._asked = asked
        self._webhooks = webhooks
        self._is_own = is_own
        self._asker = asker
        self._pace = pace
        self._speaks = asyncio.Event()

    async def thinking(self) -> None:
        """Type until the child speaks."""
        if self._speaks.is_set():
            return
        try:
            async with self._channel.typing():
                await self._speaks.wait()
        except FAILURES as error:
            raise PlatformError(why(error)) from None

    async def send(self, outgoing: Outgoing) -> str | None:
        """Show it, as the child where that is possible; give the new message's id."""
        if self._pace and outgoing.speaker:
            await asyncio.sleep(manners.speaking_seconds(outgoing.text))
        if outgoing.speaker:
            self._speaks.set()
        try:
            sent = await self._as_child(outgoing) or await self._as_bot(outgoing)
        except FAILURES as error:
            raise _not_now(error) or PlatformError(why(error)) from None
        return message_id(self._channel_id, sent)

    async def find(self, outgoing: Outgoing) -> list[str]:
        """Look among what was said after the question: a webhook takes no nonce, and no history tells of one."""
        texts = {_child_text(outgoing).strip(), _bot_text(outgoing).strip()}
        after = discord.Object(self._asked)
        try:
            said = [each async for each in self._channel.history(limit=MOST_LOOKED_AT, after=after)]
        except FAILURES as error:
            raise _not_now(error) or PlatformError(why(error)) from None
        return [
            message_id(self._channel_id, each.id)
            for each in said
            if self._is_own(each) and (each.nonce == outgoing.nonce or each.content.strip() in texts)
        ]

    async def tell(self, text: str) -> bool:
        """In a direct message, unless that is where it failed."""
        try:
            asker = self._asker or (await self._channel.fetch_message(self._asked)).author
            if isinstance(self._channel, discord.DMChannel) or asker.bot:
                return False
            await asker.send(text)
        except FAILURES as error:
            log.info("not told", reason=why(error))
            return False
        return True

    async def _as_child(self, outgoing: Outgoing) -> int | None:
        """Through the webhook; None when the bot has to speak for itself."""
        webhook = await self._webhooks.of(self._channel) if outgoing.speaker else None
        if webhook is None or outgoing.speaker is None:
            return None
        thread = self._channel if isinstance(self._channel, discord.Thread) else discord.utils.MISSING
        try:
            sent = await webhook.send(
                _child_text(outgoing),
                username=outgoing.speaker,
                thread=thread,
                allowed_mentions=discord.AllowedMentions.none(),
                wait=True,
            )
        except discord.HTTPException as error:
            if _not_now(error):
                raise
            # Deleted, or Discord takes no such name; the child's words are worth more than its name.
            if isinstance(error, discord.NotFound | discord.Forbidden):
                self._webhooks.gone(webhook)
            log.info("webhook refused", reason=why(error))
            return None
        return sent.id

    async def _as_bot(self, outgoing: Outgoing) -> int:
        """Under the bot's own name: the child's in bold, or a notice that refers to what was said."""
        reference = None
        if not outgoing.speaker:
            reference = discord.MessageReference(
                message_id=self._asked, channel_id=self._channel_id, fail_if_not_exists=False
            )
        more: dict[str, Any] = {"nonce": outgoing.nonce} if outgoing.nonce else {}
        if reference is not None:
            more["reference"] = reference
        mentions = discord.AllowedMentions.none()
        return (await self._channel.send(_bot_text(outgoing), allowed_mentions=mentions, **more)).id


def _child_text(outgoing: Outgoing) -> str:
    label = _label(outgoing)
    return manners.cut(outgoing.text, LONGEST - len(label)) + label


def _bot_text(outgoing: Outgoing) -> str:
    head = f"**{outgoing.speaker}:** " if outgoing.speaker else ""
    label = _label(outgoing)
    return head + manners.cut(outgoing.text, LONGEST - len(head) - len(label)) + label


def _label(outgoing: Outgoing) -> str:
    return f"\n-# {manners.LABEL}" if outgoing.first else ""


async def attempt(work: Coroutine[Any, Any, object]) -> None:
    """Something that is kind but not needed."""
    try:
        await work
    except (*FAILURES, PlatformError) as error:
        log.warning("not done", reason=why(error))
