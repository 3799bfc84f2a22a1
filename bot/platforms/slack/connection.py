"""The wire to Slack: a patient Web API client, Socket Mode, and signed HTTP.

It knows tokens, sockets and slack_sdk's errors; it must not know what any event means.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import (
    AsyncConnectionErrorRetryHandler,
    AsyncRateLimitErrorRetryHandler,
    AsyncServerErrorRetryHandler,
)
from slack_sdk.http_retry.request import HttpRequest
from slack_sdk.http_retry.response import HttpResponse
from slack_sdk.http_retry.state import RetryState
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode import aiohttp as socket_mode
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web import async_base_client
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from slack_sdk.webhook import async_client

from bot.platforms.base import PlatformError
from bot.proxies import proxy_for

log = structlog.get_logger(__name__)

PLATFORM = "slack"
EVENTS_PATH = "/slack/events"
CALL_SECONDS = 10.0
RETRIES = 3
LONGEST_WAIT = 30
"""Seconds; a Retry-After above this is not waited for: whoever asked has given up by then."""
SHORT_WAIT = 5.0
"""Seconds a post waits for by itself; the outbox waits longer ones out, also over a restart."""
CONNECT_SECONDS = 20.0
LOST_SECONDS = 30.0
"""How long slack_sdk's own reconnection may take before the connection is built anew."""
LOOK_SECONDS = 2.0
PING_SECONDS = 5.0
PASSING = frozenset({"internal_error", "fatal_error", "request_timeout", "service_unavailable"})
"""Errors that are Slack's own, and may have come after it did what it was asked for."""


for module in (async_base_client, async_client, socket_mode):
    # slack_sdk would take HTTPS_PROXY for every address, whatever NO_PROXY says: it is told the proxy instead.
    vars(module)["load_http_proxy_from_env"] = lambda *_: None


class Unreachable(PlatformError):
    """Slack did not answer, or not in a way that says anything about us: later may be better, after `seconds` where it
    named them. `limited` says that it asked for patience, and so did not do what it was asked for."""

    def __init__(self, reason: str, *, seconds: float | None = None, limited: bool = False) -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.limited = limited


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are in the workspace, and which scopes we were given."""

    team: str
    team_id: str
    user: str
    bot: str
    scopes: frozenset[str]


class _RateLimited(AsyncRateLimitErrorRetryHandler):
    """Waits as long as Slack asks for, within reason."""

    def __init__(self, longest: float) -> None:
        super().__init__(max_retry_count=RETRIES)
        self._longest = longest

    async def _can_retry_async(
        self,
        *,
        state: RetryState,  # noqa: ARG002 - the client's signature
        request: HttpRequest,  # noqa: ARG002 - the client's signature
        response: HttpResponse | None = None,
        error: Exception | None = None,  # noqa: ARG002 - the client's signature
    ) -> bool:
        if response is None or response.status_code != web.HTTPTooManyRequests.status_code:
            return False
        asked = _patience(response.headers)
        return asked is not None and asked <= self._longest


def _patience(headers: Mapping[str, Any]) -> float | None:
    """How many seconds Slack asks to wait; slack_sdk gives a header as text or as a list."""
    asked = {name.lower(): value for name, value in headers.items()}.get("retry-after", "1")
    first = str(asked[0] if isinstance(asked, list) else asked)
    return float(first) if first.isdigit() else None


def message_id(channel: str, when: str) -> str:
    """A message's name over all platforms: Slack's times are unique within a channel."""
    return f"{PLATFORM}:{channel}:{when}"


def web_client(
    base_url: str, token: str | None, session: aiohttp.ClientSession | None, *, one_try: bool = False
) -> AsyncWebClient:
    """A client that waits out rate limits and tries again after failures of the server and the network.

    With `one_try` it does neither, but for short limits: what failed may have been done, and would be done twice.
    """
    handlers: list[AsyncRetryHandler] = [_RateLimited(SHORT_WAIT if one_try else LONGEST_WAIT)]
    if not one_try:
        handlers.append(AsyncServerErrorRetryHandler(max_retry_count=RETRIES))
        handlers.append(AsyncConnectionErrorRetryHandler(max_retry_count=RETRIES))
    proxy = proxy_for(base_url)
    return AsyncWebClient(
        token=token, base_url=base_url, session=session, retry_handlers=handlers, proxy=proxy
    )


def new_session() -> aiohttp.ClientSession:
    """One session for all calls: slack_sdk would open a connection for each."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALL_SECONDS))


