"""Signals where an event loop takes no handlers, as on Windows. Simulated: the loop refuses, all else is real."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator

import pytest

from bot import signals
from tests.test_cli import CLEAN, ROOT

REFUSING = """
import asyncio
def refuse(*_):
    raise NotImplementedError
asyncio.SelectorEventLoop.add_signal_handler = refuse
"""


@pytest.fixture
def _restored() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("_restored")
async def test_a_loop_that_takes_no_handlers_is_woken_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(asyncio.get_running_loop(), "add_signal_handler", refuse)
    ended = asyncio.Event()
    signals.on(signal.SIGTERM, ended.set)
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(ended.wait(), 5)


async def test_a_command_ends_with_its_status() -> None:
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        f"{REFUSING}\nfrom bot.cli.exits import run\n"
        "async def work():\n    print('ready', flush=True)\n    await asyncio.sleep(60)\n"
        "import typer\ntry:\n    run(work(), terminated=7)\n"
        "except typer.Exit as end:\n    raise SystemExit(end.exit_code)",
        cwd=ROOT,
        env=CLEAN,
        stdout=asyncio.subprocess.PIPE,
    )
    assert program.stdout is not None
    assert await program.stdout.readline() == b"ready\n"
    program.terminate()
    assert await asyncio.wait_for(program.wait(), 10) == 7
