"""/student debrief in a real classroom: who is shown what, what is put right, and how a practice's end offers it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app import App
from bot.debrief.command import NOTHING, OFFER
from bot.debrief.moves import HEARD_AS, NAMES
from bot.messages import CommandError, Place, Shown
from bot.store import hash_user
from bot.store.rows import FeedbackKind
from bot.student.records.dialogue import MoveKind
from bot.subcommands import SUBCOMMANDS
from tests.fakes.students import SECRET, Listener, ScriptedModel, message, room

ANN, BOB = (hash_user("discord", name, SECRET) for name in ("ann", "bob"))
HERE = Place("discord", "room", None)
LESSON = (
    "What is 52 minus 17?",
    "How did you get that?",
    "The answer is 35.",
    "Say you have 6 tens and 1 one. Can you hand me 8 ones?",
    "What could we do when there are not enough ones? Could we break open a ten?",
    "So what is 61 minus 28?",
)


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with room(tmp_path / "pupil.db", ScriptedModel()) as opened:
        yield opened


async def teach(app: App, *lines: str, author: str = "ann", channel: str = "room") -> None:
    for line in lines:
        assert await app.classroom.receive(message(line, author=author, channel=channel), Listener(), seed=5)


async def ask(app: App, line: str = "debrief", author: str = ANN, place: Place = HERE) -> Shown:
    return await app.commands.run(line, place, author)


def said(shown: Shown) -> str:
    """All that was shown, the page too."""
    return " ".join(
        (shown.text, *(f"{name} {value}" for name, value in shown.rows), shown.files[1].content.decode())
    )


async def test_a_practice_is_looked_back_on_with_the_turns_it_is_about(app: App) -> None:
    await teach(app, *LESSON)
    shown = await ask(app)
    rows = dict(shown.rows)
    assert shown.text == "Your practice with Mia: Taking away with tens and ones"
    assert "(turn 7)" in rows["What moved Mia"]
    assert "doubts it" in rows["What moved Mia"]
    assert "pressing for reasoning 1 (turn 3)" in rows["Talk moves"]
    assert "the answer was given in turn 5" in rows["Your questions"]
    assert "in 6 turns" in rows["Words"]
    assert [each.name for each in shown.files] == ["debrief.png", "debrief.html"]
    assert all(each.alt for each in shown.files)
    for line in LESSON:
        assert line in shown.files[1].content.decode()


async def test_what_it_says_is_the_same_each_time(app: App) -> None:
    await teach(app, *LESSON)
    assert await ask(app) == await ask(app)


async def test_whoever_said_nothing_here_is_shown_nothing(app: App) -> None:
    await teach(app, *LESSON)
    for place, author in (
        (HERE, BOB),
        (Place("discord", "elsewhere", None), ANN),
        (Place("slack", "room", None), ANN),
    ):
        with pytest.raises(CommandError, match="nothing to look back on"):
            await ask(app, author=author, place=place)
        with pytest.raises(CommandError, match="nothing to look back on"):
            await ask(app, "debrief move 1 asks", author=author, place=place)
    assert NOTHING


async def test_in_a_shared_channel_each_has_their_own(app: App) -> None:
    await teach(app, "What is 52 minus 17?")
    await teach(app, "The answer is 35, my friend.", author="bob")
    await teach(app, "How did you get that?")
    ann, bob = await ask(app), await ask(app, author=BOB)
    assert "The answer is 35, my friend." not in said(ann)
    assert "others 6 in 1 turn" in dict(ann.rows)["Words"]
    assert "The answer is 35, my friend." in said(bob)
    assert "How did you get that?" not in said(bob)
    with pytest.raises(CommandError, match="turn 3 is none of yours that the child heard; yours are 1, 5"):
        await ask(app, "debrief move 3 asks")


async def test_the_end_of_a_practice_offers_it_and_it_is_still_there(app: App) -> None:
    assert (await ask(app, "new")).hint == ""
    await teach(app, *LESSON)
    before = await ask(app)
    assert (await ask(app, "new")).hint == OFFER
    assert (await ask(app, "new")).hint == ""
    assert await ask(app) == before
    await teach(app, "hello")
    assert (await ask(app)).hint != before.hint
    assert (await ask(app, "child eli")).hint == OFFER
    assert "Your practice with Mia" in (await ask(app)).text


async def test_what_the_child_believes_is_for_those_who_may_see_it(app: App) -> None:
    await teach(app, *LESSON)
    hidden = await app.commands.debrief(HERE, ANN, show_mind=False)
    assert "doubts" not in said(hidden)
    assert "smaller from larger" not in said(hidden) + hidden.files[0].alt
    assert "pressing for reasoning 1 (turn 3)" in dict(hidden.rows)["Talk moves"]


async def test_a_move_is_put_right_and_shown_so(app: App) -> None:
    await teach(app, *LESSON)
    done = await ask(app, "debrief move 3 revoices")
    assert "Turn 3 is kept as: says back what the child said" in done.text
    assert "privacy" in done.hint
    await ask(app, "debrief MOVE #3 restating")
    await ask(app, "debrief move 5 Pressing for Reasoning")
    await ask(app, "debrief move 5 none")
    shown = await ask(app)
    rows = dict(shown.rows)
    assert "restating 1 (turn 3)" in rows["Talk moves"]
    assert "pressing for reasoning" not in rows["Talk moves"].partition("Not heard")[0]
    assert said(shown).count("(you put this right)") == 2
    conversation = await app.store.practices.newest("discord", "room", None, ANN)
    assert conversation is not None
    turns, feedback = await app.store.practices.said(conversation.id, 100)
    own = {each.kind: each.text for each in feedback[turns[2].id]}
    assert own == {FeedbackKind.MOVE: "revoices", FeedbackKind.TALK_MOVE: "restating"}
    assert turns[2].move is MoveKind.ASKS_WHY, "what was heard stays"
    exported = await app.store.export(ANN)
    assert {each["text"] for each in exported["feedback"]} == {"revoices", "restating", "none"}


@pytest.mark.parametrize(
    ("line", "holds"),
    [
        ("debrief please", "move TURN MOVE"),
        ("debrief move", "move TURN MOVE"),
        ("debrief move 3", "move TURN MOVE"),
        ("debrief move three asks", "move TURN MOVE"),
        ("debrief move ² asks", "move TURN MOVE"),
        ("debrief move 3 ask_why", "did you mean 'asks_why'"),
        ("debrief move 3 unsafe", "no move"),
        ("debrief move 2 asks", "none of yours"),
        ("debrief move 99 asks", "none of yours"),
        ("debrief move " + "9" * 5_000 + " asks", "move TURN MOVE"),
    ],
)
async def test_what_cannot_be_put_right_says_what_would_be_right(app: App, line: str, holds: str) -> None:
    await teach(app, *LESSON[:2])
    with pytest.raises(CommandError, match=holds) as raised:
        await ask(app, line)
    assert "\n" not in str(raised.value)


async def test_a_practice_ends_with_its_debrief_and_the_next_turn_begins_a_fresh_one(app: App) -> None:
    with pytest.raises(CommandError, match="you have said nothing"):
        await ask(app, "done")
    await teach(app, *LESSON[:2])
    with pytest.raises(CommandError, match="you have said nothing"):
        await ask(app, "done", author=BOB)
    shown = await ask(app, "done")
    assert shown.text == "Your practice with Mia: Taking away with tens and ones"
    assert LESSON[0] in said(shown)
    assert shown.all_told == "This practice has ended. What is said next begins a fresh one."
    assert (await app.store.conversation("discord", "room", None)).turns == 0
    assert app.commands.changes("done", "")


async def test_a_turn_that_the_program_answered_is_judged_by_nobody(app: App) -> None:
    await teach(app, "What is 52 minus 17?", "are you a real child?")
    shown = await ask(app)
    assert "you 5 in 1 turn" not in dict(shown.rows)["Words"]
    assert "answered by the program" in said(shown)
    with pytest.raises(CommandError, match="none of yours that the child heard"):
        await ask(app, "debrief move 3 asks")


async def test_who_was_forgotten_has_nothing_to_look_back_on(app: App) -> None:
    await teach(app, *LESSON[:2])
    await teach(app, "The answer is 35.", author="bob")
    await ask(app, "debrief move 1 transfer")
    await app.store.forget(ANN)
    with pytest.raises(CommandError, match="nothing to look back on"):
        await ask(app)
    assert LESSON[0] not in said(await ask(app, author=BOB))
    assert (await app.store.export(ANN))["feedback"] == []


async def test_every_move_that_can_be_heard_can_be_named(app: App) -> None:
    answered = {MoveKind.ASKS_IF_REAL, MoveKind.UNSAFE, MoveKind.CRISIS, MoveKind.PUPIL_DATA}
    assert set(HEARD_AS) == set(MoveKind) - answered
    assert app.commands.move_names == NAMES
    assert len(set(NAMES)) == len(NAMES)
    (command,) = [each for each in SUBCOMMANDS if each.name == "debrief"]
    assert len(command.does) <= 100, "Discord takes no longer one"
