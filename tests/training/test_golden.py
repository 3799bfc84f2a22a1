"""Models side by side on the golden dialogues, and how sure the figures are."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.student.records.dialogue import Dialogue
from tests.fakes.students import DATA, NONSENSE, ScriptedModel, shipped
from training.evaluate.bootstrap import mean_interval, paired_interval
from training.evaluate.golden import GOLDEN, Item, by_dialogue, golden_items, summarise, voice_all


@pytest.fixture(scope="module")
def items() -> list[Item]:
    lines = (Path(DATA) / GOLDEN).read_text(encoding="utf-8").splitlines()[:6]
    children, curriculum = shipped()
    return list(golden_items([Dialogue.from_line(line) for line in lines], children, curriculum.lessons))


async def test_a_model_that_says_the_thought_and_one_that_says_nonsense(items: list[Item]) -> None:
    good, bad = ScriptedModel("good"), ScriptedModel("bad")
    bad.enqueue(*[NONSENSE] * (2 * len(items)))
    done: list[int] = []
    fine = await voice_all(good, items, seed=1, at_once=4, done=lambda: done.append(1))
    poor = await voice_all(bad, items, seed=1, at_once=4, done=lambda: None)
    assert len(fine) == len(poor) == len(items) == len(done)
    best, worst = summarise(fine), summarise(poor)
    assert best.voiced["model"] > 0.9
    assert worst.voiced == {"model": 0.0, "retry": 0.0, "phrasing": 1.0}
    assert best.states > 0.95
    assert worst.states < 0.2
    first = [each for each in good.cues if not each.again]
    assert (first[0].teacher, first[0].thought) == (items[0].cue.teacher, items[0].cue.thought)
    found = paired_interval(
        by_dialogue(fine, lambda each: float(each.voiced == "model")),
        by_dialogue(poor, lambda each: float(each.voiced == "model")),
    )
    assert found.parts_from_zero
    assert found.low <= found.mean <= found.high


def test_an_interval_knows_that_turns_of_one_dialogue_are_alike() -> None:
    alike = mean_interval({str(number): [float(number % 2)] * 10 for number in range(10)})
    apart = mean_interval({str(number): [float(number % 2)] for number in range(100)})
    assert alike.mean == apart.mean == 0.5
    assert alike.high - alike.low > 2 * (apart.high - apart.low)
    assert not mean_interval({"a": [-1.0, 1.0], "b": [1.0, -1.0]}).parts_from_zero


def test_only_items_of_both_are_compared() -> None:
    found = paired_interval({"a": {"1": 1.0, "2": 0.0}}, {"a": {"1": 0.0}, "b": {"1": 1.0}})
    assert found.mean == 1.0


def test_nothing_has_no_mean() -> None:
    with pytest.raises(ValueError, match="no values"):
        mean_interval({"a": []})
