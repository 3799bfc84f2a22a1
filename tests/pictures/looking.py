"""A PNG as pixels."""

from __future__ import annotations

from io import BytesIO

from PIL import Image


def pixels(data: bytes) -> Image.Image:
    """The picture in a file."""
    image = Image.open(BytesIO(data), formats=["PNG"])
    image.load()
    return image.convert("RGB")
