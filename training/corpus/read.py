"""Reading JSON lines one at a time, so that a file of any length needs the memory of one line.

It knows lines, places and the dialogue record; what a good dialogue is, is `consistency` and `check`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.student.records.dialogue import Dialogue, DialogueError
from bot.student.records.reading import DataError, parse_json
from bot.student.records.text import files_in

LONGEST_LINE = 1_000_000
"""Bytes. The longest authored dialogue has 8,000; a longer line is no dialogue but a file without line ends."""

Advance = Callable[[int], object]
"""Is told how many bytes were read, for a progress bar."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, as people and editors write it: `data/dialogues/science.jsonl:12`."""

    path: Path
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where. `line` is None where the fault lies in many lines together."""

    path: Path
    line: int | None
    message: str

    def __str__(self) -> str:
        where = str(self.path) if self.line is None else f"{self.path}:{self.line}"
        return f"{where}: {self.message}"


OPEN_TALK = ("numbers-and-science", "books-and-words", "school-days")
"""Files of `data/open` that are learned from; the others there are golden, or the same turns labelled again."""


def authored(data: Path) -> list[Path]:
    """The files that a model of the child's words is trained on where none are named: lessons, then open talk."""
    lessons = [path for path in files_in(data / "dialogues", "*.jsonl") if path.name != "test.jsonl"]
    return lessons + [path for name in OPEN_TALK if (path := data / "open" / f"{name}.jsonl").is_file()]


def held_out(data: Path) -> list[Path]:
    """The golden dialogues, which are never trained on."""
    return [
        path for path in (data / "dialogues" / "test.jsonl", data / "open" / "golden.jsonl") if path.is_file()
    ]


def files(paths: Iterable[Path]) -> list[Path]:
    """The files themselves, and every *.jsonl of a folder by name; raise `DataError` where there is none."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = files_in(path, "*.jsonl")
            if not inside:
                raise DataError(f"{path}: expected a folder with .jsonl files, there is none in it")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            raise DataError(f"{path}: no such file or folder")
    return list(dict.fromkeys(found))


def lines(path: Path, advance: Advance | None = None) -> Iterator[tuple[Place, str | Fault]]:
    """Every line that is not blank, as text, or the fault that keeps it from being text."""
    try:
        with path.open("rb") as file:
            number = 0
            while raw := file.readline(LONGEST_LINE + 1):
                number += 1
                size, whole = len(raw), len(raw) <= LONGEST_LINE
                while len(raw) > LONGEST_LINE and not raw.endswith(b"\n"):
                    raw = file.readline(LONGEST_LINE + 1)
                    size += len(raw)
                if advance is not None:
                    advance(size)
                place = Place(path, number)
                if not whole:
                    yield place, Fault(path, number, f"expected a line of at most {LONGEST_LINE:,} bytes")
                    continue
                try:
                    text = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
                except UnicodeDecodeError as error:
                    yield place, Fault(path, number, f"expected UTF-8 text, got byte {raw[error.start]:#04x}")
                    continue
                if text:
                    yield place, text
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None


def objects(path: Path, advance: Advance | None = None) -> Iterator[tuple[Place, dict[str, Any] | Fault]]:
    """Every line as a JSON object, or its fault."""
    for place, text in lines(path, advance):
        if isinstance(text, Fault):
            yield place, text
            continue
        try:
            yield place, parse(text)
        except DialogueError as error:
            yield place, Fault(place.path, place.line, str(error))


def dialogues(
    paths: Iterable[Path], advance: Advance | None = None
) -> Iterator[tuple[Place, Dialogue | Fault]]:
    """Every line of every file as a dialogue record, or its fault."""
    for path in files(paths):
        for place, row in objects(path, advance):
            if isinstance(row, Fault):
                yield place, row
                continue
            try:
                yield place, record(row)
            except DialogueError as error:
                yield place, Fault(place.path, place.line, str(error))


def sound(paths: Iterable[Path], advance: Advance | None = None) -> Iterator[tuple[Place, Dialogue]]:
    """Every dialogue; raise `DataError` at the first line that is none."""
    for place, dialogue in dialogues(paths, advance):
        if isinstance(dialogue, Fault):
            raise DataError(f"{dialogue}; python -m training data check shows all that is wrong")
        yield place, dialogue


@dataclass(frozen=True, slots=True)
class Chosen(Collection[Dialogue]):
    """Some dialogues of files, read anew whenever they are asked for: what is in memory is their ids."""

    paths: tuple[Path, ...]
    ids: frozenset[str]

    def __iter__(self) -> Iterator[Dialogue]:
        return (dialogue for _, dialogue in sound(self.paths) if dialogue.id in self.ids)

    def __len__(self) -> int:
        return len(self.ids)

    def __contains__(self, dialogue: object) -> bool:
        return isinstance(dialogue, Dialogue) and dialogue.id in self.ids


def parse(text: str) -> dict[str, Any]:
    """One line's JSON object; raise `DialogueError`."""
    row = parse_json(text, error=DialogueError)
    if not isinstance(row, dict):
        raise DialogueError(f"expected a JSON object in every line, got {type(row).__name__}")
    return row


def record(row: dict[str, Any]) -> Dialogue:
    """The dialogue of a row; raise `DialogueError`, also for a field that nobody would read."""
    return Dialogue.from_json(row, known_only=True)
