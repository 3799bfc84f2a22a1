"""A clock, a ruler and a number line, drawn."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from bot.pages.layout import BLUE, MARGIN, ORANGE, WIDTH, Sheet, arc, around
from bot.pictures.marks import GROUND, INK, Box, Disc, Drawn, Label, Stroke, frame
from bot.student.records.pages.measured import Clock, NumberLine, Ruler

MIDDLE = WIDTH / 2
FACE = 150
HIGHEST = 96
"""A hop."""
COLOURS = (BLUE, ORANGE, "#2f7d3b")


def clock(page: Clock) -> Sheet:
    """A face with numbers, a mark for each minute, a short and a long hand."""
    marks: list[Drawn] = [Disc(MIDDLE, MIDDLE, FACE, GROUND, INK)]
    for minute in range(60):
        inner = FACE - (14 if minute % 5 == 0 else 7)
        ends = around(MIDDLE, MIDDLE, inner, minute / 60), around(MIDDLE, MIDDLE, FACE - 2, minute / 60)
        marks.append(Stroke(ends, width=3 if minute % 5 == 0 else 1))
    for hour in range(1, 13):
        x, y = around(MIDDLE, MIDDLE, FACE - 32, hour / 12)
        marks.append(Label(x, y + 9, str(hour), anchor="middle", size=26))
    short = around(MIDDLE, MIDDLE, 62, (page.hour % 12 + page.minute / 60) / 12)
    long = around(MIDDLE, MIDDLE, 100, page.minute / 60)
    centre = (MIDDLE, MIDDLE)
    marks += [Stroke((centre, long), BLUE, 4), Stroke((centre, short), ORANGE, 8), Disc(*centre, 8, INK)]
    return Sheet(WIDTH, tuple(marks))


def ruler(page: Ruler) -> Sheet:
    """A ruler with a bar for each thing above it."""
    step = (WIDTH - 2 * MARGIN) / page.last
    top = 20 + 62 * len(page.things)
    marks: list[Drawn] = []
    bars = [
        (thing, MARGIN + thing.start * step, MARGIN + thing.end * step, 40 + 62 * place, COLOURS[place])
        for place, thing in enumerate(page.things)
    ]
    for _, left, right, y, colour in bars:
        marks += [Stroke(((x, y), (x, top)), colour, 1) for x in (left, right)]
    for thing, left, right, y, colour in bars:
        x, half = (left + right) / 2, len(thing.name) * 5 + 4
        x = min(max(x, half), WIDTH - half)
        # White below the name: the lines of a thing above it run down there.
        marks += [Box(x - half, y - 24, 2 * half, 22, GROUND), Box(left, y, right - left, 22, colour)]
        marks.append(Label(x, y - 8, thing.name, colour, "middle", 18))
    marks += [Box(8, top, WIDTH - 16, 66, "#fdf3d8"), frame(8, top, WIDTH - 16, 66)]
    for number in range(page.last + 1):
        x = MARGIN + number * step
        marks += [
            Stroke(((x, top), (x, top + 18))),
            Label(x, top + 38, str(number), anchor="middle", size=18),
        ]
    marks.append(Label(MIDDLE, top + 58, page.unit, anchor="middle", size=16))
    return Sheet(top + 82, tuple(marks))


def number_line(page: NumberLine) -> Sheet:
    """A line with numbers, and an arc for each hop, numbered by where it lands."""
    numbers = page.numbers
    step = (WIDTH - 2 * MARGIN) / (len(numbers) - 1)
    at = {number: MARGIN + place * step for place, number in enumerate(numbers)}
    y = 34 + min(
        HIGHEST, max((abs(at[one] - at[other]) / 2 for one, other in pairwise(page.path)), default=0)
    )
    marks: list[Drawn] = [Stroke(((8, y), (WIDTH - 8, y)))]
    for number, x in at.items():
        marks += [
            Stroke(((x, y - 8), (x, y + 8))),
            Label(x, y + 32, str(number), anchor="middle", size=17 if number < 100 else 13),  # noqa: PLR2004
        ]
    for one, other in pairwise(page.path):
        marks += _hop(at[one], at[other], y - 12)
    if page.path:
        marks.append(Disc(at[page.path[0]], y, 6, ORANGE))
    return Sheet(round(y + 50), tuple(marks))


def _hop(start: float, end: float, y: float) -> Iterator[Drawn]:
    """An arc with the head of an arrow where it lands."""
    radius, middle = abs(end - start) / 2, (start + end) / 2
    height = min(1.0, HIGHEST / radius)
    first, last = (-0.25, 0.25) if end > start else (0.25, -0.25)
    yield Stroke(arc(middle, y, radius, first, last, height), ORANGE, 3)
    back = -5 if end > start else 5
    yield Stroke(((end + back * 1.4, y - 8), (end, y), (end - back * 0.6, y - 9)), ORANGE, 3)
