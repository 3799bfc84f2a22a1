"""Training tokens per second: `python -m training lora` against the plain loop that one writes first, on the same
conversations. Run: python -m benchmarks.train [--dialogues 8] [--batch 8] [--once]

The plain loop holds the weights in float32, pads all conversations to the longest, as a tokenizer does that gets
them at once, and takes the loss on everything; the adapter is the same. Loading is not counted. The processor's own
seconds tell what a busy machine hides. Its batches are of 4: 8 take it 13 GB of memory.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import EarlyStoppingCallback

from bot.config import load
from bot.models.engines.weights import served_gguf
from bot.student.lessons import read_lessons
from bot.student.records.child import read_children
from training.corpus.read import sound
from training.methods import lora, lora_base, lora_settings
from training.methods.lora_base import NOT_TRAINED
from training.methods.rendering import parts

DATA = Path("data")
SEED = 7
PLAIN_BATCH = 4


def main(dialogues: int, batch: int, *, again: bool) -> None:
    """Run both on the same conversations and print their pace."""
    warnings.simplefilter("ignore")
    torch.manual_seed(SEED)
    files = [path for path in sorted((DATA / "dialogues").glob("*.jsonl")) if path.name != "test.jsonl"]
    train, validation = parts([dialogue for _, dialogue in sound(files)])
    chosen = train[:: max(1, len(train) // dialogues)][:dialogues]
    data = lora_settings.Data(
        chosen, validation[:1], read_children(DATA / "children"), read_lessons(DATA / "lessons")
    )
    settings = lora_settings.Settings(
        base=str(served_gguf(load())), epochs=1, batch=batch, seed=SEED, again=again
    )
    base = lora_base.load(settings.base)
    folder = Path(tempfile.mkdtemp())
    rows = {part: lora.encoded_part(base, data, part, settings, folder) for part in ("train", "validation")}
    lengths = [len(row) for row in rows["train"]["input_ids"]]
    learnt = sum(label != NOT_TRAINED for labels in rows["train"]["labels"] for label in labels)
    print(f"{len(lengths)} conversations, {sum(lengths)} tokens ({learnt} learnt), batches of {batch},"
          f" {torch.get_num_threads()} threads")  # fmt: skip
    ours = _timed(_command(settings, base, rows))
    _print(f"training lora ({base.model.dtype}".replace("torch.", "") + ")", sum(lengths), learnt, ours)
    del base
    plain = _timed(_plain(settings, list(rows["train"]["input_ids"])))
    _print("plain loop (float32)", sum(lengths), learnt, plain)
    print(f"ratio {plain[0] / ours[0]:.2f} by the clock, {plain[1] / ours[1]:.2f} by processor seconds")


def _command(
    settings: lora_settings.Settings, base: lora_base.Base, rows: Mapping[str, Any]
) -> Callable[[], object]:
    """The run's own trainer for one epoch, without validation and checkpoints."""
    folder = Path(tempfile.mkdtemp())
    trainer = lora.trainer_of(settings, base, rows, folder, [], lambda _: None)
    trainer.remove_callback(EarlyStoppingCallback)
    trainer.args.eval_on_start = False
    trainer.args.eval_strategy = trainer.args.save_strategy = "no"
    trainer.args.load_best_model_at_end = False
    return lambda: trainer.train()  # noqa: PLW0108 - its own type is unknown


def _plain(settings: lora_settings.Settings, rows: list[list[int]]) -> Callable[[], object]:
    base = lora_base.load(settings.base, "float32")
    preset = lora_settings.PRESETS[settings.preset]
    model = get_peft_model(
        base.model,
        LoraConfig(
            r=preset.rank,
            lora_alpha=preset.alpha,
            target_modules=list(preset.targets),
            lora_dropout=preset.dropout,
            task_type="CAUSAL_LM",
        ),
    )
    optimizer = torch.optim.AdamW(
        [each for each in model.parameters() if each.requires_grad], lr=settings.learning_rate
    )
    order = list(rows)
    random.Random(SEED).shuffle(order)

    def run() -> None:
        model.train()
        longest = max(map(len, order))
        for start in range(0, len(order), PLAIN_BATCH):
            chosen = order[start : start + PLAIN_BATCH]
            ids = torch.tensor([row + [base.tokenizer.pad_token_id] * (longest - len(row)) for row in chosen])
            seen = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in chosen])
            labels = ids.masked_fill(seen == 0, NOT_TRAINED)
            model(input_ids=ids, attention_mask=seen, labels=labels).loss.backward()
            optimizer.step()
            optimizer.zero_grad()

    return run


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def _print(name: str, tokens: int, learnt: int, seconds: tuple[float, float]) -> None:
    clock, processor = seconds
    print(f"{name:26} {tokens / clock:7.1f} tokens/s ({learnt / clock:5.1f} learnt/s)"
          f"   {clock:6.1f} s by the clock, {processor:6.1f} s of the processor", flush=True)  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dialogues", type=int, default=8)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--once", action="store_true", help="each turn once, without the second tries")
    arguments = parser.parse_args()
    main(arguments.dialogues, arguments.batch, again=not arguments.once)
