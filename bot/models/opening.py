"""How a model of each kind is opened, from config.toml or from the files of a published version.

It knows the settings, the engines and what each kind needs. Which models are open, and which version of one
answers, is the business of others.
"""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

from bot.config import BASE_MODEL, ChatModel, Settings
from bot.models import lora
from bot.models.artifact import ArtifactError, Manifest
from bot.models.base import ModelUnavailable, StudentModel
from bot.models.embedded import EmbeddedModel
from bot.models.engines.base import Engine, EngineError
from bot.models.engines.running import Engines
from bot.models.engines.weights import check_gguf
from bot.student.records.child import read_child
from bot.student.records.cue import Cue
from bot.student.records.dialogue import Thought, ThoughtKind
from bot.student.records.lesson import read_lesson

if TYPE_CHECKING:
    from bot.models.chat import ChatModel as Chat

log = structlog.get_logger(__name__)


class Opener:
    """Opens models, on engines that they share."""

    def __init__(self, settings: Settings, engines: Engines) -> None:
        self._settings = settings
        self._engines = engines

    async def fixed(self, name: str) -> StudentModel:
        """The embedded model or one of config.toml; raise `ModelUnavailable`."""
        if name != BASE_MODEL:
            return chat_model(self._settings, name, self._settings.models[name])
        try:
            engine = await self._engines.get()
            version = await self._engines.base_version()
        except EngineError as error:
            raise ModelUnavailable(str(error)) from None
        return EmbeddedModel(name, version, engine, temperature=self._settings.engine.temperature)

    def examine(self, manifest: Manifest, folder: Path) -> None:
        """Raise `ArtifactError` unless the files of a version can be served here."""
        base = manifest.base
        if manifest.kind == "openai":
            self._address(base.endpoint)
            return
        if manifest.kind == "lora" and base.sha256 is None:
            raise ArtifactError("base: expected the sha256 of the GGUF file the adapter was trained on")
        if base.sha256 is None:
            self._address(base.endpoint)
        else:
            try:
                gguf = self._engines.gguf()
                check_gguf(gguf)
            except EngineError as error:
                raise ArtifactError(f"base: {error}") from None
            if not lora.made_for(base.sha256, gguf):
                raise ArtifactError(
                    f"base: made for {base.id}, not for the model that runs here ({gguf.name})"
                )
            if base.id != gguf.stem:
                log.info(
                    "the same weights in other numbers",
                    model=manifest.name,
                    version=manifest.version,
                    trained_on=base.id,
                    served=gguf.stem,
                )
            if manifest.kind == "lora":
                lora.check(folder, gguf)
        if manifest.kind == "dspy":
            from bot.models.program_state import ProgramError, read_state  # noqa: PLC0415 - where it is used

            try:
                read_state(folder)
            except ProgramError as error:
                raise ArtifactError(str(error)) from None

    async def version(self, manifest: Manifest, folder: Path) -> StudentModel:
        """Open a version whose files are in `folder` and were found good; it has given one reply then.

        Raise `ArtifactError`, `EngineError`, `ModelUnavailable` or `ModelRefused`.
        """
        if manifest.kind == "lora":
            return await self._adapted(manifest, folder)
        if manifest.kind == "dspy":
            model = await self._program(manifest, folder)
        else:
            wanted = self._address(manifest.base.endpoint)
            model = chat_model(
                self._settings, manifest.name, wanted.model_copy(update={"model": manifest.base.id})
            )
        try:
            await _proved(model, self.cue())
        except BaseException:
            await model.aclose()
            raise
        return model

    def cue(self) -> Cue:
        """What the default child is asked before a version may answer anybody else."""
        data, student = self._settings.data, self._settings.student
        return Cue(
            read_child(data / "children" / f"{student.child}.toml"),
            read_lesson(data / "lessons" / f"{student.lesson}.toml"),
            (),
            "What is 52 minus 17?",
            Thought(ThoughtKind.ANSWER, answer="45", words=4),
        )

    async def _adapted(self, manifest: Manifest, folder: Path) -> StudentModel:
        picked = await self._engines.choice()
        if picked.name == "vllm":
            # The server reads the files itself, and our checked copy is out of its sight.
            folder = self._settings.data / "models" / manifest.name / manifest.version
        adapter, cue = folder / lora.GGUF, self.cue()

        def served_by(engine: Engine) -> StudentModel:
            return EmbeddedModel(
                manifest.name,
                manifest.version,
                engine,
                temperature=self._settings.engine.temperature,
                adapter=adapter,
            )

        return served_by(await self._engines.put_on(adapter, lambda engine: _proved(served_by(engine), cue)))

    async def _program(self, manifest: Manifest, folder: Path) -> StudentModel:
        # DSPy takes seconds to import, during which everybody else is to be answered.
        program = await asyncio.to_thread(importlib.import_module, "bot.models.program")
        backend: Any
        if manifest.base.sha256 is not None:
            backend = program.Embedded(await self._engines.llama_cpp(), self._settings.engine.temperature)
        else:
            from bot.models.prices import price_of, read_prices  # noqa: PLC0415

            wanted = self._address(manifest.base.endpoint)
            prices = read_prices(self._settings.data / "prices.toml")
            backend = program.Endpoint(
                model=manifest.base.id,
                base_url=wanted.base_url,
                api_key=self._settings.key(wanted.key_variable),
                timeout_s=wanted.timeout_seconds,
                max_retries=wanted.max_retries,
                temperature=wanted.temperature,
                price=price_of(manifest.base.id, prices) if wanted.provider == "openai" else None,
            )
        try:
            model: StudentModel = program.open_program(manifest.name, manifest.version, folder, backend)
        except program.ProgramError as error:
            raise ArtifactError(str(error)) from None
        return model

    def _address(self, endpoint: str | None) -> ChatModel:
        """The settings for a version that is served at `endpoint`.

        Only addresses in the config are taken: a key must never go where a file alone says.
        """
        if endpoint is None:
            raise ArtifactError("base: expected the endpoint that serves the model")
        ours = self._settings.openai.base_url
        if endpoint.rstrip("/") == ours.rstrip("/"):
            return ChatModel(model="published", base_url=ours)
        for known in self._settings.models.values():
            if known.base_url and endpoint.rstrip("/") == known.base_url.rstrip("/"):
                return known
        raise ArtifactError(
            f"base: endpoint {endpoint[:80]!r} is none of config.toml's; set base_url under [openai] or [models.…]"
        )


