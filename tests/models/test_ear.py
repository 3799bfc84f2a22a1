"""A published ear: written and read back, refused where it is not one, handed out and taken up while others listen."""

from __future__ import annotations

import json
from array import array
from pathlib import Path
from typing import Any

import pytest

from bot.config import Settings
from bot.models import artifact
from bot.models.base import ModelUnavailable
from bot.models.ear import FILE, read_reader, write_reader
from bot.models.files import ArtifactError
from bot.models.kinds.ear import EAR, NAME
from bot.models.manifest import Data, Manifest, Prompt, Training
from bot.models.registry import Models
from bot.student.hearing.reader import BUCKETS, Reader, bucket


def reader(word: str = "w:why") -> Reader:
    """Hears `asks_why` in `word`, else `asks`."""
    weights = array("b", bytes(2 * BUCKETS))
    weights[2 * bucket(word) + 1] = 100
    return Reader(("asks", "asks_why"), (0.0, -1.0), (0.1, 0.1), weights)


def publish(models: Path, version: str, made: Reader) -> None:
    manifest = Manifest(
        name=NAME,
        version=version,
        kind=EAR.name,
        prompt=Prompt(version="1"),
        data=Data(sha256="0" * 64, dialogues=0, split={}),
        training=Training(method="hearing"),
    )
    artifact.publish(models, manifest, {FILE: write_reader(made)}, promote=True)


def heard(found: Reader, feature: str) -> str:
    likely = found.read({feature: 1.0})
    assert sum(likely.values()) == pytest.approx(1)
    return max(likely, key=lambda move: likely[move])


def test_a_reader_comes_back_as_it_was(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(write_reader(reader()))
    back = read_reader(tmp_path)
    assert (back.moves, back.bias, back.scale) == (reader().moves, reader().bias, reader().scale)
    assert list(back.weights) == list(reader().weights)
    assert (heard(back, "w:why"), heard(back, "w:what")) == ("asks_why", "asks")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"features": 0}, "made for features 0"),
        ({"moves": ["asks", "dances"]}, "move 2"),
        ({"moves": ["asks", "asks"]}, "different moves"),
        ({"bias": [0.0]}, "bias"),
        ({"scale": [0.1, 0.1, 0.1]}, "one bias and one scale"),
        ({"weights": "?"}, "cannot be unpacked"),
        ({"weights": ""}, "expected 131072 of them, got 0"),
        ({"more": 1}, "more"),
    ],
)
def test_what_is_no_ear_is_refused(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    raw = json.loads(write_reader(reader()))
    (tmp_path / FILE).write_text(json.dumps({**raw, **changed}), encoding="utf-8")
    with pytest.raises(ArtifactError, match=said):
        read_reader(tmp_path)


def test_weights_that_unpack_to_more_than_they_may_are_refused(tmp_path: Path) -> None:
    made = reader()
    long = Reader(made.moves, made.bias, made.scale, array("b", bytes(4 * BUCKETS)))
    (tmp_path / FILE).write_bytes(write_reader(long))
    with pytest.raises(ArtifactError, match="expected"):
        read_reader(tmp_path)


async def test_a_new_ear_is_taken_up_and_no_conversation_can_choose_it(tmp_path: Path) -> None:
    models = Models(Settings(data=tmp_path, database=str(tmp_path / "pupil.db")))
    try:
        with pytest.raises(ModelUnavailable):
            await models.live(NAME, EAR)
        publish(tmp_path / "models", "1", reader())
        await models.refresh()
        assert heard((await models.live(NAME, EAR)).reader, "w:why") == "asks_why"
        assert NAME not in models.names
        publish(tmp_path / "models", "2", reader("w:how"))
        await models.refresh()
        assert heard((await models.live(NAME, EAR)).reader, "w:how") == "asks_why"
        assert heard((await models.live(NAME, EAR)).reader, "w:why") == "asks"
    finally:
        await models.aclose()
