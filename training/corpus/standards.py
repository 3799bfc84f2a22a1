"""The standards of grade 2, read from `data/reference/standards.toml`, and whether the lessons cover them.

It knows codes only: whether a lesson is any good is `curriculum`, how the coverage looks for people is benchmarks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from bot.student.records.lesson import Lesson, Standard, Subject
from bot.student.records.reading import DataError, Text, Whole, read_toml

FILE = Path("reference") / "standards.toml"
"""Below the data folder."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One standard: its code, what it asks in our words, whether a chat can practise it, and if not, why.

    `largest` is the range in which the largest number of a computed problem lies, such as 100 to 1000."""

    code: Standard
    asks: Text
    largest: tuple[Whole, Whole] | None = None
    practised: bool = True
    because: Text | None = None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A standard of another grade that a lesson may practise all the same, and why."""

    code: Standard
    grade: Literal[1, 3, 4, 5]
    asks: Text
    because: Text


@dataclass(frozen=True, slots=True)
class Domain:
    """A part of a subject and its standards, in the order of the document."""

    subject: Subject
    name: Text
    standards: Annotated[tuple[Asked, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class Standards:
    """All standards of the grade, and those of other grades that lessons practise all the same."""

    domains: Annotated[tuple[Domain, ...], Field(min_length=1)]
    other_grades: tuple[Elsewhere, ...] = ()

    @classmethod
    def read(cls, data: Path) -> Standards:
        """The table in the folder `data`; raise `DataError` naming what is wrong."""
        found = read_toml(cls, data / FILE)
        codes = [each.code for each in found.all()]
        for asked in found.all():
            if codes.count(asked.code) > 1:
                raise DataError(f"{FILE.name}: {asked.code}: expected every code only once")
            if asked.practised == (asked.because is not None):
                raise DataError(
                    f"{FILE.name}: {asked.code}: expected 'because' where 'practised' is false, and only there"
                )
        return found

    def all(self) -> Iterator[Asked]:
        """Every standard, in the table's order."""
        for domain in self.domains:
            yield from domain.standards

    def named(self, code: str) -> tuple[Asked, ...]:
        """The standards that a lesson's code names: one, or all lettered parts of the whole that it names."""
        return tuple(each for each in self.all() if code in (each.code, _whole(each.code)))

    def lessons(self, lessons: Mapping[str, Lesson]) -> dict[str, tuple[Lesson, ...]]:
        """The lessons of each standard by its code, in the table's order; none for one that has no lesson.

        A standard that a chat cannot practise is not covered by a lesson on the whole that it is a part of.
        """
        return {
            asked.code: tuple(
                lesson
                for lesson in lessons.values()
                if lesson.standard == asked.code
                or (asked.practised and lesson.standard == _whole(asked.code))
            )
            for asked in self.all()
        }

    def faults(self, lessons: Mapping[str, Lesson]) -> Iterator[str]:
        """Lessons that name no standard of the table, and standards that no lesson practises though one could."""
        others = {each.code for each in self.other_grades}
        for lesson in lessons.values():
            named, where = self.named(lesson.standard), f"lesson {lesson.id}: standard:"
            if not named and lesson.standard not in others:
                yield f"{where} {lesson.standard!r} is none of grade 2 in {FILE.name}, nor one of another grade there"
            if named and not any(each.practised for each in named):
                yield f"{where} {FILE.name} says that no chat can practise {lesson.standard!r}"
            if not lesson.id.startswith(prefix := f"{file_code(lesson.standard)}-"):
                yield f"{where} expected a file whose name begins with {prefix!r}"
        for code, found in self.lessons(lessons).items():
            (asked,) = self.named(code)
            if asked.practised and not found:
                yield f"coverage: no lesson practises {code}: {asked.asks}"


def file_code(code: str) -> str:
    """How a lesson's file name writes its standard: 'CCSS RF.2.3a' as 'RF.2.3.a', 'C3 D2.Eco.1.K-2' as 'D2.Eco.1'."""
    bare = code.split(" ", 1)[1].removesuffix(".K-2")
    return re.sub(r"(\d)([a-z])$", r"\1.\2", bare)


def _whole(code: str) -> str | None:
    """The standard that a lettered part belongs to: 'CCSS RF.2.3' of 'CCSS RF.2.3a'."""
    return code[:-1] if code[-1].islower() and code[-2].isdigit() else None
