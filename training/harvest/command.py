"""`python -m training harvest` and `python -m training review`."""

from __future__ import annotations

import asyncio
import getpass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot import logs
from bot.cli.exits import guard
from bot.cli.settings import load_settings

if TYPE_CHECKING:
    from rich.console import Console

    from bot.config import Settings
    from bot.store import Store
    from training.evaluate.talk import Said
    from training.harvest.agreement import Agreement
    from training.harvest.harvest import Options, Summary
    from training.harvest.publish import Published

MUST_NOT_FALL = ("% of at most 3 words", "MATTR, window 50")

Config = Annotated[
    Path | None, typer.Option("--config", help="The settings file; config.toml here when not given.")
]


def harvest(  # noqa: PLR0913 - the command's options
    per_teacher: Annotated[
        int, typer.Option(min=1, max=10_000, help="The most dialogues that one person may give.")
    ] = 25,
    settled: Annotated[
        int, typer.Option(min=0, max=10_080, help="Minutes of silence after which a sitting is over.")
    ] = 60,
    days: Annotated[
        int | None,
        typer.Option(min=1, max=36_500, help="Only conversations in which somebody spoke in so many days."),
    ] = None,
    processes: Annotated[
        int, typer.Option(min=1, max=64, help="How many processes read and judge side by side.")
    ] = 1,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Where every turn left out goes; data/runs/harvest/left-out.jsonl."),
    ] = None,
    config: Config = None,
) -> None:
    """Find candidates for training in the practice log, and say why every other turn is left out."""
    from training.harvest.harvest import Options  # noqa: PLC0415

    settings = load_settings(config)
    logs.set_up("error")
    options = Options(settings.privacy.consent, per_teacher, timedelta(minutes=settled), days, processes)
    place = out or settings.data / "runs" / "harvest" / "left-out.jsonl"
    summary = guard(lambda: asyncio.run(_harvest(settings, options, place)))
    _show(summary, options, place, settings.data)


def review(
    reviewer: Annotated[
        str | None, typer.Option("--reviewer", help="Your name or initials; your login when not given.")
    ] = None,
    publish: Annotated[
        bool, typer.Option("--publish", help="Write what was approved to data/dialogues, and stop.")
    ] = False,
    least: Annotated[
        int, typer.Option(min=1, max=20, help="With --publish: how many must have accepted a dialogue.")
    ] = 1,
    agreement: Annotated[
        bool, typer.Option("--agreement", help="Print how far the reviewers agree, and stop.")
    ] = False,
    config: Config = None,
) -> None:
    """Look at candidates, mend them, accept or reject them; several people may review at once."""
    settings = load_settings(config)
    logs.set_up("error")
    if publish:
        done = guard(lambda: asyncio.run(_publish(settings, least)))
        _show_published(done)
        return
    who = reviewer or getpass.getuser()
    shown = guard(lambda: asyncio.run(_review(settings, None if agreement else who)))
    _show_agreement(shown)


async def _opened(settings: Settings) -> Store:
    from bot.store import Store  # noqa: PLC0415

    return await Store.open(settings.database_url, data=settings.data)


