"""What later grades teach: is the turn about it, and what would a child guess?

The words are `data/reference/later.toml`; signs and numbers that no second grader writes stand here. No right answer
is anywhere but to steer clear of it.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from bot.student.records.files import REFERENCE
from bot.student.records.reading import read_toml
from bot.student.said import Said

SIGNS = (
    r"%|\u00f7|\^\d",
    r"\d\.\d",
    r"(?:^|[\s(=])[-\u2212]\d",
    # Unknowns: 3y, x + 4, 12 - z.
    r"\b\d+[xyzn]\b",
    r"\b[b-hj-z] ?[-+=*\u2212] ?\d",
    r"\d ?[-+*=\u2212] ?[b-hj-z]\b(?!')",
    r"\bvalue of [b-z]\b",
    # Sums of fractions: 1/2 + 1/4, two thirds plus three fourths, 2/3 of 9.
    r"\b(?:\d/\d+|[a-z]+ (?:thirds?|fourths?|fifths?)) (?:of \d|[-+] ?\d|plus|minus|times)",
)
_PRODUCT = re.compile(r"\b(\d{1,4}) ?([*/]) ?(\d{1,4})\b")
MOST_JUST_ADD = 0.7
"""Share of guesses that are the plain sum, or difference."""


def is_later(said: Said) -> bool:
    """Whether the turn asks of what second grade does not teach."""
    return bool(_later().search(said.lower))


@lru_cache(maxsize=1)
def _later() -> re.Pattern[str]:
    words = read_toml(dict[str, tuple[str, ...]], REFERENCE / "later.toml")
    tongues = "|".join(words.pop("tongues"))
    listed = "|".join(map(re.escape, itertools.chain(*words.values())))
    listed = listed.replace(r"\*", r"\w*").replace(r"\#", r"\d[\d,.]*")
    return re.compile(
        rf"\b(?:(?:{listed})s?|in (?:{tongues})|(?:{tongues}) (?:word|for))(?!\w)|{'|'.join(SIGNS)}"
    )


@dataclass(frozen=True, slots=True)
class Product:
    """Times or divided by, asked with two numbers."""

    one: int
    sign: str
    other: int


def product(said: Said) -> Product | None:
    """The last sum of later grades that is asked; None where there is none."""
    sums = _PRODUCT.findall(said.plain)
    return Product(int(sums[-1][0]), sums[-1][1], int(sums[-1][2])) if sums else None


def guess(asked: Product, rng: Random) -> str | None:
    """A child's wrong guess at it: it adds, or takes away; None where every guess would be right."""
    one, other = asked.one, asked.other
    if asked.sign == "*":
        right: float = one * other
        near = [one + other, one + other + 1, one + other - 1]
    else:
        right = one / other if other else -1
        near = [abs(one - other), abs(one - other) + 1]
    fitting = [each for each in near if each not in {right, one, other} and each > 0]
    if not fitting:
        return None
    return str(fitting[0] if rng.random() < MOST_JUST_ADD else rng.choice(fitting))
