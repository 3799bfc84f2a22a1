"""Which part of Discord this process hears: the ids of its shards and how many there are in all.

Discord sends the events of a server to the shard with the number (server id >> 22) % count, direct messages to shard 0.
It knows numbers only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST = 1_000
_FORM = re.compile(r"(?P<ids>[0-9]+(?:-[0-9]+)?(?:,[0-9]+(?:-[0-9]+)?)*)/(?P<count>[0-9]{1,4})")
EXPECTED = "expected this process's shards and their number in all, such as '0/4', '0,1/4' or '0-3/8'"


@dataclass(frozen=True, slots=True)
class Shard:
    """One connection: which of how many."""

    id: int
    count: int


def shards(text: str) -> tuple[Shard, ...]:
    """The shards of "0,2-3/8": 0, 2 and 3 of 8. None of "": one connection then hears all. Raises `ValueError`."""
    given = text.replace(" ", "")
    if not given:
        return ()
    match = _FORM.fullmatch(given)
    if match is None:
        raise ValueError(EXPECTED)
    count, ids = int(match["count"]), set[int]()
    for part in match["ids"].split(","):
        first, _, last = part.partition("-")
        ids.update(range(int(first), min(int(last or first), MOST) + 1))
    if not ids or not 0 < count <= MOST or max(ids) >= count:
        raise ValueError(f"{EXPECTED}; of {count} the last one is {count - 1}")
    return tuple(Shard(each, count) for each in sorted(ids))
