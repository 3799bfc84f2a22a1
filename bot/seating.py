"""Who sits in a conversation: child and lesson, or those of a scenario; the model, the ear, and the state of mind.

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

    def scene(self, conversation: ConversationRow | None) -> Scene:
        """Child and lesson; the default ones where nothing is known of the conversation. A scenario brings its own."""
        if scenario := self.scenario(conversation):
            return beginning.scene(scenario, self._children[scenario.child], self._curriculum)
        wanted, lessons = self._settings.student, self._curriculum.lessons
        child = self._children.get((conversation and conversation.child) or "")
        lesson = lessons.get((conversation and conversation.lesson) or "")
        return Scene(
            child or self._children[wanted.child], lesson or lessons[wanted.lesson], self._curriculum
        )

    def scenario(self, conversation: ConversationRow | None) -> Scenario | None:
        """What is practised there, if anything that is known."""
        return self._curriculum.scenarios.get((conversation and conversation.scenario) or "")

    def opening(self, conversation: ConversationRow, shown: int) -> tuple[Turn, ...]:
        """What the child said first of all, where all turns of the conversation are `shown`."""
        scenario = self.scenario(conversation)
        if scenario is None or scenario.opening is None or shown < conversation.turns:
            return ()
        return (Turn(Role.STUDENT, scenario.opening),)

    def model(self, conversation: ConversationRow) -> str:
        """The name of the model that gives the child words."""
        return conversation.model or self._settings.student.model

    def state(self, conversation: ConversationRow, now: datetime) -> MindState:
        """The state of mind; a night's sleep since the child last spoke has changed it."""
        if conversation.mind is None:
            return self._fresh(conversation)
        try:
            state = MindState.from_json(conversation.mind)
        except MindError as error:
            log.warning("mind begins anew", reason=str(error))
            return self._fresh(conversation)
        night = timedelta(hours=self._settings.classroom.next_day_hours)
        return (
            state.next_day() if now - (conversation.spoken_at or conversation.updated_at) > night else state
        )

    def _fresh(self, conversation: ConversationRow) -> MindState:
        scenario = self.scenario(conversation)
        return beginning.begin(scenario, self.scene(conversation)) if scenario else MindState()

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
