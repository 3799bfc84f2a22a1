"""One dialogue by itself: do turns, moves and thoughts agree with each other, the lesson and the bugs?

What several dialogues are together (bands, coverage, duplicates) is not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.student.guard import safeguard
from bot.student.guard.redaction import exact, redact
from bot.student.hearing.questions import index
from bot.student.lessons import read_curriculum
from bot.student.problems import solving
from bot.student.problems.kind import Problem
from bot.student.problems.parsing import parse
from bot.student.records.child import Child, read_children
from bot.student.records.curriculum import Curriculum
from bot.student.records.dialogue import (
    MAX_TURN_CHARACTERS,
    Dialogue,
    MoveKind,
    Role,
    Stage,
    Thought,
    ThoughtKind,
    Turn,
)
from bot.student.records.lesson import Lesson
from bot.student.said import Said, content_words
from bot.student.voicing import voice
from training.evaluate.talk import words

LONGEST_TURN = 61
"""Words of the longest of 413 real student turns in grades 1-3."""
SHORT = 2
"""Turns of so few words may come twice in one dialogue: a child says "45" again."""


ANSWERED_BY_THE_PROGRAM = frozenset(
    {MoveKind.ASKS_IF_REAL, MoveKind.UNSAFE, MoveKind.CRISIS, MoveKind.PUPIL_DATA}
)
_PARENTS = (("mom", "mommy", "mother"), ("dad", "daddy", "father"))
_ASKED = frozenset({MoveKind.ASKS, MoveKind.TRANSFER})
_STATES = frozenset({ThoughtKind.ANSWER, ThoughtKind.REJECT})

Found = tuple[int | None, str]
"""The number of the turn (None: the whole dialogue) and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the children and lessons ask of a dialogue.

    An authored dialogue must be whole; harvested and imported ones may lack moves, thoughts and names, but
    what they have must be right.
    """

    children: Mapping[str, Child]
    curriculum: Curriculum

    @classmethod
    def read(cls, data: Path) -> Rules:
        """The rules of the children and lessons in the folder `data`; raise `DataError`."""
        return cls(read_children(data / "children"), read_curriculum(data))

    def faults(self, dialogue: Dialogue) -> Iterator[Found]:
        """Everything that is wrong with `dialogue`."""
        child, lesson = self.children.get(dialogue.child or ""), self.lesson(dialogue)
        yield from self._names(dialogue)
        if dialogue.source == "authored":
            yield from _shape(dialogue)
            yield from _twice(dialogue)
        before: Turn | None = None
        for number, turn in enumerate(dialogue.turns, start=1):
            found = [*_content(turn, dialogue.source)]
            if turn.role is Role.TEACHER:
                found += _teacher(turn, last=number == len(dialogue.turns))
                found += _parent(turn.content, child) if child is not None else ()
            elif turn.thought is not None:
                found += self._thought(turn.thought, lesson)
                teacher = before if before is not None and before.role is Role.TEACHER else None
                found += self._said(turn, turn.thought, teacher, child, lesson, dialogue.source)
            yield from ((number, message) for message in found)
            before = turn

    def lesson(self, dialogue: Dialogue) -> Lesson | None:
        """The dialogue's lesson, if it names one that there is."""
        return self.curriculum.lessons.get(dialogue.lesson or "")

    def _names(self, dialogue: Dialogue) -> Iterator[Found]:
        if dialogue.child is not None and dialogue.child not in self.children:
            yield None, f"child: expected one of {', '.join(self.children)}; got {dialogue.child!r}"
        if dialogue.lesson is not None and dialogue.lesson not in self.curriculum.lessons:
            yield None, f"lesson: expected the name of a file in data/lessons, got {dialogue.lesson!r}"
        if dialogue.source == "authored":
            for name in ("child", "lesson"):
                if getattr(dialogue, name) is None:
                    yield None, f"{name}: an authored dialogue names its {name}"

    def _thought(self, thought: Thought, lesson: Lesson | None) -> Iterator[str]:
        """Does the thought agree with itself and with the lesson?"""
        if thought.misconception is not None:
            if lesson is not None and lesson.misconception(thought.misconception) is None:
                known = ", ".join(each.id for each in lesson.misconceptions)
                yield f"thought.misconception: {lesson.id} has {known}; got {thought.misconception!r}"
            elif self.curriculum.lesson_of(thought.misconception) is None:
                yield f"thought.misconception: no lesson has {thought.misconception!r}"
            if thought.stage is None:
                yield "thought.stage: a misconception needs one of holds, wavers, revises, secure"
        elif thought.stage is not None:
            yield f"thought.misconception: the stage {thought.stage.value!r} needs one"
        if thought.open:
            return
        if thought.kind in _STATES and not thought.answer:
            yield f"thought.answer: {thought.kind.value!r} needs what the child believes"
        if thought.kind not in _STATES and not thought.reason:
            yield f"thought.reason: {thought.kind.value!r} needs what the child means, in plain words"

    def _said(  # noqa: PLR0913 - a turn and all it must agree with
        self,
        turn: Turn,
        thought: Thought,
        teacher: Turn | None,
        child: Child | None,
        lesson: Lesson | None,
        source: str,
    ) -> Iterator[str]:
        """Does what is said agree with the thought, the child's voice and the problem that was asked?"""
        if source == "authored" and thought.words != (count := len(words(turn.content))):
            yield f"thought.words: {turn.content!r} has {count}, got {thought.words}"
        if child is not None:
            yield from _voiced(turn.content, thought, child, "" if teacher is None else teacher.content)
        asked = teacher is not None and (teacher.move is None or teacher.move in _ASKED)
        if asked and teacher is not None and thought.kind is ThoughtKind.ANSWER and thought.answer:
            yield from self._answered(thought, thought.answer, teacher.content, lesson, source)

    def _answered(
        self, thought: Thought, answer: str, teacher: str, lesson: Lesson | None, source: str
    ) -> Iterator[str]:
        home = self.curriculum.lesson_of(thought.misconception) if thought.misconception else None
        idea = home.misconception(thought.misconception) if home else None
        problem = parse(Said.of(teacher))
        if problem is None:
            if idea is not None and lesson is not None:
                yield from self._written(thought, answer, teacher, lesson)
        elif idea is not None and idea.bug is not None:
            if problem.kind in solving.bugs()[idea.bug]:
                yield from _computed(thought, answer, problem, idea.bug)
        elif idea is None and source == "authored" and problem.kind != "beyond" and answer != problem.right:
            yield f"thought.answer: {problem.right} is right and no misconception is named; got {answer!r}"

    def _written(self, thought: Thought, answer: str, teacher: str, lesson: Lesson) -> Iterator[str]:
        """A lesson's own question with known answers; other wordings are the author's."""
        found = index(self.curriculum).find(content_words(teacher), lesson)
        if found is None or found.lesson != lesson.id or found.question.ask.lower() not in teacher.lower():
            return
        question = found.question
        wrong = question.wrong.get(thought.misconception or "", "").lower()
        right = {each.lower() for each in (question.right, *question.accept)}
        if thought.stage is Stage.HOLDS and wrong and answer.lower() in right:
            yield f"thought.answer: the idea that holds says {wrong!r}, got the right answer {answer!r}"
        if thought.stage is Stage.SECURE and answer.lower() == wrong and wrong not in right:
            yield f"thought.answer: who is secure says {question.right!r}, got {answer!r}"


