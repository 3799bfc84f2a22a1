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

from bot.models.prices import Price
from training import methods
from training.corpus.examples import Example
from training.methods.method import Estimate

ENCODING = "o200k_base"
MODEL = "gpt-4.1-nano-2025-04-14"
"""The cheapest model that OpenAI fine-tunes."""
A_MESSAGE = 4
"""Tokens that a chat's marks add to each message, as OpenAI's cookbook counts them."""


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

    def estimates(self, prices: Mapping[str, Price], model: str = MODEL) -> list[Estimate]:
        """What each way of training reads, and its price."""
        return [method.estimate(self, prices, model) for method in methods.METHODS]


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
