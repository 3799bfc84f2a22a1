"""What was said in a Discord channel while nobody listened: read page by page, and message by message.

It knows channels and what their history looks like; not which of it is for the child.
"""

from __future__ import annotations

from collections.abc import Iterable

import discord
import structlog

from bot.platforms.discord.answer import FAILURES, why

log = structlog.get_logger(__name__)

PAGE = 100
MOST_MISSED = 1_000


async def said_since(
    client: discord.Client,
    channel: discord.TextChannel | discord.VoiceChannel | discord.Thread | discord.PartialMessageable,
    after: int,
) -> list[discord.Message]:
    """The messages behind that id, oldest first. One that discord.py cannot read costs only itself."""
    said: list[discord.Message] = []
    for _ in range(MOST_MISSED // PAGE):
        page = sorted(
            await client.http.logs_from(channel.id, PAGE, after=after), key=lambda raw: int(raw["id"])
        )
        for raw in page:
            after = int(raw["id"])
            try:
                said.append(discord.Message(state=client._connection, channel=channel, data=raw))  # noqa: SLF001 - as its own `history` does
            except Exception as error:  # noqa: BLE001 - whatever is wrong with it
                log.warning("message not read", channel=channel.id, reason=repr(error))
        if len(page) < PAGE:
            break
    return said


async def direct_channels(
    client: discord.Client, channels: Iterable[int], *, alone: bool
) -> list[discord.PartialMessageable]:
    """Which of these are direct messages. A connection that is not `alone` asks: what it does not know may as well be a
    channel of another shard's server."""
    unknown = [each for each in channels if client.get_channel(each) is None]
    if not alone:
        unknown = [each for each in unknown if await _is_direct(client, each)]
    return [client.get_partial_messageable(each) for each in unknown]


async def _is_direct(client: discord.Client, channel: int) -> bool:
    try:
        return isinstance(await client.fetch_channel(channel), discord.DMChannel)
    except FAILURES as error:
        log.warning("channel not looked up", channel=channel, reason=why(error))
        return False
