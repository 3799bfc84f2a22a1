"""The full circle, with real processes: practice, harvest, review, training, the new version's answer, and a farewell.

The bot serves a local Discord and a local Slack; each step of training is the command as a person types it, forked
(`forking`) but for the training itself. What is
trained is the embedded model, a few steps only: it has to talk well enough that the bot lets its words stand.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import re
import shutil
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web

pytest.importorskip("torch", reason="local training needs the extra train")
pytest.importorskip("trl")
pytest.importorskip("datasketch")

from bot.models.engines.weights import embedded_gguf
from bot.opinions import RUBRIC
from bot.platforms.slack import blocks as slack_blocks
from bot.store import Store, hash_user
from bot.store.rows import LoggedTurn, TurnRow
from bot.student.records.dialogue import Dialogue, Role
from tests.fakes import discord_server, openai_server, slack_server
from tests.fakes.discord_server import DiscordServer
from tests.fakes.forking import command as forked
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.slack_server import SlackServer

ROOT = Path(__file__).parents[1]
SECRET = "s" * 32
ROOM, CHANNEL = discord_server.PRACTICE, "C0PRACTICE"
ANN = hash_user("discord", discord_server.TEACHER, SECRET.encode())
BEN = hash_user("slack", "U0BEN", SECRET.encode())
ANN_SAYS = (
    "At the marmalade stall, what is 52 minus 17?",
    "Now the zeppelins: what is 63 minus 29?",
    "More marmalade! What is 71 minus 38?",
    "And the last zeppelins: what is 94 minus 56?",
)
ANN_ASKS = (
    "And 44 zeppelins minus 19 zeppelins?",
    "Last of the marmalade: what is 83 minus 47?",
    "One more for the zeppelins: 65 minus 38?",
)
ANN_SUGGESTS = "um {answer} cuz gumdrops, 7 take away 2 is 5"
ANNS_TRACES = ("marmalade", "zeppelins", "gumdrops", ANN, discord_server.TEACHER)
BEN_SAYS = (
    "In the tuba shop, what is 81 minus 36?",
    "Then the harps: what is 74 minus 45?",
    "The tubas again, what is 62 minus 27?",
    "Last of all the harps, what is 95 minus 58?",
)
BEN_SUGGESTS = "it's {answer}, the tubas said so"
MESSAGE_MENU = 3
"""Discord's number for a command in a message's menu."""
PATIENCE = 120
"""Seconds for one step of the bot on a machine that does other work, too."""


class Faithful(OpenAIServer):
    """A model that says just what the child means: the note at the end of the prompt."""

    async def _give(
        self, answer: openai_server.Answer, request: web.Request, body: Any
    ) -> web.StreamResponse:
        note = str(body["messages"][-1]["content"]).partition("\nSay in ")[2].partition(": ")[2]
        return await super()._give(replace(answer, text=note), request, body)


@dataclass(frozen=True, slots=True)
class School:
    """The folder, the two platforms and the running bot."""

    home: Path
    discord: DiscordServer
    slack: SlackServer
    store: Store
    bot: asyncio.subprocess.Process

    async def train(self, *words: str) -> str:
        """Run `python -m training …` to its good end; gives what it said."""
        program = await asyncio.create_subprocess_exec(
            *training(self.home, *words),
            cwd=ROOT,
            env=environment(self.home),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await program.communicate()
        assert program.returncode == 0, said.decode()
        return said.decode()

    async def turns(self, person: str) -> list[TurnRow]:
        """What a person said and was answered."""
        found: list[LoggedTurn] = [each async for each in self.store.turns_stream()]
        mine = {each.turn.conversation_id for each in found if each.turn.author_hash == person}
        return [each.turn for each in found if each.turn.conversation_id in mine]

    async def said(self, person: str, exchanges: int) -> list[TurnRow]:
        """The same, once there are so many exchanges: an answer is logged after it was shown."""
        await until(lambda: self._has(person, 2 * exchanges))
        return await self.turns(person)

    async def _has(self, person: str, turns: int) -> bool:
        return len(await self.turns(person)) >= turns


async def until(there: Callable[[], Awaitable[object]], seconds: float = PATIENCE) -> None:
    async with asyncio.timeout(seconds):
        while not await there():
            await asyncio.sleep(0.05)


def training(home: Path, *words: str) -> tuple[str, ...]:
    begun = (sys.executable, "-m", "training") if words[0] == "lora" else forked("training")
    return (*begun, *words, "--config", str(home / "config.toml"))


def environment(home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "DISCORD_TOKEN": discord_server.TOKEN,
        "SLACK_BOT_TOKEN": slack_server.BOT_TOKEN,
        "SLACK_APP_TOKEN": slack_server.APP_TOKEN,
        "PUPIL_HASH_SECRET": SECRET,
        # What libraries of training keep is looked through, too.
        "HF_HOME": str(home / "huggingface"),
        # Two threads that wait for each other take longer on little work than one.
        "OMP_NUM_THREADS": "1",
        "TERM": "xterm",
    }


def settle(home: Path, discord: DiscordServer, slack: SlackServer, words: OpenAIServer) -> None:
    """A course's folder: some authored dialogues, the golden ones, and the settings."""
    kept = ("children", "lessons", "reference", "prices.toml")
    for name in kept:
        copy = shutil.copytree if (ROOT / "data" / name).is_dir() else shutil.copyfile
        (home / "data").mkdir(exist_ok=True)
        copy(ROOT / "data" / name, home / "data" / name)
    dialogues = home / "data" / "dialogues"
    dialogues.mkdir()
    # The mind chooses freely among its reasons, and in arithmetic some of them are in the golden set.
    golden = (ROOT / "data" / "dialogues" / "test.jsonl").read_text(encoding="utf-8").splitlines()
    kept_golden = [line for line in golden if not re.match(r"2\.(NBT|OA|MD|G)", json.loads(line)["lesson"])]
    (dialogues / "test.jsonl").write_text("\n".join(kept_golden) + "\n", encoding="utf-8")
    authored = (ROOT / "data" / "dialogues" / "science.jsonl").read_text(encoding="utf-8").splitlines()
    (dialogues / "science.jsonl").write_text("\n".join(authored[:6]) + "\n", encoding="utf-8")
    (home / "config.toml").write_text(
        f"""
[student]
model = "cloud"
fallback = "cloud"
[engine]
slots = 1
# Of the few replies of so tiny a run, two of four fell the other way on the weights in eight bits.
gguf = "{embedded_gguf()}"
[classroom]
reply_seconds = 100
[discord]
api_base = "{discord.api_base}"
practice_channels = ["{ROOM}"]
[slack]
base_url = "{slack.base_url}"
practice_channels = ["{CHANNEL}"]
[models.cloud]
provider = "compatible"
model = "faithful"
base_url = "{words.base_url}"
[metrics]
enabled = false
"""
    )


