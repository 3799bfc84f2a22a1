"""Publishing: whole or not at all, never twice, and which version is live."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.models import artifact, catalogue
from bot.models.artifact import publish
from bot.models.catalogue import use
from bot.models.files import ArtifactError
from bot.models.manifest import Base, Manifest
from tests.fakes import adapters
from tests.fakes.adapters import manifest, publish_adapter

ROOT = Path(__file__).parents[2]


def cloud(version: str, **more: Any) -> Manifest:
    base = Base(id=f"ft:gpt-{version}", endpoint="http://127.0.0.1:1/v1")
    return manifest("cloud", version, **{"kind": "openai", "base": base, **more})


def test_what_was_published_is_found_and_whole(tmp_path: Path) -> None:
    folder = publish_adapter(tmp_path, "1")
    assert sorted(each.name for each in folder.iterdir()) == sorted([*adapters.files(), "manifest.json"])
    read = artifact.take(folder)
    assert (read.name, read.version, read.kind) == ("starter", "1", "lora")
    assert read.files["adapter.gguf"].bytes == (folder / "adapter.gguf").stat().st_size
    written = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert set(written) == {
        "schema", "name", "version", "kind", "created_at", "base", "files", "prompt", "data", "training", "evaluation",
    }  # fmt: skip
    assert catalogue.names(tmp_path) == ["starter"]
    assert [each.version for each in catalogue.promotions(tmp_path, "starter")] == ["1"]


def test_a_copy_is_what_was_checked(tmp_path: Path) -> None:
    folder = publish_adapter(tmp_path / "models", "1")
    copy = tmp_path / "copy"
    copy.mkdir()
    artifact.take(folder, copy)
    for name in adapters.files():
        assert (copy / name).read_bytes() == (folder / name).read_bytes()
    assert not (copy / "manifest.json").exists()


def test_a_version_never_changes(tmp_path: Path) -> None:
    folder = publish_adapter(tmp_path, "1")
    before = (folder / "manifest.json").read_bytes()
    with pytest.raises(ArtifactError, match="versions never change"):
        publish_adapter(tmp_path, "1", seed=2)
    assert (folder / "manifest.json").read_bytes() == before
    assert [each.name for each in (tmp_path / "starter").iterdir() if each.name.startswith(".")] == []


def test_of_two_who_publish_at_once_one_wins(tmp_path: Path) -> None:
    def attempt(seed: int) -> bool:
        try:
            publish_adapter(tmp_path, "1", seed=seed)
        except ArtifactError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(4))) == 1
    artifact.take(tmp_path / "starter" / "1")
    assert sorted(each.name for each in (tmp_path / "starter").iterdir()) == ["1", "current.json"]


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({**adapters.files(), "adapter.pkl": b"x"}, r"adapter\.pkl"),
        ({**adapters.files(), "../x.json": b"{}"}, "leaves the folder"),
        ({"adapter.gguf": b"x"}, "misses adapter_config.json"),
        ({**adapters.files(), "adapter.gguf": Path("/nonexistent/adapter.gguf")}, "No such file"),
    ],
)
def test_what_would_be_refused_is_not_published(
    tmp_path: Path, files: dict[str, Path | bytes], reason: str
) -> None:
    with pytest.raises(ArtifactError, match=reason):
        publish(tmp_path, manifest("starter", "1"), files)
    assert catalogue.names(tmp_path) == []
    assert list(tmp_path.glob("starter/*")) == []


PUBLISHING = """
import sys
from pathlib import Path
from typing import Any
from tests.fakes.adapters import publish_adapter
print("ready", flush=True)
number = 0
while True:
    number += 1
    publish_adapter(Path(sys.argv[1]), str(number))
"""


def test_killed_while_publishing_leaves_only_whole_versions(tmp_path: Path) -> None:
    for _ in range(3):
        at = tmp_path / str(time.monotonic_ns())
        process = subprocess.Popen(
            [sys.executable, "-c", PUBLISHING, str(at)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        process.stdout.readline()
        while not (at / "starter" / "2").exists():
            time.sleep(0.005)
        process.kill()
        process.communicate()
        versions = catalogue.versions(at, "starter")
        assert versions
        for version in versions:
            artifact.take(at / "starter" / version)
        live = catalogue.promotions(at, "starter")[0].version
        assert int(live) >= len(versions) - 1
        assert catalogue.next_version(at, "starter") == str(len(versions) + 1)


def test_the_newest_version_is_the_one_made_last(tmp_path: Path) -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    for version, hours in (("a", 2), ("b", 1), ("c", 0)):
        made = noon + timedelta(hours=hours)
        publish(tmp_path, cloud(version, created_at=made), {}, promote=False)
    # As after a copy of the folder, or a clone.
    for seconds, version in enumerate(("a", "b", "c")):
        os.utime(tmp_path / "cloud" / version / "manifest.json", (1e9 + seconds, 1e9 + seconds))
    assert catalogue.versions(tmp_path, "cloud") == ["c", "b", "a"]
    assert use(tmp_path, "cloud", None) == "a"


def test_promotion_and_rollback_are_recorded(tmp_path: Path) -> None:
    for version in ("1", "2", "3"):
        publish(tmp_path, cloud(version), {}, promote=version == "1")
    assert catalogue.promotions(tmp_path, "cloud")[0].version == "1"
    assert use(tmp_path, "cloud", None) == "3"
    assert use(tmp_path, "cloud", "1") == "1"
    assert use(tmp_path, "cloud", "1") == "1"
    recorded = catalogue.promotions(tmp_path, "cloud")
    assert [each.version for each in recorded] == ["1", "3", "1"]
    assert all(each.since[:2] == "20" for each in recorded)
    with pytest.raises(ArtifactError, match="no version '9'; there are: 1, 2, 3"):
        use(tmp_path, "cloud", "9")


@pytest.mark.parametrize(
    "content", ["", "[]", '"1"', "{}", '{"version": "../x"}', '{"version": 1e999}', "null"]
)
def test_a_broken_pointer_is_one_line_and_can_be_mended(tmp_path: Path, content: str) -> None:
    publish(tmp_path, cloud("1"), {})
    (tmp_path / "cloud" / "current.json").write_text(content, "utf-8")
    with pytest.raises(ArtifactError, match=r"cloud: current\.json: ") as raised:
        catalogue.promotions(tmp_path, "cloud")
    assert "\n" not in str(raised.value)
    use(tmp_path, "cloud", "1")
    assert catalogue.promotions(tmp_path, "cloud")[0].version == "1"


@pytest.mark.parametrize("name", ["../x", "", ".hidden", "a/b", "a" * 65, "x\n"])
def test_names_stay_in_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ArtifactError):
        catalogue.versions(tmp_path, name)
    with pytest.raises(ValueError):
        manifest(name, "1")
    with pytest.raises(ValueError):
        manifest("starter", name)


def test_staging_and_strange_folders_are_no_versions(tmp_path: Path) -> None:
    folder = publish_adapter(tmp_path, "1")
    folder.rename(tmp_path / "starter" / ".staging-1-abcd")
    assert catalogue.names(tmp_path) == []
    assert catalogue.versions(tmp_path, "starter") == []
