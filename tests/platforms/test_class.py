"""A class of three on both platforms' local servers: thirty turns of a teacher, every answer in order under its name."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from bot.messages import Place
from bot.platforms.discord import platform as discord_platform
from bot.store import Store
from bot.store.rows import TurnRow
from bot.student.believing.minds import Minds
from bot.student.records.dialogue import Role
from tests.fakes.discord_server import PRACTICE, DiscordServer
from tests.fakes.slack_server import SlackServer
from tests.platforms import test_discord as discord
from tests.platforms import test_slack as slack

SEATS = ("mia", "owen", "yusuf")
NAMES = {"mia": "Mia", "owen": "Owen", "yusuf": "Yusuf"}
SAID = tuple(
    line.format(40 + number, 12 + number)
    for number in range(6)
    for line in (
        "What is {} minus {}?",
        "How did you get that?",
        "Owen and Yusuf, do you agree?",
        "Who can tell me what {} plus {} is?",
        "Mia, what do you think about it?",
    )
)


def agree(shown: Sequence[tuple[str, str]], logged: Sequence[TurnRow], mind: str | None) -> None:
    """What the platform showed is what was logged, in order, under the right name; each mind is its own."""
    said = [each for each in logged if each.role is Role.STUDENT]
    assert [(NAMES[each.child or ""], each.content) for each in said] == list(shown)
    assert [each.content for each in logged if each.role is Role.TEACHER] == list(SAID)
    answers = Counter[int]()
    place = -1
    for each in logged:
        place += each.role is Role.TEACHER
        answers[place] += each.role is Role.STUDENT
    assert set(answers.values()) == {1, 2}
    shares = Counter(name for name, _ in shown)
    told = ", ".join(f"{name} {count / len(said):.0%} of {len(said)}" for name, count in shares.items())
    assert set(shares) == set(NAMES.values()), told
    kept = Minds.from_json(mind or "", SEATS)
    assert [state.turns for state in kept.states] == [shares[NAMES[child]] for child in SEATS], told
    ids = [each.platform_message_id for each in said]
    assert None not in ids
    assert len(set(ids)) == len(ids)


async def seat(store: Store, place: Place) -> None:
    conversation = await store.conversation(place.platform, place.channel, place.thread)
    await store.update_conversation(conversation.id, child=" ".join(SEATS))


async def test_on_discord(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discord_platform, "GUILDS_WITHIN_SECONDS", 0.05)
    limits = "[limits]\nper_user_minute = 1000\nper_channel_minute = 1000\n"
    async with DiscordServer() as server, discord.running(server, tmp_path, limits) as bot:
        await seat(bot.store, Place("discord", PRACTICE, None))
        for number, line in enumerate(SAID, start=1):
            await server.say(PRACTICE, line)
            await answered(bot.store, "discord", PRACTICE, number)
        here = await bot.store.conversation("discord", PRACTICE, None)
        logged = await bot.store.turns(here.id, 500)
        shown = [
            (str(each["author"]["username"]), str(each["content"]).removesuffix(discord.SUBTITLE))
            for each in server.sent(PRACTICE)
        ]
        agree(shown, logged, here.mind)


async def test_on_slack(tmp_path: Path) -> None:
    limits = "[limits]\nper_user_minute = 1000\nper_channel_minute = 1000\n"
    async with SlackServer(slack.MANIFEST) as server:
        chosen = slack.settings(server, tmp_path, limits)
        async with slack.running(server, chosen) as bot:
            await seat(bot.store, Place("slack", slack.PRACTICE, None))
            for number, line in enumerate(SAID, start=1):
                await server.say(line)
                await answered(bot.store, "slack", slack.PRACTICE, number)
            here = await bot.store.conversation("slack", slack.PRACTICE, None)
            logged = await bot.store.turns(here.id, 500)
            shown = [(str(each["username"]), str(each["text"])) for each in server.posts()]
            agree(shown, logged, here.mind)


async def answered(store: Store, platform: str, channel: str, count: int) -> None:
    """Wait until so many turns of the teacher are logged, and nothing waits for an answer."""
    async with asyncio.timeout(8):
        while True:
            here = await store.conversation(platform, channel, None)
            logged = await store.turns(here.id, 500)
            if sum(each.role is Role.TEACHER for each in logged) >= count and not await store.unanswered():
                return
            await asyncio.sleep(0.01)
