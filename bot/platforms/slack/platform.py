"""Slack as a platform: what people say there becomes messages for the classroom, and its answers posts.

It knows the classroom and the commands; nothing of models and of the store. What was said is read in `heard`,
how answers look is in `answer`, commands and forms are in `desk`.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
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
from bot.platforms.manners import RateLimits
from bot.platforms.slack import SLACK, SlackSettings, blocks
from bot.platforms.slack.answer import Reply, Speaker
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
from bot.platforms.slack.heard import PAGE, Heard, Newest, said_since

log = structlog.get_logger(__name__)

SCOPES = frozenset(
    {
        "app_mentions:read",
        "channels:history",
        "chat:write",
        "chat:write.customize",
        "commands",
        "files:write",
        "groups:history",
        "im:history",
        "mpim:history",
        "reactions:read",
        "reactions:write",
        "usergroups:read",
    }
)
"""What the app must be granted; docs/slack-manifest.yaml asks for exactly these."""

FINISH_SECONDS = 3.0
ACK_SECONDS = 2.0
"""Slack waits three seconds to hear that an event was taken."""
LATELY = timedelta(days=1)
MOST_PLACES = 50
"""After a start, threads and direct messages are looked through where the child spoke within this time."""

NOTHING_SAID = "I can only read text: please write what you want to say to the child."


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
        self._taken = Newest()
        self._threads = Newest()
        self._order: WeakValueDictionary[tuple[str, str | None], asyncio.Lock] = WeakValueDictionary()

    async def serve(self) -> None:
        """Answer until cancelled; raise `PlatformError` where a token is missing or refused."""
        token, second = map(self._secret, SLACK.needs(self._settings))
        slack = self._slack
        async with new_session() as session:
            self._client = web_client(slack.base_url, token, session)
            once = web_client(slack.base_url, token, session, one_try=True)
            self._me = await identify(self._client)
            if missing := self._me.scopes and SCOPES - self._me.scopes:
                log.warning("Slack scopes missing", missing=sorted(missing), add="docs/slack-manifest.yaml")
            self._speaker = Speaker(self._client, once, self._spawn, pace=slack.pace)
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
        await self._speaker.show(Place(self.name, channel, None), Outgoing(text, None))

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
        # As the listener's middleware: what it does is done before Slack is told that the event was taken.
        app.event("message", middleware=[self._on_message])(_ignore)
        app.event("app_mention", middleware=[self._on_message])(_ignore)
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
        try:
            await self._classroom.take_up(
                PLATFORM,
                lambda left: Reply(
                    self._speaker, Place(PLATFORM, left.channel, left.thread), _time_of(left.key)
                ),
            )
        except Exception:
            log.exception("what was left behind could not be taken up")
        await self._hear_missed(self._ready)

    async def _hear_missed(self, ready: asyncio.Event) -> None:
        try:
            for place in reversed(await self._classroom.places(PLATFORM)):
                if place.thread is not None:
                    self._threads[place.channel, place.thread] = True
            if self._slack.catch_up_minutes:
                await self._catch_up()
        finally:
            ready.set()

    async def _catch_up(self) -> None:
        """In the practice channels, and where the child spoke lately: directly, or in a thread."""
        oldest = f"{time.time() - 60 * self._slack.catch_up_minutes:.6f}"
        lately: dict[str, list[str]] = {channel: [] for channel in self._slack.practice_channels}
        for place in (await self._classroom.places(PLATFORM, within=LATELY))[:MOST_PLACES]:
            lately.setdefault(place.channel, []).extend([place.thread] if place.thread else [])
        for channel, threads in lately.items():
            everything = channel in self._practice or channel.startswith("D")
            try:
                missed = await said_since(self._client, channel, oldest, threads, all_of_it=everything)
            except PlatformError as error:
                log.warning("channel not read", channel=channel, reason=str(error))
                continue
            keys = [message_id(heard.channel, heard.time) for heard in missed]
            unknown = await self._classroom.unknown(keys)
            for key, heard in zip(keys, missed, strict=True):
                if key in unknown:
                    await self._hear(heard, missed=True)

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

    async def _on_message(self, event: dict[str, Any], next: Callable[[], Awaitable[None]]) -> None:  # noqa: A002 - bolt's name
        if event.get("subtype") == "message_deleted":
            gone = message_id(str(event.get("channel")), str(event.get("deleted_ts")))
            await self._classroom.unsay(gone)
        # An edit that adds a mention fires app_mention: still no new message.
        heard = None if event.get("edited") else Heard.of(event, str(event.get("channel") or ""))
        if heard is not None:
            # In the store before Slack is told so: what it was not told of, it says again.
            await asyncio.wait([self._spawn(self._hear_in_turn(heard))], timeout=ACK_SECONDS)
        await next()

    async def _hear_in_turn(self, heard: Heard) -> None:
        await self._ready.wait()
        await self._hear(heard)

    async def _hear(self, heard: Heard, *, missed: bool = False) -> None:
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
            await self._take(heard, place, missed=missed)

    async def _take(self, heard: Heard, place: Place, *, missed: bool) -> None:
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
        reply = Reply(self._speaker, place, heard.time, heard.user)
        await self._classroom.take(message, reply, missed=missed)

    async def _place_for(self, heard: Heard) -> Place | None:
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

    async def _is_in(self, heard: Heard, thread: str) -> bool:
        """Whether the child was spoken to in this thread, or spoke there, ever: Slack knows over restarts."""
        known = self._threads.get((heard.channel, thread))
        if known is False:
            # Another replica may have been called there meanwhile.
            return await self._classroom.has_been_in(Place(PLATFORM, heard.channel, thread))
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


def _time_of(key: str) -> str:
    return key.rpartition(":")[2]


async def _ignore(ack: AsyncAck) -> None:
    await ack()
