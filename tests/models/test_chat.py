"""The hosted model over a real socket: what it asks, and what it makes of each answer."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import pytest_asyncio
from pydantic import SecretStr
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from bot.models.base import ModelRefused, ModelUnavailable, Reply
from bot.models.chat import ChatModel, ChatSettings
from bot.models.prices import Price
from bot.student.lessons import read_lesson
from bot.student.records.child import read_child
from bot.student.records.cue import Cue
from bot.student.records.dialogue import Role, Stage, Thought, ThoughtKind, Turn
from bot.student.voicing import prompt
from tests.fakes.openai_server import OpenAIServer

DATA = Path(__file__).parents[2] / "data"
KEY = "sk-test-9f3a77c1"
PRICE = Price(
    usd_per_million_input=2,
    usd_per_million_cached_input=0.5,
    usd_per_million_output=10,
    date=date(2026, 11, 23),
    source="a test",
)
CUE = Cue(
    child=read_child(DATA / "children" / "mia.toml"),
    lesson=read_lesson(DATA / "lessons" / "2.NBT.B.5-subtract.toml"),
    turns=(Turn(Role.TEACHER, "Hi Mia!"), Turn(Role.STUDENT, "hi")),
    teacher="What is 52 minus 17?",
    thought=Thought(ThoughtKind.ANSWER, answer="45", stage=Stage.HOLDS, words=4),
)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer() as running:
        yield running


def settings(server: OpenAIServer, **changes: Any) -> ChatSettings:
    values: dict[str, Any] = {
        "name": "cloud",
        "model": "gpt-test",
        "base_url": server.base_url,
        "api_key": SecretStr(KEY),
        "timeout_s": 5.0,
        "price": PRICE,
    }
    return ChatSettings(**{**values, **changes})


async def ask(server: OpenAIServer, *, seed: int | None = None, **changes: Any) -> Reply:
    model = ChatModel(settings(server, **changes))
    try:
        return await model.reply(CUE, seed=seed)
    finally:
        await model.aclose()


async def unavailable(server: OpenAIServer, **changes: Any) -> str:
    """The reason of the failure that is expected; no reason may hold the key or what was said."""
    with pytest.raises(ModelUnavailable) as caught:
        await ask(server, **changes)
    reason = str(caught.value)
    assert reason.startswith("cloud: ")
    assert "\n" not in reason
    assert KEY not in reason
    assert CUE.teacher not in reason
    return reason


async def test_a_reply_has_text_usage_cost_and_time(server: OpenAIServer) -> None:
    server.enqueue(text="um 45?", delay=0.05)
    reply = await ask(server)
    assert (reply.text, reply.prompt_tokens, reply.completion_tokens) == ("um 45?", 200, 8)
    assert reply.cost_usd == pytest.approx((200 * 2 + 8 * 10) / 1e6)
    assert 50 <= reply.latency_ms < 5000


async def test_cached_tokens_lower_the_cost(server: OpenAIServer) -> None:
    details = {"cached_tokens": 128}
    server.enqueue(usage={"prompt_tokens": 200, "completion_tokens": 8, "prompt_tokens_details": details})
    reply = await ask(server)
    assert reply.cost_usd == pytest.approx((72 * 2 + 128 * 0.5 + 8 * 10) / 1e6)


async def test_an_unknown_cost_is_none(server: OpenAIServer) -> None:
    assert (await ask(server, price=None)).cost_usd is None
    server.enqueue(usage=None)
    reply = await ask(server)
    assert (reply.prompt_tokens, reply.completion_tokens, reply.cost_usd) == (None, None, None)


async def test_the_request_is_the_rendered_cue(server: OpenAIServer) -> None:
    await ask(server, seed=7, temperature=0.8, max_tokens=40)
    (request,) = server.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.body == {
        "model": "gpt-test",
        "messages": [{"role": m.role, "content": m.content} for m in prompt.render(CUE)],
        "max_completion_tokens": 40,
        "temperature": 0.8,
        "seed": 7,
    }


async def test_what_is_not_set_is_not_sent(server: OpenAIServer) -> None:
    await ask(server)
    assert set(server.requests[0].body) == {"model", "messages", "max_completion_tokens"}


async def test_compatible_servers_get_the_old_field_unless_told_otherwise(server: OpenAIServer) -> None:
    await ask(server, provider="compatible")
    await ask(server, provider="compatible", tokens_field="max_completion_tokens")
    old, new = (request.body for request in server.requests)
    assert old["max_tokens"] == 80
    assert "max_completion_tokens" not in old
    assert new["max_completion_tokens"] == 80
    assert "max_tokens" not in new


async def test_the_openai_key_never_goes_to_a_keyless_server(
    server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    await ask(server, provider="compatible", api_key=None)
    assert KEY not in json.dumps(server.requests[0].headers)


async def test_azure_takes_its_own_header_and_address(server: OpenAIServer) -> None:
    await ask(server, provider="azure", base_url=server.root, api_version="2024-10-21", model="class-2")
    (request,) = server.requests
    assert request.path == "/openai/deployments/class-2/chat/completions"
    assert request.query == {"api-version": "2024-10-21"}
    assert request.headers["api-key"] == KEY
    assert "authorization" not in request.headers


async def test_retry_after_is_waited_for(server: OpenAIServer) -> None:
    server.enqueue(status=429, headers={"Retry-After": "1"})
    start = time.perf_counter()
    reply = await ask(server)
    assert reply.text == "I think it's 45."
    assert 1.0 <= time.perf_counter() - start < 3
    assert reply.latency_ms >= 1000
    assert len(server.requests) == 2


async def test_rate_limits_for_ever_end_within_the_deadline(server: OpenAIServer) -> None:
    server.enqueue(times=50, status=429, headers={"Retry-After": "0.1"})
    start = time.perf_counter()
    reason = await unavailable(server, timeout_s=1.0, max_retries=40)
    assert time.perf_counter() - start < 1.5
    assert "within 1 s" in reason
    assert len(server.requests) > 3


async def test_rate_limits_past_the_retries_say_so(server: OpenAIServer) -> None:
    error = {"code": "rate_limit_exceeded", "message": f"You said {CUE.teacher} with {KEY}"}
    server.enqueue(times=3, status=429, headers={"Retry-After": "0.05"}, error=error)
    assert "too many requests or no quota left (HTTP 429 rate_limit_exceeded)" in await unavailable(server)
    assert len(server.requests) == 3


async def test_a_wait_longer_than_the_deadline_is_not_begun(server: OpenAIServer) -> None:
    server.enqueue(status=429, headers={"Retry-After": "60"})
    start = time.perf_counter()
    assert "HTTP 429" in await unavailable(server, timeout_s=3.0)
    assert time.perf_counter() - start < 1
    assert len(server.requests) == 1


async def test_server_errors_are_retried(server: OpenAIServer) -> None:
    server.enqueue(times=2, status=500, headers={"Retry-After": "0.05"})
    assert (await ask(server)).text == "I think it's 45."
    assert len(server.requests) == 3


async def test_server_errors_without_a_hint_back_off(server: OpenAIServer) -> None:
    server.enqueue(status=503)
    start = time.perf_counter()
    await ask(server)
    assert 0.3 <= time.perf_counter() - start < 2


@pytest.mark.parametrize("status", [401, 403])
async def test_refused_credentials_name_the_variable_at_once(server: OpenAIServer, status: int) -> None:
    error = {"code": "invalid_api_key", "message": f"Incorrect API key provided: {KEY}"}
    server.enqueue(status=status, error=error)
    assert "check SCHOOL_KEY" in await unavailable(server, key_variable="SCHOOL_KEY")
    assert len(server.requests) == 1


async def test_without_a_key_nothing_is_sent(server: OpenAIServer) -> None:
    assert await unavailable(server, api_key=None) == "cloud: OPENAI_API_KEY is not set"
    assert server.requests == []


async def test_a_refused_parameter_is_named(server: OpenAIServer) -> None:
    error = {"code": "unsupported_value", "param": "temperature", "message": f"bad: {CUE.teacher}"}
    server.enqueue(status=400, error=error)
    assert "HTTP 400 unsupported_value temperature" in await unavailable(server, temperature=0.3)


async def test_an_unknown_model_is_named(server: OpenAIServer) -> None:
    server.enqueue(status=404, error={"code": "model_not_found"})
    assert "model 'gpt-test' not found" in await unavailable(server)


async def test_only_codes_of_an_error_reach_the_log(server: OpenAIServer) -> None:
    server.enqueue(status=400, error={"code": f"No: {CUE.teacher}", "param": KEY})
    assert "(HTTP 400)" in await unavailable(server)


async def test_an_answer_in_parts_is_its_text(server: OpenAIServer) -> None:
    thinking = {"type": "thinking", "thinking": "They want 35, I'd say 45."}
    server.enqueue(text=[thinking, {"type": "text", "text": "I think "}, {"type": "text", "text": "45."}])
    assert (await ask(server)).text == "I think 45."
    server.enqueue(text=[thinking])
    assert "has no text" in await unavailable(server, max_retries=0)


async def test_an_answer_that_is_not_json(server: OpenAIServer) -> None:
    server.enqueue(garbage=True)
    assert "not a chat completion" in await unavailable(server)


async def test_a_truncated_connection_is_retried_then_reported(server: OpenAIServer) -> None:
    server.enqueue(drop=True)
    assert (await ask(server)).text == "I think it's 45."
    server.enqueue(times=2, drop=True)
    assert "connection failed" in await unavailable(server, max_retries=1)


async def test_nobody_listening(server: OpenAIServer) -> None:
    async with OpenAIServer() as gone:
        address = gone.base_url
    assert "connection failed" in await unavailable(server, base_url=address, max_retries=0)


async def test_a_server_that_never_answers_ends_at_the_deadline(server: OpenAIServer) -> None:
    server.enqueue(times=3, hang=True)
    start = time.perf_counter()
    assert "no answer within 0.4 s" in await unavailable(server, timeout_s=0.4)
    assert time.perf_counter() - start < 1
    await asyncio.wait_for(server.client_left.wait(), timeout=2)


async def test_slow_but_within_the_deadline(server: OpenAIServer) -> None:
    server.enqueue(delay=0.6)
    assert (await ask(server, timeout_s=2.0)).latency_ms >= 600


@pytest.mark.parametrize(
    "answer",
    [
        {"refusal": "I can't say that.", "text": None},
        {"finish_reason": "content_filter", "text": "I th"},
        {"status": 400, "error": {"code": "content_filter"}},
    ],
)
async def test_refusals(server: OpenAIServer, answer: dict[str, Any]) -> None:
    server.enqueue(**answer)
    with pytest.raises(ModelRefused) as caught:
        await ask(server)
    assert str(caught.value).startswith("cloud: ")
    assert "can't say" not in str(caught.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"empty_choices": True}, "no choices"),
        ({"text": None}, "no text"),
        ({"text": "  \n"}, "no text"),
        ({"text": "", "finish_reason": "length"}, "max_tokens used up"),
    ],
)
async def test_answers_without_words(server: OpenAIServer, answer: dict[str, Any], reason: str) -> None:
    server.enqueue(**answer)
    assert reason in await unavailable(server)


async def test_cut_words_are_still_words(server: OpenAIServer) -> None:
    server.enqueue(text="I took the seven and", finish_reason="length")
    assert (await ask(server)).text == "I took the seven and"


async def test_cancelling_closes_the_request(server: OpenAIServer) -> None:
    server.enqueue(hang=True)
    model = ChatModel(settings(server))
    task = asyncio.create_task(model.reply(CUE, seed=None))
    await asyncio.wait_for(server.arrived.wait(), timeout=2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(server.client_left.wait(), timeout=2)
    assert (await model.reply(CUE, seed=None)).text == "I think it's 45."
    await model.aclose()


async def test_twenty_at_once_share_one_client(server: OpenAIServer) -> None:
    for number in range(20):
        server.enqueue(text=f"answer {number}", delay=0.3)
    model = ChatModel(settings(server))
    replies = await asyncio.gather(*(model.reply(CUE, seed=number) for number in range(20)))
    await model.aclose()
    assert {reply.text for reply in replies} == {f"answer {number}" for number in range(20)}
    assert {request.body["seed"] for request in server.requests} == set(range(20))
    assert server.busiest == 20


async def test_a_closed_model_asks_nobody(server: OpenAIServer) -> None:
    model = ChatModel(settings(server, max_retries=0))
    await model.aclose()
    with pytest.raises(ModelUnavailable):
        await model.reply(CUE, seed=None)
    assert server.requests == []


async def test_text_that_cannot_be_encoded_does_not_escape(server: OpenAIServer) -> None:
    cue = Cue(CUE.child, CUE.lesson, (), "half a smile \ud83d", CUE.thought)
    model = ChatModel(settings(server))
    with pytest.raises(ModelUnavailable, match="request failed"):
        await model.reply(cue, seed=None)
    await model.aclose()


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"base_url": "api.openai.com"}, "base_url"),
        ({"provider": "azure"}, "api_version"),
        ({"api_key": SecretStr(KEY + "\n")}, "OPENAI_API_KEY"),
    ],
)
async def test_wrong_settings_name_the_field(
    server: OpenAIServer, changes: dict[str, Any], names: str
) -> None:
    with pytest.raises(ValueError, match=names) as caught:
        settings(server, **changes)
    assert KEY not in str(caught.value)


async def test_settings_do_not_print_the_key(server: OpenAIServer) -> None:
    assert KEY not in repr(settings(server))


@pytest.mark.parametrize("changes", [{}, {"reasoning_effort": "minimal"}, {"tokens_field": "max_tokens"}])
async def test_the_request_fits_the_published_description(
    server: OpenAIServer, changes: dict[str, Any]
) -> None:
    folder = os.environ.get("PUPIL_API_SPECS")
    if not folder:
        pytest.skip("PUPIL_API_SPECS names no folder with OpenAI's API description (openai.json)")
    validator = _chat_validator(Path(folder) / "openai.json")
    await ask(server, seed=3, temperature=0.7, **changes)
    body = server.requests[0].body
    validator.validate(body)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate({**body, "messages": []})


def _chat_validator(description: Path) -> jsonschema.Draft202012Validator:
    spec = json.loads(description.read_text(encoding="utf-8"))
    registry: Registry[Any] = Registry().with_resource(
        "spec:openai", Resource.from_contents(spec, default_specification=DRAFT202012)
    )
    pointer = "/paths/~1chat~1completions/post/requestBody/content/application~1json/schema"
    return jsonschema.Draft202012Validator({"$ref": f"spec:openai#{pointer}"}, registry=registry)
