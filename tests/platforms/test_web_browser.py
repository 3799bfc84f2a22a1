"""The web classroom in a real browser, on a phone and on a desk: practise, look back, try again, assign, rate."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.platforms.web import WebSettings
from bot.platforms.web.platform import WebPlatform
from tests.fakes.browser import BROWSER, Tab, chromium, tab
from tests.fakes.web import PROFESSOR, World, hash_of, world

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium here (Debian: apt-get install chromium)")
SCENARIO = "forty-five"
FAULTS = """(() => {
    const faults = [];
    if (document.documentElement.scrollWidth > document.documentElement.clientWidth + 1) faults.push("too wide: " +
        [...document.querySelectorAll("main *")].filter(each => !each.closest(".wide, figure, pre, .sr")
            && each.getBoundingClientRect().right > innerWidth + 1).map(each => each.outerHTML.slice(0, 80)).join());
    for (const each of document.querySelectorAll("input:not([type=hidden]), textarea, select"))
        if (!each.labels.length) faults.push("no label: " + each.outerHTML);
    for (const each of document.querySelectorAll("button, a, summary"))
        if (!each.textContent.trim()) faults.push("no name: " + each.outerHTML);
    for (const each of document.querySelectorAll("img"))
        if (!each.alt || !each.naturalWidth) faults.push("picture: " + each.alt);
    for (const each of document.querySelectorAll("svg"))
        if (!each.getAttribute("aria-label")) faults.push("no words for a drawing");
    for (const [what, count] of [["main", 1], ["header", 1], ["footer", 1], ["h1", 1]])
        if (document.querySelectorAll(what).length !== count) faults.push(what + " is not there once");
    for (const each of document.querySelectorAll("main button, main a.button"))
        if (each.getClientRects().length && each.getBoundingClientRect().height < 40) faults.push("small: " + each.outerHTML);
    return faults;
})()"""


@contextlib.asynccontextmanager
async def served(folder: Path) -> AsyncIterator[World]:
    """The web classroom on a port of its own."""
    async with world(folder / "pupil.db", limits={"commands_minute": 1000}) as here:
        platform = WebPlatform(here.app.settings, here.app.classroom, here.commands)
        platform._web = WebSettings(port=0)
        serving = asyncio.create_task(platform.serve())
        try:
            async with asyncio.timeout(20):
                while platform.port is None:
                    await asyncio.sleep(0.01)
            here.links.address = f"http://127.0.0.1:{platform.port}"
            yield here
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


class Desk:
    """One browser, and where its pictures go: kept where PUPIL_TEST_PICTURES names a folder."""

    def __init__(self, here: World, page: Tab, folder: Path | None) -> None:
        self.here = here
        self.page = page
        self._folder = folder
        self._count = 0

    async def sign_in(self, name: str) -> None:
        await self.page.go(self.here.links.link(hash_of(name)))
        await self.seen("door")
        await self.page.press("Sign in")

    async def seen(self, name: str) -> None:
        """Look at the page: keep a picture, and complain of what is wrong with it."""
        self._count += 1
        if self._folder is not None:
            await self.page.picture(self._folder / f"{self._count:02}-{name}.png")
        assert await self.page.js(FAULTS) == [], name
        assert self.page.complaints == [], name

    async def open(self, path: str) -> None:
        await self.page.go(f"{self.here.links.address}{path}")

    async def say(self, text: str) -> None:
        before = await self.page.js("document.querySelectorAll('#talk .child').length")
        await self.page.type("#text", text)
        await self.page.enter()
        await self.page.until(f"document.querySelectorAll('#talk .child').length > {before}")


def pictures(name: str) -> Path | None:
    """The folder for the pictures of one look, where somebody wants to see them."""
    if not (wanted := os.environ.get("PUPIL_TEST_PICTURES")):
        return None
    folder = Path(wanted) / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.mark.timeout(600)
@pytest.mark.parametrize("width", [375, 1280])
async def test_a_course_of_practice(tmp_path: Path, width: int) -> None:
    with chromium() as port_file:
        async with served(tmp_path) as here, tab(port_file) as page:
            await page.look(width)
            desk = Desk(here, page, pictures(str(width)))
            await desk.open("/")
            await desk.seen("welcome")
            number = await practises(desk)
            code, course = await begins_a_course(desk)
            await joins_and_shares(desk, code, number)
            await rates(desk, course)


@pytest.mark.timeout(600)
async def test_it_is_dark_where_the_reader_wants_it_dark(tmp_path: Path) -> None:
    with chromium() as port_file:
        async with served(tmp_path) as here, tab(port_file) as page:
            desk = Desk(here, page, pictures("dark"))
            for dark in (False, True):
                await page.look(375, dark=dark)
                await desk.open("/welcome")
                await desk.seen(f"welcome-{dark}")
                ground, ink = [
                    await page.js(f"getComputedStyle(document.body).{each}.match(/\\d+/g).map(Number)[0]")
                    for each in ("backgroundColor", "color")
                ]
                assert (ground < ink) is dark


async def practises(desk: Desk) -> int:
    """Ann talks, by keyboard, looks back and goes back to a turn of hers."""
    page = desk.page
    await desk.sign_in("ann")
    await desk.seen("fresh")
    await desk.say("What is 52 minus 17?")
    assert "Mia says: " in await page.js("document.getElementById('news').textContent")
    assert await page.js("document.getElementById('text').value") == ""
    assert await page.js("document.activeElement.id") == "text", "one goes on typing"
    for line in (
        "How did you get that?",
        "The answer is 35.",
        "Say you have 6 tens and 1 one. Can you hand me 8 ones?",
    ):
        await desk.say(line)
    assert await page.js("!document.getElementById('looking').hidden"), "there is something to look back on"
    await desk.seen("talk")
    await page.js("document.querySelector('details').open = true")
    await page.type("#line", "help")
    await page.js("document.querySelector('#do').requestSubmit()")
    await page.until("document.querySelector('#answer').innerText.includes('debrief')")
    await desk.seen("command")
    await page.type("#text", " ")
    await page.js("document.getElementById('say').requestSubmit()")
    await page.until("document.querySelector('#answer [role=alert]')")
    page.complaints.clear()  # the browser notes every answer that refuses something
    await page.press("Look back and go on")
    await desk.seen("debrief")
    number = int((await page.js("location.pathname")).rpartition("/")[2])
    await desk.open("/again")
    await desk.seen("again")
    await page.press("Go back", "li:nth-child(3)")
    assert await page.js("document.querySelectorAll('#talk .you').length") == 2
    await desk.say("Can you show me with blocks?")
    await desk.open("/practices")
    await desk.seen("practices")
    for path in ("growth", "choose", "privacy", "rate"):
        await desk.open(f"/{path}")
        await desk.seen(path)
    await page.press("Sign out")
    return number


async def begins_a_course(desk: Desk) -> tuple[str, str]:
    """The professor begins a course, and assigns a scenario."""
    page = desk.page
    await desk.sign_in(PROFESSOR)
    await desk.open("/teach")
    await desk.seen("teach")
    await page.type("#title", "Methods of teaching, autumn")
    await page.press("Begin it")
    await page.js(f"document.getElementById('scenario').value = '{SCENARIO}'")
    await page.press("Assign")
    await desk.seen("course-begun")
    code, course = (
        await page.js("document.querySelector('.code').innerText"),
        await page.js("location.pathname"),
    )
    await page.press("Sign out")
    return code, course


async def joins_and_shares(desk: Desk, code: str, number: int) -> None:
    """Ann joins, practises what is assigned, and shows both practices."""
    page = desk.page
    await desk.sign_in("ann")
    await desk.open("/course")
    await page.type("#code", code)
    await page.type("#name", "Ann B.")
    await page.press("Join")
    await desk.seen("joined")
    await desk.open("/")
    await desk.seen("assigned")
    await page.press("Begin", ".assigned")
    await desk.seen("scenario")
    await desk.say("Tell me how you did this one.")
    await desk.open(f"/practices/{number}")
    await page.press("Show it")
    assert "your instructor can read this talk" in await page.js("document.body.innerText")
    await desk.seen("shared")
    await page.press("Sign out")


async def rates(desk: Desk, course: str) -> None:
    """The professor reads what is shown, and rates the child by keyboard."""
    page = desk.page
    await desk.sign_in(PROFESSOR)
    await desk.open(course)
    await desk.seen("course")
    await page.press("Ann B.")
    await desk.seen("to-rate")
    for place in range(9):
        await page.js(f"document.querySelectorAll('fieldset')[{place}].querySelector('input').focus()")
        await page.key(" ", 32, text=" ")
        await page.key("ArrowRight", 39)
        await page.key("ArrowRight", 39)
    await page.type("#comment", "Held on as a child would.")
    await page.press("Keep this rating")
    assert "You rated it." in await page.js("document.body.innerText")
    await desk.open(course)
    await desk.seen("rated")
    (owned,) = await desk.here.app.store.courses.owned(hash_of(PROFESSOR))
    (share,) = await desk.here.app.store.courses.shared(owned.id)
    (rating,) = await desk.here.app.store.ratings(share.conversation_id)
    assert set(rating.scores.values()) == {3}
