"""The shipped container: what is written lies in its volume, and nobody's data gets into its image or into git."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bot.cli import backup as backing
from bot.config import load
from bot.store import StoreError
from tests.fakes.students import settings_at

ROOT = Path(__file__).parents[1]
PRIVATE = (
    "data/pupil.db",
    "data/pupil.db-wal",
    "data/pupil.db.before-20260101-000000",
    "data/pupil.secret",
    "data/backups/pupil-20260101-000000-000000.db",
    "data/dialogues/harvested-2026-03-02.jsonl",
    "data/dialogues/harvested-2026-03-02.lineage.json",
    "data/preferences/harvested-2026-03-02.jsonl",
    "data/runs/harvest/left-out.jsonl",
    "data/chat_history",
)


def test_what_the_container_writes_lies_in_its_volume(tmp_path: Path) -> None:
    docker = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (commands,) = re.findall(r"^RUN (sed -i.*?) config\.toml", docker.replace("\\\n", " "), re.M)
    shutil.copy(ROOT / "config.toml", tmp_path)
    subprocess.run(f"{commands} config.toml", shell=True, cwd=tmp_path, check=True)  # noqa: S602 - the image's own line
    settings = load(tmp_path / "config.toml", environment_file=None)
    volume = Path("/var/lib/pupil")
    assert Path(settings.database).resolve().parent == volume
    assert settings.jobs.backups.resolve() == volume / "backups"


@pytest.mark.parametrize("path", PRIVATE)
def test_git_leaves_peoples_data_out(path: str) -> None:
    done = subprocess.run(["git", "check-ignore", "-q", path], cwd=ROOT, check=False)  # noqa: S607
    assert done.returncode in (0, 128), path  # 128: no repository here


@pytest.mark.parametrize("path", PRIVATE)
def test_the_image_leaves_peoples_data_out(path: str) -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    left_out = False
    for line in (line for line in lines if line and not line.startswith("#")):
        pattern = line.removeprefix("!")
        # A pattern that meets a folder holds for all in it.
        if any(
            Path(part).match(pattern) and str(part).count("/") == pattern.count("/") for part in _up(path)
        ):
            left_out = not line.startswith("!")
    assert left_out, path


def _up(path: str) -> list[Path]:
    return [Path(path), *(parent for parent in Path(path).parents if parent != Path())]


async def test_a_backup_can_be_made_by_hand_and_put_back(tmp_path: Path) -> None:
    settings = settings_at(tmp_path / "pupil.db", jobs={"backups": tmp_path / "backups"})
    assert (await backing.backup(settings)).startswith(f"wrote {tmp_path}/backups/pupil-")
    (copy,) = (tmp_path / "backups").glob("pupil-*.db")
    said = await backing.restore(settings, copy)
    assert said[0] == f"{tmp_path}/pupil.db is {copy} now: 0 turns, the last one of never"
    assert "forget" in said[-1]
    server = settings.model_copy(update={"pupil_database_url": _Address()})
    for work in (backing.backup(server), backing.restore(server, copy)):
        with pytest.raises(StoreError, match=r"pg_dump .*pg_restore"):
            await work


class _Address:
    def get_secret_value(self) -> str:
        return "postgresql://pupil:secret@here/pupil"