async def asked(call: Awaitable[AsyncSlackResponse]) -> AsyncSlackResponse:
    """The answer of a Web API call; every failure becomes a `PlatformError` of one line."""
    try:
        return await call
    except SlackApiError as error:
        found: Any = (
            error.response if isinstance(error.response, dict) else getattr(error.response, "data", None)
        )
        if not isinstance(found, dict) or "error" not in found:
            raise Unreachable("Slack answered with something that is not its API's") from None
        if found["error"] == "missing_scope":
            needed = (
                f"add the scope {found.get('needed')} (docs/slack-manifest.yaml) and install the app again"
            )
            raise PlatformError(f"Slack refuses: missing_scope; {needed}") from None
        refused = f"Slack refuses: {found['error']}"
        if found["error"] in {"ratelimited", "rate_limited"}:
            asks = _patience(getattr(error.response, "headers", {}))
            raise Unreachable(refused, seconds=asks, limited=True) from None
        raise (Unreachable if found["error"] in PASSING else PlatformError)(refused) from None
    except (SlackClientError, aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Unreachable(f"Slack cannot be reached ({str(error) or type(error).__name__})") from None


async def identify(client: AsyncWebClient) -> Identity:
    """Who the bot token belongs to; raise `PlatformError` saying which token to set."""
    try:
        found = await asked(client.auth_test())
    except Unreachable as error:
        raise Unreachable(f"{error}; is slack.base_url right? It is {client.base_url}") from None
    except PlatformError as error:
        wanted = "copy the Bot User OAuth Token (xoxb-…) from the app's page OAuth & Permissions"
        raise PlatformError(f"SLACK_BOT_TOKEN: {error}; {wanted}") from None
    if not found.get("bot_id"):
        raise PlatformError("SLACK_BOT_TOKEN: a person's token; set the Bot User OAuth Token (xoxb-…)")
    granted = {name.lower(): value for name, value in found.headers.items()}.get("x-oauth-scopes", "")
    return Identity(
        team=str(found.get("team") or ""),
        team_id=str(found["team_id"]),
        user=str(found["user_id"]),
        bot=str(found["bot_id"]),
        scopes=frozenset(scope.strip() for scope in granted.split(",") if scope.strip()),
    )


async def serve_socket(
    app: AsyncApp, client: AsyncWebClient, app_token: str, connected: Callable[[], None]
) -> None:
    """Keep a Socket Mode connection until cancelled; raise `PlatformError` when the token is refused.

    slack_sdk reconnects by itself, but with one address it may be stuck with for ever: a connection that
    stays lost is thrown away and begun anew.
    """
    ever, pause = False, 1.0
    while True:
        handler = None
        try:
            address = await _socket_address(client, app_token)
            handler = AsyncSocketModeHandler(
                app,
                app_token,
                logger=quiet("socket"),
                web_client=client,
                proxy=proxy_for(address),
                ping_interval=PING_SECONDS,
            )
            handler.client.wss_uri = address
            async with asyncio.timeout(CONNECT_SECONDS):
                await handler.client.connect()  # type: ignore[no-untyped-call]
            log.info("connected to Slack", mode="socket")
            connected()
            ever, pause = True, 1.0
            await _lost(handler.client)
            log.warning("connection to Slack lost, beginning anew")
        except (Unreachable, TimeoutError) as error:
            if not ever:
                raise PlatformError(str(error) or "Slack's Socket Mode cannot be reached") from None
            log.warning("Slack is away", reason=str(error) or "no connection", again_in_s=pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, 60.0)
        finally:
            if handler is not None:
                await handler.client.close()  # type: ignore[no-untyped-call]


async def _socket_address(client: AsyncWebClient, app_token: str) -> str:
    try:
        return str((await asked(client.apps_connections_open(app_token=app_token)))["url"])
    except Unreachable:
        raise
    except PlatformError as error:
        wanted = "make an App-Level Token (xapp-…) with connections:write on the app's page Basic Information"
        raise PlatformError(f"SLACK_APP_TOKEN: {error}; {wanted}, and turn Socket Mode on") from None


async def _lost(client: SocketModeClient) -> None:
    """Return when the connection was away for longer than slack_sdk needs to restore one."""
    loop = asyncio.get_running_loop()
    last = loop.time()
    while loop.time() - last < LOST_SECONDS:
        await asyncio.sleep(LOOK_SECONDS)
        if await client.is_connected():
            last = loop.time()


async def serve_http(
    app: AsyncApp, signing_secret: str, host: str, port: int, connected: Callable[[], None]
) -> None:
    """Take Slack's requests on `EVENTS_PATH` until cancelled; only signed and fresh ones get in."""
    verifier = SignatureVerifier(signing_secret)

    async def receive(request: web.Request) -> web.Response:
        body = await request.read()
        if not _signed(verifier, body, request):
            return web.Response(status=401, text="unsigned, wrongly signed or stale")
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    server = web.Application()
    server.router.add_post(EVENTS_PATH, receive)
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        log.info("waiting for Slack", mode="http", url=f"http://{host}:{runner.addresses[0][1]}{EVENTS_PATH}")
        connected()
        await asyncio.Event().wait()
    except OSError as error:
        raise PlatformError(f"slack.port: {host}:{port} cannot be used ({error.strerror})") from None
    finally:
        await runner.cleanup()


def _signed(verifier: SignatureVerifier, body: bytes, request: web.Request) -> bool:
    try:
        return verifier.is_valid_request(body, dict(request.headers))
    except (ValueError, TypeError):  # a time that is no number, a body that is no text
        return False


def quiet(name: str) -> logging.Logger:
    """A logger for the library: warnings, each in one line; a lost network is no reason for a stack trace."""
    logger = logging.getLogger(f"{__name__}.{name}")
    if not logger.filters:
        logger.addFilter(_without_trace)
    logger.setLevel(max(logging.WARNING, logging.getLogger().getEffectiveLevel()))
    return logger


def _without_trace(record: logging.LogRecord) -> bool:
    record.exc_info = None
    return True
