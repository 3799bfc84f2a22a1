"""`python -m bot` and the like, started without importing everything anew: one program has it all, and forks.

What is forked is a process of its own, which ends as Python ends. Not to be seen here is what a start imports and costs,
and what Python's own options and variables do: who asks for that starts Python itself. Run as a program it is the one
that forks; what a test starts is `forked`.
"""

from __future__ import annotations

import asyncio
import functools
import gc
import importlib
import json
import os
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from bot.app import read_data
from bot.config import Settings
from bot.rehearsal import rehearse
from bot.store import Store
from bot.student.records.curriculum import Scene

ROOT = Path(__file__).parents[2]
LOADED = (
    "bot.__main__",
    *(
        f"bot.cli.{name}"
        for name in ("ask", "backup", "chat", "debrief", "forget", "migrate", "replay", "tables", "web")
    ),
    "bot.readiness",
    "bot.models.chat",
    "bot.models.engines.llama_server",
    "bot.platforms.discord.platform",
    "bot.platforms.slack.platform",
    "bot.platforms.web.platform",
    "watchfiles",
    "training.__main__",
    "training.harvest.harvest",
    "training.harvest.publish",
    "training.harvest.screen",
)

_STARTING = threading.Lock()
_PROGRAMS: list[subprocess.Popen[bytes]] = []


def command(module: str) -> tuple[str, ...]:
    """What to start in the place of `python -m module`: the first call waits some seconds."""
    with _STARTING:
        door = _door()
    return (sys.executable, "-I", "-S", str(Path(__file__).with_name("forked.py")), door, module)


@functools.cache
def _door() -> str:
    """Where the program that forks listens; it ends with this one, which alone holds the other end of its input."""
    place = tempfile.mkdtemp(prefix="forking-") + "/door"
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.fakes.forking", place],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    _PROGRAMS.append(program)
    assert program.stdout
    assert program.stdout.readline() == b"ready\n"
    return place


def _load() -> None:
    """Import what commands need, read the data, and make what is made at its first use."""
    for name in LOADED:
        importlib.import_module(name)
    children, curriculum = read_data(Settings(data=ROOT / "data"))
    rehearse(Scene(children["mia"], curriculum.lessons["2.NBT.B.5-subtract"], curriculum), None)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_open(f"sqlite+aiosqlite:///{folder}/pupil.db"))
    gc.collect()
    gc.freeze()


async def _open(url: str) -> None:
    await (await Store.open(url)).aclose()


def _wait(place: str) -> dict[str, Any]:
    """Take orders. It comes back only in a process that was forked, with what that one is to do."""
    door = socket.socket(socket.AF_UNIX)
    door.bind(place)
    door.listen(64)
    ended, end = os.pipe()
    os.set_blocking(end, False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(end)
    lines: dict[int, socket.socket] = {}
    """To what stands for each program, by its pid."""
    os.write(1, b"ready\n")
    while True:
        watched: list[int | socket.socket] = [0, ended, door, *lines.values()]
        readable, _, _ = select.select(watched, [], [])
        over = 0 in readable
        for pid, line in lines.items():
            if over or line in readable:  # who started us is gone, or what stands for it was killed
                os.kill(pid, signal.SIGKILL)
        if over:
            shutil.rmtree(Path(place).parent)
            os._exit(0)
        if ended in readable:
            os.read(ended, 4096)
        while lines and (found := os.waitpid(-1, os.WNOHANG))[0]:
            with lines.pop(found[0]) as line, suppress(OSError):
                line.sendall(b"%d\n" % os.waitstatus_to_exitcode(found[1]))
        if door in readable:
            line, _ = door.accept()
            order, streams = _read(line)
            pid = os.fork()
            if not pid:
                _leave((ended, end), (door, line, *lines.values()), streams)
                return order
            for stream in streams:
                os.close(stream)
            lines[pid] = line
            line.sendall(b"%d\n" % pid)


def _leave(ours: tuple[int, ...], sockets: tuple[socket.socket, ...], streams: list[int]) -> None:
    """Have nothing more to do with the program that forked, and these standard streams."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    for each in (*ours, *streams, *(other.detach() for other in sockets)):
        os.close(each)


def _read(line: socket.socket) -> tuple[dict[str, Any], list[int]]:
    size, streams, _, _ = socket.recv_fds(line, 8, 3)
    left, told = int.from_bytes(size, "big"), b""
    while len(told) < left:
        if not (more := line.recv(left - len(told))):
            raise EOFError("an order broke off")
        told += more
    order: dict[str, Any] = json.loads(told)
    return order, streams


def _become(order: dict[str, Any]) -> None:
    """What Python does at a start, as far as a command may see it."""
    os.umask(order["umask"])
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.argv = [order["module"], *order["arguments"]]
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)  # type: ignore[misc]  # noqa: SIM115
    buffered = 1 if os.isatty(1) else -1
    sys.stdout = sys.__stdout__ = open(1, "w", buffered, encoding="utf-8", closefd=False)  # type: ignore[misc]  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)  # type: ignore[misc]  # noqa: SIM115


if __name__ == "__main__":
    _load()
    wanted = _wait(sys.argv[1])
    _become(wanted)
    sys.modules.pop(f"{wanted['module']}.__main__", None)  # what was loaded is run anew
    runpy.run_module(wanted["module"], run_name="__main__", alter_sys=True)
