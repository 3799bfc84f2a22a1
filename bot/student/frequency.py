"""How often people use a word: wordfreq's small English list, read without wordfreq.

The package brings tokenisers and the names of all languages, 14 MB and a quarter of a second, for a look into a list.
"""

from __future__ import annotations

import gzip
import importlib.util
from pathlib import Path

import msgpack


def frequencies(least: float) -> dict[str, int]:
    """Every word of at least that Zipf frequency (log10 of uses in a billion words; the list ends at 3) with its
    frequency in -centibels: 100 for one word in ten, 200 for one in a hundred."""
    package = importlib.util.find_spec("wordfreq")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("wordfreq is not installed: pip install wordfreq")
    path = Path(package.submodule_search_locations[0]) / "data" / "small_en.msgpack.gz"
    found: dict[str, int] = {}
    with gzip.open(path) as file:
        # A header, then the words of 0 centibels, of -1, and so on: the rest of the list is not even unpacked.
        buckets = msgpack.Unpacker(file)
        size = buckets.read_array_header()
        buckets.skip()
        for centibels in range(min(size - 1, round((9 - least) * 100) + 1)):
            found.update(dict.fromkeys(buckets.unpack(), centibels))
    return found
