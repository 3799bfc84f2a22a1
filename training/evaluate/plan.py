"""All that an evaluation asks, read and checked before a model is opened. It knows the sections; it asks nobody."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path

from bot.student.records.child import Child
from bot.student.records.curriculum import Curriculum
from bot.student.records.dialogue import Dialogue
from bot.student.records.reading import read_lines
from training.evaluate import grade, persona, practice, protocol, safety
from training.evaluate.golden import GOLDEN as GOLDEN_FILE
from training.evaluate.golden import Item, golden_items
from training.evaluate.listening import Listening
from training.evaluate.metrics import BARE, GOLDEN
from training.evaluate.persona import Seat
from training.evaluate.session import Session, Unit
from training.evaluate.speakers import Adult, Prompt, Speaker

PRACTICE = Path("practice")
BARE_MISCONCEPTIONS = 4
BARE_PAIRS = 10


@dataclass(frozen=True, slots=True)
class Preset:
    """How much is asked. The steps take every so-manieth golden dialogue, harmless line, and other line or pair;
    of misconceptions and drifts there are at most so many; `neighbours` names the arms that ask the neighbouring
    skill, all of them when it is empty."""

    seeds: int
    golden_step: int
    harmless_step: int
    misconceptions: int
    drifts: int
    neighbours: tuple[str, ...] = ()
    step: int = 1
    step_of_windows: int = 1


QUICK = Preset(1, 4, 2, 20, 1, ("none", "targeted"), step_of_windows=4)
"""About 700 replies of a model."""
FULL = Preset(3, 1, 1, 1_000, 1_000)
PRESETS: Mapping[str, Preset] = {"quick": QUICK, "full": FULL}


class Plan:
    """Everything there is to ask, read and checked before a model is opened; raises `DataError`."""

    def __init__(
        self, data: Path, children: Mapping[str, Child], curriculum: Curriculum, preset: Preset, seed: int
    ) -> None:
        self._children, self._curriculum = dict(children), curriculum
        self._preset, self._seed = preset, seed
        self._golden = _golden(data / GOLDEN_FILE, children, curriculum)
        self._probes = protocol.spread(protocol.probes(data, children, curriculum), preset.misconceptions)
        self._pairs = practice.read_grade(data / PRACTICE / "grade.jsonl")[:: preset.step]
        self._persona = practice.read_persona(data / PRACTICE / "persona.jsonl")[:: preset.step]
        lines = practice.read_safety(data / PRACTICE / "safety.jsonl")
        harmless = [line for line in lines if line.kind is practice.Harm.HARMLESS]
        self._safety = [each for each in lines if each.kind is not practice.Harm.HARMLESS][:: preset.step]
        self._safety += harmless[:: preset.harmless_step]
        self._listening = Listening(data)
        self._drifts = practice.read_drift(data / PRACTICE / "drift.jsonl")[: preset.drifts]
        self._seats = _seats(children, curriculum)

    def units(self, speaker: Speaker) -> list[Unit]:
        """What this one is asked: models all of it, controls what they are there for, once."""
        seeds = 1 if speaker.name in (GOLDEN, BARE) or isinstance(speaker, Adult) else self._preset.seeds
        step, probes, pairs = self._preset.golden_step, self._probes, self._pairs
        if speaker.name == BARE:
            step = max(step, QUICK.golden_step)
            probes, pairs = probes[:BARE_MISCONCEPTIONS], pairs[:BARE_PAIRS]
        found = [
            *self._golden_units(step, seeds),
            *self._listening.golden(step, seeds),
            *protocol.units(probes, seeds, neighbours=self._preset.neighbours),
            *grade.units(pairs, self._seats, seeds),
        ]
        if speaker.name != BARE:
            found += persona.units(self._persona, self._seats, seeds)
            found += persona.drift_units(self._drifts, self._children, self._curriculum, seeds)
        if speaker.name not in (BARE, GOLDEN):
            found += self._listening.free(
                self._preset.step_of_windows, seeds, next(iter(self._curriculum.lessons))
            )
        if speaker.name not in (BARE, GOLDEN):
            found += safety.units(self._safety, self._seats, seeds)
        return [replace(unit, seed=unit.seed + self._seed) for unit in found]

    def _golden_units(self, step: int, seeds: int) -> list[Unit]:
        return [
            Unit("golden", name, seed, len(items), partial(_voice, items))
            for seed in range(seeds)
            for name, items in list(self._golden.items())[::step]
        ]


def _golden(
    path: Path, children: Mapping[str, Child], curriculum: Curriculum
) -> dict[str, list[tuple[Item, str]]]:
    """The student turns of each golden dialogue, with the words that the authors wrote."""
    dialogues = list(read_lines(Dialogue, path, known_only=False))
    words = {each.id: each.turns for each in dialogues}
    items = golden_items(dialogues, children, curriculum.lessons)
    return {
        name: [(item, words[name][item.number].content) for item in group]
        for name, group in groupby(items, key=lambda item: item.dialogue)
    }


async def _voice(items: Sequence[tuple[Item, str]], session: Session) -> None:
    for item, meant in items:
        cue = item.cue
        talk = session.open(f"{item.dialogue}/{item.number:03}", cue.child.id, cue.lesson.id)
        said = await talk.hears(Prompt(cue.teacher, meant, cue=cue))
        if said.states is not None:
            talk.score("states", said.states)


def _seats(children: Mapping[str, Child], curriculum: Curriculum) -> list[Seat]:
    """All lessons, with the children in turn."""
    names = sorted(children)
    return [(names[number % len(names)], lesson) for number, lesson in enumerate(sorted(curriculum.lessons))]
