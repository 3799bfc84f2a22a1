"""What may stand on a page: short lines that can be printed, and numbers that fit into a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import AfterValidator, Field

from bot.student.records.reading import Expected, Whole, expected, wrong

LONGEST_NAME, LONGEST_LINE = 20, 120


def _printable(text: str) -> str:
    text = text.strip()
    if not text or not text.isprintable():
        raise expected("text on one line that can be printed")
    return text


def _at_most(most: int) -> AfterValidator:
    def check(text: str) -> str:
        if len(text) > most:
            raise wrong(f"expected at most {most} characters, got {len(text)}")
        return text

    return AfterValidator(check)


Line = Annotated[str, AfterValidator(_printable), _at_most(LONGEST_LINE)]
Name = Annotated[str, AfterValidator(_printable), _at_most(LONGEST_NAME)]
Few = Annotated[Whole, Field(ge=0, le=12), Expected("a whole number from 0 to 12")]
Some = Annotated[Whole, Field(ge=1, le=12), Expected("a whole number from 1 to 12")]
Mark = Annotated[Whole, Field(ge=0, le=1000), Expected("a whole number from 0 to 1000")]
Unit = Annotated[str, AfterValidator(_printable), _at_most(LONGEST_NAME)]

ONE = {"inches": "inch", "feet": "foot", "pennies": "penny", "centimeters": "centimeter"}


def counted(count: int, many: str) -> str:
    """A number and what is counted, as one says it: 1 penny, 2 pennies."""
    return f"{count} {ONE.get(many, many.removesuffix('s')) if count == 1 else many}"


def listed(parts: Iterable[str]) -> str:
    """A, B and C."""
    all_parts: Sequence[str] = list(parts)
    return " and ".join(filter(None, (", ".join(all_parts[:-1]), *all_parts[-1:])))
