"""JSON over HTTP to one server, asked again where that may help.

On aiohttp, which Discord brings anyway: OpenAI's SDK takes 35 MB and 1.6 s to start with, and 4 ms of the processor for
each call, where this takes 0.4. It knows statuses, waits and errors; nothing of what is asked.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

import aiohttp

from bot.proxies import proxy_for

CONNECT_SECONDS = 5.0
BACK_OFF_SECONDS, MOST_BACK_OFF_SECONDS = 0.5, 8.0
"""Before the second try, and at most; it doubles with each."""
_WORTH_ANOTHER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS})

FAILURES = (aiohttp.ClientError, OSError)
"""What `ask` raises where no answer came: the server was not to be reached, or the connection broke."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered, be it an error."""

    status: int
    body: bytes
    error: Mapping[str, Any] = field(default_factory=dict)
    """What an error says, in OpenAI's form: `message`, `type`, `code` and `param`. Not for a log: it quotes."""

    @property
    def ok(self) -> bool:
        """Whether it is what was asked for."""
        return self.status < HTTPStatus.BAD_REQUEST

    @property
    def kind(self) -> str | None:
        """Of which type an error is, where the server says so."""
        kind = self.error.get("type")
        return kind if isinstance(kind, str) else None

    @property
    def said(self) -> str:
        """An error's message."""
        return str(self.error.get("message") or "")


class Client:
    """One server; safe for any number of requests at once. A wait of `longest_wait` seconds is not begun."""

    def __init__(
        self, base_url: str, *, headers: Mapping[str, str], retries: int, longest_wait: float
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._headers = {"Content-Type": "application/json", **headers}
        self._retries = retries
        self._longest_wait = longest_wait
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def ask(self, method: Literal["get", "post"], path: str, body: object = None) -> Answer:
        """The answer of the last try. Raise one of `FAILURES`, or `ValueError` for what cannot be sent."""
        sent = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        for left in range(self._retries, -1, -1):
            wait = None
            try:
                async with self._open().request(method, self._base_url + path, data=sent) as response:
                    wait = _asked_for(response.headers)
                    answer = Answer(response.status, await response.read())
            except FAILURES:
                if not left or self._closed:
                    raise
            else:
                if answer.ok:
                    return answer
                if not left or not _worth_another(answer.status) or (wait or 0.0) >= self._longest_wait:
                    return Answer(answer.status, answer.body, _error(answer.body))
            tried = self._retries - left
            back_off = min(BACK_OFF_SECONDS * 2**tried, MOST_BACK_OFF_SECONDS)
            await asyncio.sleep(wait if wait is not None else back_off * random.uniform(0.75, 1.0))
        raise AssertionError("the last try returns or raises")

    async def aclose(self) -> None:
        """Close the connections; nothing can be asked any more."""
        self._closed = True
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        """The session, made where it is first needed, which is in the event loop."""
        if self._closed:
            raise aiohttp.ClientConnectionError("closed")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                headers=self._headers,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                proxy=proxy_for(self._base_url),
            )
        return self._session


def _worth_another(status: int) -> bool:
    return status in _WORTH_ANOTHER or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _asked_for(headers: Mapping[str, str]) -> float | None:
    """How many seconds the server wants us to wait; None where it does not say so in a number."""
    for name, unit in (("Retry-After-Ms", 0.001), ("Retry-After", 1.0)):  # the first is Azure's
        try:
            wait = float(headers.get(name, "")) * unit
        except ValueError:
            continue
        return wait if wait > 0 else None
    return None


def _error(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    inner = found.get("error", found) if isinstance(found, dict) else {}
    return inner if isinstance(inner, dict) else {"message": inner}
