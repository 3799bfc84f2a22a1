"""Who comes in, and what is let through: sessions, forms of our own making and bounded size, limits for each person.

It knows signed links, limits and pages; nothing of what a page does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from bot import platforms
from bot.commands import Commands
from bot.config import Settings
from bot.links import SESSION_SECONDS, Links
from bot.messages import CommandError
from bot.platforms import manners
from bot.platforms.base import PlatformError
from bot.platforms.web.pages import Pages
from bot.sections import Limits

log = structlog.get_logger(__name__)

MOST_BYTES = 64 * 1024
"""Of a form: the longest turn in letters of four bytes fits."""
MOST_FIELDS = 40
FORM_SECONDS = 10.0
PAGES_MINUTE = 90
"""Pages that one person may look at in a minute."""
LONGEST_NUMBER = 10
"""Digits from which on no row has such a number."""
WELCOME = "/welcome"
FORM = "application/x-www-form-urlencoded"
STALE = (
    "This page was open for too long, or it came from elsewhere. Please load it again, and do it once more."
)
BROKEN = "Something went wrong. Whoever runs this bot finds it in the log."


class Refused(Exception):
    """A request that is not answered with a page; says which status, and why, to a person."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of somebody who is signed in. `who` is how the store knows them, `token` what their forms carry;
    `form` is empty but for a post, and `partial` says that the browser wants a part of a page."""

    request: Request
    who: str
    token: str
    form: Mapping[str, str]
    partial: bool

    def number(self, name: str) -> int:
        """A number of the address; raise `Refused` for one that no row can have."""
        given: str = self.request.path_params[name]
        if not (given.isascii() and given.isdigit() and len(given) < LONGEST_NUMBER):
            raise Refused(404, "There is no such page.")
        return int(given)


Handler = Callable[[Visit], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


class Visits:
    """The door of every page but those that need no session."""

    def __init__(self, settings: Settings, commands: Commands, pages: Pages) -> None:
        if commands.links is None:
            raise PlatformError("the web classroom needs something to sign with")
        self.links: Links = commands.links
        self._commands = commands
        self._pages = pages
        # Each counts by itself: who clicks about may still speak to the child.
        self._said = manners.RateLimits(settings.limits)
        self._limits = manners.RateLimits(settings.limits)
        self._looks = manners.RateLimits(Limits(commands_minute=PAGES_MINUTE))
        self.secure = self.links.address.startswith("https://")
        # "__Host-" makes browsers refuse it from anywhere but this very host.
        self.cookie = "__Host-pupil" if self.secure else "pupil"
        # Who is named in the settings by an id of Discord or Slack is known here by hash. Roles are not known here.
        names = (*(each.name for each in platforms.PLATFORMS), "console")
        users = tuple(
            commands.author_hash(name, user) for user in settings.permissions.users for name in names
        )
        self._permissions = settings.permissions.model_copy(update={"users": users})

    def may_pay(self, who: str) -> bool:
        """Whether this person may choose a model that somebody pays for."""
        return manners.may_change(self._permissions, who, ()) or self._commands.courses.teaches(who)

    def sees_mind(self, who: str) -> bool:
        """Whether this person is shown what the child believes."""
        return manners.may_see_stage(self._permissions, who, ()) or self._commands.courses.teaches(who)

    def admit(self, who: str, key: str) -> None:
        """Count a message to the child; raise `Refused` where it is too much."""
        admission = self._said.admit(who, who, key)
        if not admission.admitted:
            raise Refused(429, admission.notice or manners.USER_LIMIT.format(seconds=30))

    def signed_in(self, do: Handler, *, counted: bool = True, heavy: bool = False) -> Endpoint:
        """The endpoint of a page for whoever is signed in. A page that is `heavy` to make counts like a command; what
        is not `counted` here counts by itself."""

        async def endpoint(request: Request) -> Response:
            partial = request.headers.get("hx-request") == "true"
            session = self.links.who(request.cookies.get(self.cookie, ""))
            if session is None:
                return outside(partial=partial)
            token = self.links.token(session.id)
            try:
                form = await self._form(request, session.id) if request.method == "POST" else {}
                limits = self._limits if form or heavy else self._looks
                if counted and not limits.admit_command(session.who):
                    raise Refused(429, manners.COMMANDS)
                return await do(Visit(request, session.who, token, form, partial))
            except Refused as error:
                return self._told(str(error), error.status, token, session.who, partial=partial)
            except CommandError as error:
                text = f"{str(error)[:1].upper()}{str(error)[1:]}."
                return self._told(text.replace("..", "."), 400, token, session.who, partial=partial)
            except Exception:
                log.exception("page failed", path=request.url.path)
                return self._told(BROKEN, 500, token, session.who, partial=partial)

        return endpoint

    async def _form(self, request: Request, session: str) -> dict[str, str]:
        form = await read_form(request)
        if not same_site(request) or not self.links.is_token(session, form.pop("token", "")):
            raise Refused(403, STALE)
        return {**form, "": ""}  # a post without fields is a post

    def _told(self, text: str, status: int, token: str, who: str, *, partial: bool) -> Response:
        """Say what is in the way: in the page that is open, or as one."""
        if partial:
            return self._pages.part("told.html", status, text=text)
        teaches = self._commands.courses.teaches(who)
        return self._pages.show(
            "message.html", status, token=token, teaches=teaches, title="Not done", text=text
        )

    def let_in(self, who: str) -> Response:
        """Begin a session of this person."""
        response = RedirectResponse("/", 303)
        self.begin(response, self.links.session(who))
        return response

    def begin(self, response: Response, session: str) -> None:
        """Keep a session in this browser."""
        response.set_cookie(
            self.cookie,
            session,
            max_age=SESSION_SECONDS,
            httponly=True,
            secure=self.secure,
            samesite="lax",
        )

    def let_out(self) -> Response:
        """End the session in this browser."""
        response = RedirectResponse(WELCOME, 303)
        response.delete_cookie(self.cookie, httponly=True, secure=self.secure, samesite="lax")
        return response


def outside(*, partial: bool) -> Response:
    """Where somebody goes who is not signed in."""
    return Response(headers={"HX-Redirect": WELCOME}) if partial else RedirectResponse(WELCOME, 303)


def onward(visit: Visit, path: str) -> Response:
    """To another page, after something was done."""
    return Response(headers={"HX-Redirect": path}) if visit.partial else RedirectResponse(path, 303)


def same_site(request: Request) -> bool:
    """Whether the browser says that a page of ours sent it; browsers that say nothing have the token alone."""
    return request.headers.get("sec-fetch-site", "same-origin") == "same-origin"


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form, bounded in size, number and time; raise `Refused`."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Refused(415, "This is not a form of ours.")
    body = bytearray()
    try:
        async with asyncio.timeout(FORM_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise Refused(413, "That is too long.")
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except TimeoutError:
        raise Refused(408, "That took too long; please send it again.") from None
    except (ClientDisconnect, ValueError):
        raise Refused(400, "This form cannot be read.") from None
    return dict(pairs)
