"""What a harvest asks of the log beside the turns, and where it puts the candidates that it found.

It knows no filter. Methods raise `StoreError`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store import consents, leaving, opinions, upkeep
from bot.store.candidates import candidate
from bot.store.database import Database, chunks, insert, one_at_a_time
from bot.store.rows import Candidate, CandidateState, Consent, NewCandidate, Put, RatingRow, WeekRow
from bot.store.tables import candidate_people, candidates, conversations, ratings, reviews, turns
from bot.student.records.dialogue import Role


class Harvests:
    """The log of an open database, as a harvest sees it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def consents(self) -> dict[str, list[tuple[datetime, Consent]]]:
        """Everybody's answers with their times, the newest last."""
        async with self._database.reading() as connection:
            return await consents.history(connection)

    async def conversations(self, since: datetime | None = None) -> Sequence[int]:
        """The ids of all conversations as a range, or a list of those in which somebody spoke since then, in order."""
        async with self._database.reading() as connection:
            if since is None:
                newest = await connection.scalar(select(func.max(conversations.c.id)))
                return range(1, (newest or 0) + 1)
            lately = select(turns.c.conversation_id).where(turns.c.said_at >= since).distinct()
            return sorted((await connection.execute(lately)).scalars())

    async def given(self, besides: Sequence[int]) -> dict[str, int]:
        """How many candidates hold each person's words, those of these conversations left out."""
        count = (
            select(candidate_people.c.author_hash, func.count().label("count"))
            .join(candidates)
            .where(candidates.c.state == CandidateState.PENDING)
            .group_by(candidate_people.c.author_hash)
        )
        async with self._database.reading() as connection:
            found: Counter[str] = Counter()
            found.update({row.author_hash: row.count for row in await connection.execute(count)})
            for chunk in chunks(besides):
                here = await connection.execute(count.where(candidates.c.conversation_id.in_(chunk)))
                found.subtract({row.author_hash: row.count for row in here})
        return found

    async def repeated_lines(self, least: int, most_people: int, since: datetime | None = None) -> set[str]:
        """What teachers said word for word at least `least` times (since then), in lower case, where no more than
        `most_people` said it."""
        line, said = func.lower(turns.c.content), [turns.c.role == Role.TEACHER, turns.c.content != ""]
        if since is not None:
            said.append(turns.c.said_at >= since)
        async with self._database.reading() as connection:
            found = await connection.stream(
                select(line.label("line"))
                .where(*said)
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

    async def week(self, since: datetime) -> WeekRow:
        """Student turns, different teachers and ratings since that time, and the candidates that wait."""
        async with self._database.reading() as connection:
            return await upkeep.week(connection, since)

    async def all_ratings(self) -> list[RatingRow]:
        """Every rating there is, oldest first."""
        async with self._database.reading() as connection:
            return await opinions.rated(connection, None)

    async def put(
        self, found: Sequence[NewCandidate], *, silence_is_consent: bool, now: datetime
    ) -> list[Put]:
        """Store what a harvest found; in the order given, say what became of each.

        A candidate that somebody reviewed stays as they saw it. Refused is what stopped being allowed while the
        harvest ran, and what overlaps a reviewed candidate that was cut differently.
        """
        done: list[Put] = []
        async with self._database.writing() as connection:
            await one_at_a_time(connection, leaving.PEOPLE)
            everybody = {person for each in found for person in each.people}
            refusing = await consents.refusing(connection, everybody, silence_is_consent=silence_is_consent)
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

    async def retire(
        self, before: datetime, *, silence_is_consent: bool, within: Sequence[int] | None = None
    ) -> int:
        """Delete what no harvest found since `before`, and what was withdrawn; count it. `within` names the
        conversations that were looked at, where those were not all.

        What a person reviewed stays although a rule has changed since, but not against the will of anyone in it.
        Of what was published a row stays, so that it leaves the file, too.
        """
        async with self._database.writing() as connection:
            await one_at_a_time(connection, leaving.PEOPLE)
            old = and_(candidates.c.state == CandidateState.PENDING, candidates.c.seen_at < before)
            for unseen in (
                [old]
                if within is None
                else [and_(old, candidates.c.conversation_id.in_(chunk)) for chunk in chunks(within)]
            ):
                await self._withdraw_unseen(connection, unseen, before, silence_is_consent=silence_is_consent)
            return await _drop_withdrawn(connection)

    async def _withdraw_unseen(
        self,
        connection: AsyncConnection,
        unseen: ColumnElement[bool],
        before: datetime,
        *,
        silence_is_consent: bool,
    ) -> None:
        """Withdraw what was not seen, but for what a person reviewed that everybody in it allows."""
        judged = select(reviews.c.candidate_key).where(reviews.c.verdict.is_not(None))
        kept = await connection.execute(
            select(candidate_people).join(candidates).where(unseen, candidates.c.key.in_(judged))
        )
        people: dict[str, set[str]] = {}
        for row in kept:
            people.setdefault(row.candidate_key, set()).add(row.author_hash)
        refusing = await consents.refusing(
            connection, set().union(*people.values()), silence_is_consent=silence_is_consent
        )
        stays = [key for key, those in people.items() if not those & refusing]
        for chunk in chunks(stays):
            await connection.execute(
                update(candidates).where(candidates.c.key.in_(chunk)).values(seen_at=before)
            )
        await connection.execute(update(candidates).where(unseen).values(state=CandidateState.WITHDRAWN))

    async def withdraw_all(self) -> int:
        """Delete every candidate that was not published, and withdraw the others: the policy allows none."""
        async with self._database.writing() as connection:
            await connection.execute(
                update(candidates)
                .where(candidates.c.state == CandidateState.PENDING)
                .values(state=CandidateState.WITHDRAWN)
            )
            return await _drop_withdrawn(connection)


async def _known(connection: AsyncConnection, keys: Sequence[str]) -> dict[str, Candidate]:
    found = await connection.execute(select(candidates).where(candidates.c.key.in_(keys)))
    return {row.key: candidate(row) for row in found}


async def _judged_turns(connection: AsyncConnection, places: Iterable[int]) -> dict[str, list[int]]:
    """The turns of reviewed candidates in these conversations, drafts included, by key."""
    found = await connection.execute(
        select(candidates.c.key, candidates.c.lineage).where(
            candidates.c.conversation_id.in_(sorted(places)),
            candidates.c.state != CandidateState.FORGOTTEN,
            candidates.c.key.in_(select(reviews.c.candidate_key)),
        )
    )
    return {row.key: row.lineage["turns"] for row in found}


async def _forgotten(connection: AsyncConnection, ids: Sequence[int]) -> set[int]:
    gone: set[int] = set()
    for chunk in chunks(ids):
        found = await connection.execute(
            select(turns.c.id).where(turns.c.id.in_(chunk), turns.c.content == "")
        )
        gone.update(found.scalars())
    return gone


async def _drop_withdrawn(connection: AsyncConnection) -> int:
    return await leaving.drop(
        connection, and_(candidates.c.state == CandidateState.WITHDRAWN, candidates.c.published.is_(None))
    )


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
