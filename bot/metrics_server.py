"""The small loopback server that shows the figures and whether the bot is well.

It knows a registry and a question to ask; nothing of what is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from bot.metrics import Metrics


class MetricsServer:
    """/metrics, /healthz and /livez on one port."""

    def __init__(
        self, metrics: Metrics, healthy: Callable[[], bool], troubles: Mapping[str, str] | None = None
    ) -> None:
        self._metrics = metrics
        self._healthy = healthy
        self._troubles = {} if troubles is None else troubles
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port. Raises `OSError` when it is taken."""
        app = web.Application()
        app.router.add_get("/metrics", self._show)
        app.router.add_get("/healthz", self._health)
        app.router.add_get("/livez", self._live)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    async def aclose(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _show(self, _request: web.Request) -> web.Response:
        return web.Response(
            body=generate_latest(self._metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    async def _live(self, _request: web.Request) -> web.Response:
        # That it is answered is the answer. While the program starts and while it stops, it is no reason to kill it.
        return web.json_response({"ok": True})

    async def _health(self, _request: web.Request) -> web.Response:
        healthy = self._healthy()
        # Troubles are told and leave the status alone: a supervisor's restart would not mend a failed backup.
        told = {"troubles": dict(self._troubles)} if self._troubles else {}
        return web.json_response({"ok": healthy, **told}, status=200 if healthy else 503)
