"""Dialogues as conversations to train on: the prompts that the live bot sends, with the child's words as answers.

A turn joins the conversation of the turn before as long as that is the very start of its prompt, so that one
pass trains them all; where the bot forgets the oldest exchanges, a new conversation begins. What is trained is
what is served: everything goes through `bot.student.voicing.prompt.render`. It knows no tokenizer and no model.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from bot.student.records.child import Child
from bot.student.records.cue import Cue
from bot.student.records.dialogue import Dialogue, Role, ThoughtKind, Turn
from bot.student.records.lesson import Lesson
from bot.student.voicing.prompt import ChatMessage, render
from bot.student.voicing.voice import shape

VALIDATION_SHARE = 0.08


@dataclass(frozen=True, slots=True)
class Conversation:
    """Messages, and the places of those among them that are the child's words to be learnt."""

    messages: tuple[ChatMessage, ...]
    trained: tuple[int, ...]


def conversations(
    dialogues: Iterable[Dialogue],
    children: Mapping[str, Child],
    lessons: Mapping[str, Lesson],
    *,
    again: bool = True,
) -> Iterator[Conversation]:
    """All that can be trained of the dialogues: each turn once, in its place.

    With `again` one turn of each dialogue, always the same one, comes once more as the bot asks on a second try.
    """
    for dialogue in dialogues:
        said = list(cues(dialogue, children, lessons))
        yield from _joined(said)
        if again and len(said) > 1:
            cue, words = said[1 + zlib.crc32(dialogue.id.encode()) % (len(said) - 1)]
            if cue.thought.open:
                continue
            yield from _joined([(replace(cue, again=True), words)])


OPENED = {ThoughtKind.ANSWER: 0.25, ThoughtKind.EXPLAIN: 0.25, ThoughtKind.REJECT: 0.25}
OPENED_ELSE = 0.7
"""Shares of turns with a note that are trained without it, by kind: the mind decides answers, reasons and refusals far
more often than it leaves them open; of the rest it leaves most."""


def opened(turn: Turn) -> Turn:
    """The turn as it is trained: its note kept, or left out and the thought open, by a hash of the words."""
    thought = turn.thought
    if thought is None or thought.open:
        return turn
    place = zlib.crc32(turn.content.encode()) / 2**32
    if place >= OPENED.get(thought.kind, OPENED_ELSE):
        return turn
    free = replace(
        thought, answer=None, reason=None, misconception=None, stage=None, words=len(turn.content.split())
    )
    return replace(turn, thought=free)


def cues(
    dialogue: Dialogue, children: Mapping[str, Child], lessons: Mapping[str, Lesson]
) -> Iterator[tuple[Cue, str]]:
    """What the bot would have asked for each of the child's turns, and what was said.

    Only where child and lesson are known, the turn has a thought, a teacher's turn is just before it, and, where the
    thought is open, the bot would let the words stand.
    """
    child, lesson = children.get(dialogue.child or ""), lessons.get(dialogue.lesson or "")
    if child is None or lesson is None:
        return
    turns = tuple(map(opened, dialogue.turns))
    for number, turn in enumerate(turns):
        before = turns[number - 1] if number else None
        if turn.thought is None or before is None or before.role is not Role.TEACHER:
            continue
        earlier = " ".join(each.content for each in turns[:number])
        if (
            turn.thought.open
            and shape(turn.content, turn.thought, child, teacher=before.content, earlier=earlier).fault
        ):
            continue  # the bot would not let it stand
        yield Cue(child, lesson, turns[: number - 1], before.content, turn.thought), turn.content


def parts(
    dialogues: Sequence[Dialogue],
    share: float = VALIDATION_SHARE,
    groups: Mapping[str, str] | None = None,
) -> tuple[list[Dialogue], list[Dialogue]]:
    """Training and validation by a hash of the id: a dialogue stays on its side when others come or go.

    Those of one group (`groups` has it by the id, such as the teacher) are on one side. Of few dialogues one, or one
    group, is for validation, whatever its hash.
    """
    kept = kept_for_validation((dialogue.id for dialogue in dialogues), share, groups)
    sides: tuple[list[Dialogue], list[Dialogue]] = ([], [])
    for dialogue in dialogues:
        sides[dialogue.id in kept].append(dialogue)
    return sides


def kept_for_validation(
    ids: Iterable[str], share: float = VALIDATION_SHARE, groups: Mapping[str, str] | None = None
) -> frozenset[str]:
    """Which of these dialogues `parts` keeps for validation."""
    named = {each: (groups or {}).get(each, each) for each in ids}
    places = {
        identifier: int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32
        for identifier, name in named.items()
    }
    edge = max(share, min(places.values(), default=0.0) + 2**-32)
    return frozenset(identifier for identifier, place in places.items() if place < edge)


def _joined(said: Iterable[tuple[Cue, str]]) -> Iterator[Conversation]:
    messages: tuple[ChatMessage, ...] = ()
    trained: tuple[int, ...] = ()
    for cue, words in said:
        prompt = tuple(render(cue))
        if messages and prompt[: len(messages)] != messages:
            yield Conversation(messages, trained)
            trained = ()
        messages = (*prompt, ChatMessage("assistant", words))
        trained = (*trained, len(prompt))
    if messages:
        yield Conversation(messages, trained)
