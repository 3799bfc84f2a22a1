"""The base model of a LoRA run, its tokenizer, and conversations as tokens with a label for each of the child's words.

It knows transformers and chat templates. It knows no trainer, no run and no adapter.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from accelerate import PartialState
from jinja2 import TemplateError
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, GgufConfig
from trl.chat_template_utils import get_training_chat_template

from bot.models.engines.torch_loading import quiet_transformers, split_digits
from bot.student.records.reading import DataError
from bot.student.voicing.prompt import OPENING, ChatMessage
from training.methods import lora_attention
from training.methods.rendering import Conversation

NOT_TRAINED = -100
"""The label that torch's and TRL's losses pass over."""

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['role'] == 'assistant' %}"
    "{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}{{ '\n' }}"
    "{% else %}{{ message['content'] + '<|im_end|>' + '\n' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
"""SmolLM2's own template with the assistant's words and their end marked; ours always begin with a system message."""

Precision = Literal["auto", "float32", "bfloat16", "8bit", "4bit"]


class BaseError(DataError):
    """The base model cannot be loaded or trained here; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class Base:
    """A model with its tokenizer. `gguf` is the file that the bot serves, None for a model from elsewhere."""

    id: str
    model: Any
    tokenizer: Any
    template: str
    gguf: Path | None


def has_bfloat16() -> bool:
    """Whether the processor that trains computes in bfloat16 itself; emulated, it would be slower than float32."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    able = torch.cpu.get_capabilities()
    return any(able.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def processes() -> PartialState:
    """This process among those of one run: one alone, or those that accelerate or torchrun began."""
    return PartialState(cpu=not torch.cuda.is_available())


def load(base: Path | str, precision: Precision = "auto") -> Base:
    """`base` is a GGUF file, or a folder or model id of Hugging Face; raise `BaseError`."""
    gguf = Path(base) if str(base).endswith(".gguf") else None
    if gguf is not None and not gguf.is_file():
        raise BaseError(f"{gguf}: no such file")
    more = _weights(gguf, precision)
    where = {"pretrained_model_name_or_path": str(gguf.parent if gguf else base)}
    if gguf is not None:
        where["gguf_file"] = gguf.name
    try:
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(**where)
            model = AutoModelForCausalLM.from_pretrained(**where, **more)
    except (OSError, ValueError, ImportError) as error:
        raise BaseError(f"{base}: cannot be loaded: {str(error).strip().splitlines()[0]}") from None
    if model.config.model_type == "llama" and not torch.cuda.is_available():
        model.set_attn_implementation(lora_attention.NAME)
    if gguf is not None:
        split_digits(tokenizer, gguf)
        # PEFT asks the Hub for what a model's name stands for, each time it saves; a path here stands for nothing.
        model.name_or_path = ""
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return Base(gguf.stem if gguf else str(base), model, tokenizer, training_template(tokenizer), gguf)


def training_template(tokenizer: Any) -> str:
    """The tokenizer's chat template with marks around what the assistant says; raise `BaseError`."""
    own = tokenizer.chat_template or ""
    probe = [asdict(message) for message in OPENING]
    try:
        if "{% generation" in own or "{%- generation" in own:
            return own
        if own and tokenizer.apply_chat_template(probe, tokenize=False) == tokenizer.apply_chat_template(
            probe, tokenize=False, chat_template=CHATML
        ):
            return CHATML
        return get_training_chat_template(tokenizer) or own
    except (TemplateError, ValueError):
        raise BaseError(
            "the base model's chat template cannot be trained with: expected ChatML or one with {% generation %}"
            " around the assistant's words and their end"
        ) from None


def encode(base: Base, conversation: Conversation) -> dict[str, list[int]]:
    """`input_ids` and `labels`: the child's words and their end, `NOT_TRAINED` for everything else."""
    found = base.tokenizer.apply_chat_template(
        [asdict(message) for message in conversation.messages],
        chat_template=base.template,
        return_dict=True,
        return_assistant_tokens_mask=True,
    )
    ids, marked = list(found["input_ids"]), found["assistant_masks"]
    answers = [place for place, each in enumerate(conversation.messages) if each.role == "assistant"]
    trained = {answers.index(place) for place in conversation.trained}
    labels, answer = [], -1
    for place, (token, mark) in enumerate(zip(ids, marked, strict=True)):
        answer += bool(mark and not (place and marked[place - 1]))
        labels.append(token if mark and answer in trained else NOT_TRAINED)
    if answer + 1 != len(answers):
        raise BaseError(
            f"the chat template marks {answer + 1} answers of {len(answers)}; it cannot be trained with"
        )
    return {"input_ids": ids, "labels": labels}


def greedy(base: Base, model: Any, prompts: Iterable[Sequence[ChatMessage]], *, tokens: int) -> list[str]:
    """What `model` replies when it always takes the likeliest token, up to `tokens` of them."""
    was_training = model.training
    model.eval()
    said = []
    for prompt in prompts:
        inputs = base.tokenizer.apply_chat_template(
            [asdict(message) for message in prompt],
            add_generation_prompt=True,
            return_dict=True,
            return_tensors="pt",
        ).to(model.device)
        with torch.inference_mode():
            out = model.generate(**inputs, max_new_tokens=tokens, do_sample=False)
        said.append(
            base.tokenizer.decode(out[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True).strip()
        )
    model.train(was_training)
    return said


def _weights(gguf: Path | None, precision: Precision) -> dict[str, Any]:
    """What `from_pretrained` is told about the numbers."""
    if precision in {"8bit", "4bit"}:
        if gguf is not None:
            raise BaseError(
                f"precision {precision}: the GGUF is unpacked to train; choose another base for it"
            )
        if not torch.cuda.is_available() or importlib.util.find_spec("bitsandbytes") is None:
            raise BaseError(
                f"precision {precision}: needs a CUDA GPU and bitsandbytes; without, choose bfloat16"
            )
        packed = (
            BitsAndBytesConfig(load_in_8bit=True)
            if precision == "8bit"
            else BitsAndBytesConfig(
                load_in_4bit=True,
                bnb_4bit_quant_type="nf4",
                bnb_4bit_use_double_quant=True,
                bnb_4bit_compute_dtype=torch.bfloat16,
            )
        )
        return {"quantization_config": packed, "device_map": {"": processes().local_process_index}}
    chosen = precision if precision != "auto" else "bfloat16" if has_bfloat16() else "float32"
    more: dict[str, Any] = {"dtype": getattr(torch, chosen)}
    if gguf is not None:
        # Plain weights, without the marks of a quantiser that would keep adapters from being saved.
        more["quantization_config"] = GgufConfig(dequantize=True)
    return more
