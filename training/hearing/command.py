"""`python -m training hearing`: its options; what it does is `run`, with what it takes to fit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.settings import load_settings


def hearing(
    candidate: Annotated[
        bool, typer.Option("--candidate", help="Publish, but let the old one listen on.")
    ] = False,
    publish: Annotated[bool, typer.Option(help="Whether it becomes a version that the bot can use.")] = True,
    config: Annotated[
        Path | None, typer.Option(help="The settings file; config.toml here when not given.")
    ] = None,
) -> None:
    """Train the ear that hears what a teacher's turn does, measure it on strangers' lines, and publish it."""
    from training.hearing.run import run  # noqa: PLC0415 - brings scikit-learn

    run(load_settings(config), publish=publish, candidate=candidate)
