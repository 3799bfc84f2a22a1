"""One wrong idea: what moves it and what does not. Relations only: the shares themselves are tuned."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bot.student.believing.belief import BUG_SHARE, NEEDED, Belief
from bot.student.records.dialogue import Stage
from bot.student.records.lesson import Rates

ORDER = [Stage.HOLDS, Stage.WAVERS, Stage.REVISES, Stage.SECURE]
beliefs = st.builds(
    Belief, st.sampled_from(Stage), st.integers(0, 9), st.integers(1, 6), st.integers(0, 3), st.booleans()
)


def taught(needed: int, turns: int) -> Belief:
    belief = Belief(needed=needed)
    for _ in range(turns):
        belief = belief.hears_help()
    return belief


@given(st.integers(1, 6), st.integers(0, 10))
def test_help_moves_it_over_several_turns_through_wavering(needed: int, turns: int) -> None:
    stages = [taught(needed, turn).stage for turn in range(turns + 1)]
    assert stages == sorted(stages, key=ORDER.index)
    assert stages[0] is Stage.HOLDS
    assert [stage for stage in stages[1:] if stage is Stage.WAVERS] == [Stage.WAVERS] * min(turns, needed - 1)
    assert (stages[-1] is Stage.REVISES) is (turns >= needed)


@given(beliefs)
def test_no_help_takes_it_back(belief: Belief) -> None:
    after = belief.hears_help()
    assert ORDER.index(after.stage) >= ORDER.index(belief.stage)
    assert after.helped == belief.helped + 1


@given(beliefs)
def test_only_right_answers_after_a_revision_make_it_secure(belief: Belief) -> None:
    for right in (True, False):
        after = belief.answered(right=right)
        if belief.stage is not Stage.REVISES:
            assert after == belief
        elif not right:
            assert (after.stage, after.rights) == (Stage.REVISES, 0)
        else:
            assert after.rights == belief.rights + 1
    belief = taught(1, 1)
    stages = [belief.stage]
    while belief.stage is not Stage.SECURE:
        belief = belief.answered(right=True)
        stages.append(belief.stage)
        assert len(stages) < 10
    assert len(stages) > 2


@given(beliefs)
def test_a_confirmed_wrong_answer_ends_doubt_and_no_revision(belief: Belief) -> None:
    after = belief.hears_it_was_right()
    assert after.stage is (Stage.HOLDS if belief.stage is Stage.WAVERS else belief.stage)


@given(beliefs)
def test_a_night_forgets_doubt_and_what_was_secure_is_fresh_again(belief: Belief) -> None:
    after = belief.sleeps()
    assert after.stage in (Stage.HOLDS, Stage.REVISES)
    assert (after.stage is Stage.HOLDS) is (belief.stage in (Stage.HOLDS, Stage.WAVERS))
    assert after.slept
    assert after.rights == 0
    assert after.helped == (0 if after.stage is Stage.HOLDS else belief.helped)


def shares(belief: Belief, tries: int = 4000) -> float:
    rng = random.Random(5)
    return sum(belief.shows(rng) for _ in range(tries)) / tries


def test_the_firmer_it_sits_the_more_it_shows() -> None:
    shown = [shares(Belief(stage=stage)) for stage in ORDER]
    assert shown == sorted(shown, reverse=True)
    assert shown[0] > 0.85
    assert 0 < shown[2] < 0.5
    assert shown[3] == BUG_SHARE[Stage.SECURE] == 0


def test_after_a_night_a_revision_slips_back_more_often() -> None:
    assert shares(Belief(stage=Stage.REVISES, slept=True)) > shares(Belief(stage=Stage.REVISES))


def test_a_stubborn_child_needs_more() -> None:
    def mean(stubbornness: float) -> float:
        rng = random.Random(2)
        return sum(Belief.new(rng, stubbornness, Rates()).needed for _ in range(4000)) / 4000

    assert mean(0.0) < mean(0.5) < mean(1.0)
    assert abs(sum(share for _, share in NEEDED) - 1) < 1e-9


def test_the_help_it_needs_is_mostly_more_than_one_turn_and_at_most_four() -> None:
    rng = random.Random(2)
    needed = [Belief.new(rng, 0.5, Rates()).needed for _ in range(4000)]
    assert sum(need == 1 for need in needed) <= 0.25 * len(needed)
    assert 0.6 * len(needed) <= sum(need <= 4 for need in needed) <= 0.97 * len(needed)


@given(beliefs)
def test_it_round_trips(belief: Belief) -> None:
    assert Belief.from_json(belief.to_json()) == belief


def test_each_idea_has_its_own_rates() -> None:
    rare = Belief.new(random.Random(1), 0.5, Rates(shows=0.3, returns=0.5, more_helps=-2))
    assert rare.needed <= 3
    assert abs(shares(rare) - 0.3) < 0.03
    assert shares(replace(rare, stage=Stage.WAVERS)) < shares(rare)
    assert abs(shares(replace(rare, stage=Stage.REVISES)) - 0.5) < 0.03
    assert shares(replace(rare, stage=Stage.SECURE)) == 0


def test_a_stored_belief_without_rates_has_those_of_most_ideas() -> None:
    raw = {"stage": "holds", "helped": 0, "needed": 3, "rights": 0, "slept": False}
    assert Belief.from_json(raw) == Belief()
