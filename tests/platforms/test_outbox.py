"""What is said and cannot be sent at once, and what came while nobody listened: on both platforms, as it happens there."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot import app
from bot.classroom import Classroom
from bot.health import Health
from bot.opinions import RUBRIC
from bot.platforms.base import PlatformError
from bot.platforms.discord import DISCORD
from bot.platforms.discord import platform as discord_platform
from bot.platforms.slack import SLACK, blocks
from bot.store import Store
from bot.store.rows import ClaimedMessage
from tests.fakes.discord_server import BOT, BOT_ROLE, ELSEWHERE, OTHER_BOT, DiscordServer, Json
from tests.fakes.discord_server import DIRECT as DISCORD_DIRECT
from tests.fakes.discord_server import PRACTICE as ROOM
from tests.fakes.slack_server import SlackServer, Trouble
from tests.platforms import test_discord as discord
from tests.platforms import test_slack as slack

QUESTION = "What is 52 minus 17?"
FORBIDDEN = {"code": 50013, "message": "Missing Permissions"}


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long an answer waited for the platform, which takes no time here."""
    waited: list[float] = []
    sleep = asyncio.sleep

    async def pause(seconds: float) -> None:
        waited.append(seconds)
        await sleep(0)

    class Quick:
        sleep = staticmethod(pause)
        timeout = staticmethod(asyncio.timeout)

    monkeypatch.setattr("bot.delivery.asyncio", Quick)
    monkeypatch.setattr(discord_platform, "GUILDS_WITHIN_SECONDS", 0.05)
    return waited


async def test_discords_forty_seconds_are_waited_for(tmp_path: Path, pauses: list[float]) -> None:
    async with DiscordServer() as server, discord.running(server, tmp_path) as bot:
        server.limit("POST", "/webhooks/", 40.0)
        await server.say(ROOM, QUESTION)
        await bot.kept(ROOM, 2)
    assert pauses == [40.0]
    assert len(server.sent(ROOM)) == 1


async def test_slacks_forty_seconds_are_waited_for(tmp_path: Path, pauses: list[float]) -> None:
    async with (
        SlackServer(slack.MANIFEST) as server,
        slack.running(server, slack.settings(server, tmp_path)) as bot,
    ):
        server.trouble("chat.postMessage", Trouble(429, "ratelimited", {"Retry-After": "40"}))
        await server.say(QUESTION)
        await bot.turns(slack.PRACTICE, 2)
    assert pauses == [40.0]
    assert len(server.posts()) == 1


async def test_a_name_that_discord_refuses_costs_the_name_alone(tmp_path: Path, pauses: list[float]) -> None:
    async with DiscordServer() as server, discord.running(server, tmp_path) as bot:
        server.fail("POST", "/webhooks/", 400, {"code": 50035, "message": 'Username cannot contain "clyde"'})
        await server.say(ROOM, QUESTION)
        await bot.kept(ROOM, 2)
    assert server.sent(ROOM)[0]["content"].startswith("**Mia:** ")


async def test_who_may_not_be_answered_on_discord_is_told_alone(tmp_path: Path, pauses: list[float]) -> None:
    async with DiscordServer() as server, discord.running(server, tmp_path) as bot:
        server.manage_webhooks = False
        server.fail("POST", f"/channels/{ROOM}/messages", 403, FORBIDDEN)
        server.fail("POST", "/webhooks/", 403, FORBIDDEN)
        await server.say(ROOM, QUESTION)
        (told,) = await server.answers(DISCORD_DIRECT, 1)
        await bot.none_waits()
    assert "Mia has an answer for you" in told
    assert not server.sent(ROOM)


async def test_who_may_not_be_answered_on_slack_is_told_alone(tmp_path: Path, pauses: list[float]) -> None:
    async with SlackServer(slack.MANIFEST) as server, slack.running(server, slack.settings(server, tmp_path)):
        server.trouble("chat.postMessage", Trouble(error="not_in_channel"))
        await server.say(QUESTION)
        await server.until(lambda: server.ephemeral)
    assert "Mia has an answer for you" in server.ephemeral[0]["text"]
    assert server.ephemeral[0]["user"] == "U0ANN"


async def test_a_long_outage_ends_with_the_answer_once(tmp_path: Path, pauses: list[float]) -> None:
    async with (
        SlackServer(slack.MANIFEST) as server,
        slack.running(server, slack.settings(server, tmp_path)) as bot,
    ):
        away = [Trouble(error="fatal_error"), Trouble(503), Trouble(drop=True), Trouble(500)]
        server.trouble("chat.postMessage", *away)
        await server.say(QUESTION)
        await bot.turns(slack.PRACTICE, 2)
    assert pauses == [0.5, 1.0, 2.0, 4.0]
    assert len(server.posts()) == 1


