"""Attention for training on a CPU, where torch's own is slow in bfloat16: half of a step's time, with it a quarter.

The heads that share a key are multiplied with it at once, in plain matrix products. It knows tensors only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import eager_mask

NAME = "grouped"


def grouped(  # noqa: PLR0913 - the signature is transformers'
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float,
    dropout: float = 0.0,
    lengths: Sequence[int] | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention as Llama models call it: [batch, heads, tokens, size] in, [batch, tokens, heads, size] out.

    With `lengths`, a batch of one holds texts of these many tokens, one after the other; each sees itself and the
    keys that were there before all of them, and the mask is not asked.
    """
    query, dropped = query * scaling, dropout if module.training else 0.0
    if lengths is None:
        return _attend(query, key, value, attention_mask, dropped).transpose(1, 2).contiguous(), None
    shared = key.shape[2] - query.shape[2]
    longest = max(lengths)
    later = torch.full((longest, shared + longest), -torch.inf, dtype=query.dtype, device=query.device)
    later = later.triu(shared + 1)
    texts = [
        _attend(
            own,
            torch.cat([key[:, :, :shared], own_key], dim=2),
            torch.cat([value[:, :, :shared], own_value], dim=2),
            later[None, None, : own.shape[2], : shared + own.shape[2]],
            dropped,
        )
        for own, own_key, own_value in zip(
            query.split(lengths, dim=2),
            key[:, :, shared:].split(lengths, dim=2),
            value[:, :, shared:].split(lengths, dim=2),
            strict=True,
        )
    ]
    return torch.cat(texts, dim=2).transpose(1, 2).contiguous(), None


def _attend(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor | None, dropout: float
) -> torch.Tensor:
    """[batch, heads, tokens, size] of scaled queries, and the like of keys and values with fewer heads."""
    batch, heads, tokens, size = query.shape
    groups = key.shape[1]
    together = query.reshape(batch, groups, heads // groups * tokens, size)
    scores = (together @ key.transpose(2, 3)).view(batch, groups, heads // groups, tokens, -1)
    if mask is not None:
        scores += mask[:, :, None]
    weights = torch.nn.functional.dropout(torch.softmax(scores, dim=-1), dropout)
    mixed = weights.view(batch, groups, heads // groups * tokens, -1) @ value
    return mixed.view(batch, heads, tokens, size)


def packs(model: Any) -> bool:
    """Whether `model` attends by this module, and so knows `lengths`."""
    return bool(model.config._attn_implementation == NAME)  # noqa: SLF001 - transformers has no other way to ask


AttentionInterface.register(NAME, grouped)
AttentionMaskInterface.register(NAME, eager_mask)
