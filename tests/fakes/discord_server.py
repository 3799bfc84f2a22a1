"""Discord as far as Pupil uses it: REST and gateway on real local sockets, with one server full of channels.

It keeps Discord's rules (tokens and intents, 2,000 characters, three seconds for an interaction and one
answer to it, replay after a resume) and records every request; what a request must hold is the test's matter.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
import zlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from aiohttp import WSCloseCode, WSMsgType, web

Json = dict[str, Any]

TOKEN = "a-token-for-tests"
DISCORD_EPOCH_MS = 1_420_070_400_000
LONGEST = 2000
CALLBACK_SECONDS = 3.0

APP, BOT, OTHER_BOT = "900000000000000001", "900000000000000002", "900000000000000003"
TEACHER, STRANGER, OWNER = "500000000000000001", "500000000000000002", "500000000000000003"
GUILD, BOT_ROLE, PROFESSOR_ROLE = "700000000000000001", "700000000000000002", "700000000000000003"
CATEGORY, PRACTICE, ELSEWHERE = "800000000000000001", "800000000000000002", "800000000000000003"
IN_CATEGORY, DIRECT = "800000000000000004", "800000000000000005"

MESSAGE_CONTENT = 1 << 15
EPHEMERAL, LOADING = 1 << 6, 1 << 7
MANAGE_WEBHOOKS = 1 << 29
BASIC_PERMISSIONS = (1 << 10) | (1 << 11) | (1 << 15) | (1 << 16) | (1 << 38)

COMMAND, COMPONENT, COMPLETION, SUBMISSION = 2, 3, 4, 5
ALLOWED_ANSWERS = {COMMAND: (4, 5, 9), COMPONENT: (4, 5, 6, 7, 9), COMPLETION: (8,), SUBMISSION: (4, 5, 6, 7)}
DEFERRED, MODAL, UPDATE_LATER = 5, 9, 6
LABEL, TEXT_INPUT = 18, 4


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request; `body` is its JSON (of a form, the JSON part), `files` the form's files by name."""

    method: str
    path: str
    query: dict[str, str]
    authorization: str | None
    body: Any
    files: dict[str, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class Interaction:
    """One use of a command, button or form, and what came back."""

    id: str
    token: str
    kind: int
    began: float = field(default_factory=time.monotonic)
    callback: Json | None = None
    shown: list[Json] = field(default_factory=list)
    """Messages shown for it, first to last."""
    files: list[bytes] = field(default_factory=list)

    @property
    def modal(self) -> Json:
        """The form it opened."""
        assert self.callback is not None
        assert self.callback["type"] == MODAL, self.callback
        data: Json = self.callback["data"]
        return data

    @property
    def text(self) -> str:
        """The text of the last message shown for it."""
        return str(self.shown[-1]["content"])


@dataclass(slots=True)
class _Failure:
    method: str
    path: re.Pattern[str]
    status: int
    body: Any
    headers: dict[str, str]
    times: int


@dataclass(slots=True)
class _Session:
    id: str
    shard: int = 0
    count: int = 1
    socket: web.WebSocketResponse | None = None
    log: list[Json] = field(default_factory=list)

    def hears(self, guild: str | None) -> bool:
        """Whether events of that server reach this shard; direct messages reach shard 0."""
        return self.shard == (0 if guild is None else shard_of(guild, self.count))


def shard_of(guild: str, count: int) -> int:
    """Which of so many shards hears of a server."""
    return (int(guild) >> 22) % count


class DiscordServer:
    """Use as `async with DiscordServer() as server` and give `server.api_base` to the bot."""

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self.messages: dict[str, list[Json]] = {}
        """Everything said, by channel, oldest first."""
        self.commands: list[Json] = []
        """The application's commands as last declared."""
        self.threads: dict[str, str] = {}
        """Parent by thread."""
        self.joined: set[str] = set()
        """Threads the bot is a member of."""
        self.webhooks: dict[str, Json] = {}
        self.manage_webhooks = True
        self.refused_connections = 0
        """How many of the next connections to the gateway fail."""
        self.silent_connections = 0
        """How many after these are closed before a word is said."""
        self.intents_granted = ~0
        self.identified: list[Json] = []
        self.max_concurrency = 1
        self.homes: dict[str, str] = {}
        """Channels of other servers than `GUILD`, and whose they are."""
        self.resumed = 0
        self.heartbeats = 0
        self.heartbeat_ms = 40_000
        self._sessions: dict[str, _Session] = {}
        self._interactions: dict[str, Interaction] = {}
        self.posted: Callable[[], Awaitable[None]] | None = None
        """Called when a message was posted, before the bot hears so."""
        self._failures: list[_Failure] = []
        self._nonces: dict[str, Json] = {}
        self._sockets: dict[web.WebSocketResponse, Callable[[Json], bytes | str]] = {}
        self._count = 0
        self._changed = asyncio.Condition()
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def __aenter__(self) -> Self:
        app = web.Application()
        api = "/api/v10"
        app.router.add_get("/gateway/", self._gateway)
        app.router.add_get("/gateway", self._gateway)
        app.router.add_route("*", api + "/{rest:.*}", self._rest)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.drop(WSCloseCode.GOING_AWAY)
        assert self._runner is not None
        await self._runner.cleanup()

    @property
    def api_base(self) -> str:
        """What stands for https://discord.com/api/v10."""
        return f"http://127.0.0.1:{self._port}/api/v10"

    # What the test does and sees.

    async def until(self, condition: Callable[[], object], seconds: float = 8.0) -> None:
        """Wait until `condition` holds; it is looked at whenever something happens."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: bool(condition()))
        except TimeoutError:
            recent = [f"{each.method} {each.path} {each.body}" for each in self.requests[-8:]]
            raise AssertionError("it did not happen; the last requests:\n" + "\n".join(recent)) from None

    async def ready(self, times: int = 1) -> None:
        """Wait until the bot has identified `times` times and heard of its server."""
        await self.until(lambda: len(self.identified) >= times)

    def sent(self, channel: str) -> list[Json]:
        """What the bot said in a channel, as itself or through a webhook, oldest first."""
        return [each for each in self.messages.get(channel, []) if each.get("ours")]

    async def answers(self, channel: str, count: int) -> list[str]:
        """The texts of the bot's messages in a channel, once there are `count`."""
        await self.until(lambda: len(self.sent(channel)) >= count)
        return [each["content"] for each in self.sent(channel)]

    async def say(
        self,
        channel: str,
        content: str,
        *,
        author: str = TEACHER,
        roles: Sequence[str] = (),
        at: datetime | None = None,
        heard: bool = True,
        **extra: Any,
    ) -> str:
        """A person says something; give the message's id. With `heard` False no event tells of it."""
        message = self._message(channel, content, author, roles, at)
        message.update(extra)
        self.messages.setdefault(channel, []).append(message)
        if heard:
            await self.dispatch("MESSAGE_CREATE", message)
        return str(message["id"])

    async def repeat(self, channel: str) -> None:
        """Tell of the newest message of a channel once more."""
        await self.dispatch("MESSAGE_CREATE", self.messages[channel][-1])

    async def react(
        self, channel: str, message: str, emoji: str, *, user: str = TEACHER, is_bot: bool = False
    ) -> None:
        """Somebody puts an emoji under a message."""
        event: Json = {
            "user_id": user,
            "channel_id": channel,
            "message_id": message,
            "emoji": {"id": None, "name": emoji},
            "type": 0,
            "burst": False,
        }
        if channel != DIRECT:
            event |= {"guild_id": self._guild_of(channel), "member": self._member(user, (), is_bot=is_bot)}
        await self.dispatch("MESSAGE_REACTION_ADD", event)

    async def take_back(self, channel: str, message: str, emoji: str, *, user: str = TEACHER) -> None:
        """Somebody takes an emoji away again; Discord tells less of who it was."""
        event: Json = {
            "user_id": user,
            "channel_id": channel,
            "message_id": message,
            "emoji": {"id": None, "name": emoji},
            "type": 0,
            "burst": False,
        }
        if channel != DIRECT:
            event["guild_id"] = self._guild_of(channel)
        await self.dispatch("MESSAGE_REACTION_REMOVE", event)

    async def slash(
        self,
        channel: str,
        name: str,
        /,
        *,
        user: str = TEACHER,
        roles: Sequence[str] = (),
        **options: str | int,
    ) -> Interaction:
        """Use /student NAME; wait for the answer."""
        return await self._use(channel, COMMAND, _student(name, options), user, roles)

    async def slash_late(self, channel: str, command: str) -> Interaction:
        """Use /student COMMAND so that it reaches the bot when the three seconds are over."""
        data = _student(command, {})
        return await self._begin(channel, COMMAND, data, TEACHER, (), took=CALLBACK_SECONDS + 1)

    async def complete(self, channel: str, name: str, option: str, typed: str) -> list[Json]:
        """The choices offered while somebody types."""
        data = _student(name, {option: typed}, focused=True)
        interaction = await self._use(channel, COMPLETION, data, TEACHER, ())
        assert interaction.callback is not None
        choices: list[Json] = interaction.callback["data"]["choices"]
        return choices

    async def menu(self, channel: str, name: str, message: str) -> Interaction:
        """Use a command of a message's menu."""
        target = next(each for each in self.messages[channel] if each["id"] == message)
        data = {"id": "31", "name": name, "type": 3, "target_id": message}
        data["resolved"] = {"messages": {message: _public(target)}}
        return await self._use(channel, COMMAND, data, TEACHER, ())

    async def submit(self, channel: str, form: Interaction, values: Iterable[str]) -> Interaction:
        """Fill in a form that was opened and send it."""
        components = []
        for label, value in zip(form.modal["components"], values, strict=True):
            assert label["type"] == LABEL
            inner = label["component"]
            filled = {"type": inner["type"], "custom_id": inner["custom_id"], "id": 1}
            filled |= {"value": value} if inner["type"] == TEXT_INPUT else {"values": [value]}
            components.append({"type": LABEL, "id": 2, "component": filled})
        data = {"custom_id": form.modal["custom_id"], "components": components}
        return await self._use(channel, SUBMISSION, data, TEACHER, ())

    async def press(self, channel: str, shown: Interaction) -> Interaction:
        """Press the first button of what was shown last."""
        message = shown.shown[-1]
        button = message["components"][0]["components"][0]
        data = {"component_type": 2, "custom_id": button["custom_id"]}
        return await self._use(channel, COMPONENT, data, TEACHER, (), message=message)

    async def dispatch(self, event: str, data: Json) -> None:
        """Send an event to all connections that hear of its server, and keep it for a resume."""
        for session in list(self._sessions.values()):
            if session.hears(data.get("guild_id")):
                await self._tell(session, event, data)

    async def _tell(self, session: _Session, event: str, data: Json) -> None:
        packet = {"op": 0, "t": event, "s": len(session.log) + 1, "d": _public(data)}
        session.log.append(packet)
        if session.socket in self._sockets:
            await self._send(session.socket, packet)

    async def ask_to_reconnect(self) -> None:
        """Send op 7."""
        for socket in list(self._sockets):
            await self._send(socket, {"op": 7, "d": None})

    async def invalidate(self) -> None:
        """Send op 9: the session is over and cannot be resumed."""
        self._sessions.clear()
        for socket in list(self._sockets):
            await self._send(socket, {"op": 9, "d": False})

    async def drop(self, code: int) -> None:
        """Close the connection from this side."""
        for socket in list(self._sockets):
            await socket.close(code=code)

    def fail(
        self,
        method: str,
        path: str,
        status: int,
        body: Any = None,
        headers: dict[str, str] | None = None,
        *,
        times: int = 1,
    ) -> None:
        """Answer the next `times` requests whose path matches the pattern with an error."""
        wrong = body if body is not None else {"code": 0, "message": "No."}
        self._failures.append(_Failure(method, re.compile(path), status, wrong, headers or {}, times))

    def limit(self, method: str, path: str, seconds: float) -> None:
        """Answer the next such request with 429 and how long to wait."""
        body = {"message": "You are being rate limited.", "retry_after": seconds, "global": False}
        headers = {
            "Via": "1.1 google",
            "Retry-After": str(seconds),
            "X-RateLimit-Limit": "1",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset-After": str(seconds),
            "X-RateLimit-Reset": str(time.time() + seconds),
            "X-RateLimit-Bucket": "a-bucket",
        }
        self.fail(method, path, 429, body, headers)

    def add_thread(self, parent: str) -> str:
        """A public thread in a channel, known from the next connection on."""
        thread = self.snowflake()
        self.threads[thread] = parent
        return thread

    async def open_thread(self, parent: str) -> str:
        """A public thread that begins now."""
        thread = self.add_thread(parent)
        await self.dispatch("THREAD_CREATE", self._thread(thread))
        return thread

    def add_guild(self, shard: int, count: int) -> str:
        """One more server, which that one of so many shards hears of; give its one channel. Known from the next
        connection on."""
        guild = str((int(GUILD) >> 22) * (1 << 22))
        while shard_of(guild, count) != shard or guild in {GUILD, *self.homes.values()}:
            guild = str(int(guild) + (1 << 22))
        channel = self.snowflake()
        self.homes[channel] = guild
        return channel

    def _guild_of(self, channel: str) -> str:
        return self.homes.get(self.threads.get(channel, channel), GUILD)

    def snowflake(self, at: datetime | None = None) -> str:
        """A new id, of that moment."""
        self._count += 1
        ms = round((at or datetime.now(UTC)).timestamp() * 1000)
        return str(((ms - DISCORD_EPOCH_MS) << 22) | (self._count & 0x3FFFFF))

    # Payloads.

    def _message(
        self, channel: str, content: str, author: str, roles: Sequence[str], at: datetime | None = None
    ) -> Json:
        at = at or datetime.now(UTC)
        message: Json = {
            "id": self.snowflake(at),
            "channel_id": channel,
            "author": _user(author, is_bot=author in (BOT, OTHER_BOT)),
            "content": content,
            "timestamp": at.isoformat(),
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [_user(each, is_bot=each == BOT) for each in re.findall(r"<@!?(\d+)>", content)],
            "mention_roles": re.findall(r"<@&(\d+)>", content),
            "attachments": [],
            "embeds": [],
            "components": [],
            "pinned": False,
            "type": 0,
            "flags": 0,
        }
        if channel != DIRECT:
            message |= {
                "guild_id": self._guild_of(channel),
                "member": _without_user(self._member(author, roles)),
            }
        return message

    def _member(self, user: str, roles: Sequence[str], *, is_bot: bool = False) -> Json:
        return {
            "user": _user(user, is_bot=is_bot or user == BOT),
            "roles": list(roles),
            "nick": None,
            "avatar": None,
            "joined_at": "2026-01-01T00:00:00+00:00",
            "premium_since": None,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "permissions": "0",
        }

    def _other_guild(self, guild: str) -> Json:
        channels = [self._text_channel(each, "room") for each, home in self.homes.items() if home == guild]
        ours = self._guild()
        roles = [{**ours["roles"][0], "id": guild}, *ours["roles"][1:]]
        return {**ours, "id": guild, "roles": roles, "channels": channels, "threads": []}

    def _guild(self) -> Json:
        permissions = BASIC_PERMISSIONS | (MANAGE_WEBHOOKS if self.manage_webhooks else 0)
        return {
            "id": GUILD,
            "name": "Teachers College",
            "owner_id": OWNER,
            "roles": [
                _role(GUILD, "@everyone", 0),
                _role(BOT_ROLE, "Pupil", permissions) | {"managed": True, "tags": {"bot_id": BOT}},
                _role(PROFESSOR_ROLE, "Professors", 0),
            ],
            "emojis": [],
            "stickers": [],
            "features": [],
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "premium_tier": 0,
            "preferred_locale": "en-US",
            "system_channel_flags": 0,
            "unavailable": False,
            "large": False,
            "member_count": 3,
            "joined_at": "2026-01-01T00:00:00+00:00",
            "members": [self._member(BOT, (BOT_ROLE,))],
            "channels": [
                {"id": CATEGORY, "type": 4, "name": "practice", "position": 0, "permission_overwrites": []},
                self._text_channel(PRACTICE, "practice-room"),
                self._text_channel(ELSEWHERE, "elsewhere"),
                self._text_channel(IN_CATEGORY, "in-category", parent=CATEGORY),
            ],
            "threads": [self._thread(each) for each in self.threads],
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    def _text_channel(self, channel: str, name: str, parent: str | None = None) -> Json:
        said = self.messages.get(channel)
        return {
            "id": channel,
            "guild_id": self._guild_of(channel),
            "type": 0,
            "name": name,
            "position": 1,
            "parent_id": parent,
            "permission_overwrites": [],
            "topic": None,
            "nsfw": False,
            "last_message_id": said[-1]["id"] if said else None,
            "rate_limit_per_user": 0,
        }

    def _thread(self, thread: str) -> Json:
        said = self.messages.get(thread)
        payload: Json = {
            "id": thread,
            "guild_id": self._guild_of(thread),
            "parent_id": self.threads[thread],
            "owner_id": TEACHER,
            "type": 11,
            "name": "a thread",
            "message_count": len(said or ()),
            "member_count": 1,
            "last_message_id": said[-1]["id"] if said else None,
            "rate_limit_per_user": 0,
            "flags": 0,
            "thread_metadata": {
                "archived": False,
                "auto_archive_duration": 1440,
                "archive_timestamp": "2026-01-01T00:00:00+00:00",
                "locked": False,
            },
        }
        if thread in self.joined:
            payload["member"] = self._thread_member(thread)
        return payload

    def _thread_member(self, thread: str) -> Json:
        return {"id": thread, "user_id": BOT, "join_timestamp": "2026-01-01T00:00:00+00:00", "flags": 0}

    # The gateway.

    async def _gateway(self, request: web.Request) -> web.StreamResponse:
        if self.refused_connections:
            self.refused_connections -= 1
            return web.Response(status=503)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        pack: Callable[[Json], bytes | str] = json.dumps
        if request.query.get("compress") == "zlib-stream":
            deflate = zlib.compressobj()

            def pack(packet: Json) -> bytes | str:
                raw = deflate.compress(json.dumps(packet).encode())
                return raw + deflate.flush(zlib.Z_SYNC_FLUSH)

        if self.silent_connections:
            self.silent_connections -= 1
            await socket.close(code=1001)
            return socket
        self._sockets[socket] = pack
        await self._send(socket, {"op": 10, "d": {"heartbeat_interval": self.heartbeat_ms}})
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    packet = json.loads(frame.data)
                    await self._receive(socket, packet["op"], packet["d"])
                    await self._notify()
        finally:
            self._sockets.pop(socket, None)
            await self._notify()
        return socket

    async def _receive(self, socket: web.WebSocketResponse, op: int, data: Any) -> None:
        if op == 1:
            self.heartbeats += 1
            await self._send(socket, {"op": 11})
        elif op in (2, 6) and data["token"] != TOKEN:
            await socket.close(code=4004, message=b"Authentication failed.")
        elif op == 2 and data["intents"] & ~self.intents_granted:
            await socket.close(code=4014, message=b"Disallowed intent(s).")
        elif op == 2:
            await self._welcome(socket, data)
        elif op == 6 and data["session_id"] in self._sessions:
            await self._resume(socket, self._sessions[data["session_id"]], data["seq"])
        elif op == 6:
            await self._send(socket, {"op": 9, "d": False})

    async def _welcome(self, socket: web.WebSocketResponse, data: Json) -> None:
        shard, count = data.get("shard", [0, 1])
        session = _Session(self.snowflake(), shard, count, socket)
        self._sessions[session.id] = session
        guilds = [each for each in (GUILD, *dict.fromkeys(self.homes.values())) if session.hears(each)]
        ready = {
            "v": 10,
            "user": _user(BOT, is_bot=True),
            "guilds": [{"id": each, "unavailable": True} for each in guilds],
            "session_id": session.id,
            "resume_gateway_url": f"ws://127.0.0.1:{self._port}/gateway",
            "application": {"id": APP, "flags": 0},
            "private_channels": [],
            "shard": [shard, count],
        }
        await self._tell(session, "READY", ready)
        for guild in guilds:
            whole = self._guild() if guild == GUILD else self._other_guild(guild)
            await self._tell(session, "GUILD_CREATE", whole)
        self.identified.append(data)

    async def _resume(self, socket: web.WebSocketResponse, session: _Session, seen: int) -> None:
        session.socket = socket
        # One event more than was missed: Discord does not promise to send each just once.
        for packet in session.log[max(0, seen - 1) :]:
            await self._send(socket, packet)
        await self._tell(session, "RESUMED", {})
        self.resumed += 1

    async def _send(self, socket: web.WebSocketResponse, packet: Json) -> None:
        if socket.closed:
            return
        packed = self._sockets[socket](packet)
        try:
            await (socket.send_bytes(packed) if isinstance(packed, bytes) else socket.send_str(packed))
        except ConnectionError:
            self._sockets.pop(socket, None)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    # REST.

    async def _rest(self, request: web.Request) -> web.Response:
        recorded = await _record(request)
        self.requests.append(recorded)
        try:
            answer = self._answer(recorded)
            shown = recorded.method == "POST" and recorded.path.endswith("/messages")
            if self.posted is not None and (shown or recorded.path.startswith("/webhooks/")):
                await self.posted()
            return answer
        finally:
            await self._notify()

    def _answer(self, request: Recorded) -> web.Response:
        for failure in self._failures:
            if failure.times and failure.method == request.method and failure.path.search(request.path):
                failure.times -= 1
                return _json(failure.body, status=failure.status, headers=failure.headers)
        by_token = request.path.startswith(("/webhooks/", "/interactions/"))
        if not by_token and request.authorization != f"Bot {TOKEN}":
            return _error(401, 0, "401: Unauthorized")
        for method, pattern, handle in self._routes():
            match = re.fullmatch(pattern, request.path)
            if match and method == request.method:
                return handle(request, *match.groups())
        return _error(404, 0, "404: Not Found")

    def _routes(self) -> tuple[tuple[str, str, Callable[..., web.Response]], ...]:
        return (
            ("GET", "/users/@me", self._me),
            ("GET", "/oauth2/applications/@me", self._application),
            ("GET", "/gateway/bot", self._gateway_url),
            ("PUT", r"/applications/(\d+)/commands", self._declare),
            ("GET", r"/channels/(\d+)", self._get_channel),
            ("GET", r"/channels/(\d+)/messages", self._history),
            ("GET", r"/channels/(\d+)/messages/(\d+)", self._one_message),
            ("POST", "/users/@me/channels", self._direct_channel),
            ("POST", r"/channels/(\d+)/messages", self._post),
            ("POST", r"/channels/(\d+)/typing", self._typing),
            ("PUT", r"/channels/(\d+)/thread-members/@me", self._join),
            ("GET", r"/channels/(\d+)/webhooks", self._list_webhooks),
            ("POST", r"/channels/(\d+)/webhooks", self._make_webhook),
            ("POST", r"/webhooks/(\d+)/([\w-]+)", self._execute),
            ("POST", r"/interactions/(\d+)/([\w-]+)/callback", self._callback),
        )

    def _me(self, _: Recorded) -> web.Response:
        return _json(_user(BOT, is_bot=True))

    def _application(self, _: Recorded) -> web.Response:
        application: Json = {"id": APP, "name": "Pupil", "description": "", "icon": None, "verify_key": ""}
        application |= {
            "flags": 0,
            "bot_public": True,
            "bot_require_code_grant": False,
            "owner": _user(OWNER),
        }
        return _json(application)

    def _get_channel(self, _: Recorded, channel: str) -> web.Response:
        if channel == DIRECT:
            return _json({"id": DIRECT, "type": 1, "recipients": [_user(TEACHER)]})
        if channel not in {PRACTICE, ELSEWHERE, IN_CATEGORY, *self.homes}:
            return _error(404, 10003, "Unknown Channel")
        return _json(self._text_channel(channel, "practice"))

    def _gateway_url(self, _: Recorded) -> web.Response:
        limit = {"total": 1000, "remaining": 999, "reset_after": 0}
        limit["max_concurrency"] = self.max_concurrency
        url = f"ws://127.0.0.1:{self._port}/gateway"
        return _json({"url": url, "shards": 1, "session_start_limit": limit})

    def _declare(self, request: Recorded, application: str) -> web.Response:
        same = {"application_id": application, "version": "1", "default_member_permissions": None}
        self.commands = [
            same | {"id": str(index), "description": ""} | each for index, each in enumerate(request.body, 40)
        ]
        return _json(self.commands)

    def _history(self, request: Recorded, channel: str) -> web.Response:
        said = self.messages.get(channel, [])
        before, after = int(request.query.get("before", 1 << 63)), int(request.query.get("after", 0))
        chosen = [_public(each) for each in reversed(said) if after < int(each["id"]) < before]
        limit = int(request.query.get("limit", 50))
        return _json(chosen[-limit:] if after else chosen[:limit])

    def _post(self, request: Recorded, channel: str) -> web.Response:
        if request.body.get("enforce_nonce") and (nonce := request.body["nonce"]) in self._nonces:
            return _json(_public(self._nonces[nonce]))
        kept = self._keep_new(request, channel)
        if request.body.get("enforce_nonce") and kept.status == 200:
            self._nonces[request.body["nonce"]] = self.messages[channel][-1]
        return kept

    def _keep_new(self, request: Recorded, channel: str) -> web.Response:
        return self._keep(request, self._message(channel, request.body["content"], BOT, (BOT_ROLE,)))

    def _keep(self, request: Recorded, message: Json) -> web.Response:
        if len(request.body["content"]) > LONGEST:
            return _error(400, 50035, "Invalid Form Body\nIn content: Must be 2000 or fewer in length.")
        message["ours"] = True
        self.messages.setdefault(message["channel_id"], []).append(message)
        # As on the real thing, the bot hears of its own message, too.
        asyncio.get_running_loop().create_task(self.dispatch("MESSAGE_CREATE", message))
        return _json(_public(message))

    def _one_message(self, _: Recorded, channel: str, message: str) -> web.Response:
        found = [each for each in self.messages.get(channel, []) if each["id"] == message]
        return _json(_public(found[0])) if found else _error(404, 10008, "Unknown Message")

    def _direct_channel(self, request: Recorded) -> web.Response:
        return _json({"id": DIRECT, "type": 1, "recipients": [_user(str(request.body["recipient_id"]))]})

    def _typing(self, _: Recorded, __: str) -> web.Response:
        return web.Response(status=204)

    def _join(self, _: Recorded, thread: str) -> web.Response:
        self.joined.add(thread)
        return web.Response(status=204)

    def _list_webhooks(self, _: Recorded, channel: str) -> web.Response:
        if not self.manage_webhooks:
            return _error(403, 50013, "Missing Permissions")
        return _json([each for each in self.webhooks.values() if each["channel_id"] == channel])

    def _make_webhook(self, request: Recorded, channel: str) -> web.Response:
        if not self.manage_webhooks:
            return _error(403, 50013, "Missing Permissions")
        identifier = self.snowflake()
        self.webhooks[identifier] = {
            "id": identifier,
            "type": 1,
            "guild_id": GUILD,
            "channel_id": channel,
            "user": _user(BOT, is_bot=True),
            "name": request.body["name"],
            "avatar": None,
            "token": f"webhook-token-{identifier}",
            "application_id": APP,
        }
        return _json(self.webhooks[identifier])

    def _execute(self, request: Recorded, identifier: str, token: str) -> web.Response:
        if identifier == APP:
            return self._follow_up(request, token)
        webhook = self.webhooks.get(identifier)
        if webhook is None or webhook["token"] != token:
            return _error(404, 10015, "Unknown Webhook")
        channel = str(request.query.get("thread_id", webhook["channel_id"]))
        message = self._message(channel, request.body["content"], identifier, ())
        message["author"] = _user(identifier, is_bot=True) | {"username": request.body["username"]}
        message |= {"webhook_id": identifier, "application_id": APP}
        del message["member"]
        return self._keep(request, message)

    def _callback(self, request: Recorded, identifier: str, token: str) -> web.Response:
        interaction = self._interactions.get(token)
        late = interaction is None or time.monotonic() - interaction.began > CALLBACK_SECONDS
        if interaction is None or interaction.id != identifier or late:
            return _error(404, 10062, "Unknown interaction")
        if interaction.callback is not None:
            return _error(400, 40060, "Interaction has already been acknowledged.")
        if request.body["type"] not in ALLOWED_ANSWERS[interaction.kind]:
            return _error(400, 50035, "Invalid Form Body\nIn type: not for this interaction")
        if request.body["type"] == MODAL and len(request.body["data"]["components"]) > 5:
            return _error(400, 50035, "Invalid Form Body\nIn data.components: 1 to 5 in length.")
        interaction.callback = request.body
        resource: Json = {"type": request.body["type"]}
        if request.body["type"] == 4:
            resource["message"] = self._show(interaction, request)
        about = {"id": interaction.id, "type": interaction.kind}
        return _json({"interaction": about, "resource": resource})

    def _follow_up(self, request: Recorded, token: str) -> web.Response:
        interaction = self._interactions.get(token)
        if interaction is None or interaction.callback is None:
            return _error(404, 10015, "Unknown Webhook")
        if len(request.body.get("content") or "") > LONGEST:
            return _error(400, 50035, "Invalid Form Body\nIn content: Must be 2000 or fewer in length.")
        return _json(self._show(interaction, request))

    def _show(self, interaction: Interaction, request: Recorded) -> Json:
        given = request.body.get("data", request.body)
        message = self._message(DIRECT, given.get("content") or "", BOT, ())
        message |= {"flags": given.get("flags", 0), "components": given.get("components", [])}
        interaction.shown.append(message)
        interaction.files += request.files.values()
        return message

    async def _use(
        self,
        channel: str,
        kind: int,
        data: Json,
        user: str,
        roles: Sequence[str],
        message: Json | None = None,
    ) -> Interaction:
        """Give an interaction back when it was answered: after a deferral, with the message itself."""
        interaction = await self._begin(channel, kind, data, user, roles, message)

        def answered() -> bool:
            if interaction.callback is None:
                return False
            return interaction.callback["type"] not in (DEFERRED, UPDATE_LATER) or bool(interaction.shown)

        await self.until(answered)
        return interaction

    async def _begin(
        self,
        channel: str,
        kind: int,
        data: Json,
        user: str,
        roles: Sequence[str],
        message: Json | None = None,
        *,
        took: float = 0.0,
    ) -> Interaction:
        began = time.monotonic() - took
        interaction = Interaction(self.snowflake(), f"interaction-{self._count}", kind, began)
        self._interactions[interaction.token] = interaction
        thread = channel in self.threads
        place: Json = {"id": channel, "type": 1 if channel == DIRECT else 0, "name": "here"}
        event: Json = {
            "id": interaction.id,
            "application_id": APP,
            "type": kind,
            "token": interaction.token,
            "version": 1,
            "data": data,
            "channel_id": channel,
            "channel": self._thread(channel) if thread else place,
            "locale": "en-US",
            "app_permissions": "0",
            "entitlements": [],
            "authorizing_integration_owners": {},
            "attachment_size_limit": 10_000_000,
            "context": 1 if channel == DIRECT else 0,
        }
        if channel == DIRECT:
            event["user"] = _user(user)
        else:
            home = self._guild_of(channel)
            guild = {"id": home, "locale": "en-US", "features": []}
            event |= {"guild_id": home, "guild": guild, "member": self._member(user, roles)}
        if message is not None:
            event["message"] = message
        await self.dispatch("INTERACTION_CREATE", event)
        return interaction


def _student(name: str, options: dict[str, str | int], *, focused: bool = False) -> Json:
    given: list[Json] = [
        {"name": key, "type": 4 if isinstance(value, int) else 3, "value": value}
        for key, value in options.items()
    ]
    if focused:
        given[-1]["focused"] = True
    inner = {"name": name, "type": 1, "options": given}
    return {"id": "30", "name": "student", "type": 1, "options": [inner]}


def _user(user: str, *, is_bot: bool = False) -> Json:
    names = {TEACHER: "ann", STRANGER: "sam", BOT: "Pupil", OTHER_BOT: "otherbot"}
    name = names.get(user, f"user{user}")
    known = {"id": user, "username": name, "global_name": None, "bot": is_bot}
    return known | {"discriminator": "0", "avatar": None}


def _role(role: str, name: str, permissions: int) -> Json:
    return {
        "id": role,
        "name": name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "position": 0,
        "permissions": str(permissions),
        "managed": False,
        "mentionable": False,
        "flags": 0,
    }


def _without_user(member: Json) -> Json:
    return {key: value for key, value in member.items() if key != "user"}


def _public(data: Json) -> Json:
    return {key: value for key, value in data.items() if key != "ours"}


def _json(data: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """As Discord sends it: the content type has no charset."""
    body = json.dumps(data).encode()
    return web.Response(body=body, status=status, headers=headers, content_type="application/json")


def _error(status: int, code: int, message: str) -> web.Response:
    return _json({"code": code, "message": message}, status=status)


async def _record(request: web.Request) -> Recorded:
    body: Any = None
    files: dict[str, bytes] = {}
    if request.content_type == "multipart/form-data":
        for name, value in (await request.post()).items():
            if name == "payload_json":
                body = json.loads(str(value))
            elif isinstance(value, web.FileField):
                files[value.filename] = value.file.read()
    elif request.can_read_body:
        body = json.loads(await request.read())
    path = "/" + request.match_info["rest"]
    authorization = request.headers.get("Authorization")
    return Recorded(request.method, path, dict(request.query), authorization, body, files)


def ago(minutes: float) -> datetime:
    """That many minutes before now."""
    return datetime.now(UTC) - timedelta(minutes=minutes)
