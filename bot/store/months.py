"""Turns by month on PostgreSQL: a partition for each, made ahead of time, and dropped whole once it is too old.

A turn of a month that has none lies in the partition of all others, so that none is ever refused. SQLite keeps its
turns in one table: nothing here has anything to do there. It knows the table's partitions, and nothing of turns.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import leaving
from bot.store.database import Database, StoreError, one_at_a_time

AHEAD = 3
"""Months after this one whose partitions are there already: so long a bot may run without making new ones."""
PATIENCE = "3s"
"""So long a change of the partitions waits for whoever reads; meanwhile everybody else waits behind it."""
OTHERS = "turns_other"
_NAME = re.compile(r"turns_(\d{4})_(\d{2})")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month by its count since the year 0, in UTC."""

    number: int

    @classmethod
    def of(cls, moment: datetime) -> Month:
        """The month in which that moment is."""
        at = moment.astimezone(UTC)
        return cls(at.year * 12 + at.month - 1)

    @property
    def begins(self) -> datetime:
        """Its first moment."""
        return datetime(self.number // 12, self.number % 12 + 1, 1, tzinfo=UTC)

    @property
    def next(self) -> Month:
        """The month after it."""
        return Month(self.number + 1)

    @property
    def partition(self) -> str:
        """The name of its table."""
        return f"turns_{self.begins:%Y_%m}"


async def prepare(database: Database) -> int:
    """Make the partitions of this month and of those ahead; count those made."""
    wanted = _wanted(datetime.now(UTC))
    async with database.reading() as connection:
        there = database.is_sqlite or set(wanted) <= set(await found(connection))
    if there:
        return 0
    async with database.writing() as connection:
        return await make(connection, wanted)


async def drop_before(database: Database, moment: datetime) -> int:
    """Drop every month that ended before that moment, each in a transaction of its own; count the turns."""
    async with database.reading() as connection:
        old = [month for month in await found(connection) if month < Month.of(moment)]
    dropped = 0
    for month in old:
        # Where somebody reads for long, its turns are deleted one by one, and the table goes another night.
        with contextlib.suppress(StoreError):
            async with database.writing() as connection:
                dropped += await drop(connection, month)
    return dropped


async def found(connection: AsyncConnection) -> list[Month]:
    """The months that have a partition, oldest first; none on SQLite."""
    if connection.dialect.name != "postgresql":
        return []
    names = await connection.execute(
        text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'turns'::regclass")
    )
    matches = (_NAME.fullmatch(name) for name in names.scalars())
    return sorted(Month(int(match[1]) * 12 + int(match[2]) - 1) for match in matches if match)


def _wanted(now: datetime) -> list[Month]:
    """This month and those ahead."""
    this = Month.of(now).number
    return [Month(number) for number in range(this, this + AHEAD + 1)]


async def make(connection: AsyncConnection, months: list[Month]) -> int:
    """Give each of these months a partition where it has none; count those made."""
    await one_at_a_time(connection, "months")
    there = set(await found(connection))
    missing = [month for month in months if month not in there]
    if missing:
        await _hold(connection, "SHARE ROW EXCLUSIVE")
    for month in missing:
        await _make(connection, month)
    return len(missing)


async def drop(connection: AsyncConnection, month: Month) -> int:
    """Drop a month with what people said of its turns; count the turns. Raises `StoreError` where somebody reads them
    for longer than `PATIENCE`, such as a dump: nothing has changed then."""
    await one_at_a_time(connection, leaving.PEOPLE)
    turns: int = (await connection.execute(text(f"SELECT count(*) FROM {month.partition}"))).scalar_one()  # noqa: S608
    await _hold(connection, "ACCESS EXCLUSIVE")
    await connection.execute(
        text(f"DELETE FROM feedback WHERE turn_id IN (SELECT id FROM {month.partition})")  # noqa: S608
    )
    await connection.execute(text(f"DROP TABLE {month.partition}"))
    return turns


async def _hold(connection: AsyncConnection, lock: str) -> None:
    """Lock what a change of the partitions touches, in the order of whoever logs: conversations first."""
    await connection.execute(text(f"SET LOCAL lock_timeout = '{PATIENCE}'"))
    await connection.execute(text(f"LOCK TABLE conversations IN {lock} MODE"))
    await connection.execute(text(f"LOCK TABLE turns IN {lock} MODE"))


async def _make(connection: AsyncConnection, month: Month) -> None:
    name, begins, ends = month.partition, month.begins.isoformat(), month.next.begins.isoformat()
    within = f"said_at >= '{begins}' AND said_at < '{ends}'"
    for statement in (
        f"CREATE TABLE {name} (LIKE turns INCLUDING DEFAULTS)",
        # Turns that came before their month had its partition.
        f"WITH moved AS (DELETE FROM {OTHERS} WHERE {within} RETURNING *) INSERT INTO {name} SELECT * FROM moved",  # noqa: S608
        f"CREATE UNIQUE INDEX uq_{name}_number ON {name} (conversation_id, number)",
        f"ALTER TABLE turns ATTACH PARTITION {name} FOR VALUES FROM ('{begins}') TO ('{ends}')",
    ):
        await connection.execute(text(statement))
