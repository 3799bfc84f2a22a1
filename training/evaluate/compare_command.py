"""`python -m training compare`: the report of a run, as JSON, page and pictures; and the documents made of it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot import logs
from bot.cli.exits import guard
from bot.cli.settings import load_settings

if TYPE_CHECKING:
    from bot.config import Settings

DOCUMENTS = Path("docs")


def compare(  # noqa: PLR0913 - one per option
    run: Annotated[
        str | None, typer.Argument(help="A run's id or folder; the newest when not given.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Where it goes; the run's folder when not given.")
    ] = None,
    turns: Annotated[
        int,
        typer.Option(
            "--turns", min=1, help="How many turns a training is to serve, for its share of the cost."
        ),
    ] = 100_000,
    machine_hour: Annotated[
        float | None,
        typer.Option(
            "--machine-hour", min=0, help="US dollars for an hour of the machine, for models that run here."
        ),
    ] = None,
    people: Annotated[
        bool, typer.Option("--people/--no-people", help="With the ratings of the practice log, as means.")
    ] = True,
    documents: Annotated[
        bool,
        typer.Option(
            "--documents", help="Write docs/report.md and docs/slides.md from docs/report.json, and stop."
        ),
    ] = False,
    config: Annotated[
        Path | None, typer.Option("--config", help="The settings file; config.toml here when not given.")
    ] = None,
) -> None:
    """Models of a run side by side: quality with intervals, cost, latency, and what they said."""
    if documents:
        from training.evaluate.documents import write  # noqa: PLC0415

        for path in guard(lambda: write(out or DOCUMENTS)):
            typer.echo(f"wrote {path}")
        return
    settings = load_settings(config)
    logs.set_up("error")
    report, folder = guard(lambda: _compare(settings, run, out, turns, machine_hour, people=people))
    _show(report)
    typer.echo(f"wrote {folder / 'report.html'}, report.json and the pictures")


def _compare(  # noqa: PLR0913 - the command's options
    settings: Settings,
    run: str | None,
    out: Path | None,
    turns: int,
    machine_hour: float | None,
    *,
    people: bool,
) -> tuple[dict[str, Any], Path]:
    from bot.student.records.reading import DataError  # noqa: PLC0415
    from training.evaluate import page, plots, report, written  # noqa: PLC0415
    from training.evaluate.people import blind_sessions  # noqa: PLC0415

    folder = written.find(settings.data / "runs", run)
    made = report.assemble(
        written.read(folder),
        data=settings.data,
        turns=turns,
        machine_hour=machine_hour,
        people={
            "ratings": _ratings(settings) if people else [],
            "blind": blind_sessions(folder),
        },
    )
    place = out or folder
    pictures = plots.draw(made)
    try:
        place.mkdir(parents=True, exist_ok=True)
        for name, (png, _) in pictures.items():
            (place / name).write_bytes(png)
        (place / "report.html").write_text(page.render(made, pictures), encoding="utf-8")
    except OSError as error:
        raise DataError(f"{place}: cannot be written ({error.strerror})") from None
    report.write(made, place / report.REPORT)
    return json.loads(json.dumps(made)), place


def _ratings(settings: Settings) -> list[dict[str, Any]]:
    """Means by model; none where nobody has practised here yet, and no database is made for the asking."""
    if settings.pupil_database_url is None and not Path(settings.database).is_file():
        return []
    return asyncio.run(_rated(settings))


async def _rated(settings: Settings) -> list[dict[str, Any]]:
    from bot.store import Store  # noqa: PLC0415
    from training.evaluate.people import rated  # noqa: PLC0415

    store = await Store.open(settings.database_url, data=settings.data)
    try:
        return rated(await store.harvests.all_ratings())
    finally:
        await store.aclose()


def _show(report: dict[str, Any]) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from training.evaluate.report import winner  # noqa: PLC0415
    from training.evaluate.wording import composite, dollars, points  # noqa: PLC0415

    console = Console(highlight=False)
    heads = ("model", "authentic", "teachable", "own words", "p50", "p95", "1,000 turns")
    table = Table(*heads, box=None, header_style="bold")
    for model in report["models"]:
        latency = model["latency_ms"]
        table.add_row(
            model["name"],
            composite(model["figures"].get("authentic")),
            composite(model["figures"].get("teachable")),
            f"{100 * model['voiced'].get('model', 0):.0f} %",
            *("-" if latency[key] is None else f"{latency[key] / 1000:.2f} s" for key in ("p50", "p95")),
            dollars(model["cost"]["total"]),
        )
    console.print(table)
    for pair in report["pairs"]:
        if pair["figure"] in ("authentic", "teachable"):
            verdict = "they part" if pair["parts"] else "they do not part"
            console.print(
                f"{pair['ours']} minus {pair['theirs']}, {pair['figure']}: {points(pair)} points, {verdict}"
            )
    for side in ("authentic", "teachable"):
        if best := winner(report, side):
            console.print(f"ahead in {side}: {best}")
