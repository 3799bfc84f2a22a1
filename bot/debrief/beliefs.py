"""Which turn moved the child: its wrong ideas from turn to turn, as its logged thoughts show them.

A thought names the idea at work and how firmly it sits. What moves it are the mind's rules (docs/child.md): help that
fits loosens it, right answers settle what was revised, a confirmed wrong answer or a night brings it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from types import MappingProxyType

from bot.debrief.record import Shift, Spoken, Who
from bot.student.records.dialogue import MoveKind, Stage, ThoughtKind

CONFIRMS = (MoveKind.SAYS_RIGHT, MoveKind.REINFORCES)
"""Moves by which a doubt goes."""


def shifts(
    turns: Sequence[Spoken],
    now: Mapping[str, Stage],
    night: timedelta,
    began: Mapping[str, Stage] = MappingProxyType({}),
) -> tuple[Shift, ...]:
    """Every move of a wrong idea, in order. `now` is how firmly each sits after the last turn, where that is known;
    a silence longer than `night` lets the child sleep; `began` is how firmly each sat when a scenario began."""
    stages: dict[str, Stage] = {}
    last: dict[str, int] = {}
    found: list[Shift] = []
    answered: str | None = None
    """The idea by which the child's newest answer was wrong."""
    for place, turn in enumerate(turns):
        thought = turn.thought
        if thought is None:
            continue
        if answered is not None and stages.get(answered) is Stage.WAVERS and _confirmed(turns, place):
            found.append(Shift(answered, Stage.WAVERS, Stage.HOLDS, turns[place - 1].number, turn.number))
            stages[answered], last[answered] = Stage.HOLDS, place
        if thought.answer is not None:
            answered = thought.misconception if turn.wrong else None
        if thought.misconception is None or thought.stage is None:
            continue
        idea = thought.misconception
        # A child that has not shown an idea yet holds it.
        before = stages.get(idea, began.get(idea, Stage.HOLDS))
        shift = _shift(turns, (idea, before, thought.stage), last.get(idea, -1), place, night)
        if shift is not None:
            found.append(shift)
        stages[idea], last[idea] = thought.stage, place
    for idea, before in stages.items():
        after = now.get(idea, before)
        if after is not before:
            by, slept = _brought_back(turns[last[idea] + 1 :], night)
            found.append(Shift(idea, before, after, by, None, slept))
    return tuple(found)


def _confirmed(turns: Sequence[Spoken], place: int) -> bool:
    """Whether the turn before a child's said that it was right, and the child listened. Its thought then names no idea:
    that the doubt is gone is the mind's rule."""
    before, thought = turns[place - 1] if place else None, turns[place].thought
    said = before is not None and before.who is not Who.CHILD and before.heard in CONFIRMS
    return said and thought is not None and thought.open and thought.kind is not ThoughtKind.OFF_TASK


def _shift(
    turns: Sequence[Spoken], moved: tuple[str, Stage, Stage], last: int, place: int, night: timedelta
) -> Shift | None:
    """What happened to an idea that was seen at the place `last` and now at `place`; None where nothing did."""
    idea, before, after = moved
    teacher = _before(turns, place)
    helped = teacher is not None and teacher.heard is MoveKind.HELPS
    stages = list(Stage)
    if stages.index(after) < stages.index(before):
        by, slept = _brought_back(turns[max(last, 0) : place + 1], night)
        return Shift(idea, before, after, by, turns[place].number, slept)
    if after is before and not (helped and after is Stage.WAVERS):
        return None
    return Shift(idea, before, after, teacher.number if teacher else None, turns[place].number)


def _before(turns: Sequence[Spoken], place: int) -> Spoken | None:
    """The teacher's turn that a child's at that place comes after: the last that helped since it spoke, else the last.
    Where several children sit, a child may have heard more than one."""
    heard: list[Spoken] = []
    for turn in reversed(turns[:place]):
        if turn.who is Who.CHILD:
            break
        heard.append(turn)
    return next((each for each in heard if each.heard is MoveKind.HELPS), heard[0] if heard else None)


def _brought_back(between: Sequence[Spoken], night: timedelta) -> tuple[int | None, bool]:
    """What made an idea firmer again: the turn that confirmed it, or a night; neither where the log tells neither."""
    confirmed = next(
        (each.number for each in reversed(between) if each.who is not Who.CHILD and each.heard in CONFIRMS),
        None,
    )
    if confirmed is not None:
        return confirmed, False
    times = [each.said_at for each in between]
    return None, any(later - earlier > night for earlier, later in pairwise(times))
