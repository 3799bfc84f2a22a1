"""The store on real database files: what is kept, what is refused, what survives.

With PUPIL_TEST_POSTGRES_URL set to a server's address, the same questions are put to PostgreSQL too.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import Pool

from bot.store import Store, StoreError, database, hash_user, person
from bot.store import turns as turns_module
from bot.store.rows import (
    ClaimedMessage,
    Consent,
    ConversationRow,
    Exchange,
    FeedbackKind,
    StudentTurn,
    TeacherTurn,
)
from bot.store.tables import storable
from bot.student.records.dialogue import Mood, MoveKind, Role, Stage, Thought, ThoughtKind
from tests.databases import DATABASES, empty

ROOT = Path(__file__).parents[2]
ANN, BEN = hash_user("discord", "ann", b"secret"), hash_user("discord", "ben", b"secret")
NOON = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)
THOUGHT = Thought(
    kind=ThoughtKind.ANSWER,
    answer="45",
    reason="7 minus 2 is 5",
    misconception="smaller-from-larger",
    stage=Stage.HOLDS,
    words=3,
    mood=Mood.SILLY,
)


def url_of(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pupil.db"


@pytest.fixture(params=DATABASES)
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return await empty(request.param, tmp_path)


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    opened = await Store.open(url)
    yield opened
    await opened.aclose()


def message(key: str, said: str = "What is 52 minus 17?", author: str = ANN) -> ClaimedMessage:
    return ClaimedMessage(f"discord:{key}", "discord", "room", None, author, said, key, NOON)


def teacher(said: str = "What is 52 minus 17?", author: str = ANN) -> TeacherTurn:
    return TeacherTurn(said, NOON, author, move=MoveKind.ASKS, consent=Consent.ON)


def student(said: str = "45") -> StudentTurn:
    return StudentTurn(
        content=said,
        said_at=NOON + timedelta(seconds=1),
        thought=THOUGHT,
        voiced="model",
        model="starter",
        model_version="2026-03-01",
        prompt_version="3",
        child="mia",
        lesson="2.NBT.B.5-subtract",
        seed=2**40,
        prompt_tokens=310,
        completion_tokens=4,
        cost_usd=0.000012,
        latency_ms=740,
    )


async def converse(
    store: Store, *, author: str = ANN, key: str = "1", channel: str = "room", sent: str | None = None
) -> Exchange:
    conversation = await store.conversation("discord", channel, None)
    assert await store.claim(message(key, author=author))
    return await store.log_exchange(
        f"discord:{key}",
        conversation.id,
        teacher(author=author),
        replace(student(), platform_message_id=sent),
        '{"stage": "holds"}',
    )


class TestClaims:
    async def test_only_the_first_claim_wins(self, store: Store) -> None:
        assert await store.claim(message("1"))
        assert not await store.claim(message("1"))
        assert await store.claim(message("2"))

    async def test_what_waits_comes_back_whole_after_a_restart(self, url: str) -> None:
        first = replace(
            message("1"), thread="thread", created_at=NOON.astimezone(timezone(timedelta(hours=2)))
        )
        second = message("2", said="half an emoji \ud83d and a \0 byte")
        store = await Store.open(url)
        await store.claim(first)
        await store.claim(second)
        await store.aclose()
        store = await Store.open(url)
        assert await store.unanswered() == [
            first,
            replace(second, text="half an emoji \ufffd and a \ufffd byte"),
        ]
        await store.aclose()

    async def test_answered_and_failed_wait_no_longer(self, store: Store) -> None:
        await converse(store, key="1")
        await store.claim(message("2"))
        await store.mark_failed("discord:2", "no model")
        assert await store.unanswered() == []
        assert not await store.claim(message("1"))
        assert not await store.claim(message("2"))

    @pytest.mark.parametrize("url", ["sqlite"], indirect=True)
    async def test_settled_claims_keep_no_text(self, store: Store, path: Path) -> None:
        await converse(store, key="1")
        await store.claim(message("2"))
        await store.mark_failed("discord:2", "no model")
        await store.mark_failed("discord:1", "too late to fail")
        connection = sqlite3.connect(path)
        rows = connection.execute(
            "SELECT message_key, state, reason, conversation_id, payload, author_hash FROM claims ORDER BY 1"
        ).fetchall()
        connection.close()
        assert rows == [
            ("discord:1", "answered", None, 1, None, None),
            ("discord:2", "failed", "no model", None, None, None),
        ]

    def test_of_two_programs_exactly_one_wins_each_message(self, path: Path) -> None:
        programs = [start("claim", url_of(path), "100") for _ in range(2)]
        for program in programs:
            assert output(program).readline() == "ready\n"
        for program in programs:
            assert program.stdin
            program.stdin.write("go\n")
            program.stdin.flush()
        won = [program.communicate(timeout=15)[0].split() for program in programs]
        assert [program.returncode for program in programs] == [0, 0]
        assert sorted(map(int, won[0] + won[1])) == list(range(100))


class TestConversations:
    async def test_a_place_has_one_conversation(self, store: Store) -> None:
        begun = await asyncio.gather(*(store.conversation("slack", "C1", None) for _ in range(10)))
        assert len(set(begun)) == 1
        assert (begun[0].turns, begun[0].mind, begun[0].ended_at) == (0, None, None)
        others = [("slack", "C1", "thread"), ("slack", "C2", None), ("discord", "C1", None)]
        ids = {(await store.conversation(*place)).id for place in others}
        assert len(ids | {begun[0].id}) == 4

    async def test_a_new_one_keeps_the_settings_and_forgets_the_talk(self, store: Store) -> None:
        old = await store.conversation("slack", "C1", "T")
        await store.update_conversation(old.id, model="big", child="leo", lesson="2.G.A.1", mind="{}")
        new = await store.new_conversation("slack", "C1", "T")
        assert new.id != old.id
        assert (new.model, new.child, new.lesson, new.thread) == ("big", "leo", "2.G.A.1", "T")
        assert (new.mind, new.turns, new.ended_at) == (None, 0, None)
        assert await store.conversation("slack", "C1", "T") == new
        assert (await store.new_conversation("slack", "empty", None)).model is None

    async def test_changes_touch_only_what_they_name(self, store: Store) -> None:
        begun = await store.conversation("slack", "C1", None)
        await store.update_conversation(begun.id, model="big", lesson="2.G.A.1")
        changed = await store.update_conversation(begun.id, lesson=None, mind="{}")
        assert (changed.model, changed.lesson, changed.mind) == ("big", None, "{}")
        assert changed.updated_at > begun.updated_at
        assert changed == await store.conversation("slack", "C1", None)
        with pytest.raises(StoreError, match="no conversation 99"):
            await store.update_conversation(99, model="big")


class TestTurns:
    async def test_an_exchange_comes_back_as_it_was(self, store: Store) -> None:
        logged = await converse(store)
        asked, answered = await store.turns((await current(store)).id, 10)
        assert (asked.id, answered.id) == (logged.teacher_id, logged.student_id)
        assert (asked.number, asked.role, answered.number, answered.role) == (
            1,
            Role.TEACHER,
            2,
            Role.STUDENT,
        )
        assert {name: value for name, value in asdict(asked).items() if value is not None} == {
            **{name: value for name, value in asdict(teacher()).items() if value is not None},
            "id": asked.id,
            "conversation_id": 1,
            "number": 1,
            "role": Role.TEACHER,
        }
        kept = {field: getattr(answered, field) for field in asdict(student())}
        assert kept == {field: getattr(student(), field) for field in asdict(student())}
        assert answered.consent is Consent.ON
        conversation = await current(store)
        assert (conversation.mind, conversation.turns) == ('{"stage": "holds"}', 2)

    async def test_the_last_turns_newest_last(self, store: Store) -> None:
        for number in range(3):
            await converse(store, key=str(number))
        assert [turn.number for turn in await store.turns(1, 3)] == [4, 5, 6]
        assert await store.turns(1, 0) == []

    async def test_what_was_said_so_far_is_read_at_once(self, store: Store) -> None:
        asked: list[int] = []

        def most(row: ConversationRow) -> int:
            asked.append(row.turns)
            return 3

        begun, nothing = await store.so_far("discord", "room", None, most)
        assert (begun, nothing) == (await current(store), [])
        for number in range(3):
            await converse(store, key=str(number))
        row, said = await store.so_far("discord", "room", None, most)
        assert row == await current(store)
        assert [turn.number for turn in said] == [4, 5, 6]
        assert asked == [6]

    @pytest.mark.parametrize("answered", [None, Consent.ON, Consent.OFF])
    @pytest.mark.parametrize("silence", [None, Consent.ON])
    async def test_the_newest_answer_is_the_consent_else_what_silence_means(
        self, store: Store, silence: Consent | None, answered: Consent | None
    ) -> None:
        await store.set_consent(BEN, Consent.OFF)
        if answered:
            await store.set_consent(ANN, Consent.ON)
            await store.set_consent(ANN, answered)
        await store.claim(message("1"))
        asked = replace(teacher(), consent=silence)
        await store.log_exchange("discord:1", (await current(store)).id, asked, student(), None)
        assert [turn.consent for turn in await store.turns(1, 9)] == [answered or silence] * 2

    @pytest.mark.parametrize("happens", ["nothing", "forgotten", "ended"])
    async def test_the_mind_is_kept_unless_somebody_was_forgotten_or_the_conversation_ended(
        self, store: Store, happens: str
    ) -> None:
        await converse(store, author=BEN, key="0")
        await converse(store, key="1")
        row, _ = await store.so_far("discord", "room", None, lambda _: 2)
        await store.claim(message("2"))
        if happens == "forgotten":
            await store.forget(BEN)
        elif happens == "ended":
            await store.new_conversation("discord", "room", None)
        await store.log_exchange("discord:2", row.id, teacher(), student(), "new", mind_before=row.mind)
        if happens == "ended":
            assert (await current(store)).turns == 0
        after = await store.update_conversation(row.id, child="eli")
        assert (after.mind, after.turns) == ("new" if happens == "nothing" else None, 6)

    async def test_a_notice_leaves_only_the_teachers_turn(self, store: Store) -> None:
        await store.claim(message("1"))
        conversation = await current(store)
        flagged = replace(teacher("my pupil is called ..."), flag="pupil_data")
        logged = await store.log_exchange("discord:1", conversation.id, flagged, None, None)
        assert logged.student_id is None
        assert [(turn.flag, turn.role) for turn in await store.turns(1, 9)] == [("pupil_data", Role.TEACHER)]

    async def test_what_was_not_claimed_or_already_answered_is_not_logged(self, store: Store) -> None:
        await converse(store)
        for key in ("discord:1", "discord:unheard"):
            with pytest.raises(StoreError, match=f"{key} does not wait for an answer"):
                await store.log_exchange(key, 1, teacher(), student(), "new mind")
        assert len(await store.turns(1, 10)) == 2
        assert (await current(store)).mind == '{"stage": "holds"}'

    async def test_an_exchange_needs_its_conversation(self, store: Store) -> None:
        await store.claim(message("1"))
        with pytest.raises(StoreError, match=r"no conversation 99|does not fit"):
            await store.log_exchange("discord:1", 99, teacher(), student(), None)
        assert len(await store.unanswered()) == 1

    @pytest.mark.parametrize("url", ["sqlite"], indirect=True)
    async def test_half_an_exchange_is_none(self, store: Store, path: Path) -> None:
        await store.claim(message("1"))
        conversation = await current(store)
        connection = sqlite3.connect(path)
        connection.execute(
            "CREATE TRIGGER mute BEFORE INSERT ON turns WHEN NEW.role = 'student' "
            "BEGIN SELECT RAISE(ABORT, 'the child is mute'); END"
        )
        connection.close()
        with pytest.raises(StoreError, match="the child is mute"):
            await store.log_exchange("discord:1", conversation.id, teacher(), student(), "new mind")
        assert await store.turns(conversation.id, 10) == []
        assert await current(store) == conversation
        assert await store.unanswered() == [message("1")]

    async def test_many_at_once_get_a_number_each(self, store: Store) -> None:
        await asyncio.gather(*(converse(store, key=str(number)) for number in range(40)))
        assert [turn.number for turn in await store.turns(1, 100)] == list(range(1, 81))
        assert (await current(store)).turns == 80

    async def test_a_cancelled_write_is_whole_and_holds_nothing_up(self, store: Store) -> None:
        chance = random.Random(4)
        await current(store)
        for number in range(60):
            task = asyncio.create_task(converse(store, key=str(number)))
            await asyncio.sleep(chance.uniform(0, 0.01))
            task.cancel()
            await asyncio.wait([task])
        await asyncio.wait_for(converse(store, key="last"), 5)
        turns = await store.turns(1, 200)
        assert [turn.number for turn in turns] == list(range(1, (await current(store)).turns + 1))
        assert [turn.role for turn in turns] == [Role.TEACHER, Role.STUDENT] * (len(turns) // 2)

    async def test_closing_waits_for_what_was_cancelled(self, url: str) -> None:
        store = await Store.open(url)
        task = asyncio.create_task(store.claim(message("1")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await store.aclose()
        assert task.cancelled()
        store = await Store.open(url)
        assert await store.unanswered() == [message("1")]
        await store.aclose()

    async def test_found_by_the_message_it_was_sent_in(self, store: Store) -> None:
        logged = await converse(store, sent="slack:C1:17.5")
        found = await store.find_turn("slack:C1:17.5")
        assert found
        assert found.id == logged.student_id
        assert await store.find_turn("slack:C2:17.5") is None

    async def test_the_stream_gives_all_in_order_with_what_was_said_of_it(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(turns_module, "PAGE", 3)
        for number in range(5):
            await converse(store, key=f"a{number}", channel=f"room{number % 2}")
        await store.add_feedback(4, BEN, FeedbackKind.UP)
        await store.add_feedback(4, ANN, FeedbackKind.SUGGESTION, "forty-five?")
        await store.set_consent(ANN, Consent.ON)
        await store.set_consent(ANN, Consent.OFF)
        streamed = [each async for each in store.turns_stream()]
        places = [(each.turn.conversation_id, each.turn.number) for each in streamed]
        assert places == [(1, n) for n in range(1, 7)] + [(2, n) for n in range(1, 5)]
        assert {(each.turn.role, each.consent_now) for each in streamed} == {
            (Role.TEACHER, Consent.OFF),
            (Role.STUDENT, None),
        }
        said = {each.turn.id: [(f.author_hash, f.kind, f.text) for f in each.feedback] for each in streamed}
        assert said.pop(4) == [
            (BEN, FeedbackKind.UP, None),
            (ANN, FeedbackKind.SUGGESTION, "forty-five?"),
        ]
        assert not any(said.values())
        assert {each.platform for each in streamed} == {"discord"}

    async def test_a_stream_left_early_holds_nothing_up(self, store: Store) -> None:
        await converse(store)
        async for _ in store.turns_stream():
            await store.writable()
            break
        await converse(store, key="2")


class TestOpinions:
    async def test_newest_judgement_rules(self, store: Store) -> None:
        await converse(store)
        await store.add_feedback(2, ANN, FeedbackKind.UP)
        await store.add_feedback(2, BEN, FeedbackKind.UP)
        await store.add_feedback(2, ANN, FeedbackKind.SUGGESTION, "first")
        await store.add_feedback(2, ANN, FeedbackKind.SUGGESTION, "second")
        await store.add_feedback(2, ANN, FeedbackKind.DOWN)
        kept = [each.feedback async for each in store.turns_stream()][1]
        assert {(f.author_hash, f.kind, f.text) for f in kept} == {
            (BEN, FeedbackKind.UP, None),
            (ANN, FeedbackKind.SUGGESTION, "second"),
            (ANN, FeedbackKind.DOWN, None),
        }
        with pytest.raises(StoreError, match="no turn 99"):
            await store.add_feedback(99, ANN, FeedbackKind.UP)

    async def test_a_judgement_is_taken_back_by_who_gave_it_and_nothing_else_goes(self, store: Store) -> None:
        await converse(store)
        for who, kind in ((ANN, FeedbackKind.UP), (BEN, FeedbackKind.UP), (ANN, FeedbackKind.SUGGESTION)):
            await store.add_feedback(2, who, kind, "words" if kind is FeedbackKind.SUGGESTION else None)
        assert not await store.take_back_feedback(2, ANN, FeedbackKind.DOWN)
        assert not await store.take_back_feedback(1, ANN, FeedbackKind.UP)
        assert await store.take_back_feedback(2, ANN, FeedbackKind.UP)
        assert not await store.take_back_feedback(2, ANN, FeedbackKind.UP)
        kept = [each.feedback async for each in store.turns_stream()][1]
        assert {(each.author_hash, each.kind) for each in kept} == {
            (BEN, FeedbackKind.UP),
            (ANN, FeedbackKind.SUGGESTION),
        }

    async def test_newest_consent_rules(self, store: Store) -> None:
        assert await store.consent(ANN) is None
        await store.set_consent(ANN, Consent.ON)
        await store.set_consent(BEN, Consent.ON)
        await store.set_consent(ANN, Consent.OFF)
        assert (await store.consent(ANN), await store.consent(BEN)) == (Consent.OFF, Consent.ON)
        assert [row["state"] for row in (await store.export(ANN))["consents"]] == ["on", "off"]

    async def test_ratings(self, store: Store) -> None:
        await converse(store)
        scores = {"believable": 4, "held the misconception": 5}
        number = await store.add_rating(1, BEN, scores, "just like him", model="starter", model_version="1")
        (rating,) = await store.ratings(1)
        assert (rating.id, rating.scores, rating.comment) == (number, scores, "just like him")
        assert (rating.model, rating.model_version) == ("starter", "1")
        for wrong in (0, 6):
            with pytest.raises(
                StoreError, match=f"'believable': expected a whole number from 1 to 5, got {wrong}"
            ):
                await store.add_rating(1, BEN, {"believable": wrong})
        with pytest.raises(StoreError, match="no conversation 99"):
            await store.add_rating(99, BEN, scores)
        assert len(await store.ratings(1)) == 1


class TestAPerson:
    SECRET = "Zoë saw 🦊 xylophones"

    async def live(self, store: Store) -> None:
        """Ann says the secret wherever a person can say something; Ben was there."""
        conversation = await current(store)
        for key, author, said in (("1", ANN, self.SECRET), ("2", BEN, "Ben was here")):
            await store.claim(message(key, said, author))
            asked = replace(teacher(said, author), platform_message_id=f"sent-{key}")
            answer = replace(student(f"{said}?"), thought=replace(THOUGHT, reason=said))
            await store.log_exchange(f"discord:{key}", conversation.id, asked, answer, json.dumps([said]))
            await store.add_feedback(2, author, FeedbackKind.SUGGESTION, said)
            await store.add_rating(conversation.id, author, {"believable": 4}, said)
            await store.set_consent(author, Consent.ON)
            await store.claim(message(f"{key}-waiting", said, author))
        await store.update_conversation(conversation.id, mind=self.SECRET)

    async def test_forgetting_leaves_no_trace(self, store: Store, url: str) -> None:
        await self.live(store)
        assert ANN in await dump(url)
        report = await store.forget(ANN)
        rows = ("teacher_turns", "student_turns", "feedback", "ratings", "consents", "claims")
        assert {name: value for name, value in asdict(report).items() if value} == dict.fromkeys(rows, 1)
        left = await dump(url)
        for trace in (ANN, self.SECRET, json.dumps(self.SECRET)[1:-1], "xylophones", "sent-1"):
            assert trace not in left
        assert left.count("Ben was here") == 6

    @pytest.mark.parametrize("url", ["sqlite"], indirect=True)
    async def test_forgotten_bytes_are_gone_from_the_disk(self, store: Store, path: Path) -> None:
        await self.live(store)
        assert b"xylophones" in stored_bytes(path)
        await store.forget(ANN)
        left = stored_bytes(path)
        assert b"xylophones" not in left
        assert ANN.encode() not in left
        assert b"Ben was here" in left

    async def test_the_others_and_the_counts_stay(self, store: Store) -> None:
        await self.live(store)
        await store.forget(ANN)
        assert [turn.content for turn in await store.turns(1, 9)] == ["Ben was here", "Ben was here?"]
        assert [each.turn.number async for each in store.turns_stream()] == [3, 4]
        assert (await current(store)).turns == 4
        assert (await current(store)).mind is None
        assert [waiting.message_id for waiting in await store.unanswered()] == ["2-waiting"]
        assert not (await store.forget(ANN)).found

    async def test_a_place_where_nobody_else_spoke_is_forgotten(self, store: Store, url: str) -> None:
        for key, author, channel in (("1", ANN, "her-own"), ("2", ANN, "both"), ("3", BEN, "both")):
            await converse(store, author=author, key=key, channel=channel)
        await store.forget(ANN)
        left = await dump(url)
        assert "her-own" not in left
        assert "both" in left
        again = await store.conversation("discord", "her-own", None)
        assert (again.turns, again.ended_at) == (0, None)
        for channel in ("her-own", "both"):
            await store.new_conversation("discord", channel, None)

    async def test_message_ids_are_kept_for_a_day_that_none_is_answered_twice(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked = replace(teacher(), platform_message_id="discord:1")
        await store.claim(message("1"))
        place = await current(store)
        await store.log_exchange("discord:1", place.id, asked, student(), None)
        monkeypatch.setattr(person, "NEVER_SENT_AGAIN", timedelta(0))
        await store.claim(message("2"))
        await store.log_exchange("discord:2", place.id, teacher(author=BEN), student(), None)
        await store.forget(ANN)
        assert await store.claim(message("1"))
        assert not await store.claim(message("2"))

    async def test_who_is_forgotten_while_the_answer_is_made_stays_forgotten(self, store: Store) -> None:
        await store.claim(message("1"))
        await store.forget(ANN)
        with pytest.raises(StoreError, match="does not wait"):
            await store.log_exchange("discord:1", (await current(store)).id, teacher(), student(), None)
        assert await store.turns(1, 9) == []

    async def test_export_gives_all_of_one_person_and_nothing_of_others(self, store: Store) -> None:
        await self.live(store)
        exported = json.loads(json.dumps(await store.export(ANN)))
        assert [(turn["content"], turn["answer"]) for turn in exported["turns"]] == [
            (self.SECRET, f"{self.SECRET}?")
        ]
        assert exported["turns"][0]["said_at"] == NOON.isoformat()
        assert [row["text"] for row in exported["feedback"]] == [self.SECRET]
        assert [row["comment"] for row in exported["ratings"]] == [self.SECRET]
        assert [row["state"] for row in exported["consents"]] == ["on"]
        assert [row["text"] for row in exported["waiting"]] == [self.SECRET]
        assert "Ben" not in json.dumps(exported)
        nobody = await store.export("nobody")
        assert nobody == {part: "nobody" if part == "author_hash" else [] for part in exported}

    def test_hashes_are_keyed_and_unambiguous(self) -> None:
        assert len(ANN) == 32
        assert hash_user("discord", "ann", b"secret") == ANN
        hashes = {
            hash_user("discord", "ann", b"other"),
            hash_user("slack", "ann", b"secret"),
            hash_user("discorda", "nn", b"secret"),
        }
        assert len(hashes | {ANN, BEN}) == 5
        with pytest.raises(ValueError, match="PUPIL_HASH_SECRET"):
            hash_user("discord", "ann", b"")


class TestWhenThingsBreak:
    def test_killed_at_any_moment_it_keeps_what_it_said_it_kept(self, path: Path) -> None:
        promised: list[str] = []
        for life, lines in enumerate((1, 9, 30)):
            program = start("log", url_of(path), f"life{life}")
            heard = [output(program).readline() for _ in range(lines)]
            program.kill()
            heard += program.communicate(timeout=10)[0].splitlines(keepends=True)
            assert program.returncode == -9
            promised += [line.split()[1] for line in heard if line.endswith("\n")]
        assert len(promised) >= 40
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        said = {content for (content,) in connection.execute("SELECT content FROM turns")}
        missing = [key for key in promised if not {f"Question {key}", f"Answer {key}"} <= said]
        assert missing == []
        (counted,) = connection.execute("SELECT turns FROM conversations").fetchone()
        assert counted == len(said)
        connection.close()

    def test_a_disk_that_takes_no_more_ends_in_an_error_and_keeps_the_rest(self, path: Path) -> None:
        program = start("starve", url_of(path), "600000")
        *logged, last = program.communicate(timeout=15)[0].splitlines()
        assert program.returncode == 0
        assert last.startswith(f"error {path}: the disk ")
        assert len(logged) > 5
        connection = sqlite3.connect(path)
        (count,) = connection.execute("SELECT count(*) FROM turns").fetchone()
        assert count == 2 * len(logged)
        connection.close()

    async def test_a_full_disk_is_named_and_harms_nothing(self, path: Path, full_soon: None) -> None:
        del full_soon
        store = await Store.open(url_of(path))
        await converse(store)
        await store.claim(message("2"))
        with pytest.raises(StoreError, match=r"pupil\.db: the disk is full"):
            await store.log_exchange("discord:2", 1, teacher("long " * 100_000), student(), None)
        assert len(await store.turns(1, 9)) == 2
        assert await store.unanswered() == [message("2")]
        await store.log_exchange("discord:2", 1, teacher("short"), student(), None)
        await store.aclose()

    @pytest.fixture
    def full_soon(self) -> Iterator[None]:
        def limit(connection: sqlite3.Connection, _record: object) -> None:
            connection.execute("PRAGMA max_page_count = 70")

        event.listen(Pool, "connect", limit)
        yield
        event.remove(Pool, "connect", limit)

    async def test_not_a_database(self, path: Path) -> None:
        replace_bytes(path, b"Dear diary, " * 100)
        with pytest.raises(StoreError, match=r"pupil\.db: not a database"):
            await Store.open(url_of(path))
        assert stored_bytes(path) == b"Dear diary, " * 100

    async def test_a_damaged_database(self, path: Path) -> None:
        store = await Store.open(url_of(path))
        for number in range(20):
            await converse(store, key=str(number))
        await store.aclose()
        # Where the turns are, and nowhere else: the file still opens.
        whole, said = stored_bytes(path), teacher().content.encode()
        pages = [whole[start : start + 4096] for start in range(0, len(whole), 4096)]
        broken = [bytes(255 - byte for byte in page) if said in page else page for page in pages]
        replace_bytes(path, b"".join(broken))
        store = await Store.open(url_of(path))
        with pytest.raises(StoreError, match=r"pupil\.db: damaged; restore a backup"):
            await store.turns(1, 100)
        await store.aclose()

    async def test_a_missing_folder(self, tmp_path: Path) -> None:
        with pytest.raises(StoreError, match=r"nowhere/pupil\.db: cannot be opened; its folder must exist"):
            await Store.open(url_of(tmp_path / "nowhere" / "pupil.db"))

    def test_a_folder_and_a_file_one_may_not_write(self) -> None:
        with read_only_folder() as folder:
            with pytest.raises(StoreError, match=r"new\.db: cannot be opened; its folder .* be writable"):
                asyncio.run(create(folder / "new.db"))
            with pytest.raises(StoreError, match=r"old\.db: cannot be (written|opened); .* writable"):
                asyncio.run(create(folder / "old.db"))

    async def test_locked_by_another_program(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
        store = await Store.open(url_of(path))
        await store.claim(message("1"))
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match=r"pupil\.db: locked by another program"):
            await store.claim(message("2"))
        with pytest.raises(StoreError, match="locked"):
            await store.writable()
        assert len(await store.unanswered()) == 1  # reading goes on
        other.execute("ROLLBACK")
        assert await store.claim(message("2"))
        other.close()
        await store.aclose()

    async def test_reading_only(self, url: str) -> None:
        writer = await Store.open(url)
        await converse(writer)
        reader = await Store.open(url, read_only=True)
        assert len(await reader.turns(1, 9)) == 2
        await converse(writer, key="2")
        assert len(await reader.turns(1, 9)) == 4
        for attempt in (reader.writable(), reader.forget(ANN)):
            with pytest.raises(StoreError):
                await attempt
        await reader.aclose()
        await writer.aclose()

    async def test_writable_leaves_nothing(self, store: Store, url: str) -> None:
        before = await dump(url)
        await store.writable()
        assert await dump(url) == before

    @pytest.mark.parametrize(
        ("address", "problem"),
        [
            ("nonsense", "expected an address such as sqlite"),
            ("mysql://root:hunter2@localhost/x", "expected an address such as sqlite"),
            ("sqlite://", "expected a file"),
            ("sqlite+aiosqlite:///:memory:", "expected a file"),
            ("postgresql://pupil:hunter2@localhost:99999/x", "expected a port from 1 to 65535, got 99999"),
            ("postgresql://pupil:hunter2@localhost:port/x", "expected an address such as sqlite"),
            ("postgresql://pupil:hunter2@127.0.0.1:1/x", r"127\.0\.0\.1:1/x: the server cannot be reached"),
        ],
    )
    async def test_addresses_that_do_not_work(self, address: str, problem: str) -> None:
        with pytest.raises(StoreError, match=problem) as caught:
            await Store.open(address)
        assert "hunter2" not in str(caught.value)
        assert "\n" not in str(caught.value)

    async def test_no_error_repeats_what_was_said(self, store: Store) -> None:
        await store.claim(message("1"))
        with pytest.raises(StoreError) as caught:
            await store.log_exchange("discord:1", 99, teacher("in confidence"), student(), None)
        chain: BaseException | None = caught.value
        while chain is not None:
            assert "in confidence" not in str(chain)
            chain = chain.__cause__


anything = st.text(st.characters(exclude_categories=()), max_size=30)  # half emojis and zero bytes too
thoughts = st.builds(
    Thought,
    kind=st.sampled_from(ThoughtKind),
    answer=st.none() | st.text(max_size=10),
    reason=st.none() | st.text(max_size=10),
    stage=st.none() | st.sampled_from(Stage),
    words=st.integers(1, 100),
    mood=st.sampled_from(Mood),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(anything.filter(bool), thoughts), min_size=1, max_size=8), st.timezones())
def test_whatever_is_said_and_thought_comes_back(said: list[tuple[str, Thought]], zone: timezone) -> None:
    async def keep(folder: str) -> None:
        store = await Store.open(url_of(Path(folder) / "pupil.db"))
        for number, (content, thought) in enumerate(said):
            await store.claim(message(str(number), content))
            asked = replace(teacher(content), said_at=NOON.astimezone(zone))
            answer = replace(student(content), thought=thought)
            await store.log_exchange(f"discord:{number}", (await current(store)).id, asked, answer, content)
        turns = await store.turns(1, 100)
        await store.aclose()
        assert [turn.content for turn in turns] == [
            storable(content) for content, _ in said for _ in range(2)
        ]
        assert [turn.thought for turn in turns[1::2]] == [thought for _, thought in said]
        assert {turn.said_at for turn in turns[::2]} == {NOON}

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(keep(folder))


@given(anything)
def test_storable_text_is_stable_and_whole_text_is_unchanged(said: str) -> None:
    kept = storable(said)
    assert storable(kept) == kept
    assert "\0" not in kept
    kept.encode()
    if "\0" not in said and not any("\ud800" <= character <= "\udfff" for character in said):
        assert kept == said


async def current(store: Store) -> ConversationRow:
    return await store.conversation("discord", "room", None)


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("another_program.py")), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def output(program: subprocess.Popen[str]) -> IO[str]:
    assert program.stdout
    return program.stdout


async def dump(url: str) -> str:
    """Every value of every table."""
    engine = create_async_engine(url)
    lines: list[str] = []
    async with engine.connect() as connection:
        for table in ("claims", "conversations", "turns", "feedback", "consents", "ratings"):
            rows = await connection.execute(text(f"SELECT * FROM {table}"))  # noqa: S608 - from the line above
            lines += [str(value) for row in rows for value in row]
    await engine.dispose()
    return "\n".join(lines)


def replace_bytes(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def stored_bytes(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.glob("pupil.db*"))


@contextmanager
def read_only_folder() -> Iterator[Path]:
    """A folder that this program may read, but not write, even when root runs it."""
    # Not in tmp_path, whose parents only their owner may enter.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        asyncio.run(create(folder / "old.db"))
        (folder / "old.db").chmod(0o444)
        folder.chmod(0o555)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(user)
            folder.chmod(0o755)


async def create(path: Path) -> None:
    store = await Store.open(url_of(path))
    await store.aclose()


@pytest.mark.parametrize("password", ["p@ss", "a@b@c", "p@ss:w/ord?#", "plain", "p%40ss"])
async def test_a_password_is_never_part_of_a_databases_name(password: str) -> None:
    made = database.Database(f"postgresql://pupil:{password}@db.example:5432/pupil")
    assert made.name == "postgresql+asyncpg://pupil:***@db.example:5432/pupil"
    assert made._engine.url.password == password.replace("%40", "@")
    await made.aclose()
