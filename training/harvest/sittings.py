"""The log as sittings: what people and the child said in one conversation without a long break.

It knows order and time, and judges nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

from bot.store.rows import LoggedTurn
from bot.student.records.dialogue import Role

BREAK = timedelta(minutes=30)
"""After so long a silence a new sitting begins."""
MOST_TURNS = 400
"""A sitting is cut there, so that a harvest needs no more memory for a channel that never rests."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A teacher's turn and the child's answer; one of them may be missing from the log."""

    teacher: LoggedTurn | None
    student: LoggedTurn | None

    @property
    def turns(self) -> list[LoggedTurn]:
        """Those that are there."""
        return [turn for turn in (self.teacher, self.student) if turn is not None]


@dataclass(slots=True)
class Sitting:
    """Consecutive exchanges of one conversation."""

    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def turns(self) -> list[LoggedTurn]:
        """Every turn in order."""
        return [turn for exchange in self.exchanges for turn in exchange.turns]

    @property
    def people(self) -> set[str]:
        """The hashes of everybody who said something."""
        return {turn.turn.author_hash for turn in self.turns if turn.turn.author_hash}


async def sittings(log: AsyncIterator[LoggedTurn]) -> AsyncIterator[Sitting]:
    """Cut the stream of all turns, conversation by conversation in order, into sittings."""
    held: list[LoggedTurn] = []
    async for logged in log:
        if held and _ends(held, logged):
            yield Sitting(_exchanges(held))
            held = []
        held.append(logged)
    if held:
        yield Sitting(_exchanges(held))


def _ends(held: list[LoggedTurn], following: LoggedTurn) -> bool:
    last, new = held[-1].turn, following.turn
    if new.conversation_id != last.conversation_id:
        return True
    if new.role is not Role.TEACHER:
        return False
    return new.said_at - last.said_at > BREAK or len(held) >= MOST_TURNS


def _exchanges(turns: list[LoggedTurn]) -> list[Exchange]:
    found: list[Exchange] = []
    for logged in turns:
        last = found[-1] if found else None
        answers = (
            logged.turn.role is Role.STUDENT
            and last is not None
            and last.teacher is not None
            and last.student is None
            and last.teacher.turn.number + 1 == logged.turn.number
        )
        if answers and last is not None:
            found[-1] = Exchange(last.teacher, logged)
        elif logged.turn.role is Role.STUDENT:
            found.append(Exchange(None, logged))
        else:
            found.append(Exchange(logged, None))
    return found
