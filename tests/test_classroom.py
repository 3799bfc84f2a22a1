"""The way of one message through the real classroom on a real database; only the words are scripted."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import signal
import sqlite3
import subprocess
import time
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool
from structlog.testing import capture_logs

from bot.messages import Answer, NotYet, Outgoing, clean_text
from bot.models.base import Reply
from bot.models.describing import UNPRICED
from bot.store import Store, hash_user
from bot.store.rows import ClaimedMessage
from bot.student.believing.belief import Belief
from bot.student.believing.state import MindState
from bot.student.guard.safeguard import Flag
from bot.student.records.cue import Cue
from bot.student.records.dialogue import MAX_TURN_CHARACTERS, MoveKind, Role, Stage
from tests.fakes.forking import command as forked
from tests.fakes.students import (
    NONSENSE,
    SECRET,
    Listener,
    ModelRefused,
    ModelUnavailable,
    PlatformError,
    ScriptedModel,
    message,
    room,
)

ROOT = Path(__file__).parents[1]
QUICK = {"reply_seconds": 0.6, "send_seconds": 0.3, "shutdown_seconds": 0.5}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pupil.db"


def rows(path: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    with sqlite3.connect(path) as connection:
        if sql.startswith("ALTER"):  # it reads first, and then would be refused at once where somebody writes
            connection.execute("BEGIN IMMEDIATE")
        return connection.execute(sql, values).fetchall()


def claims(path: Path) -> dict[str, str]:
    return dict(rows(path, "SELECT message_key, state FROM claims"))


def logged(path: Path) -> list[tuple[Any, ...]]:
    return rows(path, "SELECT role, content FROM turns ORDER BY conversation_id, number")


class TestOneMessage:
    async def test_answer_is_sent_and_logged_with_its_provenance(self, path: Path) -> None:
        listener = Listener()
        async with room(path) as app:
            answer = await app.classroom.receive(message(key="discord:1"), listener, seed=7)
            assert answer is not None
            assert answer.thought is not None
            conversation = await app.store.conversation("discord", "room", None)
            teacher, student = await app.store.turns(conversation.id, 10)
        assert listener.words == [answer.text] == [student.content]
        assert listener.sent[0].speaker == "Mia"
        assert listener.thought == 1
        assert (teacher.role, teacher.content, teacher.move) == (
            Role.TEACHER,
            "What is 52 minus 17?",
            MoveKind.ASKS,
        )
        assert teacher.author_hash == hash_user("discord", "ann", SECRET)
        assert student.thought == answer.thought
        assert (student.model, student.model_version, student.voiced) == ("base", "base-1", "model")
        assert (student.child, student.lesson) == ("mia", "2.NBT.B.5-subtract")
        assert (student.prompt_tokens, student.completion_tokens, student.cost_usd) == (100, 5, None)
        assert student.prompt_version
        assert claims(path) == {"discord:1": "answered"}

    async def test_same_seed_same_thought(self, path: Path) -> None:
        async with room(path) as app:
            answers = [
                await app.classroom.receive(message(channel=channel), Listener(), seed=seed)
                for channel, seed in (("a", 5), ("b", 5), ("c", 6), ("d", 7), ("e", 8))
            ]
        thoughts = [answer.thought for answer in answers if answer]
        assert thoughts[0] == thoughts[1]
        assert len(set(thoughts)) > 1

    async def test_the_dialogue_so_far_reaches_the_model(self, path: Path) -> None:
        model = ScriptedModel()
        async with room(path, model) as app:
            first = await app.classroom.receive(message("What is 9 plus 6?"), Listener())
            await app.classroom.receive(message("How do you know?"), Listener())
        assert first is not None
        assert model.cues[0].turns == ()
        assert [turn.content for turn in model.cues[1].turns] == ["What is 9 plus 6?", first.text]
        assert model.cues[1].teacher == "How do you know?"
        assert model.cues[0].conversation == model.cues[1].conversation != ""

    async def test_cost_of_all_tries_is_added_up(self, path: Path) -> None:
        model = ScriptedModel(cost_usd=0.25)
        model.enqueue(NONSENSE)
        async with room(path, model) as app:
            answer = await app.classroom.receive(message(), Listener())
        assert answer is not None
        assert (answer.voiced, answer.prompt_tokens, answer.completion_tokens) == ("retry", 200, 10)
        assert answer.cost_usd == pytest.approx(0.5)


class TestStatements:
    @pytest.mark.parametrize(
        ("text", "statements"), [("What is 52 minus 17?", 7), ("Are you a real child?", 7)]
    )
    async def test_a_message_costs_four_transactions(self, path: Path, text: str, statements: int) -> None:
        """One claims it, one reads what was said so far, one keeps the answer, one logs what came of it."""
        done: list[str] = []

        def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
            done.append(statement.split(maxsplit=1)[0])

        async with room(path) as app:
            await app.classroom.receive(message(), Listener())
            event.listen(Engine, "before_cursor_execute", note)
            try:
                await app.classroom.receive(message(text), Listener())
            finally:
                event.remove(Engine, "before_cursor_execute", note)
        assert done.count("BEGIN") == 4
        assert len(done) - done.count("BEGIN") == statements


class TestDuplicates:
    async def test_the_same_message_is_answered_once(self, path: Path) -> None:
        listeners = [Listener() for _ in range(5)]
        async with room(path) as app:
            together = await asyncio.gather(
                *(app.classroom.receive(message(key="discord:1"), listener) for listener in listeners)
            )
            later = await app.classroom.receive(message(key="discord:1"), listeners[0])
        assert [answer is not None for answer in together].count(True) == 1
        assert later is None
        assert sum(len(listener.sent) for listener in listeners) == 1
        assert len(logged(path)) == 2

    async def test_two_programs_answer_each_message_once(self, path: Path) -> None:
        await (await Store.open(f"sqlite+aiosqlite:///{path}")).aclose()
        count = 25
        programs = [second_program("race", str(path), str(count)) for _ in range(2)]
        for program in programs:
            assert program.stdout is not None
            assert program.stdout.readline() == "ready\n"
        for program in programs:
            assert program.stdin is not None
            program.stdin.write("go\n")
            program.stdin.flush()
        answered = [number for program in programs for number in program.communicate(timeout=60)[0].split()]
        assert sorted(map(int, answered)) == list(range(count))
        assert len(logged(path)) == 2 * count


class TestOrder:
    async def test_order_within_a_conversation_under_random_delays(self, path: Path) -> None:
        model, rng, log = ScriptedModel(), random.Random(4), list[str]()
        said = [f"Message number {number} of the talk." for number in range(12)]
        for _ in said:
            model.enqueue(NONSENSE, NONSENSE, delay=rng.random() / 40)
        async with room(path, model) as app:

            async def arrive(text: str) -> Answer | None:
                return await app.classroom.receive(message(text), Listener(log=log))

            answers = await asyncio.gather(*map(arrive, said))
            conversation = await app.store.conversation("discord", "room", None)
            turns = await app.store.turns(conversation.id, 100)
        assert [turn.content for turn in turns if turn.role is Role.TEACHER] == said
        assert log == [answer.text for answer in answers if answer]
        assert list(dict.fromkeys(cue.teacher for cue in model.cues)) == said
        assert model.most_at_once == 1

    async def test_conversations_run_side_by_side(self, path: Path) -> None:
        class Meeting(ScriptedModel):
            """Answers nobody before all eight are there."""

            everybody = asyncio.Barrier(8)

            async def reply(self, cue: Cue, *, seed: int | None) -> Reply:
                await self.everybody.wait()
                return await super().reply(cue, seed=seed)

        async with room(path, Meeting()) as app:
            answers = await asyncio.gather(
                *(app.classroom.receive(message(channel=str(number)), Listener()) for number in range(8))
            )
        assert [answer.voiced for answer in answers if answer] == ["model"] * 8

    async def test_a_full_queue_gives_a_notice_and_drops_nothing_else(self, path: Path) -> None:
        model = ScriptedModel(delay=0.05)
        listeners = [Listener() for _ in range(6)]
        async with room(path, model, classroom={"queue": 3}) as app:
            await asyncio.gather(*(app.classroom.receive(message(), listener) for listener in listeners))
            assert app.classroom.waiting == 0
            assert app.metrics.failures.labels("queue full")._value.get() == 3
        assert [len(listener.words) for listener in listeners] == [1, 1, 1, 0, 0, 0]
        assert [len(listener.notices) for listener in listeners] == [0, 0, 0, 1, 1, 1]
        assert "Mia" in listeners[-1].notices[0]

    async def test_the_notice_of_a_full_queue_names_who_sits_there(self, path: Path) -> None:
        model, listeners = ScriptedModel(delay=0.05), [Listener(), Listener()]
        async with room(path, model, classroom={"queue": 1}) as app:
            row = await app.store.conversation("discord", "room", None)
            await app.store.update_conversation(row.id, child="eli")
            await asyncio.gather(*(app.classroom.receive(message(), listener) for listener in listeners))
        (notice,) = listeners[1].notices
        assert "Eli" in notice
        assert "Mia" not in notice

    async def test_a_full_queue_says_nothing_of_what_was_answered_before(self, path: Path) -> None:
        """A platform may tell of a message again at any time."""
        model, again = ScriptedModel(), Listener()
        async with room(path, model, classroom={"queue": 1}) as app:
            assert await app.classroom.receive(message(key="discord:answered"), Listener())
            model.enqueue("um", delay=0.1)
            waiting = asyncio.create_task(app.classroom.receive(message(), Listener()))
            await until(lambda: app.classroom.waiting == 1)
            assert await app.classroom.receive(message(key="discord:answered"), again) is None
            await waiting
        assert again.sent == []

    async def test_a_caller_that_leaves_does_not_stop_the_answer(self, path: Path) -> None:
        model, listener = ScriptedModel(delay=0.1), Listener()
        async with room(path, model) as app:
            caller = asyncio.create_task(app.classroom.receive(message(), listener))
            await until(lambda: bool(model.cues))
            caller.cancel()
            await asyncio.gather(caller, return_exceptions=True)
            await until(lambda: app.classroom.waiting == 0)
        assert len(listener.words) == 1
        assert len(logged(path)) == 2


class TestWords:
    async def test_words_that_cannot_stand_are_asked_for_once_more_with_another_seed(
        self, path: Path
    ) -> None:
        model = ScriptedModel()
        model.enqueue(NONSENSE)
        async with room(path, model) as app:
            answer = await app.classroom.receive(message(), Listener())
        assert answer is not None
        assert answer.voiced == "retry"
        assert len(model.seeds) == 2
        assert model.seeds[0] != model.seeds[1]

    async def test_twice_nonsense_ends_in_plain_words(self, path: Path) -> None:
        model = ScriptedModel()
        model.enqueue(NONSENSE, NONSENSE)
        async with room(path, model) as app:
            with capture_logs() as logs:
                answer = await app.classroom.receive(message(), Listener())
        (told,) = [each for each in logs if each["log_level"] == "warning"]
        assert (told["event"], told["model"]) == ("no words stood", "base"), "it was paid for twice"
        assert "adult words" in told["fault"]
        assert answer is not None
        assert answer.thought is not None
        assert answer.voiced == "phrasing"
        assert "language model" not in answer.text
        assert answer.thought.answer in answer.text  # type: ignore[operator]
        assert len(model.cues) == 2

    async def test_after_two_unusable_tries_the_fallback_is_asked(self, path: Path) -> None:
        trained, fallback = ScriptedModel("trained"), ScriptedModel()
        trained.enqueue(NONSENSE, NONSENSE)
        async with room(path, trained, fallback, student={"model": "trained"}) as app:
            answer = await app.classroom.receive(message(), Listener())
        assert answer is not None
        assert (answer.model, answer.version, answer.voiced) == ("base", "base-1", "model")
        assert answer.prompt_tokens == 300
        assert (len(trained.cues), len(fallback.cues)) == (2, 1)

    async def test_unusable_words_of_both_models_end_in_plain_words(self, path: Path) -> None:
        trained, fallback = ScriptedModel("trained"), ScriptedModel()
        trained.enqueue(NONSENSE, NONSENSE)
        fallback.enqueue(NONSENSE, NONSENSE)
        async with room(path, trained, fallback, student={"model": "trained"}) as app:
            answer = await app.classroom.receive(message(), Listener())
        assert answer is not None
        assert answer.voiced == "phrasing"
        assert (len(trained.cues), len(fallback.cues)) == (2, 2)

    async def test_unusable_words_that_come_slowly_leave_the_fallback_its_time(self, path: Path) -> None:
        slow, fallback = ScriptedModel("slow"), ScriptedModel()
        slow.enqueue(NONSENSE, NONSENSE, delay=0.3)
        async with room(path, slow, fallback, student={"model": "slow"}, classroom=QUICK) as app:
            started = time.perf_counter()
            answer = await app.classroom.receive(message(), Listener())
            took = time.perf_counter() - started
        assert answer is not None
        assert (answer.model, answer.voiced) == ("base", "model")
        assert took < 0.6 + 0.3

    async def test_a_model_that_hangs_is_left_for_the_fallback_within_the_deadline(self, path: Path) -> None:
        slow, fallback = ScriptedModel("slow"), ScriptedModel()
        slow.hang()
        async with room(path, slow, fallback, student={"model": "slow"}, classroom=QUICK) as app:
            started = time.perf_counter()
            answer = await app.classroom.receive(message(), Listener())
            took = time.perf_counter() - started
        assert answer is not None
        assert (answer.model, answer.voiced) == ("base", "model")
        assert slow.cancelled == 1
        assert took < 0.6 + 0.3

    async def test_both_hang_a_notice_instead_of_words_of_no_model(self, path: Path) -> None:
        slow, fallback, listener = ScriptedModel("slow"), ScriptedModel(), Listener()
        slow.hang()
        fallback.hang()
        async with room(path, slow, fallback, student={"model": "slow"}, classroom=QUICK) as app:
            started = time.perf_counter()
            assert await app.classroom.receive(message(key="discord:1"), listener) is None
            took = time.perf_counter() - started
            again = await app.classroom.receive(message(key="discord:2"), Listener())
        assert 0.5 < took < 0.6 + 0.3
        assert (slow.cancelled, fallback.cancelled) == (1, 1)
        assert listener.words == []
        assert ["Mia cannot answer" in notice for notice in listener.notices] == [True]
        assert claims(path) == {"discord:1": "failed", "discord:2": "answered"}
        assert again is not None
        assert again.voiced == "model"

    async def test_an_unavailable_model_is_not_asked_twice(self, path: Path) -> None:
        cloud, fallback = ScriptedModel("cloud"), ScriptedModel()
        cloud.enqueue(ModelUnavailable("cloud: 503"))
        async with room(path, cloud, fallback, student={"model": "cloud"}) as app:
            answer = await app.classroom.receive(message(), Listener())
        assert answer is not None
        assert (answer.model, answer.version, answer.voiced) == ("base", "base-1", "model")
        assert len(cloud.cues) == 1

    async def test_both_unavailable_a_notice_and_the_reason_is_kept(self, path: Path) -> None:
        cloud, fallback, listener = ScriptedModel("cloud"), ScriptedModel(), Listener()
        cloud.enqueue(ModelUnavailable("cloud: 503"))
        fallback.enqueue(ModelUnavailable("base: closed"))
        async with room(path, cloud, fallback, student={"model": "cloud"}) as app:
            assert await app.classroom.receive(message(), listener) is None
        assert (listener.words, len(listener.notices)) == ([], 1)
        assert rows(path, "SELECT state, reason, payload FROM claims") == [
            ("failed", "no words: base: closed", None)
        ]
        assert logged(path) == []

    async def test_a_refusal_costs_one_call_and_gives_plain_words(self, path: Path) -> None:
        model = ScriptedModel()
        model.enqueue(ModelRefused("base: content filter"))
        async with room(path, model) as app:
            answer = await app.classroom.receive(message(), Listener())
        assert answer is not None
        assert answer.voiced == "phrasing"
        assert len(model.cues) == 1


class TestResponders:
    @pytest.mark.parametrize(
        "error", [PlatformError("the channel is gone"), RuntimeError("a bug of the platform")]
    )
    async def test_one_that_fails(self, path: Path, error: Exception) -> None:
        behind = Listener()
        async with room(path, classroom=QUICK) as app:
            lost, fine = await asyncio.gather(
                app.classroom.receive(message(key="discord:1"), Listener(fails=error)),
                app.classroom.receive(message(key="discord:2"), behind),
            )
        assert lost is None
        assert fine is not None
        assert len(behind.words) == 1
        assert claims(path) == {"discord:1": "failed", "discord:2": "answered"}
        assert len(logged(path)) == 2

    async def test_one_that_hangs_is_asked_again_and_keeps_those_behind_in_order(self, path: Path) -> None:
        heard: list[str] = []
        hanging, behind = Listener(hangs=True, log=heard), Listener(log=heard)
        async with room(path, classroom=QUICK) as app:
            both = asyncio.gather(
                app.classroom.receive(message("One?", key="discord:1"), hanging),
                app.classroom.receive(message("Two?", key="discord:2"), behind),
            )
            await until(lambda: hanging.looked)
            assert heard == []
            hanging.recover()
            first, second = await both
        assert first is not None
        assert second is not None
        assert heard == [first.text, second.text]
        assert claims(path) == {"discord:1": "answered", "discord:2": "answered"}

    async def test_one_whose_answer_got_lost_is_not_answered_twice(self, path: Path) -> None:
        """The platform took it, and nobody heard so: it is found there."""

        class Deaf(Listener):
            async def send(self, outgoing: Outgoing) -> str | None:
                await super().send(outgoing)
                raise NotYet("the connection broke")

            async def find(self, outgoing: Outgoing) -> list[str]:
                return ["discord:room:found"] if outgoing.nonce in {each.nonce for each in self.sent} else []

        listener = Deaf()
        async with room(path, classroom=QUICK) as app:
            assert await app.classroom.receive(message(), listener)
        assert len(listener.sent) == 1
        assert rows(path, "SELECT platform_message_id FROM turns WHERE role = 'student'") == [
            ("discord:room:found",)
        ]

    async def test_one_that_asks_for_patience_gets_it_also_over_a_restart(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Forty seconds of a rate limit, and the program is stopped meanwhile."""
        slept: list[float] = []
        sleep = asyncio.sleep

        async def quick(seconds: float) -> None:
            slept.append(seconds)
            await (asyncio.Event().wait() if stuck and seconds > 30 else sleep(0))

        class Busy(Listener):
            async def send(self, outgoing: Outgoing) -> str | None:
                raise NotYet("rate limited", 40, may_be_there=False)

        monkeypatch.setattr("bot.delivery.asyncio.sleep", quick)
        stuck, listener = True, Listener()
        async with room(path, classroom=QUICK) as app:
            asked = asyncio.create_task(app.classroom.receive(message(), Busy()))
            await until(lambda: 40 in slept)
        assert await asked is None
        assert list(claims(path).values()) == ["spoken"]
        stuck = False
        slept.clear()
        async with room(path) as app:
            assert await app.classroom.recover("discord", lambda _: listener) == 1
        assert any(38 < seconds <= 40 for seconds in slept)
        assert len(listener.words) == 1

    async def test_one_that_refuses_for_good_has_the_asker_told_privately(self, path: Path) -> None:
        listener = Listener(fails=PlatformError("Discord forbids it"))
        async with room(path, classroom=QUICK) as app:
            assert await app.classroom.receive(message(), listener) is None
        assert listener.sent == []
        assert ["Mia" in text for text in listener.told] == [True]
        assert rows(path, "SELECT state, reason, spoken, payload FROM claims") == [
            ("failed", "not sent: Discord forbids it", None, None)
        ]

    async def test_a_typing_sign_that_fails_costs_nothing(self, path: Path) -> None:
        class NoTyping(Listener):
            async def thinking(self) -> None:
                raise RuntimeError("no typing here")

        listener = NoTyping()
        async with room(path) as app:
            assert await app.classroom.receive(message(), listener)
        assert len(listener.words) == 1

    async def test_a_bug_costs_one_message_and_says_so(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken, behind = Listener(fails=ValueError("broken twice")), Listener()
        async with room(path, classroom=QUICK) as app:
            with monkeypatch.context() as patched:
                patched.setattr("bot.student.student.turn", lambda *_: 1 / 0)
                assert await app.classroom.receive(message(), listener := Listener()) is None
                assert await app.classroom.receive(message(), broken) is None
            assert await app.classroom.receive(message(), behind)
        assert len(listener.notices) == 1
        assert "Mia" in listener.notices[0]
        assert "division" not in listener.notices[0]
        assert len(behind.words) == 1

    async def test_the_apology_for_a_bug_names_who_sits_there(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with room(path) as app:
            row = await app.store.conversation("discord", "room", None)
            await app.store.update_conversation(row.id, child="eli")
            monkeypatch.setattr("bot.student.student.turn", lambda *_: 1 / 0)
            assert await app.classroom.receive(message(), listener := Listener()) is None
        assert "Eli" in listener.notices[0]


class TestStoreFails:
    @pytest.fixture
    def full_soon(self) -> Iterator[None]:
        def limit(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute("PRAGMA max_page_count = 60")

        event.listen(Pool, "connect", limit)
        yield
        event.remove(Pool, "connect", limit)

    @pytest.mark.usefixtures("full_soon")
    async def test_a_full_database_gives_a_short_notice_and_keeps_what_it_had(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bot.delivery.STORE_TRIES", 1)
        listener, answered = Listener(), 0
        async with room(path) as app:
            for number in range(300):
                if await app.classroom.receive(
                    message(f"What is {number} plus 1? " + "Well? " * 300), listener
                ):
                    answered += 1
                else:
                    break
        assert 0 < answered < 300
        assert len(listener.notices) == 1
        assert "could not be kept" in listener.notices[0]
        assert str(path) not in listener.notices[0]
        assert "\n" not in listener.notices[0]
        assert len(logged(path)) == 2 * answered
        assert list(claims(path).values()).count("answered") == answered

    async def test_after_the_trouble_the_conversation_goes_on(self, path: Path) -> None:
        listener = Listener()
        async with room(path) as app:
            await app.classroom.receive(message(), listener)
            rows(path, "ALTER TABLE turns RENAME TO elsewhere")
            asked = asyncio.create_task(app.classroom.receive(message(key="discord:kept"), listener))
            await until(lambda: len(listener.notices) == 1)
            # In a thread: the room may be about to end what it writes, and needs the loop for that.
            await asyncio.to_thread(rows, path, "ALTER TABLE elsewhere RENAME TO turns")
            assert await asked is None
            assert claims(path)["discord:kept"] == "claimed"
            assert await app.classroom.receive(message(), listener) is not None
        assert len(listener.notices) == 1

    async def test_a_lock_between_sending_and_logging_is_waited_out(self, path: Path) -> None:
        """The child has spoken: no notice says that it could not be kept, and nothing is said again."""

        class Locking(Listener):
            async def send(self, outgoing: Outgoing) -> str | None:
                rows(path, "ALTER TABLE turns RENAME TO elsewhere")
                return await super().send(outgoing)

        listener, asked_again = Locking(), Listener()
        async with room(path) as app:
            asked = asyncio.create_task(app.classroom.receive(message(key="discord:kept"), listener))
            await until(lambda: bool(listener.sent))
            await asyncio.sleep(0.05)
            assert claims(path) == {"discord:kept": "spoken"}
            rows(path, "ALTER TABLE elsewhere RENAME TO turns")
            assert await asked is not None
        async with room(path) as app:
            assert await app.classroom.recover("discord", lambda _: asked_again) == 0
        assert (len(listener.words), listener.notices, asked_again.sent) == (1, [], [])
        assert claims(path) == {"discord:kept": "answered"}
        assert len(logged(path)) == 2


class TestCrash:
    async def test_killed_in_mid_reply_answered_exactly_once_by_the_next(self, path: Path) -> None:
        program = second_program("hang", str(path))
        assert program.stdout is not None
        assert program.stdout.readline() == "thinking\n"
        program.send_signal(signal.SIGKILL)
        program.communicate(timeout=10)
        assert claims(path) == {"discord:crash": "claimed"}
        listener = Listener()
        async with room(path) as app:
            assert await app.classroom.recover("slack", lambda _: listener) == 0
            assert await app.classroom.recover("discord", lambda _: listener) == 1
            assert await app.classroom.recover("discord", lambda _: listener) == 0
            assert await app.classroom.receive(message(key="discord:crash"), listener) is None
        assert len(listener.words) == 1
        assert claims(path) == {"discord:crash": "answered"}
        assert [content for role, content in logged(path) if role == "teacher"] == ["What is 52 minus 17?"]

    async def test_what_is_too_old_or_has_no_place_is_marked_failed(self, path: Path) -> None:
        now = datetime.now(UTC)
        async with room(path, classroom={"recover_minutes": 10}) as app:
            for key, age in (("discord:old", 11), ("discord:gone", 1), ("discord:new", 1)):
                channel = key.partition(":")[2]
                left = ClaimedMessage(
                    key, "discord", channel, None, "a" * 32, "hi", key, now - timedelta(minutes=age)
                )
                assert await app.store.claim(left)
        async with room(path, classroom={"recover_minutes": 10}) as app:
            listener = Listener()
            answered = await app.classroom.recover(
                "discord", lambda it: None if it.channel == "gone" else listener
            )
        assert answered == 1
        assert claims(path) == {"discord:old": "failed", "discord:gone": "failed", "discord:new": "answered"}

    async def test_what_arrives_meanwhile_is_not_taken_for_left_behind(self, path: Path) -> None:
        model, live, late = ScriptedModel(delay=0.1), Listener(), Listener()
        async with room(path, model) as app:
            answer = asyncio.create_task(app.classroom.receive(message(key="discord:live"), live))
            await until(lambda: bool(model.cues))
            assert await app.classroom.recover("discord", lambda _: late) == 0
            assert await answer is not None
        assert (len(live.words), len(late.sent)) == (1, 0)

    async def test_recovered_messages_of_a_conversation_keep_their_order(self, path: Path) -> None:
        log: list[str] = []
        async with room(path) as app:
            for number in range(5):
                left = message(f"What is {number} plus 1?", key=f"discord:{number}")
                claim = ClaimedMessage(
                    left.key, "discord", "room", None, "a" * 32, left.text, left.key, left.sent_at
                )
                await app.store.claim(claim)
        async with room(path) as app:
            assert await app.classroom.recover("discord", lambda _: Listener(log=log)) == 5
        asked = [content for role, content in logged(path) if role == "teacher"]
        assert asked == [f"What is {number} plus 1?" for number in range(5)]
        assert len(log) == 5

    async def test_a_redacted_message_is_still_private_after_a_crash(self, path: Path) -> None:
        listener = Listener()
        model = ScriptedModel()
        model.hang()
        async with room(path, model, classroom={"shutdown_seconds": 0.05}) as app:
            taken = app.classroom.receive(message(key="discord:first", channel="room"), Listener())
            waiting = asyncio.create_task(taken)
            await until(lambda: bool(model.cues))
            text = "My student Jaylen Carter failed, his mom is at 555-867-5309."
            private = asyncio.create_task(app.classroom.receive(message(text, key="discord:x"), Listener()))
            await until(lambda: len(claims(path)) == 2)
            await app.classroom.aclose()
            assert not any(await asyncio.gather(waiting, private))
        async with room(path) as app:
            assert await app.classroom.recover("discord", lambda _: listener) == 2
        assert len(listener.words) == 1
        assert rows(path, "SELECT flag FROM turns WHERE platform_message_id = 'discord:x'") == [
            ("pupil_data",)
        ]


class TestBudget:
    @pytest.mark.parametrize(
        ("budget", "notice"),
        [({"per_day": 0.5}, "as the budget for this"), ({"per_person": 0.5}, "one person's share")],
    )
    async def test_who_is_over_it_is_told_kindly_and_offered_the_free_one(
        self, path: Path, budget: dict[str, float], notice: str
    ) -> None:
        gpt, listener = ScriptedModel("gpt", cost_usd=0.3), Listener()
        sections: dict[str, Any] = {"models": {"gpt": {"model": "gpt-4o-mini"}}, "budget": budget}
        async with room(path, gpt, ScriptedModel(), student={"model": "gpt"}, **sections) as app:
            answers = [await app.classroom.receive(message(), listener) for _ in range(3)]
            assert [answer is not None for answer in answers] == [True, True, False]
            assert [notice in each for each in listener.notices] == [True]
            assert "/student model base" in listener.notices[0]
            assert "Mia" in listener.notices[0]
            assert len(gpt.cues) == 2
            ben = await app.classroom.receive(message(author="ben"), Listener())
            assert (ben is not None) is ("per_person" in budget)
            await app.commands.model(message().place, "base")
            assert await app.classroom.receive(message(), listener)
            await app.commands.model(message().place, "gpt")
            rows(path, "UPDATE turns SET said_at = datetime(said_at, '-1 day')")
            assert await app.classroom.receive(message(), listener), "a new day"

    async def test_with_a_budget_a_paid_model_without_a_price_says_nothing(self, path: Path) -> None:
        hosted = {"provider": "compatible", "model": "x", "base_url": "https://api.nebius.com/v1"}
        x, listener = ScriptedModel("x"), Listener()
        x.price = UNPRICED
        async with room(
            path, x, models={"x": hosted}, student={"model": "x"}, budget={"per_day": 5.0}
        ) as app:
            assert await app.classroom.receive(message(), listener) is None
        assert ["Nobody knows what this model costs" in each for each in listener.notices] == [True]
        assert x.cues == []
        async with room(path, x, models={"x": hosted}, student={"model": "x"}) as app:
            assert await app.classroom.receive(message(key="discord:2"), Listener())

    async def test_with_a_budget_an_ear_without_a_price_is_not_asked(self, path: Path) -> None:
        hosted = {"provider": "compatible", "model": "x", "base_url": "https://api.nebius.com/v1"}
        x = ScriptedModel("x")
        x.price = UNPRICED
        sections: dict[str, Any] = {"models": {"x": hosted}, "student": {"ear": "x"}}
        for budget in (0.0, 5.0):
            async with room(path, ScriptedModel(), x, **sections, budget={"per_day": budget}) as app:
                with capture_logs() as logs:
                    assert await app.classroom.receive(message(), Listener())
            # This one would not do as an ear, which is found out when it is about to be asked.
            assert any(each["event"] == "no ear" for each in logs) is (budget == 0.0)

    @pytest.mark.parametrize(
        ("settings", "paid"),
        [
            ({"model": "gpt-4o-mini"}, True),
            ({"provider": "azure", "model": "x", "base_url": "https://here", "api_version": "1"}, True),
            ({"provider": "compatible", "model": "x", "base_url": "https://api.nebius.com/v1"}, True),
            ({"provider": "compatible", "model": "x", "base_url": "http://127.0.0.1:11434/v1"}, False),
        ],
    )
    async def test_which_models_are_paid(self, path: Path, settings: dict[str, Any], *, paid: bool) -> None:
        async with room(path, models={"it": settings}) as app:
            assert app.commands.pays("model", "it") is paid
            assert app.commands.pays("model", " IT ") is paid, "as it is chosen in any case"
            assert not app.commands.pays("model", "base")
            assert not app.commands.pays("model", None)
            assert not app.commands.pays("lesson", "it")


class TestShutdown:
    async def test_finishes_what_is_in_hand_and_takes_nothing_new(self, path: Path) -> None:
        model, listeners = ScriptedModel(delay=0.05), [Listener() for _ in range(4)]
        async with room(path, model) as app:
            taken = [asyncio.create_task(app.classroom.receive(message(), each)) for each in listeners[:3]]
            await until(lambda: bool(model.cues))
            closing = asyncio.create_task(app.classroom.aclose())
            await asyncio.sleep(0)
            assert await app.classroom.receive(message(key="discord:late"), listeners[3]) is None
            await closing
            assert all(task.done() and task.result() for task in taken)
        assert [len(listener.sent) for listener in listeners] == [1, 1, 1, 0]
        # Nothing brings a direct message back: it is claimed, and answered by whoever starts next.
        assert claims(path)["discord:late"] == "claimed"
        async with room(path) as app:
            assert await app.classroom.recover("discord", lambda _: listeners[3]) == 1
        assert len(listeners[3].words) == 1

    async def test_a_hanging_one_is_cut_at_the_deadline_and_answered_after_the_restart(
        self, path: Path
    ) -> None:
        model = ScriptedModel()
        model.hang()
        async with room(path, model, classroom={"shutdown_seconds": 0.3}) as app:
            taken = [
                asyncio.create_task(app.classroom.receive(message(key=f"discord:{number}"), Listener()))
                for number in range(2)
            ]
            await until(lambda: bool(model.cues))
            started = time.perf_counter()
            await app.classroom.aclose()
            took = time.perf_counter() - started
            assert await asyncio.gather(*taken) == [None, None]
        assert 0.25 < took < 0.8
        assert set(claims(path).values()) == {"claimed"}
        listener = Listener()
        async with room(path) as app:
            assert await app.classroom.recover("discord", lambda _: listener) == 2
        assert len(listener.words) == 2


class TestMind:
    async def test_survives_a_restart(self, path: Path) -> None:
        async with room(path) as app:
            await app.classroom.receive(message(), Listener(), seed=3)
            before = (await app.store.conversation("discord", "room", None)).mind
        model = ScriptedModel()
        async with room(path, model) as app:
            assert (await app.store.conversation("discord", "room", None)).mind == before
            await app.classroom.receive(message("How did you get that?"), Listener(), seed=3)
            after = MindState.from_json((await app.store.conversation("discord", "room", None)).mind or "")
        assert after.turns == 2
        assert len(model.cues[0].turns) == 2
        assert after.asked is not None
        assert after.asked.question == MindState.from_json(before or "").asked.question  # type: ignore[union-attr]

    async def test_the_next_day(self, path: Path) -> None:
        beliefs = {
            "smaller-from-larger": Belief(Stage.SECURE, helped=4, needed=3, rights=3),
            "equals-means-answer": Belief(Stage.WAVERS, helped=1, needed=3),
        }
        async with room(path, classroom={"next_day_hours": 8}) as app:
            for channel, hours in (("slept", 9), ("awake", 7)):
                row = await app.store.conversation("discord", channel, None)
                await app.store.update_conversation(row.id, mind=MindState(beliefs=beliefs).to_json())
                at = f"{datetime.now(UTC) - timedelta(hours=hours):%Y-%m-%d %H:%M:%S.%f}"
                rows(path, "UPDATE conversations SET updated_at = ? WHERE channel = ?", at, channel)
                await app.classroom.receive(message("Good morning!", channel=channel), Listener())
            minds = {
                channel: MindState.from_json(
                    (await app.store.conversation("discord", channel, None)).mind or ""
                )
                for channel in ("slept", "awake")
            }
        assert minds["awake"].beliefs == beliefs
        assert minds["slept"].beliefs == {name: belief.sleeps() for name, belief in beliefs.items()}

    async def test_commands_and_notices_do_not_wake_the_child(self, path: Path) -> None:
        beliefs = {"smaller-from-larger": Belief(Stage.SECURE, helped=4, needed=3, rights=3)}
        async with room(path, classroom={"next_day_hours": 8}) as app:
            await app.classroom.receive(message("Good evening!"), Listener())
            row = await app.store.conversation("discord", "room", None)
            at = f"{datetime.now(UTC) - timedelta(hours=9):%Y-%m-%d %H:%M:%S.%f}"
            rows(path, "UPDATE conversations SET updated_at = ?, spoken_at = ?", at, at)
            await app.store.update_conversation(row.id, mind=MindState(beliefs=beliefs).to_json())
            await app.store.update_conversation(row.id, lesson="2.NBT.B.5-add")
            notice = Listener()
            await app.classroom.receive(message("Are you a real kid?"), notice)
            assert notice.notices
            await app.classroom.receive(message("Good morning!"), Listener())
            mind = MindState.from_json((await app.store.conversation("discord", "room", None)).mind or "")
        assert mind.beliefs == {name: belief.sleeps() for name, belief in beliefs.items()}

    @pytest.mark.parametrize(
        "garbage", ["", "[]", "{", "null", '{"beliefs": 3}', '{"beliefs": {"a": {"stage": "x"}}}']
    )
    async def test_a_stored_mind_that_is_garbage_begins_anew(self, path: Path, garbage: str) -> None:
        listener = Listener()
        async with room(path) as app:
            row = await app.store.conversation("discord", "room", None)
            await app.store.update_conversation(row.id, mind=garbage)
            assert await app.classroom.receive(message(), listener)
            mind = (await app.store.conversation("discord", "room", None)).mind
        assert len(listener.words) == 1
        assert MindState.from_json(mind or "").turns == 1

    async def test_what_is_stored_and_known_no_more_gives_the_defaults(self, path: Path) -> None:
        async with room(path) as app:
            row = await app.store.conversation("discord", "room", None)
            await app.store.update_conversation(row.id, child="gone", lesson="gone", model="gone")
            answer = await app.classroom.receive(message(), Listener())
        assert answer is not None
        assert (answer.child, answer.lesson, answer.model) == ("mia", "2.NBT.B.5-subtract", "base")
        assert answer.voiced == "model"

    async def test_what_is_stored_is_used(self, path: Path) -> None:
        listener = Listener()
        async with room(path, ScriptedModel(), ScriptedModel("other")) as app:
            row = await app.store.conversation("discord", "room", None)
            await app.store.update_conversation(row.id, child="eli", lesson="2.NBT.B.5-add", model="other")
            answer = await app.classroom.receive(message(), listener)
        assert answer is not None
        assert (answer.child, answer.lesson, answer.model) == ("eli", "2.NBT.B.5-add", "other")
        assert listener.sent[0].speaker == "Eli"


class TestForget:
    @pytest.mark.parametrize("who_forgets", ["ann", "ben"])
    async def test_during_a_conversation_leaves_no_trace(self, path: Path, who_forgets: str) -> None:
        """Ann taught; while the child thinks about Ann's or Ben's next message, Ann is forgotten."""
        model = ScriptedModel()
        async with room(path, model) as app:
            await app.classroom.receive(message("What is 63 minus 28? Zanzibar.", author="ann"), Listener())
            assert (await app.store.conversation("discord", "room", None)).mind
            model.enqueue("hmm", "hmm", delay=0.1)
            asked = len(model.cues)
            second = asyncio.create_task(
                app.classroom.receive(message("Ok.", author=who_forgets), Listener())
            )
            await until(lambda: len(model.cues) > asked)
            await app.store.forget(hash_user("discord", "ann", SECRET))
            await second
            conversation = await app.store.conversation("discord", "room", None)
            exported = await app.store.export(hash_user("discord", "ann", SECRET))
        assert not conversation.mind
        assert exported["turns"] == exported["waiting"] == []
        kept = [content for _, content in logged(path) if content]
        assert len(kept) == (0 if who_forgets == "ann" else 2)
        whole_file = b"".join(each.read_bytes() for each in path.parent.glob("pupil.db*"))
        assert b"Zanzibar" not in whole_file
        assert b"63 minus 28" not in whole_file

    async def test_the_forgotten_person_gets_no_alarming_notice(self, path: Path) -> None:
        model, listener = ScriptedModel(delay=0.1), Listener()
        async with room(path, model) as app:
            answer = asyncio.create_task(app.classroom.receive(message(), listener))
            await until(lambda: bool(model.cues))
            await app.store.forget(hash_user("discord", "ann", SECRET))
            await answer
        assert listener.notices == []
        assert claims(path) == {next(iter(claims(path))): "failed"}
        assert not any(content for _, content in logged(path))


class TestSafeguard:
    @pytest.mark.parametrize(
        ("text", "flag"),
        [
            ("Are you a real child?", Flag.HONESTY),
            ("I want to kill myself", Flag.CRISIS),
            ("Don't tell your mom about this.", Flag.SAFETY),
        ],
    )
    async def test_notices_are_logged_with_their_flag_and_no_student_turn(
        self, path: Path, text: str, flag: Flag
    ) -> None:
        model, listener = ScriptedModel(), Listener()
        async with room(path, model) as app:
            await app.classroom.receive(message(), Listener())
            before = (await app.store.conversation("discord", "room", None)).mind
            answer = await app.classroom.receive(message(text), listener)
            after = (await app.store.conversation("discord", "room", None)).mind
        assert answer is not None
        assert (answer.speaker, answer.flag, answer.thought) == (None, flag.value, None)
        assert listener.sent == [Outgoing(answer.text, None)]
        assert rows(path, "SELECT role, flag FROM turns ORDER BY number")[2:] == [("teacher", flag.value)]
        assert len(model.cues) == 1
        assert before == after


class TestPrivacyOfLogs:
    async def test_no_text_and_no_user_id_above_debug(
        self, path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        async with room(path) as app:
            answer = await app.classroom.receive(
                message("What is 52 minus 17, dear Zanzibar?", author="zoe77"), Listener()
            )
        assert answer is not None
        assert "Zanzibar" not in caplog.text
        assert "zoe77" not in caplog.text


def second_program(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*forked("tests.fakes.students"), *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


async def until(true: Any, seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


def test_answers_are_json(path: Path) -> None:
    async def ask() -> Answer | None:
        async with room(path) as app:
            return await app.classroom.receive(message(), Listener())

    answer = asyncio.run(ask())
    assert answer is not None
    assert answer.thought is not None
    assert json.loads(json.dumps(answer.thought.to_json()))["kind"] == "answer"


@given(st.text(st.characters()) | st.text("\x00\x1b\u202e\ud800\n\t a\u200d", min_size=4_000, max_size=4_100))
def test_clean_text_has_no_control_characters(text: str) -> None:
    clean = clean_text(text)
    odd = [character for character in clean if unicodedata.category(character)[0] == "C"]
    assert set(odd) <= set("\n\t\u200d")
    assert len(clean) <= MAX_TURN_CHARACTERS
    clean.encode("utf-8")
    assert clean_text(clean) == clean.strip()