def _computed(thought: Thought, answer: str, problem: Problem, bug: str) -> Iterator[str]:
    slip = solving.apply(bug, problem)
    right = problem.right
    if slip is None:
        if answer != right:
            yield f"thought.answer: {bug} does not show in {problem.text!r}, so {right} is right; got {answer!r}"
    elif thought.stage is Stage.HOLDS and answer != slip.answer:
        yield f"thought.answer: {bug} gives {slip.answer} for {problem.text!r}, got {answer!r}"
    elif thought.stage is Stage.SECURE and answer != right:
        yield f"thought.answer: who is secure says {right} for {problem.text!r}, got {answer!r}"
    elif answer not in (slip.answer, right):
        yield f"thought.answer: expected {right} or, by {bug}, {slip.answer} for {problem.text!r}; got {answer!r}"


def _shape(dialogue: Dialogue) -> Iterator[Found]:
    """Teacher and student in turn, moves and thoughts everywhere, a child's words at the end."""
    if dialogue.turns[0].role is not Role.TEACHER:
        yield 1, "role: a dialogue begins with the teacher"
    before: Role | None = None
    for number, turn in enumerate(dialogue.turns, start=1):
        if turn.role is before:
            yield number, f"role: expected the other one, got {turn.role.value} twice in a row"
        if turn.role is Role.TEACHER and turn.move is None:
            yield number, "move: an authored teacher turn has one"
        if turn.role is Role.STUDENT and turn.thought is None:
            yield number, "thought: an authored student turn has one"
        before = turn.role
    last = dialogue.turns[-1]
    if last.role is Role.TEACHER and last.move not in ANSWERED_BY_THE_PROGRAM:
        yield (
            len(dialogue.turns),
            "role: the child answers last, unless the program does (asks_if_real, crisis)",
        )


