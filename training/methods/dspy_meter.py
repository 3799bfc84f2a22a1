"""Calls of a language model, counted where they leave for it: no optimiser spends more than it was given."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import dspy
from dspy import lm15

from bot.models.prices import Price


@dataclass(slots=True)
class Meter:
    """Calls and tokens of one part of a run. Tokens are None as soon as one call did not tell its own."""

    limit: int
    on_call: Callable[[], object] = lambda: None
    calls: int = 0
    refused: int = 0
    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> None:
        """Count a call before it is made; refuse it when the budget is spent."""
        with self._lock:
            if self.calls >= self.limit:
                self.refused += 1
                raise lm15.InvalidRequestError(f"the budget of {self.limit} calls is spent")
            self.calls += 1
        self.on_call()

    def add(self, usage: lm15.Usage) -> None:
        """Count what an answer reported."""
        with self._lock:
            self.prompt_tokens = _sum(self.prompt_tokens, usage.input_tokens)
            self.completion_tokens = _sum(self.completion_tokens, usage.output_tokens)

    def cost(self, price: Price | None) -> float | None:
        """US dollars, or None where price or tokens are not known."""
        if price is None or self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return price.cost(self.prompt_tokens, self.completion_tokens)


def metered(lm: dspy.LM, meter: Meter) -> dspy.LM:
    """The same language model, each of whose calls the meter sees, retries included."""
    metered_lm: dspy.LM = lm.copy(engine=_Metered(lm.engine, meter))
    return metered_lm


class _Metered:
    def __init__(self, engine: Any, meter: Meter) -> None:
        self._engine = engine
        self._meter = meter

    def complete(self, request: lm15.Request) -> lm15.Response:
        self._meter.take()
        response: lm15.Response = self._engine.complete(request)
        self._meter.add(response.usage)
        return response


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other
