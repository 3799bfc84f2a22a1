"""What the guard learns from: labelled lines of several authors, and all that teachers say in lessons.

Lines of strangers are read only to leave them out where somebody wrote the same; held-out ones are not read at all.
It knows files, no features.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.student.guard.reader import PART, SHORTEST
from bot.student.lessons import read_lessons
from bot.student.records.dialogue import MoveKind, Role
from bot.student.records.reading import Said, read_lines
from bot.student.records.text import lines_of
from training.corpus.hearing import read_flagged, read_turns
from training.corpus.read import authored, sound
from training.hearing.rows import LESSONS

LABELLED = (
    "harm-lines", "helper-harm", "first-strangers-harm",
    "harm-seven", "harm-eight", "harm-nine", "harm-ten", "harm-eleven",
    "harm-twelve", "harm-thirteen", "harm-fourteen", "harm-sixteen", "harm-seventeen",
    "real-lines", "helper-real", "first-strangers-real", "real-seven", "real-eight", "real-nine",
    "real-thirteen", "real-fifteen", "real-sixteen", "real-seventeen",
    "pupil-lines", "helper-pupil", "first-strangers-pupil", "pupil-seven", "pupil-eight", "pupil-ten",
    "pupil-fifteen", "pupil-seventeen",
)  # fmt: skip
"""The files of `data/hearing` that were labelled for the guard."""
NOTICED = {
    MoveKind.ASKS_IF_REAL,
    MoveKind.UNSAFE,
    MoveKind.CRISIS,
    MoveKind.PUPIL_DATA,
    MoveKind.INSTRUCTS_MACHINE,
}
"""Turns of the dialogues that are no ordinary teaching."""
ORDINARY, WRITTEN = "ordinary", "lessons"
"""The sources of what teachers said, and of what our own lessons have them say."""
_SENTENCE = re.compile(r"(?<=[.!?]) ")


@dataclass(frozen=True, slots=True)
class Line:
    """A teacher's turn. `harm` and `real` say what it is; `private` are the parts of it that are somebody's data;
    `source` is the file, one author or two each; `plain` is an evasively spelled line as it is meant."""

    text: str
    source: str
    harm: str = ""
    real: bool = False
    private: tuple[str, ...] = ()
    plain: str = ""


@dataclass(frozen=True, slots=True)
class _Row:
    label: Said
    text: Said
    kind: Said | None = None
    evaded: bool = False
    plain: Said | None = None
    must_go: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Private:
    text: Said
    private: tuple[str, ...]
    half: Said


def labelled(data: Path) -> Iterator[Line]:
    """The lines of `data/hearing` and `data/reference` that people and programs wrote for the guard, without those
    that a stranger happened to write, too."""
    strangers = {
        text.lower() for path in sorted((data / "hearing").glob("strangers-*.jsonl")) for text in _texts(path)
    }
    return (line for line in _labelled(data) if line.text.lower() not in strangers)


def _labelled(data: Path) -> Iterator[Line]:
    folder = data / "hearing"
    for name in LABELLED:
        for row in read_lines(_Row, folder / f"{name}.jsonl"):
            yield Line(
                row.text,
                name,
                harm=(row.kind or "harm") if row.label == "harm" else "",
                real=row.label == "asks_if_real",
                private=row.must_go,
                plain=row.plain or "",
            )
    for line in read_flagged(folder / "safeguard.jsonl"):
        harm = {"safety": line.kind or "safety", "crisis": "crisis"}.get(line.flag or "", "")
        if line.flag != "pupil_data":  # what is private in it is not marked
            yield Line(line.text, "safeguard", harm=harm, real=line.flag == "honesty")
    for part in read_lines(_Private, data / "reference" / "private.jsonl"):
        if part.half == "development":
            yield Line(part.text, "private", private=part.private)


def ordinary(data: Path) -> list[Line]:
    """What teachers say in lessons and open talk, each once: innocent, about no real person, and no sincere question
    whether the child is real."""
    folder = data / "hearing"
    said = [turn.text for turn in read_turns(folder / "development.jsonl")]
    for name in (*LESSONS, "ordinary", "everyday"):
        said += _texts(folder / f"{name}.jsonl")
    for path in authored(data):
        said += _teaching(path)
    written: list[str] = []
    for lesson in read_lessons(data / "lessons").values():
        written += [*lesson.asks, *(question.ask for question in (*lesson.questions, *lesson.neighbours))]
        written += [text for each in lesson.misconceptions for text in (*each.helps, *each.looks_helpful)]
    sources = dict.fromkeys(_parts(said), ORDINARY) | dict.fromkeys(_parts(written), WRITTEN)
    return [Line(text, source) for text, source in sources.items()]


def _parts(said: list[str]) -> list[str]:
    """The turns, and the sentences of long ones, which are read one by one, too."""
    parts = [each for text in said if len(text.split()) > PART // 2 for each in _SENTENCE.split(text)]
    return [text for text in (*said, *parts) if len(text.split()) >= SHORTEST]


def _texts(path: Path) -> list[str]:
    return [json.loads(line)["text"] for line in lines_of(path)]


def _teaching(path: Path) -> list[str]:
    turns = (turn for _, dialogue in sound([path]) for turn in dialogue.turns if turn.role is Role.TEACHER)
    return [turn.content for turn in turns if turn.move not in NOTICED]
