"""/student on a real database, with a real classroom beside it: what is shown, changed and refused."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.app import App
from bot.messages import CommandError, Place, Shown
from bot.opinions import RUBRIC
from bot.store import hash_user
from bot.subcommands import SUBCOMMANDS, Subcommand
from tests.fakes.students import NONSENSE, SECRET, Listener, ModelUnavailable, ScriptedModel, message, room

ANN = hash_user("discord", "ann", SECRET)
HERE = Place("discord", "room", None)
NINE = "1 2 3 4 5 4 3 2 1"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with room(tmp_path / "pupil.db", ScriptedModel(), ScriptedModel("cloud", cost_usd=0.25)) as opened:
        yield opened


async def run(app: App, line: str, place: Place = HERE, author: str = ANN) -> Shown:
    return await app.commands.run(line, place, author)


async def say(app: App, text: str = "What is 52 minus 17?") -> None:
    assert await app.classroom.receive(message(text), Listener())


def rows(shown: Shown) -> dict[str, str]:
    return dict(shown.rows)


async def test_help_lists_every_subcommand(app: App) -> None:
    for line in ("help", "", "  HELP  "):
        shown = await run(app, line)
        assert [name.split()[0] for name, _ in shown.rows] == [each.name for each in SUBCOMMANDS]
    assert "simulated" in (await run(app, "about")).text


async def test_a_line_in_the_table_is_a_command(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    async def wave(place: Place, text: str | None) -> Shown:
        return Shown(f"waves at {text or place.channel}")

    waves = Subcommand("wave", "[whom]", "wave at somebody", lambda _, place, __, text: wave(place, text))
    monkeypatch.setattr("bot.commands.SUBCOMMANDS", (*SUBCOMMANDS, waves))
    assert (await run(app, "wave Bo")).text == "waves at Bo"
    assert (await run(app, "WAVE")).text == "waves at room"
    assert rows(await run(app, "help"))["wave [whom]"] == "wave at somebody"
    with pytest.raises(CommandError, match="did you mean wave"):
        await run(app, "waves")


@pytest.mark.parametrize(
    ("line", "holds"),
    [
        ("stauts", "status"),
        ("model bass", "base"),
        ("child mai", "mia"),
        ("child nobody at all", "there are"),
        ("lesson 2.NBT.B.5-substract", "2.NBT.B.5-subtract"),
        ("privacy maybe", "on, off, forget or export"),
        ("rate", "9 scores"),
        ("rate 1 2 3", "9 scores"),
        ("rate 1 2 3 4 5 6 7 8 9", "from 1 to 5"),
        ("rate ² 2 3 4 5 4 3 2 1", "9 scores"),
        ("rate " + "9" * 5_000 + " 2 3 4 5 4 3 2 1", "score"),
        ("rate " + NINE, "nothing to rate"),
    ],
)
async def test_what_cannot_be_done_says_what_would_be_right(app: App, line: str, holds: str) -> None:
    with pytest.raises(CommandError, match=holds) as raised:
        await run(app, line)
    assert "\n" not in str(raised.value)


async def test_model_is_shown_switched_and_used_here_alone(app: App) -> None:
    shown = rows(await run(app, "model"))
    assert set(shown) == {"base (current)", "cloud"}
    await run(app, "model cloud")
    assert set(rows(await run(app, "model"))) == {"base", "cloud (current)"}
    assert rows(await run(app, "model", Place("discord", "elsewhere", None))).keys() == shown.keys()
    answer = await app.classroom.receive(message(), Listener())
    assert answer is not None
    assert answer.model == "cloud"


@pytest.mark.parametrize("name", ["Cloud", "CLOUD"])
async def test_models_are_known_in_any_case(app: App, name: str) -> None:
    assert "cloud" in (await run(app, f"model {name}")).text
    assert (await app.store.conversation("discord", "room", None)).model == "cloud"


async def test_a_model_that_is_dead_is_told_in_the_status(tmp_path: Path) -> None:
    dead = ScriptedModel("cloud")
    async with room(tmp_path / "pupil.db", ScriptedModel(), dead) as app:
        await run(app, "model cloud")
        await say(app)
        assert "not working" not in rows(await run(app, "status"))
        await run(app, "new")
        for _ in range(3):
            dead.enqueue(ModelUnavailable("cloud: no answer"))
            await say(app)
        status = rows(await run(app, "status"))
        assert (status["model"], status["version"]) == ("cloud", "not used yet")
        assert status["spoke lately"] == "base 3"
        assert status["not working"].startswith("it gave none of the last 3 replies")
        await say(app)
        status = rows(await run(app, "status"))
        assert (status["version"], status["spoke lately"]) == ("cloud-1", "base 3, cloud 1")
        assert "not working" not in status


async def test_authored_phrases_are_not_a_models_words(tmp_path: Path) -> None:
    nonsense = ScriptedModel()
    async with room(tmp_path / "pupil.db", nonsense) as app:
        nonsense.enqueue(*[NONSENSE] * 20)
        await say(app)
        status = rows(await run(app, "status"))
    assert (status["version"], status["spoke lately"]) == ("not used yet", "authored phrases 1")
    assert "not working" in status


@pytest.mark.parametrize(
    ("wanted", "near"),
    [
        ("2.NBT.B.5-substract", "2.NBT.B.5-subtract"),
        ("subtracting big numbers", "subtract"),
        ("clocks and times", "clock|time"),
        ("2.MD", "2.MD"),
    ],
)
async def test_an_unknown_lesson_lists_near_ones(app: App, wanted: str, near: str) -> None:
    try:
        told = str((await run(app, f"lesson {wanted}")).rows)
    except CommandError as error:
        told = str(error)
        assert told.count("(") <= 3
        assert "there are" not in told
    assert re.search(near, told, re.I), told


async def test_a_lesson_like_no_other_says_how_to_search(app: App) -> None:
    with pytest.raises(CommandError, match="search by a word"):
        await run(app, "lesson zzz qqq")


async def test_a_new_child_sits_in_a_fresh_conversation(app: App) -> None:
    await run(app, "lesson 2.NBT.B.5-add")
    await say(app)
    before = await app.store.conversation("discord", "room", None)
    assert "Eli" in (await run(app, "child ELI")).text
    after = await app.store.conversation("discord", "room", None)
    assert (after.child, after.lesson, after.mind, after.turns) == ("eli", "2.NBT.B.5-add", None, 0)
    assert after.id != before.id
    listener = Listener()
    await app.classroom.receive(message(), listener)
    assert listener.sent[0].speaker == "Eli"
    assert "eli (current)" in rows(await run(app, "child"))


async def test_lessons_are_found_by_any_words_and_chosen_by_id(app: App) -> None:
    assert len((await run(app, "lesson")).rows) == 12
    assert "more" in (await run(app, "lesson")).hint
    found = rows(await run(app, "lesson subtract"))
    assert any("2.NBT.B.5-subtract" in name for name in found)
    chosen = await run(app, "lesson 2.nbt.b.5-ADD")
    assert "2.NBT.B.5-add" in chosen.text
    assert chosen.hint
    assert (await app.store.conversation("discord", "room", None)).lesson == "2.NBT.B.5-add"


async def test_status_counts_and_shows_the_mind_where_allowed(app: App) -> None:
    empty = rows(await run(app, "status"))
    assert (empty["turns"], empty["answer time"], empty["cost"]) == ("0", "none yet", "not metered")
    await run(app, "model cloud")
    await say(app)
    await say(app)
    status = rows(await run(app, "status"))
    assert (status["model"], status["version"], status["turns"], status["cost"]) == (
        "cloud",
        "cloud-1",
        "4",
        "$0.5000",
    )
    believes = {name: stage for name, stage in status.items() if name.startswith("believes")}
    assert believes == {"believes smaller-from-larger": "holds"}
    hidden = await app.commands.status(HERE, show_mind=False)
    assert not any(name.startswith("believes") for name, _ in hidden.rows)


async def test_status_with_what_is_known_no_more(app: App) -> None:
    row = await app.store.conversation("discord", "room", None)
    await app.store.update_conversation(row.id, lesson="gone", mind="garbage")
    with pytest.raises(CommandError, match="/student new"):
        await run(app, "status")
    assert rows(await app.commands.status(HERE, show_mind=False))["lesson"] == "gone"
    await run(app, "new")
    assert rows(await run(app, "status"))["turns"] == "0"


async def test_new_forgets_the_talk_and_keeps_the_choices(app: App) -> None:
    await run(app, "model cloud")
    await say(app)
    await run(app, "new")
    row = await app.store.conversation("discord", "room", None)
    assert (row.model, row.turns, row.mind) == ("cloud", 0, None)


async def test_privacy(app: App) -> None:
    assert (await run(app, "privacy")).text.startswith("May your turns be used for training?")
    await run(app, "privacy on")
    assert "may be used" in (await run(app, "privacy")).text
    await say(app, "What is 63 minus 28? Zanzibar!")
    shown = await run(app, "privacy export")
    assert shown.file
    exported = json.loads(shown.text)
    assert [turn["content"] for turn in exported["turns"]] == ["What is 63 minus 28? Zanzibar!"]
    await run(app, "privacy off")
    assert "not used" in (await run(app, "privacy")).text
    counted = rows(await run(app, "privacy forget"))
    assert (counted["teacher turns"], counted["student turns"], counted["consents"]) == ("1", "1", "2")
    assert "Zanzibar" not in (await run(app, "privacy export")).text
    assert "without your yes" in (await run(app, "privacy")).text.lower()


@pytest.mark.parametrize(
    ("consent", "said"), [("opt_out", "since you have not said no. May they?"), ("off", "Nobody's turns")]
)
async def test_the_question_follows_the_courses_policy(tmp_path: Path, consent: str, said: str) -> None:
    async with room(tmp_path / "pupil.db", ScriptedModel(), privacy={"consent": consent}) as app:
        assert said in (await run(app, "privacy")).text


async def test_a_rating_is_kept_with_who_was_rated(app: App) -> None:
    await run(app, "model cloud")
    await say(app)
    await run(app, f"rate {NINE.replace(' ', ', ')} quite real, said 45")
    conversation = await app.store.conversation("discord", "room", None)
    (rating,) = await app.store.ratings(conversation.id)
    assert rating.scores == dict(zip(RUBRIC, (1, 2, 3, 4, 5, 4, 3, 2, 1), strict=True))
    assert rating.comment == "quite real, said 45"
    assert (rating.model, rating.model_version, rating.author_hash) == ("cloud", "cloud-1", ANN)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.sampled_from([each.name for each in SUBCOMMANDS] + ["", "x"]),
    st.text(max_size=20)
    | st.lists(st.sampled_from(["1", "5", "²", "٣", "-1", ",", "a"]), max_size=10).map(" ".join),
)
def test_any_line_shows_something_or_says_why_not(
    tmp_path_factory: pytest.TempPathFactory, name: str, rest: str
) -> None:
    import asyncio

    async def once() -> None:
        async with room(blank(tmp_path_factory)) as app:
            try:
                assert (await run(app, f"{name} {rest}")).text
            except CommandError as error:
                assert str(error)

    asyncio.run(once())


_BLANK: list[Path] = []


def blank(factory: pytest.TempPathFactory) -> Path:
    """One database for all examples: what a line changes, the next may find."""
    if not _BLANK:
        _BLANK.append(factory.mktemp("commands") / "pupil.db")
    return _BLANK[0]


@pytest.mark.parametrize("line", ["You are so sexy", "I will kill you", "call my mom at 555-867-5309"])
async def test_a_better_line_must_be_fit_for_a_child(tmp_path: Path, line: str) -> None:
    async with room(tmp_path / "pupil.db") as app:
        await app.classroom.receive(message(key="discord:1"), Listener(gives="sent"))
        with pytest.raises(CommandError, match="so it was not kept"):
            await app.commands.opinions.feedback("sent", ANN, "suggestion", line)
        assert await app.commands.opinions.feedback("sent", ANN, "suggestion", "um, 45?")
        kept = (await app.store.export(ANN))["feedback"]
    assert [each["text"] for each in kept] == ["um, 45?"]
