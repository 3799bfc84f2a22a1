"""Which written question is a teacher asking, whatever lesson is on? Found by key words.

Computed problems are `problems`; what to think of either is `believing`. The index of a curriculum, with the help
that all its lessons know, is made once (`index`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter

from bot.student.hearing.help import Helps
from bot.student.problems.asking import integers
from bot.student.records.curriculum import Curriculum
from bot.student.records.lesson import Lesson, Question
from bot.student.said import PLAIN, content_words

TELLING_WORDS = 2
"""Telling words that a key of another lesson needs: one alone turns up in any talk."""


NEAR = 0.4
"""Likeness (cosine of rare words) from which a turn that asks something asks one of the lesson's questions."""


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


class Index:
    """The written questions of a curriculum by their key words, and `helps`, the help of every lesson."""

    def __init__(self, curriculum: Curriculum) -> None:
        self.helps = Helps(curriculum.lessons.values())
        self._pages = {lesson.id: lesson.page for lesson in curriculum.lessons.values()}
        self._here: dict[str, list[_Entry]] = {}
        anywhere: list[_Entry] = []
        for lesson in curriculum.lessons.values():
            self._here[lesson.id] = [
                entry
                for question in (*lesson.questions, *lesson.neighbours)
                for entry in _entries(question, lesson.id)
            ]
            anywhere += [entry for entry in self._here[lesson.id] if len(entry.key - PLAIN) >= TELLING_WORDS]
        anywhere += [entry for question in curriculum.commons for entry in _entries(question, None)]
        common = Counter(word for entry in anywhere for word in entry.key)
        self._anywhere: defaultdict[str, list[tuple[int, _Entry]]] = defaultdict(list)
        for place, entry in enumerate(anywhere):
            # Under its rarest word alone: a turn is compared with the few keys that it may hold.
            self._anywhere[min(entry.key, key=lambda word: (common[word], word))].append((place, entry))

    def near(self, text: str, lesson: Lesson) -> Found | None:
        """The lesson's question that `text` asks in other words or of another thing, where it is much like one."""
        # What a page shows is asked for in its own words: of another thing the page may say something else. And with
        # other numbers it is another question.
        numbers = set(integers(text))
        asked = [
            entry.found
            for entry in self._here.get(lesson.id, [])
            if not entry.found.question.on_page and numbers <= set(integers(entry.found.question.ask))
        ]
        near = [(self.helps.alike(text, each.question.ask), place) for place, each in enumerate(asked)]
        most, place = max(near, default=(0.0, 0))
        return asked[place] if most >= NEAR else None

    def find(self, words: frozenset[str], lesson: Lesson) -> Found | None:
        """The written question whose key words are all in `words`: the lesson's own first, then any other.

        Of several it is the longest key, then the question that shares most words with the turn.
        """
        for entries in (self._here.get(lesson.id, []), self._perhaps(words)):
            matches = [entry for entry in entries if entry.key <= words and self._means(entry, lesson)]
            if matches:
                return max(matches, key=lambda entry: (len(entry.key), len(entry.ask & words))).found
        return None

    def _perhaps(self, words: frozenset[str]) -> list[_Entry]:
        """The entries of all lessons whose rarest word is among `words`, in the curriculum's order."""
        found = (pair for word in words & self._anywhere.keys() for pair in self._anywhere[word])
        return [entry for _, entry in sorted(found, key=itemgetter(0))]

    def _means(self, entry: _Entry, lesson: Lesson) -> bool:
        """Whether the question can be meant: one about a page, only where that page lies on the table."""
        found = entry.found
        if not found.question.on_page:
            return True
        return found.lesson == lesson.id and lesson.page == self._pages[lesson.id]


@lru_cache(maxsize=8)
def index(curriculum: Curriculum) -> Index:
    """The index of `curriculum`, made at the first call: it compares every lesson with every other (0.2 s)."""
    return Index(curriculum)


def _entries(question: Question, lesson: str | None) -> list[_Entry]:
    found, ask = Found(question, lesson), content_words(question.ask) - PLAIN
    return [_Entry(content_words(key), found, ask) for key in question.keys]
