"""The log in ranges: side by side as one after another, and some days of it as if the rest were not there."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from bot.store import Store
from bot.store.rows import Consent
from tests.training.harvest.logs import ANN, BEGIN, BEN, CHILDREN, DATA, LATER, LESSON, Log, run
from training.harvest import ranges
from training.harvest.harvest import Options, Summary, harvest

pytest.importorskip("datasketch")

TALKS = 4


async def keys(store: Store) -> list[str]:
    return sorted(await store.candidates.queue("anybody"))


def told(summary: Summary) -> tuple[object, ...]:
    return summary.turns, summary.kept_turns, summary.dialogues, summary.left_out, summary.sample


async def test_side_by_side_finds_what_one_after_another_does(
    store: Store, url: str, log: Log, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "LONGEST", 2)
    for number in range(TALKS):
        await log.talk(f"room-{number}", author=(ANN, BEN)[number % 2], number=number)
    await log.talk("again", author=BEN, number=1)  # nearly the same as one in another range
    await log.exchange("Take 9 from 20, ok?", "11", channel="no", author="c" * 32, consent=Consent.OFF)
    alone = await run(store, out)
    before, left = await keys(store), out.read_text()
    assert alone.left_out.total() == 8
    for each in before:
        assert (await store.candidates.get(each)).record
    together = await harvest(
        store,
        DATA,
        CHILDREN,
        {LESSON: None},
        Options(processes=2),
        out,
        now=LATER + timedelta(hours=1),
        url=url,
    )
    assert told(together) == told(alone)
    assert (together.new, together.changed, together.withdrawn) == (0, 0, 0)
    assert await keys(store) == before
    assert out.read_text() == left


async def test_some_days_alone_leave_what_was_found_before(store: Store, log: Log, out: Path) -> None:
    await log.talk("old", number=0)
    await run(store, out)
    (old,) = await keys(store)
    log.said = 60 * 24 * 20
    await log.talk("new", author=BEN, number=1)
    now = BEGIN + timedelta(days=21)
    lately = await run(store, out, now=now, options=Options(days=2))
    assert (lately.turns, lately.new, lately.withdrawn) == (6, 1, 0)
    both = await keys(store)
    assert len(both) == 2
    assert old in both
    # What is no longer allowed goes, where it was looked at.
    await store.set_consent(BEN, Consent.OFF)
    assert (await run(store, out, now=now + timedelta(hours=1), options=Options(days=2))).dialogues == 0
    assert await keys(store) == [old]


async def test_what_a_teacher_gave_before_counts_for_some_days_alone(
    store: Store, log: Log, out: Path
) -> None:
    await log.talk("old", number=0)
    await run(store, out)
    log.said = 60 * 24 * 20
    await log.talk("new", number=1)
    options = Options(per_teacher=1, days=2)
    lately = await run(store, out, now=BEGIN + timedelta(days=21), options=options)
    assert (lately.dialogues, {each.name for each in lately.left_out}) == (0, {"CAP"})
    # A second look at the same days counts what they gave but once.
    again = await run(store, out, now=BEGIN + timedelta(days=21), options=Options(per_teacher=2, days=2))
    assert (again.dialogues, again.new) == (1, 1)
    once_more = await run(store, out, now=BEGIN + timedelta(days=21), options=Options(per_teacher=2, days=2))
    assert (once_more.dialogues, once_more.new) == (1, 0)


def test_a_range_is_cut_in_order_and_whole() -> None:
    ids = range(1, 1203)
    parts = ranges.cut(ids)
    assert [len(part) for part in parts] == [500, 500, 202]
    assert [each for part in parts for each in part] == list(ids)
    assert ranges.cut([]) == []
