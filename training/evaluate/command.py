"""`python -m training evaluate`: measure a student, and print the figures beside what is expected."""

from __future__ import annotations

import asyncio
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot import logs
from bot.__main__ import guard, load_settings

if TYPE_CHECKING:
    from rich.console import Console

    from bot.config import Settings
    from training.evaluate.golden import Summary, Voiced

evaluate = typer.Typer(help="Measure a student.", no_args_is_help=True, rich_markup_mode=None)

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


@evaluate.command()
def golden(
    models: Annotated[list[str], typer.Argument(help="Models by name, the one to compare with first.")],
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many dialogues.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed, the same words.")] = 0,
    config: Config = None,
) -> None:
    """How do models voice the thoughts of the golden dialogues? One column each, differences with intervals."""
    settings = load_settings(config)
    logs.set_up("error")
    guard(lambda: asyncio.run(_golden(settings, models, limit, seed)))


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


async def _golden(settings: Settings, names: list[str], limit: int | None, seed: int) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from bot.app import read_data  # noqa: PLC0415
    from bot.models.registry import Models  # noqa: PLC0415
    from bot.student.dialogue import Dialogue  # noqa: PLC0415
    from training.evaluate.golden import GOLDEN, golden_items, summarise, voice_all  # noqa: PLC0415

    lines = (settings.data / GOLDEN).read_text(encoding="utf-8").splitlines()[:limit]
    children, curriculum = read_data(settings)
    dialogues = [Dialogue.from_line(line) for line in lines]
    items = list(golden_items(dialogues, children, curriculum.lessons))
    registry = Models(settings)
    said: dict[str, list[Voiced]] = {}
    summaries: dict[str, Summary] = {}
    try:
        with Progress(console=Console(stderr=True)) as progress:
            for name in names:
                task = progress.add_task(name, total=len(items))
                model = await registry.get(name)
                said[name] = await voice_all(
                    model,
                    items,
                    seed=seed,
                    at_once=settings.engine.slots,
                    done=partial(progress.advance, task),
                )
                summaries[name] = summarise(said[name])
    finally:
        await registry.aclose()
    console = Console(highlight=False)
    console.print(f"{len(dialogues)} golden dialogues, {len(items)} student turns")
    table = Table("measure", *names, box=None, header_style="bold")
    for label, shown in _golden_rows(summaries):
        table.add_row(label, *(shown[name] for name in names))
    console.print(table)
    for name in names:
        console.print(f"{name} outside: {', '.join(summaries[name].bands_outside) or 'none'}")
    for other in names[1:]:
        _print_differences(console, names[0], other, said)


def _golden_rows(summaries: dict[str, Summary]) -> list[tuple[str, dict[str, str]]]:
    def percent(value: float) -> str:
        return f"{100 * value:.1f} %"

    rows = [
        ("talk measures inside their bands", {n: f"{s.bands_inside} of 22" for n, s in summaries.items()})
    ]
    for kind in ("model", "retry", "phrasing"):
        rows.append((f"voiced: {kind}", {n: percent(s.voiced[kind]) for n, s in summaries.items()}))
    rows += [
        ("first try states the thought's answer", {n: percent(s.states) for n, s in summaries.items()}),
        ("word for word as meant", {n: percent(s.same_as_meant) for n, s in summaries.items()}),
        ("median seconds a turn, in this run", {n: f"{s.median_seconds:.2f}" for n, s in summaries.items()}),
    ]
    return rows


def _print_differences(console: Console, base: str, other: str, said: dict[str, list[Voiced]]) -> None:
    from training.evaluate.bootstrap import paired_interval  # noqa: PLC0415
    from training.evaluate.golden import by_dialogue  # noqa: PLC0415

    for label, value in (
        ("voiced by the model's first try", lambda each: float(each.voiced == "model")),
        ("first try states the answer", lambda each: None if each.states is None else float(each.states)),
    ):
        found = paired_interval(by_dialogue(said[other], value), by_dialogue(said[base], value))
        verdict = "parts them" if found.parts_from_zero else "does not part them"
        console.print(
            f"{other} minus {base}, {label}: {100 * found.mean:+.1f} points "
            f"(95 %: {100 * found.low:+.1f} to {100 * found.high:+.1f}), {verdict}"
        )
