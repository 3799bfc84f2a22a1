"""A real Chromium with a profile of its own, driven over its DevTools: pages opened, pressed, typed into, looked at."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SECONDS = 60


@contextmanager
def chromium() -> Iterator[Path]:
    """Start it; gives the file in which it writes where its DevTools listen. It ends with the block."""
    assert BROWSER is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [
                BROWSER,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-proxy-server",
                "--remote-debugging-port=0",
                "--remote-allow-origins=*",
                f"--user-data-dir={profile}",
                "about:blank",
            ],
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        try:
            yield Path(profile) / "DevToolsActivePort"
        finally:
            process.kill()
            process.wait()


class Tab:
    """One page. `complaints` is everything that its console said."""

    def __init__(self, line: aiohttp.ClientWebSocketResponse) -> None:
        self._line = line
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._loaded = asyncio.Event()
        self.complaints: list[str] = []

    async def listen(self) -> None:
        """Take what the browser says, until cancelled."""
        async for message in self._line:
            found = message.json()
            if "id" in found:
                if not (answer := self._answers[found["id"]]).done():
                    answer.set_result(found)
            elif found["method"] == "Page.loadEventFired":
                self._loaded.set()
            elif found["method"] in {"Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"}:
                self.complaints.append(json.dumps(found["params"]))

    async def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the DevTools."""
        number = len(self._answers) + 1
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._line.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(SECONDS):
            answer = await self._answers[number]
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    async def look(self, width: int, height: int = 800, *, dark: bool = False) -> None:
        """Be a screen of that size."""
        await self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.ask("Emulation.setEmulatedMedia", features=[scheme])

    async def go(self, url: str) -> None:
        """Open a page, and wait until it is there."""
        self._loaded.clear()
        await self.ask("Page.navigate", url=url)
        await self.loaded()

    async def loaded(self) -> None:
        """Wait for the page that is on its way."""
        async with asyncio.timeout(SECONDS):
            await self._loaded.wait()

    async def js(self, expression: str) -> Any:
        """What an expression gives in the page."""
        found = await self.ask(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def until(self, expression: str) -> None:
        """Wait until it is true in the page."""
        try:
            async with asyncio.timeout(SECONDS):
                while not await self.js(f"!!({expression})"):
                    await asyncio.sleep(0.05)
        except TimeoutError:
            shown = await self.js("document.body.innerText + ' | ' + document.activeElement.outerHTML")
            raise AssertionError(f"never {expression}: {self.complaints} {shown}") from None

    async def press(self, text: str, within: str = "body") -> None:
        """Press the button or link with these words, and wait for the page it leads to."""
        self._loaded.clear()
        found = await self.js(
            f"""(() => {{ const each = [...document.querySelectorAll({json.dumps(within)} + " :is(button, a)")]
                .find(each => each.innerText.trim().startsWith({json.dumps(text)}));
                if (each) each.click(); return !!each; }})()"""
        )
        assert found, f"no {text!r} in {await self.js('document.body.innerText')}"
        await self.loaded()

    async def type(self, selector: str, text: str) -> None:
        """Type into a field. A page that is just being drawn may not have the focus yet."""
        field = f"document.querySelector({json.dumps(selector)})"
        for _ in range(20):
            await self.js(f"{field}.focus()")
            await self.ask("Input.insertText", text=text)
            if text in await self.js(f"{field}.value"):
                return
            await asyncio.sleep(0.2)
        raise AssertionError(f"{selector} takes no text: {await self.js('document.activeElement.outerHTML')}")

    async def key(self, name: str, code: int, *, text: str = "") -> None:
        """Press one key where the focus is."""
        for kind in ("keyDown", "keyUp"):
            more = {"text": text} if text and kind == "keyDown" else {}
            await self.ask(
                "Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code, **more
            )

    async def enter(self) -> None:
        """Press Enter."""
        await self.key("Enter", 13, text="\r")

    async def picture(self, file: Path) -> None:
        """The whole page as a PNG."""
        shot = await self.ask("Page.captureScreenshot", captureBeyondViewport=True, format="png")
        file.write_bytes(base64.b64decode(shot["data"]))


@asynccontextmanager
async def tab(port_file: Path) -> AsyncIterator[Tab]:
    """The page of a Chromium that was started."""
    async with asyncio.timeout(SECONDS):
        while not (port_file.is_file() and port_file.read_text().count("\n")):
            await asyncio.sleep(0.1)
    port = int(port_file.read_text().split("\n")[0])
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
            target = next(each for each in await answer.json() if each["type"] == "page")
        async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as line:
            opened = Tab(line)
            listening = asyncio.create_task(opened.listen())
            for domain in ("Page", "Runtime", "Log"):
                await opened.ask(f"{domain}.enable")
            yield opened
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
