"""Pages from templates: everything that somebody typed is escaped; what comes as markup is made by our own drawing.

It knows templates and answers; nothing of who asks.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, Response

from bot.messages import Attachment
from bot.student.records.dialogue import MAX_TURN_CHARACTERS

HERE = Path(__file__).parent
STATIC = HERE / "static"


class Pages:
    """All templates, read once."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["day"] = _day
        self._templates.filters["pictures"] = _pictures
        self._templates.globals.update(most=MAX_TURN_CHARACTERS)

    def show(  # noqa: PLR0913 - what every page has
        self,
        name: str,
        status: int = 200,
        *,
        token: str = "",
        teaches: bool = False,
        title: str,
        here: str = "",
        **values: Any,
    ) -> Response:
        """A whole page. `token` is what its forms carry, "" where nobody is signed in; `here` its place in the menu."""
        page = self._templates.get_template(name)
        common = {"token": token, "teaches": teaches, "title": title, "here": here}
        return HTMLResponse(page.render(**common, **values), status)

    def part(self, name: str, status: int = 200, **values: Any) -> Response:
        """A part of a page that is open already."""
        return HTMLResponse(self._templates.get_template(name).render(**values), status)


def markup(ours: str) -> Markup:
    """Markup that our own code made, with everything escaped in it that anybody typed."""
    return Markup(ours)  # noqa: S704 - of debriefs and pictures, which escape


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _pictures(files: Iterable[Attachment]) -> list[tuple[str, str]]:
    """The pictures among the files of a command, as addresses that need no request, with their words."""
    return [
        (f"data:image/png;base64,{base64.b64encode(each.content).decode()}", each.alt)
        for each in files
        if each.name.endswith(".png")
    ]
