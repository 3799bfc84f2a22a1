"""The pages on courses: for members, to join with a code; for instructors, to assign, look, rate and export.

It knows the commands, which decide what is whose.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.responses import Response, StreamingResponse

from bot.classroom import Classroom
from bot.commands import Commands
from bot.courses import CODE_CHARACTERS, EXPORTED, NAME_CHARACTERS, TITLE_CHARACTERS
from bot.messages import clean_text
from bot.opinions import RUBRIC
from bot.platforms.web.looking_back import course_of
from bot.platforms.web.pages import Pages
from bot.platforms.web.talk import rating
from bot.platforms.web.visits import Visit, onward

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would compute."""


class CoursePages:
    """The pages of courses."""

    def __init__(self, classroom: Classroom, commands: Commands, pages: Pages, *, guests: bool) -> None:
        self._scenarios = classroom.curriculum.scenarios
        self._lessons = classroom.curriculum.lessons
        self._practice = commands.practice
        self._address = commands.links.address if commands.links else ""
        self._guests = guests
        self._courses = commands.courses
        self._pages = pages

    # For members.

    async def mine(self, visit: Visit) -> Response:
        """The courses somebody is in."""
        joined = [
            (each, self._scenarios.get(each.scenario or "")) for each in await self._courses.joined(visit.who)
        ]
        longest = {"code": CODE_CHARACTERS, "name": NAME_CHARACTERS}
        return self._show(visit, "course.html", "Your courses", "course", joined=joined, longest=longest)

    async def join(self, visit: Visit) -> Response:
        """Join one with its code."""
        await self._courses.join(
            visit.who, visit.form.get("code", ""), clean_text(visit.form.get("name", ""))
        )
        return onward(visit, "/course")

    async def leave(self, visit: Visit) -> Response:
        """Leave one."""
        await self._courses.leave(visit.who, course_of(visit))
        return onward(visit, "/course")

    # For instructors.

    async def teach(self, visit: Visit) -> Response:
        """An instructor's courses, and a new one."""
        if visit.form:
            course = await self._courses.begin(visit.who, clean_text(visit.form.get("title", "")))
            return onward(visit, f"/teach/{course.id}")
        owned = await self._courses.owned(visit.who)
        return self._show(
            visit, "teach.html", "Courses you teach", "teach", owned=owned, longest=TITLE_CHARACTERS
        )

    async def one(self, visit: Visit) -> Response:
        """One course: its code, what is assigned, who is in it, what they show."""
        course = await self._courses.course(visit.who, visit.number("course"))
        assigned, offered = self._scenarios.get(course.scenario or ""), self._practice.find("")
        return self._show(
            visit,
            "teach_one.html",
            course.title,
            "teach",
            course=course,
            members=await self._courses.members(course),
            shared=await self._courses.shared(course),
            assigned=assigned,
            partner=self._practice.partner(assigned) if assigned else "",
            goals=self._practice.by_goal(offered),
            names={each.id: self._practice.partner(each) for each in offered},
            subjects={each.id: self._lessons[each.lesson].subject for each in offered},
            address=self._address,
            guests=self._guests,
        )

    async def assign(self, visit: Visit) -> Response:
        """Assign a scenario, or take it off."""
        number = visit.number("course")
        await self._courses.assign(visit.who, number, visit.form.get("scenario", ""))
        return onward(visit, f"/teach/{number}")

    async def end(self, visit: Visit) -> Response:
        """Delete a course."""
        await self._courses.end(visit.who, visit.number("course"))
        return onward(visit, "/teach")

    async def practice(self, visit: Visit) -> Response:
        """A shared practice, with the rubric."""
        course, number = visit.number("course"), visit.number("practice")
        shared, lines = await self._courses.practice(visit.who, course, number)
        return self._show(
            visit,
            "teach_practice.html",
            f"A practice of {shared.name}",
            "teach",
            course=course,
            number=number,
            shared=shared,
            lines=lines,
            rubric=RUBRIC,
        )

    async def rate(self, visit: Visit) -> Response:
        """Keep an instructor's rating of a shared practice."""
        course, number = visit.number("course"), visit.number("practice")
        scores, comment = rating(visit)
        await self._courses.rate(visit.who, course, number, scores, comment)
        return onward(visit, f"/teach/{course}/practices/{number}")

    async def as_json(self, visit: Visit) -> Response:
        """What may be used of the shared practices, as JSON."""
        course = await self._courses.course(visit.who, visit.number("course"))
        return _file(_json(self._courses.export(visit.who, course.id)), "application/json", course.id, "json")

    async def as_csv(self, visit: Visit) -> Response:
        """The same for a spreadsheet."""
        course = await self._courses.course(visit.who, visit.number("course"))
        return _file(_csv(self._courses.export(visit.who, course.id)), "text/csv", course.id, "csv")

    def _show(self, visit: Visit, name: str, title: str, here: str, **values: Any) -> Response:
        teaches = self._courses.teaches(visit.who)
        return self._pages.show(name, token=visit.token, teaches=teaches, title=title, here=here, **values)


def _file(content: AsyncIterator[str], kind: str, course: int, ending: str) -> Response:
    saved = f'attachment; filename="course-{course}.{ending}"'
    return StreamingResponse(content, media_type=kind, headers={"Content-Disposition": saved})


async def _json(rows: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    before = "["
    async for row in rows:
        yield f"{before}\n{json.dumps(row, ensure_ascii=False)}"
        before = ","
    yield "[]\n" if before == "[" else "\n]\n"


async def _csv(rows: AsyncIterator[dict[str, Any]]) -> AsyncIterator[str]:
    written = io.StringIO()
    csv.writer(written).writerow(EXPORTED)
    yield written.getvalue()
    async for row in rows:
        written = io.StringIO()
        csv.DictWriter(written, EXPORTED).writerow({name: _cell(value) for name, value in row.items()})
        yield written.getvalue()


def _cell(value: Any) -> Any:
    """What a spreadsheet shows as it is, and does not compute."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
