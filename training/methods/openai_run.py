"""One fine-tuning run on disk, `data/runs/<id>/run.json`: what was asked for, and how far it came.

Written whole and at once after every step, so that a crash at any moment leaves a run that can be resumed. It knows
files and fields: no network, and no secrets, of which it holds only the name of the variable.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

Provider = Literal["openai", "azure", "compatible"]
Status = Literal[
    "prepared", "uploaded", "creating", "training", "trained", "published", "failed", "cancelled"
]
"""`prepared`: files on disk; `uploaded`: files at the provider; `creating`: a job was asked for, and whether it is
there must be looked up; `training`: the job's id is known; `trained`: the model's id is. The last three are ends."""
ENDS = ("published", "failed", "cancelled")
RUN_ID = re.compile(r"openai-\d{8}-\d{6}-[0-9a-f]{6}")

OPENAI_URL = "https://api.openai.com/v1"
AZURE_VERSION = "2025-04-01-preview"
"""The newest of Azure's dated versions; its addresses that end in /openai/v1 take none."""
KEY_VARIABLES = {
    "openai": "OPENAI_API_KEY",
    "azure": "AZURE_OPENAI_API_KEY",
    "compatible": "FINE_TUNING_API_KEY",
}
"""By provider, so that a key for one is never sent to another."""


class FineTuningError(ValueError):
    """Something is wrong that a person can put right; the message says what, in one line, and holds no key."""


class RunBusy(FineTuningError):
    """Another process is at work on this run."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Endpoint(_Part):
    """Where the job runs. `key_variable` names the environment variable that holds the key."""

    provider: Provider
    base_url: str
    api_version: str | None = None
    key_variable: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")

    @field_validator("base_url")
    @classmethod
    def _plain(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("expected an address such as https://api.example.com/v1")
        if parts.username or parts.password or parts.query or parts.fragment:
            # It is written to disk and printed.
            raise ValueError("expected an address without a password, a query or a fragment")
        return value.rstrip("/")

    @property
    def openais_own(self) -> bool:
        """Whether OpenAI's prices and dates hold here."""
        return self.provider == "openai" and self.base_url == OPENAI_URL


class Settings(_Part):
    """What the job was asked to be. Epochs None: the provider chooses."""

    endpoint: Endpoint
    model: str = Field(min_length=1, max_length=200)
    epochs: int | None = Field(default=None, ge=1, le=50)
    seed: int = Field(default=0, ge=0, le=2**31 - 1)
    name: str = Field(default="openai", pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")
    """The published model's name, and the suffix of the provider's id."""


class Data(_Part):
    """What it was trained on; `tokens` of one epoch as counted here, texts alone and all told."""

    sha256: str
    dialogues: int
    training_rows: int
    validation_rows: int
    tokens: tuple[int, int]
    prompt_version: str
    generation: int | None = None
    lineage: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    """As of `bot.models.artifact.Data`."""


class Checkpoint(_Part):
    """A model saved on the way; its losses are None where the provider gives none."""

    model: str
    step: int
    train_loss: float | None = None
    valid_loss: float | None = None


class Run(_Part):
    """The record of one run."""

    method: Literal["openai"] = "openai"
    id: str = Field(pattern=RUN_ID.pattern)
    created_at: dt.datetime
    settings: Settings
    data: Data
    usd_per_million_training: float | None = None
    status: Status = "prepared"
    training_file: str | None = None
    validation_file: str | None = None
    creating_at: dt.datetime | None = None
    job: str | None = None
    job_status: str | None = None
    cancel_requested: bool = False
    last_event: str | None = None
    step: int | None = None
    steps: int | None = None
    train_loss: float | None = None
    valid_loss: float | None = None
    checkpoints: tuple[Checkpoint, ...] = ()
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    finished_at: dt.datetime | None = None
    error: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Run:
        if self.status in {"training", "trained"} and self.job is None:
            raise ValueError(f"job: expected an id, the status being {self.status!r}")
        return self

    @property
    def cost_usd(self) -> float | None:
        """US dollars for the tokens that the provider says it trained; None where price or tokens are not known."""
        if self.usd_per_million_training is None or self.trained_tokens is None:
            return None
        return self.usd_per_million_training * self.trained_tokens / 1_000_000


def new_id(now: dt.datetime) -> str:
    """An id that sorts by time and that nobody else has."""
    return f"openai-{now.astimezone(dt.UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


def save(runs: Path, run: Run) -> Run:
    """Write the record whole, so that a crash leaves the old one or the new one; returns it."""
    folder = runs / run.id
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / "run.json.new"
    with fresh.open("w", encoding="utf-8") as file:
        file.write(run.model_dump_json(indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / "run.json")
    return run


def load(runs: Path, run_id: str) -> Run:
    """Read one; raise `FineTuningError` when there is none, or when its record is not whole."""
    path = runs / run_id / "run.json"
    if not RUN_ID.fullmatch(run_id) or not path.is_file():
        known = ", ".join(ids(runs)[-5:]) or "none yet"
        raise FineTuningError(f"no run {run_id!r} in {runs}; the latest are: {known}")
    return _read(path)


def ids(runs: Path) -> list[str]:
    """The ids of this method's runs, oldest first."""
    return sorted(
        path.parent.name for path in runs.glob("openai-*/run.json") if RUN_ID.fullmatch(path.parent.name)
    )


@contextmanager
def alone(runs: Path, run_id: str) -> Iterator[None]:
    """Hold the run for this process; raise `RunBusy` when another has it. A crash lets go of it.

    Two processes that both look for a job, find none and create one would pay twice. SQLite's lock is one that every
    system has.
    """
    path = runs / run_id / "lock"
    with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError:
            raise RunBusy(f"{run_id}: another process is at work on it; end that one first") from None
        yield


def _read(path: Path) -> Run:
    try:
        return Run.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FineTuningError(f"{path}: cannot be read ({error.strerror})") from None
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise FineTuningError(f"{path}: {key}: {first['msg']}") from None
    except ValueError:
        raise FineTuningError(f"{path}: not UTF-8") from None
