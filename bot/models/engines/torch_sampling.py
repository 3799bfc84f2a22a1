"""The next token of every row of a batch in torch, each by the row's own sampling, seed and length.

It knows tokens and their likelihoods; nothing of how a model is loaded or who asks.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import torch

from bot.models.engines.base import Completion, Sampling


@dataclass(slots=True)
class Request:
    """One row to be: `ids` is the rendered prompt. `stopped` is set by whoever no longer waits for it."""

    ids: list[int]
    sampling: Sampling
    adapter: str
    done: asyncio.Future[Completion]
    written: list[int] = field(default_factory=list)
    text: str = ""
    stopped: bool = False


class Rows:
    """Picks each row's next token by the row's own settings, and lets `generate` see only that one.

    A row that is at its end, or that nobody waits for any more, gets the token that ends it.
    """

    def __init__(self, rows: list[Request], tokenizer: Any, ends: list[int]) -> None:
        self._rows = rows
        self._tokenizer = tokenizer
        self._ends = ends
        self._generators = [_generator(row.sampling.seed) for row in rows]
        self._over = [False] * len(rows)

    def __call__(self, _ids: Any, scores: Any) -> Any:
        """`scores` (rows by vocabulary) with minus infinity for all but each row's next token."""
        chosen = torch.full((len(self._rows),), self._ends[0])
        shares = scores.float().cpu()
        for place, row in enumerate(self._rows):
            self._over[place] |= row.stopped
            if not self._over[place]:
                chosen[place] = self._next(row, shares[place], self._generators[place])
                self._over[place] = self._take(row, int(chosen[place]))
        only = torch.full_like(scores, -torch.inf)
        return only.scatter_(1, chosen.to(scores.device)[:, None], 0.0)

    def _take(self, row: Request, token: int) -> bool:
        """Write the token down; whether the row is at its end with it."""
        if token in self._ends:
            return True
        row.written.append(token)
        row.text = self._tokenizer.decode(row.written, skip_special_tokens=True)
        for stop in row.sampling.stop:
            if stop in row.text:
                row.text = row.text[: row.text.index(stop)]
                return True
        return len(row.written) >= row.sampling.max_tokens

    @staticmethod
    def _next(row: Request, logits: Any, generator: Any) -> int:
        sampling = row.sampling
        if sampling.temperature <= 0:
            return int(logits.argmax())
        likely = torch.softmax(logits, dim=-1)
        left_out = likely < sampling.min_p * likely.max()
        if sampling.top_p < 1:
            shares, order = likely.sort(descending=True)
            left_out[order[shares.cumsum(0) - shares >= sampling.top_p]] = True
        heated = (logits / sampling.temperature).masked_fill(left_out, -torch.inf)
        return int(torch.multinomial(torch.softmax(heated, dim=-1), 1, generator=generator))


def _generator(seed: int | None) -> Any:
    generator = torch.Generator()
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    return generator
