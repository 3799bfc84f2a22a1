"""Which models there are, by name; each is opened when it is first used and closed with the registry.

It knows the settings and how a model of each kind is built. Which one a channel uses is the classroom's
business; which version of a published one answers is that of `published`.
"""

from __future__ import annotations

import asyncio
import difflib
import importlib
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bot.config import BASE_MODEL, ChatModel, Settings
from bot.models import artifact, lora
from bot.models.artifact import ArtifactError, Manifest
from bot.models.base import ModelUnavailable, StudentModel
from bot.models.embedded import EmbeddedModel, gguf_version
from bot.models.engines.llama_cpp import EngineError, LlamaCppEngine, check_gguf, embedded_gguf
from bot.models.published import Published, VersionInfo
from bot.student.child import read_child
from bot.student.cue import Cue
from bot.student.dialogue import Thought, ThoughtKind
from bot.student.lesson import read_lesson
from bot.student.prompt import OPENING

HERE = "runs here"


class UnknownModel(ValueError):
    """No model of that name; the message says which there are."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A line of the list of models.

    `problem` says why it, or the version that was promoted, cannot be used, or is None. `state` is "ready" or
    "refused", of a published model "live", "refused" or "candidate". `versions` are those of a published model,
    oldest first.
    """

    name: str
    kind: str
    version: str
    price: str
    problem: str | None = None
    state: str = "ready"
    versions: tuple[VersionInfo, ...] = ()


