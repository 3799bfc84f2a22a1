"""The published models of one process: which version of each answers, why one was refused, and the change from
one version to the next while people talk.

It knows version folders and models as a whole. What is inside a version, and how it is opened, the registry
tells it. A version that is refused changes nothing: the one that answered goes on answering.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import structlog

from bot.health import start
from bot.models import artifact, catalogue
from bot.models.base import ModelRefused, ModelUnavailable
from bot.models.copies import Copies, passes
from bot.models.engines.base import EngineError
from bot.models.files import ArtifactError
from bot.models.kinds import kind_of
from bot.models.kinds.base import ArtifactKind, Opened
from bot.models.manifest import Manifest, read_manifest
from bot.models.opening import Opener

log = structlog.get_logger(__name__)

LOOK_SECONDS = 2.0
"""How often the folder is looked at where the file system tells of no changes, and to be safe where it does."""
SETTLE_MS = 50
"""How long after the last change of a burst the folder is looked at."""
TRY_AGAIN_SECONDS = 30.0
"""After a refusal that may be nobody's fault, such as a server that did not answer."""

State = Literal["live", "candidate", "refused"]
_Print = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """One published version. `current` marks the promoted one; `reason` says why one was refused, `waits` what a
    gate has against making a candidate live."""

    version: str
    state: State
    current: bool
    reason: str | None = None
    waits: str | None = None


@dataclass(frozen=True, slots=True)
class _Refusal:
    reason: str
    files: _Print
    """The folder as it was: what has changed since is looked at again."""
    until: float


@dataclass(frozen=True, slots=True)
class _Live:
    opened: Opened
    manifest: Manifest
    folder: Path
    """Our own copy of the files, as they were checked."""


@dataclass(slots=True)
class _Model:
    live: _Live | None = None
    wanted: bool = False
    """Whether somebody has asked for it: until then its files are checked, but it is not opened."""
    promotions: list[catalogue.Promotion] = field(default_factory=list)
    problem: str | None = None
    """Why current.json cannot be followed."""
    refusals: dict[str, _Refusal] = field(default_factory=dict)
    checked: dict[str, _Print] = field(default_factory=dict)
    opening: asyncio.Task[None] | None = None
    speaks: dict[str, bool] = field(default_factory=dict)
    """By version, where the manifest could be read; it never changes."""


