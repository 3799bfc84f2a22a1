"""Models side by side: intervals hold what they should, a winner is named only where they part, costs are honest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.models import artifact
from bot.models.manifest import Base, Data, Manifest, Prompt, Training
from bot.store.rows import RatingRow
from bot.student.records.reading import DataError
from tests.fakes import evaluation
from training.evaluate import compare, costs, counts, written
from training.evaluate.compare import Speaker
from training.evaluate.metrics import BY_ID
from training.evaluate.people import rated
from training.evaluate.report import winner
from training.evaluate.rows import Row
from training.evaluate.stages import Ear, agreement, confusion

DRAWS = 80


def speaker(rows: list[Row], name: str) -> Speaker:
    return Speaker(name, "1", "embedded", [row for row in rows if row.model == name])


def arms(name: str, share: float, clusters: int) -> Speaker:
    return Speaker(name, "1", "embedded", list(evaluation.arms(name, "embedded", share, clusters=clusters)))


def test_an_interval_holds_its_value_and_narrows_with_more_families() -> None:
    few = compare.estimates(arms("base", 0.5, 12), count=DRAWS)["arms.none"]
    many = compare.estimates(arms("base", 0.5, 300), count=DRAWS)["arms.none"]
    assert few.low <= few.value <= few.high
    assert many.low <= many.value <= many.high
    assert many.high - many.low < 0.5 * (few.high - few.low)
    assert (few.tries, many.tries) == (12, 300)


def test_turns_of_one_family_are_drawn_together() -> None:
    """Each item ten times over says nothing new: as sure as before, not three times as sure."""
    once = arms("base", 0.5, 40)
    copies = [replace(row, item=f"{row.item}-{n}") for row in once.rows for n in range(10)]
    tenfold = Speaker("base", "1", "embedded", copies)
    for name in ("arms.none", "arms.tell", "teachable"):
        one, ten = (compare.estimates(each, count=DRAWS)[name] for each in (once, tenfold))
        assert (one.low, one.high) == pytest.approx((ten.low, ten.high)), name


def test_a_dialogue_drawn_twice_is_no_repetition() -> None:
    """The bands of talk are not measured on doubled dialogues, in which identical turns would abound."""
    clusters = {"golden": [f"d{number}" for number in range(9)], "arms": ["a", "b"]}
    for _, draw in compare.draws(clusters, 0, 20):
        assert len(set(draw[compare.TALK])) == len(draw[compare.TALK]) == 5
        assert len(draw["golden"]) == 9
    authored = Speaker(
        "golden", "1", "control", list(evaluation.golden("golden", "control", dialogues=40, spoil=0))
    )
    found = compare.estimates(authored, count=20)["talk"]
    assert found.low <= found.value <= found.high


def test_models_are_compared_on_what_both_were_asked() -> None:
    ours, theirs = arms("starter", 0.9, 40), arms("base", 0.9, 40)
    theirs.rows[20:] = []
    (pair,) = [each for each in compare.pairs([theirs, ours], count=DRAWS) if each.figure == "arms.none"]
    assert (pair.ours, pair.theirs, pair.items) == ("starter", "base", 20)
    shared = Speaker("x", "1", "embedded", ours.rows[:20])
    assert pair.difference == pytest.approx(shared.figures()["arms.none"] - theirs.figures()["arms.none"])


def test_a_model_does_not_part_from_itself_and_a_better_one_does() -> None:
    base, twin, better = arms("base", 0.5, 60), arms("base", 0.5, 60), arms("starter", 0.95, 60)
    twin.name = "twin"
    assert not any(each.parts for each in compare.pairs([base, twin], count=DRAWS))
    (pair,) = [each for each in compare.pairs([base, better], count=DRAWS) if each.figure == "teachable"]
    assert pair.parts
    assert pair.low > 0


@pytest.mark.parametrize(
    ("pairs", "best"),
    [
        ([("b", "a", 0.2, True), ("c", "a", 0.1, True), ("c", "b", -0.1, True)], "b"),
        ([("b", "a", 0.2, True), ("c", "a", 0.1, True), ("c", "b", -0.1, False)], None),
        ([("b", "a", -0.2, True), ("c", "a", -0.1, True), ("c", "b", 0.1, False)], "a"),
        ([("b", "a", 0.2, False), ("c", "a", 0.1, False), ("c", "b", -0.1, False)], None),
    ],
)
def test_a_winner_is_ahead_of_every_other(
    pairs: list[tuple[str, str, float, bool]], best: str | None
) -> None:
    report = {
        "models": [{"name": name} for name in "abc"],
        "pairs": [
            {"ours": ours, "theirs": theirs, "figure": "teachable", "difference": by, "parts": parts}
            for ours, theirs, by, parts in pairs
        ],
    }
    assert winner(report, "teachable") == best
    assert winner(report, "authentic") is None


def test_composites_are_those_of_the_metrics() -> None:
    from training.evaluate import metrics

    rows = evaluation.rows(dialogues=4, clusters=8)
    for name in ("base", "starter"):
        each = speaker(rows, name)
        figures = each.figures()
        assert figures["authentic"] == pytest.approx(metrics.authentic(each.rows))
        assert figures["teachable"] == pytest.approx(metrics.teachable(each.rows))
        for metric in BY_ID.values():
            assert figures.get(metric.id) == metrics.value(metric, each.rows), metric.id


def test_latency_leaves_out_what_nobody_was_asked_for() -> None:
    row = next(evaluation.arms("base", "embedded", 1, clusters=1))
    rows = [replace(row, latency_ms=float(ms)) for ms in range(100, 2100, 100)]
    rows += [replace(row, latency_ms=9e9, cache_hit=True), replace(row, latency_ms=9e9, voiced=None)]
    assert counts.latency(rows) == {"p50": 1000.0, "p95": 1900.0, "mean": 1050.0, "turns": 20}
    assert counts.latency([])["p50"] is None


def test_runs_are_found_and_their_faults_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no evaluation yet"):
        written.find(tmp_path, None)
    evaluation.write(tmp_path / "one", evaluation.rows(dialogues=1, clusters=1))
    assert written.find(tmp_path, None).name == "one"
    assert written.find(tmp_path, "one").name == "one"
    with pytest.raises(DataError, match="no evaluation there"):
        written.find(tmp_path, "two")
    models, controls = compare.speakers(written.read(tmp_path / "one"))
    assert [each.name for each in models] == ["base", "starter"]
    assert {each.name for each in controls} == {"golden", "adult"}
    (tmp_path / "one" / "rows.jsonl").write_text("")
    with pytest.raises(DataError, match="no whole conversation"):
        written.read(tmp_path / "one")


def manifest(**training: Any) -> Manifest:
    endpoint = training.pop("endpoint", None)
    return Manifest(
        name="m",
        version="1",
        kind="openai" if endpoint else "lora",
        base=Base(id="x", endpoint=endpoint) if endpoint else Base(id="x", sha256="a" * 64),
        prompt=Prompt(version="2"),
        data=Data(sha256="a" * 64, dialogues=400, split="x"),
        training=Training(method="x", **training),
    )


def turns(kind: str, cost: float | None, ms: float = 1000) -> list[Row]:
    row = next(evaluation.arms("m", kind, 1, clusters=1))
    return [replace(row, cost_usd=cost, latency_ms=ms)] * 10


def test_training_is_spread_over_the_turns_it_serves() -> None:
    hosted = manifest(endpoint="https://api.openai.com/v1", cost_usd=20.0)
    found = costs.cost(turns("openai", 0.0005), hosted, turns=10_000)
    assert (found.serving, found.training, found.total) == pytest.approx((0.5, 2.0, 2.5))
    assert costs.cost(turns("openai", 0.0005), hosted, turns=1_000_000).training == pytest.approx(0.02)
    local = costs.cost(turns("lora", None), manifest(seconds=7200.0, tokens=5), turns=1000, machine_hour=0.36)
    assert (local.serving, local.training, local.total) == pytest.approx((0.1, 0.72, 0.82))
    assert (local.training_seconds, local.training_tokens, local.dialogues) == (7200, 5, 400)


def test_what_is_not_known_is_never_free() -> None:
    local = costs.cost(turns("lora", None), manifest(seconds=7200.0), turns=1000)
    assert (local.serving, local.training, local.total) == (None, None, None)
    assert "not metered" in local.why
    some = costs.cost(turns("openai", 0.1)[:5] + turns("openai", None)[:5], None, turns=1000)
    assert (some.serving, some.total, some.why) == (None, None, "the price is not known")
    assert costs.cost(turns("lora", 0.1), None, turns=1000).training is None, (
        "trained, nobody knows for how much"
    )
    assert costs.cost(turns("openai", 0.1), None, turns=1000).training == 0, "never trained"


def test_costs_come_from_the_published_version(tmp_path: Path) -> None:
    made = manifest(endpoint="https://api.openai.com/v1", cost_usd=3.0)
    artifact.publish(tmp_path, made, {})
    found = costs.manifest_of(tmp_path, "m", "1")
    assert found is not None
    assert found.training.cost_usd == 3
    assert costs.manifest_of(tmp_path, "m", "2") is None
    assert costs.manifest_of(tmp_path, "base", "SmolLM2 Q4_1") is None


def test_the_ear_tells_stages_that_words_tell() -> None:
    taught = [
        ("it's 45", "holds"),
        ("hmm wait maybe", "wavers"),
        ("oh I traded a ten", "revises"),
        ("35 easy", "secure"),
    ]
    ear = Ear(taught * 3)
    row = next(evaluation.golden("base", "embedded", dialogues=1, spoil=0))
    rows = [replace(row, text=text, thought={"stage": stage}) for text, stage in taught]
    rows.append(replace(row, text="wait hmm", thought={"stage": "holds"}))
    rows.append(replace(row, text="wait", thought={"stage": None}))
    table = confusion(ear, rows)
    assert table == [[1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    assert agreement(table) == 0.8
    with pytest.raises(DataError, match="every stage"):
        Ear(taught[:2])


def test_ratings_are_means_of_each_persons_last_word() -> None:
    def rating(
        number: int, who: str, score: int, model: str | None = "base", conversation: int = 1
    ) -> RatingRow:
        return RatingRow(
            number, conversation, who, {"engagement": score}, "secret", datetime.now(UTC), model, "1"
        )

    found = rated([rating(1, "a", 1), rating(2, "a", 5), rating(3, "b", 2), rating(4, "a", 4, "starter", 2)])
    assert found == [
        {"model": "base", "ratings": 2, "raters": 2, "means": {"engagement": 3.5}},
        {"model": "starter", "ratings": 1, "raters": 1, "means": {"engagement": 4}},
    ]
