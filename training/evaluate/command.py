"""`python -m training evaluate MODEL...`: measure students, and print the figures beside what is expected.

Without the name of a subcommand it is the whole evaluation; `protocol`, `talk` and `golden` are parts of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from bot import logs
from bot.cli.exits import guard
from bot.cli.settings import load_settings
from training.evaluate.blind_command import blind
from training.evaluate.perplexity_command import foretelling, perplexity
from training.evaluate.perplexity_command import show as perplexities

if TYPE_CHECKING:
    from bot.config import Settings
    from training.evaluate.runner import Rooms, Run

WHOLE = "models"


class _WholeByDefault(TyperGroup):
    """What begins with no subcommand's name is for the whole evaluation."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [WHOLE, *args]
        return super().parse_args(ctx, args)


evaluate = typer.Typer(
    cls=_WholeByDefault,
    help="Measure students: evaluate MODEL... for all of it, or one of its parts. "
    "See evaluate models --help for the options of the whole.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
evaluate.command()(blind)
evaluate.command()(perplexity)

Config = Annotated[
    Path | None, typer.Option("--config", help="The settings file; config.toml here when not given.")
]
ModelOption = Annotated[str | None, typer.Option("--model", help="A model's name; see python -m bot models.")]


@evaluate.command(WHOLE, hidden=True)
def whole(
    models: Annotated[
        list[str] | None, typer.Argument(help="Models by name; see python -m bot models.")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="quick (about 700 replies a model; the default) or full (3 seeds, all probes)."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="The same seed, the same questions. 0 by default.")
    ] = None,
    resume: Annotated[
        str | None, typer.Option(help="Go on with that run, by the name of its folder.")
    ] = None,
    config: Config = None,
) -> None:
    """The whole evaluation: how a student talks, errs, learns and stays a child; what it costs.

    One row a turn goes to data/runs/RUN/rows.jsonl. An interrupted run goes on with --resume RUN.
    """
    settings = load_settings(config)
    logs.set_up("error")
    guard(lambda: asyncio.run(_whole(settings, models or [], preset, seed, resume)))


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

    from training.evaluate.replays import read_replays  # noqa: PLC0415
    from training.evaluate.talk import measure  # noqa: PLC0415

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


@evaluate.command()
def golden(
    models: Annotated[list[str], typer.Argument(help="Models by name, the one to compare with first.")],
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many dialogues.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed, the same words.")] = 0,
    config: Config = None,
) -> None:
    """How do models voice the thoughts of the golden dialogues? One column each, differences with intervals.

    Where torch is installed, local models' perplexity follows.
    """
    from training.evaluate.golden_command import show  # noqa: PLC0415

    settings = load_settings(config)
    logs.set_up("error")
    guard(lambda: asyncio.run(show(settings, models, limit, seed)))
    if find_spec("torch"):
        guard(lambda: perplexities(settings, foretelling(settings, models), limit))


async def _whole(
    settings: Settings, names: list[str], preset: str | None, seed: int | None, resume: str | None
) -> None:
    from rich.console import Console  # noqa: PLC0415

    from bot.app import opened, read_data  # noqa: PLC0415
    from training.evaluate.plan import PRESETS, Plan  # noqa: PLC0415
    from training.evaluate.rows import read_rows  # noqa: PLC0415
    from training.evaluate.runner import Rooms, execute, open_bare  # noqa: PLC0415
    from training.evaluate.tables import show  # noqa: PLC0415
    from training.evaluate.written import ROWS  # noqa: PLC0415

    rooms = Rooms(opened, open_bare)
    run = await _run(settings, list(dict.fromkeys(names)), preset, seed, resume, rooms)
    plan = Plan(settings.data, *read_data(settings), PRESETS[run.preset], run.seed)
    if resume is None:
        run.write()
    typer.echo(f"run {run.folder.name}; if it is interrupted: evaluate --resume {run.folder.name}", err=True)
    with _progress() as progress:
        await execute(settings, run, plan, rooms, progress)
    console = Console(highlight=False)
    show(console, read_rows(run.folder / ROWS))
    console.print(f"\nrows: {run.folder / ROWS}")


async def _run(  # noqa: PLR0913 - one per option of the command
    settings: Settings,
    names: list[str],
    preset: str | None,
    seed: int | None,
    resume: str | None,
    rooms: Rooms,
) -> Run:
    """The run to go on with, or a new one; raise `CommandError` where the words do not fit it."""
    from datetime import UTC, datetime  # noqa: PLC0415

    from bot.messages import CommandError  # noqa: PLC0415
    from bot.student.voicing.prompt import VERSION  # noqa: PLC0415
    from training.evaluate.plan import PRESETS  # noqa: PLC0415
    from training.evaluate.runner import Run, identify, new_id  # noqa: PLC0415

    runs = settings.data / "runs"
    if resume is not None:
        run = Run.read(runs / resume)
        if (
            (names and names != [each.name for each in run.models])
            or preset not in (None, run.preset)
            or seed not in (None, run.seed)
        ):
            raise CommandError(f"--resume {resume}: its models, preset and seed are fixed; give none of them")
        return run
    if not names:
        raise CommandError("name at least one model; see python -m bot models")
    if (preset or "quick") not in PRESETS:
        raise CommandError(f"--preset: expected one of {', '.join(PRESETS)}, got {preset!r}")
    asked = await identify(settings, names, rooms)
    began = datetime.now(UTC).isoformat(timespec="seconds")
    return Run(runs / new_id(), preset or "quick", seed or 0, VERSION, began, asked)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each model on stderr, with the time left."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        tasks = {}

        def advance(name: str, turns: int, total: int) -> None:
            if name not in tasks:
                # What an earlier sitting did says nothing about the speed of this one.
                tasks[name] = progress.add_task(name, total=total, completed=turns)
            else:
                progress.advance(tasks[name], turns)

        yield advance


async def _protocol(settings: Settings, seeds: int, limit: int | None) -> None:
    from rich.console import Console  # noqa: PLC0415

    from bot.app import opened, read_data  # noqa: PLC0415
    from training.evaluate import protocol as arms  # noqa: PLC0415
    from training.evaluate.metrics import METRICS  # noqa: PLC0415
    from training.evaluate.runner import Rooms, open_bare, run_one  # noqa: PLC0415
    from training.evaluate.tables import show_model  # noqa: PLC0415

    found = arms.spread(arms.probes(settings.data, *read_data(settings)), limit or 1_000)
    with _progress() as progress:
        rows = await run_one(settings, arms.units(found, seeds), Rooms(opened, open_bare), progress)
    subjects = {probe.lesson.subject for probe in found}
    console = Console(highlight=False)
    console.print(f"{len(found)} misconceptions in {len(subjects)} subjects, {seeds} seeds")
    metrics = [each for each in METRICS if each.id.startswith("arms.")]
    show_model(console, settings.student.model, rows[0].version, rows, {}, metrics)
