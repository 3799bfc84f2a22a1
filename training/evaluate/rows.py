"""What an evaluation writes down: one row for each turn that a model was asked, in `rows.jsonl` of its run.

It knows rows and files; it must not know how a row came about, nor what a score means. The rows of one
model, cluster and seed (a unit) are written together and the last one says so: a unit that a crash cut short
is dropped when the file is opened again, so that it is run once more and never counted twice.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AllowInfNan, Field, Strict

from bot.student.records.reading import DataError, Expected, Whole, parse, parse_json

Section = Literal["golden", "listening", "arms", "grade", "persona", "safety", "drift"]
SECTIONS: tuple[Section, ...] = get_args(Section)
Number = Annotated[float, Strict(), AllowInfNan(False), Expected("a number")]
Voiced = Annotated[str, Field(pattern="^(model|retry|phrasing)$"), Expected("one of model, retry, phrasing")]
YesNo = Annotated[bool, Strict()]
CONTROL = "control"
"""The kind of the rows that stand for no model: material that must pass, and material that must fail."""

SYNC_SECONDS = 2.0
"""A disk that is waited for after every unit would cost more time than many a model."""

Unit = tuple[str, str, str, str, int]


class RowError(ValueError):
    """A line is no row; the message names the field and what would be right."""


@dataclass(frozen=True, slots=True)
class Row:
    """One teacher turn, what came back, and its scores.

    `item` names the conversation and is the same for all models, as is `cluster`, the family of items that
    the bootstrap draws together. `turn` counts from 1 in the conversation; `last` marks the end of the unit.
    `scores` holds numbers by metric id. `voiced` is None where a fixed notice answered, and for controls.
    `cost_usd` is None where the price is not known. With `cache_hit` the same question with the same seed had
    been asked in this run: it cost nothing and its latency is no model's.
    """

    model: str
    version: str
    kind: str
    section: Section
    item: str
    cluster: str
    seed: Whole
    turn: Whole
    child: str
    lesson: str
    teacher: str
    text: str
    thought: dict[str, Any] | None = None
    voiced: Voiced | None = None
    scores: Annotated[Mapping[str, Number], Expected("an object of numbers")] = field(default_factory=dict)
    latency_ms: Number = 0.0
    prompt_tokens: Whole | None = None
    completion_tokens: Whole | None = None
    cost_usd: Number | None = None
    cache_hit: YesNo | None = None
    last: YesNo = True

    @property
    def unit(self) -> Unit:
        """What the rows that are written together share, and no others do."""
        return (self.model, self.version, self.section, self.cluster, self.seed)

    def to_line(self) -> str:
        """One JSON line, without the line end."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_line(cls, line: str) -> Row:
        """Parse one JSON line; raise `RowError`."""
        return parse(cls, parse_json(line, error=RowError), error=RowError)


def read_rows(path: Path) -> list[Row]:
    """Every row of whole units, in the file's order; raise `DataError` naming file and line."""
    return _read(path)[0]


def _read(path: Path) -> tuple[list[Row], int]:
    """The rows of whole units, and how many bytes they take.

    Units are written one after another, each at once: what a crash left half done is at the end.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    rows: list[Row] = []
    count = taken = seen = 0
    for number, line in enumerate(lines[:-1], start=1):
        try:
            rows.append(Row.from_line(line.decode("utf-8")))
        except (RowError, UnicodeDecodeError) as error:
            raise DataError(f"{path}:{number}: {error}") from None
        seen += len(line) + 1
        if rows[-1].last:
            count, taken = len(rows), seen
    return rows[:count], taken


class Writer:
    """Appends whole units to a file; opening it drops what a crash left half done.

    Raises `DataError` when another program is writing there, or a line is no row. Use it as a context.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            rows, taken = _read(path)
            self._file.truncate(taken)
        except BlockingIOError:
            self._file.close()
            raise DataError(f"{path}: another evaluation is writing there; wait for it or stop it") from None
        except BaseException:
            self._file.close()
            raise
        self._synced = time.monotonic()
        self.finished: set[Unit] = {row.unit for row in rows}

    def append(self, unit: Sequence[Row]) -> None:
        """Write the rows of one whole unit. A program that is killed loses none; they are on the disk within
        about `SYNC_SECONDS` and when the writer is closed."""
        if not unit or not unit[-1].last or any(row.last for row in unit[:-1]):
            raise ValueError("expected a whole unit: its last row, and no other, is marked as last")
        if {row.unit for row in unit} != {unit[0].unit} or unit[0].unit in self.finished:
            raise ValueError(f"two units, or one that was written before: {unit[0].unit}")
        self._file.write("".join(row.to_line() + "\n" for row in unit).encode())
        self._file.flush()
        if time.monotonic() - self._synced > SYNC_SECONDS:
            self._sync()
        self.finished.add(unit[0].unit)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sync()
        self._file.close()

    def _sync(self) -> None:
        os.fsync(self._file.fileno())
        self._synced = time.monotonic()
