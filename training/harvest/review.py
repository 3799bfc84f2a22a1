"""What a reviewer does with candidates: look, edit a line, fix a thought, accept, reject. No terminal in sight.

Everything is kept at once in the store, so a review can stop anywhere and go on later.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from bot.store.candidates import Candidates
from bot.store.rows import CandidateState, Verdict
from bot.student.guard.redaction import redact
from bot.student.records.dialogue import Dialogue, DialogueError, MoveKind, Role, Thought, Turn
from bot.student.records.reading import DataError, near

FIELDS = ("kind", "answer", "reason", "misconception", "stage", "words", "mood")
REVIEWER = re.compile(r"[\w.-]{1,40}")


class ReviewError(DataError):
    """It cannot be done; one line says what would be right."""


@dataclass(frozen=True, slots=True)
class Open:
    """The candidate on the desk: `dialogue` as this reviewer has it now, `original` as it was harvested."""

    key: str
    dialogue: Dialogue
    original: Dialogue
    lineage: dict[str, Any]
    verdict: Verdict | None

    @property
    def edited(self) -> bool:
        """Whether the reviewer changed anything."""
        return self.dialogue.turns != self.original.turns

    def rejected(self, place: int) -> str | None:
        """What the child really said where a suggested line took its place."""
        found: str | None = self.lineage["rejected"].get(str(place))
        return found

    def votes(self, place: int) -> tuple[int, int]:
        """Thumbs up and down on that turn."""
        up, down = self.lineage["votes"].get(str(place), (0, 0))
        return up, down


class Desk:
    """One reviewer's work. Open it with `Desk.open`."""

    def __init__(self, candidates: Candidates, reviewer: str, queue: list[str]) -> None:
        self._candidates = candidates
        self.reviewer = reviewer
        self.queue = queue
        self.place = 0
        self.done: dict[str, Verdict] = {}
        self.current: Open | None = None

    @classmethod
    async def open(cls, candidates: Candidates, reviewer: str) -> Desk:
        """Take up the work where this reviewer left it. Raises `ReviewError` for a name that cannot be kept."""
        if not REVIEWER.fullmatch(reviewer):
            raise ReviewError(
                f"reviewer {reviewer!r}: expected a short name or initials of letters, digits, dots and dashes"
            )
        desk = cls(candidates, reviewer, await candidates.queue(reviewer))
        await desk.show(0)
        return desk

    async def show(self, place: int) -> None:
        """Put the candidate at that place of the queue on the desk; past the end, nothing lies there."""
        step = 1 if place >= self.place else -1
        self.current = None
        while 0 <= place < len(self.queue):
            found = await self._load(self.queue[place])
            if found is not None:
                self.place, self.current = place, found
                return
            # Withdrawn or published since: it is nobody's to see any more.
            del self.queue[place]
            place += min(step, 0)
        self.place = max(0, min(place, len(self.queue)))

    async def _load(self, key: str) -> Open | None:
        row = await self._candidates.get(key)
        if (
            row.state is not CandidateState.PENDING
            or row.record is None
            or row.lineage is None
            or row.published
        ):
            return None
        mine = await self._candidates.review(key, self.reviewer)
        original = Dialogue.from_json(row.record)
        dialogue = Dialogue.from_json(mine.record) if mine and mine.record else original
        return Open(key, dialogue, original, row.lineage, mine.verdict if mine else None)

    async def judge(self, verdict: Verdict) -> None:
        """Keep the verdict with the dialogue as it is now, and go on. Raises `ReviewError`."""
        opened = self._opened()
        await self._save(opened, verdict)
        self.done[opened.key] = verdict
        await self.show(self.place + 1)

    async def edit(self, place: int, text: str) -> None:
        """Change what is said in that turn. Raises `ReviewError`."""
        opened = self._opened()
        text = " ".join(text.split())
        if not text:
            raise ReviewError("a turn cannot be empty; reject the dialogue instead")
        if redact(text)[0] != text:
            raise ReviewError("that holds somebody's data, such as a name or a number; write it without")
        await self._change(opened, place, replace(opened.dialogue.turns[place], content=text))

    async def fix_thought(self, place: int, line: str) -> None:
        """Change the thought behind that turn, written as `as_line` writes it. Raises `ReviewError`."""
        opened = self._opened()
        turn = opened.dialogue.turns[place]
        if turn.role is not Role.STUDENT:
            raise ReviewError("a teacher's turn has no thought; move to one of the child's")
        await self._change(opened, place, replace(turn, thought=from_line(line)))

    async def fix_move(self, place: int, line: str) -> None:
        """Change what that turn of the teacher does, written as `moves_line` writes it. Raises `ReviewError`."""
        opened = self._opened()
        turn = opened.dialogue.turns[place]
        if turn.role is not Role.TEACHER:
            raise ReviewError("only a teacher's turn does something to be heard; move to one of those")
        move, *also = moves_from(line)
        await self._change(opened, place, replace(turn, move=move, also=tuple(also)))

    async def _change(self, opened: Open, place: int, turn: Turn) -> None:
        turns = (*opened.dialogue.turns[:place], turn, *opened.dialogue.turns[place + 1 :])
        changed = replace(opened, dialogue=replace(opened.dialogue, turns=turns))
        await self._save(changed, opened.verdict)
        self.current = changed

    async def _save(self, opened: Open, verdict: Verdict | None) -> None:
        kept = await self._candidates.save_review(
            opened.key, self.reviewer, verdict, opened.dialogue.to_json()
        )
        if not kept:
            await self.show(self.place)
            raise ReviewError("this dialogue was withdrawn or published meanwhile; here is the next one")

    def _opened(self) -> Open:
        if self.current is None:
            raise ReviewError("nothing is left to review")
        return self.current


def as_line(thought: Thought | None) -> str:
    """A thought on one line, to be edited: `kind: answer | answer: 45 | stage: holds | words: 3`."""
    values = (thought or Thought.from_json({"kind": "answer"})).to_json()
    return " | ".join(f"{name}: {values[name]}" for name in FIELDS if values[name] is not None)


def moves_line(turn: Turn) -> str:
    """What a teacher's turn does on one line, to be edited, the main thing first: `asks + praises`."""
    moves = [turn.move, *turn.also] if turn.move else [MoveKind.OTHER]
    return " + ".join(move.value for move in moves)


def moves_from(line: str) -> list[MoveKind]:
    """Read what `moves_line` wrote and a person changed. Raises `ReviewError` naming what is no move."""
    known = {move.value: move for move in MoveKind}
    names = [each.strip().replace(" ", "_") for each in line.split("+")]
    for name in names:
        if name not in known:
            raise ReviewError(f"{name!r} is no move; {near(name, known)}")
    return list(dict.fromkeys(known[name] for name in names))


def from_line(line: str) -> Thought:
    """Read what `as_line` wrote and a person changed. Raises `ReviewError` naming the field."""
    values: dict[str, Any] = {}
    for part in filter(str.strip, line.split("|")):
        name, colon, value = (each.strip() for each in part.partition(":"))
        if not colon or name not in FIELDS:
            raise ReviewError(
                f"expected fields such as {FIELDS[0]}: answer, among {', '.join(FIELDS)}; got {part!r}"
            )
        if value:
            values[name] = int(value) if name == "words" and value.isdecimal() else value
    try:
        return Thought.from_json(values)
    except DialogueError as error:
        raise ReviewError(str(error)) from None
