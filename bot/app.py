"""Builds everything from the settings, starts it in order, stops it in reverse.

It knows every room by name and does none of their work.
"""

from __future__ import annotations

import asyncio
import difflib
import gc
import signal
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from bot import platforms, scenarios, signals
from bot.classroom import Classroom
from bot.commands import Commands
from bot.config import ConfigError, Settings
from bot.health import Health
from bot.links import Links
from bot.metrics import Metrics
from bot.models.base import ModelUnavailable
from bot.models.registry import Models
from bot.platforms.base import Platform, PlatformError
from bot.platforms.spec import PlatformSpec
from bot.platforms.web import WebSettings
from bot.secret import known_secret
from bot.store import Store, hash_user
from bot.student.hearing.questions import index
from bot.student.knowing import facts
from bot.student.lessons import read_curriculum
from bot.student.records.child import Child, read_children
from bot.student.records.curriculum import Curriculum
from bot.student.records.reading import DataError

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class App:
    """The parts that are running."""

    settings: Settings
    store: Store
    models: Models
    metrics: Metrics
    classroom: Classroom
    commands: Commands
    health: Health = field(default_factory=Health)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[App]:
    """Every part, started; closed in reverse on the way out. Raises the part's own one-line error."""
    children, curriculum = read_data(settings)
    async with AsyncExitStack() as stack:
        if settings.pupil_database_url is None:
            Path(settings.database).parent.mkdir(parents=True, exist_ok=True)
        store = await Store.open(settings.database_url, data=settings.data, backups=settings.jobs.backups)
        stack.push_async_callback(store.aclose)
        secret = await known_secret(settings, store)
        models = Models(settings)
        stack.push_async_callback(models.aclose)
        names = {key: models.check(getattr(settings.student, key)) for key in ("model", "fallback")}
        settings = settings.model_copy(update={"student": settings.student.model_copy(update=names)})
        metrics = Metrics()
        metrics.watch_engine(models.engine_load)
        classroom = Classroom(settings, store, models, metrics, children, curriculum, secret)
        stack.push_async_callback(classroom.aclose)
        health = Health()
        web = settings.section(WebSettings)
        known = (each.partition(":") for each in web.instructors)
        instructors = frozenset(hash_user(platform, user, secret) for platform, _, user in known)
        links = Links(store, secret, web.address)
        commands = Commands(settings, store, models, classroom, health.troubles, links, instructors)
        yield App(settings, store, models, metrics, classroom, commands, health)


def read_data(settings: Settings) -> tuple[dict[str, Child], Curriculum]:
    """Children, lessons and scenarios, checked; raise `DataError` or `ConfigError`."""
    children = read_children(settings.data / "children")
    curriculum = read_curriculum(settings.data)
    if not children or not curriculum.lessons:
        raise DataError(f"{settings.data}: expected children/*.toml and lessons/*.toml; is `data` set right?")
    _known("student.child", settings.student.child, children)
    _known("student.lesson", settings.student.lesson, curriculum.lessons)
    curriculum.scenarios = scenarios.read(settings.data, settings.scenarios.folder, children, curriculum)
    # Compared with every turn: made here, so that the first teacher does not wait for it.
    _ = index(curriculum), facts.table()
    return children, curriculum


def _known(key: str, name: str, known: Iterable[str]) -> None:
    names = list(known)
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names[:10])}"
        raise ConfigError(f"{key}: no {name!r}; {hint}")


def chosen(settings: Settings, names: Sequence[str]) -> list[PlatformSpec] | None:
    """Those of the platforms that are set up whose names were given; None where none was, for all of them. Raise
    `ConfigError`."""
    known = {each.name: each for each in platforms.PLATFORMS}
    for name in names:
        _known("--platform", name, known)
    found = [each for name, each in known.items() if name in names and each.wanted(settings)]
    if names and not found:
        raise ConfigError(
            f"--platform {', '.join(names)}: not set up; python -m bot check says what is missing"
        )
    return found or None


