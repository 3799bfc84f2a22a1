"""Menus to choose from and the App Home, as Block Kit. Pure functions within Slack's limits; what is chosen is done in
`desk`.

Limits: Slack's reference pages on block elements, composition objects and views.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from bot.choices import PICKS, Choice, Pick
from bot.messages import Shown
from bot.platforms.manners import cut
from bot.platforms.slack import blocks
from bot.platforms.slack.blocks import Block

CHOSEN, PRESSED = "pick_", "press_"
"""How the ids of menus and of buttons begin; behind it stands the subcommand."""
SEARCHED: tuple[Pick, ...] = ("lesson",)
"""What there is too much of for one menu: it is searched for while somebody types."""
MOST_OPTIONS = 100
OPTION_CHARACTERS = 75
TITLE_CHARACTERS = 24
MODAL_BLOCKS = 100
BUTTONS = (
    ("done", "Finish and look back"),
    ("new", "Start over"),
    ("again", "Another try"),
    ("growth", "My practices over weeks"),
    ("privacy", "Privacy"),
    ("web", "Web classroom"),
    ("help", "All commands"),
)
"""What can be pressed on the App Home."""


def picker(what: Pick, known: Sequence[Choice]) -> Block:
    """A menu of what there is; typing into it narrows it down. `known` is of no use where it is searched for."""
    element: Block = {
        "type": "external_select" if what in SEARCHED else "static_select",
        "action_id": f"{CHOSEN}{what}",
        "placeholder": _plain(f"Choose a {what}"),
    }
    if what in SEARCHED:
        return element | {"min_query_length": 0}
    return element | {"options": options(known)}


def options(known: Iterable[Choice]) -> list[Block]:
    """Choices as the options of a menu, as many as Slack takes."""
    return [
        {"text": _plain(cut(shown, OPTION_CHARACTERS)), "value": value}
        for shown, value in list(known)[:MOST_OPTIONS]
    ]


def menu(what: Pick, known: Sequence[Choice]) -> Block:
    """A row with one menu."""
    return {"type": "actions", "elements": [picker(what, known)]}


def home(about: Shown, now: Shown, known: Mapping[Pick, Sequence[Choice]], channel: str) -> Block:
    """The App Home of somebody whose direct messages with the child are `channel`: what this is, what is on there
    now, menus and buttons."""
    rows = [
        blocks.mrkdwn(f"*{blocks.fitted(name, 200)}*\n{blocks.fitted(value, 1000) or '-'}")
        for name, value in now.rows[: blocks.FIELDS]
    ]
    hello = f"{about.text}\n\nWrite to the child under *Messages*. Choose here who sits there, and what you practise."
    return {
        "type": "home",
        "private_metadata": json.dumps({"channel": channel}),
        "blocks": [
            {"type": "header", "text": _plain("Practise teaching with a second grader")},
            blocks.section(hello),
            {"type": "divider"},
            {"type": "section", "fields": rows},
            *(menu(what, known.get(what, ())) for what in PICKS if what in SEARCHED or known.get(what)),
            {
                "type": "actions",
                "elements": [
                    {
                        "type": "button",
                        "action_id": f"{PRESSED}{name}",
                        "text": _plain(label),
                        "value": name,
                    }
                    for name, label in BUTTONS
                ],
            },
            {
                "type": "context",
                "elements": [blocks.mrkdwn("Only you see this page. " + blocks.escaped(about.hint))],
            },
        ],
    }


def told(answer: Shown, title: str) -> Block:
    """What a press on the App Home gave, to look at and close."""
    found = [block for page in blocks.shown(answer) for block in page]
    return {
        "type": "modal",
        "title": _plain(cut(title, TITLE_CHARACTERS)),
        "close": _plain("Close"),
        "blocks": found[:MODAL_BLOCKS],
    }


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}
