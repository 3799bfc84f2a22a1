"""How long the bot takes to be ready, what memory it holds then, and what its first message costs beside its second.

Run: python -m benchmarks.start [--rounds 5] [--embedded]

Each round starts `python -m bot run` anew, on a Discord on local sockets and with a hosted model that answers at once
(with --embedded the shipped one), waits until /healthz says ready and a teacher is heard, and sends messages one after
another. What is compared is of the same rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from bot.store import Store
from tests.fakes.discord_server import DIRECT, TOKEN, DiscordServer
from tests.fakes.openai_server import OpenAIServer

ROOT = Path(__file__).parents[1]
SECONDS = 300.0
MESSAGES = 5
QUIET_SECONDS = 2.0
"""Discord's library waits a second for servers that tell of themselves late."""
HOSTED = """
[student]
model = "hosted"
fallback = "hosted"
[models.hosted]
provider = "compatible"
model = "instant"
base_url = "{url}"
"""


@dataclass(frozen=True, slots=True)
class Start:
    """One start: seconds until ready, seconds of processor time, MiB held, milliseconds of each message."""

    seconds: float
    cpu: float
    resident: float
    own: float
    messages: tuple[float, ...]


async def start(*, embedded: bool) -> Start:
    """Start the bot, ask it something, stop it."""
    with tempfile.TemporaryDirectory() as folder:
        async with DiscordServer() as discord, OpenAIServer() as words:
            port = _free_port()
            (Path(folder) / "config.toml").write_text(
                f'data = "{ROOT / "data"}"\ndatabase = "pupil.db"\n[discord]\napi_base = "{discord.api_base}"\n'
                f'[metrics]\nport = {port}\n[log]\nlevel = "warning"\n'
                + ("" if embedded else HOSTED.format(url=words.base_url)),
                encoding="utf-8",
            )
            # Nobody waits twice for the tables of a new database.
            await (await Store.open(f"sqlite+aiosqlite:///{folder}/pupil.db")).aclose()
            began = time.perf_counter()
            async with _bot(Path(folder)) as process:
                await _ready(port, discord, process)
                seconds = time.perf_counter() - began
                cpu, resident, own = measured(process.pid)
                await asyncio.sleep(QUIET_SECONDS)
                messages = [await _asked(discord, number) for number in range(MESSAGES)]
    return Start(seconds, cpu, resident, own, tuple(messages))


def measured(pid: int) -> tuple[float, float, float]:
    """Seconds of processor time so far, MiB resident, and MiB that are nobody else's, as Linux counts them."""
    times = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    cpu = (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")
    memory = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    kib = {line.split(":")[0]: int(line.split()[1]) for line in memory.splitlines()[1:]}
    return cpu, kib["Rss"] / 1024, (kib["Private_Clean"] + kib["Private_Dirty"]) / 1024


@asynccontextmanager
async def _bot(folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    ours = ("DISCORD_", "SLACK_", "OPENAI_", "PUPIL_")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "run"),
        cwd=folder,
        env=inherited | {"DISCORD_TOKEN": TOKEN, "PYTHONPATH": str(ROOT)},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), SECONDS)


async def _ready(port: int, discord: DiscordServer, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(SECONDS), aiohttp.ClientSession() as session:
        while process.returncode is None:
            try:
                async with session.get(f"http://127.0.0.1:{port}/healthz") as response:
                    if response.ok and discord.identified:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.01)
    raise RuntimeError("the bot ended before it was ready")


async def _asked(discord: DiscordServer, number: int) -> float:
    began = time.perf_counter()
    await discord.say(DIRECT, f"What is 52 minus {number + 13}?")
    await discord.until(lambda: len(discord.sent(DIRECT)) > number, seconds=SECONDS)
    return (time.perf_counter() - began) * 1000


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def main(rounds: int, *, embedded: bool) -> None:
    """Print the medians."""
    starts = [await start(embedded=embedded) for _ in range(rounds)]

    def median(values: list[float]) -> float:
        return statistics.median(values)

    first, second = (median([each.messages[place] for each in starts]) for place in (0, 1))
    print(f"{rounds} starts, {'the embedded model' if embedded else 'a hosted model that answers at once'}")
    print(
        f"ready after {median([each.seconds for each in starts]):.2f} s, of these "
        f"{median([each.cpu for each in starts]):.2f} s of processor time; "
        f"{median([each.resident for each in starts]):.0f} MiB resident, "
        f"{median([each.own for each in starts]):.0f} MiB of its own"
    )
    print(f"the first message {first:.0f} ms, the second {second:.0f} ms: {first / second:.2f} times")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5, choices=range(1, 51))
    parser.add_argument("--embedded", action="store_true", help="with the shipped model instead")
    given = parser.parse_args()
    asyncio.run(main(given.rounds, embedded=given.embedded))
