"""The way of one message, and nothing else: claim, queue, hear, think, voice, send, log.

It knows no platform and no engine: messages come in through `receive`, answers leave by a `Responder`.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.delivery import Delivery, NotSent, TakenOver, patiently
from bot.lanes import Job, Lanes
from bot.messages import Answer, Message, Outgoing, Place, Responder
from bot.rehearsal import rehearse
from bot.seating import Seating
from bot.signs import Signs
from bot.steps import Step, Watch, unwatched
from bot.store import StoreError
from bot.store.identity import hash_user
from bot.store.rows import ClaimedMessage, Consent, ConversationRow, Spoken, StudentTurn, TeacherTurn, TurnRow
from bot.student import student
from bot.student.guard import safeguard
from bot.student.records.cue import Cue
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import MoveKind, Turn
from bot.student.said import Said
from bot.student.voicing.prompt import VERSION as PROMPT_VERSION
from bot.student.voicing.prompt import remembered
from bot.wording import NoWords, Worded, Wording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.config import Settings
    from bot.metrics import Metrics
    from bot.models.registry import Models
    from bot.models.turnstile import Turnstile
    from bot.store.store import Store
    from bot.student.records.child import Child
    from bot.student.records.curriculum import Curriculum

log = structlog.get_logger(__name__)

BUSY = "One moment, please: {name} is still thinking about what you said before. Please say that again."
MOMENT = "{name} needs a moment: many are talking."
LATE = "{name} could not keep up: too many were talking at once. Please say it again in a minute."
AWAY = "{name} cannot answer right now. Please say it again in a minute."
UNWELL = "Something went wrong here, and your message was not lost: {name} will answer when it is mended."
UNSENT = "Your message could not be kept just now. Please tell whoever runs this bot."
REFUSED = (
    "{name} has an answer for you, but may not say it where you asked. Please tell whoever runs this bot, and say it "
    "again once that is mended."
)

BEAT_SECONDS = 10.0
"""A program that is silent for three of these is taken for dead; see `bot.store.programs`."""
NONCE_BYTES = 10
"""Twice as many characters; Discord takes 25."""

ResponderFor = Callable[[ClaimedMessage], Responder | None]


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
        watch: Watch = unwatched,
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
        self._signs = Signs()
        self._wording = Wording(models, metrics, settings.student.fallback, settings.classroom.reply_seconds)
        keep = timedelta(minutes=settings.classroom.recover_minutes)
        self._delivery = Delivery(store, settings.classroom.send_seconds, keep, watch)
        self._watch = watch
        self._platforms: dict[str, ResponderFor] = {}
        self._beat: asyncio.Task[None] | None = None
        self._closing = False
        metrics.show(lambda: models.turnstiles)

    # The outside.

    async def receive(
        self, message: Message, responder: Responder, *, seed: int | None = None
    ) -> Answer | None:
        """Answer `message` through `responder`. None when it was answered before, refused, or given up."""
        return await asyncio.shield(await self.take(message, responder, seed=seed))

    async def take(
        self, message: Message, responder: Responder, *, seed: int | None = None, missed: bool = False
    ) -> asyncio.Future[Answer | None]:
        """Take `message`: when this returns, it is in the store, and no crash loses it. Gives what will become of it.

        Its place in the queue is taken before anything is awaited: order is the order of arrival. A `missed` message,
        which the platform tells of late, finds its place however long the queue is, and takes none from others.
        """
        self._watch(Step.HEARD, message.key)
        nothing: asyncio.Future[Answer | None] = asyncio.get_running_loop().create_future()
        nothing.set_result(None)
        if self._lanes.has(message.place, message.key):
            return nothing
        # What may be a real pupil's never reaches the store, the child or a model.
        text, private = safeguard.redact(message.text)
        message = replace(message, text=text, private=private)
        if self._closing:
            # Whoever starts next answers it.
            await self._claim(message)
            return nothing
        ahead = self._lanes.waiting_in(message.place)
        if ahead >= self._settings.classroom.queue and not missed:
            if await self._refuse(message):
                self._metrics.failures.labels("queue full").inc()
                await self._notify(responder, BUSY, message)
            return nothing
        claim = asyncio.create_task(self._claim(message))
        job = self._lanes.enqueue(message, responder, seed, claim, missed=missed)
        # Nobody waits where no turnstile has a queue: then there is nothing to look up.
        if any(self._takes_long(each, ahead) for each in self._models.turnstiles):
            job.moment = self._signs.show(lambda: self._ask_for_a_moment(job, ahead))
        await asyncio.wait([claim])
        return job.done

    async def unknown(self, keys: Sequence[str]) -> set[str]:
        """Which of these messages nobody took yet: asked before what was missed is taken."""
        return set(keys) - await self._store.known(keys)

    async def places(self, platform: str, within: timedelta | None = None) -> list[Place]:
        """Where the child spoke on `platform`, ever or within so long, newest first."""
        since = None if within is None else datetime.now(UTC) - within
        return [Place(platform, *each) for each in await self._store.places(platform, since)]

    async def recover(self, platform: str, responder_for: ResponderFor) -> int:
        """As `take_up`, and wait for it. Returns how many were answered."""
        answers = await asyncio.gather(*map(asyncio.shield, await self.take_up(platform, responder_for)))
        return sum(answer is not None for answer in answers)

    async def take_up(
        self, platform: str, responder_for: ResponderFor
    ) -> list[asyncio.Future[Answer | None]]:
        """Put what nobody holds any more on `platform` into the queues, and from now on whatever another program
        leaves behind. What has no responder is marked failed, as is what is too old."""
        self._platforms[platform] = responder_for
        if self._beat is None:
            self._beat = asyncio.create_task(self._beats())
        return await self._take_over(platform)

    async def _take_over(self, platform: str) -> list[asyncio.Future[Answer | None]]:
        oldest = datetime.now(UTC) - timedelta(minutes=self._settings.classroom.recover_minutes)
        taken = []
        for left in await self._store.outbox.take_over(platform):
            waiting = left.message
            # What may have been sent is looked for, however old it is.
            wanted = left.spoken is not None or waiting.created_at >= oldest
            responder = self._platforms[platform](waiting) if wanted else None
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
            )
            claimed: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            claimed.set_result(True)
            taken.append(self._lanes.enqueue(message, responder, None, claimed, missed=True, left=left).done)
        if taken:
            log.info("took over what was left behind", platform=platform, count=len(taken))
        return taken

    async def _beats(self) -> None:
        """Say now and then that this program lives, and see who does not any more."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            for platform in self._platforms:
                try:
                    await self._take_over(platform)
                except StoreError as error:
                    log.warning("not seen who is alive", reason=str(error))

    async def rehearse(self) -> None:
        """Do once what a message takes, so that the first teacher does not wait for it: nothing is said or kept."""
        scene, reader = self._seating.scene(None), await self._seating.reader()
        await asyncio.to_thread(rehearse, scene, reader)
        await self._store.rehearse()

    async def aclose(self) -> None:
        """Answer nothing more that comes, finish what is in hand within the deadline, then stop."""
        self._closing = True
        if self._beat is not None:
            self._beat.cancel()
            await asyncio.gather(self._beat, return_exceptions=True)
        await self._lanes.finish(self._settings.classroom.shutdown_seconds)
        await self._signs.aclose()
        try:
            await self._store.outbox.leave()
        except StoreError as error:
            log.warning("left without a word", reason=str(error))

    @property
    def waiting(self) -> int:
        """Messages waiting or in hand."""
        return self._lanes.waiting

    # One message.

    async def _claim(self, message: Message) -> bool:
        mine = await self._store.claim(self._claimed(message))
        if mine:
            self._watch(Step.CLAIMED, message.key)
        return mine

    async def _refuse(self, message: Message) -> bool:
        try:
            return await self._store.refuse(message.key, "queue full")
        except StoreError:
            return True

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
            await self._signs.end(job.moment, job.thinking)
        return None

    async def _answer_or_apologise(self, job: Job) -> Answer | None:
        self._metrics.messages.labels(job.message.platform).inc()
        try:
            return await self._answer(job)
        except NotSent as error:
            await self._not_sent(job, error)
        except NoWords as error:
            await self._give_up(job, error)
        except TakenOver:
            log.info("message is not ours any more", platform=job.message.platform)
        except StoreError:
            if await self._waits(job.message.key):
                raise
            # Its author was forgotten while the child was thinking; what was said goes with them.
            log.info("message not kept: its author was forgotten")
        except Exception:
            # Last line of defence: one message must never take its conversation down.
            self._metrics.failures.labels("bug").inc()
            log.exception("message failed", platform=job.message.platform)
            await self._notify(job.responder, UNWELL, job.message)
        return None

    async def _answer(self, job: Job) -> Answer:
        """Think, unless somebody did so before a crash; put it into the outbox; send it; log it."""
        key, started = job.message.key, time.perf_counter()
        spoken, not_before = (job.left.spoken, job.left.not_before) if job.left else (None, None)
        if again := spoken is not None:
            answer = _answer_of(spoken)
        else:
            spoken, answer = await self._think(job)
            self._watch(Step.THOUGHT, key)
            if not await self._store.outbox.speak(key, spoken):
                raise TakenOver(key)
            self._watch(Step.SPOKEN, key)
        asked = time.perf_counter()
        sent = await self._delivery.deliver(key, spoken, job.responder, again=again, not_before=not_before)
        self._watch(Step.SENT, key)
        # Who waits behind it has waited for the platform, not for the child.
        self._lanes.excuse(job.message.place, time.perf_counter() - asked)
        await self._signs.end(job.thinking)
        latency = None if again else round((time.perf_counter() - started) * 1000)
        try:
            await self._delivery.log(key, spoken, sent, latency)
        except StoreError as error:
            if error.final:
                raise
            # It was said: no notice. The outbox still has it, and whoever starts next finds it sent.
            self._metrics.failures.labels("store").inc()
            log.error("answer not logged yet", reason=str(error))
            return answer
        self._count(answer)
        self._metrics.reply_seconds.observe(time.perf_counter() - started)
        return replace(answer, latency_ms=latency or 0)

    def _count(self, answer: Answer) -> None:
        if answer.flag is not None:
            self._metrics.notices.labels(answer.flag).inc()
            log.info("gave a notice", flag=answer.flag)
        else:
            self._metrics.replies.labels(answer.model, answer.voiced).inc()
            log.info("answered", model=answer.model, voiced=answer.voiced, move=answer.move)

    async def _think(self, job: Job) -> tuple[Spoken, Answer]:
        """What is to be said to a message, and what is to be kept of it."""
        message = job.message
        conversation, said = await self._store.so_far(
            message.platform, message.channel, message.thread, lambda turns: 2 * remembered(turns // 2)
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
            return spoken, replace(_answer_of(spoken), child=scene.child.id, lesson=scene.lesson.id)
        seed = job.seed if job.seed is not None else random.getrandbits(31)
        # The words count too: the same seed must not make all conversations go the same way.
        turn_seed = zlib.crc32(f"{seed} {conversation.turns} {message.text}".encode()) >> 1
        state = self._seating.state(conversation, message.sent_at)
        ear = await self._seating.ear(Said.of(message.text), scene, state)
        turned = student.turn(scene, state, Said.of(message.text), turn_seed, ear.reader)
        thought, move = turned.thought, turned.heard.move
        before = tuple(map(_turn, said))
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
        words = await self._words(job, cue, self._seating.model(conversation), turn_seed)
        words = words.plus(ear.asked) if ear.asked else words
        child = StudentTurn(
            content=words.text,
            said_at=datetime.now(UTC),
            thought=thought,
            voiced=words.voiced,
            model=words.model,
            model_version=words.version,
            prompt_version=PROMPT_VERSION,
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
        return spoken, _answer_of(spoken)

    async def _words(self, job: Job, cue: Cue, model: str, seed: int) -> Worded:
        """The child's words, in time, or those that are given; raise `NoWords`."""
        if job.message.given is not None:
            return Worded(job.message.given, "given", "", "", 0, 0, None)
        deadline = job.came + self._settings.classroom.patience_seconds
        words = await self._wording.words(cue, model, seed, deadline)
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
        await self._notify(job.responder, LATE if error.late else AWAY, job.message)
        await self._store.mark_failed(job.message.key, f"no words: {error}")

    async def _not_sent(self, job: Job, error: NotSent) -> None:
        """The place takes no answer: tell whoever asked, where nobody else sees it."""
        self._metrics.failures.labels("send").inc()
        log.warning("answer not sent", platform=job.message.platform, reason=str(error))
        await patiently(lambda: self._store.mark_failed(job.message.key, f"not sent: {error}"))
        conversation = await self._store.conversation(*_where(job.message))
        text = REFUSED.format(name=self._seating.scene(conversation).child.name)
        try:
            async with asyncio.timeout(self._settings.classroom.send_seconds):
                told = await job.responder.tell(text)
        except Exception as failed:  # noqa: BLE001 - a platform's own errors are not ours to know
            told = False
            log.info("not told", reason=str(failed) or type(failed).__name__)
        if not told:
            log.warning("nobody was told", platform=job.message.platform)

    async def _notify(self, responder: Responder, notice: str, message: Message) -> None:
        """Say that something is in the way, in the name of the child who sits there."""
        conversation = None
        try:
            conversation = await self._store.conversation(*_where(message))
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
            conversation = await self._store.conversation(*_where(message))
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

    async def _send(self, responder: Responder, outgoing: Outgoing) -> None:
        """A notice, said once: it is worth no second try."""
        try:
            async with asyncio.timeout(self._settings.classroom.send_seconds):
                await responder.send(outgoing)
        except TimeoutError:
            log.warning("notice not sent", reason="the platform did not take it in time")
        except Exception as error:  # noqa: BLE001 - a platform's own errors are not ours to know
            log.warning("notice not sent", reason=str(error) or type(error).__name__)


def _where(message: Message) -> tuple[str, str, str | None]:
    return message.platform, message.channel, message.thread


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
        had_mind=conversation.mind is not None,
        at=datetime.now(UTC),
    )


def _answer_of(spoken: Spoken) -> Answer:
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


def _turn(row: TurnRow) -> Turn:
    return Turn(role=row.role, content=row.content, move=row.move, thought=row.thought)
