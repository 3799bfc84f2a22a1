"""Which programs work on this database, and which of them are no more: what those held is free to be taken.

A program is known by a lease that it renews. On its own machine a dead one is known at once, by its process. Works
inside a transaction of `outbox`.
"""

from __future__ import annotations

import os
import socket
from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import insert, now
from bot.store.tables import programs

LEASE = timedelta(seconds=15)
"""A program that has not been heard of for so long holds nothing any more. It says every two seconds that it lives; one
that was held up for longer asks before it sends anything."""
PROC = Path("/proc")


def this_process() -> str:
    """Names this process: its machine, its number, and when it began, since numbers come again."""
    return f"{_machine()} {os.getpid()} {_began(os.getpid())}"


async def renew(connection: AsyncConnection, program: str, process: str, *, again: bool) -> None:
    """Say that `program` is alive, and forget those that are no more; `again`: it said so before."""
    # The database's clock: those of two machines may be further apart than a lease is long.
    moment = await now(connection)
    found = {each.id: each for each in await connection.execute(select(programs))}
    values = {"id": program, "process": process, "seen_until": moment + LEASE}
    mine = found.pop(program, None)
    if mine is None:
        await connection.execute(insert(connection, programs).values(values).on_conflict_do_nothing())
    else:
        await connection.execute(update(programs).where(programs.c.id == program).values(values))
    # Who could not say it in time itself, with the database away, cannot tell who else is gone by that.
    was_away = again and (mine is None or mine.seen_until < moment)
    gone = [
        each.id
        for each in found.values()
        if _is_gone(each.process) or (each.seen_until < moment and not was_away)
    ]
    if gone:
        await connection.execute(delete(programs).where(programs.c.id.in_(gone)))


async def leave(connection: AsyncConnection, program: str) -> None:
    """`program` ends: what it still holds is free."""
    await connection.execute(delete(programs).where(programs.c.id == program))


def _machine() -> str:
    """Numbers of processes mean something within it: a host since its start, or one container on it."""
    try:
        boot = (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{socket.gethostname()}/{boot}/{(PROC / 'self/ns/pid').readlink()}"
    except OSError:
        return "?"


def _began(number: int) -> str:
    try:
        stat = (PROC / str(number) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # Behind the name, which may hold anything; a killed process whose end nobody looked at is no more, either.
    after_name = stat.rpartition(")")[2].split()
    return "" if after_name[0] in "ZX" else after_name[19]


def _is_gone(process: str) -> bool:
    """Whether a process of this machine has ended; of others, and without /proc, only the lease tells."""
    machine, number, began = process.rsplit(" ", 2)
    return machine != "?" and machine == _machine() and _began(int(number)) != began
