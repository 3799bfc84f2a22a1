"""A child: who is speaking. Read from `data/children/*.toml`; nothing here decides anything.

How the words come out is `voice`, what the child believes in a conversation is `mind`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field

from bot.student.records.lesson import Lesson
from bot.student.records.reading import DataError, Fraction, Text, Texts, every, read_toml
from bot.student.records.text import files_in

English = Literal["early", "intermediate"]
Temperament = Literal["talkative", "shy", "silly", "careful", "easily tired"]
TEMPERAMENTS: tuple[Temperament, ...] = get_args(Temperament)
SAYS = (
    "greets",  # to hello
    "chats",  # to small talk about the child's own life
    "wanders",  # off-task, out of nowhere
    "glad",  # to praise
    "agrees",  # to "ok, let's start", "good", management
    "unsure",  # does not know
    "puzzled",  # at grown-up words, machine talk, things of later grades
    "tired",
    "upset",
    "asks",  # asks back
    "shrugs",  # says in a word or two how it got there
)

Lines = Annotated[Texts, Field(min_length=3)]


@dataclass(frozen=True, slots=True)
class Child:
    """One simulated second grader. `id` is the file's name; `says` holds the child's own lines by occasion (see
    `SAYS`). With more than three misconceptions a child would be a caricature. In what it `masters`, subjects or
    lessons by id, it holds no wrong idea but its own. `supports` is what a plan at school or a teacher gives it, told
    to whoever teaches; `english` is how far a child has come that learns English as a new language."""

    id: str
    name: Text
    age: Literal[7, 8]
    colour: Literal["cyan", "magenta", "green", "yellow", "blue", "red"]
    voice: Literal["spoken", "typed"]
    temperament: Annotated[tuple[Temperament, ...], Field(min_length=1)]
    reading_level: Text
    interests: Annotated[Texts, Field(min_length=3)]
    family: Annotated[Texts, Field(min_length=2)]
    strengths: Annotated[Texts, Field(min_length=1)]
    misconceptions: Annotated[Texts, Field(max_length=3)]
    stubbornness: Fraction
    says: Annotated[dict[str, Lines], every(SAYS)]
    masters: Annotated[Texts, Field(default=())]
    supports: Annotated[Texts, Field(default=())]
    english: Annotated[English | None, Field(default=None)]

    def knows(self, lesson: Lesson) -> bool:
        """Whether the lesson, or its subject, is one that this child masters."""
        return lesson.id in self.masters or lesson.subject in self.masters


def read_child(path: Path) -> Child:
    """Read one child; raise `DataError` naming file and key."""
    if path.stem != "".join(path.stem.split()):
        raise DataError(f"{path.name}: the file's name is what people type, so expected one word")
    return read_toml(Child, path, id=path.stem)


def read_children(folder: Path) -> dict[str, Child]:
    """Every child in `folder` by id (the file's name), in the order of the ids."""
    return {path.stem: read_child(path) for path in files_in(folder, "*.toml")}


def listed(names: Sequence[str]) -> str:
    """Names as one says them: "Mia, Owen and Yusuf"."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
