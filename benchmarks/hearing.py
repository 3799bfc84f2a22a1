"""How well is a teacher heard? Precision and recall by move, on the labelled turns of `data/hearing`.

    python -m benchmarks.hearing            development half and held-out half
    python -m benchmarks.hearing --misses   with the development turns that were misheard

Rules are tuned on the development half only; the held-out half has other lessons.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.student.hearing import ear
from bot.student.hearing.heard import Context, Heard
from bot.student.hearing.questions import index
from bot.student.lessons import read_curriculum
from bot.student.problems.parsing import parse
from bot.student.records.child import read_child
from bot.student.records.curriculum import Curriculum, Scene
from bot.student.records.dialogue import MoveKind
from bot.student.said import Said
from training.corpus.hearing import LabelledTurn, read_turns

DATA = Path(__file__).parents[1] / "data"
CHILD = read_child(DATA / "children" / "mia.toml")
"""Whom the turns are said to: who it is changes nothing."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A row and what was made of it."""

    row: LabelledTurn
    move: Heard

    @property
    def problem(self) -> str | None:
        """What was asked, in the terms of the label."""
        if self.move.found is not None:
            return self.move.found.question.ask
        return self.move.problem.kind if self.move.problem else None


@dataclass(frozen=True, slots=True)
class Scores:
    """Shares from 0 to 1. `pairs` counts (labelled, heard)."""

    pairs: Counter[tuple[MoveKind, MoveKind]]
    problems: float
    milliseconds: float

    def recall(self, move: MoveKind) -> float:
        """Of the turns labelled so, the share heard so."""
        labelled = sum(count for (label, _), count in self.pairs.items() if label is move)
        return self.pairs[move, move] / labelled if labelled else 0.0

    def precision(self, move: MoveKind) -> float:
        """Of the turns heard so, the share labelled so."""
        heard = sum(count for (_, told), count in self.pairs.items() if told is move)
        return self.pairs[move, move] / heard if heard else 0.0

    def f1(self, move: MoveKind) -> float:
        """The harmonic mean of precision and recall."""
        both = self.precision(move) + self.recall(move)
        return 2 * self.precision(move) * self.recall(move) / both if both else 0.0

    @property
    def moves(self) -> list[MoveKind]:
        """The labels that occur."""
        return [move for move in MoveKind if any(label is move for label, _ in self.pairs)]

    @property
    def macro_f1(self) -> float:
        """The mean F1 over the labels that occur."""
        return sum(map(self.f1, self.moves)) / len(self.moves)

    @property
    def false_help(self) -> float:
        """Of the turns that only sound like help, the share taken for help."""
        labelled = sum(count for (label, _), count in self.pairs.items() if label is MoveKind.HELPS_OTHER)
        return self.pairs[MoveKind.HELPS_OTHER, MoveKind.HELPS] / labelled if labelled else 0.0


def read(half: str) -> list[LabelledTurn]:
    """The rows of `development` or `heldout`."""
    return list(read_turns(DATA / "hearing" / f"{half}.jsonl"))


def context(row: LabelledTurn, curriculum: Curriculum) -> Context:
    """What the child would hold in mind at that turn."""
    lesson = curriculum.lessons[row.lesson]
    active = tuple(m for m in lesson.misconceptions if m.id == row.active)
    if row.after is None:
        return Context(active=active)
    for question in (*lesson.questions, *lesson.neighbours):
        if question.ask == row.after:
            return Context((question.right, *question.accept), active, row.after)
    problem = parse(Said.of(row.after))
    if problem is None:
        raise ValueError(
            f"data/hearing: {row.after!r} is neither a question of {row.lesson} nor a computed problem"
        )
    return Context((problem.right,), active, row.after)


def hear(rows: list[LabelledTurn], curriculum: Curriculum) -> tuple[list[Pair], Scores]:
    """Every row as heard, and how well."""
    contexts = [context(row, curriculum) for row in rows]
    _ = index(curriculum).helps  # built once, when the first turn is heard
    started = time.perf_counter()
    moves = [
        ear.hear(Said.of(row.text), Scene(CHILD, curriculum.lessons[row.lesson], curriculum), known)
        for row, known in zip(rows, contexts, strict=True)
    ]
    took = (time.perf_counter() - started) * 1000 / len(rows)
    heard = [Pair(row, move) for row, move in zip(rows, moves, strict=True)]
    asked = [each for each in heard if each.row.problem is not None]
    right = sum(each.problem == each.row.problem for each in asked) / len(asked)
    return heard, Scores(Counter((each.row.move, each.move.move) for each in heard), right, took)


def misaligned(rows: list[LabelledTurn], curriculum: Curriculum) -> float:
    """Good help said in other lessons, where it teaches something else: the share taken for help."""
    others = list({row.lesson: row for row in rows if row.after}.values())
    taken = [
        ear.hear(
            Said.of(row.text),
            Scene(CHILD, curriculum.lessons[other.lesson], curriculum),
            context(other, curriculum),
        ).move
        for place, row in enumerate(row for row in rows if row.move is MoveKind.HELPS)
        for other in (others[(place + step) % len(others)] for step in range(0, len(others), 4))
        if other.lesson != row.lesson
    ]
    return sum(kind is MoveKind.HELPS for kind in taken) / len(taken)


def _show(console: Console, half: str, scores: Scores, elsewhere: float) -> None:
    console.print(
        f"\n[bold]{half}[/]: {scores.pairs.total()} turns, macro-F1 {scores.macro_f1:.3f}, "
        f"questions recognised {scores.problems:.0%}, help recalled {scores.recall(MoveKind.HELPS):.0%}, "
        f"false help {scores.false_help:.0%}, help of another lesson taken for help {elsewhere:.0%}, "
        f"{scores.milliseconds:.2f} ms a turn"
    )
    table = Table("labelled", "turns", "precision", "recall", "heard as something else", box=None)
    for move in scores.moves:
        row = {told: count for (label, told), count in scores.pairs.items() if label is move}
        others = sorted(((n, told.value) for told, n in row.items() if told is not move), reverse=True)
        told = ", ".join(f"{name} {count}" for count, name in others)
        table.add_row(
            move.value,
            str(sum(row.values())),
            f"{scores.precision(move):.2f}",
            f"{scores.recall(move):.2f}",
            told,
        )
    console.print(table)


def main() -> None:
    """Print the figures of both halves."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--misses", action="store_true", help="list the development turns that were misheard")
    parser.add_argument("--only", choices=("development", "heldout"), help="one half")
    options = parser.parse_args()
    console, curriculum = Console(soft_wrap=True), read_curriculum(DATA)
    for half in (options.only,) if options.only else ("development", "heldout"):
        rows = read(half)
        heard, scores = hear(rows, curriculum)
        _show(console, half, scores, misaligned(rows, curriculum))
        for each in heard if options.misses and half == "development" else ():
            lost = each.row.problem is not None and each.problem != each.row.problem
            if lost or each.move.move is not each.row.move:
                about = each.move.idea or each.problem or ""
                told = f"{each.row.move} -> {each.move.move} {about}"
                console.print(f"{told} | {each.row.lesson} | {each.row.text}", highlight=False, markup=False)


if __name__ == "__main__":
    main()
