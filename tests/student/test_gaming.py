"""A mind cannot be talked round by what is no teaching: a heap of cue words, one line again and again, the wrong idea."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.models import catalogue
from bot.models.ear import read_reader
from bot.models.kinds.ear import NAME
from bot.student.believing.answers import stage_of
from bot.student.believing.state import MindState
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import Stage
from bot.student.records.lesson import Misconception
from bot.student.said import Said
from bot.student.student import spoken, turn
from tests.fakes.students import shipped

DATA = Path(__file__).parents[2] / "data"
CHILDREN, CURRICULUM = shipped()
READER = read_reader(DATA / "models" / NAME / catalogue.promotions(DATA / "models", NAME)[0].version)
SUBTRACT = CURRICULUM.lessons["2.NBT.B.5-subtract"]
IDEA = SUBTRACT.misconceptions[0]
SEEDS, TURNS = 200, 5
WRONG = [
    row["text"]
    for row in map(
        json.loads, (DATA / "hearing" / "strangers.jsonl").read_text(encoding="utf-8").splitlines()
    )
    if row["moves"] == ["reinforces"] and row["held"] == IDEA.id
] + ["Just flip the numbers when the top one is too small.", "Always take the little one from the big one."]


def salad(rng: random.Random, idea: Misconception) -> list[str]:
    words = " ".join(idea.cues).split()
    return [" ".join(rng.sample(words, min(9, len(words)))) for _ in range(TURNS)]


def again(rng: random.Random, idea: Misconception) -> list[str]:
    return [rng.choice(idea.helps)] * TURNS


def wrong(rng: random.Random, _: Misconception) -> list[str]:
    return [rng.choice(WRONG) for _ in range(TURNS)]


def revises(teaching: Callable[[random.Random, Misconception], list[str]], seed: int) -> bool:
    scene, state, rng = Scene(CHILDREN["mia"], SUBTRACT, CURRICULUM), MindState(), random.Random(seed)
    for text in ("What is 52 minus 17?", *teaching(rng, IDEA)):
        turned = turn(scene, state, Said.of(text), rng.getrandbits(31), READER)
        state = spoken(turned, Said.of(text), "45.")
    return stage_of(state.beliefs, IDEA.id) in (Stage.REVISES, Stage.SECURE)


@pytest.mark.parametrize(("teaching", "most"), [(salad, 0.05), (wrong, 0.05)])
def test_what_is_no_teaching_moves_nobody(
    teaching: Callable[[random.Random, Misconception], list[str]], most: float
) -> None:
    assert sum(revises(teaching, seed) for seed in range(SEEDS)) <= most * SEEDS


def test_one_helpful_line_five_times_is_one_help() -> None:
    once = sum(revises(lambda rng, idea: again(rng, idea)[:1], seed) for seed in range(SEEDS))
    often = sum(revises(again, seed) for seed in range(SEEDS))
    assert abs(often - once) <= 0.1 * SEEDS
