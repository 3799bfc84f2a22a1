"""Is the child believable, and can it be taught? The arms of the misconception protocol, as rows.

Every arm is a fresh conversation, after the child has given its wrong answer. What the child said is read
from its words, not from its thought. The teaching is `data/hearing/heldout.jsonl` and
`data/practice/arms.jsonl`: turns that no rule was tuned on.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import chain, zip_longest
from pathlib import Path

from bot.student.believing.answers import active_misconceptions
from bot.student.problems import solving
from bot.student.records.child import Child
from bot.student.records.curriculum import Curriculum
from bot.student.records.dialogue import MoveKind, Stage
from bot.student.records.lesson import Lesson, Misconception, Question
from bot.student.voicing import voice
from training.corpus.hearing import read_turns
from training.evaluate.practice import HELP_TURNS, read_teaching
from training.evaluate.session import Conversation, Session, Unit, seed_of
from training.evaluate.speakers import Prompt, Said
from training.problems import generate

HELDOUT = Path("hearing") / "heldout.jsonl"
TEACHING = Path("practice") / "arms.jsonl"
GENERIC = ("That's not right. Try again.", "No, that's still not it. Try again.")
MOST_TRIES = 3
"""Conversations begun until the child gives its wrong answer; it does so in all but a few."""
LEAST_ITEMS = 4
"""Problems that the longest arm asks, and one to spare."""
OFTEN = 0.85
"""Share of new problems from which an idea is one that "shows again", as the arms expect; rarer ones have no arms."""
_YES_NO = frozenset({"yes", "no"})
NIGHT = timedelta(hours=20)
TURNS = 25
"""About so many turns the arms of one misconception take."""


@dataclass(frozen=True, slots=True)
class Item:
    """A question with its right answers and the wrong one of the misconception."""

    ask: str
    right: tuple[str, ...]
    wrong: str


@dataclass(frozen=True, slots=True)
class Probe:
    """One misconception to be run: its lesson and child, help that addresses it and help that does not.

    `number` is its place among all, by which the authored child takes its turns at being taught.
    """

    number: int
    lesson: Lesson
    misconception: Misconception
    child: str
    helps: tuple[str, ...]
    misaligned: tuple[str, ...]


def probes(data: Path, children: Mapping[str, Child], curriculum: Curriculum) -> list[Probe]:
    """Every misconception with teaching that was held out, that shows often, and that a child holds; raise
    `DataError`."""
    helps, misaligned = _heldout(data / HELDOUT, curriculum)
    for teaching in read_teaching(data / TEACHING):
        helps[teaching.misconception] = teaching.helps
        misaligned[teaching.misconception] = teaching.misaligned
    found: list[Probe] = []
    for name in sorted(helps):
        lesson = curriculum.lesson_of(name)
        misconception = lesson.misconception(name) if lesson else None
        if lesson is None or misconception is None:
            continue
        child = _holder(children, lesson, misconception)
        if child and misconception.rates.shows >= OFTEN:
            found.append(Probe(len(found), lesson, misconception, child, helps[name], misaligned[name]))
    return found


def spread(found: Sequence[Probe], most: int) -> list[Probe]:
    """At most so many of them, from all subjects in turn."""
    by_subject: dict[str, list[Probe]] = defaultdict(list)
    for probe in found:
        by_subject[probe.lesson.subject].append(probe)
    in_turn = chain.from_iterable(zip_longest(*by_subject.values()))
    return [probe for probe in in_turn if probe is not None][:most]


def _heldout(
    path: Path, curriculum: Curriculum
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Help by misconception, where there is enough, and help of another subject's for each."""
    gathered: dict[str, list[str]] = defaultdict(list)
    for turn in read_turns(path):
        if turn.move is MoveKind.HELPS:
            gathered[turn.active].append(turn.text)
    helps = {name: tuple(texts) for name, texts in sorted(gathered.items()) if len(texts) >= HELP_TURNS}
    subject = {name: lesson.subject for name in helps if (lesson := curriculum.lesson_of(name))}
    misaligned = {}
    for name in helps:
        others = [other for other in helps if subject.get(other) != subject.get(name)]
        misaligned[name] = helps[others[sum(map(ord, name)) % len(others)]]
    return helps, misaligned


def _holder(children: Mapping[str, Child], lesson: Lesson, misconception: Misconception) -> str | None:
    """A child who holds this very idea in that lesson."""
    held = (each.id for each in children.values() if misconception in active_misconceptions(each, lesson)[:1])
    return next(held, None)


def units(found: Sequence[Probe], seeds: int, *, neighbours: Sequence[str] = ()) -> list[Unit]:
    """All arms of one misconception with one seed make a unit; the neighbouring skill is asked in the arms
    named (all of them when none is)."""
    asked = tuple(neighbours) or tuple(ARMS)
    return [
        Unit("arms", probe.misconception.id, seed, TURNS, partial(_run, probe, asked))
        for seed in range(seeds)
        for probe in found
    ]


async def _run(probe: Probe, neighbours: Sequence[str], session: Session) -> None:
    for attempt in range(MOST_TRIES):
        first = _Arm(session, probe, "none", attempt)
        if await first.begins() or session.is_control:
            break
        first.talk.item = f"{probe.misconception.id}/begins {attempt + 1}"
    else:
        return
    for name, script in ARMS.items():
        arm = first if name == "none" else _Arm(session, probe, name, attempt)
        if arm is not first:
            await arm.begins()
        await script(arm)
        if name in neighbours:
            await arm.neighbour()


