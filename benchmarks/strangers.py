"""How well the whole ear hears lines that nobody of its authors wrote. Run: python -m benchmarks.strangers [FILE...]

Exact readers and the live trained reader together, as the bot listens; and the same with each of the two alone.
"""

from __future__ import annotations

import sys
from pathlib import Path

from bot.models import catalogue
from bot.models.ear import read_reader
from bot.models.kinds.ear import NAME
from bot.student.hearing.ear import hear
from bot.student.hearing.reader import Reader
from bot.student.lessons import read_curriculum
from bot.student.records.child import read_children
from bot.student.records.curriculum import Curriculum, Scene
from bot.student.records.dialogue import MoveKind
from bot.student.said import Said
from training.hearing.fit import label, scores, seen
from training.hearing.rows import Labelled, from_file

DATA = Path(__file__).parents[1] / "data"


def live() -> Reader:
    """The ear that is live in `data/models`."""
    promoted = catalogue.promotions(DATA / "models", NAME)
    if not promoted:
        raise SystemExit("no ear is live: python -m training hearing")
    return read_reader(DATA / "models" / NAME / promoted[0].version)


def measure(rows: list[Labelled], curriculum: Curriculum, reader: Reader) -> str:
    """The figures of one set of rows, in lines."""
    child = next(iter(read_children(DATA / "children").values()))
    lines = []
    alone = [
        max(likely, key=lambda move: likely[move])
        for likely in (reader.read(seen(row, curriculum)) for row in rows)
    ]
    for name, with_reader in (("both", reader), ("rules alone", None)):
        heard = [
            hear(
                Said.of(row.text),
                Scene(child, curriculum.lessons[row.lesson], curriculum),
                row.context,
                with_reader,
            )
            for row in rows
        ]
        found = scores(rows, [label(each.move) for each in heard])
        wrong = [each for row, each in zip(rows, heard, strict=True) if row.moves[0] is MoveKind.REINFORCES]
        asked = [each for row, each in zip(rows, heard, strict=True) if row.problem]
        problems = sum(each.problem is not None or each.found is not None for each in asked)
        right = [
            (row, name)
            for row, name, each in zip(rows, alone, heard, strict=True)
            if label(each.move) in {label(move) for move in (*row.moves, *row.accept)}
        ]
        bare = sum(name in {label(move) for move in (*row.moves, *row.accept)} for row, name in right)
        lines.append(
            f"{name}: accuracy {found.accuracy:.3f}, macro-F1 {found.macro_f1:.3f}, "
            f"help recalled {found.recall.get('helps', 0):.0%}, wrong teaching heard as help "
            f"{sum(each.move is MoveKind.HELPS for each in wrong)} of {len(wrong)}, "
            f"problems recognised {problems} of {len(asked)}"
            + (f", right without any exact reader {bare} of {len(right)}" if with_reader else "")
        )  # fmt: skip
    return "\n".join(lines)


def main() -> None:
    """Print the figures of each file."""
    curriculum, reader = read_curriculum(DATA), live()
    paths = [Path(each) for each in sys.argv[1:]] or [DATA / "hearing" / "strangers.jsonl"]
    for path in paths:
        rows = list(from_file(path, curriculum))
        print(f"{path.name}: {len(rows)} turns\n{measure(rows, curriculum, reader)}")


if __name__ == "__main__":
    main()
