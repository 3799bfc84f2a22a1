"""Bots that die when told to: one program that has everything loaded, and forks a bot for each order it reads.

An order is a line of JSON, an `Order` of `crash_matrix`; what becomes of the bots is told in lines of JSON. The bot is the real one, on a
local Discord or Slack, and only its model answers at once. Linux and macOS.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

from pydantic import SecretStr

from bot import config, left_behind, logs
from bot.app import read_data
from bot.classroom import Classroom
from bot.commands import Commands
from bot.metrics import Metrics
from bot.models.registry import Models
from bot.platforms.discord import platform as discord_platform
from bot.platforms.discord.platform import DiscordPlatform
from bot.platforms.slack import platform as slack_platform
from bot.platforms.slack.platform import SlackPlatform
from bot.rehearsal import rehearse
from bot.seating import Seating
from bot.steps import Step
from bot.store import Store
from tests.fakes.crash_matrix import DATA, Order
from tests.fakes.discord_server import TOKEN
from tests.fakes.models import InstantModels
from tests.fakes.slack_server import APP_TOKEN, BOT_TOKEN, SECRET

LOOK_SECONDS = 0.01
BEHIND_SECONDS = 0.03


def _watch(order: Order) -> Callable[[Step, str], None]:
    armed, left = Path(order.armed), order.times

    def watch(step: Step, _key: str) -> None:
        nonlocal left
        if order.behind and step is Step.HEARD:
            time.sleep(BEHIND_SECONDS)
        if step == order.dies and armed.exists():
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    return watch


async def _serve(order: Order) -> None:
    left_behind.BEAT_SECONDS = order.beat
    discord_platform.GUILDS_WITHIN_SECONDS = 0.02
    # The local Slack waits for ever; beside busy neighbours it may have to.
    slack_platform.ACK_SECONDS = 60.0
    settings = config.load(Path(order.config), environment_file=None).model_copy(
        update={
            "discord_token": SecretStr(TOKEN),
            "slack_bot_token": SecretStr(BOT_TOKEN),
            "slack_app_token": SecretStr(APP_TOKEN),
            "slack_signing_secret": SecretStr(SECRET),
        }
    )
    store = await Store.open(order.url)
    models = cast("Models", InstantModels())
    classroom = Classroom(settings, store, models, Metrics(), *_DATA, b"secret", _watch(order))
    kind = DiscordPlatform if order.platform == "discord" else SlackPlatform
    await kind(settings, classroom, Commands(settings, store, models, classroom)).serve()


_DATA = read_data(config.Settings(data=DATA))


def _main() -> None:
    """Load everything, then fork."""
    settings = config.Settings(data=DATA)
    rehearse(Seating(settings, cast("Models", InstantModels()), *_DATA).scene(None), None)
    print(json.dumps({"ready": True}), flush=True)  # noqa: T201 - how it speaks
    bots: set[int] = set()
    while True:
        if select.select([0], [], [], LOOK_SECONDS)[0]:
            line = os.read(0, 65_536)
            if not line:
                break
            for each in line.splitlines():
                order = Order(**json.loads(each))
                pid = os.fork()
                if pid == 0:
                    with open(order.log, "ab") as log:  # noqa: PTH123 - a descriptor
                        os.dup2(log.fileno(), 1)
                        os.dup2(log.fileno(), 2)
                    logs.set_up("info")
                    asyncio.run(_serve(order))
                    os._exit(0)
                bots.add(pid)
                print(json.dumps({"began": pid}), flush=True)  # noqa: T201 - how it speaks
        for pid in list(bots):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                bots.discard(pid)
                print(json.dumps({"ended": pid, "signal": os.WTERMSIG(status)}), flush=True)  # noqa: T201 - as above
    for pid in bots:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


if __name__ == "__main__":
    _main()
