"""The way of one message, and nothing else: claim, queue, hear, think, voice, send, log.

It knows no platform and no engine: messages come in through `receive`, answers leave by a `Responder`.
"""

from __future__ import annotations

import asyncio
import random
import time
import zlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.budget import Budget
from bot.lanes import Job, Lanes
from bot.messages import Answer, Message, NotSent, Outgoing, Responder
from bot.notices import AWAY, BUSY, LATE, MOMENT, UNSENT, UNWELL
from bot.rehearsal import rehearse
from bot.seating import Seating
from bot.signs import Signs
from bot.store import StoreError
from bot.store.identity import hash_user
from bot.store.rows import ClaimedMessage, Consent, ConversationRow, StudentTurn, TeacherTurn
from bot.student import student
from bot.student.guard import safeguard
from bot.student.records.cue import Cue
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import MoveKind, Turn
from bot.student.said import Said
from bot.student.voicing import prompt
from bot.wording import NoWords, Worded, Wording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.config import Settings
    from bot.metrics import Metrics
    from bot.models.registry import Models
    from bot.models.turnstile import Turnstile
    from bot.store.store import Store
    from bot.student.records.child import Child
    from bot.student.records.curriculum import Curriculum

log = structlog.get_logger(__name__)


class Classroom:
    """All conversations of one process."""

    def __init__(  # noqa: PLR0913 - the services of the room
        self,
        settings: Settings,
        store: Store,
        models: Models,
        metrics: Metrics,
        children: Mapping[str, Child],
        curriculum: Curriculum,
        hash_secret: bytes,
    ) -> None:
        self._settings = settings
        self._store = store
        self._models = models
        self._metrics = metrics
        self.children = children
        self.curriculum = curriculum
        self._hash_secret = hash_secret
        self._lanes = Lanes(self._serve, metrics.waiting.set)
        self._seating = Seating(settings, models, children, curriculum)
        self._budget = Budget(settings.budget, store, settings.student.fallback)
        self._signs = Signs()
        self._wording = Wording(models, metrics, settings.student.fallback, settings.classroom.reply_seconds)
        self._closing = False
        metrics.show(lambda: models.turnstiles)

    # The outside.

    async def receive(
        self, message: Message, responder: Responder, *, seed: int | None = None
    ) -> Answer | None:
        """Answer `message` through `responder`. None when it was answered before, refused, or given up."""
        if self._closing:
            return None
        ahead = self._lanes.waiting_in(message.place)
        if ahead >= self._settings.classroom.queue:
            self._metrics.failures.labels("queue full").inc()
            await self._notify(responder, BUSY, message)
            return None
        # What may be a real pupil's never reaches the store, the child or a model.
        text, private = safeguard.redact(message.text)
        message = replace(message, text=text, private=private)
        # The place in the queue is taken before anything is awaited: order is the order of arrival.
        claim = asyncio.create_task(self._store.claim(self._claimed(message)))
        job = self._lanes.enqueue(message, responder, seed, claim)
        # Nobody waits where no turnstile has a queue: then there is nothing to look up.
        if any(self._takes_long(each, ahead) for each in self._models.turnstiles):
            job.moment = self._signs.show(lambda: self._ask_for_a_moment(job, ahead))
        return await asyncio.shield(job.done)

    async def recover(
        self, platform: str, responder_for: Callable[[ClaimedMessage], Responder | None]
    ) -> int:
        """Answer what a crash left behind on `platform`, or mark it failed where it is too old or has no
        responder. Returns how many were answered."""
        oldest = datetime.now(UTC) - timedelta(minutes=self._settings.classroom.recover_minutes)
        answers = []
        # What arrives while this runs is claimed, too, and is in hand already.
        mine = self._lanes.keys
        left_behind = await self._store.unanswered()
        mine |= self._lanes.keys
        for waiting in left_behind:
            if waiting.platform != platform or waiting.key in mine:
                continue
            responder = responder_for(waiting) if waiting.created_at >= oldest else None
            if responder is None:
                await self._store.mark_failed(waiting.key, "left unanswered by a crash")
                continue
            message = Message(
                key=waiting.key,
                platform=waiting.platform,
                channel=waiting.channel,
                thread=waiting.thread,
                author="",
                author_hash=waiting.author_hash,
                text=waiting.text,
                sent_at=waiting.created_at,
                private=waiting.private,
            )
            claimed: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            claimed.set_result(True)
            answers.append(asyncio.shield(self._lanes.enqueue(message, responder, None, claimed).done))
        return sum(answer is not None for answer in await asyncio.gather(*answers))

    async def unsay(self, key: str) -> None:
        """Take a message that was deleted on its platform out of the log."""
        try:
            if gone := await self._store.unsay(key):
                log.info("message deleted on its platform", turns=gone)
        except StoreError as error:
            self._metrics.failures.labels("store").inc()
            log.error("deleted message not taken out", reason=str(error))

    async def rehearse(self) -> None:
        """Do once what a message takes, so that the first teacher does not wait for it: nothing is said or kept."""
        scene, reader = self._seating.scene(None), await self._seating.reader()
        await asyncio.to_thread(rehearse, scene, reader)
        await self._store.rehearse()

    async def aclose(self) -> None:
        """Take nothing more, finish what is in hand within the deadline, then stop."""
        self._closing = True
        await self._lanes.finish(self._settings.classroom.shutdown_seconds)
        await self._signs.aclose()

    @property
    def waiting(self) -> int:
        """Messages waiting or in hand."""
        return self._lanes.waiting

    # One message.

    async def _serve(self, job: Job) -> Answer | None:
        try:
            return await self._answer_or_apologise(job) if await job.claimed else None
        except StoreError as error:
            self._metrics.failures.labels("store").inc()
            log.error("message not kept", reason=str(error))
            await self._send(job.responder, Outgoing(UNSENT, None))
        except Exception:
            # Neither must one message take the others of its conversation down.
            self._metrics.failures.labels("bug").inc()
            log.exception("message not taken", platform=job.message.platform)
        finally:
            await self._signs.end(job.moment)
        return None

    async def _answer_or_apologise(self, job: Job) -> Answer | None:
        self._metrics.messages.labels(job.message.platform).inc()
        started = time.perf_counter()
        try:
            answer = await self._answer(job)
        except NotSent as error:
            self._metrics.failures.labels("send").inc()
            log.warning("answer not sent", platform=job.message.platform, reason=str(error))
            await self._store.mark_failed(job.message.key, f"not sent: {error}")
            return None
        except NoWords as error:
            await self._give_up(job, error)
            return None
        except StoreError as error:
            if await self._waits(job.message.key):
                raise
            # Its author was forgotten while the child was thinking; what was said goes with them.
            log.info("message not kept", reason=str(error))
            return None
        except Exception:
            # Last line of defence: one message must never take its conversation down.
            self._metrics.failures.labels("bug").inc()
            log.exception("message failed", platform=job.message.platform)
            await self._notify(job.responder, UNWELL, job.message)
            return None
        self._metrics.reply_seconds.observe(time.perf_counter() - started)
        return answer

    async def _answer(self, job: Job) -> Answer:
        message, started = job.message, time.perf_counter()
        conversation, said = await self._store.so_far(
            message.platform, message.channel, message.thread, lambda turns: 2 * prompt.remembered(turns // 2)
        )
        scene = self._seating.scene(conversation)
        notice = safeguard.check(message.text, scene.child.name)
        if notice is None and message.private:
            notice = safeguard.PUPIL_DATA
        if notice is not None:
            return await self._give_notice(job, conversation, scene, notice)
        seed = job.seed if job.seed is not None else random.getrandbits(31)
        # The words count too: the same seed must not make all conversations go the same way.
        turn_seed = zlib.crc32(f"{seed} {conversation.turns} {message.text}".encode()) >> 1
        state = self._seating.state(conversation, message.sent_at)
        model, spent = self._seating.model(conversation), await self._budget.spent(self._hash_of(message))
        if spent and message.given is None and self._models.paid(model):
            raise NoWords(f"{model}: the day's budget is spent", late=False, notice=spent)
        ear = await self._seating.ear(Said.of(message.text), scene, state, hosted=not spent)
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
        first = not conversation.turns
        thinking = self._signs.show(job.responder.thinking, after=job.moment)
        try:
            words = await self._words(job, cue, model, turn_seed)
            words = words.plus(ear.asked) if ear.asked else words
            sent = await self._send(job.responder, Outgoing(words.text, scene.child.name, first), must=True)
        finally:
            await self._signs.end(thinking)
        latency = round((time.perf_counter() - started) * 1000)
        await self._store.log_exchange(
            message.key,
            conversation.id,
            self._teacher_turn(message, move),
            StudentTurn(
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
                latency_ms=latency,
                platform_message_id=sent,
            ),
            student.spoken(turned, Said.of(message.text), words.text).to_json(),
            mind_before=conversation.mind,
        )
        self._metrics.replies.labels(words.model, words.voiced).inc()
        log.info("answered", model=words.model, voiced=words.voiced, move=move.value, latency_ms=latency)
        return Answer(
            text=words.text,
            speaker=scene.child.name,
            child=scene.child.id,
            lesson=scene.lesson.id,
            move=move,
            thought=thought,
            voiced=words.voiced,
            model=words.model,
            version=words.version,
            latency_ms=latency,
            prompt_tokens=words.prompt_tokens,
            completion_tokens=words.completion_tokens,
            cost_usd=words.cost_usd,
        )

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

    async def _give_up(self, job: Job, error: NoWords) -> None:
        """Say that no words came, rather than say somebody else's."""
        if error.late:
            self._metrics.deadline_misses.labels("given up").inc()
        log.warning("no words", platform=job.message.platform, reason=str(error))
        await self._signs.end(job.moment)
        await self._notify(job.responder, error.notice or (LATE if error.late else AWAY), job.message)
        await self._store.mark_failed(job.message.key, f"no words: {error}")

    async def _give_notice(
        self, job: Job, conversation: ConversationRow, scene: Scene, notice: safeguard.Notice
    ) -> Answer:
        await self._signs.end(job.moment)
        await self._send(job.responder, Outgoing(notice.text, None, not conversation.turns), must=True)
        teacher, mind = self._teacher_turn(job.message, None, flag=notice.flag.value), conversation.mind
        await self._store.log_exchange(
            job.message.key, conversation.id, teacher, None, mind, mind_before=mind
        )
        self._metrics.notices.labels(notice.flag.value).inc()
        log.info("gave a notice", flag=notice.flag.value)
        return Answer(notice.text, None, scene.child.id, scene.lesson.id, flag=notice.flag.value)

    async def _notify(self, responder: Responder, notice: str, message: Message) -> None:
        """Say that something is in the way, in the name of the child who sits there."""
        conversation = None
        try:
            conversation = await self._store.conversation(message.platform, message.channel, message.thread)
        except StoreError as error:
            log.warning("notice names the default child", reason=str(error))
        name = self._seating.scene(conversation).child.name
        await self._send(responder, Outgoing(notice.format(name=name), None))

    def _takes_long(self, turnstile: Turnstile, ahead: int) -> bool:
        """Whether a message with so many before it in its conversation has to wait longer than goes without saying."""
        return turnstile.expected_wait(ahead) > self._settings.classroom.moment_seconds

    async def _ask_for_a_moment(self, job: Job, ahead: int) -> None:
        """Tell who has to wait so, once, at once; a message that is another program's gets no word."""
        message = job.message
        if await asyncio.shield(job.claimed):
            conversation = await self._store.conversation(message.platform, message.channel, message.thread)
            if self._takes_long(await self._models.turnstile(self._seating.model(conversation)), ahead):
                await self._notify(job.responder, MOMENT, message)

    async def _waits(self, key: str) -> bool:
        try:
            return any(waiting.key == key for waiting in await self._store.unanswered())
        except StoreError:
            return True

    # Edges.

    def _claimed(self, message: Message) -> ClaimedMessage:
        return ClaimedMessage(
            key=message.key,
            platform=message.platform,
            channel=message.channel,
            thread=message.thread,
            author_hash=self._hash_of(message),
            text=message.text,
            message_id=message.key,
            created_at=message.sent_at,
            private=message.private,
        )

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

    def author_hash(self, platform: str, user: str) -> str:
        """A person as the store knows them, from the platform's user id."""
        return hash_user(platform, user, self._hash_secret)

    def _hash_of(self, message: Message) -> str:
        return message.author_hash or self.author_hash(message.platform, message.author)

    async def _send(self, responder: Responder, outgoing: Outgoing, *, must: bool = False) -> str | None:
        try:
            async with asyncio.timeout(self._settings.classroom.send_seconds):
                return await responder.send(outgoing)
        except TimeoutError:
            reason = "the platform did not take it in time"
        except Exception as error:  # noqa: BLE001 - a platform's own errors are not ours to know
            reason = str(error) or type(error).__name__
        if must:
            raise NotSent(reason)
        log.warning("notice not sent", reason=reason)
        return None
