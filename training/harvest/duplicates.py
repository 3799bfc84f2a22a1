"""Whether nearly the same dialogue was harvested before, in constant memory.

Signatures lie in a temporary database on the disk, which vanishes with its connection; only the pages in use are in
memory. It knows words, and nothing of the log.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from bot.student.records.reading import DataError

ALIKE = 0.7
"""Estimated share of three-word pieces that two dialogues have in common (Jaccard)."""
PERMUTATIONS = 64
ROWS = 4
"""Numbers in a band: with 16 bands of 4, a pair that is 0.7 alike shares one in 99 of 100 cases."""
PIECE = 3


class Seen:
    """Takes dialogues one by one. Needs datasketch."""

    def __init__(self) -> None:
        try:
            import numpy as np  # noqa: PLC0415
            from datasketch import MinHash  # noqa: PLC0415
        except ImportError:
            raise DataError(
                "finding near-duplicates needs the package datasketch: pip install -c constraints.txt datasketch"
            ) from None
        self._numpy: Any = np
        self._empty: Any = MinHash(num_perm=PERMUTATIONS, seed=1)
        self._disk = sqlite3.connect("")  # SQLite's name for a temporary database on the disk
        self._disk.executescript(
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-8000;"
            "CREATE TABLE marks (id INTEGER PRIMARY KEY, marks BLOB);"
            "CREATE TABLE bands (band INTEGER, id INTEGER, PRIMARY KEY (band, id)) WITHOUT ROWID;"
        )

    def close(self) -> None:
        """Let go of the temporary database."""
        self._disk.close()

    def before(self, spoken: Sequence[str]) -> bool:
        """Whether a dialogue of nearly these words was here before; if not, it is remembered."""
        np = self._numpy
        marks = self._empty.copy()
        pieces = {" ".join(spoken[at : at + PIECE]) for at in range(max(1, len(spoken) - PIECE + 1))}
        marks.update_batch([piece.encode() for piece in sorted(pieces)])
        values = marks.hashvalues.astype(np.uint32)
        bands = [
            hash((first, values[first : first + ROWS].tobytes())) for first in range(0, PERMUTATIONS, ROWS)
        ]
        places = ",".join("?" * len(bands))
        near = self._disk.execute(
            f"SELECT marks FROM marks WHERE id IN (SELECT id FROM bands WHERE band IN ({places}))",  # noqa: S608
            bands,
        )
        for (other,) in near:
            if float((np.frombuffer(other, dtype=np.uint32) == values).mean()) >= ALIKE:
                return True
        added = self._disk.execute("INSERT INTO marks (marks) VALUES (?)", (values.tobytes(),))
        self._disk.executemany(
            "INSERT OR IGNORE INTO bands VALUES (?, ?)", [(band, added.lastrowid) for band in bands]
        )
        return False
