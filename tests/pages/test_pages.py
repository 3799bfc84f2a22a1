"""Every page is drawn, fits, and its words say all that is seen: each number and each name of the picture."""

from __future__ import annotations

import re
from typing import Any, Literal
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.pages.drawing import DRAWN_BY, files, picture
from bot.pages.layout import WIDTH
from bot.pictures.marks import Area, Box, Disc, Label, Picture, Stroke
from bot.pictures.png import SCALE, png
from bot.pictures.svg import svg
from bot.student.records.pages.counted import Array, BarGraph, Coins, LinePlot, Share, Shares
from bot.student.records.pages.measured import Clock, NumberLine, Ruler, Thing
from bot.student.records.pages.page import KINDS, Page
from bot.student.records.pages.written import FactPage, Map, Section, Sign, Spot, Writing
from tests.fakes.students import shipped
from tests.pictures.looking import pixels

_, CURRICULUM = shipped()
SHIPPED: dict[str, Page] = {
    **{each.id: each.page for each in CURRICULUM.lessons.values() if each.page},
    **{each.id: each.shown for each in CURRICULUM.scenarios.values() if each.shown},
}

NAMES = st.text(st.characters(categories=["L", "Nd", "P", "S"]), min_size=1, max_size=20)
LINES = st.text(st.characters(categories=["L", "Nd", "P", "S"]), min_size=1, max_size=120)
FEW, SOME = st.integers(0, 12), st.integers(1, 12)


@st.composite
def things(draw: st.DrawFn) -> Thing:
    start = draw(st.integers(0, 11))
    return Thing(draw(NAMES), start, draw(st.integers(start + 1, 12)))


@st.composite
def number_lines(draw: st.DrawFn) -> NumberLine:
    start, step, count = draw(st.integers(0, 500)), draw(st.sampled_from([1, 2, 5, 10])), draw(SOME)
    numbers = range(start, start + step * count + 1, step)
    path = draw(st.lists(st.sampled_from(numbers), min_size=2, max_size=6, unique=True))
    return NumberLine(start, numbers[-1], step, tuple(path))


@st.composite
def shares(draw: st.DrawFn) -> Share:
    parts = tuple(draw(st.lists(SOME, min_size=1, max_size=8)))
    shape: Literal["rectangle", "circle"] = draw(st.sampled_from(["rectangle", "circle"]))
    return Share(draw(NAMES), shape, parts, draw(st.integers(0, len(parts))))


def several(of: st.SearchStrategy[Any], most: int) -> st.SearchStrategy[Any]:
    return st.lists(of, min_size=1, max_size=most).map(tuple)


SQUARES = st.tuples(st.sampled_from("ABCDEF"), st.integers(1, 4))
MAPS = st.builds(
    lambda title, spots, line: Map(
        title,
        (Sign("road", "line", "red"), Sign("town", "dot"), Sign("city", "star", "blue")),
        (*(Spot(name, at) for name, at in spots), Spot("road", *line)),
    ),
    NAMES,
    st.lists(st.tuples(st.sampled_from(["town", "city"]), SQUARES), max_size=8),
    st.tuples(SQUARES, SQUARES),
)
ANY: dict[type[Page], st.SearchStrategy[Any]] = {
    Clock: st.builds(Clock, SOME, st.sampled_from(range(0, 60, 5))),
    Ruler: st.builds(Ruler, st.sampled_from(["inches", "centimeters"]), several(things(), 3)),
    NumberLine: number_lines(),
    BarGraph: st.builds(BarGraph, NAMES, NAMES, st.dictionaries(NAMES, FEW, min_size=2, max_size=5)),
    LinePlot: st.builds(LinePlot, NAMES, st.just("inches"), st.just(2), st.just(9), several(st.integers(2, 9), 6)),
    Array: st.builds(Array, st.integers(1, 6), st.integers(1, 8), st.sampled_from(["dots", "squares"])),
    Shares: st.builds(Shares, several(shares(), 3)),
    Coins: st.builds(Coins, st.integers(0, 3), st.integers(0, 3), st.integers(1, 2), st.integers(0, 2)),
    Writing: st.builds(Writing, several(LINES, 12)),
    FactPage: st.builds(
        FactPage,
        NAMES,
        several(st.builds(Section, NAMES, LINES), 3),
        NAMES,
        LINES,
        st.integers(0, 1000),
        several(NAMES, 3),
        st.dictionaries(NAMES, LINES, max_size=2),
    ),
    Map: MAPS,
}  # fmt: skip


def test_there_is_a_drawing_for_every_kind() -> None:
    assert set(DRAWN_BY) == set(KINDS) == set(ANY)


def fits(drawn: Picture) -> None:
    assert drawn.width == WIDTH
    assert 60 <= drawn.height <= 1600
    for mark in drawn.marks:
        match mark:
            case Box():
                corners = [(mark.x, mark.y), (mark.x + mark.width, mark.y + mark.height)]
            case Disc():
                corners = [
                    (mark.x - mark.radius, mark.y - mark.radius),
                    (mark.x + mark.radius, mark.y + mark.radius),
                ]
            case Stroke() | Area():
                corners = list(mark.points)
            case Label():
                corners = [(mark.x, mark.y - mark.size * 0.7), (mark.x, mark.y)]
        for x, y in corners:
            assert -1 <= x <= drawn.width + 1, mark
            assert -1 <= y <= drawn.height + 1, mark


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_whatever_its_bounds_let_through_is_drawn_and_fits(kind: type[Page]) -> None:
    @settings(max_examples=25, deadline=None)
    @given(ANY[kind])
    def check(page: Page) -> None:
        drawn = picture(page)
        fits(drawn)
        says_all(drawn)
        ET.fromstring(svg(drawn))  # noqa: S314 - our own

    check()


