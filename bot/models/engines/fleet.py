"""Several vLLM servers with the same base model as one engine: who is asked, and who else where that one is slow.

A conversation stays with its server, whose prompt cache has it, unless another one is much sooner done. A server that
fails is left alone for a while; one that is silent for longer than usual is asked no longer alone. It knows servers and
their times; nothing of what is asked.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from pydantic import SecretStr

from bot.health import start
from bot.models.engines.base import Completion, Engine, EngineError, Load, Messages, Sampling, SideBySide
from bot.models.engines.vllm import VllmEngine

log = structlog.get_logger(__name__)

MOST_PLACES = 64
"""Turns at a time with one server; what is beyond waits here, the earliest deadline first."""
WEIGHT = 0.2
"""Of the newest answer in the mean of a server's seconds."""
FIRST_GUESS = 0.5
"""Seconds of an answer, before there was one."""
AWAY = 2.0
"""A conversation leaves its server where another one would be done in less than half of the time ..."""
WORTH_IT = 0.25
"""... and so many seconds sooner: as long as it takes to read the conversation anew."""
SILENT = 3.0
"""An answer that takes so many times as long as usual is asked of another server, too ..."""
LEAST_SILENT = 0.5
"""... though no sooner than after so many seconds ..."""
SPARE, MOST_SPARE = 0.1, 10.0
"""... and for no more than a tenth of all answers: where all are slow, asking twice makes it worse."""
STRIKES = 3
"""So many answers in a row that others gave sooner, or none, and a server is left alone."""
FIRST_REST, LONGEST_REST = 1.0, 30.0
"""Seconds for which it is, twice as many each time."""
FORGIVEN_SECONDS = 10.0
"""In so many seconds without an answer half of what made a server slow is forgotten: it may have recovered."""
LOOK_SECONDS = 1.0
"""How often a server is asked how many requests wait there, while it is in use."""
_WAITING = re.compile(rb"^vllm:num_requests_waiting(?:\{[^}]*\})? ([0-9.e+]+)$", re.MULTILINE)


@dataclass(slots=True)
class _Member:
    """One server, as this process has come to know it."""

    url: str
    engine: VllmEngine | None = None
    in_hand: int = 0
    seconds: float = field(default_factory=lambda: FIRST_GUESS)
    answered_at: float = 0.0
    strikes: int = 0
    rest: float = field(default_factory=lambda: FIRST_REST)
    rests_until: float = 0.0
    waiting: int = 0
    """Requests that wait in it, whoever sent them."""
    places: float = MOST_PLACES
    looked_at: float = 0.0

    def is_up(self, now: float) -> bool:
        """Whether it may be asked; one that comes out of its rest is asked one thing first."""
        return now >= self.rests_until and (self.strikes < STRIKES or not self.in_hand)

    def expected(self, now: float, usual: float) -> float:
        """Seconds until it would have answered one more."""
        forgiven: float = 0.5 ** ((now - self.answered_at) / FORGIVEN_SECONDS)
        return (usual + max(0.0, self.seconds - usual) * forgiven) * (1 + self.in_hand + self.waiting)

    def answered(self, seconds: float) -> None:
        """It did, after so long."""
        self.seconds += (seconds - self.seconds) * WEIGHT
        self.answered_at = time.monotonic()
        self.strikes, self.rest, self.rests_until = 0, FIRST_REST, 0.0

    def failed(self, reason: str, seconds: float | None = None) -> None:
        """It did not, or not within so long. Whoever cannot be asked at all rests at once."""
        now = time.monotonic()
        if seconds is None:
            self.strikes = STRIKES
        else:
            self.strikes += 1
            self.seconds = max(self.seconds, self.seconds + (seconds - self.seconds) * WEIGHT)
            self.answered_at = now
        if self.strikes >= STRIKES and now >= self.rests_until:
            log.warning("server left alone", url=self.url, seconds=self.rest, reason=reason)
            self.rests_until, self.rest = now + self.rest, min(2 * self.rest, LONGEST_REST)

    def make_room(self, waiting: int) -> None:
        """Send it fewer at a time while requests queue in it, more again when none do."""
        self.waiting = waiting
        self.places = max(1.0, self.places * 0.8) if waiting else min(MOST_PLACES, self.places + 4.0)


