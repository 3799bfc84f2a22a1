"""Facts that every second grader knows, found by the words of a question, however it is put.

`data/reference/facts.jsonl` asks for each fact in several ways; a turn is compared with all of them, rare words
weighing more. What is surely one is a reading of the everyday door (`ordinary`); what perhaps is one counts only where
`hearing` finds nothing else. It knows no lesson; one that practises what a question asks goes first there.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bot.student.knowing.everyday import REFERENCE, Answers, DataError
from bot.student.rarity import Rarity
from bot.student.said import PLAIN_STEMS, stems

ALIKE = 0.4
"""Least likeness (cosine) of a turn and one of a fact's questions."""
PERHAPS, SURELY = 1.0, 1.65
"""Least sum of that likeness and the share of the turn's weight that the fact's questions and answers know."""
SHARED = 8.0
"""Least weight of the words in common: two rare ones, or three that many facts have."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact: ways to ask for it, and what counts as right, first as a child says it."""

    ask: tuple[str, ...]
    right: Answers


class Facts:
    """All facts, with the weight of every word. Built once."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self.facts = tuple(facts)
        asks = [
            (number, frozenset(_telling(ask))) for number, fact in enumerate(self.facts) for ask in fact.ask
        ]
        self._rarity = Rarity(ask for _, ask in asks)
        self._asked_for = [_asked_for(ask) for fact in self.facts for ask in fact.ask]
        self._asks = asks
        self._with: dict[str, list[int]] = defaultdict(list)
        for place, (_, ask) in enumerate(asks):
            for word in ask:
                self._with[word].append(place)
        self._known = [
            frozenset(word for text in (*fact.ask, *fact.right) for word in _telling(text))
            for fact in self.facts
        ]

    @classmethod
    def read(cls, path: Path) -> Facts:
        """Read a file of JSON lines; raise `DataError`."""
        facts = []
        for number, line in enumerate(_lines(path), start=1):
            try:
                row = json.loads(line)
                facts.append(Fact(tuple(map(str, row["ask"])), tuple(map(str, row["right"]))))
            except (ValueError, KeyError, TypeError):
                raise DataError(
                    f'{path.name}, line {number}: expected {{"ask": [...], "right": [...]}}'
                ) from None
        return cls(facts)

    def known(self, ask: str, least: float) -> Answers | None:
        """The answers to the fact that `ask` is most like, if it is like one by `least`."""
        words = frozenset(_telling(ask))
        if not words:
            return None
        asked_for = _asked_for(ask)
        near = {place for word in words for place in self._with.get(word, ())}
        weight = self._rarity.weight(words)
        found: list[tuple[float, int]] = []
        for place in near:
            number, other = self._asks[place]
            shared = words & other
            if len(shared) < 2 or self._rarity.weight(shared) < SHARED or asked_for != self._asked_for[place]:  # noqa: PLR2004
                continue
            like = self._rarity.likeness(words, other)
            told = self._rarity.weight(words & self._known[number]) / weight
            if like >= ALIKE and like + told >= least:
                found.append((like + told, number))
        for _, number in sorted(found, reverse=True):
            answers = _fitting(ask, self.facts[number].right)
            if answers:
                return answers
        return None


def fact(ask: str, scope: str) -> Answers | None:
    """What do bees make? With all that led to the question: its last sentence alone may be about anything."""
    del ask
    return table().known(scope, SURELY)


def perhaps(text: str) -> Answers | None:
    """The same where a turn is nothing else: less likeness will do."""
    return table().known(text.lower(), PERHAPS)


@lru_cache(maxsize=1)
def table() -> Facts:
    """The facts, read once, which takes a fifth of a second; raise `DataError`."""
    return Facts.read(REFERENCE / "facts.jsonl")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error})") from None


def _telling(text: str) -> list[str]:
    return [word for word in stems(text) if word not in PLAIN_STEMS]


def _asked_for(ask: str) -> tuple[bool, bool]:
    """Whether a person is asked for (not by a riddle's "who am I"), and whether a reason."""
    ask = ask.lower()
    return bool(re.search(r"\bwhos?e?\b(?! am i)", ask)), bool(re.search(r"\b(?:why|how come)\b", ask))


def _offered(answer: str, ask: str) -> bool:
    """Whether `answer` is one of the things that "or" offers."""
    option = rf"(?:an? |the |your )?{re.escape(re.sub(r'^(?:an?|the|your) ', '', answer))}"
    return bool(re.search(rf"\b{option}(?:,? or\b|, )|\bor (?:\w+ )?{option}\b", ask))


_YES_OR_NO = re.compile(
    r"^(?:\W*(?:so|ok|now|and|well|true or false|do you think)\b)*\W*(?:is|are|was|were|do|does|did|can|could|will"
    r"|would|should|has|have)\b(?! you (?:know|tell|name|think))"
)


def _fitting(ask: str, right: Answers) -> Answers | None:
    """`right` where it fits the form of the question: yes or no, how many, this or that."""
    yes_or_no = bool(_YES_OR_NO.match(ask)) and " or " not in ask
    if yes_or_no != (right[0] in {"yes", "no", "true", "false"}):
        return None
    if ("how many" in ask) != any(re.search(r"\d", each) for each in right):
        return None
    if " or " in ask:
        named = tuple(each for each in right if _offered(each, ask))
        return tuple(dict.fromkeys((*named, *right))) if named else None
    if not re.search(r"[:\"']", ask) and set(_telling(right[0])) <= set(_telling(ask)):
        return None  # "which day comes after Monday" is not answered with Monday
    return right
