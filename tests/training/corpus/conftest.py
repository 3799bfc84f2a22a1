"""The rules of the shipped children and lessons, and a few shipped dialogues to work on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.models.prices import Price, read_prices
from training.corpus.consistency import Rules

DATA = Path(__file__).parents[3] / "data"


@pytest.fixture(scope="session")
def data() -> Path:
    return DATA


@pytest.fixture(scope="session")
def rules() -> Rules:
    return Rules.read(DATA)


@pytest.fixture(scope="session")
def prices() -> dict[str, Price]:
    return read_prices(DATA / "prices.toml")


@pytest.fixture(scope="session")
def shipped() -> Callable[[str], dict[str, Any]]:
    """A copy of the shipped mathematics dialogue of that id."""
    lines = (DATA / "dialogues" / "mathematics.jsonl").read_text(encoding="utf-8").splitlines()
    found = {json.loads(line)["id"]: line for line in lines}
    return lambda identifier: json.loads(found[identifier])
