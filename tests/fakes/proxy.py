"""An HTTP proxy on a local port, for addresses without TLS: it hands every connection on and notes to where."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_ASKED = re.compile(rb"^[A-Z]+ (\S+) HTTP/1\.1\r$", re.M)


class Proxy:
    """Use as `async with Proxy() as proxy`. `asked` holds the addresses that were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.address = ""
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.address = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.readuntil(b"\r\n\r\n")
        address = urlsplit(_ASKED.findall(first)[0].decode())
        there, back = await asyncio.open_connection(address.hostname, address.port)
        self._note(first)
        back.write(first)
        for work in (_hand_on(reader, back, self._note), _hand_on(there, writer, lambda _: None)):
            task = asyncio.create_task(work)
            self._open.add(task)
            task.add_done_callback(self._open.discard)

    def _note(self, content: bytes) -> None:
        """A connection is asked more than once."""
        self.asked += [url.decode() for url in _ASKED.findall(content)]


async def _hand_on(
    source: asyncio.StreamReader, sink: asyncio.StreamWriter, note: Callable[[bytes], object]
) -> None:
    try:
        while content := await source.read(65_536):
            note(content)
            sink.write(content)
            await sink.drain()
    except ConnectionError:
        pass
    finally:
        sink.close()
