"""Real people's data is taken out of what teachers write; lesson talk stays as it is."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.private import HALVES, lesson_texts, read, score, teacher_turns, untouched
from bot.student.guard.redaction import redact


@pytest.mark.parametrize("half", HALVES)
def test_the_bars_on_labelled_lines(half: str) -> None:
    figures = score(read(half))
    assert figures.parts >= 50
    assert figures.traps >= 50
    assert figures.recall >= 0.98
    assert figures.untouched >= 0.99


def test_the_lines_are_half_traps_and_no_line_is_in_both_halves() -> None:
    texts = [line.text for half in HALVES for line in read(half)]
    assert len(texts) == len(set(texts)) >= 200
    assert 0.4 <= sum(not line.private for half in HALVES for line in read(half)) / len(texts) <= 0.6


def test_lesson_talk_is_left_alone() -> None:
    for texts in (lesson_texts(), teacher_turns()):
        assert len(texts) > 1000
        assert untouched(texts)[0] >= 0.99


def test_the_same_value_gets_the_same_placeholder() -> None:
    cleaned, warned = redact(
        "my student Jo Bell sits by my student Al Dean; my student Jo Bell reads. a@b.org, c@d.org, a@b.org"
    )
    assert cleaned == (
        "my student [name] sits by my student [name 2]; my student [name] reads. [email], [email 2], [email]"
    )
    assert warned


def test_who_introduces_themselves_is_made_nameless_without_a_warning() -> None:
    assert redact("Hi Mia, I'm Ms. Rowland. What is 5 + 7?") == ("Hi Mia, I'm [name]. What is 5 + 7?", False)
    assert redact("Hi Mia, I'm happy. What is 5 + 7?") == ("Hi Mia, I'm happy. What is 5 + 7?", False)


@given(st.text(max_size=300))
def test_cleaning_twice_finds_nothing_new(text: str) -> None:
    cleaned, warned = redact(text)
    assert warned or cleaned == text or "[name" in cleaned
    assert redact(cleaned)[0] == cleaned


@pytest.mark.parametrize("part", ["my student A ", "a" * 50 + "@", "1-", "A B ", "x.", "in my class "])
def test_no_text_takes_long(part: str) -> None:
    started = time.perf_counter()
    redact((part * 4000)[:4000])
    assert time.perf_counter() - started < 1
