"""A language model may judge a blind session, too: both orders, over a real socket, and never without people."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from bot.models.base import ModelUnavailable
from bot.models.chat import ChatModel, ChatSettings
from tests.fakes import evaluation
from tests.fakes.openai_server import OpenAIServer
from training.__main__ import app
from training.evaluate import blind, blind_command, judge
from training.evaluate.blind import Session, Side
from training.evaluate.page import _people as shown
from training.evaluate.people import blind_sessions

DATA = Path(__file__).parents[2] / "data"
ROWS = evaluation.rows(dialogues=20, clusters=1)


def session(folder: Path) -> Session:
    return Session.open(folder, ROWS, "base", "golden", count=6, seed=3)


def judged(made: Session, *answers: str, status: int = 200, at_once: int = 1) -> list[str]:
    """Let the model say these for the pairs in their order, first as they are, then swapped; its requests."""

    async def run() -> list[str]:
        async with OpenAIServer() as server:
            for answer in answers:
                server.enqueue(text=answer)
            if status != 200:
                server.enqueue(status=status, times=50)
            settings = ChatSettings("critic", "gpt-x", server.base_url, SecretStr("k"), max_retries=0)
            model = ChatModel(settings)
            try:
                await judge.ask(made, model, lambda: None)
            finally:
                await model.aclose()
            return [json.dumps(each.body["messages"]) for each in server.requests]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge, "AT_ONCE", at_once)
        return asyncio.run(run())


def people(made: Session, choice: str, rater: str = "ann") -> None:
    for question in made.open_questions(rater):
        sides: tuple[Side, ...] = ("first", "second", "neither")
        made.choose(rater, question, next(side for side in sides if question.choice(side) == choice))


def test_both_orders_are_asked_and_nothing_says_whose_words_they_are(tmp_path: Path) -> None:
    made = session(tmp_path)
    asked = judged(made, *["A", "B"] * 6)
    assert len(asked) == 12
    for pair, (one, other) in zip(made.pairs, zip(asked[::2], asked[1::2], strict=True), strict=True):
        ours, theirs = json.dumps(pair.ours)[1:-1], json.dumps(pair.theirs)[1:-1]
        assert f"A: {ours}\\nB: {theirs}" in one
        assert f"A: {theirs}\\nB: {ours}" in other
        assert "golden" not in one + other
        assert '"base"' not in one + other
    assert judged(made, "A") == []


def test_it_is_told_only_beside_people(tmp_path: Path) -> None:
    made = session(tmp_path)
    judged(made, *["A", "B"] * 5, "Answer: A", "= (both)")
    assert judge.verdicts(made) == []
    assert blind_sessions(tmp_path) == []
    people(made, "theirs")
    people(made, "theirs", "bob")
    (found,) = judge.verdicts(made)
    assert (found.judge, found.pairs, found.shared) == ("critic", 6, 6)
    assert (found.share, found.steady) == (1, 5 / 6)
    assert found.alpha is not None
    assert found.alpha < 0
    assert made.outcome().share == 0
    html = shown({"people": {"ratings": [], "blind": blind_sessions(tmp_path)}})
    assert ">critic<" in html
    assert "83% of 6" in html


def test_agreement_with_people_is_found(tmp_path: Path) -> None:
    made = session(tmp_path)
    judged(made, *["A", "B"] * 3, *["B", "A"] * 3)
    for question in blind.questions(made.pairs, "ann", made.seed):
        wanted = "ours" if question.pair in made.pairs[:3] else "theirs"
        made.choose("ann", question, "first" if question.choice("first") == wanted else "second")
    (found,) = judge.verdicts(made)
    assert found.alpha == 1
    assert found.share == 0.5


def test_who_always_takes_the_first_has_chosen_nothing(tmp_path: Path) -> None:
    made = session(tmp_path)
    judged(made, *["A"] * 12, at_once=4)
    people(made, "ours")
    (found,) = judge.verdicts(made)
    assert (found.steady, found.share) == (0, None)


def test_what_was_judged_before_the_server_failed_is_kept(tmp_path: Path) -> None:
    made = session(tmp_path)
    with pytest.raises(ModelUnavailable, match="HTTP 500"):
        judged(made, *["A", "B"] * 2, status=500)
    path = made.folder / judge.FOLDER / "critic.jsonl"
    path.write_text(path.read_text() + '{"pair": "x", "cho')
    assert len(judged(made, *["A", "B"] * 4)) == 8
    people(made, "ours")
    (found,) = judge.verdicts(made)
    assert (found.pairs, found.steady) == (6, 1)


def test_the_command_says_what_it_may(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = session(tmp_path)
    judged(made, *["A", "B"] * 6)
    blind_command._show(made)
    assert "nothing is told of it" in capsys.readouterr().out
    people(made, "ours")
    blind_command._show(made)
    out = capsys.readouterr().out
    assert "critic, a language model: 100 % (95 %: 100 to 100) of 6 pairs" in out
    assert "alpha with people not defined over 6 pairs" in out


async def test_the_command_asks_a_model_of_the_config(tmp_path: Path) -> None:
    evaluation.write(tmp_path / "data" / "runs" / "one", ROWS)
    shutil.copy(DATA / "prices.toml", tmp_path / "data")
    config = tmp_path / "config.toml"
    words = ["evaluate", "blind", "base", "golden", "--pairs", "4", "--config", str(config)]
    async with OpenAIServer() as server:
        config.write_text(
            f'data = "data"\n[models.critic]\nprovider = "compatible"\nmodel = "m"\nbase_url = "{server.base_url}"\n'
        )
        done = await asyncio.to_thread(CliRunner().invoke, app, [*words, "--judge", "critic"])
        assert done.exit_code == 0, done.output
        assert len(server.requests) == 8
        assert "nothing is told of it" in done.output
        nobody = await asyncio.to_thread(CliRunner().invoke, app, [*words, "--judge", "nobody"])
    assert nobody.exit_code == 2
    assert "there are: critic" in nobody.output
