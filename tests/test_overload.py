"""More teachers than the model can answer: who is answered, who is told what, and that nothing is left behind."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from bot.models.base import Reply
from bot.notices import LATE
from bot.student.records.cue import Cue
from tests.fakes.students import NONSENSE, Listener, ScriptedModel, message, room
from tests.test_metrics import get, served


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pupil.db"


def claims(path: Path) -> dict[str, str]:
    with sqlite3.connect(path) as connection:
        return dict(connection.execute("SELECT message_key, state FROM claims"))


async def until(true: object, seconds: float = 10.0) -> None:
    assert callable(true)
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.005)


class Held(ScriptedModel):
    """Answers nobody before it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.asked = 0

    async def reply(self, cue: Cue, *, seed: int | None) -> Reply:
        self.asked += 1
        await self.go.wait()
        return await super().reply(cue, seed=seed)


async def test_who_cannot_be_served_is_told_so_and_never_given_words_of_no_model(path: Path) -> None:
    model, listeners = Held(), [Listener() for _ in range(9)]
    async with room(path, model, engine={"slots": 2}) as app:
        (turnstile,) = app.models.turnstiles
        asked = [
            asyncio.create_task(
                app.classroom.receive(message(key=f"discord:{number}", channel=str(number)), listener)
            )
            for number, listener in enumerate(listeners)
        ]
        await until(lambda: turnstile.waiting == 7)
        turnstile.seconds = 1000.0  # far beyond anybody's patience
        model.go.set()
        answers = await asyncio.gather(*asked)
        assert app.metrics.deadline_misses.labels("given up")._value.get() == 7
        assert await app.classroom.receive(message(key="discord:later", channel="later"), Listener())
    assert [answer.voiced for answer in answers if answer] == ["model", "model"]
    for number, (listener, answer) in enumerate(zip(listeners, answers, strict=True)):
        assert len(listener.words) == (answer is not None)
        assert listener.notices == ([] if answer else [LATE.format(name="Mia")])
        assert claims(path)[f"discord:{number}"] == ("answered" if answer else "failed")


async def test_the_oldest_message_is_answered_first(path: Path) -> None:
    model, log = ScriptedModel(delay=0.02), list[str]()
    said = [f"What is {number} plus 1?" for number in range(12)]
    async with room(path, model, engine={"slots": 1}) as app:

        async def arrive(number: int) -> None:
            await app.classroom.receive(message(said[number], channel=str(number)), Listener(log=log))

        arriving = []
        for number in range(len(said)):
            arriving.append(asyncio.create_task(arrive(number)))
            await asyncio.sleep(0)
        await asyncio.gather(*arriving)
    # What comes first may be begun before the others are there; of those that waited the oldest went first.
    teachers = [cue.teacher for cue in model.cues]
    assert sorted(teachers[1:], key=said.index) == teachers[1:]


async def test_who_has_to_wait_is_told_at_once_and_then_answered(path: Path) -> None:
    model, first, second, again = Held(), Listener(), Listener(), Listener()
    async with room(path, model, engine={"slots": 1}, classroom={"moment_seconds": 4.0}) as app:
        row = await app.store.conversation("discord", "second", None)
        await app.store.update_conversation(row.id, child="eli")
        app.models.turnstiles[0].seconds = 5.0
        answers = [asyncio.create_task(app.classroom.receive(message(), first))]
        await until(lambda: model.asked)
        late = message(key="discord:2", channel="second")
        answers.append(asyncio.create_task(app.classroom.receive(late, second)))
        await until(lambda: second.notices)
        # Taken by another program already: nothing more is said of it here.
        assert await app.classroom.receive(message(key="discord:2", channel="third"), again) is None
        model.go.set()
        given = await asyncio.gather(*answers)
    assert [answer.voiced for answer in given if answer] == ["model", "model"]
    assert second.notices == ["Eli needs a moment: many are talking."]
    assert [outgoing.speaker for outgoing in second.sent] == [None, "Eli"]
    assert (first.notices, again.sent) == ([], [])


async def test_nobody_is_told_of_a_wait_that_goes_without_saying(path: Path) -> None:
    model, listeners = Held(), [Listener(), Listener()]
    async with room(path, model, engine={"slots": 1}, classroom={"moment_seconds": 6.0}) as app:
        app.models.turnstiles[0].seconds = 5.0
        answers = [
            asyncio.create_task(app.classroom.receive(message(channel=str(number)), listener))
            for number, listener in enumerate(listeners)
        ]
        await until(lambda: app.models.turnstiles[0].waiting)
        model.go.set()
        await asyncio.gather(*answers)
    assert [len(listener.words) for listener in listeners] == [1, 1]
    assert [listener.notices for listener in listeners] == [[], []]


