"""Slack before several replicas on one database: over HTTP behind a balancer, and over several sockets."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from bot import config, left_behind
from bot.models.base import Reply
from bot.student.records.cue import Cue
from tests.databases import DATABASES, empty
from tests.fakes.models import InstantModel
from tests.fakes.slack_server import SlackServer
from tests.platforms.test_slack import GENERAL, MANIFEST, MENTION, PRACTICE, Bot, running, settings

QUESTION = "What is 52 minus 17?"


@pytest_asyncio.fixture
async def slack(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SlackServer]:
    monkeypatch.setattr(left_behind, "BEAT_SECONDS", 0.05)
    async with SlackServer(MANIFEST, ack_seconds=1.0, repeats=100) as server:
        yield server


def unhurried(monkeypatch: pytest.MonkeyPatch, chance: random.Random) -> None:
    """Answers take now longer, now shorter: whoever keeps no order shows it."""
    reply = InstantModel.reply

    async def slowly(self: InstantModel, cue: Cue, *, seed: int | None) -> Reply:
        await asyncio.sleep(chance.uniform(0.0, 0.15))
        return await reply(self, cue, seed=seed)

    monkeypatch.setattr(InstantModel, "reply", slowly)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        port: int = opened.getsockname()[1]
        return port


def on(url: str, slack: SlackServer, folder: Path, **section: Any) -> config.Settings:
    """Settings of one replica on that database."""
    chosen = settings(slack, folder, "[limits]\nper_user_minute = 999\nper_channel_minute = 999\n", **section)
    return chosen.model_copy(update={"pupil_database_url": SecretStr(url)})


async def over_http(
    slack: SlackServer, stack: AsyncExitStack, url: str, folder: Path, count: int
) -> list[Bot]:
    """So many replicas behind the balancer."""
    ports = [free_port() for _ in range(count)]
    bots = [
        await stack.enter_async_context(running(slack, on(url, slack, folder, mode="http", port=port)))
        for port in ports
    ]
    slack.http_url, *slack.replicas = [f"http://127.0.0.1:{port}/slack/events" for port in ports]
    return bots


async def asked(bot: Bot, channel: str, count: int) -> list[str]:
    """What was said there, once so much is answered."""
    async with asyncio.timeout(60):
        while (await bot.store.conversation("slack", channel, None)).turns < 2 * count:
            await asyncio.sleep(0.02)
    return [each.content for each in (await bot.turns(channel, 2 * count))[::2]]


@pytest.mark.parametrize("kind", DATABASES)
async def test_what_is_told_again_to_another_replica_is_answered_once_and_all_in_order(
    slack: SlackServer, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each message goes to another replica than the one before, and then once more to that one."""
    chance = random.Random(3)
    unhurried(monkeypatch, chance)
    said = [f"What is {20 + number} plus 3?" for number in range(12)]
    async with AsyncExitStack() as stack:
        one, _ = await over_http(slack, stack, await empty(kind, tmp_path), tmp_path, 2)
        again = []
        for text in said:
            event = slack.put(text)
            await slack.tell(event)
            again.append(asyncio.create_task(slack.tell(event)))
            await asyncio.sleep(chance.choice((0.0, 0.05)))
        await asyncio.gather(*again)
        assert await asked(one, PRACTICE, len(said)) == said
        turns = await one.turns(PRACTICE, 2 * len(said))
        assert await one.store.unanswered() == []
    posted = [f"slack:{PRACTICE}:{each['ts']}" for each in slack.posts()]
    assert [each.platform_message_id for each in turns[1::2]] == posted


async def test_a_thread_that_one_replica_was_called_into_is_known_to_the_other(
    slack: SlackServer, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        url = await empty("sqlite", tmp_path)
        await over_http(slack, stack, url, tmp_path, 2)
        first, second = str(slack.http_url), slack.replicas[0]
        slack.http_url, slack.replicas = second, []
        root = await slack.say("Among grown-ups.", channel=GENERAL)
        await slack.say("Still among grown-ups.", channel=GENERAL, thread_ts=root)
        assert not slack.posts(GENERAL)
        slack.http_url = first
        await slack.say(f"{MENTION} {QUESTION}", channel=GENERAL, thread_ts=root)
        await slack.until(lambda: len(slack.posts(GENERAL)) == 1)
        slack.http_url = second
        await slack.say("How did you get that?", channel=GENERAL, thread_ts=root)
        await slack.until(lambda: len(slack.posts(GENERAL)) == 2)


async def test_a_replica_that_stops_leaves_its_conversations_to_the_other(
    slack: SlackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is stopped with messages in its queue; the other one goes on with them, before those that came later."""
    hold, reply = asyncio.Event(), InstantModel.reply
    held = 0

    async def stuck(self: InstantModel, cue: Cue, *, seed: int | None) -> Reply:
        nonlocal held
        if not hold.is_set() and not held:
            held += 1
            await asyncio.Event().wait()
        return await reply(self, cue, seed=seed)

    monkeypatch.setattr(InstantModel, "reply", stuck)
    url, port = await empty("sqlite", tmp_path), free_port()
    said = [QUESTION, "How did you get that?", "What is 61 minus 28?"]
    async with AsyncExitStack() as stack:
        (other,) = await over_http(slack, stack, url, tmp_path, 1)
        kept = str(slack.http_url)
        chosen = on(url, slack, tmp_path, mode="http", port=port)
        quick = chosen.classroom.model_copy(update={"shutdown_seconds": 0.3})
        async with running(slack, chosen.model_copy(update={"classroom": quick})):
            slack.http_url = f"http://127.0.0.1:{port}/slack/events"
            await slack.say(said[0])
            await slack.until(lambda: held)
            await slack.say(said[1])
            slack.http_url = kept
            await slack.say(said[2])
            await asyncio.sleep(0.2)
            assert not slack.posts(), "the first is in hand elsewhere"
        hold.set()
        assert await asked(other, PRACTICE, 3) == said


async def test_several_sockets_share_what_is_said(
    slack: SlackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unhurried(monkeypatch, random.Random(5))
    slack.spread = True
    said = [f"What is {20 + number} plus 3?" for number in range(8)]
    async with AsyncExitStack() as stack:
        url = await empty("sqlite", tmp_path)
        one = await stack.enter_async_context(running(slack, on(url, slack, tmp_path)))
        await stack.enter_async_context(running(slack, on(url, slack, tmp_path)))
        assert slack.connections == 2
        for text in said:
            envelope = slack.put(text)
            await slack.tell(envelope)
            await slack.until(lambda: slack.envelopes[-1].acked is not None)
        assert await asked(one, PRACTICE, len(said)) == said
    assert len(slack.posts()) == len(said)
