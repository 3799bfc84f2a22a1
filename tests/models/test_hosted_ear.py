"""A hosted model that hears in place of the trained ear, over a real socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from pydantic import SecretStr

from bot.models import hosted_ear
from bot.models.base import ModelUnavailable
from bot.models.chat import ChatModel, ChatSettings
from bot.student.hearing.heard import Context
from bot.student.records.dialogue import MoveKind
from bot.student.said import Said
from tests.fakes.openai_server import OpenAIServer

SAID = Said.of("If I had 72 cents and paid 38, would I have half left?")


@pytest_asyncio.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer() as running:
        yield running


def model(server: OpenAIServer) -> ChatModel:
    return ChatModel(ChatSettings("ear", "gpt-test", server.base_url, SecretStr("sk-test"), max_retries=0))


async def test_it_is_asked_for_one_of_the_moves(server: OpenAIServer) -> None:
    server.enqueue(text=json.dumps({"main": "helps", "sure": 0.9}))
    asked = model(server)
    told, reply = await hosted_ear.ask(asked, SAID, Context(("34",), (), "What is 72 minus 38?", "46"))
    await asked.aclose()
    likely = told.read({})
    assert max(likely, key=lambda move: likely[move]) == "helps"
    assert sum(likely.values()) == pytest.approx(1)
    assert reply.prompt_tokens
    body = server.requests[-1].body
    assert body["response_format"]["json_schema"]["strict"]
    assert set(body["response_format"]["json_schema"]["schema"]["properties"]["main"]["enum"]) == {
        move.value for move in hosted_ear.MEANS
    }
    assert SAID.text in body["messages"][-1]["content"]


@pytest.mark.parametrize(
    "text", ["helps", "{}", '{"main": "unsafe", "sure": 1}', '{"main": "helps", "sure": 7}']
)
async def test_what_is_no_answer_is_told(server: OpenAIServer, text: str) -> None:
    server.enqueue(text=text)
    asked = model(server)
    with pytest.raises(ModelUnavailable):
        await hosted_ear.ask(asked, SAID, Context())
    await asked.aclose()


async def test_it_is_not_waited_for(server: OpenAIServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosted_ear, "SECONDS", 0.05)
    server.enqueue(delay=1.0)
    asked = model(server)
    async with asyncio.timeout(0.9):
        with pytest.raises(ModelUnavailable, match="did not hear within"):
            await hosted_ear.ask(asked, SAID, Context())
    await asked.aclose()


def test_every_move_that_a_child_can_hear_is_explained() -> None:
    by_the_program = {"transfer", "instructs_machine", "asks_if_real", "unsafe", "crisis", "pupil_data"}
    assert {move.value for move in MoveKind} - {move.value for move in hosted_ear.MEANS} == by_the_program
