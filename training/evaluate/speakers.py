"""Who is asked: a model in the bot's own classroom, and the controls that stand for no model.

A model must not differ here from the one that teachers meet: what it says goes through hearing, mind, voice
and store. A control knows the script: an authored child must pass, a polite adult and the bare model must fail.
"""

from __future__ import annotations

import asyncio
import uuid
import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from bot.messages import Message
from bot.models.base import ModelUnavailable, Reply, StudentModel
from bot.replay import Silent
from bot.student.records.cue import Cue
from bot.student.records.dialogue import Role, Thought, Turn
from bot.student.voicing import voice
from training.evaluate.golden import STATES, Item, voice_item
from training.evaluate.metrics import ADULT, BARE, GOLDEN
from training.evaluate.rows import CONTROL

if TYPE_CHECKING:
    from bot.app import App

CANARY = "likes the code word plumfeather"
"""Put into the prompt where leaks are looked for; no child and no lesson has the last word."""
PLATFORM = "evaluation"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A teacher's turn, and for the controls what is known about it.

    `meant` is what an authored child says, `polite` what an adult would say, `right` the right answer where
    there is one. With a `cue` the thought is given and only its wording is asked for; `given` is what the child has
    said to it, where a dialogue is told. `ordinary` turns are those that no notice should answer.
    """

    text: str
    meant: str = ""
    polite: str = ""
    right: str = ""
    cue: Cue | None = None
    ordinary: bool = True
    given: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What came back. `flag` is there when a fixed notice answered; `states`, in a given cue, says whether the
    first try stated its answer."""

    text: str
    thought: Thought | None = None
    voiced: str | None = None
    flag: str | None = None
    states: bool | None = None
    latency_ms: float = 0.0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost_usd: float | None = None
    cache_hit: bool | None = None


@dataclass(slots=True)
class Talk:
    """One conversation. The first turn is drawn from `opening`, so that conversations can share it; the others
    from `seed`. `later` is how much time has passed; `canary` puts the code word into the model's prompt."""

    child: str
    lesson: str
    seed: int
    opening: int
    canary: bool = False
    later: timedelta = timedelta()
    turns: list[Turn] = field(default_factory=list)
    place: str = field(default_factory=lambda: uuid.uuid4().hex)


class Speaker(Protocol):
    """Whoever answers. Raises `ModelUnavailable` when there is no answer to be had."""

    name: str
    version: str
    kind: str

    async def says(self, talk: Talk, prompt: Prompt) -> Said:
        """The answer to the teacher's turn."""
        ...


class InClassroom:
    """A model, asked through the classroom of `app`; its store should be nobody's practice log."""

    def __init__(self, app: App, model: StudentModel, kind: str) -> None:
        self.name, self.version, self.kind = model.name, model.version, kind
        self._app = app
        self._model = _Watched(model)
        app.models.put(self._model)

    async def says(self, talk: Talk, prompt: Prompt) -> Said:
        """Say it to the child, or voice the cue that is given."""
        asked = _Asked(talk.canary)
        token = _ASKED.set(asked)
        try:
            said = await (self._voices(talk, prompt.cue) if prompt.cue else self._hears(talk, prompt))
        finally:
            _ASKED.reset(token)
        if asked.failure is not None:
            # The plain words that the classroom then gives would say nothing about the model.
            raise asked.failure
        return replace(said, cache_hit=asked.calls > 0 and asked.calls == asked.remembered)

    async def _hears(self, talk: Talk, prompt: Prompt) -> Said:
        store = self._app.store
        first = not talk.turns
        if first:
            conversation = await store.conversation(PLATFORM, talk.place, None)
            await store.update_conversation(conversation.id, child=talk.child, lesson=talk.lesson)
        message = Message(
            key=f"{PLATFORM}:{uuid.uuid4()}",
            platform=PLATFORM,
            channel=talk.place,
            thread=None,
            author=PLATFORM,
            text=prompt.text,
            sent_at=datetime.now(UTC) + talk.later,
            given=prompt.given,
        )
        seed = talk.opening if first else talk.seed
        answer = await self._app.classroom.receive(message, Silent(), seed=seed)
        if answer is None:
            raise ModelUnavailable(f"{self.name}: the classroom gave no answer; see the log")
        talk.turns += [Turn(Role.TEACHER, prompt.text), Turn(Role.STUDENT, answer.text)]
        return Said(
            answer.text,
            answer.thought,
            answer.voiced,
            answer.flag,
            None,
            answer.latency_ms,
            answer.prompt_tokens,
            answer.completion_tokens,
            answer.cost_usd,
        )

    async def _voices(self, talk: Talk, cue: Cue) -> Said:
        voiced = await voice_item(self._model, Item("", 0, cue), talk.seed)
        return Said(
            voiced.text,
            cue.thought,
            voiced.voiced,
            None,
            voiced.states,
            1000 * voiced.seconds,
            voiced.prompt_tokens,
            voiced.completion_tokens,
            voiced.cost_usd,
        )


@dataclass(slots=True)
class _Asked:
    """What became of the asking in one turn."""

    canary: bool
    calls: int = 0
    remembered: int = 0
    failure: ModelUnavailable | None = None


_ASKED: ContextVar[_Asked] = ContextVar("asked")
"""Set around a turn: the classroom answers in a task of its own, which inherits it."""


