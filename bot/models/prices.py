"""What a hosted model costs: prices by model id, read from `data/prices.toml`.

It knows ids, tokens and dollars, no network. A model that is not listed has no price: the answer is
None, never 0, so that an evaluation cannot call an unknown model free.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

from pydantic import Field, Strict

from bot.student.records.reading import DataError, Expected, Text, read_toml

Dollars = Annotated[
    float, Strict(), Field(ge=0, allow_inf_nan=False), Expected("a number of US dollars, 0 or more")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One price, in US dollars per million tokens, as `source` gave it on `date`.

    Without `usd_per_million_cached_input`, tokens from the server's prompt cache cost as much as others;
    `usd_per_million_training` is for fine-tuning it, one epoch, None where that is not known or not offered.
    """

    usd_per_million_input: Dollars
    usd_per_million_cached_input: Dollars | None = None
    usd_per_million_output: Dollars
    usd_per_million_training: Dollars | None = None
    date: dt.date
    source: Text

    def cost(self, prompt_tokens: int, completion_tokens: int, cached_tokens: int = 0) -> float:
        """US dollars for one reply; `cached_tokens` are those of `prompt_tokens` the server had cached."""
        cached_price = self.usd_per_million_cached_input
        if cached_price is None:
            cached_price = self.usd_per_million_input
        return (
            (prompt_tokens - cached_tokens) * self.usd_per_million_input
            + cached_tokens * cached_price
            + completion_tokens * self.usd_per_million_output
        ) / 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row(Price):
    models: Annotated[tuple[Text, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class _File:
    prices: tuple[_Row, ...]


def read_prices(path: Path) -> dict[str, Price]:
    """Every price by model id; raise `DataError` naming file and key, also when an id is priced twice."""
    prices: dict[str, Price] = {}
    for row in read_toml(_File, path).prices:
        price = Price(**{each.name: getattr(row, each.name) for each in fields(Price)})
        for model in row.models:
            if model in prices:
                raise DataError(f"{path.name}: models: {model!r} has two prices, expected one")
            prices[model] = price
    return prices


def price_of(model: str, prices: Mapping[str, Price]) -> Price | None:
    """The price of a model id, or None when it is not known.

    A fine-tuned id such as `ft:gpt-4o-mini-2024-07-18:school::a1b2` costs what `ft:` and its base are
    listed at. The price of the base itself does not apply to it: fine-tuned models cost more.
    """
    if model.startswith("ft:"):
        return prices.get(":".join(model.split(":", 2)[:2]))
    return prices.get(model)
