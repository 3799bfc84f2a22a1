"""Pictures of a comparison, as PNG: each draws what is in the report, and decides nothing.

matplotlib is imported only here, when a picture is asked for.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.student.records.reading import DataError
from training.corpus.stats import ACCENT, INK, QUIET, REAL_QUARTILES

COLOURS = (ACCENT, "#c2571a", "#6b4fa0", "#2e7d4f", "#a3456f", "#7a6a2f")
"""One for each model, in order; each also has a mark of its own, for those who tell colours apart badly."""
MARKS = ("o", "s", "^", "D", "v", "P")
DPI = 150
WIDTH = 4.7
"""Inches: narrow, so that the letters can be read on a phone."""

Report = Mapping[str, Any]


def draw(report: Report) -> dict[str, tuple[bytes, str]]:
    """Every picture that the report has figures for: PNG and what it shows in words, by file name."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError:
        raise DataError("pictures need matplotlib: pip install -c constraints.txt -e '.[train]'") from None
    models = report["models"]
    pictures: dict[str, tuple[float, Callable[[Any, Report], str]]] = {
        "quality.png": (1.5 + 0.75 * len(models), _quality),
        "cost.png": (1.5 + 0.5 * len(models), _cost),
        "latency.png": (1.6 + 0.55 * len(models), _latency),
        "quality-cost.png": (4.2, _quality_cost),
        "words.png": (1.3 + 1.35 * len(models), _words),
        "stages.png": (2.3 * -(-(len(models) + bool(report["golden_stages"])) // 2) + 0.3, _stages),
    }
    drawn = {}
    for name, (height, picture) in pictures.items():
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        FigureCanvasAgg(figure)
        says = picture(figure, report)
        held = io.BytesIO()
        figure.savefig(held, format="png", dpi=DPI, metadata={"Software": None})
        drawn[name] = (held.getvalue(), says)
    return drawn


def _quality(figure: Any, report: Report) -> str:
    axes = _axes(figure)
    names = _names(report)
    says = []
    for number, (side, mark) in enumerate((("authentic", "o"), ("teachable", "s"))):
        for down, model in enumerate(report["models"]):
            found = model["figures"].get(side)
            if found is None:
                continue
            at = down - 0.14 + 0.28 * number
            axes.plot([found["low"], found["high"]], [at, at], color=COLOURS[number], linewidth=2.5)
            axes.plot(
                found["value"],
                at,
                mark,
                color=COLOURS[number],
                markersize=8,
                label=side if down == 0 else None,
            )
            says.append(f"{model['name']} {side} {_interval(found)}")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0, 1.02)
    axes.set_xlabel("1: all as expected")
    axes.grid(axis="x", color=QUIET, linewidth=0.6)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return "Quality on a scale from 0 to 1: " + "; ".join(says)


def _cost(figure: Any, report: Report) -> str:
    axes = _axes(figure)
    names = _names(report)
    says = []
    highest = 0.0
    for down, model in enumerate(report["models"]):
        cost = model["cost"]
        if cost["total"] is None:
            says.append(f"{model['name']} not known")
            continue
        axes.barh(down, cost["serving"], color=ACCENT, height=0.55, label="serving")
        axes.barh(
            down, cost["training"], left=cost["serving"], color=COLOURS[1], height=0.55, label="training"
        )
        highest = max(highest, cost["total"])
        says.append(f"{model['name']} ${cost['total']:.4f}")
    for down, model in enumerate(report["models"]):
        total = model["cost"]["total"]
        shown = "not known" if total is None else f"${total:.4f}"
        axes.annotate(
            shown, (total or 0, down), xytext=(5, 0), textcoords="offset points", va="center", color=INK
        )
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(0, 1.3 * highest or 1)
    axes.set_xlabel("US dollars for 1,000 turns")
    axes.locator_params(axis="x", nbins=5)
    if highest:
        handles, labels = axes.get_legend_handles_labels()
        kept = dict(zip(labels, handles, strict=True))
        figure.legend(kept.values(), kept.keys(), loc="outside lower center", ncols=2, frameon=False)
    else:
        axes.set_xticks([])
    return "Dollars for 1,000 turns, training included: " + "; ".join(says)


def _latency(figure: Any, report: Report) -> str:
    axes = _axes(figure)
    names = _names(report)
    says: list[str] = []
    for down, model in enumerate(report["models"]):
        found = model["latency_ms"]
        if found["p50"] is None:
            continue
        middle, high = found["p50"] / 1000, found["p95"] / 1000
        axes.plot([middle, high], [down, down], color=QUIET, linewidth=5, solid_capstyle="round", zorder=1)
        axes.plot(middle, down, "o", color=ACCENT, markersize=9, label="median" if not says else None)
        axes.plot(
            high,
            down,
            "D",
            color=COLOURS[1],
            markersize=7,
            label="95 of 100 are quicker" if not says else None,
        )
        axes.annotate(
            f"{middle:.2f}", (middle, down), xytext=(0, 9), textcoords="offset points", ha="center", color=INK
        )
        axes.annotate(
            f"{high:.2f}", (high, down), xytext=(0, 9), textcoords="offset points", ha="center", color=INK
        )
        says.append(f"{model['name']} median {middle:.2f}, 95th percentile {high:.2f}")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.7)
    axes.set_xlim(left=0)
    axes.margins(x=0.12)
    axes.set_xlabel("seconds a turn")
    if says:
        figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return "Seconds a turn: " + "; ".join(says)


