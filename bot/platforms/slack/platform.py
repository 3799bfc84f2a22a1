"""Slack as a platform: what people say there becomes messages for the classroom, and its answers posts.

It knows the classroom and the commands; nothing of models and of the store. The wire is `connection`, markup
`blocks`, commands and forms `desk`.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from weakref import WeakValueDictionary

import structlog
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.async_app import AsyncAck
from slack_bolt.authorization import AuthorizeResult

from bot.classroom import Classroom
from bot.commands import Commands
from bot.config import Settings
from bot.messages import Message, Outgoing, Place, clean_text
from bot.platforms.base import PlatformError
from bot.platforms.manners import LABEL, RateLimits, speaking_seconds
from bot.platforms.slack import SLACK, SlackSettings, blocks
from bot.platforms.slack.connection import (
    PLATFORM,
    asked,
    identify,
    message_id,
    new_session,
    quiet,
    serve_http,
    serve_socket,
    web_client,
)
from bot.platforms.slack.desk import SlackDesk

log = structlog.get_logger(__name__)

SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "chat:write",
        "chat:write.customize",
        "commands",
        "groups:history",
        "im:history",
        "mpim:history",
        "reactions:read",
        "reactions:write",
        "usergroups:read",
    }
)
"""What the app must be granted; docs/slack-manifest.yaml asks for exactly these."""

EYES = "eyes"
ICON = ":child:"
FRESH = frozenset({None, "file_share", "thread_broadcast"})
"""Subtypes that are something a person says; all others are edits, joins and notes of Slack's own."""

REMEMBERED = 5_000
PAGE = 200
MOST_PAGES = 5
FINISH_SECONDS = 3.0

NOTHING_SAID = "I can only read text: please write what you want to say to the child."


@dataclass(frozen=True, slots=True)
class _Heard:
    """A fresh message of a person. `thread` is the time of the thread's first message, None outside."""

    channel: str
    time: str
    thread: str | None
    user: str
    text: str
    direct: bool

    @classmethod
    def of(cls, event: Mapping[str, Any], channel: str) -> _Heard | None:
        """None for what bots, Slack itself, and people's edits and joins make."""
        user, when, thread = event.get("user"), event.get("ts"), event.get("thread_ts")
        if not user or not when or user == "USLACKBOT":
            return None
        if event.get("subtype") not in FRESH or event.get("bot_id") or event.get("hidden"):
            return None
        return cls(
            channel=channel,
            time=str(when),
            thread=None if thread in {None, when} else str(thread),
            user=str(user),
            text=str(event.get("text") or ""),
            direct=channel.startswith("D"),
        )


class _Newest(OrderedDict[tuple[str, str], bool]):
    """What is known of the newest messages or threads; the oldest are forgotten."""

    def __setitem__(self, key: tuple[str, str], value: bool) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > REMEMBERED:
            self.popitem(last=False)


