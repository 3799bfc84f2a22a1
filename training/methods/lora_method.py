"""A LoRA adapter for the embedded model, as a way of training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bot.models.prices import Price
from training.methods.lora_command import lora
from training.methods.method import Estimate, Method

if TYPE_CHECKING:
    from training.corpus.tokens import Tokens


def _estimate(tokens: Tokens, _: Mapping[str, Price], __: str) -> Estimate:
    both = tokens.prompt + tokens.answer
    return Estimate("lora", "one epoch on your own machine", both, None, "electricity is not measured")


LORA = Method("lora", lora, "LoRA", {"lora": "local weights (LoRA)"}, _estimate)