@asynccontextmanager
async def school(home: Path) -> AsyncIterator[School]:
    manifest = yaml.safe_load((ROOT / "docs" / "slack-manifest.yaml").read_text(encoding="utf-8"))
    async with DiscordServer() as discord, SlackServer(manifest) as slack, Faithful() as words:
        settle(home, discord, slack, words)
        with (home / "bot.log").open("wb") as log:
            bot = await asyncio.create_subprocess_exec(
                *(*forked("bot"), "run", "--config", str(home / "config.toml")),
                cwd=ROOT,
                env=environment(home),
                stderr=log,
            )
        try:
            await discord.until(lambda: discord.identified, PATIENCE)
            await slack.until(lambda: slack.connections, PATIENCE)
            store = await Store.open(
                f"sqlite+aiosqlite:///{home / 'data' / 'pupil.db'}", backups=home / "data" / "backups"
            )
            try:
                yield School(home, discord, slack, store, bot)
            finally:
                await store.aclose()
        finally:
            with contextlib.suppress(ProcessLookupError):
                bot.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(bot.wait(), PATIENCE)
            finally:
                if bot.returncode is None:
                    bot.kill()
                    await bot.wait()


def suggested(line: str, turn: TurnRow) -> str:
    """A better line for what the child thought: one for another answer would be refused."""
    assert turn.thought is not None
    return line.format(answer=turn.thought.answer)


async def kept(here: School, turn: TurnRow) -> bool:
    """Whether a suggested line is stored: the platforms answer a form before that."""
    found = [each.feedback async for each in here.store.turns_stream() if each.turn.id == turn.id]
    return any(each.text for feedback in found for each in feedback)


