"""Discord, with the real library over real sockets against a local server, the real classroom and store."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
import pytest_asyncio
import structlog
from pydantic import SecretStr

from bot import config
from bot.classroom import Classroom
from bot.commands import Commands
from bot.messages import Shown
from bot.metrics import Metrics
from bot.models.base import Reply
from bot.models.registry import Models
from bot.opinions import RUBRIC
from bot.platforms.base import PlatformError
from bot.platforms.discord import platform as discord_platform
from bot.platforms.discord.commands import LOOK_BACK, MESSAGE_COMMAND, RATE
from bot.platforms.discord.commands import page as as_page
from bot.platforms.discord.platform import ONLY_TEXT, DiscordPlatform
from bot.platforms.manners import COMMANDS, LABEL
from bot.store import Store
from bot.store.identity import hash_user
from bot.store.rows import ClaimedMessage, ConversationRow, FeedbackRow, TurnRow
from bot.student.records.cue import Cue
from bot.student.voicing.voice import Shaped
from bot.subcommands import SUBCOMMANDS, Subcommand
from tests.fakes.discord_server import (
    APP,
    BOT,
    BOT_ROLE,
    CATEGORY,
    DIRECT,
    ELSEWHERE,
    IN_CATEGORY,
    MESSAGE_CONTENT,
    OTHER_BOT,
    PRACTICE,
    PROFESSOR_ROLE,
    STRANGER,
    TEACHER,
    TOKEN,
    DiscordServer,
    Recorded,
    ago,
)
from tests.fakes.forking import command as forked
from tests.fakes.models import InstantModel, InstantModels
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.openapi import ApiDescription
from tests.fakes.students import shipped

ROOT = Path(__file__).parents[2]
SECRET = b"a secret for tests"
QUESTION = "What is 52 minus 17?"
FILE = {
    "id": "8",
    "filename": "notes.txt",
    "size": 9,
    "url": "https://cdn.example/8",
    "proxy_url": "https://cdn.example/8",
}
POLL = {
    "question": {"text": "Which is more?"},
    "answers": [
        {"answer_id": 1, "poll_media": {"text": "52"}},
        {"answer_id": 2, "poll_media": {"text": "17"}},
    ],
    "expiry": "2027-03-01T12:00:00+00:00",
    "allow_multiselect": False,
    "layout_type": 1,
}
SUBTITLE = f"\n-# {LABEL}"


@dataclass(frozen=True, slots=True)
class Bot:
    """A running platform and what is behind it."""

    store: Store
    classroom: Classroom
    serving: asyncio.Task[None]
    platform: DiscordPlatform

    async def kept(self, channel: str, count: int, thread: str | None = None) -> list[TurnRow]:
        """The turns of a conversation, once `count` are logged: an answer is logged after it was shown."""
        async with asyncio.timeout(8):
            while True:
                conversation = await self.store.conversation("discord", channel, thread)
                if conversation.turns >= count:
                    assert conversation.turns == count
                    return await self.store.turns(conversation.id, count)
                await asyncio.sleep(0.01)

    async def asked(self, channel: str, count: int, thread: str | None = None) -> list[str]:
        """What the teachers said in a conversation of `count` exchanges."""
        return [each.content for each in (await self.kept(channel, 2 * count, thread))[::2]]

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

    async def none_waits(self) -> None:
        """Wait until every message was answered or given up."""
        async with asyncio.timeout(8):
            while await self.store.unanswered():
                await asyncio.sleep(0.01)


def settings(
    server: DiscordServer, folder: Path, toml: str = "", practice: tuple[str, ...] = (PRACTICE, CATEGORY)
) -> config.Settings:
    """The settings as from a file, so that the file's own checks count."""
    file = folder / "config.toml"
    channels = json.dumps(practice)
    discord = f'[discord]\napi_base = "{server.api_base}"\npractice_channels = {channels}\n'
    file.write_text(f'data = "{ROOT / "data"}"\ndatabase = "{folder / "pupil.db"}"\n{discord}{toml}')
    loaded = config.load(file, environment_file=None)
    return loaded.model_copy(update={"discord_token": SecretStr(TOKEN)})


@asynccontextmanager
async def running(
    server: DiscordServer,
    folder: Path,
    toml: str = "",
    *,
    token: str = TOKEN,
    practice: tuple[str, ...] = (PRACTICE, CATEGORY),
) -> AsyncIterator[Bot]:
    """The platform as `bot.app` runs and stops it."""
    chosen = settings(server, folder, toml, practice).model_copy(update={"discord_token": SecretStr(token)})
    store = await Store.open(chosen.database_url)
    models = cast("Models", InstantModels())
    classroom = Classroom(chosen, store, models, Metrics(), *shipped(), SECRET)
    platform = DiscordPlatform(chosen, classroom, Commands(chosen, store, models, classroom))
    serving = asyncio.create_task(platform.serve())
    ready = asyncio.create_task(server.ready(len(server.identified) + 1))
    try:
        await asyncio.wait([ready, serving], return_when=asyncio.FIRST_COMPLETED)
        yield Bot(store, classroom, serving, platform)
    finally:
        ready.cancel()
        await classroom.aclose()
        serving.cancel()
        (ended, _) = await asyncio.gather(serving, ready, return_exceptions=True)
        await store.aclose()
        assert isinstance(ended, asyncio.CancelledError | PlatformError), repr(ended)


@pytest_asyncio.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DiscordServer]:
    monkeypatch.setattr(discord_platform, "GUILDS_WITHIN_SECONDS", 0.05)
    async with DiscordServer() as opened:
        yield opened
        for request in opened.requests:
            check_manners(request)
            if (description := api()) is not None:
                check(description, request)


@cache
def api() -> ApiDescription | None:
    folder = os.environ.get("PUPIL_API_SPECS")
    return ApiDescription(Path(folder) / "discord.json") if folder else None


def check_manners(request: Recorded) -> None:
    """No message pings anybody, and what is for one person is shown to that person alone."""
    if request.path.endswith("/callback"):
        body = request.body.get("data") or {}
        if request.body["type"] in (4, 5):
            assert body["flags"] & 64, request
        if request.body["type"] != 4:
            return
    elif request.method == "POST" and request.path.startswith(("/channels/", "/webhooks/")):
        if not request.path.startswith("/webhooks/") and not request.path.endswith("/messages"):
            return
        body = request.body
        if request.path.startswith(f"/webhooks/{APP}/"):
            assert body["flags"] & 64, request
    else:
        return
    assert body["allowed_mentions"]["parse"] == []
    assert not body["allowed_mentions"].get("replied_user")


def check(description: ApiDescription, request: Recorded) -> None:
    body = request.body
    if isinstance(body, dict):
        # discord.py sends these ids as numbers, which Discord takes and its description does not.
        body = dict(body)
        if reference := body.get("message_reference"):
            body["message_reference"] = {
                key: str(value) if key.endswith("_id") else value for key, value in reference.items()
            }
        if attachments := body.get("attachments"):
            body["attachments"] = [{**each, "id": str(each["id"])} for each in attachments]
        if request.path == "/users/@me/channels":
            body["recipient_id"] = str(body["recipient_id"])
    media = "multipart/form-data" if request.files else "application/json"
    description.check(request.method, request.path, request.query, body, media)


# What is answered.


