"""`python -m training guard`: its options; what it does is `run`, with what it takes to fit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.settings import load_settings


def guard(
    measured: Annotated[
        bool,
        typer.Option("--measure/--no-measure", help="Leave each author out in turn and print the figures."),
    ] = True,
    config: Annotated[
        Path | None, typer.Option(help="The settings file; config.toml here when not given.")
    ] = None,
) -> None:
    """Train the guard: what harms, who asks if the child is real, which words are a real person's data."""
    from training.guard.run import run  # noqa: PLC0415 - brings scikit-learn

    run(load_settings(config), measured=measured)
