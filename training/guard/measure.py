"""How well the guard's readers do on lines that they have not learned from: figures by kind, an author left out each.

It knows scores and thresholds; no file and no terminal. Strangers' lines are `benchmarks.guard`'s.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from bot.student.guard import redaction, safeguard, tagger
from training.guard.fit import Numbers, Seen, Tagged, fit, scored, words_of

HARM_AUTHORS = ("harm-lines", "safeguard", "helper-harm")
REAL_AUTHORS = ("real-lines", "safeguard", "helper-real")
PRIVATE_AUTHORS = ("pupil-lines", "helper-pupil")


@dataclass(frozen=True, slots=True)
class Figure:
    """Of `lines` of one source and kind, how many were taken for what the question asks."""

    question: str
    source: str
    kind: str
    hits: int
    lines: int


def without_author(
    question: str, found: Sequence[Seen], matrix: csr_matrix, right: Numbers, weights: Numbers
) -> list[Figure]:
    """The figures of each author's lines by a reader that has learned from all others."""
    sources = np.array([each.line.source for each in found])
    mark = "!" if question == "harm" else "?"
    marked = np.array([any(each[0] == mark for each in row.marks) for row in found])
    alone, beside = (
        (safeguard.HARM, safeguard.HARM_ALARMED)
        if question == "harm"
        else (safeguard.REAL, safeguard.REAL_MARKED)
    )
    figures = []
    for author in HARM_AUTHORS if question == "harm" else REAL_AUTHORS:
        held = sources == author
        scores = scored(fit(matrix[~held], right[~held], weights[~held]), matrix[held])
        hits = (scores >= alone) | (marked[held] & (scores >= beside))
        counted: dict[str, list[bool]] = defaultdict(list)
        for row, hit in zip((each for each in found if each.line.source == author), hits, strict=True):
            line = row.line
            of_question = line.harm if question == "harm" else ("sincere" if line.real else "")
            counted[f"{of_question or 'neither'}{' evaded' if line.plain else ''}"].append(bool(hit))
        figures += [
            Figure(question, author, kind, sum(all_), len(all_)) for kind, all_ in sorted(counted.items())
        ]
    return figures


def private_without_author(rows: Sequence[Tagged], scores: Numbers, strength: float) -> list[Figure]:
    """Private parts of each author's lines that a tagger takes out that has learned from all others, and traps that
    it touches."""
    found, right, weights, whose = words_of(rows, scores)
    sources = np.array([row.line.source for row in rows])
    figures = []
    for author in PRIVATE_AUTHORS:
        held: NDArray[np.bool_] = (sources == author)[whose]
        read = scored(fit(found[~held], right[~held], weights[~held], strength), found[held])
        owners = whose[held]
        gone = parts = touched = traps = 0
        for number in np.unique(owners):
            row = rows[number]
            cleaned = _cleaned(row, read[owners == number].tolist())
            parts += len(row.line.private)
            gone += sum(part.lower() not in cleaned.lower() for part in row.line.private)
            traps += not row.line.private
            touched += not row.line.private and cleaned != row.line.text
        figures += [
            Figure("private", author, "parts", gone, parts),
            Figure("private", author, "traps", touched, traps),
        ]
    return figures


def _cleaned(row: Tagged, read: Sequence[float]) -> str:
    text, cleaned, at = redaction.exact(row.line.text), "", 0
    for first, last in tagger.spans(row.tokens, read, redaction.SURE, redaction.BESIDE):
        cleaned += text[at : row.tokens[first].start] + "[]"
        at = row.tokens[last].end
    return cleaned + text[at:]
