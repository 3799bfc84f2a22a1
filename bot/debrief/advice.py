"""One thing to try: a sentence from the lesson's own help, for the idea that this child still holds.

Every sentence is one that the lesson's authors wrote; it is chosen, never made up. It knows the lesson and the turns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.debrief.record import Advice, Spoken, Who
from bot.student.hearing.help import Helps
from bot.student.problems.asking import integers
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import Stage
from bot.student.records.lesson import Lesson, Misconception
from bot.student.said import Said

SAID_ALREADY = 0.6
"""Likeness to a turn of the teacher's from which a sentence was said already."""


def advise(turns: Sequence[Spoken], stages: Mapping[str, Stage], scene: Scene, helps: Helps) -> Advice | None:
    """What to try next. `stages` tells of each idea that the child showed how firmly it sits, the one that showed last
    at the end. None where the lesson has nothing left to offer."""
    name = scene.child.name
    said = [each.text for each in turns if each.who is not Who.CHILD]
    for idea in reversed(list(stages)):
        home = scene.curriculum.lesson_of(idea)
        found = home.misconception(idea) if home else None
        shown = _last_shown(turns, idea)
        holds = _holds(stages[idea], shown)
        sentence = _help(found, said, _numbers(turns, shown), helps) if found and holds else None
        if found is not None and shown is not None and sentence is not None:
            foreign = not _fits(sentence, _numbers(turns, shown))
            return Advice(f"{name} {holds}: {found.belief}", sentence, shown.number, foreign)
    fresh = _new(scene.lesson, said)
    if fresh is None:
        return None
    if stages:
        return Advice(
            f"{name} has let go of the wrong idea. One more problem shows whether that lasts.", fresh, None
        )
    return Advice(f"No wrong idea of {name}'s has shown so far. A problem of this lesson may.", fresh)


def _holds(stage: Stage, shown: Spoken | None) -> str | None:
    """How the child still holds an idea, in words; None where it does not."""
    if stage is Stage.HOLDS:
        return "still holds on to this idea"
    if stage is Stage.WAVERS:
        return "has begun to doubt this idea"
    slipped = stage is Stage.REVISES and shown is not None and shown.wrong
    return "knows better by now, and slipped back into this idea" if slipped else None


def _last_shown(turns: Sequence[Spoken], idea: str) -> Spoken | None:
    """The child's last turn in which the idea showed: one that says it wrongly, if there is one since it last moved."""
    shown = [each for each in turns if each.thought is not None and each.thought.misconception == idea]
    stage = shown[-1].thought.stage if shown and shown[-1].thought else None
    since = [each for each in shown if each.thought is not None and each.thought.stage is stage]
    return next((each for each in reversed(since) if each.wrong), shown[-1] if shown else None)


def _numbers(turns: Sequence[Spoken], shown: Spoken | None) -> frozenset[int]:
    """The numbers of that turn, and of the last turn of a teacher before it that names any: its problem."""
    before = [
        each
        for each in turns
        if shown is not None and each.number < shown.number and each.who is not Who.CHILD
    ]
    named = [integers(Said.of(each.text).plain) for each in reversed(before)]
    problem = next((each for each in named if each), ())
    return frozenset((*problem, *integers(Said.of(shown.text).plain))) if shown else frozenset(problem)


def _help(idea: Misconception, said: Sequence[str], about: frozenset[int], helps: Helps) -> str | None:
    """The authored help least like what was said; first of all one that names no numbers but those it is `about`."""

    def fit(line: str) -> tuple[bool, float]:
        return not _fits(line, about), _likeness(line, said, helps)

    fresh = [line for line in idea.helps if _likeness(line, said, helps) < SAID_ALREADY]
    return min(fresh, key=fit, default=None)


def _fits(line: str, about: frozenset[int]) -> bool:
    """Whether a sentence names no other numbers."""
    return about.issuperset(integers(Said.of(line).plain))


def _new(lesson: Lesson, said: Sequence[str]) -> str | None:
    """A question of the lesson that was not asked yet, in these words or with these numbers."""
    asked = [Said.of(each) for each in said]
    numbers = {integers(each.plain) for each in asked} - {()}
    for question in (*lesson.asks, *(each.ask for each in lesson.questions)):
        told = Said.of(question)
        if integers(told.plain) not in numbers and not any(told.lower in each.lower for each in asked):
            return question
    return None


def _likeness(line: str, said: Iterable[str], helps: Helps) -> float:
    return max((helps.alike(line, each) for each in said), default=0.0)
