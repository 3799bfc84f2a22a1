"""Slack, with the real library over real sockets against a local server, the real classroom and store."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
import pytest_asyncio
import yaml
from pydantic import SecretStr
from structlog.testing import capture_logs

from bot import config
from bot.choices import PICKS
from bot.classroom import Classroom
from bot.commands import Commands
from bot.messages import Shown
from bot.metrics import Metrics
from bot.models.registry import Models
from bot.opinions import RUBRIC
from bot.platforms.base import PlatformError
from bot.platforms.manners import COMMANDS, DENIED, LABEL, PAID
from bot.platforms.slack import blocks
from bot.platforms.slack import connection as slack_connection
from bot.platforms.slack import desk as slack_desk
from bot.platforms.slack import platform as slack_platform
from bot.platforms.slack.platform import SCOPES, SlackPlatform
from bot.store import Store, hash_user
from bot.store.rows import ClaimedMessage, FeedbackKind, FeedbackRow, TurnRow
from bot.subcommands import SUBCOMMANDS
from tests.fakes.forking import command as forked
from tests.fakes.models import InstantModels
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.slack_server import (
    APP_TOKEN,
    BOT,
    BOT_TOKEN,
    BOT_USER,
    EVENT_SCOPES,
    SECRET,
    Call,
    SlackServer,
    Trouble,
    wrong_blocks,
)
from tests.fakes.students import shipped

ROOT = Path(__file__).parents[2]
HASH_SECRET = b"a secret for tests"
MANIFEST: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "slack-manifest.yaml").read_text(encoding="utf-8"))
QUESTION = "What is 52 minus 17?"
PRACTICE, GENERAL, DIRECT = "C0PRACTICE", "C0GENERAL", "D0ANN"
MENTION = f"<@{BOT_USER}>"
SOCKET = {"apps.connections.open"}
UPLOADS = {"files.getUploadURLExternal", "files.completeUploadExternal"}
NEWER_METHODS = SOCKET | UPLOADS
"""Not in the archived description of the Web API: what opens the socket, and what uploads a file."""
NEWER_ARGUMENTS = {
    "chat.postMessage": {"metadata"},
    "conversations.history": {"include_all_metadata"},
    "conversations.replies": {"include_all_metadata"},
}
"""Nor are these: message metadata is newer than it. Slack documents them with their methods, and its SDK has them."""


@dataclass(frozen=True, slots=True)
class Bot:
    """A running platform and what is behind it."""

    store: Store
    classroom: Classroom
    commands: Commands
    serving: asyncio.Task[None]
    platform: SlackPlatform

    async def turns(self, channel: str, count: int, thread: str | None = None) -> list[TurnRow]:
        """The turns of a conversation, once there are `count`: an answer is logged after it was posted."""
        async with asyncio.timeout(8):
            while True:
                conversation = await self.store.conversation("slack", channel, thread)
                if conversation.turns >= count:
                    assert conversation.turns == count
                    return await self.store.turns(conversation.id, count)
                await asyncio.sleep(0.01)

    async def opinions(self, count: int) -> list[FeedbackRow]:
        """All feedback there is, once there is so much."""
        async with asyncio.timeout(8):
            while True:
                found = [each async for turn in self.store.turns_stream() for each in turn.feedback]
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.01)

    async def opinions_are(self, count: int) -> list[FeedbackRow]:
        """All feedback there is, once there is only so much and nothing more comes in."""
        async with asyncio.timeout(8):
            while len(await self.opinions(0)) != count:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        found = await self.opinions(0)
        assert len(found) == count
        return found


def settings(slack: SlackServer, folder: Path, more: str = "", **section: Any) -> config.Settings:
    """The settings as from a file; `section` goes into [slack]."""
    values = {"base_url": slack.base_url, "practice_channels": [PRACTICE], **section}
    lines = "\n".join(f"{name} = {json.dumps(value)}" for name, value in values.items())
    file = folder / "config.toml"
    file.write_text(f'data = "{ROOT / "data"}"\ndatabase = "{folder / "pupil.db"}"\n[slack]\n{lines}\n{more}')
    return config.load(file, environment_file=None).model_copy(
        update={
            "slack_bot_token": SecretStr(BOT_TOKEN),
            "slack_app_token": SecretStr(APP_TOKEN),
            "slack_signing_secret": SecretStr(SECRET),
        }
    )


@asynccontextmanager
async def running(slack: SlackServer, chosen: config.Settings, *, wait: bool = True) -> AsyncIterator[Bot]:
    """The platform as `bot.app` runs and stops it."""
    store = await Store.open(chosen.database_url)
    models = cast("Models", InstantModels())
    classroom = Classroom(chosen, store, models, Metrics(), *shipped(), HASH_SECRET)
    commands = Commands(chosen, store, models, classroom)
    platform = SlackPlatform(chosen, classroom, commands)
    serving = asyncio.create_task(platform.serve())
    if wait:
        waiting = asyncio.create_task(platform.ready())
        await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
    try:
        yield Bot(store, classroom, commands, serving, platform)
    finally:
        await classroom.aclose()
        serving.cancel()
        (ended,) = await asyncio.gather(serving, return_exceptions=True)
        await store.aclose()
        assert isinstance(ended, asyncio.CancelledError | PlatformError), repr(ended)


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[SlackServer]:
    async with SlackServer(MANIFEST, ack_seconds=1.0) as server:
        yield server
        for envelope in server.envelopes:
            assert envelope.acked is None or envelope.acked < 3, envelope
        for call in server.calls:
            harmless(call)
            if specification := api():
                check(specification, call)


@pytest_asyncio.fixture
async def bot(slack: SlackServer, tmp_path: Path) -> AsyncIterator[Bot]:
    async with running(slack, settings(slack, tmp_path)) as started:
        yield started


def harmless(call: Call) -> None:
    """Nothing that is posted alarms anybody, formats a child's words, or unrolls a link."""
    if call.method in {"chat.postMessage", "chat.postEphemeral"}:
        assert "<" not in call.parameters["text"].replace("&lt;", ""), call
        assert len(call.parameters["text"]) <= 4_000
    if call.method == "chat.postMessage":
        assert not call.parameters["mrkdwn"]
        assert not call.parameters["link_names"]


@cache
def api() -> dict[str, Any] | None:
    folder = os.environ.get("PUPIL_API_SPECS")
    return dict(json.loads((Path(folder) / "slack.json").read_text(encoding="utf-8"))) if folder else None


def check(specification: dict[str, Any], call: Call) -> None:
    """The parameters are those of the method, all that it must have, each of its type."""
    if f"/{call.method}" not in specification["paths"]:
        assert call.method in NEWER_METHODS, f"{call.method} is not in the description"
        return
    (operation,) = specification["paths"][f"/{call.method}"].values()
    known = {each["name"]: each for each in operation["parameters"] if each["name"] != "token"}
    # Bolt and slack_sdk add the team; the description writes JSON values as strings.
    newer = {"team_id"} | NEWER_ARGUMENTS.get(call.method, set())
    given = {name: value for name, value in call.parameters.items() if name not in newer}
    assert set(given) <= set(known), (call.method, set(given) - set(known))
    assert {name for name, each in known.items() if each.get("required")} <= set(given), call
    for name, value in given.items():
        match known[name]["type"]:
            case "boolean":
                assert value in {True, False, "1", "0", "true", "false"}, (call.method, name, value)
            case "integer" | "number":
                float(value)
            case "string":
                assert isinstance(value, str) or name in {"blocks", "attachments", "view"}, (
                    call.method,
                    name,
                )


async def ending(work: Awaitable[None]) -> BaseException | None:
    (ended,) = await asyncio.gather(work, return_exceptions=True)
    return ended


