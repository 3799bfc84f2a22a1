"""What the child says to one message, and what is to be kept of it: hear, think, voice. Nothing is sent or logged here.

It knows the store's past of a conversation, the student and the models; no platform and no queue.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.budget import Budget
from bot.lanes import Job
from bot.messages import Answer, Message, Outgoing
from bot.seating import Seating
from bot.signs import Signs
from bot.store.rows import Consent, ConversationRow, Spoken, StudentTurn, TeacherTurn
from bot.student import student
from bot.student.guard import safeguard
from bot.student.records.cue import Cue
from bot.student.records.dialogue import MoveKind, Turn
from bot.student.said import Said
from bot.student.voicing import prompt
from bot.wording import NoWords, Worded, Wording

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.metrics import Metrics
    from bot.models.registry import Models
    from bot.store import Store

NONCE_BYTES = 10
"""Twice as many characters; Discord takes 25."""


class Thinking:
    """The children of one process. `hash_of` says how the store knows a message's author."""

    def __init__(  # noqa: PLR0913 - the services of the room
        self,
        settings: Settings,
        store: Store,
        models: Models,
        seating: Seating,
        wording: Wording,
        signs: Signs,
        metrics: Metrics,
        hash_of: Callable[[Message], str],
    ) -> None:
        self._settings = settings
        self._store = store
        self._models = models
        self._seating = seating
        self._budget = Budget(settings.budget, store, settings.student.fallback)
        self._wording = wording
        self._signs = signs
        self._metrics = metrics
        self._hash_of = hash_of

    async def think(self, job: Job) -> tuple[Spoken, Answer]:
        """What is to be said to a message, and what is to be kept of it."""
        message = job.message
        conversation, said = await self._store.so_far(
            message.platform, message.channel, message.thread, lambda turns: 2 * prompt.remembered(turns // 2)
        )
        scene = self._seating.scene(conversation)
        notice = safeguard.check(message.text, scene.child.name)
        if notice is None and message.private:
            notice = safeguard.PUPIL_DATA
        first, mind = not conversation.turns, conversation.mind
        if notice is not None:
            await self._signs.end(job.moment)
            teacher = self._teacher_turn(message, None, flag=notice.flag.value)
            spoken = _spoken(conversation, Outgoing(notice.text, None, first), teacher, None, mind)
            return spoken, replace(answer_of(spoken), child=scene.child.id, lesson=scene.lesson.id)
        seed = job.seed if job.seed is not None else random.getrandbits(31)
        # The words count too: the same seed must not make all conversations go the same way.
        turn_seed = zlib.crc32(f"{seed} {conversation.turns} {message.text}".encode()) >> 1
        state = self._seating.state(conversation, message.sent_at)
        model, spent = self._seating.model(conversation), await self._budget.spent(self._hash_of(message))
        if message.given is None and self._models.paid(model):
            if spent:
                raise NoWords(f"{model}: the day's budget is spent", late=False, notice=spent)
            if not await self._counted(model):
                reason = f"{model}: there is a budget, and no price of it in data/prices.toml"
                raise NoWords(reason, late=False, notice=self._budget.no_price)
        hosted = not spent and await self._counted(self._settings.student.ear)
        ear = await self._seating.ear(Said.of(message.text), scene, state, hosted=hosted)
        turned = student.turn(scene, state, Said.of(message.text), turn_seed, ear.reader)
        thought, move = turned.thought, turned.heard.move
        before = self._seating.opening(conversation, len(said))
        before += tuple(Turn(role=r.role, content=r.content, move=r.move, thought=r.thought) for r in said)
        cue = Cue(
            scene.child,
            scene.lesson,
            before,
            message.text,
            thought,
            turned.recalls(before),
            {name: belief.stage for name, belief in turned.state.beliefs.items()},
            conversation=str(conversation.id),
        )
        job.thinking = self._signs.show(job.responder.thinking, after=job.moment)
        words = await self._words(job, cue, model, turn_seed)
        words = words.plus(ear.asked) if ear.asked else words
        child = StudentTurn(
            content=words.text,
            said_at=datetime.now(UTC),
            thought=thought,
            voiced=words.voiced,
            model=words.model,
            model_version=words.version,
            prompt_version=prompt.VERSION,
            child=scene.child.id,
            lesson=scene.lesson.id,
            seed=turn_seed,
            prompt_tokens=words.prompt_tokens,
            completion_tokens=words.completion_tokens,
            cost_usd=words.cost_usd,
        )
        mind = student.spoken(turned, Said.of(message.text), words.text).to_json()
        outgoing = Outgoing(words.text, scene.child.name, first)
        spoken = _spoken(conversation, outgoing, self._teacher_turn(message, move), child, mind)
        return spoken, answer_of(spoken)

    async def _counted(self, model: str) -> bool:
        """Whether a budget, where there is one, can count what that model costs."""
        if not self._budget.limited or not self._models.paid(model):
            return True
        return await asyncio.to_thread(self._models.priced, model)

    async def _words(self, job: Job, cue: Cue, model: str, seed: int) -> Worded:
        """The child's words, in time, or those that are given; raise `NoWords`."""
        if job.message.given is not None:
            return Worded(job.message.given, "given", "", "", 0, 0, None)
        deadline = job.came + self._settings.classroom.patience_seconds
        words = await self._wording.words(cue, model, seed, deadline, repeatable=job.seed is not None)
        if asyncio.get_running_loop().time() > deadline:
            self._metrics.deadline_misses.labels("answered late").inc()
        await self._signs.end(job.moment)
        return words

    def _teacher_turn(
        self, message: Message, move: MoveKind | None, *, flag: str | None = None
    ) -> TeacherTurn:
        silence_is_consent = self._settings.privacy.consent == "opt_out"
        return TeacherTurn(
            content=message.text,
            said_at=message.sent_at,
            author_hash=self._hash_of(message),
            platform_message_id=message.key,
            move=move,
            consent=Consent.ON if silence_is_consent else None,
            flag=flag,
        )


def _spoken(
    conversation: ConversationRow,
    outgoing: Outgoing,
    teacher: TeacherTurn,
    child: StudentTurn | None,
    mind: str | None,
) -> Spoken:
    return Spoken(
        nonce=secrets.token_hex(NONCE_BYTES),
        text=outgoing.text,
        speaker=outgoing.speaker,
        first=outgoing.first,
        conversation_id=conversation.id,
        teacher=teacher,
        student=child,
        mind=mind,
        mind_before=conversation.mind,
        at=datetime.now(UTC),
    )


def answer_of(spoken: Spoken) -> Answer:
    """The same, as what became of the message."""
    said = spoken.student
    if said is None:
        return Answer(spoken.text, None, "", "", flag=spoken.teacher.flag)
    return Answer(
        text=said.content,
        speaker=spoken.speaker,
        child=said.child,
        lesson=said.lesson,
        move=spoken.teacher.move,
        thought=said.thought,
        voiced=said.voiced,
        model=said.model,
        version=said.model_version,
        prompt_tokens=said.prompt_tokens,
        completion_tokens=said.completion_tokens,
        cost_usd=said.cost_usd,
    )
