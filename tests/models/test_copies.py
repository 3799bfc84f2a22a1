"""The copies that versions are served from: made again when they vanish, tried again when the disk was full for once."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.app import opened, warm_up
from bot.models import copies
from bot.models.artifact import take
from bot.models.base import ModelUnavailable
from bot.models.copies import Copies, passes
from bot.models.files import ArtifactError
from bot.models.kinds.ear import EAR
from bot.models.registry import Models
from tests.fakes.adapters import publish_adapter
from tests.models.test_published import settings_in

ROOT = Path(__file__).parents[2]
SHIPPED = next((ROOT / "data" / "models" / "ear").glob("*/manifest.json")).parent


@contextmanager
def no_files_left() -> Iterator[None]:
    """The process may open no file more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A folder of models with the shipped ear in it."""
    shutil.copytree(SHIPPED.parent, tmp_path / "models" / "ear")
    return tmp_path / "models"


class TestCopies:
    def test_a_copy_that_vanished_is_made_again_at_its_place(self, published: Path, tmp_path: Path) -> None:
        version, mine = published / "ear" / SHIPPED.name, Copies(tmp_path / "here")
        manifest, copy = mine.take(version)
        (name,) = manifest.files
        content = (copy / name).read_bytes()
        for gone in (copy / name, copy, copy.parent, tmp_path / "here"):
            shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
            mine.keep(copy, version, manifest)
            assert (copy / name).read_bytes() == content
            assert take(version, mine.take(version)[1]) == manifest
        with capture_logs() as logs:
            shutil.rmtree(copy)
            shutil.rmtree(version)
            mine.keep(copy, version, manifest)
            mine.keep(copy, version, manifest)
        assert [(each["event"], each["log_level"]) for each in logs] == [
            ("files of a model vanished", "error")
        ]
        mine.close()
        assert not (tmp_path / "here" / "serving").exists()

    def test_what_a_killed_program_left_goes_and_what_a_living_one_has_stays(
        self, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(copies, "ABANDONED_SECONDS", -1)
        version, living = published / "ear" / SHIPPED.name, Copies(tmp_path)
        _, copy = living.take(version)
        left = tmp_path / "serving" / "1-killed" / "ear-1"
        left.mkdir(parents=True)
        (left / "ear.json").write_text("{}")
        another = Copies(tmp_path)
        another.take(version)
        assert (copy.is_dir(), left.exists()) == (True, False)
        another.close()
        living.close()

    def test_a_disk_that_is_full_says_nothing_of_the_files(self, published: Path, tmp_path: Path) -> None:
        mine = Copies(tmp_path)
        with no_files_left(), pytest.raises(ArtifactError) as raised:
            mine.take(published / "ear" / SHIPPED.name)
        assert passes(raised.value)
        (published / "ear" / SHIPPED.name / "ear.json").write_text("{}")
        with pytest.raises(ArtifactError) as raised:
            mine.take(published / "ear" / SHIPPED.name)
        assert not passes(raised.value)
        mine.close()

    def test_where_nothing_may_be_written_the_temporary_folder_does(
        self, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "file").touch()
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        mine = Copies(tmp_path / "file")
        manifest, copy = mine.take(published / "ear" / SHIPPED.name)
        assert all((copy / name).is_file() for name in manifest.files)
        mine.close()
        assert not copy.exists()


class TestModels:
    async def test_files_that_vanish_cost_no_version(self, tmp_path: Path, small: Path) -> None:
        settings = settings_in(tmp_path, engine={"gguf": small, "slots": 1, "threads": 1})
        publish_adapter(settings.data / "models", "1", base=small)
        models = Models(settings)
        assert (await models.get("starter")).version == "1"
        shutil.rmtree(tmp_path / "serving")
        with capture_logs() as logs:
            await models.refresh()
            assert list((tmp_path / "serving").glob("*/*/adapter.gguf"))
            shutil.rmtree(tmp_path / "serving")
            publish_adapter(settings.data / "models", "2", base=small, seed=3)
            await models.refresh()
        assert (await models.get("starter")).version == "2"
        assert not [each for each in logs if each["log_level"] == "error"]
        await models.aclose()

    async def test_a_version_is_tried_again_when_there_was_no_room(
        self, tmp_path: Path, published: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bot.models.published.TRY_AGAIN_SECONDS", 0.0)
        settings = settings_in(tmp_path)
        shutil.copytree(published / "ear", settings.data / "models" / "ear")
        models = Models(settings)
        with no_files_left(), pytest.raises(ModelUnavailable, match="Too many open files"):
            await models.live("ear", EAR)
        assert await models.live("ear", EAR)
        await models.aclose()

    async def test_a_full_disk_refuses_no_version_for_ever(
        self, tmp_path: Path, published: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is published stays as it was, so that nothing but the time tells to look again."""

        def full(*_: object) -> None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr("bot.models.published.TRY_AGAIN_SECONDS", 0.0)
        settings = settings_in(tmp_path)
        shutil.copytree(published / "ear", settings.data / "models" / "ear")
        models = Models(settings)
        with monkeypatch.context() as patch:
            patch.setattr("bot.models.copies.artifact.take", full)
            with pytest.raises(ModelUnavailable, match="No space left"):
                await models.live("ear", EAR)
        assert await models.live("ear", EAR)
        await models.aclose()


