"""What one teacher's practices show over weeks: shares of talk moves, asked against told, helps that moved a child.

Counts and shares, side by side; no score, and no word on whether more is better. It knows debriefs, not the store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby

from bot.debrief.figures import count
from bot.debrief.record import Debrief, Way, Who
from bot.debrief.talkmoves import TalkMove
from bot.student.records.dialogue import MoveKind
from bot.student.records.scenario import Scenario

MOST_WEEKS = 8
"""Weeks in a chat and in the picture, the newest ones."""
MOST_PRACTICES = 3
"""Practices by themselves in a chat, the newest ones; a page has all."""
NO_SCORE = (
    "Shares of your own turns, read from words alone, by rules that err. "
    "More is not better, and nobody else sees it."
)


@dataclass(frozen=True, slots=True)
class Practised:
    """One practice of a teacher. `turns` are their own that the child heard; `talk` says in how many of them each
    move was, `asked` and `told` how many held a question and how many none. `moved` counts the helps after which a
    wrong idea sat less firmly, None where the child's mind is not shown. `goal` is the scenario's, "" without one."""

    conversation: int
    began: datetime
    child: str
    lesson: str
    scenario: str
    goal: str
    turns: int
    talk: Mapping[TalkMove, int]
    asked: int
    told: int
    moved: int | None


@dataclass(frozen=True, slots=True)
class Week:
    """All practices that began in one week, which is named by its Monday (UTC)."""

    monday: date
    practices: tuple[Practised, ...]

    @property
    def turns(self) -> int:
        """The teacher's turns of the week."""
        return sum(each.turns for each in self.practices)

    @property
    def asked(self) -> int:
        """Those with a question."""
        return sum(each.asked for each in self.practices)

    @property
    def told(self) -> int:
        """Those without."""
        return sum(each.told for each in self.practices)

    @property
    def moved(self) -> int | None:
        """Helps that moved a child; None where that is not shown."""
        known = [each.moved for each in self.practices if each.moved is not None]
        return sum(known) if known else None

    def share(self, move: TalkMove) -> float:
        """The share of the turns in which a talk move was, from 0 to 1."""
        return sum(each.talk[move] for each in self.practices) / self.turns if self.turns else 0.0


def practised(debrief: Debrief, scenario: Scenario | None) -> Practised | None:
    """What counts of one practice; None where the child heard nothing of this teacher."""
    if not debrief.mine:
        return None
    figures = count(debrief)
    return Practised(
        conversation=debrief.conversation,
        began=debrief.mine[0].said_at,
        child=debrief.child,
        lesson=debrief.lesson,
        scenario=scenario.title if scenario else "",
        goal=scenario.goal if scenario else "",
        turns=len(debrief.mine),
        talk={move: len(found) for move, found in figures.talk.items()},
        asked=len(figures.asked),
        told=len(figures.stated),
        moved=_moved(debrief) if debrief.mind else None,
    )


def _moved(debrief: Debrief) -> int:
    """How many of this teacher's helps loosened a wrong idea."""
    by = {each.by for each in debrief.shifts if each.way is Way.LOOSER}
    return sum(
        turn.number in by and turn.heard is MoveKind.HELPS for turn in debrief.turns if turn.who is Who.YOU
    )


def weeks(practices: Sequence[Practised]) -> list[Week]:
    """The weeks in which somebody practised, oldest first."""

    def monday(each: Practised) -> date:
        day = each.began.date()
        return day - timedelta(days=day.weekday())

    in_order = sorted(practices, key=lambda each: each.began)
    return [Week(day, tuple(found)) for day, found in groupby(in_order, monday)]


def opening(practices: Sequence[Practised]) -> str:
    """What it is about, in one line."""
    count_of = len(weeks(practices))
    return f"Your {_count(len(practices), 'practice')} in {_count(count_of, 'week')}"


def rows(practices: Sequence[Practised]) -> tuple[tuple[str, str], ...]:
    """The newest weeks, then the newest practices, for a chat."""
    told = [(f"Week of {each.monday}", _week(each)) for each in weeks(practices)[-MOST_WEEKS:]]
    told += [(f"{each.began:%Y-%m-%d} with {each.child}", one(each)) for each in practices[-MOST_PRACTICES:]]
    return tuple(told)


def _week(week: Week) -> str:
    shares = {move: week.share(move) for move in TalkMove}
    talk = "; ".join(f"{move.value} {percent(share)}" for move, share in shares.items() if share)
    return (
        f"{_count(len(week.practices), 'practice')}, {_count(week.turns, 'turn')}: {week.asked} asked, "
        f"{week.told} told. "
        f"Talk moves: {talk or 'none heard'}.{_helps(week.moved)}"
    )


def one(practice: Practised) -> str:
    """One practice in a few sentences."""
    scenario = f" Scenario: {practice.scenario}. The goal: {practice.goal}" if practice.scenario else ""
    talk = "; ".join(f"{move.value} {number}" for move, number in practice.talk.items() if number)
    return (
        f"{practice.lesson.rstrip('.?!')}.{scenario} {_count(practice.turns, 'turn')}: {practice.asked} asked, "
        f"{practice.told} told. Talk moves: {talk or 'none heard'}.{_helps(practice.moved)}"
    )


def _helps(moved: int | None) -> str:
    return "" if moved is None else f" Helps that moved the child: {moved}."


def percent(share: float) -> str:
    """A share as people read it."""
    return f"{round(100 * share)} %"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("s" if number != 1 else "")
