"""Read what `python -m bot replay` wrote: the student turns with the teacher's turn before each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bot.student.records.dialogue import Role
from bot.student.records.reading import DataError, read_lines
from training.evaluate.talk import Said


@dataclass(frozen=True, slots=True)
class _Turn:
    role: Role
    content: str
    voiced: str | None = None


@dataclass(frozen=True, slots=True)
class _Replayed:
    """A row of a replay, as far as it is read here."""

    dialogue: tuple[_Turn, ...]


def read_replays(paths: Iterable[Path]) -> tuple[list[Said], dict[str, float]]:
    """All student turns in order, and the shares of `voiced`; raise `DataError` naming file and line."""
    said: list[Said] = []
    voiced: Counter[str] = Counter()
    for path in paths:
        try:
            for row in read_lines(_Replayed, path, known_only=False):
                teacher = ""
                for turn in row.dialogue:
                    if turn.role is Role.TEACHER:
                        teacher = turn.content
                    else:
                        said.append(Said(teacher, turn.content))
                        voiced[turn.voiced or "unknown"] += 1
        except DataError as error:
            raise DataError(f"{error}; expected rows that python -m bot replay wrote") from None
    total = sum(voiced.values())
    return said, {name: count / total for name, count in voiced.most_common()}
