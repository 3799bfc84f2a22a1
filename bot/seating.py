"""Who sits in a conversation: children and lesson, or those of a scenario; the model, the ear, and the states of mind.

It knows settings, data and what is stored of a conversation; no message and no platform.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.models.base import ModelRefused, ModelUnavailable, Reply
from bot.models.kinds.ear import EAR
from bot.models.kinds.ear import NAME as EAR_NAME
from bot.models.registry import UnknownModel
from bot.student.believing import beginning
from bot.student.believing.minds import Minds
from bot.student.believing.state import MindError, MindState, refers_to
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import Role, Turn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.config import Settings
    from bot.models.registry import Models
    from bot.store.rows import ConversationRow
    from bot.student.hearing.reader import Reader, Reads
    from bot.student.records.child import Child
    from bot.student.records.curriculum import Curriculum
    from bot.student.records.scenario import Scenario
    from bot.student.said import Said

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ear:
    """Who reads a turn, and what asking took where a hosted model was asked."""

    reader: Reads | None
    asked: Reply | None = None


class Seating:
    """What is stored may have gone from the data since: then the default sits in."""

    def __init__(
        self, settings: Settings, models: Models, children: Mapping[str, Child], curriculum: Curriculum
    ) -> None:
        self._settings = settings
        self._models = models
        self._children = children
        self._curriculum = curriculum

    def seats(self, conversation: ConversationRow | None) -> tuple[str, ...]:
        """The ids of the children who sit there, in order."""
        if scenario := self.scenario(conversation):
            return scenario.children
        chosen = conversation.children if conversation else ()
        return tuple(each for each in chosen if each in self._children) or (self._settings.student.child,)

    def scenes(self, conversation: ConversationRow | None) -> tuple[Scene, ...]:
        """Each child that sits there with the lesson; the default ones where nothing is known of the conversation. A
        scenario brings its own."""
        seats = self.seats(conversation)
        if scenario := self.scenario(conversation):
            return tuple(
                beginning.scene(scenario.of(each), self._children[each], self._curriculum) for each in seats
            )
        lessons = self._curriculum.lessons
        lesson = lessons.get((conversation and conversation.lesson) or "")
        lesson = lesson or lessons[self._settings.student.lesson]
        return tuple(Scene(self._children[each], lesson, self._curriculum) for each in seats)

    def scene(self, conversation: ConversationRow | None) -> Scene:
        """The first child that sits there, with the lesson."""
        return self.scenes(conversation)[0]

    def called(self, conversation: ConversationRow | None) -> str:
        """What whoever sits there is called in a sentence about them: the child's name, or the class."""
        if (scenario := self.scenario(conversation)) and scenario.parent:
            return scenario.parent.name
        scenes = self.scenes(conversation)
        return scenes[0].child.name if len(scenes) == 1 else "the class"

    def scenario(self, conversation: ConversationRow | None) -> Scenario | None:
        """What is practised there, if anything that is known."""
        return self._curriculum.scenarios.get((conversation and conversation.scenario) or "")

    def opening(self, conversation: ConversationRow, shown: int) -> tuple[Turn, ...]:
        """What the first child said first of all, where all turns of the conversation are `shown`."""
        scenario = self.scenario(conversation)
        if scenario is None or scenario.opening is None or shown < conversation.turns:
            return ()
        return (Turn(Role.STUDENT, scenario.opening),)

    def model(self, conversation: ConversationRow) -> str:
        """The name of the model that gives the child words."""
        return conversation.model or self._settings.student.model

    def minds(self, conversation: ConversationRow, now: datetime) -> Minds:
        """The states of mind; a night's sleep since somebody last spoke has changed them."""
        if conversation.mind is None:
            return self._fresh(conversation)
        try:
            minds = Minds.from_json(conversation.mind, self.seats(conversation))
        except MindError as error:
            log.warning("mind begins anew", reason=str(error))
            return self._fresh(conversation)
        night = timedelta(hours=self._settings.classroom.next_day_hours)
        return (
            minds.next_day() if now - (conversation.spoken_at or conversation.updated_at) > night else minds
        )

    def _fresh(self, conversation: ConversationRow) -> Minds:
        scenario, scenes = self.scenario(conversation), self.scenes(conversation)
        return Minds.begin(
            [
                beginning.begin(scenario.of(each.child.id), each) if scenario else MindState()
                for each in scenes
            ]
        )

    async def ear(self, said: Said, scene: Scene, state: MindState, *, hosted: bool = True) -> Ear:
        """Who hears this turn: the hosted model of `[student] ear` where one is set, may be asked and answers in time,
        else the trained ear."""
        if hosted and (name := self._settings.student.ear):
            from bot.models import hosted_ear  # noqa: PLC0415 - brings aiohttp
            from bot.models.chat import ChatModel  # noqa: PLC0415

            try:
                model = await self._models.get(name)
                if isinstance(model, ChatModel):
                    return Ear(*await hosted_ear.ask(model, said.own, refers_to(scene, state)))
                log.warning("no ear", model=name, reason="only a hosted model can be asked")
            except (ModelUnavailable, ModelRefused, UnknownModel) as error:
                log.warning("ear not asked", model=name, reason=str(error))
        return Ear(await self.reader())

    async def reader(self) -> Reader | None:
        """The ear that is live; None where none is published, or it cannot be read: then the rules hear alone."""
        try:
            return (await self._models.live(EAR_NAME, EAR)).reader
        except ModelUnavailable:
            return None
