"""A debrief from what the log holds of one conversation, for one of its teachers. Pure: rows in, a `Debrief` out.

It reads the turns again by wording and by the problems that the child knows; what was heard and thought is the log's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from bot.debrief import advice, beliefs, goals, moves, questions, talkmoves
from bot.debrief import missed as missing
from bot.debrief.record import Debrief, Shift, Spoken, Who
from bot.store.rows import ConversationRow, FeedbackRow, TurnRow
from bot.student.believing import beginning
from bot.student.believing.minds import Minds
from bot.student.believing.state import MindError
from bot.student.hearing.questions import index
from bot.student.problems import solving
from bot.student.problems.parsing import parse
from bot.student.records.child import Child, listed
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import Role, Stage, ThoughtKind
from bot.student.said import Said

MOST_TURNS = 2_000
"""Turns that are looked at, the newest ones."""


@dataclass(frozen=True, slots=True)
class Practice:
    """A conversation as the store keeps it, with what people said of its turns, by the id of the turn; and how many
    messages there got no answer."""

    conversation: ConversationRow
    turns: Sequence[TurnRow]
    feedback: Mapping[int, Sequence[FeedbackRow]]
    unanswered: int = 0


def build(  # noqa: PLR0913 - what it is built of
    practice: Practice,
    you: str,
    scene: Scene,
    night: timedelta,
    *,
    mind: bool = True,
    seats: Sequence[Child] = (),
) -> Debrief:
    """What is to be said of `practice` to the teacher whose hash is `you`; `scene` is who practised what, of several
    children in their `seats` the one that spoke last. Without `mind`, nothing that tells what the children believe."""
    rows = practice.turns
    seats = tuple(seats) or (scene.child,)
    first = rows[0].number if rows else 1
    scenario = scene.curriculum.scenarios.get(practice.conversation.scenario or "")
    parent = scenario.parent if scenario else None
    names = (parent.name,) if parent else tuple(each.name for each in seats)
    by_id = {each.id: each.name for each in seats}
    if scenario and parent:
        by_id = {scenario.logged_as: parent.name}
    turns = _spoken(practice, you, scene, by_id)
    told = Debrief(
        conversation=practice.conversation.id,
        child=listed(names),
        lesson=scene.lesson.title,
        goal=scenario.goal if scenario else scene.lesson.objective,
        began=practice.conversation.created_at,
        turns=turns,
        ideas={},
        mind=mind,
        cut=len(rows) >= MOST_TURNS and first > 1,
        counts=scenario.counts if scenario else (),
        page=scene.lesson.page,
        children=names,
        unanswered=practice.unanswered,
        grown_up=parent is not None,
    )
    return _with_mind(told, practice, scene, night, seats) if mind else told


def _with_mind(
    told: Debrief, practice: Practice, scene: Scene, night: timedelta, seats: Sequence[Child]
) -> Debrief:
    """The same with all that tells what the children believe, each by itself."""
    minds = _now(practice.conversation, seats)
    shifts: list[Shift] = []
    showed: dict[str, dict[str, Stage]] = {}
    began: dict[tuple[str, str], Stage] = {}
    scenario = scene.curriculum.scenarios.get(practice.conversation.scenario or "")
    for child in seats:
        turns = _heard_by(told, child.name)
        sat = beginning.stages(scenario.of(child.id), scene.lesson) if scenario else {}
        began |= {(child.name, idea): stage for idea, stage in sat.items()}
        own = beliefs.shifts(turns, minds.get(child.id, {}), night, sat)
        shifts += (replace(each, child=child.name) for each in own)
        showed[child.name] = _stages(turns, own, sat)
    if len(seats) > 1:
        shifts.sort(key=lambda each: told.turns[-1].number + 1 if each.seen is None else each.seen)
    ideas = {}
    for idea in (idea for stages in showed.values() for idea in stages):
        home = scene.curriculum.lesson_of(idea)
        found = home.misconception(idea) if home else None
        ideas[idea] = found.belief if found else idea
    name = scene.child.name
    helps = index(scene.curriculum).helps
    goal = scenario.kind if scenario and scenario.kind in goals.OWN else None
    return replace(
        told,
        ideas=ideas,
        began_with=began,
        shifts=tuple(shifts),
        missed=missing.missed(told.turns),
        advice=advice.advise(_heard_by(told, name), showed.get(name, {}), scene, helps)
        if goal is None
        else goals.advise(told, goal),
    )


def _heard_by(told: Debrief, name: str) -> tuple[Spoken, ...]:
    """The teachers' turns with those of one child: what another child says moves nobody."""
    if len(told.names) == 1:
        return told.turns
    return tuple(each for each in told.turns if each.who is not Who.CHILD or each.child == name)


