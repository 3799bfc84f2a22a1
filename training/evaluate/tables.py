"""What an evaluation prints at its end: every metric of a model beside what is expected, and what it all cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import TYPE_CHECKING

from training.evaluate.metrics import METRICS, Metric, authentic, separates, teachable, tries, value
from training.evaluate.rows import CONTROL, Row

if TYPE_CHECKING:
    from rich.console import Console

_SEPARATES = {True: "yes", False: "[red]no[/]", None: "-"}


def show(console: Console, rows: Sequence[Row]) -> None:
    """A table for each model, in the order of the rows; the controls have a column, no table."""
    models = dict.fromkeys((row.model, row.version) for row in rows if row.kind != CONTROL)
    controls = {
        row.model: [each for each in rows if each.model == row.model] for row in rows if row.kind == CONTROL
    }
    for name, version in models:
        ours = [row for row in rows if (row.model, row.version) == (name, version)]
        show_model(console, name, version, ours, controls)


def show_model(  # noqa: PLR0913 - what stands in the table
    console: Console,
    name: str,
    version: str,
    rows: Sequence[Row],
    controls: Mapping[str, Sequence[Row]],
    metrics: Sequence[Metric] = METRICS,
) -> None:
    """One table: metric, value, expectation, tries, and whether the controls come out on their sides of it."""
    from rich.table import Table  # noqa: PLC0415 - only where something is shown

    console.print(f"\n[bold]{name}[/] {version}")
    headings = ["", "metric", "value", "expected", "tries", ""]
    table = Table(*headings, *(["controls part"] if controls else []), box=None, header_style="bold")
    for metric in metrics:
        found = value(metric, rows)
        cells = [metric.side, metric.name, "-" if found is None else f"{found:.2f}"]
        cells += [f"{metric.low:g} to {metric.high:g}", str(tries(metric, rows))]
        cells.append(
            "" if found is None else "[green]as expected[/]" if metric.inside(found) else "[red]not[/]"
        )
        table.add_row(*cells, *([_SEPARATES[separates(metric, controls)]] if controls else []))
    console.print(table)
    for side, figure in (("authentic", authentic(rows)), ("teachable", teachable(rows))):
        if figure is not None and len(metrics) == len(METRICS):
            console.print(f"{side}: {figure:.2f}")
    voiced = [row.voiced for row in rows if row.voiced]
    shares = ", ".join(
        f"{kind} {100 * voiced.count(kind) / len(voiced):.0f} %" for kind in dict.fromkeys(voiced)
    )
    console.print(f"voiced: {shares}")
    console.print(cost(rows))


def cost(rows: Sequence[Row]) -> str:
    """Median seconds, tokens and dollars of the turns that a model was asked for, in one line."""
    asked = [row for row in rows if row.voiced and not row.cache_hit]
    if not asked:
        return "no model was asked"
    prompt = sum(row.prompt_tokens or 0 for row in asked) / len(asked)
    completion = sum(row.completion_tokens or 0 for row in asked) / len(asked)
    known = [row.cost_usd for row in asked if row.cost_usd is not None]
    dollars = f"${sum(known):.4f}" if len(known) == len(asked) else "price unknown or none"
    seconds = median(row.latency_ms for row in asked) / 1000
    return (
        f"{len(asked)} turns: median {seconds:.2f} s under the load of this run, "
        f"{prompt:.0f} tokens in and {completion:.0f} out a turn, {dollars}"
    )
