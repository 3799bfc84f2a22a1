"""Discord: events come in over its gateway, answers go out through the bot or a webhook. Begin in `platform`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import field_validator

from bot.platforms.discord.shards import shards
from bot.platforms.reach import ask
from bot.platforms.spec import PlatformSettings, PlatformSpec

if TYPE_CHECKING:
    from bot.classroom import Classroom
    from bot.commands import Commands
    from bot.config import Settings
    from bot.platforms.base import Platform


class DiscordSettings(PlatformSettings):
    """`[discord]`; practice channels may be categories, too."""

    api_base: str = "https://discord.com/api/v10"
    shards: str = ""
    """Which shards this process serves, of how many: "0,1/4". "": one connection for all."""

    @field_validator("shards")
    @classmethod
    def _shards(cls, value: str) -> str:
        shards(value)
        return value


async def _unreachable(settings: Settings, channel: str) -> str | None:
    token = settings.key("DISCORD_TOKEN")
    login = {"Authorization": f"Bot {token.get_secret_value().strip() if token else ''}"}
    base = settings.section(DiscordSettings).api_base.rstrip("/")
    told = await ask("GET", f"{base}/channels/{channel}", login)
    return None if "id" in told else str(told.get("message") or "not known")


def _open(settings: Settings, classroom: Classroom, commands: Commands) -> Platform:
    from bot.platforms.discord.platform import DiscordPlatform  # noqa: PLC0415 - heavy

    return DiscordPlatform(settings, classroom, commands)


DISCORD = PlatformSpec(
    name="discord",
    title="Discord",
    package="discord.py",
    channel="1234567890",
    secrets={"DISCORD_TOKEN": 'Discord: the bot\'s token, from the developer portal, page "Bot".'},
    settings=DiscordSettings,
    environment={"PUPIL_DISCORD_SHARDS": "shards"},
    needs=lambda _: ("DISCORD_TOKEN",),
    unreachable=_unreachable,
    open=_open,
)
