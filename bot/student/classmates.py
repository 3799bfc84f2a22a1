"""Children who sit together: what each makes of a teacher's turn, who answers it, and the talk as each one heard it.

Every child hears every turn of the teacher and minds its own ideas. What another child says is no teaching: it moves
nobody; a child that is asked about it, or now and then takes it up by itself, agrees where its own answer is the same,
and else keeps to its own. Pure and seeded. Of a child that sits alone all is as `student` says.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from textwrap import shorten

from bot.student import student
from bot.student.believing.answers import stage_of
from bot.student.believing.mind import LIVE
from bot.student.believing.minds import Minds
from bot.student.believing.state import MindState
from bot.student.class_talk import (
    AGREES_SHARE,
    ANOTHER_WAY,
    CHIMES_SHARE,
    SECOND_SHARE,
    WHY_SHARE,
    Floor,
    draw,
    floor,
    joins,
)
from bot.student.hearing.heard import Heard
from bot.student.hearing.reader import Reads
from bot.student.records.child import Child
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import MoveKind, Role, Stage, Thought, ThoughtKind, Turn
from bot.student.said import Said
from bot.student.student import Turned

TAUGHT = frozenset({MoveKind.HELPS, MoveKind.TELLS, MoveKind.REINFORCES})
"""Moves that reach whoever listens, and not only the child that answers."""
LEAST_NO = 4
"""Words of a child that says no and gives its own answer."""
MOST_STEPS = 2
"""Steps of its own way that it gives with that."""
_TELLS = frozenset({ThoughtKind.ANSWER, ThoughtKind.REJECT, ThoughtKind.EXPLAIN})
"""What another child can take up."""
WINDOW = 24
"""Turns of a class that are looked back on, at least; older ones are dropped this many at a time, so that the start of
each child's prompt stays cacheable."""
SAID_BEFORE = 2
"""Lines of others right before a teacher's turn that a child has in mind with it."""
LONGEST_BEFORE = 120
"""Characters of each of them."""
_VIEW = re.compile(
    r"\b(?:agrees?|disagrees?|another|other|differen\w+|else|right|wrong|correct|true|sure|same|think|believe|about)\b",
    re.I,
)
"""What asks for a word on what somebody else said."""
_STORY = re.compile(r"\bhow (?:many|much)\b", re.I)
"""What is told of children in a story with numbers is no report of what they said."""
_WHO_TELLS_HOW = re.compile(
    r"\b(?:who|any(?:one|body)|some(?:one|body)) (?:can|could|will|wants to|would like to|here )?\s*"
    r"(?:tell|show|explain|say)(?: to)?(?: us| me)? how (?:they|you) (?:got|did|found|solved|worked) (?:it|that|this)"
    r"(?: out)?\b",
    re.I,
)
"""Asks of all what one asks a child with "how did you get that"."""
_WHAT_NOW = "What do you think?"
"""What is left of a turn that says nothing but what a child has said."""


@dataclass(frozen=True, slots=True)
class Part:
    """One child's part in a turn: its seat, what the turn led to in it, and the seed of its words."""

    place: int
    turned: Turned
    seed: int


@dataclass(frozen=True, slots=True)
class Round:
    """What one turn of a teacher leads to: the children who speak, in order, and all minds before anybody has."""

    parts: tuple[Part, ...]
    minds: Minds


@dataclass(frozen=True, slots=True)
class Line:
    """One turn of the talk with the child who said it, by its id; None for a teacher."""

    child: str | None
    turn: Turn


def addressed(scenes: Sequence[Scene], minds: Minds, said: Said, seed: int) -> Floor:
    """Who answers `said`; who is asked to see it another way has another answer, where there is such a one."""
    children, rng = [each.child for each in scenes], random.Random(seed)
    given = floor(said.own, children, minds.silent, rng)
    if not given.free or not given.told_of or not ANOTHER_WAY.search(said.text):
        return given
    alike = [place for place in range(len(scenes)) if agrees(minds, place, given.told_of[0]) is not False]
    if len(alike) == len(scenes):
        return given
    return replace(given, speakers=(draw(children, minds.silent, rng, without=alike),))


def heard_by_all(scenes: Sequence[Scene], said: Said) -> Said:
    """What there is to hear in a teacher's turn: not the names that are called, nor what a child is said to have said,
    which is no word of the teacher's."""
    if len(scenes) == 1:
        return said
    names = _names(scenes)
    text = said.own.text if _STORY.search(said.text) else _reported(scenes).sub("", said.own.text)
    text = re.sub(rf"(?:^|(?<=[.!?] ))\s*{names}\s*[,:!-]\s*", "", text, flags=re.I)
    text = re.sub(rf",\s*{names}(?=\s*(?:[.!?,]|$))", "", text, flags=re.I)
    text = _WHO_TELLS_HOW.sub("How did you get that", text)
    return Said.of(text.strip() if re.search(r"\w", text) else _WHAT_NOW)


