"""Courses and used links in a real database: lists, shares, and what is left of somebody who was forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.store import Store, StoreError
from tests.databases import DATABASES, empty

PROF, ANN, BOB = "p" * 32, "a" * 32, "b" * 32
SOON = timedelta(minutes=10)


@pytest.fixture(params=DATABASES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(await empty(request.param, tmp_path))
    yield opened
    await opened.aclose()


async def test_a_link_is_used_once_and_the_old_ones_go(store: Store) -> None:
    now = datetime.now(UTC)
    assert await store.links.use("one", now + SOON)
    assert not await store.links.use("one", now + SOON)
    assert await store.links.use("old", now - SOON)
    assert await store.links.use("two", now + SOON)
    assert await store.links.use("old", now - SOON), "what has expired is kept no longer"
    assert not await store.links.use("one", now + SOON)


async def test_only_the_owner_changes_a_course(store: Store) -> None:
    course = await store.courses.begin(PROF, "Methods", "abc")
    assert (await store.courses.of_code("abc")) == course
    assert await store.courses.of_code("ABC") is None
    assert not await store.courses.assign(course.id, ANN, "page")
    assert await store.courses.assign(course.id, PROF, "page")
    (owned,) = await store.courses.owned(PROF)
    assert owned.scenario == "page"
    assert await store.courses.owned(ANN) == []
    assert not await store.courses.end(course.id, ANN)
    with pytest.raises(StoreError):
        await store.courses.begin(ANN, "Another", "abc")


async def test_members_share_leave_and_take_back(store: Store) -> None:
    course = await store.courses.begin(PROF, "Methods", "abc")
    talk = await store.conversation("web", ANN, None)
    await store.courses.join(course.id, ANN, "Ann")
    await store.courses.join(course.id, ANN, "Ann B.")
    await store.courses.join(course.id, BOB, "Bob")
    assert [each.name for each in await store.courses.members(course.id)] == ["Ann B.", "Bob"]
    assert [each.id for each in await store.courses.joined(ANN)] == [course.id]
    for _ in range(2):
        await store.courses.share(course.id, talk.id, ANN)
    await store.add_rating(talk.id, PROF, {"engagement": 4})
    await store.add_rating(talk.id, BOB, {"engagement": 1})
    (share,) = await store.courses.shared(course.id)
    assert (share.name, share.ratings, share.author_hash) == ("Ann B.", 1, ANN)
    assert await store.courses.shared(course.id, talk.id + 1) == []
    assert await store.courses.shared_by(ANN, talk.id) == {course.id}
    await store.courses.unshare(course.id, talk.id, BOB)
    assert await store.courses.shared(course.id)
    await store.courses.unshare(course.id, talk.id, ANN)
    assert await store.courses.shared(course.id) == []
    await store.courses.share(course.id, talk.id, ANN)
    await store.courses.leave(course.id, ANN)
    assert await store.courses.shared(course.id) == []
    assert [each.name for each in await store.courses.members(course.id)] == ["Bob"]


async def test_who_is_forgotten_is_on_no_list_and_an_instructors_courses_go(store: Store) -> None:
    course = await store.courses.begin(PROF, "Methods", "abc")
    talk = await store.conversation("web", ANN, None)
    for who in (ANN, BOB):
        await store.courses.join(course.id, who, "Somebody")
    await store.courses.share(course.id, talk.id, ANN)
    kept = await store.export(ANN)
    assert (len(kept["members"]), len(kept["shares"]), kept["courses"]) == (1, 1, [])
    assert (await store.export(PROF))["courses"][0]["title"] == "Methods"
    assert (await store.forget(ANN)).courses == 2
    assert [each.author_hash for each in await store.courses.members(course.id)] == [BOB]
    left = await store.export(ANN)
    assert not left["members"] + left["shares"]
    report = await store.forget(PROF)
    assert report.found
    assert await store.courses.of_code("abc") is None
    assert await store.courses.joined(BOB) == []


async def test_ending_a_course_leaves_the_practices(store: Store) -> None:
    course = await store.courses.begin(PROF, "Methods", "abc")
    talk = await store.conversation("web", ANN, None)
    await store.courses.join(course.id, ANN, "Ann")
    await store.courses.share(course.id, talk.id, ANN)
    assert await store.courses.end(course.id, PROF)
    assert await store.courses.owned(PROF) == []
    assert (await store.conversation("web", ANN, None)).id == talk.id