async def ann_practises(here: School) -> None:
    discord = here.discord
    await discord.slash(ROOM, "privacy", choice="on")
    for number, text in enumerate(ANN_SAYS, start=1):
        await discord.say(ROOM, text)
        turns = await here.said(ANN, number)
    menus = [each["name"] for each in discord.commands if each.get("type") == MESSAGE_MENU]
    (command,) = (each for each in menus if "second grader" in each)
    form = await discord.menu(ROOM, command, str(turns[1].platform_message_id).rpartition(":")[2])
    await discord.submit(ROOM, form, [suggested(ANN_SUGGESTS, turns[1])])
    await until(lambda: kept(here, turns[1]))
    first = await discord.slash(ROOM, "rate")
    half = await discord.submit(ROOM, first, ["5"] * 5)
    second = await discord.press(ROOM, half)
    done = await discord.submit(ROOM, second, ["4"] * 4 + ["Just like a child at a marmalade stall."])
    assert "Thank you" in done.text


async def ben_practises(here: School) -> None:
    slack = here.slack
    await slack.command("privacy on", user="U0BEN")
    await until(lambda: here.store.consent(BEN))
    for number, text in enumerate(BEN_SAYS, start=1):
        await slack.say(text, user="U0BEN")
        turns = await here.said(BEN, number)
    stamp = str(turns[1].platform_message_id).rpartition(":")[2]
    post = next(each for each in slack.posts(CHANNEL) if each["ts"] == stamp)
    await slack.shortcut(slack_blocks.BETTER_LINE, post, channel=CHANNEL, user="U0BEN")
    view = await slack.until(lambda: slack.views and slack.views[-1], PATIENCE)
    await slack.submit(view, {slack_blocks.COMMENT: suggested(BEN_SUGGESTS, turns[1])}, user="U0BEN")
    await until(lambda: kept(here, turns[1]))
    await slack.command("rate " + "4 " * len(RUBRIC), user="U0BEN")
    conversation = turns[0].conversation_id
    await until(lambda: here.store.ratings(conversation))