def _twice(dialogue: Dialogue) -> Iterator[Found]:
    said: set[tuple[str, ...]] = set()
    for number, turn in enumerate(dialogue.turns, start=1):
        spoken = tuple(words(turn.content))
        if turn.role is Role.STUDENT and len(spoken) > SHORT:
            if spoken in said:
                yield number, f"content: {turn.content!r} was said before in this dialogue"
            said.add(spoken)


def _content(turn: Turn, source: str) -> Iterator[str]:
    content = turn.content
    if content != " ".join(content.split()) and source != "imported":
        yield "content: expected one line with single spaces, none at the ends"
    if strange := next((ch for ch in content if not ch.isprintable() and ch not in "\n\t"), None):
        yield f"content: expected letters that can be seen, got {strange!r}"
    if len(content) > MAX_TURN_CHARACTERS:
        yield f"content: expected at most {MAX_TURN_CHARACTERS} characters, got {len(content)}"
    invented = source == "authored" and turn.move is MoveKind.PUPIL_DATA
    # What a child says is written by us: only what stands in an exact frame is looked at.
    cleaned, personal = (
        redact(content) if turn.role is Role.TEACHER else (exact(content), exact(content) != content)
    )
    if personal and not invented:
        yield f"content: looks like a real person's data; take it out, such as {cleaned!r}"
    if turn.role is Role.STUDENT and not 1 <= (count := len(words(content))) <= LONGEST_TURN:
        yield f"content: expected 1 to {LONGEST_TURN} words from a child, got {count}"


def _teacher(turn: Turn, *, last: bool) -> Iterator[str]:
    notice = safeguard.check(turn.content)
    if last:
        return
    if turn.move in ANSWERED_BY_THE_PROGRAM:
        yield f"move: after {turn.move.value} the program answers, not the child; end the dialogue here"
    elif notice is not None:
        yield f"content: the program answers this turn ({notice.flag.value}), not the child; reword it or end here"


def _parent(content: str, child: Child) -> Iterator[str]:
    """A teacher who takes a parent for granted that this child does not have: a mother, where there are two dads."""
    known = " ".join((*child.family, *(line for lines in child.says.values() for line in lines))).lower()
    for names in _PARENTS:
        called = "|".join(names)
        if re.search(rf"\byour (?:{called})\b", content, re.I) and not re.search(rf"\b(?:{called})", known):
            family = "; ".join(child.family)
            yield f"content: {child.name} has no {names[0]} that anybody knows of; expected one of: {family}"


def _voiced(content: str, thought: Thought, child: Child, teacher: str) -> Iterator[str]:
    shaped = voice.shape(content, thought, child, teacher=teacher)
    if shaped.fault is not None and not shaped.fault.startswith(voice.RARE_WORD):
        yield f"content: {content!r} does not say the thought: {shaped.fault}"
    elif len(words(shaped.text)) < len(words(content)) - 1:
        yield f"content: longer than its thought, or one clause twice; the bot would say {shaped.text!r}"
    elif child.voice == "spoken":
        if content[0].islower() and not content.startswith("i "):
            yield f"content: {child.name} is transcribed, so a capital begins the turn"
        if content[-1].isalnum():
            yield f"content: {child.name} is transcribed, so a mark ends the turn"
    elif content[0].isupper() and content.endswith("."):
        yield f"content: {child.name} types, in small letters and without a full stop"