def _quality_cost(figure: Any, report: Report) -> str:
    """Both figures against dollars, or, where nobody's are known, against the time of a turn."""
    models = report["models"]
    in_dollars = any(model["cost"]["total"] is not None for model in models)
    what = "US dollars for 1,000 turns" if in_dollars else "median seconds a turn (no cost is metered)"
    pair = figure.subplots(1, 2, sharey=True)
    for axes, side in zip(pair, ("authentic", "teachable"), strict=True):
        axes.set_title(side, loc="left", color=INK, fontsize=11)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color=QUIET, linewidth=0.6)
        axes.set_ylim(0, 1.05)
        for number, model in enumerate(models):
            found = model["figures"].get(side)
            at = model["cost"]["total"] if in_dollars else _seconds(model)
            if found is None or at is None:
                continue
            colour = COLOURS[number % len(COLOURS)]
            axes.plot([at, at], [found["low"], found["high"]], color=colour, linewidth=2)
            axes.plot(
                at,
                found["value"],
                MARKS[number % len(MARKS)],
                color=colour,
                markersize=8,
                label=model["name"],
            )
        axes.margins(x=0.2)
        axes.set_xlim(left=0)
        axes.locator_params(axis="x", nbins=3)
    figure.supxlabel(what, fontsize=10)
    handles, labels = pair[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside upper center", ncols=min(3, len(labels)), frameon=False)
    left_out = [model["name"] for model in models if in_dollars and model["cost"]["total"] is None]
    return f"Authentic and teachable against {what}" + (
        f"; not shown, since their cost is not known: {', '.join(left_out)}" if left_out else ""
    )


def _words(figure: Any, report: Report) -> str:
    models = report["models"]
    says = []
    rows = figure.subplots(len(models), 1, sharex=True, squeeze=False)[:, 0]
    for axes, model in zip(rows, models, strict=True):
        found = model["words"]
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.set_yticks([])
        total = max(1, found["turns"])
        axes.bar(
            range(len(found["counts"])),
            [count / total for count in found["counts"]],
            width=0.85,
            color=ACCENT,
        )
        for real in REAL_QUARTILES:
            axes.axvline(real, color=COLOURS[1], linewidth=1.4, linestyle="--")
        ours = ", ".join(map(str, found["quartiles"])) or "none"
        axes.set_title(f"{model['name']}: quartiles {ours}", loc="left", color=INK, fontsize=10)
        says.append(f"{model['name']} {ours}")
    last = rows[-1] if len(models) else None
    if last is not None:
        ticks = [0, 5, 10, 15, 20, 25, 30]
        last.set_xticks([*ticks, len(models[0]["words"]["counts"]) - 1], [*map(str, ticks), "+"])
        last.set_xlabel("words a turn; dashed: real children's quartiles 2, 5, 10")
    return "Words a turn, quartiles against real children's 2, 5 and 10: " + "; ".join(says)


def _stages(figure: Any, report: Report) -> str:
    tables = [(model["name"], model["stages"]) for model in report["models"]]
    if report["golden_stages"]:
        tables.append(("as authored", report["golden_stages"]))
    grid = figure.subplots(-(-len(tables) // 2), 2, squeeze=False).ravel()
    says = []
    for axes, (name, table) in zip(grid, tables, strict=False):
        short = report["stage_names"]
        shares = [[count / max(1, sum(row)) for count in row] for row in table]
        axes.imshow(shares, cmap="GnBu", vmin=0, vmax=1)
        for down, row in enumerate(table):
            for across, count in enumerate(row):
                colour = "white" if shares[down][across] > 0.6 else INK  # noqa: PLR2004 - as light as the cell is dark
                axes.text(across, down, str(count), ha="center", va="center", fontsize=9, color=colour)
        axes.set_xticks(range(len(short)), short, fontsize=8, rotation=30)
        axes.set_yticks(range(len(short)), short, fontsize=8)
        axes.tick_params(length=0)
        axes.set_title(name, loc="left", color=INK, fontsize=10)
        for spine in axes.spines.values():
            spine.set_visible(False)
        total = sum(map(sum, table))
        if total:
            says.append(f"{name} {100 * sum(table[i][i] for i in range(len(table))) / total:.0f} %")
    for axes in grid[len(tables) :]:
        axes.set_visible(False)
    figure.supylabel("meant", fontsize=10)
    figure.supxlabel("heard in the words", fontsize=10)
    return "Stages meant against stages heard; heard as meant: " + "; ".join(says)


def _names(report: Report) -> Sequence[str]:
    return [model["name"] for model in report["models"]]


def _seconds(model: Report) -> float | None:
    found = model["latency_ms"]["p50"]
    return None if found is None else found / 1000


def _interval(found: Report) -> str:
    return f"{found['value']:.2f} ({found['low']:.2f} to {found['high']:.2f})"


def _axes(figure: Any) -> Any:
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return axes
