"""What the program knows of a platform without opening it: one frozen value each, and the keys all have in common.

It must import nothing of a platform's library, nor of the rest of the bot: settings are made with it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from bot.classroom import Classroom
    from bot.commands import Commands
    from bot.config import Settings
    from bot.platforms.base import Platform


class PlatformSection(BaseModel):
    """A section of config.toml that belongs to a platform."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PlatformSettings(PlatformSection):
    """The section of a chat platform; each adds keys of its own."""

    practice_channels: tuple[str, ...] = ()
    """Ids of channels where the child answers every human, without a mention."""
    pace: bool = False
    """Wait about as long as a child takes to speak before answering."""
    catch_up_minutes: float = Field(default=10.0, ge=0, le=1440)
    """Messages in practice channels that came while the bot was away are answered up to this age; 0: never."""


@dataclass(frozen=True, slots=True)
class PlatformSpec:
    """One platform, before it is opened."""

    name: str
    """In message keys, before the colon of a channel's address, and as its section of config.toml."""
    title: str
    """For people."""
    package: str
    """What pip calls the library it needs."""
    channel: str
    """How the id of a channel looks; "" where nothing can be announced."""
    secrets: Mapping[str, str]
    """The variables of the environment, and what .env.example says of each. The first, if any, switches the platform
    on."""
    settings: type[PlatformSection]
    needs: Callable[[Settings], tuple[str, ...]]
    """Which of `secrets` these settings need."""
    unreachable: Callable[[Settings, str], Awaitable[str | None]]
    """Why the bot cannot see the channel of that id, or None. Raises `OSError` or `ValueError`."""
    open: Callable[[Settings, Classroom, Commands], Platform]
    """Make it. The one place where its library may be imported, which is slow."""
    switch: str = ""
    """The key of its section that switches it on, for one without secrets."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables of the environment, and the key of its section that each replaces: what differs between processes that
    share one config.toml."""

    def wanted(self, settings: Settings) -> bool:
        """Whether it is to be served."""
        if not self.secrets:
            return bool(getattr(settings.section(self.settings), self.switch))
        return settings.key(next(iter(self.secrets))) is not None

    def missing(self, settings: Settings) -> list[str]:
        """The secrets it needs and does not have."""
        return [variable for variable in self.needs(settings) if settings.key(variable) is None]
