"""The picture of a practice, as SVG in a page and as PNG by itself."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

from bot.debrief.page import page
from bot.debrief.picture import picture
from bot.pictures.marks import Box
from bot.pictures.png import SCALE, png
from bot.pictures.svg import svg
from bot.student.records.dialogue import MoveKind, Stage, ThoughtKind
from bot.student.records.pages.measured import Clock
from tests.debrief.practices import debrief, thought
from tests.pictures.looking import pixels

TOLD = debrief(
    [
        ("What is 52 minus 17?", MoveKind.ASKS),
        ("It's 45.", thought(answer="45")),
        ("You have 2 ones. Can you give me 7?", MoveKind.HELPS),
        ("Wait, that's not enough.", thought(Stage.WAVERS, kind=ThoughtKind.EXPLAIN, reason="few")),
    ]
)


def test_the_picture_is_whole_in_both_forms() -> None:
    drawn = picture(TOLD)
    shown = ET.fromstring(svg(drawn))  # noqa: S314 - our own
    assert shown.get("aria-label") == drawn.alt
    texts = [each.text for each in shown.iter("{http://www.w3.org/2000/svg}text")]
    assert {
        "you",
        "Mia",
        "words",
        "turn",
        "smaller from larger",
        "holds",
        "doubts",
        "revised",
        "sure",
    } <= set(texts)
    assert "doubts it from turn 4" in drawn.alt
    boxes = [each for each in drawn.marks if isinstance(each, Box)]
    assert boxes
    for box in boxes:
        assert 0 <= box.x <= box.x + box.width <= drawn.width + 3
        assert 0 <= box.y <= box.y + box.height <= drawn.height
    assert pixels(png(drawn)).size == (drawn.width * SCALE, drawn.height * SCALE)


def test_what_lay_on_the_table_stands_in_the_page_with_its_words() -> None:
    assert "On the page:" not in page(TOLD)
    written = page(replace(TOLD, page=Clock(3, 50)))
    assert written.count("<svg") == 2
    assert f"On the page: {Clock(3, 50).told}" in written
