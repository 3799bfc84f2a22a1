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

from bot.student.records.child import Child
from bot.student.records.lesson import Lesson
from bot.student.records.reading import DataError
from training.methods import lora_base
from training.methods.lora import CHECKPOINTS, LONGEST, Tell, asked_of, save, settle, verified, write
from training.methods.lora_base import NOT_TRAINED
from training.methods.lora_settings import ADAPTER, Data, Result, Settings
from training.methods.lora_trainer import Diary, draw, read_learnt
from training.methods.preferences import Pair, messages

BETA = 0.1
"""How strongly the adapter is held to where it began; TRL's default."""


def train(  # noqa: PLR0913 - what a run is made of
    settings: Settings, pairs: Mapping[str, Sequence[Pair]], data: Data, start: Path, folder: Path, tell: Tell
) -> Result:
    """Go on from the adapter in `start` with the pairs of both parts; raise `DataError`."""
    started = time.perf_counter()
    base = lora_base.load(settings.base, settings.precision)
    model = PeftModel.from_pretrained(base.model, start, is_trainable=True)
    rows = {name: _rows(part, data.children, data.lessons, name) for name, part in pairs.items()}
    folder.mkdir(parents=True, exist_ok=True)
    settle(folder / "settings.json", {**settings.model_dump(), "start": start.name}, resume=False)
    tell(f"{len(rows['train'])} pairs to train, {len(rows['validation'])} to validate")
    asked = asked_of(data)
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
            save_strategy="no",
            logging_steps=5,
            seed=settings.seed,
            report_to="none",
            disable_tqdm=not os.isatty(2),
        ),
        train_dataset=rows["train"],
        eval_dataset=rows["validation"],
        processing_class=base.tokenizer,
        callbacks=[Diary(folder, _nothing_said, tell)],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    seconds = time.perf_counter() - started
    measured = [row for row in trainer.state.log_history if "eval_loss" in row]
    draw(trainer.state.log_history, folder / "losses.png")
    save(trainer, base, folder / ADAPTER)
    result = Result(
        folder=folder,
        seconds=seconds,
        tokens=int(max(row.get("num_tokens", 0) for row in trainer.state.log_history)),
        base_loss=measured[0]["eval_loss"],
        validation_loss=measured[-1]["eval_loss"],
        epochs=trainer.state.epoch or 0.0,
        agreement=verified(settings, base, folder / ADAPTER, asked, tell),
    )
    chosen = [row.get("eval_rewards/accuracies") for row in (measured[0], measured[-1])]
    write(folder / "result.json", {**result.to_json(), "prefers_the_better": chosen})
    tell(f"prefers the better line in {chosen[-1]:.0%} of the validation pairs")
    return result


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


def _rows(
    pairs: Sequence[Pair], children: Mapping[str, Child], lessons: Mapping[str, Lesson], part: str
) -> Dataset:
    rows = [
        {
            "prompt": [asdict(each) for each in prompt],
            "chosen": [{"role": "assistant", "content": pair.chosen}],
            "rejected": [{"role": "assistant", "content": pair.rejected}],
        }
        for pair in pairs
        if (prompt := messages(pair, children, lessons)) is not None
    ]
    if not rows:
        raise DataError(
            f"{part}: no pair can be trained; expected a known child and lesson, a thought, a teacher's turn"
        )
    return Dataset.from_list(rows)


def _nothing_said(_: Any) -> list[dict[str, str]]:
    return []
