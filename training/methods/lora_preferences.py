"""Preference optimisation of an adapter: of two lines in one place the better one is made likelier (TRL's DPO).

It goes on from an adapter that there is, which is also what it is held to. It knows pairs and a run's folder; what is
published is an adapter like any other.

Rafailov et al. 2023, Direct Preference Optimization, arXiv 2305.18290.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from transformers import PrinterCallback
from trl import DPOConfig, DPOTrainer
from trl.trainer.utils import use_adapter

from bot.student.records.reading import DataError
from training.methods import lora_base, lora_rows
from training.methods.lora import (
    CHECKPOINTS,
    LONGEST,
    Tell,
    asked_of,
    last_checkpoint,
    save,
    settle,
    together,
    verified,
    write,
)
from training.methods.lora_base import NOT_TRAINED, Base
from training.methods.lora_settings import ADAPTER, Data, Result, Settings
from training.methods.lora_trainer import Diary, draw, read_learnt
from training.methods.preferences import Pair, messages

BETA = 0.1
"""How strongly the adapter is held to where it began; TRL's default."""


def train(  # noqa: PLR0913 - what a run is made of
    settings: Settings,
    pairs: Mapping[str, Sequence[Pair]],
    data: Data,
    start: Path,
    folder: Path,
    tell: Tell,
    *,
    resume: bool = False,
) -> Result:
    """Go on from the adapter in `start` with the pairs of both parts, to the end in `folder`; with `resume` from its
    last epoch. Raise `DataError`. Several processes call it as they do `lora.train`."""
    started = time.perf_counter()
    everyone = lora_base.processes()
    first = everyone.is_main_process
    said = tell if first else _nothing
    base = lora_base.load(settings.base, settings.precision)
    model = PeftModel.from_pretrained(base.model, start, is_trainable=True)
    with lora_rows.scratch(folder) as place:
        rows = {name: _rows(part, data, name, place) for name, part in pairs.items()}
        if first:
            described = {**settings.model_dump(), **together(), "start": start.name, "sha256": data.sha256}
            settle(folder / "settings.json", described, resume=resume)
        said(f"{len(rows['train'])} pairs to train, {len(rows['validation'])} to validate")
        trainer = _trainer_of(settings, base, model, rows, folder, said)
    trainer.train(resume_from_checkpoint=last_checkpoint(folder, said) if resume else None)
    seconds = time.perf_counter() - started
    measured = [row for row in trainer.state.log_history if "eval_loss" in row]
    if first:
        draw(trainer.state.log_history, folder / "losses.png")
        save(trainer, base, folder / ADAPTER)
    result = Result(
        folder=folder,
        seconds=seconds,
        tokens=int(max(row.get("num_tokens", 0) for row in trainer.state.log_history)),
        base_loss=measured[0]["eval_loss"],
        validation_loss=measured[-1]["eval_loss"],
        epochs=trainer.state.epoch or 0.0,
        agreement=verified(settings, base, folder / ADAPTER, asked_of(data), said) if first else None,
    )
    chosen = [row.get("eval_rewards/accuracies") for row in (measured[0], measured[-1])]
    if first:
        write(folder / "result.json", {**result.to_json(), "prefers_the_better": chosen})
    said(f"prefers the better line in {chosen[-1]:.0%} of the validation pairs")
    everyone.wait_for_everyone()
    return result


def _trainer_of(  # noqa: PLR0913 - what a trainer is made of
    settings: Settings, base: Base, model: Any, rows: Mapping[str, Dataset], folder: Path, tell: Tell
) -> LeanPreferences:
    cuda = torch.cuda.is_available()
    trainer = LeanPreferences(
        model=model,
        args=DPOConfig(
            output_dir=str(folder / CHECKPOINTS),
            num_train_epochs=settings.epochs,
            per_device_train_batch_size=settings.batch,
            per_device_eval_batch_size=settings.batch,
            learning_rate=settings.learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=0.1,
            beta=BETA,
            max_length=LONGEST,
            bf16=False,
            use_cpu=not cuda,
            dataloader_pin_memory=cuda,
            activation_checkpointing=False,
            precompute_ref_log_probs=True,
            eval_strategy="epoch",
            eval_on_start=True,
            save_strategy="epoch",
            save_total_limit=2,
            logging_steps=5,
            seed=settings.seed,
            report_to="none",
            disable_tqdm=not os.isatty(2),
            ddp_find_unused_parameters=False,
        ),
        train_dataset=rows["train"],
        eval_dataset=rows["validation"],
        processing_class=base.tokenizer,
        callbacks=[Diary(folder, _nothing_said, tell)],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


class LeanPreferences(DPOTrainer):  # type: ignore[misc]
    """Reads what all lines of a batch begin with only once: the loss is `DPOTrainer`'s."""

    def compute_ref_log_probs(self, model: Any, inputs: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """The log-likelihood of each better and each worse line by the adapter that was begun with."""
        bare = self.accelerator.unwrap_model(model)
        with torch.no_grad(), use_adapter(bare, "ref"):
            return self._likelihoods(model, inputs)

    def _compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool) -> Any:
        better, worse = self._likelihoods(model, inputs)
        rewards = [
            self.beta * (better - inputs["ref_chosen_logps"]),
            self.beta * (worse - inputs["ref_rejected_logps"]),
        ]
        margins = rewards[0] - rewards[1]
        figures = {
            "accuracies": (margins > 0).float(),
            "margins": margins,
            "chosen": rewards[0],
            "rejected": rewards[1],
        }
        mode = "train" if self.model.training else "eval"
        for name, values in figures.items():
            mean = self.accelerator.gather(values.detach()).mean().item()
            self._metrics[mode][f"rewards/{name}"].append(mean)
        if self.model.training:
            read = self.accelerator.gather_for_metrics(inputs["attention_mask"].sum()).sum()
            self._total_train_tokens += int(read)
        self._metrics[mode]["num_tokens"] = [self._total_train_tokens]
        loss = -torch.nn.functional.logsigmoid(margins).mean()
        return (loss, {"margins": margins.detach()}) if return_outputs else loss

    def _likelihoods(self, model: Any, inputs: dict[str, Any]) -> tuple[torch.Tensor, torch.Tensor]:
        """Nats of every better and of every worse line, its end included."""
        ids = inputs["input_ids"]
        labels = ids.masked_fill(inputs["completion_mask"] == 0, NOT_TRAINED)
        logits, wanted, _, rows = read_learnt(
            model, self.accelerator.unwrap_model(model), ids, labels, inputs["attention_mask"]
        )
        each = -torch.nn.functional.cross_entropy(logits, wanted, reduction="none")
        better, worse = torch.zeros(len(ids), device=ids.device).index_add(0, rows, each).chunk(2)
        return better, worse


def _rows(pairs: Sequence[Pair], data: Data, part: str, folder: Path) -> Dataset:
    found = (
        {
            "prompt": [asdict(each) for each in prompt],
            "chosen": [{"role": "assistant", "content": pair.chosen}],
            "rejected": [{"role": "assistant", "content": pair.rejected}],
        }
        for pair in pairs
        if (prompt := messages(pair, data.children, data.lessons)) is not None
    )
    rows = lora_rows.on_disk(found, folder / f"{part}.arrow")
    if rows is None:
        raise DataError(
            f"{part}: no pair can be trained; expected a known child and lesson, a thought, a teacher's turn"
        )
    return rows


def _nothing_said(_: Any) -> list[dict[str, str]]:
    return []


def _nothing(_: str) -> None:
    pass
