"""A lesson: what is practised, what children get wrong in it, and what helps.

Read from `data/lessons/*.toml` and checked here field by field. Nothing here decides anything:
how a misconception moves is `mind`, how a wrong answer is computed is `bugs`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bot.student.records.dialogue import Stage
from bot.student.records.toml import Table

SUBJECTS = ("mathematics", "reading and language", "science", "social studies")
STANDARD = re.compile(
    r"CCSS [12]\.(OA|NBT|MD|G)\.[A-D]\.\d\w?|CCSS (RF|RL|RI|L|W|SL)\.2\.\d\w?"
    r"|NGSS (2|1|K-2)-(PS|LS|ESS|ETS)\d-\d|C3 D2\.(His|Geo|Eco|Civ)\.\d+\.K-2"
)


@dataclass(frozen=True, slots=True)
class Misconception:
    """A wrong idea. `says` holds what the child says by stage; `helps` and `looks_helpful` are examples
    of teacher turns that do and do not address it; `cues` are words typical of those that do."""

    id: str
    belief: str
    source: str
    bug: str | None
    says: dict[Stage, tuple[str, ...]]
    cues: tuple[str, ...]
    helps: tuple[str, ...]
    looks_helpful: tuple[str, ...]
    understanding: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """A written question with known answers. `keys`: the question is recognised when all words of one
    key occur in the teacher's turn. `wrong` and `why` give answer and reason by misconception."""

    ask: str
    keys: tuple[str, ...]
    right: str
    accept: tuple[str, ...]
    because: str
    wrong: dict[str, str]
    why: dict[str, str]


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson. `kinds` are the computed problem kinds it practises (see `problems`); `asks` are
    problems in a teacher's words; `neighbours` are questions the child has mastered."""

    id: str
    standard: str
    subject: str
    title: str
    objective: str
    skills: tuple[str, ...]
    words: tuple[str, ...]
    kinds: tuple[str, ...]
    asks: tuple[str, ...]
    questions: tuple[Question, ...]
    neighbours: tuple[Question, ...]
    misconceptions: tuple[Misconception, ...]

    def misconception(self, identifier: str | None) -> Misconception | None:
        """The misconception with that id, or None."""
        return next((m for m in self.misconceptions if m.id == identifier), None)


def read_lesson(path: Path) -> Lesson:
    """Read one lesson; raise `DataError` naming file and key."""
    table = Table.read(path)
    lesson = Lesson(
        id=path.stem,
        standard=table.text("standard"),
        subject=table.one_of("subject", SUBJECTS),
        title=table.text("title"),
        objective=table.text("objective"),
        skills=table.texts("skills", at_least=2),
        words=table.texts("words", at_least=4),
        kinds=table.texts("kinds"),
        asks=table.texts("asks"),
        questions=tuple(_question(each) for each in table.tables("questions")),
        neighbours=tuple(_question(each) for each in table.tables("neighbours", at_least=3)),
        misconceptions=tuple(_misconception(each) for each in table.tables("misconceptions", at_least=1)),
    )
    if not STANDARD.fullmatch(lesson.standard):
        raise table.fail("standard", f"expected a code such as 'CCSS 2.NBT.B.5', got {lesson.standard!r}")
    known = {m.id for m in lesson.misconceptions}
    for question in lesson.questions:
        if unknown := (set(question.wrong) | set(question.why)) - known:
            raise table.fail("questions", f"{question.ask!r} names {min(unknown)!r}, no misconception here")
    for misconception in lesson.misconceptions:
        computed = misconception.bug is not None
        if computed and not lesson.kinds:
            raise table.fail("kinds", f"{misconception.id!r} has a bug, so its problem kinds must be listed")
        written = sum(misconception.id in question.wrong for question in lesson.questions)
        if not computed and written < 4:  # noqa: PLR2004 - the protocol needs q, q2, q3 and a spare
            raise table.fail("questions", f"expected at least 4 with a wrong answer for {misconception.id!r}")
    table.done()
    return lesson


def read_lessons(folder: Path) -> dict[str, Lesson]:
    """Every lesson in `folder` by id (the file's name), in the order of the ids."""
    return {path.stem: read_lesson(path) for path in sorted(folder.glob("*.toml"))}


def read_questions(path: Path) -> tuple[Question, ...]:
    """Read a file that holds nothing but `[[questions]]`; raise `DataError` naming file and key."""
    table = Table.read(path)
    questions = tuple(_question(each) for each in table.tables("questions"))
    table.done()
    return questions


def _question(table: Table) -> Question:
    question = Question(
        ask=table.text("ask"),
        keys=table.texts("keys", at_least=1),
        right=table.text("right"),
        accept=table.texts("accept"),
        because=table.text("because"),
        wrong=table.mapping("wrong"),
        why=table.mapping("why"),
    )
    table.done()
    return question


def _misconception(table: Table) -> Misconception:
    says = table.table("says")
    misconception = Misconception(
        id=table.text("id"),
        belief=table.text("belief"),
        source=table.text("source"),
        bug=table.text("bug", default="") or None,
        says={stage: says.texts(stage.value, at_least=4) for stage in Stage},
        cues=table.texts("cues", at_least=6),
        helps=table.texts("helps", at_least=8),
        looks_helpful=table.texts("looks_helpful", at_least=4),
        understanding=table.texts("understanding", at_least=2),
    )
    says.done()
    table.done()
    return misconception