def _names(scenes: Sequence[Scene]) -> str:
    """A pattern of one of the names, or of some in a row."""
    one = f"(?:{'|'.join(re.escape(each.child.name) for each in scenes)})"
    return rf"\b{one}(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+|\s*&\s*){one})*\b"


def _reported(scenes: Sequence[Scene]) -> re.Pattern[str]:
    """What a child is said to have said, up to the end of the sentence."""
    return re.compile(
        rf"{_names(scenes)} (?:just |also |both )?(?:says?|said|thinks?|thought|gets?|got|told us|tells us|wrote"
        r"|answered)\b.*?(?:[.!?](?=\s|$)|$)",
        re.I,
    )


def hear(  # noqa: PLR0913 - what a round is made of
    scenes: Sequence[Scene],
    minds: Minds,
    said: Said,
    given: Floor,
    seed: int,
    reader: Reads | None = None,
) -> Round:
    """Let all children hear `said`; the same of all gives the same. `reader` reads for whoever answers."""
    if len(scenes) == 1:
        return Round((Part(0, student.turn(scenes[0], minds.states[0], said, seed, reader), seed),), minds)
    text = heard_by_all(scenes, said)
    seeds = [zlib.crc32(f"{seed} {each.child.id}".encode()) >> 1 for each in scenes]
    turned = [
        student.turn(scene, state, text, own, reader)
        for scene, state, own in zip(scenes, minds.states, seeds, strict=True)
    ]
    asked = _asks_view(scenes, said, given)
    for place in given.speakers:
        if asked and (seen := view(minds, place, given.told_of[0], turned[place])):
            turned[place] = seen
    speakers = list(given.speakers)
    if len(speakers) == 1 and not given.told_of:
        rng = random.Random(seed + 1)
        taken_up = _taken_up([each.child for each in scenes], minds, turned, given, rng)
        if taken_up is not None:
            second, turned[second] = taken_up
            speakers.append(second)
    after = tuple(
        before if place in speakers else overheard(before, turned[place])
        for place, before in enumerate(minds.states)
    )
    parts = tuple(Part(place, turned[place], seeds[place]) for place in speakers)
    return Round(parts, replace(minds, states=after))


def overheard(before: MindState, turned: Turned) -> MindState:
    """The state of a child that has heard a turn and not spoken: what was asked is on its mind with its own answer, and
    what was taught has reached it. What was said to another's face (praise, "that's wrong") has not."""
    heard, after = turned.heard, turned.state
    if asks(heard):
        # Ideas that came up are its own from now on; that an answer was right settles nothing before it is said.
        beliefs = {**after.beliefs, **before.beliefs}
        return replace(before, beliefs=beliefs, asked=after.asked, apart=after.apart)
    if heard.move in TAUGHT:
        return replace(
            before, beliefs=after.beliefs, asked=after.asked, helped=after.helped, apart=after.apart
        )
    return replace(before, apart=after.apart)


def asks(heard: Heard) -> bool:
    """Whether a turn asks something that a child has an answer to."""
    known = heard.found is not None and heard.move in (MoveKind.ASKS, MoveKind.TRANSFER)
    return heard.problem is not None or known


def view(minds: Minds, place: int, other: int, turned: Turned) -> Turned | None:
    """What the child of that seat says of the `other`'s answer: yes where its own is the same, else its own; None where
    that cannot be said."""
    before, alike = minds.states[place], agrees(minds, place, other)
    mine = before.asked
    if alike is None or mine is None or mine.answer is None:
        return None
    stage = stage_of(before.beliefs, mine.misconception)
    shows = stage is not None and (mine.answer == mine.wrong or stage is not Stage.HOLDS)
    idea, sits = (mine.misconception, stage) if shows else (None, None)
    words = turned.thought.words
    if alike:
        thought = Thought(ThoughtKind.ANSWER, "yes", None, idea, sits, 1, before.mood)
    else:
        words = max(words, LEAST_NO)
        thought = Thought(ThoughtKind.REJECT, mine.answer, None, idea, sits, words, before.mood)
    state = replace(before, turns=before.turns + 1, apart=0, pushes=0)
    return Turned(turned.heard, thought, state)


def agrees(minds: Minds, place: int, other: int) -> bool | None:
    """Whether the child of that seat has the `other`'s answer to the question on the table; None where one of them has
    none, or they have different questions in mind."""
    mine, theirs = minds.states[place].asked, minds.states[other].asked
    if place == other or minds.states[place].apart >= LIVE or mine is None or theirs is None:
        return None
    if mine.answer is None or theirs.answer is None or mine.question != theirs.question:
        return None
    return same(mine.answer, theirs.answer)


