"""Lessons and facts as a demanding teacher of teachers would read them, as far as a program can.

Each rule finds one kind of fault that once was there. Whether lessons load is `bot.student.lessons`, whether they
cover the grade `standards`; nothing here knows dialogues.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from bot.student.knowing.facts import Fact
from bot.student.knowing.later import is_later
from bot.student.problems.parsing import parse
from bot.student.records.child import Child
from bot.student.records.lesson import Lesson, Question
from bot.student.records.reading import read_lines
from bot.student.said import Said
from training.corpus.standards import Asked, Standards

PARENTS = re.compile(r"\b(?:your|my) (mom|mommy|mama|mother|dad|daddy|papa|father)\b", re.I)
"""A parent of the child's own: not every child has that one."""
GENDERED = re.compile(
    r"\b(?:(?:fire|police|mail|milk|sales|business|weather)(?:man|men|woman|women)"
    r"|(?:mail|weather|lunch|bank|store|shop|garbage|crossing|police|cleaning) "
    r"(?:man|men|lady|ladies|girl|girls|woman|boy))\b",
    re.I,
)
_JOBS = "a word for anybody who does that job, such as mail carrier, firefighter, reporter"
_REPLY = re.compile(
    r"(?:yes|yep|yeah|no|nope),? (?:i|you|he|she|it|we|they)(?:'s|'re|'ll)? ?"
    r"(is|are|was|were|do|does|did|can|could|will|would|should|has|have)?n't$|"
    r"(?:yes|yep|yeah|no|nope),? (?:i|you|he|she|it|we|they) "
    r"(is|are|was|were|do|does|did|can|could|will|would|should|has|have)(?: not)?$"
)
"""A short answer that takes up the question's verb: "yes it does"."""
_VERB = re.compile(r"\b(is|are|was|were|do|does|did|can|could|will|would|should|has|have)(?:n't)?\b")
_FAMILY = {"am": "be", "is": "be", "are": "be", "was": "be", "were": "be", "do": "do", "does": "do", "did": "do",
           "can": "can", "could": "can", "will": "will", "would": "will", "has": "have", "have": "have"}  # fmt: skip
_DECIMAL_DOLLARS = re.compile(r"\$\d*\.\d")
ALIKE = 4
"""From so many questions on an idea on, not all may have the same right answer."""


def faults(data: Path, lessons: Mapping[str, Lesson], children: Mapping[str, Child]) -> Iterator[str]:
    """All that is wrong with lessons, facts and the cover of the standards in the folder `data`; raise `DataError`."""
    standards = Standards.read(data)
    yield from lesson_faults(lessons, children, standards)
    yield from fact_faults(data / "reference" / "facts.jsonl")
    yield from standards.faults(lessons)


def lesson_faults(
    lessons: Mapping[str, Lesson], children: Mapping[str, Child], standards: Standards
) -> Iterator[str]:
    """Everything that a program can find wrong with the lessons, each as a sentence that names its lesson."""
    own = re.compile(rf"\b(?:{'|'.join(re.escape(child.name) for child in children.values())})\b")
    for lesson in lessons.values():
        where = f"lesson {lesson.id}:"
        for text in _texts(lesson):
            if children and (found := own.search(text)):
                yield f"{where} {found[0]!r} is one of the children; expected another name in {text!r}"
            if found := PARENTS.search(text):
                yield f"{where} not every child has {found[0]!r}; expected 'a grown-up' or a name in {text!r}"
            if found := GENDERED.search(text):
                yield f"{where} {found[0]!r} in {text!r}: expected {_JOBS}"
        for question in (*lesson.questions, *lesson.neighbours):
            yield from (f"{where} {message}" for message in question_faults(question.ask, _answers(question)))
        yield from (f"{where} {message}" for message in _one_key(lesson))
        named = standards.named(lesson.standard)
        if named:
            yield from (f"{where} {message}" for message in _out_of_grade(lesson, named))


def fact_faults(path: Path) -> Iterator[str]:
    """What a program can find wrong with the facts in `facts.jsonl`; raise `DataError`."""
    for number, fact in enumerate(read_lines(Fact, path), start=1):
        for ask in fact.ask:
            for message in question_faults(ask, fact.right):
                yield f"{path.name}:{number}: {message}"
        if found := next(filter(None, map(GENDERED.search, (*fact.ask, *fact.right))), None):
            yield f"{path.name}:{number}: {found[0]!r}: expected {_JOBS}"


def question_faults(ask: str, answers: Iterable[str]) -> Iterator[str]:
    """Answers that take up another verb than the question's: "yes it does" to "Is it …?"."""
    last = re.split(r"[.!?:]\s+", ask.lower().strip().rstrip("?"))[-1]
    verbs = {_FAMILY.get(verb, verb) for verb in _VERB.findall(last)}
    for answer in answers:
        found = _REPLY.match(answer.lower())
        verb = found and (found[1] or found[2])
        if verb and _FAMILY.get(verb, verb) not in verbs:
            yield f"{answer!r} answers another form of question than {ask!r}"


def _one_key(lesson: Lesson) -> Iterator[str]:
    """An idea whose questions all have one right answer, so that a child who always says it is always right."""
    for misconception in lesson.misconceptions:
        asked = [each for each in lesson.questions if misconception.id in each.wrong]
        rights = {each.right.lower() for each in asked}
        if len(asked) >= ALIKE and len(rights) == 1:
            yield (
                f"all {len(asked)} questions on {misconception.id!r} have the right answer {rights.pop()!r}; "
                "expected more than one"
            )


def _out_of_grade(lesson: Lesson, named: tuple[Asked, ...]) -> Iterator[str]:
    """Questions on what later grades teach, computed ones outside the numbers of the standard, dollars with cents."""
    for question in (*lesson.questions, *lesson.neighbours):
        if is_later(Said.of(question.ask)):
            yield f"{question.ask!r} asks what later grades teach"
    ranges = [each.largest for each in named if each.largest is not None]
    for ask in lesson.asks:
        problem = parse(Said.of(ask))
        if problem is None:
            continue
        largest = max(map(abs, problem.numbers), default=0)
        if ranges and not any(least <= largest <= most for least, most in ranges):
            least, most = ranges[0]
            yield f"{ask!r}: expected a largest number from {least} to {most} for {lesson.standard}"
        if _DECIMAL_DOLLARS.match(problem.right):
            yield f"{ask!r} is answered {problem.right}; grade 2 writes cents with the cents sign"


def _answers(question: Question) -> tuple[str, ...]:
    return (question.right, *question.accept, *question.wrong.values())


def _texts(lesson: Lesson) -> Iterator[str]:
    """Every text of a lesson but what a child may answer."""
    yield from lesson.asks
    for question in (*lesson.questions, *lesson.neighbours):
        yield from (question.ask, question.because, *question.why.values())
    for each in lesson.misconceptions:
        yield from (*each.helps, *each.looks_helpful, *each.understanding)
        for lines in each.says.values():
            yield from lines
