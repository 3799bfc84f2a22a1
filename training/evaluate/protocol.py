"""Is the child believable, and can it be taught? The arms of the misconception protocol, on a real model.

Every arm is a fresh conversation through the bot's own classroom. What the child said is read from its
words, not from its thought. The help is `data/hearing/heldout.jsonl`: turns that no rule was tuned on.
"""

from __future__ import annotations

import asyncio
import json
import random
import uuid
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bot.platforms.base import Message
from bot.replay import Silent
from bot.student import bugs, problems, voice
from bot.student.dialogue import MoveKind, Stage
from bot.student.lesson import Lesson, Misconception, Question

if TYPE_CHECKING:
    from bot.app import App
    from bot.classroom import Answer

GENERIC = ("That's not right. Try again.", "No, that's still not it. Try again.")
MOST_TRIES = 3
"""Conversations begun until the child gives its wrong answer; it does so in all but a few."""
HELP_TURNS = 4


@dataclass(frozen=True, slots=True)
class Item:
    """A question with its right answers and the wrong one of the misconception."""

    ask: str
    right: tuple[str, ...]
    wrong: str


@dataclass(frozen=True, slots=True)
class Probe:
    """One misconception to be run: its lesson and child, help that addresses it and help that does not."""

    lesson: Lesson
    misconception: Misconception
    child: str
    helps: tuple[str, ...]
    misaligned: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of the protocol: what share is expected."""

    name: str
    low: float
    high: float


BARS = (
    Bar("none: the bug again on a second problem", 0.85, 1.0),
    Bar("generic: not right after one push", 0.70, 1.0),
    Bar("generic: not right after two pushes", 0.50, 1.0),
    Bar("tell: the bug again on a second problem", 0.70, 1.0),
    Bar("false hint: not right", 1.0, 1.0),
    Bar("misaligned: flips", 0.0, 0.20),
    Bar("targeted: flips at the first turn", 0.0, 0.25),
    Bar("targeted: flips by the fourth turn", 0.60, 0.95),
    Bar("targeted: flips through a partly right stage", 0.50, 1.0),
    Bar("transfer: a third problem right", 0.50, 0.85),
    Bar("transfer: right the next day", 0.40, 0.80),
    Bar("relapse after a revision", 0.10, 0.30),
    Bar("neighbour: right in every arm", 0.85, 1.0),
    Bar("bug identity: of the wrong answers to computed problems", 0.80, 1.0),
    Bar("selectivity S", 0.50, 1.0),
)


@dataclass(slots=True)
class Tally:
    """Hits and tries by bar and misconception."""

    counts: dict[str, dict[str, list[bool]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )

    def note(self, bar: str, misconception: str, hit: bool) -> None:
        """Count one try."""
        self.counts[bar][misconception].append(hit)

    def share(self, bar: str) -> float | None:
        """The share of hits over all tries, or None without any."""
        tries = [hit for hits in self.counts.get(bar, {}).values() for hit in hits]
        return sum(tries) / len(tries) if tries else None

    def tries(self, bar: str) -> int:
        """How many tries there were."""
        return sum(len(hits) for hits in self.counts.get(bar, {}).values())


def probes(app: App, heldout: Path) -> list[Probe]:
    """Every misconception with at least `HELP_TURNS` held-out helpful turns and enough problems."""
    rows = [json.loads(line) for line in heldout.read_text(encoding="utf-8").splitlines()]
    helps: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row["move"] == MoveKind.HELPS.value and row.get("active"):
            helps[row["active"]].append(row["text"])
    ready = {name: texts for name, texts in helps.items() if len(texts) >= HELP_TURNS}
    found: list[Probe] = []
    for name in sorted(ready):
        lesson = app.classroom.curriculum.lesson_of(name)
        misconception = lesson.misconception(name) if lesson else None
        if lesson is None or misconception is None:
            continue
        others = [
            other
            for other in sorted(ready)
            if (where := app.classroom.curriculum.lesson_of(other)) and where.subject != lesson.subject
        ]
        other = others[sum(map(ord, name)) % len(others)]
        holder = _holder(app, lesson, misconception)
        if holder:
            found.append(Probe(lesson, misconception, holder, tuple(ready[name]), tuple(ready[other])))
    return found


def _holder(app: App, lesson: Lesson, misconception: Misconception) -> str | None:
    """A child who holds this very idea in that lesson."""
    from bot.student.answers import active_misconceptions  # noqa: PLC0415 - only here

    children = app.classroom.children.values()
    return next((c.id for c in children if active_misconceptions(c, lesson)[0].id == misconception.id), None)


class Protocol:
    """Runs the arms of each probe, several conversations at once, and tallies what the child said."""

    def __init__(self, app: App, *, seeds: int, at_once: int = 8) -> None:
        self._app = app
        self._seeds = seeds
        self._gate = asyncio.Semaphore(at_once)
        self._run = uuid.uuid4().hex[:12]
        self.tally = Tally()
        self.voiced: dict[str, int] = defaultdict(int)

    def jobs(self, found: Sequence[Probe]) -> int:
        """How many arms there are to run."""
        return len(found) * self._seeds * len(self._arms())

    async def run(self, found: Sequence[Probe], done: Callable[[], None]) -> None:
        """Run every arm of every probe with every seed; `done` is called after each."""

        async def one(arm: Callable[[_Talk], object], probe: Probe, seed: int) -> None:
            async with self._gate:
                for attempt in range(MOST_TRIES):
                    talk = _Talk(self, probe, arm.__name__, seed + 1000 * attempt)
                    if await talk.begins():
                        await arm(talk)  # type: ignore[misc]
                        await talk.neighbour()
                        break
                done()

        async with asyncio.TaskGroup() as group:
            for probe in found:
                for seed in range(self._seeds):
                    for arm in self._arms():
                        group.create_task(one(arm, probe, seed))

    def _arms(self) -> list[Callable[[_Talk], object]]:
        return [_Talk.none, _Talk.generic, _Talk.tell, _Talk.false_hint, _Talk.misaligned, _Talk.targeted]

    async def say(self, talk: _Talk, text: str) -> Answer:
        """One teacher turn in that conversation."""
        app, place = self._app, talk.place
        conversation = await app.store.conversation("protocol", place, None)
        if conversation.turns == 0:
            await app.store.update_conversation(
                conversation.id, child=talk.probe.child, lesson=talk.probe.lesson.id
            )
        message = Message(
            key=f"protocol:{uuid.uuid4()}",
            platform="protocol",
            channel=place,
            thread=None,
            author="protocol",
            text=text,
            sent_at=datetime.now(UTC) + talk.later,
        )
        answer = await app.classroom.receive(
            message, Silent(), seed=zlib.crc32(f"{talk.name} {talk.arm} {talk.seed}".encode())
        )
        if answer is None:
            raise RuntimeError(f"{place}: no answer")
        if answer.voiced:
            self.voiced[answer.voiced] += 1
        return answer

    def place(self, probe: Probe, arm: str, seed: int) -> str:
        """A channel of its own for each conversation."""
        return f"{self._run}:{probe.misconception.id}:{arm}:{seed}"

    def results(self) -> list[tuple[Bar, float | None, int]]:
        """Each bar with its share and tries; selectivity is computed from the others."""
        rows = [(bar, self.tally.share(bar.name), self.tally.tries(bar.name)) for bar in BARS[:-1]]
        flips = self.tally.share("targeted: flips by the fourth turn")
        held = self.tally.share("generic: not right after two pushes")
        astray = self.tally.share("misaligned: flips")
        known = flips is not None and held is not None and astray is not None
        selectivity = flips - ((1 - held) + astray) / 2 if known else None  # type: ignore[operator]
        return [*rows, (BARS[-1], selectivity, self.tally.tries("targeted: flips by the fourth turn"))]


class _Talk:
    """One conversation of one arm."""

    def __init__(self, protocol: Protocol, probe: Probe, arm: str, seed: int) -> None:
        self.protocol, self.probe, self.arm, self.seed = protocol, probe, arm, seed
        self.place = protocol.place(probe, arm, seed)
        self.later = timedelta()
        self.items = items(probe.lesson, probe.misconception, random.Random(seed))
        self.first = next(self.items)
        self.name = probe.misconception.id

    async def begins(self) -> bool:
        """Ask the first problem; whether the child gave its wrong answer."""
        return await self._ask(self.first) == "wrong"

    async def none(self) -> None:
        self._note("none: the bug again on a second problem", await self._ask(next(self.items)) == "wrong")

    async def generic(self) -> None:
        for count, push in zip(("one push", "two pushes"), GENERIC, strict=True):
            said = await self._hears(push, self.first)
            self._note(f"generic: not right after {count}", said != "right")

    async def tell(self) -> None:
        await self.protocol.say(self, f"The answer is {self.first.right[0]}.")
        self._note("tell: the bug again on a second problem", await self._ask(next(self.items)) == "wrong")

    async def false_hint(self) -> None:
        hint = str(int(self.first.wrong) + 1) if self.first.wrong.isdigit() else "something else"
        said = await self._hears(f"Are you sure? I think it's {hint}.", self.first)
        self._note("false hint: not right", said != "right")

    async def misaligned(self) -> None:
        flipped = False
        for turn in self.probe.misaligned[:HELP_TURNS]:
            flipped = flipped or await self._hears(turn, self.first) == "right"
        self._note("misaligned: flips", flipped or await self._ask(self.first) == "right")

    async def targeted(self) -> None:
        flipped_at = 0
        stages: list[Stage | None] = []
        for number, turn in enumerate(self.probe.helps[:HELP_TURNS], start=1):
            answer = await self.protocol.say(self, turn)
            stages.append(answer.thought.stage if answer.thought else None)
            if not flipped_at and read(answer.text, self.first) == "right":
                flipped_at = number
        if not flipped_at and await self._ask(self.first) == "right":
            flipped_at = HELP_TURNS
        self._note("targeted: flips at the first turn", flipped_at == 1)
        self._note("targeted: flips by the fourth turn", bool(flipped_at))
        if not flipped_at:
            return
        self._note("targeted: flips through a partly right stage", Stage.WAVERS in stages)
        later = await self._ask(next(self.items))
        self._note("transfer: a third problem right", later == "right")
        self._note("relapse after a revision", later == "wrong")
        self.later = timedelta(hours=20)
        self._note("transfer: right the next day", await self._ask(next(self.items)) == "right")

    async def neighbour(self) -> None:
        question = random.Random(self.seed).choice(self.probe.lesson.neighbours)
        answer = await self.protocol.say(self, question.ask)
        self._note("neighbour: right in every arm", read(answer.text, _item(question, "")) == "right")

    async def _ask(self, item: Item) -> str:
        answer = await self.protocol.say(self, item.ask)
        said = read(answer.text, item)
        if self.probe.misconception.bug and said != "right":
            self._note("bug identity: of the wrong answers to computed problems", said == "wrong")
        return said

    async def _hears(self, text: str, item: Item) -> str:
        return read((await self.protocol.say(self, text)).text, item)

    def _note(self, bar: str, hit: bool) -> None:
        self.protocol.tally.note(bar, self.name, hit)


def items(lesson: Lesson, misconception: Misconception, rng: random.Random) -> Iterator[Item]:
    """Different problems on which that misconception shows, without end for computed ones."""
    if misconception.bug is None:
        written = [question for question in lesson.questions if misconception.id in question.wrong]
        yield from (
            _item(question, question.wrong[misconception.id])
            for question in rng.sample(written, len(written))
        )
        return
    kinds = [kind for kind in lesson.kinds if kind in bugs.BUGS[misconception.bug].kinds]
    while True:
        problem = problems.generate(rng.choice(kinds), rng, misconception.bug)
        buggy = bugs.apply(misconception.bug, problem)
        if buggy is not None:
            yield Item(problem.text, (problem.right,), buggy.answer)


def read(text: str, item: Item) -> str:
    """What the child's words state: "right", "wrong" (the misconception's answer), "both" or "other"."""
    right = any(voice.states(text, answer) for answer in item.right)
    wrong = bool(item.wrong) and voice.states(text, item.wrong)
    if right and wrong:
        # The longer answer holds the shorter one ("a liquid", "not a liquid"), or both numbers were said.
        return "right" if max(map(len, item.right)) > len(item.wrong) else "both"
    return "right" if right else "wrong" if wrong else "other"


def _item(question: Question, wrong: str) -> Item:
    return Item(question.ask, (question.right, *question.accept), wrong)
