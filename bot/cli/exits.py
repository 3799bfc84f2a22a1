"""How a command ends: a part's own error becomes one line on what is wrong and exit 2; SIGTERM ends it cleanly.

It knows the errors of all rooms and none of their work.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn, TypeVar

import typer

from bot import signals

T = TypeVar("T")


def main(commands: typer.Typer, name: str) -> None:
    """Run a command line; wrong usage is one line and exit 2, like every other error.

    What it writes is for its user alone: the log, copies, harvests and exports hold what people said.
    """
    os.umask(os.umask(0o077) | 0o077)
    try:
        status = commands(standalone_mode=False)
    except typer.Abort:
        status = 130
    except typer.TyperException as error:
        typer.echo(f"{name}: {' '.join(error.format_message().split())} Try --help.", err=True)
        status = 2
    sys.exit(status if isinstance(status, int) else 0)


def guard(work: Callable[..., T]) -> T:
    """Call `work`; a room's own error becomes one line on what is wrong, and exit 2."""
    from bot.config import ConfigError  # noqa: PLC0415
    from bot.messages import CommandError  # noqa: PLC0415
    from bot.models.base import ModelUnavailable  # noqa: PLC0415
    from bot.models.engines.base import EngineError  # noqa: PLC0415
    from bot.models.files import ArtifactError  # noqa: PLC0415
    from bot.models.registry import UnknownModel  # noqa: PLC0415
    from bot.platforms.base import PlatformError  # noqa: PLC0415
    from bot.replay import ReplayError  # noqa: PLC0415
    from bot.store import StoreError  # noqa: PLC0415
    from bot.student.records.reading import DataError  # noqa: PLC0415

    try:
        return work()
    except (
        ArtifactError,
        CommandError,
        ConfigError,
        DataError,
        EngineError,
        ModelUnavailable,
        PlatformError,
        ReplayError,
        StoreError,
        UnknownModel,
    ) as error:
        fail(str(error))
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def run(work: Coroutine[Any, Any, T], *, terminated: int | None = None) -> T:
    """Run `work` as `guard` does. SIGTERM ends it with the exit status `terminated`, where one is given."""
    return guard(lambda: asyncio.run(work if terminated is None else _until_terminated(work, terminated)))


def fail(reason: str) -> NoReturn:
    """One line on what is wrong and what would be right; exit 2."""
    typer.echo(f"pupil: {' '.join(reason.split())}", err=True)
    raise typer.Exit(2)


async def _until_terminated(work: Coroutine[Any, Any, T], status: int) -> T:
    task = asyncio.ensure_future(work)
    signals.on(signal.SIGTERM, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        raise typer.Exit(status) from None
