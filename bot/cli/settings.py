"""The settings of one command: the file's, with what was chosen on the command line put in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from bot.cli.exits import guard

if TYPE_CHECKING:
    from bot.config import Settings


def load_settings(
    config: Path | None, child: str | None = None, lesson: str | None = None, model: str | None = None
) -> Settings:
    """The settings with the command's own choices put in, as if the file said so."""
    from bot.config import load  # noqa: PLC0415 - brings pydantic, which --help does not need

    settings = guard(lambda: load(config))
    given = {"child": child and child.lower(), "lesson": lesson, "model": model}
    chosen = {name: value for name, value in given.items() if value}
    return settings.model_copy(update={"student": settings.student.model_copy(update=chosen)})


def alone(settings: Settings) -> Settings:
    """For one conversation, one server with one slot: a third of the memory."""
    return settings.model_copy(update={"engine": settings.engine.model_copy(update={"slots": 1})})


def quiet_logs(settings: Settings) -> None:
    """In a terminal command the answer is the output: log warnings only, unless debugging."""
    from bot import logs  # noqa: PLC0415 - as above

    logs.set_up("debug" if settings.log.level == "debug" else "error")
