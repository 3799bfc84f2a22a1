"""Slack's markup and Block Kit: what comes in made plain, what goes out made harmless and bounded.

Pure functions. It knows Slack's limits; it must not know the network, the classroom or the settings.
Limits: Slack's reference pages on formatting, blocks, composition objects and views.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from bot.messages import Place, Shown
from bot.platforms.manners import cut

MESSAGE_CHARACTERS = 4_000
SECTION_CHARACTERS = 3_000
FIELD_CHARACTERS = 2_000
FIELDS = 10
PAGE_BLOCKS = 10
"""Slack takes 50 blocks, but ten full sections are about what one message may weigh."""
PAGES = 4
"""A response_url takes five answers; one is kept for an error."""
LINE_CHARACTERS = 500
"""Longest part of a line that is escaped at once: fits a section whatever it holds."""

RATE, BETTER_LINE = "rate", "better_line"
"""The callback ids of the modals, and of the message shortcuts that open them."""
DEBRIEF = "debrief"
"""The callback id of the message shortcut that shows one."""
COMMENT = "comment"
COMMENT_CHARACTERS = 2_000

_SCORES = {1: "1, not at all like a second grader", 2: "2", 3: "3", 4: "4", 5: "5, just like a second grader"}
_TOKEN = re.compile(r"<([^<>]*)>")

Block = dict[str, Any]
T = TypeVar("T")


# In.


def plain(text: str) -> str:
    """A person's message as they saw it, without mentions: links by their label, entities decoded."""
    text = re.sub(r"[ \t]{2,}", " ", _TOKEN.sub(_readable, text))
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def _readable(found: re.Match[str]) -> str:
    target, _, label = found[1].partition("|")
    if target.startswith(("@", "!subteam")) or target in {"!here", "!channel", "!everyone"}:
        return " "
    if target.startswith("#"):
        return f"#{label or target[1:]}"
    if target.startswith("!"):
        return label
    return label or target.removeprefix("mailto:")


def mentions(text: str, user: str) -> bool:
    """Whether `text` mentions `user`."""
    return re.search(rf"<@{re.escape(user)}(\||>)", text) is not None


# Out.


def escaped(text: str) -> str:
    """Text that shows as it is: no mention, no link, no alarm for a whole channel."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def fitted(text: str, limit: int) -> str:
    """`text` escaped, and cut at a word where that is more than `limit` characters."""
    text = cut(text, limit)
    while len(escaped(text)) > limit:
        text = cut(text, len(text) * 3 // 4)
    return escaped(text)


def shown(what: Shown) -> list[list[Block]]:
    """A command's answer as pages of blocks, each page one message; what exceeds them is said to be cut."""
    blocks = [section(piece) for piece in _pieces(what.text)]
    rows = [
        mrkdwn(f"*{fitted(name, FIELD_CHARACTERS // 4)}*\n{fitted(value, FIELD_CHARACTERS // 2) or '-'}")
        for name, value in what.rows
    ]
    blocks += [{"type": "section", "fields": chunk} for chunk in _chunks(rows, FIELDS)]
    if what.link:
        blocks.append(section(f"<{escaped(what.link)}>"))
    if what.hint:
        blocks.append({"type": "context", "elements": [mrkdwn(fitted(what.hint, SECTION_CHARACTERS))]})
    pages = list(_chunks(blocks, PAGE_BLOCKS))
    if len(pages) > PAGES:
        note = section("This is too much for Slack: whoever runs this bot can give you the rest.")
        pages = [*pages[: PAGES - 1], [*pages[PAGES - 1][:-1], note]]
    return pages


def _pieces(text: str) -> Iterable[str]:
    """`text` escaped, in parts that each fit a section; many lines (an export) stay as they are written."""
    if "\n" not in text:
        yield fitted(text, SECTION_CHARACTERS) or " "
        return
    part = ""
    for line in text.splitlines(keepends=True):
        for start in range(0, len(line), LINE_CHARACTERS):
            piece = escaped(line[start : start + LINE_CHARACTERS])
            if len(part) + len(piece) > SECTION_CHARACTERS - 6:
                yield f"```{part}```"
                part = ""
            part += piece
    yield f"```{part}```"


def section(text: str) -> Block:
    """A paragraph of markup."""
    return {"type": "section", "text": mrkdwn(text)}


def mrkdwn(text: str) -> Block:
    """Markup that Slack takes as it is, without looking for links in it."""
    return {"type": "mrkdwn", "verbatim": True, "text": text}


def _chunks(items: Sequence[T], size: int) -> Iterable[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


# Modals.


def rate_view(place: Place, rubric: Sequence[str]) -> Block:
    """Nine scores and a comment about the conversation in `place`."""
    options = [{"text": _plain(label), "value": str(score)} for score, label in _SCORES.items()]
    blocks: list[Block] = [
        {
            "type": "input",
            "block_id": name,
            "label": _plain(name.capitalize()),
            "element": {"type": "static_select", "action_id": name, "options": options},
        }
        for name in rubric
    ]
    blocks.append(_text_input(COMMENT, "Anything else?", optional=True))
    return _modal(RATE, "Rate this conversation", blocks, {"channel": place.channel, "thread": place.thread})


def better_line_view(channel: str, message_id: str, line: str) -> Block:
    """What would a second grader have said instead of `line`?"""
    blocks = [
        section(f"This is not how a second grader talks:\n“{fitted(line, 2_500)}”"),
        _text_input(COMMENT, "What would a second grader say here?", optional=False),
    ]
    return _modal(BETTER_LINE, "A better line", blocks, {"channel": channel, "message": message_id})


def scores(view: Mapping[str, Any], rubric: Sequence[str]) -> dict[str, int]:
    """The scores chosen in a submitted `rate_view`, those left open missing."""
    values = view["state"]["values"]
    chosen = {name: values.get(name, {}).get(name, {}).get("selected_option") for name in rubric}
    return {name: int(option["value"]) for name, option in chosen.items() if option}


def comment(view: Mapping[str, Any]) -> str:
    """The free text of a submitted modal."""
    return str(view["state"]["values"].get(COMMENT, {}).get(COMMENT, {}).get("value") or "")


def about(view: Mapping[str, Any]) -> dict[str, str | None]:
    """What the modal was opened about."""
    return dict(json.loads(view["private_metadata"]))


def _modal(callback: str, title: str, blocks: list[Block], on: Mapping[str, str | None]) -> Block:
    return {
        "type": "modal",
        "callback_id": callback,
        "private_metadata": json.dumps(on),
        "title": _plain(title),
        "submit": _plain("Send"),
        "close": _plain("Cancel"),
        "blocks": blocks,
    }


def _text_input(name: str, label: str, *, optional: bool) -> Block:
    element = {
        "type": "plain_text_input",
        "action_id": name,
        "multiline": True,
        "max_length": COMMENT_CHARACTERS,
    }
    return {
        "type": "input",
        "block_id": name,
        "optional": optional,
        "label": _plain(label),
        "element": element,
    }


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}
