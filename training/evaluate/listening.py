"""Does the child answer what was said? Open talk, held by itself and turn by turn in dialogues as they were.

The dialogues are `data/open/golden.jsonl`, by an author whose lines are not trained, and the golden lessons; the
windows and what is to be remembered are `data/listening`, by strangers who teach what they like. Turn by turn is the
form of arXiv 2601.04025: the dialogue so far is the real one, and of the next turn it is measured whether the same is
answered, be it right or the same error. It reads words, never thoughts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Annotated

from pydantic import Field

from bot.student.records.dialogue import Dialogue, Role, Turn
from bot.student.records.reading import Said, read_lines
from bot.student.said import telling
from bot.student.voicing import voice
from training.evaluate.golden import GOLDEN, STATES
from training.evaluate.session import Conversation, Session, Unit
from training.evaluate.speakers import Prompt

FOLDER, OPEN_GOLDEN = Path("listening"), Path("open") / "golden.jsonl"
MEASURED = 3
"""Turns of a golden dialogue that are measured, spread over it; each takes a conversation of its own."""
_BARE = re.compile(r"\W*(?:yes|yeah|yep|yup|mhm|uh-huh|no|nope|nah|ok|okay)\W*$", re.I)


@dataclass(frozen=True, slots=True)
class Window:
    """Some turns of a teacher who teaches what he likes, whatever lesson is set."""

    id: Said
    child: Said
    lesson: Said
    turns: Annotated[tuple[Said, ...], Field(min_length=2)]


@dataclass(frozen=True, slots=True)
class Remembered:
    """Something that the child is asked about itself, other talk, and the same asked `again`."""

    id: Said
    child: Said
    ask: Said
    between: tuple[Said, ...]
    again: Said


class Listening:
    """The section's material, read; raises `DataError`."""

    def __init__(self, data: Path) -> None:
        self._golden = [
            dialogue
            for path in (OPEN_GOLDEN, GOLDEN)
            for dialogue in read_lines(Dialogue, data / path, known_only=False)
        ]
        self._windows = list(read_lines(Window, data / FOLDER / "windows.jsonl"))
        self._memory = list(read_lines(Remembered, data / FOLDER / "memory.jsonl"))

    def moments(self) -> dict[str, str]:
        """The exchange before each turn that is measured turn by turn, by its item."""
        return {
            _item(
                dialogue, place
            ): f"Teacher: {pairs[place - 1][0].content}\n{name}: {pairs[place - 1][1].content}"
            for dialogue in self._golden
            for pairs, places in [_measured(dialogue)]
            for name in [(dialogue.child or "child").title()]
            for place in places
            if place
        }

    def golden(self, step: int, seeds: int) -> list[Unit]:
        """One for every so-manieth dialogue and seed."""
        return [
            Unit("listening", dialogue.id, seed, MEASURED, partial(_turn_by_turn, dialogue))
            for seed in range(seeds)
            for dialogue in self._golden[::step]
        ]

    def free(self, step: int, seeds: int, lesson: str) -> list[Unit]:
        """The windows, and in `lesson` what is to be remembered."""
        found = []
        for seed in range(seeds):
            for window in self._windows[::step]:
                run = partial(_window, window)
                found.append(Unit("listening", window.id, seed, len(window.turns), run))
            for each in self._memory[::step]:
                found.append(
                    Unit("listening", each.id, seed, len(each.between) + 2, partial(_memory, each, lesson))
                )
        return found


def _measured(dialogue: Dialogue) -> tuple[list[tuple[Turn, Turn]], list[int]]:
    """The exchanges of a dialogue, and the places of those that are measured: with an answer first, spread over it."""
    pairs = [
        (teacher, child)
        for teacher, child in pairwise(dialogue.turns)
        if teacher.role is Role.TEACHER and child.role is Role.STUDENT
    ]
    places = [place for place, (_, child) in enumerate(pairs) if child.thought and child.thought.answer]
    places = places or list(range(len(pairs)))
    return pairs, sorted({places[part * (len(places) - 1) // MEASURED] for part in range(1, MEASURED + 1)})


def _item(dialogue: Dialogue, place: int) -> str:
    return f"{dialogue.id}/{place:02}"


async def _turn_by_turn(dialogue: Dialogue, session: Session) -> None:
    """Some turns, each after the dialogue so far as it was."""
    pairs, places = _measured(dialogue)
    for place in places:
        talk = session.open(_item(dialogue, place), dialogue.child or "", dialogue.lesson or "")
        for teacher, child in pairs[:place]:
            await talk.told(teacher.content, child.content)
        teacher, child = pairs[place]
        said = await talk.hears(Prompt(teacher.content, child.content))
        if child.thought and child.thought.answer and child.thought.kind in STATES:
            talk.score("listening.same", voice.states(said.text, child.thought.answer))
        else:
            _score(talk, said.text)


async def _window(window: Window, session: Session) -> None:
    talk = session.open(window.id, window.child, window.lesson)
    for text in window.turns:
        _score(talk, (await talk.hears(Prompt(text))).text)


async def _memory(each: Remembered, lesson: str, session: Session) -> None:
    talk = session.open(each.id, each.child, lesson)
    first = (await talk.hears(Prompt(each.ask))).text
    for text in each.between:
        await talk.hears(Prompt(text))
    again = (await talk.hears(Prompt(each.again))).text
    new = telling(first) - telling(each.ask)
    if new:
        talk.score("listening.memory", bool(new & telling(again)))


def _score(talk: Conversation, text: str) -> None:
    talk.score("listening.asks", "?" in text)
    talk.score("listening.generic", not telling(text) and not _BARE.match(text))
