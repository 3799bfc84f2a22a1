"""A way of training that nobody but this file knows: its line in the tuple is all that lists and documents need."""

from __future__ import annotations

from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from training import methods
from training.__main__ import app
from training.corpus.tokens import Tokens
from training.evaluate import documents
from training.methods import METHODS
from training.methods.method import Estimate, Method


def cram(pages: int = 1) -> None:
    """Learn the dialogues by heart."""
    typer.echo(f"read {pages} pages")


CRAM = Method(
    "cram",
    cram,
    "learning by heart",
    {"heart": "by heart"},
    lambda tokens, _prices, _model: Estimate("cram", "reading them once", tokens.prompt, 0.0),
)


@pytest.fixture(autouse=True)
def _one_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(methods, "METHODS", (*METHODS, CRAM))


def test_its_command_runs_and_has_help() -> None:
    commands = typer.Typer()
    for method in methods.METHODS:
        method.add_to(commands)
    done = CliRunner().invoke(commands, ["cram", "--pages", "3"])
    assert (done.exit_code, done.output) == (0, "read 3 pages\n")
    assert "Learn the dialogues by heart." in CliRunner().invoke(commands, ["--help"]).output


def test_its_cost_is_among_the_others() -> None:
    counted = Tokens(len, examples=1, prompt=100, answer=10)
    found = {each.method: each for each in counted.estimates({})}
    assert list(found) == ["dspy", "lora", "openai", "cram"]
    assert found["cram"].to_json() == {
        "method": "cram",
        "what": "reading them once",
        "tokens": 100,
        "cost_usd": 0.0,
    }


def test_documents_name_it() -> None:
    cost: dict[str, Any] = dict.fromkeys(("dialogues", "training_tokens", "training_seconds", "training_usd"))
    kinds = ("heart", "embedded", "azure", "from elsewhere")
    models = [{"name": kind, "kind": kind, "cost": cost} for kind in kinds]
    table = documents._trained(models)
    for kind, said in zip(
        kinds, ("by heart", "none: the base model", "OpenAI's (Azure)", "from elsewhere"), strict=True
    ):
        assert any(kind in line and said in line for line in table.splitlines())
    assert "Not in this run: prompts (DSPy) and LoRA." in documents._not_measured(models)
    assert "and learning by heart." in documents._not_measured(models[1:])


def test_the_command_line_has_every_way_there_is() -> None:
    shown = CliRunner().invoke(app, ["--help"]).output
    for method in METHODS:
        assert method.name in shown
    assert len({method.name for method in METHODS}) == len(METHODS)
