"""/student debrief and /student growth: asked for by the person they are about; and a move that they put right.

It knows the store, the data and the settings; how it is shown is the platform's business.
"""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.debrief import growth, moves, telling
from bot.debrief.build import MOST_TURNS, Practice, build
from bot.debrief.growth import Practised
from bot.debrief.growth_picture import picture as growth_picture
from bot.debrief.page import page
from bot.debrief.picture import picture
from bot.messages import Attachment, CommandError, Place, Shown
from bot.pictures.png import png
from bot.student.believing import beginning
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.config import Settings
    from bot.debrief.record import Debrief
    from bot.store import Store
    from bot.store.rows import ConversationRow, TurnRow
    from bot.student.records.child import Child
    from bot.student.records.curriculum import Curriculum

NOTHING = "there is nothing to look back on yet: talk with the child here first"
NO_GROWTH = "there is nothing to look back on yet: talk with the child first"
USE = "debrief takes nothing, or move TURN MOVE, such as move 3 asks_why"
OFFER = "For a word on the practice that just ended, shown to you alone: /student debrief"
"""What is offered where a practice ends."""
MOST_LOOKED_AT = 60
"""Practices that growth looks at, the newest ones."""
_MOVE = re.compile(r"move\s+#?(?P<turn>\d{1,6})\s+(?P<name>.+)", re.I | re.S)


class Debriefs:
    """The debriefs of one program. Methods raise `CommandError`; a `StoreError` passes through."""

    def __init__(
        self, settings: Settings, store: Store, children: Mapping[str, Child], curriculum: Curriculum
    ) -> None:
        self._settings = settings
        self._store = store
        self._children = children
        self._curriculum = curriculum

    async def answer(self, place: Place, author_hash: str, text: str | None, *, mind: bool = True) -> Shown:
        """Show this person's debrief of the newest conversation here in which they spoke, or put a move right. Without
        `mind`, nothing of what the child believes."""
        conversation = await self._store.practices.newest(
            place.platform, place.channel, place.thread, author_hash
        )
        if conversation is None:
            raise CommandError(NOTHING)
        if text is not None:
            wanted = _MOVE.fullmatch(text.strip())
            if wanted is None:
                raise CommandError(USE)
            return await self.put_right(conversation, author_hash, int(wanted["turn"]), wanted["name"])
        return await asyncio.to_thread(_shown, await self.of(conversation, author_hash, mind=mind))

    async def of(self, conversation: ConversationRow, author_hash: str, *, mind: bool = True) -> Debrief:
        """The debrief of one conversation for one of its teachers."""
        turns, feedback = await self._store.practices.said(conversation.id, MOST_TURNS)
        unanswered = await self._store.practices.unanswered(conversation.id)
        practice = Practice(conversation, turns, feedback, unanswered)
        night = timedelta(hours=self._settings.classroom.next_day_hours)
        seats = self._seats(practice)
        scene = self._scene(practice, seats)
        return await asyncio.to_thread(build, practice, author_hash, scene, night, mind=mind, seats=seats)

    async def growth(self, author_hash: str, *, mind: bool = True) -> Shown:
        """Show this person what their practices show over weeks, wherever they were. Without `mind`, nothing of what
        the child believes."""
        found = await self.practised(author_hash, mind=mind)
        if not found:
            raise CommandError(NO_GROWTH)
        drawn = growth_picture(found)
        return Shown(
            growth.opening(found),
            growth.rows(found),
            growth.NO_SCORE,
            files=(Attachment("growth.png", await asyncio.to_thread(png, drawn), drawn.alt),),
        )

    async def practised(self, author_hash: str, *, mind: bool = True) -> list[Practised]:
        """The newest practices of one person, oldest first."""
        found = []
        for conversation in reversed(await self._store.practices.of(author_hash, MOST_LOOKED_AT)):
            told = await self.of(conversation, author_hash, mind=mind)
            scenario = self._curriculum.scenarios.get(conversation.scenario or "")
            found.append(growth.practised(told, scenario))
        return [each for each in found if each is not None]

    async def put_right(
        self, conversation: ConversationRow, author_hash: str, number: int, name: str
    ) -> Shown:
        """Keep what this person says that a turn of theirs did."""
        try:
            kind, kept = moves.read(name)
        except ValueError as error:
            raise CommandError(str(error)) from None
        turns, _ = await self._store.practices.said(conversation.id, MOST_TURNS)
        turn = next((each for each in turns if each.number == number), None)
        own = turn is not None and turn.role is Role.TEACHER and turn.author_hash == author_hash
        if turn is None or not own or turn.flag is not None:
            mine = [each.number for each in turns if each.author_hash == author_hash and each.flag is None]
            yours = ", ".join(map(str, mine[-telling.MOST_TURNS_NAMED :]))
            raise CommandError(f"turn {number} is none of yours that the child heard; yours are {yours}")
        await self._store.add_feedback(turn.id, author_hash, kind, kept)
        return Shown(
            f"Turn {number} is kept as: {moves.in_words(kind, kept)}. Thank you.",
            hint="It teaches the program only where your turns may be used: /student privacy.",
        )

    def _seats(self, practice: Practice) -> tuple[Child, ...]:
        """Who sat there; the default one where the data knows them no more."""
        conversation = practice.conversation
        seats = conversation.children
        if scenario := self._curriculum.scenarios.get(conversation.scenario or ""):
            seats = scenario.children
        elif len(seats) < 2 and (spoke := _last(practice)) is not None and spoke.child:  # noqa: PLR2004 - one or none
            seats = (spoke.child,)
        known = tuple(self._children[each] for each in seats if each in self._children)
        return known or (self._children[self._settings.student.child],)

    def _scene(self, practice: Practice, seats: Sequence[Child]) -> Scene:
        """Who of them spoke last in it and what was practised; the default lesson where the data knows it no more."""
        wanted, last = self._settings.student, _last(practice)
        child = next((each for each in seats if last is not None and each.id == last.child), seats[0])
        if scenario := self._curriculum.scenarios.get(practice.conversation.scenario or ""):
            return beginning.scene(scenario.of(child.id), child, self._curriculum)
        lesson = (last and last.lesson) or practice.conversation.lesson or wanted.lesson
        lessons = self._curriculum.lessons
        return Scene(child, lessons.get(lesson) or lessons[wanted.lesson], self._curriculum)


def _last(practice: Practice) -> TurnRow | None:
    """The last turn of a child."""
    return next((each for each in reversed(practice.turns) if each.role is Role.STUDENT), None)


def _shown(debrief: Debrief) -> Shown:
    """A debrief for a chat, with page and picture for whoever can show files."""
    drawn = picture(debrief)
    return Shown(
        telling.opening(debrief),
        telling.rows(debrief),
        telling.hint(debrief),
        files=(
            Attachment("debrief.png", png(drawn), drawn.alt),
            Attachment("debrief.html", page(debrief).encode(), "The whole debrief as a page, turn by turn."),
        ),
    )
