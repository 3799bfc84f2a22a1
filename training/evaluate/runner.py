"""The whole protocol on some models and the controls: run several at once, written down, resumed.

It knows a plan and the file of rows. What is asked is `plan`, what the figures mean is `metrics`, what they say side
by side is `compare`. A practice log is never touched: every model gets a classroom with a database of its own.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator

from bot.models.base import ModelUnavailable, Reply
from bot.student.records.reading import DataError, Whole, expected, read_json
from bot.student.voicing.prompt import VERSION as PROMPT_VERSION
from training.evaluate.metrics import BARE
from training.evaluate.plan import PRESETS, Plan
from training.evaluate.rows import Row, Writer
from training.evaluate.session import Session, Unit
from training.evaluate.speakers import Adult, Authored, Bare, InClassroom, Speaker
from training.evaluate.written import ROWS, SETTINGS

if TYPE_CHECKING:
    from bot.app import App
    from bot.config import Settings

DEADLINE_S = 120.0
"""For one reply: an evaluation asks many at once, and its own load must not count as silence."""
SET_ASIDE = 5
"""Units that may wait for a second try; with more, the model is down."""
BARE_TOKENS = 80


@dataclass(frozen=True, slots=True)
class Asked:
    """A model of a run; the same version must answer when the run is resumed."""

    name: str
    version: str
    kind: str


def _known(preset: str) -> str:
    if preset not in PRESETS:
        raise expected(f"one of {', '.join(PRESETS)}")
    return preset


@dataclass(frozen=True, slots=True)
class Run:
    """A run's settings, as kept in its folder."""

    folder: Path
    preset: Annotated[str, AfterValidator(_known)]
    seed: Whole
    prompt_version: str
    started_at: str
    models: tuple[Asked, ...]

    def write(self) -> None:
        """Make the folder and its settings."""
        self.folder.mkdir(parents=True)
        raw = {name: value for name, value in asdict(self).items() if name != "folder"}
        (self.folder / SETTINGS).write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> Run:
        """Raise `DataError` where there is none."""
        path = folder / SETTINGS
        if not path.is_file():
            raise DataError(f"{path}: no such file; is that the id of a run?")
        return read_json(Run, path, folder=folder)


@dataclass(frozen=True, slots=True)
class Rooms:
    """What a run opens: a classroom by its settings, and the bare model (None where there is none)."""

    app: Callable[[Settings], AbstractAsyncContextManager[App]]
    bare: Callable[[Settings], AbstractAsyncContextManager[Speaker | None]]


Progress = Callable[[str, int, int], None]
"""Called with a speaker's name, the turns done since the last call, and all of its turns."""


def new_id() -> str:
    """The name of a run's folder."""
    return f"evaluate-{datetime.now(UTC):%Y%m%d-%H%M%S}-{uuid.uuid4().hex[:6]}"


async def identify(settings: Settings, names: Sequence[str], rooms: Rooms) -> tuple[Asked, ...]:
    """Open every model once, before any work is done for one; raise `UnknownModel` or `ModelUnavailable`."""
    found = []
    for name in names:
        async with _room(settings, name, rooms) as app:
            model = await app.models.get(name)
            kind = next((each.kind for each in app.models.describe() if each.name == name), "")
            found.append(Asked(name, model.version, kind))
    return tuple(found)


async def run_one(settings: Settings, units: Sequence[Unit], rooms: Rooms, progress: Progress) -> list[Row]:
    """The rows of some units with the model of the settings, written nowhere; raise `ModelUnavailable`."""
    name = settings.student.model
    async with _room(settings, name, rooms) as app:
        speaker = InClassroom(app, await app.models.get(name), "")
        return await run_units(speaker, units, None, settings.engine.slots, progress)


