"""Marks become SVG and PNG: each where it belongs, and nobody's text as markup."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.pictures.marks import Area, Box, Disc, Drawn, Label, Picture, Stroke, frame
from bot.pictures.png import SCALE, png
from bot.pictures.svg import svg
from tests.pictures.looking import pixels

RED, GREEN, WHITE = (255, 0, 0), (0, 255, 0), (255, 255, 255)
SVG = "{http://www.w3.org/2000/svg}"


def drawn(*marks: Drawn, alt: str = "") -> Picture:
    return Picture(60, 40, marks, alt)


@pytest.mark.parametrize(
    ("mark", "inside", "outside"),
    [
        (Box(10, 10, 20, 10, "#ff0000"), (20, 15), (31, 15)),
        (Stroke(((10, 20), (50, 20)), "#ff0000", 4), (30, 20), (30, 24)),
        (Area(((10, 10), (50, 10), (10, 30)), "#ff0000"), (15, 15), (45, 28)),
        (Disc(30, 20, 10, "#ff0000"), (30, 20), (39, 12)),
        (frame(10, 10, 30, 20, "#ff0000", 4), (10, 20), (25, 20)),
    ],
)
def test_each_mark_is_where_it_belongs(
    mark: Drawn, inside: tuple[int, int], outside: tuple[int, int]
) -> None:
    image = pixels(png(drawn(mark)))
    assert image.size == (60 * SCALE, 40 * SCALE)
    assert image.getpixel((inside[0] * SCALE, inside[1] * SCALE)) == RED
    assert image.getpixel((outside[0] * SCALE, outside[1] * SCALE)) == WHITE


def test_later_marks_cover_earlier_ones_and_what_is_outside_does_no_harm() -> None:
    image = pixels(png(drawn(Box(0, 0, 60, 40, "#ff0000"), Box(-90, 20, 400, 900, "#00ff00"))))
    assert (image.getpixel((5, 5)), image.getpixel((5, 60))) == (RED, GREEN)


def test_a_thin_box_is_still_seen_and_an_empty_one_is_not() -> None:
    def red(width: float) -> int:
        image = pixels(png(drawn(Box(10, 10, width, 10, "#ff0000"))))
        return sum(image.getpixel((x, 30)) != WHITE for x in range(image.width))

    assert (red(0), red(0.01) > 0) == (0, True)


def ink(label: Label) -> tuple[int, int, int, int]:
    """Where the letters are, in units."""
    image = pixels(png(Picture(200, 60, (label,), ""))).point(lambda value: 255 - value)
    box = image.getbbox()
    assert box is not None
    left, top, right, bottom = box
    return left // SCALE, top // SCALE, right // SCALE, bottom // SCALE


def test_a_label_stands_on_its_line_where_its_anchor_says() -> None:
    start, middle, end = (ink(Label(100, 40, "mmmm", anchor=each)) for each in ("start", "middle", "end"))
    assert all(bottom in {39, 40} for _, _, _, bottom in (start, middle, end))
    assert start[0] >= 100
    assert end[2] <= 100
    assert middle[0] < 100 < middle[2]


def test_words_can_be_thick() -> None:
    plain, thick = Label(10, 40, "a big owl"), Label(10, 40, "a big owl", bold=frozenset({"big"}))
    assert ink(plain)[2] < ink(thick)[2]
    (text,) = ET.fromstring(svg(drawn(thick))).iter(f"{SVG}text")  # noqa: S314 - our own
    assert "".join(text.itertext()) == "a big owl"
    assert [span.text for span in text.iter(f"{SVG}tspan")] == [" big"]


TEXT = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]), max_size=30)


@settings(max_examples=60)
@given(TEXT, TEXT, TEXT)
def test_no_text_becomes_markup(text: str, title: str, alt: str) -> None:
    text, alt = f'<script>{text}</script>"&', f"\"><img src=x>{alt}'"
    bold = frozenset({text.split(" ", maxsplit=1)[0].lower()})
    marks = (Label(0, 9, text), Label(0, 9, text, bold=bold), Box(0, 0, 1, 1, "#ff0000", title))
    written = svg(drawn(*marks, alt=alt))
    assert not re.search(r"<(?!/?(?:svg|rect|text|tspan|title)\b)", written)
    root = ET.fromstring(written)  # noqa: S314 - our own
    assert root.get("aria-label") == alt
    assert ["".join(each.itertext()) for each in root.iter(f"{SVG}text")] == [text, text]
