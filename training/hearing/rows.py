"""Labelled teachers' turns, from wherever people labelled them: dialogues, `data/hearing`, practice put right.

Each row knows what the turn was said to, as far as its source tells. What is made of it is `fit`.
"""

from __future__ import annotations

import json
import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import Field

from bot.store import harvested
from bot.student.hearing.heard import Context
from bot.student.hearing.questions import index
from bot.student.problems.parsing import parse
from bot.student.records.curriculum import Curriculum
from bot.student.records.dialogue import Dialogue, MoveKind, Role, Stage, Turn
from bot.student.records.lesson import Lesson, Misconception
from bot.student.records.reading import parse as read
from bot.student.records.text import files_in, lines_of
from bot.student.said import Said
from training.corpus.hearing import read_turns
from training.corpus.read import OPEN_TALK

BY_THE_PROGRAM = frozenset({MoveKind.ASKS_IF_REAL, MoveKind.UNSAFE, MoveKind.CRISIS, MoveKind.PUPIL_DATA})
"""Turns that the guard answers before anybody hears them."""
ASKED = (MoveKind.ASKS, MoveKind.TRANSFER)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A teacher's turn with what it does: the main move first. `source` names where it comes from; `accept` holds
    moves that count, too."""

    text: str
    lesson: str
    context: Context
    moves: tuple[MoveKind, ...]
    source: str
    accept: tuple[MoveKind, ...] = ()
    problem: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A line of `data/hearing/*.jsonl`: a turn, the lesson, the idea that the child holds, the question on the table
    with its right answers, what the child said last, and the labels, the main one first."""

    text: str
    lesson: str
    moves: Annotated[tuple[MoveKind, ...], Field(min_length=1)]
    held: str | None = None
    question: str = ""
    right: tuple[str, ...] = ()
    child: str = ""
    accept: tuple[MoveKind, ...] = ()
    problem: bool = False
    author: str = ""


HARVESTED = "harvested-"
LESSONS = (
    "lessons-one",
    "lessons-two",
    "lessons-three",
    "lessons-four",
    "lessons-five",
    "lessons-six",
    "lessons-seven",
    "lessons-eight",
    "contrasts",
)
"""The files of `data/hearing` that are learned from: teachers' turns in lessons, by several authors."""
_ELSEWHERE = {
    MoveKind.TELLS: MoveKind.OTHER,
    MoveKind.FALSE_HINT: MoveKind.OTHER,
    MoveKind.HELPS: MoveKind.HELPS_OTHER,
}
"""In open talk no question of the lesson is on the table: what is told or hinted is none of its answers."""


def training(data: Path, curriculum: Curriculum) -> list[Labelled]:
    """All that may be learned from: dialogues but the golden ones, open talk, labelled lines of lessons."""
    found: list[Labelled] = []
    for path in files_in(data / "dialogues", "*.jsonl"):
        if path.name != "test.jsonl":
            found += _dialogues(path, curriculum, put_right(data, path.stem))
    for name in OPEN_TALK:
        found += [
            replace(row, moves=_open(row.moves))
            for row in _dialogues(data / "open" / f"{name}.jsonl", curriculum)
        ]
    for name in LESSONS:
        found += from_file(data / "hearing" / f"{name}.jsonl", curriculum)
    found += _elsewhere([row for row in found if row.source in LESSONS])
    found += _salads(curriculum)
    for turn in read_turns(data / "hearing" / "development.jsonl"):
        if turn.move not in BY_THE_PROGRAM:
            right = right_answers(turn.after or "", curriculum.lessons[turn.lesson], curriculum)
            context = Context(right, _held(turn.active, curriculum), turn.after or "")
            found.append(Labelled(turn.text, turn.lesson, context, (turn.move,), "development"))
    return found


def _elsewhere(rows: list[Labelled]) -> Iterator[Labelled]:
    """Good help, said to a child who holds another idea: there it is none. Seeded."""
    rng = random.Random(11)
    for row in rows:
        if row.moves[0] is not MoveKind.HELPS:
            continue
        other = rng.choice(rows)
        if other.lesson != row.lesson:
            yield Labelled(row.text, other.lesson, other.context, (MoveKind.HELPS_OTHER,), "elsewhere")


SALADS = 10
"""Heaps of an idea's own words that are learned to be no help, for each idea."""


