"""A talk with a child's parent: who may play it, what is asked and kept, and what is said of it afterwards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app import App
from bot.messages import CommandError, Outgoing, Place, Shown
from bot.models.base import ModelRefused, ModelUnavailable
from bot.models.chat import ChatModel, ChatSettings
from bot.notices import NEEDS_CAPABLE
from bot.store import hash_user
from bot.student.records.cue import Cue
from bot.student.records.dialogue import Role, Thought, ThoughtKind, Turn
from bot.student.voicing import grown_up
from tests.fakes.students import SECRET, Listener, ScriptedModel, message, room, shipped

ANN = hash_user("discord", "ann", SECRET)
HERE = Place("discord", "room", None)
SCENARIO = "he-reads-fine"
ASKED = "What do you see at home when he reads a new book?"
SAID = "He asks Lucia to go first. But the jokes, those he knows by heart."


def capable() -> ScriptedModel:
    model = ScriptedModel("large")
    model.capable = True
    return model


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with room(tmp_path / "pupil.db", ScriptedModel(), capable()) as opened:
        await run(opened, "model large")
        yield opened


async def run(app: App, line: str) -> Shown:
    return await app.commands.run(line, HERE, ANN)


async def say(app: App, text: str) -> list[Outgoing]:
    listener = Listener()
    await app.classroom.receive(message(text, author="ann"), listener, seed=7)
    return listener.sent


async def test_the_parent_answers_under_their_name_by_a_card_of_their_own(app: App) -> None:
    card = await run(app, f"scenario {SCENARIO}")
    rows = dict(card.rows)
    assert rows["with"].startswith("Ms. Reyes, Mateo's mother")
    assert "Spanish with him" not in str(card.rows), "what she knows is for the teacher to find out"
    large = await app.models.get("large")
    assert isinstance(large, ScriptedModel)
    large.enqueue(f"Ms. Reyes: *sighs* {SAID}")
    assert [(each.speaker, each.text) for each in await say(app, ASKED)] == [("Ms. Reyes", SAID)]
    (cue,) = large.cues
    assert cue.parent is not None
    assert [each.content for each in cue.turns] == [rows["Ms. Reyes says"]]
    shown = " ".join(each.content for each in grown_up.render(cue, cue.parent))
    assert "library day" in shown
    assert shown.endswith(ASKED)


async def test_what_a_parent_says_is_nobodys_training_data_and_is_looked_back_on(app: App) -> None:
    await run(app, f"scenario {SCENARIO}")
    large = await app.models.get("large")
    assert isinstance(large, ScriptedModel)
    large.enqueue(SAID)
    await say(app, ASKED)
    conversation = await app.store.conversation("discord", "room", None)
    teacher, parent = await app.store.turns(conversation.id, 10)
    assert teacher.move is None
    assert parent.child == "parent of mateo"
    assert parent.child not in shipped()[0]
    looked = await run(app, "debrief")
    assert looked.text.startswith("Your practice with Ms. Reyes")
    told = dict(looked.rows)
    assert "wrong idea" not in str(looked.rows)
    assert "What would you like us both" in told["Try next"] or "worries you" in told["Try next"]
    assert "Mateo" not in told["Words"]
    assert "back where turn 1" in (await run(app, "again 1")).text


async def test_a_small_model_is_never_asked_to_play_a_grown_up(app: App, tmp_path: Path) -> None:
    await run(app, f"scenario {SCENARIO}")
    await run(app, "model base")
    assert [each.text for each in await say(app, ASKED)] == [NEEDS_CAPABLE]
    with pytest.raises(CommandError, match="a small model cannot play"):
        await run(app, f"scenario {SCENARIO}")
    base = await app.models.get("base")
    assert isinstance(base, ScriptedModel)
    assert base.cues == []
    async with room(tmp_path / "small.db", ScriptedModel()) as small:
        assert "parent" not in str((await run(small, "scenario")).rows), "it is not offered"
    assert "he-reads-fine" in str((await run(app, "scenario list")).rows)


async def test_where_the_large_model_is_away_nobody_speaks_for_the_parent(app: App) -> None:
    await run(app, f"scenario {SCENARIO}")
    large = await app.models.get("large")
    assert isinstance(large, ScriptedModel)
    for trouble in (ModelUnavailable("away"), ModelRefused("no")):
        large.enqueue(trouble)
        assert [each.text.partition(" cannot")[0] for each in await say(app, ASKED)] == ["Ms. Reyes"]
    large.enqueue("As an AI language model, I am happy to help.", "As an AI, I cannot.")
    assert [each.speaker for each in await say(app, ASKED)] == [None]


async def test_an_endpoint_that_is_not_capable_refuses_without_a_request() -> None:
    children, curriculum = shipped()
    scenario = curriculum.scenarios[SCENARIO]
    cue = Cue(
        children["mateo"],
        curriculum.lessons[scenario.lesson],
        (Turn(Role.STUDENT, "Hi."),),
        ASKED,
        Thought(ThoughtKind.CHAT),
        parent=scenario.parent,
    )
    model = ChatModel(ChatSettings("small", "m", base_url="http://127.0.0.1:9", provider="compatible"))
    with pytest.raises(ModelUnavailable, match="only a capable model"):
        await model.reply(cue, seed=1)
    await model.aclose()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ("Ms. Reyes: He reads fine.", "He reads fine."),
        ("(sighs) He reads fine. *looks away*", "He reads fine."),
        ("One two three. " * 40, "One two three. " * 22 + "One two three."),
        ("", ""),
    ],
)
def test_words_are_cleaned_and_end_with_a_sentence(raw: str, said: str) -> None:
    assert grown_up.shape(raw).text == said
