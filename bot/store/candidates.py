"""Candidates for training: what a harvest found in the log, what people say of it, and what was published.

All SQL of harvest and review is here. It knows no filter and no screen. Methods raise `StoreError`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, case, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database, StoreError, insert, one_at_a_time
from bot.store.rows import Consent
from bot.store.tables import candidate_people, candidates, consents, ratings, reviews, turns
from bot.student.records.dialogue import Role

OVERLAP = 5
"""Every fifth candidate is offered to all reviewers first, so that their agreement can be told."""


PEOPLE = "people"
"""Held by whatever stores words of people, or takes them away: nobody's come back behind a farewell."""


class CandidateState(StrEnum):
    """Whether a candidate may become training data."""

    PENDING = "pending"
    WITHDRAWN = "withdrawn"
    FORGOTTEN = "forgotten"


class Verdict(StrEnum):
    """What a reviewer says."""

    ACCEPT = "accept"
    REJECT = "reject"


class Put(StrEnum):
    """What became of a candidate that a harvest handed in."""

    NEW = "new"
    CHANGED = "changed"
    KNOWN = "known"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class NewCandidate:
    """A dialogue that a harvest found. `key` is the same in every harvest; `people` are all whose words are in
    it; `record` is the dialogue's record, `lineage` where it comes from, with the ids of the `turns`."""

    key: str
    conversation_id: int
    people: frozenset[str]
    turns: tuple[int, ...]
    record: dict[str, Any]
    lineage: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored candidate; without record and lineage once forgotten. `published` names the file it went into."""

    key: str
    state: CandidateState
    record: dict[str, Any] | None
    lineage: dict[str, Any] | None
    published: str | None


@dataclass(frozen=True, slots=True)
class Review:
    """One person's word on a candidate: no verdict yet means a draft. `record` is the dialogue as they left it."""

    candidate_key: str
    reviewer: str
    verdict: Verdict | None
    record: dict[str, Any] | None
    at: datetime


class Candidates:
    """The candidates and reviews of an open database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # What a harvest asks beside the turns.

    async def consents(self) -> dict[str, list[tuple[datetime, Consent]]]:
        """Everybody's answers with their times, the newest last."""
        found: dict[str, list[tuple[datetime, Consent]]] = {}
        async with self._database.reading() as connection:
            for row in await connection.execute(select(consents).order_by(consents.c.id)):
                found.setdefault(row.author_hash, []).append((row.at, Consent(row.state)))
        return found

    async def repeated_lines(self, least: int, most_people: int) -> set[str]:
        """What teachers said word for word at least `least` times, in lower case, where no more than
        `most_people` said it."""
        line = func.lower(turns.c.content)
        async with self._database.reading() as connection:
            found = await connection.stream(
                select(line.label("line"))
                .where(turns.c.role == Role.TEACHER, turns.c.content != "")
                .group_by(line)
                .having(
                    and_(func.count() >= least, func.count(turns.c.author_hash.distinct()) <= most_people)
                )
            )
            return {row.line async for row in found}

    async def mean_ratings(self) -> dict[int, float]:
        """The mean score of every conversation that somebody rated."""
        sums: dict[int, tuple[float, int]] = {}
        async with self._database.reading() as connection:
            async for row in await connection.stream(select(ratings.c.conversation_id, ratings.c.scores)):
                total, count = sums.get(row.conversation_id, (0.0, 0))
                sums[row.conversation_id] = total + sum(row.scores.values()), count + len(row.scores)
        return {key: total / count for key, (total, count) in sums.items() if count}

    async def put(
        self, found: Sequence[NewCandidate], *, silence_is_consent: bool, now: datetime
    ) -> list[Put]:
        """Store what a harvest found; in the order given, say what became of each.

        A candidate that somebody reviewed stays as they saw it. Refused is what stopped being allowed while the
        harvest ran, and what overlaps a reviewed candidate that was cut differently.
        """
        done: list[Put] = []
        async with self._database.writing() as connection:
            await one_at_a_time(connection, PEOPLE)
            everybody = {person for each in found for person in each.people}
            refusing = await _refusing(connection, everybody, silence_is_consent=silence_is_consent)
            known = await _known(connection, [each.key for each in found])
            judged = await _judged_turns(connection, {each.conversation_id for each in found})
            forgotten = await _forgotten(connection, [turn for each in found for turn in each.turns])
            fresh: list[NewCandidate] = []
            seen: list[str] = []
            for each in found:
                others = {turn for key, ids in judged.items() if key != each.key for turn in ids}
                old = known.get(each.key)
                gone = old is not None and old.state == CandidateState.FORGOTTEN
                if gone or each.people & refusing or others & set(each.turns) or forgotten & set(each.turns):
                    done.append(Put.REFUSED)
                elif old is None:
                    fresh.append(each)
                    done.append(Put.NEW)
                elif each.key in judged or (old.record == each.record and old.lineage == each.lineage):
                    seen.append(each.key)
                    done.append(Put.KNOWN if old.state == CandidateState.PENDING else Put.CHANGED)
                else:
                    await _change(connection, each)
                    seen.append(each.key)
                    done.append(Put.CHANGED)
            await _add(connection, fresh, now)
            await connection.execute(
                update(candidates)
                .where(candidates.c.key.in_(seen))
                .values(seen_at=now, state=CandidateState.PENDING)
            )
        return done

    async def retire(self, before: datetime, *, silence_is_consent: bool) -> int:
        """Delete what no harvest found since `before`, and what was withdrawn; count it.

        What a person reviewed stays although a rule has changed since, but not against the will of anyone in it.
        Of what was published a row stays, so that it leaves the file, too.
        """
        async with self._database.writing() as connection:
            await one_at_a_time(connection, PEOPLE)
            unseen = and_(candidates.c.state == CandidateState.PENDING, candidates.c.seen_at < before)
            judged = select(reviews.c.candidate_key).where(reviews.c.verdict.is_not(None))
            kept = await connection.execute(
                select(candidate_people).join(candidates).where(unseen, candidates.c.key.in_(judged))
            )
            people: dict[str, set[str]] = {}
            for row in kept:
                people.setdefault(row.candidate_key, set()).add(row.author_hash)
            refusing = await _refusing(
                connection, set().union(*people.values()), silence_is_consent=silence_is_consent
            )
            stays = [key for key, those in people.items() if not those & refusing]
            for chunk in _chunks(stays):
                await connection.execute(
                    update(candidates).where(candidates.c.key.in_(chunk)).values(seen_at=before)
                )
            await connection.execute(update(candidates).where(unseen).values(state=CandidateState.WITHDRAWN))
            return await _drop_withdrawn(connection)

    async def withdraw_all(self) -> int:
        """Delete every candidate that was not published, and withdraw the others: the policy allows none."""
        async with self._database.writing() as connection:
            await connection.execute(
                update(candidates)
                .where(candidates.c.state == CandidateState.PENDING)
                .values(state=CandidateState.WITHDRAWN)
            )
            return await _drop_withdrawn(connection)

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
        return _candidate(row)

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
            rows = [_candidate(row) for row in found]
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


