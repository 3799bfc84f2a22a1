"""What is done before the first teacher comes: nothing of it stays, and nothing is left to be made for the first message."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

from tests.fakes.students import DATA, Listener, ScriptedModel, message, room

FIRST_MESSAGE = """
import asyncio, sys
from bot import logs
from bot.app import opened
from bot.config import Settings
from bot.sections import Student
from tests.fakes.students import Listener, ScriptedModel, message

async def main(data, folder):
    settings = Settings(data=data, database=f"{folder}/pupil.db", student=Student(model="base", fallback="base"))
    async with opened(settings) as app:
        app.models.put(ScriptedModel())
        await app.models.turnstile("base")
        await app.classroom.rehearse()
        before = set(sys.modules)
        assert await app.classroom.receive(message(), Listener())
        print(*sorted(set(sys.modules) - before))

logs.set_up("error")
asyncio.run(main(*map(__import__("pathlib").Path, sys.argv[1:])))
"""


async def test_nothing_of_a_rehearsal_stays(tmp_path: Path) -> None:
    path, model = tmp_path / "pupil.db", ScriptedModel()
    async with room(path, model) as app:
        await app.classroom.rehearse()
        await app.classroom.rehearse()
        assert app.classroom.waiting == 0
    assert model.cues == []
    connection = sqlite3.connect(path)
    for query in ("SELECT * FROM claims", "SELECT * FROM conversations", "SELECT * FROM turns"):
        assert connection.execute(query).fetchall() == []
    connection.close()


async def test_every_statement_of_a_message_is_compiled_by_then(tmp_path: Path) -> None:
    async with room(tmp_path / "pupil.db") as app:
        await app.classroom.rehearse()
        compiled = app.store._database._engine.sync_engine._compiled_cache
        assert compiled is not None
        before = len(compiled)
        assert before > 4
        assert await app.classroom.receive(message(), Listener())
        assert await app.classroom.receive(message(), Listener())
        assert len(compiled) == before


def test_the_first_message_imports_nothing(tmp_path: Path) -> None:
    program = subprocess.run(
        [sys.executable, "-c", FIRST_MESSAGE, str(DATA), str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert program.returncode == 0, program.stderr
    assert program.stdout.split() == []
