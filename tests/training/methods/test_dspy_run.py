"""Optimising on a budget: what is planned holds, what is better is found, and what is unsure is called so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import dspy
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from bot.models.program import Endpoint, StudentSimulationModel
from bot.models.program_lm import language_model
from bot.student.records.dialogue import Dialogue
from tests.fakes.openai_server import Answer, OpenAIServer
from tests.fakes.students import DATA, shipped
from training.corpus.read import sound
from training.harvest.origin import Lineage, Origins
from training.methods.dspy_data import by_dialogue, by_kind, divide, examples, teachable
from training.methods.dspy_meter import Meter, metered
from training.methods.dspy_run import (
    DEMOS,
    FEWEST_CALLS,
    KEPT,
    POOL,
    DspyRunError,
    Material,
    Optimiser,
    compare,
    interval,
    optimise,
    plan,
)

CHILDREN, CURRICULUM = shipped()
OPTIMISERS: tuple[Optimiser, ...] = ("labeled", "bootstrap", "gepa")


def dialogues(name: str, count: int) -> list[Dialogue]:
    found = sound([DATA / "dialogues" / f"{name}.jsonl"])
    return [dialogue for _, dialogue in zip(range(count), (each for _, each in found), strict=False)]


TRAINING = examples(dialogues("mathematics", 25), CHILDREN, CURRICULUM.lessons)
VALIDATION = examples(dialogues("science", 10), CHILDREN, CURRICULUM.lessons)
HELD_OUT = examples(dialogues("test", 10), CHILDREN, CURRICULUM.lessons)


class Pupil(OpenAIServer):
    """Says the thought when `able` finds something in the messages, and rambles otherwise."""

    def __init__(self, able: Callable[[list[dict[str, str]]], bool]) -> None:
        super().__init__()
        self._able = able

    async def _give(self, answer: Answer, request: web.Request, body: Any) -> web.StreamResponse:
        messages = body["messages"]
        said = "As an AI language model, I certainly calculated 8123."
        if self._able(messages):
            said = messages[-1]["content"].rsplit("Say in ", 1)[-1].partition(": ")[2]
        return await super()._give(replace(answer, text=said), request, body)


def with_examples(messages: list[dict[str, str]]) -> bool:
    return messages[1]["role"] == "user"


def lm_of(server: OpenAIServer, meter: Meter) -> dspy.LM:
    return metered(language_model(Endpoint("m", server.base_url, max_retries=0)), meter)


# Data.


def test_an_example_is_what_the_bot_would_ask() -> None:
    example = TRAINING[1]
    assert set(example.inputs().keys()) == {"conversation_history", "teacher_prompt", "child", "thought"}
    (before,) = example.conversation_history.messages
    assert before["student_response"] == TRAINING[0].student_response
    assert example.thought.startswith("Say in ")


def test_a_dialogue_stays_on_one_side() -> None:
    found = dialogues("mathematics", 180)
    training, validation = divide(found, Origins())
    assert len(training) + len(validation) == len(found)
    assert 0.1 < len(validation) / len(found) < 0.3
    assert divide(found[::-1], Origins())[1] == validation[::-1], "whatever the order"


def test_what_may_have_to_be_forgotten_is_not_quoted() -> None:
    found = [replace(each, source="harvested") for each in dialogues("mathematics", 180)]
    origins = Origins({each.id: Lineage(teachers=(each.id,)) for each in found})
    training, validation = divide(found, origins)
    assert training == []
    assert validation


def test_examples_in_a_prompt_are_short_spoken_and_of_every_kind() -> None:
    pool = teachable(TRAINING)
    assert pool
    assert all(example.cue.child.voice == "spoken" for example in pool)
    kinds = {example.cue.thought.kind for example in pool}
    assert {example.cue.thought.kind for example in by_kind(pool, 0)[: len(kinds)]} == kinds
    assert len({example.dialogue for example in by_dialogue(HELD_OUT, 0)[:10]}) == 10


# Budget.


@given(
    st.sampled_from(OPTIMISERS),
    st.integers(min_value=FEWEST_CALLS, max_value=20_000),
    st.integers(min_value=1, max_value=5_000),
)
def test_no_plan_exceeds_its_budget(optimiser: Optimiser, budget: int, held_out: int) -> None:
    made = plan(optimiser, budget, held_out=held_out)
    assert made.calls <= budget
    assert 0 < made.compared <= held_out
    if optimiser == "bootstrap":
        most = (made.candidates + 3) * made.validation + (made.candidates + 1) * POOL
        assert most <= made.optimising
        assert made.validation >= 4


def test_too_small_a_budget_is_refused() -> None:
    with pytest.raises(DspyRunError, match="at least 80"):
        plan("bootstrap", 79, held_out=60)


# Optimising, on a server that can only do it when it is shown how.


async def test_labelled_examples_make_it_better() -> None:
    async with Pupil(with_examples) as server:
        meter = Meter(100)
        lm = lm_of(server, meter)
        program = await asyncio.to_thread(
            optimise,
            plan("labeled", 80, held_out=40),
            Material(TRAINING, VALIDATION),
            lm,
            reasons=False,
        )
        assert meter.calls == 0, "examples from the data cost nothing"
        (predictor,) = program.predictors()
        assert len(predictor.demos) == DEMOS
        assert all(set(demo.keys()) <= set(KEPT) for demo in predictor.demos)
        found = await asyncio.to_thread(
            compare, StudentSimulationModel(reasons=False), program, by_dialogue(HELD_OUT, 0)[:20], lm
        )
    assert found.better
    assert found.optimised > 0.8
    assert found.zero_shot < 0.2
    assert found.low <= found.difference <= found.high
    assert meter.calls == len(server.requests) == 40
    assert meter.prompt_tokens == 40 * 200


async def test_the_search_finds_what_helps_within_its_budget(tmp_path: Path) -> None:
    async with Pupil(with_examples) as server:
        made = plan("bootstrap", 120, held_out=20)
        meter = Meter(made.optimising)
        program = await asyncio.to_thread(
            optimise,
            made,
            Material(TRAINING, VALIDATION),
            lm_of(server, meter),
            reasons=False,
            log=tmp_path / "log",
        )
    assert 0 < meter.calls <= made.optimising
    (predictor,) = program.predictors()
    assert predictor.demos
    assert json.loads(json.dumps(program.dump_state())), "nothing of ours is in the state"
    assert "candidate programs" in (tmp_path / "log").read_text()


async def test_gepa_writes_instructions_that_help() -> None:
    def able(messages: list[dict[str, str]]) -> bool:
        return "like an otter" in messages[0]["content"]

    class Reflecting(OpenAIServer):
        async def _give(self, answer: Answer, request: web.Request, body: Any) -> web.StreamResponse:
            return await super()._give(
                replace(answer, text='{"new_instruction": "Talk like an otter."}'), request, body
            )

    async with Pupil(able) as server, Reflecting() as reflecting:
        made = plan("gepa", 120, held_out=20)
        meter = Meter(made.optimising)
        program = await asyncio.to_thread(
            optimise,
            made,
            Material(TRAINING, VALIDATION),
            lm_of(server, meter),
            reasons=False,
            reflection=lm_of(reflecting, meter),
        )
    assert program.predictors()[0].signature.instructions == "Talk like an otter."
    assert meter.calls <= made.optimising
    assert "too adult" in json.dumps([request.body for request in reflecting.requests]), "it was told why"


async def test_a_spent_budget_stops_every_call() -> None:
    async with OpenAIServer() as server:
        lm = lm_of(server, meter := Meter(1))
        await asyncio.to_thread(lm, "once")
        with pytest.raises(dspy.utils.exceptions.LMError, match="budget of 1 calls"):
            await asyncio.to_thread(lm, "twice")
    assert len(server.requests) == meter.calls == meter.refused == 1


async def test_a_model_that_is_gone_is_no_bad_model() -> None:
    async with OpenAIServer() as server:
        server.enqueue(times=200, status=500)
        program = StudentSimulationModel(reasons=False)
        with pytest.raises(DspyRunError, match="too many calls failed"):
            await asyncio.to_thread(
                compare, program, program, by_dialogue(HELD_OUT, 0)[:20], lm_of(server, Meter(100))
            )
    assert len(server.requests) < 20


def test_tokens_that_were_not_told_are_unknown() -> None:
    meter = Meter(10)
    meter.add(dspy.lm15.Usage(input_tokens=5, output_tokens=2))
    assert (meter.prompt_tokens, meter.completion_tokens) == (5, 2)
    meter.add(dspy.lm15.Usage())
    assert (meter.prompt_tokens, meter.completion_tokens) == (None, None)
    assert meter.cost(None) is None


# The interval.


def test_the_interval_is_wide_where_dialogues_differ_as_wholes() -> None:
    same = [(str(number % 10), 0.25) for number in range(50)]
    assert interval(same, 0) == (0.25, 0.25)
    clustered = [(str(number // 10), float(number // 10 % 2)) for number in range(100)]
    alone = [(str(number), float(number // 10 % 2)) for number in range(100)]
    (low, high), (narrow_low, narrow_high) = interval(clustered, 0), interval(alone, 0)
    assert low < narrow_low < 0.5 < narrow_high < high
    assert interval(clustered, 0) == interval(clustered, 0)


# The command.


def command(tmp_path: Path, server: OpenAIServer, *options: str) -> Result:
    import typer

    from training.methods.dspy_command import dspy as run

    data = tmp_path / "data"
    if not data.exists():
        data.mkdir()
        for part in ("children", "lessons", "hearing", "reference", "dialogues", "prices.toml"):
            (data / part).symlink_to(DATA / part)
        (tmp_path / "config.toml").write_text(
            f'data = "{data}"\n[models.local]\nprovider = "compatible"\nmodel = "m"\n'
            f'base_url = "{server.base_url}"\nkey_variable = "NO_KEY_AT_ALL"\n'
        )
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(run)
    return CliRunner(env={"COLUMNS": "200"}).invoke(
        app, ["--config", str(tmp_path / "config.toml"), "--model", "local", "--plain", *options]
    )


async def test_the_command_publishes_what_is_better(tmp_path: Path) -> None:
    async with Pupil(with_examples) as server:
        done = await asyncio.to_thread(
            command, tmp_path, server, "--optimiser", "labeled", "--budget", "81", "--yes"
        )
        assert done.exit_code == 0, done.output
        assert len(server.requests) == 81
        address = server.base_url
    assert "at most 81 calls" in done.output
    assert "spent: 81 calls" in done.output
    assert "cost unknown" in done.output
    assert "95 % interval" in done.output
    assert "It is live" in done.output
    home = tmp_path / "data" / "models" / "dspy"
    assert json.loads((home / "current.json").read_text())["version"] == "1"
    manifest = json.loads((home / "1" / "manifest.json").read_text())
    assert manifest["base"] == {"id": "m", "sha256": None, "endpoint": address}
    assert manifest["evaluation"]["low"] > 0
    assert manifest["training"]["cost_usd"] is None
    (run,) = (tmp_path / "data" / "runs").iterdir()
    assert json.loads((run / "run.json").read_text())["calls"] == 81
    assert (run / "program.json").read_bytes() == (home / "1" / "program.json").read_bytes()


async def test_what_is_not_better_is_a_candidate_only(tmp_path: Path) -> None:
    async with Pupil(lambda _: True) as server:
        done = await asyncio.to_thread(
            command, tmp_path, server, "--optimiser", "labeled", "--budget", "81", "--yes"
        )
    assert "candidate only" in done.output
    assert not (tmp_path / "data" / "models" / "dspy" / "current.json").exists()


async def test_nothing_is_spent_before_a_person_agrees(tmp_path: Path) -> None:
    async with Pupil(with_examples) as server:
        done = await asyncio.to_thread(command, tmp_path, server, "--optimiser", "labeled")
        assert done.exit_code != 0
        assert not server.requests


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--budget", "10"], "at least 80"),
        (["--model", "nobody"], "there are: base, local"),
        (["--model", "base", "--optimiser", "gepa"], "too small to reflect"),
        (["--train", "/nowhere.jsonl"], "no such file"),
        (["--test", str(DATA / "dialogues" / "science.jsonl")], "is in the"),
    ],
)
async def test_what_cannot_be_is_said_in_a_line(tmp_path: Path, options: list[str], says: str) -> None:
    async with OpenAIServer() as server:
        done = await asyncio.to_thread(command, tmp_path, server, "--yes", *options)
        assert done.exit_code == 2
        assert says in " ".join(done.output.split())
        assert not server.requests


async def test_a_wrong_key_is_found_with_the_first_call(tmp_path: Path) -> None:
    async with OpenAIServer() as server:
        server.enqueue(times=5, status=401)
        done = await asyncio.to_thread(command, tmp_path, server, "--yes")
        assert done.exit_code == 2
        assert "credentials refused" in done.output
        assert len(server.requests) == 1
