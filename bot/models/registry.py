"""Which models there are, by name; each is opened when it is first used and closed with the registry.

How a model is opened and described, and which version of a published one answers, others know. Which one a
channel uses is the classroom's business.
"""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.config import Settings
from bot.models.base import ModelUnavailable, StudentModel
from bot.models.describing import UNPRICED, ModelInfo, describe, describe_published
from bot.models.embedded import EmbeddedModel
from bot.models.engines.base import Load
from bot.models.engines.choice import Choice
from bot.models.engines.llama_cpp import places
from bot.models.engines.running import Engines
from bot.models.kinds.base import ArtifactKind, T
from bot.models.opening import Opener
from bot.models.published import Published
from bot.models.turnstile import Turnstile
from bot.sections import BASE_MODEL
from bot.student.voicing.prompt import OPENING

HOSTED_AT_ONCE = 64
"""Turns at a time with a model that runs elsewhere: what is beyond it waits here instead of in sockets."""


class UnknownModel(ValueError):
    """No model of that name; the message says which there are."""


class Models:
    """All models of one process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open: dict[str, StudentModel] = {}
        self._opening = asyncio.Lock()
        self._turnstiles: dict[str, Turnstile] = {}
        self._engines = Engines(settings)
        self._opener = Opener(settings, self._engines)
        self._published = Published(
            settings.data / "models",
            self._opener,
            grace=settings.classroom.reply_seconds,
            beside=Path(settings.database).parent,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that a conversation can choose, the embedded one first, the published ones last."""
        fixed = (BASE_MODEL, *self._settings.models)
        published = self._published
        return (*fixed, *(name for name in published.names if name not in fixed and published.speaks(name)))

    def check(self, name: str) -> str:
        """The name as it is written, in whichever case it is given, or `UnknownModel` with near matches."""
        if found := _same(name, self.names):
            return found
        near = difflib.get_close_matches(name.lower(), self.names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(self.names)}"
        raise UnknownModel(f"no model {name!r}; {hint}")

    def paid(self, name: str) -> bool:
        """Whether somebody may have to pay for the words of that model: it runs on somebody else's machine."""
        name = _same(name, (*self._settings.models, *self._published.names)) or name
        if (wanted := self._settings.models.get(name)) is not None:
            return wanted.provider != "compatible" or not _is_here(wanted.base_url or "")
        manifest = self._published.live(name) if name in self._published.names else None
        return manifest is not None and manifest.endpoint is not None and not _is_here(manifest.endpoint)

    def capable(self, name: str) -> bool:
        """Whether that model is set down as a capable one."""
        wanted = self._settings.models.get(_same(name, tuple(self._settings.models)) or "")
        return wanted is not None and wanted.ability == "capable"

    def priced(self, name: str) -> bool:
        """Whether it is known what that model costs. Reads the file of prices."""
        return all(info.price != UNPRICED for info in self.describe() if info.name.lower() == name.lower())

    async def get(self, name: str) -> StudentModel:
        """The model of that name, opened; of a published one, the live version. A turn asks once and keeps
        what it gets. Raise `UnknownModel` or `ModelUnavailable`."""
        name = self.check(name)
        if name in self._open:
            return self._open[name]
        if name != BASE_MODEL and name not in self._settings.models:
            speaker: StudentModel = await self._published.get(name)
            return speaker
        async with self._opening:
            if name not in self._open:
                self._open[name] = await self._opener.fixed(name)
        return self._open[name]

    async def turnstile(self, name: str) -> Turnstile:
        """Where turns with an opened model queue: all that run on one engine share theirs. Raise `EngineError`."""
        name = _same(name, self.names) or name
        manifest = self._published.live(name) if name in self._published.names else None
        here = name == BASE_MODEL if manifest is None else manifest.endpoint is None
        where, at_once, alone = name, HOSTED_AT_ONCE, HOSTED_AT_ONCE
        if here:
            program = manifest is not None and manifest.kind == "dspy"
            where = "llama_cpp" if program else (await self._engines.choice()).name
            settings = self._settings.engine
            at_once = alone = HOSTED_AT_ONCE if where == "vllm" else settings.slots
            if where == "llama_cpp":
                at_once, alone = places(settings.slots, settings.threads)
        changing = (lambda: self._engines.fleet_places) if where == "vllm" else (lambda: None)
        return self._turnstiles.setdefault(where, Turnstile(where, at_once, alone, changing))

    @property
    def turnstiles(self) -> tuple[Turnstile, ...]:
        """All that there are so far."""
        return tuple(self._turnstiles.values())

    async def live(self, name: str, kind: ArtifactKind[T]) -> T:
        """The live version of something published that is no student, opened. Whoever needs it asks anew for
        every turn, and keeps what it gets for that turn. Raise `ModelUnavailable`."""
        found: T = await self._published.get(name, kind)
        return found

    async def warm_up(self) -> None:
        """Let the engine, if it runs, read the start of every prompt before the first teacher comes."""
        engine = self._engines.running
        if engine is None:
            return
        try:
            default = await self.get(self._settings.student.model)
        except ModelUnavailable:
            default = None
        adapter = default.adapter if isinstance(default, EmbeddedModel) else None
        await engine.remember([asdict(message) for message in OPENING], adapter=adapter)

    async def watch(self, **how: Any) -> None:
        """Take up what is published or promoted, until cancelled; the arguments are those of `Published.watch`."""
        await self._published.watch(**how)

    async def refresh(self) -> None:
        """Take up what was published or promoted since the last look."""
        await self._published.refresh()

    def put(self, model: StudentModel) -> None:
        """Serve `model` under its name from now on; it is closed with the others."""
        self._open[model.name] = model

    def describe(self) -> list[ModelInfo]:
        """Every model, without opening any."""
        fixed = (BASE_MODEL, *self._settings.models)
        known = [*fixed, *self._published.names]
        return [
            describe(self._settings, name)
            if place < len(fixed)
            else describe_published(self._settings, self._published, name, fixed)
            for place, name in enumerate(known)
        ]

    def inspect(self) -> None:
        """Check the files of every published version, so that `describe` tells of the bad ones, too."""
        self._published.inspect()

    def promote(self, name: str, version: str | None) -> str:
        """Make a published version (None: the newest) the live one, if its files are good; returns it.

        Raise `ArtifactError`.
        """
        return self._published.promote(_same(name, self._published.names) or name, version)

    async def aclose(self) -> None:
        """Close every open model, then the engines."""
        self._engines.leave()
        await self._published.aclose()
        for model in self._open.values():
            await model.aclose()
        self._open.clear()
        await self._engines.aclose()

    async def engine(self) -> Choice:
        """What the embedded model runs on, and why; raise `EngineError`."""
        return await self._engines.choice()

    def engine_load(self) -> Load:
        """What llama.cpp's servers have to do, and what they were spared; nothing where they do not run."""
        return self._engines.load


def _same(name: str, known: Sequence[str]) -> str | None:
    """Which of `known` it is: written so, or else the first that differs in nothing but small and capital letters."""
    alike = [each for each in known if each.lower() == name.strip().lower()]
    return name if name in alike else next(iter(alike), None)


def _is_here(address: str) -> bool:
    return (urlsplit(address).hostname or "") in {"localhost", "127.0.0.1", "::1"}
