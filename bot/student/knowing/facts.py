"""Written facts that every second grader knows, found by the words of a question, however it is put.

`data/reference/facts.jsonl` asks for each fact in several ways; a turn is compared with all of them, rare words
weighing more. What is surely one is a reader of the door (`known`); what perhaps is one counts only where `hearing`
finds nothing else. It knows no lesson; one that practises what a question asks goes first there.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from bot.student.knowing.question import Question
from bot.student.knowing.tables import Answers
from bot.student.rarity import Rarity
from bot.student.records.files import REFERENCE
from bot.student.records.reading import read_lines
from bot.student.said import Said, telling

ALIKE = 0.4
"""Least likeness (cosine) of a turn and one of a fact's questions."""
PERHAPS, SURELY = 1.4, 1.65
"""Least sum of that likeness and the share of the turn's weight that the fact's questions and answers know."""
SHARED = 8.0
"""Least weight of the words in common: two rare ones, or three that many facts have."""


class Fact(BaseModel):
    """One fact: ways to ask for it, and what counts as right, first as a child says it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ask: tuple[str, ...]
    right: Answers


@dataclass(frozen=True, slots=True)
class _Ask:
    """One way to ask for the fact of that number: its telling words, and what it asks for.

    Thousands are kept: the words as a tuple, which takes an eighth of a set."""

    number: int
    words: tuple[str, ...]
    form: tuple[bool, bool]


class Facts:
    """All facts, found by the words of their questions. Built once."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self.facts = tuple(facts)
        self._known = [tuple(telling(" . ".join((*fact.ask, *fact.right)))) for fact in self.facts]
        asks = [
            _Ask(number, tuple(telling(ask)), _form(ask.lower()))
            for number, fact in enumerate(self.facts)
            for ask in fact.ask
        ]
        self._rarity = Rarity(frozenset(ask.words) for ask in asks)
        self._with: dict[str, list[_Ask]] = defaultdict(list)
        for ask in asks:
            for word in ask.words:
                self._with[word].append(ask)

    @classmethod
    def read(cls, path: Path) -> Facts:
        """Read a file of JSON lines; raise `DataError`."""
        return cls(read_lines(Fact, path))

    def known(self, ask: str, least: float) -> Answers | None:
        """The answers to the fact that `ask`, in small letters, is most like, if it is like one by `least`."""
        words, form = telling(ask), _form(ask)
        near = {each for word in words for each in self._with.get(word, ()) if each.form == form}
        found = sorted(((self._likeness(words, each), each.number) for each in near), reverse=True)
        fitting = (_fitting(ask, self.facts[number].right) for like, number in found if like >= least)
        return next((answers for answers in fitting if answers), None)

    def _likeness(self, words: frozenset[str], ask: _Ask) -> float:
        """How much a turn's `words` are like that question, and known to its fact: from 0 to 2."""
        shared, rarity = words.intersection(ask.words), self._rarity
        if len(shared) == 1 or rarity.weight(shared) < SHARED:
            return 0.0
        like = rarity.likeness(words, frozenset(ask.words))
        known = words.intersection(self._known[ask.number])
        return like + rarity.weight(known) / rarity.weight(words) if like >= ALIKE else 0.0


def fact(question: Question) -> Answers | None:
    """What do bees make? With all that led to the question: its last sentence alone may be about anything."""
    return table().known(question.told, SURELY)


def perhaps(said: Said) -> Answers | None:
    """The same where a turn is nothing else: less likeness will do."""
    return table().known(said.lower, PERHAPS)


@lru_cache(maxsize=1)
def table() -> Facts:
    """The facts, read once, which takes a fifth of a second; raise `DataError`."""
    return Facts.read(REFERENCE / "facts.jsonl")


def _form(ask: str) -> tuple[bool, bool]:
    """Whether a person is asked for (not by a riddle's "who am I"), and whether a reason."""
    return bool(re.search(r"\bwhos?e?\b(?! am i)", ask)), bool(re.search(r"\bwhy\b", ask))


def _offered(answer: str, ask: str) -> bool:
    """Whether `answer` is one of the things that "or" offers."""
    bare = re.escape(re.sub(r"^(?:an?|the|your) ", "", answer))
    return bool(re.search(rf"\b{bare}(?:,| or )|\bor (?:\w+ ){{,2}}{bare}\b", ask))


_YES_OR_NO = re.compile(
    r"^(?:(?:so|and)\W+)*(?:is|are|was|do|does|did|can|could|will|should|have)\b(?! you (?:know|tell|name))"
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
    if not re.search(r"[:\"']", ask) and telling(right[0]) <= telling(ask):
        return None  # "which day comes after Monday" is not answered with Monday
    return right