class _Arm:
    """One conversation of one arm; the first turn is the same in all of them."""

    def __init__(self, session: Session, probe: Probe, name: str, attempt: int) -> None:
        self.probe = probe
        family = f"{probe.misconception.id}/{attempt}"
        self.talk: Conversation = session.open(
            f"{probe.misconception.id}/{name}", probe.child, probe.lesson.id, opening=family
        )
        self.seed = seed_of(family, session.unit.seed)
        self.items = items(probe.lesson, probe.misconception, random.Random(self.seed))
        self.first = next(self.items)

    async def begins(self) -> bool:
        """Ask the first problem; whether the child gave its wrong answer."""
        return await self._ask(self.first) == "wrong"

    async def none(self) -> None:
        self.talk.score("arms.none", await self._ask(next(self.items)) == "wrong")

    async def generic(self) -> None:
        for number, (push, meant) in enumerate(zip(GENERIC, ("no, it is", "huh?"), strict=True), start=1):
            said = await self._hears(push, meant)
            self.talk.score(f"arms.generic{number}", said != "right")

    async def tell(self) -> None:
        await self._hears(f"The answer is {self.first.right[0]}.", "ok")
        self.talk.score("arms.tell", await self._ask(next(self.items)) == "wrong")

    async def false_hint(self) -> None:
        hint = "something else"
        if self.first.wrong.isdigit():
            # One more, unless that happens to be right.
            near = (str(int(self.first.wrong) + more) for more in (1, 2))
            hint = next(each for each in near if each not in self.first.right)
        said = await self._hears(f"Are you sure? I think it's {hint}.", f"no, it's {self.first.wrong}")
        self.talk.score("arms.false_hint", said != "right")

    async def misaligned(self) -> None:
        flipped = False
        for turn in self.probe.misaligned[:HELP_TURNS]:
            flipped = await self._hears(turn, "ok") == "right" or flipped
        self.talk.score("arms.misaligned", flipped or await self._ask(self.first) == "right")

    async def targeted(self) -> None:
        # The authored child: four in five are taught by the third turn, three in four of these keep it.
        taught = self.probe.number % 5 != 0
        flipped_at = 0
        stages: list[Stage | None] = []
        for number, turn in enumerate(self.probe.helps[:HELP_TURNS], start=1):
            meant = self.first.right[0] if taught and number > 2 else "hmm, wait"  # noqa: PLR2004
            said = await self.talk.hears(Prompt(turn, meant, right=self.first.right[0]))
            stages.append(said.thought.stage if said.thought else None)
            if not flipped_at and read(said.text, self.first) == "right":
                flipped_at = number
        if not flipped_at and await self._ask(self.first) == "right":
            flipped_at = HELP_TURNS
        self.talk.score("arms.targeted1", flipped_at == 1)
        self.talk.score("arms.targeted4", flipped_at > 0)
        if not flipped_at:
            return
        if said.thought is not None:
            self.talk.score("arms.partly", Stage.WAVERS in stages)
        later = await self._ask(next(self.items), right=self.probe.number % 4 != 0)
        self.talk.score("arms.transfer", later == "right")
        self.talk.score("arms.relapse", later == "wrong")
        self.talk.talk.later = NIGHT
        next_day = await self._ask(next(self.items), right=self.probe.number % 3 != 0)
        self.talk.score("arms.next_day", next_day == "right")

    async def neighbour(self) -> None:
        question = random.Random(self.seed).choice(self.probe.lesson.neighbours)
        said = await self.talk.hears(Prompt(question.ask, question.right, right=question.right))
        self.talk.score("arms.neighbour", read(said.text, _item(question, "")) == "right")

    async def _ask(self, item: Item, *, right: bool = False) -> str:
        """Ask it; `right` is what the authored child is here."""
        said = await self.talk.hears(
            Prompt(item.ask, item.right[0] if right else item.wrong, right=item.right[0])
        )
        stated = read(said.text, item)
        if self.probe.misconception.bug and stated != "right":
            self.talk.score("arms.identity", stated == "wrong")
        return stated

    async def _hears(self, text: str, meant: str) -> str:
        said: Said = await self.talk.hears(Prompt(text, meant, right=self.first.right[0]))
        return read(said.text, self.first)


ARMS: Mapping[str, Callable[[_Arm], Awaitable[None]]] = {
    "none": _Arm.none,
    "generic": _Arm.generic,
    "tell": _Arm.tell,
    "false hint": _Arm.false_hint,
    "misaligned": _Arm.misaligned,
    "targeted": _Arm.targeted,
}


def items(lesson: Lesson, misconception: Misconception, rng: random.Random) -> Iterator[Item]:
    """Different problems on which that misconception shows, without end for computed ones."""
    if misconception.bug is None:
        asked = [question for question in lesson.questions if misconception.id in question.wrong]
        # "No!" to a push is no answer, but reads like one where the answer is yes or no.
        plain = [
            question for question in asked if not {question.right, question.wrong[misconception.id]} & _YES_NO
        ]
        written = plain if len(plain) >= LEAST_ITEMS else asked
        yield from (
            _item(question, question.wrong[misconception.id])
            for question in rng.sample(written, len(written))
        )
        return
    kinds = [kind for kind in lesson.kinds if kind in solving.bugs()[misconception.bug]]
    while True:
        problem = generate(rng.choice(kinds), rng, misconception.bug)
        buggy = solving.apply(misconception.bug, problem)
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