class SlackPlatform:
    """One workspace. `serve` it; it is of no use afterwards."""

    name = "slack"

    def __init__(self, settings: Settings, classroom: Classroom, commands: Commands) -> None:
        self._settings = settings
        self._slack = settings.section(SlackSettings)
        self._classroom = classroom
        self._commands = commands
        self._limits = RateLimits(settings.limits)
        self._practice = frozenset(self._slack.practice_channels)
        self._begun = False
        self._ready = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._taken = _Newest()
        self._threads = _Newest()
        self._order: WeakValueDictionary[tuple[str, str | None], asyncio.Lock] = WeakValueDictionary()

    async def serve(self) -> None:
        """Answer until cancelled; raise `PlatformError` where a token is missing or refused."""
        token, second = map(self._secret, SLACK.needs(self._settings))
        slack = self._slack
        async with new_session() as session:
            self._client = web_client(slack.base_url, token, session)
            self._me = await identify(self._client)
            if missing := self._me.scopes and SCOPES - self._me.scopes:
                log.warning("Slack scopes missing", missing=sorted(missing), add="docs/slack-manifest.yaml")
            self._desk = SlackDesk(self._settings, self._commands, self._client)
            app = self._app(token)
            try:
                if slack.mode == "socket":
                    await serve_socket(app, self._client, second, self._connected)
                else:
                    await serve_http(app, second, slack.host, slack.port, self._connected)
            finally:
                await self._finish()

    async def announce(self, channel: str, text: str) -> None:
        """Say `text` in the channel of that id; raise `PlatformError`."""
        await self.show(Place(self.name, channel, None), Outgoing(text, None))

    async def ready(self) -> None:
        """Wait until everything left behind is in hand, and messages are answered as they come."""
        await self._ready.wait()

    def _secret(self, variable: str) -> str:
        value = self._settings.key(variable)
        if value is None or not value.get_secret_value().strip():
            raise PlatformError(f"{variable} is not set: put it into .env; docs/slack.md says where it is")
        return value.get_secret_value().strip()

    def _app(self, token: str) -> AsyncApp:
        async def authorize() -> AuthorizeResult:
            me = self._me
            return AuthorizeResult(
                enterprise_id=None, team_id=me.team_id, bot_id=me.bot, bot_user_id=me.user, bot_token=token
            )

        app = AsyncApp(
            logger=quiet("bolt"),
            client=web_client(self._slack.base_url, None, self._client.session),
            authorize=authorize,
            # Signatures are checked before a body is even parsed: see `connection`.
            request_verification_enabled=False,
            attaching_conversation_kwargs_enabled=False,
        )
        app.event("message")(self._on_message)
        app.event("app_mention")(self._on_message)
        self._desk.listen(app)
        app.event(re.compile(".*"))(_ignore)
        app.action(re.compile(".*"))(_ignore)
        return app

    # Start and end.

    def _connected(self) -> None:
        if self._begun:
            # The connection was away for long, and Slack does not try for ever to tell what happened.
            self._ready = asyncio.Event()
            self._spawn(self._hear_missed(self._ready))
        else:
            self._begun = True
            self._spawn(self._begin())

    async def _begin(self) -> None:
        """What a crash left behind, then what was said meanwhile, then what comes in."""
        recovering = self._classroom.recover(
            PLATFORM,
            lambda left: _Reply(self, Place(PLATFORM, left.channel, left.thread), _time_of(left.key)),
        )
        self._spawn(_counted("answered what was left behind", recovering))
        await self._hear_missed(self._ready)

    async def _hear_missed(self, ready: asyncio.Event) -> None:
        try:
            if self._slack.catch_up_minutes:
                for channel in self._slack.practice_channels:
                    await self._catch_up(channel)
        finally:
            ready.set()

    async def _catch_up(self, channel: str) -> None:
        oldest = f"{time.time() - 60 * self._slack.catch_up_minutes:.6f}"
        try:
            found = await self._read(channel, oldest)
            for root in [each for each in found if float(each.get("latest_reply") or 0) > float(oldest)]:
                found += await self._read(channel, oldest, thread=root["ts"])
        except PlatformError as error:
            log.warning("practice channel not read", channel=channel, reason=str(error))
            return
        for event in sorted(found, key=lambda each: float(each["ts"])):
            if heard := _Heard.of(event, channel):
                await self._hear(heard, missed=True)

    async def _read(self, channel: str, oldest: str, thread: str | None = None) -> list[dict[str, Any]]:
        """Messages since `oldest`, of the channel or of one thread; a thousand at most."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = await asked(
                self._client.conversations_history(channel=channel, oldest=oldest, limit=PAGE, cursor=cursor)
                if thread is None
                else self._client.conversations_replies(
                    channel=channel, ts=thread, oldest=oldest, limit=PAGE, cursor=cursor
                )
            )
            found += page.get("messages") or []
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                break
        return found

    async def _finish(self) -> None:
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=FINISH_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` beside the rest; what goes wrong in it is logged and concerns nobody else."""

        async def guarded() -> None:
            try:
                await work
            except PlatformError as error:
                log.info("Slack call failed", reason=str(error))
            except Exception:
                log.exception("Slack task failed")

        task = asyncio.create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # Messages.

    async def _on_message(self, event: dict[str, Any]) -> None:
        if event.get("edited"):  # an edit that adds a mention fires app_mention: still no new message
            return
        if heard := _Heard.of(event, str(event.get("channel") or "")):
            await self._ready.wait()
            await self._hear(heard)

    async def _hear(self, heard: _Heard, *, missed: bool = False) -> None:
        if heard.user == self._me.user:
            return
        # Whether a thread is ours may take a question to Slack. Meanwhile nobody may jump the queue.
        lane = (heard.channel, heard.thread)
        lock = self._order.get(lane) or self._order.setdefault(lane, asyncio.Lock())
        async with lock:
            place = await self._place_for(heard)
            if place is None or (heard.channel, heard.time) in self._taken:
                return
            self._taken[heard.channel, heard.time] = True  # message and app_mention both come
            self._take(heard, place, missed=missed)

    def _take(self, heard: _Heard, place: Place, *, missed: bool) -> None:
        text, key = clean_text(blocks.plain(heard.text)), message_id(heard.channel, heard.time)
        if not missed:
            admission = self._limits.admit(heard.user, heard.channel, key)
            notice = admission.notice if text or not admission.admitted else NOTHING_SAID
            if notice:
                self._spawn(self._desk.whisper(heard.channel, heard.user, notice, heard.thread))
            if not admission.admitted:
                return
        if not text:
            return
        message = Message(
            key=key,
            platform=PLATFORM,
            channel=heard.channel,
            thread=place.thread,
            author=heard.user,
            text=text,
            sent_at=datetime.fromtimestamp(float(heard.time), UTC),
        )
        self._spawn(_done(self._classroom.receive(message, _Reply(self, place, heard.time))))

    async def _place_for(self, heard: _Heard) -> Place | None:
        """The conversation this message belongs to; None where it is not for us."""
        thread = heard.thread
        if not (heard.direct or heard.channel in self._practice):
            if blocks.mentions(heard.text, self._me.user):
                thread = thread or heard.time  # elsewhere each talk gets a thread, out of the others' way
            elif thread is None or not await self._is_in(heard, thread):
                return None
        place = Place(PLATFORM, heard.channel, thread)
        if thread is not None and not self._threads.get((heard.channel, thread)):
            self._threads[heard.channel, thread] = True
            try:
                await self._commands.follow_channel(place)
            except Exception as error:  # noqa: BLE001 - then the thread has the defaults, and is answered
                log.warning("thread begins with the defaults", reason=str(error))
        return place

    async def _is_in(self, heard: _Heard, thread: str) -> bool:
        """Whether the child was spoken to in this thread, or spoke there, ever: Slack knows over restarts."""
        known = self._threads.get((heard.channel, thread))
        if known is None:
            try:
                said = await asked(
                    self._client.conversations_replies(channel=heard.channel, ts=thread, limit=PAGE)
                )
            except PlatformError as error:
                log.warning("thread not read", reason=str(error))
                return False
            me = self._me
            known = any(
                each.get("bot_id") == me.bot or blocks.mentions(str(each.get("text") or ""), me.user)
                for each in said.get("messages") or []
            )
            if not known:
                self._threads[heard.channel, thread] = False
        return known

    async def show(self, place: Place, outgoing: Outgoing) -> str:
        """Post an answer; return the message's id."""
        under: dict[str, Any] = {}
        if outgoing.speaker:
            under = {"username": outgoing.speaker, "icon_emoji": ICON}
            if outgoing.first:
                under["attachments"] = [{"text": LABEL, "fallback": LABEL}]
            if self._slack.pace:
                await asyncio.sleep(speaking_seconds(outgoing.text))
        sent = await asked(
            self._client.chat_postMessage(
                channel=place.channel,
                text=blocks.fitted(outgoing.text, blocks.MESSAGE_CHARACTERS),
                thread_ts=place.thread,
                mrkdwn=False,
                link_names=False,
                unfurl_links=False,
                unfurl_media=False,
                **under,
            )
        )
        return message_id(place.channel, str(sent["ts"]))

    def eyes(self, channel: str, when: str) -> asyncio.Task[None]:
        """Show on a person's message that it is being thought about; nobody waits for it."""
        return self._spawn(
            _quietly(asked(self._client.reactions_add(channel=channel, timestamp=when, name=EYES)))
        )

    def close_eyes(self, channel: str, when: str, opened: asyncio.Task[None]) -> None:
        """Take the reaction away, once it is there."""

        async def close() -> None:
            await opened
            await _quietly(asked(self._client.reactions_remove(channel=channel, timestamp=when, name=EYES)))

        self._spawn(close())


