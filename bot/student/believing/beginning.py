"""The state of mind in which a child begins a scenario: its ideas, its mood, the question it has answered already.

Pure, and the same for everybody who practises it: nothing is drawn. What happens from there on is `mind`.
"""

from __future__ import annotations

from dataclasses import replace

from bot.student.believing.answers import Asked, consider
from bot.student.believing.belief import Belief
from bot.student.believing.memory import Told
from bot.student.believing.state import MindState
from bot.student.hearing.ear import hear
from bot.student.hearing.heard import Context
from bot.student.records.child import Child
from bot.student.records.curriculum import Curriculum, Scene
from bot.student.records.dialogue import Mood, Stage
from bot.student.records.lesson import Lesson
from bot.student.records.reading import DataError
from bot.student.records.scenario import Brought, Firmness, Scenario
from bot.student.said import Said

BELIEFS: dict[Firmness, Belief] = {
    "stubborn": Belief(needed=5),
    "settled": Belief(needed=3),
    "shaky": Belief(Stage.WAVERS, helped=1, needed=2),
    "mended": Belief(Stage.REVISES, helped=3, slept=True),
}
NOT_HELD = Belief(Stage.SECURE)
"""Of the lesson's ideas that the scenario does not name: they never show."""
MOODS: dict[Brought, Mood | None] = {
    "calm": None,
    "upset": Mood.FRUSTRATED,
    "tired": Mood.TIRED,
    "silly": Mood.SILLY,
}


def scene(scenario: Scenario, child: Child, curriculum: Curriculum) -> Scene:
    """The child with the scenario's ideas in place of its own of that lesson, which is on with the scenario's page."""
    lesson = curriculum.lessons[scenario.lesson]
    elsewhere = tuple(each for each in child.misconceptions if lesson.misconception(each) is None)
    held = replace(child, misconceptions=(*scenario.ideas, *elsewhere))
    return Scene(held, replace(lesson, page=scenario.shown), curriculum)


def begin(scenario: Scenario, scene: Scene) -> MindState:
    """The state in which the child sits there; raise `DataError` for a question that it would not know."""
    beliefs = _beliefs(scenario, scene.lesson)
    mood = MOODS[scenario.mood]
    return MindState(
        beliefs=beliefs,
        asked=_answered(scenario.question, scene, beliefs) if scenario.question else None,
        mood=mood or Mood.FINE,
        brought=mood,
        last=scenario.opening or "",
        tells=tuple(Told(each.asked, each.says) for each in scenario.tells),
    )


def stages(scenario: Scenario, lesson: Lesson) -> dict[str, Stage]:
    """How firmly each wrong idea of the lesson sits in the scenario's child when it begins."""
    return {idea: belief.stage for idea, belief in _beliefs(scenario, lesson).items()}


def _beliefs(scenario: Scenario, lesson: Lesson) -> dict[str, Belief]:
    held = {idea: BELIEFS[firmness] for idea, firmness in scenario.ideas.items()}
    return held | {each.id: NOT_HELD for each in lesson.misconceptions if each.id not in held}


def _answered(question: str, scene: Scene, beliefs: dict[str, Belief]) -> Asked:
    """The question with the child's answer to it: wrong where one of its ideas applies. One that was given up has come
    back just there."""
    heard = hear(Said.of(question), scene, Context())
    if heard.problem is None and (heard.found is None or heard.found.lesson is None):
        raise DataError(
            f"question: {question!r} is none that {scene.lesson.id} asks; take one of its asks or questions, or "
            "one like them with other numbers"
        )
    asked = consider(scene, heard.problem, heard.found, beliefs)
    belief = beliefs.get(asked.misconception or "", NOT_HELD)
    if asked.wrong is not None and belief.stage is not Stage.SECURE:
        return replace(asked, answer=asked.wrong, steps=asked.wrong_steps)
    return replace(asked, answer=asked.right[0], steps=asked.right_steps)