class TestCheckedOut:
    def test_a_clone_that_changes_line_ends_leaves_versions_alone(
        self, published: Path, tmp_path: Path
    ) -> None:
        def git(*arguments: str) -> None:
            identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
            subprocess.run([str(shutil.which("git")), *identity, *arguments], check=True)

        source = tmp_path / "source"
        (source / "data").mkdir(parents=True)
        published.rename(source / "data" / "models")
        shutil.copy(ROOT / ".gitattributes", source)
        git("init", "-q", str(source))
        git("-C", str(source), "add", ".")
        git("-C", str(source), "commit", "-q", "-m", "one")
        git("clone", "-q", "--config", "core.autocrlf=true", str(source), str(tmp_path / "clone"))
        assert take(tmp_path / "clone" / "data" / "models" / "ear" / SHIPPED.name)

    def test_changed_line_ends_are_called_so(self, published: Path) -> None:
        file = published / "ear" / SHIPPED.name / "ear.json"
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
        with pytest.raises(ArtifactError, match=r"ear\.json: its line ends were changed.*autocrlf"):
            take(file.parent)

    def test_what_systems_leave_in_a_version_is_no_part_of_it(self, published: Path) -> None:
        folder = published / "ear" / SHIPPED.name
        for left in (".DS_Store", "._ear.json", ".nfs0001", "desktop.ini", "Thumbs.db", "manifest.json~"):
            (folder / left).write_bytes(b"x")
        assert take(folder).kind == "ear"

    @pytest.mark.parametrize("before", [False, True])
    async def test_a_refused_default_is_told_aloud(
        self, tmp_path: Path, small: Path, *, before: bool
    ) -> None:
        settings = settings_in(
            tmp_path, engine={"gguf": small, "slots": 1, "threads": 1}, student={"model": "starter"}
        )
        folder = settings.data / "models"
        if before:
            publish_adapter(folder, "1", base=small)
        at = publish_adapter(folder, "2", base=small)
        (at / "adapter.gguf").write_bytes((at / "adapter.gguf").read_bytes()[:-1] + b"x")
        async with opened(settings) as app:
            with capture_logs() as logs:
                await warm_up(app)
        (told,) = [each for each in logs if each["log_level"] == "error"]
        assert told["model"] == "starter"
        assert (
            "2 was refused: adapter.gguf: is not the file that was published: its checksum" in told["reason"]
        )
        assert told["reason"].endswith("; 1 answers instead") == before
