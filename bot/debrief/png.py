"""A picture as PNG, for chats that show no SVG: boxes and dotted letters, written without any package.

The format is that of the PNG specification (W3C, third edition): one palette, one byte a pixel, no filter.
"""

from __future__ import annotations

import struct
import zlib

from bot.debrief import letters
from bot.debrief.picture import GROUND, Box, Label, Picture

SCALE = 2
"""Pixels for each unit of the picture."""
DOT = 3
"""Pixels of one dot of a letter."""
STEP = letters.WIDE + 1
"""Dots from one letter to the next."""


def png(picture: Picture) -> bytes:
    """The picture as a file."""
    canvas = _Canvas(picture.width * SCALE, picture.height * SCALE)
    for box in picture.boxes:
        canvas.box(box)
    for label in picture.labels:
        canvas.label(label)
    return canvas.png()


class _Canvas:
    """Pixels as places in a palette."""

    def __init__(self, width: int, height: int) -> None:
        self._width, self._height = width, height
        self._palette = [GROUND]
        self._pixels = bytearray(width * height)

    def box(self, box: Box) -> None:
        """Fill a box, at least one pixel of it where it has any size."""
        if box.width <= 0 or box.height <= 0:
            return
        left, top = round(box.x * SCALE), round(box.y * SCALE)
        self._fill(
            left, top, round((box.x + box.width) * SCALE), round((box.y + box.height) * SCALE), box.colour
        )

    def label(self, label: Label) -> None:
        """Write a line of text."""
        wide = len(label.text) * STEP * DOT
        left = round(label.x * SCALE) - {"start": 0, "middle": wide // 2, "end": wide}[label.anchor]
        top = round(label.y * SCALE) - letters.HIGH * DOT
        for place, character in enumerate(label.text):
            for x, y in letters.dots(character):
                at, down = left + (place * STEP + x) * DOT, top + y * DOT
                self._fill(at, down, at + DOT, down + DOT, label.colour)

    def _fill(self, left: int, top: int, right: int, bottom: int, colour: str) -> None:
        if colour not in self._palette:
            self._palette.append(colour)
        left, top = max(0, left), max(0, top)
        right, bottom = min(max(right, left + 1), self._width), min(max(bottom, top + 1), self._height)
        run = bytes([self._palette.index(colour)]) * max(0, right - left)
        for y in range(top, bottom):
            self._pixels[y * self._width + left : y * self._width + left + len(run)] = run

    def png(self) -> bytes:
        """What was drawn, as a file."""
        rows = (b"\0" + self._pixels[y * self._width : (y + 1) * self._width] for y in range(self._height))
        header = struct.pack(">IIBBBBB", self._width, self._height, 8, 3, 0, 0, 0)
        palette = b"".join(bytes.fromhex(colour.removeprefix("#")) for colour in self._palette)
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            (
                _chunk(b"IHDR", header),
                _chunk(b"PLTE", palette),
                _chunk(b"IDAT", zlib.compress(b"".join(rows), 6)),
                _chunk(b"IEND", b""),
            )
        )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
