"""The misconception protocol, end to end through the real classroom; the model says its thought at once."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from bot.messages import Message
from bot.student.voicing.voice import states
from tests.fakes.students import DATA, ScriptedModel, room, shipped
from training.evaluate.metrics import METRICS, value
from training.evaluate.protocol import ARMS, Item, items, probes, read, spread, units
from training.evaluate.runner import run_units
from training.evaluate.speakers import InClassroom

CURRICULUM = shipped()[1]


@pytest.mark.parametrize(
    ("text", "right", "wrong", "said"),
    [
        ("it's 35", ("35",), "45", "right"),
        ("It's forty-five, cuz 7 take away 2 is 5", ("35",), "45", "wrong"),
        ("it's 35 or 45", ("35",), "45", "both"),
        ("my cat sat on it", ("35",), "45", "other"),
        ("it's 135", ("35",), "45", "other"),
        ("a want", ("a want", "want"), "a need", "right"),
        ("no, it's a need", ("a want", "want"), "a need", "wrong"),
        ("it's not alive", ("alive", "it's alive"), "not alive", "wrong"),
        ("it's alive", ("alive", "it's alive"), "not alive", "right"),
        ("$35", ("35¢", "$0.35"), "$35", "wrong"),
        ("35 cents", ("35¢", "$0.35"), "$35", "right"),
        ("dime, nickel, quarter", ("nickel, dime, quarter",), "dime, nickel, quarter", "wrong"),
        ("half past three", ("3:30",), "3:06", "right"),
        ("nine o'clock", ("9:00",), "12:45", "right"),
    ],
)
def test_what_the_childs_words_state(text: str, right: tuple[str, ...], wrong: str, said: str) -> None:
    assert read(text, Item("?", right, wrong)) == said


def test_a_denial_states_nothing_but_itself() -> None:
    assert not states("no, it's not a need", "a need")
    assert states("no, it's a need, you can't live without it", "a need")
    assert states("it's not alive", "not alive")
    assert not states("it's alive", "not alive")


@pytest.mark.parametrize("name", ["smaller-from-larger", "equals-means-answer", "counts-ticks"])
def test_computed_problems_are_without_end_and_show_the_idea(name: str) -> None:
    lesson = CURRICULUM.lesson_of(name)
    assert lesson is not None
    misconception = lesson.misconception(name)
    assert misconception is not None
    found = list(islice(items(lesson, misconception, random.Random(1)), 30))
    assert len({item.ask for item in found}) >= 15
    assert all(item.wrong not in item.right for item in found)
    assert found == list(islice(items(lesson, misconception, random.Random(1)), 30))


def test_written_problems_are_each_asked_once() -> None:
    lesson = CURRICULUM.lessons["D2.Eco.1-needs-wants"]
    found = list(items(lesson, lesson.misconceptions[0], random.Random(1)))
    assert len(found) == len({item.ask for item in found}) >= 4


def test_a_push_back_is_not_taken_for_an_answer() -> None:
    lesson = CURRICULUM.lessons["D2.His.1-long-ago"]
    found = list(items(lesson, lesson.misconceptions[0], random.Random(1)))
    assert len(found) >= 4
    assert not any({item.wrong, *item.right} & {"yes", "no"} for item in found)


def test_there_is_teaching_for_twenty_misconceptions_in_four_subjects() -> None:
    children, curriculum = shipped()
    found = probes(DATA, children, curriculum)
    chosen = spread(found, 20)
    assert len(chosen) == 20
    assert min(Counter(probe.lesson.subject for probe in chosen).values()) >= 2
    for probe in found:
        assert len(probe.helps) >= 4 <= len(probe.misaligned)
        assert not set(probe.helps) & set(probe.misaligned)
        known = {*probe.misconception.helps, *probe.misconception.looks_helpful}
        assert not known & {*probe.helps, *probe.misaligned}


async def test_the_arms_from_end_to_end(tmp_path: Path) -> None:
    model = ScriptedModel()
    children, curriculum = shipped()
    chosen, done = spread(probes(DATA, children, curriculum), 6), list[int]()
    async with room(tmp_path / "pupil.db", model) as app:
        speaker = InClassroom(app, model, "scripted")
        rows = await run_units(
            speaker, units(chosen, 1), None, 3, lambda _name, turns, _total: done.append(turns)
        )
    assert sum(done) == sum(unit.turns for unit in units(chosen, 1))
    assert {row.item.split("/")[1] for row in rows} >= set(ARMS)
    first = next(row for row in rows if row.item == f"{chosen[0].misconception.id}/none" and row.turn == 1)
    for name in ("none", "generic"):
        mine = [row for row in rows if row.item == f"{chosen[0].misconception.id}/{name}"]
        assert [row.turn for row in mine] == list(range(1, len(mine) + 1))
        # The first turn is the same in every arm, and the model is asked for it once.
        assert (mine[0].text, mine[0].cache_hit) == (first.text, name != "none")
    found = {each.id: value(each, rows) for each in METRICS}
    # The mind itself, whatever the voice: the idea holds unless it is addressed.
    assert (found["arms.none"] or 0) >= 0.5
    assert found["arms.misaligned"] is not None
    assert found["arms.misaligned"] <= 0.5
    assert found["arms.neighbour"] is not None
    assert {row.voiced for row in rows} <= {"model", "retry", "phrasing"}


async def test_the_next_day_is_another_day(tmp_path: Path) -> None:
    """The last question of the targeted arm comes a night later, when the child has forgotten a little."""
    model, times = ScriptedModel(), list[float]()
    children, curriculum = shipped()
    async with room(tmp_path / "pupil.db", model) as app:
        speaker = InClassroom(app, model, "scripted")
        receive = app.classroom.receive

        async def watch(message: Message, *others: Any, **named: Any) -> Any:
            times.append((message.sent_at - datetime.now(UTC)).total_seconds())
            return await receive(message, *others, **named)

        app.classroom.receive = watch  # type: ignore[method-assign]
        await run_units(
            speaker, units(spread(probes(DATA, children, curriculum), 2), 1), None, 1, lambda *_: None
        )
    assert any(seconds > 19 * 3600 for seconds in times)
    assert any(abs(seconds) < 60 for seconds in times)