def chat_model(settings: Settings, name: str, wanted: ChatModel) -> Chat:
    """`wanted` behind its API, under a name; raise `ModelUnavailable` for settings that no server would take."""
    from bot.models.chat import ChatModel as Chat  # noqa: PLC0415 - imports openai, which is heavy
    from bot.models.chat import ChatSettings  # noqa: PLC0415
    from bot.models.prices import price_of, read_prices  # noqa: PLC0415

    prices = read_prices(settings.data / "prices.toml")
    try:
        return Chat(
            ChatSettings(
                name=name,
                model=wanted.model,
                base_url=wanted.base_url or settings.openai.base_url,
                api_key=settings.key(wanted.key_variable),
                key_variable=wanted.key_variable,
                provider=wanted.provider,
                api_version=wanted.api_version,
                timeout_s=wanted.timeout_seconds,
                max_retries=wanted.max_retries,
                temperature=wanted.temperature,
                max_tokens=wanted.max_tokens,
                tokens_field=wanted.tokens_field,
                reasoning_effort=wanted.reasoning_effort,
                price=price_of(wanted.model, prices) if wanted.provider == "openai" else None,
            )
        )
    except ValueError as error:
        raise ModelUnavailable(str(error)) from None


async def _proved(model: StudentModel, cue: Cue) -> None:
    """Let `model` reply once; raise `ArtifactError` when it says nothing."""
    reply = await model.reply(cue, seed=0)
    if not reply.text.strip():
        raise ArtifactError("it said nothing in its warm-up")
