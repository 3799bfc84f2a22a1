"""The web classroom around a real room, and people who use it by hand: requests as a browser sends them, or as none would."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from bot.app import App
from bot.commands import Commands
from bot.links import Links
from bot.platforms.web.platform import Answers
from bot.platforms.web.site import site
from bot.store import hash_user
from tests.fakes.students import SECRET, ScriptedModel, room

ADDRESS = "http://127.0.0.1:8080"
PROFESSOR = "prof"


@dataclass(frozen=True)
class World:
    """A room with the web classroom before it; `prof` may begin courses."""

    app: App
    commands: Commands
    links: Links
    site: Starlette


@asynccontextmanager
async def world(
    path: Path, *models: ScriptedModel, address: str = ADDRESS, **sections: Any
) -> AsyncIterator[World]:
    async with room(path, *(models or (ScriptedModel(),)), **sections) as app:
        links = Links(app.store, SECRET, address)
        teach = frozenset({hash_of(PROFESSOR)})
        commands = Commands(
            app.settings, app.store, app.models, app.classroom, links=links, instructors=teach
        )
        yield World(app, commands, links, site(app.settings, app.classroom, commands, Answers))


def hash_of(name: str) -> str:
    """A person of Discord, as the store knows them."""
    return hash_user("discord", name, SECRET)


class Person:
    """Somebody with a browser of their own. What they post carries the token of the page they looked at last."""

    def __init__(self, world: World, name: str) -> None:
        self.who = hash_of(name)
        self._links = world.links
        transport = httpx.ASGITransport(world.site)
        self.client = httpx.AsyncClient(transport=transport, base_url=ADDRESS)
        self.token = ""

    async def signed_in(self) -> Person:
        """Open the link and press the button."""
        await self.get(self._links.link(self.who).removeprefix(ADDRESS))
        link = self._link
        done = await self.post("/in", t=link)
        assert (done.status_code, done.headers["location"]) == (303, "/"), done.text
        await self.get("/")
        return self

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Look at a page."""
        answer = await self.client.get(path, headers=headers)
        for found in re.findall(r'name="token" value="([^"]+)"', answer.text):
            self.token = found
        if found := re.search(r'name="t" value="([^"]+)"', answer.text):
            self._link = unescape(found[1])
        if found := re.search(r'id="key" value="([^"]+)"', answer.text):
            self.key = found[1]
        return answer

    async def post(self, path: str, *, part: bool = False, **fields: Any) -> httpx.Response:
        """Send a form of ours."""
        headers = {"HX-Request": "true"} if part else {}
        return await self.client.post(path, data={"token": self.token, **fields}, headers=headers)

    async def say(self, text: str, key: str | None = None) -> httpx.Response:
        """Say something to the child."""
        return await self.post("/say", part=True, text=text, key=key or uuid.uuid4().hex)

    async def do(self, line: str) -> httpx.Response:
        """Do a command."""
        return await self.post("/do", part=True, line=line)

    async def practice(self, *lines: str) -> int:
        """Say these things, and give the number of the conversation."""
        for line in lines:
            answer = await self.say(line)
            assert answer.status_code == 200, answer.text
        listed = (await self.get("/practices")).text
        found = re.search(r'href="/practices/(\d+)"', listed)
        assert found, listed
        return int(found[1])