async def run(
    settings: Settings,
    config: Path | None = None,
    wanted: Sequence[PlatformSpec] | None = None,
    greet: Callable[[App], None] = lambda _: None,
) -> None:
    """Serve every configured platform, or those that are `wanted`, until SIGINT or SIGTERM; what is in hand is finished
    first.

    `config` is the file the settings came from, for the programs that scheduled jobs start; `greet` is called once
    everything is made.
    """
    if wanted is None:
        wanted = [each for each in platforms.PLATFORMS if each.wanted(settings)]
    if not wanted:
        ways = ", or ".join(
            " and ".join(each.needs(settings)) for each in platforms.PLATFORMS if each.secrets
        )
        raise ConfigError(
            f"no platform is set up: set {ways}, in .env; python -m bot chat and python -m bot web need none of them"
        )
    ready, stopping = asyncio.Event(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signals.on(number, stopping.set)
    from bot.jobs import Jobs  # noqa: PLC0415 - brings apscheduler, which only this needs

    async with opened(settings) as app, watching(app.models, app.health), AsyncExitStack() as stack:
        health = app.health
        if settings.metrics.enabled:
            from bot.metrics_server import MetricsServer  # noqa: PLC0415 - brings aiohttp, which a terminal does without

            server = MetricsServer(
                app.metrics, lambda: ready.is_set() and not stopping.is_set(), health.troubles
            )
            try:
                port = await server.start(settings.metrics.host, settings.metrics.port)
            except OSError as error:
                raise ConfigError(
                    f"metrics.port: {settings.metrics.port} cannot be used ({error.strerror})"
                ) from None
            stack.push_async_callback(server.aclose)
            log.info("metrics", url=f"http://{settings.metrics.host}:{port}/metrics")
        await warm_up(app)
        await app.classroom.rehearse()
        opened_here = [each.open(settings, app.classroom, app.commands) for each in wanted]
        ended = partial(_job_ended, app.metrics, health)
        jobs = Jobs(settings, app.store, partial(_announce, opened_here), config, ended)
        app.metrics.expect(job.name for job in jobs.jobs())
        await jobs.start()
        stack.push_async_callback(jobs.aclose)
        # What is here by now stays: the collector need not look at it again, which would hold everybody up.
        gc.freeze()
        gc.enable()
        serving = [asyncio.create_task(platform.serve()) for platform in opened_here]
        stop = asyncio.create_task(stopping.wait())
        ready.set()
        greet(app)
        try:
            await serve_all(dict(zip(serving, wanted, strict=True)), stop, health)
        finally:
            # First the messages in hand are answered, while the platforms can still send; then these go.
            await app.classroom.aclose()
            stop.cancel()
            for task in serving:
                task.cancel()
            results = await asyncio.gather(*serving, return_exceptions=True)
        failed = [each for each in results if isinstance(each, Exception)]
        # Stopped while another one served well: what failed was told then.
        if failed and (len(failed) == len(results) or not stopping.is_set()):
            raise failed[0]
    log.info("stopped")


async def serve_all(
    serving: dict[asyncio.Task[None], PlatformSpec], stop: asyncio.Task[Any], health: Health
) -> None:
    """Wait for the stop, or until no platform is left: one that cannot go on takes no other one along."""
    left: set[asyncio.Task[Any]] = set(serving)
    while left:
        ended, _ = await asyncio.wait([*left, stop], return_when=asyncio.FIRST_COMPLETED)
        if stop in ended:
            return
        left -= ended
        for task in ended & set(serving) if left else ():
            reason = str(task.exception() or "it ended") if not task.cancelled() else "it was cancelled"
            log.error("a platform is not served any more", platform=serving[task].name, reason=reason)
            health.tell(serving[task].name, f"not served any more: {reason}")


@asynccontextmanager
async def watching(models: Models, health: Health | None = None) -> AsyncIterator[None]:
    """Take up what is published or promoted for as long as this is open."""
    watch = asyncio.create_task(models.watch())
    (health or Health()).watch(watch, "taking up new models")
    try:
        yield
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)


def _job_ended(metrics: Metrics, health: Health, job: str, failure: str | None) -> None:
    metrics.jobs.labels(job, "done" if failure is None else "failed").inc()
    health.tell(f"job {job}", failure)


async def _announce(serving: list[Platform], address: str, text: str) -> None:
    """Say something in a channel written as "discord:123"; raise `PlatformError`."""
    name, _, channel = address.partition(":")
    for platform in serving:
        if platform.name == name:
            await platform.announce(channel, text)
            return
    raise PlatformError(f"jobs.summary_channel: {name} is not set up here")


async def warm_up(app: App) -> None:
    """Open the default model and its fallback, so that the first teacher does not wait for it."""
    student = app.settings.student
    for name in dict.fromkeys((student.model, student.fallback)):
        try:
            await app.models.get(name)
        except ModelUnavailable as error:
            if name == student.fallback:
                raise ConfigError(f"student.fallback: {error}") from None
            log.warning("model unavailable", model=name, reason=str(error))
    for info in app.models.describe():
        # A terminal shows errors alone, and whoever talks there should know that it is not the model they think.
        if info.name == student.model and info.problem and info.name != student.fallback:
            log.error("the default model does not answer as it should", model=info.name, reason=info.problem)
    if app.settings.engine.slots > 1:
        await app.models.warm_up()
