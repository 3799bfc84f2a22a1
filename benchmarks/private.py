"""Is real people's data taken out, and lesson talk left alone? Recall and false alarms on labelled lines.

    python -m benchmarks.private             development half and held-out half
    python -m benchmarks.private --misses    with the development lines that went wrong

The lines are in data/reference/private.jsonl: half of them hold invented people's data, half are traps. Rules are
tuned on the development half only.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.student.guard.redaction import redact
from bot.student.lessons import read_lessons

DATA = Path(__file__).parents[1] / "data"
HALVES = ("development", "heldout")


@dataclass(frozen=True, slots=True)
class Line:
    """A labelled line; `private` are the parts that must not be stored, none of them in a trap."""

    text: str
    private: tuple[str, ...]
    half: str

    @property
    def kept(self) -> list[str]:
        """The private parts that are still there after redaction."""
        cleaned, _ = redact(self.text)
        return [part for part in self.private if part in cleaned]

    @property
    def touched(self) -> bool:
        """Whether redaction changed anything."""
        return redact(self.text)[0] != self.text


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares from 0 to 1: private parts taken out, and traps left as they were."""

    parts: int
    recall: float
    traps: int
    untouched: float


def read(half: str) -> list[Line]:
    """The lines of `development` or `heldout`."""
    rows = map(json.loads, (DATA / "reference" / "private.jsonl").read_text(encoding="utf-8").splitlines())
    return [Line(row["text"], tuple(row["private"]), half) for row in rows if row["half"] == half]


def score(lines: list[Line]) -> Scores:
    """How well the private parts are found and the traps left alone."""
    parts = sum(len(line.private) for line in lines)
    traps = [line for line in lines if not line.private]
    return Scores(
        parts=parts,
        recall=1 - sum(len(line.kept) for line in lines) / parts,
        traps=len(traps),
        untouched=sum(not line.touched for line in traps) / len(traps),
    )


def lesson_texts() -> list[str]:
    """Everything that the lessons have teachers say."""
    return [
        text
        for lesson in read_lessons(DATA / "lessons").values()
        for text in (
            *lesson.asks,
            *(question.ask for question in (*lesson.questions, *lesson.neighbours)),
            *(text for m in lesson.misconceptions for text in (*m.helps, *m.looks_helpful)),
        )
    ]


def teacher_turns() -> list[str]:
    """Every teacher's turn of the authored dialogues, without those that are there to hold data."""
    return [
        turn["content"]
        for path in sorted((DATA / "dialogues").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
        for turn in json.loads(line)["turns"]
        if turn["role"] == "teacher" and turn.get("move") != "pupil_data"
    ]


def untouched(texts: list[str]) -> tuple[float, list[str]]:
    """The share of `texts` that redaction leaves alone, and the others."""
    changed = [text for text in texts if redact(text)[0] != text]
    return 1 - len(changed) / len(texts), changed


def main() -> None:
    """Print the figures of both halves and of the project's own lesson talk."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--misses", action="store_true", help="list the development lines that went wrong")
    options = parser.parse_args()
    console = Console(soft_wrap=True, highlight=False)
    table = Table("lines", "private parts", "taken out", "traps", "left alone", box=None, header_style="bold")
    for half in HALVES:
        figures = score(read(half))
        shown = f"{100 * figures.recall:.1f} %", str(figures.traps), f"{100 * figures.untouched:.1f} %"
        table.add_row(half, str(figures.parts), *shown)
    for name, texts in (("lessons", lesson_texts()), ("authored dialogues", teacher_turns())):
        share, changed = untouched(texts)
        table.add_row(name, "", "", str(len(texts)), f"{100 * share:.2f} %")
        for text in changed if options.misses else ():
            console.print(f"[yellow]touched[/] {redact(text)[0]}", soft_wrap=True)
    console.print(table)
    lines = [line.text for half in HALVES for line in read(half)]
    started = time.perf_counter()
    for text in lines:
        redact(text)
    console.print(f"{(time.perf_counter() - started) * 1e6 / len(lines):.0f} microseconds a line")
    for line in read("development") if options.misses else ():
        if line.kept:
            console.print(f"kept {line.kept} | {redact(line.text)[0]}", markup=False)
        elif not line.private and line.touched:
            console.print(f"touched | {redact(line.text)[0]}", markup=False)


if __name__ == "__main__":
    main()
