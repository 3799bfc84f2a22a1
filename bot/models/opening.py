"""What opening a model takes: the settings, the engines that all share, and a first reply.

It knows how a model of config.toml is opened. What a published version needs beside that, its kind knows; which
models are open, and which version of one answers, is the business of others.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import structlog

from bot.config import Settings
from bot.models import lora
from bot.models.base import ModelUnavailable, StudentModel
from bot.models.embedded import EmbeddedModel
from bot.models.engines.base import EngineError
from bot.models.engines.running import Engines
from bot.models.engines.weights import check_gguf
from bot.models.files import ArtifactError
from bot.models.manifest import Base, Manifest
from bot.models.prices import Price, price_of, read_prices
from bot.sections import BASE_MODEL, ChatModel
from bot.student.lessons import read_lesson
from bot.student.records.child import read_child
from bot.student.records.cue import Cue
from bot.student.records.dialogue import Thought, ThoughtKind

if TYPE_CHECKING:
    from bot.models.chat import ChatModel as Chat

log = structlog.get_logger(__name__)

T = TypeVar("T", bound=StudentModel)


class Opener:
    """Opens models, on engines that they share."""

    def __init__(self, settings: Settings, engines: Engines) -> None:
        self.settings = settings
        self.engines = engines

    async def fixed(self, name: str) -> StudentModel:
        """The embedded model or one of config.toml; raise `ModelUnavailable`."""
        if name != BASE_MODEL:
            return chat_model(self.settings, name, self.settings.models[name])
        try:
            engine = await self.engines.get()
            version = await self.engines.base_version()
        except EngineError as error:
            raise ModelUnavailable(str(error)) from None
        return EmbeddedModel(name, version, engine, temperature=self.settings.engine.temperature)

    def cue(self) -> Cue:
        """What the default child is asked before a version may answer anybody else."""
        data, student = self.settings.data, self.settings.student
        return Cue(
            read_child(data / "children" / f"{student.child}.toml"),
            read_lesson(data / "lessons" / f"{student.lesson}.toml"),
            (),
            "What is 52 minus 17?",
            Thought(ThoughtKind.ANSWER, answer="45", words=4),
        )

    def runs_here(self, base: Base) -> Path:
        """The GGUF file that runs here, if it is this one; raise `ArtifactError`."""
        try:
            gguf = self.engines.gguf()
            check_gguf(gguf)
        except EngineError as error:
            raise ArtifactError(f"base: {error}") from None
        if base.sha256 is None or not lora.made_for(base.sha256, gguf):
            raise ArtifactError(f"base: made for {base.id}, not for the model that runs here ({gguf.name})")
        if base.id != gguf.stem:
            log.info("the same weights in other numbers", trained_on=base.id, served=gguf.stem)
        return gguf

    def served_at(self, manifest: Manifest) -> ChatModel:
        """The settings for a version that is served at an address; raise `ArtifactError`.

        Only addresses in the config are taken: a key must never go where a file alone says.
        """
        base = manifest.base
        if base is None or base.endpoint is None:
            raise ArtifactError("base: expected the endpoint that serves the model")
        ours = self.settings.openai.base_url
        wanted = base.endpoint.rstrip("/")
        if wanted == ours.rstrip("/"):
            return ChatModel(model=base.id, base_url=ours)
        for known in self.settings.models.values():
            if known.base_url and wanted == known.base_url.rstrip("/"):
                return known.model_copy(update={"model": base.id})
        raise ArtifactError(
            f"base: endpoint {base.endpoint[:80]!r} is none of config.toml's; set base_url under [openai] or [models.…]"
        )


def chat_model(settings: Settings, name: str, wanted: ChatModel) -> Chat:
    """`wanted` behind its API, under a name; raise `ModelUnavailable` for settings that no server would take."""
    from bot.models.chat import ChatModel as Chat  # noqa: PLC0415 - aiohttp is for who needs it
    from bot.models.chat import ChatSettings  # noqa: PLC0415

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
                ability=wanted.ability,
                price=price(settings, wanted),
            )
        )
    except ValueError as error:
        raise ModelUnavailable(str(error)) from None


def price(settings: Settings, wanted: ChatModel) -> Price | None:
    """What `wanted` costs, None where that is not known."""
    if wanted.provider != "openai":
        return None
    return price_of(wanted.model, read_prices(settings.data / "prices.toml"))


async def replies(model: StudentModel, cue: Cue) -> None:
    """Let `model` reply once; raise `ArtifactError` when it says nothing."""
    reply = await model.reply(cue, seed=0)
    if not reply.text.strip():
        raise ArtifactError("it said nothing in its warm-up")


async def proved(model: T, cue: Cue) -> T:
    """`model`, once it has replied; where it does not, it is closed."""
    try:
        await replies(model, cue)
    except BaseException:
        await model.aclose()
        raise
    return model
