"""The misconception protocol, end to end through the real classroom; the model says its thought at once."""

from __future__ import annotations

import random
from itertools import islice
from pathlib import Path

import pytest

from bot.student.voice import states
from tests.fakes.students import DATA, ScriptedModel, room, shipped
from training.evaluate.protocol import BARS, Item, Protocol, Tally, items, probes, read

CURRICULUM = shipped()[1]
HELD_OUT = DATA / "hearing" / "heldout.jsonl"


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


def test_the_tally_counts_by_bar() -> None:
    tally = Tally()
    assert tally.share("a") is None
    for hit in (True, True, False, True):
        tally.note("a", "one", hit)
    tally.note("a", "two", False)
    assert (tally.share("a"), tally.tries("a"), tally.tries("b")) == (0.6, 5, 0)


async def test_it_runs_from_end_to_end(tmp_path: Path) -> None:
    model = ScriptedModel()
    async with room(tmp_path / "pupil.db", model) as app:
        found = probes(app, HELD_OUT)
        assert len(found) >= 10
        for probe in found:
            assert len(probe.helps) >= 4
            assert not set(probe.helps) & set(probe.misaligned)
        run, done = Protocol(app, seeds=1), list[int]()
        chosen = found[:3]
        await run.run(chosen, lambda: done.append(1))
        assert len(done) == run.jobs(chosen) > 0
        results = {bar.name: (share, tries) for bar, share, tries in run.results()}
    assert list(results) == [bar.name for bar in BARS]
    for name, (share, tries) in results.items():
        assert share is None or -1 <= share <= 1, name
        assert (share is None) is (tries == 0) or "selectivity" in name, name
    assert model.cues
    assert set(run.voiced) <= {"model", "retry", "phrasing"}
    # The mind itself, whatever the voice: the idea holds unless it is addressed.
    assert (results["none: the bug again on a second problem"][0] or 0) >= 0.5
    assert (results["misaligned: flips"][0] or 0) <= 0.5