def says_all(drawn: Picture) -> None:
    """Each number that is seen stands in the words, or in a range of them; so does each word."""
    told = re.sub(r"\s", "", drawn.alt.lower()).replace("pennies", "penny")
    ranges = [range(int(a), int(b) + 1) for a, b in re.findall(r"\b(\d+) to (\d+)\b", drawn.alt)]
    for label in (each for each in drawn.marks if isinstance(each, Label)):
        seen = re.sub(r"\s", "", label.text.lower()).replace("pennies", "penny")
        numbers = re.fullmatch(r"\d+", seen)
        if numbers and any(int(seen) in each for each in ranges):
            continue
        if label.text in {"N", *"ABCDEF"} and "columns A to F" in drawn.alt:
            continue
        assert seen.removeprefix("[photo:").removesuffix("]") in told, label.text


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_page_says_all_it_shows(name: str) -> None:
    drawn = picture(SHIPPED[name])
    fits(drawn)
    says_all(drawn)
    told = set(re.findall(r"\d+", drawn.alt)) | {
        str(each)
        for first, last in re.findall(r"\b(\d+) to (\d+)\b", drawn.alt)
        for each in range(int(first), int(last) + 1)
    }
    for label in (each for each in drawn.marks if isinstance(each, Label)):
        assert set(re.findall(r"\d+", label.text)) <= told


def test_the_words_are_those_of_what_is_drawn() -> None:
    def marks(page: Page, kind: type[object]) -> int:
        return sum(isinstance(each, kind) for each in picture(page).marks)

    assert marks(Array(3, 4), Disc) == 12
    assert "3 rows and 4 columns" in Array(3, 4).told
    assert marks(Coins(1, 2, 0, 3), Disc) == 6
    assert "1 quarter, 2 dimes and 3 pennies" in Coins(1, 2, 0, 3).told
    assert marks(LinePlot("a", "inches", 2, 5, (3, 3, 5)), Stroke) == 1 + 4 + 2 * 3
    assert "2 Xs above 3, no X above 4 and 1 X above 5" in LinePlot("a", "inches", 2, 5, (3, 3, 5)).told
    bars = [
        each.height for each in picture(BarGraph("a", "b", {"c": 6, "d": 3})).marks if isinstance(each, Box)
    ]
    assert bars[0] == 2 * bars[1]


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (Clock(3, 0), "short hand is on 3. The long hand is on 12."),
        (Clock(12, 30), "between 12 and 1, in the middle. The long hand is on 6."),
        (Clock(3, 20), "between 3 and 4, closer to 3. The long hand is on 4."),
        (Clock(12, 55), "between 12 and 1, closer to 1. The long hand is on 11."),
    ],
)
def test_a_clock_tells_its_hands_and_not_the_time(page: Clock, said: str) -> None:
    assert said in page.told
    assert f"{page.hour}:{page.minute:02}" not in page.told


def test_the_hands_of_a_clock_point_where_they_should() -> None:
    long, short = [each for each in picture(Clock(3, 45)).marks if isinstance(each, Stroke)][-2:]
    (x, y), (right, down) = long.points
    assert (right < x, round(down - y)) == (True, 0), "at 45 minutes the long hand points left"
    (x, y), (right, down) = short.points
    assert right > x
    assert 0 < down - y < right - x, "and the short one is past the 3"


def test_a_dime_is_the_smallest_coin_drawn() -> None:
    sizes = [each.radius for each in picture(Coins(1, 1, 1, 1)).marks if isinstance(each, Disc)]
    quarter, dime, nickel, penny = sizes
    assert dime < penny < nickel < quarter


def test_nothing_of_a_file_becomes_markup() -> None:
    page = Writing(('<script>alert("x")</script>', "</svg><img src=x onerror=y>"))
    written = svg(picture(page))
    assert "<script" not in written
    assert "<img" not in written
    assert written.count("</svg>") == 1


async def test_a_page_is_a_file_for_a_chat() -> None:
    (file,) = await files(Clock(3, 50))
    assert file.name == "page.png"
    assert file.alt == Clock(3, 50).told
    assert pixels(file.content).size == (WIDTH * SCALE, picture(Clock(3, 50)).height * SCALE)
    assert len(file.content) < 60_000
    assert await files(None) == ()


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_page_is_a_picture_with_something_on_it(name: str) -> None:
    image = pixels(png(picture(SHIPPED[name])))
    colours = image.getcolors(1 << 20)
    assert colours is not None
    assert len(colours) > 2


def test_a_small_sign_keeps_its_colour() -> None:
    signs = tuple(Sign(each, "dot", each) for each in ("red", "blue", "green", "brown", "black"))
    page = Map("a", signs, tuple(Spot(each.means, ("A", 1)) for each in signs))
    image = pixels(png(picture(page)))
    for disc in (each for each in picture(page).marks if isinstance(each, Disc) and each.y > 300):
        wanted = bytes.fromhex(disc.colour.removeprefix("#"))
        seen = image.getpixel((round(disc.x * SCALE), round(disc.y * SCALE)))
        assert isinstance(seen, tuple)
        assert all(abs(one - other) <= 8 for one, other in zip(wanted, seen, strict=True)), disc.colour
