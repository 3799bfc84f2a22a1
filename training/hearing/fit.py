"""Fitting the reader of moves to labelled turns: scikit-learn fits, whole numbers come out.

It knows features, weights and figures; no file and no terminal.
"""

from __future__ import annotations

import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from bot.student.hearing.features import Readings, features
from bot.student.hearing.questions import index
from bot.student.hearing.reader import BUCKETS, Reader, bucket
from bot.student.hearing.stated import stated
from bot.student.problems.parsing import parse
from bot.student.records.curriculum import Curriculum
from bot.student.records.dialogue import MoveKind
from bot.student.said import Said
from training.hearing.rows import Labelled

STRENGTH = 0.3
"""Inverse of the pull of the weights to zero (scikit-learn's C)."""
STEPS = 300
LEAST_SEEN = 3
"""Rows in which a feature must occur to be learned from."""
MOST = 127
"""Weights are whole numbers up to this, with one scale for each move."""
TOGETHER = {MoveKind.TRANSFER: MoveKind.ASKS}
"""Moves that differ in wording only are learned as one; which of the two it is, the exact readers tell."""


def label(move: MoveKind) -> str:
    """The name under which a move is learned."""
    return TOGETHER.get(move, move).value


def seen(row: Labelled, curriculum: Curriculum) -> dict[str, float]:
    """The features of a row, as the bot would see them."""
    lesson, said = curriculum.lessons[row.lesson], Said.of(row.text)
    readings = Readings(
        parse(said),
        index(curriculum).find(said.words, lesson),
        stated(said, lesson, row.context) if row.context.right else None,
    )
    return features(said, readings, lesson, row.context, index(curriculum))


def fit(rows: Sequence[Labelled], found: Sequence[dict[str, float]], weights: Sequence[float]) -> Reader:
    """A reader fitted to the rows, `found` being their features and `weights` how much each counts."""
    counts = Counter(name for each in found for name in each)
    kept = [{name: value for name, value in each.items() if counts[name] >= LEAST_SEEN} for each in found]
    # A turn that does several things counts once for each, in parts.
    spread = [
        (features, label(move), weight / len(row.moves))
        for row, features, weight in zip(rows, kept, weights, strict=True)
        for move in row.moves
    ]
    model = LogisticRegression(C=STRENGTH, max_iter=STEPS, tol=1e-3)
    model.fit(
        matrix([features for features, _, _ in spread]),
        [name for _, name, _ in spread],
        sample_weight=[weight for _, _, weight in spread],
    )
    learned, bias = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # noqa: PLR2004 - of two classes scikit-learn keeps what parts the second from the first
        learned, bias = np.vstack([np.zeros_like(learned), learned]), np.append(0.0, bias)
    scale = np.maximum(np.abs(learned).max(axis=1), 1e-9) / MOST
    whole = np.rint(learned / scale[:, None]).astype(np.int8)
    return Reader(
        tuple(map(str, model.classes_)),
        tuple(map(float, bias)),
        tuple(map(float, scale)),
        array.array("b", whole.T.tobytes()),
    )


def matrix(found: Sequence[dict[str, float]]) -> csr_matrix:
    """One row for each turn, one column for each bucket."""
    places = [bucket(name) for each in found for name in each]
    values = [value for each in found for value in each.values()]
    ends = np.cumsum([0, *map(len, found)])
    return csr_matrix((values, places, ends), shape=(len(found), BUCKETS))


@dataclass(frozen=True, slots=True)
class Scores:
    """How well turns were read. `pairs` counts (labelled, read); shares from 0 to 1. A row is right when it is read
    as one of its moves or of those that count, too; macro-F1 is over the moves that are labelled."""

    pairs: Counter[tuple[str, str]]
    accuracy: float
    macro_f1: float
    recall: dict[str, float]


def scores(rows: Sequence[Labelled], heard: Sequence[str]) -> Scores:
    """Compare labels with what was read."""
    pairs: Counter[tuple[str, str]] = Counter()
    for row, name in zip(rows, heard, strict=True):
        right = {label(move) for move in (*row.moves, *row.accept)}
        pairs[name if name in right else label(row.moves[0]), name] += 1
    moves = sorted({one for one, _ in pairs})
    hits = {move: pairs[move, move] for move in moves}
    labelled = {move: sum(n for (one, _), n in pairs.items() if one == move) for move in moves}
    read = {move: sum(n for (_, other), n in pairs.items() if other == move) for move in moves}
    f1 = [2 * hits[move] / (labelled[move] + read[move]) for move in moves]
    return Scores(
        pairs,
        sum(hits.values()) / len(rows),
        sum(f1) / len(f1),
        {move: hits[move] / labelled[move] for move in moves},
    )
