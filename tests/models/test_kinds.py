"""Kinds of version that nobody but this file knows: a line in the tuple is all that the program needs of them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.app import opened
from bot.config import Settings
from bot.messages import Place
from bot.models import kinds
from bot.models.artifact import publish
from bot.models.base import ModelUnavailable, Reply, StudentModel
from bot.models.catalogue import use
from bot.models.files import ArtifactError, read_json
from bot.models.kinds import KINDS
from bot.models.kinds.base import ArtifactKind
from bot.models.manifest import Manifest
from bot.models.opening import Opener, proved
from bot.models.registry import Models, UnknownModel
from bot.student.records.cue import Cue
from tests.fakes.adapters import data_folder, manifest
from tests.fakes.students import Listener, message, settings_at


@dataclass
class Parrot:
    """Says the one thing that its file holds."""

    name: str
    version: str
    words: str

    async def reply(self, cue: Cue, *, seed: int | None) -> Reply:
        return Reply(self.words, 1, 1, None, 0.0)

    async def aclose(self) -> None:
        """Hold nothing."""


def examine_parrot(_: Opener, __: Manifest, folder: Path) -> None:
    found = read_json(folder / "reply.json")
    if not isinstance(found, dict) or not isinstance(found.get("reply"), str):
        raise ArtifactError('reply.json: expected {"reply": "…"}')


async def open_parrot(opener: Opener, of: Manifest, folder: Path) -> StudentModel:
    words = read_json(folder / "reply.json")["reply"]
    return await proved(Parrot(of.name, of.version, words), opener.cue())


@dataclass
class Counter:
    """No student: it counts the words of a teacher's turn that it knows."""

    known: frozenset[str]
    closed: list[str] = field(default_factory=list)

    def hears(self, said: str) -> int:
        return len(self.known & set(said.lower().split()))

    async def aclose(self) -> None:
        self.closed.append("closed")


async def open_counter(_: Opener, __: Manifest, folder: Path) -> Counter:
    return Counter(frozenset(read_json(folder / "words.json")))


PARROT = ArtifactKind("parrot", frozenset({"reply.json"}), examine_parrot, open_parrot)
COUNTER = ArtifactKind("counter", frozenset({"words.json"}), lambda *_: None, open_counter, speaks=False)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(kinds, "KINDS", (*KINDS, PARROT, COUNTER))
    found = settings_at(tmp_path / "pupil.db", student={"model": "polly", "fallback": "polly"})
    return found.model_copy(update={"data": data_folder(tmp_path / "data")})


@pytest.fixture
async def models(settings: Settings) -> Any:
    found = Models(settings)
    yield found
    await found.aclose()


def publish_parrot(settings: Settings, version: str, reply: object, *, promote: bool = True) -> Path:
    return publish(
        settings.data / "models",
        manifest("polly", version, kind="parrot", base=None),
        {"reply.json": json.dumps({"reply": reply}).encode()},
        promote=promote,
    )


def publish_counter(settings: Settings, version: str, *words: str) -> None:
    publish(
        settings.data / "models",
        manifest("ear", version, kind="counter", base=None),
        {"words.json": json.dumps(words).encode()},
    )


async def test_a_fourth_kind_is_published_examined_opened_listed_and_promoted(
    settings: Settings, models: Models
) -> None:
    publish_parrot(settings, "1", "I think it's 45")
    publish_parrot(settings, "2", 45, promote=False)
    publish_parrot(settings, "3", "It's 35", promote=False)
    await models.refresh()
    models.inspect()
    (info,) = [each for each in models.describe() if each.name == "polly"]
    assert (info.kind, info.version, info.state, info.price) == ("parrot", "1", "live", "runs here")
    assert [(each.version, each.state) for each in info.versions] == [
        ("1", "live"),
        ("2", "refused"),
        ("3", "candidate"),
    ]
    assert "polly" in models.names
    first = await models.get("polly")
    assert (first.version, (await first.reply(models._opener.cue(), seed=1)).text) == ("1", "I think it's 45")
    with pytest.raises(ArtifactError, match=r"polly 2: reply\.json: expected"):
        models.promote("polly", "2")
    assert models.promote("polly", "3") == "3"
    await models.refresh()
    assert (await models.get("polly")).version == "3"


async def test_it_answers_a_teacher(settings: Settings) -> None:
    publish_parrot(settings, "1", "I think it's 45")
    async with opened(settings) as app:
        answer = await app.classroom.receive(message(), Listener())
        shown = await app.commands.run("model", Place("discord", "room", None), "ann")
    assert answer is not None
    assert (answer.model, answer.version) == ("polly", "1")
    assert dict(shown.rows)["polly (current)"] == "parrot · 1 · live · runs here"


def test_what_does_not_belong_to_its_kind_is_not_published(settings: Settings) -> None:
    of = manifest("polly", "1", kind="parrot", base=None)
    with pytest.raises(ArtifactError, match=r"kind parrot does not take words\.json"):
        publish(settings.data / "models", of, {"reply.json": b"{}", "words.json": b"[]"})
    unknown = manifest("polly", "1", kind="pickle", base=None)
    with pytest.raises(ArtifactError, match="expected one of dspy, openai, lora, ear, parrot, counter"):
        publish(settings.data / "models", unknown, {})


async def test_a_kind_that_gives_no_words_is_handed_out_and_hot_loaded(
    settings: Settings, models: Models
) -> None:
    publish_counter(settings, "1", "tens", "ones")
    publish_parrot(settings, "1", "hi")
    await models.refresh()
    first = await models.live("ear", COUNTER)
    assert first.hears("How many tens and ones?") == 1
    assert await models.live("ear", COUNTER) is first
    publish_counter(settings, "2", "tens", "ones?")
    await models.refresh()
    second = await models.live("ear", COUNTER)
    assert (second.hears("How many tens and ones?"), first.closed) == (2, [])
    use(settings.data / "models", "ear", "1")
    await models.refresh()
    assert (await models.live("ear", COUNTER)).hears("How many tens and ones?") == 1
    with pytest.raises(ModelUnavailable, match="polly: is of kind parrot, not counter"):
        await models.live("polly", COUNTER)
    with pytest.raises(ModelUnavailable, match="nothing is published"):
        await models.live("nose", COUNTER)
    await models.aclose()
    assert (first.closed, second.closed) == (["closed"], ["closed"])


async def test_no_conversation_can_choose_it_but_it_is_listed(settings: Settings, models: Models) -> None:
    publish_counter(settings, "1", "tens")
    publish_parrot(settings, "1", "hi")
    await models.refresh()
    assert "ear" not in models.names
    with pytest.raises(UnknownModel):
        await models.get("ear")
    assert [each.state for each in models.describe() if each.name == "ear"] == ["live"]
    async with opened(settings) as app:
        shown = await app.commands.run("model", Place("discord", "room", None), "ann")
    assert [name for name, _ in shown.rows] == ["base", "polly (current)"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_names_files_that_may_be_loaded(kind: ArtifactKind[Any]) -> None:
    assert {Path(name).suffix for name in kind.files} <= {".json", ".safetensors", ".gguf"}
    assert [each.name for each in KINDS].count(kind.name) == 1


def test_a_kind_needs_its_base(settings: Settings) -> None:
    models = Models(settings)
    publish(settings.data / "models", manifest("cloud", "1", kind="openai", base=None), {}, promote=False)
    with pytest.raises(ArtifactError, match="cloud 1: base: expected the endpoint"):
        models.promote("cloud", "1")
