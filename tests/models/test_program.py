"""Programs: a published prompt opens, speaks, keeps to itself, and a file that was tampered with is refused."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import dspy
import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.config import Settings
from bot.models import artifact
from bot.models.base import ModelRefused, ModelUnavailable
from bot.models.embedded import EmbeddedModel
from bot.models.engines.llama_cpp import LlamaCppEngine
from bot.models.engines.weights import embedded_gguf
from bot.models.manifest import Base, Data, Manifest, Prompt, Training
from bot.models.prices import Price
from bot.models.program import (
    MAX_PROMPT_CHARACTERS,
    Embedded,
    Endpoint,
    ProgramError,
    ProgramModel,
    StudentSimulationModel,
    open_program,
)
from bot.models.program_state import MAX_BYTES, check_state
from bot.models.registry import Models
from bot.student.records.cue import Cue
from bot.student.records.dialogue import Role, Thought, ThoughtKind, Turn
from bot.student.voicing.prompt import meaning
from tests.fakes.openai_server import Answer, OpenAIServer
from tests.fakes.students import DATA, shipped

CHILDREN, CURRICULUM = shipped()
MIA, LESSON = CHILDREN["mia"], CURRICULUM.lessons["2.NBT.B.5-subtract"]
KEY = "sk-of-a-test"
DEMOS = [
    {"teacher_prompt": "What is 3 plus 3?", "thought": "Say in 1 word: 6", "student_response": "6"},
    {
        "teacher_prompt": "Ready?",
        "child": "The child is Mia.",
        "thought": "Say in 2 words: my sock",
        "student_response": "my sock",
    },
]
REASONED = "[[ ## reasoning ## ]]\nShe takes the smaller.\n\n[[ ## student_response ## ]]\nit's 45\n\n[[ ## completed ## ]]"


def cue(answer: str = "45", *turns: Turn, teacher: str = "What is 52 minus 17?") -> Cue:
    return Cue(MIA, LESSON, turns, teacher, Thought(ThoughtKind.ANSWER, answer=answer, words=4))


def state(
    *, instructions: str | None = None, demos: list[dict[str, str]] | None = None, reasons: bool = False
) -> dict[str, Any]:
    found: dict[str, Any] = StudentSimulationModel(reasons=reasons).dump_state()
    (predictor,) = found.values()
    predictor["demos"] = DEMOS if demos is None else demos
    if instructions is not None:
        predictor["signature"]["instructions"] = instructions
    return found


def folder(tmp_path: Path, content: dict[str, Any] | bytes) -> Path:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    (tmp_path / "program.json").write_bytes(raw)
    return tmp_path


@pytest.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer() as running:
        yield running


@pytest.fixture
def at(server: OpenAIServer, tmp_path: Path) -> Callable[..., ProgramModel]:
    """Opens a program on the local server."""

    def opened(*, reasons: bool = False, **endpoint: Any) -> ProgramModel:
        wanted = Endpoint("some/model", server.base_url, SecretStr(KEY), **{"max_retries": 0, **endpoint})
        return open_program("dspy", "3", folder(tmp_path, state(reasons=reasons)), wanted)

    return opened


@pytest.fixture(scope="module")
def engine() -> Iterator[LlamaCppEngine]:
    started = asyncio.run(LlamaCppEngine.start(embedded_gguf(), slots=1, threads=1))
    yield started
    asyncio.run(started.aclose())


# On the engine in this process.


async def test_the_embedded_model_speaks(engine: LlamaCppEngine, tmp_path: Path) -> None:
    model = open_program("dspy", "3", folder(tmp_path, state()), Embedded(engine, temperature=0.0))
    reply = await model.reply(cue(), seed=7)
    assert (model.name, model.version) == ("dspy", "3")
    assert "45" in reply.text
    assert "\n" not in reply.text
    assert reply.prompt_tokens is not None
    assert 100 < reply.prompt_tokens < 400
    assert reply.completion_tokens is not None
    assert 0 < reply.completion_tokens < 30
    assert reply.cost_usd is None
    assert reply.latency_ms > 0
    again = await model.reply(replace(cue(), again=True), seed=7)
    assert "45" in again.text
    await model.aclose()
    assert (await model.reply(cue(), seed=7)).text == reply.text, "the engine stays its owner's"


async def test_the_engine_is_told_whose_conversation_it_is(
    engine: LlamaCppEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    several = LlamaCppEngine.several

    async def spy(self: LlamaCppEngine, *arguments: Any, **more: Any) -> Any:
        asked.append(more["conversation"])
        return await several(self, *arguments, **more)

    monkeypatch.setattr(LlamaCppEngine, "several", spy)
    model = open_program("dspy", "3", folder(tmp_path, state()), Embedded(engine, temperature=0.0))
    cues = [replace(cue(), conversation=name) for name in ("a", "b")]
    await asyncio.gather(*(model.reply(each, seed=7) for each in cues))
    await EmbeddedModel("base", "1", engine, temperature=0.0).reply(cues[0], seed=7)
    assert sorted(asked) == ["a", "a", "b"]


async def test_a_closed_engine_is_unavailable(tmp_path: Path) -> None:
    closed = await LlamaCppEngine.start(embedded_gguf(), slots=1, threads=1)
    model = open_program("dspy", "3", folder(tmp_path, state()), Embedded(closed))
    await closed.aclose()
    with pytest.raises(ModelUnavailable, match="dspy"):
        await model.reply(cue(), seed=1)


# On a server.


async def test_what_a_server_is_asked(at: Callable[..., ProgramModel], server: OpenAIServer) -> None:
    price = Price(
        usd_per_million_input=1.0, usd_per_million_output=10.0, date=date(2026, 1, 1), source="test"
    )
    said = (
        Turn(Role.TEACHER, "Hello Mia"),
        Turn(Role.STUDENT, "hi", thought=Thought(ThoughtKind.CHAT, reason="hi", words=1)),
    )
    reply = await at(price=price, temperature=0.3).reply(cue("45", *said), seed=5)
    assert reply.text == "I think it's 45."
    assert (reply.prompt_tokens, reply.completion_tokens) == (200, 8)
    assert reply.cost_usd == pytest.approx(200e-6 + 80e-6)
    (request,) = server.requests
    assert request.headers["authorization"] == f"Bearer {KEY}"
    body = request.body
    assert (body["model"], body["seed"], body["temperature"]) == ("some/model", 5, 0.3)
    assert 8 < body["max_tokens"] < 30
    assert [(each["role"], each["content"]) for each in body["messages"]][1:] == [
        ("user", "Teacher: What is 3 plus 3?\nSay in 1 word: 6"),
        ("assistant", "6"),
        ("user", "Teacher: Ready?\nSay in 2 words: my sock"),
        ("assistant", "my sock"),
        (
            "system",
            "The child is Mia, 7 years old, talkative and silly. At home: a big brother, Leo, who is ten; her grandma "
            "lives downstairs; her dad drives a bus. Mia likes her cat Pickle, soccer at recess, stickers, monkey bars.",
        ),
        ("user", "Teacher: Hello Mia\nSay in 1 word: hi"),
        ("assistant", "hi"),
        ("user", "Teacher: What is 52 minus 17?\nSay in 4 words: I think it's 45"),
    ]


async def test_a_model_that_can_reason_reasons_first(
    at: Callable[..., ProgramModel], server: OpenAIServer
) -> None:
    server.enqueue(text=REASONED)
    reply = await at(reasons=True).reply(cue(), seed=None)
    assert reply.text == "it's 45"
    assert "reasoning" in server.requests[0].body["messages"][0]["content"]
    assert "seed" not in server.requests[0].body


async def test_an_answer_out_of_form_is_unavailable_and_asked_once(
    at: Callable[..., ProgramModel], server: OpenAIServer
) -> None:
    server.enqueue(text="As you wish! It is 45, my dear.")
    with pytest.raises(ModelUnavailable) as raised:
        await at(reasons=True).reply(cue(), seed=1)
    assert "my dear" not in str(raised.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "names"),
    [
        ({"status": 401}, ModelUnavailable, "credentials"),
        ({"status": 429}, ModelUnavailable, "too many requests"),
        ({"status": 500}, ModelUnavailable, "500"),
        ({"status": 404}, ModelUnavailable, "404"),
        ({"drop": True}, ModelUnavailable, "could not"),
        ({"garbage": True}, ModelUnavailable, "dspy"),
        ({"empty_choices": True}, ModelUnavailable, "dspy"),
        ({"text": None}, ModelUnavailable, "dspy"),
        ({"hang": True}, ModelUnavailable, "within 0.5 s"),
        ({"text": None, "refusal": "I cannot."}, ModelRefused, "declined"),
        ({"text": "It", "finish_reason": "content_filter"}, ModelRefused, "declined"),
        ({"status": 400, "error": {"code": "content_filter"}}, ModelRefused, "declined"),
    ],
)
async def test_only_the_two_errors_escape(
    at: Callable[..., ProgramModel], server: OpenAIServer, answer: dict[str, Any], kind: type, names: str
) -> None:
    server.enqueue(**answer)
    with pytest.raises(kind, match=names) as raised:
        await at(timeout_s=0.5 if "hang" in answer else 20.0).reply(cue(), seed=1)
    text = str(raised.value)
    assert KEY not in text
    assert "52 minus" not in text
    assert "\n" not in text


async def test_a_hiccup_is_tried_again(at: Callable[..., ProgramModel], server: OpenAIServer) -> None:
    server.enqueue(status=503, headers={"retry-after": "0"})
    assert (await at(max_retries=1).reply(cue(), seed=1)).text == "I think it's 45."


async def test_text_that_no_server_can_take(at: Callable[..., ProgramModel]) -> None:
    with pytest.raises(ModelUnavailable):
        await at().reply(cue(teacher="What is \ud800?"), seed=1)


async def test_a_key_in_the_environment_goes_nowhere(
    server: OpenAIServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    model = open_program("dspy", "3", folder(tmp_path, state()), Endpoint("m", server.base_url))
    await model.reply(cue(), seed=1)
    assert "sk-of-somebody" not in str(server.requests[0].headers)


async def test_a_long_conversation_fits(at: Callable[..., ProgramModel], server: OpenAIServer) -> None:
    turns: list[Turn] = []
    for number in range(12):
        turns += [
            Turn(Role.TEACHER, f"{number} Tell me about it again, please. " * 40),
            Turn(
                Role.STUDENT,
                f"{number} well " * 60,
                thought=Thought(ThoughtKind.CHAT, reason="well", words=40),
            ),
        ]
    await at().reply(cue("45", *turns), seed=1)
    messages = server.requests[0].body["messages"]
    assert sum(len(message["content"]) for message in messages) <= MAX_PROMPT_CHARACTERS
    assert messages[-2]["content"].startswith("11 well"), "the newest exchange is kept"


@pytest.mark.parametrize(
    "wrong", [{"base_url": "ftp://x"}, {"api_key": SecretStr("a b")}, {"tokens_field": "tokens"}]
)
def test_an_endpoint_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected") as raised:
        Endpoint(**{"model": "m", **wrong})
    assert "a b" not in str(raised.value)


class Echo(OpenAIServer):
    """Answers with the first line of the instructions and what the child was to say, out of order."""

    async def _give(self, answer: Answer, request: web.Request, body: Any) -> web.StreamResponse:
        messages = body["messages"]
        said = f"{messages[0]['content']}|{messages[-1]['content'].rsplit(': ', 1)[1]}"
        return await super()._give(
            replace(
                answer,
                text=said,
                delay=random.uniform(0, 0.2),
                usage={"prompt_tokens": len(said), "completion_tokens": 1},
            ),
            request,
            body,
        )


async def test_twenty_replies_of_two_programs_do_not_mix(tmp_path: Path) -> None:
    kept = len(dspy.clients.base_lm.GLOBAL_HISTORY)
    async with Echo() as echo:
        models = []
        for name in ("otter", "heron"):
            (tmp_path / name).mkdir()
            where = folder(tmp_path / name, state(instructions=name, demos=DEMOS if name == "otter" else []))
            models.append(open_program(name, "1", where, Endpoint("m", echo.base_url)))
        asked = [(models[number % 2], cue(str(40 + number))) for number in range(20)]
        replies = await asyncio.gather(
            *(model.reply(each, seed=number) for number, (model, each) in enumerate(asked))
        )
        assert echo.busiest > 10, "they were asked at the same time"
    for (model, each), reply in zip(asked, replies, strict=True):
        assert reply.text == f"{model.name}|{meaning(each.thought)}"
        assert reply.prompt_tokens == len(reply.text), "its own usage, not a sum"
    assert sum("my sock" in json.dumps(request.body) for request in echo.requests) == 10
    assert len(dspy.clients.base_lm.GLOBAL_HISTORY) == kept, "nothing that was said is kept"
    assert not dspy.settings.trace


# What is published.


def test_a_program_survives_saving_and_loading(tmp_path: Path) -> None:
    program = StudentSimulationModel(reasons=False)
    program.load_state(state(instructions="Be Mia."))
    program.save(tmp_path / "program.json")
    saved = json.loads((tmp_path / "program.json").read_text())
    del saved["metadata"]
    model = open_program("dspy", "1", folder(tmp_path, saved), Endpoint("m", "http://127.0.0.1:9/v1"))
    (predictor,) = model._program.predictors()
    assert predictor.signature.instructions == "Be Mia."
    assert [demo["student_response"] for demo in predictor.demos] == ["6", "my sock"]


def _with(**changes: Any) -> dict[str, Any]:
    found = state()
    found["respond"].update(changes)
    return found


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"", "json"),
        (b"\x80\x04\x95", "json"),
        (b"[" * 100_000, "program.json"),
        (b" " * (MAX_BYTES + 1), "larger than"),
        ({"respond": state()["respond"], "other": {}}, "other"),
        ({**state(), "metadata": {"dependency_versions": {}}}, "metadata"),
        (_with(lm={"model": "openai/gpt", "api_base": "http://evil.example"}), "lm"),
        (_with(lm={"_dspy_lm_class": "os.system"}), "lm"),
        (_with(traces=[{}]), "traces"),
        (_with(fields={}), "fields"),
        (_with(demos=[{**DEMOS[0], "tools": "[]"}]), "tools"),
        (_with(demos=[{**DEMOS[0], "thought": 5}]), "thought"),
        (_with(demos=[{"teacher_prompt": "a"}]), "thought"),
        (_with(demos=DEMOS * 20), "demos"),
        (_with(demos=[{**DEMOS[0], "student_response": "x" * 2_000}]), "student_response"),
        (_with(signature={"instructions": "", "fields": []}), "instructions"),
        (_with(signature={"instructions": "x", "fields": []}), "signature"),
    ],
)
def test_a_file_that_was_tampered_with_is_refused(
    tmp_path: Path, content: dict[str, Any] | bytes, names: str
) -> None:
    with pytest.raises(ProgramError, match=names) as raised:
        open_program("dspy", "1", folder(tmp_path, content), Endpoint("m"))
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProgramError, match="cannot be read"):
        open_program("dspy", "1", tmp_path, Endpoint("m"))


def test_a_sound_state_is_unchanged_by_the_check() -> None:
    for reasons in (False, True):
        demos = [{**DEMOS[1], **({"reasoning": "because"} if reasons else {})}]
        found = state(reasons=reasons, demos=demos)
        assert check_state(json.dumps(found).encode()) == found


async def test_the_bot_takes_up_a_published_program(server: OpenAIServer, tmp_path: Path) -> None:
    for part in ("children", "lessons"):
        shutil.copytree(DATA / part, tmp_path / part)
    shutil.copy(DATA / "prices.toml", tmp_path)
    local = {
        "provider": "compatible",
        "model": "m",
        "base_url": server.base_url,
        "key_variable": "NO_KEY_AT_ALL",
    }
    models = Models(Settings.model_validate({"data": tmp_path, "models": {"local": local}}))
    for version, instructions in (("1", "Be an otter."), ("2", "Be a heron.")):
        artifact.publish(
            tmp_path / "models",
            Manifest(
                name="dspy",
                version=version,
                kind="dspy",
                base=Base(id="m", endpoint=server.base_url),
                prompt=Prompt(version="1"),
                data=Data(sha256="0" * 64, dialogues=1, split={}),
                training=Training(method="dspy"),
            ),
            {"program.json": json.dumps(state(instructions=instructions)).encode()},
        )
        await models.refresh()
        model = await models.get("dspy")
        await model.reply(cue(), seed=1)
        assert model.version == version
        assert server.requests[-1].body["messages"][0]["content"] == instructions
    await models.aclose()


def test_nobody_else_pays_for_dspy() -> None:
    code = "import sys, bot.models.registry, bot.models.program_state; sys.exit('dspy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
