"""All lessons together with the scenarios that practise them, and the scene: who practises which of them.

It reads and holds. Which written question a teacher asks is found in `hearing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.student.records.child import Child
from bot.student.records.lesson import Computed, Lesson, Question, read_lessons, read_questions
from bot.student.records.scenario import Scenario


class Curriculum:
    """The lessons by id, `commons`, which are questions that every child of the grade can answer, and the scenarios by
    id."""

    def __init__(
        self,
        lessons: Mapping[str, Lesson],
        commons: Iterable[Question] = (),
        scenarios: Mapping[str, Scenario] | None = None,
    ) -> None:
        self.lessons = dict(lessons)
        self.commons = tuple(commons)
        self.scenarios = dict(scenarios or {})

    @classmethod
    def read(cls, data: Path, computed: Computed) -> Curriculum:
        """Read `data/lessons` and `data/reference/commons.toml`; raise `DataError`."""
        return cls(
            read_lessons(data / "lessons", computed), read_questions(data / "reference" / "commons.toml")
        )

    def lesson_of(self, misconception: str) -> Lesson | None:
        """The first lesson that holds a misconception of that id."""
        return next((each for each in self.lessons.values() if each.misconception(misconception)), None)


@dataclass(frozen=True, slots=True)
class Scene:
    """Who practises what: the child, the lesson that is on, and all the others."""

    child: Child
    lesson: Lesson
    curriculum: Curriculum
