"""The command line of training: everything that is run by hand or by a schedule, never by the bot."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot import logs
from bot.__main__ import guard, load_settings, main

if TYPE_CHECKING:
    from bot.config import Settings

app = typer.Typer(
    name="training",
    help="Pupil's training room: measure a student.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
evaluate = typer.Typer(help="Measure a student.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(evaluate, name="evaluate")

Config = Annotated[
    Path | None, typer.Option("--config", help="The settings file; config.toml here when not given.")
]
ModelOption = Annotated[str | None, typer.Option("--model", help="A model's name; see python -m bot models.")]


@evaluate.command()
def protocol(
    model: ModelOption = None,
    seeds: Annotated[
        int, typer.Option(min=1, max=50, help="Conversations of each arm and misconception.")
    ] = 3,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many misconceptions.")] = None,
    config: Config = None,
) -> None:
    """Does the child hold its ideas, and yield to good teaching? Prints each arm beside its expectation."""
    settings = load_settings(config, model=model)
    logs.set_up("error")
    guard(lambda: asyncio.run(_protocol(settings, seeds, limit)))


@evaluate.command()
def talk(
    replayed: Annotated[list[Path], typer.Argument(help="Files that python -m bot replay wrote.")],
) -> None:
    """Does the child talk like one? The measures of real second graders' turns, beside their bands."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from training.evaluate.talk import measure  # noqa: PLC0415
    from training.evaluate.transcripts import read_replays  # noqa: PLC0415

    said, voiced = guard(lambda: read_replays(replayed))
    table = Table("measure", "value", "band", "", box=None, header_style="bold")
    results = measure(said)
    for result in results:
        mark = "[green]inside[/]" if result.inside else "[red]outside[/]"
        table.add_row(result.name, f"{result.value:.2f}", f"{result.low:g} to {result.high:g}", mark)
    console = Console(highlight=False)
    console.print(table)
    inside = sum(result.inside for result in results)
    console.print(f"{len(said)} turns, {inside} of {len(results)} measures inside")
    console.print("voiced: " + ", ".join(f"{name} {100 * share:.0f} %" for name, share in voiced.items()))


async def _protocol(settings: Settings, seeds: int, limit: int | None) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from bot.app import opened, warm_up  # noqa: PLC0415
    from training.evaluate.protocol import Protocol, probes  # noqa: PLC0415

    console = Console(highlight=False)
    with tempfile.TemporaryDirectory() as folder:
        # A practice log of its own: an evaluation is no practice.
        private = settings.model_copy(
            update={"database": str(Path(folder) / "protocol.db"), "pupil_database_url": None}
        )
        async with opened(private) as parts:
            await warm_up(parts)
            found = probes(parts, settings.data / "hearing" / "heldout.jsonl")[:limit]
            run = Protocol(parts, seeds=seeds)
            with Progress(console=Console(stderr=True)) as progress:
                task = progress.add_task("protocol", total=run.jobs(found))
                await run.run(found, lambda: progress.advance(task))
    subjects = {probe.lesson.subject for probe in found}
    console.print(
        f"{settings.student.model}: {len(found)} misconceptions in {len(subjects)} subjects, {seeds} seeds"
    )
    table = Table("arm", "share", "expected", "tries", "", box=None, header_style="bold")
    for bar, share, tries in run.results():
        shown = "-" if share is None else f"{100 * share:.0f} %"
        inside = share is not None and bar.low <= round(share, 4) <= bar.high
        mark = "[green]as expected[/]" if inside else "[red]not[/]"
        table.add_row(bar.name, shown, f"{100 * bar.low:.0f} to {100 * bar.high:.0f} %", str(tries), mark)
    console.print(table)
    total = sum(run.voiced.values())
    console.print(
        "voiced: " + ", ".join(f"{name} {100 * count / total:.0f} %" for name, count in run.voiced.items())
    )


if __name__ == "__main__":
    main(app, "training")
