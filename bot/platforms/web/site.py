"""All pages of the web classroom and what surrounds them: which address is which page, and the headers of answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot.platforms.web import WebSettings
from bot.platforms.web.course_pages import CoursePages
from bot.platforms.web.door import Door
from bot.platforms.web.looking_back import LookingBack
from bot.platforms.web.pages import STATIC, Pages
from bot.platforms.web.talk import Heard, TalkPages
from bot.platforms.web.visits import Visits

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bot.classroom import Classroom
    from bot.commands import Commands
    from bot.config import Settings

POLICY = "; ".join(  # noqa: FLY002 - one rule a line
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""What a page may load and do: nothing inline, nothing from elsewhere, but for pictures that lie in the page itself."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # an address may hold a link that lets somebody in
    "Cross-Origin-Opener-Policy": "same-origin",
}
AT_HOME = ("127.0.0.1", "localhost", "[::1]")


class _Headers:
    """Puts the headers on every answer; pages are kept by no browser."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                kept = str(scope.get("path", "")).startswith("/static/")
                headers["Cache-Control"] = "public, max-age=3600" if kept else "no-store"
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


def site(
    settings: Settings, classroom: Classroom, commands: Commands, answers: Callable[[], Heard]
) -> Starlette:
    """The program that answers requests. `answers` makes what takes the child's words for one message."""
    pages = Pages()
    visits = Visits(settings, commands, pages)
    guests = settings.section(WebSettings).guests
    door = Door(commands, visits, pages, guests=guests)
    talk = TalkPages(settings, classroom, commands, visits, pages, answers)
    back = LookingBack(commands, visits, pages)
    course = CoursePages(classroom, commands, pages, guests=guests)
    inside = visits.signed_in
    one, two = "/teach/{course}", "/teach/{course}/practices/{practice}"
    routes = [
        Mount("/static", StaticFiles(directory=STATIC)),
        Route("/welcome", door.welcome),
        Route("/in", door.look, methods=["GET"]),
        Route("/in", door.come_in, methods=["POST"]),
        Route("/enter", door.enter, methods=["POST"]),
        Route("/out", inside(door.leave), methods=["POST"]),
        Route("/", inside(talk.show), methods=["GET"]),
        Route("/say", inside(talk.say, counted=False), methods=["POST"]),
        Route("/do", inside(talk.do), methods=["POST"]),
        Route("/done", inside(talk.done), methods=["POST"]),
        Route("/again", inside(talk.again), methods=["GET"]),
        Route("/choose", inside(talk.choose), methods=["GET"]),
        Route("/rate", inside(talk.rate), methods=["GET", "POST"]),
        Route("/practices", inside(back.practices), methods=["GET"]),
        Route("/practices/{practice}", inside(back.practice, heavy=True), methods=["GET"]),
        Route("/practices/{practice}/share", inside(back.share), methods=["POST"]),
        Route("/practices/{practice}/move", inside(back.put_right), methods=["POST"]),
        Route("/growth", inside(back.growth, heavy=True), methods=["GET"]),
        Route("/privacy", inside(back.privacy), methods=["GET", "POST"]),
        Route("/privacy/link", inside(back.way_back), methods=["POST"]),
        Route("/privacy/export.json", inside(back.kept, heavy=True), methods=["GET"]),
        Route("/course", inside(course.mine), methods=["GET"]),
        Route("/course/join", inside(course.join), methods=["POST"]),
        Route("/course/leave", inside(course.leave), methods=["POST"]),
        Route("/teach", inside(course.teach), methods=["GET", "POST"]),
        Route(one, inside(course.one), methods=["GET"]),
        Route(f"{one}/assign", inside(course.assign), methods=["POST"]),
        Route(f"{one}/end", inside(course.end), methods=["POST"]),
        Route(f"{one}/export.json", inside(course.as_json, heavy=True), methods=["GET"]),
        Route(f"{one}/export.csv", inside(course.as_csv, heavy=True), methods=["GET"]),
        Route(two, inside(course.practice), methods=["GET"]),
        Route(f"{two}/rate", inside(course.rate), methods=["POST"]),
    ]

    async def not_found(_request: Request, _error: Exception) -> Response:
        return pages.show("message.html", 404, title="Not found", text="There is no such page.")

    hosts = [urlsplit(visits.links.address).hostname or "localhost", *AT_HOME]
    return Starlette(
        routes=routes,
        exception_handlers={404: not_found},
        # A name that is not ours is somebody else's page that leads to this port.
        middleware=[Middleware(_Headers), Middleware(TrustedHostMiddleware, allowed_hosts=hosts)],
    )
