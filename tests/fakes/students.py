"""Student models that say what a test tells them to, and a real classroom around them.

Store, settings, children and lessons are the real ones; only the words come from a script. Run as a
program, it is a second classroom on the same database, to be raced and killed.
"""

# ruff: noqa: T201 - as a program it speaks through its output
from __future__ import annotations

import asyncio
import functools
import itertools
import sys
import tempfile
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot import logs
from bot.app import App, read_data
from bot.classroom import Classroom
from bot.commands import Commands
from bot.config import Settings
from bot.messages import Message, Outgoing
from bot.metrics import Metrics
from bot.models.base import ModelRefused, ModelUnavailable, Reply, StudentModel
from bot.models.describing import ModelInfo
from bot.models.registry import Models, UnknownModel
from bot.models.turnstile import Turnstile
from bot.platforms.base import PlatformError
from bot.sections import Student
from bot.steps import Watch, unwatched
from bot.store import Store
from bot.student.records.child import Child
from bot.student.records.cue import Cue
from bot.student.records.curriculum import Curriculum
from bot.student.voicing.prompt import meaning

DATA = Path(__file__).parents[2] / "data"
SECRET = b"a secret of the tests"
NONSENSE = "As an AI language model, I certainly calculated 8123."
"""Words that can stand for no thought of a child."""


class ScriptedModel:
    """Says what was enqueued, in order, then the plain thought; remembers what it was asked."""

    def __init__(self, name: str = "base", *, delay: float = 0.0, cost_usd: float | None = None) -> None:
        self.name = name
        self.version = f"{name}-1"
        self.delay = delay
        self.cost_usd = cost_usd
        self.price = "free"
        self.capable = False
        self.cues: list[Cue] = []
        self.seeds: list[int | None] = []
        self.at_once = 0
        self.most_at_once = 0
        self.cancelled = 0
        self.closed = False
        self._script: deque[tuple[str | Exception | None, float]] = deque()

    def enqueue(self, *said: str | Exception, delay: float | None = None) -> None:
        """Next, say these texts or raise these errors, each after `delay` seconds."""
        self._script.extend((each, self.delay if delay is None else delay) for each in said)

    def hang(self) -> None:
        """Next, never answer."""
        self._script.append((None, 0.0))

    async def reply(self, cue: Cue, *, seed: int | None) -> Reply:
        self.cues.append(cue)
        self.seeds.append(seed)
        said, delay = self._script.popleft() if self._script else (meaning(cue.thought), self.delay)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await (asyncio.Event().wait() if said is None else asyncio.sleep(delay))
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.at_once -= 1
        if isinstance(said, Exception):
            raise said
        return Reply(str(said), 100, 5, self.cost_usd, delay * 1000)

    async def aclose(self) -> None:
        self.closed = True


