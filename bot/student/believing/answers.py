"""What the child takes to be the answer to a question: right, or wrong by one of its own ideas.

Wrong answers are computed by `problems` or written in the lesson; nothing is guessed but a plain slip.
It puts nothing into words: that is `mind`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.student.believing.belief import Belief
from bot.student.hearing.questions import Found
from bot.student.problems import solving
from bot.student.problems.kind import Problem
from bot.student.records.child import Child
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import Stage
from bot.student.records.lesson import Lesson, Misconception, Question

SLIP_SHARE = 0.06
"""Careless errors on things the child knows; the protocol allows 15 %."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The question on the table. `right` holds the right answer first, then other ways to say it; `wrong`
    and `wrong_steps` belong to `misconception`; `answer` and `steps` are what the child said last."""

    question: str
    right: tuple[str, ...]
    right_steps: tuple[str, ...]
    misconception: str | None = None
    wrong: str | None = None
    wrong_steps: tuple[str, ...] = ()
    answer: str | None = None
    steps: tuple[str, ...] = ()
    told: bool = False

    def to_json(self) -> dict[str, Any]:
        """For the store."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Asked:
        """From the store: JSON has lists where we have tuples."""
        fields: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()
        }
        return cls(**fields)


def active_misconceptions(child: Child, lesson: Lesson) -> tuple[Misconception, ...]:
    """The ideas this child holds in this lesson: its own, else the lesson's first, unless it masters it."""
    own = tuple(m for m in lesson.misconceptions if m.id in child.misconceptions)
    return own if own or child.knows(lesson) else lesson.misconceptions[:1]


def consider(
    scene: Scene, problem: Problem | None, found: Found | None, beliefs: Mapping[str, Belief]
) -> Asked:
    """The question, its right answer, and the wrong one of an idea the child holds, if one applies."""
    if problem is not None and (found is None or not _about(found, scene)):
        return _computed(scene, problem, beliefs)
    if found is None:
        raise ValueError("either a problem or a written question is needed")
    return _written(scene, found, beliefs)


def answer(
    asked: Asked, belief: Belief | None, rng: random.Random
) -> tuple[str | None, tuple[str, ...], bool]:
    """What the child says now: answer (None: cannot say), reasoning steps, whether it is the wrong idea."""
    if asked.wrong is not None and belief is not None and belief.shows(rng):
        return asked.wrong, asked.wrong_steps, True
    careless = belief is None and rng.random() < SLIP_SHARE
    if careless:
        return _slip(asked.right[0], rng), (), False
    return asked.right[0], asked.right_steps, False


def other_guess(asked: Asked, rng: random.Random) -> str | None:
    """Another wrong guess after a bare "that's not right"; None when there is nothing to guess from."""
    said = asked.answer or asked.wrong or asked.right[0]
    if not said.isdigit():
        return None
    tried = {each.lower() for each in asked.right} | {said}
    near = [str(int(said) + step) for step in (1, -1, 10, -10, 2) if int(said) + step >= 0]
    return next((guess for guess in rng.sample(near, len(near)) if guess not in tried), None)


def _about(found: Found, scene: Scene) -> bool:
    """A written question of the lesson beats a computed reading of the same words."""
    return found.lesson == scene.lesson.id


def _computed(scene: Scene, problem: Problem, beliefs: Mapping[str, Belief]) -> Asked:
    asked = Asked(problem.text, solving.accepted(problem), solving.explain_right(problem))
    for misconception in _held(scene, beliefs, problem.kind):
        result = solving.apply(misconception.bug, problem) if misconception.bug else None
        if result is not None:
            return Asked(
                asked.question, asked.right, asked.right_steps, misconception.id, result.answer, result.steps
            )
    return asked


def _held(scene: Scene, beliefs: Mapping[str, Belief], kind: str) -> list[Misconception]:
    """Ideas that may show on a problem of this kind: the lesson's active ones, then the child's own."""
    held = list(active_misconceptions(scene.child, scene.lesson)) if kind in scene.lesson.kinds else []
    for lesson in scene.curriculum.lessons.values():
        if kind in lesson.kinds:
            held += [
                m for m in lesson.misconceptions if m.id in scene.child.misconceptions or m.id in beliefs
            ]
    return held


def _written(scene: Scene, found: Found, beliefs: Mapping[str, Belief]) -> Asked:
    question = found.question
    right = tuple(_personal(text, scene.child) for text in (question.right, *question.accept))
    asked = Asked(question.ask, right, (question.because,) if question.because else ())
    lesson = scene.curriculum.lessons.get(found.lesson or "")
    if lesson is None:
        return asked
    holds = [m.id for m in active_misconceptions(scene.child, lesson)]
    here = lesson.id == scene.lesson.id
    # A lesson's question may show any of its ideas: the child's own first, else the one it was written for.
    others = () if scene.child.knows(lesson) else tuple(question.wrong)
    for misconception in (*holds, *(each for each in beliefs if each in question.wrong), *others):
        # A question of another lesson shows only what the child itself holds.
        if not here and misconception not in scene.child.misconceptions and misconception not in beliefs:
            continue
        if misconception in question.wrong:
            why = question.why.get(misconception)
            steps = (why,) if why else ()
            return Asked(
                asked.question, right, asked.right_steps, misconception, question.wrong[misconception], steps
            )
    return asked


def _personal(text: str, child: Child) -> str:
    return text.replace("{name}", child.name).replace("{age}", str(child.age))


def _slip(right: str, rng: random.Random) -> str | None:
    return str(int(right) + rng.choice((1, -1))) if right.isdigit() and right != "0" else None


def stage_of(beliefs: Mapping[str, Belief], misconception: str | None) -> Stage | None:
    """The stage of that idea, or None when none is at work."""
    belief = beliefs.get(misconception or "")
    return belief.stage if belief else None


def lines_of(lesson: Lesson | None, misconception: str | None, stage: Stage) -> tuple[str, ...]:
    """What a child says about that idea at that stage."""
    found = lesson.misconception(misconception) if lesson else None
    return found.says[stage] if found else ()


__all__ = [
    "Asked",
    "Question",
    "active_misconceptions",
    "answer",
    "consider",
    "lines_of",
    "other_guess",
    "stage_of",
]