# What a person's own decisions do; in the transaction of `store`.


async def withdraw(connection: AsyncConnection, author_hash: str) -> int:
    """Withdraw every pending candidate with this person in it; count them."""
    await one_at_a_time(connection, PEOPLE)
    mine = select(candidate_people.c.candidate_key).where(candidate_people.c.author_hash == author_hash)
    gone = await connection.execute(
        update(candidates)
        .where(candidates.c.key.in_(mine), candidates.c.state == CandidateState.PENDING)
        .values(state=CandidateState.WITHDRAWN)
    )
    return gone.rowcount


async def forget(connection: AsyncConnection, author_hash: str) -> tuple[list[str], int]:
    """Blank every candidate with this person in it, and delete what reviewers made of it.

    Gives the keys of the candidates, and how many reviews are gone.
    """
    found = await connection.execute(
        select(candidate_people.c.candidate_key).where(candidate_people.c.author_hash == author_hash)
    )
    keys = list(found.scalars())
    gone = 0
    for chunk in _chunks(keys):
        deleted = await connection.execute(delete(reviews).where(reviews.c.candidate_key.in_(chunk)))
        gone += deleted.rowcount
        await connection.execute(delete(candidate_people).where(candidate_people.c.candidate_key.in_(chunk)))
        await connection.execute(
            update(candidates)
            .where(candidates.c.key.in_(chunk))
            .values(state=CandidateState.FORGOTTEN, record=None, lineage=None)
        )
    return keys, gone


async def waiting(connection: AsyncConnection) -> int:
    """How many candidates nobody has judged yet."""
    judged = select(reviews.c.candidate_key).where(reviews.c.verdict.is_not(None))
    found = select(func.count()).where(
        candidates.c.state == CandidateState.PENDING,
        candidates.c.published.is_(None),
        candidates.c.key.not_in(judged),
    )
    return (await connection.execute(found)).scalar_one()


async def purge(connection: AsyncConnection, before: datetime) -> int:
    """Delete what was harvested before that time and never published, reviewed or not; count it."""
    return await _drop(connection, and_(candidates.c.created_at < before, candidates.c.published.is_(None)))


