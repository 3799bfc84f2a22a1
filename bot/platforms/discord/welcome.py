"""What is said when Discord is connected: how to invite the bot, and what it lacks there.

It knows permissions and channels; no message.
"""

from __future__ import annotations

from collections.abc import Callable

import discord
import structlog

log = structlog.get_logger(__name__)

PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    attach_files=True,
    read_message_history=True,
    manage_webhooks=True,
)
"""Exactly what the bot does: read, answer, show pages, look up what it missed, let the child speak under its name."""
SCOPES = ("bot", "applications.commands")


def invite(client: discord.Client) -> None:
    """Say how."""
    if client.application_id is not None:
        url = discord.utils.oauth_url(client.application_id, permissions=PERMISSIONS, scopes=SCOPES)
        log.info("invite the bot", url=url)


def warn(
    client: discord.Client, practice: frozenset[str], is_practice: Callable[[object], bool], *, whole: bool
) -> None:
    """Say what is missing now, rather than leave a teacher without an answer. Unless this connection sees the `whole`
    of Discord, another one may know the channel."""
    channels = [each for guild in client.guilds for each in guild.channels]
    threads = [each for guild in client.guilds for each in guild.threads]
    for unknown in practice - {str(each.id) for each in (*channels, *threads)} if whole else ():
        log.warning("practice channel not found: is its id right, may the bot see it?", channel=unknown)
    for channel in filter(is_practice, channels):
        allowed = channel.permissions_for(channel.guild.me)
        if missing := [name for name, needed in PERMISSIONS if needed and not getattr(allowed, name)]:
            log.warning("permissions missing in a practice channel", channel=channel.id, missing=missing)
