"""The engines of one process: picked and started when first needed, shared by all models, closed together.

It knows the settings. What is said on an engine, and which adapters come and go, is the business of others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from bot.config import Settings
from bot.models.embedded import gguf_version
from bot.models.engines.base import Engine, EngineError, Load
from bot.models.engines.choice import INSTALL, Choice, choose
from bot.models.engines.llama_cpp import LlamaCppEngine
from bot.models.engines.weights import served_gguf

if TYPE_CHECKING:
    from bot.models.engines.fleet import Fleet

log = structlog.get_logger(__name__)


class Engines:
    """The one that was picked, for the embedded model and its adapters, and llama.cpp for programs."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._picked: Choice | None = None
        self._engine: Engine | None = None
        self._llama: LlamaCppEngine | None = None
        self._fleet: Fleet | None = None
        self._base = ""
        self._starting = asyncio.Lock()

    @property
    def running(self) -> Engine | None:
        """The engine that was picked, if it has been needed so far."""
        return self._engine

    @property
    def load(self) -> Load:
        """What llama.cpp has to do, or the vLLM servers, if they run."""
        working = self._llama or self._fleet
        return working.load if working else Load((), 0, 0)

    @property
    def fleet_places(self) -> int | None:
        """How many turns the vLLM servers take at once just now, if they are in use."""
        return self._fleet.places if self._fleet else None

    def gguf(self) -> Path:
        """The embedded model's file, which the first call may take seconds to make; raise `EngineError`."""
        return served_gguf(self._settings)

    async def choice(self) -> Choice:
        """Which engine it is, and why; raise `EngineError`."""
        if self._picked is None:
            self._picked = await asyncio.to_thread(choose, self._settings.engine)
        return self._picked

    async def base_version(self) -> str:
        """Which weights answer without an adapter; raise `EngineError`."""
        await self.get()
        return self._base or await asyncio.to_thread(lambda: gguf_version(self.gguf()))

    async def get(self) -> Engine:
        """The engine that was picked, started; raise `EngineError`."""
        async with self._starting:
            if self._engine is None:
                self._engine = await self._start(())
            return self._engine

    async def llama_cpp(self) -> LlamaCppEngine:
        """llama.cpp, started; the engine that was picked, where that is it. Raise `EngineError`."""
        async with self._starting:
            if self._llama is None:
                self._llama = await self._start_llama(())
                if (await self.choice()).name == "llama_cpp":
                    self._engine = self._llama
            return self._llama

    async def put_on(self, adapter: Path, proof: Callable[[Engine], Awaitable[object]]) -> Engine:
        """Let the engine serve `adapter`, too, if `proof` finds nothing against it; returns the engine."""
        async with self._starting:
            if self._engine is not None:
                await self._engine.add_adapter(adapter, proof)
                return self._engine
            engine = await self._start((adapter,))
            try:
                await proof(engine)
            except BaseException:
                if engine is self._llama:
                    self._llama = None
                else:
                    self._fleet = None
                    await engine.drop_adapter(adapter)  # a server that runs elsewhere would keep it
                await engine.aclose()
                raise
            self._engine = engine
            return engine

    def leave(self) -> None:
        """This program ends: servers that others use, too, keep what they have loaded."""
        if self._fleet is not None:
            self._fleet.leave()

    async def aclose(self) -> None:
        """Close them."""
        for engine in {self._engine, self._llama}:
            if engine is not None:
                await engine.aclose()
        self._engine = self._llama = self._fleet = None

    async def _start(self, adapters: tuple[Path, ...]) -> Engine:
        picked = await self.choice()
        settings = self._settings.engine
        log.info("engine", engine=picked.name, reason=picked.reason)
        if picked.name == "vllm":
            from bot.models.engines.fleet import Fleet  # noqa: PLC0415 - imports aiohttp
            from bot.models.engines.vllm import KEY_VARIABLE  # noqa: PLC0415

            server = await Fleet.start(
                settings.vllm_urls,
                key=self._settings.key(KEY_VARIABLE),
                timeout_s=self._settings.classroom.reply_seconds,
                folder=settings.vllm_models or None,
                adapters=adapters,
            )
            self._base, self._fleet = server.base, server
            return server
        if picked.name == "torch":
            try:
                from bot.models.engines.torch_peft import TorchPeftEngine  # noqa: PLC0415
            except ImportError as error:
                raise EngineError(f"torch cannot be used ({error.name}): {INSTALL}") from None
            self._base = Path(settings.torch_base).name
            return await TorchPeftEngine.start(
                settings.torch_base or await asyncio.to_thread(self.gguf),
                slots=settings.slots,
                context=settings.context,
                threads=settings.threads or None,
                eight_bit=settings.torch_8bit,
                adapters=adapters,
            )
        self._llama = await self._start_llama(adapters)
        return self._llama

    async def _start_llama(self, adapters: tuple[Path, ...]) -> LlamaCppEngine:
        settings = self._settings.engine
        return await LlamaCppEngine.start(
            await asyncio.to_thread(self.gguf),
            slots=settings.slots,
            context=settings.context,
            threads=settings.threads or None,
            adapters=adapters,
        )
