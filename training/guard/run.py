"""The guard trained: its readers fitted to what people labelled, measured, and their weights written.

Words on the terminal and one file; what is learned is `fit`, from what `lines`, how well `measure`. Seeded: same data,
same weights.
"""

from __future__ import annotations

import random
import re

from rich.console import Console
from rich.table import Table

from bot.config import Settings
from bot.student.guard import weights
from training.guard import fit, lines, measure
from training.guard.lines import Line

NAMED, UNNAMED = 6_000, 2_000
"""So many ordinary turns with names or numbers, and others, the tagger learns from."""
_NAMED = re.compile(r"\d|[a-z,] [A-Z]")


def run(settings: Settings, *, measured: bool) -> None:
    """Train it on all that is labelled; where `measured`, leave each author out in turn and print the figures."""
    console = Console(stderr=True)
    labelled, ordinary = list(lines.labelled(settings.data)), lines.ordinary(settings.data)
    with console.status(f"reading {len(labelled) + len(ordinary):,} turns"):
        found = [fit.seen(line) for line in (*labelled, *ordinary, *fit.evaded(labelled))]
    turns = [each.line for each in found]
    matrix = fit.matrix([each.features for each in found], scaled=True)
    counts, right = fit.counts(turns), fit.answers(turns)
    harmful = right["harm"] == 1
    with console.status("fitting"):
        readers = {question: fit.fit(matrix, right[question], counts) for question in ("harm", "real")}
        readers["crisis"] = fit.fit(matrix[harmful], right["crisis"][harmful], counts[harmful])
        rows = [fit.tagged(line) for line in (*labelled, *_some(ordinary))]
        readers["turn"], scores = fit.turn_scores(rows, fit.split(len(rows)))
        words, private, worth, _ = fit.words_of(rows, scores)
        readers["token"] = fit.fit(words, private, worth, fit.TAG_STRENGTH)
    weights.FILE.write_text(weights.write(readers), encoding="utf-8")
    console.print(f"{len(labelled):,} labelled and {len(ordinary):,} ordinary turns; written: {weights.FILE}")
    if not measured:
        return
    table = Table("question", "author left out", "kind", "taken for it", "of", box=None, header_style="bold")
    with console.status("leaving authors out"):
        figures = [
            figure
            for question in ("harm", "real")
            for figure in measure.without_author(question, found, matrix, right[question], counts)
        ]
        figures += measure.private_without_author(rows, scores, fit.TAG_STRENGTH)
    for each in figures:
        table.add_row(
            each.question, each.source, each.kind, f"{each.hits / max(1, each.lines):.0%}", str(each.lines)
        )
    Console().print(table)


def _some(ordinary: list[Line]) -> list[Line]:
    """Ordinary turns for the tagger, most of them with names or numbers. Seeded."""
    mixed = random.Random(1).sample(ordinary, len(ordinary))
    named = [line for line in mixed if _NAMED.search(line.text)]
    return named[:NAMED] + [line for line in mixed if not _NAMED.search(line.text)][:UNNAMED]