async def of_person(connection: AsyncConnection, author_hash: str) -> list[dict[str, Any]]:
    """Which candidates hold the person's words, ready for JSON."""
    found = await connection.execute(
        select(
            candidates.c.key,
            candidates.c.conversation_id,
            candidates.c.state,
            candidates.c.published,
            candidates.c.created_at,
        )
        .join(candidate_people)
        .where(candidate_people.c.author_hash == author_hash)
        .order_by(candidates.c.key)
    )
    return [{**row, "created_at": row["created_at"].isoformat()} for row in found.mappings()]


# Pieces of SQL.


async def _refusing(
    connection: AsyncConnection, people: Iterable[str], *, silence_is_consent: bool
) -> set[str]:
    """Those of `people` whose newest answer allows nothing."""
    everybody = set(people)
    allowed = set(everybody) if silence_is_consent else set()
    for chunk in _chunks(sorted(everybody)):
        newest = (
            select(func.max(consents.c.id))
            .where(consents.c.author_hash.in_(chunk))
            .group_by(consents.c.author_hash)
        )
        for row in await connection.execute(select(consents).where(consents.c.id.in_(newest))):
            (allowed.add if row.state == Consent.ON else allowed.discard)(row.author_hash)
    return everybody - allowed


async def _known(connection: AsyncConnection, keys: Sequence[str]) -> dict[str, Candidate]:
    found = await connection.execute(select(candidates).where(candidates.c.key.in_(keys)))
    return {row.key: _candidate(row) for row in found}


async def _judged_turns(connection: AsyncConnection, conversations: Iterable[int]) -> dict[str, list[int]]:
    """The turns of reviewed candidates in these conversations, drafts included, by key."""
    found = await connection.execute(
        select(candidates.c.key, candidates.c.lineage).where(
            candidates.c.conversation_id.in_(sorted(conversations)),
            candidates.c.state != CandidateState.FORGOTTEN,
            candidates.c.key.in_(select(reviews.c.candidate_key)),
        )
    )
    return {row.key: row.lineage["turns"] for row in found}


async def _forgotten(connection: AsyncConnection, ids: Sequence[int]) -> set[int]:
    gone: set[int] = set()
    for chunk in _chunks(ids):
        found = await connection.execute(
            select(turns.c.id).where(turns.c.id.in_(chunk), turns.c.content == "")
        )
        gone.update(found.scalars())
    return gone


async def _drop_withdrawn(connection: AsyncConnection) -> int:
    return await _drop(
        connection, and_(candidates.c.state == CandidateState.WITHDRAWN, candidates.c.published.is_(None))
    )


async def _drop(connection: AsyncConnection, which: ColumnElement[bool]) -> int:
    gone = select(candidates.c.key).where(which)
    await connection.execute(delete(reviews).where(reviews.c.candidate_key.in_(gone)))
    await connection.execute(delete(candidate_people).where(candidate_people.c.candidate_key.in_(gone)))
    return (await connection.execute(delete(candidates).where(which))).rowcount


async def _add(connection: AsyncConnection, fresh: Sequence[NewCandidate], now: datetime) -> None:
    if not fresh:
        return
    rows = [
        {
            "key": each.key,
            "conversation_id": each.conversation_id,
            "state": CandidateState.PENDING,
            "record": each.record,
            "lineage": each.lineage,
            "created_at": now,
            "seen_at": now,
        }
        for each in fresh
    ]
    await connection.execute(insert(connection, candidates), rows)
    await connection.execute(insert(connection, candidate_people), _people(fresh))


async def _change(connection: AsyncConnection, each: NewCandidate) -> None:
    await connection.execute(
        update(candidates)
        .where(candidates.c.key == each.key)
        .values(record=each.record, lineage=each.lineage)
    )
    await connection.execute(delete(candidate_people).where(candidate_people.c.candidate_key == each.key))
    await connection.execute(insert(connection, candidate_people), _people([each]))


def _people(found: Sequence[NewCandidate]) -> list[dict[str, str]]:
    return [
        {"candidate_key": each.key, "author_hash": person} for each in found for person in sorted(each.people)
    ]


def _candidate(row: Row[Any]) -> Candidate:
    return Candidate(row.key, CandidateState(row.state), row.record, row.lineage, row.published)


def _review(row: Row[Any]) -> Review:
    verdict = None if row.verdict is None else Verdict(row.verdict)
    return Review(row.candidate_key, row.reviewer, verdict, row.record, row.at)


def _chunks(values: Sequence[Any], size: int = 500) -> list[Sequence[Any]]:
    """Pieces short enough for both databases' limits on parameters."""
    return [values[start : start + size] for start in range(0, len(values), size)]


def _number(key: str) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
