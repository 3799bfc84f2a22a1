"""Growth: what somebody's practices show over weeks, shown to them alone, and gone when they are forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bot.app import App
from bot.debrief import growth
from bot.debrief.growth import Practised, practised
from bot.debrief.growth_picture import picture
from bot.debrief.talkmoves import TalkMove
from bot.messages import CommandError, Place
from bot.pictures.marks import Box
from bot.pictures.png import SCALE, png
from bot.pictures.svg import svg
from bot.store import hash_user
from bot.student.records.dialogue import MoveKind, Stage, ThoughtKind
from bot.subcommands import SUBCOMMANDS
from tests.debrief.practices import BEGAN, debrief, thought
from tests.fakes.students import SECRET, Listener, ScriptedModel, message, room, shipped
from tests.pictures.looking import pixels

ANN, BOB = (hash_user("discord", name, SECRET) for name in ("ann", "bob"))
HERE = Place("discord", "room", None)
TOLD = debrief(
    [
        ("What is 52 minus 17?", MoveKind.ASKS),
        ("It's 45.", thought(answer="45")),
        ("How did you get that?", MoveKind.ASKS_WHY),
        ("7 take away 2.", thought(kind=ThoughtKind.EXPLAIN, reason="flip")),
        ("You have 2 ones. Can you give me 7?", MoveKind.HELPS),
        ("Wait, that's not enough.", thought(Stage.WAVERS, kind=ThoughtKind.EXPLAIN, reason="few")),
        ("The answer is 35.", MoveKind.TELLS),
        ("Okay.", thought(Stage.WAVERS, kind=ThoughtKind.UNSURE)),
    ]
)


def one(weeks_later: int = 0, **changes: object) -> Practised:
    found = practised(TOLD, None)
    assert found is not None
    return replace(found, began=BEGAN + timedelta(weeks=weeks_later), **changes)  # type: ignore[arg-type]


def test_a_practice_is_counted_as_its_debrief_counts_it() -> None:
    found = one()
    assert (found.turns, found.asked, found.told, found.moved) == (4, 3, 1, 1)
    assert found.talk[TalkMove.REASONING] == 1
    assert (found.child, found.scenario, found.goal) == ("Mia", "", "")
    scenario = next(iter(shipped()[1].scenarios.values()))
    with_goal = practised(TOLD, scenario)
    assert with_goal is not None
    assert (with_goal.scenario, with_goal.goal) == (scenario.title, scenario.goal)


def test_what_moved_the_child_is_left_out_where_its_mind_is_not_shown() -> None:
    hidden = practised(replace(TOLD, mind=False, shifts=()), None)
    assert hidden is not None
    assert hidden.moved is None
    told = " ".join(value for _, value in growth.rows([hidden]))
    assert "Helps that moved" not in told
    assert "Helps that moved the child: 1." in " ".join(value for _, value in growth.rows([one()]))


def test_where_the_child_heard_nothing_there_is_nothing_to_count() -> None:
    assert practised(debrief([]), None) is None


def test_weeks_are_told_in_order_the_newest_ones_and_add_up() -> None:
    practices = [one(place) for place in range(12)] + [one(11)]
    found = growth.weeks(practices)
    assert [len(each.practices) for each in found] == [1] * 11 + [2]
    assert (found[-1].turns, found[-1].asked, found[-1].told, found[-1].moved) == (8, 6, 2, 2)
    assert found[-1].share(TalkMove.REASONING) == 0.25
    rows = growth.rows(practices)
    assert len(rows) == growth.MOST_WEEKS + growth.MOST_PRACTICES
    assert rows[growth.MOST_WEEKS - 1][0] == f"Week of {found[-1].monday}"
    assert "pressing for reasoning 25 %" in rows[0][1]
    assert growth.opening(practices) == "Your 13 practices in 12 weeks"
    assert growth.opening([one()]) == "Your 1 practice in 1 week"


def test_the_picture_is_whole_and_says_the_same_in_words() -> None:
    drawn = picture([one(place) for place in range(10)])
    shown = ET.fromstring(svg(drawn))  # noqa: S314 - our own
    assert shown.get("aria-label") == drawn.alt
    assert drawn.alt.count("25 %") > growth.MOST_WEEKS
    boxes = [each for each in drawn.marks if isinstance(each, Box)]
    for box in boxes:
        assert 0 <= box.x <= box.x + box.width <= drawn.width
        assert 0 <= box.y <= box.y + box.height <= drawn.height
    assert pixels(png(drawn)).size == (drawn.width * SCALE, drawn.height * SCALE)


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with room(tmp_path / "pupil.db", ScriptedModel()) as opened:
        yield opened


async def teach(app: App, *lines: str, author: str = "ann", channel: str = "room") -> None:
    for line in lines:
        assert await app.classroom.receive(message(line, author=author, channel=channel), Listener(), seed=5)


async def test_everybody_sees_their_own_practices_wherever_they_were(app: App) -> None:
    with pytest.raises(CommandError, match="nothing to look back on"):
        await app.commands.run("growth", HERE, ANN)
    await teach(app, "What is 52 minus 17?", "How did you get that?")
    await teach(app, "Why do you think so, dear?", author="bob")
    await app.commands.run("new", HERE, ANN)
    await teach(app, "What is 61 minus 28?", channel="elsewhere")
    mine, his = await app.commands.run("growth", HERE, ANN), await app.commands.run("growth", HERE, BOB)
    assert mine.text == "Your 2 practices in 1 week"
    assert his.text == "Your 1 practice in 1 week"
    assert "3 turns: 3 asked, 0 told" in mine.rows[0][1]
    assert "1 turn: 1 asked" in his.rows[0][1]
    assert [each.name for each in mine.files] == ["growth.png"]
    assert mine.files[0].alt
    hidden = await app.commands.growth(ANN, show_mind=False)
    assert "Helps" not in str(hidden.rows)


async def test_a_scenarios_goal_stands_with_the_practice(app: App) -> None:
    scenario = next(iter(app.classroom.curriculum.scenarios.values()))
    await app.commands.run(f"scenario {scenario.id}", HERE, ANN)
    await teach(app, "Tell me how you did this.")
    assert scenario.goal in (await app.commands.run("growth", HERE, ANN)).rows[-1][1]


async def test_who_was_forgotten_has_nothing_to_look_back_on(app: App) -> None:
    await teach(app, "What is 52 minus 17?")
    await app.commands.run("privacy forget", HERE, ANN)
    with pytest.raises(CommandError, match="nothing to look back on"):
        await app.commands.run("growth", HERE, ANN)


def test_it_fits_what_discord_takes() -> None:
    (command,) = [each for each in SUBCOMMANDS if each.name == "growth"]
    assert len(command.does) <= 100
    assert "grade" not in growth.NO_SCORE
