"""All lessons together: which written question is a teacher asking, whatever lesson is on?

It finds questions by their key words. Computed problems are `problems`; what to think of either is `mind`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from bot.student.help import Helps
from bot.student.lesson import Lesson, Question, read_lessons, read_questions
from bot.student.words import PLAIN, content_words

TELLING_WORDS = 2
"""Telling words that a key of another lesson needs: one alone turns up in any talk."""


@dataclass(frozen=True, slots=True)
class Found:
    """A written question that was recognised; `lesson` is None for what every second grader knows."""

    question: Question
    lesson: str | None


@dataclass(frozen=True, slots=True)
class _Entry:
    key: frozenset[str]
    found: Found
    ask: frozenset[str]


class Curriculum:
    """The lessons by id, and `commons`: questions that every child of the grade can answer."""

    def __init__(self, lessons: Mapping[str, Lesson], commons: Iterable[Question] = ()) -> None:
        self.lessons = dict(lessons)
        self._here: dict[str, list[_Entry]] = {}
        self._anywhere: list[_Entry] = []
        for lesson in self.lessons.values():
            self._here[lesson.id] = [
                entry
                for question in (*lesson.questions, *lesson.neighbours)
                for entry in _entries(question, lesson.id)
            ]
            self._anywhere += [
                entry for entry in self._here[lesson.id] if len(entry.key - PLAIN) >= TELLING_WORDS
            ]
        self._anywhere += [entry for question in commons for entry in _entries(question, None)]

    @classmethod
    def read(cls, data: Path) -> Curriculum:
        """Read `data/lessons` and `data/reference/commons.toml`; raise `DataError`."""
        return cls(read_lessons(data / "lessons"), read_questions(data / "reference" / "commons.toml"))

    @cached_property
    def helps(self) -> Helps:
        """The help of every lesson, ready to compare a turn with."""
        return Helps(self.lessons.values())

    def find(self, text: str, lesson: Lesson) -> Found | None:
        """The written question whose key words are all in `text`: the lesson's own first, then any other.

        Of several it is the longest key, then the question that shares most words with the turn.
        """
        words = content_words(text)
        for entries in (self._here.get(lesson.id, []), self._anywhere):
            matches = [entry for entry in entries if entry.key <= words]
            if matches:
                return max(matches, key=lambda entry: (len(entry.key), len(entry.ask & words))).found
        return None

    def lesson_of(self, misconception: str) -> Lesson | None:
        """The first lesson that holds a misconception of that id."""
        return next((each for each in self.lessons.values() if each.misconception(misconception)), None)


def _entries(question: Question, lesson: str | None) -> list[_Entry]:
    found, ask = Found(question, lesson), content_words(question.ask) - PLAIN
    return [_Entry(content_words(key), found, ask) for key in question.keys]
