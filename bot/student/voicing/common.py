"""Which words are everyday ones: those at the head of wordfreq's small English list (see `frequency`).

What wordfreq makes of a word that the list does not hold as it is (a number, "it'is") is done here as it does it.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache

from bot.student.frequency import frequencies

EVERYDAY = 4.2
"""Zipf frequency (log10 of uses in a billion words) of an everyday word: funny and dog are, banana is just not."""

_TWO_WORDS = re.compile(r"([a-z]{1,2})'([aehiouy].*)")
"""Read apart, like French: l'arc."""
_COMMON_YEARS = range(1957, 2042)
"""Numbers of four digits that are used often enough."""


def everyday(word: str) -> bool:
    """Whether people use `word`, a lower-case word or number, as often as that."""
    if len(word) > 1 and word.isdigit() and word.strip("0"):
        return word[0] != "0" and (len(word) == 2 or (len(word) == 4 and int(word) in _COMMON_YEARS))  # noqa: PLR2004
    common, two = _common(), _TWO_WORDS.fullmatch(word)
    if two is None:
        return word in common
    if not all(each in common for each in two.groups()):
        return False
    rarer = math.log10(sum(10 ** (common[each] / 100) for each in two.groups()))
    return round(9 - rarer, 2) >= EVERYDAY


@lru_cache(maxsize=1)
def _common() -> dict[str, int]:
    return frequencies(EVERYDAY)
