"""Candidates for training: what reviewers say of them, and what was published.

It knows no screen and no file. Methods raise `StoreError`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, case, func, select, update

from bot.store.database import Database, StoreError, insert, one_at_a_time
from bot.store.leaving import PEOPLE
from bot.store.rows import Candidate, CandidateState, Review, Verdict
from bot.store.tables import candidates, reviews

OVERLAP = 5
"""Every fifth candidate is offered to all reviewers first, so that their agreement can be told."""


class Candidates:
    """The candidates and reviews of an open database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # What reviewers do.

    async def queue(self, reviewer: str) -> list[str]:
        """The keys that wait for this reviewer's verdict: a shared part first, so that agreement can be told, then
        those with the fewest verdicts, in an order of the reviewer's own, so that two seldom do the same work."""
        mine = select(reviews.c.candidate_key).where(
            reviews.c.reviewer == reviewer, reviews.c.verdict.is_not(None)
        )
        verdicts = (
            select(func.count())
            .where(reviews.c.candidate_key == candidates.c.key, reviews.c.verdict.is_not(None))
            .scalar_subquery()
        )
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(candidates.c.key, verdicts.label("verdicts")).where(
                    candidates.c.state == CandidateState.PENDING,
                    candidates.c.published.is_(None),
                    candidates.c.key.not_in(mine),
                )
            )
            waiting = [(row.key, row.verdicts) for row in found]

        def place(entry: tuple[str, int]) -> tuple[bool, int, int]:
            key, count = entry
            shared = _number(key) % OVERLAP == 0
            return not shared, 0 if shared else count, _number(key if shared else key + reviewer)

        return [key for key, _ in sorted(waiting, key=place)]

    async def get(self, key: str) -> Candidate:
        """One candidate. Raises `StoreError` for no such key."""
        async with self._database.reading() as connection:
            found = await connection.execute(select(candidates).where(candidates.c.key == key))
            row = found.one_or_none()
        if row is None:
            raise StoreError(f"{self._database.name}: there is no candidate {key}")
        return candidate(row)

    async def review(self, key: str, reviewer: str) -> Review | None:
        """What this reviewer left of the candidate, or None."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(reviews).where(reviews.c.candidate_key == key, reviews.c.reviewer == reviewer)
            )
            row = found.one_or_none()
        return None if row is None else _review(row)

    async def save_review(
        self, key: str, reviewer: str, verdict: Verdict | None, record: Mapping[str, Any]
    ) -> bool:
        """Keep a verdict or a draft; the newest of a reviewer counts. False when the candidate was withdrawn or
        forgotten, or published already."""
        said = {"verdict": verdict, "record": dict(record), "at": datetime.now(UTC)}
        async with self._database.writing() as connection:
            await one_at_a_time(connection, PEOPLE)
            open_still = await connection.scalar(
                select(candidates.c.key).where(
                    candidates.c.key == key,
                    candidates.c.state == CandidateState.PENDING,
                    candidates.c.published.is_(None),
                )
            )
            if open_still is None:
                return False
            await connection.execute(
                insert(connection, reviews)
                .values(candidate_key=key, reviewer=reviewer, **said)
                .on_conflict_do_update(index_elements=["candidate_key", "reviewer"], set_=said)
            )
            return True

    async def verdicts(self) -> dict[str, dict[str, Verdict]]:
        """Every verdict, by candidate and reviewer."""
        found: dict[str, dict[str, Verdict]] = {}
        async with self._database.reading() as connection:
            rows = await connection.execute(
                select(reviews.c.candidate_key, reviews.c.reviewer, reviews.c.verdict)
                .where(reviews.c.verdict.is_not(None))
                .order_by(reviews.c.candidate_key, reviews.c.reviewer)
            )
            for row in rows:
                found.setdefault(row.candidate_key, {})[row.reviewer] = Verdict(row.verdict)
        return found

    # What becomes of them.

    async def approve(self, name: str, least: int) -> int:
        """Assign every approved candidate that has no file yet to the publication `name`; count them.

        Approved is what at least `least` people accepted and nobody rejected.
        """
        votes = (
            select(reviews.c.candidate_key)
            .where(reviews.c.verdict.is_not(None))
            .group_by(reviews.c.candidate_key)
            .having(
                func.count() >= least,
                func.sum(case((reviews.c.verdict == Verdict.REJECT, 1), else_=0)) == 0,
            )
        )
        async with self._database.writing() as connection:
            done = await connection.execute(
                update(candidates)
                .where(
                    candidates.c.state == CandidateState.PENDING,
                    candidates.c.published.is_(None),
                    candidates.c.key.in_(votes),
                )
                .values(published=name)
            )
            return done.rowcount

    async def publications(self) -> list[str]:
        """The names of all publications, oldest first."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(candidates.c.published)
                .where(candidates.c.published.is_not(None))
                .distinct()
                .order_by(candidates.c.published)
            )
            return list(found.scalars())

    async def published(self, name: str) -> list[tuple[Candidate, Review | None]]:
        """Every candidate of a publication with the newest acceptance, withdrawn and forgotten ones included."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(candidates).where(candidates.c.published == name).order_by(candidates.c.key)
            )
            rows = [candidate(row) for row in found]
            accepted = await connection.execute(
                select(reviews)
                .join(candidates)
                .where(candidates.c.published == name, reviews.c.verdict == Verdict.ACCEPT)
                .order_by(reviews.c.at)
            )
            newest = {row.candidate_key: _review(row) for row in accepted}
        return [(row, newest.get(row.key)) for row in rows]

    async def left(self) -> list[str]:
        """Keys that were published and may no longer be."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(candidates.c.key).where(
                    candidates.c.published.is_not(None), candidates.c.state != CandidateState.PENDING
                )
            )
            return list(found.scalars())


def candidate(row: Row[Any]) -> Candidate:
    """A row of the table as a value."""
    return Candidate(row.key, CandidateState(row.state), row.record, row.lineage, row.published)


def _review(row: Row[Any]) -> Review:
    verdict = None if row.verdict is None else Verdict(row.verdict)
    return Review(row.candidate_key, row.reviewer, verdict, row.record, row.at)


def _number(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
