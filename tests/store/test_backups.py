"""Backups lose a forgotten person like the database, each as a whole; what cannot be read is named."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.store import Store, StoreError, backups, hash_user
from bot.store.restoring import restore
from bot.store.rows import ClaimedMessage, Consent, StudentTurn, TeacherTurn
from bot.student.records.dialogue import Thought, ThoughtKind

ANN, BEN = hash_user("discord", "ann", b"secret"), hash_user("discord", "ben", b"secret")
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/pupil.db", backups=tmp_path / "backups")
    for author, said in ((ANN, "xylophones"), (BEN, "bassoons")):
        key = f"discord:{len(said)}"
        await opened.claim(ClaimedMessage(key, "discord", "room", None, author, said, key, NOON))
        place = await opened.conversation("discord", "room", None)
        answer = StudentTurn(
            f"{said}?", NOON, Thought(ThoughtKind.ASK), "model", "base", "1", "3", "mia", "a lesson"
        )
        await opened.log_exchange(key, place.id, TeacherTurn(said, NOON, author), answer, None)
        await opened.set_consent(author, Consent.ON)
    yield opened
    await opened.aclose()


def copies(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "backups").glob("pupil-*.db"))


async def test_every_backup_loses_the_person_and_nobody_else(store: Store, tmp_path: Path) -> None:
    for _ in range(2):
        await store.back_up(keep=9)
    before = copies(tmp_path)
    assert all(b"xylophones" in path.read_bytes() for path in before)
    report = await store.forget(ANN)
    assert (report.backups, report.damaged) == (2, ())
    assert ("backups", "2") in report.told()
    assert copies(tmp_path) == before
    for path in before:
        content = path.read_bytes()
        assert b"xylophones" not in content
        assert ANN.encode() not in content
        assert b"bassoons" in content
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert {path.name for path in (tmp_path / "backups").iterdir()} == {
        ".lock",
        *(path.name for path in before),
    }
    untouched = [path.stat().st_mtime_ns for path in before]
    assert not (await store.forget(ANN)).found
    assert [path.stat().st_mtime_ns for path in before] == untouched


async def test_what_cannot_be_read_is_named_and_left(store: Store, tmp_path: Path) -> None:
    for _ in range(2):
        await store.back_up(keep=9)
    broken, whole = copies(tmp_path)
    content = bytearray(broken.read_bytes())
    content[4096:] = b"\x55" * (len(content) - 4096)
    broken.write_bytes(content)
    (tmp_path / "backups" / "pupil-none.db").write_text("not a database at all, but a long enough text")
    report = await store.forget(ANN)
    assert report.backups == 1
    assert report.damaged == (broken.name, "pupil-none.db")
    assert report.told()[-1] == (
        "backups that cannot be read; delete them",
        f"{broken.name}, pupil-none.db",
    )
    assert broken.read_bytes() == content
    assert b"xylophones" not in whole.read_bytes()


async def test_a_backup_of_an_older_program_is_cleaned_as_well(store: Store, tmp_path: Path) -> None:
    file, _ = await store.back_up(keep=9)
    with sqlite3.connect(file) as connection:
        for table in (
            "reviews",
            "candidate_people",
            "candidates",
            "job_runs",
            "about",
            "programs",
            "assignments",
            "shares",
            "members",
            "courses",
            "used_links",
        ):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("DROP INDEX ix_claims_waiting")
        connection.execute("CREATE INDEX ix_claims_waiting ON claims (claimed_at) WHERE state = 'claimed'")
        for index in (
            "ix_claims_place",
            "uq_claims_in_hand",
            "ix_turns_said_at",
            "ix_conversations_branch_of",
            "ix_conversations_place",
            "ix_claims_claimed_at",
            "ix_claims_author_hash",
        ):
            connection.execute(f"DROP INDEX {index}")
        for column in ("program", "spoken", "not_before", "place", "in_hand"):
            connection.execute(f"ALTER TABLE claims DROP COLUMN {column}")
        for column in ("spoken_at", "scenario", "branch_of", "branch_at"):
            connection.execute(f"ALTER TABLE conversations DROP COLUMN {column}")
        connection.execute("ALTER TABLE turns DROP COLUMN mind")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
    assert (await store.forget(ANN)).backups == 1
    assert b"xylophones" not in file.read_bytes()
    again = await Store.open(f"sqlite+aiosqlite:///{file}")
    assert [each.turn.content async for each in again.turns_stream()] == ["bassoons", "bassoons?"]
    await again.aclose()


async def test_a_backup_under_way_is_waited_for_and_cleaned(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied, go_on = asyncio.Event(), asyncio.Event()
    copy_to = store._database.copy_to

    async def slow(file: Path) -> None:
        await copy_to(file)
        copied.set()
        await go_on.wait()

    monkeypatch.setattr(store._database, "copy_to", slow)
    making = asyncio.create_task(store.back_up(keep=9))
    await copied.wait()
    forgetting = asyncio.create_task(store.forget(ANN))
    await asyncio.sleep(0.1)
    assert not forgetting.done()
    go_on.set()
    file, _ = await making
    assert (await forgetting).backups == 1
    assert b"xylophones" not in file.read_bytes()


async def test_two_at_once_forget_both(store: Store) -> None:
    file, _ = await store.back_up(keep=9)
    await asyncio.gather(store.forget(ANN), store.forget(BEN))
    content = file.read_bytes()
    assert b"xylophones" not in content
    assert b"bassoons" not in content


async def test_half_a_backup_of_a_crash_goes_and_is_none(store: Store, tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    half = tmp_path / "backups" / ".pupil-20260101-000000-000000.db.new"
    half.write_text("xylophones")
    assert (await store.forget(ANN)).backups == 0
    assert not half.exists()


async def test_a_folder_that_cannot_be_used_is_said(store: Store, tmp_path: Path) -> None:
    (tmp_path / "backups").write_text("a file")
    with pytest.raises(StoreError, match="backups: the backups cannot be worked on"):
        await store.back_up(keep=1)


async def test_after_a_clock_that_ran_ahead_the_newest_stays(store: Store, tmp_path: Path) -> None:
    (tmp_path / "backups").mkdir()
    ahead = [tmp_path / "backups" / f"pupil-2999010{day}-030000-000000.db" for day in (1, 2, 3)]
    for path in ahead:
        path.touch()
    made = [(await store.back_up(keep=2))[0] for _ in range(3)]
    assert copies(tmp_path) == made[1:]


async def test_whoever_is_in_no_copy_has_none_copied(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.back_up(keep=9)
    monkeypatch.setattr(backups, "_clean", None)
    assert not (await store.forget(hash_user("discord", "nobody", b"secret"))).found


async def test_nobody_else_on_the_machine_can_read_it(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        store = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/pupil.db", backups=tmp_path / "backups")
        await store.conversation("discord", "room", None)
        await store.back_up(keep=2)
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert {path.name for path in files} >= {"pupil.db", "pupil.db-wal", ".lock"}
        assert {path.name: oct(path.stat().st_mode & 0o077) for path in files} == {
            path.name: "0o0" for path in files
        }
        await store.aclose()
        # One that an older program left open to all.
        (tmp_path / "pupil.db").chmod(0o644)
        await (await Store.open(f"sqlite+aiosqlite:///{tmp_path}/pupil.db")).aclose()
        assert (tmp_path / "pupil.db").stat().st_mode & 0o777 == 0o640
    finally:
        os.umask(old)


async def said(path: Path) -> list[str]:
    opened = await Store.open(f"sqlite+aiosqlite:///{path}")
    try:
        return [each.turn.content async for each in opened.turns_stream()]
    finally:
        await opened.aclose()


class TestRestore:
    async def test_the_copy_takes_the_databases_place(self, store: Store, tmp_path: Path) -> None:
        copy, _ = await store.back_up(keep=9)
        await store.forget(BEN)
        await store.set_consent(ANN, Consent.OFF)
        await store.aclose()
        # The copy knows Ben again, as one does that lay elsewhere meanwhile.
        copy.write_bytes(copy.read_bytes())
        file = tmp_path / "pupil.db"
        done = await restore(copy, file)
        assert (done.turns, done.answers, done.refusals_read) == (4, 1, True)
        assert await said(file) == ["xylophones", "xylophones?"]
        assert done.before is not None
        assert done.before.exists()
        again = await Store.open(f"sqlite+aiosqlite:///{file}")
        assert await again.consent(ANN) is Consent.OFF, "a refusal since the copy still holds"
        await again.aclose()
        assert {path.name for path in tmp_path.iterdir()} == {"pupil.db", done.before.name, "backups"}

    async def test_a_running_bot_is_not_pulled_its_database_away(self, store: Store, tmp_path: Path) -> None:
        copy, _ = await store.back_up(keep=9)
        await store.conversation("discord", "room", None)
        with pytest.raises(StoreError, match="in use; stop the bot first"):
            await restore(copy, tmp_path / "pupil.db")
        assert len([each async for each in store.turns_stream()]) == 4

    async def test_a_damaged_database_is_replaced(self, store: Store, tmp_path: Path) -> None:
        copy, _ = await store.back_up(keep=9)
        await store.aclose()
        file = tmp_path / "pupil.db"
        file.write_bytes(b"no database at all " * 1000)
        done = await restore(copy, file)
        assert (done.answers, done.refusals_read) == (0, False)
        assert len(await said(file)) == 4

    async def test_where_no_database_is(self, store: Store, tmp_path: Path) -> None:
        copy, _ = await store.back_up(keep=9)
        done = await restore(copy, tmp_path / "elsewhere" / "pupil.db")
        assert done.before is None
        assert len(await said(tmp_path / "elsewhere" / "pupil.db")) == 4

    @pytest.mark.parametrize("kind", ["missing", "text", "empty", "another program's", "damaged"])
    async def test_what_is_no_copy_changes_nothing(self, store: Store, tmp_path: Path, kind: str) -> None:
        copy, _ = await store.back_up(keep=9)
        await store.aclose()
        bad = tmp_path / "bad.db"
        if kind == "text":
            bad.write_text("a long enough text that is no database" * 30, encoding="ascii")
        elif kind == "empty":
            bad.touch()
        elif kind == "another program's":
            with sqlite3.connect(bad) as connection:
                connection.execute("CREATE TABLE other (id INTEGER)")
        elif kind == "damaged":
            content = copy.read_bytes()
            bad.write_bytes(content[:8192] + b"\x55" * (len(content) - 8192))
        before = (tmp_path / "pupil.db").read_bytes()
        with pytest.raises(StoreError, match=r"bad\.db"):
            await restore(bad, tmp_path / "pupil.db")
        assert (tmp_path / "pupil.db").read_bytes() == before
        assert not list(tmp_path.glob(".pupil*"))
