"""TRL's trainer for long prompts with few words to learn, and what a run writes down while it trains.

It knows tensors, losses and epochs. Where the conversations come from and what becomes of the adapter is
the run's business.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from peft.helpers import disable_input_dtype_casting
from transformers import TrainerCallback
from trl import SFTTrainer

from training.methods import lora_attention
from training.methods.lora_base import NOT_TRAINED

FEWEST_SHARED = 32
"""Tokens; reading a shorter start once is not worth a pass of its own."""


class LeanTrainer(SFTTrainer):  # type: ignore[misc]
    """Reads what all conversations of a batch begin with only once, and scores only what is learnt.

    Loss and gradients are those of `SFTTrainer`, which reads the prompt's rules and examples again for each
    conversation and, without a GPU, compares every token of the prompt with the whole vocabulary.
    """

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> Any:
        """The mean loss of the labelled tokens, over all processes and accumulated batches where told."""
        if self.is_fsdp_enabled:
            # The head is in pieces outside of the model's own pass.
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        bare = self.accelerator.unwrap_model(model)
        logits, wanted, out, _ = read_learnt(
            model, bare, inputs["input_ids"], inputs["labels"], inputs["attention_mask"]
        )
        loss = torch.nn.functional.cross_entropy(logits, wanted, reduction="sum")
        loss = loss / (len(wanted) if num_items_in_batch is None else num_items_in_batch)
        if num_items_in_batch is not None and self.args.average_tokens_across_devices:
            loss = loss * self.accelerator.num_processes
        if self.model.training:
            read_tokens = self.accelerator.gather_for_metrics(inputs["attention_mask"].sum()).sum()
            self._total_train_tokens += int(read_tokens)
        return (loss, out) if return_outputs else loss

    @property
    def tokens(self) -> int:
        """All tokens of the conversations trained so far, on all processes."""
        return int(self._total_train_tokens)


def read_learnt(
    model: Any, bare: Any, ids: torch.Tensor, labels: torch.Tensor, mask: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, Any, torch.Tensor]:
    """Logits and wanted tokens of all that is learnt, the model's output, and each learnt token's row.

    `bare` is `model` without what trains it on several devices; rows are padded on the right.
    """
    head = bare.get_output_embeddings()
    # No position's logits: the head is applied below, to the few that are learnt.
    none = torch.empty(0, dtype=torch.long, device=ids.device)
    more: dict[str, Any] = {"use_cache": False, "output_hidden_states": True, "logits_to_keep": none}
    start = shared_start(ids, labels)
    start = start if start >= FEWEST_SHARED else 0
    half = head.weight.dtype == torch.bfloat16
    own, rows = ids[:, start:], torch.arange(len(ids), device=ids.device)
    wanted = torch.nn.functional.pad(labels[:, start + 1 :], (0, 1), value=NOT_TRAINED)
    if lora_attention.packs(bare):
        real = mask[:, start:].bool()
        places = start + torch.arange(own.shape[1], device=ids.device).expand_as(own)
        more |= {"lengths": real.sum(dim=1).tolist(), "position_ids": places[real][None]}
        own, wanted, rows = own[real][None], wanted[real][None], rows[:, None].expand_as(real)[real][None]
    else:
        more["attention_mask"] = mask
        rows = rows[:, None].expand_as(own)
    # The adapter's numbers are float32, so that small steps count; products are of the base's precision.
    with (
        torch.autocast(ids.device.type, torch.bfloat16, enabled=half),
        disable_input_dtype_casting(bare, half),
    ):
        if start:
            before = model(input_ids=ids[:1, :start], use_cache=True, logits_to_keep=none).past_key_values
            before.batch_repeat_interleave(own.shape[0])
            more["past_key_values"] = before
        out = model(input_ids=own, **more)
        learnt = wanted != NOT_TRAINED
        logits = head(out.hidden_states[-1][learnt]).float()
    return logits, wanted[learnt], out, rows[learnt]


def shared_start(ids: torch.Tensor, labels: torch.Tensor) -> int:
    """How many tokens at the start are the same in all rows of a batch, and only read; 0 for a single row."""
    if ids.shape[0] == 1:
        return 0
    apart = ((ids != ids[:1]) | (labels != NOT_TRAINED)).any(dim=0)
    # The first label is learnt from the token before it.
    return max(0, int(apart.int().argmax()) - 1) if bool(apart.any()) else 0


class Diary(TrainerCallback):  # type: ignore[misc]
    """Every figure into log.jsonl, and the replies to the same prompts after each epoch into samples.jsonl."""

    def __init__(
        self,
        folder: Path,
        samples: Callable[[Any], list[dict[str, str]]],
        tell: Callable[[str], object],
    ) -> None:
        self._folder = folder
        self._samples = samples
        self._tell = tell
        self._loss: float | None = None

    def on_log(
        self, _args: Any, state: Any, _control: Any, logs: Mapping[str, float] | None = None, **_: Any
    ) -> None:
        """A step's or a validation's figures."""
        if not state.is_world_process_zero or not logs:
            return
        _append(self._folder / "log.jsonl", {"step": state.global_step, **logs})
        self._loss = logs.get("loss", self._loss)
        if "eval_loss" in logs:
            trained = "" if self._loss is None else f"training loss {self._loss:.4f}, "
            self._tell(f"epoch {logs.get('epoch', 0):.2f}: {trained}validation loss {logs['eval_loss']:.4f}")

    def on_evaluate(self, _args: Any, state: Any, _control: Any, model: Any = None, **_: Any) -> None:
        """After each epoch's validation."""
        if state.is_world_process_zero and model is not None:
            for row in self._samples(model):
                _append(self._folder / "samples.jsonl", {"epoch": round(state.epoch or 0, 2), **row})


def draw(history: list[dict[str, float]], path: Path) -> None:
    """The losses over the epochs as a picture (PNG)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow to load
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(7, 4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for key, label in (("loss", "training"), ("eval_loss", "validation")):
        points = [(row["epoch"], row[key]) for row in history if key in row and "epoch" in row]
        if points:
            axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=label)
    axes.set(xlabel="epoch", ylabel="loss on the child's words (nats a token)")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)


def _append(path: Path, row: Mapping[str, Any]) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
