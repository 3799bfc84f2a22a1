"""The time on a clock with hands, told by where they point."""

from __future__ import annotations

import re

from bot.student.problems.asking import Asking, integers
from bot.student.problems.kind import Bug, BuggyAnswer, Kind, Problem, Reading

_ASKS = re.compile(r"\btime|clock|show|\bread|\bsays?\b|write")
_HAND = r"\b(?:{}) (?:hand|one)\b(.*?)(?=\b(?:short|little|small|hour|long|big|minute)|$)"
_SHORT_HAND = re.compile(_HAND.format(r"short\w*|little|small\w*|hour"))
_LONG_HAND = re.compile(_HAND.format(r"long\w*|big\w*|minute"))
_SPOKEN = re.compile(r"\b(half|quarter) (past|after|to) (\d+)")
_SHOWN = re.compile(r"\bclock (?:says|shows|reads) (\d+)(?::(\d\d)| o'clock)")


def _read(asking: Asking) -> Reading | None:
    ask, scope = asking.ask, asking.scope
    if not _ASKS.search(ask):
        return None
    short, long = _SHORT_HAND.search(scope), _LONG_HAND.search(scope)
    hours, minutes = (_marks(hand[1]) if hand else () for hand in (short, long))
    if short and hours and minutes:
        return _from_hands(hours, minutes[0] * 5 % 60, short[1])
    spoken = _SPOKEN.search(ask)
    if spoken and 1 <= int(spoken[3]) <= 12:
        hour, minute = int(spoken[3]), 30 if spoken[1] == "half" else 15
        if spoken[2] == "to":
            hour, minute = _before(hour), 60 - minute
        return Reading("clock", (hour, minute))
    shown = _SHOWN.search(scope)
    if shown and 1 <= int(shown[1]) <= 12 and int(shown[2] or 0) < 60 and "time" in ask:
        return Reading("clock", (int(shown[1]), int(shown[2] or 0)))
    return None


def _marks(words: str) -> tuple[int, ...]:
    return tuple(number for number in integers(words) if number <= 12)


def _from_hands(hours: tuple[int, ...], minute: int, words: str) -> Reading:
    """`hours` are the numbers named for the short hand, `words` what is said of it."""
    hour = hours[0] or 12
    if len(hours) > 1 and "between" in words:
        hour = 12 if {hours[0], hours[1]} == {12, 1} else min(hours[:2])
    elif minute >= 35 and "past" not in words and "after" not in words:
        hour = _before(hour)  # after the half hour the hand is nearer to the next number
    return Reading("clock", (hour, minute))


def _before(hour: int) -> int:
    return (hour - 2) % 12 + 1


def _right(numbers: tuple[int, ...]) -> str:
    hour, minute = numbers
    return f"{hour}:{minute:02}"


def _explain(problem: Problem) -> tuple[str, ...]:
    hour, minute = problem.numbers
    if minute == 0:
        return ("the long hand is all the way up", f"so it's {hour} o'clock")
    past = f"it's past the {hour} but not {hour % 12 + 1} yet"
    if minute == 30:
        return (past, f"it's halfway so it's {problem.right}")
    return (past, f"i counted by fives to {minute}")


def _hour_hand_nearest(problem: Problem) -> BuggyAnswer | None:
    """The hour is the number that the short hand is nearest to: 3:50 is 4:50 (practitioner literature; Earnest
    2017 on reading clocks)."""
    hour, minute = problem.numbers
    if minute <= 30:
        return None
    nearest = hour % 12 + 1
    time = _right((nearest, minute))
    return BuggyAnswer.of(
        time, f"the short hand is by the {nearest}", f"the long hand is {minute}", f"so it's {time}"
    )


def _minutes_as_written(problem: Problem) -> BuggyAnswer | None:
    """The long hand says the number it points at: 4:15 is 4:03 (practitioner literature)."""
    hour, minute = problem.numbers
    if minute % 5:
        return None
    mark = minute // 5
    steps = (f"the short one is {hour}", f"the long hand is on the {mark} so it's {mark}")
    return BuggyAnswer.of(_right((hour, mark)), *steps)


CLOCK = Kind(
    "clock",
    read=_read,
    right=_right,
    explain=_explain,
    bugs=(
        Bug("hour-hand-nearest", _hour_hand_nearest),
        Bug("minutes-as-written", _minutes_as_written),
    ),
)
"""Numbers: hour, minute."""
