"""How somebody comes in and goes: a link that works once, and a button, for programs open links to look at them.

It knows signed links; whose they are was decided where they were given.
"""

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import Response

from bot.platforms.web.pages import Pages
from bot.platforms.web.visits import Refused, Visit, Visits, read_form, same_site

VISIT = "pupil-visit"
OLD = "This link has been used, or it is older than ten minutes. Type /student web for a new one."


class Door:
    """The pages that need no session."""

    def __init__(self, visits: Visits, pages: Pages) -> None:
        self._visits = visits
        self._pages = pages

    async def welcome(self, request: Request) -> Response:
        """What this is, and how one comes in."""
        del request
        return self._pages.show("welcome.html", title="Pupil")

    async def look(self, request: Request) -> Response:
        """A link was opened: show the button that uses it."""
        link = request.query_params.get("t", "")
        if not self._visits.links.good(link):
            return self._not_good()
        visit = secrets.token_urlsafe(16)
        token = self._visits.links.token(visit)
        response = self._pages.show("door.html", title="Come in", link=link, visit_token=token)
        response.set_cookie(
            VISIT, visit, max_age=600, httponly=True, secure=self._visits.secure, samesite="strict"
        )
        return response

    async def come_in(self, request: Request) -> Response:
        """The button was pressed: from now on the link is used."""
        try:
            form = await read_form(request)
        except Refused as error:
            return self._pages.show("message.html", error.status, title="Not done", text=str(error))
        visit = request.cookies.get(VISIT, "")
        links = self._visits.links
        if not visit or not same_site(request) or not links.is_token(visit, form.get("token", "")):
            return self._not_good()
        who = await links.use(form.get("t", ""))
        return self._not_good() if who is None else self._visits.let_in(who)

    async def leave(self, visit: Visit) -> Response:
        """End the session in this browser."""
        del visit
        return self._visits.let_out()

    def _not_good(self) -> Response:
        return self._pages.show("message.html", 403, title="This link does not work any more", text=OLD)
