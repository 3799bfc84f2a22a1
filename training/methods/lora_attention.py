"""Attention for training on a CPU, where torch's own is slow in bfloat16: half of a step's time, with it a quarter.

The heads that share a key are multiplied with it at once, in plain matrix products. It knows tensors only.
"""

from __future__ import annotations

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
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """Attention as Llama models call it: [batch, heads, tokens, size] in, [batch, tokens, heads, size] out."""
    batch, heads, tokens, size = query.shape
    groups = key.shape[1]
    together = (query * scaling).reshape(batch, groups, heads // groups * tokens, size)
    scores = (together @ key.transpose(2, 3)).view(batch, groups, heads // groups, tokens, -1)
    if attention_mask is not None:
        scores = scores + attention_mask[:, :, None]
    weights = torch.nn.functional.dropout(torch.softmax(scores, dim=-1), dropout, module.training)
    mixed = weights.view(batch, groups, heads // groups * tokens, -1) @ value
    return mixed.view(batch, heads, tokens, size).transpose(1, 2).contiguous(), None


AttentionInterface.register(NAME, grouped)
AttentionMaskInterface.register(NAME, eager_mask)