async def test_requests_are_as_slack_describes_them(slack: SlackServer, bot: Bot) -> None:
    if (specification := api()) is None:
        pytest.skip("PUPIL_API_SPECS names no folder with Slack's Web API description (slack.json)")
    await slack.say(QUESTION)
    await bot.turns(PRACTICE, 2)
    (post,) = slack.made("chat.postMessage")
    check(specification, post)
    with pytest.raises(AssertionError):
        check(specification, Call(post.method, {**post.parameters, "colour": "red"}, "", 0.0))

    def newer() -> set[str]:
        return {call.method for call in slack.calls if f"/{call.method}" not in specification["paths"]}

    assert newer() == SOCKET
    await answer(slack, "lesson 2.MD.C.7-clock")
    assert newer() == SOCKET | UPLOADS, "only a file asks for more"


# Where the child answers, and where not.


async def test_in_a_practice_channel_it_answers_everybody_under_its_name(
    slack: SlackServer, bot: Bot
) -> None:
    when = await slack.say(QUESTION)
    post = await slack.until(lambda: slack.posts() and slack.posts()[0])
    assert post["username"] == "Mia"
    assert post["icon_emoji"].startswith(":")
    assert "thread_ts" not in post
    assert post["attachments"][0]["text"] == LABEL
    asked, said = await bot.turns(PRACTICE, 2)
    assert (asked.content, asked.platform_message_id) == (QUESTION, f"slack:{PRACTICE}:{when}")
    assert (said.content, said.platform_message_id) == (post["text"], f"slack:{PRACTICE}:{post['ts']}")
    await slack.say("Why do you think so?", user="U0BEN")
    second = await slack.until(lambda: slack.posts()[1:] and slack.posts()[1])
    assert "attachments" not in second, "the label stands under the first message alone"


async def test_the_eyes_open_and_close(slack: SlackServer, bot: Bot) -> None:
    when = await slack.say(QUESTION)
    await slack.until(slack.posts)
    await slack.until(lambda: slack.made("reactions.remove"))
    assert slack.reactions_seen == [(PRACTICE, when, "eyes")]
    assert not slack.reactions


@pytest.mark.parametrize("trouble", [Trouble(error="no_permission"), Trouble(hang=True)])
async def test_eyes_that_fail_cost_nothing(slack: SlackServer, bot: Bot, trouble: Trouble) -> None:
    slack.trouble("reactions.add", trouble)
    began = time.monotonic()
    await slack.say(QUESTION)
    await slack.until(slack.posts)
    assert time.monotonic() - began < 3
    await bot.turns(PRACTICE, 2)


async def test_elsewhere_it_answers_when_called_and_then_in_that_thread(slack: SlackServer, bot: Bot) -> None:
    await slack.say("Does anybody have chalk?", channel=GENERAL)
    when = await slack.say(f"{MENTION} {QUESTION}", channel=GENERAL)
    post = await slack.until(lambda: slack.posts(GENERAL) and slack.posts(GENERAL)[0])
    assert post["thread_ts"] == when
    await slack.say("Why?", channel=GENERAL, thread_ts=when, user="U0BEN")
    await slack.until(lambda: len(slack.posts(GENERAL)) == 2)
    turns = await bot.turns(GENERAL, 4, when)
    assert turns[0].content == QUESTION, "the mention is no part of what was said"
    assert len(slack.posts(GENERAL)) == 2, "message and app_mention are one message"


async def test_it_stays_out_of_threads_of_others(slack: SlackServer, bot: Bot) -> None:
    root = await slack.say("Who has yard duty?", channel=GENERAL)
    await slack.say("I do.", channel=GENERAL, thread_ts=root)
    await slack.until(lambda: slack.made("conversations.replies"))
    await slack.say("Thanks!", channel=GENERAL, thread_ts=root)
    await slack.say(f"{MENTION} {QUESTION}", channel=GENERAL, thread_ts=root)
    await slack.until(lambda: slack.posts(GENERAL))
    await slack.say("And why?", channel=GENERAL, thread_ts=root)
    turns = await bot.turns(GENERAL, 4, root)
    assert [turn.content for turn in turns[::2]] == [QUESTION, "And why?"]
    assert len(slack.made("conversations.replies")) == 1, "what Slack said of a thread is remembered"


async def test_it_knows_its_threads_after_a_restart(slack: SlackServer, tmp_path: Path) -> None:
    chosen = settings(slack, tmp_path)
    async with running(slack, chosen):
        root = await slack.say("Who has yard duty?", channel=GENERAL)
        await slack.say(f"{MENTION} {QUESTION}", channel=GENERAL, thread_ts=root)
        await slack.until(lambda: slack.posts(GENERAL))
    async with running(slack, chosen) as bot:
        for text in ("Why?", "Is that so?", "And 62 minus 18?"):
            await slack.say(text, channel=GENERAL, thread_ts=root)
        turns = await bot.turns(GENERAL, 8, root)
        assert [turn.content for turn in turns[2::2]] == ["Why?", "Is that so?", "And 62 minus 18?"]


async def test_it_goes_on_where_it_spoke_before(slack: SlackServer, bot: Bot) -> None:
    root = slack.put("What is 52 minus 17?", channel=GENERAL)["ts"]
    slack.put("45", channel=GENERAL, user=BOT_USER, bot_id=BOT, thread_ts=root)
    await slack.say("Why?", channel=GENERAL, thread_ts=root)
    await bot.turns(GENERAL, 2, root)


async def test_a_call_without_a_word_gets_one_hint(slack: SlackServer, bot: Bot) -> None:
    await slack.say(MENTION, channel=GENERAL)
    await slack.say(QUESTION)
    await bot.turns(PRACTICE, 2)
    assert [each["text"] for each in slack.ephemeral] == [slack_platform.NOTHING_SAID]


async def test_a_thread_is_a_conversation_of_its_own_that_begins_as_its_channel(
    slack: SlackServer, bot: Bot
) -> None:
    await slack.command("child zoe")
    await slack.until(lambda: slack.responses)
    when = await slack.say(QUESTION)
    await slack.until(lambda: len(slack.posts()) == 2)
    await slack.say(QUESTION, thread_ts=when)
    await slack.until(lambda: len(slack.posts()) == 3)
    assert [post.get("username") for post in slack.posts()] == [None, "Zoe", "Zoe"]
    assert slack.posts()[2]["thread_ts"] == when
    await bot.turns(PRACTICE, 2)
    await bot.turns(PRACTICE, 2, when)


@pytest.mark.parametrize(
    "odd",
    [
        {"bot_id": "B0OTHER"},
        {"bot_id": BOT, "user": BOT_USER},
        {"user": BOT_USER},
        {"user": "USLACKBOT"},
        {"subtype": "bot_message", "user": None},
        {"subtype": "message_changed", "hidden": True},
        {"subtype": "message_deleted"},
        {"subtype": "channel_join"},
        {"subtype": "channel_topic"},
        {"edited": {"user": "U0ANN", "ts": "1.0"}},
        {"text": "   "},
        {"text": None},
    ],
)
async def test_what_is_no_persons_new_message_is_left_alone(
    slack: SlackServer, bot: Bot, odd: dict[str, Any]
) -> None:
    await slack.say(**{"text": f"{MENTION} Hello!", **odd})
    await slack.say(QUESTION)
    turns = await bot.turns(PRACTICE, 2)
    assert turns[0].content == QUESTION
    assert len(slack.made("chat.postMessage")) == 1


@pytest.mark.parametrize("subtype", ["file_share", "thread_broadcast"])
async def test_files_and_broadcasts_are_messages(slack: SlackServer, bot: Bot, subtype: str) -> None:
    await slack.say(QUESTION, subtype=subtype)
    await bot.turns(PRACTICE, 2)


async def test_of_what_is_forwarded_the_words_are_heard(slack: SlackServer, bot: Bot) -> None:
    forwarded = [{"is_share": True, "text": f"{MENTION} {QUESTION}", "author_id": "U0BEN"}]
    await slack.say("", attachments=forwarded, channel=GENERAL)
    await slack.say("", attachments=forwarded)
    assert (await bot.turns(PRACTICE, 2))[0].content == QUESTION
    await slack.say("", attachments=[{"is_share": True, "files": [{"id": "F1"}]}])
    await slack.until(lambda: slack.ephemeral)
    assert not slack.posts(GENERAL), "the child was not called there"


