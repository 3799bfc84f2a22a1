"""Manners: limits per minute with one kind notice, who may change things, the pace, and the cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.platforms.manners import LABEL, MINUTE, RateLimits, cut, may_change, may_see_stage, speaking_seconds
from bot.sections import Limits, Permissions


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_over_the_limit_one_is_told_once_and_may_go_on_when_the_minute_has_passed() -> None:
    clock = Clock()
    limits = RateLimits(Limits(per_user_minute=2, per_channel_minute=100), clock)
    assert limits.admit("ann", "room", "1").admitted
    clock.now += 20
    assert limits.admit("ann", "room", "2").admitted
    refused = limits.admit("ann", "room", "3")
    assert not refused.admitted
    assert refused.notice is not None
    assert "in 40 s" in refused.notice
    again = limits.admit("ann", "room", "4")
    assert (again.admitted, again.notice) == (False, None)
    assert limits.admit("bob", "room", "5").admitted
    clock.now += MINUTE - 20
    assert limits.admit("ann", "room", "6").admitted


def test_a_channel_has_its_own_limit() -> None:
    limits = RateLimits(Limits(per_user_minute=5, per_channel_minute=3), Clock())
    assert all(limits.admit(user, "room", user).admitted for user in ("ann", "bob", "cem"))
    refused = limits.admit("dan", "room", "dan")
    assert not refused.admitted
    assert "many people" in (refused.notice or "")
    assert limits.admit("dan", "other room", "dan 2").admitted


def test_the_same_message_delivered_again_counts_once() -> None:
    limits = RateLimits(Limits(per_user_minute=2), Clock())
    for _ in range(5):
        assert limits.admit("ann", "room", "1").admitted
    assert limits.admit("ann", "room", "2").admitted
    assert not limits.admit("ann", "room", "3").admitted


def test_people_who_fell_silent_take_no_memory() -> None:
    clock = Clock()
    limits = RateLimits(Limits(), clock)
    for number in range(500):
        limits.admit(f"user {number}", f"room {number}", str(number))
    clock.now += 2 * MINUTE
    limits.admit("ann", "room", "last")
    assert limits.remembered == 2


@pytest.mark.parametrize(
    ("permissions", "user", "roles", "may"),
    [
        (Permissions(), "1", (), True),
        (Permissions(users=("1",)), "1", (), True),
        (Permissions(users=("1",)), "2", (), False),
        (Permissions(roles=("r",)), "2", ("q", "r"), True),
        (Permissions(roles=("r",)), "2", ("q",), False),
        (Permissions(stage_roles=("s",)), "2", (), True),
    ],
)
def test_who_may_change_what_all_see(
    permissions: Permissions, user: str, roles: tuple[str, ...], *, may: bool
) -> None:
    assert may_change(permissions, user, roles) is may


def test_who_sees_what_the_child_believes() -> None:
    assert may_see_stage(Permissions(), "1", ())
    staged = Permissions(stage_roles=("professors",), users=("1",))
    assert may_see_stage(staged, "1", ())
    assert may_see_stage(staged, "2", ("professors",))
    assert not may_see_stage(staged, "2", ("teachers",))


def test_longer_words_take_longer_but_nobody_waits_forever() -> None:
    assert 0 < speaking_seconds("45") < speaking_seconds("I think it's 45") < 3
    assert speaking_seconds("word " * 500) == 6


@given(st.text(min_size=0, max_size=300), st.integers(min_value=2, max_value=100))
def test_a_cut_text_is_short_enough_and_a_beginning(text: str, limit: int) -> None:
    short = cut(text, limit)
    assert len(short) <= limit
    assert short == text or text.startswith(short.removesuffix("…"))


def test_the_cut_is_between_words() -> None:
    assert cut("one two three", 9) == "one two…"
    assert cut("one two three", 8) == "one two…"
    assert cut("one two three", 7) == "one…"
    assert cut("one two three", 13) == "one two three"
    assert cut("abcdefghij", 5) == "abcd…"


def test_the_label_says_what_it_is_and_asks() -> None:
    """It stands under the first answer of every conversation: nobody has to look for the question."""
    for told in ("not a real child", "is logged", "May it be used for training? /student privacy"):
        assert told in LABEL
