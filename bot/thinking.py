"""What is said to one message, by one child or two, and what is to be kept of it: hear, think, voice. Nothing is sent
or logged here.

It knows the store's past of a conversation, the student and the models; no platform and no queue.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from bot.budget import Budget
from bot.lanes import Job
from bot.messages import Answer, Message, Outgoing
from bot.notices import NEEDS_CAPABLE
from bot.seating import Ear, Seating
from bot.signs import Signs
from bot.store.rows import Consent, ConversationRow, Spoken, StudentTurn, TeacherTurn, TurnRow
from bot.student import classmates, student
from bot.student.classmates import Line, Part, Round
from bot.student.guard import safeguard
from bot.student.records.cue import Cue
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import MoveKind, Role, Thought, ThoughtKind, Turn
from bot.student.records.scenario import Parent
from bot.student.said import Said
from bot.student.voicing import grown_up, prompt
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
        """What is to be said to a message, by one child or by two, and what is to be kept of it."""
        message = job.message
        conversation, said = await self._store.so_far(
            message.platform, message.channel, message.thread, self._window
        )
        scenes = self._seating.scenes(conversation)
        notices = (safeguard.check(message.text, each.child.name) for each in scenes)
        notice = next(filter(None, notices), None)
        if notice is None and message.private:
            notice = safeguard.PUPIL_DATA
        if notice is not None:
            await self._signs.end(job.moment)
            teacher = self._teacher_turn(message, None, flag=notice.flag.value)
            outgoing = Outgoing(notice.text, None, not conversation.turns)
            mind = conversation.mind
            spoken = _spoken(conversation, outgoing, teacher, None, mind, mind)
            child, lesson = scenes[0].child.id, scenes[0].lesson.id
            return spoken, replace(answer_of(spoken), child=child, lesson=lesson)
        seed = job.seed if job.seed is not None else random.getrandbits(31)
        # The words count too: the same seed must not make all conversations go the same way.
        turn_seed = zlib.crc32(f"{seed} {conversation.turns} {message.text}".encode()) >> 1
        minds, own = self._seating.minds(conversation, message.sent_at), Said.of(message.text)
        model, spent = self._seating.model(conversation), await self._budget.spent(self._hash_of(message))
        if message.given is None and self._models.paid(model):
            if spent:
                raise NoWords(f"{model}: the day's budget is spent", late=False, notice=spent)
            if not await self._counted(model):
                reason = f"{model}: there is a budget, and no price of it in data/prices.toml"
                raise NoWords(reason, late=False, notice=self._budget.no_price)
        scenario = self._seating.scenario(conversation)
        if scenario is not None and scenario.parent is not None:
            who = (scenario.parent, scenario.logged_as)
            spoken = await self._grown_up(job, conversation, who, scenes[0], said, turn_seed)
            return spoken, answer_of(spoken)
        floor = classmates.addressed(scenes, minds, own, turn_seed)
        first, heard = floor.speakers[0], classmates.heard_by_all(scenes, own)
        hosted = not spent and await self._counted(self._settings.student.ear)
        ear = await self._seating.ear(heard, scenes[first], minds.states[first], hosted=hosted)
        round_ = classmates.hear(scenes, minds, own, floor, turn_seed, ear.reader)
        lines = [Line(scenes[0].child.id, each) for each in self._seating.opening(conversation, len(said))]
        lines += [Line(r.child, Turn(r.role, r.content, move=r.move, thought=r.thought)) for r in said]
        job.thinking = self._signs.show(job.responder.thinking, after=job.moment)
        talk = _Talk(conversation, scenes, message, model, lines, ear)
        spoken = await self._spoken(job, talk, round_)
        return spoken, answer_of(spoken)

    async def _grown_up(  # noqa: PLR0913 - what one answer is made of
        self,
        job: Job,
        conversation: ConversationRow,
        who: tuple[Parent, str],
        scene: Scene,
        said: Sequence[TurnRow],
        seed: int,
    ) -> Spoken:
        """What the parent says, and is logged as: no child's mind is in it, so no move is heard and nothing changes."""
        message, (parent, logged_as), model = job.message, who, self._seating.model(conversation)
        if not self._models.capable(model):
            raise NoWords(f"{model}: cannot play a grown-up", late=False, notice=NEEDS_CAPABLE)
        job.thinking = self._signs.show(job.responder.thinking, after=job.moment)
        turns = tuple(Turn(each.role, each.content) for each in said)
        cue = Cue(
            scene.child,
            scene.lesson,
            (*self._seating.opening(conversation, len(said)), *turns),
            message.text,
            Thought(ThoughtKind.CHAT, words=grown_up.WORDS),
            conversation=str(conversation.id),
            parent=parent,
        )
        try:
            words = await self._words(job, cue, model, seed)
        except NoWords as error:
            error.speaker = parent.name
            raise
        student = _student_turn(scene, cue.thought, seed, words, child=logged_as)
        minds = self._seating.minds(conversation, message.sent_at)
        mind = minds.to_json([scene.child.id])
        teacher, outgoing = (
            self._teacher_turn(message, None),
            Outgoing(words.text, parent.name, not conversation.turns),
        )
        return _spoken(conversation, outgoing, teacher, student, mind, conversation.mind)

    async def _counted(self, model: str) -> bool:
        """Whether a budget, where there is one, can count what that model costs."""
        if not self._budget.limited or not self._models.paid(model):
            return True
        return await asyncio.to_thread(self._models.priced, model)

    async def _spoken(self, job: Job, talk: _Talk, heard: Round) -> Spoken:
        """What the children say who answer, the first one with the second one behind it."""
        minds, before, answered = heard.minds, talk.conversation.mind, list[Line]()
        teacher = self._teacher_turn(job.message, heard.parts[0].turned.heard.move)
        said: list[Spoken] = []
        for part in heard.parts:
            scene, follows = talk.scenes[part.place], bool(said)
            try:
                words = await self._words(job, talk.cue(part, answered), talk.model, part.seed)
            except NoWords as error:
                if not follows:
                    error.speaker = scene.child.name
                    raise
                break  # the first answer stands without the second
            words = words.plus(talk.ear.asked) if talk.ear.asked and not follows else words
            state = student.spoken(part.turned, Said.of(job.message.text), words.text)
            minds = minds.spoken(part.place, state)
            mind = minds.to_json([each.child.id for each in talk.scenes])
            outgoing = Outgoing(words.text, scene.child.name, not talk.conversation.turns and not follows)
            child = _student_turn(scene, part.turned.thought, part.seed, words)
            spoken = _spoken(talk.conversation, outgoing, teacher, child, mind, before)
            said.append(replace(spoken, follows=follows))
            answered.append(Line(scene.child.id, Turn(Role.STUDENT, words.text)))
            before = mind
        whole = said.pop()
        while said:
            whole = replace(said.pop(), then=whole)
        return whole

    def _window(self, conversation: ConversationRow) -> int:
        """How many of the last turns are looked back on."""
        if len(self._seating.seats(conversation)) > 1:
            return classmates.remembered(conversation.turns)
        return 2 * prompt.remembered(conversation.turns // 2)

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


@dataclass(frozen=True, slots=True)
class _Talk:
    """One message with the talk that it stands in: who sits there, the lines so far, and who gives the words."""

    conversation: ConversationRow
    scenes: tuple[Scene, ...]
    message: Message
    model: str
    lines: list[Line]
    ear: Ear

    def cue(self, part: Part, answered: Sequence[Line]) -> Cue:
        """What a model gets to say this child's part, where others `answered` before it."""
        scene, turned = self.scenes[part.place], part.turned
        names = {each.child.id: each.child.name for each in self.scenes}
        before, since = classmates.as_heard(scene.child.id, self.lines, names)
        now = [classmates.told(each.turn.content, names[each.child or ""]) for each in answered]
        several = len(self.scenes) > 1
        return Cue(
            scene.child,
            scene.lesson,
            before,
            " ".join((*since, self.message.text, *now)),
            turned.thought,
            turned.recalls(before),
            {name: belief.stage for name, belief in turned.state.beliefs.items()},
            conversation=f"{self.conversation.id} {scene.child.id}" if several else str(self.conversation.id),
        )


def _student_turn(
    scene: Scene, thought: Thought, seed: int, words: Worded, *, child: str | None = None
) -> StudentTurn:
    return StudentTurn(
        content=words.text,
        said_at=datetime.now(UTC),
        thought=thought,
        voiced=words.voiced,
        model=words.model,
        model_version=words.version,
        prompt_version=prompt.VERSION,
        child=child or scene.child.id,
        lesson=scene.lesson.id,
        seed=seed,
        prompt_tokens=words.prompt_tokens,
        completion_tokens=words.completion_tokens,
        cost_usd=words.cost_usd,
    )


def _spoken(  # noqa: PLR0913 - what is kept of one answer
    conversation: ConversationRow,
    outgoing: Outgoing,
    teacher: TeacherTurn,
    child: StudentTurn | None,
    mind: str | None,
    mind_before: str | None,
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
        mind_before=mind_before,
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
