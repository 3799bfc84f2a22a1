"""/student scenario and /student again through the real classroom: what is told, kept, hidden and gone back to."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.app import App
from bot.messages import Answer, CommandError, Place, Shown
from bot.store import hash_user
from bot.store.rows import ConversationRow
from bot.student.records.dialogue import Mood, Role, ThoughtKind
from tests.fakes.students import SECRET, Listener, ScriptedModel, message, room

ANN, BEN = (hash_user("discord", name, SECRET) for name in ("ann", "ben"))
HERE = Place("discord", "room", None)
THREAD = Place("discord", "room", "talk")
TALK = ("What is 52 minus 17?", "How did you get that?", "What is 61 minus 28?")


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel()


@pytest.fixture
async def app(tmp_path: Path, model: ScriptedModel) -> AsyncIterator[App]:
    async with room(tmp_path / "pupil.db", model) as opened:
        yield opened


async def run(app: App, line: str, place: Place = HERE) -> Shown:
    return await app.commands.run(line, place, ANN)


async def say(
    app: App, text: str, *, seed: int = 7, author: str = "ann", at: datetime | None = None
) -> Answer:
    answer = await app.classroom.receive(message(text, author=author, sent_at=at), Listener(), seed=seed)
    assert answer is not None
    return answer


async def now(app: App, place: Place = HERE) -> ConversationRow:
    return await app.store.conversation(place.platform, place.channel, place.thread)


def rows(shown: Shown) -> dict[str, str]:
    return dict(shown.rows)


class TestScenario:
    async def test_choosing_one_shows_the_card_and_seats_the_child(self, app: App) -> None:
        await say(app, "Hello!")
        before = await now(app)
        card = await run(app, "scenario FOUR-is-more")
        told = rows(card)
        assert card.text == "Four is more than two"
        assert told["with"].startswith("Theo (8)")
        assert {"when", "before", "on the page", "Theo says", "your goal", "how long"} <= set(told)
        after = await now(app)
        assert (after.scenario, after.turns, after.id != before.id) == ("four-is-more", 0, True)
        answer = await say(app, "Why do you think so?")
        assert (answer.speaker, answer.lesson) == ("Theo", "2.G.A.3-halves")
        assert answer.thought is not None
        assert answer.thought.misconception == "more-pieces-is-bigger"

    async def test_what_the_child_believes_is_hidden(self, app: App) -> None:
        for name, scenario in app.classroom.curriculum.scenarios.items():
            if scenario.parent:
                continue  # a small model plays none
            shown = str(await run(app, f"scenario {name}")) + str(await run(app, "scenario"))
            lesson = app.classroom.curriculum.lessons[scenario.lesson]
            for idea in lesson.misconceptions:
                assert idea.id not in shown
                assert idea.belief not in shown
            assert all(each.says not in shown for each in scenario.tells)
        await run(app, "scenario forty-five")
        await say(app, TALK[0])
        status = rows(await run(app, "status"))
        assert status["scenario"] == "forty-five: Three answers and no working"
        assert (status["child"], status["lesson"].split(":")[0]) == ("mia", "2.NBT.B.5-subtract")
        assert not any("smaller-from-larger" in f"{name} {value}" for name, value in status.items())

    async def test_the_opening_line_is_the_first_thing_said(self, app: App, model: ScriptedModel) -> None:
        await run(app, "scenario turbo-is-still")
        await say(app, "I am here, Eli.")
        await say(app, "Tell me more.")
        (opening, *_), (first, *_) = (cue.turns for cue in model.cues[-2:])
        assert (opening.role, opening.content) == (Role.STUDENT, "turbo dint come out")
        assert first == opening
        assert len(await app.store.turns((await now(app)).id, 10)) == 4

    async def test_the_mood_is_brought_along(self, app: App) -> None:
        await run(app, "scenario turbo-is-still")
        asked = await say(app, "How do you spell because?", seed=1)
        assert asked.thought is not None
        assert asked.thought.mood is Mood.FRUSTRATED
        told = await say(app, "What happened to Turbo?", seed=1)
        assert told.thought is not None
        assert told.thought.kind is ThoughtKind.CHAT
        assert "cucumber" in (told.thought.reason or "")

    async def test_they_are_listed_by_goal_and_found_by_any_words(self, app: App) -> None:
        overview = rows(await run(app, "scenario"))
        assert "forty-five" in overview["elicit thinking"]
        assert rows(await run(app, "scenario list")) == overview
        assert {"sand-vote", "not-alive"} <= set(rows(await run(app, "scenario science")))
        found = rows(await run(app, "scenario upset eli"))
        assert list(found) == ["turbo-is-still"]
        await run(app, "scenario turbo-is-still")
        assert list(rows(await run(app, "scenario cucumber"))) == ["turbo-is-still (current)"]
        with pytest.raises(CommandError, match="did you mean 'forty-five'"):
            await run(app, "scenario fourty-five")

    async def test_the_current_one_is_shown_with_what_counts(self, app: App) -> None:
        await run(app, "scenario whisper")
        shown = await run(app, "scenario")
        assert rows(shown)["what counts"].count("·") == 3
        assert rows(shown)["your goal"].startswith("Get Ruby to tell you")

    @pytest.mark.parametrize(
        ("leave", "child", "lesson"),
        [
            ("scenario off", "ruby", "2.NBT.B.5-add"),
            ("child owen", "owen", "2.NBT.B.5-add"),
            ("lesson 2.OA.C.3-even-odd", "ruby", "2.OA.C.3-even-odd"),
        ],
    )
    async def test_leaving_one_begins_afresh_with_what_is_known(
        self, app: App, leave: str, child: str, lesson: str
    ) -> None:
        await run(app, "scenario whisper")
        await say(app, "Hello Ruby!")
        await run(app, leave)
        after = await now(app)
        assert (after.scenario, after.child, after.lesson, after.turns) == (None, child, lesson, 0)
        answer = await say(app, "Hello!")
        assert (answer.child, answer.lesson) == (child, lesson)

    async def test_new_begins_it_once_more(self, app: App) -> None:
        await run(app, "scenario whisper")
        await say(app, "What is 38 plus 25?")
        assert (await run(app, "new")).text == "The page with the holes"
        after = await now(app)
        assert (after.scenario, after.mind) == ("whisper", None)

    async def test_one_that_is_gone_leaves_the_default(self, app: App) -> None:
        row = await now(app)
        await app.store.update_conversation(row.id, scenario="gone")
        assert (await say(app, TALK[0])).child == "mia"
        assert "scenario" not in rows(await run(app, "status"))

    async def test_what_changes_for_all_is_told_apart_from_looking(self, app: App) -> None:
        changes = app.commands.changes
        for argument in ("whisper", "WHISPER ", "off", "assign whisper", "assign off"):
            assert changes("scenario", argument)
        for nothing in (None, "", "list", "math", "assign", "wisper"):
            assert not changes("scenario", nothing)
        assert changes("again", "2")
        assert not changes("again", None)


class TestAssigned:
    async def test_every_new_conversation_in_the_channel_begins_with_it(self, app: App) -> None:
        await say(app, "Hello!")
        shown = await run(app, "scenario assign pairs")
        assert "begins with: Always, or only these?" in shown.text
        assert (await now(app)).scenario is None  # what runs goes on
        await run(app, "new")
        assert (await now(app)).scenario == "pairs"
        assert (await now(app, THREAD)).scenario == "pairs"
        assert (await now(app, Place("discord", "elsewhere", None))).scenario is None
        await run(app, "scenario whisper")
        assert (await now(app)).scenario == "whisper"
        await run(app, "new")
        assert (await now(app)).scenario == "pairs"

    async def test_a_conversation_in_which_nothing_was_said_has_it_at_once(self, app: App) -> None:
        await run(app, "scenario assign pairs", THREAD)
        assert (await now(app)).scenario == "pairs"
        assert (await say(app, "Is 14 even or odd?")).child == "eli"

    async def test_it_is_shown_and_taken_off(self, app: App) -> None:
        assert "None is assigned" in (await run(app, "scenario assign")).text
        await run(app, "scenario assign pairs")
        await run(app, "scenario assign whisper")
        assert "begins with whisper" in (await run(app, "scenario assign")).text
        await run(app, "scenario assign off")
        await run(app, "scenario off")
        await run(app, "new")
        assert (await now(app)).scenario is None
        with pytest.raises(CommandError, match="did you mean 'pairs'"):
            await run(app, "scenario assign pair")

    async def test_a_thread_follows_its_channel_but_keeps_what_was_chosen_in_it(self, app: App) -> None:
        await run(app, "scenario whisper")
        await app.commands.follow_channel(THREAD)
        assert (await now(app, THREAD)).scenario == "whisper"
        await run(app, "scenario pairs", THREAD)
        await app.commands.follow_channel(THREAD)
        assert (await now(app, THREAD)).scenario == "pairs"
        await run(app, "scenario off", THREAD)
        await app.commands.follow_channel(THREAD)
        assert (await now(app, THREAD)).scenario is None


class TestAgain:
    async def minds(self, app: App, lines: tuple[str, ...] = TALK) -> list[str | None]:
        """Hold a talk; gives the child's state before each turn, and after the last."""
        found: list[str | None] = []
        for line in lines:
            found.append((await now(app)).mind)
            await say(app, line)
        return [*found, (await now(app)).mind]

    async def test_the_mind_is_the_same_byte_for_byte(self, app: App) -> None:
        await run(app, "scenario forty-five")
        first = await now(app)
        minds = await self.minds(app)
        for number in (3, 2, 1):
            shown = await run(app, f"again {number}")
            again = await now(app)
            assert again.mind == minds[number - 1]
            assert (again.branch_of, again.branch_at) == (first.id, 2 * (number - 1))
            assert (again.scenario, again.turns) == ("forty-five", 2 * (number - 1))
            assert rows(shown)[f"turn {number} was"] == TALK[number - 1]
            assert again.id != first.id

    async def test_the_same_words_lead_to_the_same_and_others_elsewhere(self, app: App) -> None:
        minds = await self.minds(app)
        for number in (3, 2, 1):
            await run(app, f"again {number}")
            await say(app, TALK[number - 1])
            assert (await now(app)).mind == minds[number]
        await say(app, "Say you have 5 tens and 2 ones. Can you hand me 7 ones?")
        mind = (await now(app)).mind
        assert mind is not None
        assert mind != minds[2]

    async def test_what_was_said_before_reaches_the_model(self, app: App, model: ScriptedModel) -> None:
        await self.minds(app)
        await run(app, "again 3")
        await say(app, "Show me with tens.")
        assert [turn.content for turn in model.cues[-1].turns] == [
            turn.content for turn in model.cues[-2].turns
        ]
        assert model.cues[-1].turns[0].content == TALK[0]
        assert len(await app.store.turns((await now(app)).id, 10)) == 2  # nothing is copied

    async def test_another_try_can_be_tried_again(self, app: App, model: ScriptedModel) -> None:
        first = await now(app)
        minds = await self.minds(app)
        await run(app, "again 3")
        await say(app, "What about 34 minus 18?")
        second = await now(app)
        await say(app, "And why?")
        listed = rows(await run(app, "again"))
        assert list(listed.values()) == [TALK[0], TALK[1], "What about 34 minus 18?", "And why?"]
        await run(app, "again 4")
        third = await now(app)
        assert (third.branch_of, third.branch_at, third.mind) == (second.id, 6, second.mind)
        await say(app, "Can you draw it?")
        said = [turn.content for turn in model.cues[-1].turns if turn.role is Role.TEACHER]
        assert said == [TALK[0], TALK[1], "What about 34 minus 18?"]
        await run(app, "again 2")
        fourth = await now(app)
        assert (fourth.branch_of, fourth.branch_at, fourth.mind) == (first.id, 2, minds[1])

    @pytest.mark.parametrize("number", ["0", "4", "-1", "two", "²", "1 2", "9" * 40])
    async def test_a_turn_that_is_not_there(self, app: App, number: str) -> None:
        await self.minds(app)
        with pytest.raises(CommandError, match="from 1 to 3"):
            await run(app, f"again {number}")

    async def test_nothing_said_is_nothing_to_go_back_to(self, app: App) -> None:
        for line in ("again", "again 1"):
            with pytest.raises(CommandError, match="nothing was said here yet"):
                await run(app, line)

    async def test_the_lesson_is_the_one_that_was_on(self, app: App) -> None:
        await say(app, TALK[0])
        await run(app, "lesson 2.NBT.B.5-add")
        await say(app, "What is 38 plus 25?")
        await run(app, "again 1")
        assert (await now(app)).lesson == "2.NBT.B.5-subtract"

    async def test_a_night_that_had_passed_has_passed_again(self, app: App) -> None:
        await say(app, TALK[0])
        mind = (await now(app)).mind
        await say(app, "Good morning!", at=datetime.now(UTC) + timedelta(hours=20))
        await run(app, "again 2")
        rested = (await now(app)).mind
        assert mind is not None
        assert rested is not None
        assert rested != mind
        assert json.loads(rested)["asked"] is None

    async def test_going_back_days_later_is_no_night(self, app: App, tmp_path: Path) -> None:
        minds = await self.minds(app)
        long_ago = (datetime.now(UTC) - timedelta(days=3)).replace(tzinfo=None).isoformat(" ")
        with sqlite3.connect(tmp_path / "pupil.db") as connection:
            connection.execute("UPDATE conversations SET updated_at = ?, spoken_at = ?", (long_ago, long_ago))
        await run(app, "again 3")
        await say(app, TALK[2])
        assert (await now(app)).mind == minds[3]

    async def test_a_notice_is_a_turn_as_well(self, app: App) -> None:
        assert (await say(app, "I will kill you")).flag
        await say(app, TALK[0])
        mind = (await now(app)).mind
        await say(app, TALK[1])
        assert list(rows(await run(app, "again"))) == ["1", "2", "3"]
        await run(app, "again 2")
        assert (await now(app)).mind is None
        assert (await now(app)).turns == 1
        await say(app, TALK[0])
        assert (await now(app)).mind == mind

    async def test_states_from_before_they_were_kept_say_so(self, app: App, tmp_path: Path) -> None:
        await self.minds(app)
        with sqlite3.connect(tmp_path / "pupil.db") as connection:
            connection.execute("UPDATE turns SET mind = NULL")
        with pytest.raises(CommandError, match="before turn 2 is not kept any more"):
            await run(app, "again 2")
        await run(app, "again 1")
        assert (await now(app)).turns == 0


