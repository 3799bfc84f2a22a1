"""Numbers, counting and what comes in order: days, months, letters, sizes, patterns.

Pure order and small numbers that need no method; what is computed with a method that can go wrong is `problems`.
"""

from __future__ import annotations

import re

from bot.student.knowing.question import Question, asks
from bot.student.knowing.tables import Answers, single, things

DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip
SEASONS = ("winter", "spring", "summer", "fall")
LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_PLACES = {name.lower(): (ring, at) for ring in (DAYS, MONTHS, SEASONS) for at, name in enumerate(ring)}
_NAME = f"({'|'.join(_PLACES)})"

LONGEST_COUNT = 20
LARGEST = 1_000
"""Second grade counts and compares up to there (CCSS 2.NBT.A)."""
LARGEST_HALF = 20
"""Second grade knows its doubles to 10 + 10 (CCSS 2.OA.B.2)."""
LONGEST_UNIT = 4
"""Things that come again and again in a pattern, at most."""
SEVERAL = 3
"""Numbers to be put in order; two are compared, which is `problems`."""

_LEAST = frozenset(("smallest", "shorter", "lighter"))
_MOST = frozenset(("biggest", "largest", "greatest", "longer", "taller", "heavier", "most", "won"))
_SIZE = f"({'|'.join(sorted(_LEAST | _MOST))})"


def _beside(name: str, step: int) -> Answers:
    ring, at = _PLACES[name]
    return (ring[(at + step) % len(ring)],)


@asks(rf"\bbetween {_NAME} and {_NAME}\b")
def between(asked: re.Match[str]) -> Answers:
    """What month is between June and August?"""
    return _beside(asked[1], 1)


@asks(rf"\b(after|before) {_NAME}\b")
def beside(asked: re.Match[str]) -> Answers:
    """What day comes after Thursday?"""
    return _beside(asked[2], 1 if asked[1] == "after" else -1)


@asks(rf"\btoday is {_NAME}\b.*\b(yesterday|tomorrow)\b", "told")
def tomorrow(asked: re.Match[str]) -> Answers:
    """If today is Friday, what day is tomorrow?"""
    return _beside(asked[1], 1 if asked[2] == "tomorrow" else -1)


@asks(r"\b(first|last) (?:month|letter) of the (year|alphabet)\b")
def at_the_end(asked: re.Match[str]) -> Answers:
    """What's the first month of the year?"""
    ring = MONTHS if asked[2] == "year" else LETTERS
    return (ring[0 if asked[1] == "first" else -1],)


@asks(r"\bname the (days|months|seasons) of the (?:week|year)\b")
def all_of(asked: re.Match[str]) -> Answers:
    """Name the days of the week."""
    return (", ".join({"days": DAYS, "months": MONTHS, "seasons": SEASONS}[asked[1]]),)


@asks(r"\bletter .*\b(after|before) ([a-z])\b")
def letter(asked: re.Match[str]) -> Answers | None:
    """What letter comes after G?"""
    at = LETTERS.index(asked[2].upper()) + (1 if asked[1] == "after" else -1)
    return (LETTERS[at],) if 0 <= at < len(LETTERS) else None


@asks(r"\bcount (?:back(?:wards?)?|down) from (\d+)(?: to (\d+))?(?!.*\bby\b)", "plain")
def counts_back(asked: re.Match[str]) -> Answers | None:
    """Count backwards from 5 to 1."""
    start, end = int(asked[1]), int(asked[2] or 0)
    return (", ".join(map(str, range(start, end - 1, -1))),) if start <= LONGEST_COUNT else None


@asks(r"\bcount (?:from (\d+) )?to (\d+)(?!.*\bby\b)", "plain")
def counts(asked: re.Match[str]) -> Answers | None:
    """Count to ten."""
    start, end = int(asked[1] or 1), int(asked[2])
    return (", ".join(map(str, range(start, min(end, start + LONGEST_COUNT) + 1))),) if start < end else None


@asks(r"(?:^|[:.!?] )([a-z]+(?:, [a-z]+){3,}).*(?:next|_)", "told")
def pattern(asked: re.Match[str]) -> Answers | None:
    """Red, blue, red, blue, red, and then?"""
    items = asked[1].split(", ")
    for listed in (items, items[:-1]):  # what follows the last comma may be the question itself
        for unit in range(2, LONGEST_UNIT + 1):
            if len(listed) > unit + 1 and listed[unit:] == listed[:-unit]:
                return (listed[len(listed) - unit],)
    return None