async def _harvest(settings: Settings, options: Options, out: Path) -> Summary:
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    from bot.app import read_data  # noqa: PLC0415
    from training.harvest.harvest import harvest as run  # noqa: PLC0415

    children, curriculum = read_data(settings)
    store = await _opened(settings)
    try:
        columns = (TextColumn("harvest"), TextColumn("{task.completed:,.0f} turns"), TimeElapsedColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("harvest", total=None)
            return await run(
                store,
                settings.data,
                children,
                curriculum.lessons,
                options,
                out,
                url=settings.database_url,
                advance=lambda turns: progress.advance(task, turns),
            )
    finally:
        await store.aclose()


async def _review(settings: Settings, reviewer: str | None) -> Agreement:
    from training.harvest.agreement import agreement  # noqa: PLC0415
    from training.harvest.review import Desk  # noqa: PLC0415

    store = await _opened(settings)
    try:
        if reviewer is not None:
            from training.harvest.screen import Screen  # noqa: PLC0415

            await Screen(await Desk.open(store.candidates, reviewer)).run()
        return agreement((await store.candidates.verdicts()).values())
    finally:
        await store.aclose()


async def _publish(settings: Settings, least: int) -> list[Published]:
    from training.harvest.publish import publish  # noqa: PLC0415

    store = await _opened(settings)
    try:
        return await publish(store.candidates, settings.data, datetime.now(UTC).date(), least=least)
    finally:
        await store.aclose()


def _show(summary: Summary, options: Options, out: Path, data: Path) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    console = Console(highlight=False, soft_wrap=True)
    if options.policy == "off":
        console.print(
            f"privacy.consent is off: nothing is harvested; {summary.withdrawn} candidates were withdrawn"
        )
        return
    console.print(
        f"{summary.turns:,} turns read: {summary.kept_turns:,} in {summary.dialogues:,} candidate dialogues "
        f"({summary.new:,} new, {summary.changed:,} changed), {summary.withdrawn:,} withdrawn"
    )
    if summary.pairs:
        console.print(f"{summary.pairs:,} suggested lines took the place of the child's")
    if summary.left_out:
        table = Table("left out because", "turns", box=None, header_style="bold")
        table.columns[1].justify = "right"
        for reason, count in summary.left_out.most_common():
            table.add_row(reason.value, f"{count:,}")
        table.add_row("[bold]together[/]", f"[bold]{summary.left_out.total():,}[/]")
        console.print(table)
        console.print(f"each of them, with its reason: {out}")
    _show_talk(console, summary, data)
    if summary.dialogues:
        console.print("next: python -m training review")


def _show_talk(console: Console, summary: Summary, data: Path) -> None:
    """The bands of talk over the candidates, whose single turns were held to their limits already; and what must not
    fall from generation to generation, beside the authored dialogues."""
    from training.evaluate.talk import measure  # noqa: PLC0415

    if len(summary.sample) < 100:  # noqa: PLR2004 - see training.evaluate.talk
        return
    results = measure(summary.sample)
    outside = [each for each in results if not each.inside]
    console.print(
        f"talk of the candidates' first {len(summary.sample):,} child turns: "
        f"{len(results) - len(outside)} of {len(results)} measures inside their bands"
    )
    for each in outside:
        console.print(
            f"  [yellow]outside[/] {each.name}: {each.value:.2f}, band {each.low:g} to {each.high:g}"
        )
    authored = {each.name: each.value for each in measure(_authored(data))}
    for each in results:
        if each.name in MUST_NOT_FALL:
            console.print(f"  {each.name}: {each.value:.2f}, authored {authored[each.name]:.2f}")


def _authored(data: Path) -> list[Said]:
    """The child's turns in the dialogues that people wrote, the golden test set left aside."""
    from bot.student.records.dialogue import Dialogue, Role  # noqa: PLC0415
    from bot.student.records.text import files_in, lines_of  # noqa: PLC0415
    from training.evaluate.talk import Said  # noqa: PLC0415

    dialogues = (
        Dialogue.from_line(line)
        for path in files_in(data / "dialogues", "*.jsonl")
        if path.name != "test.jsonl" and not path.name.startswith("harvested-")
        for line in lines_of(path)
    )
    return [
        Said(asked.content, turn.content)
        for dialogue in dialogues
        for asked, turn in zip(dialogue.turns, dialogue.turns[1:], strict=False)
        if turn.role is Role.STUDENT
    ]


def _show_agreement(found: Agreement) -> None:
    from rich.console import Console  # noqa: PLC0415

    from training.harvest.agreement import ENOUGH  # noqa: PLC0415

    console = Console(highlight=False, soft_wrap=True)
    if found.units == 0:
        console.print("agreement: no dialogue has two verdicts yet")
        return
    shared = f"{found.same} of {found.units} dialogues with two verdicts or more have the same one"
    if found.alpha is None:
        console.print(f"agreement: {shared}; alpha needs both acceptances and rejections")
        return
    note = "" if found.alpha >= ENOUGH else f"; below {ENOUGH}, so talk about what you look for"
    console.print(f"agreement: Krippendorff's alpha {found.alpha:.2f}; {shared}{note}")


def _show_published(done: list[Published]) -> None:
    from rich.console import Console  # noqa: PLC0415

    console = Console(highlight=False, soft_wrap=True)
    if not done:
        console.print("nothing is approved yet: python -m training review")
    for each in done:
        console.print(f"{each.path}: {each.dialogues} dialogues, {each.pairs} pairs for preference training")
