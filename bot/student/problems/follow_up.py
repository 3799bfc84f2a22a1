"""A problem that leans on the last one: "what about 36?", "same thing, but 7 and 5", "and ten more than that?".

The last question is asked again with the new numbers in it, so that every kind of problem can be followed up. It knows
texts only: that the turn asks something has been heard already.
"""

from __future__ import annotations

import re
from dataclasses import replace

from bot.student.problems.asking import integers
from bot.student.problems.kind import Problem
from bot.student.problems.parsing import parse
from bot.student.said import Said

MOST_WORDS = 16
"""A longer turn says for itself what it asks."""
_THAT = r"(?:that|it|this|your answer)"
_MORE = re.compile(
    rf"\b(?P<amount>\d+) (?:more|bigger|up)(?: than {_THAT})?\W*$"
    rf"|\b(?:add|plus) (?:another )?(?P<added>\d+)(?: more)? (?:to|onto) {_THAT}|{_THAT} plus (?P<plus>\d+)"
)
_LESS = re.compile(
    rf"\b(?P<amount>\d+) (?:less|fewer|smaller|down)(?: than {_THAT})?\W*$"
    rf"|\b(?:subtract|take(?: away)?) (?:another )?(?P<taken>\d+)(?: away)? from {_THAT}"
    rf"|{_THAT} (?:minus|take away) (?P<minus>\d+)"
)
_NUMBER = re.compile(r"\d+")


def follow_up(said: Said, question: str, answer: str) -> Problem | None:
    """The problem that `said` asks after `question` was answered with `answer`; None where it is none."""
    numbers = integers(said.plain)
    if not numbers or said.length > MOST_WORDS:
        return None
    base = integers(Said.of(answer).plain)
    for sign, pattern in (("plus", _MORE), ("minus", _LESS)):
        amount = next(filter(None, found.groups()), None) if (found := pattern.search(said.plain)) else None
        if amount and base and len(numbers) == 1:
            return _asked(f"What is {base[-1]} {sign} {amount}?")
    last = Said.of(question).plain
    before = _NUMBER.findall(last)
    if len(before) == 1:
        return _asked(_with(last, [str(numbers[-1])]))
    if len(numbers) in (1, len(before)):
        return _asked(_with(last, [*map(str, numbers), *before[len(numbers) :]]))
    return None


def _with(question: str, numbers: list[str]) -> str:
    """The question with its numbers, in their order, replaced by others."""
    rest = iter(numbers)
    return _NUMBER.sub(lambda _: next(rest), question)


def _asked(question: str) -> Problem | None:
    problem = parse(Said.of(question))
    return None if problem is None else replace(problem, text=question)
