"""Which model a program is optimised for, and which one reflects; one call shows that it answers.

It knows settings, addresses and keys, and nothing of dialogues or optimisers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from bot.config import Settings
from bot.models.engines.llama_cpp import LlamaCppEngine
from bot.models.engines.weights import served_gguf
from bot.models.lora import base_checksum
from bot.models.manifest import Base
from bot.models.prices import price_of, read_prices
from bot.models.program import Backend, Embedded, Endpoint, ProgramModel, StudentSimulationModel
from bot.models.program_lm import language_model
from bot.sections import BASE_MODEL
from bot.student.records.cue import Cue
from bot.student.records.reading import DataError

REFLECTION_TOKENS = 4_000


@contextmanager
def opened(settings: Settings, name: str) -> Iterator[tuple[Backend, Base]]:
    """The model that is to be prompted, and how a manifest names it."""
    if name != BASE_MODEL:
        found = endpoint(settings, name)
        yield found, Base(id=found.model, endpoint=found.base_url)
        return
    wanted = settings.engine
    gguf = served_gguf(settings)
    engine = asyncio.run(
        LlamaCppEngine.start(
            gguf, slots=min(wanted.slots, 4), context=wanted.context, threads=wanted.threads or None
        )
    )
    try:
        yield Embedded(engine, wanted.temperature), Base(id=gguf.stem, sha256=base_checksum(gguf))
    finally:
        asyncio.run(engine.aclose())


def endpoint(settings: Settings, name: str) -> Endpoint:
    """A model of config.toml by its name; raise `DataError` where it cannot be asked."""
    known = settings.models.get(name)
    if known is None:
        there = ", ".join(["base", *settings.models])
        raise DataError(f"--model: no model {name!r} in config.toml; there are: {there}")
    if known.provider == "azure":
        raise DataError(
            f"--model {name}: for Azure, use provider 'compatible' with base_url https://RESOURCE.openai.azure.com/openai/v1"
        )
    openais = known.key_variable == "OPENAI_API_KEY"
    key = settings.openai_api_key if openais else settings.key(known.key_variable)
    if key is None and known.provider == "openai":
        raise DataError(f"--model {name}: {known.key_variable} is not set")
    try:
        return Endpoint(
            model=known.model,
            base_url=known.base_url or settings.openai.base_url,
            api_key=key,
            timeout_s=known.timeout_seconds,
            max_retries=known.max_retries,
            temperature=known.temperature,
            tokens_field=known.tokens_field,
            price=price_of(known.model, read_prices(settings.data / "prices.toml"))
            if known.provider == "openai"
            else None,
        )
    except ValueError as error:
        raise DataError(f"--model {name}: {error}") from None


def reflecting(settings: Settings, optimiser: str, model: str, reflect: str | None) -> Any:
    """The language model that reads the feedback and writes new instructions, or None where none is needed."""
    if optimiser != "gepa":
        return None
    if reflect is None and model == BASE_MODEL:
        raise DataError(
            "gepa: the embedded model is too small to reflect on its own mistakes; name one of config.toml with "
            "--reflect, or take --optimiser bootstrap"
        )
    return language_model(replace(endpoint(settings, reflect or model), max_tokens=REFLECTION_TOKENS))


def first_call(backend: Backend, cue: Cue, *, reasons: bool, seed: int) -> None:
    """One call before hundreds: a wrong key or address is found now, and said in one line."""

    async def call() -> None:
        model = ProgramModel("the model", "0", StudentSimulationModel(reasons=reasons), backend)
        try:
            await model.reply(cue, seed=seed)
        finally:
            await model.aclose()

    asyncio.run(call())
