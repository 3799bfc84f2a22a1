"""What decides a LoRA run and what becomes of it: presets, settings, data, result. It trains nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.student.records.child import Child
from bot.student.records.dialogue import Dialogue
from bot.student.records.lesson import Lesson
from training.harvest.origin import Origins
from training.methods.gguf_adapter import Agreement
from training.methods.lora_base import Precision

ADAPTER = "adapter"

PresetName = Literal["seed", "all-linear"]


@dataclass(frozen=True, slots=True)
class Preset:
    """Where an adapter sits and how strong it is."""

    rank: int
    alpha: int
    targets: tuple[str, ...] | str
    dropout: float


PRESETS: Mapping[PresetName, Preset] = {
    "seed": Preset(8, 32, ("q_proj", "v_proj"), dropout=0.05),
    "all-linear": Preset(8, 16, "all-linear", dropout=0.0),
}


class Settings(BaseModel):
    """All that decides what a run makes, beside its data."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: PresetName = "seed"
    rank: int | None = Field(default=None, ge=1, le=256)
    """Another one than the preset's; alpha is scaled with it, so that the learning rate keeps its meaning."""
    base: str
    precision: Precision = "auto"
    epochs: float = Field(default=3, gt=0)
    learning_rate: float = Field(default=1e-3, gt=0)
    batch: int = Field(default=8, ge=1)
    """Conversations of one step and process."""
    patience: int = Field(default=2, ge=1)
    """Validations without a better loss before the run ends."""
    again: bool = True
    """Whether second tries are trained, too: see `rendering.conversations`."""
    seed: int = Field(default=7, ge=0)


@dataclass(frozen=True, slots=True)
class Data:
    """Dialogues by part, with what is needed to render them."""

    train: Collection[Dialogue]
    validation: Collection[Dialogue]
    children: Mapping[str, Child]
    lessons: Mapping[str, Lesson]
    origins: Origins = field(default_factory=Origins)

    @property
    def sha256(self) -> str:
        """Of the training dialogues, a line each."""
        found = hashlib.sha256()
        for each in self.train:
            found.update(f"{each.to_line()}\n".encode())
        return found.hexdigest()

    @property
    def dialogues(self) -> Iterator[Dialogue]:
        """Of both parts, once."""
        return chain(self.train, self.validation)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a run. Losses are nats a token of the child's words; the base's is of no adapter at all."""

    folder: Path
    seconds: float
    tokens: int
    """Of the conversations as rendered, every epoch counted."""
    base_loss: float
    validation_loss: float
    epochs: float
    agreement: Agreement | None
    """None for a base that llama.cpp does not serve here."""

    @property
    def adapter(self) -> Path:
        """The folder of the adapter's files."""
        return self.folder / ADAPTER

    def to_json(self) -> dict[str, Any]:
        """The content of result.json."""
        agreed = None
        if self.agreement is not None:
            agreed = {
                "prompts": self.agreement.prompts,
                "same": self.agreement.same,
                "different": [
                    {"asked": asked, "peft": peft, "llama.cpp": other}
                    for asked, peft, other in self.agreement.different
                ],
            }
        return {
            "seconds": round(self.seconds, 1),
            "tokens": self.tokens,
            "tokens_per_second": round(self.tokens / self.seconds, 1),
            "base_loss": self.base_loss,
            "validation_loss": self.validation_loss,
            "epochs": self.epochs,
            "agreement": agreed,
        }
