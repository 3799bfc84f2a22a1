"""Versions that were tampered with or are not whole: each is refused in one clear line, and the one that
answered goes on answering. Real files and the real engine."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import shutil
import struct
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.models.base import StudentModel
from bot.models.catalogue import use
from bot.models.files import ArtifactError
from bot.models.registry import Models
from tests.fakes import adapters
from tests.fakes.adapters import (
    METADATA,
    Tensors,
    data_folder,
    gguf,
    halves,
    peft_name,
    safetensors,
)
from tests.fakes.students import settings_at

GGUF, WEIGHTS, CONFIG = "adapter.gguf", "adapter_model.safetensors", "adapter_config.json"


@dataclass(frozen=True)
class House:
    """A registry whose model `starter` answers with version "good"."""

    models: Models
    folder: Path
    good: StudentModel
    base: Path

    def another(self, version: str) -> Path:
        return adapters.publish_adapter(self.folder, version, base=self.base, seed=7, promote=False)


@pytest.fixture(scope="module")
def house(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    at = tmp_path_factory.mktemp("house")
    data = data_folder(at / "data")
    adapters.publish_adapter(data / "models", "good", base=small)
    settings = settings_at(at / "pupil.db", engine={"gguf": small, "slots": 1, "threads": 1})
    models = Models(settings.model_copy(update={"data": data}))
    yield House(models, data / "models", asyncio.run(models.get("starter")), small)
    asyncio.run(models.aclose())


def edit(folder: Path, **fields: Any) -> None:
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **fields}), "utf-8")


def signed(folder: Path, name: str, content: bytes) -> None:
    """Replace a file and its checksum, as somebody would who can write the whole folder."""
    (folder / name).write_bytes(content)
    files = json.loads((folder / "manifest.json").read_text("utf-8"))["files"]
    files[name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    edit(folder, files=files)


def listed(folder: Path, name: str, content: bytes = b"x") -> None:
    """Add a file to the manifest, and to the folder where it has a place in it."""
    if "/" not in name:
        (folder / name).write_bytes(content)
    files = json.loads((folder / "manifest.json").read_text("utf-8"))["files"]
    edit(
        folder, files={**files, name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}}
    )


def flip(path: Path, at: int = -1) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def linked(path: Path) -> None:
    target = path.with_name(f"{path.parent.name}-elsewhere")
    target = path.parent.parent / target.name
    path.rename(target)
    path.symlink_to(target)


def piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def with_value(number: float, name: Callable[[str, str], str] = adapters.gguf_name) -> Tensors:
    tensors = halves(1, name=name)
    key, (shape, content) = next(iter(tensors.items()))
    values = array("f", content)
    values[len(values) // 2] = number
    return {**tensors, key: (shape, values.tobytes())}


def renamed(old: str, new: str) -> Tensors:
    return {key.replace(old, new): value for key, value in halves(1).items()}


def huge_header() -> bytes:
    return struct.pack("<Q", 1 << 60) + b"{}"


def lying_header() -> bytes:
    header = json.dumps({"a": {"dtype": "F32", "shape": [1 << 20, 1 << 20], "data_offsets": [0, 4]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(4)


def overlapping_header() -> bytes:
    entry = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    header = json.dumps({"a": entry, "b": entry}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(4)


TAMPERED: dict[str, tuple[Callable[[Path], object], str]] = {
    "changed byte in the served file": (lambda at: flip(at / GGUF), r"adapter\.gguf: .* checksum"),
    "changed byte in the weights": (lambda at: flip(at / WEIGHTS), r"adapter_model\.safetensors: .* checksum"),
    "changed byte in the settings": (lambda at: flip(at / CONFIG, 3), r"adapter_config\.json: .* checksum"),
    "missing file": (lambda at: (at / GGUF).unlink(), r"adapter\.gguf: is missing"),
    "file cut off": (lambda at: os.truncate(at / GGUF, 1000), r"has 1000 bytes, the manifest says"),
    "file grown": (lambda at: (at / GGUF).write_bytes((at / GGUF).read_bytes() + b"x"), r"has more than \d+ bytes"),
    "path outside": (lambda at: listed(at, "../good/adapter.gguf"), r"'\.\./good/adapter\.gguf' leaves"),
    "absolute path": (lambda at: listed(at, "/etc/passwd"), "'/etc/passwd' leaves the folder"),
    "path with a backslash": (lambda at: listed(at, "..\\adapter.gguf"), "leaves the folder"),
    "pickle in the manifest": (lambda at: listed(at, "adapter.pkl"), r"adapter\.pkl: .* type"),
    "pickle beside the manifest": (lambda at: (at / "x.pkl").write_bytes(b"x"), r"x\.pkl: .* type"),
    "torch .bin file": (lambda at: listed(at, "adapter_model.bin"), r"adapter_model\.bin: .* type"),
    "file that is not in the manifest": (lambda at: (at / "x.json").write_text("{}"), r"x\.json: is not in the manifest"),
    "file of another kind": (lambda at: listed(at, "program.json", b"{}"), r"does not take program\.json"),
    "folder inside": (lambda at: (at / "more").mkdir(), "more: is not a file"),
    "symbolic link": (lambda at: linked(at / GGUF), r"adapter\.gguf: is a symbolic link"),
    "linked folder": (linked, "is a symbolic link; expected a folder"),
    "linked manifest": (lambda at: linked(at / "manifest.json"), r"manifest\.json"),
    "pipe instead of a file": (lambda at: piped(at / GGUF), r"adapter\.gguf: is not a file"),
    "half-written folder": (lambda at: (at / "manifest.json").unlink(), r"manifest\.json: is missing"),
    "half a manifest": (lambda at: os.truncate(at / "manifest.json", 300), r"manifest\.json: is not valid JSON"),
    "endless manifest": (lambda at: (at / "manifest.json").write_bytes(b" " * (9 << 20)), "larger than 8 MiB"),
    "deep manifest": (lambda at: (at / "manifest.json").write_bytes(b"[" * 200_000), "is not valid JSON"),
    "manifest that is a list": (lambda at: (at / "manifest.json").write_text("[]"), "schema is None"),
    "NaN in the manifest": (lambda at: edit(at, evaluation={"x": float("nan")}), "holds NaN"),
    "older schema": (lambda at: edit(at, schema=0), "schema is 0; this bot reads 1"),
    "newer schema": (lambda at: edit(at, schema=2), "schema is 2; this bot reads 1"),
    "unknown key": (lambda at: edit(at, run_this="x"), "run_this"),
    "unknown kind": (lambda at: edit(at, kind="pickle"), "kind"),
    "another model's manifest": (lambda at: edit(at, name="other"), "name is 'other', but the folder is that of 'starter'"),
    "another version's manifest": (lambda at: edit(at, version="good"), "version is 'good'"),
    "wrong base": (lambda at: edit(at, base={"id": "Llama", "sha256": "0" * 64}), "base: made for Llama"),
    "no base": (lambda at: edit(at, base={"id": "Llama"}), "base: expected either"),
    "base behind an address": (lambda at: edit(at, base={"id": "x", "endpoint": "http://x/v1"}), "base: expected the sha256"),
    "rank bomb in the settings": (lambda at: signed(at, CONFIG, adapters.config(r=1_000_000)), "r: expected a rank from 1 to 256"),
    "rank bomb in the served file": (lambda at: signed(at, GGUF, gguf(halves(1, rank=512))), "the rank being 4"),
    "rank bomb in the weights": (
        lambda at: signed(at, WEIGHTS, safetensors(halves(1, rank=300, name=peft_name))), "the rank being 4"),
    "NaN in the served file": (lambda at: signed(at, GGUF, gguf(with_value(float("nan")))), r"lora_a: holds NaN or infinity"),
    "infinity in the weights": (
        lambda at: signed(at, WEIGHTS, safetensors(with_value(float("-inf"), peft_name))), "holds NaN or infinity"),
    "scale that is no number": (
        lambda at: signed(at, GGUF, gguf(halves(1), {**METADATA, "adapter.lora.alpha": float("nan")})), "alpha"),
    "adapter of another architecture": (
        lambda at: signed(at, GGUF, gguf(halves(1), {**METADATA, "general.architecture": "qwen2"})), "expected llama, got qwen2"),
    "whole model instead of an adapter": (
        lambda at: signed(at, GGUF, gguf(halves(1), {**METADATA, "general.type": "model"})), "expected adapter"),
    "layer the base does not have": (lambda at: signed(at, GGUF, gguf(renamed("blk.0", "blk.99"))), "no layer of the base"),
    "layer of another shape": (lambda at: signed(at, GGUF, gguf(renamed("attn_v", "attn_k_x"))), "no layer of the base"),
    "half of a pair": (
        lambda at: signed(at, GGUF, gguf({k: v for k, v in halves(1).items() if k[-1] == "a"})), "b has the shape none"),
    "two different adapters": (lambda at: signed(at, GGUF, gguf(renamed("blk.0", "blk.1"))), "change different layers"),
    "empty adapter": (lambda at: signed(at, GGUF, gguf({})), "holds no adapter"),
    "not a GGUF file": (lambda at: signed(at, GGUF, b"PK\x03\x04" + bytes(100)), "is not a GGUF file"),
    "GGUF header that claims too much": (
        lambda at: signed(at, GGUF, b"GGUF" + struct.pack("<IQQ", 3, 1 << 60, 1)), "claims 1152921504606846976 tensors"),
    "GGUF text that claims too much": (
        lambda at: signed(at, GGUF, b"GGUF" + struct.pack("<IQQQ", 3, 1, 1, 1 << 60)), "claims a text"),
    "GGUF tensors cut off": (lambda at: signed(at, GGUF, gguf(halves(1))[:-4096]), "reaches over the end"),
    "safetensors header that claims too much": (lambda at: signed(at, WEIGHTS, huge_header()), "header claims"),
    "safetensors shape that lies": (lambda at: signed(at, WEIGHTS, lying_header()), "do not fit the shape"),
    "safetensors tensors that overlap": (lambda at: signed(at, WEIGHTS, overlapping_header()), "overlap"),
    "settings that import a module": (
        lambda at: signed(at, CONFIG, adapters.config(auto_mapping={"parent_library": "os"})), "auto_mapping"),
    "settings of another method": (lambda at: signed(at, CONFIG, adapters.config(peft_type="IA3")), "expected LORA"),
}  # fmt: skip


@pytest.mark.parametrize("case", TAMPERED)
async def test_a_tampered_version_is_refused_and_the_old_one_goes_on(house: House, case: str) -> None:
    tamper, reason = TAMPERED[case]
    version = case.replace(" ", "-").replace("'", "").replace(".", "")
    folder = house.another(version)
    use(house.folder, "starter", "good")
    use(house.folder, "starter", version)
    tamper(folder)
    with capture_logs() as logs:
        await house.models.refresh()
        await house.models.refresh()
    told = [entry["reason"] for entry in logs if entry["event"] == "model version refused"]
    assert len(told) == 1, logs
    (info,) = [each for each in house.models.describe() if each.name == "starter"]
    assert (info.state, info.version) == ("live", "good")
    assert info.problem is not None
    assert info.problem == f"{version} was refused: {told[0]}; good answers instead"
    assert "\n" not in told[0]
    assert len(told[0]) < 250
    assert re.search(reason, told[0]), told[0]
    assert await house.models.get("starter") is house.good
    reply = await house.good.reply(house.models._opener.cue(), seed=1)
    assert reply.text.strip()
    if (folder / "manifest.json").exists():
        shown = {each.version: each for each in info.versions}
        assert (shown[version].state, shown[version].current) == ("refused", True)
        assert (shown["good"].state, shown["good"].current) == ("live", False)
        with pytest.raises(ArtifactError, match=f"starter {version}: "):
            house.models.promote("starter", version)
    # A link's target lies beside it.
    for left in house.folder.glob("starter/*elsewhere"):
        shutil.rmtree(left, ignore_errors=True)


def test_there_are_enough_kinds() -> None:
    assert len(TAMPERED) >= 15
