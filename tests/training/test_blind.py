"""Nobody can tell whose words they judge, two can judge at once, and what they chose adds up."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.student.records.reading import DataError
from tests.fakes import evaluation
from training.__main__ import app
from training.evaluate import blind
from training.evaluate.blind import Session, Side
from training.evaluate.people import blind_sessions
from training.evaluate.rows import Row

ROWS = evaluation.rows(dialogues=20, clusters=1)


def session(folder: Path, ours: str = "base", theirs: str = "golden", count: int = 12) -> Session:
    return Session.open(folder, ROWS, ours, theirs, count=count, seed=3)


def test_pairs_are_two_answers_to_the_same_turn_from_many_dialogues() -> None:
    made = blind.pairs(ROWS, "base", "golden", count=12, seed=3)
    said: dict[tuple[str, str], Row] = {
        (row.model, f"{row.item}:{row.seed}:{row.turn}"): row for row in ROWS if row.section == "golden"
    }
    assert len({pair.cluster for pair in made}) == 12
    for pair in made:
        assert pair.ours == said["base", pair.id].text
        assert pair.theirs == said["golden", pair.id].text
        assert pair.teacher == said["golden", pair.id].teacher
        assert pair.ours != pair.theirs
    for pair in made:
        dialogue, number = pair.id.split(":")[0].split("/")
        last = said.get(("golden", f"{dialogue}/{int(number) - 1:03}:0:1"))
        assert pair.before == (f"Teacher: {last.teacher}\n{last.child.title()}: {last.text}" if last else "")
    assert any(pair.before for pair in made)
    assert blind.pairs(ROWS, "base", "golden", count=12, seed=3) == made
    assert blind.pairs(ROWS, "base", "golden", count=12, seed=4) != made


def test_without_a_difference_or_a_model_there_is_nothing_to_choose() -> None:
    with pytest.raises(DataError, match="answered differently"):
        blind.pairs(ROWS, "golden", "golden", count=3, seed=0)
    with pytest.raises(DataError, match="there are: adult, base, golden, starter"):
        blind.pairs(ROWS, "nobody", "golden", count=3, seed=0)


def test_order_and_sides_are_each_raters_own() -> None:
    made = blind.pairs(ROWS, "base", "golden", count=20, seed=3)
    ann, bob = (blind.questions(made, who, 3) for who in ("ann", "bob"))
    assert {each.pair.id for each in ann} == {each.pair.id for each in bob}
    assert [each.pair.id for each in ann] != [each.pair.id for each in bob]
    assert {each.swapped for each in ann} == {True, False}
    assert [each.swapped for each in ann] != [each.swapped for each in bob]
    assert blind.questions(made, "ann", 3) == ann
    for each in ann:
        assert each.answers[0 if each.choice("first") == "ours" else 1] == each.pair.ours
        assert {each.choice("first"), each.choice("second")} == {"ours", "theirs"}
        assert each.choice("neither") == "neither"


def test_a_session_goes_on_where_it_stopped(tmp_path: Path) -> None:
    one = session(tmp_path)
    waiting = one.open_questions("ann")
    for question in waiting[:5]:
        one.choose("ann", question, "first")
    # Somebody else at the same time, and the power fails in the middle of a line.
    other = session(tmp_path, count=99)
    assert other.pairs == one.pairs
    assert len(other.open_questions("bob")) == 12
    other.choose("bob", other.open_questions("bob")[0], "neither")
    path = one.folder / "ann.jsonl"
    path.write_text(path.read_text() + '{"pair": "x", "cho')
    again = session(tmp_path)
    assert [each.pair.id for each in again.open_questions("ann")] == [each.pair.id for each in waiting[5:]]
    assert len(again.open_questions("bob")) == 11
    again.choose("ann", again.open_questions("ann")[0], "second")
    assert len(again.open_questions("ann")) == 6
    path.write_text('{"pair": "x"}\n' + path.read_text())
    with pytest.raises(DataError, match=r"ann\.jsonl:1: expected a choice"):
        again.open_questions("ann")
    with pytest.raises(DataError, match="expected a name"):
        again.open_questions("../ann")


def test_the_outcome_is_the_share_and_how_far_raters_agree(tmp_path: Path) -> None:
    made = session(tmp_path)
    assert made.outcome().share is None
    for who in ("ann", "bob"):
        for question in made.open_questions(who):
            # Both always take the authored words, but for one pair that they cannot tell.
            authored: Side = "second" if question.choice("second") == "theirs" else "first"
            made.choose(who, question, "neither" if question.pair == made.pairs[0] else authored)
    found = made.outcome()
    assert (found.share, found.low, found.high) == (0, 0, 0)
    assert (found.choices, found.decided, found.raters, found.judged_twice) == (24, 22, 2, 12)
    assert found.alpha == 1
    rng = random.Random(1)
    for question in blind.questions(made.pairs, "carl", made.seed):
        made.choose("carl", question, rng.choice(("first", "second")))
    mixed = made.outcome()
    assert mixed.alpha is not None
    assert mixed.alpha < 0.9
    assert mixed.share is not None
    assert mixed.low is not None
    assert mixed.high is not None
    assert mixed.low <= mixed.share <= mixed.high
    assert 0 < mixed.share < 0.5
    assert [each["raters"] for each in blind_sessions(tmp_path)] == [3]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    evaluation.write(tmp_path / "data" / "runs" / "one", ROWS)
    path = tmp_path / "config.toml"
    path.write_text('data = "data"\n')
    return path


def run(config: Path, *arguments: str, typed: str = "") -> str:
    done = CliRunner().invoke(
        app, ["evaluate", "blind", *arguments, "--pairs", "4", "--config", str(config)], input=typed
    )
    assert done.exit_code == 0, done.output
    return done.output


def test_in_the_terminal_nothing_says_whose_words_they_are(config: Path) -> None:
    shown = run(config, "base", "golden", "--rater", "ann", typed="1\nx\n2\nq\n")
    assert "base" not in shown.split("rather than")[0].rsplit("\n", 1)[0]
    assert "Type 1 or a" in shown
    assert "2 choices by 1 raters" in shown
    rest = run(config, "base", "golden", "--rater", "ann", typed="=\n=\n")
    assert rest.startswith("2 pairs.")
    assert "every pair" in run(config, "base", "golden", "--rater", "ann")
    assert "4 choices" in run(config, "base", "golden", "--results")


def test_a_sheet_of_paper_does_as_well(config: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.html"
    run(config, "base", "golden", "--rater", "ann", "--sheet", str(sheet))
    key = json.loads(sheet.with_suffix(".key.json").read_text())
    page = sheet.read_text()
    assert not re.search(r"\bbase\b|golden|ours|theirs", page)
    assert page.count("☐ A") == len(key["key"]) == 4
    # Ann ticked the authored words everywhere.
    typed = "".join(f"{'a' if each['A'] == 'theirs' else 'b'}\n" for each in key["key"].values())
    shown = run(config, "base", "golden", "--enter", str(sheet.with_suffix(".key.json")), typed=typed)
    assert "base rather than golden: 0 % of 4 decided choices" in shown