class Published:
    """All names in `folder`, which need not exist.

    A turn may hold what it was given for up to `grace` seconds after another one has taken its place: so long
    it stays open. What is open is served from copies below the folder `beside`.
    """

    def __init__(self, folder: Path, opener: Opener, *, grace: float, beside: Path) -> None:
        self.folder = folder
        self._opener = opener
        self._grace = grace
        self._models: dict[str, _Model] = {}
        self._copies = Copies(beside)
        self._one_at_a_time = asyncio.Lock()
        self._retiring: set[asyncio.Task[None]] = set()
        self._closed = False
        self._look()

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, from memory."""
        return tuple(self._models)

    def speaks(self, name: str) -> bool:
        """Whether it is a student, as far as the manifest of its promoted (else its newest) version tells. What
        cannot be read counts as one, and is listed with what is wrong with it."""
        model = self._models[name]
        promoted = [each.version for each in model.promotions[:1]]
        for version in promoted or catalogue.versions(self.folder, name)[-1:]:
            if version not in model.speaks:
                try:
                    manifest = read_manifest(self.folder / name / version, name, version)
                    model.speaks[version] = kind_of(manifest).speaks
                except ArtifactError:
                    return True
            return model.speaks[version]
        return True

    async def get(self, name: str, kind: ArtifactKind[Any] | None = None) -> Any:
        """The live version of `name`, opened: a `StudentModel`, or what `kind` makes where one is named. Raise
        `ModelUnavailable` when there is none."""
        model = self._models.get(name)
        if model is None:
            raise ModelUnavailable(f"{name}: nothing is published under this name")
        model.wanted = True
        if model.live is None:
            await self._follow(name, model)
        if model.live is None:
            raise ModelUnavailable(f"{name}: {self.problem(name)}")
        live = kind_of(model.live.manifest)
        if live.name != kind.name if kind else not live.speaks:
            raise ModelUnavailable(
                f"{name}: is of kind {live.name}, not {kind.name if kind else 'a student'}"
            )
        return model.live.opened

    def live(self, name: str) -> Manifest | None:
        """The manifest of the version that answers, if one does."""
        live = self._models[name].live
        return live.manifest if live else None

    def problem(self, name: str) -> str | None:
        """Why the promoted version does not answer, or None."""
        model = self._models[name]
        if model.problem:
            return model.problem
        if not model.promotions:
            return f"no version is live; choose one with python -m bot use {name}"
        promoted = model.promotions[0].version
        refusal = model.refusals.get(promoted)
        if refusal is None:
            return None
        instead = f"; {model.live.manifest.version} answers instead" if model.live else ""
        return f"{promoted} was refused: {refusal.reason}{instead}"

    def versions(self, name: str) -> tuple[VersionInfo, ...]:
        """Every version, oldest first."""
        model = self._models[name]
        promoted = model.promotions[0].version if model.promotions else None
        answering = model.live.manifest.version if model.live else promoted
        infos = []
        for version in catalogue.versions(self.folder, name):
            refusal = model.refusals.get(version)
            state: State = "live" if version == answering else "candidate"
            if refusal is not None and not (model.live and version == answering):
                state = "refused"
            waits = catalogue.held_back(self.folder, name, version) if state == "candidate" else ""
            infos.append(
                VersionInfo(
                    version, state, version == promoted, refusal.reason if refusal else None, waits or None
                )
            )
        return tuple(infos)

    def inspect(self) -> None:
        """Check the files of every version, promoted or not."""
        for name, model in self._models.items():
            for version in catalogue.versions(self.folder, name):
                self._check(name, model, version)

    def promote(self, name: str, version: str | None) -> str:
        """Make `version` (None: the newest) the live one; returns it. Raise `ArtifactError` for a bad one."""
        known = catalogue.versions(self.folder, name)
        chosen = version or (known[-1] if known else None)
        if chosen in known:
            try:
                self._examine(name, chosen)
            except ArtifactError as error:
                raise ArtifactError(f"{name} {chosen}: {error}") from None
        return catalogue.use(self.folder, name, version, by="hand")

    async def refresh(self) -> None:
        """Look at the folder once, and follow what has changed."""
        await asyncio.to_thread(self._look)
        for name, model in list(self._models.items()):
            if live := model.live:
                version = self.folder / name / live.manifest.version
                await asyncio.to_thread(self._copies.keep, live.folder, version, live.manifest)
            if model.wanted:
                await self._follow(name, model)
            elif model.promotions:
                await asyncio.to_thread(self._check, name, model, model.promotions[0].version)

    async def watch(self, *, seconds: float = LOOK_SECONDS, events: bool = True) -> None:
        """Refresh at every change of the folder, and every so many `seconds`, until cancelled."""
        async for _ in self._changes(seconds, events):
            try:
                await self.refresh()
            except Exception:
                # Last line of defence: the models that answer must not lose their watch over a bad folder.
                log.exception("models not refreshed")

    async def aclose(self) -> None:
        """Close every model, those that are being replaced, too."""
        self._closed = True
        opening = [model.opening for model in self._models.values() if model.opening]
        await asyncio.gather(*opening, return_exceptions=True)
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        for model in self._models.values():
            if model.live:
                await model.live.opened.aclose()
                model.live = None
        self._copies.close()

    def _look(self) -> None:
        """Names and pointers from the disk: quick, and no version is opened."""
        found = catalogue.names(self.folder)
        for name in [name for name, model in self._models.items() if name not in found and not model.live]:
            del self._models[name]
        for name in found:
            model = self._models.setdefault(name, _Model())
            try:
                model.promotions = catalogue.promotions(self.folder, name)
                problem = None
            except ArtifactError as error:
                problem = str(error)
                if problem != model.problem:
                    log.warning("current.json not followed", model=name, reason=problem)
            model.problem = problem

    async def _follow(self, name: str, model: _Model) -> None:
        """Bring up what is promoted. One task does it for all who wait, and nobody's impatience stops it."""
        if model.opening is None and not self._closed:
            model.opening = asyncio.create_task(self._bring_up(name, model))
            model.opening.add_done_callback(lambda _: setattr(model, "opening", None))
        if model.opening is not None:
            await asyncio.shield(model.opening)

    async def _bring_up(self, name: str, model: _Model) -> None:
        """Open the promoted version; where none answers yet and it is bad, the one before it, and so on."""
        async with self._one_at_a_time:
            if model.problem:
                return
            for promotion in list(model.promotions):
                version = promotion.version
                if model.live is not None and model.live.manifest.version == version:
                    return
                if not self._refused(name, model, version) and await self._open(name, model, version):
                    return
                if model.live is not None:
                    return

    async def _open(self, name: str, model: _Model, version: str) -> bool:
        seen, copy = _print(self.folder / name / version), None
        started = time.perf_counter()
        try:
            manifest, copy = await asyncio.to_thread(self._copies.take, self.folder / name / version)
            kind = kind_of(manifest)
            await asyncio.to_thread(kind.examine, self._opener, manifest, copy)
            opened = await kind.open(self._opener, manifest, copy)
        except BaseException as error:
            if copy is not None:
                self._copies.drop(copy)
            if not isinstance(error, ArtifactError | EngineError | ModelUnavailable | ModelRefused):
                raise
            refusal = _Refusal(" ".join(str(error).split()), seen, _until(error))
            self._refuse(name, model, version, refusal)
            return False
        old, model.live = model.live, _Live(opened, manifest, copy)
        model.refusals.pop(version, None)
        log.info(
            "model opened",
            model=name,
            version=version,
            before=old.manifest.version if old else None,
            seconds=round(time.perf_counter() - started, 2),
        )
        if old is not None:
            task = start(self._retire(old), f"closing {name} {old.manifest.version}")
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)
        return True

    async def _retire(self, old: _Live) -> None:
        try:
            await asyncio.sleep(self._grace)
        finally:
            await old.opened.aclose()
            self._copies.drop(old.folder)

    def _check(self, name: str, model: _Model, version: str) -> None:
        """Check the files of a version that nobody needs opened."""
        folder = self.folder / name / version
        seen = _print(folder)
        if model.checked.get(version) == seen or self._refused(name, model, version):
            return
        try:
            self._examine(name, version)
        except ArtifactError as error:
            self._refuse(name, model, version, _Refusal(str(error), seen, _until(error)))
        else:
            model.checked[version] = seen
            model.refusals.pop(version, None)

    def _examine(self, name: str, version: str) -> None:
        folder = self.folder / name / version
        manifest = artifact.take(folder)
        kind_of(manifest).examine(self._opener, manifest, folder)

    def _refused(self, name: str, model: _Model, version: str) -> bool:
        refusal = model.refusals.get(version)
        if refusal is None:
            return False
        return time.monotonic() < refusal.until and refusal.files == _print(self.folder / name / version)

    def _refuse(self, name: str, model: _Model, version: str, refusal: _Refusal) -> None:
        known = model.refusals.get(version)
        model.refusals[version] = refusal
        if known is None or known.reason != refusal.reason:
            log.warning("model version refused", model=name, version=version, reason=refusal.reason)

    async def _changes(self, seconds: float, events: bool) -> AsyncIterator[None]:
        """One item for every look that is due."""
        yield
        while events and not self.folder.is_dir():
            await asyncio.sleep(seconds)
            yield
        if events:
            from watchfiles import awatch  # noqa: PLC0415 - only where something is watched

            try:
                # Also without any event: a network's file system tells nobody of changes made elsewhere.
                async for _ in awatch(
                    self.folder,
                    watch_filter=lambda _, path: "/.staging-" not in path,
                    step=SETTLE_MS,
                    debounce=10 * SETTLE_MS,
                    rust_timeout=round(seconds * 1000),
                    yield_on_timeout=True,
                ):
                    yield
            except (OSError, RuntimeError) as error:  # the system's own, or watchfiles' word for them
                log.warning("models watched by polling", reason=str(error))
        while True:
            await asyncio.sleep(seconds)
            yield


def _until(error: Exception) -> float:
    """When to look again though nothing has changed: only files can be told to stay as bad as they are."""
    lasts = isinstance(error, ArtifactError) and not passes(error)
    return float("inf") if lasts else time.monotonic() + TRY_AGAIN_SECONDS


def _print(folder: Path) -> _Print:
    """What tells that files of a folder were changed: names, sizes and times."""
    try:
        return tuple(
            sorted((path.name, path.lstat().st_size, path.lstat().st_mtime_ns) for path in folder.iterdir())
        )
    except OSError:
        return ()
