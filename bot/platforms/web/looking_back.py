"""A person's own practices: the list, one looked back on, growth, and what is kept of them.

It knows the commands; what is asked for by number is given only to whose it is.
"""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from bot.commands import Commands
from bot.messages import CommandError, clean_text
from bot.platforms.manners import cut
from bot.platforms.web.pages import Pages, markup
from bot.platforms.web.visits import LONGEST_NUMBER, Refused, Visit, Visits, onward

CHOICES = frozenset({"on", "off", "forget"})
TURN_CHARACTERS = 70
"""Of a turn where it is one of a menu."""
SURE = "Nothing was forgotten: tick the box that says you mean it."


class LookingBack:
    """The pages on what was practised."""

    def __init__(self, commands: Commands, visits: Visits, pages: Pages) -> None:
        self._commands = commands
        self._visits = visits
        self._pages = pages

    async def practices(self, visit: Visit) -> Response:
        """The list."""
        entries = await self._commands.portfolio.entries(visit.who)
        return self._show(visit, "practices.html", "Your practices", "practices", entries=entries)

    async def practice(self, visit: Visit) -> Response:
        """One practice: the word on it, and to whom it is shown."""
        number, mind = visit.number("practice"), self._visits.sees_mind(visit.who)
        debrief = await self._commands.portfolio.debrief(number, visit.who, mind=mind)
        if debrief is None:
            raise Refused(404, "There is no such practice of yours.")
        shares = await self._commands.courses.shares(visit.who, number)
        turns = await self._commands.portfolio.own_turns(number, visit.who)
        return self._show(
            visit,
            "practice.html",
            "A word on your practice",
            "practices",
            debrief=markup(debrief),
            number=number,
            shares=shares,
            turns=[(place, cut(text, TURN_CHARACTERS)) for place, text in turns],
            moves=self._commands.portfolio.moves,
        )

    async def put_right(self, visit: Visit) -> Response:
        """Keep what a turn really did, as its teacher says."""
        number, turn = visit.number("practice"), visit.form.get("turn", "")
        if not (turn.isascii() and turn.isdigit() and len(turn) < LONGEST_NUMBER):
            raise Refused(400, "Say which turn it was.")
        done = await self._commands.portfolio.put_right(
            number, visit.who, int(turn), clean_text(visit.form.get("move", ""))
        )
        if done is None:
            raise Refused(404, "There is no such practice of yours.")
        return onward(visit, f"/practices/{number}#turn-{turn}")

    async def share(self, visit: Visit) -> Response:
        """Show a practice to a course's instructor, or show it no more."""
        number, course = visit.number("practice"), course_of(visit)
        change = (
            self._commands.courses.share
            if visit.form.get("shared") == "yes"
            else self._commands.courses.unshare
        )
        await change(visit.who, course, number)
        return onward(visit, f"/practices/{number}")

    async def growth(self, visit: Visit) -> Response:
        """All practices side by side."""
        found, drawn = await self._commands.portfolio.growth(
            visit.who, mind=self._visits.sees_mind(visit.who)
        )
        return self._show(
            visit,
            "growth.html",
            "Your practices over weeks",
            "growth",
            practices=found,
            picture=markup(drawn),
        )

    async def privacy(self, visit: Visit) -> Response:
        """What may be used, and what is kept; who is forgotten is let out."""
        said = ""
        if (choice := visit.form.get("choice")) in CHOICES:
            if choice == "forget" and visit.form.get("sure") != "yes":
                raise CommandError(SURE)
            said = (await self._commands.privacy(visit.who, choice)).text
            if choice == "forget":
                return self._visits.let_out()
        return await self._privacy(visit, said=said)

    async def way_back(self, visit: Visit) -> Response:
        """A link by which this person comes back later, or on another device."""
        return await self._privacy(visit, link=self._visits.links.link(visit.who, back=True))

    async def _privacy(self, visit: Visit, said: str = "", link: str = "") -> Response:
        stands = await self._commands.privacy(visit.who, None)
        title = "What is kept of you"
        return self._show(visit, "privacy.html", title, "privacy", said=said, stands=stands, link=link)

    async def kept(self, visit: Visit) -> Response:
        """Everything that is kept of a person, as a file."""
        kept = await self._commands.privacy(visit.who, "export")
        saved = {"Content-Disposition": 'attachment; filename="pupil.json"'}
        return Response(kept.text, media_type="application/json", headers=saved)

    def _show(self, visit: Visit, name: str, title: str, here: str, **values: Any) -> Response:
        teaches = self._commands.courses.teaches(visit.who)
        return self._pages.show(name, token=visit.token, teaches=teaches, title=title, here=here, **values)


def course_of(visit: Visit) -> int:
    """The number of a course in a form; raise `Refused` for what is none."""
    given = visit.form.get("course", "")
    if not (given.isascii() and given.isdigit() and len(given) < LONGEST_NUMBER):
        raise Refused(404, "There is no such course.")
    return int(given)
