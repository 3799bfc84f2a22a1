"""`python -m training pairs`: authored lines over what a model says in their place, to be preferred in training."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from bot.cli.exits import guard
from bot.cli.settings import load_settings


def pairs(
    model: Annotated[str, typer.Argument(help="The model whose lines are the worse ones.")],
    turns: Annotated[
        int, typer.Option(min=2, help="Turns at which it is asked, spread over the dialogues.")
    ] = 400,
    out: Annotated[
        Path | None, typer.Option(help="Where to; data/preferences/MODEL.jsonl when not given.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 7,
    config: Annotated[
        Path | None, typer.Option(help="The settings file; config.toml here when not given.")
    ] = None,
) -> None:
    """Ask a model at turns of the authored dialogues, and keep its line as the worse one beside the authored."""
    settings = load_settings(config)

    from bot.app import read_data  # noqa: PLC0415
    from bot.models.registry import Models  # noqa: PLC0415
    from training.corpus.read import authored, sound  # noqa: PLC0415
    from training.methods.preferences import Pair, against  # noqa: PLC0415
    from training.methods.rendering import cues  # noqa: PLC0415

    async def ask() -> list[Pair]:
        children, curriculum = read_data(settings)
        dialogues = [dialogue for _, dialogue in sound(authored(settings.data))]
        counts = [
            sum(cue.thought.open for cue, _ in cues(each, children, curriculum.lessons)) for each in dialogues
        ]
        # Every so-manieth dialogue, so that every author and subject has a part.
        step = max(1, round(sum(counts) / turns))
        chosen, total = dialogues[::step], sum(counts[::step])
        registry = Models(settings)
        try:
            with Progress(console=Console(stderr=True)) as progress:
                task = progress.add_task(model, total=total)
                return await against(
                    await registry.get(model),
                    chosen,
                    children,
                    curriculum.lessons,
                    seed=seed,
                    done=lambda: progress.advance(task),
                )
        finally:
            await registry.aclose()

    found = guard(lambda: asyncio.run(ask()))
    path = out or settings.data / "preferences" / f"{model}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(pair.to_line() for pair in found), encoding="utf-8")
    typer.echo(f"{len(found)} pairs in {path}")
