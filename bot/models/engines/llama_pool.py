"""The servers that speak with one voice, the base model's or an adapter's, and which of them answers whom.

A conversation stays with its server, which has read what was said. It knows conversations as opaque keys. It must not
know of other voices, of children or platforms.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from pathlib import Path

from bot.models.engines.base import Completion, Messages, Sampling
from bot.models.engines.llama_server import Server, Shape

MOST_HOMES = 1000
"""Conversations whose server is remembered; who was silent longest is forgotten first, and any server does."""
BEHIND = 2
"""With so many answers before it, waiting takes longer than reading a conversation anew where nothing is to do."""
SHORTEST = Sampling(max_tokens=1, temperature=0.0)


class Pool:
    """Make it with `load`; close it with `close` or `drain`. Those block; any event loop may await `complete`."""

    def __init__(self, servers: tuple[Server, ...]) -> None:
        self._servers = servers
        self._homes: dict[str, Server] = {}
        """By conversation, the one that was silent longest first."""
        self._lock = threading.Lock()

    @classmethod
    def load(cls, shape: Shape, count: int, adapter: Path | None) -> Pool:
        """Load `count` servers of that shape; raise `EngineError` when one cannot be."""
        servers: list[Server] = []
        try:
            for _ in range(count):
                servers.append(Server.load(shape, adapter))
        except BaseException:
            for server in servers:
                server.drain()
            raise
        return cls(tuple(servers))

    @property
    def waiting(self) -> tuple[int, ...]:
        """How many requests each server has in hand or waiting."""
        return tuple(server.waiting for server in self._servers)

    async def several(
        self, messages: Messages, sampling: Sampling, count: int, conversation: str
    ) -> tuple[Completion, ...]:
        """Up to `count` next messages; raise `EngineError`. Cancelling the call stops them at the next token."""
        with self._lock:
            server = self._server_of(conversation)
        return await _ask(server, messages, sampling, conversation, count)

    async def remember(self, messages: Messages) -> None:
        """Read `messages` into every slot."""
        await asyncio.gather(
            *(_ask(server, messages, SHORTEST, "") for server in self._servers for _ in range(server.slots))
        )

    def drain(self) -> None:
        """Finish what was asked, then free the servers."""
        for server in self._servers:
            server.drain()

    def close(self) -> None:
        """Stop what is being written, and free the servers."""
        for server in self._servers:
            server.stop()
        self.drain()

    def _server_of(self, conversation: str) -> Server:
        """Where it was last, unless that one is behind with its work and another one idle. A new one goes where least
        is to do, then where fewest are."""
        guests = Counter(self._homes.values())
        idlest = min(self._servers, key=lambda server: (server.waiting, guests[server]))
        home = self._homes.pop(conversation, idlest)
        if home.waiting >= BEHIND and not idlest.waiting:
            home = idlest
        if conversation:
            self._homes[conversation] = home
            if len(self._homes) > MOST_HOMES:
                del self._homes[next(iter(self._homes))]
        return home


async def _ask(
    server: Server, messages: Messages, sampling: Sampling, conversation: str, count: int = 1
) -> tuple[Completion, ...]:
    cancelled = threading.Event()
    try:
        asked = server.submit(messages, sampling, conversation, cancelled.is_set, count)
        return await asyncio.wrap_future(asked)
    finally:
        cancelled.set()
