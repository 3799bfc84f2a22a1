"""`replay`: rows from a file to a file, with a bar in the terminal and a line for each row that is wrong."""

from __future__ import annotations

from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bot.app import opened, warm_up
from bot.config import Settings
from bot.replay import read_rows, replay


async def replay_file(settings: Settings, file: Path, out: Path, seed: int) -> int:
    """Answer the rows of `file`; how many were wrong."""
    async with opened(settings) as parts:
        rows, bad = read_rows(file, parts)
        for each in bad:
            typer.echo(f"{file}:{each.line}: {each.reason}; row skipped", err=True)
        await warm_up(parts)
        columns = (TextColumn("replay"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        console = Console(stderr=True)
        with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
            task = progress.add_task("", total=len(rows))
            await replay(
                parts, rows, out, source=file, seed=seed, done=lambda count: progress.advance(task, count)
            )
    return len(bad)
