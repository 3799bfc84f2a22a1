"""What comes after, before and between: days, months, seasons, letters, and counting aloud.

Pure order; larger counts and steps are `problems`.
"""

from __future__ import annotations

import re

from bot.student.knowing.everyday import Answers

DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
SEASONS = ("winter", "spring", "summer", "fall")
LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_ORDINALS = (
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
)
_RINGS = (("day", DAYS), ("month", MONTHS), ("season", SEASONS))
LONGEST_COUNT = 20


def order(ask: str, scope: str) -> Answers | None:
    """What day comes after Wednesday? Which month is between March and May? If today is Friday, what is tomorrow?"""
    for name, ring in _RINGS:
        members = "|".join(each.lower() for each in ring) + ("|autumn" if name == "season" else "")
        if found := _beside(ask, scope, name, ring, members):
            return found
    return _place_in_order(ask) or _recites(ask)


def _beside(ask: str, scope: str, name: str, ring: tuple[str, ...], members: str) -> Answers | None:
    low = [each.lower() for each in ring]

    def at(member: str, step: int) -> Answers:
        return (ring[(low.index("fall" if member == "autumn" else member) + step) % len(ring)],)

    if between := re.search(rf"\bbetween ({members}) and ({members})\b", ask):
        return at(between[1], 1)
    if name == "day" and (today := re.search(rf"\btoday is ({members})\b", scope)):
        for word, step in (
            ("day after tomorrow", 2),
            ("tomorrow", 1),
            ("yesterday", -1),
            ("next", 1),
            ("after", 1),
            ("before", -1),
        ):
            if word in ask:
                return at(today[1], step)
    was = re.search(rf"\b(yesterday was|tomorrow is|tomorrow will be) ({members})\b", scope)
    if was and name == "day" and "today" in ask:
        return at(was[2], 1 if was[1].startswith("y") else -1)
    if beside := re.search(rf"\b(?:(after|follows?|before|next(?: after)?)) ({members})\b", ask):
        return at(beside[2], -1 if beside[1] == "before" else 1)
    if run := re.search(
        rf"\b({members}), (?:and )?({members})(?:, (?:and )?({members}))?[\s,.]*(?:what|then"
        rf"|next|_|and then|$|\?)",
        scope,
    ):
        last = next(each for each in reversed(run.groups()) if each)
        if re.search(r"next|after|_|then|\.\.\.|comes", scope):
            return at(last, 1)
    return None


def _place_in_order(ask: str) -> Answers | None:
    asked = re.search(r"\b(\w+) (?:month|letter|day|season)s? (?:of|in) the (year|alphabet|week)\b", ask)
    if asked is None:
        return None
    ring = {"year": MONTHS, "alphabet": LETTERS, "week": DAYS}[asked[2]]
    if asked[1] == "last":
        return (ring[-1], "Sunday") if ring is DAYS else (ring[-1],)
    if asked[1] in _ORDINALS:
        at = _ORDINALS.index(asked[1])
        return (
            (ring[at], ring[(at + 1) % len(ring)])
            if ring is DAYS and at < len(ring)
            else (ring[at],)
            if at < len(ring)
            else None
        )
    return None


def _recites(ask: str) -> Answers | None:
    if not re.search(r"\b(?:name|say|tell|list|what are|recite|sing|can you|know)\b", ask):
        return None
    if re.search(r"\bdays (?:of|in) (?:the|a) (?:school )?week\b", ask) and "how many" not in ask:
        return (", ".join(DAYS[1:6] if "school" in ask else DAYS),)
    if re.search(r"\bmonths (?:of|in) (?:the|a) year\b", ask) and "how many" not in ask:
        return (", ".join(MONTHS),)
    if re.search(r"\b(?:the|four|all) (?:four )?seasons\b", ask) and not re.search(
        r"how many|\bone of\b|\ba season", ask
    ):
        return (", ".join(SEASONS),)
    if re.search(r"\b(?:say|sing|recite|know) (?:me )?(?:the|your) (?:alphabet|abcs?)\b", ask):
        return ("A, B, C, D, E, F, G",)
    return ("A, E, I, O, U",) if re.search(r"\b(?:the|all|five) (?:five )?vowels\b", ask) else None


def letters(ask: str, scope: str) -> Answers | None:
    """What letter comes after G?"""
    del scope
    if between := re.search(r"\bbetween ([a-z]) and ([a-z])\b", ask):
        return _letter(between[1], 1)
    asked = re.search(
        r"\b(after|before|follows) (?:the )?(?:letter )?['\"]?([a-z])['\"]?(?: in the alphabet)?$", ask
    )
    if asked and re.search(r"\bletter|alphabet|comes?\b|what|which", ask):
        return _letter(asked[2], -1 if asked[1] == "before" else 1)
    run = re.search(
        r"\b([a-z]), ([a-z])(?:, ([a-z]))?(?:, ([a-z]))?[\s,.]*(?:_|what|and then|then|next|which|$)", ask
    )
    if run and re.search(r"next|after|_|comes", ask):
        said = [each for each in run.groups() if each]
        return _letter(said[-1], ord(said[1]) - ord(said[0]))
    return None


def _letter(letter: str, step: int) -> Answers | None:
    at = LETTERS.index(letter.upper()) + step
    return (LETTERS[at],) if 0 <= at < len(LETTERS) else None


def counts(ask: str, scope: str) -> Answers | None:
    """Count to ten; count back from ten."""
    del scope
    if re.search(r"\bby\b", ask):
        return None
    back = re.search(r"\bcount (?:back(?:wards?)?|down) from (\d+)(?: to (\d+))?", ask)
    up = re.search(r"\bcount (?:up |out loud |aloud )?(?:from (\d+) )?to (\d+)", ask)
    if back and int(back[1]) <= LONGEST_COUNT:
        return (", ".join(map(str, range(int(back[1]), int(back[2] or 0) - 1, -1))),)
    if up:
        start, end = int(up[1] or 1), int(up[2])
        return (
            (", ".join(map(str, range(start, min(end, start + LONGEST_COUNT) + 1))),) if start < end else None
        )
    return None