async def test_in_a_practice_channel_the_child_answers_everybody(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with running(server, tmp_path) as bot:
        await server.say(PRACTICE, QUESTION)
        (first,) = await server.answers(PRACTICE, 1)
        assert "45" in first or "35" in first  # the idea that it holds nearly always shows
        assert first.endswith(SUBTITLE)
        (message,) = server.sent(PRACTICE)
        assert message["author"]["username"] == "Mia"
        assert message["webhook_id"] in server.webhooks
        await server.say(PRACTICE, "Show me how you did it.", author=STRANGER)
        second = (await server.answers(PRACTICE, 2))[1]
        assert LABEL not in second
        await server.say(IN_CATEGORY, "Hi!")
        await server.answers(IN_CATEGORY, 1)
        kept = await bot.kept(PRACTICE, 4)
        assert kept[1].content + SUBTITLE == first
        assert kept[1].platform_message_id == f"discord:{PRACTICE}:{message['id']}"
        assert [each.author_hash for each in kept[::2]] == [
            hash_user("discord", each, SECRET) for each in (TEACHER, STRANGER)
        ]
    typed = [each.path for each in server.requests if each.path.endswith("/typing")]
    assert typed == [f"/channels/{each}/typing" for each in (PRACTICE, PRACTICE, IN_CATEGORY)]
    assert len(server.webhooks) == 2


async def test_elsewhere_only_who_speaks_to_the_child_is_answered(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with running(server, tmp_path) as bot:
        await server.say(ELSEWHERE, "Is anybody here?")
        await server.say(ELSEWHERE, f"<@{BOT}> {QUESTION}")
        (first,) = await server.answers(ELSEWHERE, 1)
        assert "45" in first or "35" in first  # the idea that it holds nearly always shows
        await server.say(ELSEWHERE, f"<@&{BOT_ROLE}> hello")
        await server.answers(ELSEWHERE, 2)
        await server.say(ELSEWHERE, "And now?")
        child = server.sent(ELSEWHERE)[0]
        reference = {"channel_id": ELSEWHERE, "message_id": child["id"]}
        await server.say(
            ELSEWHERE, "I mean you.", type=19, message_reference=reference, referenced_message=child
        )
        await server.answers(ELSEWHERE, 3)
        await server.say(ELSEWHERE, f"<@{BOT}>")
        assert "after the mention" in (await server.answers(ELSEWHERE, 4))[3]
        assert await bot.asked(ELSEWHERE, 3) == [QUESTION, "hello", "I mean you."]


async def test_a_direct_message_is_answered_under_the_bots_own_name(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with running(server, tmp_path):
        await server.say(DIRECT, QUESTION)
        (answer,) = await server.answers(DIRECT, 1)
    assert answer.startswith("**Mia:** ")
    assert answer.endswith(SUBTITLE)
    assert not server.webhooks


async def test_without_webhooks_the_bot_speaks_for_the_child(server: DiscordServer, tmp_path: Path) -> None:
    server.manage_webhooks = False
    async with running(server, tmp_path):
        await server.say(PRACTICE, QUESTION)
        (answer,) = await server.answers(PRACTICE, 1)
    assert answer.startswith("**Mia:** ")
    assert not any("webhooks" in each.path for each in server.requests)


async def test_a_webhook_is_found_again_and_made_anew_when_somebody_deleted_it(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with running(server, tmp_path):
        await server.say(PRACTICE, QUESTION)
        await server.answers(PRACTICE, 1)
    async with running(server, tmp_path):
        await server.say(PRACTICE, "Hello again!")
        await server.answers(PRACTICE, 2)
        assert len(server.webhooks) == 1
        server.webhooks.clear()
        await server.say(PRACTICE, "Where did you go?")
        assert (await server.answers(PRACTICE, 3))[2].startswith("**Mia:** ")
        await server.say(PRACTICE, "Ah, there you are.")
        await server.answers(PRACTICE, 4)
    assert [each["author"]["username"] for each in server.sent(PRACTICE)] == ["Mia", "Mia", "Pupil", "Mia"]


async def test_a_channel_that_takes_no_more_webhooks_is_asked_once(
    server: DiscordServer, tmp_path: Path
) -> None:
    server.fail("POST", f"/channels/{PRACTICE}/webhooks", 400, {"code": 30007, "message": "Maximum"}, times=9)
    async with running(server, tmp_path):
        for count in (1, 2):
            await server.say(PRACTICE, QUESTION)
            await server.answers(PRACTICE, count)
    assert sum(each.method == "POST" and each.path.endswith("/webhooks") for each in server.requests) == 1


async def test_a_thread_is_its_own_conversation_and_inherits_from_its_channel(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with running(server, tmp_path) as bot:
        await server.slash(PRACTICE, "child", name="eli")
        thread = await server.open_thread(PRACTICE)
        assert "**child**  eli" in (await server.slash(thread, "status")).text
        await server.say(thread, QUESTION)
        await server.answers(thread, 1)
        (message,) = server.sent(thread)
        assert message["author"]["username"] == "Eli"
        conversation = await bot.store.conversation("discord", PRACTICE, thread)
        assert conversation.child == "eli"
        assert await bot.asked(PRACTICE, 1, thread) == [QUESTION]
        assert (await bot.store.conversation("discord", PRACTICE, None)).turns == 0
    (executed,) = [
        each for each in server.requests if each.path.startswith(f"/webhooks/{message['webhook_id']}")
    ]
    assert executed.query["thread_id"] == thread


async def test_in_a_thread_once_spoken_to_the_child_stays_also_after_a_restart(
    server: DiscordServer, tmp_path: Path
) -> None:
    thread, other = server.add_thread(ELSEWHERE), server.add_thread(ELSEWHERE)
    async with running(server, tmp_path):
        await server.say(thread, "Nobody asked the child.")
        await server.say(thread, f"<@{BOT}> {QUESTION}")
        await server.answers(thread, 1)
        await server.say(thread, "Are you sure?")
        await server.answers(thread, 2)
        await server.until(lambda: thread in server.joined)
    async with running(server, tmp_path):
        await server.say(other, "Nobody asked here.")
        await server.say(thread, "Let us go on.")
        await server.answers(thread, 3)
    assert not server.sent(other)


async def test_bots_webhooks_joins_edits_and_empty_messages_are_not_answered(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with running(server, tmp_path) as bot:
        await server.say(PRACTICE, QUESTION)
        await server.answers(PRACTICE, 1)
        await server.say(PRACTICE, "I am a bot.", author=OTHER_BOT)
        await server.say(PRACTICE, "I am a webhook.", webhook_id="77")
        await server.say(PRACTICE, "", type=7)
        await server.say(PRACTICE, "")
        await server.say(PRACTICE, "pinned", type=6)
        await server.say(PRACTICE, "An edit", heard=False)
        await server.dispatch("MESSAGE_UPDATE", server.messages[PRACTICE][-1])
        await server.say(PRACTICE, "Thank you!")
        await server.answers(PRACTICE, 2)
        assert await bot.asked(PRACTICE, 2) == [QUESTION, "Thank you!"]


@pytest.mark.parametrize(
    "unread",
    [
        {
            "flags": 1 << 13,
            "attachments": [
                {**FILE, "filename": "voice-message.ogg", "duration_secs": 2.0, "waveform": "AAAA"}
            ],
        },
        {"attachments": [{**FILE, "filename": "worksheet.png", "width": 9, "height": 9}]},
        {"sticker_items": [{"id": "9", "name": "Wave", "format_type": 1}]},
        {"poll": POLL},
    ],
    ids=["voice", "picture", "sticker", "poll"],
)
async def test_what_no_child_can_read_is_told_kindly_what_it_can(
    server: DiscordServer, tmp_path: Path, unread: dict[str, Any]
) -> None:
    async with running(server, tmp_path) as bot:
        await server.say(DIRECT, "", **unread)
        assert await server.answers(DIRECT, 1) == [ONLY_TEXT]
        await server.say(DIRECT, QUESTION)
        assert await bot.asked(DIRECT, 1) == [QUESTION]


async def test_of_what_is_forwarded_the_words_are_heard(server: DiscordServer, tmp_path: Path) -> None:
    forwarded = {
        "type": 0,
        "content": QUESTION,
        "embeds": [],
        "attachments": [],
        "mentions": [],
        "mention_roles": [],
        "timestamp": "2026-03-01T12:00:00+00:00",
        "edited_timestamp": None,
        "flags": 0,
        "components": [],
    }
    async with running(server, tmp_path) as bot:
        await server.say(PRACTICE, "", message_snapshots=[{"message": forwarded}])
        assert await bot.asked(PRACTICE, 1) == [QUESTION]
        wordless = {**forwarded, "content": "", "attachments": [FILE]}
        await server.say(PRACTICE, "", message_snapshots=[{"message": wordless}])
        await server.until(lambda: ONLY_TEXT in server.sent(PRACTICE)[-1]["content"])


async def test_an_event_that_comes_twice_is_answered_once(server: DiscordServer, tmp_path: Path) -> None:
    async with running(server, tmp_path):
        await server.say(PRACTICE, QUESTION)
        await server.repeat(PRACTICE)
        await server.answers(PRACTICE, 1)
        await server.dispatch("MESSAGE_CREATE", server.messages[PRACTICE][0])
        await server.say(PRACTICE, "Hello?")
        assert len(await server.answers(PRACTICE, 2)) == 2
    assert len(server.sent(PRACTICE)) == 2


async def test_the_order_of_messages_stays(server: DiscordServer, tmp_path: Path) -> None:
    asked = [f"What is {number} minus 1?" for number in range(30, 42)]
    thread = server.add_thread(PRACTICE)
    async with running(server, tmp_path, "[limits]\nper_user_minute = 100") as bot:
        for each in asked:
            await server.say(PRACTICE, each)
            await server.say(thread, each)
        await server.answers(PRACTICE, len(asked))
        await server.answers(thread, len(asked))
        assert await bot.asked(PRACTICE, len(asked)) == asked
        assert await bot.asked(PRACTICE, len(asked), thread) == asked


async def test_mentions_and_emojis_reach_the_child_as_words(server: DiscordServer, tmp_path: Path) -> None:
    async with running(server, tmp_path) as bot:
        said = f"<@{BOT}> hi @everyone, show <@{STRANGER}> in <#{PRACTICE}> <:wave:123>\u202e\x00"
        await server.say(ELSEWHERE, said)
        assert await bot.asked(ELSEWHERE, 1) == ["hi everyone, show a friend in the channel :wave:"]


@pytest.mark.parametrize(
    "address",
    ["anna.lee@hereford.edu", "anna\\_lee@hereford.edu", "**anna.lee**@hereford.edu", "mum@everyone.example"],
)
async def test_signs_inside_an_address_do_not_hide_it(
    server: DiscordServer, tmp_path: Path, address: str
) -> None:
    async with running(server, tmp_path) as bot:
        await server.say(PRACTICE, f"write to {address} please")
        assert [each.content for each in await bot.kept(PRACTICE, 1)] == ["write to [email] please"]


async def test_who_says_too_much_is_kindly_told_once(server: DiscordServer, tmp_path: Path) -> None:
    async with running(server, tmp_path, "[limits]\nper_user_minute = 2"):
        for number in range(5):
            await server.say(PRACTICE, f"What is {number} plus 1?")
        await server.answers(PRACTICE, 3)
        await server.say(PRACTICE, "Hello!", author=STRANGER)
        answers = await server.answers(PRACTICE, 4)
    (notice,) = [each for each in server.sent(PRACTICE) if "One moment" in each["content"]]
    assert notice["author"]["id"] == BOT
    assert len(answers) == 4
    (asked,) = [each.body for each in server.requests if "message_reference" in (each.body or ())]
    assert str(asked["message_reference"]["message_id"]) == server.messages[PRACTICE][2]["id"]


async def test_with_a_pace_the_child_takes_its_time(
    server: DiscordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.platforms.manners.speaking_seconds", lambda _: 0.4)
    file = tmp_path / "paced"
    file.mkdir()
    loop = asyncio.get_running_loop()
    async with running(server, file, "pace = true"):
        await server.say(PRACTICE, QUESTION)
        await server.until(lambda: any(each.path.endswith("/typing") for each in server.requests))
        began = loop.time()
        await server.answers(PRACTICE, 1)
        assert loop.time() - began >= 0.35


async def test_a_notice_comes_from_the_bot_not_from_the_child(server: DiscordServer, tmp_path: Path) -> None:
    async with running(server, tmp_path):
        await server.say(PRACTICE, "Are you a real person or an AI?")
        await server.answers(PRACTICE, 1)
    (notice,) = server.sent(PRACTICE)
    assert notice["author"]["id"] == BOT


async def test_a_very_long_answer_is_cut_at_a_word(
    server: DiscordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.student.voicing.voice.plain", lambda *_, **__: "sandwich " * 400)
    monkeypatch.setattr("bot.student.voicing.voice.shape", lambda *_, **__: Shaped("", "not to be said"))
    async with running(server, tmp_path):
        await server.say(PRACTICE, QUESTION)
        await server.say(DIRECT, QUESTION)
        (long,) = await server.answers(PRACTICE, 1)
        (longer,) = await server.answers(DIRECT, 1)
    assert 1980 < len(long) <= 2000
    assert 1980 < len(longer) <= 2000
    assert long.endswith("sandwich…" + SUBTITLE)


# /student


async def test_the_commands_are_declared_with_options_and_choices(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with running(server, tmp_path):
        student, *menu = server.commands
    assert student["name"] == "student"
    assert {(each["name"], each["type"]) for each in menu} == {
        (MESSAGE_COMMAND, 3),
        (RATE, 3),
        (LOOK_BACK, 3),
    }
    by_name = {each["name"]: each for each in student["options"]}
    assert set(by_name) == {each.name for each in SUBCOMMANDS}
    completed = ("model", "child", "lesson", "scenario")
    assert all(by_name[each]["options"][0]["autocomplete"] for each in completed)
    privacy = by_name["privacy"]["options"][0]
    assert [each["value"] for each in privacy["choices"]] == ["on", "off", "export", "forget"]


async def test_a_command_from_the_table_needs_no_declaration_here(
    server: DiscordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def wave(whom: str | None) -> Shown:
        return Shown(f"waves at {whom or 'all'}")

    waves = Subcommand("wave", "[whom]", "wave at somebody", lambda *given: wave(given[-1]))
    monkeypatch.setattr("bot.platforms.discord.commands.SUBCOMMANDS", (*SUBCOMMANDS, waves))
    async with running(server, tmp_path):
        (declared,) = [each for each in server.commands[0]["options"] if each["name"] == "wave"]
        assert declared["description"] == "wave at somebody"
        assert "waves at Bo" in (await server.slash(PRACTICE, "wave", text="Bo")).text
        assert "waves at all" in (await server.slash(PRACTICE, "wave")).text


async def test_every_command_answers_privately_and_in_time(server: DiscordServer, tmp_path: Path) -> None:
    async with running(server, tmp_path) as bot:
        await server.say(PRACTICE, QUESTION)
        await bot.kept(PRACTICE, 2)
        names = ("model", "child", "lesson", "status", "help")
        shown = {name: await server.slash(PRACTICE, name) for name in names}
        assert "base" in shown["model"].text
        assert "mia (current)" in shown["child"].text
        assert "more are not shown" in shown["lesson"].text
        assert "**model**  starter" in shown["status"].text
        assert "believes" in shown["status"].text
        assert "privacy" in shown["help"].text
        assert "simulated" in (await server.slash(PRACTICE, "about")).text
        assert "May your turns be used for training?" in (await server.slash(PRACTICE, "privacy")).text
        assert "other" in (await server.slash(PRACTICE, "model", name="other")).text
        assert "is now" in (await server.slash(PRACTICE, "lesson", lesson="2.oa.a.1-stories")).text
        assert "fresh" in (await server.slash(PRACTICE, "new")).text
        conversation = await bot.store.conversation("discord", PRACTICE, None)
        assert (conversation.model, conversation.lesson) == ("other", "2.OA.A.1-stories")
        assert conversation.turns == 0
        wrong = await server.slash(PRACTICE, "child", name="mai")
        assert "No child 'mai'; did you mean mia" in wrong.text
        assert "Lessons" in (await server.slash(PRACTICE, "lesson", lesson="water")).text
    for each in shown.values():
        assert each.callback is not None
        assert each.callback["type"] == 5


async def test_a_practice_is_rated_and_looked_back_on_from_a_messages_menu(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with running(server, tmp_path) as bot:
        await server.say(PRACTICE, QUESTION)
        await bot.kept(PRACTICE, 2)
        said = server.sent(PRACTICE)[0]["id"]
        form = await server.menu(PRACTICE, RATE, said)
        assert form.modal["title"] == "How was it? (1 of 2)"
        looked = await server.menu(PRACTICE, LOOK_BACK, said)
        await server.until(lambda: looked.text)
        assert "Your practice with Mia" in looked.text


async def test_a_practice_ends_for_all_and_is_looked_back_on_by_one(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with running(server, tmp_path) as bot:
        await server.say(PRACTICE, QUESTION)
        await bot.kept(PRACTICE, 2)
        shown = await server.slash(PRACTICE, "done")
        assert "Your practice with Mia" in shown.text
        (_, told) = await server.answers(PRACTICE, 2)
        assert "This practice has ended." in told
        assert "Your practice" not in told
        assert (await bot.store.conversation("discord", PRACTICE, None)).turns == 0


async def test_completion_offers_what_fits(server: DiscordServer, tmp_path: Path) -> None:
    async with running(server, tmp_path):
        (model,) = await server.complete(PRACTICE, "model", "name", "oth")
        assert model["value"] == "other"
        (child,) = await server.complete(PRACTICE, "child", "name", "ELI")
        assert child["value"] == "eli"
        lessons = await server.complete(PRACTICE, "lesson", "lesson", "subtract")
        assert {"2.NBT.B.5-subtract", "2.NBT.B.7-subtract-zeros"} <= {each["value"] for each in lessons}
        assert 1 <= len(await server.complete(PRACTICE, "lesson", "lesson", "")) <= 25
        assert await server.complete(PRACTICE, "model", "name", "nothing like it") == []
        (scenario,) = await server.complete(PRACTICE, "scenario", "scenario", "upset theo")
        assert scenario["value"] == "in-front-of-all"
        (assigned,) = await server.complete(PRACTICE, "scenario", "scenario", "assign upset theo")
        assert assigned["value"] == "assign in-front-of-all"
        assert len(await server.complete(PRACTICE, "scenario", "scenario", "")) == 25


async def test_only_those_named_may_change_what_all_see(server: DiscordServer, tmp_path: Path) -> None:
    professors = f'["{PROFESSOR_ROLE}"]'
    toml = f'[permissions]\nusers = ["{STRANGER}"]\nroles = {professors}\nstage_roles = {professors}'
    async with running(server, tmp_path, toml) as bot:
        for name, options in (
            ("model", {"name": "other"}),
            ("child", {"name": "eli"}),
            ("lesson", {"lesson": "2.OA.A.1-stories"}),
            ("scenario", {"scenario": "pairs"}),
            ("scenario", {"scenario": "assign pairs"}),
            ("again", {"text": "1"}),
            ("new", {}),
        ):
            denied = await server.slash(PRACTICE, name, **options)
            assert "only the people named" in denied.text
        assert (await bot.store.conversation("discord", PRACTICE, None)).model is None
        assert "base" in (await server.slash(PRACTICE, "model")).text
        assert "Lessons" in (await server.slash(PRACTICE, "lesson", lesson="water")).text
        assert "launch a task" in (await server.slash(PRACTICE, "scenario")).text
        assert await bot.store.tries.assignment("discord", PRACTICE) is None
        assert "now uses" in (await server.slash(PRACTICE, "model", user=STRANGER, name="other")).text
        by_role = await server.slash(PRACTICE, "new", roles=[PROFESSOR_ROLE])
        assert "fresh" in by_role.text
        assert "Eli" in (await server.slash(DIRECT, "child", name="eli")).text
        await server.say(PRACTICE, QUESTION)
        await bot.kept(PRACTICE, 2)
        assert "believes" not in (await server.slash(PRACTICE, "status")).text
        assert "believes" in (await server.slash(PRACTICE, "status", roles=[PROFESSOR_ROLE])).text
        assigns = await server.slash(PRACTICE, "scenario", user=STRANGER, scenario="assign pairs")
        assert "begins with" in assigns.text
        assert await bot.store.tries.assignment("discord", PRACTICE) == "pairs"
        assert "Write to Eli" in (await server.slash(PRACTICE, "new", user=STRANGER)).text


async def test_what_is_deleted_here_is_blanked_in_the_log(server: DiscordServer, tmp_path: Path) -> None:
    async with running(server, tmp_path) as bot:
        said = [await server.say(PRACTICE, QUESTION) for _ in range(2)]
        [turn, *_] = await bot.kept(PRACTICE, 4)

        async def left(count: int) -> None:
            async with asyncio.timeout(8):
                while len(await bot.store.turns(turn.conversation_id, 9)) != count:
                    await asyncio.sleep(0.01)

        where = {"channel_id": PRACTICE, "guild_id": server.messages[PRACTICE][0].get("guild_id")}
        await server.dispatch("MESSAGE_DELETE", {**where, "id": said[0]})
        await left(2)
        await server.dispatch("MESSAGE_DELETE_BULK", {**where, "ids": [said[1]]})
        await left(0)


async def test_a_paid_model_is_for_those_named_in_direct_messages_too(
    server: DiscordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(InstantModels, "paid", lambda _self, name: name == "other")
    toml = f'[permissions]\nusers = ["{STRANGER}"]'
    async with running(server, tmp_path, toml):
        assert "costs money" in (await server.slash(DIRECT, "model", name="other")).text
        assert "now uses" in (await server.slash(DIRECT, "model", name="base")).text
        assert "now uses" in (await server.slash(PRACTICE, "model", user=STRANGER, name="other")).text


async def test_commands_of_one_person_have_a_limit(server: DiscordServer, tmp_path: Path) -> None:
    async with running(server, tmp_path, "[limits]\ncommands_minute = 2"):
        said = [(await server.slash(PRACTICE, "privacy", choice="forget")).text for _ in range(3)]
        assert [COMMANDS in each for each in said] == [False, False, True]
        assert "Lessons" in (await server.slash(PRACTICE, "lesson", user=STRANGER)).text


async def test_privacy_is_kept_exported_and_forgotten(server: DiscordServer, tmp_path: Path) -> None:
    async with running(server, tmp_path) as bot:
        await server.slash(PRACTICE, "privacy", choice="on")
        for number in range(10):
            await server.say(PRACTICE, f"What is {number + 20} minus 7? " + "Think about it. " * 10)
        await bot.kept(PRACTICE, 20)
        exported = await server.slash(PRACTICE, "privacy", choice="export")
        kept = json.loads(exported.files[0])
        assert len(kept["turns"]) == 10
        assert kept["consents"][0]["state"] == "on"
        assert "Forgotten" in (await server.slash(PRACTICE, "privacy", choice="forget")).text
        small = await server.slash(PRACTICE, "privacy", choice="export")
        assert json.loads(small.files[0])["turns"] == []


async def test_what_all_see_changed_is_told_to_all(server: DiscordServer, tmp_path: Path) -> None:
    async with running(server, tmp_path):
        changes: tuple[tuple[str, dict[str, str]], ...] = (
            ("new", {}),
            ("child", {"name": "eli"}),
            ("model", {"name": "other"}),
        )
        shown = [(await server.slash(PRACTICE, line, **told)).text for line, told in changes]
        assert [f"-# {each}" for each in shown] == await server.answers(PRACTICE, count := len(changes))
        await server.slash(PRACTICE, "child")
        await server.slash(PRACTICE, "child", name="nobody")
        await server.slash(DIRECT, "new")
        assert (len(server.sent(PRACTICE)), server.sent(DIRECT)) == (count, [])


async def test_the_page_on_the_table_is_shown_with_its_words(server: DiscordServer, tmp_path: Path) -> None:
    async with running(server, tmp_path):
        shown = await server.slash(PRACTICE, "lesson", lesson="2.MD.C.7-clock")
        assert "long hand is on 10" in shown.text
        await server.answers(PRACTICE, 1)
        with_files = [each for each in server.requests if each.files]
        assert len(with_files) == 2, "to who asked, and to all"
        for request in with_files:
            (content,) = request.files.values()
            assert content.startswith(b"\x89PNG")
            assert "long hand is on 10" in request.body["attachments"][0]["description"]
        alone = await server.slash(DIRECT, "scenario", scenario="forty-five")
        assert len(alone.files) == 1
        assert "52 - 17 = 45" in alone.text


async def test_without_leave_to_attach_a_change_is_told_all_the_same(
    server: DiscordServer, tmp_path: Path
) -> None:
    forbidden = {"code": 50013, "message": "Missing Permissions"}
    server.fail("POST", f"/channels/{PRACTICE}/messages", 403, forbidden)
    async with running(server, tmp_path):
        await server.slash(PRACTICE, "lesson", lesson="2.MD.C.7-clock")
        assert "2.MD.C.7-clock" in (await server.answers(PRACTICE, 1))[0]


async def test_growth_comes_with_a_picture_for_its_teacher_alone(
    server: DiscordServer, tmp_path: Path
) -> None:
    more = f'[permissions]\nstage_roles = ["{PROFESSOR_ROLE}"]\n'
    async with running(server, tmp_path, more) as bot:
        await server.say(PRACTICE, QUESTION)
        await bot.kept(PRACTICE, 2)
        shown = await server.slash(PRACTICE, "growth", roles=[PROFESSOR_ROLE])
        assert "Your 1 practice in 1 week" in shown.text
        assert "Helps that moved the child" in shown.text
        (picture,) = shown.files
        assert picture.startswith(b"\x89PNG")
        assert shown.shown[0]["flags"] & 64, "to nobody else"
        assert "Helps that moved" not in (await server.slash(PRACTICE, "growth")).text
        assert "nothing to look back on" in (await server.slash(PRACTICE, "growth", user=STRANGER)).text
        assert "no web classroom here" in (await server.slash(PRACTICE, "web")).text


def test_a_link_is_shown_without_a_preview_that_would_open_it() -> None:
    shown = as_page(Shown("Come in.", hint="Once.", link="https://pupil.example.edu/in?t=a_b_c"))
    assert shown == "Come in.\n<https://pupil.example.edu/in?t=a_b_c>\n-# Once."


async def test_a_debrief_comes_with_picture_and_page_for_its_teacher_alone(
    server: DiscordServer, tmp_path: Path
) -> None:
    more = f'[permissions]\nstage_roles = ["{PROFESSOR_ROLE}"]\n'
    async with running(server, tmp_path, more) as bot:
        await server.say(PRACTICE, QUESTION)
        await bot.kept(PRACTICE, 2)
        shown = await server.slash(PRACTICE, "debrief", roles=[PROFESSOR_ROLE])
        assert "Your practice with Mia" in shown.text
        assert "**Try next**" in shown.text
        picture, page = shown.files
        assert picture.startswith(b"\x89PNG")
        assert QUESTION in page.decode()
        assert shown.shown[0]["flags"] & 64, "to nobody else"
        assert "**Try next**" not in (await server.slash(PRACTICE, "debrief")).text
        assert "nothing to look back on" in (await server.slash(PRACTICE, "debrief", user=STRANGER)).text
        assert "is kept as" in (await server.slash(PRACTICE, "debrief", turn=1, move="transfer")).text
        assert "move TURN MOVE" in (await server.slash(PRACTICE, "debrief", turn=1)).text
        assert "move TURN MOVE" in (await server.slash(PRACTICE, "debrief", move="asks")).text
        assert "/student debrief" in (await server.slash(PRACTICE, "new")).text


async def test_a_rating_takes_two_forms_also_over_a_restart(server: DiscordServer, tmp_path: Path) -> None:
    async with running(server, tmp_path) as bot:
        await server.say(PRACTICE, QUESTION)
        await bot.kept(PRACTICE, 2)
        first = await server.slash(PRACTICE, "rate")
        labels = [each["label"] for each in first.modal["components"]]
        assert labels == [each.capitalize() for each in RUBRIC[:5]]
        half = await server.submit(PRACTICE, first, ["1", "2", "3", "4", "5"])
        assert "5 of 9" in half.text
    async with running(server, tmp_path) as bot:
        second = await server.press(PRACTICE, half)
        assert len(second.modal["components"]) == 5
        done = await server.submit(PRACTICE, second, ["5", "4", "3", "2", "Very much like my Ella."])
        assert "Thank you" in done.text
        (rating,) = await bot.store.ratings((await bot.store.conversation("discord", PRACTICE, None)).id)
    assert [rating.scores[each] for each in RUBRIC] == [1, 2, 3, 4, 5, 5, 4, 3, 2]
    assert rating.comment == "Very much like my Ella."
    assert (rating.model, rating.model_version) == ("base", "instant-1")
    assert rating.author_hash == hash_user("discord", TEACHER, SECRET)


async def test_a_form_that_was_opened_before_a_restart_still_counts(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with running(server, tmp_path) as bot:
        said = await server.say(PRACTICE, QUESTION)
        await bot.kept(PRACTICE, 2)
        first = await server.slash(PRACTICE, "rate")
        answer = server.sent(PRACTICE)[0]
        assert answer["id"] != said
        better = await server.menu(PRACTICE, MESSAGE_COMMAND, answer["id"])
    async with running(server, tmp_path) as bot:
        half = await server.submit(PRACTICE, first, ["1", "2", "3", "4", "5"])
        second = await server.press(PRACTICE, half)
        assert "kept" in (await server.submit(PRACTICE, better, ["um, 45?"])).text
    async with running(server, tmp_path) as bot:
        done = await server.submit(PRACTICE, second, ["5", "4", "3", "2", ""])
        assert "Thank you" in done.text
        (rating,) = await bot.store.ratings((await bot.store.conversation("discord", PRACTICE, None)).id)
        (opinion,) = await bot.opinions(1)
    assert [rating.scores[each] for each in RUBRIC] == [1, 2, 3, 4, 5, 5, 4, 3, 2]
    assert rating.comment is None
    assert opinion.text == "um, 45?"


async def test_a_broken_store_is_told_in_one_kind_line(
    server: DiscordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(server, tmp_path) as bot:

        async def broken(*_: object) -> None:
            raise OSError("the disk is gone")

        monkeypatch.setattr(bot.store, "conversation", broken)
        assert "did not work just now" in (await server.slash(PRACTICE, "status")).text


async def test_a_slow_store_does_not_keep_discord_waiting(
    server: DiscordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(server, tmp_path) as bot:
        conversation, go_on = bot.store.conversation, asyncio.Event()

        async def slow(*place: str) -> ConversationRow:
            await go_on.wait()
            return await conversation(*place)

        monkeypatch.setattr(bot.store, "conversation", slow)
        asking = asyncio.create_task(server.slash(PRACTICE, "status"))
        await server.until(lambda: any(each.path.endswith("/callback") for each in server.requests))
        assert not asking.done()
        go_on.set()
        assert "**model**  starter" in (await asking).text


async def test_what_came_too_late_does_no_harm(server: DiscordServer, tmp_path: Path) -> None:
    async with running(server, tmp_path) as bot:
        for each in ("new", "rate"):
            await server.slash_late(PRACTICE, each)
        await server.until(lambda: sum(each.path.endswith("/callback") for each in server.requests) == 2)
        assert "simulated" in (await server.slash(PRACTICE, "about")).text
        assert not bot.serving.done()


# Feedback.


async def test_thumbs_and_better_words_are_kept_on_the_turn_also_after_a_restart(
    server: DiscordServer, tmp_path: Path
) -> None:
    thread = server.add_thread(PRACTICE)
    async with running(server, tmp_path) as bot:
        for channel in (PRACTICE, DIRECT, thread):
            await server.say(channel, QUESTION)
            await (bot.kept(PRACTICE, 2, thread) if channel == thread else bot.kept(channel, 2))
        first = server.sent(PRACTICE)[0]["id"]
        await server.react(PRACTICE, first, "\N{THUMBS DOWN SIGN}")
        await server.react(PRACTICE, first, "\N{PARTY POPPER}")
        await server.react(PRACTICE, first, "\N{THUMBS UP SIGN}", user=OTHER_BOT, is_bot=True)
        await server.react(PRACTICE, server.messages[PRACTICE][0]["id"], "\N{THUMBS UP SIGN}")
        assert [each.kind for each in await bot.opinions(1)] == ["down"]
    async with running(server, tmp_path) as bot:
        # The newest counts: up takes the place of down. A skin tone does not matter.
        await server.react(PRACTICE, first, "\N{THUMBS UP SIGN}\N{EMOJI MODIFIER FITZPATRICK TYPE-4}")
        await server.react(DIRECT, server.sent(DIRECT)[0]["id"], "\N{THUMBS UP SIGN}")
        await server.react(thread, server.sent(thread)[0]["id"], "\N{THUMBS DOWN SIGN}", user=STRANGER)
        form = await server.menu(PRACTICE, MESSAGE_COMMAND, first)
        assert form.modal["title"] == "This is not how a second grader talks"
        done = await server.submit(PRACTICE, form, ["um i think 45?"])
        assert "Thank you" in done.text
        opinions = await bot.opinions(4)
        turn = await bot.store.find_turn(f"discord:{PRACTICE}:{first}")
    assert turn is not None
    assert {(each.kind.value, each.text) for each in opinions if each.turn_id == turn.id} == {
        ("up", None),
        ("suggestion", "um i think 45?"),
    }
    assert sorted(each.kind.value for each in opinions) == ["down", "suggestion", "up", "up"]


async def test_a_thumb_that_is_taken_back_counts_no_more(server: DiscordServer, tmp_path: Path) -> None:
    up, down = "\N{THUMBS UP SIGN}", "\N{THUMBS DOWN SIGN}"
    async with running(server, tmp_path) as bot:
        await server.say(PRACTICE, QUESTION)
        await bot.kept(PRACTICE, 2)
        said = server.sent(PRACTICE)[0]["id"]
        await server.react(PRACTICE, said, up)
        await server.react(PRACTICE, said, down, user=STRANGER)
        await bot.opinions(2)
        await server.take_back(PRACTICE, said, down)  # never given: down is the stranger's
        await server.take_back(PRACTICE, said, "\N{PARTY POPPER}")
        await server.take_back(PRACTICE, server.messages[PRACTICE][0]["id"], up)
        await server.take_back(PRACTICE, said, up + "\N{EMOJI MODIFIER FITZPATRICK TYPE-4}")
        (left,) = await bot.opinions_are(1)
        assert (left.kind, left.author_hash) == ("down", hash_user("discord", STRANGER, SECRET))
        # All in one burst: they keep their order.
        for _ in range(10):
            await server.react(PRACTICE, said, up)
            await server.take_back(PRACTICE, said, up)
        await server.take_back(PRACTICE, said, down, user=STRANGER)
        await bot.opinions_are(0)


async def test_other_peoples_messages_have_no_better_words(server: DiscordServer, tmp_path: Path) -> None:
    async with running(server, tmp_path) as bot:
        await server.say(PRACTICE, "Are you a real person or an AI?")
        await server.answers(PRACTICE, 1)
        other = await server.menu(PRACTICE, MESSAGE_COMMAND, server.messages[PRACTICE][0]["id"])
        assert "not something the child said" in other.text
        notice = await server.menu(PRACTICE, MESSAGE_COMMAND, server.sent(PRACTICE)[0]["id"])
        done = await server.submit(PRACTICE, notice, ["um"])
        assert "not something the child said" in done.text
        assert await bot.opinions(0) == []


# The connection.


async def test_start_says_how_to_invite_the_bot(server: DiscordServer, tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        async with running(server, tmp_path):
            pass
    (url,) = [each["url"] for each in logs if each["event"] == "invite the bot"]
    assert f"client_id={APP}" in url
    assert "scope=bot+applications.commands" in url
    permissions = (1 << 10) | (1 << 11) | (1 << 15) | (1 << 16) | (1 << 29) | (1 << 38)
    assert f"permissions={permissions}" in url
    (identify,) = server.identified
    assert identify["intents"] == (1 << 0) | (1 << 9) | (1 << 10) | (1 << 12) | (1 << 13) | MESSAGE_CONTENT


async def test_start_tells_what_is_wrong_with_the_practice_channels(
    server: DiscordServer, tmp_path: Path
) -> None:
    server.manage_webhooks = False
    with structlog.testing.capture_logs() as logs:
        async with running(server, tmp_path, f'[permissions]\nusers = ["{TEACHER}"]'):
            await server.say(PRACTICE, QUESTION)
            await server.answers(PRACTICE, 1)
    missing = {each["channel"]: each["missing"] for each in logs if "permissions missing" in each["event"]}
    assert missing[int(PRACTICE)] == ["manage_webhooks"]
    assert int(ELSEWHERE) not in missing
    assert not any("not found" in each["event"] for each in logs)


async def test_a_practice_channel_that_is_not_there_is_named(server: DiscordServer, tmp_path: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        async with running(server, tmp_path, practice=(PRACTICE, "123")):
            await server.say(PRACTICE, QUESTION)
            await server.answers(PRACTICE, 1)
    assert [each["channel"] for each in logs if "not found" in each["event"]] == ["123"]


async def test_a_missing_intent_is_one_clear_line(server: DiscordServer, tmp_path: Path) -> None:
    server.intents_granted = ~MESSAGE_CONTENT
    async with running(server, tmp_path) as bot:
        with pytest.raises(PlatformError, match="switch on Message Content Intent"):
            await bot.serving


async def test_a_bad_token_is_one_clear_line(server: DiscordServer, tmp_path: Path) -> None:
    async with running(server, tmp_path, token="wrong") as bot:
        with pytest.raises(PlatformError, match="DISCORD_TOKEN"):
            await bot.serving


async def test_a_token_that_is_withdrawn_is_one_clear_line(server: DiscordServer, tmp_path: Path) -> None:
    async with running(server, tmp_path) as bot:
        await server.drop(4004)
        with pytest.raises(PlatformError, match="DISCORD_TOKEN"):
            await bot.serving


async def test_an_unreachable_discord_is_one_clear_line(tmp_path: Path) -> None:
    async with DiscordServer() as gone:
        chosen = settings(gone, tmp_path)
    nothing = cast("Any", None)  # nobody asks the classroom anything before the connection stands
    with pytest.raises(PlatformError, match="cannot be reached"):
        await DiscordPlatform(chosen, nothing, nothing).serve()


async def test_a_gateway_that_closes_before_it_said_hello_is_asked_again(
    server: DiscordServer, tmp_path: Path
) -> None:
    server.silent_connections = 1
    async with running(server, tmp_path) as bot:
        await server.say(PRACTICE, QUESTION)
        assert await bot.asked(PRACTICE, 1) == [QUESTION]


async def test_after_a_lost_connection_the_rest_is_heard_once(server: DiscordServer, tmp_path: Path) -> None:
    async with running(server, tmp_path):
        await server.say(PRACTICE, QUESTION)
        await server.answers(PRACTICE, 1)
        await server.ask_to_reconnect()
        await server.say(PRACTICE, "Are you still there?")
        await server.until(lambda: server.resumed == 1)
        await server.answers(PRACTICE, 2)
        await server.say(PRACTICE, "Good.")
        await server.answers(PRACTICE, 3)
        assert len(server.identified) == 1
    assert len(server.sent(PRACTICE)) == 3


async def test_when_discord_is_away_the_bot_comes_back_and_logs_one_line(
    server: DiscordServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(server, tmp_path):
        await server.say(PRACTICE, QUESTION)
        await server.answers(PRACTICE, 1)
        server.refused_connections = 1
        await server.drop(1011)
        await server.say(PRACTICE, "Are you still there?")
        await server.until(lambda: server.resumed == 1)
        assert len(await server.answers(PRACTICE, 2)) == 2
    (line,) = [each for each in caplog.records if "reconnect" in each.message]
    assert "503" in line.message
    assert line.exc_info is None


async def test_after_an_invalid_session_what_was_said_meanwhile_is_looked_up(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with running(server, tmp_path):
        await server.say(PRACTICE, QUESTION)
        await server.answers(PRACTICE, 1)
        await server.say(PRACTICE, "Nobody tells you of this.", heard=False)
        await server.invalidate()
        await server.until(lambda: len(server.identified) == 2)
        await server.answers(PRACTICE, 2)
    assert len(server.sent(PRACTICE)) == 2


async def test_after_an_invalid_session_what_was_missed_is_answered_before_what_comes_now(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with running(server, tmp_path) as bot:
        await server.say(PRACTICE, QUESTION)
        await server.answers(PRACTICE, 1)
        await server.say(PRACTICE, "Nobody tells you of this.", heard=False)
        await server.invalidate()
        await server.until(lambda: len(server.identified) == 2)
        # The bot has identified itself again, and does not know yet what it missed.
        await server.say(PRACTICE, "And now?")
        assert await bot.asked(PRACTICE, 3) == [QUESTION, "Nobody tells you of this.", "And now?"]
    assert len(server.sent(PRACTICE)) == 3


async def test_heartbeats_go_on(server: DiscordServer, tmp_path: Path) -> None:
    server.heartbeat_ms = 100
    async with running(server, tmp_path):
        await server.until(lambda: server.heartbeats >= 3)


async def test_discords_rate_limits_are_waited_for(server: DiscordServer, tmp_path: Path) -> None:
    async with running(server, tmp_path):
        server.limit("POST", "/webhooks/", 0.2)
        server.limit("POST", f"/channels/{DIRECT}/messages", 0.2)
        await server.say(PRACTICE, QUESTION)
        await server.say(DIRECT, QUESTION)
        await server.answers(PRACTICE, 1)
        await server.answers(DIRECT, 1)
    assert len(server.sent(PRACTICE)) == len(server.sent(DIRECT)) == 1


async def test_typing_that_discord_holds_back_holds_no_answer_back(
    server: DiscordServer, tmp_path: Path
) -> None:
    async with running(server, tmp_path):
        server.limit("POST", "/typing", 60.0)
        await server.say(PRACTICE, QUESTION)
        await server.answers(PRACTICE, 1)
        await server.say(PRACTICE, "How did you get that?")
        await server.answers(PRACTICE, 2)


async def test_a_forbidden_channel_fails_one_message_and_no_more(
    server: DiscordServer, tmp_path: Path
) -> None:
    server.manage_webhooks = False
    forbidden = {"code": 50013, "message": "Missing Permissions"}
    server.fail("POST", f"/channels/{PRACTICE}/", 403, forbidden, times=2)
    async with running(server, tmp_path) as bot:
        await server.say(PRACTICE, QUESTION)
        await server.say(IN_CATEGORY, QUESTION)
        await server.answers(IN_CATEGORY, 1)
        await server.until(lambda: sum(PRACTICE in each.path for each in server.requests) >= 2)
        await server.say(PRACTICE, "Better now?")
        await server.answers(PRACTICE, 1)
        await bot.none_waits()


async def test_what_is_announced_is_said_or_has_failed(server: DiscordServer, tmp_path: Path) -> None:
    async with running(server, tmp_path) as bot:
        await bot.platform.announce(PRACTICE, "This week 2 teachers practised.")
        assert await server.answers(PRACTICE, 1) == ["This week 2 teachers practised."]
        for unknown in ("404", "general"):
            with pytest.raises(PlatformError, match=f"Discord's channel {unknown}: "):
                await bot.platform.announce(unknown, "This week nobody did.")


async def test_undeclared_commands_do_not_keep_the_child_from_answering(
    server: DiscordServer, tmp_path: Path
) -> None:
    server.fail("PUT", "/commands", 403, {"code": 50001, "message": "Missing Access"})
    async with running(server, tmp_path):
        await server.say(PRACTICE, QUESTION)
        await server.answers(PRACTICE, 1)


# What was missed.


def left_behind(channel: str, asked: str, text: str, thread: str | None = None) -> ClaimedMessage:
    """What a crash leaves of the message `asked`."""
    key = f"discord:{thread or channel}:{asked}"
    author = hash_user("discord", TEACHER, SECRET)
    return ClaimedMessage(key, "discord", channel, thread, author, text, key, datetime.now(UTC))


async def test_what_a_crash_left_behind_is_answered(server: DiscordServer, tmp_path: Path) -> None:
    store = await Store.open(settings(server, tmp_path).database_url)
    thread = server.add_thread(PRACTICE)
    waiting = [
        left_behind(PRACTICE, await server.say(PRACTICE, QUESTION), QUESTION),
        left_behind(PRACTICE, await server.say(thread, "Hello thread."), "Hello thread.", thread),
        left_behind(DIRECT, await server.say(DIRECT, "Hello you."), "Hello you."),
    ]
    too_old = replace(left_behind(PRACTICE, "1", "Long ago."), created_at=ago(60 * 24))
    for each in (*waiting, too_old):
        assert await store.claim(each)
    await store.aclose()
    async with running(server, tmp_path) as bot:
        for channel in (PRACTICE, thread, DIRECT):
            await server.answers(channel, 1)
        await bot.none_waits()
        await server.say(PRACTICE, "And now?")
        assert await bot.asked(PRACTICE, 2) == [QUESTION, "And now?"]
    assert server.sent(thread)[0]["author"]["username"] == "Mia"
    assert [len(server.sent(each)) for each in (PRACTICE, thread, DIRECT)] == [2, 1, 1]


async def test_what_a_crash_left_behind_is_answered_before_what_comes_now(
    server: DiscordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply = InstantModel.reply

    async def slow(model: InstantModel, cue: Cue, *, seed: int | None) -> Reply:
        await asyncio.sleep(0.2)
        return await reply(model, cue, seed=seed)

    monkeypatch.setattr(InstantModel, "reply", slow)
    store = await Store.open(settings(server, tmp_path).database_url)
    asked = await server.say(PRACTICE, QUESTION)
    assert await store.claim(left_behind(PRACTICE, asked, QUESTION))
    await store.aclose()
    async with running(server, tmp_path) as bot:
        # The bot has identified itself, and does not know yet what is left.
        await server.say(PRACTICE, "And now?")
        assert await bot.asked(PRACTICE, 2) == [QUESTION, "And now?"]
    assert len(server.sent(PRACTICE)) == 2


async def test_what_was_said_while_the_bot_was_away_is_answered_if_it_is_new(
    server: DiscordServer, tmp_path: Path
) -> None:
    thread = server.add_thread(PRACTICE)
    async with running(server, tmp_path):
        await server.say(PRACTICE, "Heard and answered.")
        await server.answers(PRACTICE, 1)
    await server.say(PRACTICE, "Too old.", at=ago(30))
    server.messages[PRACTICE].sort(key=lambda each: int(each["id"]))
    await server.say(PRACTICE, "I am a bot.", author=OTHER_BOT)
    await server.say(PRACTICE, "Missed one.")
    await server.say(PRACTICE, "Missed two.")
    await server.say(thread, "Missed in the thread.")
    await server.say(ELSEWHERE, "None of your business.")
    async with running(server, tmp_path) as bot:
        await server.answers(PRACTICE, 3)
        await server.answers(thread, 1)
        assert await bot.asked(PRACTICE, 3) == ["Heard and answered.", "Missed one.", "Missed two."]
    assert not server.sent(ELSEWHERE)


async def test_catching_up_can_be_switched_off(server: DiscordServer, tmp_path: Path) -> None:
    await server.say(PRACTICE, "Missed.")
    async with running(server, tmp_path, "catch_up_minutes = 0"):
        await server.say(PRACTICE, QUESTION)
        await server.answers(PRACTICE, 1)
    assert len(server.sent(PRACTICE)) == 1
    assert not any(each.method == "GET" and each.path.endswith("/messages") for each in server.requests)


# As a process.


async def start(folder: Path, token: str) -> asyncio.subprocess.Process:
    """The program with the settings in `folder`."""
    command = (*forked("bot"), "run", "--config", str(folder / "config.toml"))
    secrets = {"DISCORD_TOKEN": token, "PUPIL_HASH_SECRET": "s" * 32, "OPENAI_API_KEY": "sk-test"}
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env={**os.environ, **secrets}, stderr=pipe
    )


async def end(program: asyncio.subprocess.Process) -> str:
    """What the program wrote; it must be ending by itself."""
    try:
        _, errors = await asyncio.wait_for(program.communicate(), 30)
    finally:
        if program.returncode is None:
            program.kill()
            await program.wait()
    return errors.decode()


async def test_the_program_answers_and_stops_when_told(server: DiscordServer, tmp_path: Path) -> None:
    async with OpenAIServer() as words:
        model = f'[models.cloud]\nprovider = "compatible"\nmodel = "test"\nbase_url = "{words.base_url}"\n'
        chosen = '[student]\nmodel = "cloud"\nfallback = "cloud"\n[metrics]\nport = 0\n'
        settings(server, tmp_path, f"{model}{chosen}[classroom]\nmoment_seconds = 60\n")
        program = await start(tmp_path, TOKEN)
        try:
            await server.until(lambda: server.identified, seconds=30)
            await server.say(PRACTICE, QUESTION)
            await server.until(lambda: server.sent(PRACTICE), seconds=30)
            words.enqueue(text="It is 45.", delay=1.0)
            await server.say(PRACTICE, "Tell me again: what is 52 minus 17?")
            await server.until(lambda: len(words.requests) > 1)
        finally:
            program.send_signal(signal.SIGTERM)
            errors = await end(program)
    assert program.returncode == 0, errors
    # What was in hand when the signal came was finished first.
    assert len(server.sent(PRACTICE)) == 2
    assert "Traceback" not in errors
    assert TOKEN not in errors


async def test_the_program_ends_with_one_line_when_the_token_is_wrong(
    server: DiscordServer, tmp_path: Path
) -> None:
    model = '[models.cloud]\nprovider = "compatible"\nmodel = "test"\nbase_url = "http://127.0.0.1:9"\n'
    chosen = '[student]\nmodel = "cloud"\nfallback = "cloud"\n[metrics]\nenabled = false\n'
    settings(server, tmp_path, f"{model}{chosen}[log]\nlevel = 'error'\n")
    errors = await end(program := await start(tmp_path, "wrong"))
    assert program.returncode == 2
    (line,) = errors.strip().splitlines()
    assert line.startswith("pupil: Discord does not know this DISCORD_TOKEN")


async def test_the_local_server_keeps_discords_rules(server: DiscordServer, tmp_path: Path) -> None:
    """Else the tests above would prove little."""
    async with running(server, tmp_path), aiohttp.ClientSession() as session:

        async def post(path: str, body: object) -> tuple[int, int]:
            headers = {"Authorization": f"Bot {TOKEN}"}
            async with session.post(server.api_base + path, json=body, headers=headers) as response:
                return response.status, (await response.json(content_type=None))["code"]

        none: dict[str, object] = {"allowed_mentions": {"parse": []}}
        assert await post(f"/channels/{PRACTICE}/messages", {"content": "a" * 2001, **none}) == (400, 50035)
        shown = await server.slash(PRACTICE, "help")
        callback = f"/interactions/{shown.id}/{shown.token}/callback"
        assert await post(callback, {"type": 5, "data": {"flags": 64}}) == (400, 40060)
        late = await server.slash_late(PRACTICE, "help")
        callback = f"/interactions/{late.id}/{late.token}/callback"
        assert await post(callback, {"type": 5, "data": {"flags": 64}}) == (404, 10062)
        follow_up = {"content": "too early", "flags": 64, **none}
        assert await post(f"/webhooks/{APP}/{late.token}", follow_up) == (404, 10015)


def test_requests_are_as_discord_describes_them() -> None:
    description = api()
    if description is None:
        pytest.skip("PUPIL_API_SPECS names no folder with Discord's API description (discord.json)")
    description.check("POST", "/channels/1/messages", {}, {"content": "45"})
    for bad in ({"content": 45}, {"content": "4" * 4001}):
        with pytest.raises(AssertionError, match="content"):
            description.check("POST", "/channels/1/messages", {}, bad)
    with pytest.raises(AssertionError, match="not in the description"):
        description.check("POST", "/channels/1/shout", {}, None)
