"""A picture as PNG, for chats that show no SVG. Pillow draws it, with the font that comes inside Pillow.

Pillow takes 11 MB once it is there, so it is imported when the first picture is drawn.
"""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING

from bot.pictures.marks import GROUND, Area, Box, Disc, Drawn, Label, Picture, Point, Stroke

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont, ImageFont

SCALE = 2
"""Pixels for each unit of the picture."""
FINE = 2
"""Drawn so many times as large and then made smaller, since Pillow draws no soft edges."""
DRAWN = SCALE * FINE
COLOURS = 128
"""Of the file, chosen so that a small spot keeps its own; the soft edges need some."""


def png(picture: Picture) -> bytes:
    """The picture as a file."""
    from PIL import Image, ImageDraw  # noqa: PLC0415 - see the module's opening

    image = Image.new("RGB", (picture.width * DRAWN, picture.height * DRAWN), GROUND)
    draw = ImageDraw.Draw(image)
    for mark in picture.marks:
        _draw(draw, mark)
    out = BytesIO()
    image.reduce(FINE).quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
        out, "PNG", optimize=True
    )
    return out.getvalue()


def _draw(draw: ImageDraw, mark: Drawn) -> None:
    match mark:
        case Box():
            if mark.width > 0 and mark.height > 0:
                # Pillow fills up to and with the far corner; however thin, a pixel is left of it.
                right = max(mark.x * DRAWN + FINE, (mark.x + mark.width) * DRAWN) - 1
                bottom = max(mark.y * DRAWN + FINE, (mark.y + mark.height) * DRAWN) - 1
                draw.rectangle((mark.x * DRAWN, mark.y * DRAWN, right, bottom), fill=mark.colour)
        case Stroke():
            points = _pixels(mark.points)
            width = max(1, round(mark.width * DRAWN))
            draw.line(points, fill=mark.colour, width=width, joint="curve")
            for x, y in (points[0], points[-1]):
                draw.circle((x, y), width / 2, fill=mark.colour)
        case Area():
            draw.polygon(_pixels(mark.points), fill=mark.colour)
        case Disc():
            edge = 2 * DRAWN if mark.edge else 0
            draw.circle(
                (mark.x * DRAWN, mark.y * DRAWN), mark.radius * DRAWN, mark.colour, mark.edge or None, edge
            )
        case Label():
            _write(draw, mark)


def _write(draw: ImageDraw, label: Label) -> None:
    font = _font(label.size * DRAWN)
    thick = label.size * DRAWN // 40
    wide = font.getlength(label.text)
    x = label.x * DRAWN - {"start": 0.0, "middle": wide / 2, "end": wide}[label.anchor]
    for text, bold in label.runs() if label.bold else ((label.text, False),):
        draw.text(
            (x, label.y * DRAWN), text, label.colour, font, anchor="ls", stroke_width=thick if bold else 0
        )
        x += font.getlength(text) + (2 * thick if bold else 0)


def _pixels(points: tuple[Point, ...]) -> list[Point]:
    return [(x * DRAWN, y * DRAWN) for x, y in points]


@lru_cache(maxsize=8)
def _font(size: int) -> FreeTypeFont | ImageFont:
    from PIL import ImageFont  # noqa: PLC0415 - see the module's opening

    return ImageFont.load_default(size)
