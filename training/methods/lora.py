"""One LoRA run: dialogues in, an adapter out, and a folder that says how it came about.

It knows settings, data, the trainer and the run's folder. Options and words on the terminal are the command's,
publishing is `lora_publish`'s business.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from accelerate.utils import broadcast_object_list
from datasets import Dataset
from peft import LoraConfig, PeftModel
from transformers import EarlyStoppingCallback, PrinterCallback
from trl import SFTConfig

from bot.student.records.cue import Cue
from bot.student.records.dialogue import Dialogue
from bot.student.records.reading import DataError, parse, parse_json
from bot.student.records.text import read_text
from bot.student.voicing.prompt import meaning, render
from training.harvest.origin import HARVESTED
from training.methods import lora_base, lora_rows
from training.methods.checkpoints import newest
from training.methods.gguf_adapter import CONFIG, WEIGHTS, Agreement, Shape, compare, convert
from training.methods.lora_base import NOT_TRAINED, Base
from training.methods.lora_settings import ADAPTER, PRESETS, Data, Result, Settings
from training.methods.lora_trainer import Diary, LeanTrainer, draw
from training.methods.rendering import conversations, cues

SAMPLES = 6
SAMPLE_TOKENS = 32
CHECKED_PROMPTS = 16
"""Prompts of the validation part on which PEFT's and llama.cpp's greedy replies are compared."""
LONGEST = 2048
"""Tokens of a conversation: the bot's own context."""
CHECKPOINTS = "checkpoints"

Tell = Callable[[str], object]


def train(settings: Settings, data: Data, folder: Path, tell: Tell, *, resume: bool = False) -> Result:
    """Run to the end in `folder`, or go on there with `resume`. Raise `DataError` for what a person can put right.

    Under `accelerate launch` every process calls this with the same arguments, and the first one writes.
    """
    started = time.perf_counter()
    first = lora_base.processes().is_main_process
    said = tell if first else _nothing
    base = lora_base.load(settings.base, settings.precision)
    with lora_rows.scratch(folder) as rows:
        encoded = {name: encoded_part(base, data, name, settings, rows) for name in ("train", "validation")}
        if first:
            described = {**settings.model_dump(), **together(), "data": _described(data, encoded)}
            settle(folder / "settings.json", described, resume=resume)
        said(f"{len(encoded['train'])} conversations to train, {len(encoded['validation'])} to validate")
        asked = asked_of(data) if first else []
        trainer = trainer_of(settings, base, encoded, folder, asked, said)
    trainer.train(resume_from_checkpoint=last_checkpoint(folder, said) if resume else None)
    seconds = time.perf_counter() - started
    losses = [row["eval_loss"] for row in trainer.state.log_history if "eval_loss" in row]
    if first:
        draw(trainer.state.log_history, folder / "losses.png")
        save(trainer, base, folder / ADAPTER)
    result = Result(
        folder=folder,
        seconds=seconds,
        tokens=trainer.tokens,
        base_loss=losses[0],
        validation_loss=min(losses),
        epochs=trainer.state.epoch,
        agreement=verified(settings, base, folder / ADAPTER, asked, said) if first else None,
    )
    if first:
        write(folder / "result.json", result.to_json())
    lora_base.processes().wait_for_everyone()
    return result


def encoded_part(base: Base, data: Data, part: str, settings: Settings, folder: Path) -> Dataset:
    """A part's conversations as tokens and labels, in a file of `folder`; raise `DataError` when there are none, or too
    long ones."""
    rows = lora_rows.on_disk(_encoded(base, data, part, settings), folder / f"{part}.arrow")
    if rows is None:
        raise DataError(
            f"{part}: no dialogue can be trained; expected a known child, a known lesson and thoughts"
            " (python -m training data check says what is missing)"
        )
    return rows


def _encoded(base: Base, data: Data, part: str, settings: Settings) -> Iterator[dict[str, list[int]]]:
    dialogues = data.train if part == "train" else data.validation
    # Second tries are trained on, but measured would count their turns twice.
    again = settings.again and part == "train"
    for each in conversations(dialogues, data.children, data.lessons, again=again):
        row = lora_base.encode(base, each)
        if (length := len(row["input_ids"])) > LONGEST:
            raise DataError(f"{part}: a conversation has {length} tokens, the bot shows at most {LONGEST}")
        yield row


def together() -> dict[str, int]:
    """How many processes a run has, for its settings: with another number a step would be another one. One alone says
    nothing, as runs of before did."""
    count = int(lora_base.processes().num_processes)
    return {"processes": count} if count > 1 else {}


def last_checkpoint(folder: Path, tell: Tell) -> str | None:
    """The newest whole checkpoint of a run, the same for every process; None, and told, where there is none."""
    everyone = lora_base.processes()
    found = newest(folder / CHECKPOINTS, tell, everyone.num_processes) if everyone.is_main_process else None
    last: str | None = broadcast_object_list([found])[0]
    if last is None:
        tell("no checkpoint yet: from the beginning")
    return last


def _described(data: Data, encoded: Mapping[str, Dataset]) -> dict[str, Any]:
    return {
        "sha256": data.sha256,
        **{
            part: {
                "dialogues": len(data.train if part == "train" else data.validation),
                "conversations": len(rows),
                "tokens": sum(map(len, rows["input_ids"])),
                "learnt_tokens": sum(label != NOT_TRAINED for labels in rows["labels"] for label in labels),
            }
            for part, rows in encoded.items()
        },
    }


def settle(path: Path, settings: dict[str, Any], *, resume: bool) -> None:
    """Write the settings down, or make sure that a resumed run goes on with the same ones."""
    if resume:
        before = parse(dict[str, Any], parse_json(read_text(path), place=str(path)), place=str(path))
        changed = sorted(
            key for key in before.keys() | settings.keys() if before.get(key) != settings.get(key)
        )
        if changed:
            raise DataError(f"{path}: {changed[0]} has changed since; begin a new run")
    else:
        write(path, settings)