def _salads(curriculum: Curriculum) -> Iterator[Labelled]:
    """The words of cues and of help, shaken: what somebody types who wants to please the program. Seeded."""
    rng = random.Random(7)
    for lesson in curriculum.lessons.values():
        for idea in lesson.misconceptions:
            cues = " ".join(idea.cues).split()
            for number in range(SALADS):
                words = (rng.choice(idea.helps).split() if idea.helps else cues) if number % 2 else cues
                heap = " ".join(rng.sample(words, min(len(words), rng.randint(5, 12))))
                asks = (*lesson.asks, *(each.ask for each in lesson.questions))
                question = rng.choice(asks)
                child = rng.choice(idea.says[Stage.HOLDS])
                context = Context(right_answers(question, lesson, curriculum), (idea,), question, child)
                yield Labelled(heap, lesson.id, context, (MoveKind.OTHER,), "salads")


def _open(moves: tuple[MoveKind, ...]) -> tuple[MoveKind, ...]:
    return tuple(dict.fromkeys(_ELSEWHERE.get(move, move) for move in moves))


def put_right(data: Path, name: str) -> Mapping[str, Collection[int]] | None:
    """Of harvested dialogues the places of turns that a person changed, by id: what the ear heard itself teaches it
    nothing. None for dialogues that people wrote."""
    if not name.startswith(HARVESTED):
        return None
    dialogues = harvested.read_lineage(harvested.lineage_file(data, name))["dialogues"]
    return {identifier: told.get("edited", ()) for identifier, told in dialogues.items()}


def _dialogues(
    path: Path, curriculum: Curriculum, only: Mapping[str, Collection[int]] | None = None
) -> Iterator[Labelled]:
    for line in lines_of(path):
        dialogue = Dialogue.from_line(line)
        places = None if only is None else only.get(dialogue.id, ())
        yield from from_dialogue(dialogue, path.stem, curriculum, places)


def from_file(path: Path, curriculum: Curriculum) -> Iterator[Labelled]:
    """The rows of one file of `data/hearing`; raise `DataError`, KeyError where a lesson is not there."""
    for line in lines_of(path):
        row = read(Row, json.loads(line), place=path.name)
        lesson = curriculum.lessons[row.lesson]
        right = row.right or right_answers(row.question, lesson, curriculum)
        context = Context(right, _held(row.held, curriculum), row.question, row.child)
        yield Labelled(row.text, row.lesson, context, row.moves, path.stem, row.accept, row.problem)


def from_dialogue(
    dialogue: Dialogue, source: str, curriculum: Curriculum, only: Collection[int] | None = None
) -> Iterator[Labelled]:
    """The labelled turns of one dialogue, or `only` those at these places, each with what came before it."""
    lesson = curriculum.lessons.get(dialogue.lesson or "")
    if lesson is None:
        return
    active = _held(_idea(dialogue), curriculum) or lesson.misconceptions[:1]
    question, child = "", ""
    for place, turn in enumerate(dialogue.turns):
        if turn.role is Role.STUDENT:
            child = turn.content
            continue
        wanted = only is None or place in only
        if wanted and turn.move is not None and turn.move not in BY_THE_PROGRAM:
            right = right_answers(question, lesson, curriculum)
            context = Context(right, active, question if right else "", child)
            yield Labelled(turn.content, lesson.id, context, (turn.move, *turn.also), source)
        if turn.move in ASKED and right_answers(turn.content, lesson, curriculum):
            question = turn.content


def right_answers(question: str, lesson: Lesson, curriculum: Curriculum) -> tuple[str, ...]:
    """The right answers to a question that the child would recognise; none where it would not."""
    problem = parse(Said.of(question)) if question else None
    if problem is not None:
        return (problem.right,) if problem.right else ()
    found = index(curriculum).find(Said.of(question).words, lesson) if question else None
    return (found.question.right, *found.question.accept) if found and found.lesson == lesson.id else ()


def _held(idea: str | None, curriculum: Curriculum) -> tuple[Misconception, ...]:
    lesson = curriculum.lesson_of(idea) if idea else None
    found = lesson.misconception(idea) if lesson else None
    return (found,) if found else ()


def _idea(dialogue: Dialogue) -> str | None:
    """The idea that the child shows most in it."""
    shown = [_misconception(turn) for turn in dialogue.turns if _misconception(turn)]
    return max(shown, key=shown.count, default=None)


def _misconception(turn: Turn) -> str | None:
    return turn.thought.misconception if turn.thought else None
