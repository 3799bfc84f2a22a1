"""`python -m bot debrief` chooses conversation and teacher; what cannot be is one line."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import typer

from bot.app import App
from bot.cli import debrief as command
from bot.config import Settings
from tests.fakes.students import DATA, Listener, ScriptedModel, message, room


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with room(tmp_path / "pupil.db", ScriptedModel()) as opened:
        yield opened


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=DATA, database=str(tmp_path / "pupil.db"))


async def teach(app: App, text: str, author: str = "ann") -> None:
    assert await app.classroom.receive(message(text, author=author), Listener(), seed=5)


async def test_of_several_teachers_one_is_chosen(
    app: App, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await teach(app, "What is 52 minus 17?")
    await teach(app, "The answer is 35.", author="bob")
    for number, teacher, holds in (
        (None, None, "nothing was said in this terminal"),
        (9, None, "no conversation 9"),
        (1, None, "2 teachers spoke in conversation 1"),
        (1, 3, "expected 1 to 2, got 3"),
    ):
        with pytest.raises((SystemExit, typer.Exit)):
            await command.debrief(settings, number, teacher)
        assert holds in capsys.readouterr().err
    told = await command.debrief(settings, 1, 2)
    assert [each.text for each in told.mine] == ["The answer is 35."]
    command.show(told)
    assert "Your practice with Mia" in capsys.readouterr().out
    command.write(told, tmp_path / "page.html")
    assert "The answer is 35." in (tmp_path / "page.html").read_text(encoding="utf-8")
    with pytest.raises((SystemExit, typer.Exit)):
        command.write(told, tmp_path / "nowhere" / "page.html")
    assert "cannot be written (No such file or directory)" in capsys.readouterr().err
