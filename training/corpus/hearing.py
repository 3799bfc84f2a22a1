"""What teachers say, labelled by hand: `data/hearing/*.jsonl`, read and checked; how it is heard is others'."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.student.records.dialogue import MoveKind
from bot.student.records.reading import Said, read_lines


@dataclass(frozen=True, slots=True)
class LabelledTurn:
    """A turn and what it does. `problem` is a computed kind or a written question, `active` the misconception that
    the child holds, `after` the last problem."""

    text: Said
    lesson: Said
    move: MoveKind
    active: Said
    problem: Said | None = None
    after: Said | None = None


@dataclass(frozen=True, slots=True)
class FlaggedLine:
    """A line and the notice that answers it, None for one that only sounds like it; `kind` says more of it."""

    text: Said
    flag: Said | None
    kind: Said | None = None


def read_turns(path: Path) -> Iterator[LabelledTurn]:
    """The rows of `development.jsonl` or `heldout.jsonl`; raise `DataError` naming file, line and field."""
    return read_lines(LabelledTurn, path)


def read_flagged(path: Path) -> Iterator[FlaggedLine]:
    """The rows of `safeguard.jsonl` and such; raise `DataError` naming file, line and field."""
    return read_lines(FlaggedLine, path)