def asked_of(data: Data) -> list[tuple[tuple[Any, ...], dict[str, str]]]:
    """Prompts spread over the validation part, with what is meant and what was said there.

    Of a harvested dialogue only the id: a run's records keep no words of people who may want to be forgotten.
    """

    def said(*, freely: bool) -> Iterator[tuple[Dialogue, Cue, str]]:
        for each in data.validation:
            for cue, words in cues(each, data.children, data.lessons):
                if freely or not cue.thought.open:
                    yield each, cue, words

    # Where the words are the model's own, rounding decides which of many it takes: those tell nothing of a conversion.
    freely = next(said(freely=False), None) is None
    step = max(1, sum(1 for _ in said(freely=freely)) // CHECKED_PROMPTS)
    return [
        (
            tuple(render(cue)),
            {"dialogue": dialogue.id}
            if dialogue.source == HARVESTED
            else {"teacher": cue.teacher, "meant": meaning(cue.thought), "said": words},
        )
        for dialogue, cue, words in islice(said(freely=freely), 0, step * CHECKED_PROMPTS, step)
    ]


def trainer_of(  # noqa: PLR0913 - what a trainer is made of
    settings: Settings,
    base: Base,
    encoded: Mapping[str, Dataset],
    folder: Path,
    asked: list[tuple[tuple[Any, ...], dict[str, str]]],
    tell: Tell,
) -> LeanTrainer:
    """TRL's trainer with all that the settings say."""
    preset = PRESETS[settings.preset]
    rank = settings.rank or preset.rank

    def samples(model: Any) -> list[dict[str, str]]:
        chosen = asked[:: max(1, len(asked) // SAMPLES)][:SAMPLES]
        replies = lora_base.greedy(base, model, [prompt for prompt, _ in chosen], tokens=SAMPLE_TOKENS)
        return [{**row, "reply": reply} for (_, row), reply in zip(chosen, replies, strict=True)]

    cuda = torch.cuda.is_available()
    trainer = LeanTrainer(
        model=base.model,
        args=SFTConfig(
            output_dir=str(folder / CHECKPOINTS),
            num_train_epochs=settings.epochs,
            per_device_train_batch_size=settings.batch,
            per_device_eval_batch_size=settings.batch,
            train_sampling_strategy="group_by_length",
            learning_rate=settings.learning_rate,
            lr_scheduler_type="cosine",
            warmup_steps=0.05,
            bf16=False,  # the weights are; autocast would widen all that comes out of the model
            use_cpu=not cuda,
            dataloader_pin_memory=cuda,
            activation_checkpointing=False,
            max_length=None,  # nothing is cut: what is too long was refused above
            eval_strategy="epoch",
            eval_on_start=True,
            prediction_loss_only=True,
            save_strategy="epoch",
            save_total_limit=2,
            load_best_model_at_end=True,
            metric_for_best_model="eval_loss",
            greater_is_better=False,
            logging_steps=5,
            seed=settings.seed,
            data_seed=settings.seed,
            report_to="none",
            disable_tqdm=not os.isatty(2),
            ddp_find_unused_parameters=False,
        ),
        train_dataset=encoded["train"],
        eval_dataset=encoded["validation"],
        processing_class=base.tokenizer,
        peft_config=LoraConfig(
            r=rank,
            lora_alpha=preset.alpha * rank // preset.rank,
            target_modules=preset.targets if isinstance(preset.targets, str) else list(preset.targets),
            lora_dropout=preset.dropout,
            bias="none",
            task_type="CAUSAL_LM",
        ),
        callbacks=[
            EarlyStoppingCallback(early_stopping_patience=settings.patience),
            Diary(folder, samples, tell),
        ],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def save(trainer: Any, base: Base, folder: Path) -> None:
    """PEFT's two files and, for a Llama model, llama.cpp's."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    # A path on this machine would tell others nothing.
    model.peft_config["default"].base_model_name_or_path = base.id
    model.save_pretrained(folder, save_embedding_layers=False, selected_adapters=["default"])
    for extra in (path for path in folder.iterdir() if path.name not in {WEIGHTS, CONFIG}):
        extra.unlink()
    if base.model.config.model_type == "llama":
        shape = base.model.config
        convert(folder, Shape(shape.num_hidden_layers, shape.num_attention_heads, shape.num_key_value_heads))


def verified(
    settings: Settings,
    base: Base,
    adapter: Path,
    asked: list[tuple[tuple[Any, ...], dict[str, str]]],
    tell: Tell,
) -> Agreement | None:
    """Whether llama.cpp says with the saved adapter what PEFT says with it, at full precision."""
    if base.gguf is None:
        return None
    exact = lora_base.load(settings.base, "float32")
    prompts = [prompt for prompt, _ in asked]
    said = lora_base.greedy(
        exact, PeftModel.from_pretrained(exact.model, adapter), prompts, tokens=SAMPLE_TOKENS
    )
    agreement = compare(base.gguf, adapter / "adapter.gguf", prompts, said, tokens=SAMPLE_TOKENS)
    tell(f"PEFT and llama.cpp agree on {agreement.same} of {agreement.prompts} replies")
    hidden = {prompt[-1].content: told["dialogue"] for prompt, told in asked if "dialogue" in told}
    different = tuple(
        (hidden.get(prompt, prompt), peft, other) for prompt, peft, other in agreement.different
    )
    return replace(agreement, different=different)


def write(path: Path, content: Mapping[str, Any]) -> None:
    """A file of the run, as JSON."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(path)


def _nothing(_: str) -> None:
    pass
