"""A model on the golden dialogues: given each real thought in its real place, how does it voice it?

The dialogue so far is the authored one, so that all models are asked the same. It knows models and
the corpus; it must not know how a model was made.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from bot.models.base import ModelRefused, Reply, StudentModel
from bot.student.records.child import Child
from bot.student.records.cue import Cue
from bot.student.records.dialogue import Dialogue, Role, ThoughtKind
from bot.student.records.lesson import Lesson
from bot.student.voicing import voice
from bot.student.voicing.prompt import meaning
from training.evaluate.talk import Said, measure

GOLDEN = Path("dialogues") / "test.jsonl"
STATES = (ThoughtKind.ANSWER, ThoughtKind.REJECT)


@dataclass(frozen=True, slots=True)
class Item:
    """One student turn of a golden dialogue, as a cue; `number` is its place in the dialogue."""

    dialogue: str
    number: int
    cue: Cue


@dataclass(frozen=True, slots=True)
class Voiced:
    """What became of one item. `states` says whether the first try stated the answer, None without one; tokens
    and cost are those of all tries, the cost None where it is not known."""

    item: Item
    text: str
    voiced: str
    states: bool | None
    seconds: float
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None


def golden_items(
    dialogues: Sequence[Dialogue], children: Mapping[str, Child], lessons: Mapping[str, Lesson]
) -> Iterator[Item]:
    """Every student turn that has a thought and follows a teacher's turn."""
    for dialogue in dialogues:
        child, lesson = children[dialogue.child or ""], lessons[dialogue.lesson or ""]
        for number, turn in enumerate(dialogue.turns):
            before = dialogue.turns[number - 1] if number else None
            if turn.thought is None or before is None or before.role is not Role.TEACHER:
                continue
            cue = Cue(child, lesson, dialogue.turns[: number - 1], before.content, turn.thought)
            yield Item(dialogue.id, number, cue)


async def voice_all(
    model: StudentModel, items: Sequence[Item], *, seed: int, at_once: int, done: Callable[[], None]
) -> list[Voiced]:
    """Every item voiced as the classroom would, `at_once` dialogues at a time, each in its order: what a model has
    read of a dialogue serves the next turn."""
    gate = asyncio.Semaphore(at_once)

    async def one(dialogue: Iterable[Item]) -> list[Voiced]:
        said = []
        async with gate:
            for item in dialogue:
                said.append(await voice_item(model, item, seed + item.number))
                done()
        return said

    dialogues = [list(each) for _, each in groupby(items, key=lambda item: item.dialogue)]
    return [each for said in await asyncio.gather(*map(one, dialogues)) for each in said]


async def voice_item(model: StudentModel, item: Item, seed: int) -> Voiced:
    """One item voiced as the classroom would: one try, a second one, then plain words."""
    started = time.perf_counter()
    thought, child = item.cue.thought, item.cue.child
    states, said, replies = None, None, list[Reply]()
    for attempt, name in enumerate(("model", "retry")):
        try:
            reply = await model.reply(replace(item.cue, again=attempt > 0), seed=seed + attempt)
        except ModelRefused:
            break
        replies.append(reply)
        shaped = voice.shape(reply.text, thought, child, teacher=item.cue.teacher, seed=seed + attempt)
        if attempt == 0 and thought.kind in STATES and thought.answer:
            states = voice.states(shaped.text, thought.answer)
        if shaped.fault is None:
            said = shaped.text, name
            break
    text, voiced = said or (voice.plain(thought, child, seed=seed), "phrasing")
    costs = [reply.cost_usd for reply in replies]
    return Voiced(
        item,
        text,
        voiced,
        states,
        time.perf_counter() - started,
        sum(reply.prompt_tokens or 0 for reply in replies),
        sum(reply.completion_tokens or 0 for reply in replies),
        None if not costs or None in costs else sum(filter(None, costs)),
    )


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of one model. Shares are 0 to 1; `median_seconds` is per turn, under the load of the run."""

    turns: int
    bands_inside: int
    bands_outside: tuple[str, ...]
    voiced: Mapping[str, float]
    states: float
    same_as_meant: float
    median_seconds: float


def summarise(said: Sequence[Voiced]) -> Summary:
    """The figures over all turns, in the dialogues' order."""
    results = measure([Said(each.item.cue.teacher, each.text) for each in said])
    counts = Counter(each.voiced for each in said)
    stated = [each.states for each in said if each.states is not None]
    return Summary(
        turns=len(said),
        bands_inside=sum(result.inside for result in results),
        bands_outside=tuple(f"{each.name} {each.value:.2f}" for each in results if not each.inside),
        voiced={name: counts[name] / len(said) for name in ("model", "retry", "phrasing")},
        states=sum(stated) / max(1, len(stated)),
        same_as_meant=sum(_bare(each.text) == _bare(meaning(each.item.cue.thought)) for each in said)
        / len(said),
        median_seconds=sorted(each.seconds for each in said)[len(said) // 2],
    )


def by_dialogue(
    said: Sequence[Voiced], value: Callable[[Voiced], float | None]
) -> dict[str, dict[str, float]]:
    """A value of each turn by dialogue and turn, where it has one: what the paired bootstrap takes."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for each in said:
        number = value(each)
        if number is not None:
            found[each.item.dialogue][str(each.item.number)] = number
    return found


def _bare(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())
