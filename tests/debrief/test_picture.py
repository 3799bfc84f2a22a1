"""The picture of a practice, as SVG in a page and as PNG by itself."""

from __future__ import annotations

import struct
import zlib
from xml.etree import ElementTree as ET

from bot.debrief import letters
from bot.debrief.picture import Box, Label, Picture, picture
from bot.debrief.png import DOT, SCALE, png
from bot.debrief.svg import svg
from bot.student.records.dialogue import MoveKind, Stage, ThoughtKind
from tests.debrief.practices import debrief, thought
from tests.fakes.students import shipped

TOLD = debrief(
    [
        ("What is 52 minus 17?", MoveKind.ASKS),
        ("It's 45.", thought(answer="45")),
        ("You have 2 ones. Can you give me 7?", MoveKind.HELPS),
        ("Wait, that's not enough.", thought(Stage.WAVERS, kind=ThoughtKind.EXPLAIN, reason="few")),
    ]
)


def pixels(data: bytes) -> tuple[int, int, list[bytes], bytes]:
    """Width, height, rows of palette places, palette; the checksums are looked at, too."""
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    chunks, place = {}, 8
    while place < len(data):
        (length,) = struct.unpack_from(">I", data, place)
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        assert struct.unpack_from(">I", data, place + 8 + length)[0] == zlib.crc32(kind + body)
        chunks[kind] = body
        place += 12 + length
    width, height = struct.unpack_from(">II", chunks[b"IHDR"])
    raw = zlib.decompress(chunks[b"IDAT"])
    rows = [raw[y * (width + 1) + 1 : (y + 1) * (width + 1)] for y in range(height)]
    assert len(raw) == height * (width + 1)
    return width, height, rows, chunks[b"PLTE"]


def test_boxes_and_letters_land_where_they_belong() -> None:
    drawn = Picture(
        40, 20, (Box(0, 0, 10, 5, "#ff0000"), Box(-5, 18, 400, 90, "#00ff00")), (Label(20, 15, "I"),), ""
    )
    width, height, rows, palette = pixels(png(drawn))
    assert (width, height) == (40 * SCALE, 20 * SCALE)
    assert palette[3:6] == b"\xff\x00\x00"
    assert rows[0][: 10 * SCALE] == b"\x01" * 10 * SCALE
    assert rows[0][10 * SCALE] == 0
    assert set(rows[-1]) == {2}
    assert sum(row.count(3) for row in rows) == len(letters.dots("I")) * DOT * DOT


def test_every_letter_of_a_label_can_be_drawn() -> None:
    children, curriculum = shipped()
    ideas = [each.id for lesson in curriculum.lessons.values() for each in lesson.misconceptions]
    hollow = letters.dots("\N{SNOWMAN}")
    for text in (*ideas, *(child.name for child in children.values())):
        assert not any(letters.dots(character) == hollow for character in text.replace("-", " "))
    drawn = {character: letters.dots(character) for character in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.'"}
    assert len({tuple(each) for each in drawn.values()}) == len(drawn)
    assert all(x < letters.WIDE and y < letters.HIGH for each in drawn.values() for x, y in each)


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
    for box in drawn.boxes:
        assert 0 <= box.x <= box.x + box.width <= drawn.width + 3
        assert 0 <= box.y <= box.y + box.height <= drawn.height
    assert pixels(png(drawn))[:2] == (drawn.width * SCALE, drawn.height * SCALE)
