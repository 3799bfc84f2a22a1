"""A lesson: what is practised, what children get wrong in it, and what helps.

Read from `data/lessons/*.toml` and checked here. Nothing here decides anything: how a misconception moves is `mind`,
how a wrong answer is computed is `bugs`; which of those there are, whoever reads a lesson says (`Computed`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from bot.student.records.dialogue import Stage
from bot.student.records.pages.page import MaybePage
from bot.student.records.reading import (
    DataError,
    Expected,
    Fraction,
    Text,
    Texts,
    every,
    expected,
    near,
    read_toml,
)
from bot.student.records.text import files_in


def _keys(keys: tuple[str, ...]) -> tuple[str, ...]:
    if not all(any(map(str.isalnum, key)) for key in keys):
        raise expected("words or numbers of the question in each")
    return keys


Standard = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        pattern=r"^(CCSS [12]\.(OA|NBT|MD|G)\.[A-D]\.\d\d?|CCSS (RF|RL|RI|L|W|SL)\.[12]\.\d\d?[a-f]?"
        r"|NGSS (1|2|5|K-2)-(PS|LS|ESS|ETS)\d-\d|C3 (D2\.(His|Geo|Eco|Civ)|D[134])\.\d+\.K-2)$",
    ),
    Expected("a code such as 'CCSS 2.NBT.B.5'"),
]
Subject = Literal["mathematics", "reading and language", "science", "social studies"]
Lines = Annotated[Texts, Field(min_length=4)]
MaybeTexts = Annotated[Texts, Field(default=())]
ByMisconception = Annotated[dict[str, Text], Field(default_factory=dict)]


@dataclass(frozen=True, slots=True)
class Rates:
    """How one wrong idea shows and yields. `shows`: share of new problems answered with it while it holds; `returns`:
    the same after it was revised, a relapse; `more_helps`: helpful turns it takes beyond what most ideas do (below
    zero: fewer); `source`: where the figures are from, or that they are a guess."""

    shows: Fraction = 0.96
    returns: Fraction = 0.17
    more_helps: Annotated[int, Field(ge=-2, le=3)] = 0
    source: Text = "a guess, the same for all ideas that say nothing else"


@dataclass(frozen=True, slots=True)
class Misconception:
    """A wrong idea. `says` holds what the child says by stage; `helps` and `looks_helpful` are examples
    of teacher turns that do and do not address it; `cues` are words typical of those that do."""

    id: Text
    belief: Text
    source: Text
    bug: Annotated[Text | None, Field(default=None)]
    rates: Annotated[Rates, Field(default_factory=Rates)]
    says: Annotated[dict[Stage, Lines], every(Stage)]
    cues: Annotated[Texts, Field(min_length=6)]
    helps: Annotated[Texts, Field(min_length=8)]
    looks_helpful: Annotated[Texts, Field(min_length=4)]
    understanding: Annotated[Texts, Field(min_length=2)]


@dataclass(frozen=True, slots=True)
class Question:
    """A written question with known answers. `keys`: the question is recognised when all words of one
    key occur in the teacher's turn. `wrong` and `why` give answer and reason by misconception. `on_page`: it asks
    about the lesson's page, and means nothing where another one is shown."""

    ask: Text
    keys: Annotated[Texts, AfterValidator(_keys), Field(min_length=1)]
    right: Text
    accept: MaybeTexts
    because: Text
    wrong: ByMisconception
    why: ByMisconception
    on_page: bool = False


MaybeQuestions = Annotated[tuple[Question, ...], Field(default=())]


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson. `kinds` are the computed problem kinds it practises (see `problems`); `asks` are
    problems in a teacher's words; `neighbours` are questions the child has mastered; `page` is what lies on the table.
    """

    id: str
    standard: Standard
    subject: Subject
    title: Text
    objective: Text
    skills: Annotated[Texts, Field(min_length=2)]
    words: Annotated[Texts, Field(min_length=4)]
    kinds: MaybeTexts
    asks: MaybeTexts
    questions: MaybeQuestions
    neighbours: Annotated[tuple[Question, ...], Field(min_length=3)]
    misconceptions: Annotated[tuple[Misconception, ...], Field(min_length=1)]
    page: MaybePage = None

    def misconception(self, identifier: str | None) -> Misconception | None:
        """The misconception with that id, or None."""
        return next((m for m in self.misconceptions if m.id == identifier), None)


@dataclass(frozen=True, slots=True)
class Computed:
    """What is computed by code: the kinds of problems, and for each bug the kinds in which it shows."""

    kinds: Collection[str]
    bugs: Mapping[str, Collection[str]]


def read_lesson(path: Path, computed: Computed) -> Lesson:
    """Read one lesson; raise `DataError` naming file and key."""
    lesson = read_toml(Lesson, path, id=path.stem)
    if found := _names_fault(lesson, computed) or _count_fault(lesson):
        raise DataError(f"{path.name}: {found}")
    return lesson


def read_lessons(folder: Path, computed: Computed) -> dict[str, Lesson]:
    """Every lesson in `folder` by id (the file's name), in the order of the ids."""
    return {path.stem: read_lesson(path, computed) for path in files_in(folder, "*.toml")}


@dataclass(frozen=True, slots=True)
class _Questions:
    questions: MaybeQuestions


def read_questions(path: Path) -> tuple[Question, ...]:
    """Read a file that holds nothing but `[[questions]]`; raise `DataError` naming file and key."""
    return read_toml(_Questions, path).questions


def _names_fault(lesson: Lesson, computed: Computed) -> str | None:
    """A name of something that is neither in the lesson nor computed."""
    for kind in lesson.kinds:
        if kind not in computed.kinds:
            return f"kinds: no problem kind {kind!r}; {near(kind, computed.kinds)}"
    for misconception in lesson.misconceptions:
        bug = misconception.bug
        if bug is not None and bug not in computed.bugs:
            return f"misconceptions: {misconception.id}: no bug {bug!r}; {near(bug, computed.bugs)}"
        if bug is not None and not set(computed.bugs[bug]).intersection(lesson.kinds):
            shows = ", ".join(computed.bugs[bug])
            return (
                f"kinds: {misconception.id!r} has a bug, so expected one of the kinds that show it: {shows}"
            )
    known = {each.id for each in lesson.misconceptions}
    for question in (*lesson.questions, *lesson.neighbours):
        if question.on_page and lesson.page is None:
            return f"questions: {question.ask!r} is on_page, and the lesson has no page"
        for name in (*question.wrong, *question.why):
            if name not in known:
                return (
                    f"questions: {question.ask!r} names {name!r}, no misconception here; {near(name, known)}"
                )
    return None


def _count_fault(lesson: Lesson) -> str | None:
    """A wrong idea without a bug that too few questions show: the protocol needs three and a spare."""
    for misconception in lesson.misconceptions:
        written = sum(misconception.id in question.wrong for question in lesson.questions)
        if misconception.bug is None and written < 4:  # noqa: PLR2004 - see above
            return (
                f"questions: expected at least 4 with a wrong answer for {misconception.id!r}, got {written}"
            )
    return None
