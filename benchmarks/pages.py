"""Every page that a lesson or a scenario lays on the table, drawn: on one sheet for docs/pages.png, or each for itself.

Run: python -m benchmarks.pages, with --write to renew the sheet, with --out FOLDER for the single ones as on a phone.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from bot import scenarios
from bot.pages.drawing import picture
from bot.pictures.marks import Area, Box, Disc, Drawn, Label, Picture, Stroke, frame
from bot.pictures.png import png
from bot.student.lessons import read_curriculum
from bot.student.records.child import read_children

ROOT = Path(__file__).parents[1]
SHEET = ROOT / "docs" / "pages.png"
COLUMNS, GAP, HEAD = 4, 24, 34
SOME = ("forty-five", "torn-page", "ten-to-what", "four-is-more")
"""Of the scenarios on the sheet: most have paper with a child's writing."""


def drawn(data: Path) -> tuple[dict[str, Picture], dict[str, Picture]]:
    """The pictures of all lessons and of all scenarios that have a page, by their ids."""
    curriculum = read_curriculum(data)
    shipped = scenarios.read(data, None, read_children(data / "children"), curriculum)
    return (
        {each.id: picture(each.page) for each in curriculum.lessons.values() if each.page},
        {each.id: picture(each.shown) for each in shipped.values() if each.shown},
    )


def sheet(pictures: dict[str, Picture], columns: int = COLUMNS) -> Picture:
    """All of them on one picture: each goes where least stands so far."""
    wide = max(each.width for each in pictures.values())
    bottoms = [float(GAP)] * columns
    marks: list[Drawn] = []
    for name, each in pictures.items():
        column = bottoms.index(min(bottoms))
        x, y = GAP + column * (wide + GAP), bottoms[column]
        marks.append(Label(x, y + 20, name, size=18))
        marks += [_moved(mark, x, y + HEAD) for mark in each.marks]
        marks.append(frame(x, y + HEAD, each.width, each.height, "#8a94a0", 1))
        bottoms[column] = y + HEAD + each.height + GAP
    return Picture(columns * (wide + GAP) + GAP, round(max(bottoms)), tuple(marks), "All pages.")


def _moved(mark: Drawn, right: float, down: float) -> Drawn:
    match mark:
        case Box() | Disc() | Label():
            return replace(mark, x=mark.x + right, y=mark.y + down)
        case Stroke() | Area():
            return replace(mark, points=tuple((x + right, y + down) for x, y in mark.points))


def main() -> None:
    """What is drawn, in words; with the options as files."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--write", action="store_true", help=f"write {SHEET.relative_to(ROOT)}")
    parser.add_argument("--out", type=Path, help="a folder for one file each")
    wanted = parser.parse_args()
    lessons, practised = drawn(ROOT / "data")
    if wanted.write:
        SHEET.write_bytes(png(sheet(lessons | {name: practised[name] for name in SOME})))
    for name, each in (lessons | practised).items():
        print(f"{name}: {each.alt}")
        if wanted.out:
            (wanted.out / f"{name}.png").write_bytes(png(each))


if __name__ == "__main__":
    main()
