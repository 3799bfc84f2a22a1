"""Slack as far as Pupil uses it, on a real local socket: Web API, Socket Mode, and signed requests.

It is strict where Slack is strict (tokens, scopes, subscriptions, trigger ids, block limits, tickets) and
keeps channels, messages and reactions, so that a test can look at what people would see.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import itertools
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import aiohttp
from aiohttp import WSMsgType, web

BOT_TOKEN, APP_TOKEN, SECRET = (
    "xoxb-0000-good-bot-token",
    "xapp-1-good-app-token",
    "signing-secret-of-the-tests",
)
BOT_USER, BOT, TEAM = "U0PUPIL", "B0PUPIL", "T0SCHOOL"
HISTORY = {
    "channel": "channels:history",
    "group": "groups:history",
    "im": "im:history",
    "mpim": "mpim:history",
}
SCOPES = {
    "chat.postMessage": "chat:write",
    "chat.postEphemeral": "chat:write",
    "reactions.add": "reactions:write",
    "reactions.remove": "reactions:write",
    "files.getUploadURLExternal": "files:write",
    "files.completeUploadExternal": "files:write",
    "usergroups.users.list": "usergroups:read",
    "auth.test": None,
    "apps.connections.open": None,
    "views.open": None,
    "views.publish": None,
}
"""The scope each method takes; methods that read a channel take the one of its kind."""
EVENT_SCOPES: dict[str, str | None] = {
    "app_home_opened": None,
    "app_mention": "app_mentions:read",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    **{
        f"message.{plural}": HISTORY[kind]
        for plural, kind in (("channels", "channel"), ("groups", "group"), ("im", "im"), ("mpim", "mpim"))
    },
}
PLURAL = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}
TRIGGER_SECONDS = 3.0
REPEATS = 3
"""How often an event is told again that nobody acknowledged."""
CONNECTED_SECONDS = 60.0
"""What is told waits so long for somebody to connect."""
SAID = (None, "file_share", "thread_broadcast")


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the Web API, its parameters as they were meant (JSON or form)."""

    method: str
    parameters: dict[str, Any]
    token: str
    at: float


@dataclass(frozen=True, slots=True)
class Trouble:
    """What to do with one request instead of answering it."""

    status: int = 200
    error: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    hang: bool = False


@dataclass(slots=True)
class Envelope:
    """One delivery to the app. `acked` is seconds until it was acknowledged, None while it was not."""

    kind: str
    payload: dict[str, Any]
    sent: float = 0.0
    acked: float | None = None
    answer: dict[str, Any] | None = None
    attempts: int = 0


