"""Which words are everyday ones: those at the head of wordfreq's small English list, which is read without wordfreq.

The package brings tokenisers and the names of all languages, 14 MB and a quarter of a second, for a look into a list.
What it makes of a word that the list does not hold as it is (a number, "it'is") is done here as it does it.
"""

from __future__ import annotations

import gzip
import importlib.util
import math
import re
from functools import lru_cache
from pathlib import Path

import msgpack

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
    """Every everyday word with its frequency in -centibels: 100 for one word in ten, 200 for one in a hundred."""
    package = importlib.util.find_spec("wordfreq")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("wordfreq is not installed: pip install wordfreq")
    path = Path(package.submodule_search_locations[0]) / "data" / "small_en.msgpack.gz"
    common: dict[str, int] = {}
    with gzip.open(path) as file:
        # A header, then the words of 0 centibels, of -1, and so on: the rest of the list is not even unpacked.
        buckets = msgpack.Unpacker(file)
        buckets.read_array_header()
        buckets.skip()
        for centibels in range(round((9 - EVERYDAY) * 100) + 1):
            common.update(dict.fromkeys(buckets.unpack(), centibels))
    return common
