"""Which models there are, by name; each is opened when it is first used and closed with the registry.

It knows the settings and how a model is built. Which one a channel uses is the classroom's business.
"""

from __future__ import annotations

import asyncio
import difflib
from dataclasses import asdict, dataclass
from pathlib import Path

from pydantic import SecretStr

from bot.config import BASE_MODEL, ChatModel, Settings
from bot.models.base import ModelUnavailable, StudentModel
from bot.models.engines.llama_cpp import EngineError, LlamaCppEngine, check_gguf, embedded_gguf
from bot.student.prompt import OPENING


class UnknownModel(ValueError):
    """No model of that name; the message says which there are."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A line of the list of models. `problem` says why it cannot be used, or is None."""

    name: str
    kind: str
    version: str
    price: str
    problem: str | None = None


class Models:
    """All models of one process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open: dict[str, StudentModel] = {}
        self._engine: LlamaCppEngine | None = None
        self._opening = asyncio.Lock()

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, the embedded one first."""
        return (BASE_MODEL, *self._settings.models)

    def check(self, name: str) -> str:
        """`name`, or `UnknownModel` with near matches."""
        if name in self.names:
            return name
        near = difflib.get_close_matches(name, self.names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(self.names)}"
        raise UnknownModel(f"no model {name!r}; {hint}")

    async def get(self, name: str) -> StudentModel:
        """The model of that name, opened; raise `UnknownModel` or `ModelUnavailable`."""
        self.check(name)
        if name not in self._open:
            async with self._opening:
                if name not in self._open:
                    self._open[name] = await self._build(name)
        return self._open[name]

    async def warm_up(self) -> None:
        """Let the engine, if it runs, read the start of every prompt before the first teacher comes."""
        if self._engine is not None:
            await self._engine.remember([asdict(message) for message in OPENING])

    def put(self, model: StudentModel) -> None:
        """Serve `model` under its name from now on; it is closed with the others."""
        self._open[model.name] = model

    def describe(self) -> list[ModelInfo]:
        """Every model, without opening any."""
        return [self._describe(name) for name in self.names]

    async def aclose(self) -> None:
        """Close every open model, then the engine."""
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
        if name == BASE_MODEL:
            return await self._embedded(name)
        return self._chat(name, self._settings.models[name])

    async def _embedded(self, name: str) -> StudentModel:
        from bot.models.embedded import EmbeddedModel  # noqa: PLC0415 - only where it is used

        engine = self._settings.engine
        try:
            gguf = self.gguf()
            self._engine = await LlamaCppEngine.start(
                gguf, slots=engine.slots, context=engine.context, threads=engine.threads or None
            )
        except EngineError as error:
            raise ModelUnavailable(str(error)) from None
        return EmbeddedModel(name, self._engine, gguf, temperature=engine.temperature)

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
                return ModelInfo(name, "embedded", "", "runs here", str(error))
            return ModelInfo(name, "embedded", gguf.stem, "runs here")
        from bot.models.prices import price_of, read_prices  # noqa: PLC0415

        wanted = self._settings.models[name]
        price = price_of(wanted.model, read_prices(self._settings.data / "prices.toml"))
        known = price is not None and wanted.provider == "openai"
        shown = (
            f"${price.usd_per_million_input:g} in, ${price.usd_per_million_output:g} out per million tokens"
            if known and price is not None
            else "price unknown"
        )
        problem = None
        if self._key(wanted.key_variable) is None and wanted.provider != "compatible":
            problem = f"{wanted.key_variable} is not set"
        return ModelInfo(name, wanted.provider, wanted.model, shown, problem)
