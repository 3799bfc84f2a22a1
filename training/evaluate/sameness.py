"""How often a student says the same, word for word: in other conversations, or at all. Over the rows of open talk."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from bot.student.voicing.choice import same_words
from training.evaluate.rows import Row


def elsewhere(rows: Iterable[Row]) -> float | None:
    """The share of replies of four words or more that stand word for word in another conversation of the section."""
    said = [
        (row.item, words) for row in rows if row.section == "listening" and (words := same_words(row.text))
    ]
    items = {words: {item for item, other in said if other == words} for _, words in said}
    return sum(len(items[words]) > 1 for _, words in said) / len(said) if said else None


def identical(rows: Iterable[Row]) -> float | None:
    """The share of replies, short ones too, that somebody said before (as in `talk`)."""
    said = Counter(
        " ".join(re.findall(r"[a-z0-9']+", row.text.lower())) for row in rows if row.section == "listening"
    )
    return sum(count - 1 for count in said.values()) / said.total() if said else None


def pairs(rows: Sequence[Row]) -> list[tuple[str, str, str]]:
    """Teacher's turn, reply and conversation of each row of the section, for `relevance`."""
    return [(row.teacher, row.text, row.cluster) for row in rows if row.section == "listening" and row.text]