async def execute(settings: Settings, run: Run, plan: Plan, rooms: Rooms, progress: Progress) -> None:
    """Run what is left of `run`: controls that cost nothing, the models, then the bare model.

    Raises `DataError` when a model is no longer the version that began, or `ModelUnavailable`; what was
    written stays, and the same run can be resumed.
    """
    if run.prompt_version != PROMPT_VERSION:
        raise DataError(
            f"{run.folder.name}: began with prompt version {run.prompt_version}, now it is {PROMPT_VERSION}; "
            "start a new run"
        )
    with Writer(run.folder / ROWS) as writer:
        for control in (Authored(), Adult()):
            await run_units(control, plan.units(control), writer, 1, progress)
        for asked in run.models:
            async with _room(settings, asked.name, rooms) as app:
                model = await app.models.get(asked.name)
                if model.version != asked.version:
                    raise DataError(
                        f"{asked.name}: the run began with version {asked.version}, now {model.version} answers; "
                        f"start a new run, or promote the old version again"
                    )
                speaker = InClassroom(app, model, asked.kind)
                await run_units(speaker, plan.units(speaker), writer, settings.engine.slots, progress)
        async with rooms.bare(settings) as bare:
            if bare is not None:
                await run_units(bare, plan.units(bare), writer, settings.engine.slots, progress)


async def run_units(
    speaker: Speaker, units: Sequence[Unit], writer: Writer | None, at_once: int, progress: Progress
) -> list[Row]:
    """Run those that are not written yet, some at once; the rows of these. Raises `ModelUnavailable`."""
    finished = writer.finished if writer else set()
    left = [each for each in units if (speaker.name, speaker.version, *_key(each)) not in finished]
    total = sum(unit.turns for unit in units)
    progress(speaker.name, total - sum(unit.turns for unit in left), total)
    rows: list[Row] = []
    aside: list[Unit] = []

    async def work(waiting: Iterable[Unit], again: bool) -> None:
        for unit in waiting:
            try:
                done = await Session(speaker, unit).run()
            except ModelUnavailable:
                # A server that hiccups is asked once more, when all others are done.
                aside.append(unit)
                if again or len(aside) > SET_ASIDE:
                    raise
                continue
            if writer:
                writer.append(done)
            rows.extend(done)
            progress(speaker.name, unit.turns, total)

    await _together(work, left, False, at_once)
    second, aside = aside, []
    await _together(work, second, True, at_once)
    return rows


async def _together(
    work: Callable[[Iterable[Unit], bool], Any], units: Sequence[Unit], again: bool, at_once: int
) -> None:
    waiting = iter(units)  # shared: every worker takes the next one
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(at_once, len(units))):
                group.create_task(work(waiting, again))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None


def _key(unit: Unit) -> tuple[str, str, int]:
    return unit.section, unit.cluster, unit.seed


@asynccontextmanager
async def _room(settings: Settings, name: str, rooms: Rooms) -> AsyncIterator[App]:
    """A classroom whose default and only model is that one, on a database that goes with it."""
    with tempfile.TemporaryDirectory() as folder:
        private = settings.model_copy(
            update={
                "database": str(Path(folder) / "evaluation.db"),
                "pupil_database_url": None,
                "student": settings.student.model_copy(update={"model": name, "fallback": name}),
                "classroom": settings.classroom.model_copy(update={"reply_seconds": DEADLINE_S}),
            }
        )
        async with rooms.app(private) as app:
            yield app


@asynccontextmanager
async def open_bare(settings: Settings) -> AsyncIterator[Speaker | None]:
    """The embedded model, asked freely; None where it is not installed."""
    from bot.models.embedded import gguf_version  # noqa: PLC0415 - brings the engine
    from bot.models.engines.base import EngineError, Sampling  # noqa: PLC0415
    from bot.models.engines.llama_cpp import LlamaCppEngine  # noqa: PLC0415
    from bot.models.engines.weights import served_gguf  # noqa: PLC0415

    ours = settings.engine
    try:
        gguf = await asyncio.to_thread(served_gguf, settings)
        engine = await LlamaCppEngine.start(
            gguf, slots=ours.slots, context=ours.context, threads=ours.threads or None
        )
    except EngineError:
        yield None
        return

    async def complete(messages: Sequence[Mapping[str, str]], seed: int) -> Reply:
        started = asyncio.get_running_loop().time()
        sampling = Sampling(max_tokens=BARE_TOKENS, temperature=ours.temperature, seed=seed)
        try:
            done = await engine.complete(messages, sampling)
        except EngineError as error:
            raise ModelUnavailable(f"{BARE}: {error}") from None
        seconds = asyncio.get_running_loop().time() - started
        return Reply(done.text, done.prompt_tokens, done.completion_tokens, None, 1000 * seconds)

    try:
        yield Bare(complete, gguf_version(gguf))
    finally:
        await engine.aclose()
