"""Pictures of a corpus: how long turns are, what stages and moves occur, and who practises what.

It draws counts of `coverage`; matplotlib is imported only here, when a picture is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bot.student.records.dialogue import MoveKind, Stage
from bot.student.records.reading import DataError
from training.corpus.coverage import Coverage

REAL_QUARTILES = (2, 5, 10)
"""Words a turn of real children in grades 1-3 (413 student turns of TalkMoves transcripts)."""
LONGEST_BAR = 41
"""Turns from here on share the last bar."""
INK, ACCENT, QUIET = "#22303c", "#2a7f9e", "#c9d6dd"


def draw(coverage: Coverage, out: Path) -> list[Path]:
    """Write the pictures as PNG into the folder `out`; raise `DataError` when they cannot be."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError:
        raise DataError("pictures need matplotlib: pip install -c constraints.txt -e '.[train]'") from None
    drawn: list[Path] = []
    pictures = {
        "words.png": ((8, 4.5), _words),
        "stages.png": ((7, 2.8), _stages),
        "moves.png": ((8, 6), _moves),
        "coverage.png": ((11, 3 + 0.21 * len(list(coverage.misconceptions()))), _map),
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, (size, picture) in pictures.items():
            # Figure and canvas without pyplot: no window, no state shared between pictures.
            figure = Figure(figsize=size, layout="constrained")
            FigureCanvasAgg(figure)
            picture(figure, coverage)
            figure.savefig(out / name, dpi=110)
            drawn.append(out / name)
    except OSError as error:
        raise DataError(f"{out}: cannot be written ({error.strerror})") from None
    return drawn


def _words(figure: Any, coverage: Coverage) -> None:
    axes = _axes(figure, f"Words a student turn ({coverage.student_turns:,} turns)")
    heights = [coverage.lengths[length] for length in range(1, LONGEST_BAR)]
    heights.append(sum(count for length, count in coverage.lengths.items() if length >= LONGEST_BAR))
    axes.bar(range(1, LONGEST_BAR + 1), heights, width=0.85, color=ACCENT)
    ours = [coverage.quantile(share) for share in (0.25, 0.5, 0.75)]
    top = max([*heights, 1])
    for name, real, our in zip(
        ("first quartile", "median", "third quartile"), REAL_QUARTILES, ours, strict=True
    ):
        axes.axvline(real, color=INK, linewidth=1, linestyle=":")
        # Beside one another the three would overlap: each has its own height.
        height = top * {2: 1.0, 5: 0.88, 10: 0.76}[real]
        axes.annotate(
            f"{name}: real children {real}, here {our}",
            (real, height),
            xytext=(real + 0.7, height),
            va="center",
            color=INK,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 2},
        )
    ticks = [1, *range(5, LONGEST_BAR - 1, 5), LONGEST_BAR]
    axes.set_xticks(ticks, [*map(str, ticks[:-1]), f"{LONGEST_BAR}+"])
    axes.set_xlabel("words")
    axes.set_ylabel("turns")


def _stages(figure: Any, coverage: Coverage) -> None:
    names = [stage.value for stage in Stage]
    _bars(
        _axes(figure, "Student turns by stage of the misconception"),
        names,
        [coverage.stages[n] for n in names],
    )


def _moves(figure: Any, coverage: Coverage) -> None:
    names = sorted((move.value for move in MoveKind), key=lambda name: -coverage.moves[name])
    axes = _axes(figure, "Teacher turns by move")
    _bars(axes, [name.replace("_", " ") for name in names], [coverage.moves[name] for name in names])


def _map(figure: Any, coverage: Coverage) -> None:
    """Misconceptions down, children across, in each cell the student turns in which the idea is at work."""
    axes = _axes(figure, "Student turns by misconception and child")
    rows = list(coverage.misconceptions())
    children = list(coverage.children)
    counts = [[coverage.cells[name, child] for child in children] for _, name in rows]
    most = max((max(row) for row in counts if row), default=0)
    axes.imshow(counts or [[0]], aspect="auto", cmap="GnBu", vmin=0, vmax=max(most, 1))
    for down, row in enumerate(counts):
        for across, count in enumerate(row):
            colour = "white" if count > 0.6 * most else INK
            axes.text(across, down, str(count), ha="center", va="center", fontsize=7, color=colour)
    axes.set_xticks(range(len(children)), [coverage.children[child].name for child in children])
    axes.xaxis.tick_top()
    labels, before = [], ""
    for lesson, name in rows:
        labels.append(f"{lesson.id}  ·  {name}")
        if lesson.subject != before and before:
            axes.axhline(len(labels) - 1.5, color=INK, linewidth=1.2)
        before = lesson.subject
    axes.set_yticks(range(len(rows)), labels, fontsize=8)
    axes.tick_params(length=0)
    middle: dict[str, list[int]] = {}
    for down, (lesson, _) in enumerate(rows):
        middle.setdefault(lesson.subject, []).append(down)
    right = axes.secondary_yaxis("right")
    right.set_yticks(
        [sum(downs) / len(downs) for downs in middle.values()], list(middle), rotation=270, va="center"
    )
    right.tick_params(length=0)
    for spine in (*axes.spines.values(), *right.spines.values()):
        spine.set_visible(False)


def _axes(figure: Any, title: str) -> Any:
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", color=INK, fontsize=12)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def _bars(axes: Any, names: Sequence[str], counts: Sequence[int]) -> None:
    bars = axes.barh(range(len(names)), counts, color=ACCENT, height=0.7)
    axes.bar_label(bars, [f"{count:,}" for count in counts], padding=4, color=INK)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(0, max([*counts, 1]) * 1.12)
    axes.set_xlabel("turns")
    axes.spines["left"].set_color(QUIET)
