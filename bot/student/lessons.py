"""Lessons as they are read: checked against the problems and the bugs that the child can compute.

The one place that knows both the records and the problems; whoever reads lessons comes here.
"""

from __future__ import annotations

from pathlib import Path

from bot.student.problems import solving
from bot.student.problems.kinds import KINDS
from bot.student.records import lesson
from bot.student.records.curriculum import Curriculum
from bot.student.records.lesson import Computed, Lesson


def computed() -> Computed:
    """The kinds of problems that there are, and for each bug the kinds in which it shows."""
    return Computed(tuple(kind.name for kind in KINDS), solving.bugs())


def read_curriculum(data: Path) -> Curriculum:
    """The lessons of the folder `data` and what every child can answer; raise `DataError`."""
    return Curriculum.read(data, computed())


def read_lesson(path: Path) -> Lesson:
    """One lesson; raise `DataError`."""
    return lesson.read_lesson(path, computed())


def read_lessons(folder: Path) -> dict[str, Lesson]:
    """Every lesson in `folder` by id; raise `DataError`."""
    return lesson.read_lessons(folder, computed())