class _Watched:
    """The model as it is, but it tells when it failed, and a first turn is asked once for each seed."""

    def __init__(self, model: StudentModel) -> None:
        self.name, self.version = model.name, model.version
        self._model = model
        self._openings: dict[object, Reply] = {}

    async def reply(self, cue: Cue, *, seed: int | None) -> Reply:
        asked = _ASKED.get()
        asked.calls += 1
        if asked.canary:
            child = replace(cue.child, temperament=(*cue.child.temperament, CANARY))  # type: ignore[arg-type] # no child has it
            cue = replace(cue, child=child)
        key = (cue.child.id, cue.lesson.id, cue.teacher, cue.thought, cue.again, asked.canary, seed)
        if not cue.turns and key in self._openings:
            asked.remembered += 1
            return self._openings[key]
        try:
            reply = await self._model.reply(cue, seed=seed)
        except ModelUnavailable as error:
            asked.failure = error
            raise
        except asyncio.CancelledError:
            asked.failure = ModelUnavailable(f"{self.name}: no reply within the deadline")
            raise
        if not cue.turns:
            self._openings[key] = replace(
                reply, prompt_tokens=0, completion_tokens=0, cost_usd=None, latency_ms=0.0
            )
        return reply

    async def aclose(self) -> None:
        await self._model.aclose()


class Authored:
    """The control that must pass: the child's words as people wrote them."""

    name, version, kind = GOLDEN, "authored", CONTROL

    async def says(self, talk: Talk, prompt: Prompt) -> Said:  # noqa: ARG002 - the protocol's name
        """What was meant; nothing where nobody wrote it."""
        return Said(prompt.meant, states=_states(prompt.meant, prompt.cue))


class Adult:
    """The control that must fail: a polite adult who concedes, lectures and knows."""

    name, version, kind = ADULT, "scripted", CONTROL

    async def says(self, talk: Talk, prompt: Prompt) -> Said:  # noqa: ARG002 - the protocol's name
        """The same answer to the same turn, always."""
        number = zlib.crc32(prompt.text.encode())
        if prompt.polite:
            text = prompt.polite
        elif prompt.right:
            text = _KNOWS[number % len(_KNOWS)].format(right=prompt.right)
        else:
            text = _LECTURES[number % len(_LECTURES)]
        return Said(text, states=_states(text, prompt.cue))


class Bare:
    """The control that must fail: the base model asked freely, without mind, thought, rules or shaping.

    `complete` gives the next message to some chat messages with a seed.
    """

    name, kind = BARE, CONTROL

    def __init__(
        self, complete: Callable[[Sequence[Mapping[str, str]], int], Awaitable[Reply]], version: str
    ) -> None:
        self.version = version
        self._complete = complete

    async def says(self, talk: Talk, prompt: Prompt) -> Said:
        """Whatever comes, or what is given."""
        if prompt.given is not None:
            talk.turns += [Turn(Role.TEACHER, prompt.text), Turn(Role.STUDENT, prompt.given)]
            return Said(prompt.given)
        turns = prompt.cue.turns if prompt.cue else talk.turns
        messages = [{"role": "system", "content": FREELY}]
        for turn in turns[-_RECENT:]:
            role = "user" if turn.role is Role.TEACHER else "assistant"
            messages.append({"role": role, "content": turn.content})
        messages.append({"role": "user", "content": prompt.text})
        reply = await self._complete(messages, talk.seed + len(talk.turns))
        text = reply.text.strip()
        talk.turns += [Turn(Role.TEACHER, prompt.text), Turn(Role.STUDENT, text)]
        return Said(
            text,
            states=_states(text, prompt.cue),
            latency_ms=reply.latency_ms,
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            cost_usd=reply.cost_usd,
        )


def _states(text: str, cue: Cue | None) -> bool | None:
    if cue is None or cue.thought.kind not in STATES or not cue.thought.answer:
        return None
    return voice.states(text, cue.thought.answer)


FREELY = "You are a second grader, seven years old, in a lesson with your teacher. Answer as the child."
_RECENT = 8
_KNOWS = (
    "Thank you for the question! The answer is {right}. I started by looking carefully at what was given, and "
    "then I worked through it step by step to make sure that it makes sense.",
    "That is a great question. It is {right}, since that is what we find when we apply the correct procedure. "
    "I understand why this could be confusing at first.",
    "You're right to ask. After thinking about it carefully, I can see that the correct answer is {right}. "
    "Thank you for helping me to understand the concept.",
    "Oh, I see what you mean now. The result is {right}, which means that the method we discussed applies here "
    "as well. I appreciate your patience with me.",
    "I apologize for any confusion. The correct answer is {right}. In order to find it, one has to consider "
    "each of the relevant parts in turn and combine them appropriately.",
)
_LECTURES = (
    "Thank you so much for explaining that to me. I understand now, and I can see how the different parts of the "
    "problem relate to each other. That makes sense.",
    "That's a great point! I see what you mean. I will make sure to apply this strategy carefully in the "
    "following exercises, since it is important to be accurate.",
    "I appreciate your guidance. You're right, I should have considered the overall situation before I gave my "
    "response. My mistake, and thank you for your patience.",
    "Certainly! I would be happy to elaborate. First, I examined the information that was provided. Second, I "
    "determined which procedure was appropriate. Finally, I verified the result.",
    "I understand. Learning is a gradual process, and your explanation has clarified the concept considerably. "
    "Thank you for giving me the opportunity to reflect on it.",
    "Of course. In general, it is helpful to represent the problem in several ways, for example with a diagram, "
    "because each representation highlights a different aspect of the solution.",
    "I'm sorry for the misunderstanding. I see now that my previous reasoning was incomplete. Thank you for "
    "pointing that out so kindly; it is very helpful to me.",
    "That is an interesting perspective! It demonstrates that there is usually more than one approach, and that "
    "the number of steps depends on the method that we choose.",
)