async def test_a_second_try_only_where_there_is_time(path: Path) -> None:
    model = ScriptedModel()
    model.enqueue(NONSENSE, delay=0.3)
    limits = {"patience_seconds": 0.4}
    async with room(path, model, classroom=limits) as app:
        app.models.turnstiles[0].seconds = 0.2
        answer = await app.classroom.receive(message(), Listener())
    assert answer is not None
    assert answer.voiced == "phrasing"
    assert len(model.cues) == 1


async def test_the_wait_for_a_place_does_not_count_as_asking(path: Path) -> None:
    model = ScriptedModel(delay=0.15)
    limits = {"reply_seconds": 0.4, "moment_seconds": 60.0}
    async with room(path, model, engine={"slots": 1}, classroom=limits) as app:
        answers = await asyncio.gather(
            *(app.classroom.receive(message(channel=str(number)), Listener()) for number in range(6))
        )
    assert [answer.voiced for answer in answers if answer] == ["model"] * 6


async def test_two_models_of_one_engine_are_asked_in_one_turn(path: Path) -> None:
    trained, base = ScriptedModel("trained"), ScriptedModel()
    trained.enqueue(NONSENSE, NONSENSE)
    async with room(path, trained, base, student={"model": "trained"}, engine={"slots": 1}) as app:
        async with asyncio.timeout(10):
            answer = await app.classroom.receive(message(), Listener())
        assert app.models.turnstiles[0].busy == 0
    assert answer is not None
    assert answer.model == "base"


async def test_shutdown_leaves_nothing_behind(path: Path) -> None:
    model, listeners = Held(), [Listener() for _ in range(5)]
    limits = {"shutdown_seconds": 0.2}
    async with room(path, model, engine={"slots": 2}, classroom=limits) as app:
        (turnstile,) = app.models.turnstiles
        answers = [
            asyncio.create_task(app.classroom.receive(message(channel=str(number)), listener))
            for number, listener in enumerate(listeners)
        ]
        await until(lambda: turnstile.waiting == 3)
        assert turnstile.busy == 2
        await app.classroom.aclose()
        assert await asyncio.gather(*answers) == [None] * 5
        assert (turnstile.busy, turnstile.waiting) == (0, 0)
    assert [listener.sent for listener in listeners] == [[]] * 5
    # What was not answered is, after the restart.
    assert list(claims(path).values()) == ["claimed"] * 5


async def test_the_queue_shows_in_the_figures(path: Path) -> None:
    model = Held()
    async with room(path, model, engine={"slots": 2}) as app:
        app.models.turnstiles[0].seconds = 8.0
        answers = [
            asyncio.create_task(app.classroom.receive(message(channel=str(number)), Listener()))
            for number in range(3)
        ]
        await until(lambda: app.models.turnstiles[0].waiting)
        async with served(app.metrics, [True]) as url:
            text = (await get(f"{url}/metrics"))[2]
        model.go.set()
        await asyncio.gather(*answers)
    for line in (
        'pupil_turnstile_waiting{engine="scripted"} 1.0',
        'pupil_turnstile_busy{engine="scripted"} 2.0',
        'pupil_turnstile_places{engine="scripted"} 2.0',
        'pupil_turnstile_expected_wait_seconds{engine="scripted"} 8.0',
        'pupil_turnstile_turn_seconds{engine="scripted"} 8.0',
    ):
        assert line in text


class NoTyping(Listener):
    """A platform that lets nobody type, and never says so."""

    def __init__(self) -> None:
        super().__init__()
        self.typing = 0

    async def thinking(self) -> None:
        self.typing += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.typing -= 1


async def test_typing_that_hangs_holds_up_nothing_and_leaks_nothing(path: Path) -> None:
    before, listener, lost = asyncio.all_tasks(), NoTyping(), NoTyping()
    async with room(path) as app:
        async with asyncio.timeout(10):  # far below the 15 s that a platform may take
            assert await app.classroom.receive(message(), listener)
        assert (len(listener.words), listener.typing) == (1, 0)
    model = Held()
    async with room(path, model, classroom={"shutdown_seconds": 0.1}) as app:
        answer = asyncio.create_task(app.classroom.receive(message(), lost))
        await until(lambda: lost.typing)
        await app.classroom.aclose()
        assert (await answer, lost.typing) == (None, 0)
    assert asyncio.all_tasks() == before
