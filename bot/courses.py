"""Courses: instructors named in the settings assign a scenario, and rate what members chose to share.

A course is a list of people who joined with its code. An instructor sees of a member the name they gave themselves and
the practices they shared, no debrief and nothing else. Whoever asks for what is not theirs is told that there is none.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.messages import CommandError
from bot.portfolio import MOST_READ, Entry, Line
from bot.store.rows import Consent
from bot.student.records.dialogue import Role
from bot.student.records.reading import near

if TYPE_CHECKING:
    from bot.opinions import Opinions
    from bot.portfolio import Portfolio
    from bot.sections import Privacy
    from bot.store import Store
    from bot.store.courses import CourseRow, MemberRow, ShareRow
    from bot.store.rows import ConversationRow, TurnRow
    from bot.student.records.curriculum import Curriculum

MOST_COURSES = 30
"""Courses of one instructor, and courses that one person is in."""
MOST_MEMBERS = 300
TITLE_CHARACTERS, NAME_CHARACTERS, CODE_CHARACTERS = 80, 60, 12
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that are taken for one another."""
EXPORTED = (
    "course",
    "teacher",
    "practice",
    "scenario",
    "number",
    "role",
    "content",
    "said_at",
    "move",
    "child",
    "lesson",
    "misconception",
    "stage",
    "model",
)
"""What stands in a row of an export, in this order."""
NO_COURSE = "there is no such course here"
NOT_ALONE = "other people spoke in this practice, too, so it cannot be shared: what they said is theirs"
NOT_YOURS = "there is no such practice of yours"


@dataclass(frozen=True, slots=True)
class Shared:
    """A practice on an instructor's list: by whom, and how often this instructor rated it."""

    entry: Entry
    name: str
    ratings: int


