"""The right answer that a kind computes from the numbers alone, where its reader mostly decides it by the words."""

from __future__ import annotations

import pytest

from bot.student.problems import solving


@pytest.mark.parametrize(
    ("kind", "numbers", "right"),
    [
        ("compare-shares", (2, 4), "a half"),
        ("compare-shares", (4, 3), "a third"),
        ("compare-numbers", (189, 201), "201"),
        ("compare-numbers", (70, 7), "70"),
    ],
)
def test_the_kind_computes_it(kind: str, numbers: tuple[int, ...], right: str) -> None:
    assert solving.kind(kind).right(numbers) == right