class Models:
    """All models of one process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open: dict[str, StudentModel] = {}
        self._engine: LlamaCppEngine | None = None
        self._opening = asyncio.Lock()
        self._starting = asyncio.Lock()
        self._published = Published(
            settings.data / "models",
            self._examine,
            self._open_version,
            grace=settings.classroom.reply_seconds,
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, the embedded one first, the published ones last."""
        fixed = (BASE_MODEL, *self._settings.models)
        return (*fixed, *(name for name in self._published.names if name not in fixed))

    def check(self, name: str) -> str:
        """`name`, or `UnknownModel` with near matches."""
        if name in self.names:
            return name
        near = difflib.get_close_matches(name, self.names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(self.names)}"
        raise UnknownModel(f"no model {name!r}; {hint}")

    async def get(self, name: str) -> StudentModel:
        """The model of that name, opened; of a published one, the live version. A turn asks once and keeps
        what it gets. Raise `UnknownModel` or `ModelUnavailable`."""
        self.check(name)
        if name in self._open:
            return self._open[name]
        if name != BASE_MODEL and name not in self._settings.models:
            return await self._published.get(name)
        async with self._opening:
            if name not in self._open:
                self._open[name] = await self._build(name)
        return self._open[name]

    async def warm_up(self) -> None:
        """Let the engine, if it runs, read the start of every prompt before the first teacher comes."""
        if self._engine is None:
            return
        try:
            default = await self.get(self._settings.student.model)
        except ModelUnavailable:
            default = None
        adapter = default.adapter if isinstance(default, EmbeddedModel) else None
        await self._engine.remember([asdict(message) for message in OPENING], adapter=adapter)

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
            self._describe(name) if place < len(fixed) else self._describe_published(name, fixed)
            for place, name in enumerate(known)
        ]

    def inspect(self) -> None:
        """Check the files of every published version, so that `describe` tells of the bad ones, too."""
        self._published.inspect()

    def promote(self, name: str, version: str | None) -> str:
        """Make a published version (None: the newest) the live one, if its files are good; returns it.

        Raise `ArtifactError`.
        """
        return self._published.promote(name, version)

    async def aclose(self) -> None:
        """Close every open model, then the engine."""
        await self._published.aclose()
        for model in self._open.values():
            await model.aclose()
        self._open.clear()
        if self._engine is not None:
            await self._engine.aclose()
            self._engine = None

    def gguf(self) -> Path:
        """The embedded model's file; raise `EngineError` when there is none."""
        return self._settings.engine.gguf or embedded_gguf()

    async def _build(self, name: str) -> StudentModel:
        if name != BASE_MODEL:
            return self._chat(name, self._settings.models[name])
        try:
            return await asyncio.to_thread(self._embedded, name, await self._running())
        except EngineError as error:
            raise ModelUnavailable(str(error)) from None

    def _embedded(self, name: str, engine: LlamaCppEngine) -> StudentModel:
        return EmbeddedModel(
            name, gguf_version(self.gguf()), engine, temperature=self._settings.engine.temperature
        )

    # The one engine that the embedded model, its adapters and programs share.

    async def _running(self) -> LlamaCppEngine:
        async with self._starting:
            if self._engine is None:
                self._engine = await self._start(())
            return self._engine

    async def _start(self, adapters: tuple[Path, ...]) -> LlamaCppEngine:
        engine = self._settings.engine
        return await LlamaCppEngine.start(
            self.gguf(),
            slots=engine.slots,
            context=engine.context,
            threads=engine.threads or None,
            adapters=adapters,
        )

    async def _put_on(self, adapter: Path, proof: Callable[[LlamaCppEngine], Awaitable[object]]) -> None:
        """Let the engine serve `adapter`, too, if `proof` finds nothing against it."""
        async with self._starting:
            if self._engine is not None:
                # A version that nobody can be holding any more has no files any more, either.
                held = tuple(path for path in self._engine.adapters if path.is_file())
                await self._engine.change_adapters((*held, adapter), proof)
                return
            engine = await self._start((adapter,))
            try:
                await proof(engine)
            except BaseException:
                await engine.aclose()
                raise
            self._engine = engine

    # Published versions.

    def _examine(self, manifest: Manifest, folder: Path) -> None:
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
                gguf = self.gguf()
                check_gguf(gguf)
            except EngineError as error:
                raise ArtifactError(f"base: {error}") from None
            if base.sha256 != lora.base_checksum(gguf):
                raise ArtifactError(
                    f"base: made for {base.id}, not for the model that runs here ({gguf.name})"
                )
            if manifest.kind == "lora":
                lora.check(folder, gguf)
        if manifest.kind == "dspy":
            from bot.models.program_state import ProgramError, read_state  # noqa: PLC0415 - where it is used

            try:
                read_state(folder)
            except ProgramError as error:
                raise ArtifactError(str(error)) from None

    async def _open_version(self, manifest: Manifest, folder: Path) -> StudentModel:
        """Open a version whose files are in `folder` and were found good; it has given one reply then."""
        cue = self._cue()
        temperature = self._settings.engine.temperature
        name, version = manifest.name, manifest.version
        if manifest.kind == "lora":
            adapter = folder / lora.GGUF

            def served_by(engine: LlamaCppEngine) -> StudentModel:
                return EmbeddedModel(name, version, engine, temperature=temperature, adapter=adapter)

            await self._put_on(adapter, lambda engine: _proved(served_by(engine), cue))
            return served_by(await self._running())
        if manifest.kind == "dspy":
            model = await self._program(manifest, folder)
        else:
            wanted = self._address(manifest.base.endpoint)
            model = self._chat(name, wanted.model_copy(update={"model": manifest.base.id}))
        try:
            await _proved(model, cue)
        except BaseException:
            await model.aclose()
            raise
        return model

    async def _program(self, manifest: Manifest, folder: Path) -> StudentModel:
        # DSPy takes seconds to import, during which everybody else is to be answered.
        program = await asyncio.to_thread(importlib.import_module, "bot.models.program")
        backend: Any
        if manifest.base.sha256 is not None:
            backend = program.Embedded(await self._running(), self._settings.engine.temperature)
        else:
            from bot.models.prices import price_of, read_prices  # noqa: PLC0415

            wanted = self._address(manifest.base.endpoint)
            prices = read_prices(self._settings.data / "prices.toml")
            backend = program.Endpoint(
                model=manifest.base.id,
                base_url=wanted.base_url,
                api_key=self._key(wanted.key_variable),
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

    def _cue(self) -> Cue:
        """What the default child is asked before a version may answer anybody else."""
        data, student = self._settings.data, self._settings.student
        return Cue(
            read_child(data / "children" / f"{student.child}.toml"),
            read_lesson(data / "lessons" / f"{student.lesson}.toml"),
            (),
            "What is 52 minus 17?",
            Thought(ThoughtKind.ANSWER, answer="45", words=4),
        )

    def _chat(self, name: str, wanted: ChatModel) -> StudentModel:
        from bot.models.chat import ChatModel as Chat  # noqa: PLC0415 - imports openai, which is heavy
        from bot.models.chat import ChatSettings  # noqa: PLC0415
        from bot.models.prices import price_of, read_prices  # noqa: PLC0415

        prices = read_prices(self._settings.data / "prices.toml")
        try:
            return Chat(
                ChatSettings(
                    name=name,
                    model=wanted.model,
                    base_url=wanted.base_url or self._settings.openai.base_url,
                    api_key=self._key(wanted.key_variable),
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

    def _key(self, variable: str) -> SecretStr | None:
        if variable == "OPENAI_API_KEY":
            return self._settings.openai_api_key
        return self._settings.key(variable)

    def _describe(self, name: str) -> ModelInfo:
        if name == BASE_MODEL:
            try:
                gguf = self.gguf()
                check_gguf(gguf)
            except EngineError as error:
                return ModelInfo(name, "embedded", "", HERE, str(error), "refused")
            return ModelInfo(name, "embedded", gguf.stem, HERE)
        wanted = self._settings.models[name]
        problem = None
        if self._key(wanted.key_variable) is None and wanted.provider != "compatible":
            problem = f"{wanted.key_variable} is not set"
        shown = self._price(wanted.model, wanted.provider)
        return ModelInfo(
            name, wanted.provider, wanted.model, shown, problem, "refused" if problem else "ready"
        )

    def _describe_published(self, name: str, taken: tuple[str, ...]) -> ModelInfo:
        versions = self._published.versions(name)
        live = next((each.version for each in versions if each.state == "live"), "")
        manifest = self._published.live(name)
        try:
            shown = live or next((each.version for each in versions if each.current), "")
            if manifest is None and shown:
                manifest = artifact.read_manifest(self._settings.data / "models" / name / shown, name, shown)
        except ArtifactError:
            pass
        kind, price = "published", ""
        if manifest is not None:
            kind, price = manifest.kind, HERE
            if manifest.base.endpoint is not None:
                price = self._price(manifest.base.id, "openai")
        problem = self._published.problem(name)
        if name in taken:
            live, problem = "", f"the name {name!r} is taken by config.toml; publish it under another"
        state = "live" if live else "refused" if any(each.current for each in versions) else "candidate"
        return ModelInfo(name, kind, live, price, problem, state, versions)

    def _price(self, model: str, provider: str) -> str:
        from bot.models.prices import price_of, read_prices  # noqa: PLC0415

        price = price_of(model, read_prices(self._settings.data / "prices.toml"))
        if price is None or provider != "openai":
            return "price unknown"
        return (
            f"${price.usd_per_million_input:g} in, ${price.usd_per_million_output:g} out per million tokens"
        )


async def _proved(model: StudentModel, cue: Cue) -> None:
    """Let `model` reply once; raise `ArtifactError` when it says nothing."""
    reply = await model.reply(cue, seed=0)
    if not reply.text.strip():
        raise ArtifactError("it said nothing in its warm-up")
