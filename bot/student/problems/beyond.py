"""What second grade does not teach. Other readers name this kind, too, where their numbers leave the grade."""

from __future__ import annotations

import re

from bot.student.problems.asking import Asking, integers
from bot.student.problems.kind import Kind, Reading

_LATER = re.compile(
    r"%|\bpercent|\bdecimal|\bsquare root|\b(?:squared|cubed|area|volume|prime|average)\b|\bmultipl|\bdivid"
    r"|\bquotient|\bproduct of|\bperimeter|\bnegative \d|\bsolve for\b|\b[xyn]\s*[-+=]\s*\d|\d\s*[-+]\s*[xyn]\b"
    r"|\b\d+[xyn]\b|\^|\b(?:third|fourth|quarter|\d/\d+) of \d|\bhalf of (?!(?:\d|1\d|20)\b)\d|\bfactors? of"
    r"|(?:^|\bis )-\s?\d"
)


def is_taught_later(ask: str) -> bool:
    """Whether a plain sentence asks a sum that later grades teach, by its words and signs."""
    return bool(_LATER.search(ask))


def _read(asking: Asking) -> Reading | None:
    numbers = integers(asking.ask)
    return Reading("beyond", numbers) if numbers and is_taught_later(asking.ask) else None


BEYOND = Kind("beyond", read=_read, right=lambda _: "", explain=lambda _: ())
"""Numbers: every number. The right answer is ""."""