class _Reply:
    """Shows the answer to one message of a person."""

    def __init__(self, slack: SlackPlatform, place: Place, when: str) -> None:
        self._slack = slack
        self._place = place
        self._when = when
        self._eyes: asyncio.Task[None] | None = None

    async def thinking(self) -> None:
        """Eyes on the message; the answer does not wait for them."""
        self._eyes = self._slack.eyes(self._place.channel, self._when)

    async def send(self, outgoing: Outgoing) -> str | None:
        """Post it where the message was, and take the eyes away; return the message's id."""
        try:
            return await self._slack.show(self._place, outgoing)
        finally:
            if self._eyes is not None:
                self._slack.close_eyes(self._place.channel, self._when, self._eyes)
                self._eyes = None


def _time_of(key: str) -> str:
    return key.rpartition(":")[2]


async def _ignore(ack: AsyncAck) -> None:
    await ack()


async def _quietly(call: Coroutine[Any, Any, Any]) -> None:
    """A decoration that fails is not worth more than a line for who looks for it."""
    try:
        await call
    except PlatformError as error:
        log.debug("not shown", reason=str(error))


async def _done(work: Coroutine[Any, Any, Any]) -> None:
    await work


async def _counted(what: str, work: Coroutine[Any, Any, int]) -> None:
    if count := await work:
        log.info(what, count=count)
