"""Prompt optimisation with DSPy, as a way of training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bot.models.prices import Price, price_of
from training.methods.dspy_command import dspy
from training.methods.method import Estimate, Method

if TYPE_CHECKING:
    from training.corpus.tokens import Tokens


def _estimate(tokens: Tokens, prices: Mapping[str, Price], model: str) -> Estimate:
    price = price_of(model, prices)
    return Estimate(
        "dspy",
        f"one answer of {model} to every student turn; an optimisation asks several times",
        tokens.prompt + tokens.answer,
        None if price is None else price.cost(tokens.prompt, tokens.answer),
        f"data/prices.toml has no price of {model}",
    )


DSPY = Method("dspy", dspy, "prompts (DSPy)", {"dspy": "prompts (DSPy)"}, _estimate)
