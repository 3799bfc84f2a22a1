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
OPEN_STAGES = (Stage.HOLDS, Stage.WAVERS)
"""Stages in which an idea still needs help."""


def advise(turns: Sequence[Spoken], stages: Mapping[str, Stage], scene: Scene, helps: Helps) -> Advice | None:
    """What to try next. `stages` tells of each idea that the child showed how firmly it sits, the one that showed last
    at the end. None where the lesson has nothing left to offer."""
    name = scene.child.name
    said = [each.text for each in turns if each.who is not Who.CHILD]
    for idea in reversed([idea for idea, stage in stages.items() if stage in OPEN_STAGES]):
        home = scene.curriculum.lesson_of(idea)
        found = home.misconception(idea) if home else None
        shown = _last_shown(turns, idea)
        sentence = _help(found, said, turns, helps) if found else None
        if found is None or shown is None or sentence is None:
            continue
        still = "still holds on to" if stages[idea] is Stage.HOLDS else "has begun to doubt"
        return Advice(f"{name} {still} this idea: {found.belief}", sentence, shown.number)
    fresh = _new(scene.lesson, said)
    if fresh is None:
        return None
    if stages:
        return Advice(
            f"{name} has let go of the wrong idea. One more problem shows whether that lasts.", fresh, None
        )
    return Advice(f"No wrong idea of {name}'s has shown so far. A problem of this lesson may.", fresh, None)


def _last_shown(turns: Sequence[Spoken], idea: str) -> Spoken | None:
    """The child's last turn in which the idea showed, one that says it wrongly if there is one."""
    shown = [each for each in turns if each.thought is not None and each.thought.misconception == idea]
    return next((each for each in reversed(shown) if each.wrong), shown[-1] if shown else None)


def _help(idea: Misconception, said: Sequence[str], turns: Sequence[Spoken], helps: Helps) -> str | None:
    """The authored help least like what was said, first of all one that names no numbers but those of the talk."""
    numbers = {number for each in turns for number in integers(Said.of(each.text).plain)}

    def fit(line: str) -> tuple[bool, float]:
        foreign = not set(integers(Said.of(line).plain)) <= numbers
        return foreign, _likeness(line, said, helps)

    fresh = [line for line in idea.helps if _likeness(line, said, helps) < SAID_ALREADY]
    return min(fresh, key=fit, default=None)


def _new(lesson: Lesson, said: Sequence[str]) -> str | None:
    """A question of the lesson that was not asked yet."""
    asked = {Said.of(each).lower for each in said}
    own = (*lesson.asks, *(question.ask for question in lesson.questions))
    fresh = [each for each in own if not any(Said.of(each).lower in line for line in asked)]
    return fresh[0] if fresh else None


def _likeness(line: str, said: Iterable[str], helps: Helps) -> float:
    return max((helps.alike(line, each) for each in said), default=0.0)
