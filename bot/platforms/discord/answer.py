"""How an answer appears in Discord: typing, the child's own name through a webhook, the label, the cut.

It knows channels and webhooks; which messages are answered, and with what, is decided elsewhere.
"""

from __future__ import annotations

import asyncio
import time

import aiohttp
import discord
import structlog

from bot.messages import Outgoing, Place
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

    def __init__(
        self,
        channel: discord.abc.Messageable,
        channel_id: int,
        asked: int,
        webhooks: Webhooks,
        *,
        pace: bool,
    ) -> None:
        self._channel = channel
        self._channel_id = channel_id
        self._asked = asked
        self._webhooks = webhooks
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
        label = f"\n-# {manners.LABEL}" if outgoing.first else ""
        try:
            sent = await self._as_child(outgoing, label) or await self._as_bot(outgoing, label)
        except FAILURES as error:
            raise PlatformError(why(error)) from None
        return message_id(self._channel_id, sent)

    async def _as_child(self, outgoing: Outgoing, label: str) -> int | None:
        """Through the webhook; None when the bot has to speak for itself."""
        webhook = await self._webhooks.of(self._channel) if outgoing.speaker else None
        if webhook is None or outgoing.speaker is None:
            return None
        thread = self._channel if isinstance(self._channel, discord.Thread) else discord.utils.MISSING
        try:
            sent = await webhook.send(
                manners.cut(outgoing.text, LONGEST - len(label)) + label,
                username=outgoing.speaker,
                thread=thread,
                allowed_mentions=discord.AllowedMentions.none(),
                wait=True,
            )
        except (discord.NotFound, discord.Forbidden) as error:
            self._webhooks.gone(webhook)
            log.info("webhook gone", reason=why(error))
            return None
        return sent.id

    async def _as_bot(self, outgoing: Outgoing, label: str) -> int:
        """Under the bot's own name: the child's in bold, or a notice that refers to what was said."""
        head = f"**{outgoing.speaker}:** " if outgoing.speaker else ""
        reference = None
        if not outgoing.speaker:
            reference = discord.MessageReference(
                message_id=self._asked, channel_id=self._channel_id, fail_if_not_exists=False
            )
        text = head + manners.cut(outgoing.text, LONGEST - len(head) - len(label)) + label
        mentions = discord.AllowedMentions.none()
        if reference is None:
            return (await self._channel.send(text, allowed_mentions=mentions)).id
        return (await self._channel.send(text, allowed_mentions=mentions, reference=reference)).id
