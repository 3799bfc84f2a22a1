"""How somebody comes in and goes: a link that works once, and a button, for programs open links to look at them; or the
code of a course, for whoever comes from no other platform.

It knows signed links and courses; whose a link is was decided where it was given.
"""

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import Response

from bot.commands import Commands
from bot.courses import CODE_CHARACTERS, NAME_CHARACTERS
from bot.messages import CommandError, clean_text
from bot.platforms import manners
from bot.platforms.web.pages import Pages
from bot.platforms.web.visits import Refused, Visit, Visits, read_form, same_site
from bot.sections import Limits

VISIT = "pupil-visit"
OLD = (
    "This link has been used, or it is too old. A new one: type /student web where you talk with Pupil, or ask whoever "
    "runs it. A link of your own that brings you back is under Privacy, once you are in."
)
CODES_MINUTE = 240
"""Tries with a code from one address in a minute; whole courses may sit behind one."""
NO_CODE = "No course has this code. Look at it again, or ask your instructor."


class Door:
    """The pages that need no session."""

    def __init__(self, commands: Commands, visits: Visits, pages: Pages, *, guests: bool) -> None:
        self._commands = commands
        self._courses = commands.courses
        self._visits = visits
        self._pages = pages
        self._guests = guests
        self._tries = manners.RateLimits(Limits(commands_minute=CODES_MINUTE))

    async def welcome(self, request: Request) -> Response:
        """What this is, and how one comes in."""
        del request
        return self._welcome()

    def _welcome(self, problem: str = "", status: int = 200) -> Response:
        visit = secrets.token_urlsafe(16)
        response = self._pages.show(
            "welcome.html",
            status,
            title="Pupil",
            guests=self._guests,
            problem=problem,
            visit_token=self._visits.links.token(visit),
            longest={"code": CODE_CHARACTERS, "name": NAME_CHARACTERS},
        )
        self._bind(response, visit)
        return response

    async def enter(self, request: Request) -> Response:
        """Somebody new comes in with the code of a course, and is on its list; they get a link to come back with."""
        if not self._guests:
            return self._welcome("Here a code alone lets nobody in.", 403)
        form = await self._form(request)
        if isinstance(form, Response):
            return form
        if not self._tries.admit_command(request.client.host if request.client else ""):
            return self._welcome(manners.COMMANDS, 429)
        if not await self._courses.has_code(form.get("code", "")):
            return self._welcome(NO_CODE, 400)
        who = self._commands.author_hash("web", secrets.token_urlsafe(16))
        try:
            course = await self._courses.join(who, form.get("code", ""), clean_text(form.get("name", "")))
        except CommandError as error:
            return self._welcome(f"{str(error)[:1].upper()}{str(error)[1:]}.", 400)
        session = self._visits.links.session(who)
        known = self._visits.links.who(session)
        page = self._pages.show(
            "entered.html",
            token=self._visits.links.token(known.id) if known else "",
            title="You are in",
            course=course,
            link=self._visits.links.link(who, back=True),
        )
        self._visits.begin(page, session)
        return page

    async def look(self, request: Request) -> Response:
        """A link was opened: show the button that uses it."""
        link = request.query_params.get("t", "")
        if not self._visits.links.good(link):
            return self._not_good()
        visit = secrets.token_urlsafe(16)
        token = self._visits.links.token(visit)
        response = self._pages.show("door.html", title="Come in", link=link, visit_token=token)
        self._bind(response, visit)
        return response

    async def come_in(self, request: Request) -> Response:
        """The button was pressed: from now on the link is used."""
        form = await self._form(request)
        if isinstance(form, Response):
            return form
        who = await self._visits.links.use(form.get("t", ""))
        return self._not_good() if who is None else self._visits.let_in(who)

    async def _form(self, request: Request) -> dict[str, str] | Response:
        """The fields of a form from a page of ours that this browser looked at; else what to answer."""
        try:
            form = await read_form(request)
        except Refused as error:
            return self._pages.show("message.html", error.status, title="Not done", text=str(error))
        visit, token = request.cookies.get(VISIT, ""), form.get("token", "")
        if not visit or not same_site(request) or not self._visits.links.is_token(visit, token):
            return self._not_good()
        return form

    def _bind(self, response: Response, visit: str) -> None:
        """Let this browser, and no other, use the form of that page."""
        response.set_cookie(
            VISIT, visit, max_age=600, httponly=True, secure=self._visits.secure, samesite="strict"
        )

    async def leave(self, visit: Visit) -> Response:
        """End the session in this browser."""
        del visit
        return self._visits.let_out()

    def _not_good(self) -> Response:
        return self._pages.show("message.html", 403, title="This link does not work any more", text=OLD)
