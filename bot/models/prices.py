"""What a hosted model costs: prices by model id, read from `data/prices.toml`.

It knows ids, tokens and dollars, no network. A model that is not listed has no price: the answer is
None, never 0, so that an evaluation cannot call an unknown model free.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, ValidationError

from bot.student.records.reading import DataError


class Price(BaseModel):
    """One price, in US dollars per million tokens, as `source` gave it on `date`.

    Without `usd_per_million_cached_input`, tokens from the server's prompt cache cost as much as others;
    `usd_per_million_training` is for fine-tuning it, one epoch, None where that is not known or not offered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    usd_per_million_input: NonNegativeFloat
    usd_per_million_cached_input: NonNegativeFloat | None = None
    usd_per_million_output: NonNegativeFloat
    usd_per_million_training: NonNegativeFloat | None = None
    date: dt.date
    source: str = Field(min_length=1)

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


class _Row(Price):
    models: tuple[str, ...] = Field(min_length=1)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    prices: tuple[_Row, ...]


def read_prices(path: Path) -> dict[str, Price]:
    """Every price by model id; raise `DataError` naming file and key, also when an id is priced twice."""
    try:
        rows = _File.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).prices
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{path.name}: {key}: {first['msg']}, got {first['input']!r}") from None
    except ValueError as error:
        raise DataError(f"{path.name}: not valid TOML: {error}") from None
    prices: dict[str, Price] = {}
    for row in rows:
        for model in row.models:
            if model in prices:
                raise DataError(f"{path.name}: models: {model!r} has two prices, expected one")
            prices[model] = Price(**row.model_dump(exclude={"models"}))
    return prices


def price_of(model: str, prices: Mapping[str, Price]) -> Price | None:
    """The price of a model id, or None when it is not known.

    A fine-tuned id such as `ft:gpt-4o-mini-2024-07-18:school::a1b2` costs what `ft:` and its base are
    listed at. The price of the base itself does not apply to it: fine-tuned models cost more.
    """
    if model.startswith("ft:"):
        return prices.get(":".join(model.split(":", 2)[:2]))
    return prices.get(model)