async def test_a_picture_alone_gets_a_hint(slack: SlackServer, bot: Bot) -> None:
    await slack.say("", subtype="file_share", files=[{"id": "F1"}])
    hint = await slack.until(lambda: slack.ephemeral and slack.ephemeral[0])
    assert (hint["user"], hint["text"]) == ("U0ANN", slack_platform.NOTHING_SAID)
    assert not slack.posts()


async def test_one_message_that_comes_thrice_is_answered_once(
    slack: SlackServer, bot: Bot, tmp_path: Path
) -> None:
    event = slack.put(QUESTION)
    for _ in range(3):
        await slack.event(event, "message.channels", event_id="Ev-again")
    await slack.say("Why?")
    await bot.turns(PRACTICE, 4)
    assert len(slack.posts()) == 2


async def test_an_answer_given_before_a_restart_is_not_given_again(
    slack: SlackServer, tmp_path: Path
) -> None:
    chosen = settings(slack, tmp_path)
    event = slack.put(QUESTION)
    async with running(slack, chosen) as bot:
        await bot.turns(PRACTICE, 2)
    async with running(slack, chosen) as bot:
        await slack.tell(event)
        await slack.say("Why?")
        await bot.turns(PRACTICE, 4)
    assert len(slack.posts()) == 2


async def test_a_burst_stays_in_order(slack: SlackServer, bot: Bot) -> None:
    texts = [f"What is {number} plus 1?" for number in range(20, 31)]
    root = await slack.say("A thread", channel=GENERAL)
    await slack.say(f"{MENTION} hello", channel=GENERAL, thread_ts=root)
    await asyncio.gather(*(slack.say(text, channel=GENERAL, thread_ts=root) for text in texts))
    told = [each.payload["event"]["text"] for each in slack.envelopes[3:]]
    turns = await bot.turns(GENERAL, 24, root)
    assert [turn.content for turn in turns[2::2]] == told


async def test_acknowledged_at_once_while_the_child_is_slow(
    slack: SlackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.platforms.slack.answer.speaking_seconds", lambda _: 1.2)
    async with running(slack, settings(slack, tmp_path, pace=True)) as bot:
        await slack.say(QUESTION)
        envelope = slack.envelopes[-1]
        await slack.until(lambda: envelope.acked is not None)
        assert cast("float", envelope.acked) < 0.5
        assert not slack.posts(), "a child takes its time"
        await bot.turns(PRACTICE, 2)
        assert envelope.attempts == 1


async def test_whoever_says_too_much_is_told_so_once(slack: SlackServer, tmp_path: Path) -> None:
    async with running(slack, settings(slack, tmp_path, "[limits]\nper_user_minute = 2\n")) as bot:
        for number in range(5):
            await slack.say(f"What is {number} plus 2?")
        await slack.until(lambda: slack.ephemeral)
        await slack.say(QUESTION, user="U0BEN")
        await bot.turns(PRACTICE, 6)
        assert len(slack.ephemeral) == 1


# What is said.


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        ("3 &lt; 5 &amp; 5 &gt; 3", "3 < 5 & 5 > 3"),
        ("&amp;lt;", "&lt;"),
        (f"{MENTION} hi", "hi"),
        (f"hi <@{BOT_USER}|pupil>, ok?", "hi , ok?"),
        ("<@U0BEN> look", "look"),
        ("<!here> <!channel> <!subteam^S1|@staff> go", "go"),
        ("see <https://a.example/x?a=1&amp;b=2|the page>", "see the page"),
        ("see <https://a.example/>", "see https://a.example/"),
        ("<mailto:a@b.example|a@b.example>", "a@b.example"),
        ("in <#C1|math>", "in #math"),
        ("at <!date^1^{time}|noon>", "at noon"),
    ],
)
def test_markup_is_read_as_people_see_it(raw: str, read: str) -> None:
    assert blocks.plain(raw) == read


@pytest.mark.parametrize(
    "text", ["<!channel> <@U0BEN> & <http://a.example|b>", "<" * 3_000, "word & " * 2_000]
)
def test_what_goes_out_is_harmless_and_fits(text: str) -> None:
    out = blocks.fitted(text, 4_000)
    assert len(out) <= 4_000
    assert "<" not in out
    assert ">" not in out
    assert out.count("&") == sum(out.count(entity) for entity in ("&amp;", "&lt;", "&gt;"))
    if len(text) > 4_000 and " " in text:
        assert out.endswith(("word…", "&amp;…"))


def test_mentions_are_of_one_person() -> None:
    assert blocks.mentions("hi <@U1>", "U1")
    assert blocks.mentions("hi <@U1|x>", "U1")
    assert not blocks.mentions("hi <@U11> U1", "U1")


@pytest.mark.parametrize(
    "shown",
    [
        Shown("x" * 10_000, (("n" * 900, "v" * 5_000),) * 60, "h" * 5_000),
        Shown("<&>" * 3_000, (("<" * 600, "&" * 3_000),) * 25, "<" * 4_000),
        Shown(json.dumps([{"text": "<" * 9_000}] * 40, indent=1)),
        Shown("", (("a", ""),)),
    ],
)
def test_answers_keep_slacks_limits(shown: Shown) -> None:
    pages = blocks.shown(shown)
    assert 1 <= len(pages) <= blocks.PAGES
    for page in pages:
        assert page
        assert wrong_blocks(page) == ""


# Slack's moods.


async def test_a_rate_limit_is_waited_out(slack: SlackServer, bot: Bot) -> None:
    slack.trouble("chat.postMessage", Trouble(429, "ratelimited", {"Retry-After": "1"}))
    await slack.say(QUESTION)
    await bot.turns(PRACTICE, 2)
    first, second = slack.made("chat.postMessage")
    assert second.at - first.at >= 1


@pytest.mark.parametrize("trouble", [Trouble(503), Trouble(500), Trouble(drop=True)])
async def test_failures_of_slack_are_tried_again(slack: SlackServer, bot: Bot, trouble: Trouble) -> None:
    slack.trouble("chat.postMessage", trouble)
    await slack.say(QUESTION)
    await bot.turns(PRACTICE, 2)
    assert len(slack.made("chat.postMessage")) == 2


@pytest.mark.parametrize(
    "trouble", [Trouble(429, "ratelimited", {"Retry-After": "3600"}), Trouble(error="is_archived")]
)
async def test_an_answer_that_cannot_be_posted_is_given_up(
    slack: SlackServer, bot: Bot, trouble: Trouble
) -> None:
    slack.trouble("chat.postMessage", trouble)
    await slack.say(QUESTION)
    await slack.until(lambda: slack.made("chat.postMessage"))
    await slack.until(lambda: slack.made("reactions.remove"))
    await slack.say("Why?")
    assert len(await bot.turns(PRACTICE, 2)) == 2
    assert await bot.store.unanswered() == []


async def test_what_is_announced_is_said_or_has_failed(slack: SlackServer, bot: Bot) -> None:
    await bot.platform.announce(GENERAL, "This week 2 teachers practised.")
    assert slack.posts(GENERAL)[0]["text"] == "This week 2 teachers practised."
    with pytest.raises(PlatformError, match="channel_not_found"):
        await bot.platform.announce("C0GONE", "This week nobody did.")


async def test_it_comes_back_after_a_refresh_and_a_lost_connection(slack: SlackServer, bot: Bot) -> None:
    await slack.refresh("warning")
    await slack.until(lambda: slack.connections == 2)
    await slack.say(QUESTION)
    await bot.turns(PRACTICE, 2)
    await slack.hang_up()
    await slack.until(lambda: slack.connections == 3, 12)
    await slack.say("Why?")
    await bot.turns(PRACTICE, 4)


