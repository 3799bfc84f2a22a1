"""Fine-tuning through OpenAI's API or one like it, as a way of training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bot.models.prices import Price, price_of
from training.methods.method import Estimate, Method
from training.methods.openai_command import app

if TYPE_CHECKING:
    from training.corpus.tokens import Tokens

AN_API = "an API like OpenAI's"


def _estimate(tokens: Tokens, prices: Mapping[str, Price], model: str) -> Estimate:
    both, price = tokens.prompt + tokens.answer, price_of(model, prices)
    training = None if price is None else price.usd_per_million_training
    return Estimate(
        "openai",
        f"one epoch of fine-tuning {model}",
        both,
        None if training is None else both * training / 1_000_000,
        f"data/prices.toml has no training price of {model}",
    )


OPENAI = Method(
    "openai", app, AN_API, {"openai": AN_API, "azure": f"{AN_API} (Azure)", "compatible": AN_API}, _estimate
)
