"""A bar graph, a line plot, an array, cut shapes and coins, drawn."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from bot.pages.layout import BLUE, MARGIN, PALE, WIDTH, Sheet, arc, around
from bot.pictures.marks import FAINT, GROUND, INK, Area, Box, Disc, Drawn, Label, Stroke, frame
from bot.student.records.pages.bounds import ONE
from bot.student.records.pages.counted import Array, BarGraph, Coins, LinePlot, Share, Shares

MIDDLE = WIDTH / 2


def bar_graph(page: BarGraph) -> Sheet:
    """Bars over a grid, so that the boxes of a bar can be counted."""
    left, high, unit = 44, 66, 22
    bottom = high + unit * page.top
    marks: list[Drawn] = [Label(MIDDLE, 26, page.title, anchor="middle", size=20)]
    for count in range(page.top + 1):
        y = bottom - unit * count
        marks += [
            Stroke(((left, y), (WIDTH - 8, y)), INK if count == 0 else FAINT, 2 if count == 0 else 1),
            Label(left - 8, y + 6, str(count), anchor="end", size=17),
        ]
    step = (WIDTH - 8 - left) / len(page.bars)
    for place, (name, count) in enumerate(page.bars.items()):
        x = left + step * place + step * 0.2
        marks.append(Box(x, bottom - unit * count, step * 0.6, unit * count, BLUE))
        # The lines run over the bar, too.
        marks += [Stroke(((x, y), (x + step * 0.6, y)), GROUND, 1) for y in _lines(bottom, unit, count)]
        size = max(11, min(17, int(step / (0.55 * len(name)))))
        marks.append(Label(x + step * 0.3, bottom + 24, name, anchor="middle", size=size))
    marks.append(Label(8, 44, page.counts, size=15))
    return Sheet(bottom + 40, tuple(marks))


def _lines(bottom: float, unit: float, count: int) -> list[float]:
    return [bottom - unit * each for each in range(1, count)]


def line_plot(page: LinePlot) -> Sheet:
    """A line with numbers, Xs in stacks above them."""
    unit, most = 28, max(page.stacks.values())
    y = 56 + unit * most
    step = (WIDTH - 2 * MARGIN) / (len(page.stacks) - 1)
    marks: list[Drawn] = [
        Label(MIDDLE, 28, page.title, anchor="middle", size=20),
        Stroke(((8, y), (WIDTH - 8, y))),
        Label(MIDDLE, y + 56, page.unit, anchor="middle", size=17),
    ]
    for place, (number, count) in enumerate(page.stacks.items()):
        x = MARGIN + step * place
        marks += [Stroke(((x, y - 6), (x, y + 6))), Label(x, y + 30, str(number), anchor="middle", size=19)]
        for each in range(count):
            top = y - 34 - unit * each
            marks += [
                Stroke(((x - 8, top), (x + 8, top + 18)), BLUE, 3),
                Stroke(((x - 8, top + 18), (x + 8, top)), BLUE, 3),
            ]
    return Sheet(y + 70, tuple(marks))


def array(page: Array) -> Sheet:
    """Dots in rows, or squares that fill a rectangle."""
    size = min(56, (WIDTH - 2 * MARGIN) / page.columns)
    left = MIDDLE - size * page.columns / 2
    marks: list[Drawn] = []
    for row in range(page.rows):
        for column in range(page.columns):
            x, y = left + size * column, MARGIN + size * row
            marks += (
                [Disc(x + size / 2, y + size / 2, size * 0.3, BLUE)]
                if page.of == "dots"
                else [Box(x, y, size, size, PALE), frame(x, y, size, size)]
            )
    return Sheet(round(2 * MARGIN + size * page.rows), tuple(marks))


def shares(page: Shares) -> Sheet:
    """The shapes beside each other, each with its name."""
    each = (WIDTH - 2 * 12) / len(page.shapes)
    size = min(160, each - 16)
    marks: list[Drawn] = []
    for place, share in enumerate(page.shapes):
        middle = 12 + each * (place + 0.5)
        marks.append(Label(middle, 28, share.name, anchor="middle", size=18))
        marks += (_circle if share.shape == "circle" else _rectangle)(share, middle, 44 + size / 2, size / 2)
    return Sheet(round(44 + size + 20), tuple(marks))


def _circle(share: Share, x: float, y: float, radius: float) -> Iterator[Drawn]:
    ends = [0.0, *(each / sum(share.parts) for each in accumulate(share.parts))]
    for number in range(share.shaded):
        yield Area(((x, y), *arc(x, y, radius, ends[number], ends[number + 1])), PALE)
    for end in ends[:-1] if len(share.parts) > 1 else ():
        yield Stroke(((x, y), around(x, y, radius, end)))
    yield Stroke(arc(x, y, radius, 0, 1))


def _rectangle(share: Share, x: float, y: float, half: float) -> Iterator[Drawn]:
    left, top, wide = x - half, y - half, 2 * half
    ends = [0.0, *(each / sum(share.parts) for each in accumulate(share.parts))]
    for number in range(share.shaded):
        yield Box(left + wide * ends[number], top, wide * (ends[number + 1] - ends[number]), wide, PALE)
    for end in ends[1:-1]:
        yield Stroke(((left + wide * end, top), (left + wide * end, top + wide)))
    yield frame(left, top, wide, wide)


MILLIMETRE = 3.6
ACROSS = {"quarters": 24.26, "dimes": 17.91, "nickels": 21.21, "pennies": 19.05}
"""Millimetres, as the United States Mint has them: a dime is the smallest coin, and not the least."""
SILVER, COPPER = "#d5dbe1", "#e0a878"


def coins(page: Coins) -> Sheet:
    """The coins in rows, in their real sizes beside each other."""
    marks: list[Drawn] = []
    x, y, row = 12.0, 12.0, ACROSS["quarters"] * MILLIMETRE
    for name, count in page.counts.items():
        across = ACROSS[name] * MILLIMETRE
        for _ in range(count):
            if x + across > WIDTH - 8:
                x, y = 12.0, y + row + 10
            middle = x + across / 2, y + row / 2
            marks.append(Disc(*middle, across / 2, COPPER if name == "pennies" else SILVER, INK))
            marks.append(Label(middle[0], middle[1] + 5, ONE.get(name, name[:-1]), anchor="middle", size=16))
            x += across + 10
    return Sheet(round(y + row + 12), tuple(marks))
