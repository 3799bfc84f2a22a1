"""What was labelled and what was heard, as a picture: one row a label, its shares across."""

from __future__ import annotations

from pathlib import Path

from training.hearing.fit import Scores

DARK = 0.6
"""Share from which a figure is written in white."""


def confusion(result: Scores, path: Path) -> None:
    """Write the picture (PNG)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow to load
    from matplotlib.figure import Figure  # noqa: PLC0415

    labels = sorted({one for one, _ in result.pairs})
    columns = sorted({*labels, *(other for _, other in result.pairs)})
    figure = Figure(figsize=(9, 8), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    shares = []
    for one in labels:
        total = sum(count for (label, _), count in result.pairs.items() if label == one)
        shares.append([result.pairs[one, other] / total for other in columns])
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for y, row in enumerate(shares):
        for x, share in enumerate(row):
            if share:
                axes.text(x, y, f"{share:.0%}", ha="center", va="center", fontsize=8,
                          color="white" if share >= DARK else "black")  # fmt: skip
    axes.set_xticks(range(len(columns)), columns, rotation=60, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel="heard", ylabel="labelled", title="Strangers' turns")
    figure.savefig(path, dpi=120)
