"""Which sentences of a turn ask something, and about what.

Words, digits and signs only; it knows no kind of problem.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from bot.student.said import Said

_INTEGER = re.compile(r"\b\d+\b")
_WORD = re.compile(r"\w+")


def integers(text: str) -> tuple[int, ...]:
    """The whole numbers in `text`, in order."""
    return tuple(map(int, _INTEGER.findall(text)))


def words(text: str) -> frozenset[str]:
    """The different words in `text`, as they stand."""
    return frozenset(_WORD.findall(text))


@dataclass(frozen=True)
class Asking:
    """A sentence that asks, and the `scope` that it asks about, which ends with it. Both are plain (see `Said`)."""

    ask: str
    scope: str

    @cached_property
    def numbers(self) -> tuple[int, ...]:
        """The whole numbers of the scope."""
        return integers(self.scope)

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of the sentence that asks."""
        return words(self.ask)


_NUMBER = r"\d+(?:\.\d+)?"
EXPRESSION = re.compile(rf"(?<![\d.:/$])(?<!= ){_NUMBER}(?:\s*[-+*/]\s*{_NUMBER})+(?![\d:%]|\.\d)")
"""A sum written with signs."""

FILL = (
    r"(?:(?:ok|okay|now|so|and|next|then|well|great|good|job|work|nice|alright|all right|hmm|yes|no|how about"
    r"|what about|try|let's|do|one more|another one|here is one|this one|last one|new one|problem|question|please)"
    r"\b[\s,:!.-]*)*"
)
"""What may stand before the question itself."""
_BARE = re.compile(rf"(?:^|.*: ){FILL}{EXPRESSION.pattern}\W*(?:together|for me|please|next|now)?\W*$")
_ASKS = re.compile(
    r"\?\W*$|[-+=,]\s*_|_\s*[-+=,]"
    r"|(?:^|[,:;] ?|\b(?:please|now|so|then|and|or|let's|can you|could you|want you to|next|try to|me|us) )"
    r"(?:what(?! (?:you|we|i|a|he|she|they|an)\b)|how many|how much|which|who|solve|find|write|count|show|tell"
    r"|add|subtract|take|figure|work|compute|calculate|do|try|keep|put|compare|look at|read|double|fill|is)\b"
    rf"|\banswer (?:to|for) {EXPRESSION.pattern}"
)
_HOW_OR_WHY = re.compile(
    rf"{FILL}(?:why|how (?:did|come|does)|how (?:do|can|could|would|should) (?:you|we|i)\b"
    r"(?! (?:solve|write|find|figure|work out|do|count|say|add|subtract|read)\b)|are you sure"
    r"|(?:can|could|would|will) you (?:please )?(?:explain|tell me (?:how|why)(?! m)|show me how)"
    r"|(?:tell|show|explain)(?: to)?(?: me| us)? (?:how|why)(?! m| you would write| to write| you write)"
    r"|(?:do you (?:know|think|remember|see) )?(?:how you|why))\b"
)
_AMOUNT = re.compile(r"\d|hal[fv]|third|quarter")
_END = re.compile(r"(?<=[.!?])[\s\")]+")
_RUN = re.compile(r"[\d ,._]+|(?:each|every) [^?]*\d[^?]*")


def sentences(said: Said) -> list[str]:
    """The plain sentences of what was said."""
    return [part for each in _END.split(said.plain) if (part := each.strip())]


def askings(said: Said) -> Iterator[Asking]:
    """What the turn may ask, the last question first: alone, then with the story since the question before, then
    with everything before it. Nothing without an amount."""
    told = _with_its_run(sentences(said))
    places = [place for place, each in enumerate(told) if _asks(each)]
    for turn, place in reversed(list(enumerate(places))):
        after_last = places[turn - 1] + 1 if turn else 0
        for start in dict.fromkeys((place, after_last, 0)):
            scope = " ".join(told[start : place + 1])
            if _AMOUNT.search(scope):
                yield Asking(told[place], scope)


def _asks(sentence: str) -> bool:
    return not _HOW_OR_WHY.match(sentence) and bool(_ASKS.search(sentence) or _BARE.match(sentence))


def _with_its_run(told: list[str]) -> list[str]:
    """What comes next? 3, 6, 9. How many legs have 2 dogs? Each dog has 4: what stands behind belongs to it."""
    if len(told) > 1 and told[-2].endswith("?") and _RUN.fullmatch(told[-1]):
        return [*told[:-2], f"{told[-1]} {told[-2]}"]
    return told
