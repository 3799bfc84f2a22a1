"""What was said in a Discord channel while nobody listened: read page by page, and message by message.

It knows channels and what their history looks like; not which of it is for the child.
"""

from __future__ import annotations

import discord
import structlog

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
