"""The web classroom by hand-made requests: who gets in, who sees what, what is bounded, and what leaves as an export."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import io
import itertools
import json
import re
import signal
import socket
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot import links
from bot.cli.web import serve
from bot.config import ConfigError, load
from bot.messages import CommandError, Place
from bot.opinions import RUBRIC
from bot.platforms.base import PlatformError
from bot.platforms.web import WEB, WebSettings, door
from bot.platforms.web.platform import Answers, WebPlatform
from bot.platforms.web.site import site
from bot.platforms.web.visits import MOST_BYTES
from bot.store.rows import Consent
from bot.student.records.dialogue import MAX_TURN_CHARACTERS
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.students import DATA, ScriptedModel
from tests.fakes.web import ADDRESS, PROFESSOR, Person, World, hash_of, world

SECRET_WORD = "Quillon"
QUESTION = f"{SECRET_WORD} asks: what is 52 minus 17?"
SCENARIO = "forty-five"
NINE: dict[str, Any] = dict.fromkeys(RUBRIC, "4")


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(
        tmp_path / "pupil.db", limits={"commands_minute": 1000, "per_user_minute": 1000}
    ) as made:
        yield made


async def person(here: World, name: str) -> Person:
    return await Person(here, name).signed_in()


async def shared(here: World) -> tuple[Person, Person, int, int]:
    """A professor with a course, and Ann in it, who shows one practice."""
    professor, ann = await person(here, PROFESSOR), await person(here, "ann")
    made = await professor.post("/teach", title="Methods of teaching")
    course = int(made.headers["location"].rpartition("/")[2])
    (row,) = await here.app.store.courses.owned(professor.who)
    assert (await ann.post("/course/join", code=f" {row.code.upper()} ", name="Ann")).status_code == 303
    number = await ann.practice(QUESTION, "How did you get that?")
    done = await ann.post(f"/practices/{number}/share", course=str(course), shared="yes")
    assert done.status_code == 303, done.text
    return professor, ann, course, number


# Coming in.


async def test_a_link_lets_in_once(here: World) -> None:
    link = here.links.link(hash_of("ann")).removeprefix(ADDRESS)
    first, second = Person(here, "ann"), Person(here, "ann")
    for each in (first, second):
        assert "Sign in" in (await each.get(link)).text, "to look at a link does not use it"
    assert (await first.post("/in", t=first._link)).status_code == 303
    assert "What do you say to Mia?" in (await first.get("/")).text
    refused = await second.post("/in", t=second._link)
    assert refused.status_code == 403
    assert "/student web" in refused.text
    assert (await second.get("/")).headers["location"] == "/welcome"


async def test_a_link_expires_and_so_does_a_session(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, late = await person(here, "ann"), Person(here, "bob")
    await late.get(here.links.link(late.who).removeprefix(ADDRESS))
    monkeypatch.setattr(links, "LINK_SECONDS", -1)
    assert (await late.post("/in", t=late._link)).status_code == 403
    assert (await late.get(here.links.link(late.who).removeprefix(ADDRESS))).status_code == 403
    assert (await ann.get("/growth")).status_code == 200
    monkeypatch.setattr(links, "SESSION_SECONDS", -1)
    assert (await ann.get("/growth")).headers["location"] == "/welcome"


async def test_a_link_is_used_by_nobody_but_the_browser_that_looked_at_it(here: World) -> None:
    """A page elsewhere cannot sign somebody in as somebody else."""
    link = here.links.link(hash_of("ann")).rpartition("=")[2]
    for headers, cookies, token in (
        ({}, {}, ""),
        ({}, {"pupil-visit": "x"}, ""),
        ({}, {"pupil-visit": "x"}, here.links.token("y")),
        ({"sec-fetch-site": "cross-site"}, {"pupil-visit": "x"}, here.links.token("x")),
    ):
        transport = httpx.ASGITransport(here.site)
        async with httpx.AsyncClient(transport=transport, base_url=ADDRESS, cookies=cookies) as client:
            done = await client.post("/in", data={"t": link, "token": token}, headers=headers)
            assert done.status_code == 403
    assert await here.links.use(link) == hash_of("ann"), "none of these used it"


async def test_what_is_not_signed_by_us_lets_nobody_in(here: World, tmp_path: Path) -> None:
    link = here.links.link(hash_of("ann")).rpartition("=")[2]
    session = here.links.session(hash_of("ann"))
    for wrong in ("", "x", link[:-2], link[::-1], session, "x" * 100_000, "é", link.replace(".", "!")):
        assert not here.links.good(wrong)
        assert await here.links.use(wrong) is None
    for wrong in ("", link, session[:-3], "null"):
        assert here.links.who(wrong) is None


async def test_a_courses_code_lets_somebody_new_in_and_their_own_link_brings_them_back(here: World) -> None:
    professor = await person(here, PROFESSOR)
    await professor.post("/teach", title="Methods of teaching")
    (course,) = await here.app.store.courses.owned(professor.who)
    guest, other = Person(here, "unknown"), Person(here, "unknown")
    assert "You have the code of a course" in (await guest.get("/welcome")).text
    for code, name in (("wrong", "Ann"), (course.code, "  ")):
        assert (await guest.post("/enter", code=code, name=name)).status_code == 400
        await guest.get("/welcome")
    page = await guest.post("/enter", code=course.code.upper(), name="Ann")
    assert (page.status_code, "Methods of teaching" in page.text) == (200, True)
    (member,) = await here.app.store.courses.members(course.id)
    assert member.name == "Ann"
    link = unescape(re.findall(r'href="([^"]+/in[?]t=[^"]+)"', page.text)[0]).removeprefix(ADDRESS)
    assert (await guest.get("/")).status_code == 200
    number = await guest.practice(QUESTION)
    await other.get(link)
    assert (await other.post("/in", t=other._link)).headers["location"] == "/"
    assert QUESTION in (await other.get(f"/practices/{number}")).text, "the same person"
    late = Person(here, "unknown")
    await late.get(link)
    assert (await late.post("/in", t=late._link)).status_code == 403, "it works once"
    made = await other.post("/privacy/link")
    assert re.search(r'href="[^"]+/in[?]t=', made.text)


async def test_a_code_lets_nobody_in_by_a_page_elsewhere_or_where_guests_are_not_wanted(
    here: World,
) -> None:
    professor = await person(here, PROFESSOR)
    await professor.post("/teach", title="Methods of teaching")
    (course,) = await here.app.store.courses.owned(professor.who)
    guest = Person(here, "unknown")
    assert (await guest.post("/enter", code=course.code, name="Ann")).status_code == 403, (
        "no page was looked at"
    )
    await guest.get("/welcome")
    form = {"token": guest.token, "code": course.code, "name": "Ann"}
    crossed = await guest.client.post("/enter", data=form, headers={"sec-fetch-site": "cross-site"})
    assert crossed.status_code == 403
    assert await here.app.store.courses.members(course.id) == []
    settings = here.app.settings.model_copy(update={WEB.name: WebSettings(guests=False)})
    closed = replace(here, site=site(settings, here.app.classroom, here.commands, Answers))
    stranger = Person(closed, "unknown")
    assert "You have the code" not in (await stranger.get("/welcome")).text
    assert (await stranger.post("/enter", code=course.code, name="Ann")).status_code == 403


async def test_codes_are_not_tried_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "CODES_MINUTE", 1)
    async with world(tmp_path / "pupil.db") as here:
        guest = Person(here, "unknown")
        for status in (400, 429):
            await guest.get("/welcome")
            assert (await guest.post("/enter", code="wrong", name="Ann")).status_code == status


async def test_the_first_page_says_what_to_do_first_and_a_practice_has_an_end(here: World) -> None:
    ann = await person(here, "ann")
    assert "New here?" in (await ann.get("/")).text
    await ann.do(f"scenario {SCENARIO}")
    page = (await ann.get("/")).text
    assert "New here?" not in page
    assert "/student" not in re.sub(r"(?s)<details>.*?</details>", "", page), "nobody types commands here"
    for _ in range(6):
        assert "about the length" not in (await ann.say("How did you do this one?")).text
    assert "about the length" in (await ann.say("And this one?")).text
    assert "about the length" in (await ann.get("/")).text
    ended = await ann.post("/done")
    assert (await ann.get(ended.headers["location"])).status_code == 200
    assert "about the length" not in (await ann.get("/")).text, "a fresh one runs"
    assert "You have said nothing in this practice yet" in (await ann.do("done")).text


async def test_who_signs_out_is_out(here: World) -> None:
    ann = await person(here, "ann")
    done = await ann.post("/out")
    assert done.headers["location"] == "/welcome"
    assert (await ann.get("/")).headers["location"] == "/welcome"
    assert "/student web" in (await ann.get("/welcome")).text


async def test_the_command_gives_a_link_where_there_is_a_web_classroom(here: World) -> None:
    shown = await here.commands.run("web", Place("discord", "room", None), hash_of("ann"))
    assert shown.link.startswith(f"{ADDRESS}/in?t=")
    assert await here.links.use(shown.link.rpartition("=")[2]) == hash_of("ann")
    with pytest.raises(CommandError, match=r"\[web\]"):
        await here.app.commands.run("web", Place("discord", "room", None), hash_of("ann"))


# Practising.


async def test_a_talk_here_is_like_any_other(here: World) -> None:
    ann = await person(here, "ann")
    answer = await ann.say("What is 52 minus 17?")
    assert 'class="line you"' in answer.text
    assert "Mia says: " in answer.text
    page = (await ann.get("/")).text
    assert "What is 52 minus 17?" in page
    assert 'class="line child"' in page
    assert "fresh conversation" in (await ann.do("help")).text
    assert "believes" in (await ann.do("/student status")).text
    conversation = await here.app.store.conversation("web", ann.who, None)
    assert conversation.turns == 2
    (teacher, child) = await here.app.store.turns(conversation.id, 10)
    assert teacher.author_hash == ann.who
    assert child.model == "base"


async def test_what_is_sent_twice_is_said_once(here: World) -> None:
    ann = await person(here, "ann")
    key = uuid.uuid4().hex
    first, second = await ann.say("What is 52 minus 17?", key), await ann.say("What is 52 minus 17?", key)
    assert "Mia says" in first.text
    assert second.headers["hx-redirect"] == "/"
    assert (await here.app.store.conversation("web", ann.who, None)).turns == 2


async def test_without_script_the_page_comes_back_whole(here: World) -> None:
    ann = await person(here, "ann")
    done = await ann.post("/say", text="What is 52 minus 17?", key=ann.key)
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert "<h1" in (await ann.post("/do", line="help")).text
    assert (await ann.post("/do", line="child eli")).headers["location"] == "/"
    assert "What do you say to Eli?" in (await ann.get("/")).text


async def test_a_notice_is_shown_and_a_real_childs_data_is_not_kept(here: World) -> None:
    ann = await person(here, "ann")
    answer = await ann.post("/say", text="Are you a real child?", key=ann.key)
    assert 'class="notice"' in answer.text
    assert "answered by the program" in (await ann.get("/")).text


async def test_an_answer_that_takes_too_long_is_on_the_page_later(tmp_path: Path) -> None:
    slow = ScriptedModel(delay=0.6)
    waits = {"patience_seconds": 0.1, "reply_seconds": 0.1, "send_seconds": 0.1}
    async with world(tmp_path / "pupil.db", slow, classroom=waits) as here:
        ann = await person(here, "ann")
        assert 'class="line notice"' in (await ann.say("What is 52 minus 17?")).text


async def test_going_back_to_a_turn_and_choosing(here: World) -> None:
    ann = await person(here, "ann")
    assert (await ann.get("/again")).status_code == 400, "nothing was said yet"
    await ann.practice("What is 52 minus 17?", "The answer is 35.")
    assert "to before turn 2" in (await ann.get("/again")).text
    assert (await ann.do("again 2")).headers["hx-redirect"] == "/"
    assert "The answer is 35." not in (await ann.get("/")).text
    assert "none has these words" in (await ann.get("/choose?q=zzzz")).text.lower()
    found = (await ann.get("/choose?q=subtract")).text
    assert "2.NBT.B.5-subtract" in found
    assert (await ann.do(f"scenario {SCENARIO}")).headers.get("hx-redirect") == "/"
    assert here.app.classroom.curriculum.scenarios[SCENARIO].goal in (await ann.get("/")).text


async def test_what_cannot_be_done_is_said_in_the_page(here: World) -> None:
    ann = await person(here, "ann")
    for done in (await ann.do("stauts"), await ann.do("child nobody"), await ann.do("rate 1 2")):
        assert done.status_code == 400
        assert 'role="alert"' in done.text
    assert (await ann.post("/rate", **NINE)).status_code == 400
    assert "There is no such page" in (await ann.get("/nowhere")).text


async def test_a_turn_that_was_heard_wrongly_is_put_right_by_its_teacher_alone(here: World) -> None:
    ann, bob = await person(here, "ann"), await person(here, "bob")
    number = await ann.practice("What is 52 minus 17?")
    assert "A turn of mine was heard wrongly" in (await ann.get(f"/practices/{number}")).text
    path = f"/practices/{number}/move"
    assert (await ann.post(path, turn="1", move="asks_why")).status_code == 303
    assert "you put this right" in (await ann.get(f"/practices/{number}")).text
    await bob.get("/")
    assert (await bob.post(path, turn="1", move="asks")).status_code == 404
    for turn, move in (("2", "asks"), ("x", "asks"), ("1", "unsafe")):
        assert (await ann.post(path, turn=turn, move=move)).status_code == 400


async def test_the_child_is_rated_by_the_rubric(here: World) -> None:
    ann = await person(here, "ann")
    await ann.practice("What is 52 minus 17?")
    assert (await ann.get("/rate")).text.count("<fieldset>") == len(RUBRIC)
    done = await ann.post("/rate", **NINE, comment="just so")
    assert "your rating is kept" in done.text
    (rating,) = await here.app.store.ratings((await here.app.store.conversation("web", ann.who, None)).id)
    assert rating.scores == dict.fromkeys(RUBRIC, 4)
    assert (await ann.post("/rate", **{**NINE, "vocabulary": "6"})).status_code == 400


async def test_the_childs_mind_is_for_those_who_may_see_it(tmp_path: Path) -> None:
    guarded = {"stage_roles": ["professors"], "users": ["bob"]}
    async with world(tmp_path / "pupil.db", permissions=guarded) as here:
        for name, seen in (("ann", False), ("bob", True), (PROFESSOR, True)):
            each = await person(here, name)
            number = await each.practice("What is 52 minus 17?")
            assert ("believes" in (await each.do("status")).text) is seen
            assert ("One thing to try" in (await each.get(f"/practices/{number}")).text) is seen
            assert ("not shown" not in (await each.get("/growth")).text) is seen


async def test_a_paid_model_is_for_those_who_may_spend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world(
        tmp_path / "pupil.db", ScriptedModel(), ScriptedModel("cloud"), permissions={"users": ["bob"]}
    ) as here:
        monkeypatch.setattr(here.app.models, "paid", lambda name: name == "cloud")
        ann, bob = await person(here, "ann"), await person(here, "bob")
        assert (await ann.do("model cloud")).status_code == 403
        assert (await bob.do("model cloud")).headers["hx-redirect"] == "/"


# Nobody sees what is another's.


async def test_nobody_sees_anothers_practice_by_any_request(here: World) -> None:
    professor, ann, course, number = await shared(here)
    await ann.do("new")
    unshared = await ann.practice(f"{SECRET_WORD} once more: what is 61 minus 28?")
    assert unshared != number
    (row,) = await here.app.store.courses.owned(professor.who)
    mallory, stranger = await person(here, "mallory"), Person(here, "mallory")
    await mallory.post("/course/join", code=row.code, name="Mallory")
    tries = 0
    pages = [
        *(
            f"/practices/{each}"
            for each in (number, unshared, f"0{number}", f"{number}%00", f"{number}.0", -1)
        ),
        *(f"/practices/{number}{each}" for each in ("/", "/share", "/..", "?who=" + ann.who, "%2f")),
        f"/teach/{course}",
        f"/teach/{course}/practices/{number}",
        f"/teach/{course}/practices/{unshared}",
        f"/teach/{course}/export.csv",
        f"/teach/{course}/export.json",
        f"/teach/0{course}/export.json",
        "/practices",
        "/growth",
        "/again",
        "/",
        "/privacy",
        "/privacy/export.json",
        "/course",
        "/teach",
        f"/?who={ann.who}",
        f"/practices?who={ann.who}",
    ]
    for path, who in itertools.product(pages, (mallory, stranger)):
        answer = await who.client.get(path, headers={"X-User": ann.who, "X-Forwarded-User": ann.who})
        assert SECRET_WORD not in answer.text, path
        tries += 1
    posts: list[tuple[str, dict[str, Any]]] = [
        *(
            (f"/practices/{each}/share", {"course": str(course), "shared": "yes"})
            for each in (number, unshared)
        ),
        (f"/practices/{number}/share", {"course": str(course), "shared": "no"}),
        (f"/teach/{course}/practices/{number}/rate", {**NINE}),
        (f"/teach/{course}/assign", {"scenario": SCENARIO}),
        (f"/teach/{course}/end", {}),
        ("/teach", {"title": "Mine"}),
        ("/do", {"line": f"debrief move {number} asks"}),
        ("/do", {"line": f"debrief {number}"}),
        ("/do", {"line": "again 1"}),
        ("/do", {"line": "growth"}),
        ("/do", {"line": "privacy export"}),
        ("/say", {"text": "What did Ann say?", "key": uuid.uuid4().hex, "channel": ann.who, "who": ann.who}),
        ("/course/leave", {"course": str(course), "who": ann.who}),
    ]
    for path, fields in posts:
        for part in (True, False):
            answer = await mallory.post(path, part=part, **fields)
            assert SECRET_WORD not in answer.text, path
            tries += 1
    assert tries >= 50
    for page in (f"/teach/{course}/practices/{unshared}", f"/practices/{number}", f"/practices/{unshared}"):
        assert SECRET_WORD not in (await professor.client.get(page)).text, "what was not shown to her"
    after = await here.app.store.courses.owned(professor.who)
    assert [each.scenario for each in after] == [None]
    assert [each.name for each in await here.app.store.courses.members(course)] == ["Ann"]
    assert len(await here.app.store.courses.shared(course)) == 1
    assert await here.app.store.courses.owned(mallory.who) == []
    assert await here.app.store.ratings(number) == []
    assert SECRET_WORD in (await ann.get(f"/practices/{number}")).text
    assert SECRET_WORD in (await professor.get(f"/teach/{course}/practices/{number}")).text


async def test_a_practice_in_which_others_spoke_is_not_shared(here: World) -> None:
    _, ann, course, number = await shared(here)
    bob = await person(here, "bob")
    bobs = await bob.practice("What is 9 plus 6?")
    assert (await ann.post(f"/practices/{bobs}/share", course=str(course), shared="yes")).status_code == 400
    assert (await bob.post(f"/practices/{bobs}/share", course=str(course), shared="yes")).status_code == 400
    await ann.post(f"/practices/{number}/share", course=str(course), shared="no")
    assert await here.app.store.courses.shared(course) == []


# Posts.


async def test_a_post_without_our_token_does_nothing(here: World) -> None:
    ann, bob = await person(here, "ann"), await person(here, "bob")
    for token in ("", "x", bob.token, "é"):
        for path in ("/say", "/do", "/teach", "/course/join", "/privacy", "/out", "/rate"):
            done = await ann.client.post(
                path, data={"token": token, "line": "new", "choice": "on", "sure": "yes"}
            )
            assert done.status_code == 403, path
    elsewhere = {"sec-fetch-site": "cross-site"}
    done = await ann.client.post("/do", data={"token": ann.token, "line": "new"}, headers=elsewhere)
    assert done.status_code == 403
    assert (await here.app.store.consent(ann.who)) is None
    assert (await ann.get("/do")).status_code == 405


async def test_what_is_too_much_is_refused(here: World) -> None:
    ann = await person(here, "ann")
    assert (await ann.say("x" * (MAX_TURN_CHARACTERS + 1))).status_code == 400
    assert (await ann.say("\N{GRINNING FACE}" * MAX_TURN_CHARACTERS)).status_code == 200
    assert (await ann.say("   ")).status_code == 400
    assert (await ann.say("hello", "not a key")).status_code == 400
    assert (await ann.post("/do", line="x" * MOST_BYTES)).status_code == 413
    many: dict[str, Any] = {f"f{each}": "" for each in range(50)}
    assert (await ann.post("/do", **many)).status_code == 400
    for body, kind in ((b"{}", "application/json"), (b"\xff\xfe", "application/x-www-form-urlencoded")):
        done = await ann.client.post("/do", content=body, headers={"content-type": kind})
        assert done.status_code in {400, 415}
    for number in ("9" * 5_000, "-1", "1.5", "²", "0x1", "1" * 10):
        assert (await ann.get(f"/practices/{number}")).status_code == 404
        assert (await ann.post("/course/leave", course=number)).status_code == 404


async def test_one_person_has_limits_and_others_do_not_feel_them(tmp_path: Path) -> None:
    async with world(tmp_path / "pupil.db", limits={"per_user_minute": 2, "commands_minute": 3}) as here:
        ann, bob = await person(here, "ann"), await person(here, "bob")
        said = [(await ann.say("hello")).status_code for _ in range(4)]
        assert said == [200, 200, 429, 429]
        done = [(await ann.do("help")).status_code for _ in range(4)]
        assert done[-1] == 429
        assert (await bob.say("hello")).status_code == 200
        assert [(await bob.do("help")).status_code for _ in range(3)] == [200] * 3
        assert (await bob.say("hello again")).status_code == 200, "commands leave room for talk"
        looked = [(await bob.get("/welcome")).status_code for _ in range(100)]
        assert set(looked) == {200}
        pages = [(await bob.get("/practices")).status_code for _ in range(100)]
        assert pages[0] == 200
        assert pages[-1] == 429


async def test_every_answer_has_strict_headers_and_pages_run_nothing_inline(here: World) -> None:
    professor, _, course, number = await shared(here)
    paths = ("/", "/choose", "/practices", "/growth", "/privacy", "/course", "/teach", f"/teach/{course}")
    for path in (*paths, f"/teach/{course}/practices/{number}", "/welcome", "/nowhere", "/static/pupil.css"):
        answer = await professor.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-content-type-options"] == "nosniff"
        if "html" in answer.headers["content-type"]:
            assert answer.headers["cache-control"] == "no-store"
            assert not re.search(r"<style|style=|<script(?! src)|\son\w+=|javascript:", answer.text), path
    stranger = await professor.client.get("/", headers={"host": "evil.example"})
    assert stranger.status_code == 400


async def test_what_people_type_is_shown_as_text(here: World) -> None:
    professor, ann, course, number = await shared(here)
    nasty = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'"
    await ann.post(
        "/course/join", code=(await here.app.store.courses.owned(professor.who))[0].code, name=nasty
    )
    await ann.say(nasty)
    await professor.post("/teach", title=nasty)
    for who, path in (
        (ann, "/"),
        (ann, f"/practices/{number}"),
        (ann, f"/choose?q={nasty}"),
        (professor, "/teach"),
        (professor, f"/teach/{course}"),
        (professor, f"/teach/{course}/practices/{number}"),
    ):
        text = (await who.get(path)).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text


# Courses.


async def test_a_scenario_is_assigned_practised_shared_and_rated(here: World) -> None:
    professor, ann, course, number = await shared(here)
    done = await professor.post(f"/teach/{course}/assign", scenario=SCENARIO)
    assert done.status_code == 303
    assert (await professor.post(f"/teach/{course}/assign", scenario="nonsense")).status_code == 400
    title = here.app.classroom.curriculum.scenarios[SCENARIO].title
    page = (await ann.get("/")).text
    assert "Methods of teaching</strong> practises" in page
    await ann.do(f"scenario {SCENARIO}")
    assert "</strong> practises" not in (await ann.get("/")).text, "it is what runs"
    assert title in (await ann.get("/course")).text
    assert "Ann, " in (await professor.get(f"/teach/{course}")).text
    seen = (await professor.get(f"/teach/{course}/practices/{number}")).text
    assert SECRET_WORD in seen
    assert "One thing to try" not in seen, "a debrief is for whom it is about"
    rated = await professor.post(f"/teach/{course}/practices/{number}/rate", **NINE, comment="so")
    assert rated.status_code == 303
    (rating,) = await here.app.store.ratings(number)
    assert rating.author_hash == professor.who
    assert ", rated" in (await professor.get(f"/teach/{course}")).text
    assert (await professor.post(f"/teach/{course}/assign", scenario="")).status_code == 303
    assert (await professor.post(f"/teach/{course}/end")).headers["location"] == "/teach"
    assert (await professor.get(f"/teach/{course}")).status_code == 400
    assert SECRET_WORD in (await ann.get(f"/practices/{number}")).text


async def test_only_instructors_teach_and_a_wrong_code_joins_nothing(here: World) -> None:
    ann = await person(here, "ann")
    assert (await ann.post("/teach", title="Mine")).status_code == 400
    assert "/teach" not in (await ann.get("/")).text
    for code, name in (("", "Ann"), ("nonsense", "Ann"), ("x" * 500, "Ann")):
        assert (await ann.post("/course/join", code=code, name=name)).status_code == 400
    professor = await person(here, PROFESSOR)
    assert 'href="/teach"' in (await professor.get("/")).text
    assert (await professor.post("/teach", title="  ")).status_code == 400


async def test_exports_hold_consented_turns_only(here: World) -> None:
    professor, ann, course, number = await shared(here)
    store = here.app.store

    async def rows() -> list[dict[str, object]]:
        found = (await professor.get(f"/teach/{course}/export.json")).json()
        table = list(csv.DictReader(io.StringIO((await professor.get(f"/teach/{course}/export.csv")).text)))
        assert [each["content"] for each in found] == [each["content"].removeprefix("'") for each in table]
        return list(found)

    assert await rows() == [], "nobody agreed"
    await ann.post("/privacy", choice="on")
    assert await store.consent(ann.who) is Consent.ON
    assert await rows() == [], "what was said before was said without consent"
    await ann.say("=1+1 is what?")
    await ann.say("Are you a real child?")
    found = await rows()
    assert [each["role"] for each in found] == ["teacher", "student"]
    assert {each["teacher"] for each in found} == {1}
    assert "=1+1 is what?" in str(found)
    assert ann.who not in json.dumps(found)
    assert SECRET_WORD not in str(found)
    sheet = (await professor.get(f"/teach/{course}/export.csv")).text
    assert ",'=1+1 is what?," in sheet, "a spreadsheet computes nothing of it"
    bob = await person(here, "bob")
    await store.set_consent(bob.who, Consent.ON)
    await bob.practice("Bob's own question: what is 9 plus 6?")
    assert "Bob" not in str(await rows()), "he is not in the course"
    await ann.post("/privacy", choice="off")
    assert await rows() == [], "she took it back"
    await ann.post("/privacy", choice="on")
    assert await rows()
    await ann.post(f"/practices/{number}/share", course=str(course), shared="no")
    assert await rows() == []


async def test_under_another_policy_exports_follow_it(tmp_path: Path) -> None:
    for policy, count in (("opt_out", 4), ("off", 0)):
        async with world(tmp_path / f"{policy}.db", privacy={"consent": policy}) as here:
            professor, _, course, _ = await shared(here)
            assert len((await professor.get(f"/teach/{course}/export.json")).json()) == count


async def test_who_forgets_everything_is_out_and_off_every_list(here: World) -> None:
    professor, ann, course, number = await shared(here)
    assert (await ann.post("/privacy", choice="forget")).status_code == 400
    kept = (await ann.get("/privacy/export.json")).json()
    assert kept["members"][0]["name"] == "Ann"
    assert len(kept["shares"]) == 1
    done = await ann.post("/privacy", choice="forget", sure="yes")
    assert done.headers["location"] == "/welcome"
    assert "Nobody yet" in (await professor.get(f"/teach/{course}")).text
    assert SECRET_WORD not in (await professor.get(f"/teach/{course}/practices/{number}")).text
    again = await person(here, "ann")
    assert "Nothing yet" in (await again.get("/practices")).text


# The server, and the settings.


async def test_it_listens_answers_and_stops(here: World) -> None:
    settings = here.app.settings.model_copy(update={})
    platform = WebPlatform(settings, here.app.classroom, here.commands)
    platform._web = WebSettings(port=0)
    serving = asyncio.create_task(platform.serve())
    async with asyncio.timeout(20):
        while platform.port is None:
            await asyncio.sleep(0.01)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{platform.port}", trust_env=False) as client:
            for _ in range(200):
                try:
                    answer = await client.get("/welcome")
                    break
                except httpx.ConnectError:
                    await asyncio.sleep(0.02)
            assert answer.status_code == 200
            assert "server" not in answer.headers
        taken = WebPlatform(settings, here.app.classroom, here.commands)
        taken._web = WebSettings(port=platform.port)
        with pytest.raises(PlatformError, match=r"web\.port"):
            await taken.serve()
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
    with pytest.raises(PlatformError, match="nothing is announced"):
        await platform.announce("x", "y")


def test_its_section_says_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        '[web]\naddress = "https://pupil.example.edu"\ninstructors = ["discord:12"]\n', encoding="utf-8"
    )
    settings = load(file, environment_file=None)
    assert WEB.wanted(settings)
    assert settings.section(WebSettings).instructors == ("discord:12",)
    assert not WEB.wanted(settings.model_copy(update={"web": WebSettings()}))
    for line, told in (
        ('address = "pupil.example.edu"', "such as https://"),
        ('address = "https://pupil.example.edu/in/here"', "without a path"),
        ('instructors = ["ann"]', "such as 'discord:123456789'"),
        ('adress = "x"', "did you mean 'address'"),
    ):
        file.write_text(f"[web]\n{line}\n", encoding="utf-8")
        with pytest.raises(ConfigError, match=told):
            load(file, environment_file=None)


async def test_a_session_over_tls_is_bound_to_the_host(tmp_path: Path) -> None:
    async with world(tmp_path / "pupil.db", address="https://pupil.example.edu") as here:
        transport = httpx.ASGITransport(here.site)
        async with httpx.AsyncClient(transport=transport, base_url="https://pupil.example.edu") as client:
            link = here.links.link(hash_of("ann"))
            page = (await client.get(link)).text
            token = re.search(r'name="token" value="([^"]+)"', page)
            assert token
            done = await client.post("/in", data={"t": link.rpartition("=")[2], "token": token[1]})
            (cookie,) = [each for each in done.headers.get_list("set-cookie") if "__Host-pupil=" in each]
            assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))


async def test_the_command_serves_it_alone_and_prints_a_way_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with OpenAIServer() as words:
        (tmp_path / "config.toml").write_text(
            f'data = "{DATA}"\ndatabase = "pupil.db"\n[student]\nmodel = "cloud"\nfallback = "cloud"\n'
            f'[web]\nport = {port}\n[metrics]\nenabled = false\n[jobs]\nbackup = ""\n'
            f"[models.cloud]\nprovider = 'compatible'\nmodel = 'm'\nbase_url = '{words.base_url}'\n",
            encoding="utf-8",
        )
        settings = load(tmp_path / "config.toml", environment_file=None)
        serving = asyncio.create_task(serve(settings, None, show_link=True))
        told = ""
        async with asyncio.timeout(90):
            while f"http://127.0.0.1:{port}/in?t=" not in told:
                await asyncio.sleep(0.05)
                told += capsys.readouterr().out
            link = next(word for word in told.split() if word.startswith("http://"))
            async with httpx.AsyncClient(trust_env=False) as client:
                for _ in range(100):
                    with contextlib.suppress(httpx.ConnectError):
                        page = await client.get(link)
                        break
                    await asyncio.sleep(0.05)
                assert "Sign in" in page.text
            signal.raise_signal(signal.SIGTERM)
            await serving
