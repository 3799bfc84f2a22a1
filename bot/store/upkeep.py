"""What scheduled work asks of the store: whose turn it is, what is too old, and the figures of a week.

Works inside a transaction that `store` opens.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, distinct, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import leaving
from bot.store.database import insert, now, one_at_a_time
from bot.store.rows import CandidateState, PurgeReport, WeekRow
from bot.store.tables import (
    about,
    candidates,
    claims,
    conversations,
    feedback,
    job_runs,
    ratings,
    reviews,
    turns,
)
from bot.student.records.dialogue import Role


async def begin_job(
    connection: AsyncConnection, name: str, due: datetime, at: datetime, limit: timedelta
) -> bool:
    """Take the run of `name` that was due at `due`; False when it was done, or one still runs.

    A run that began more than `limit` ago without an end counts as dead, and is taken over.
    """
    await one_at_a_time(connection, "jobs")
    running = select(job_runs.c.due).where(
        job_runs.c.name == name, job_runs.c.finished_at.is_(None), job_runs.c.started_at > at - limit
    )
    if (await connection.execute(running)).first() is not None:
        return False
    taken = (
        insert(connection, job_runs)
        .values(name=name, due=due, started_at=at)
        .on_conflict_do_update(
            index_elements=["name", "due"], set_={"started_at": at}, where=job_runs.c.finished_at.is_(None)
        )
    )
    return (await connection.execute(taken)).rowcount == 1


async def leave_job(connection: AsyncConnection, name: str, due: datetime) -> None:
    """Take back that a run was begun: it was broken off, and is to be made up for."""
    await connection.execute(
        delete(job_runs).where(
            job_runs.c.name == name, job_runs.c.due == due, job_runs.c.finished_at.is_(None)
        )
    )


async def job_in_hand(connection: AsyncConnection, name: str) -> datetime | None:
    """When the newest run that has not ended began, or None."""
    found: datetime | None = (
        await connection.execute(
            select(func.max(job_runs.c.started_at)).where(
                job_runs.c.name == name, job_runs.c.finished_at.is_(None)
            )
        )
    ).scalar()
    return found


async def job_results(connection: AsyncConnection) -> dict[str, str]:
    """How the newest run of each job that ended, ended."""
    found = await connection.execute(
        select(job_runs.c.name, job_runs.c.result)
        .where(job_runs.c.finished_at.is_not(None))
        .order_by(job_runs.c.due)
    )
    return {row.name: row.result or "" for row in found}


async def end_job(connection: AsyncConnection, name: str, due: datetime, at: datetime, result: str) -> None:
    """Write down how a run ended."""
    await connection.execute(
        update(job_runs)
        .where(job_runs.c.name == name, job_runs.c.due == due)
        .values(finished_at=at, result=result)
    )


async def last_job(connection: AsyncConnection, name: str) -> datetime | None:
    """When the newest run of `name` that ended was due, or None when none ever did."""
    found: datetime | None = (
        await connection.execute(
            select(func.max(job_runs.c.due)).where(
                job_runs.c.name == name, job_runs.c.finished_at.is_not(None)
            )
        )
    ).scalar()
    return found


async def spaced(connection: AsyncConnection, what: str, seconds: float) -> float:
    """Take the next moment at which `what` may be begun, `seconds` after the one before; gives how far off it is."""
    await one_at_a_time(connection, what)
    moment, key = await now(connection), f"next {what}"
    known = await connection.scalar(select(about.c.value).where(about.c.name == key))
    at = moment if known is None else max(moment, datetime.fromisoformat(known))
    value = (at + timedelta(seconds=seconds)).isoformat()
    row = insert(connection, about).values(name=key, value=value)
    await connection.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": value}))
    return (at - moment).total_seconds()


async def purge(connection: AsyncConnection, before: datetime) -> PurgeReport:
    """Delete what was said, rated, claimed and harvested before that time; count the rows of each kind.

    What was harvested and published stays: it left the log with its speakers' consent.
    """
    await one_at_a_time(connection, leaving.PEOPLE)
    old = select(turns.c.id).where(turns.c.said_at < before)
    await connection.execute(delete(feedback).where(feedback.c.turn_id.in_(old)))
    gone_ratings = await connection.execute(delete(ratings).where(ratings.c.at < before))
    gone_turns = await connection.execute(delete(turns).where(turns.c.said_at < before))
    gone_claims = await connection.execute(delete(claims).where(claims.c.claimed_at < before))
    # What the child has learned was learned from turns that are gone: it starts afresh.
    still = select(turns.c.id).where(turns.c.conversation_id == conversations.c.id).exists()
    await connection.execute(
        update(conversations)
        .where(conversations.c.updated_at < before, conversations.c.mind.is_not(None), ~still)
        .values(mind=None)
    )
    gone_candidates = await leaving.purge(connection, before)
    return PurgeReport(gone_turns.rowcount, gone_ratings.rowcount, gone_claims.rowcount, gone_candidates)


async def week(connection: AsyncConnection, since: datetime) -> WeekRow:
    """Student turns, different teachers and ratings since that time, and the candidates that wait."""
    said = select(func.count()).select_from(turns).where(turns.c.said_at >= since)
    people = select(func.count(distinct(turns.c.author_hash))).where(turns.c.said_at >= since)
    rated = select(func.count()).select_from(ratings).where(ratings.c.at >= since)
    return WeekRow(
        student_turns=(await connection.execute(said.where(turns.c.role == Role.STUDENT))).scalar_one(),
        teachers=(await connection.execute(people)).scalar_one(),
        ratings=(await connection.execute(rated)).scalar_one(),
        candidates=await _waiting(connection),
    )


async def _waiting(connection: AsyncConnection) -> int:
    """How many candidates nobody has judged yet."""
    judged = select(reviews.c.candidate_key).where(reviews.c.verdict.is_not(None))
    found = select(func.count()).where(
        candidates.c.state == CandidateState.PENDING,
        candidates.c.published.is_(None),
        candidates.c.key.not_in(judged),
    )
    return (await connection.execute(found)).scalar_one()
