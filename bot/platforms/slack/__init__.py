"""Slack: events come in over Socket Mode or HTTP, answers go out through the Web API. Begin in `platform`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from bot.platforms.reach import ask
from bot.platforms.spec import PlatformSettings, PlatformSpec

if TYPE_CHECKING:
    from bot.classroom import Classroom
    from bot.commands import Commands
    from bot.config import Settings
    from bot.platforms.base import Platform

BOT, APP, SIGNING = "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET"
"""The secrets."""


class SlackSettings(PlatformSettings):
    """`[slack]`"""

    mode: Literal["socket", "http"] = "socket"
    base_url: str = "https://slack.com/api/"
    host: str = "127.0.0.1"
    port: int = Field(default=3000, ge=0, le=65_535)


def _needs(settings: Settings) -> tuple[str, ...]:
    return BOT, APP if settings.section(SlackSettings).mode == "socket" else SIGNING


async def _unreachable(settings: Settings, channel: str) -> str | None:
    token = settings.key(BOT)
    login = {"Authorization": f"Bearer {token.get_secret_value().strip() if token else ''}"}
    base = settings.section(SlackSettings).base_url.rstrip("/")
    # What the manifest grants; to ask about a channel would take a scope more.
    told = await ask("POST", f"{base}/conversations.history", login, {"channel": channel, "limit": "1"})
    return None if told.get("ok") else str(told.get("error") or "not known")


def _open(settings: Settings, classroom: Classroom, commands: Commands) -> Platform:
    from bot.platforms.slack.platform import SlackPlatform  # noqa: PLC0415 - heavy

    return SlackPlatform(settings, classroom, commands)


SLACK = PlatformSpec(
    name="slack",
    title="Slack",
    package="slack-bolt",
    channel="C0123456789",
    secrets={
        BOT: 'Slack: the bot user\'s token (xoxb-…), page "OAuth & Permissions".',
        APP: 'Slack in socket mode: the app-level token (xapp-…), page "Basic Information".',
        SIGNING: 'Slack in http mode: the signing secret, page "Basic Information".',
    },
    settings=SlackSettings,
    needs=_needs,
    unreachable=_unreachable,
    open=_open,
)