class Courses:
    """All courses. `instructors` are the hashes of those who may begin one. Methods raise `CommandError`; a
    `StoreError` passes through."""

    def __init__(  # noqa: PLR0913 - the services of the room
        self,
        store: Store,
        portfolio: Portfolio,
        opinions: Opinions,
        curriculum: Curriculum,
        policy: Privacy,
        instructors: frozenset[str],
    ) -> None:
        self._store = store
        self._portfolio = portfolio
        self._opinions = opinions
        self._scenarios = curriculum.scenarios
        self._policy = policy
        self._instructors = instructors

    def teaches(self, author_hash: str) -> bool:
        """Whether this person may begin courses."""
        return author_hash in self._instructors

    # For members.

    async def joined(self, author_hash: str) -> list[CourseRow]:
        """The courses this person is in."""
        return await self._store.courses.joined(author_hash)

    async def join(self, author_hash: str, code: str, name: str) -> CourseRow:
        """Put this person on a course's list under the name they want to be seen by."""
        name = " ".join(name.split())[:NAME_CHARACTERS]
        if not name:
            raise CommandError("say by which name your instructor shall see you")
        course = await self._store.courses.of_code(code.strip().lower()[:CODE_CHARACTERS])
        if course is None:
            raise CommandError("no course has this code; ask your instructor for it")
        mine = {each.id for each in await self.joined(author_hash)}
        if course.id not in mine:
            if len(mine) >= MOST_COURSES:
                raise CommandError(f"you are in {len(mine)} courses already; leave one first")
            if len(await self._store.courses.members(course.id)) >= MOST_MEMBERS:
                raise CommandError(f"this course is full: {MOST_MEMBERS} people are in it")
        await self._store.courses.join(course.id, author_hash, name)
        return course

    async def has_code(self, code: str) -> bool:
        """Whether a course has this code."""
        return await self._store.courses.of_code(code.strip().lower()[:CODE_CHARACTERS]) is not None

    async def leave(self, author_hash: str, course_id: int) -> None:
        """Take this person off the list; what they shared there is shared no more."""
        await self._store.courses.leave(course_id, author_hash)

    async def shares(self, author_hash: str, conversation_id: int) -> list[tuple[CourseRow, bool]]:
        """This person's courses, each with whether the practice is shown to its instructor."""
        shown = await self._store.courses.shared_by(author_hash, conversation_id)
        return [(each, each.id in shown) for each in await self.joined(author_hash)]

    async def share(self, author_hash: str, course_id: int, conversation_id: int) -> None:
        """Show a practice, in which nobody else spoke, to the instructor of a course this person is in."""
        if course_id not in {each.id for each in await self.joined(author_hash)}:
            raise CommandError(NO_COURSE)
        turns, _ = await self._store.practices.said(conversation_id, MOST_READ)
        people = {each.author_hash for each in turns if each.role is Role.TEACHER}
        if author_hash not in people:
            raise CommandError(NOT_YOURS)
        if len(people) > 1:
            raise CommandError(NOT_ALONE)
        await self._store.courses.share(course_id, conversation_id, author_hash)

    async def unshare(self, author_hash: str, course_id: int, conversation_id: int) -> None:
        """Show it no more."""
        await self._store.courses.unshare(course_id, conversation_id, author_hash)

    # For instructors.

    async def begin(self, author_hash: str, title: str) -> CourseRow:
        """A new course, with a code for people to join it."""
        self._may(author_hash)
        title = " ".join(title.split())[:TITLE_CHARACTERS]
        if not title:
            raise CommandError("give the course a title")
        if len(await self.owned(author_hash)) >= MOST_COURSES:
            raise CommandError(f"you have {MOST_COURSES} courses; end one first")
        code = "".join(secrets.choice(_LETTERS) for _ in range(8))
        return await self._store.courses.begin(author_hash, title, code)

    async def owned(self, author_hash: str) -> list[CourseRow]:
        """This instructor's courses; none for whoever is no instructor any more."""
        return await self._store.courses.owned(author_hash) if self.teaches(author_hash) else []

    async def course(self, author_hash: str, course_id: int) -> CourseRow:
        """One of this instructor's courses."""
        self._may(author_hash)
        found = next((each for each in await self.owned(author_hash) if each.id == course_id), None)
        if found is None:
            raise CommandError(NO_COURSE)
        return found

    async def members(self, course: CourseRow) -> list[MemberRow]:
        """Who is in it."""
        return await self._store.courses.members(course.id)

    async def shared(self, course: CourseRow) -> list[Shared]:
        """What its members show."""
        found = []
        for each in await self._store.courses.shared(course.id):
            conversation = await self._store.practices.get(each.conversation_id)
            if conversation is not None:
                found.append(Shared(self._portfolio.entry(conversation), each.name, each.ratings))
        return found

    async def assign(self, author_hash: str, course_id: int, scenario: str) -> None:
        """Let the course practise that scenario; "" takes it off."""
        course = await self.course(author_hash, course_id)
        if scenario and scenario not in self._scenarios:
            raise CommandError(f"no scenario {scenario!r}; {near(scenario, self._scenarios)}")
        await self._store.courses.assign(course.id, author_hash, scenario or None)

    async def end(self, author_hash: str, course_id: int) -> None:
        """Delete the course, its list of people and of what they shared; their practices stay theirs."""
        await self._store.courses.end((await self.course(author_hash, course_id)).id, author_hash)

    async def practice(
        self, author_hash: str, course_id: int, conversation_id: int
    ) -> tuple[Shared, tuple[Line, ...]]:
        """A shared practice, as its teacher saw it."""
        course = await self.course(author_hash, course_id)
        share, conversation = await self._share(course, conversation_id)
        entry = self._portfolio.entry(conversation)
        turns = await self._turns(share)
        lines = self._portfolio.lines(turns, share.author_hash, entry.child)
        return Shared(entry, share.name, share.ratings), lines

    async def rate(
        self,
        author_hash: str,
        course_id: int,
        conversation_id: int,
        scores: Mapping[str, int],
        comment: str | None,
    ) -> None:
        """Rate the child of a shared practice by the rubric, as /student rate does."""
        course = await self.course(author_hash, course_id)
        _, conversation = await self._share(course, conversation_id)
        await self._opinions.rate_conversation(conversation, author_hash, dict(scores), comment)

    async def export(self, author_hash: str, course_id: int) -> AsyncIterator[dict[str, Any]]:
        """The turns of shared practices that may be used, in order, one row each: by who consented when they were said
        and does so now. People are numbered within the course, in the order in which they joined."""
        course = await self.course(author_hash, course_id)
        in_order = sorted(await self.members(course), key=lambda each: (each.at, each.author_hash))
        numbers = {each.author_hash: place for place, each in enumerate(in_order, start=1)}
        for share in reversed(await self._store.courses.shared(course.id)):
            if not await self._allows(share.author_hash):
                continue
            conversation = await self._store.practices.get(share.conversation_id)
            if conversation is None:
                continue
            for turn in await self._turns(share):
                if turn.consent is Consent.ON and turn.flag is None:
                    yield _row(course, numbers[share.author_hash], conversation, turn)

    async def _allows(self, author_hash: str) -> bool:
        now = await self._store.consent(author_hash)
        if self._policy.consent == "off":
            return False
        return now is Consent.ON or (now is None and self._policy.consent == "opt_out")

    async def _share(self, course: CourseRow, conversation_id: int) -> tuple[ShareRow, ConversationRow]:
        found = await self._store.courses.shared(course.id, conversation_id)
        conversation = await self._store.practices.get(conversation_id) if found else None
        if conversation is None:
            raise CommandError("there is no such practice in this course")
        return found[0], conversation

    async def _turns(self, share: ShareRow) -> list[TurnRow]:
        """What the one who shared it said, and what the child answered to that: who else speaks there later is not
        shown."""
        turns, _ = await self._store.practices.said(share.conversation_id, MOST_READ)
        found, theirs = [], False
        for turn in turns:
            if turn.role is Role.TEACHER:
                theirs = turn.author_hash == share.author_hash
            if theirs:
                found.append(turn)
        return found

    def _may(self, author_hash: str) -> None:
        if not self.teaches(author_hash):
            raise CommandError(NO_COURSE)


def _row(course: CourseRow, teacher: int, conversation: ConversationRow, turn: TurnRow) -> dict[str, Any]:
    thought = turn.thought
    return {
        "course": course.title,
        "teacher": teacher,
        "practice": conversation.id,
        "scenario": conversation.scenario or "",
        "number": turn.number,
        "role": turn.role.value,
        "content": turn.content,
        "said_at": turn.said_at.isoformat(),
        "move": turn.move.value if turn.move else "",
        "child": turn.child or "",
        "lesson": turn.lesson or "",
        "misconception": (thought.misconception if thought else None) or "",
        "stage": thought.stage.value if thought and thought.stage else "",
        "model": turn.model or "",
    }
