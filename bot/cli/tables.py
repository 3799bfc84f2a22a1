"""`check` and `models` as tables for a person."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from bot.models.describing import ModelInfo
from bot.readiness import Part


def show_parts(parts: Sequence[Part]) -> None:
    """What is ready, what is missing, and what is merely not set."""
    table = Table("part", "", "note", box=None, header_style="bold")
    for part in parts:
        absent = "[red]missing[/]" if part.needed else "[red]wrong[/]" if part.wrong else "[yellow]not set[/]"
        mark = "[green]ready[/]" if part.ready else absent
        table.add_row(part.name, mark, part.note)
    Console(highlight=False).print(table)


def show_models(infos: Sequence[ModelInfo], default: str) -> None:
    """Each model, and under it its published versions."""
    table = Table("model", "kind", "version", "state", "price", "", box=None, header_style="bold")
    for info in infos:
        name = info.name + (" (default)" if info.name == default else "")
        table.add_row(name, info.kind, info.version, info.state, info.price, info.problem or "")
        for each in info.versions:
            current = " (current)" if each.current else ""
            waits = f"waits: {each.waits}" if each.waits else ""
            table.add_row("", "", each.version + current, each.state, "", each.reason or waits)
    Console(highlight=False).print(table)
