"""What a child has said of itself, kept so that it stays true: in the conversation, and the days after.

Only its own words are kept, with what they answered. What comes to mind again is what shares telling words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.student.said import telling

MOST = 24
"""Exchanges that a child keeps; the oldest go first."""
LONGEST = 160
"""Characters of each side that are kept."""
SHARED = 2
"""Telling words in common from which something comes to mind; one where the teacher asks in few words."""
FEW = 3
_OF_ITSELF = re.compile(r"\b(?:i|i'm|im|i've|my|mine|me|we|our|us)\b", re.I)


@dataclass(frozen=True, slots=True)
class Told:
    """What the child said of itself, and what the teacher had said before."""

    teacher: str
    words: str


def keep(kept: tuple[Told, ...], teacher: str, words: str) -> tuple[Told, ...]:
    """`kept` with this exchange, if the child told something of itself in it."""
    if not _OF_ITSELF.search(words) or not telling(words):
        return kept
    return (*kept, Told(teacher[:LONGEST], words[:LONGEST]))[-MOST:]


def recall(kept: tuple[Told, ...], asked: frozenset[str]) -> Told | None:
    """What comes to mind at the telling words of a teacher's turn: what shares most of them, the newest of equals."""
    needed = min(SHARED, max(1, len(asked) // FEW + 1))
    fits = [(len(asked & telling(f"{each.teacher} {each.words}")), place) for place, each in enumerate(kept)]
    most, place = max(fits, default=(0, 0))
    return kept[place] if most >= needed else None
