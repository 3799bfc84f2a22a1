"""How likely a turn is harmful, somebody's crisis, or a sincere question whether a real child is there: three scores.

It backs up the rows of exact words (`alarms.toml`, the patterns of `asking`), which it counts as features, and may
overrule them. It decides nothing: what to make of a score is `safeguard`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from bot.student.guard.features import STOP, features
from bot.student.guard.weights import buckets, learned

QUESTIONS = ("harm", "crisis", "real")
SPREAD = 3.0
PART = 24
"""A turn of more words is read sentence by sentence, too: one line in many is as grave as the line alone."""
SHORTEST = 3
"""Words of a sentence that is read by itself."""


def worth(size: int) -> float:
    """What one of `size` features counts: long turns have more of them."""
    return SPREAD / math.sqrt(size + 1)


def seen(words: list[str], marks: Iterable[str]) -> set[str]:
    """All features of a turn: of its words and which rows of exact words it holds."""
    return features(words).union(marks)


def scores(said: Sequence[str], marks: Iterable[str]) -> dict[str, float]:
    """Log-odds for each question, of the words of a turn or, where it is long, of its most telling sentence."""
    marks = list(marks)
    parts = [list(said)]
    if len(said) > PART:
        parts += _sentences(said)
    read: list[dict[str, float]] = []
    for part in parts:
        places = buckets(seen(part, marks))
        read.append({name: learned()[name].score(places, worth(len(places))) for name in QUESTIONS})
    return {name: max(each[name] for each in read) for name in QUESTIONS}


def _sentences(said: Sequence[str]) -> Iterator[list[str]]:
    """The sentences of a turn; of long ones, parts that overlap."""
    sentence: list[str] = []
    for word in (*said, STOP):
        if word == STOP or len(sentence) == PART:
            if len(sentence) >= SHORTEST:
                yield sentence
            sentence = [] if word == STOP else sentence[PART // 2 :]
        if word != STOP:
            sentence.append(word)
