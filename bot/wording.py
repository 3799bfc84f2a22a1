"""A thought put into words: the chosen model, asked twice, then the fallback model; plain words where none could stand.

What the child says of its own accord is the best of a few replies. It knows models, what may stand for a thought, and
the time there is. It knows no conversation and no platform.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import structlog

from bot.models.base import ModelRefused, ModelUnavailable, Reply, SeveralReplies, StudentModel
from bot.models.registry import UnknownModel
from bot.models.turnstile import TooLate, Turnstile
from bot.student.records.cue import Cue
from bot.student.voicing import choice, grown_up, voice

if TYPE_CHECKING:
    from bot.metrics import Metrics
    from bot.models.registry import Models

log = structlog.get_logger(__name__)

TRIES = 2
"""How often a note is asked to be said."""
LATELY = 500
"""Replies of the child's own that are remembered over all conversations, so that it does not say them again."""


class NoWords(Exception):
    """No model said anything, for the reason in the message; `late` where there was no time left to ask one, `notice`
    where there is something of its own to be told, `speaker` the name of the child that was to say it, where that is
    known."""

    def __init__(self, reason: str, *, late: bool, notice: str | None = None) -> None:
        super().__init__(reason)
        self.late = late
        self.notice = notice
        self.speaker: str | None = None


@dataclass(frozen=True, slots=True)
class Worded:
    """The child's words, how they came about (`model`, `retry` or `phrasing`), and what all the asking cost."""

    text: str
    voiced: str
    model: str
    version: str
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None

    def plus(self, other: Reply) -> Worded:
        """The same words, with what was asked for them elsewhere counted in."""
        return replace(
            self,
            prompt_tokens=self.prompt_tokens + (other.prompt_tokens or 0),
            completion_tokens=self.completion_tokens + (other.completion_tokens or 0),
            # Words that were made here cost nothing that is metered.
            cost_usd=None if other.cost_usd is None else (self.cost_usd or 0.0) + other.cost_usd,
        )


