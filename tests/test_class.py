"""Several children in one conversation, through the real classroom: who says what, what is kept, and what survives."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.app import App
from bot.messages import CommandError, Outgoing, Place, Shown
from bot.models.base import Reply
from bot.steps import Step
from bot.store import hash_user
from bot.store.rows import ConversationRow, TurnRow
from bot.student.believing.minds import Minds
from bot.student.records.cue import Cue
from bot.student.records.dialogue import Role, ThoughtKind
from tests.fakes.students import SECRET, Listener, ModelUnavailable, ScriptedModel, message, room

ANN = hash_user("discord", "ann", SECRET)
HERE = Place("discord", "room", None)
SEATS = ("mia", "owen", "yusuf")
ASKED = "What is 52 minus 17?"
BOTH = "Mia and Yusuf, what is 52 minus 17?"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pupil.db"


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
async def app(path: Path, model: ScriptedModel) -> AsyncIterator[App]:
    async with room(path, model) as opened:
        await run(opened, "child mia owen yusuf")
        yield opened


async def run(app: App, line: str) -> Shown:
    return await app.commands.run(line, HERE, ANN)


async def say(
    app: App, text: str, *, seed: int = 7, author: str = "ann", key: str | None = None
) -> list[Outgoing]:
    """What was shown in answer, in order."""
    listener = Listener()
    assert await app.classroom.receive(message(text, author=author, key=key), listener, seed=seed)
    return listener.sent


async def now(app: App) -> ConversationRow:
    return await app.store.conversation("discord", "room", None)


async def turns(app: App) -> list[TurnRow]:
    return await app.store.turns((await now(app)).id, 500)


async def minds(app: App) -> Minds:
    return Minds.from_json((await now(app)).mind or "", SEATS)


def rows(shown: Shown) -> dict[str, str]:
    return dict(shown.rows)


class TestSeats:
    @pytest.mark.parametrize("names", ["mia owen", "mia, owen", " MIA,owen mia "])
    async def test_several_are_chosen_and_told_of(self, app: App, names: str) -> None:
        shown = await run(app, f"child {names}")
        assert shown.text.startswith("Mia and Owen sit here now")
        assert (await now(app)).children == ("mia", "owen")
        listed = rows(await run(app, "child"))
        assert {each for each in listed if "(current)" in each} == {"mia (current)", "owen (current)"}
        await run(app, "new")
        assert (await now(app)).children == ("mia", "owen")

    async def test_one_that_is_not_there_and_too_many_are_refused(self, app: App) -> None:
        with pytest.raises(CommandError, match="no child 'owin'; did you mean owen"):
            await run(app, "child mia owin")
        with pytest.raises(CommandError, match="6 children are too many here; choose up to 5"):
            await run(app, "child mia owen yusuf zoe theo ruby")
        assert (await now(app)).children == SEATS

    async def test_a_scenario_seats_its_children_each_with_its_own_mind(self, app: App) -> None:
        card = await run(app, "scenario five-six-or-eight")
        assert rows(card)["with"].startswith("Kai (7), ")
        assert "Write to Kai, Zoe and Linh" in card.hint
        for name, answer in (("Kai", "6"), ("Zoe", "8"), ("Linh", "5")):
            (sent,) = await say(app, f"{name}, how did you get your answer?")
            assert sent.speaker == name
            said = (await turns(app))[-1]
            assert said.thought is not None
            mind = Minds.from_json((await now(app)).mind or "", ("kai", "zoe", "linh"))
            asked = mind.states[["Kai", "Zoe", "Linh"].index(name)].asked
            assert asked is not None
            assert (asked.answer or "").startswith(answer)

    async def test_what_is_stored_may_have_gone_from_the_data(self, app: App) -> None:
        here = await now(app)
        await app.store.update_conversation(here.id, child="mia nobody yusuf")
        assert {(await say(app, ASKED, seed=seed))[0].speaker for seed in range(12)} == {"Mia", "Yusuf"}


class TestTalk:
    async def test_thirty_turns_each_under_its_name_and_each_mind_its_own(self, app: App) -> None:
        asks = (
            "What is {} minus {}?",
            "How did you get that?",
            "Owen, do you agree?",
            "Everybody, what did you do on the weekend?",
            "Mia, what about you?",
            "Say you have 5 tens and 2 ones. Can you hand me 7 ones from just those 2?",
        )
        shown: list[Outgoing] = []
        for number in range(30):
            sent = await say(app, asks[number % 6].format(52 + number, 17), seed=number)
            assert 1 <= len(sent) <= 2
            assert len({each.speaker for each in sent}) == len(sent)
            shown += sent
        logged = await turns(app)
        said = [each for each in logged if each.role is Role.STUDENT]
        children = app.classroom.children
        assert [(children[each.child or ""].name, each.content) for each in said] == [
            (each.speaker, each.text) for each in shown
        ]
        assert [each.number for each in logged] == list(range(1, len(logged) + 1))
        assert sum(each.role is Role.TEACHER for each in logged) == 30
        shares = Counter(each.speaker for each in shown)
        told = ", ".join(f"{name} {count / len(shown):.0%}" for name, count in shares.most_common())
        assert set(shares) == {"Mia", "Owen", "Yusuf"}, told
        assert min(shares.values()) >= 3, told
        kept = await minds(app)
        assert [each.turns for each in kept.states] == [
            sum(each.child == child for each in said) for child in SEATS
        ], told
        assert kept.states[0].beliefs != kept.states[2].beliefs

    async def test_named_children_answer_one_after_the_other(self, app: App, model: ScriptedModel) -> None:
        sent = await say(app, BOTH)
        assert [each.speaker for each in sent] == ["Mia", "Yusuf"]
        assert [each.first for each in sent] == [True, False]
        assert len({each.nonce for each in sent}) == 2
        teacher, mia, yusuf = await turns(app)
        assert (teacher.content, mia.child, yusuf.child) == (BOTH, "mia", "yusuf")
        assert (mia.content, yusuf.content) == (sent[0].text, sent[1].text)
        assert mia.seed != yusuf.seed
        assert mia.consent == yusuf.consent == teacher.consent
        first, second = model.cues
        assert first.teacher == BOTH
        assert second.teacher == f'{BOTH} Mia says: "{mia.content}"'
        assert first.conversation != second.conversation

    async def test_a_child_hears_what_the_others_said(self, app: App, model: ScriptedModel) -> None:
        await say(app, f"Mia, {ASKED}")
        (sent,) = await say(app, "Yusuf, do you agree with Mia?")
        assert sent.speaker == "Yusuf"
        said = (await turns(app))[1].content
        cue = model.cues[-1]
        assert cue.turns == ()
        assert cue.teacher == f'Mia, {ASKED} Mia says: "{said}" Yusuf, do you agree with Mia?'
        assert cue.thought.kind is ThoughtKind.REJECT
        assert cue.thought.answer == "35"

    async def test_a_second_voice_that_finds_no_words_leaves_the_first_standing(self, path: Path) -> None:
        class Once(ScriptedModel):
            async def reply(self, cue: Cue, *, seed: int | None) -> Reply:
                if cue.child.id == "yusuf":
                    raise ModelUnavailable("away")
                return await super().reply(cue, seed=seed)

        async with room(path, Once()) as app:
            await run(app, "child mia yusuf")
            sent = await say(app, BOTH)
            assert [each.speaker for each in sent] == ["Mia"]
            assert [each.role for each in await turns(app)] == [Role.TEACHER, Role.STUDENT]
            assert await app.store.unanswered() == []

    async def test_who_cannot_answer_is_named_and_its_turn_is_told_of(self, path: Path) -> None:
        class Mute(ScriptedModel):
            async def reply(self, cue: Cue, *, seed: int | None) -> Reply:
                if cue.child.id == "owen":
                    raise ModelUnavailable("away")
                return await super().reply(cue, seed=seed)

        async with room(path, Mute()) as app:
            await run(app, "child mia owen")
            await say(app, "Mia, what is 52 minus 17?")
            listener = Listener()
            await app.classroom.receive(message("Owen, and you?", author="ann"), listener, seed=7)
            assert [each.text.partition(" cannot")[0] for each in listener.sent] == ["Owen"]
            assert "One message here got no answer" in (await run(app, "debrief")).hint

    async def test_what_a_scenario_began_with_is_not_said_to_have_moved(self, app: App) -> None:
        await run(app, "scenario three-on-the-board")
        for text in ("Owen, do you agree with Mia?", "Yusuf, how did you get 35?"):
            await say(app, text)
        told = rows(await run(app, "debrief"))
        moved = next(value for name, value in told.items() if name.startswith("What moved"))
        assert moved.endswith("No wrong idea moved in these turns."), (
            "Owen was in doubt, and Yusuf right, before"
        )

    async def test_a_notice_is_one_answer_whoever_sits_there(self, app: App) -> None:
        await say(app, ASKED)
        mind = (await now(app)).mind
        (sent,) = await say(app, "Are you a real child, Owen?")
        assert sent.speaker is None
        *_, teacher = await turns(app)
        assert (await now(app)).mind == mind
        assert teacher.flag is not None

    async def test_one_child_is_as_ever(self, app: App, model: ScriptedModel) -> None:
        await run(app, "child mia")
        await say(app, ASKED)
        await say(app, "Owen, how did you get that?")
        asked, answered = (await turns(app))[:2]
        assert [each.content for each in model.cues[-1].turns] == [asked.content, answered.content]
        assert model.cues[-1].teacher == "Owen, how did you get that?"
        assert "class" not in json.loads((await now(app)).mind or "{}")


class TestTwoAnswers:
    """The second answer stands in the outbox as the first one did, once that is logged."""

    async def stopped(self, path: Path, step: Step, times: int) -> list[str]:
        """A program that goes away the n-th time it comes to a step of a message with two answers; what it showed."""
        passed = Counter[Step]()
        stop = asyncio.Event()
        listener = Listener()

        def watch(each: Step, _key: str) -> None:
            passed[each] += 1
            if each is step and passed[each] == times:
                stop.set()
                raise asyncio.CancelledError

        async with room(path, watch=watch) as app:
            await run(app, "child mia yusuf")
            taken = await app.classroom.take(message(BOTH, key="discord:1"), listener, seed=3)
            await taken
            await stop.wait()
        return listener.words

    @pytest.mark.parametrize(
        ("step", "times", "shown", "left"),
        [
            (Step.SPOKEN, 1, [], ["Mia", "Yusuf"]),
            (Step.LOGGED, 1, ["Mia"], ["Yusuf"]),
            (Step.SENDING, 2, ["Mia"], ["Yusuf"]),
            (Step.LOGGED, 2, ["Mia", "Yusuf"], []),
        ],
    )
    async def test_what_was_not_said_is_said_by_the_next_program(
        self, path: Path, step: Step, times: int, shown: list[str], left: list[str]
    ) -> None:
        assert len(await self.stopped(path, step, times)) == len(shown)
        listener = Listener()
        async with room(path) as app:
            await app.classroom.recover("discord", lambda _: listener)
            assert [each.speaker for each in listener.sent] == left
            logged = await turns(app)
            assert [each.child for each in logged] == [None, "mia", "yusuf"]
            assert await app.store.unanswered() == []
            kept = Minds.from_json((await now(app)).mind or "", ("mia", "yusuf"))
            assert [each.turns for each in kept.states] == [1, 1]
            assert kept.silent == (1, 0)

    async def test_what_was_sent_and_not_logged_is_found_and_not_said_again(self, path: Path) -> None:
        for times, speakers in ((1, ["Yusuf"]), (2, [])):
            here = path.with_name(f"{times}.db")
            await self.stopped(here, Step.SENT, times)

            class Finds(Listener):
                async def find(self, outgoing: Outgoing) -> list[str]:
                    self.looked += 1
                    return ["discord:room:sent"]

            listener = Finds()
            async with room(here) as app:
                await app.classroom.recover("discord", lambda _, listener=listener: listener)  # type: ignore[misc]
                assert [each.speaker for each in listener.sent] == speakers
                assert listener.looked == 1
                assert [each.child for each in await turns(app)] == [None, "mia", "yusuf"]

    async def test_an_author_who_is_forgotten_between_them_takes_both_along(
        self, app: App, path: Path
    ) -> None:
        class Forgets(Listener):
            async def send(self, outgoing: Outgoing) -> str | None:
                if self.sent:
                    await app.store.forget(ANN)
                return await super().send(outgoing)

        assert await app.classroom.receive(message(BOTH), Forgets(), seed=3) is None
        assert [each for each in await turns(app) if each.content] == []
        assert (await now(app)).mind is None
        with sqlite3.connect(path) as connection:
            assert connection.execute("SELECT count(*) FROM claims WHERE spoken IS NOT NULL").fetchone() == (
                0,
            )


class TestKept:
    async def test_status_shows_each_childs_ideas(self, app: App) -> None:
        await say(app, f"Owen, {ASKED}")
        status = rows(await run(app, "status"))
        assert status["children"] == "mia, owen, yusuf"
        assert {"Mia believes smaller-from-larger", "Owen believes smaller-from-larger"} <= set(status)
        assert status["Owen believes smaller-from-larger"] == "holds"
        hidden = await app.commands.status(HERE, show_mind=False)
        assert not any("believes" in name for name, _ in hidden.rows)

    async def test_again_goes_back_to_all_minds_as_they_were(self, app: App) -> None:
        await say(app, f"Owen, {ASKED}")
        before = (await now(app)).mind
        await say(app, "Owen and Mia, how did you get that?")
        await say(app, "Yusuf?")
        shown = await run(app, "again 2")
        assert shown.text.startswith("Mia, Owen and Yusuf are back")
        assert (await now(app)).mind == before
        assert [each.child for each in (await app.store.so_far("discord", "room", None, lambda _: 9))[1]] == [
            None,
            "owen",
        ]
        assert rows(shown)["Owen had said"]

    async def test_a_night_is_slept_by_all(self, app: App, path: Path) -> None:
        await say(app, BOTH)
        late = datetime.now(UTC) + timedelta(hours=20)
        answer = await app.classroom.receive(message("Good morning!", sent_at=late), Listener(), seed=1)
        assert answer is not None
        kept = await minds(app)
        assert all(each.beliefs[name].slept for each in kept.states for name in each.beliefs)

    async def test_a_deleted_question_takes_both_answers_with_it(self, app: App) -> None:
        await say(app, "Hello, Owen.")
        await say(app, BOTH, key="discord:77")
        await say(app, "Owen, how are you?")
        await app.classroom.unsay("discord:77")
        assert [each.child for each in await turns(app)] == [None, "owen", None, "owen"]

    async def test_a_person_gets_and_takes_both_answers(self, app: App) -> None:
        await say(app, BOTH)
        await say(app, "Owen, what do you think?", author="ben")
        said = [each.content for each in await turns(app)]
        exported = await app.store.export(ANN)
        assert [(each["content"], each["answer"]) for each in exported["turns"]] == [
            (BOTH, f"{said[1]}\n{said[2]}")
        ]
        report = await app.store.forget(ANN)
        assert (report.teacher_turns, report.student_turns) == (1, 2)
        assert [each.content for each in await turns(app)] == said[3:]

    async def test_both_answers_are_on_the_account_of_who_asked(self, path: Path) -> None:
        async with room(path, ScriptedModel(cost_usd=0.25)) as app:
            await run(app, "child mia yusuf")
            await say(app, BOTH)
            since = datetime.now(UTC) - timedelta(hours=1)
            assert await app.store.spent(since, ANN) == (0.5, 0.5)

    async def test_a_debrief_tells_who_of_the_class_spoke_how_much(self, app: App) -> None:
        await say(app, f"Owen, {ASKED}")
        await say(app, "Owen, how did you get that?")
        await say(app, "Owen, say you have 5 tens and 2 ones. Can you hand me 7 ones from just those 2?")
        await say(app, "Mia, how about you?")
        shown = await run(app, "debrief")
        told = rows(shown)
        assert shown.text.startswith("Your practice with Mia, Owen and Yusuf:")
        logged = await turns(app)
        for child, name in zip(SEATS, ("Mia", "Owen", "Yusuf"), strict=True):
            said = [each.content for each in logged if each.child == child]
            count = sum(len(each.split()) for each in said)
            plural = "" if len(said) == 1 else "s"
            assert f"{name} {count} in {len(said)} turn{plural}" in told["Words"], told["Words"]
        assert "Owen doubts it" in told["What moved Mia, Owen and Yusuf"]
        page = shown.files[1].content.decode()
        assert '<span class="who">Owen</span>' in page
        assert "Yusuf 0" in page

    async def test_ratings_and_thumbs_reach_the_turn_they_are_of(self, app: App) -> None:
        class Numbered(Listener):
            async def send(self, outgoing: Outgoing) -> str | None:
                await super().send(outgoing)
                return f"discord:room:{outgoing.speaker}"

        assert await app.classroom.receive(message(BOTH), Numbered(), seed=3)
        for name, child in (("Mia", "mia"), ("Yusuf", "yusuf")):
            found = await app.store.find_turn(f"discord:room:{name}")
            assert found is not None
            assert found.child == child
            assert await app.commands.opinions.feedback(f"discord:room:{name}", ANN, "up")
        assert "Thank you" in (await run(app, "rate 3 3 3 3 3 3 3 3 3")).text