async def review_by_keys(here: School) -> None:
    """Accept both candidates in the terminal program, and leave it."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    shown = bytearray()

    def read() -> None:
        with contextlib.suppress(OSError):
            chunk = os.read(master, 65_536)
            shown.extend(chunk)
            if b"\x1b[6n" in chunk:
                os.write(master, b"\x1b[1;1R")

    loop = asyncio.get_running_loop()
    loop.add_reader(master, read)
    program = await asyncio.create_subprocess_exec(
        *training(here.home, "review", "--reviewer", "prof"),
        cwd=ROOT,
        env=environment(here.home),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)

    async def drawn() -> bool:
        return b"1 of 2" in shown

    async def judged() -> bool:
        # A key that comes while the last one is still at work counts for nothing.
        os.write(master, b"a")
        await asyncio.sleep(0.5)
        return len(await here.store.candidates.verdicts()) == 2

    try:
        await until(drawn)
        await until(judged)
        os.write(master, b"q")
        assert await asyncio.wait_for(program.wait(), PATIENCE) == 0, shown.decode(errors="replace")
    finally:
        loop.remove_reader(master)
        if program.returncode is None:
            program.kill()
            await program.wait()
        os.close(master)


def dialogues(path: Path) -> list[Dialogue]:
    return [Dialogue.from_line(line) for line in path.read_text(encoding="utf-8").splitlines()]


def harvested(folder: Path) -> dict[str, str]:
    """The ids of harvested dialogues in the parts of a split, with their part."""
    return {
        each.id: part
        for part in ("train", "validation", "test")
        for each in dialogues(folder / f"{part}.jsonl")
        if each.source == "harvested"
    }


def holding(home: Path, traces: tuple[str, ...]) -> dict[str, list[str]]:
    """The files that hold one of the traces, as they lie on the disk."""
    found: dict[str, list[str]] = {}
    for path in sorted(home.rglob("*")):
        if path.is_file() and path.suffix not in {".gguf", ".safetensors"}:
            content = path.read_bytes()
            if here := [trace for trace in traces if trace.encode() in content]:
                found[str(path.relative_to(home))] = here
    return found


async def answered_by(here: School, name: str, version: str) -> TurnRow:
    """Switch to the model, and ask until its words stand: what no child would say is left to the model that stands in."""

    async def switched() -> bool:
        return "now uses" in (await here.discord.slash(ROOM, "model", name=name)).text

    await until(switched)
    for number, text in enumerate(ANN_ASKS, start=len(ANN_SAYS) + 1):
        await here.discord.say(ROOM, text)
        answer = (await here.said(ANN, number))[-1]
        if answer.model == name:
            break
    assert (answer.role, answer.model, answer.model_version) == (Role.STUDENT, name, version)
    assert answer.voiced in {"model", "retry"}
    return answer


@pytest.mark.timeout(1200)
async def test_from_practice_to_the_new_version_and_a_farewell(tmp_path: Path) -> None:
    split = tmp_path / "data" / "runs" / "split"
    async with school(tmp_path) as here:
        await ann_practises(here)
        await ben_practises(here)

        # From the log to training data.
        said = await here.train("harvest", "--settled", "0")
        assert "2 candidate dialogues (2 new, 0 changed)" in said, said
        assert "2 suggested lines took the place" in said
        await review_by_keys(here)
        assert "2 dialogues, 2 pairs" in await here.train("review", "--publish")
        await here.train("data", "split", "--out", str(split))
        sides = harvested(split)
        assert sorted(sides.values()) == ["train", "validation"], "each teacher is on one side"

        # From training data to the bot's answer. Each turn that is validated on costs seconds: the practice's will do.
        practised = tmp_path / "practised.jsonl"
        kept = (each for each in dialogues(split / "validation.jsonl") if each.id in sides)
        practised.write_text("".join(f"{each.to_line()}\n" for each in kept), encoding="utf-8")
        said = await here.train(
            *("lora", "--epochs", "0.5", "--batch", "2", "--name", "lora"),
            *("--train", str(split / "train.jsonl"), "--validation", str(practised)),
        )
        practised.unlink()
        (folder,) = (path.parent for path in (tmp_path / "data" / "models" / "lora").glob("*/manifest.json"))
        assert re.search(rf"published \S*{folder.name}, live", said), said
        lineage = json.loads((folder / "manifest.json").read_text())["data"]["lineage"]
        assert json.loads((folder / "manifest.json").read_text())["data"]["generation"] == 1
        logged = {each.turn.id: each.turn async for each in here.store.turns_stream()}
        for dialogue in (*dialogues(split / "train.jsonl"), *dialogues(split / "validation.jsonl")):
            if dialogue.source == "harvested":
                turns = [logged[each] for each in lineage[dialogue.id]]
                asked = [turn.content for turn in dialogue.turns if turn.role is Role.TEACHER]
                assert [turn.content for turn in turns if turn.role is Role.TEACHER] == asked
        assert set(lineage) == set(sides)

        answer = await answered_by(here, "lora", folder.name)

        # A farewell.
        await here.store.back_up(keep=3)
        assert {"marmalade", ANN} <= {
            each for found in holding(tmp_path, ANNS_TRACES).values() for each in found
        }
        (hers,) = {each["key"] for each in (await here.store.export(ANN))["candidates"]}
        told = await here.discord.slash(ROOM, "privacy", choice="forget")
        assert "Forgotten" in told.text
        assert f"lora {folder.name}" in told.text
        assert await here.store.turns(answer.conversation_id, 99) == []
        backup = max((tmp_path / "data" / "backups").glob("pupil-*.db"))  # the first start makes one, too
        copy = await Store.open(f"sqlite+aiosqlite:///{backup}")
        left = [each.turn.content async for each in copy.turns_stream()]
        await copy.aclose()
        assert [each for each in left if each in BEN_SAYS] == list(BEN_SAYS)
        assert hers not in harvested(split)

        # Nothing of her comes back with what is done next.
        await here.train("harvest", "--settled", "0")
        await here.train("review", "--publish")
        await here.train("data", "split", "--out", str(split))
        assert set(harvested(split)) == set(sides) - {hers}
        assert holding(tmp_path, ANNS_TRACES) == {}
        assert "tuba" in "".join(path.read_text() for path in split.glob("*.jsonl"))
    assert here.bot.returncode == 0, (tmp_path / "bot.log").read_text()
    assert holding(tmp_path, ANNS_TRACES) == {}
