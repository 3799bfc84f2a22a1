"""How many tokens the dialogues make in each way of training, and what that costs.

Tokens are counted offline with OpenAI's table o200k_base from the copy that litellm's package carries; a local
model's own table gives somewhat other figures. A price that data/prices.toml does not have is unknown, never 0.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from bot.models.prices import Price, price_of
from training.corpus.examples import Example

ENCODING = "o200k_base"
MODEL = "gpt-4.1-nano-2025-04-14"
"""The cheapest model that OpenAI fine-tunes."""
A_MESSAGE = 4
"""Tokens that a chat's marks add to each message, as OpenAI's cookbook counts them."""


@dataclass(frozen=True, slots=True)
class Method:
    """One way of training: what its tokens are counted for, and the dollars, None where not known."""

    name: str
    what: str
    tokens: int
    cost_usd: float | None
    why_unknown: str = ""

    def to_json(self) -> dict[str, Any]:
        """For machines; an unknown cost is null."""
        return {"method": self.name, "what": self.what, "tokens": self.tokens, "cost_usd": self.cost_usd}


@dataclass(slots=True)
class Tokens:
    """Counts training examples one by one."""

    count: Callable[[str], int]
    examples: int = 0
    prompt: int = 0
    answer: int = 0

    def add(self, example: Example) -> None:
        """Count one student turn's prompt and answer."""
        self.examples += 1
        self.prompt += sum(A_MESSAGE + self.count(message.content) for message in example.messages)
        self.answer += A_MESSAGE + self.count(example.answer)

    def methods(self, prices: Mapping[str, Price], model: str = MODEL) -> list[Method]:
        """What each method reads, and its price."""
        both = self.prompt + self.answer
        price = price_of(model, prices)
        training = None if price is None else price.usd_per_million_training
        return [
            Method(
                "dspy",
                f"one answer of {model} to every student turn; an optimisation asks several times",
                both,
                None if price is None else price.cost(self.prompt, self.answer),
                f"data/prices.toml has no price of {model}",
            ),
            Method(
                "openai",
                f"one epoch of fine-tuning {model}",
                both,
                None if training is None else both * training / 1_000_000,
                f"data/prices.toml has no training price of {model}",
            ),
            Method("lora", "one epoch on your own machine", both, None, "electricity is not measured"),
        ]


def counter() -> Callable[[str], int] | None:
    """How many tokens a text has, or None where litellm's tables are not there."""
    spec = importlib.util.find_spec("litellm")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "litellm_core_utils" / "tokenizers"
    if not folder.is_dir():
        return None
    # tiktoken looks here before the network; without it every run would ask a server.
    os.environ["TIKTOKEN_CACHE_DIR"] = str(folder)
    import tiktoken  # noqa: PLC0415

    try:
        encoding = tiktoken.get_encoding(ENCODING)
    except (OSError, ValueError):
        return None

    @lru_cache(maxsize=20_000)
    def count(text: str) -> int:
        return len(encoding.encode_ordinary(text))

    return count