class SlackServer:
    """One workspace with one installed app. Use as `async with SlackServer(...) as slack`."""

    def __init__(
        self,
        manifest: Mapping[str, Any],
        *,
        ack_seconds: float = TRIGGER_SECONDS,
        repeats: int = REPEATS,
    ) -> None:
        self.granted = set(manifest["oauth_config"]["scopes"]["bot"])
        self.subscribed = set(manifest["settings"]["event_subscriptions"]["bot_events"])
        self.ack_seconds = ack_seconds
        self.repeats = repeats
        self.scopes_used: set[str] = set()
        self.calls: list[Call] = []
        self.envelopes: list[Envelope] = []
        self.channels = {
            "C0PRACTICE": "channel",
            "C0GENERAL": "channel",
            "G0SECRET": "group",
            "D0ANN": "im",
            "G0PARTY": "mpim",
        }
        self.messages: dict[str, list[dict[str, Any]]] = {channel: [] for channel in self.channels}
        self.ephemeral: list[dict[str, Any]] = []
        self.responses: list[dict[str, Any]] = []
        self.reactions: set[tuple[str, str, str]] = set()
        self.reactions_seen: list[tuple[str, str, str]] = []
        self.views: list[dict[str, Any]] = []
        self.homes: dict[str, dict[str, Any]] = {}
        self.groups: dict[str, list[str]] = {}
        self.files: dict[str, dict[str, Any]] = {}
        """What was uploaded: name, alternative text, content, and the channel where it is shown."""
        self.connections = 0
        self.bot_tokens, self.app_tokens = {BOT_TOKEN}, {APP_TOKEN}
        self.http_url: str | None = None
        """Where events go when the app takes signed requests; over the socket while it is None."""
        self.replicas: list[str] = []
        """Where else they may go: a balancer stands before them all and takes the next one each time."""
        self.spread = False
        """Of several sockets each event takes the next one, not the newest."""
        self._turn = itertools.count()
        self._trouble: dict[str, deque[Trouble]] = {}
        self.posted: Callable[[], Awaitable[None]] | None = None
        """Called when a message was posted, before the app hears so."""
        self._sockets: list[web.WebSocketResponse] = []
        self._open: dict[str, Envelope] = {}
        self._tickets: set[str] = set()
        self._triggers: dict[str, float] = {}
        self._uses: dict[str, int] = {}
        self._numbers = itertools.count(1)
        self._last = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_get("/link", self._link)
        app.router.add_post("/response/{ticket}", self._response)
        app.router.add_post("/upload/{file}", self._upload)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._session = aiohttp.ClientSession()
        self.address = f"127.0.0.1:{self._runner.addresses[0][1]}"
        self.base_url = f"http://{self.address}/api/"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for socket in self._sockets:
            await socket.close()
        await self._session.close()
        await self._runner.cleanup()

    # What people do.

    async def say(self, text: str, *, channel: str = "C0PRACTICE", user: str = "U0ANN", **more: Any) -> str:
        """Post as a person and tell the app; return the message's time."""
        event = self.put(text, channel=channel, user=user, **more)
        await self.tell(event)
        return str(event["ts"])

    def put(
        self, text: str, *, channel: str = "C0PRACTICE", user: str | None = "U0ANN", **more: Any
    ) -> dict[str, Any]:
        """A message that the app is not told of (it is down); return its event."""
        message = {"type": "message", "user": user, "text": text, "ts": self._time(), **more}
        self.messages[channel].append(message)
        for root in self.messages[channel]:
            if root["ts"] == message.get("thread_ts"):
                root["latest_reply"] = message["ts"]
        return {**message, "channel": channel, "channel_type": self.channels[channel]}

    async def tell(self, event: dict[str, Any], **envelope: Any) -> None:
        """Deliver a message to the app as its subscriptions ask: as message, and as app_mention."""
        kind = self.channels[event["channel"]]
        if f"message.{PLURAL[kind]}" in self.subscribed:
            await self.event(event, f"message.{PLURAL[kind]}", **envelope)
        called = f"<@{BOT_USER}" in str(event.get("text")) and kind != "im"
        if called and "app_mention" in self.subscribed and event.get("subtype") in SAID:
            mention = {name: value for name, value in event.items() if name != "channel_type"}
            await self.event({**mention, "type": "app_mention"}, "app_mention", **envelope)

    async def react(self, name: str, channel: str, when: str, *, user: str = "U0ANN") -> None:
        """React to a message."""
        await self._reacts("reaction_added", name, channel, when, user)

    async def take_back(self, name: str, channel: str, when: str, *, user: str = "U0ANN") -> None:
        """Take a reaction away again."""
        await self._reacts("reaction_removed", name, channel, when, user)

    async def _reacts(self, kind: str, name: str, channel: str, when: str, user: str) -> None:
        item = {"type": "message", "channel": channel, "ts": when}
        event = {"type": kind, "user": user, "reaction": name, "item": item, "event_ts": self._time()}
        await self.event(event, kind)

    async def event(
        self, event: dict[str, Any], subscription: str, *, event_id: str | None = None
    ) -> Envelope:
        """Deliver one event; it must be subscribed, and its scope granted."""
        assert subscription in self.subscribed, (
            f"Slack would not send {subscription}: it is not in the manifest"
        )
        scope = EVENT_SCOPES[subscription]
        if scope is not None:
            assert scope in self.granted, f"Slack would not send {subscription} without {scope}"
            self.scopes_used.add(scope)
        return await self.deliver(
            "events_api",
            {
                "token": "unused",
                "team_id": TEAM,
                "api_app_id": "A0PUPIL",
                "event": event,
                "type": "event_callback",
                "event_id": event_id or f"Ev{next(self._numbers)}",
                "event_time": int(time.time()),
                "authorizations": [{"team_id": TEAM, "user_id": BOT_USER, "is_bot": True}],
            },
        )

    async def command(self, text: str, *, channel: str = "C0PRACTICE", user: str = "U0ANN") -> Envelope:
        """Type /student and `text`."""
        assert "commands" in self.granted
        self.scopes_used.add("commands")
        payload = {
            "command": "/student",
            "text": text,
            "team_id": TEAM,
            "channel_id": channel,
            "user_id": user,
            "api_app_id": "A0PUPIL",
            "trigger_id": self.trigger(),
            "response_url": self._response_url(),
        }
        return await self.deliver("slash_commands", payload)

    async def shortcut(
        self, callback: str, message: Mapping[str, Any], *, channel: str, user: str = "U0ANN"
    ) -> Envelope:
        """Choose a message shortcut from a message's menu."""
        return await self.interact(
            {
                "type": "message_action",
                "callback_id": callback,
                "trigger_id": self.trigger(),
                "user": {"id": user},
                "channel": {"id": channel},
                "message": dict(message),
                "message_ts": message["ts"],
                "response_url": self._response_url(),
            }
        )

    async def submit(
        self, view: Mapping[str, Any], values: Mapping[str, Any], *, user: str = "U0ANN"
    ) -> Envelope:
        """Fill in a modal: numbers choose from a select, texts go into inputs."""
        state = {}
        for block in view["blocks"]:
            if block["type"] == "input":
                action, given = block["element"]["action_id"], values.get(block["block_id"])
                filled = {"type": block["element"]["type"], "value": given}
                if block["element"]["type"] == "static_select":
                    options = {option["value"]: option for option in block["element"]["options"]}
                    filled = {"type": "static_select", "selected_option": options.get(str(given))}
                state[block["block_id"]] = {action: filled}
        done = {**view, "id": f"V{next(self._numbers)}", "state": {"values": state}, "team_id": TEAM}
        return await self.interact({"type": "view_submission", "user": {"id": user}, "view": done})

    async def open_home(self, user: str = "U0ANN") -> Envelope:
        """Open the app's own page."""
        channel = self._direct(user)
        event = {"type": "app_home_opened", "user": user, "channel": channel, "tab": "home"}
        return await self.event({**event, "event_ts": self._time()}, "app_home_opened")

    async def choose(
        self,
        action: str,
        value: str | None,
        *,
        view: Mapping[str, Any] | None = None,
        channel: str = "C0PRACTICE",
        user: str = "U0ANN",
    ) -> Envelope:
        """Choose `value` from a menu, or press a button (None); on the page of `view`, else in a message."""
        kind = "button" if value is None else "static_select"
        done: dict[str, Any] = {"type": kind, "action_id": action, "block_id": "b", "action_ts": self._time()}
        if value is not None:
            done["selected_option"] = {"text": {"type": "plain_text", "text": value}, "value": value}
        payload = {
            "type": "block_actions",
            "user": {"id": user},
            "actions": [done],
            "trigger_id": self.trigger(),
        }
        if view is not None:
            return await self.interact(
                {**payload, "view": {**view, "id": "V1"}, "container": {"type": "view"}}
            )
        where = {"channel": {"id": channel}, "container": {"type": "message", "channel_id": channel}}
        return await self.interact({**payload, **where, "response_url": self._response_url()})

    async def search(self, action: str, typed: str, user: str = "U0ANN") -> Envelope:
        """Type into a menu that is searched."""
        asked = {"type": "block_suggestion", "action_id": action, "block_id": "b", "value": typed}
        return await self.interact({**asked, "user": {"id": user}, "container": {"type": "view"}})

    async def interact(self, payload: dict[str, Any]) -> Envelope:
        """Deliver an interaction."""
        return await self.deliver("interactive", {"team": {"id": TEAM}, "api_app_id": "A0PUPIL", **payload})

    def trigger(self) -> str:
        """A trigger id: good for one modal, for three seconds."""
        trigger = f"trigger-{next(self._numbers)}"
        self._triggers[trigger] = time.monotonic()
        return trigger

    def expire_triggers(self) -> None:
        """Let all trigger ids be too old."""
        self._triggers = dict.fromkeys(self._triggers, -TRIGGER_SECONDS)

    def trouble(self, method: str, *troubles: Trouble) -> None:
        """Next, do this with requests for `method`."""
        self._trouble.setdefault(method, deque()).extend(troubles)

    # What a test looks at.

    def posts(self, channel: str = "C0PRACTICE") -> list[dict[str, Any]]:
        """What the app posted there."""
        return [message for message in self.messages[channel] if message.get("bot_id") == BOT]

    def made(self, method: str) -> list[Call]:
        """The requests for `method`."""
        return [call for call in self.calls if call.method == method]

    async def until(self, seen: Callable[[], Any], seconds: float = 8.0) -> Any:
        """Wait for something to be there; return it."""
        end = time.monotonic() + seconds
        while not (found := seen()):
            assert time.monotonic() < end, (
                f"not within {seconds} s; calls: {[each.method for each in self.calls]}"
            )
            await asyncio.sleep(0.005)
        return found

    # Delivery.

    async def deliver(self, kind: str, payload: dict[str, Any]) -> Envelope:
        """Send it to the app, over the socket (again while it is not acknowledged) or as a signed request."""
        envelope = Envelope(kind, payload)
        self.envelopes.append(envelope)
        if self.http_url is not None:
            await self._post_until_taken(envelope)
        else:
            await self._send(envelope)
            task = asyncio.create_task(self._again(envelope))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return envelope

    async def _post_until_taken(self, envelope: Envelope) -> None:
        """As a balancer does it: a replica that is not there costs nothing but the next one; where one took the event
        and gave no answer, Slack tells it again."""
        envelope.sent = time.monotonic()
        for _ in range(self.repeats):
            envelope.attempts += 1
            try:
                status, body = await self.post(envelope.kind, envelope.payload, url=self.next_replica())
            except aiohttp.ClientConnectorError:
                await asyncio.sleep(0.01)
                continue
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(self.ack_seconds)
                continue
            assert status == HTTPStatus.OK, (status, body)
            envelope.acked = time.monotonic() - envelope.sent
            envelope.answer = json.loads(body) if body.startswith("{") else None
            return

    def next_replica(self) -> str:
        """Where the balancer sends the next request."""
        assert self.http_url is not None
        known = [self.http_url, *self.replicas]
        return known[next(self._turn) % len(known)]

    async def _send(self, envelope: Envelope) -> None:
        identifier = f"env-{next(self._numbers)}"
        self._open[identifier] = envelope
        envelope.sent = envelope.sent or time.monotonic()
        wire = {
            "envelope_id": identifier,
            "type": envelope.kind,
            "payload": envelope.payload,
            "accepts_response_payload": envelope.kind != "events_api",
        }
        if envelope.kind == "events_api":
            wire |= {
                "retry_attempt": envelope.attempts,
                "retry_reason": "timeout" if envelope.attempts else "",
            }
        envelope.attempts += 1
        socket = await self.until(lambda: self._socket, CONNECTED_SECONDS)
        # Whoever just died there has heard nothing; an event is told again.
        with contextlib.suppress(ConnectionError):
            await socket.send_json(wire)

    @property
    def _socket(self) -> web.WebSocketResponse | None:
        """The newest connection; of several, Slack chooses one for each event."""
        self._sockets = [each for each in self._sockets if not each.closed]
        if self.spread and self._sockets:
            return self._sockets[next(self._turn) % len(self._sockets)]
        return self._sockets[-1] if self._sockets else None

    async def _again(self, envelope: Envelope) -> None:
        for _ in range(self.repeats):
            await asyncio.sleep(self.ack_seconds)
            if envelope.acked is not None or envelope.kind != "events_api":
                return
            await self._send(envelope)

    async def refresh(self, reason: str = "refresh_requested") -> None:
        """Tell the app that its connection is about to end; it should come again by itself."""
        assert self._socket is not None
        await self._socket.send_json(
            {"type": "disconnect", "reason": reason, "debug_info": {"host": "a test"}}
        )

    async def hang_up(self) -> None:
        """End the connection without a word."""
        assert self._socket is not None
        await self._socket.close()

    async def post(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        url: str | None = None,
        secret: str = SECRET,
        age: float = 0.0,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, str]:
        """A request as Slack signs it; with another `secret` forged, with an `age` in seconds stale."""
        if kind == "events_api":
            body, content = json.dumps(payload), "application/json"
        else:
            form = payload if kind == "slash_commands" else {"payload": json.dumps(payload)}
            body, content = urlencode(form), "application/x-www-form-urlencoded"
        stamp = str(int(time.time() - age))
        digest = hmac.new(secret.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
        signed = {
            "Content-Type": content,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={digest}",
        }
        url = url or self.http_url
        assert url is not None
        request = self._session.post(url, data=body.encode(), headers={**signed, **(headers or {})})
        async with request as answer:
            return answer.status, await answer.text()

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        if request.query.get("ticket") not in self._tickets:
            raise web.HTTPForbidden(text="a ticket is good for one connection")
        self._tickets.discard(request.query["ticket"])
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json(
            {"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A0PUPIL"}}
        )
        self._sockets.append(socket)
        self.connections += 1
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                said = json.loads(message.data)
                envelope = self._open.pop(said["envelope_id"])
                if envelope.acked is None:
                    envelope.acked = time.monotonic() - envelope.sent
                    envelope.answer = said.get("payload")
        return socket

    def _response_url(self) -> str:
        ticket = f"r{next(self._numbers)}"
        self._uses[ticket] = 5
        return f"http://{self.address}/response/{ticket}"

    async def _response(self, request: web.Request) -> web.Response:
        ticket = request.match_info["ticket"]
        self._uses[ticket] -= 1
        if self._uses[ticket] < 0:
            return web.Response(status=404, text="used_url")
        body = await request.json()
        if wrong := wrong_blocks(body.get("blocks") or []):
            return web.Response(status=400, text=wrong)
        self.responses.append(body)
        return web.Response(text="ok")

    async def _upload(self, request: web.Request) -> web.Response:
        content = await request.read()
        file = self.files[request.match_info["file"]]
        if len(content) != file["length"]:
            return web.Response(status=400, text="not the length that was announced")
        file["content"] = content
        return web.Response(text=f"OK - {len(content)}")

    # The Web API.

    async def _api(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        parameters: dict[str, Any] = dict(request.query)
        if request.content_type == "application/json":
            parameters |= await request.json()
        else:
            parameters |= {name: str(value) for name, value in (await request.post()).items()}
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.calls.append(Call(method, parameters, token, time.monotonic()))
        headers = {}
        if queue := self._trouble.get(method):
            trouble = queue.popleft()
            if trouble.hang:
                await asyncio.sleep(3600)
            if trouble.drop:
                assert request.transport is not None
                request.transport.close()
                return web.Response()
            answer = {"ok": False, "error": trouble.error or "internal_error"}
            return web.json_response(answer, status=trouble.status, headers=trouble.headers)
        wanted = self.app_tokens if method == "apps.connections.open" else self.bot_tokens
        if token not in wanted:
            known = token in self.app_tokens | self.bot_tokens
            answer = {"ok": False, "error": "not_allowed_token_type" if known else "invalid_auth"}
        else:
            do = self._file if method.startswith("files.") else self._do
            answer = self._missing(method, parameters) or do(method, parameters)
            if method == "chat.postMessage" and answer["ok"] and self.posted is not None:
                await self.posted()
            headers["x-oauth-scopes"] = ",".join(sorted(self.granted))
        return web.json_response(answer, headers=headers)

    def _missing(self, method: str, parameters: Mapping[str, Any]) -> dict[str, Any] | None:
        if method in {"conversations.history", "conversations.replies"}:
            needed = {HISTORY[self.channels.get(str(parameters.get("channel")), "channel")]}
        else:
            assert method in SCOPES, f"the fake does not know {method}"
            needed = {scope for scope in [SCOPES[method]] if scope}
        if method == "chat.postMessage" and ("username" in parameters or "icon_emoji" in parameters):
            needed.add("chat:write.customize")
        for scope in needed:
            if scope not in self.granted:
                return {
                    "ok": False,
                    "error": "missing_scope",
                    "needed": scope,
                    "provided": ",".join(self.granted),
                }
        self.scopes_used |= needed
        return None

    def _do(self, method: str, given: dict[str, Any]) -> dict[str, Any]:
        channel = str(given.get("channel"))
        if method == "chat.postMessage" and channel.startswith("U"):
            channel = self._direct(channel)
            given = {**given, "channel": channel}
        if "channel" in given and channel not in self.channels:
            return {"ok": False, "error": "channel_not_found"}
        match method:
            case "auth.test":
                return {
                    "ok": True,
                    "team": "School",
                    "team_id": TEAM,
                    "user": "pupil",
                    "user_id": BOT_USER,
                    "bot_id": BOT,
                }
            case "apps.connections.open":
                ticket = f"t{next(self._numbers)}"
                self._tickets.add(ticket)
                return {"ok": True, "url": f"ws://{self.address}/link?ticket={ticket}"}
            case "chat.postMessage":
                return self._post_message(channel, given)
            case "chat.postEphemeral":
                self.ephemeral.append(given)
                return {"ok": True, "message_ts": self._time()}
            case "reactions.add" | "reactions.remove":
                return self._reaction(method, (channel, given["timestamp"], given["name"]))
            case "views.open" | "views.publish":
                return self._view(given) if "trigger_id" in given else self._publish(given)
            case "conversations.history" | "conversations.replies":
                return self._read(method, channel, given)
            case "usergroups.users.list":
                if given["usergroup"] not in self.groups:
                    return {"ok": False, "error": "no_such_subteam"}
                return {"ok": True, "users": self.groups[given["usergroup"]]}
            case other:
                raise AssertionError(f"the fake does not know {other}")

    def _direct(self, user: str) -> str:
        """The conversation of the app and that person alone, opened by the first message to them."""
        channel = f"D{user.removeprefix('U')}"
        self.channels.setdefault(channel, "im")
        self.messages.setdefault(channel, [])
        return channel

    def _file(self, method: str, given: dict[str, Any]) -> dict[str, Any]:
        if method == "files.getUploadURLExternal":
            identifier = f"F{next(self._numbers)}"
            if len(str(given.get("alt_txt") or "")) > 1000:
                return {"ok": False, "error": "alt_txt_too_long"}
            self.files[identifier] = {**given, "length": int(given["length"])}
            url = f"http://{self.address}/upload/{identifier}"
            return {"ok": True, "file_id": identifier, "upload_url": url}
        if str(given.get("channel_id")) not in self.channels:
            return {"ok": False, "error": "channel_not_found"}
        done = given["files"] if isinstance(given["files"], list) else json.loads(given["files"])
        for each in done:
            self.files[each["id"]]["channel"] = given["channel_id"]
        return {"ok": True, "files": [{"id": each["id"]} for each in done]}

    def _post_message(self, channel: str, given: dict[str, Any]) -> dict[str, Any]:
        if not given.get("text") and not given.get("blocks"):
            return {"ok": False, "error": "no_text"}
        if wrong := wrong_blocks(given.get("blocks") or []):
            return {"ok": False, "error": "invalid_blocks", "response_metadata": {"messages": [wrong]}}
        message = {**given, "ts": self._time(), "bot_id": BOT, "user": BOT_USER, "at": time.monotonic()}
        if "username" in given:
            message["subtype"] = "bot_message"
        self.messages[channel].append(message)
        return {"ok": True, "channel": channel, "ts": message["ts"], "message": message}

    def _reaction(self, method: str, reaction: tuple[str, str, str]) -> dict[str, Any]:
        channel, when, _ = reaction
        if not any(message["ts"] == when for message in self.messages[channel]):
            return {"ok": False, "error": "message_not_found"}
        if method == "reactions.add":
            if reaction in self.reactions:
                return {"ok": False, "error": "already_reacted"}
            self.reactions.add(reaction)
            self.reactions_seen.append(reaction)
        elif reaction not in self.reactions:
            return {"ok": False, "error": "no_reaction"}
        else:
            self.reactions.discard(reaction)
        return {"ok": True}

    def _view(self, given: dict[str, Any]) -> dict[str, Any]:
        opened = self._triggers.pop(str(given["trigger_id"]), None)
        if opened is None:
            return {"ok": False, "error": "invalid_trigger_id"}
        if time.monotonic() - opened > TRIGGER_SECONDS:
            return {"ok": False, "error": "expired_trigger_id"}
        view = given["view"]
        titles = [view[each]["text"] for each in ("title", "submit", "close") if each in view]
        wrong = wrong_blocks(view["blocks"], most=100)
        if wrong or max(map(len, titles)) > 24 or len(view.get("private_metadata", "")) > 3000:
            return {
                "ok": False,
                "error": "invalid_arguments",
                "response_metadata": {"messages": [wrong, *titles]},
            }
        self.views.append(view)
        return {"ok": True, "view": view}

    def _publish(self, given: dict[str, Any]) -> dict[str, Any]:
        view = given["view"]
        if wrong := wrong_blocks(view["blocks"], most=100) or (view["type"] != "home" and "not a home"):
            return {"ok": False, "error": "invalid_arguments", "response_metadata": {"messages": [wrong]}}
        self.homes[str(given["user_id"])] = view
        return {"ok": True, "view": view}

    def _read(self, method: str, channel: str, given: dict[str, Any]) -> dict[str, Any]:
        thread, oldest = given.get("ts"), float(given.get("oldest") or 0)
        if method == "conversations.replies":
            found = [each for each in self.messages[channel] if thread in {each["ts"], each.get("thread_ts")}]
        else:
            found = [each for each in self.messages[channel] if each.get("thread_ts") in {None, each["ts"]}][
                ::-1
            ]
        found = [each for each in found if float(each["ts"]) > oldest or each["ts"] == thread]
        start, limit = int(given.get("cursor") or 0), int(given.get("limit") or 100)
        page = found[start : start + limit]
        more = str(start + limit) if start + limit < len(found) else ""
        hidden = {"at"} if given.get("include_all_metadata") in {True, "1", "true"} else {"at", "metadata"}
        plain = [{name: value for name, value in each.items() if name not in hidden} for each in page]
        return {
            "ok": True,
            "messages": plain,
            "has_more": bool(more),
            "response_metadata": {"next_cursor": more},
        }

    def _time(self) -> str:
        self._last = max(time.time(), self._last + 0.000_01)
        return f"{self._last:.6f}"


def wrong_blocks(blocks: list[dict[str, Any]], most: int = 50) -> str:
    """What Slack would find wrong with these blocks; "" when nothing is."""
    if len(blocks) > most:
        return f"{len(blocks)} blocks"
    for block in blocks:
        match block["type"]:
            case "section":
                texts = [(block["text"], 3000)] if "text" in block else []
                texts += [(each, 2000) for each in block.get("fields", [])]
                if not texts or len(block.get("fields", [])) > 10:
                    return "a section takes a text or one to ten fields"
            case "context":
                texts = [(each, 3000) for each in block["elements"]]
            case "header" | "divider":
                texts = [(text, 150) for name, text in block.items() if name == "text"]
            case "actions":
                texts = _texts_of_actions(block["elements"])
            case "input":
                options = block["element"].get("options", [])
                texts = [(block["label"], 2000), *((option["text"], 75) for option in options)]
                if (
                    len(block["block_id"]) > 255
                    or len(options) > 100
                    or block["element"].get("max_length", 1) > 3000
                ):
                    return "an input is too large"
            case other:
                return f"unknown block {other}"
        for text, limit in texts:
            if not 1 <= len(text["text"]) <= limit:
                return f"a text of {len(text['text'])} characters, {limit} at most"
    return ""


def _texts_of_actions(elements: list[dict[str, Any]]) -> list[tuple[dict[str, str], int]]:
    """What stands on menus and buttons, each with its limit; one too long where there is too much of something."""
    known = [option for each in elements for option in each.get("options", ())]
    menus = [each for each in elements if each["type"] == "static_select"]
    texts = [(each["text"], 75) for each in (*elements, *known) if "text" in each]
    texts += [(each["placeholder"], 150) for each in elements if "placeholder" in each]
    texts += [({"text": option["value"]}, 150) for option in known]
    fits = 1 <= len(elements) <= 25 and all(1 <= len(each["options"]) <= 100 for each in menus)
    return texts if fits else [({"text": ""}, 0)]
