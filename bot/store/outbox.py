"""The outbox: what is said stands here before it is sent, so that a crash neither loses nor doubles it.

It is part of a message's claim, one row for both; docs/architecture.md has the states and every point of a crash.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import claims, programs, turns
from bot.store.database import Database, StoreError, Work, one_at_a_time
from bot.store.rows import ClaimState, Left, Spoken, Standing, StudentTurn, TeacherTurn
from bot.store.tables import claims as table
from bot.store.tables import programs as programs_table
from bot.store.tables import storable
from bot.store.whole import whole

_SPOKEN = TypeAdapter(Spoken)
# Of every message, so it is made but once.
_SPEAK = (
    update(table)
    .where(
        table.c.message_key == bindparam("key"),
        table.c.state == ClaimState.CLAIMED,
        table.c.program == bindparam("mine"),
    )
    .values(state=ClaimState.SPOKEN, spoken=bindparam("said", type_=table.c.spoken.type))
)


class Outbox:
    """What this program has to send. It holds what it claims, and what it takes over from programs that are gone."""

    def __init__(self, database: Database, work: Work) -> None:
        self._database = database
        self._work = work
        self.program = uuid4().hex
        self._process = programs.this_process()
        self._renewed: float | None = None

    @whole
    async def refuse(self, key: str, reason: str) -> bool:
        """Note that a message is not taken, so that it never will be; False when it already was."""
        async with self._database.writing() as connection:
            return await claims.refuse(connection, key, reason)

    @whole
    async def known(self, keys: Sequence[str]) -> set[str]:
        """Which of these messages were taken, by this or another program, ever."""
        async with self._database.reading() as connection:
            return await claims.known(connection, keys)

    async def begin(self, key: str, queue: Sequence[str] = (), *, in_order: bool = True) -> Standing:
        """Take a claimed message in hand if it is its turn in its conversation, whatever program answers there; see
        `claims.begin`."""
        try:
            return await self._begin(key, queue, in_order)
        except StoreError as error:
            # Two programs asked at this very moment, and the database knows one.
            if isinstance(error.__cause__, IntegrityError):
                return Standing.WAITS
            raise

    @whole
    async def _begin(self, key: str, queue: Sequence[str], in_order: bool) -> Standing:
        async with self._database.writing() as connection:
            return await claims.begin(connection, key, self.program, queue, in_order=in_order)

    @whole
    async def set_aside(self, key: str) -> None:
        """Give up on a message for now: its conversation goes on, and the next program answers it."""
        async with self._database.writing() as connection:
            await claims.set_aside(connection, key)

    @whole
    async def speak(self, key: str, spoken: Spoken) -> bool:
        """Put what is to be sent into the outbox. False when it must not be: the author was forgotten meanwhile, or
        another program took the message over."""
        async with self._database.writing() as connection:
            return await speak(connection, key, self.program, spoken)

    @whole
    async def log_answer(  # noqa: PLR0913 - what one answer is
        self,
        key: str,
        conversation_id: int,
        teacher: TeacherTurn,
        student: StudentTurn,
        mind: str | None,
        mind_before: str | None,
    ) -> int:
        """Log one more child's answer to a turn that is logged, as `Store.log_exchange` does; give its id."""
        async with self._database.writing() as connection:
            await claims.answered(connection, key, conversation_id)
            return await turns.follow(connection, conversation_id, teacher, student, mind, mind_before)

    @whole
    async def postpone(self, key: str, until: datetime) -> bool:
        """Send it no sooner, also after a restart. False when it is this program's no more."""
        async with self._database.writing() as connection:
            done = await connection.execute(
                update(table)
                .where(
                    table.c.message_key == key,
                    table.c.state == ClaimState.SPOKEN,
                    table.c.program == self.program,
                )
                .values(not_before=until)
            )
            return done.rowcount == 1

    @property
    def fresh(self) -> bool:
        """Whether nobody can take this program for dead: it said a short while ago that it lives. One that never does
        holds what it claims for as long as it runs."""
        return self._renewed is None or time.monotonic() < self._renewed + programs.LEASE.total_seconds()

    @whole
    async def renew(self) -> None:
        """Say that this program lives."""
        async with self._database.writing() as connection:
            await self._renew(connection)

    @whole
    async def take_over(self, *platforms: str) -> list[Left]:
        """Say that this program lives, and take what nobody holds any more on these platforms, oldest first."""
        async with self._database.writing() as connection:
            await self._renew(connection)
            there = [table.c.message_key.startswith(f"{each}:", autoescape=True) for each in platforms]
            taken = await connection.execute(
                update(table)
                .where(
                    claims.WAITING,
                    or_(*there),
                    or_(table.c.program.is_(None), table.c.program.not_in(select(programs_table.c.id))),
                )
                .values(program=self.program)
                .returning(*_LEFT)
            )
            return await _left(connection, taken.all())

    @whole
    async def held(self) -> list[Left]:
        """What this program holds and has not set aside, oldest first."""
        async with self._database.writing() as connection:
            found = await connection.execute(
                select(*_LEFT).where(
                    claims.WAITING,
                    table.c.program == self.program,
                    or_(table.c.place.is_not(None), table.c.spoken.is_not(None)),
                )
            )
            return await _left(connection, found.all())

    @whole
    async def holds(self, key: str) -> bool:
        """Whether this program still holds that message."""
        async with self._database.reading() as connection:
            holder = await connection.scalar(select(table.c.program).where(table.c.message_key == key))
            return bool(holder == self.program)

    async def _renew(self, connection: AsyncConnection) -> None:
        # Taken before the database is asked: the lease begins no sooner.
        asked = time.monotonic()
        await one_at_a_time(connection, "programs")
        await programs.renew(connection, self.program, self._process, again=self._renewed is not None)
        self._renewed = asked

    @whole
    async def leave(self) -> None:
        """This program ends: whoever comes next may take what it still holds."""
        async with self._database.writing() as connection:
            await programs.leave(connection, self.program)


_LEFT = (table.c.payload, table.c.spoken, table.c.not_before, table.c.claimed_at)


async def _left(connection: AsyncConnection, rows: Iterable[Any]) -> list[Left]:
    left = []
    for row in sorted(rows, key=lambda row: (row.claimed_at, row.payload["key"])):
        message = claims.message(row.payload)
        try:
            spoken = None if row.spoken is None else _SPOKEN.validate_python(row.spoken)
        except ValidationError:
            # Whether it was said, nobody can tell: rather not than twice, and no hindrance to the others.
            await claims.fail(connection, message.key, "what was to be sent cannot be read")
            continue
        left.append(Left(message, spoken, row.not_before))
    return left


async def speak(connection: AsyncConnection, key: str, program: str, spoken: Spoken) -> bool:
    """Put it into the outbox of `program`; False where that does not hold the message."""
    done = await connection.execute(_SPEAK, {"key": key, "mine": program, "said": as_json(spoken)})
    return done.rowcount == 1


def as_json(spoken: Spoken) -> object:
    """As it is kept; half emojis, which no database takes, are gone."""
    return _SPOKEN.dump_python(_storable(spoken), mode="json")


def _storable(spoken: Spoken) -> Spoken:
    student = spoken.student and replace(spoken.student, content=storable(spoken.student.content))
    teacher = replace(spoken.teacher, content=storable(spoken.teacher.content))
    then = spoken.then and _storable(spoken.then)
    return replace(spoken, text=storable(spoken.text), teacher=teacher, student=student, then=then)