def _stages(turns: Sequence[Spoken], shifts: Sequence[Shift], began: Mapping[str, Stage]) -> dict[str, Stage]:
    """How firmly each idea sits that one child showed, the newest at the end; not those that it never held."""
    last = {each.idea: each.after for each in shifts}
    stages: dict[str, Stage] = {}
    for turn in turns:
        thought = turn.thought
        if thought is not None and thought.misconception is not None and thought.stage is not None:
            if thought.stage is began.get(thought.misconception) is Stage.SECURE:
                continue
            stages.pop(thought.misconception, None)
            stages[thought.misconception] = last.get(thought.misconception, thought.stage)
    return stages


def _now(conversation: ConversationRow, seats: Sequence[Child]) -> Mapping[str, Mapping[str, Stage]]:
    """How firmly each idea of each child sits after the last turn; nothing where that is gone or cannot be read."""
    if conversation.mind is None:
        return {}
    try:
        minds = Minds.from_json(conversation.mind, [each.id for each in seats])
    except MindError:
        return {}
    return {
        child.id: {name: belief.stage for name, belief in state.beliefs.items()}
        for child, state in zip(seats, minds.states, strict=True)
    }


def _spoken(practice: Practice, you: str, scene: Scene, names: Mapping[str, str]) -> tuple[Spoken, ...]:
    """The turns as that teacher sees them, each read once."""
    found: list[Spoken] = []
    child, right = "", frozenset[str]()
    for row in practice.turns:
        if row.role is Role.STUDENT:
            child = row.content
            found.append(
                Spoken(
                    row.number,
                    Who.CHILD,
                    row.content,
                    row.said_at,
                    thought=row.thought,
                    child=names.get(row.child or "", scene.child.name),
                    wrong=_is_wrong(row, right),
                )
            )
            continue
        said = Said.of(row.content)
        right = _right(said, scene) or right
        who = Who.YOU if row.author_hash == you else Who.OTHER
        mended = moves.mended(practice.feedback.get(row.id, ()), row.author_hash)
        move = mended.move or row.move
        talk = mended.talk if mended.talk is not None else talkmoves.read(said, child, move)
        found.append(
            Spoken(
                row.number,
                who,
                row.content,
                row.said_at,
                heard=row.move,
                move=move,
                talk=talk,
                questions=questions.kinds(said),
                mended=mended.move is not None or mended.talk is not None,
                flagged=row.flag is not None,
            )
        )
    return tuple(found)


def _right(said: Said, scene: Scene) -> frozenset[str]:
    """The right answers of what a turn asks, in small letters; none where it asks nothing that is known."""
    problem = parse(said)
    if problem is not None:
        return frozenset(each.lower() for each in solving.accepted(problem)) if problem.right else frozenset()
    found = index(scene.curriculum).find(said.words, scene.lesson)
    if found is None:
        return frozenset()
    return frozenset(each.lower() for each in (found.question.right, *found.question.accept))


def _is_wrong(row: TurnRow, right: frozenset[str]) -> bool:
    """Whether a wrong idea showed: it sits firmly and was at work, or the answer is none of the right ones."""
    thought = row.thought
    if thought is None or thought.misconception is None or thought.kind is ThoughtKind.ASK:
        return False
    if thought.stage is Stage.HOLDS:
        return True
    return thought.answer is not None and bool(right) and thought.answer.lower() not in right
