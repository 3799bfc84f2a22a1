"""The way of one message, and nothing else: claim, queue, think, put into the outbox, send, log.

It knows no platform and no engine: messages come in through `receive`, answers leave by a `Responder`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from bot.delivery import Delivery, TakenOver, patiently
from bot.in_line import InLine
from bot.lanes import Job, Lanes
from bot.left_behind import LeftBehind, ResponderFor
from bot.messages import Answer, Message, NotSent, Outgoing, Place, Responder
from bot.notices import AWAY, BUSY, LATE, MOMENT, REFUSED, UNSENT, UNWELL
from bot.rehearsal import rehearse
from bot.seating import Seating
from bot.signs import Signs
from bot.steps import Step, Watch, unwatched
from bot.store import StoreError
from bot.store.identity import hash_user
from bot.store.rows import ClaimedMessage, Spoken, Standing
from bot.student.guard import safeguard
from bot.thinking import Thinking, answer_of
from bot.wording import NoWords, Wording

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
        self._lanes = Lanes(self._serve, InLine(store).may_begin, metrics.waiting.set)
        self._seating = Seating(settings, models, children, curriculum)
        self._signs = Signs()
        wording = Wording(models, metrics, settings.student.fallback, settings.classroom.reply_seconds)
        self._thinking = Thinking(
            settings, store, models, self._seating, wording, self._signs, metrics, self._hash_of
        )
        keep = timedelta(minutes=settings.classroom.recover_minutes)
        self._left_behind = LeftBehind(store, self._lanes, keep)
        self._delivery = Delivery(store, settings.classroom.send_seconds, keep, watch)
        self._watch = watch
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
        # One claim after another there: the store must know the same order.
        before = self._lanes.last(message.place)
        claim = asyncio.create_task(self._claim(message, before.claimed if before else None))
        job = self._lanes.enqueue(message, responder, seed, claim, missed=missed)
        # Nobody waits where no turnstile has a queue: then there is nothing to look up.
        if any(self._takes_long(each, ahead) for each in self._models.turnstiles):
            job.moment = self._signs.show(lambda: self._ask_for_a_moment(job, ahead))
        await asyncio.wait([claim])
        return job.done

    async def unknown(self, keys: Sequence[str]) -> set[str]:
        """Which of these messages nobody took yet: asked before what was missed is taken."""
        return set(keys) - await self._store.outbox.known(keys)

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
        return await self._left_behind.take_up(platform, responder_for)

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
        """Answer nothing more that comes, finish what is in hand within the deadline, then stop."""
        self._closing = True
        self._left_behind.stop()
        await self._lanes.finish(self._settings.classroom.shutdown_seconds)
        await self._signs.aclose()
        await self._left_behind.leave()

    async def spaced(self, what: str, seconds: float) -> None:
        """Wait for the next moment at which `what` may be done: once in so many seconds, by all programs together."""
        await asyncio.sleep(await self._store.runs.spaced(what, seconds))

    async def has_been_in(self, place: Place) -> bool:
        """Whether there is a conversation in that place, whichever program began it."""
        try:
            return await self._store.is_known(place.platform, place.channel, place.thread)
        except StoreError as error:
            log.warning("place not looked up", reason=str(error))
            return False

    @property
    def waiting(self) -> int:
        """Messages waiting or in hand."""
        return self._lanes.waiting

    # One message.

    async def _claim(self, message: Message, before: asyncio.Future[Standing] | None = None) -> Standing:
        if before is not None:
            await asyncio.wait([before])
        standing = await self._store.claim(self._claimed(message))
        if standing:
            self._watch(Step.CLAIMED, message.key)
        return standing

    async def _refuse(self, message: Message) -> bool:
        try:
            return await self._store.outbox.refuse(message.key, "queue full")
        except StoreError:
            return True

    async def _serve(self, job: Job) -> Answer | None:
        try:
            if job.trouble:
                raise job.trouble
            return await self._answer_or_apologise(job) if job.standing else None
        except StoreError as error:
            self._metrics.failures.labels("store").inc()
            log.error("message not kept", reason=str(error))
            await self._send(job.responder, Outgoing(UNSENT, None))
            await self._set_aside(job)
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
            await self._set_aside(job)
        return None

    async def _answer(self, job: Job) -> Answer:
        """Think, unless somebody did so before a crash; put it into the outbox; send it; log it. Where two children
        answer, one after the other: the second is sent when the first is logged."""
        key, started = job.message.key, time.perf_counter()
        spoken, not_before = (job.left.spoken, job.left.not_before) if job.left else (None, None)
        if again := spoken is not None:
            answer = answer_of(spoken)
        else:
            spoken, answer = await self._thinking.think(job)
            self._watch(Step.THOUGHT, key)
            if not await self._store.outbox.speak(key, spoken):
                raise TakenOver(key)
            self._watch(Step.SPOKEN, key)
        latency = await self._deliver(job, spoken, started, again=again, not_before=not_before)
        return replace(answer, latency_ms=latency or 0)

    async def _deliver(
        self, job: Job, spoken: Spoken, started: float, *, again: bool, not_before: datetime | None
    ) -> int | None:
        """Send and log what is in the outbox, and what comes then; give how many milliseconds the first answer took."""
        key, asked = job.message.key, time.perf_counter()
        sent = await self._delivery.deliver(key, spoken, job.responder, again=again, not_before=not_before)
        self._watch(Step.SENT, key)
        # Who waits behind it has waited for the platform, not for the child.
        self._lanes.excuse(job.message.place, time.perf_counter() - asked)
        await self._signs.end(job.thinking)
        latency = None if again else round((time.perf_counter() - started) * 1000)
        # The platform cannot have from before what is put into the outbox now.
        then = spoken.then and replace(spoken.then, at=datetime.now(UTC))
        try:
            await self._delivery.log(key, spoken, sent, latency, then)
        except StoreError as error:
            if error.final:
                raise
            # It was said: no notice. The outbox still has it, and whoever starts next finds it sent.
            self._metrics.failures.labels("store").inc()
            log.error("answer not logged yet", reason=str(error))
            await self._set_aside(job)
            return None
        self._count(answer_of(spoken))
        self._metrics.reply_seconds.observe(time.perf_counter() - started)
        if then is not None:
            await self._deliver(job, then, started, again=False, not_before=None)
        return latency

    async def _set_aside(self, job: Job) -> None:
        """Who comes behind a message that cannot be answered now must not wait for it. Where the store cannot note that
        yet, it is noted with the next sign of life."""
        with contextlib.suppress(StoreError):
            await self._store.outbox.set_aside(job.message.key)

    def _count(self, answer: Answer) -> None:
        if answer.flag is not None:
            self._metrics.notices.labels(answer.flag).inc()
            log.info("gave a notice", flag=answer.flag)
        else:
            self._metrics.replies.labels(answer.model, answer.voiced).inc()
            log.info("answered", model=answer.model, voiced=answer.voiced, move=answer.move)

    async def _give_up(self, job: Job, error: NoWords) -> None:
        """Say that no words came, rather than say somebody else's."""
        if error.late:
            self._metrics.deadline_misses.labels("given up").inc()
        log.warning("no words", platform=job.message.platform, reason=str(error))
        await self._signs.end(job.moment)
        notice = error.notice or (LATE if error.late else AWAY)
        await self._notify(job.responder, notice, job.message, error.speaker)
        conversation = await self._store.conversation(*_where(job.message))
        await self._store.mark_failed(job.message.key, f"no words: {error}", conversation.id)

    async def _not_sent(self, job: Job, error: NotSent) -> None:
        """The place takes no answer: tell whoever asked, where nobody else sees it."""
        self._metrics.failures.labels("send").inc()
        log.warning("answer not sent", platform=job.message.platform, reason=str(error))
        await patiently(lambda: self._store.mark_failed(job.message.key, f"not sent: {error}"))
        conversation = await self._store.conversation(*_where(job.message))
        text = _named(REFUSED, self._seating.called(conversation))
        try:
            async with asyncio.timeout(self._settings.classroom.send_seconds):
                told = await job.responder.tell(text)
        except Exception as failed:  # noqa: BLE001 - a platform's own errors are not ours to know
            told = False
            log.info("not told", reason=str(failed) or type(failed).__name__)
        if not told:
            log.warning("nobody was told", platform=job.message.platform)

    async def _notify(
        self, responder: Responder, notice: str, message: Message, speaker: str | None = None
    ) -> None:
        """Say that something is in the way, in the name of the `speaker`, or of whoever sits there."""
        conversation = None
        if speaker is None:
            try:
                conversation = await self._store.conversation(*_where(message))
            except StoreError as error:
                log.warning("notice names the default child", reason=str(error))
        name = speaker or self._seating.called(conversation)
        await self._send(responder, Outgoing(_named(notice, name), None))

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
            private=message.private,
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


def _named(notice: str, name: str) -> str:
    """A notice about somebody; it begins as a sentence does."""
    text = notice.format(name=name)
    return f"{text[:1].upper()}{text[1:]}"


def _where(message: Message) -> tuple[str, str, str | None]:
    return message.platform, message.channel, message.thread
