"""A sheet in a child's hand, a page of a fact book and a map, drawn."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.pages.layout import BLUE, MARGIN, PALE, WIDTH, Sheet, around, wrapped
from bot.pictures.marks import FAINT, INK, Area, Box, Disc, Drawn, Label, Stroke, frame
from bot.student.records.pages.written import COLUMNS, ROWS, FactPage, Map, Shape, Sign, Writing

MIDDLE = WIDTH / 2
TEXT = 17
LINE = 24
ASIDE = "#5b6773"
_ASIDE = re.compile(r"\([^()]*\)")


def writing(page: Writing) -> Sheet:
    """Ruled paper with the child's lines; what stands in brackets is grey."""
    room, step, left = WIDTH - 66, 34, 50
    lines = [
        (piece, aside)
        for line in page.lines
        for aside in [_ASIDE.fullmatch(line) is not None]
        for piece in wrapped(line, room, 16 if aside else 20)
    ]
    high = step * (len(lines) + 1) + 20
    marks: list[Drawn] = [Stroke(((38, 0), (38, high)), "#e3a1a1", 1)]
    marks += [
        Stroke(((0, 20 + step * (number + 1)), (WIDTH, 20 + step * (number + 1))), PALE, 1)
        for number in range(len(lines))
    ]
    marks += [
        Label(left, 14 + step * (number + 1), text, ASIDE if aside else BLUE, size=16 if aside else 20)
        for number, (text, aside) in enumerate(lines)
    ]
    return Sheet(high, tuple(marks))


def fact_page(page: FactPage) -> Sheet:
    """Title, photo with its caption, headings with text, glossary and page number, one below the other."""
    bold = frozenset(word.lower() for word in page.bold)
    marks: list[Drawn] = [Label(MARGIN, 38, page.title, size=26)]
    y = 56.0
    marks += [
        Box(MARGIN, y, WIDTH - 2 * MARGIN, 84, FAINT),
        frame(MARGIN, y, WIDTH - 2 * MARGIN, 84, ASIDE, 1),
    ]
    marks.append(Label(MIDDLE, y + 48, f"[photo: {page.photo}]", ASIDE, "middle", 16))
    y += 84 + 20
    for line in wrapped(page.caption, WIDTH - 2 * MARGIN, 15):
        marks.append(Label(MARGIN, y, line, ASIDE, size=15))
        y += 20
    for section in page.sections:
        y += 14
        marks.append(Label(MARGIN, y, section.heading, BLUE, size=21))
        y += LINE + 2
        for line in wrapped(section.text, WIDTH - 2 * MARGIN, TEXT):
            marks.append(Label(MARGIN, y, line, size=TEXT, bold=bold))
            y += LINE
    if page.glossary:
        marks.append(Stroke(((MARGIN, y - 8), (WIDTH - MARGIN, y - 8)), FAINT))
        y += 16
        marks.append(Label(MARGIN, y, "Glossary", BLUE, size=18))
        y += LINE
    for word, means in page.glossary.items():
        for line in wrapped(f"{word}: {means}", WIDTH - 2 * MARGIN, 16):
            marks.append(Label(MARGIN, y, line, size=16, bold=frozenset({word.lower()})))
            y += 22
    marks.append(Label(WIDTH - MARGIN, y + 8, str(page.number), anchor="end", size=16))
    return Sheet(round(y + 22), tuple(marks))


COLOURS = {"red": "#c0392b", "blue": BLUE, "green": "#2f7d3b", "brown": "#8a5a2b", "black": INK}
EDGE, CELL = 34, 51
GROUND_OF_MAP = "#f4f7ee"


def a_map(page: Map) -> Sheet:
    """A grid with letters and numbers, the signs on it, and the key below."""
    bottom = 70 + CELL * ROWS
    wide = CELL * len(COLUMNS)
    marks: list[Drawn] = [
        Label(EDGE, 28, page.title, size=20),
        Box(EDGE, 64, wide, CELL * ROWS, GROUND_OF_MAP),
        # North.
        Stroke(((WIDTH - 24, 34), (WIDTH - 24, 8))),
        Stroke(((WIDTH - 30, 16), (WIDTH - 24, 8), (WIDTH - 18, 16))),
        Label(WIDTH - 36, 28, "N", anchor="end", size=18),
    ]
    for place, letter in enumerate(COLUMNS):
        marks.append(Label(EDGE + CELL * (place + 0.5), 58, letter, anchor="middle", size=16))
        marks.append(frame(EDGE + CELL * place, 64, CELL, CELL * ROWS, FAINT, 1))
    for row in range(ROWS):
        marks.append(Label(EDGE - 10, 70 + CELL * (row + 0.5), str(row + 1), anchor="end", size=16))
        marks.append(frame(EDGE, 64 + CELL * row, wide, CELL, FAINT, 1))
    marks.append(frame(EDGE, 64, wide, CELL * ROWS))
    for spot in sorted(page.spots, key=lambda each: each.to is None):
        sign, (x, y) = page.key[spot.sign], _centre(*spot.at)
        if spot.to:
            marks.append(Stroke(((x, y), _centre(*spot.to)), COLOURS[sign.colour], 4))
        else:
            marks += _sign(sign.shape, x, y, COLOURS[sign.colour])
    y = bottom + 22
    marks.append(Label(EDGE, y, "Key", size=18))
    for sign in page.signs:
        y += 30
        marks += _in_key(sign, y)
        marks.append(Label(EDGE + 52, y, sign.means, size=18))
    return Sheet(round(y + 20), tuple(marks))


def _centre(column: str, row: int) -> tuple[float, float]:
    return EDGE + CELL * (COLUMNS.index(column) + 0.5), 64 + CELL * (row - 0.5)


def _in_key(sign: Sign, y: float) -> Iterator[Drawn]:
    colour = COLOURS[sign.colour]
    if sign.shape == "line":
        yield Stroke(((EDGE, y - 6), (EDGE + 36, y - 6)), colour, 4)
    else:
        yield from _sign(sign.shape, EDGE + 18, y - 6, colour)


def _sign(shape: Shape, x: float, y: float, colour: str) -> Iterator[Drawn]:
    match shape:
        case "dot":
            yield Disc(x, y, 7, colour)
        case "square":
            yield Box(x - 9, y - 9, 18, 18, colour)
        case "triangle":
            yield Area(((x, y - 12), (x + 12, y + 9), (x - 12, y + 9)), colour)
        case "star":
            points = (around(x, y, 14 if place % 2 == 0 else 6, place / 10) for place in range(10))
            yield Area(tuple(points), colour)
        case "line":
            yield Stroke(((x - 14, y), (x + 14, y)), colour, 4)
