"""The file that is served: the package's numbers in eight bits, made once, whole or not at all."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.models import lora
from bot.models.describing import describe
from bot.models.engines import weights
from bot.models.engines.weights import embedded_gguf, known_gguf, prepared, served_gguf
from bot.models.files import ArtifactError
from bot.models.kinds.lora import LORA
from bot.models.registry import Models
from bot.models.tensors import read_gguf
from tests.fakes.adapters import data_folder, manifest, publish_adapter
from tests.fakes.small_gguf import write_small_gguf
from tests.fakes.students import settings_at

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    """As a process that has just started."""
    prepared.cache_clear()
    yield
    prepared.cache_clear()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_small_gguf(tmp_path / "small.Q4_1.gguf")


def again(source: Path, folder: Path) -> Path:
    prepared.cache_clear()
    return prepared(source, folder)


def test_the_numbers_stay_and_so_does_all_else(source: Path, tmp_path: Path) -> None:
    made = prepared(source, tmp_path / "base")
    old, new = read_gguf(source), read_gguf(made)
    assert (new.metadata.pop("general.file_type"), old.metadata.pop("general.file_type")) == (7, 3)  # type: ignore[attr-defined]
    assert new.metadata == old.metadata
    assert {name: each.shape for name, each in new.tensors.items()} == {
        name: each.shape for name, each in old.tensors.items()
    }
    raw, remade = source.read_bytes(), made.read_bytes()
    turned = 0
    for name, was in old.tensors.items():
        now = new.tensors[name]
        if was.dtype != "3":
            size = was.bytes if was.dtype == "F32" else 1000
            assert (now.dtype, remade[now.start :][:size]) == (was.dtype, raw[was.start :][:size]), name
            continue
        assert now.dtype == "8"
        turned += 1
        for block in (0, 1, 77):
            scale, least = struct.unpack_from("<2e", raw, was.start + 20 * block)
            packed = raw[was.start + 20 * block + 4 :][:16]
            wanted = [
                scale * each + least
                for each in (*(byte & 15 for byte in packed), *(byte >> 4 for byte in packed))
            ]
            step, *numbers = struct.unpack_from("<e32b", remade, now.start + 34 * block)
            assert max(map(abs, wanted)) / 127 == pytest.approx(step, rel=1e-3)
            assert [step * each for each in numbers] == pytest.approx(wanted, abs=0.55 * step)
    assert turned == 2 * 7


def test_it_is_made_once(source: Path, tmp_path: Path) -> None:
    made = prepared(source, tmp_path / "base")
    before = made.stat()
    with capture_logs() as logs:
        assert again(source, tmp_path / "base") == made
        os.utime(source)
        assert again(source, tmp_path / "base") == made, "a copied package is the same one"
    assert made.stat().st_mtime_ns == before.st_mtime_ns
    assert not logs


def test_it_is_made_again_when_damaged_or_of_another_source(source: Path, tmp_path: Path) -> None:
    made = prepared(source, tmp_path / "base")
    whole = made.read_bytes()
    for damage in (whole[:-5], whole[:-1] + b"\xff", b""):
        made.write_bytes(damage)
        assert again(source, tmp_path / "base").read_bytes() == whole
    made.with_suffix(".json").write_text("{", "utf-8")
    assert again(source, tmp_path / "base").read_bytes() == whole
    assert lora.base_checksum(made) == lora._checksum(source, 1)
    source.write_bytes(source.read_bytes()[:-4] + b"\x01\x02\x03\x04")
    assert again(source, tmp_path / "base").read_bytes() != whole
    assert lora.base_checksum(made) == lora._checksum(source, 2)


def test_what_a_killed_process_left_goes(source: Path, tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    old, young = base / "small.gguf-1.part", base / "small.gguf-2.part"
    old.write_bytes(b"half")
    young.write_bytes(b"somebody writes this")
    os.utime(old, (1, 1))
    prepared(source, base)
    assert (old.exists(), young.exists()) == (False, True)


def test_where_it_cannot_be_made_the_package_s_file_serves(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("no folder", "utf-8")
    with capture_logs() as logs:
        assert prepared(source, tmp_path / "taken") == source
    (warning,) = logs
    assert warning["log_level"] == "warning"
    assert "slower" in warning["event"]

    def hidden() -> object:
        raise AttributeError("no symbol dequantize_row_q4_1")

    monkeypatch.setattr(weights, "_ggml", hidden)
    assert prepared(source, tmp_path / "base") == source
    assert not list((tmp_path / "base").iterdir())


BOTH = """
import sys
from pathlib import Path
from bot.models.engines.weights import prepared
print("ready", flush=True)
sys.stdin.readline()
print(prepared(Path(sys.argv[1]), Path(sys.argv[2])).name)
"""


def test_two_processes_at_once_make_no_mess(source: Path, tmp_path: Path) -> None:
    base = tmp_path / "base"
    command = [sys.executable, "-c", BOTH, str(source), str(base)]
    both = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for each in both:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in both:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    assert [each.communicate(timeout=60)[0].splitlines()[-1] for each in both] == ["small.Q8_0.gguf"] * 2
    assert sorted(path.name for path in base.iterdir()) == ["small.Q8_0.gguf", "small.Q8_0.json"]
    before = (base / "small.Q8_0.gguf").stat().st_mtime_ns
    assert again(source, base).stat().st_mtime_ns == before, "what they left is whole"


def test_an_adapter_of_the_package_s_file_is_taken_and_another_one_s_is_not(tmp_path: Path) -> None:
    settings = settings_at(tmp_path / "pupil.db", engine={"slots": 1, "threads": 1})
    settings = settings.model_copy(update={"data": data_folder(tmp_path / "data")})
    served = served_gguf(settings)
    assert served != embedded_gguf()
    assert known_gguf(settings) == served
    assert describe(settings, "base").version == "SmolLM2-135M-Instruct.Q8_0"
    assert lora.made_for(lora.base_checksum(embedded_gguf()), served)
    assert lora.made_for(lora._checksum(served, 1), served)
    folder = publish_adapter(settings.data / "models", "1")
    opener = Models(settings)._opener
    with capture_logs() as logs:
        LORA.examine(opener, manifest("starter", "1"), folder)
    assert [(each["trained_on"], each["served"]) for each in logs] == [
        ("SmolLM2-135M-Instruct", "SmolLM2-135M-Instruct.Q8_0")
    ]
    other = write_small_gguf(tmp_path / "other.gguf")
    with pytest.raises(ArtifactError, match="not for the model that runs here"):
        LORA.examine(opener, manifest("starter", "1", of=other), folder)


def test_nothing_is_made_for_a_list_of_models(tmp_path: Path) -> None:
    settings = settings_at(tmp_path / "pupil.db").model_copy(update={"data": tmp_path})
    assert describe(settings, "base").version == "SmolLM2-135M-Instruct.Q4_1"
    assert not (tmp_path / "base").exists()
