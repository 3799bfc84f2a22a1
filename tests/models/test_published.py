"""Published models in a running bot: taken up, warmed up, swapped, drained, rolled back, and listed.

The weights of the adapters are random, everything else is real: files, engine, store, classroom, and for hosted
models a server on a local socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import watchfiles
from structlog.testing import capture_logs
from watchfiles._rust_notify import WatchfilesRustInternalError

from bot.app import App, opened, watching
from bot.config import Settings
from bot.messages import Answer, Place
from bot.models.artifact import publish
from bot.models.base import ModelUnavailable
from bot.models.catalogue import use
from bot.models.engines.base import Engine, EngineError, Sampling
from bot.models.engines.llama_cpp import LlamaCppEngine
from bot.models.manifest import Base
from bot.models.registry import Models, UnknownModel
from bot.sections import ChatModel
from tests.fakes import adapters
from tests.fakes.adapters import data_folder, manifest, publish_adapter
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.students import Listener, message, settings_at

QUESTIONS = ("What is 52 minus 17?", "How do you know?", "Are you sure?", "What is 5 minus 2?")


@pytest.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer() as started:
        yield started


def settings_in(tmp_path: Path, server: OpenAIServer | None = None, **sections: Any) -> Settings:
    known: dict[str, Any] = {}
    if server is not None:
        hosted = ChatModel(provider="compatible", model="any", base_url=server.base_url, max_retries=0)
        known["models"] = {"hosted": hosted}
    engine = {"slots": 2, "threads": 1}
    settings = settings_at(tmp_path / "pupil.db", **{"engine": engine, **known, **sections})
    return settings.model_copy(update={"data": data_folder(tmp_path / "data")})


def publish_hosted(settings: Settings, version: str, *, promote: bool = True) -> None:
    (hosted,) = settings.models.values()
    assert hosted.base_url is not None
    base = Base(id=f"ft:{version}", endpoint=hosted.base_url)
    publish(
        settings.data / "models", manifest("cloud", version, kind="openai", base=base), {}, promote=promote
    )


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def watched(models: Models, **how: Any) -> AsyncIterator[None]:
    watch = asyncio.create_task(models.watch(**how))
    try:
        yield
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        await models.aclose()


class TestEngine:
    async def test_each_request_has_its_own_adapter_or_none(self, tmp_path: Path, small: Path) -> None:
        paths = []
        for seed in (1, 3):
            paths.append(tmp_path / f"{seed}.gguf")
            paths[-1].write_bytes(adapters.gguf(adapters.halves(seed, scale=0.5)))
        said = [{"role": "user", "content": "Say hello."}]
        greedy = Sampling(max_tokens=16, temperature=0.0)
        engine = await LlamaCppEngine.start(small, slots=2, threads=1, adapters=paths)
        try:
            alone = [
                (await engine.complete(said, greedy, adapter=each)).text for each in (None, *paths, None)
            ]
            together = await asyncio.gather(
                *(engine.complete(said, greedy, adapter=each) for each in (None, *paths))
            )
            with pytest.raises(EngineError, match="no longer loaded"):
                await engine.complete(said, greedy, adapter=tmp_path / "none.gguf")
        finally:
            await engine.aclose()
        assert alone[0] == alone[3]
        assert len(set(alone)) == 3
        assert [each.text for each in together] == alone[:3]

    async def test_what_is_being_written_is_finished_when_its_adapter_goes(
        self, tmp_path: Path, small: Path
    ) -> None:
        path = tmp_path / "1.gguf"
        path.write_bytes(adapters.gguf(adapters.halves(3, scale=0.5)))
        story = [{"role": "user", "content": "Tell me a story."}]
        long = Sampling(max_tokens=60, temperature=0.0)
        engine = await LlamaCppEngine.start(small, slots=1, threads=1)
        try:

            async def proof(fresh: Engine) -> None:
                assert fresh.adapters == (path,)

            await engine.add_adapter(path, proof)
            # Twice: read whole, a prompt has other last digits than found in the cache, and nonsense hangs on them.
            _, whole = [(await engine.complete(story, long, adapter=path)).text for _ in range(2)]
            writing = [asyncio.create_task(engine.complete(story, long, adapter=path)) for _ in range(2)]
            await asyncio.sleep(0.05)
            await engine.drop_adapter(path)
            with pytest.raises(EngineError, match="no longer loaded"):
                await engine.complete(story, long, adapter=path)
            assert [(await each).text for each in writing] == [whole, whole]
            assert (await engine.complete(story, long)).text != whole

            async def objection(_: Engine) -> None:
                raise EngineError("not this one")

            with pytest.raises(EngineError, match="not this one"):
                await engine.add_adapter(path, objection)
            (tmp_path / "2.gguf").write_bytes(b"GGUF")
            with pytest.raises(EngineError, match="cannot load it with the adapter"):
                await engine.add_adapter(tmp_path / "2.gguf", proof)
            assert engine.adapters == ()
        finally:
            await engine.aclose()
        with pytest.raises(EngineError, match="closed"):
            await engine.add_adapter(path, proof)


class TestHostedVersions:
    async def test_eight_conversations_through_swaps_a_bad_version_and_a_rollback(
        self, tmp_path: Path, server: OpenAIServer
    ) -> None:
        # Where its words cannot stand it is asked twice, the second time perhaps after a swap.
        settings = settings_in(tmp_path, server, student={"model": "cloud", "fallback": "cloud"})
        publish_hosted(settings, "1")
        server.enqueue(times=1, text="I think it's 45")  # the warm-up
        server.enqueue(times=1000, text="I think it's 45", delay=0.05)
        talk = _Talk()
        async with opened(settings) as app, watching(app.models):
            talking = [asyncio.create_task(talk.on(app, f"room-{number}")) for number in range(8)]
            await talk.hears("ft:1")
            publish_hosted(settings, "2")
            await talk.hears("ft:2")
            folder = settings.data / "models" / "cloud"
            publish_hosted(settings, "3", promote=False)
            (folder / "3" / "manifest.json").write_text("{}", "utf-8")
            use(settings.data / "models", "cloud", "3")
            await until(lambda: _problem(app.models, "cloud", "3 was refused"))
            await talk.hears("ft:2")
            use(settings.data / "models", "cloud", "1")
            talk.answers.clear()
            await talk.hears("ft:1")
            talk.over.set()
            await asyncio.gather(*talking)
        talk.check(settings)
        assert {each.version for each in talk.all} == {"ft:1", "ft:2"}

    async def test_a_reply_in_flight_and_its_second_try_keep_their_version(
        self, tmp_path: Path, server: OpenAIServer
    ) -> None:
        settings = settings_in(tmp_path, server)
        publish_hosted(settings, "1")
        models = Models(settings)
        async with watched(models):
            old = await models.get("cloud")
            server.enqueue(delay=1.0, text="late")
            writing = asyncio.create_task(old.reply(models._opener.cue(), seed=1))
            await until(lambda: _is(len(server.requests) == 2))
            publish_hosted(settings, "2")
            await until(lambda: _serves(models, "cloud", "ft:2"))
            assert not writing.done()
            assert (await writing).text == "late"
            assert (await old.reply(models._opener.cue(), seed=1)).text
            assert server.requests[-1].body["model"] == "ft:1"

    @pytest.mark.parametrize("how", [{"seconds": 60.0}, {"seconds": 0.1, "events": False}])
    async def test_watching_by_events_and_by_polling(
        self, tmp_path: Path, server: OpenAIServer, how: dict[str, Any]
    ) -> None:
        settings = settings_in(tmp_path, server)
        publish_hosted(settings, "1")
        models = Models(settings)
        async with watched(models, **how):
            await models.get("cloud")
            await asyncio.sleep(0.5)
            publish_hosted(settings, "2")
            await until(lambda: _serves(models, "cloud", "ft:2"))
            use(settings.data / "models", "cloud", "1")
            await until(lambda: _serves(models, "cloud", "ft:1"))

    @pytest.mark.parametrize("error", [OSError, WatchfilesRustInternalError])
    async def test_where_nothing_can_be_watched_it_is_polled(
        self,
        tmp_path: Path,
        server: OpenAIServer,
        monkeypatch: pytest.MonkeyPatch,
        error: type[Exception],
    ) -> None:
        def no_watch(*_: object, **__: object) -> None:
            raise error("Error creating recommended watcher: Too many open files (os error 24)")

        monkeypatch.setattr(watchfiles.main, "RustNotify", no_watch)
        settings = settings_in(tmp_path, server)
        publish_hosted(settings, "1")
        models = Models(settings)
        async with watched(models, seconds=0.1):
            await models.get("cloud")
            publish_hosted(settings, "2")
            await until(lambda: _serves(models, "cloud", "ft:2"))

    async def test_a_folder_that_is_not_there_yet(self, tmp_path: Path, server: OpenAIServer) -> None:
        settings = settings_in(tmp_path, server)
        (settings.data / "models").rmdir()
        models = Models(settings)
        async with watched(models, seconds=0.05):
            await asyncio.sleep(0.2)
            assert models.names == ("base", "hosted")
            publish_hosted(settings, "1")
            await until(lambda: _is("cloud" in models.names))
            assert (await models.get("cloud")).version == "ft:1"

    async def test_after_a_restart_the_version_before_a_bad_one_answers(
        self, tmp_path: Path, server: OpenAIServer
    ) -> None:
        settings = settings_in(tmp_path, server)
        for version in ("1", "2"):
            publish_hosted(settings, version)
        (settings.data / "models" / "cloud" / "2" / "manifest.json").write_text("{}", "utf-8")
        models = Models(settings)
        assert (await models.get("cloud")).version == "ft:1"
        info = models.describe()[-1]
        assert (info.name, info.state, info.version) == ("cloud", "live", "1")
        assert info.problem is not None
        assert info.problem.startswith("2 was refused: manifest.json: schema is None")
        assert info.problem.endswith("1 answers instead")
        await models.aclose()

    async def test_a_server_that_fails_in_the_warm_up_is_asked_again_later(
        self, tmp_path: Path, server: OpenAIServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bot.models.published.TRY_AGAIN_SECONDS", 0.5)
        settings = settings_in(tmp_path, server)
        publish_hosted(settings, "1")
        models = Models(settings)
        server.enqueue(status=503)
        for _ in range(2):
            with pytest.raises(ModelUnavailable, match="1 was refused: cloud: the server answered with an"):
                await models.get("cloud")
        assert len(server.requests) == 1
        await asyncio.sleep(0.6)
        assert (await models.get("cloud")).version == "ft:1"
        assert models.describe()[-1].problem is None
        await models.aclose()

    async def test_a_version_that_says_nothing_is_refused(self, tmp_path: Path, server: OpenAIServer) -> None:
        settings = settings_in(tmp_path, server)
        publish_hosted(settings, "1")
        models = Models(settings)
        server.enqueue(text="  ")
        with pytest.raises(ModelUnavailable, match="1 was refused: "):
            await models.get("cloud")
        await models.aclose()

    async def test_a_key_goes_only_to_addresses_in_the_config(self, tmp_path: Path) -> None:
        settings = settings_in(tmp_path)
        async with OpenAIServer() as stranger:
            base = Base(id="ft:x", endpoint=stranger.base_url)
            publish(settings.data / "models", manifest("cloud", "1", kind="openai", base=base), {})
            models = Models(settings)
            with pytest.raises(ModelUnavailable, match=r"none of config\.toml's"):
                await models.get("cloud")
            assert not stranger.requests
            await models.aclose()

    async def test_candidates_are_not_live_and_unknown_names_are_unknown(
        self, tmp_path: Path, server: OpenAIServer
    ) -> None:
        settings = settings_in(tmp_path, server)
        publish_hosted(settings, "1", promote=False)
        models = Models(settings)
        with pytest.raises(ModelUnavailable, match="python -m bot use cloud"):
            await models.get("cloud")
        with pytest.raises(UnknownModel, match="did you mean 'cloud'"):
            await models.get("clout")
        assert models.promote("cloud", None) == "1"
        await models.refresh()
        assert (await models.get("cloud")).version == "ft:1"
        await models.aclose()

    async def test_a_name_of_the_config_stays_the_configs(self, tmp_path: Path, server: OpenAIServer) -> None:
        settings = settings_in(tmp_path, server)
        base = Base(id="ft:x", endpoint=server.base_url)
        publish(settings.data / "models", manifest("hosted", "1", kind="openai", base=base), {})
        models = Models(settings)
        assert models.names == ("base", "hosted")
        assert (await models.get("hosted")).version == "any"
        assert "taken by config.toml" in (models.describe()[-1].problem or "")
        await models.aclose()

    async def test_a_deleted_folder_takes_nothing_away_from_who_answers(
        self, tmp_path: Path, server: OpenAIServer
    ) -> None:
        settings = settings_in(tmp_path, server)
        publish_hosted(settings, "1")
        models = Models(settings)
        live = await models.get("cloud")
        (settings.data / "models").rename(tmp_path / "gone")
        await models.refresh()
        assert await models.get("cloud") is live
        assert models.describe()[-1].name == "cloud"
        await models.aclose()

    async def test_the_list_of_models_in_a_conversation(self, tmp_path: Path, server: OpenAIServer) -> None:
        settings = settings_in(tmp_path, server)
        publish_hosted(settings, "1")
        publish_hosted(settings, "2", promote=False)
        async with opened(settings) as app:
            await app.models.get("cloud")
            publish_hosted(settings, "3")
            (settings.data / "models" / "cloud" / "3" / "x.bin").write_bytes(b"x")
            await app.models.refresh()
            shown = await app.commands.run("model", Place("discord", "room", None), "ann")
            row = dict(shown.rows)["cloud"]
            assert row.startswith(
                "openai · 1 · live · price unknown · 3 was refused: x.bin: files of this type"
            )
            assert row.endswith("1 answers instead · also 2")
            await app.commands.run("model cloud", Place("discord", "room", None), "ann")
            assert "cloud (current)" in dict(
                (await app.commands.run("model", Place("discord", "room", None), "ann")).rows
            )


class TestProgram:
    async def test_a_published_program_answers(self, tmp_path: Path, server: OpenAIServer) -> None:
        from bot.models.program import StudentSimulationModel

        settings = settings_in(tmp_path, server)
        base = Base(id="any", endpoint=server.base_url)
        state = json.dumps(StudentSimulationModel(reasons=False).dump_state()).encode()
        publish(
            settings.data / "models",
            manifest("prompted", "1", kind="dspy", base=base),
            {"program.json": state},
        )
        models = Models(settings)
        server.enqueue(times=2, text="I think it's 45")
        program = await models.get("prompted")
        assert (program.name, program.version) == ("prompted", "1")
        assert (await program.reply(models._opener.cue(), seed=1)).text == "I think it's 45"
        broken = json.dumps({"respond": {"lm": {"model": "x", "api_base": "http://x"}}}).encode()
        publish(
            settings.data / "models",
            manifest("prompted", "2", kind="dspy", base=base),
            {"program.json": broken},
        )
        with capture_logs() as logs:
            await models.refresh()
            await models.refresh()
        assert [each["version"] for each in logs if each["event"] == "model version refused"] == ["2"]
        assert await models.get("prompted") is program
        await models.aclose()


class TestAdapters:
    async def test_eight_conversations_across_a_swap_of_adapters(self, tmp_path: Path, small: Path) -> None:
        """All eight are being answered when a new version is published: each is finished on the old one,
        every later turn is on the new one, and none is answered twice."""
        settings = settings_in(
            tmp_path,
            engine={"gguf": small, "slots": 8, "threads": 1},
            # Its nonsense is never kept, so that every turn asks twice, the second time perhaps after the swap.
            student={"model": "starter", "fallback": "starter"},
        )
        folder = settings.data / "models"
        publish_adapter(folder, "1", base=small, seed=3, scale=0.5)
        async with opened(settings) as app, watching(app.models):
            await app.models.get("starter")
            listeners = [Listener() for _ in range(8)]
            first = [message(channel=f"room-{number}") for number in range(8)]
            answering = [
                asyncio.create_task(app.classroom.receive(each, listener, seed=3))
                for each, listener in zip(first, listeners, strict=True)
            ]
            engine = app.models._engines._llama
            assert engine is not None
            await until(lambda: _is(sum(engine.load.waiting) >= 8))
            publish_adapter(folder, "2", base=small, seed=4, scale=0.5)
            await until(lambda: _serves(app.models, "starter", "2"), 150)
            assert not all(task.done() for task in answering), "the swap came too late to show anything"
            answers = await asyncio.gather(*answering)
            assert [each and each.version for each in answers] == ["1"] * 8
            assert [len(each.words) for each in listeners] == [1] * 8
            # The same messages come once more, as platforms do it, and the next ones.
            for each, listener in zip(first, listeners, strict=True):
                assert await app.classroom.receive(each, listener) is None
            later = [message("Are you sure?", channel=f"room-{number}") for number in range(8)]
            answers = await asyncio.gather(
                *(
                    app.classroom.receive(each, listener, seed=3)
                    for each, listener in zip(later, listeners, strict=True)
                )
            )
            assert [each and each.version for each in answers] == ["2"] * 8
            assert [len(each.words) for each in listeners] == [2] * 8
        with sqlite3.connect(settings.database) as store:
            logged = store.execute(
                "SELECT model_version, count(*) FROM turns WHERE role = 'student' GROUP BY 1 ORDER BY 1"
            ).fetchall()
            waiting = store.execute("SELECT count(*) FROM claims WHERE state != 'answered'").fetchone()
        assert (logged, waiting) == ([("1", 8), ("2", 8)], (0,))

    async def test_base_and_two_models_share_one_server_and_retired_ones_go(
        self, tmp_path: Path, small: Path
    ) -> None:
        settings = settings_in(
            tmp_path, engine={"gguf": small, "slots": 1, "threads": 1}, classroom={"reply_seconds": 0.2}
        )
        folder = settings.data / "models"
        publish_adapter(folder, "1", base=small, seed=3, scale=0.5)
        publish_adapter(folder, "1", base=small, name="other", seed=4, scale=0.5)
        models = Models(settings)
        starter, other, base = [await models.get(name) for name in ("starter", "other", "base")]
        engine = models._engines._llama
        assert engine is not None
        assert len(engine.adapters) == 2
        cue = models._opener.cue()
        texts = [(await each.reply(cue, seed=1)).text for each in (starter, other, base)]
        assert len(set(texts)) == 3
        publish_adapter(folder, "2", base=small, seed=5, scale=0.5)
        await models.refresh()
        assert (await models.get("starter")).version == "2"
        assert len(engine.adapters) == 3
        assert (await starter.reply(cue, seed=1)).text == texts[0], "who holds the old version still has it"
        await asyncio.sleep(0.5)
        publish_adapter(folder, "3", base=small, seed=9, scale=0.5)
        await models.refresh()
        assert len(engine.adapters) == 3, "version 1 is gone, 2 is being retired"
        assert (await other.reply(cue, seed=1)).text == texts[1]
        serving = tmp_path / "serving"
        assert len(list(serving.glob("*/*/adapter.gguf"))) == 3
        await models.aclose()
        assert not serving.exists()

    async def test_the_embedded_model_alone_when_the_first_adapter_is_bad(
        self, tmp_path: Path, small: Path
    ) -> None:
        settings = settings_in(tmp_path, engine={"gguf": small, "slots": 1, "threads": 1})
        at = publish_adapter(settings.data / "models", "1", base=small)
        (at / "adapter.gguf").write_bytes(b"GGUF")
        models = Models(settings)
        with pytest.raises(ModelUnavailable, match=r"1 was refused: adapter\.gguf"):
            await models.get("starter")
        assert (await (await models.get("base")).reply(models._opener.cue(), seed=1)).text
        await models.aclose()


class _Talk:
    """Teachers who go on talking until they are told that it is over."""

    def __init__(self) -> None:
        self.over = asyncio.Event()
        self.all: list[Answer] = []
        self.answers: list[Answer] = []
        self.listeners: list[Listener] = []
        self.asked = 0

    async def on(self, app: App, channel: str) -> None:
        while not self.over.is_set():
            listener = Listener()
            self.asked += 1
            said = message(QUESTIONS[self.asked % len(QUESTIONS)], channel=channel)
            answer = await app.classroom.receive(said, listener, seed=1)
            assert answer is not None
            self.listeners.append(listener)
            self.answers.append(answer)
            self.all.append(answer)

    async def hears(self, version: str) -> None:
        """Wait until every conversation has had an answer of that version."""
        seen = len(self.answers)
        await until(lambda: _is(sum(each.version == version for each in self.answers[seen:]) >= 16))

    def check(self, settings: Settings) -> None:
        """None lost, none doubled."""
        assert all(len(each.sent) == 1 for each in self.listeners)
        assert len(self.listeners) == len(self.all) == self.asked
        with sqlite3.connect(settings.database) as store:
            (turns,) = store.execute("SELECT count(*) FROM turns WHERE role = 'student'").fetchone()
            states = store.execute("SELECT state, count(*) FROM claims GROUP BY state").fetchall()
        assert turns == self.asked
        assert states == [("answered", self.asked)]


async def _is(value: bool) -> bool:
    return value


async def _serves(models: Models, name: str, version: str) -> bool:
    return (await models.get(name)).version == version


async def _problem(models: Models, name: str, begins: str) -> bool:
    return any(each.name == name and (each.problem or "").startswith(begins) for each in models.describe())