class Fleet(SideBySide):
    """Make it with `start`; close it with `aclose`. One server is a fleet of one."""

    def __init__(self, members: Sequence[_Member], begin: Callable[[str], Awaitable[VllmEngine]]) -> None:
        self._members = members
        self._begin = begin
        self._holders: Counter[Path] = Counter()
        self._starting = asyncio.Lock()
        self._spare = MOST_SPARE
        self._leaving = False

    @classmethod
    async def start(
        cls,
        urls: Sequence[str],
        *,
        key: SecretStr | None = None,
        timeout_s: float = 20.0,
        folder: str | None = None,
        adapters: Sequence[Path] = (),
    ) -> Fleet:
        """Ask all servers what they serve, as `VllmEngine.start` does; raise `EngineError` where none answers. The
        others join when they are there."""

        async def begin(url: str) -> VllmEngine:
            # Where there is another server, that one is asked next.
            retries = 1 if len(urls) == 1 else 0
            return await VllmEngine.start(url, key=key, timeout_s=timeout_s, retries=retries, folder=folder)

        fleet = cls([_Member(url) for url in urls], begin)
        fleet._holders.update(adapters)
        came = await asyncio.gather(
            *(fleet._engine(each, adapters) for each in fleet._members), return_exceptions=True
        )
        failed = [each for each in came if isinstance(each, BaseException)]
        if len(failed) == len(came):
            await fleet.aclose()
            raise failed[0]
        for member, found in zip(fleet._members, came, strict=True):
            if isinstance(found, EngineError):
                member.failed(str(found))
        return fleet

    @property
    def base(self) -> str:
        """What the servers call their base model."""
        return next(each.engine.base for each in self._members if each.engine)

    @property
    def adapters(self) -> tuple[Path, ...]:
        """The adapters that `complete` can put on the model."""
        return tuple(self._holders)

    @property
    def places(self) -> int:
        """How many turns this process may ask for at once, by what the servers say of their queues."""
        now = time.monotonic()
        return max(1, round(sum(each.places for each in self._members if now >= each.rests_until)))

    @property
    def load(self) -> Load:
        """What each server has to do."""
        return Load(tuple(each.in_hand + each.waiting for each in self._members), 0, 0)

    async def complete(
        self,
        messages: Messages,
        sampling: Sampling,
        *,
        adapter: Path | None = None,
        conversation: str = "",
    ) -> Completion:
        """The model's next message, from whichever server has it first; raise `EngineError` where none has."""
        if adapter is not None and adapter not in self._holders:
            raise EngineError("the adapter is no longer loaded")
        self._spare = min(self._spare + SPARE, MOST_SPARE)
        untried = self._in_order(conversation)
        asked: dict[asyncio.Task[Completion], tuple[_Member, float]] = {}
        error = EngineError("vllm: no server can be asked")
        try:
            while untried or asked:
                if untried and (not asked or self._may_ask_again()):
                    member = untried.pop(0)
                    work = self._ask(member, messages, sampling, adapter)
                    asked[asyncio.create_task(work)] = member, time.monotonic()
                patience = self._patience() if untried and self._spare >= 1 else None
                done, _ = await asyncio.wait(asked, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    member, _ = asked.pop(task)
                    if (failure := task.exception()) is None:
                        return task.result()
                    if not isinstance(failure, EngineError):
                        raise failure
                    error = failure
        finally:
            now = time.monotonic()
            for task, (member, since) in asked.items():
                task.cancel()
                if now - since >= self._patience():
                    member.failed("it was silent", now - since)
            await asyncio.gather(*asked, return_exceptions=True)
        raise error

    async def remember(self, messages: Messages, *, adapter: Path | None = None) -> None:
        """Let every server read `messages` once."""
        await asyncio.gather(
            *(each.engine.remember(messages, adapter=adapter) for each in self._members if each.engine)
        )

    async def add_adapter(self, adapter: Path, proof: Callable[[Engine], Awaitable[object]]) -> None:
        """Have every server that is there load `adapter`, too, if `proof` finds nothing against it. One that cannot
        rests; where none can, raise its `EngineError`."""
        held, failures, now = list[VllmEngine](), list[EngineError](), time.monotonic()
        # One that rests loads it when it is asked for it.
        for member in [each for each in self._members if each.is_up(now)] or self._members:
            try:
                engine = await self._engine(member)
                await engine.add_adapter(adapter, proof)
                held.append(engine)
            except EngineError as error:
                failures.append(error)
                member.failed(str(error))
            except BaseException:
                # The proof's own word: the version is no good, on whichever server.
                for engine in held:
                    await engine.drop_adapter(adapter)
                raise
        if not held:
            raise failures[0]
        self._holders[adapter] += 1

    async def drop_adapter(self, adapter: Path) -> None:
        """Have the servers forget `adapter`, once nobody holds it; not while this program ends, for the other bots."""
        if adapter not in self._holders or self._leaving:
            return
        self._holders[adapter] -= 1
        if self._holders[adapter] <= 0:
            del self._holders[adapter]
        for member in self._members:
            if member.engine is not None:
                await member.engine.drop_adapter(adapter)

    def leave(self) -> None:
        """This program ends: nothing is taken out of the servers any more."""
        self._leaving = True

    async def aclose(self) -> None:
        """Close the connections."""
        for member in self._members:
            if member.engine is not None:
                await member.engine.aclose()

    async def _engine(self, member: _Member, adapters: Sequence[Path] = ()) -> VllmEngine:
        """The server, once it is there; raise `EngineError`."""
        if member.engine is None:
            async with self._starting:
                if member.engine is None:
                    engine = await self._begin(member.url)
                    try:
                        for each in adapters:
                            await engine.hold(each)
                    except BaseException:
                        await engine.aclose()
                        raise
                    member.engine = engine
        return member.engine

    async def _ask(
        self, member: _Member, messages: Messages, sampling: Sampling, adapter: Path | None
    ) -> Completion:
        began = time.monotonic()
        member.in_hand += 1
        self._look(member)
        try:
            engine = await self._engine(member)
            if adapter is not None and adapter not in engine.adapters:
                await engine.hold(adapter)  # it came late, or had no room then
            done = await engine.complete(messages, sampling, adapter=adapter)
        except EngineError as error:
            member.failed(str(error))
            raise
        else:
            member.answered(time.monotonic() - began)
            return done
        finally:
            member.in_hand -= 1

    def _in_order(self, conversation: str) -> list[_Member]:
        """Whom to ask, one after the other: the conversation's own server, unless another one is much sooner done;
        those that rest come last, for want of better."""
        now, usual = time.monotonic(), self._usual()
        known = sorted(
            self._members, key=lambda each: (not each.is_up(now), each.expected(now, usual), each.url)
        )
        home = min(known, key=lambda each: _distance(conversation, each.url)) if conversation else known[0]
        soonest = known[0].expected(now, usual)
        if home.is_up(now) and home.expected(now, usual) <= max(AWAY * soonest, soonest + WORTH_IT):
            known.remove(home)
            known.insert(0, home)
        return known

    def _usual(self) -> float:
        return min(each.seconds for each in self._members)

    def _patience(self) -> float:
        return max(LEAST_SILENT, SILENT * self._usual())

    def _may_ask_again(self) -> bool:
        if self._spare < 1:
            return False
        self._spare -= 1
        return True

    def _look(self, member: _Member) -> None:
        """See now and then how many wait in that server; nobody waits for that."""
        now = time.monotonic()
        if now - member.looked_at >= LOOK_SECONDS and member.engine is not None:
            member.looked_at = now
            start(self._pressure(member, member.engine), "looking at a server's queue")

    async def _pressure(self, member: _Member, engine: VllmEngine) -> None:
        try:
            found = _WAITING.findall(await engine.figures())
        except EngineError:
            return  # whoever asks it something notices
        if found:
            member.make_room(round(sum(map(float, found))))


def _distance(conversation: str, url: str) -> bytes:
    """Which server a conversation is at home with: the nearest. One that goes moves only its own."""
    return hashlib.sha256(f"{conversation} {url}".encode()).digest()
