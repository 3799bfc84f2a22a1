"""A folder as of Hugging Face: a random Llama of 32 numbers a token, with the embedded model's tokenizer. It needs the
extra train."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from bot.models.engines.torch_loading import quiet_transformers, split_digits
from bot.models.engines.weights import embedded_gguf


def write_tiny_llama(folder: Path) -> Path:
    """Write it to `folder`, the same each time; returns the folder."""
    gguf = embedded_gguf()
    with quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
    split_digits(tokenizer, gguf)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        vocab_size=len(tokenizer),
        tie_word_embeddings=True,
        eos_token_id=2,
        pad_token_id=2,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder
