"""A thought put into words: the chosen model, asked twice, then the fallback model, then plain words.

It knows models, what may stand for a thought, and the time there is. It knows no conversation and no platform.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import structlog

from bot.models.base import ModelRefused, ModelUnavailable, Reply, StudentModel
from bot.models.registry import UnknownModel
from bot.student.records.cue import Cue
from bot.student.voicing import voice

if TYPE_CHECKING:
    from bot.metrics import Metrics
    from bot.models.registry import Models

log = structlog.get_logger(__name__)


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


@dataclass(slots=True)
class _Spent:
    """What all tries for one turn cost together."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = 0.0

    def add(self, reply: Reply) -> None:
        self.prompt_tokens += reply.prompt_tokens or 0
        self.completion_tokens += reply.completion_tokens or 0
        known = reply.cost_usd is not None and self.cost_usd is not None
        self.cost_usd = self.cost_usd + reply.cost_usd if known else None  # type: ignore[operator]

    def on(self, text: str, voiced: str, model: str, version: str) -> Worded:
        cost = self.cost_usd if self.prompt_tokens > 0 else None
        return Worded(text, voiced, model, version, self.prompt_tokens, self.completion_tokens, cost)


class Wording:
    """Finds words within `seconds`, whatever the models do."""

    def __init__(self, models: Models, metrics: Metrics, fallback: str, seconds: float) -> None:
        self._models = models
        self._metrics = metrics
        self._fallback = fallback
        self._seconds = seconds

    async def words(self, cue: Cue, name: str, seed: int) -> Worded:
        """The cue's thought in the words of the model `name`: one retry, then the fallback, then plain words."""
        spent = _Spent()
        deadline = asyncio.get_running_loop().time() + self._seconds
        names = list(dict.fromkeys((name, self._fallback)))
        version = ""
        for place, model_name in enumerate(names):
            # An unused fallback's share of the time goes to nobody: a person waits no longer for it.
            until = deadline - (len(names) - 1 - place) * self._seconds / 3
            try:
                async with asyncio.timeout_at(until):
                    model = await self._models.get(model_name)
                    name, version = model.name, model.version
                    for attempt, voiced in enumerate(("model", "retry")):
                        again = replace(cue, again=attempt > 0)
                        shaped = await self._say(model, again, seed + attempt, spent)
                        if shaped.fault is None:
                            return spent.on(shaped.text, voiced, name, version)
            except ModelRefused as error:
                # Asking again would be refused and paid for again.
                log.warning("model refused", model=model_name, reason=str(error))
                break
            except (ModelUnavailable, UnknownModel, TimeoutError) as error:
                self._metrics.failures.labels("model").inc()
                log.warning("model unavailable", model=model_name, reason=str(error) or "deadline")
        return spent.on(voice.plain(cue.thought, cue.child, seed=seed), "phrasing", name, version)

    async def _say(self, model: StudentModel, cue: Cue, seed: int, spent: _Spent) -> voice.Shaped:
        started = time.perf_counter()
        reply = await model.reply(cue, seed=seed)
        self._metrics.model_seconds.labels(model.name).observe(time.perf_counter() - started)
        self._metrics.tokens.labels(model.name, "prompt").inc(reply.prompt_tokens or 0)
        self._metrics.tokens.labels(model.name, "completion").inc(reply.completion_tokens or 0)
        self._metrics.cost.labels(model.name).inc(reply.cost_usd or 0.0)
        spent.add(reply)
        shaped = voice.shape(reply.text, cue.thought, cue.child, teacher=cue.teacher, seed=seed)
        if shaped.fault:
            log.debug("words not kept", fault=shaped.fault, reply=reply.text)
        return shaped
