"""Figures in words, alike in the page, the documents and the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def percent(figure: Mapping[str, Any]) -> str:
    """A share with its interval."""
    return f"{100 * figure['value']:.0f} % ({100 * figure['low']:.0f} to {100 * figure['high']:.0f})"


def composite(figure: Mapping[str, Any] | None) -> str:
    """A composite with its interval."""
    return (
        f"{figure['value']:.2f} ({figure['low']:.2f} to {figure['high']:.2f})" if figure else "not measured"
    )


def dollars(value: float | None) -> str:
    """An amount, or that it is not known."""
    return "not known" if value is None else f"${value:.4f}" if value < 1 else f"${value:,.2f}"


def points(pair: Mapping[str, Any]) -> str:
    """A difference in points of a hundred, with its interval."""
    return f"{100 * pair['difference']:+.1f} ({100 * pair['low']:+.1f} to {100 * pair['high']:+.1f})"
