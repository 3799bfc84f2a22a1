"""Krippendorff's alpha on the worked examples of his own paper (2011)."""

from __future__ import annotations

import pytest

from training.harvest.agreement import agreement


def units(**observers: str) -> list[dict[str, str]]:
    """Each observer's values side by side; a dot is no value."""
    length = len(next(iter(observers.values())).split())
    rows = {name: values.split() for name, values in observers.items()}
    return [
        {name: values[place] for name, values in rows.items() if values[place] != "."}
        for place in range(length)
    ]


@pytest.mark.parametrize(
    ("observers", "alpha"),
    [
        ({"meg": "0 1 0 0 0 0 0 0 1 0", "owen": "1 1 1 0 0 1 0 0 0 0"}, 0.095),
        ({"ben": "a a b b d c c c e d d a", "gerry": "b a b b b c c c e d d d"}, 0.692),
        (
            {
                "a": "1 2 3 3 2 1 4 1 2 . . .",
                "b": "1 2 3 3 2 2 4 1 2 5 . 3",
                "c": ". 3 3 3 2 3 4 2 2 5 1 .",
                "d": "1 2 3 3 2 4 4 1 2 5 1 .",
            },
            0.743,
        ),
    ],
)
def test_the_papers_examples(observers: dict[str, str], alpha: float) -> None:
    assert agreement(units(**observers)).alpha == pytest.approx(alpha, abs=0.0006)


def test_perfect_chance_and_undefined() -> None:
    assert agreement(units(a="x y x y", b="x y x y")).alpha == pytest.approx(1)
    assert agreement(units(a="x y", b="y x")).alpha == pytest.approx(-0.5)
    assert agreement(units(a="x x", b="x x")).alpha is None
    alone = agreement(units(a="x y", b=". ."))
    assert (alone.alpha, alone.units) == (None, 0)