class TestPrivacy:
    async def test_who_is_forgotten_is_in_no_state_of_any_try(self, app: App, tmp_path: Path) -> None:
        await say(app, "I like Zanzibar. Do you have a pet?", author="ben")
        await say(app, "What is 52 minus 17?")
        await run(app, "again 2")
        await say(app, "What is 61 minus 28?")
        await app.store.forget(BEN)
        with sqlite3.connect(tmp_path / "pupil.db") as connection:
            assert connection.execute("SELECT count(*) FROM turns WHERE mind IS NOT NULL").fetchone() == (0,)
            kept = connection.execute("SELECT count(*) FROM conversations WHERE mind IS NOT NULL").fetchone()
        assert kept == (0,)
        assert b"Zanzibar" not in b"".join(each.read_bytes() for each in tmp_path.glob("pupil.db*"))
        with pytest.raises(CommandError, match="not kept any more"):
            await run(app, "again 2")

    async def test_a_try_in_a_direct_message_loses_its_place_with_its_person(
        self, app: App, tmp_path: Path
    ) -> None:
        await say(app, TALK[0])
        await run(app, "again 1")
        await run(app, "scenario assign pairs")
        await app.store.forget(ANN)
        with sqlite3.connect(tmp_path / "pupil.db") as connection:
            assert connection.execute("SELECT DISTINCT channel FROM conversations").fetchall() == [("",)]
            assert connection.execute("SELECT * FROM assignments").fetchall() == []

    async def test_the_class_keeps_its_assignment_when_one_of_it_goes(self, app: App) -> None:
        await run(app, "scenario assign pairs")
        await say(app, TALK[0])
        await say(app, TALK[1], author="ben")
        await app.store.forget(ANN)
        assert await app.store.tries.assignment("discord", "room") == "pairs"

    async def test_what_was_deleted_is_in_no_state_to_go_back_to(self, app: App) -> None:
        await app.classroom.receive(message("I like Zanzibar.", key="discord:1"), Listener())
        await say(app, TALK[0])
        await app.classroom.unsay("discord:1")
        assert rows(await run(app, "again"))["1"] == "(taken out)"
        with pytest.raises(CommandError, match="not kept any more"):
            await run(app, "again 2")
