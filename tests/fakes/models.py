"""Models that answer at once with the thought's plain words, and a registry of them."""

from __future__ import annotations

import asyncio

from bot.models.base import ModelUnavailable, Reply, StudentModel
from bot.models.describing import ModelInfo
from bot.models.kinds.base import ArtifactKind, T
from bot.models.registry import UnknownModel
from bot.models.turnstile import Turnstile
from bot.student.records.cue import Cue
from bot.student.voicing.prompt import meaning


class InstantModel:
    """Says what is meant, word by word."""

    version = "instant-1"

    def __init__(self, name: str) -> None:
        self.name = name

    async def reply(self, cue: Cue, *, seed: int | None) -> Reply:
        """Say the thought's plain words, no sooner than others had their turn: as every model does."""
        await asyncio.sleep(0)
        return Reply(
            meaning(cue.thought), prompt_tokens=100, completion_tokens=5, cost_usd=None, latency_ms=1.0
        )

    async def aclose(self) -> None:
        """Hold nothing."""


class InstantModels:
    """Stands in for `bot.models.registry.Models`."""

    def __init__(self, names: tuple[str, ...] = ("base", "other")) -> None:
        self.names = names
        self.turnstiles = (Turnstile("instant", 8),)

    def check(self, name: str) -> str:
        """`name`, or `UnknownModel`."""
        if name not in self.names:
            raise UnknownModel(f"no model {name!r}; there are: {', '.join(self.names)}")
        return name

    def paid(self, name: str) -> bool:
        """None costs anything."""
        return False

    def capable(self, name: str) -> bool:
        """Each can play a child alone."""
        return False

    async def get(self, name: str) -> StudentModel:
        """A model of that name."""
        return InstantModel(self.check(name))

    async def turnstile(self, name: str) -> Turnstile:
        """One for all."""
        return self.turnstiles[0]

    async def live(self, name: str, kind: ArtifactKind[T]) -> T:
        """Nothing is published: the rules hear alone."""
        raise ModelUnavailable(f"{name}: nothing is published under this name")

    def describe(self) -> list[ModelInfo]:
        """Every model."""
        return [ModelInfo(name, "instant", "1", "free") for name in self.names]

    async def aclose(self) -> None:
        """Hold nothing."""
