"""What `evaluate golden` does: the models voice the golden thoughts, a column each, differences with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bot.app import read_data
from bot.config import Settings
from bot.models.registry import Models
from bot.student.records.dialogue import Dialogue
from bot.student.records.text import lines_of
from training.evaluate.bootstrap import paired_interval
from training.evaluate.golden import (
    GOLDEN,
    Summary,
    Voiced,
    by_dialogue,
    golden_items,
    summarise,
    voice_all,
)


async def show(settings: Settings, names: Sequence[str], limit: int | None, seed: int) -> None:
    """Ask every model for every student turn of the golden dialogues, and print what became of them."""
    lines = lines_of(settings.data / GOLDEN)[:limit]
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
    for label, shown in _rows(summaries):
        table.add_row(label, *(shown[name] for name in names))
    console.print(table)
    for name in names:
        console.print(f"{name} outside: {', '.join(summaries[name].bands_outside) or 'none'}")
    for other in names[1:]:
        _print_differences(console, names[0], other, said)


def _rows(summaries: dict[str, Summary]) -> list[tuple[str, dict[str, str]]]:
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
