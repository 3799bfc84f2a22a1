"""The contract of every model that gives the child words, and its two errors.

It knows cues and replies; it must not know how any model works, nor who asks. This module imports
nothing heavy, so that whoever only needs the contract pays for nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bot.student.records.cue import Cue


class ModelUnavailable(Exception):
    """No answer to be had: network, deadline, HTTP 429 or 5xx after retries, credentials, a broken answer.

    Another model may well answer, so the caller tries the fallback. The text is one line for a log: it
    names model and cause, and holds no key, no prompt and no answer.
    """


class ModelRefused(Exception):
    """The model or its content filter declined this turn; asking again would get the same answer.

    The text is one line for a log, under the rules of `ModelUnavailable`.
    """


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said, unshaped. `latency_ms` is wall-clock milliseconds, retries included.

    Token counts are the server's own, None where it gives none. `cost_usd` is None where the price is
    not known (never 0 for that); for a model that runs here it is None, since electricity is not metered.
    """

    text: str
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: float | None
    latency_ms: float
    likelihood: float | None = None
    """Log-likelihood of all its words in nats, where the model tells."""


class StudentModel(Protocol):
    """A model under its configured name; `version` says exactly which weights or model id answer."""

    @property
    def name(self) -> str:
        """The name in the config."""
        ...

    @property
    def version(self) -> str:
        """What `reply` is answered by, as logged with every turn."""
        ...

    async def reply(self, cue: Cue, *, seed: int | None) -> Reply:
        """Put the cue's thought into words; raise `ModelUnavailable` or `ModelRefused`, nothing else.

        `seed` makes the words repeatable as far as the model can; None lets them vary.
        """
        ...

    async def aclose(self) -> None:
        """Release what the model holds; call it once, after the last reply."""
        ...


@runtime_checkable
class SeveralReplies(StudentModel, Protocol):
    """A model that runs here: of it a few replies may be asked at once, which costs nothing but time."""

    async def several(self, cue: Cue, count: int, *, seed: int | None) -> tuple[Reply, ...]:
        """Up to `count` replies, at least one; raise `ModelUnavailable`. Tokens of the prompt count once."""
        ...