async def test_a_connection_that_stays_lost_is_begun_anew(
    slack: SlackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack_connection, "LOST_SECONDS", 0.2)
    monkeypatch.setattr(slack_connection, "LOOK_SECONDS", 0.05)
    async with running(slack, settings(slack, tmp_path)) as bot:
        slack.trouble("apps.connections.open", *[Trouble(error="internal_error")] * 2)
        await slack.hang_up()
        slack.put("Nobody tells you of this.")
        await slack.until(lambda: slack.connections == 2, 15)
        await slack.say(QUESTION)
        turns = await bot.turns(PRACTICE, 4)
        assert [turn.content for turn in turns[::2]] == ["Nobody tells you of this.", QUESTION]


async def test_a_token_revoked_meanwhile_ends_it_with_a_reason(
    slack: SlackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack_connection, "LOST_SECONDS", 0.2)
    monkeypatch.setattr(slack_connection, "LOOK_SECONDS", 0.05)
    async with running(slack, settings(slack, tmp_path)) as bot:
        slack.app_tokens.clear()
        await slack.hang_up()
        async with asyncio.timeout(15):
            assert "SLACK_APP_TOKEN" in str(await ending(bot.serving))


# Start and stop.


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"slack_bot_token": SecretStr("xoxb-stale")}, ["SLACK_BOT_TOKEN", "invalid_auth", "xoxb-"]),
        ({"slack_bot_token": SecretStr(APP_TOKEN)}, ["SLACK_BOT_TOKEN", "not_allowed_token_type"]),
        ({"slack_app_token": SecretStr("xapp-stale")}, ["SLACK_APP_TOKEN", "invalid_auth", "xapp-"]),
        ({"slack_app_token": SecretStr(BOT_TOKEN)}, ["SLACK_APP_TOKEN", "not_allowed_token_type"]),
        ({"slack_app_token": None}, ["SLACK_APP_TOKEN", "not set"]),
        ({"slack_bot_token": None}, ["SLACK_BOT_TOKEN", "not set"]),
    ],
)
async def test_a_bad_token_is_one_clear_line(
    slack: SlackServer, tmp_path: Path, change: dict[str, Any], said: list[str]
) -> None:
    chosen = settings(slack, tmp_path).model_copy(update=change)
    async with running(slack, chosen) as bot:
        error = await ending(bot.serving)
    assert isinstance(error, PlatformError)
    assert all(each in str(error) for each in said), error
    assert "\n" not in str(error)
    for token in ("xoxb-stale", "xapp-stale", BOT_TOKEN, APP_TOKEN):
        assert token not in str(error)


async def test_no_slack_at_that_address_is_one_clear_line(slack: SlackServer, tmp_path: Path) -> None:
    chosen = settings(slack, tmp_path, base_url=f"http://127.0.0.1:{free_port()}/api/")
    async with running(slack, chosen) as bot:
        error = await ending(bot.serving)
    assert isinstance(error, PlatformError)
    assert "slack.base_url" in str(error)


async def test_what_a_crash_left_behind_and_what_was_missed_is_answered(
    slack: SlackServer, tmp_path: Path
) -> None:
    chosen = settings(slack, tmp_path)
    left = slack.put("What is 52 minus 17? Left behind.", channel=GENERAL)
    store = await Store.open(chosen.database_url)
    await store.claim(
        ClaimedMessage(
            key=f"slack:{GENERAL}:{left['ts']}",
            platform="slack",
            channel=GENERAL,
            thread=left["ts"],
            author_hash="someone",
            text=left["text"],
            message_id=left["ts"],
            created_at=datetime.now(UTC),
        )
    )
    await store.aclose()
    root = slack.put("First missed: what is 20 plus 3?")
    slack.put("Joined", subtype="channel_join")
    slack.put("In the thread: what is 20 plus 4?", thread_ts=root["ts"])
    slack.put("Second missed: what is 20 plus 5?")
    slack.put("Long ago", ts=f"{time.time() - 3600:.6f}")
    async with running(slack, chosen) as bot:
        await slack.say("Live: what is 20 plus 6?")
        turns = await bot.turns(PRACTICE, 6)
        assert [turn.content.split(":")[0] for turn in turns[::2]] == [
            "First missed",
            "Second missed",
            "Live",
        ]
        await bot.turns(PRACTICE, 2, root["ts"])
        await bot.turns(GENERAL, 2, left["ts"])
        assert slack.posts(GENERAL)[0]["thread_ts"] == left["ts"]


async def test_what_was_missed_is_left_where_that_is_turned_off(slack: SlackServer, tmp_path: Path) -> None:
    slack.put("Missed: what is 20 plus 3?")
    async with running(slack, settings(slack, tmp_path, catch_up_minutes=0)) as bot:
        await slack.say(QUESTION)
        await bot.turns(PRACTICE, 2)


async def test_a_practice_channel_it_may_not_read_does_not_stop_it(
    slack: SlackServer, tmp_path: Path
) -> None:
    chosen = settings(slack, tmp_path, practice_channels=["C0GONE", PRACTICE])
    slack.put("Missed: what is 20 plus 3?")
    async with running(slack, chosen) as bot:
        await bot.turns(PRACTICE, 2)


