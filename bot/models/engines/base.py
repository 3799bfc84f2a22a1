"""The contract of every engine: a base model that is served, with adapters that can be put on it.

It knows messages, tokens, seeds and adapters' files. It must not know how an engine works, nor anything of
children and versions. This module imports nothing heavy.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

Messages = Sequence[Mapping[str, str]]
"""What was said so far: dictionaries with "role" and "content"."""


class EngineError(RuntimeError):
    """The engine cannot load or cannot answer; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is drawn. `seed` None draws a fresh one.

    What `top_p` and `min_p` leave is decided before `temperature` changes the shares; 0 takes the likeliest.
    """

    max_tokens: int
    temperature: float
    top_p: float = 1.0
    min_p: float = 0.0
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """What the engine wrote, and how many tokens that took; `cached_tokens` of the prompt cost nothing."""

    text: str
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    likelihood: float | None = None
    """The log-likelihood (nats) that the model gave to all that it wrote; None where it does not tell."""


@dataclass(frozen=True, slots=True)
class Load:
    """How many requests each server has in hand or waiting; the tokens of all prompts so far, and those of them
    that had been read before."""

    waiting: tuple[int, ...]
    prompt_tokens: int
    cached_tokens: int


class Engine(Protocol):
    """One base model. An adapter is named by its file adapter.gguf; PEFT's two files lie beside it."""

    @property
    def adapters(self) -> tuple[Path, ...]:
        """The adapters that `complete` can put on the model."""
        ...

    async def complete(
        self, messages: Messages, sampling: Sampling, *, adapter: Path | None = None, conversation: str = ""
    ) -> Completion:
        """The model's next message; raise `EngineError`. Cancelling the call stops the generation soon.

        `conversation` is any name: what goes on under it was read before, if the engine keeps such things.
        """
        ...

    async def several(
        self,
        messages: Messages,
        sampling: Sampling,
        count: int,
        *,
        adapter: Path | None = None,
        conversation: str = "",
    ) -> tuple[Completion, ...]:
        """Up to `count` next messages, each drawn anew with a seed of its own, written side by side; fewer where the
        engine cannot. Raise `EngineError`. Tokens of the prompt count once."""
        ...

    async def remember(self, messages: Messages, *, adapter: Path | None = None) -> None:
        """Get ready for conversations that begin with `messages`."""
        ...

    async def add_adapter(self, adapter: Path, proof: Callable[[Engine], Awaitable[object]]) -> None:
        """Serve `adapter`, too, if `proof` finds nothing against an engine that has it.

        Where loading or `proof` fails, nothing changes. Raise `EngineError`, or what `proof` raises.
        """
        ...

    async def drop_adapter(self, adapter: Path) -> None:
        """Nobody asks for `adapter` any more: free what it takes, now or later."""
        ...

    async def aclose(self) -> None:
        """Stop what is being generated and free the model."""
        ...


async def side_by_side(
    ask: Callable[[Sampling], Awaitable[Completion]], sampling: Sampling, count: int
) -> tuple[Completion, ...]:
    """`Engine.several` for an engine that takes many requests at once by itself."""
    seeds = [None if sampling.seed is None else sampling.seed + number for number in range(count)]
    first, *others = await asyncio.gather(*(ask(replace(sampling, seed=seed)) for seed in seeds))
    return first, *(replace(each, prompt_tokens=0, cached_tokens=0) for each in others)
