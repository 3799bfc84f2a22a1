"""What one person practised, for that person: the talk that runs, the list, one practice looked back on, growth.

Whatever is asked for by its number is given only to somebody who spoke in it. It knows store, data and debriefs; how it
is shown is the platform's business.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from bot.debrief.growth import Practised
from bot.debrief.growth_picture import picture
from bot.debrief.moves import MENU
from bot.debrief.page import body
from bot.messages import Shown
from bot.pages.drawing import files
from bot.pictures.svg import svg
from bot.student.records.dialogue import Role

if TYPE_CHECKING:
    from bot.debrief.command import Debriefs
    from bot.messages import Place
    from bot.practice import Practice
    from bot.store import Store
    from bot.store.rows import ConversationRow, TurnRow
    from bot.student.records.child import Child
    from bot.student.records.curriculum import Curriculum
    from bot.student.records.scenario import Scenario

MOST_SHOWN = 200
"""Turns of the talk that runs, the newest ones."""
MOST_READ = 2_000
"""Turns of one practice."""
MOST_LISTED = 100
"""Practices on the list, the newest ones."""
Who = Literal["you", "child", "other"]


@dataclass(frozen=True, slots=True)
class Line:
    """One turn as somebody sees it; `answered` is False where the program answered it in the child's place."""

    number: int
    who: Who
    name: str
    text: str
    answered: bool = True


@dataclass(frozen=True, slots=True)
class Talk:
    """The talk that runs in a place: who sits there, what is practised, and what was said. `left` says how many turns
    are left of those that the scenario is meant to take, 0 or less where it had them; None where it names none. `goal`
    is the scenario's, `several` says that more than one child sits there."""

    conversation: int
    child: str
    scenario: str | None
    card: Shown
    lines: tuple[Line, ...]
    left: int | None = None
    goal: str = ""
    several: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """One practice on a list."""

    conversation: int
    began: datetime
    child: str
    lesson: str
    scenario: str
    turns: int


class Portfolio:
    """The practices of everybody, each handed to whose they are. A `StoreError` passes through."""

    def __init__(
        self,
        store: Store,
        practice: Practice,
        debriefs: Debriefs,
        children: Mapping[str, Child],
        curriculum: Curriculum,
    ) -> None:
        self._store = store
        self._practice = practice
        self._debriefs = debriefs
        self._children = children
        self._curriculum = curriculum

    async def talk(self, place: Place, author_hash: str) -> Talk:
        """What runs in a place, as that person sees it."""
        conversation, turns = await self._store.so_far(
            place.platform, place.channel, place.thread, lambda _: MOST_SHOWN
        )
        scenario = self._practice.of(conversation)
        child, known = self._practice.with_whom(conversation), self._practice.lesson(conversation)
        lesson = self._curriculum.lessons.get(known)
        if scenario is not None:
            card = replace(await self._practice.card(scenario), hint="")
        elif lesson is not None:
            page = lesson.page
            rows = (("with", child), *((("on the page", page.told),) if page else ()))
            card = Shown(lesson.title, rows, lesson.objective, files=await files(page))
        else:
            card = Shown(known, (("with", child),))
        if card.files:  # the picture has the same words
            shown = tuple(each for each in card.rows if each[0] not in {"on the page", "on the table"})
            card = replace(card, rows=shown)
        lines = list(self.lines(turns, author_hash, child))
        if scenario is not None and scenario.opening and len(turns) >= conversation.turns:
            lines.insert(0, Line(0, "child", child, scenario.opening))
        practised, left = scenario.id if scenario else None, _left(scenario, turns, author_hash)
        goal, several = scenario.goal if scenario else "", len(self._practice.children(conversation)) > 1
        return Talk(conversation.id, child, practised, card, tuple(lines), left, goal, several)

    async def left(self, place: Place, author_hash: str) -> int | None:
        """How many turns are left there of those that the scenario is meant to take; None where it names none."""
        conversation, turns = await self._store.so_far(
            place.platform, place.channel, place.thread, lambda _: MOST_SHOWN
        )
        return _left(self._practice.of(conversation), turns, author_hash)

    def lines(self, turns: Sequence[TurnRow], author_hash: str, child: str) -> tuple[Line, ...]:
        """Turns as that teacher sees them; `child` is whose name stands where the data knows the child no more."""
        found = []
        for each in turns:
            if each.role is Role.STUDENT:
                known = self._children.get(each.child or "")
                found.append(Line(each.number, "child", known.name if known else child, each.content))
            else:
                mine = each.author_hash == author_hash
                who: Who = "you" if mine else "other"
                name = "You" if mine else "Another teacher"
                found.append(Line(each.number, who, name, each.content, answered=each.flag is None))
        return tuple(found)

    async def entries(self, author_hash: str) -> list[Entry]:
        """The newest practices of a person, newest first."""
        return [self.entry(each) for each in await self._store.practices.of(author_hash, MOST_LISTED)]

    def entry(self, conversation: ConversationRow) -> Entry:
        """A practice as it stands on a list; what the data knows no more is named as it was stored."""
        scenario = self._practice.of(conversation)
        lesson = self._practice.lesson(conversation)
        return Entry(
            conversation=conversation.id,
            began=conversation.created_at,
            child=self._practice.with_whom(conversation),
            lesson=self._curriculum.lessons[lesson].title if lesson in self._curriculum.lessons else lesson,
            scenario=scenario.title if scenario else "",
            turns=conversation.turns - (conversation.branch_at or 0),
        )

    async def own(self, conversation_id: int, author_hash: str) -> ConversationRow | None:
        """The practice of that number, where that person spoke in it and is still there; else None."""
        turns, _ = await self._store.practices.said(conversation_id, MOST_READ)
        if not any(each.role is Role.TEACHER and each.author_hash == author_hash for each in turns):
            return None
        return await self._store.practices.get(conversation_id)

    async def debrief(self, conversation_id: int, author_hash: str, *, mind: bool) -> str | None:
        """The debrief of a practice for that person, as the inside of a page; None where it is none of theirs."""
        conversation = await self.own(conversation_id, author_hash)
        if conversation is None:
            return None
        return await asyncio.to_thread(body, await self._debriefs.of(conversation, author_hash, mind=mind))

    async def put_right(self, conversation_id: int, author_hash: str, turn: int, move: str) -> Shown | None:
        """Put right how a turn of that person's was heard; None where the practice is none of theirs."""
        conversation = await self.own(conversation_id, author_hash)
        if conversation is None:
            return None
        return await self._debriefs.put_right(conversation, author_hash, turn, move)

    @property
    def moves(self) -> tuple[tuple[str, str], ...]:
        """What a turn can be put right to, each with its words."""
        return MENU

    async def own_turns(self, conversation_id: int, author_hash: str) -> list[tuple[int, str]]:
        """What that person said in a practice that the child heard, by number."""
        turns, _ = await self._store.practices.said(conversation_id, MOST_READ)
        mine = (each for each in turns if each.author_hash == author_hash and each.role is Role.TEACHER)
        return [(each.number, each.content) for each in mine if each.content and each.flag is None]

    async def growth(self, author_hash: str, *, mind: bool) -> tuple[list[Practised], str]:
        """What a person's practices show, oldest first, and the picture of it as an <svg> element."""
        found = await self._debriefs.practised(author_hash, mind=mind)
        return found, svg(picture(found)) if found else ""


def _left(scenario: Scenario | None, turns: Sequence[TurnRow], author_hash: str) -> int | None:
    if scenario is None or scenario.turns is None:
        return None
    return scenario.turns - sum(
        each.author_hash == author_hash for each in turns if each.role is Role.TEACHER
    )