def ordered(question: Question) -> Answers | None:
    """Put 42, 17, 29 in order; which of them is the largest?"""
    numbers = [int(each) for each in re.findall(r"\b\d+\b", question.plain)]
    if len(numbers) < SEVERAL or max(numbers) > LARGEST:
        return None
    if re.search(r"\border\b", question.plain):
        down = re.search(r"\b(?:biggest|greatest) to\b", question.plain)
        return (", ".join(map(str, sorted(numbers, reverse=bool(down)))),)
    size = re.search(rf"\bwhich\b.*\b{_SIZE}\b", question.plain)
    return (str((min if size[1] in _LEAST else max)(numbers)),) if size else None


_TERM = r"(?: *[-+] *\d+)"


@asks(rf"^(?=.*\b(true|right)\b).*?(\d+{_TERM}+) *= *(\d+{_TERM}*)", "plain_told")
def equation(asked: re.Match[str]) -> Answers:
    """True or false: 6 + 3 = 3 + 6? Not one that begins with its answer: that is a lesson's idea."""
    left, right = (
        sum(map(int, re.findall(r"[-+]?\d+", side.replace(" ", "")))) for side in asked.groups()[1:]
    )
    if asked[1] == "true":
        return ("true", "yes") if left == right else ("false", "no")
    return ("yes", "yeah", "true") if left == right else ("no", "nope")


@asks(
    r"\bhalf of (\d+)\b|\bnumbers that are the same and add up to (\d+)\b"
    r"|^\D*\bshares (\d+)\b\D*\bwith (?:his|her|a) [a-z]+\b\D*\beach\b",
    "plain_told",
)
def half(asked: re.Match[str]) -> Answers | None:
    """What is half of 8? Dev shares 10 crackers with his sister. How many does each of them get?"""
    whole = int(next(filter(None, asked.groups())))
    return (str(whole // 2),) if whole % 2 == 0 and 0 < whole <= LARGEST_HALF else None


_PIECES = {
    "2": ("a half", "half", "one half"),
    "3": ("a third", "third", "one third"),
    "4": ("a fourth", "fourth", "a quarter", "one fourth", "quarter"),
}


@asks(r"\b([234]) equal parts\b.*\beach part called\b", "plain_told")
def piece(asked: re.Match[str]) -> Answers:
    """A pizza is cut into 4 equal parts. What is each part called?"""
    return _PIECES[asked[1]]


@asks(r"\bat (\d{1,2}):(\d\d)\b.*\b(\d+|an) (hour|minute)s?\b.*\b(?:when|what time)\b", "plain_told")
def ends(asked: re.Match[str]) -> Answers:
    """Recess starts at 10:00 and lasts 30 minutes. When does it end?"""
    lasts = (1 if asked[3] == "an" else int(asked[3])) * (60 if asked[4] == "hour" else 1)
    hours, minutes = divmod(int(asked[1]) * 60 + int(asked[2]) + lasts, 60)
    return (f"{(hours - 1) % 12 + 1}:{minutes:02}",)


_COINS = r"(\d+) (quarters?|dimes?|nickels?|penny|pennies)"


@asks(rf"\b{_COINS} or {_COINS}\b.*\bmost\b", "plain")
def richer(asked: re.Match[str]) -> Answers:
    """2 dimes or 1 quarter, if you want the most money?"""
    worth = {
        coin: int(count) * things().many["cent"][single(coin)]
        for count, coin in (asked.group(1, 2), asked.group(3, 4))
    }
    coin = max(worth, key=worth.__getitem__)
    return f"the {coin}", coin


_NAMED = re.compile(r"\b(?!(?:and|is|has|got)\b)([a-z]+)(?:'s [a-z]+)? (?:(?:is|has|got|weighs) )?(\d+)\b")


@asks(rf"\b(?:which|whose)\b.*\b{_SIZE}\b", "plain_told")
def whose(asked: re.Match[str]) -> Answers | None:
    """Noah's tower is 18 blocks tall, Ava's is 12: whose is taller?"""
    named = _NAMED.findall(asked.string)
    if not len({number for _, number in named}) == len(named) > 1:
        return None
    best = (min if asked[1] in _LEAST else max)(named, key=lambda each: int(each[1]))[0]
    thing = re.search(rf"\b(?:an?|the) {best}\b", asked.string)
    name = f"the {best}" if thing else best.capitalize()
    return name, best, f"{name}'s"
