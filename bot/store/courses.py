"""Courses: who joined with a code, what is assigned to them, and which practices they shared with their instructor.

It knows ids and hashes; what may be done with a practice is the business of others. Methods raise `StoreError`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.store.database import Database, Work, insert
from bot.store.tables import courses, members, ratings, shares
from bot.store.whole import whole


@dataclass(frozen=True, slots=True)
class CourseRow:
    """A course: people join it with `code`; `scenario` is what is assigned to them; `author_hash` is its instructor."""

    id: int
    author_hash: str
    code: str
    title: str
    scenario: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class MemberRow:
    """Somebody on the list of a course, under the name that they gave themselves."""

    course_id: int
    author_hash: str
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ShareRow:
    """A practice that a member shows to the course's instructor, and how often the instructor rated it."""

    course_id: int
    conversation_id: int
    author_hash: str
    at: datetime
    name: str
    ratings: int


class Courses:
    """The courses in one database."""

    def __init__(self, database: Database, work: Work) -> None:
        self._database = database
        self._work = work

    # The instructor's side: whoever is not the owner finds nothing.

    @whole
    async def begin(self, owner_hash: str, title: str, code: str) -> CourseRow:
        """A new course of that person, which is joined with `code`."""
        async with self._database.writing() as connection:
            values = {"author_hash": owner_hash, "title": title, "code": code, "at": datetime.now(UTC)}
            added = await connection.execute(
                insert(connection, courses).values(**values).returning(*courses.c)
            )
            return CourseRow(**added.one()._mapping)  # noqa: SLF001 - its public name

    @whole
    async def end(self, course_id: int, owner_hash: str) -> bool:
        """Delete a course with its list of people and of shared practices; the practices stay. False for none."""
        async with self._database.writing() as connection:
            mine = select(courses.c.id).where(courses.c.id == course_id, courses.c.author_hash == owner_hash)
            if await connection.scalar(mine) is None:
                return False
            await delete_courses(connection, [course_id])
            return True

    @whole
    async def assign(self, course_id: int, owner_hash: str, scenario: str | None) -> bool:
        """Let the course practise that scenario, or none; False where there is no such course of theirs."""
        async with self._database.writing() as connection:
            changed = await connection.execute(
                update(courses)
                .where(courses.c.id == course_id, courses.c.author_hash == owner_hash)
                .values(scenario=scenario)
            )
            return changed.rowcount == 1

    async def owned(self, owner_hash: str) -> list[CourseRow]:
        """The courses of an instructor, newest first."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(courses).where(courses.c.author_hash == owner_hash).order_by(courses.c.id.desc())
            )
            return [CourseRow(**row._mapping) for row in found]  # noqa: SLF001 - its public name

    async def members(self, course_id: int) -> list[MemberRow]:
        """Who is in a course, by name."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(members).where(members.c.course_id == course_id).order_by(members.c.name)
            )
            return [MemberRow(**row._mapping) for row in found]  # noqa: SLF001 - its public name

    async def shared(self, course_id: int, conversation_id: int | None = None) -> list[ShareRow]:
        """The practices that members shared with a course, newest first, or the one of that id."""
        rated = (
            select(func.count())
            .select_from(ratings)
            .where(
                ratings.c.conversation_id == shares.c.conversation_id,
                ratings.c.author_hash == courses.c.author_hash,
            )
            .correlate(shares, courses)
            .scalar_subquery()
        )
        chosen = (
            select(shares, members.c.name, rated.label("ratings"))
            .join(courses, courses.c.id == shares.c.course_id)
            .join(
                members,
                and_(
                    members.c.course_id == shares.c.course_id, members.c.author_hash == shares.c.author_hash
                ),
            )
            .where(shares.c.course_id == course_id)
            .order_by(shares.c.at.desc(), shares.c.conversation_id.desc())
        )
        if conversation_id is not None:
            chosen = chosen.where(shares.c.conversation_id == conversation_id)
        async with self._database.reading() as connection:
            return [ShareRow(**row._mapping) for row in await connection.execute(chosen)]  # noqa: SLF001

    # The member's side.

    async def of_code(self, code: str) -> CourseRow | None:
        """The course that is joined with that code."""
        async with self._database.reading() as connection:
            row = (await connection.execute(select(courses).where(courses.c.code == code))).one_or_none()
            return None if row is None else CourseRow(**row._mapping)  # noqa: SLF001 - its public name

    async def joined(self, author_hash: str) -> list[CourseRow]:
        """The courses that a person is in, newest first."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(courses)
                .join(members)
                .where(members.c.author_hash == author_hash)
                .order_by(courses.c.id.desc())
            )
            return [CourseRow(**row._mapping) for row in found]  # noqa: SLF001 - its public name

    @whole
    async def join(self, course_id: int, author_hash: str, name: str) -> None:
        """Put a person on the list of a course under that name, or give them another name there."""
        values = {"course_id": course_id, "author_hash": author_hash, "name": name, "at": datetime.now(UTC)}
        async with self._database.writing() as connection:
            await connection.execute(
                insert(connection, members)
                .values(**values)
                .on_conflict_do_update(index_elements=["course_id", "author_hash"], set_={"name": name})
            )

    @whole
    async def leave(self, course_id: int, author_hash: str) -> None:
        """Take a person off the list; what they shared there is shared no more."""
        async with self._database.writing() as connection:
            for table in (shares, members):
                await connection.execute(
                    delete(table).where(table.c.course_id == course_id, table.c.author_hash == author_hash)
                )

    @whole
    async def share(self, course_id: int, conversation_id: int, author_hash: str) -> None:
        """Show a practice to the instructor of a course."""
        values = {
            "course_id": course_id,
            "conversation_id": conversation_id,
            "author_hash": author_hash,
            "at": datetime.now(UTC),
        }
        async with self._database.writing() as connection:
            await connection.execute(
                insert(connection, shares).values(**values).on_conflict_do_nothing()  # it is there already
            )

    @whole
    async def unshare(self, course_id: int, conversation_id: int, author_hash: str) -> None:
        """Show it no more."""
        async with self._database.writing() as connection:
            await connection.execute(
                delete(shares).where(
                    shares.c.course_id == course_id,
                    shares.c.conversation_id == conversation_id,
                    shares.c.author_hash == author_hash,
                )
            )

    async def shared_by(self, author_hash: str, conversation_id: int) -> set[int]:
        """The ids of the courses to which a person shows that practice."""
        async with self._database.reading() as connection:
            found = await connection.execute(
                select(shares.c.course_id).where(
                    shares.c.author_hash == author_hash, shares.c.conversation_id == conversation_id
                )
            )
            return set(found.scalars())


async def delete_courses(connection: AsyncConnection, ids: list[int]) -> int:
    """Delete these courses with all that hangs on them; count them. Inside a transaction of somebody else's."""
    for table in (shares, members):
        await connection.execute(delete(table).where(table.c.course_id.in_(ids)))
    return (await connection.execute(delete(courses).where(courses.c.id.in_(ids)))).rowcount


async def forget(connection: AsyncConnection, author_hash: str) -> int:
    """Take a person off every list and out of what is shared, with the courses that are theirs; count the rows."""
    owned = select(courses.c.id).where(courses.c.author_hash == author_hash)
    gone = await delete_courses(connection, list((await connection.execute(owned)).scalars()))
    for table in (shares, members):
        gone += (await connection.execute(delete(table).where(table.c.author_hash == author_hash))).rowcount
    return gone
