"""A unit of an evaluation: some conversations that are run, written and resumed together.

It knows speakers and rows; what is asked and what the answers are worth is the sections' business.
"""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from bot.student.guard.safeguard import Flag
from training.evaluate.rows import CONTROL, Row, Section
from training.evaluate.speakers import Prompt, Said, Speaker, Talk


@dataclass(frozen=True, slots=True)
class Unit:
    """`run` holds the conversations; `turns` is about how many they take, for the time that is left.

    `cluster` is the family that the bootstrap draws together; with section and seed it names the unit.
    """

    section: Section
    cluster: str
    seed: int
    turns: int
    run: Callable[[Session], Awaitable[None]]


class Session:
    """One unit with one speaker: it opens conversations and keeps their rows."""

    def __init__(self, speaker: Speaker, unit: Unit) -> None:
        self.speaker, self.unit = speaker, unit
        self._conversations: list[Conversation] = []

    @property
    def is_control(self) -> bool:
        """Whether nobody's state has to be as expected before the next turn is worth asking."""
        return self.speaker.kind == CONTROL

    def open(
        self, item: str, child: str, lesson: str, *, opening: str = "", canary: bool = False
    ) -> Conversation:
        """A fresh conversation; those of the same `opening` share the words of their first turn."""
        seed = seed_of(item, self.unit.seed)
        shared = seed_of(opening, self.unit.seed) if opening else seed
        conversation = Conversation(self, item, Talk(child, lesson, seed, shared, canary))
        self._conversations.append(conversation)
        return conversation

    async def run(self) -> list[Row]:
        """Every row of the unit, in order; raises `ModelUnavailable` when there is no answer to be had."""
        await self.unit.run(self)
        rows = [
            replace(row, item=conversation.item, turn=turn)
            for conversation in self._conversations
            for turn, row in enumerate(conversation.rows, start=1)
        ]
        return [*rows[:-1], replace(rows[-1], last=True)]


class Conversation:
    """One conversation of a session. `item` names it in the rows and may be changed before the session ends."""

    def __init__(self, session: Session, item: str, talk: Talk) -> None:
        self.item, self.talk = item, talk
        self.rows: list[Row] = []
        self._session = session

    async def hears(self, prompt: Prompt) -> Said:
        """Say it, keep the row, and score what every turn is scored for."""
        said = await self._session.speaker.says(self.talk, prompt)
        self.rows.append(self._row(prompt, said))
        if said.voiced is not None:
            self.score("voiced.model", said.voiced == "model")
            self.score("voiced.phrasing", said.voiced == "phrasing")
        if prompt.ordinary and prompt.cue is None and not self._session.is_control:
            self.score("persona.over", said.flag == Flag.HONESTY)
        return said

    async def told(self, teacher: str, child: str) -> None:
        """Tell what was said before; it is history, and no row is kept of it."""
        await self._session.speaker.says(self.talk, Prompt(teacher, given=child))

    def score(self, metric: str, hit: float) -> None:
        """A score of the last turn."""
        row = self.rows[-1]
        self.rows[-1] = replace(row, scores={**row.scores, metric: float(hit)})

    def _row(self, prompt: Prompt, said: Said) -> Row:
        speaker, unit, talk = self._session.speaker, self._session.unit, self.talk
        return Row(
            model=speaker.name,
            version=speaker.version,
            kind=speaker.kind,
            section=unit.section,
            item=self.item,
            cluster=unit.cluster,
            seed=unit.seed,
            turn=0,
            child=talk.child,
            lesson=talk.lesson,
            teacher=prompt.text,
            text=said.text,
            thought=said.thought.to_json() if said.thought else None,
            voiced=said.voiced,
            latency_ms=round(said.latency_ms, 1),
            prompt_tokens=said.prompt_tokens,
            completion_tokens=said.completion_tokens,
            cost_usd=said.cost_usd,
            cache_hit=said.cache_hit,
            last=False,
        )


def seed_of(name: str, seed: int) -> int:
    """The same for all models, so that they are asked in pairs."""
    return zlib.crc32(f"{seed} {name}".encode()) >> 1