@dataclass(slots=True)
class _Turn:
    """One turn on its way: what it may still take, what all tries cost together, and how far it got."""

    cue: Cue
    seed: int
    deadline: float
    left: float
    """Seconds for asking. Waiting for a place does not count."""
    repeatable: bool
    place: AsyncExitStack = field(default_factory=AsyncExitStack)
    at: Turnstile | None = None
    """Where it has its place."""
    model: str = ""
    version: str = ""
    answered: bool = False
    """Whether a model said something, be it that it will not."""
    late: bool = False
    reason: str = ""
    fault: str = ""
    """What the last words that could not stand had wrong."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = 0.0

    async def enter(self, turnstile: Turnstile) -> None:
        """Take a place there, unless it has one: models on the same engine are asked in one go."""
        if turnstile is not self.at:
            self.at = None
            await self.place.aclose()
            await self.place.enter_async_context(turnstile.turn(self.deadline))
            self.at = turnstile

    def add(self, reply: Reply) -> None:
        self.answered = True
        self.prompt_tokens += reply.prompt_tokens or 0
        self.completion_tokens += reply.completion_tokens or 0
        known = reply.cost_usd is not None and self.cost_usd is not None
        self.cost_usd = self.cost_usd + reply.cost_usd if known else None  # type: ignore[operator]

    def ends(self, text: str, voiced: str) -> Worded:
        cost = self.cost_usd if self.prompt_tokens > 0 else None
        return Worded(
            text, voiced, self.model, self.version, self.prompt_tokens, self.completion_tokens, cost
        )


class Wording:
    """Finds words within `seconds` of asking, whatever the models do."""

    def __init__(self, models: Models, metrics: Metrics, fallback: str, seconds: float) -> None:
        self._models = models
        self._metrics = metrics
        self._fallback = fallback
        self._seconds = seconds
        self._lately: deque[str] = deque(maxlen=LATELY)

    async def words(
        self, cue: Cue, name: str, seed: int, deadline: float, *, repeatable: bool = False
    ) -> Worded:
        """The cue's thought in the words of the model `name`: one retry, then the fallback, then plain words.

        What has to be `repeatable` goes by the seed alone, and not by who else is served meanwhile.

        Raise `NoWords` where no model said anything: they could not be asked, or not in time for `deadline`, a time
        of the event loop.
        """
        turn = _Turn(cue, seed, deadline, self._seconds, repeatable)
        # Nobody steps in for a parent: the fallback can play a child alone.
        names = list(dict.fromkeys((name, self._fallback))) if cue.parent is None else [name]
        async with turn.place:
            for others, model_name in zip(reversed(range(len(names))), names, strict=True):
                try:
                    # An unused fallback's share of the time goes to nobody: a person waits no longer for it.
                    worded = await self._ask(turn, model_name, turn.left - others * self._seconds / 3)
                    if worded is not None:
                        return worded
                except ModelRefused as error:
                    # Asking again would be refused and paid for again.
                    log.warning("model refused", model=model_name, reason=str(error))
                    turn.answered = True
                    break
                except TooLate:
                    turn.late, turn.reason = True, f"{model_name}: no time left"
                except (ModelUnavailable, UnknownModel, TimeoutError) as error:
                    turn.reason = str(error) or f"{model_name}: no answer in time"
                    self._metrics.failures.labels("model").inc()
                    log.warning("model unavailable", model=model_name, reason=turn.reason)
        if not turn.answered:
            raise NoWords(turn.reason, late=turn.late)
        log.warning("no words stood", model=turn.model, fault=turn.fault or "refused")
        if cue.parent is not None:
            raise NoWords(f"{turn.model}: {turn.fault or 'refused'}", late=False)
        return turn.ends(voice.plain(cue.thought, cue.child, seed=seed), "phrasing")

    async def _ask(self, turn: _Turn, name: str, seconds: float) -> Worded | None:
        """A few tries with one model in so many seconds; None when none can stand."""
        async with asyncio.timeout(seconds):
            model = await self._models.get(name)
        turnstile = await self._models.turnstile(name)
        await turn.enter(turnstile)
        turn.model, turn.version = model.name, model.version
        began = time.monotonic()
        replies: list[voice.Shaped] = []
        try:
            async with asyncio.timeout(seconds):
                await self._ask_for(model, turn, turnstile, replies)
        except TimeoutError:
            if choice.best(replies, turn.cue, self._lately) is None:
                raise
        finally:
            turn.left -= time.monotonic() - began
        best = choice.best(replies, turn.cue, self._lately)
        if best is None:
            return None
        if turn.cue.thought.open and (words := choice.same_words(best.text)):
            self._lately.append(words)
        return turn.ends(best.text, "model" if replies[0].fault is None else "retry")

    async def _ask_for(
        self, model: StudentModel, turn: _Turn, turnstile: Turnstile, replies: list[voice.Shaped]
    ) -> None:
        """Up to two tries, until one can stand. What is said of the child's own accord is chosen from a few replies,
        unless others are served later for it."""
        several = turn.cue.thought.open and isinstance(model, SeveralReplies)
        for attempt in range(TRIES):
            if attempt and not turnstile.has_time(turn.deadline):
                break
            count = choice.REPLIES if several and (turn.repeatable or turnstile.is_quiet) else 1
            replies += await self._say(model, turn, attempt, count)
            if any(each.fault is None for each in replies):
                break

    async def _say(self, model: StudentModel, turn: _Turn, attempt: int, count: int) -> list[voice.Shaped]:
        # A note is said again without what led astray; what is said of one's own accord needs it.
        cue = replace(turn.cue, again=attempt > 0 and not turn.cue.thought.open)
        seed = turn.seed + attempt * choice.REPLIES
        started = time.perf_counter()
        if count > 1 and isinstance(model, SeveralReplies):
            given = await model.several(cue, count, seed=seed)
        else:
            given = (await model.reply(cue, seed=seed),)
        self._metrics.model_seconds.labels(model.name).observe(time.perf_counter() - started)
        return [self._shaped(model, turn, cue, reply, seed + number) for number, reply in enumerate(given)]

    def _shaped(self, model: StudentModel, turn: _Turn, cue: Cue, reply: Reply, seed: int) -> voice.Shaped:
        self._metrics.tokens.labels(model.name, "prompt").inc(reply.prompt_tokens or 0)
        self._metrics.tokens.labels(model.name, "completion").inc(reply.completion_tokens or 0)
        self._metrics.cost.labels(model.name).inc(reply.cost_usd or 0.0)
        turn.add(reply)
        shaped = _shape(reply.text, cue, seed)
        shaped = replace(shaped, likelihood=reply.likelihood or 0.0)
        if shaped.fault:
            turn.fault = shaped.fault
            log.debug("words not kept", fault=shaped.fault, reply=reply.text)
        return shaped


def _shape(text: str, cue: Cue, seed: int) -> voice.Shaped:
    if cue.parent is not None:
        return grown_up.shape(text)
    earlier = " ".join(said.content for said in cue.turns)
    return voice.shape(text, cue.thought, cue.child, teacher=cue.teacher, earlier=earlier, seed=seed)