async def test_all_that_was_missed_on_discord_is_answered(tmp_path: Path, pauses: list[float]) -> None:
    async with DiscordServer() as server:
        for number in range(26):
            await server.say(ROOM, f"What is {20 + number} plus 3?")
        # One that cannot be read costs only itself.
        server.messages[ROOM][3] = {"id": server.messages[ROOM][3]["id"], "content": "broken"}
        async with discord.running(server, tmp_path) as bot:
            await server.say(ROOM, "And now?")
            assert len(await bot.asked(ROOM, 26)) == 26
    assert not any("One moment" in each["content"] for each in server.sent(ROOM))


async def test_what_was_missed_on_discord_is_read_page_by_page(
    tmp_path: Path, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What bots said takes no place from what people said."""
    monkeypatch.setattr("bot.platforms.discord.missed.PAGE", 3)
    asked = [f"What is {20 + number} plus 3?" for number in range(7)]
    async with DiscordServer() as server:
        for each in asked:
            await server.say(ROOM, each)
            await server.say(ROOM, "Beep.", author=OTHER_BOT)
        async with discord.running(server, tmp_path) as bot:
            assert await bot.asked(ROOM, len(asked)) == asked


async def test_after_a_restart_nobody_is_told_that_the_queue_is_full(
    tmp_path: Path, pauses: list[float]
) -> None:
    """25 answered messages are heard again, and are no reason for a notice."""
    async with SlackServer(slack.MANIFEST) as server:
        for number in range(25):
            server.put(f"What is {20 + number} plus 3?")
        chosen = slack.settings(server, tmp_path)
        for _ in range(2):
            async with slack.running(server, chosen) as bot:
                await bot.turns(slack.PRACTICE, 50)
        assert len(server.posts()) == 25


async def test_what_a_crash_left_behind_on_slack_is_not_lost_to_what_is_heard_again(
    tmp_path: Path, pauses: list[float]
) -> None:
    """Claimed messages without an answer, in a channel whose history is read at the start."""
    async with SlackServer(slack.MANIFEST) as server:
        chosen = slack.settings(server, tmp_path)
        store = await Store.open(chosen.database_url)
        asked = [f"What is {20 + number} plus 3?" for number in range(6)]
        for each in asked:
            when = server.put(each)["ts"]
            key = f"slack:{slack.PRACTICE}:{when}"
            left = ClaimedMessage(key, "slack", slack.PRACTICE, None, "someone", each, key, datetime.now(UTC))
            assert await store.claim(left)
        await store.aclose()
        async with slack.running(server, chosen) as bot:
            turns = await bot.turns(slack.PRACTICE, 2 * len(asked))
        assert [each.content for each in turns[::2]] == asked
        assert len(server.posts()) == len(asked)


async def test_a_direct_message_that_comes_while_it_stops_is_answered_by_the_next(
    tmp_path: Path, pauses: list[float]
) -> None:
    async with DiscordServer() as server:
        async with discord.running(server, tmp_path) as bot:
            await bot.classroom.aclose()
            await server.say(DISCORD_DIRECT, QUESTION)
            async with asyncio.timeout(8):
                while not await bot.store.unanswered():
                    await asyncio.sleep(0.01)
        async with discord.running(server, tmp_path) as bot:
            await bot.kept(DISCORD_DIRECT, 2)


async def test_a_second_session_hides_no_message(
    tmp_path: Path, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Discord begins anew before the first beginning was over: who waited for that one is heard all the same."""
    take_up, begun, go_on = Classroom.take_up, list[Classroom](), asyncio.Event()

    async def slow(self: Classroom, *given: Any) -> Any:
        begun.append(self)
        await go_on.wait()
        return await take_up(self, *given)

    monkeypatch.setattr(Classroom, "take_up", slow)
    async with DiscordServer() as server, discord.running(server, tmp_path) as bot:
        async with asyncio.timeout(60):
            while not begun:
                await asyncio.sleep(0.01)
            await server.say(DISCORD_DIRECT, QUESTION)
            await server.invalidate()
            while len(begun) < 2:
                await asyncio.sleep(0.01)
        go_on.set()
        await server.say(DISCORD_DIRECT, "And now?")
        assert await bot.asked(DISCORD_DIRECT, 2) == [QUESTION, "And now?"]


async def test_a_gateway_that_closes_at_once_is_asked_again(
    tmp_path: Path, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with DiscordServer() as server:
        server.refused_connections = 1
        async with discord.running(server, tmp_path) as bot:
            await server.say(ROOM, QUESTION)
            await bot.kept(ROOM, 2)


async def test_a_thread_that_was_archived_meanwhile_is_remembered(
    tmp_path: Path, pauses: list[float]
) -> None:
    async with DiscordServer() as server:
        async with discord.running(server, tmp_path) as bot:
            thread = await server.open_thread(ELSEWHERE)
            await server.say(thread, f"<@{BOT}> {QUESTION}")
            await bot.kept(ELSEWHERE, 2, thread)
        parent = server.threads.pop(thread)
        server.joined.clear()
        async with discord.running(server, tmp_path) as bot:
            server.threads[thread] = parent
            await server.dispatch("THREAD_CREATE", server._thread(thread))
            await server.say(thread, "And now?")
            await bot.kept(ELSEWHERE, 4, thread)


async def test_an_old_slack_thread_is_looked_through_after_a_restart(
    tmp_path: Path, pauses: list[float]
) -> None:
    async with SlackServer(slack.MANIFEST) as server:
        chosen = slack.settings(server, tmp_path)
        root = f"{time.time() - 3600:.6f}"
        server.put("Long ago", ts=root)
        async with slack.running(server, chosen) as bot:
            await server.say(QUESTION, thread_ts=root)
            await bot.turns(slack.PRACTICE, 2, root)
        server.put("Missed: and now?", thread_ts=root)
        async with slack.running(server, chosen) as bot:
            await bot.turns(slack.PRACTICE, 4, root)


@pytest.mark.parametrize(
    "unread",
    [
        {"attachments": [{"id": "1", "filename": "voice.ogg", "size": 9, "url": "u", "proxy_url": "p"}]},
        {"sticker_items": [{"id": "1", "name": "hi", "format_type": 1}]},
    ],
)
async def test_what_a_child_cannot_read_is_told_kindly(
    tmp_path: Path, pauses: list[float], unread: Json
) -> None:
    async with DiscordServer() as server, discord.running(server, tmp_path):
        await server.say(DISCORD_DIRECT, "", **unread)
        assert "only read text" in (await server.answers(DISCORD_DIRECT, 1))[0]


async def test_a_bare_mention_of_its_role_gets_a_hint(tmp_path: Path, pauses: list[float]) -> None:
    async with DiscordServer() as server, discord.running(server, tmp_path):
        await server.say(ELSEWHERE, f"<@&{BOT_ROLE}>")
        assert "after the mention" in (await server.answers(ELSEWHERE, 1))[0]


async def test_slacks_me_is_a_message(tmp_path: Path, pauses: list[float]) -> None:
    async with (
        SlackServer(slack.MANIFEST) as server,
        slack.running(server, slack.settings(server, tmp_path)) as bot,
    ):
        await server.say("shows you a card: what is 52 minus 17?", subtype="me_message")
        await bot.turns(slack.PRACTICE, 2)


@pytest.mark.parametrize("form", [blocks.RATE, blocks.BETTER_LINE])
async def test_a_form_that_cannot_be_kept_is_told(
    tmp_path: Path, pauses: list[float], monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    async with (
        SlackServer(slack.MANIFEST) as server,
        slack.running(server, slack.settings(server, tmp_path)) as bot,
    ):
        await server.say(QUESTION)
        await bot.turns(slack.PRACTICE, 2)
        await server.shortcut(form, server.posts()[0], channel=slack.PRACTICE)
        view = await server.until(lambda: server.views and server.views[0])

        async def locked(*_: object, **__: object) -> None:
            raise RuntimeError("locked")

        for name in ("add_rating", "add_feedback"):
            monkeypatch.setattr(bot.store, name, locked)
        with capture_logs():  # to paint a trace takes long
            await server.submit(view, {**dict.fromkeys(RUBRIC, 3), blocks.COMMENT: "um, 45?"})
            await server.until(lambda: server.ephemeral)
    assert "could not be kept; please" in server.ephemeral[0]["text"]


async def test_a_platform_that_fails_takes_no_other_one_along() -> None:
    async def refused() -> None:
        raise PlatformError("a wrong token")

    async def serves() -> None:
        await asyncio.Event().wait()

    stop = asyncio.create_task(asyncio.Event().wait())
    both = {asyncio.create_task(refused()): SLACK, asyncio.create_task(serves()): DISCORD}
    health = Health()
    serving = asyncio.create_task(app.serve_all(both, stop, health))
    done, _ = await asyncio.wait([serving], timeout=0.1)
    assert not done
    assert health.troubles == {"slack": "not served any more: a wrong token"}
    next(task for task, spec in both.items() if spec is DISCORD).cancel()
    await serving
    stop.cancel()