def same(one: str, other: str) -> bool:
    """Whether two answers are the same, but for how they are written."""
    return Said.of(one).plain.strip(" .") == Said.of(other).plain.strip(" .")


def as_heard(
    child: str, lines: Sequence[Line], names: dict[str, str]
) -> tuple[tuple[Turn, ...], tuple[str, ...]]:
    """The talk as one child heard it: its own turns as its own, what others said as part of the teacher's turn before
    its answer; and the last lines since it spoke. `names` are the children's, by id."""
    if len(names) == 1:
        return tuple(each.turn for each in lines), ()
    turns: list[Turn] = []
    since: list[str] = []
    for line in lines:
        if line.child != child:
            name = None if line.child is None else names.get(line.child, "Somebody")
            since.append(told(line.turn.content, name))
            continue
        turns += (
            [Turn(Role.TEACHER, " ".join(since[-SAID_BEFORE - 1 :])), line.turn] if since else [line.turn]
        )
        since = []
    return tuple(turns), tuple(since[-SAID_BEFORE:])


def told(content: str, name: str | None) -> str:
    """One line of the talk, as another child has it in mind."""
    text = shorten(" ".join(content.split()), LONGEST_BEFORE, placeholder=" ...")
    return text if name is None else f'{name} says: "{text}"'


def remembered(turns: int) -> int:
    """How many of the last turns of a class's talk of that length are looked back on."""
    return turns % WINDOW + WINDOW


def _asks_view(scenes: Sequence[Scene], said: Said, given: Floor) -> bool:
    """Whether a turn asks for a word on what another child has said, or tells of that."""
    if not given.told_of or _STORY.search(said.text):
        return False
    return bool(_VIEW.search(said.text) or _reported(scenes).search(said.text))


def _taken_up(
    children: Sequence[Child], minds: Minds, turned: Sequence[Turned], given: Floor, rng: random.Random
) -> tuple[int, Turned] | None:
    """The seat of a child that takes up what the first one said without being asked to, with what it says of that by
    its own mind; mostly nobody does. Where one was called by name, only who sees it otherwise speaks up."""
    first = given.speakers[0]
    stances = {
        place: alike
        for place in range(len(children))
        if place != first and (alike := _stance(minds, turned, place, first)) is not None
    }
    against = [place for place, alike in stances.items() if not alike]
    share = SECOND_SHARE if given.free else CHIMES_SHARE
    second = joins(against, children, minds.silent, rng, share)
    if second is None and given.free:
        second = joins(
            [each for each, alike in stances.items() if alike], children, minds.silent, rng, AGREES_SHARE
        )
    if second is None:
        return None
    own = turned[second]
    if not asks(own.heard):
        own = view(minds, second, first, own) or own
    said = _seconds(own) if stances[second] else _contradicts(own, why=rng.random() < WHY_SHARE)
    return second, said


def _stance(minds: Minds, turned: Sequence[Turned], place: int, first: int) -> bool | None:
    """Whether the child of that seat has what the first one says; None where one of them says nothing of the matter."""
    said, mine = turned[first].thought, turned[place]
    if said.open or said.kind not in _TELLS:
        return None
    if asks(mine.heard):
        if mine.thought.kind is not ThoughtKind.ANSWER or mine.thought.answer is None or said.answer is None:
            return None
        return same(mine.thought.answer, said.answer)
    asked = turned[first].state.asked
    if asked is None or asked.answer is None or (said.answer and not same(said.answer, asked.answer)):
        return None
    return agrees(minds.with_state(first, turned[first].state), place, first)


def _contradicts(turned: Turned, *, why: bool) -> Turned:
    """The same answer as a no to another's, with the child's own steps where it says why."""
    thought, asked = turned.thought, turned.state.asked
    steps = asked.steps if why and asked is not None else ()
    reason = " and then ".join(steps[:MOST_STEPS]) or None
    words = max(thought.words, LEAST_NO) if reason is None else LEAST_NO + len(reason.split())
    return replace(turned, thought=replace(thought, kind=ThoughtKind.REJECT, reason=reason, words=words))


def _seconds(turned: Turned) -> Turned:
    """A yes to another's answer, which is its own, too."""
    asked = turned.state.asked
    mine = asked.answer if asked is not None else None
    reason = f"I got {mine} too" if mine is not None and mine.isdigit() else None
    words = 1 if reason is None else 1 + len(reason.split())
    thought = replace(turned.thought, kind=ThoughtKind.ANSWER, answer="yes", reason=reason, words=words)
    return replace(turned, thought=thought)