class ScriptedModels(Models):
    """The registry with nothing but the given models in it."""

    def __init__(self, settings: Settings, *models: ScriptedModel) -> None:
        super().__init__(settings)
        self._scripted = {model.name: model for model in models}
        self.shared = Turnstile("scripted", settings.engine.slots)
        """All of them run on it."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._scripted)

    def capable(self, name: str) -> bool:
        return name in self._scripted and self._scripted[name].capable

    async def get(self, name: str) -> ScriptedModel:
        if name not in self._scripted:
            raise UnknownModel(f"no model {name!r}")
        return self._scripted[name]

    async def turnstile(self, name: str) -> Turnstile:
        return self.shared

    @property
    def turnstiles(self) -> tuple[Turnstile, ...]:
        return (self.shared,)

    def put(self, model: StudentModel) -> None:
        self._scripted[model.name] = model  # type: ignore[assignment]

    def describe(self) -> list[ModelInfo]:
        return [
            ModelInfo(name, "scripted", model.version, model.price) for name, model in self._scripted.items()
        ]

    async def aclose(self) -> None:
        for model in self._scripted.values():
            await model.aclose()
        await super().aclose()  # the ear is the published one


class Listener:
    """A responder that remembers what was sent; it fails or hangs where it is told to."""

    def __init__(
        self,
        *,
        fails: Exception | None = None,
        hangs: bool = False,
        log: list[str] | None = None,
        gives: str | None = None,
    ) -> None:
        self.sent: list[Outgoing] = []
        self.log = [] if log is None else log
        self.thought = 0
        self.told: list[str] = []
        self.looked = 0
        self._fails = fails
        self._hangs = hangs
        self._gives = gives

    async def thinking(self) -> None:
        self.thought += 1

    async def send(self, outgoing: Outgoing) -> str | None:
        if self._hangs:
            await asyncio.Event().wait()
        if self._fails is not None:
            raise self._fails
        self.sent.append(outgoing)
        self.log.append(outgoing.text)
        return self._gives

    def recover(self) -> None:
        """From now on, take what is sent."""
        self._hangs = False

    async def find(self, outgoing: Outgoing) -> list[str]:
        self.looked += 1
        return []

    async def tell(self, text: str) -> bool:
        self.told.append(text)
        return True

    @property
    def words(self) -> list[str]:
        return [outgoing.text for outgoing in self.sent if outgoing.speaker is not None]

    @property
    def notices(self) -> list[str]:
        return [outgoing.text for outgoing in self.sent if outgoing.speaker is None]


@functools.cache
def shipped() -> tuple[dict[str, Child], Curriculum]:
    """The children and lessons of the project, read once."""
    return read_data(Settings(data=DATA))


def settings_at(path: Path, **sections: Any) -> Settings:
    """Settings on the shipped data; the model is `base` unless `sections` say otherwise."""
    student = Student(**{"model": "base", **sections.pop("student", {})})
    return Settings(data=DATA, database=str(path), student=student, **sections)


_blanks: list[bytes] = []


async def _blank() -> bytes:
    """A new database, filled with its tables once and copied from then on."""
    if not _blanks:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "blank.db"
            await (await Store.open(f"sqlite+aiosqlite:///{path}")).aclose()
            _blanks.append(path.read_bytes())
    return _blanks[0]


@asynccontextmanager
async def room(
    path: Path, *models: ScriptedModel, watch: Watch = unwatched, **sections: Any
) -> AsyncIterator[App]:
    """All the bot on the database at `path`, with these models (one named base when none is given)."""
    settings = settings_at(path, **sections)
    children, curriculum = shipped()
    if not path.exists():
        path.write_bytes(await _blank())
    store = await Store.open(settings.database_url)
    try:
        known = ScriptedModels(settings, *(models or (ScriptedModel(),)))
        metrics = Metrics()
        classroom = Classroom(settings, store, known, metrics, children, curriculum, SECRET, watch)
        try:
            yield App(settings, store, known, metrics, classroom, Commands(settings, store, known, classroom))
        finally:
            await classroom.aclose()
            await known.aclose()
    finally:
        await store.aclose()


_numbers = itertools.count(1)


def message(
    text: str = "What is 52 minus 17?",
    *,
    key: str | None = None,
    channel: str = "room",
    author: str = "ann",
    sent_at: datetime | None = None,
    platform: str = "discord",
) -> Message:
    """A message; every one is another unless `key` is given."""
    return Message(
        key=key or f"{platform}:{next(_numbers)}",
        platform=platform,
        channel=channel,
        thread=None,
        author=author,
        text=text,
        sent_at=sent_at or datetime.now(UTC),
    )


async def _race(path: Path, count: int) -> None:
    async with room(path) as app:
        print("ready", flush=True)
        sys.stdin.readline()
        for number in range(count):
            listener = Listener()
            await app.classroom.receive(message(key=f"discord:race-{number}", channel=str(number)), listener)
            if listener.sent:
                print(number, flush=True)


async def _hang(path: Path) -> None:
    model = ScriptedModel()
    model.hang()
    async with room(path, model, classroom={"reply_seconds": 500}) as app:
        answer = asyncio.create_task(
            app.classroom.receive(message(key="discord:crash", channel="crash"), Listener())
        )
        while not model.cues:
            await asyncio.sleep(0.01)
        print("thinking", flush=True)
        await answer


__all__ = [
    "DATA",
    "NONSENSE",
    "Listener",
    "ModelRefused",
    "ModelUnavailable",
    "PlatformError",
    "ScriptedModel",
    "ScriptedModels",
    "message",
    "room",
    "settings_at",
    "shipped",
]

if __name__ == "__main__":
    logs.set_up("error")
    if sys.argv[1] == "race":
        asyncio.run(_race(Path(sys.argv[2]), int(sys.argv[3])))
    elif sys.argv[1] == "hang":
        asyncio.run(_hang(Path(sys.argv[2])))
