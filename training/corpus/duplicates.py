"""Dialogues that are there twice: the same id, the same talk, nearly the same talk, and across a split.

It keeps `BYTES_A_DIALOGUE` for each dialogue and nothing of its text, so a million need about 280 MB, and
half as much again while they are compared. It knows nothing of lessons.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.student.records.dialogue import Dialogue, Role
from bot.student.records.reading import DataError
from training.corpus.read import Place
from training.evaluate.talk import words

if TYPE_CHECKING:
    import numpy as np

ALIKE = 0.6
"""Nearly the same: this share of the three-word pieces of the student turns (estimated Jaccard likeness)."""
MOST_NEAR = 0.01
"""Share of dialogues that may be nearly the same as an earlier one."""
PERMUTATIONS = 64
ROWS = 4
"""Hashes a band: 16 bands of 4 find nine of ten pairs that are 0.6 alike, and 99 of 100 at 0.7."""
PIECE = 3
FEWEST_WORDS = 12
"""Shorter student talk is alike by nature ("yes", "45"): only its exact copies count."""
BYTES_A_DIALOGUE = 4 * PERMUTATIONS + 8 + 8 + 4 + 2

PARTS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two dialogues, the earlier first, by number in the order they were added."""

    earlier: int
    later: int


class Index:
    """Takes dialogues one by one; compares them when asked. Needs datasketch and numpy."""

    def __init__(self) -> None:
        try:
            from datasketch import MinHash  # noqa: PLC0415
        except ImportError:
            raise DataError(
                "finding near-duplicates needs the package datasketch: "
                "pip install -c constraints.txt -e '.[train]'"
            ) from None
        self._empty: Any = MinHash(num_perm=PERMUTATIONS, seed=1)
        self._ids = array("Q")
        self._talks = array("Q")
        self._hashes = array("I")
        self._lines = array("I")
        self._file_of = array("H")
        self._files: list[Path] = []

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, place: Place, dialogue: Dialogue) -> None:
        """Keep the marks of one dialogue."""
        if not self._files or self._files[-1] != place.path:
            self._files.append(place.path)
        self._file_of.append(len(self._files) - 1)
        self._lines.append(place.line)
        self._ids.append(_digest(dialogue.id))
        talk = "\n".join(f"{turn.role} {' '.join(words(turn.content))}" for turn in dialogue.turns)
        self._talks.append(_digest(talk))
        self._hashes.frombytes(self._signature(dialogue).tobytes())

    def place(self, number: int) -> Place:
        """Where the dialogue of that number stands."""
        return Place(self._files[self._file_of[number]], self._lines[number])

    def part(self, number: int) -> str:
        """Its part of the split, by the name of its file; what is not validation or test is for training."""
        name = self._files[self._file_of[number]].stem
        return name if name in PARTS else PARTS[0]

    def same_ids(self) -> list[Pair]:
        """Dialogues whose id an earlier one has."""
        return list(_equal(self._ids))

    def same_talk(self) -> list[Pair]:
        """Dialogues whose words, of teacher and student, are those of an earlier one."""
        return list(_equal(self._talks))

    def near(self) -> list[Pair]:
        """Dialogues whose student turns are nearly those of an earlier one, exact copies among them."""
        import numpy as np  # noqa: PLC0415

        if not len(self):
            return []
        marks = np.frombuffer(self._hashes, dtype=np.uint32).reshape(-1, PERMUTATIONS)
        long_enough = np.flatnonzero((marks != np.uint32(0xFFFFFFFF)).any(axis=1))
        found: dict[int, int] = {}
        for first in range(0, PERMUTATIONS, ROWS):
            band = np.ascontiguousarray(marks[long_enough, first : first + ROWS]).view(np.uint64)
            keys = band[:, 0] * np.uint64(0x9E3779B97F4A7C15) ^ band[:, 1]
            for group in _groups(keys):
                members = [int(long_enough[member]) for member in group]
                for before, later in zip([members[0], *members], members[1:], strict=False):
                    for earlier in {members[0], before}:
                        if later != earlier and _alike(marks, earlier, later) >= ALIKE:
                            found[later] = min(earlier, found.get(later, earlier))
        return [Pair(earlier, later) for later, earlier in sorted(found.items())]

    def leaks(self, pairs: list[Pair]) -> list[Pair]:
        """Those of `pairs` whose dialogues are in different parts of a split."""
        return [pair for pair in pairs if self.part(pair.earlier) != self.part(pair.later)]

    def _signature(self, dialogue: Dialogue) -> Any:
        spoken = [w for turn in dialogue.turns if turn.role is Role.STUDENT for w in words(turn.content)]
        marks = self._empty.copy()
        if len(spoken) >= FEWEST_WORDS:
            pieces = {" ".join(spoken[at : at + PIECE]) for at in range(len(spoken) - PIECE + 1)}
            marks.update_batch([piece.encode() for piece in pieces])
        return marks.hashvalues


def _alike(marks: np.ndarray[Any, np.dtype[np.uint32]], one: int, other: int) -> float:
    return float((marks[one] == marks[other]).mean())


def _equal(digests: array[int]) -> Iterator[Pair]:
    import numpy as np  # noqa: PLC0415

    for group in _groups(np.frombuffer(digests, dtype=np.uint64)):
        yield from (Pair(group[0], later) for later in group[1:])


def _groups(keys: np.ndarray[Any, np.dtype[np.uint64]]) -> Iterator[list[int]]:
    """Positions that hold the same key, in order, where there are at least two."""
    import numpy as np  # noqa: PLC0415

    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    twins = np.flatnonzero(ordered[1:] == ordered[:-1])
    group: list[int] = []
    for at in twins.tolist():
        if not group or int(order[at]) != group[-1]:
            if group:
                yield group
            group = [int(order[at])]
        group.append(int(order[at + 1]))
    if group:
        yield group


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
