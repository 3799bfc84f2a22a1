"""Fitting the guard's linear readers to labelled lines: scikit-learn fits, whole numbers come out.

It knows features, weights and scores; no file and no terminal.
"""

from __future__ import annotations

import random
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from bot.student.guard import asking, reader, redaction, tagger
from bot.student.guard.alarms import ring
from bot.student.guard.disguise import uncover
from bot.student.guard.features import words
from bot.student.guard.weights import BUCKETS, Linear, buckets
from training.guard.distort import distorted
from training.guard.lines import ORDINARY, WRITTEN, Line

STRENGTH, TAG_STRENGTH = 8.0, 0.3
"""Inverse of the pull of the weights to zero (scikit-learn's C): of whole turns, of single words."""
COUNTS = {ORDINARY: 0.4, "helper-harm": 0.7, "helper-real": 0.7, "helper-pupil": 0.5}
"""How much a line of a source counts beside one that somebody else wrote."""
EVADED = 0.5
"""... and how much a line that is spelled evasively by `distort`."""
MOST = 127
FOLDS = 5
CHILD = "Mia"
_OF_ME = re.compile(r"\b(?:i|im|i'm|my|me|myself|we)\b", re.I)
_OF_YOU = re.compile(r"\b(?:you|your|ur|u|yourself)\b", re.I)
_PERHAPS_CRISIS = frozenset({"self_harm", "abuse"})

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Seen:
    """A line as the guard sees it: which rows of exact words it holds, and all features."""

    line: Line
    marks: tuple[str, ...]
    features: tuple[str, ...]


def seen(line: Line) -> Seen:
    """The features of a line, as the bot would see them."""
    said = " ".join(line.text.replace("\u2019", "'").split())
    meant = uncover(said)
    alarm = ring(meant)
    marks = (*asking.marks(said, CHILD), *([f"!{alarm}"] if alarm else []))
    return Seen(line, marks, tuple(sorted(reader.seen(words(meant, CHILD), marks))))


def crisis(line: Line) -> bool:
    """Whether a harmful line is a person's cry for help, not what a child must not be told."""
    if line.harm in _PERHAPS_CRISIS:
        return bool(_OF_ME.search(line.text)) and not _OF_YOU.search(line.text)
    return line.harm == "crisis"


def answers(lines: Sequence[Line]) -> dict[str, Numbers]:
    """What is right for each question of the reader: 1 or 0 a line."""
    return {
        "harm": np.array([float(bool(line.harm)) for line in lines]),
        "crisis": np.array([float(crisis(line)) for line in lines]),
        "real": np.array([float(line.real) for line in lines]),
    }


def evaded(lines: Sequence[Line], seed: int = 5) -> list[Line]:
    """Harmful lines once more, spelled evasively, with as many innocent ones."""
    rng = random.Random(seed)
    innocent = [line for line in lines if not line.harm and line.source not in {ORDINARY, WRITTEN}]
    found = [line for line in lines if line.harm and not line.plain]
    chosen = [*found, *rng.sample(innocent, min(len(innocent), len(found) // 2))]
    return [
        Line(distorted(line.text, rng), line.source, line.harm, line.real, plain=line.text) for line in chosen
    ]


def counts(lines: Sequence[Line]) -> Numbers:
    """How much each line counts."""
    return np.array([COUNTS.get(line.source, 1.0) * (EVADED if line.plain else 1.0) for line in lines])


def matrix(found: Sequence[Sequence[str]], *, scaled: bool) -> csr_matrix:
    """One row for each turn or word, one column for each bucket."""
    places = np.array([place for each in found for place in buckets(each)], dtype=np.int32)
    sizes = np.array([len(each) for each in found])
    worth = np.array([reader.worth(size) if scaled else 1.0 for size in sizes])
    made = csr_matrix(
        (np.repeat(worth, sizes), places, np.append(0, np.cumsum(sizes))), shape=(len(found), BUCKETS)
    )
    made.sum_duplicates()
    return made


def fit(found: csr_matrix, right: Numbers, weights: Numbers, strength: float = STRENGTH) -> Linear:
    """One reader: from rows to 1 or 0."""
    model: Any = LogisticRegression(C=strength, solver="liblinear", random_state=0)
    model.fit(found, right, sample_weight=weights)
    learned = model.coef_[0]
    scale = max(float(np.abs(learned).max()), 1e-9) / MOST
    whole = np.rint(learned / scale).astype(np.int8)
    return Linear(round(float(model.intercept_[0]), 4), scale, array("b", whole.tobytes()))


def scored(model: Linear, found: csr_matrix) -> Numbers:
    """Log-odds of every row."""
    result: Numbers = model.bias + model.scale * (found @ np.asarray(model.weights, dtype=np.float64))
    return result


@dataclass(frozen=True, slots=True)
class Tagged:
    """A line for the tagger: what the exact frames left of it, its words, and which of them must go."""

    line: Line
    tokens: tuple[tagger.Token, ...]
    right: tuple[bool, ...]
    about: tuple[str, ...]


def tagged(line: Line) -> Tagged:
    """A line as the tagger sees it."""
    text = redaction.exact(line.text)
    tokens = tuple(tagger.tokens(text))
    right = [False] * len(tokens)
    for part in line.private:
        pieces = [part] if part in text else [each for each in part.split() if len(each) > 2]  # noqa: PLR2004
        for piece in pieces:
            for found in re.finditer(re.escape(piece), text):
                for place, token in enumerate(tokens):
                    if token.start < found.end() and token.end > found.start() and token.text[0] != "[":
                        right[place] = True
    return Tagged(line, tokens, tuple(right), tagger.about(tokens))


def turn_scores(rows: Sequence[Tagged], folds: Numbers) -> tuple[Linear, Numbers]:
    """The reader of whole turns (do they hold somebody's data?) and the score of every row by one that has not
    seen the row's fold."""
    found = matrix([row.about for row in rows], scaled=True)
    right = np.array([float(bool(row.line.private)) for row in rows])
    weights = counts([row.line for row in rows])
    scores = np.zeros(len(rows))
    for fold in np.unique(folds):
        kept = folds != fold
        scores[~kept] = scored(fit(found[kept], right[kept], weights[kept], 1.0), found[~kept])
    return fit(found, right, weights, 1.0), scores


def words_of(
    rows: Sequence[Tagged], scores: Numbers
) -> tuple[csr_matrix, Numbers, Numbers, NDArray[np.int64]]:
    """The features of every word of the rows, what is right, how much it counts, and whose it is."""
    found: list[list[str]] = []
    right: list[bool] = []
    owner: list[int] = []
    for number, (row, score) in enumerate(zip(rows, scores, strict=True)):
        known = tagger.famous(row.tokens)
        for place in range(len(row.tokens)):
            found.append(tagger.features(row.tokens, place, float(score), known))
        right += row.right
        owner += [number] * len(row.tokens)
    weights = counts([row.line for row in rows])
    whose = np.array(owner)
    return matrix(found, scaled=False), np.array(right, dtype=np.float64), weights[whose], whose


def split(size: int, seed: int = 3) -> Numbers:
    """A fold for each row, by chance."""
    rng = random.Random(seed)
    return np.array([float(rng.randrange(FOLDS)) for _ in range(size)])