async def test_a_long_absence_is_read_page_by_page(
    slack: SlackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.platforms.slack.heard.PAGE", 3)
    for number in range(8):
        slack.put(f"{number}: what is 20 plus 3?")
    async with running(slack, settings(slack, tmp_path)) as bot:
        turns = await bot.turns(PRACTICE, 16)
        assert [turn.content[0] for turn in turns[::2]] == [str(number) for number in range(8)]
    assert len(slack.made("conversations.history")) == 3


async def test_what_is_in_hand_is_answered_before_it_stops(
    slack: SlackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.platforms.slack.answer.speaking_seconds", lambda _: 0.5)
    async with running(slack, settings(slack, tmp_path, pace=True)):
        await slack.say(QUESTION)
        await slack.until(lambda: slack.made("reactions.add"))
    assert len(slack.posts()) == 1
    assert not slack.reactions, "no eyes stay behind"


# /student.


async def answer(slack: SlackServer, text: str, **where: Any) -> tuple[str, dict[str, Any]]:
    """The answer of a command, as text and as it was shown."""
    before = len(slack.responses)
    envelope = await slack.command(text, **where)
    shown = await slack.until(lambda: slack.responses[before:] and slack.responses[before])
    await slack.until(lambda: envelope.acked is not None)
    assert shown["response_type"] == "ephemeral"
    return json.dumps(shown["blocks"], ensure_ascii=False), shown


async def test_every_subcommand_answers_that_person_alone(slack: SlackServer, bot: Bot) -> None:
    await slack.say(QUESTION)
    await bot.turns(PRACTICE, 2)
    for each in SUBCOMMANDS:
        if each.name != "rate":
            text, shown = await answer(slack, each.name)
            assert wrong_blocks(shown["blocks"]) == ""
            assert text
    posts = [each["text"] for each in slack.posts()]
    assert [each for each in posts if "fresh conversation" not in each] == posts[:1], (
        "what all see is told to all"
    )
    assert "*model*" in (await answer(slack, "status"))[0]
    assert (await answer(slack, ""))[0] == (await answer(slack, "help"))[0]
    assert "no command" in (await answer(slack, "dance &lt;!channel&gt;"))[0]


async def test_what_there_is_is_chosen_from_a_menu_in_the_channel(slack: SlackServer, bot: Bot) -> None:
    for what in PICKS:
        _, shown = await answer(slack, what)
        (menu,) = [each["elements"][0] for each in shown["blocks"] if each["type"] == "actions"]
        assert menu["action_id"] == f"pick_{what}"
    before = len(slack.responses)
    await slack.choose("pick_child", "zoe")
    await slack.until(lambda: slack.responses[before:])
    assert (await bot.store.conversation("slack", PRACTICE, None)).children == ("zoe",)
    assert "Zoe sits here now" in slack.posts()[-1]["text"], "all are told"
    asked = await slack.search("pick_lesson", "clock")
    found = await slack.until(lambda: asked.answer)
    assert "2.MD.C.7-clock" in {each["value"] for each in found["options"]}
    everything = await slack.search("pick_lesson", "")
    assert len((await slack.until(lambda: everything.answer))["options"]) == 100


async def test_the_home_shows_what_is_on_and_lets_one_choose_and_press(slack: SlackServer, bot: Bot) -> None:
    await slack.open_home()
    view = await slack.until(lambda: slack.homes.get("U0ANN"))
    shown = json.dumps(view)
    assert "simulated second grader" in shown
    assert "Taking away with tens and ones" in shown
    await slack.choose("pick_scenario", "pairs", view=view)
    card = await slack.until(lambda: slack.views and slack.views[0])
    assert "your goal" in json.dumps(card)
    assert (await bot.store.conversation("slack", DIRECT, None)).scenario == "pairs"
    await slack.until(lambda: "pairs" in json.dumps(slack.homes["U0ANN"]["blocks"][3]))
    await slack.choose("press_done", None, view=view)
    refused = await slack.until(lambda: slack.views[1:] and slack.views[1])
    assert "you have said nothing in this practice yet" in json.dumps(refused)
    assert slack.posts(DIRECT) == [], "nobody else is told of what one chooses for oneself"


async def test_a_menu_asks_for_the_same_permission_as_the_command(slack: SlackServer, tmp_path: Path) -> None:
    async with running(slack, settings(slack, tmp_path, GUARDED)) as bot:
        await slack.choose("pick_child", "zoe", user="U0BOB")
        refused = await slack.until(lambda: slack.responses)
        assert DENIED in json.dumps(refused)
        assert (await bot.store.conversation("slack", PRACTICE, None)).child is None


async def homely(slack: SlackServer, _bot: Bot) -> None:
    await slack.open_home()
    await slack.until(lambda: slack.homes)


async def test_what_all_see_changed_is_told_to_all(slack: SlackServer, bot: Bot) -> None:
    for line in ("child zoe", "model other", "lesson 2.OA.C.3-even-odd", "new"):
        text, _ = await answer(slack, line)
        assert slack.posts()[-1]["text"] in text
    for line, channel in (("child", PRACTICE), ("child nobody", PRACTICE), ("new", DIRECT)):
        await answer(slack, line, channel=channel)
    assert len(slack.posts()) == 4


async def test_the_page_on_the_table_is_shown_to_all_with_its_words(slack: SlackServer, bot: Bot) -> None:
    for line, channel in (("lesson 2.MD.C.7-clock", PRACTICE), ("scenario forty-five", DIRECT)):
        text, _ = await answer(slack, line, channel=channel)
        shown = list(slack.files.values())[-1]
        assert shown["channel"] == channel
        assert shown["content"].startswith(b"\x89PNG")
        assert "on the page" in text
        assert ("long hand is on 10" in shown["alt_txt"]) == ("clock" in line)
    await answer(slack, "scenario")
    await answer(slack, "lesson 2.OA.C.3-even-odd")
    assert len(slack.files) == 2, "nothing is chosen, and no page there"


async def test_without_leave_to_upload_the_words_are_there(slack: SlackServer, bot: Bot) -> None:
    slack.granted.discard("files:write")
    with capture_logs() as logs:
        text, _ = await answer(slack, "lesson 2.MD.C.7-clock")
    assert "long hand is on 10" in text
    assert any("files:write" in str(each.get("reason")) for each in logs)


async def test_choices_hold_for_the_channel(slack: SlackServer, bot: Bot) -> None:
    await answer(slack, "child zoe")
    await answer(slack, "model other")
    assert "no model" in (await answer(slack, "model gpt-99"))[0]
    await answer(slack, "lesson 2.OA.C.3-even-odd")
    conversation = await bot.store.conversation("slack", PRACTICE, None)
    assert (conversation.child, conversation.model, conversation.lesson) == (
        "zoe",
        "other",
        "2.OA.C.3-even-odd",
    )


GUARDED = '[permissions]\nusers = ["U0HEAD"]\nroles = ["S0PROFS", "987654321"]\nstage_roles = ["S0PROFS"]\n'


async def test_only_some_may_change_what_all_see(slack: SlackServer, tmp_path: Path) -> None:
    slack.groups["S0PROFS"] = ["U0PROF"]
    async with running(slack, settings(slack, tmp_path, GUARDED)) as bot:
        changing = (
            "child zoe",
            "model other",
            "lesson 2.OA.C.3-even-odd",
            "new",
            "scenario assign pairs",
            "again 1",
        )
        for line in changing:
            assert DENIED in (await answer(slack, line))[0]
        for line in ("child", "model", "lesson odd", "status", "privacy on", "scenario odd", "again"):
            assert DENIED not in (await answer(slack, line))[0]
        assert (await bot.store.conversation("slack", PRACTICE, None)).child is None
        for user in ("U0HEAD", "U0PROF"):
            assert DENIED not in (await answer(slack, "child zoe", user=user))[0]
        assert DENIED not in (await answer(slack, "child owen", channel=DIRECT))[0]
        assert len(slack.made("usergroups.users.list")) == 1, (
            "known for some minutes; Discord's ids are not asked"
        )


async def test_what_is_deleted_here_is_blanked_in_the_log(slack: SlackServer, tmp_path: Path) -> None:
    async with running(slack, settings(slack, tmp_path)) as bot:
        when = await slack.say("What is 52 minus 17?")
        conversation = await bot.store.conversation("slack", PRACTICE, None)
        async with asyncio.timeout(10):
            while len(await bot.store.turns(conversation.id, 9)) < 2:
                await asyncio.sleep(0.02)
            deleted = {"type": "message", "subtype": "message_deleted", "channel": PRACTICE, "hidden": True}
            await slack.tell({**deleted, "deleted_ts": when, "ts": f"{when}1"})
            while await bot.store.turns(conversation.id, 9):
                await asyncio.sleep(0.02)


async def test_a_paid_model_is_for_those_named_in_direct_messages_too(
    slack: SlackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InstantModels, "paid", lambda _self, name: name == "other")
    slack.groups["S0PROFS"] = ["U0PROF"]
    async with running(slack, settings(slack, tmp_path, GUARDED)):
        assert PAID in (await answer(slack, "model other", channel=DIRECT))[0]
        assert PAID not in (await answer(slack, "model base", channel=DIRECT))[0]
        assert PAID not in (await answer(slack, "model other", channel=DIRECT, user="U0PROF"))[0]


async def test_commands_of_one_person_have_a_limit(slack: SlackServer, tmp_path: Path) -> None:
    async with running(slack, settings(slack, tmp_path, "[limits]\ncommands_minute = 2\n")):
        said = [(await answer(slack, "privacy forget"))[0] for _ in range(3)]
        assert [COMMANDS in each for each in said] == [False, False, True]
        assert COMMANDS in (await answer(slack, "rate"))[0]
        before = len(slack.responses)
        for form in (blocks.RATE, blocks.BETTER_LINE):
            await slack.shortcut(form, slack.put(QUESTION), channel=PRACTICE)
        told = await slack.until(lambda: len(slack.responses) == before + 2 and slack.responses[before:])
        assert all(COMMANDS in json.dumps(each) for each in told)
        assert COMMANDS not in (await answer(slack, "about", user="U0HEAD"))[0]


async def test_members_of_a_group_are_asked_for_again_later(
    slack: SlackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack_desk, "GROUP_SECONDS", 0.0)
    slack.groups["S0PROFS"] = []
    async with running(slack, settings(slack, tmp_path, GUARDED)):
        assert DENIED in (await answer(slack, "new", user="U0NEW"))[0]
        slack.groups["S0PROFS"] = ["U0NEW"]
        assert DENIED not in (await answer(slack, "new", user="U0NEW"))[0]
        slack.trouble("usergroups.users.list", Trouble(error="fatal_error"))
        assert DENIED not in (await answer(slack, "new", user="U0NEW"))[0], "what was known is believed"


async def test_what_the_child_believes_is_for_those_who_may_see_it(
    slack: SlackServer, tmp_path: Path
) -> None:
    slack.groups["S0PROFS"] = ["U0PROF"]
    async with running(slack, settings(slack, tmp_path, GUARDED)) as bot:
        await slack.say(QUESTION)
        await bot.turns(PRACTICE, 2)
        assert "believes" in (await answer(slack, "status", user="U0PROF"))[0]
        assert "believes" not in (await answer(slack, "status"))[0]


async def handed_over(slack: SlackServer, user: str = "U0ANN") -> dict[str, Any]:
    """What is kept of a person, from the file that lies in their own conversation with the app."""
    before = len(slack.files)
    text, _ = await answer(slack, "privacy export", user=user)
    assert slack_desk.HANDED_OVER in text
    (file,) = list(slack.files.values())[before:]
    assert (file["filename"], file["channel"]) == (slack_desk.KEPT, user.replace("U", "D", 1))
    return dict(json.loads(file["content"]))


async def test_privacy_is_the_persons_own(slack: SlackServer, bot: Bot) -> None:
    await slack.say(QUESTION)
    await bot.turns(PRACTICE, 2)
    await answer(slack, "privacy on")
    exported = await handed_over(slack)
    assert [each["content"] for each in exported["turns"]] == [QUESTION]
    assert exported["consents"][0]["state"] == "on"
    assert (await handed_over(slack, "U0BEN"))["turns"] == []
    await answer(slack, "privacy forget")
    assert (await handed_over(slack))["turns"] == []
    assert len(slack.posts()) == 1, "nobody else sees any of it"


@pytest.mark.parametrize(
    ("method", "error"),
    [
        ("files.getUploadURLExternal", "missing_scope"),
        ("files.completeUploadExternal", "internal_error"),
        ("chat.postMessage", "messages_tab_disabled"),
    ],
)
async def test_where_slack_takes_no_file_an_export_is_told_in_words(
    slack: SlackServer, bot: Bot, method: str, error: str
) -> None:
    await slack.say(QUESTION)
    await bot.turns(PRACTICE, 2)
    slack.trouble(method, Trouble(error=error))
    exported, shown = await answer(slack, "privacy export")
    assert QUESTION in exported
    assert "```" in exported
    assert slack_desk.NO_FILE in exported
    assert wrong_blocks(shown["blocks"]) == ""


async def test_a_fault_in_a_command_is_told(
    slack: SlackServer, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(self: Commands, *_: Any) -> Shown:
        raise RuntimeError("a bug")

    monkeypatch.setattr(Commands, "run", broken)
    with capture_logs():  # to paint a trace takes long
        assert slack_desk.BROKEN in (await answer(slack, "about"))[0]


# Ratings, thumbs and better lines.


async def test_a_rating_is_nine_choices_and_a_comment(slack: SlackServer, bot: Bot) -> None:
    assert "nothing to rate" in (await answer(slack, "rate"))[0]
    await slack.say(QUESTION)
    await bot.turns(PRACTICE, 2)
    await slack.command("rate")
    view = await slack.until(lambda: slack.views and slack.views[0])
    assert len(view["blocks"]) == 10
    scores = {name: 1 + number % 5 for number, name in enumerate(RUBRIC)}
    await slack.submit(view, {**scores, blocks.COMMENT: "So real & <b>!"}, user="U0PROF")
    thanks = await slack.until(lambda: slack.ephemeral and slack.ephemeral[0])
    assert (thanks["user"], thanks["channel"]) == ("U0PROF", PRACTICE)
    conversation = await bot.store.conversation("slack", PRACTICE, None)
    (rating,) = await bot.store.ratings(conversation.id)
    assert (rating.scores, rating.comment) == (scores, "So real & <b>!")
    assert "kept" in (await answer(slack, "rate 1 2 3 4 5 4 3 2 1 fine"))[0]


async def test_a_thread_is_rated_from_a_messages_menu(slack: SlackServer, bot: Bot) -> None:
    when = await slack.say(f"{MENTION} {QUESTION}", channel=GENERAL)
    await bot.turns(GENERAL, 2, when)
    post = slack.posts(GENERAL)[0]
    await slack.shortcut(blocks.RATE, post, channel=GENERAL)
    view = await slack.until(lambda: slack.views and slack.views[0])
    await slack.submit(view, dict.fromkeys(RUBRIC, 4))
    await slack.until(lambda: slack.ephemeral)
    conversation = await bot.store.conversation("slack", GENERAL, when)
    assert len(await bot.store.ratings(conversation.id)) == 1
    await slack.shortcut(blocks.RATE, slack.messages[GENERAL][0], channel=GENERAL)
    await slack.until(lambda: len(slack.views) == 2)
    assert blocks.about(slack.views[1])["thread"] == when, "the question that began the thread is of it"


async def test_a_debrief_is_shown_to_its_teacher_alone(slack: SlackServer, tmp_path: Path) -> None:
    slack.groups["S0PROFS"] = ["U0PROF"]
    async with running(slack, settings(slack, tmp_path, GUARDED)) as bot:
        await slack.say(QUESTION)
        await bot.turns(PRACTICE, 2)
        text, shown = await answer(slack, "debrief")
        assert wrong_blocks(shown["blocks"]) == ""
        assert "Your practice with Mia" in text
        assert "Try next" not in text, "the child's mind is for professors here"
        assert "nothing to look back on" in (await answer(slack, "debrief", user="U0PROF"))[0]
        await slack.say("How did you get that?", user="U0PROF")
        await bot.turns(PRACTICE, 4)
        assert "Try next" in (await answer(slack, "debrief", user="U0PROF"))[0]
        assert "is kept as" in (await answer(slack, "debrief move 1 transfer"))[0]
        assert "none of yours" in (await answer(slack, "debrief move 3 asks"))[0]


async def test_a_thread_is_looked_back_on_from_a_messages_menu(slack: SlackServer, bot: Bot) -> None:
    when = await slack.say(f"{MENTION} {QUESTION}", channel=GENERAL)
    await bot.turns(GENERAL, 2, when)
    post = slack.posts(GENERAL)[0]

    async def looked_back(user: str) -> str:
        before = len(slack.responses)
        await slack.shortcut(blocks.DEBRIEF, post, channel=GENERAL, user=user)
        shown = await slack.until(lambda: slack.responses[before:] and slack.responses[before])
        assert shown["response_type"] == "ephemeral"
        return json.dumps(shown["blocks"], ensure_ascii=False)

    assert "Your practice with Mia" in await looked_back("U0ANN")
    assert "nothing to look back on" in await looked_back("U0BEN")


async def test_a_trigger_that_ran_out_is_told(slack: SlackServer, bot: Bot) -> None:
    await slack.say(QUESTION)
    await bot.turns(PRACTICE, 2)
    slack.trouble("views.open", Trouble(error="expired_trigger_id"))
    assert "expired_trigger_id" in (await answer(slack, "rate"))[0]


@pytest.mark.parametrize("shortcut", [blocks.RATE, blocks.BETTER_LINE, blocks.DEBRIEF])
async def test_what_a_messages_menu_cannot_do_is_told(
    slack: SlackServer, bot: Bot, monkeypatch: pytest.MonkeyPatch, shortcut: str
) -> None:
    await slack.say(QUESTION)
    await bot.turns(PRACTICE, 2)

    async def locked(*_: object, **__: object) -> None:
        raise RuntimeError("locked")

    for part, name in (
        (bot.store, "conversation"),
        (bot.store, "find_turn"),
        (type(bot.store.practices), "newest"),
    ):
        monkeypatch.setattr(part, name, locked)
    with capture_logs():
        await slack.shortcut(shortcut, slack.posts()[0], channel=PRACTICE)
        told = await slack.until(lambda: slack.responses and slack.responses[0])
    assert slack_desk.BROKEN in json.dumps(told)
    monkeypatch.undo()


async def test_thumbs_and_better_lines_are_kept_over_a_restart(slack: SlackServer, tmp_path: Path) -> None:
    chosen = settings(slack, tmp_path)
    async with running(slack, chosen) as bot:
        when = await slack.say(QUESTION)
        await bot.turns(PRACTICE, 2)
    post = slack.posts()[0]
    async with running(slack, chosen) as bot:
        await slack.react("+1::skin-tone-4", PRACTICE, post["ts"])
        assert [each.kind for each in await bot.opinions(1)] == [FeedbackKind.UP]
        await slack.react("-1", PRACTICE, post["ts"])
        await slack.react("-1", PRACTICE, when)
        await slack.react("tada", PRACTICE, post["ts"])
        await slack.react("-1", PRACTICE, post["ts"], user="U0BEN")
        both = await bot.opinions(2)
        assert {each.kind for each in both} == {FeedbackKind.DOWN}
        assert len({each.author_hash for each in both}) == 2
        await slack.shortcut(blocks.BETTER_LINE, post, channel=PRACTICE)
        view = await slack.until(lambda: slack.views and slack.views[0])
        assert post["text"] in json.dumps(view)
        empty = await slack.submit(view, {blocks.COMMENT: "  "})
        await slack.until(lambda: empty.acked is not None)
        assert empty.answer is not None
        assert empty.answer["response_action"] == "errors"
        await slack.submit(view, {blocks.COMMENT: "um, 45?"})
        suggestion = (await bot.opinions(3))[-1]
        assert (suggestion.kind, suggestion.text) == (FeedbackKind.SUGGESTION, "um, 45?")
        await slack.until(lambda: slack.ephemeral)
        await slack.shortcut(blocks.BETTER_LINE, slack.messages[PRACTICE][0], channel=PRACTICE)
        told = await slack.until(lambda: slack.responses and slack.responses[0])
        assert slack_desk.NOT_A_LINE in json.dumps(told)


async def test_a_thumb_that_is_taken_back_counts_no_more(slack: SlackServer, bot: Bot) -> None:
    when = await slack.say(QUESTION)
    await bot.turns(PRACTICE, 2)
    said = slack.posts()[0]["ts"]
    await slack.react("+1", PRACTICE, said)
    await slack.react("-1", PRACTICE, said, user="U0BEN")
    await bot.opinions(2)
    await slack.take_back("-1", PRACTICE, said)  # never given: this one is Ben's
    await slack.take_back("tada", PRACTICE, said)
    await slack.take_back("+1", PRACTICE, when)
    await slack.take_back("+1::skin-tone-4", PRACTICE, said)
    (left,) = await bot.opinions_are(1)
    assert (left.kind, left.author_hash) == (FeedbackKind.DOWN, hash_user("slack", "U0BEN", HASH_SECRET))
    # All in one burst: they keep their order.
    for _ in range(10):
        await slack.react("+1", PRACTICE, said)
        await slack.take_back("+1", PRACTICE, said)
    await slack.take_back("-1", PRACTICE, said, user="U0BEN")
    await bot.opinions_are(0)


# The manifest.


async def test_growth_is_shown_to_its_teacher_alone(slack: SlackServer, tmp_path: Path) -> None:
    slack.groups["S0PROFS"] = ["U0PROF"]
    async with running(slack, settings(slack, tmp_path, GUARDED)) as bot:
        await slack.say(QUESTION)
        await bot.turns(PRACTICE, 2)
        text, shown = await answer(slack, "growth")
        assert wrong_blocks(shown["blocks"]) == ""
        assert "Your 1 practice in 1 week" in text
        assert "Helps that moved" not in text, "the child's mind is for professors here"
        assert "nothing to look back on" in (await answer(slack, "growth", user="U0PROF"))[0]
        await slack.say("How did you get that?", user="U0PROF")
        await bot.turns(PRACTICE, 4)
        assert "Helps that moved" in (await answer(slack, "growth", user="U0PROF"))[0]


def test_a_link_can_be_pressed() -> None:
    ((*_, link),) = blocks.shown(Shown("Come in.", link="https://pupil.example.edu/in?t=a&b"))
    assert link["text"]["text"] == "<https://pupil.example.edu/in?t=a&amp;b>"
    assert wrong_blocks([link]) == ""


def test_the_manifest_is_what_slack_takes() -> None:
    features = MANIFEST["features"]
    assert all(len(each["name"]) <= 24 and len(each["description"]) <= 150 for each in features["shortcuts"])
    assert {each["callback_id"] for each in features["shortcuts"]} == {
        blocks.RATE,
        blocks.BETTER_LINE,
        blocks.DEBRIEF,
    }
    assert [each["command"] for each in features["slash_commands"]] == ["/student"]
    hint = features["slash_commands"][0]["usage_hint"]
    assert {each.name for each in SUBCOMMANDS} == set(hint.split(" | "))
    assert len(MANIFEST["display_information"]["name"]) <= 35
    assert MANIFEST["settings"]["socket_mode_enabled"]
    assert MANIFEST["settings"]["interactivity"]["is_enabled"]


async def practised(slack: SlackServer, bot: Bot) -> None:
    await slack.say(QUESTION)
    await slack.until(slack.posts)


async def in_private(slack: SlackServer, bot: Bot, channel: str, root: str | None) -> None:
    more = {"thread_ts": root} if root else {}
    await slack.say(f"{MENTION} {QUESTION}", channel=channel, **more)
    await slack.until(lambda: slack.posts(channel))


Effect = Callable[[SlackServer, Bot], Awaitable[None]]
EFFECTS: dict[str, Effect] = {
    "app_home_opened": homely,
    "message.channels": practised,
    "message.groups": lambda slack, bot: in_private(slack, bot, "G0SECRET", None),
    "message.im": lambda slack, bot: in_private(slack, bot, DIRECT, None),
    "message.mpim": lambda slack, bot: in_private(slack, bot, "G0PARTY", None),
    "app_mention": lambda slack, bot: in_private(slack, bot, GENERAL, None),
}


async def thumbed(slack: SlackServer, bot: Bot) -> None:
    slack.subscribed.add("message.channels")
    await slack.say(QUESTION)
    await bot.turns(PRACTICE, 2)
    slack.subscribed.discard("message.channels")
    await slack.react("+1", PRACTICE, slack.posts()[0]["ts"])
    await bot.opinions(1)


async def thought_better(slack: SlackServer, bot: Bot) -> None:
    slack.subscribed.add("reaction_added")
    await thumbed(slack, bot)
    slack.subscribed.discard("reaction_added")
    await slack.take_back("+1", PRACTICE, slack.posts()[0]["ts"])
    await bot.opinions_are(0)


EFFECTS |= {"reaction_added": thumbed, "reaction_removed": thought_better}


@pytest.mark.parametrize("event", MANIFEST["settings"]["event_subscriptions"]["bot_events"])
async def test_each_subscribed_event_is_used(slack: SlackServer, bot: Bot, event: str) -> None:
    slack.subscribed = {event}
    await EFFECTS[event](slack, bot)


async def test_the_scopes_are_those_used(slack: SlackServer, tmp_path: Path) -> None:
    slack.groups["S0PROFS"] = []
    slack.put("What is 20 plus 3?")
    async with running(slack, settings(slack, tmp_path, GUARDED)) as bot:
        await bot.turns(PRACTICE, 2)
        await slack.until(lambda: slack.made("reactions.remove"))
        await answer(slack, "lesson 2.MD.C.7-clock", channel=DIRECT)
        await answer(slack, "new")
        await slack.react("+1", PRACTICE, slack.posts()[0]["ts"])
        for channel in ("G0SECRET", "G0PARTY", DIRECT):
            await in_private(slack, bot, channel, None)
    assert slack.scopes_used == SCOPES == set(MANIFEST["oauth_config"]["scopes"]["bot"])
    assert set(MANIFEST["settings"]["event_subscriptions"]["bot_events"]) == set(EVENT_SCOPES) == set(EFFECTS)


async def test_a_missing_scope_is_named(
    slack: SlackServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    slack.granted.discard("reactions:write")
    slack.granted.discard("usergroups:read")
    async with running(slack, settings(slack, tmp_path)) as bot:
        await slack.say(QUESTION)
        await bot.turns(PRACTICE, 2)
    said = caplog.text + "".join(capsys.readouterr())
    assert "reactions:write" in said
    assert "usergroups:read" in said


# Signed requests.


def free_port() -> int:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as found:
        return int(found.getsockname()[1])


@pytest_asyncio.fixture
async def http(slack: SlackServer, tmp_path: Path) -> AsyncIterator[Bot]:
    port = free_port()
    slack.http_url = f"http://127.0.0.1:{port}/slack/events"
    async with running(slack, settings(slack, tmp_path, mode="http", port=port)) as started:
        assert not slack.made("apps.connections.open")
        yield started


async def test_signed_requests_do_all_that_the_socket_does(slack: SlackServer, http: Bot) -> None:
    await slack.say(QUESTION)
    await http.turns(PRACTICE, 2)
    assert "Models" in (await answer(slack, "model"))[0]
    await slack.command("rate")
    view = await slack.until(lambda: slack.views and slack.views[0])
    await slack.submit(view, dict.fromkeys(RUBRIC, 3))
    await slack.until(lambda: slack.ephemeral)
    await slack.react("-1", PRACTICE, slack.posts()[0]["ts"])
    await http.opinions(1)
    status, body = await slack.post(
        "events_api", {"type": "url_verification", "challenge": "c123", "token": "x"}
    )
    assert (status, "c123" in body) == (200, True)


async def test_slacks_retry_is_answered_once(slack: SlackServer, http: Bot) -> None:
    await slack.say(QUESTION)
    headers = {"X-Slack-Retry-Num": "1", "X-Slack-Retry-Reason": "http_timeout"}
    status, _ = await slack.post("events_api", slack.envelopes[-1].payload, headers=headers)
    assert status == 200
    await slack.say("Why?")
    await http.turns(PRACTICE, 4)


async def test_forged_and_stale_requests_are_refused(slack: SlackServer, http: Bot) -> None:
    event = slack.put(QUESTION)
    payload = {"type": "event_callback", "event": event, "event_id": "Ev1", "team_id": "T0SCHOOL"}
    assert (await slack.post("events_api", payload, secret="not Slack's"))[0] == 401
    assert (await slack.post("events_api", payload, age=6 * 60))[0] == 401
    assert (await slack.post("events_api", payload, age=-6 * 60))[0] == 401
    for headers in ({"X-Slack-Signature": ""}, {"X-Slack-Request-Timestamp": "soon"}):
        assert (await slack.post("events_api", payload, headers=headers))[0] == 401
    assert (await slack.post("slash_commands", {"ssl_check": "1", "command": "/student"}, secret="no"))[
        0
    ] == 401
    async with aiohttp.ClientSession() as session:
        for body in (b"", b"{", b"\xff\xfe", b"payload=%7B"):
            async with session.post(str(slack.http_url), data=body) as refused:
                assert refused.status == 401
    await slack.say("Why?")
    turns = await http.turns(PRACTICE, 2)
    assert turns[0].content == "Why?"


async def test_a_port_in_use_is_one_clear_line(slack: SlackServer, tmp_path: Path) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as taken:
        chosen = settings(slack, tmp_path, mode="http", port=taken.getsockname()[1])
        async with running(slack, chosen) as bot:
            error = await ending(bot.serving)
    assert isinstance(error, PlatformError)
    assert "slack.port" in str(error)


async def test_without_a_signing_secret_nothing_is_served(slack: SlackServer, tmp_path: Path) -> None:
    chosen = settings(slack, tmp_path, mode="http").model_copy(update={"slack_signing_secret": None})
    async with running(slack, chosen) as bot:
        assert "SLACK_SIGNING_SECRET is not set" in str(await ending(bot.serving))


# As a process.


async def start(folder: Path, token: str = BOT_TOKEN) -> asyncio.subprocess.Process:
    """The program with the settings in `folder`."""
    command = (*forked("bot"), "run", "--config", str(folder / "config.toml"))
    secrets = {"SLACK_BOT_TOKEN": token, "SLACK_APP_TOKEN": APP_TOKEN, "PUPIL_HASH_SECRET": "s" * 32}
    environment = {**os.environ, **secrets, "OPENAI_API_KEY": "sk-test"}
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment, stderr=pipe)


async def end(program: asyncio.subprocess.Process) -> str:
    """What the program wrote; it must be ending by itself."""
    try:
        _, errors = await asyncio.wait_for(program.communicate(), 30)
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    return errors.decode()


async def test_the_program_answers_and_stops_when_told(slack: SlackServer, tmp_path: Path) -> None:
    async with OpenAIServer() as words:
        model = f'[models.cloud]\nprovider = "compatible"\nmodel = "test"\nbase_url = "{words.base_url}"\n'
        chosen = '[student]\nmodel = "cloud"\nfallback = "cloud"\n[metrics]\nport = 0\n'
        settings(slack, tmp_path, model + chosen)
        program = await start(tmp_path)
        try:
            await slack.until(lambda: slack.connections, 30)
            await slack.say(QUESTION)
            await slack.until(slack.posts, 30)
            words.enqueue(text="It is 45.", delay=1.0)
            before = len(words.requests)
            await slack.say("Tell me again: what is 52 minus 17?")
            await slack.until(lambda: len(words.requests) > before)
        finally:
            program.send_signal(signal.SIGTERM)
            wrote = await end(program)
        assert program.returncode == 0, wrote
        assert "Traceback" not in wrote
        assert QUESTION not in wrote
        assert len(slack.posts()) == 2, "what was in hand was answered"


async def test_the_program_with_a_bad_token_says_so_in_one_line(slack: SlackServer, tmp_path: Path) -> None:
    async with OpenAIServer() as words:
        model = f'[models.cloud]\nprovider = "compatible"\nmodel = "test"\nbase_url = "{words.base_url}"\n'
        settings(
            slack,
            tmp_path,
            model + '[student]\nmodel = "cloud"\nfallback = "cloud"\n[metrics]\nenabled = false\n',
        )
        program = await start(tmp_path, "xoxb-0000-stale-token")
        wrote = await end(program)
    assert program.returncode == 2
    last = wrote.strip().splitlines()[-1]
    assert last.startswith("pupil: SLACK_BOT_TOKEN")
    assert "Traceback" not in wrote
    assert "xoxb-0000" not in wrote


async def test_the_local_server_keeps_slacks_rules(slack: SlackServer) -> None:
    """Else the tests above would prove little."""
    async with aiohttp.ClientSession() as session:

        async def call(method: str, token: str = BOT_TOKEN, **given: Any) -> str:
            headers = {"Authorization": f"Bearer {token}"}
            async with session.post(slack.base_url + method, json=given, headers=headers) as response:
                answered = await response.json()
                return str(answered.get("error") or answered.get("url") or "ok")

        view = blocks.better_line_view(PRACTICE, "slack:1", "hi")
        assert await call("auth.test", "xoxb-other") == "invalid_auth"
        assert await call("chat.postMessage", channel="C0GONE", text="hi") == "channel_not_found"
        assert await call("views.open", trigger_id="made up", view=view) == "invalid_trigger_id"
        trigger = slack.trigger()
        slack.expire_triggers()
        assert await call("views.open", trigger_id=trigger, view=view) == "expired_trigger_id"
        slack.granted.discard("chat:write.customize")
        assert await call("chat.postMessage", channel=PRACTICE, text="hi", username="Mia") == "missing_scope"
        link = await call("apps.connections.open", APP_TOKEN)
        async with session.ws_connect(link) as line:
            assert (await line.receive_json())["type"] == "hello"
            await slack.say("Is anybody there?")
            first, second = await line.receive_json(), await line.receive_json()
            assert first["payload"]["event_id"] == second["payload"]["event_id"]
            assert (first["retry_attempt"], second["retry_attempt"]) == (0, 1)
            await line.send_json({"envelope_id": second["envelope_id"]})
            await slack.until(lambda: slack.envelopes[0].acked)
        slack.envelopes[0].acked = 1.0  # this app was slow on purpose, and rude
        slack.calls.clear()
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(link)
