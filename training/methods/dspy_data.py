"""From dialogues to DSPy's examples: what is learnt from, what is validated on, and what is compared on.

An example has the inputs that the live bot would give the program, and the words that were said. Dialogues
are never divided between two parts. It knows no optimiser and no model.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from pathlib import Path

import dspy

from bot.models.program import inputs_of
from bot.student.records.child import Child
from bot.student.records.cue import Cue
from bot.student.records.dialogue import Dialogue, Role
from bot.student.records.lesson import Lesson
from bot.student.records.reading import DataError
from training.corpus.read import files, sound
from training.harvest.origin import HARVESTED, Origins
from training.methods.dspy_metric import judge
from training.methods.rendering import parts

VALIDATION_SHARE = 0.2
LONGEST_DEMO_WORDS = 16
LONGEST_DEMO_PROMPT = 25
"""Words of a teacher. Examples are read with every call: a long one costs more than it teaches."""
INPUTS = ("conversation_history", "teacher_prompt", "child", "thought")


def dialogues(
    home: Path, train: Sequence[Path], validation: Sequence[Path], test: Path | None, origins: Origins
) -> tuple[list[Dialogue], list[Dialogue], list[Dialogue]]:
    """Training, validation and held-out dialogues, those of `home` where none are named; raise `DataError` where a
    dialogue is on two sides."""
    golden = test or home / "test.jsonl"
    sources = files(train or [home])
    if not train:
        sources = [path for path in sources if path.name != "test.jsonl"]
    learnt = [dialogue for _, dialogue in sound(sources) if not origins.left(dialogue)]
    held_out = [dialogue for _, dialogue in sound([golden])]
    if validation:
        learnt = quotable(learnt)
        validated = [dialogue for _, dialogue in sound(validation) if not origins.left(dialogue)]
    else:
        learnt, validated = divide(learnt, origins)
    seen: dict[str, str] = {}
    for part, those in (("training", learnt), ("validation", validated), ("held-out", held_out)):
        for dialogue in those:
            if seen.setdefault(dialogue.id, part) != part:
                raise DataError(f"dialogue {dialogue.id!r} is in the {seen[dialogue.id]} and the {part} data")
        if not those:
            raise DataError(f"{part} data: there are no dialogues")
    return learnt, validated, held_out


def examples(
    dialogues: Iterable[Dialogue], children: Mapping[str, Child], lessons: Mapping[str, Lesson]
) -> list[dspy.Example]:
    """One for each student turn with a thought, of dialogues whose child and lesson are known.

    Beside inputs and output each has `dialogue`, the record's id, and `cue`, what the metric judges by.
    """
    found = []
    for dialogue in dialogues:
        child, lesson = children.get(dialogue.child or ""), lessons.get(dialogue.lesson or "")
        if child is None or lesson is None:
            continue
        for number, turn in enumerate(dialogue.turns):
            before = dialogue.turns[number - 1] if number else None
            if turn.thought is None or before is None or before.role is Role.STUDENT:
                continue
            cue = Cue(child, lesson, dialogue.turns[: number - 1], before.content, turn.thought)
            example = dspy.Example(
                **inputs_of(cue), student_response=turn.content, dialogue=dialogue.id, cue=cue
            )
            found.append(example.with_inputs(*INPUTS))
    return found


def divide(dialogues: Sequence[Dialogue], origins: Origins) -> tuple[list[Dialogue], list[Dialogue]]:
    """Training and validation: the same dialogue is always on the same side, whatever else there is."""
    learnt, validated = parts(dialogues, VALIDATION_SHARE, origins.groups(dialogues))
    return quotable(learnt), validated


def quotable(dialogues: Iterable[Dialogue]) -> list[Dialogue]:
    """Those that may be learnt from: not harvested ones, whose words a program would quote for ever."""
    return [each for each in dialogues if each.source != HARVESTED]


def teachable(found: Iterable[dspy.Example]) -> list[dspy.Example]:
    """Those that make good examples in a prompt: short, faultless by the metric itself, and spoken.

    A typing child's spelling is the voice's business: a small model would misspell the answer itself.
    """
    return [
        example
        for example in found
        if example.cue.child.voice != "typed"
        and len(example.student_response.split()) <= LONGEST_DEMO_WORDS
        and len(example.teacher_prompt.split()) <= LONGEST_DEMO_PROMPT
        and judge(example.student_response, example.cue.thought, example.cue.child, example.cue.teacher).score
        == 1
    ]


def by_kind(found: Sequence[dspy.Example], seed: int) -> list[dspy.Example]:
    """All of them, each kind of thought in turn: whoever takes the first few has some of every kind."""
    return _in_turn(found, lambda example: example.cue.thought.kind.value, seed)


def by_dialogue(found: Sequence[dspy.Example], seed: int) -> list[dspy.Example]:
    """All of them, each dialogue in turn: the first few are of as many dialogues as there can be."""
    return _in_turn(found, lambda example: example.dialogue, seed)


def _in_turn(
    found: Sequence[dspy.Example], key: Callable[[dspy.Example], Hashable], seed: int
) -> list[dspy.Example]:
    rng = random.Random(seed)
    groups: dict[Hashable, list[dspy.Example]] = defaultdict(list)
    for example in rng.sample(found, len(found)):
        groups[key(example)].append(example)
    ranked = [(rank, example) for group in groups.values() for rank, example in enumerate(group)]
    return [example for _, example in sorted(ranked, key=lambda each: each[0])]
