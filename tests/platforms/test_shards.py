"""Discord's shards in several processes' worth of bots: each hears its part, and one that is moved loses nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from bot import config, left_behind
from bot.classroom import Classroom
from bot.platforms.discord import platform as discord_platform
from bot.platforms.discord.shards import Shard, shards
from bot.store import Store, programs
from tests.fakes.discord_server import DIRECT, PRACTICE, STRANGER, TEACHER, DiscordServer, shard_of
from tests.platforms.test_discord import Bot, running

QUESTION = "What is 52 minus 17?"


@pytest_asyncio.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DiscordServer]:
    monkeypatch.setattr(discord_platform, "GUILDS_WITHIN_SECONDS", 0.05)
    monkeypatch.setattr(left_behind, "BEAT_SECONDS", 0.05)
    async with DiscordServer() as opened:
        yield opened


@pytest.mark.parametrize(
    ("text", "ids", "count"),
    [("0/1", [0], 1), ("0,1/4", [0, 1], 4), ("2-3, 0/8", [0, 2, 3], 8), ("0-3/4", [0, 1, 2, 3], 4)],
)
def test_which_shards_a_process_serves(text: str, ids: list[int], count: int) -> None:
    assert shards(text) == tuple(Shard(each, count) for each in ids)


@pytest.mark.parametrize("text", ["1", "4/4", "0-4/4", "0/0", "a/2", "0/2000", "3-1/4", "-1/4"])
def test_what_is_no_shard_is_told(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(f'[discord]\nshards = "{text}"\n')
    with pytest.raises(config.ConfigError, match=r"discord.shards: expected this process's shards"):
        config.load(file, environment_file=None)


def test_the_environment_says_it_for_one_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[discord]\npace = true\nshards = "0/4"\n')
    monkeypatch.setenv("PUPIL_DISCORD_SHARDS", "3/4")
    loaded = config.load(file, environment_file=None)
    assert (loaded.discord.shards, loaded.discord.pace) == ("3/4", True)  # type: ignore[attr-defined]
    monkeypatch.setenv("PUPIL_DISCORD_SHARDS", "4/4")
    with pytest.raises(config.ConfigError, match=r"discord\.shards"):
        config.load(file, environment_file=None)


@pytest.fixture
def paces(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float]]:
    """What the bots waited their turn for, which takes no time here."""
    asked: list[tuple[str, float]] = []

    async def spaced(_: Classroom, what: str, seconds: float) -> None:
        asked.append((what, seconds))

    monkeypatch.setattr(Classroom, "spaced", spaced)
    return asked


async def test_each_bot_hears_its_shards(
    server: DiscordServer, tmp_path: Path, paces: list[tuple[str, float]]
) -> None:
    """Three shards in two bots: all are served, and the pause that Discord asks for is one of both."""
    home = shard_of("700000000000000001", 3)
    rooms = {shard: PRACTICE if shard == home else server.add_guild(shard, 3) for shard in range(3)}
    async with AsyncExitStack() as stack:
        for part in ('shards = "0,1/3"\n', 'shards = "2/3"\n'):
            await stack.enter_async_context(running(server, tmp_path, part, practice=tuple(rooms.values())))
        await server.ready(3)
        assert sorted(each["shard"][0] for each in server.identified) == [0, 1, 2]
        for room in (*rooms.values(), DIRECT):
            await server.say(room, QUESTION)
        for room in (*rooms.values(), DIRECT):
            await server.answers(room, 1)
        declared = [each for each in server.requests if each.method == "PUT" and "commands" in each.path]
    assert len(declared) == 1, "by shard 0 alone"
    assert [len(server.sent(each)) for each in (*rooms.values(), DIRECT)] == [1, 1, 1, 1]
    assert paces == [("discord session 0", 5.0)] * 3


async def test_shards_with_different_remainders_begin_at_once(
    server: DiscordServer, tmp_path: Path, paces: list[tuple[str, float]]
) -> None:
    server.max_concurrency = 2
    async with running(server, tmp_path, 'shards = "0-3/4"\n'):
        await server.ready(4)
    assert sorted(paces) == [(f"discord session {each}", 5.0) for each in (0, 0, 1, 1)]


async def test_the_pause_is_one_of_all_programs(tmp_path: Path) -> None:
    """Each is told another moment, whoever asks."""
    async with AsyncExitStack() as stack:
        stores = [await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'pupil.db'}") for _ in range(2)]
        for each in stores:
            stack.push_async_callback(each.aclose)
        waits = sorted([await stores[number % 2].runs.spaced("it", 100.0) for number in range(4)])
        assert [round(each, -2) for each in waits] == [0, 100, 200, 300]
        assert await stores[0].runs.spaced("another", 100.0) == 0.0


async def test_a_shard_that_is_moved_while_people_talk_loses_nothing(
    server: DiscordServer, tmp_path: Path, paces: list[tuple[str, float]]
) -> None:
    """The new one is there before the old one goes: meanwhile both hear everything."""
    room = server.add_guild(1, 2)
    said: list[str] = []

    async def talk() -> None:
        for number in range(30):
            said.append(f"What is {20 + number} plus 3?")
            await server.say(room, said[-1], author=(TEACHER, STRANGER)[number % 2])
            await asyncio.sleep(0.05)

    async with AsyncExitStack() as after:
        async with running(
            server, tmp_path, 'shards = "1/2"\n[limits]\nper_user_minute = 99\n', practice=(room,)
        ):
            talking = asyncio.create_task(talk())
            await server.answers(room, 2)
            new = await after.enter_async_context(
                running(
                    server, tmp_path, 'shards = "1/2"\n[limits]\nper_user_minute = 99\n', practice=(room,)
                )
            )
            await server.ready(2)
        await talking
        turns = await new.kept(room, 60)
    assert [each.content for each in turns[::2]] == said
    assert [each.platform_message_id for each in turns[1::2]] == [
        f"discord:{room}:{each['id']}" for each in server.sent(room)
    ]


async def test_a_shard_that_is_gone_for_a_while_hears_what_was_said_meanwhile(
    server: DiscordServer, tmp_path: Path, paces: list[tuple[str, float]]
) -> None:
    room, part = server.add_guild(1, 2), 'shards = "1/2"\n'
    async with running(server, tmp_path, part, practice=(room,)):
        await server.say(room, QUESTION)
        await server.answers(room, 1)
    await server.say(room, "How did you get that?")
    async with running(server, tmp_path, 'shards = "0/2"\n', practice=(room,)) as other:
        await server.say(DIRECT, QUESTION)
        await server.answers(DIRECT, 1)
        assert len(server.sent(room)) == 1, "another shard's channel is no direct message"
        await other.none_waits()
    async with running(server, tmp_path, part, practice=(room,)) as bot:
        assert await bot.asked(room, 2) == [QUESTION, "How did you get that?"]


async def test_one_that_was_held_up_for_longer_than_its_lease_sends_nothing_twice(
    server: DiscordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frozen before it sends: meanwhile another one took it for dead, and answered."""
    monkeypatch.setattr(programs, "LEASE", timedelta(seconds=0.4))
    monkeypatch.setattr(programs, "_is_gone", lambda _: False)
    frozen = asyncio.Event()

    async def first(bot: Bot) -> None:
        renew, thaw = bot.store.outbox.take_over, asyncio.Event()

        async def asleep(*platforms: str) -> list[object]:
            frozen.set()
            await thaw.wait()
            return await renew(*platforms)  # type: ignore[return-value]

        monkeypatch.setattr(bot.store.outbox, "take_over", asleep)
        speak = bot.store.outbox.speak

        async def slow(key: str, spoken: object) -> bool:
            done = await speak(key, spoken)  # type: ignore[arg-type]
            async with asyncio.timeout(8):
                while not server.sent(PRACTICE):
                    await asyncio.sleep(0.02)
            return done

        monkeypatch.setattr(bot.store.outbox, "speak", slow)
        await frozen.wait()
        await server.say(PRACTICE, QUESTION)

    async with running(server, tmp_path) as old:
        await first(old)
        async with running(server, tmp_path) as new:
            await new.kept(PRACTICE, 2)
            await asyncio.sleep(0.3)
    assert len(server.sent(PRACTICE)) == 1
