"""The web classroom as a platform: a server on one port, and how an answer gets to the browser that asked.

It knows the classroom and the commands; nothing of models and of the store. What is on which page is `site`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import structlog
import uvicorn

from bot.classroom import Classroom
from bot.commands import Commands
from bot.config import Settings
from bot.messages import Outgoing
from bot.platforms.base import PlatformError
from bot.platforms.web import WebSettings
from bot.platforms.web.site import site

log = structlog.get_logger(__name__)

PLATFORM = "web"
FINISH_SECONDS = 5
"""For requests in hand when the program ends: the child's answers are finished before."""
AT_ONCE = 400
"""Requests beyond are told to come back."""


class Answers:
    """Takes what is said to one message, for the page. What nobody waits for any more is in the log, and every page
    is made from the log: so whatever is sent has arrived."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []

    async def thinking(self) -> None:
        """The page says so by itself."""

    async def send(self, outgoing: Outgoing) -> str | None:
        """Keep it for the page."""
        self.sent.append(outgoing)
        return None

    async def find(self, outgoing: Outgoing) -> list[str]:  # noqa: ARG002 - the protocol's name
        """Nothing is shown that is not logged."""
        return []

    async def tell(self, text: str) -> bool:
        """Nobody else is on the page."""
        self.sent.append(Outgoing(text, None))
        return True


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the program stops everything in order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs this."""
        yield


class WebPlatform:
    """The pages on one port. `serve` it; it is of no use afterwards."""

    name = PLATFORM

    def __init__(self, settings: Settings, classroom: Classroom, commands: Commands) -> None:
        self._settings = settings
        self._web = settings.section(WebSettings)
        self._classroom = classroom
        self._commands = commands
        self.port: int | None = None
        """Where it listens, once it does."""

    async def serve(self) -> None:
        """Answer until cancelled; raise `PlatformError` where the port cannot be used."""
        web = self._web
        app = site(self._settings, self._classroom, self._commands, Answers)
        try:
            listening = socket.create_server(
                (web.host, web.port), family=socket.AF_INET6 if ":" in web.host else socket.AF_INET
            )
        except OSError as error:
            raise PlatformError(
                f"web.port: {web.host} {web.port} cannot be used ({error.strerror})"
            ) from None
        with listening:
            self.port = listening.getsockname()[1]
            await self._classroom.take_up(PLATFORM, lambda _: Answers())
            config = uvicorn.Config(
                app,
                lifespan="off",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=AT_ONCE,
                timeout_graceful_shutdown=FINISH_SECONDS,
            )
            server = _Server(config)
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            log.info("web classroom", url=f"http://{web.host}:{self.port}")
            try:
                await asyncio.shield(serving)
            except asyncio.CancelledError:
                server.should_exit = True
                async with asyncio.timeout(2 * FINISH_SECONDS):
                    await serving
                raise

    async def announce(self, channel: str, text: str) -> None:  # noqa: ARG002 - the protocol's names
        """There is no channel in which all read."""
        raise PlatformError("nothing is announced in the web classroom")
