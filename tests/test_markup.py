"""Chat markup: what people emphasise, hide, escape or quote is heard as what they say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messages import clean_text
from bot.student.records.dialogue import MoveKind
from bot.student.said import Said
from tests.fakes.students import Listener, ScriptedModel, message, room

SHOWN = {
    "*What is 52 - 17?*": "What is 52 - 17?",
    "*52 - 17 = ?*": "52 - 17 = ?",
    "_Why_?": "Why?",
    "*How* did you get that?": "How did you get that?",
    r"52 \- 17": "52 - 17",
    r"3 \* 4 \* 5": "3 * 4 * 5",
    "That's *not* right.": "That's not right.",
    "**52** - __17__": "52 - 17",
    "_**Why**_ do ***you*** think so?": "Why do you think so?",
    "It's ||45||, not ~~35~~.": "It's 45, not 35.",
    "`52 - 17`": "52 - 17",
    "```python\n52 - 17\n```": "52 - 17",
    "# What is 5 + 5?": "What is 5 + 5?",
    "* What is 3 + 3?": "What is 3 + 3?",
    "[Look](https://example.org/a) here": "Look here",
}
AS_IT_IS = (
    "2*3*4", "3 * 4 * 5", "5*3 and 4*2", "8 + __ = 15", "8+__=15 and 7+__=12", "_ + 6 = 15", "___ + 6 = 15 or 6 + ___ = 15",
    "One fox, two ____. Fill it in: ___?", "45 > 17", "- 5 is what?", "#5 is next", "ann_lee_x@example.org", "5 * 3 = ?",
    "I have 2 (two) left", "*", "**", "> It's 45\nHow?",
)  # fmt: skip


@pytest.mark.parametrize("text", SHOWN)
def test_markup_is_taken_off(text: str) -> None:
    assert clean_text(text) == SHOWN[text]


@pytest.mark.parametrize("text", AS_IT_IS)
def test_arithmetic_and_blanks_stay(text: str) -> None:
    assert clean_text(text) == text


@given(st.text(st.sampled_from("*_~|`\\>[]() \na5?"), max_size=40))
def test_any_text_keeps_its_letters(text: str) -> None:
    letters = [each for each in text if each in "a5"]
    assert [each for each in clean_text(text) if each in "a5"] == letters or "](" in text or "```" in text


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("> It's 45\nHow did you get that?", "How did you get that?"),
        ("Look:\n> It's 45\n\nIs it?", "Look: Is it?"),
        ("Is it?\n>>> It's 45\nand more", "Is it?"),
        ("> What is 52 - 17?", "What is 52 - 17?"),
        ("Which sign is it?\n> or <", "Which sign is it? > or <"),
        ("45 > 17", "45 > 17"),
    ],
)
def test_what_is_quoted_is_not_the_authors_own(text: str, own: str) -> None:
    assert Said.of(text).own.text == own


HEARD = {
    "*What is 52 - 17?*": MoveKind.ASKS,
    "What is 52 \\- 17?": MoveKind.ASKS,
    "_Why_?": MoveKind.ASKS_WHY,
    "*How* did you get that?": MoveKind.ASKS_WHY,
    "That's *not* right.": MoveKind.SAYS_WRONG,
    "> It's 45\nHow did you get that?": MoveKind.ASKS_WHY,
}


@pytest.mark.parametrize("text", HEARD)
async def test_it_is_heard_as_it_is_meant(tmp_path: Path, text: str) -> None:
    async with room(tmp_path / "pupil.db", ScriptedModel()) as app:
        await app.classroom.receive(
            message("What is 52 - 17?", sent_at=datetime.now(UTC)), Listener(), seed=1
        )
        answer = await app.classroom.receive(message(clean_text(text)), Listener(), seed=1)
    assert answer is not None
    assert answer.move in {HEARD[text], MoveKind.TRANSFER if HEARD[text] is MoveKind.ASKS else HEARD[text]}
