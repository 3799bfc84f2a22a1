"""The page on which one practises: the talk, what is said to the child, commands, another try, what there is to choose.

Each person has a room of their own here. It knows the classroom and the commands.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from starlette.responses import Response

from bot.classroom import Classroom
from bot.commands import Commands
from bot.config import Settings
from bot.messages import Message, Outgoing, Place, Responder, Shown, clean_text
from bot.opinions import RUBRIC
from bot.platforms import manners
from bot.platforms.web.pages import Pages
from bot.platforms.web.visits import Refused, Visit, Visits, onward
from bot.student.records.dialogue import MAX_TURN_CHARACTERS

PLATFORM = "web"
MOST_UNASKED, MOST_FOUND = 15, 60
"""Lessons on a page where nothing was searched for, and lessons or scenarios at the most."""
SEARCH_CHARACTERS = 80
_KEY = re.compile(r"[0-9a-f]{32}")
LONG = "That took too long. What the child says will be on this page: load it again in a moment."
NOTHING = "Please write what you want to say to the child."


class Heard(Responder, Protocol):
    """A responder that keeps what was sent."""

    sent: list[Outgoing]


class TalkPages:
    """The pages of whoever practises."""

    def __init__(  # noqa: PLR0913 - the services of the room
        self,
        settings: Settings,
        classroom: Classroom,
        commands: Commands,
        visits: Visits,
        pages: Pages,
        answers: Callable[[], Heard],
    ) -> None:
        waits = settings.classroom
        self._seconds = waits.patience_seconds + waits.reply_seconds + waits.send_seconds
        self._classroom = classroom
        self._commands = commands
        self._visits = visits
        self._pages = pages
        self._answers = answers

    async def show(self, visit: Visit) -> Response:
        """The talk that runs, with what is practised."""
        return await self._page(visit)

    async def _page(
        self, visit: Visit, notices: tuple[str, ...] = (), answer: Shown | None = None
    ) -> Response:
        talk = await self._commands.portfolio.talk(place_of(visit), visit.who)
        scenarios = self._classroom.curriculum.scenarios
        new_here = (
            not talk.lines and not talk.scenario and not await self._commands.portfolio.entries(visit.who)
        )
        assigned = [
            (each.title, scenarios[each.scenario])
            for each in await self._commands.courses.joined(visit.who)
            if each.scenario in scenarios and each.scenario != talk.scenario
        ]
        return self._pages.show(
            "talk.html",
            token=visit.token,
            teaches=self._commands.courses.teaches(visit.who),
            title=f"Practise with {talk.child}",
            here="talk",
            talk=talk,
            assigned=assigned,
            first=self._commands.practice.first if new_here and not assigned else None,
            key=uuid.uuid4().hex,
            notices=notices,
            answer=answer,
        )

    async def say(self, visit: Visit) -> Response:
        """Say something to the child, and show what it says. The key makes one saying of a form that is sent twice."""
        key, typed = visit.form.get("key", ""), visit.form.get("text", "")
        if _KEY.fullmatch(key) is None:
            raise Refused(400, "This page is too old; please load it again.")
        if len(typed) > MAX_TURN_CHARACTERS:
            raise Refused(400, f"That is {len(typed)} characters; please use at most {MAX_TURN_CHARACTERS}.")
        text = clean_text(typed)
        if not text:
            raise Refused(400, NOTHING)
        self._visits.admit(visit.who, key)
        heard = self._answers()
        message = Message(
            key=f"{PLATFORM}:{key}",
            platform=PLATFORM,
            channel=visit.who,
            thread=None,
            author="",
            author_hash=visit.who,
            text=text,
            sent_at=datetime.now(UTC),
        )
        try:
            async with asyncio.timeout(self._seconds):
                await self._classroom.receive(message, heard)
        except TimeoutError:
            heard.sent.append(Outgoing(LONG, None))
        notices = tuple(each.text for each in heard.sent if each.speaker is None)
        if not visit.partial:
            return await self._page(visit, notices) if notices else onward(visit, "/")
        if not heard.sent:  # it was said before, or is being answered: the page knows
            return onward(visit, "/")
        left = await self._commands.portfolio.left(place_of(visit), visit.who)
        return self._pages.part("said.html", text=text, sent=heard.sent, key=uuid.uuid4().hex, left=left)

    async def do(self, visit: Visit) -> Response:
        """Do a command, from a button or as it was typed, with or without /student before it."""
        line = clean_text(visit.form.get("line", "")[:MAX_TURN_CHARACTERS])
        line = line.removeprefix("/student").strip()
        name, _, rest = line.partition(" ")
        name, rest, place = name.lower(), rest.strip(), place_of(visit)
        if name == "done":
            return await self.done(visit)
        if self._commands.pays(name, rest) and not self._visits.may_pay(visit.who):
            raise Refused(403, manners.PAID)
        changes = self._commands.changes(name, rest)
        shown = await self._done(visit, place, line, name, rest)
        if changes:
            return onward(visit, "/")
        if visit.partial:
            return self._pages.part("shown.html", shown=shown)
        return await self._page(visit, answer=shown)

    async def _done(self, visit: Visit, place: Place, line: str, name: str, rest: str) -> Shown:
        mind = self._visits.sees_mind(visit.who)
        if name == "status":
            return await self._commands.status(place, show_mind=mind)
        if name == "debrief":
            return await self._commands.debrief(place, visit.who, rest or None, show_mind=mind)
        if name == "growth":
            return await self._commands.growth(visit.who, show_mind=mind)
        return await self._commands.run(line, place, visit.who)

    async def done(self, visit: Visit) -> Response:
        """End the practice, and go to the word on it."""
        number = await self._commands.practice.end(place_of(visit), visit.who)
        return onward(visit, f"/practices/{number}")

    async def again(self, visit: Visit) -> Response:
        """What was said so far, each with a way back to before it."""
        shown = await self._commands.practice.again(place_of(visit), None)
        return self._pages.show(
            "again.html",
            token=visit.token,
            teaches=self._commands.courses.teaches(visit.who),
            title="Another try",
            here="talk",
            moments=shown.rows,
        )

    async def choose(self, visit: Visit) -> Response:
        """Scenarios, lessons and children; those that hold the words that are searched for."""
        words = clean_text(visit.request.query_params.get("q", "")[:SEARCH_CHARACTERS])
        practice, room = self._commands.practice, self._classroom
        scenarios = practice.find(words)
        lessons = [room.curriculum.lessons[each] for each in self._commands.find_lessons(words)]
        most = MOST_FOUND if words else MOST_UNASKED
        return self._pages.show(
            "choose.html",
            token=visit.token,
            teaches=self._commands.courses.teaches(visit.who),
            title="Choose what to practise",
            here="choose",
            words=words,
            first=practice.first if not words else None,
            goals=practice.by_goal(scenarios[:MOST_FOUND]),
            subjects={each.id: room.curriculum.lessons[each.lesson].subject for each in scenarios},
            names={each.id: practice.partner(each) for each in scenarios},
            lessons=lessons[:most],
            more=max(0, len(lessons) - most),
            children=list(room.children.values()),
        )

    async def rate(self, visit: Visit) -> Response:
        """The rubric for the talk that runs, as a form, and what was filled in."""
        if visit.request.method == "POST":
            scores, comment = rating(visit)
            shown = await self._commands.opinions.rate(place_of(visit), visit.who, scores, comment)
            return await self._page(visit, (shown.text,))
        return self._pages.show(
            "rate.html",
            token=visit.token,
            teaches=self._commands.courses.teaches(visit.who),
            title="Rate the child",
            here="talk",
            rubric=RUBRIC,
        )


def place_of(visit: Visit) -> Place:
    """The room of whoever visits: nobody else is ever in it."""
    return Place(PLATFORM, visit.who, None)


def rating(visit: Visit) -> tuple[dict[str, int], str | None]:
    """The scores that were chosen in a form, those left open missing, and the comment."""
    given = {name: visit.form.get(name, "") for name in RUBRIC}
    scores = {name: int(score) for name, score in given.items() if score in {"1", "2", "3", "4", "5"}}
    return scores, clean_text(visit.form.get("comment", "")) or None
