"""The problems a second grader meets: from a teacher's words to numbers and the right answer.

Pure arithmetic and parsing. Wrong answers are `bugs`; what the child says of it is `mind`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """A computed problem: its kind, its numbers in the order the kind defines, its right answer."""

    kind: str
    numbers: tuple[int, ...]
    right: str
    text: str
