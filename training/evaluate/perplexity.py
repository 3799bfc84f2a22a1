"""How well a student's words are foretold: the perplexity of the child's turns in dialogues it has never seen.

The dialogues are rendered and read as in training, at full precision, and only the child's words and their ends
are counted. It knows conversations, tokens and adapters' folders; how an adapter was made is not its business.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel

from bot.student.records.child import Child
from bot.student.records.dialogue import Dialogue
from bot.student.records.lesson import Lesson
from bot.student.records.reading import DataError
from training.evaluate.bootstrap import Interval, mean_interval, paired_interval
from training.methods.lora_base import NOT_TRAINED, Base, encode
from training.methods.lora_trainer import read_learnt
from training.methods.rendering import conversations

BATCH = 4
"""Conversations read at once; more of them cost memory and, on a processor, save nothing."""


@dataclass(frozen=True, slots=True)
class Row:
    """One conversation of a dialogue in tokens, with labels as in training."""

    dialogue: str
    ids: Sequence[int]
    labels: Sequence[int]


@dataclass(frozen=True, slots=True)
class Scored:
    """How surprising each token of the child's words was, in nats, by dialogue and in its order."""

    losses: Mapping[str, tuple[float, ...]]

    @property
    def tokens(self) -> int:
        """How many tokens were foretold."""
        return sum(map(len, self.losses.values()))

    @property
    def perplexity(self) -> float:
        """Of all tokens alike: among how many equally likely ones the model was left to choose."""
        return math.exp(sum(map(sum, self.losses.values())) / self.tokens)

    def by_dialogue(self) -> dict[str, float]:
        """Each dialogue's own perplexity."""
        return {name: math.exp(sum(each) / len(each)) for name, each in self.losses.items()}

    def interval(self) -> Interval:
        """The perplexity with its 95 % interval, dialogues being drawn."""
        nats = mean_interval(self.losses)
        return Interval(*(math.exp(each) for each in (nats.mean, nats.low, nats.high)))

    def against(self, other: Scored) -> Interval:
        """This one's perplexity as a share of `other`'s, with its 95 % interval: below 1 is better."""
        ours, theirs = (
            {
                name: {str(place): loss for place, loss in enumerate(each)}
                for name, each in side.losses.items()
            }
            for side in (self, other)
        )
        nats = paired_interval(ours, theirs)
        return Interval(*(math.exp(each) for each in (nats.mean, nats.low, nats.high)))


def rows_of(
    base: Base,
    dialogues: Iterable[Dialogue],
    children: Mapping[str, Child],
    lessons: Mapping[str, Lesson],
) -> list[Row]:
    """All that the child says in the dialogues, each turn once; raise `DataError` when that is nothing."""
    rows = []
    for dialogue in dialogues:
        for conversation in conversations([dialogue], children, lessons, again=False):
            found = encode(base, conversation)
            rows.append(Row(dialogue.id, found["input_ids"], found["labels"]))
    if not rows:
        raise DataError("no dialogue can be scored; expected known children and lessons, and thoughts")
    return rows


def score(base: Base, rows: Sequence[Row], adapter: Path | None, done: Callable[[int], object]) -> Scored:
    """Foretell the rows with the base model, or with the adapter in that folder on it.

    `done` is told of every so many rows. Raise `DataError` for an adapter that does not fit.
    """
    model = base.model if adapter is None else _adapted(base, adapter)
    model.eval()
    parts: dict[int, list[float]] = {}
    try:
        for batch in _batches(rows):
            parts |= zip(batch, _losses(model, [rows[place] for place in batch]), strict=True)
            done(len(batch))
    finally:
        if adapter is not None:
            model.unload()
    losses: dict[str, tuple[float, ...]] = {}
    for place, row in enumerate(rows):
        losses[row.dialogue] = (*losses.get(row.dialogue, ()), *parts[place])
    return Scored(losses)


def _adapted(base: Base, adapter: Path) -> Any:
    model = None
    try:
        model = PeftModel(base.model, LoraConfig.from_pretrained(str(adapter)))
        model.load_adapter(str(adapter), adapter_name="default")
    except Exception as error:  # noqa: BLE001 - each library has errors of its own
        # No half of an adapter may stay on the model.
        if model is not None:
            model.unload()
        said = str(error).strip().partition("\n")[0][:200]
        raise DataError(f"{adapter}: is no adapter for {base.id}: {said}") from None
    return model


def _batches(rows: Sequence[Row]) -> Iterator[list[int]]:
    """Places of rows of about the same length."""
    ordered = sorted(range(len(rows)), key=lambda place: len(rows[place].ids))
    for first in range(0, len(ordered), BATCH):
        yield ordered[first : first + BATCH]


def _losses(model: Any, rows: Sequence[Row]) -> list[list[float]]:
    longest = max(len(row.ids) for row in rows)

    def padded(part: Callable[[Row], Sequence[int]], filling: int) -> torch.Tensor:
        lines = [[*part(row), *[filling] * (longest - len(row.ids))] for row in rows]
        return torch.tensor(lines, device=model.device)

    ids, labels = padded(lambda row: row.ids, 0), padded(lambda row: row.labels, NOT_TRAINED)
    mask = padded(lambda row: [1] * len(row.ids), 0)
    with torch.inference_mode():
        logits, wanted, _, places = read_learnt(model, model, ids, labels, mask)
        losses = torch.nn.functional.cross_entropy(logits, wanted, reduction="none")
    found: list[list[float]] = [[] for _ in rows]
    for place, loss in zip(places.tolist(), losses.tolist(), strict=True):
        found[place].append(loss)
    return found
