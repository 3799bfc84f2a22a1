"""The wire to Discord: logging in, the gateway, and what it means when either is refused.

Resuming, reconnecting and rate limits are discord.py's work. It knows no message.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import discord
import structlog
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.platforms.base import PlatformError
from bot.platforms.discord.answer import FAILURES, why

log = structlog.get_logger(__name__)

TOKEN_REFUSED = 4004
"""The gateway's close code for a wrong token."""
UNKNOWN = (
    "Discord does not know this DISCORD_TOKEN: copy it again from the Developer Portal, "
    "your application, Bot, Reset Token"
)
NO_INTENT = (
    "Discord does not let the bot read messages: in the Developer Portal open your application, Bot, "
    "and switch on Message Content Intent"
)


class _Calm(logging.Filter):
    """Lost connections are daily life: one line each, where discord.py logs a stack trace."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let everything through, shortened where it is about a reconnect."""
        if record.exc_info and isinstance(record.exc_info[1], FAILURES):
            reason = f"{record.getMessage()} ({why(record.exc_info[1])})"
            record.msg, record.args, record.exc_info = reason, None, None
        return True


CALM = _Calm()


async def connected(
    client: discord.Client, token: str, api_base: str, limits: Callable[[int], None] = lambda _: None
) -> None:
    """Be connected until cancelled; raise `PlatformError` when that cannot be. `limits` is told how many shards may
    begin a session at once."""
    Route.BASE = api_base
    logging.getLogger("discord.client").addFilter(CALM)
    try:
        await client.login(token)
        _, gateway, allowed = await client.http.get_bot_gateway()
        limits(allowed["max_concurrency"])
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(gateway)
        await _connect(client)
    except discord.LoginFailure:
        raise PlatformError(UNKNOWN) from None
    except discord.PrivilegedIntentsRequired:
        raise PlatformError(NO_INTENT) from None
    except discord.ConnectionClosed as error:
        reason = UNKNOWN if error.code == TOKEN_REFUSED else f"Discord closed the connection: {error}"
        raise PlatformError(reason) from None
    except FAILURES as error:
        raise PlatformError(f"Discord cannot be reached at {Route.BASE}: {why(error)}") from None


async def _connect(client: discord.Client) -> None:
    """Until cancelled. discord.py stumbles when its very first connection fails: it has nothing to resume yet."""
    pause = 1.0
    while True:
        try:
            return await client.connect()
        except AttributeError:
            if client.ws is not None:
                raise
        log.warning("Discord is away", again_in_s=pause)
        await asyncio.sleep(pause)
        pause = min(2 * pause, 60.0)
