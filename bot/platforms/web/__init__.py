"""The web classroom: the same conversations in a browser, with debriefs, growth and courses. Begin in `platform`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from bot.platforms.spec import PlatformSection, PlatformSpec

if TYPE_CHECKING:
    from bot.classroom import Classroom
    from bot.commands import Commands
    from bot.config import Settings
    from bot.platforms.base import Platform

_PERSON = re.compile(r"[a-z]{1,20}:\S{1,100}")


class WebSettings(PlatformSection):
    """`[web]`"""

    address: str = ""
    """Where people find it, as they type it: it stands in the links that let them in. "": `run` does not serve it."""
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65_535)
    instructors: tuple[str, ...] = ()
    """Who may begin a course: a platform, a colon, and the person's id there."""
    guests: bool = True
    """Whether a course's code lets somebody in who comes from no other platform."""

    @field_validator("address")
    @classmethod
    def _http(cls, value: str) -> str:
        if value and not re.fullmatch(r"https?://[^/?#\s]+/?", value):
            raise ValueError("expected an address without a path, such as https://pupil.example.edu")
        return value

    @field_validator("instructors")
    @classmethod
    def _people(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            if _PERSON.fullmatch(each) is None:
                raise ValueError(
                    f"expected a platform and an id, such as 'discord:123456789' or 'console:terminal', not {each!r}"
                )
        return value


async def _unreachable(_settings: Settings, _channel: str) -> str | None:
    return "nothing is announced in the web classroom"


def _open(settings: Settings, classroom: Classroom, commands: Commands) -> Platform:
    from bot.platforms.web.platform import WebPlatform  # noqa: PLC0415 - heavy

    return WebPlatform(settings, classroom, commands)


WEB = PlatformSpec(
    name="web",
    title="Web classroom",
    package="uvicorn",
    channel="",
    secrets={},
    settings=WebSettings,
    needs=lambda _: (),
    unreachable=_unreachable,
    open=_open,
    switch="address",
)
