"""HTTPS_PROXY and NO_PROXY on both platforms: no connection but through the proxy, or none through it.

The fake platforms speak without TLS, so that the proxy is asked for whole addresses instead of tunnels.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.proxies import proxy_for
from tests.fakes.discord_server import DiscordServer
from tests.fakes.proxy import Proxy
from tests.fakes.slack_server import SlackServer
from tests.platforms import test_discord, test_slack

NAMES = (
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "all_proxy",
    "ALL_PROXY",
)


@pytest_asyncio.fixture
async def proxy(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Proxy]:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    async with Proxy() as opened:
        monkeypatch.setenv("HTTP_PROXY", opened.address)
        monkeypatch.setenv("HTTPS_PROXY", opened.address)
        yield opened


def test_which_proxy_leads_where(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "localhost,.example.org,127.0.0.1")
    assert proxy_for("https://discord.com/api/v10") == "http://proxy:3128"
    assert proxy_for("wss://wss-primary.slack.com/link/?ticket=1") == "http://proxy:3128"
    assert proxy_for("http://discord.com") is None
    for around in ("https://localhost:8000/v1", "https://git.example.org", "wss://127.0.0.1:1/"):
        assert proxy_for(around) is None


@pytest.mark.parametrize("around", [False, True])
async def test_all_of_discord(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, around: bool
) -> None:
    if around:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with DiscordServer() as server, test_discord.running(server, tmp_path):
        assert server.identified
        asked = [url.removeprefix(server.api_base) for url in proxy.asked]
    if around:
        assert asked == []
    else:
        assert any(url == "/users/@me" for url in asked)
        assert any("encoding=json" in url for url in asked), "the gateway, too"


@pytest.mark.parametrize("around", [False, True])
async def test_all_of_slack(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, around: bool
) -> None:
    if around:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with (
        SlackServer(test_slack.MANIFEST, ack_seconds=1.0) as slack,
        test_slack.running(slack, test_slack.settings(slack, tmp_path)),
    ):
        asked = list(proxy.asked)
    if around:
        assert asked == []
    else:
        assert any(url.endswith("auth.test") for url in asked)
        assert any("link" in url or url.startswith("ws") or "socket" in url for url in asked), asked
