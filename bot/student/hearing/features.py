"""What the trained reader sees of a turn: its words and letters, and how it stands to what it was said to.

The same features are made here for training and for the bot. It weighs nothing: that is `reader`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from bot.student.hearing.heard import Context
from bot.student.hearing.questions import Found, Index
from bot.student.hearing.stated import Stated
from bot.student.problems.kind import Problem
from bot.student.problems.parsing import parse
from bot.student.records.lesson import Lesson
from bot.student.said import PLAIN, Said, content_words

_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+(?::\d+)?|[?!]")
_DIGITS = re.compile(r"\d+")
PIECES = (3, 4, 5)
"""Lengths, in letters, of the pieces of words."""
FITS = (0.3, 0.6, 1.0)
"""Fits to help (see `help.Match`) that count each by itself."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What the exact readers found in a turn."""

    problem: Problem | None
    found: Found | None
    stated: Stated | None


def features(
    said: Said, readings: Readings, lesson: Lesson, context: Context, index: Index
) -> dict[str, float]:
    """The features of a turn by name; what is absent is 0."""
    found = dict.fromkeys((*_words(said), *_pieces(said)), 1.0)
    found.update(_form(said))
    found.update(_stands_to(said, context))
    found.update(_read(readings, lesson, context))
    found.update(_fits(said, lesson, context, index))
    return {name: value for name, value in found.items() if value}


def _tokens(text: str) -> list[str]:
    return ["<n>" if token[0].isdigit() else token for token in _TOKEN.findall(text.lower())]


def _words(said: Said) -> Iterator[str]:
    """Words, pairs and triples; how each sentence begins, and the last one."""
    tokens = _tokens(said.text)
    yield from (f"w:{each}" for each in tokens)
    edged = ["^", *tokens, "$"]
    yield from (f"b:{one} {two}" for one, two in pairwise(edged))
    yield from (
        f"t:{one} {two} {three}" for one, two, three in zip(edged, edged[1:], edged[2:], strict=False)
    )
    for sentence in said.sentences:
        yield "s:" + " ".join(_tokens(sentence)[:2])
    yield "l:" + " ".join(_tokens(said.sentences[-1])[:3])


def _pieces(said: Said) -> Iterator[str]:
    text = f" {_DIGITS.sub('0', said.lower)} "
    for size in PIECES:
        yield from (f"c:{text[start : start + size]}" for start in range(len(text) - size + 1))


def _form(said: Said) -> Iterator[tuple[str, float]]:
    yield "ends with ?", float(said.text.endswith("?"))
    yield "questions", min(3, said.text.count("?")) / 3
    yield f"length {min(6, said.length.bit_length())}", 1.0
    yield f"sentences {min(4, len(said.sentences))}", 1.0


def _stands_to(said: Said, context: Context) -> Iterator[tuple[str, float]]:
    """What of the turn the child has just said, or the question on the table, or its right answer."""
    turn, child = said.words - PLAIN, content_words(context.child) - PLAIN
    question = content_words(context.question) - PLAIN
    right = content_words(" ".join(context.right[:1])) - PLAIN
    yield "of the child", _share(turn, child)
    yield "of the question", _share(turn, question)
    yield "the child in it", _share(child, turn)
    yield "the right answer in it", float(bool(right) and right <= turn)
    yield "nothing on the table", float(not context.question)
    yield "the child said nothing", float(not context.child)
    yield "new words", min(5, len(turn - child - question)) / 5


def _share(part: frozenset[str], whole: frozenset[str]) -> float:
    return len(part & whole) / len(part) if part else 0.0


def _read(readings: Readings, lesson: Lesson, context: Context) -> Iterator[tuple[str, float]]:
    """What the exact readers found."""
    problem, last = readings.problem, parse(Said.of(context.question)) if context.question else None
    if problem is not None:
        yield "a problem" if problem.kind != "beyond" else "a problem of later grades", 1.0
        yield "of the same kind", float(last is not None and last.kind == problem.kind)
        yield "with the same numbers", float(last is not None and set(problem.numbers) <= set(last.numbers))
    if readings.stated is not None:
        yield "states the right answer" if readings.stated.right else "states another answer", 1.0
    if readings.found is not None:
        here = readings.found.lesson == lesson.id
        yield "a question of the lesson" if here else "a question of another lesson", 1.0


def _fits(said: Said, lesson: Lesson, context: Context, index: Index) -> Iterator[tuple[str, float]]:
    """How like the lessons' help, their empty phrases, and the wrong idea itself it is."""
    if not context.active:
        return
    held = context.active[0].id
    ideas = tuple({each.id: each for each in (*context.active, *lesson.misconceptions)})
    match = index.helps.best(said.text, ideas, [held])
    if match is not None:
        fit = min(2.0, max(0.0, match.score))
        yield "fit", fit
        yield from ((f"fit from {least}", float(fit >= least)) for least in FITS)
        yield "fit to the held idea", fit * (match.misconception == held)
    yield "like an empty phrase", index.helps.empty(said.text, ideas)
    yield "like the wrong idea", index.helps.wrong(said.text, held)
    yield "of the lesson's words", float(index.helps.on_topic(said.text, lesson.id))
