"""OpenAI's HTTP API as far as Pupil uses it, on a real local socket, with answers enqueued by the test.

It records every request and checks nothing about it: what a request must look like is the test's matter.
It answers under OpenAI's paths and under Azure's deployment paths.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request as it came in; header names are lower case; `body` is None when it is not JSON."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass(frozen=True, slots=True)
class Answer:
    """What to do with one request; the first of `hang`, `drop`, `garbage` that is set wins."""

    text: str | list[dict[str, str]] | None = "I think it's 45."
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    hang: bool = False
    drop: bool = False
    garbage: bool = False
    empty_choices: bool = False
    refusal: str | None = None
    finish_reason: str = "stop"
    error: Mapping[str, object] = field(default_factory=dict)
    usage: Mapping[str, object] | None = field(
        default_factory=lambda: {"prompt_tokens": 200, "completion_tokens": 8, "total_tokens": 208}
    )


class OpenAIServer:
    """Use as `async with OpenAIServer() as server`; without an enqueued answer it gives a plain one."""

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self.arrived = asyncio.Event()
        """Set when the first request came in."""
        self.client_left = asyncio.Event()
        """Set when a client closed its connection before it had its answer."""
        self.busiest = 0
        """The most requests that were open at once."""
        self._open = 0
        self._answers: deque[Answer] = deque()
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self._chat)
        app.router.add_post("/openai/deployments/{deployment}/chat/completions", self._chat)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def root(self) -> str:
        """The address without a path: what Azure calls the endpoint."""
        if self._runner is None:
            raise RuntimeError("the server is not started: use `async with`")
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    @property
    def base_url(self) -> str:
        """The address as `base_url` is meant by OpenAI's clients."""
        return f"{self.root}/v1"

    def enqueue(self, *, times: int = 1, **answer: Any) -> None:
        """Answer the next `times` requests so; see `Answer` for the fields."""
        self._answers.extend([Answer(**answer)] * times)

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        body = await _record(request, self.requests)
        self.arrived.set()
        answer = self._answers.popleft() if self._answers else Answer()
        self._open += 1
        self.busiest = max(self.busiest, self._open)
        try:
            return await self._give(answer, request, body)
        except asyncio.CancelledError:
            self.client_left.set()
            raise
        finally:
            self._open -= 1

    async def _give(self, answer: Answer, request: web.Request, body: Any) -> web.StreamResponse:
        await asyncio.sleep(answer.delay)
        if answer.hang:
            await asyncio.Event().wait()
        if answer.drop:
            return await _break_off(request)
        if answer.garbage:
            return web.Response(text="<html>Welcome!</html>", content_type="text/html")
        if answer.status >= HTTPStatus.BAD_REQUEST:
            error = {"message": "No.", "type": "error", "param": None, "code": None, **answer.error}
            return web.json_response({"error": error}, status=answer.status, headers=answer.headers)
        return web.json_response(_completion(answer, str(body["model"])), headers=answer.headers)


async def _record(request: web.Request, into: list[Recorded]) -> Any:
    try:
        body = json.loads(await request.read())
    except ValueError:
        body = None
    headers = {name.lower(): value for name, value in request.headers.items()}
    into.append(Recorded(request.method, request.path, dict(request.query), headers, body))
    return body


async def _break_off(request: web.Request) -> web.StreamResponse:
    """Promise more bytes than are sent, then close the connection."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"choices": [')
    if request.transport is not None:
        request.transport.close()
    return response


def _completion(answer: Answer, model: str) -> dict[str, Any]:
    message = {"role": "assistant", "content": answer.text, "refusal": answer.refusal}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": answer.finish_reason}
    completion: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": model,
        "choices": [] if answer.empty_choices else [choice],
    }
    if answer.usage is not None:
        completion["usage"] = dict(answer.usage)
    return completion
