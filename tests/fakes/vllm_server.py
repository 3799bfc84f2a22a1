"""A vLLM server as far as Pupil uses it, on a real local socket: chats, the list of models, adapters that come and go.

It answers as vLLM does: 400 for an adapter that is loaded already, 404 for one that is not there, 404 without an
error of its own where loading at runtime was not allowed.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from pathlib import Path
from typing import Any, Self

from aiohttp import web
from aiohttp.typedefs import Handler

BASE = "HuggingFaceTB/SmolLM2-135M-Instruct"
KEY = "a-key-of-a-test"


class VllmServer:
    """Use as `async with VllmServer() as server`; it says the adapter's name and the request's seed."""

    def __init__(self, *, loading: bool = True, key: str | None = None) -> None:
        self.adapters: dict[str, str] = {}
        """Path by name, of what is loaded."""
        self.chats: list[dict[str, Any]] = []
        self.calls: list[tuple[str, str]] = []
        """Every loading and unloading that was asked for, and the adapter's name."""
        self.silent = False
        self.seconds = 0.0
        """What an answer takes."""
        self.at_once = 0
        """So many are written at a time, others wait; 0: any number."""
        self.closed = False
        """It breaks every connection off, as one that is starting."""
        self.cancelled = 0
        self.waiting = 0
        self.running = 0
        self._places: asyncio.Semaphore | None = None
        self._loading = loading
        self._key = key
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._broken_off])
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_post("/v1/chat/completions", self._chat)
        if self._loading:
            app.router.add_post("/v1/load_lora_adapter", self._load)
            app.router.add_post("/v1/unload_lora_adapter", self._unload)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        """The address as `vllm_url` is meant."""
        assert self._runner is not None
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}/v1"

    @web.middleware
    async def _broken_off(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self.closed and request.transport is not None:
            request.transport.close()
        return await handler(request)

    async def _models(self, request: web.Request) -> web.Response:
        if self._key and request.headers.get("authorization") != f"Bearer {self._key}":
            return _error(HTTPStatus.UNAUTHORIZED, "AuthenticationError", "Unauthorized")
        cards: list[dict[str, Any]] = [{"id": BASE, "object": "model", "root": BASE, "parent": None}]
        cards += [
            {"id": name, "object": "model", "root": path, "parent": BASE}
            for name, path in self.adapters.items()
        ]
        return web.json_response({"object": "list", "data": cards})

    async def _chat(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.chats.append(body)
        name = body["model"]
        if name != BASE and name not in self.adapters:
            return _error(HTTPStatus.NOT_FOUND, "NotFoundError", f"The model `{name}` does not exist.")
        await self._write()
        text = "" if self.silent else f"{name} says {body.get('seed')}"
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 200, "completion_tokens": 8, "total_tokens": 208}
        return web.json_response({"id": "1", "model": name, "choices": [choice], "usage": usage})

    async def _write(self) -> None:
        if self._places is None:
            self._places = asyncio.Semaphore(self.at_once or 1_000_000)
        self.waiting += 1
        try:
            await self._places.acquire()
        finally:
            self.waiting -= 1
        self.running += 1
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.running -= 1
            self._places.release()

    async def _metrics(self, _: web.Request) -> web.Response:
        labels = f'{{engine="0",model_name="{BASE}"}}'
        return web.Response(
            text=f"# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{labels} {float(self.running)}\n"
            f"# TYPE vllm:num_requests_waiting gauge\nvllm:num_requests_waiting{labels} {float(self.waiting)}\n"
        )

    async def _load(self, request: web.Request) -> web.Response:
        body = await request.json()
        name, path = body["lora_name"], body["lora_path"]
        self.calls.append(("load", name))
        if name in self.adapters:
            said = f"The lora adapter '{name}' has already been loaded. If you want to load the adapter in place, set 'load_inplace' to True."
            return _error(HTTPStatus.BAD_REQUEST, "InvalidUserInput", said)
        if not (Path(path) / "adapter_config.json").is_file():
            said = f"Loading lora {name} failed: No adapter found for {path}"
            return _error(HTTPStatus.NOT_FOUND, "NotFoundError", said)
        self.adapters[name] = path
        return web.Response(text=f"Success: LoRA adapter '{name}' added successfully.")

    async def _unload(self, request: web.Request) -> web.Response:
        name = (await request.json())["lora_name"]
        self.calls.append(("unload", name))
        if name not in self.adapters:
            return _error(
                HTTPStatus.NOT_FOUND, "NotFoundError", f"The lora adapter '{name}' cannot be found."
            )
        del self.adapters[name]
        return web.Response(text=f"Success: LoRA adapter '{name}' removed successfully.")


def _error(status: HTTPStatus, kind: str, message: str) -> web.Response:
    error = {"message": message, "type": kind, "param": None, "code": int(status)}
    return web.json_response({"error": error}, status=status)
