"""When OpenAI stops taking jobs, how long a trained model answers, and how many epochs to expect.

The dates are in `data/fine_tuning.toml`; prices are in `data/prices.toml`, and read elsewhere. No network.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

from bot.student.records.reading import Text, read_toml

AUTO_EPOCHS = 3
"""What OpenAI takes for most files when it chooses itself; small files get more passes over them."""
FEW_ROWS = 100
"""Up to here, by OpenAI's own guide to preparing data, it chooses more epochs: so many that this is reached."""
MOST_AUTO_EPOCHS = 25


@dataclass(frozen=True, slots=True)
class Terms:
    """OpenAI's timetable, as `source` gave it on `date`. `answers_until` is by base model."""

    most_closed_from: dt.date
    all_closed_from: dt.date
    answers_until: dict[str, dt.date]
    date: dt.date
    source: Text

    def warnings(self, model: str, today: dt.date) -> list[str]:
        """What somebody should know before paying OpenAI for a job on `model` today."""
        if today >= self.all_closed_from:
            found = [f"OpenAI has taken no new fine-tuning jobs from anybody since {self.all_closed_from}"]
        else:
            found = [f"OpenAI is closing fine-tuning: no new jobs from {self.all_closed_from} for anybody"]
            if today >= self.most_closed_from:
                found.append(
                    f"since {self.most_closed_from} OpenAI takes jobs only from organisations that used a "
                    "fine-tuned model in the 60 days before"
                )
        until = self.answers_until.get(model)
        if until and today >= until:
            found.append(f"{model} was shut down on {until}: nothing can be trained from it")
        elif until:
            found.append(
                f"{model} is shut down on {until}, and what was trained from it stops answering that day: in "
                f"{(until - today).days} days"
            )
        return found


def read_terms(path: Path) -> Terms:
    """Read the timetable; raise `DataError` naming file and key."""
    return read_toml(Terms, path)


def epochs_range(epochs: int | None, rows: int) -> tuple[int, int]:
    """The fewest and the most epochs to expect; `epochs` None lets the provider choose."""
    if epochs is not None:
        return epochs, epochs
    most = max(AUTO_EPOCHS, min(MOST_AUTO_EPOCHS, -(-FEW_ROWS // max(1, rows))))
    return 1, most
