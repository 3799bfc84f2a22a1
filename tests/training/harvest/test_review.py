"""Reviews on real databases and a terminal on a pipe: kept, resumed, shared, and made into files."""

from __future__ import annotations

import asyncio
import json
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from bot.store import Store, StoreError
from bot.store.harvested import dialogues_file, lineage_file, preferences_file, write_run
from bot.store.rows import Consent, FeedbackKind, Verdict
from bot.student.lessons import read_curriculum
from bot.student.records.dialogue import Dialogue, MoveKind, Role, Stage, Thought, ThoughtKind
from tests.training.harvest.logs import ANN, BEN, CID, DATA, LATER, Log, run
from training.harvest.agreement import agreement
from training.harvest.publish import publish
from training.harvest.review import Desk, ReviewError, as_line, from_line, moves_line
from training.harvest.screen import Screen
from training.hearing.rows import from_dialogue, put_right

pytest.importorskip("datasketch")
DAY = date(2026, 4, 1)


@pytest.fixture
async def harvested(store: Store, log: Log, out: Path) -> Store:
    """Three candidates, each of another teacher; in Ben's, Ann suggested a line."""
    for number, person in enumerate((ANN, BEN, CID)):
        said = await log.talk(f"room-{number}", author=person, number=number)
        if person == BEN:
            assert said[1].student_id is not None
            await store.add_feedback(said[1].student_id, ANN, FeedbackKind.SUGGESTION, "46 cuz it's 4 and 6")
    assert (await run(store, out)).dialogues == 3
    return store


async def key_of(store: Store, person: str) -> str:
    return next(str(each["key"]) for each in (await store.export(person))["candidates"])


async def accept_all(store: Store, reviewer: str = "rev") -> None:
    desk = await Desk.open(store.candidates, reviewer)
    while desk.current is not None:
        await desk.judge(Verdict.ACCEPT)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


class TestDesk:
    async def test_a_review_goes_on_where_it_stopped(self, harvested: Store) -> None:
        desk = await Desk.open(harvested.candidates, "ann")
        assert desk.current is not None
        first = desk.current.key
        await desk.judge(Verdict.REJECT)
        await desk.edit(1, "43 I think")
        again = await Desk.open(harvested.candidates, "ann")
        assert len(again.queue) == 2
        assert first not in again.queue
        assert again.current is not None
        assert again.current.dialogue.turns[1].content == "43 I think"
        assert again.current.edited

    async def test_two_reviewers_at_once_lose_nothing(self, harvested: Store) -> None:
        await asyncio.gather(*(accept_all(harvested, name) for name in ("ann", "ben")))
        verdicts = await harvested.candidates.verdicts()
        assert len(verdicts) == 3
        assert all(each == {"ann": Verdict.ACCEPT, "ben": Verdict.ACCEPT} for each in verdicts.values())

    async def test_agreement_of_their_verdicts(self, harvested: Store) -> None:
        for name, said in (("ann", "aar"), ("ben", "arr")):
            for key, verdict in zip(sorted(await harvested.candidates.queue(name)), said, strict=True):
                word = Verdict.ACCEPT if verdict == "a" else Verdict.REJECT
                assert await harvested.candidates.save_review(key, name, word, {})
        found = agreement((await harvested.candidates.verdicts()).values())
        # By hand: 6 values, 3 of each; one unit of three disagrees: 1 - 5 * 2 / 18.
        assert found.alpha == pytest.approx(1 - 5 * 2 / 18)
        assert (found.units, found.same) == (3, 2)

    async def test_going_back_changes_a_verdict(self, harvested: Store) -> None:
        desk = await Desk.open(harvested.candidates, "ann")
        await desk.judge(Verdict.REJECT)
        await desk.show(0)
        assert desk.current is not None
        assert desk.current.verdict is Verdict.REJECT
        await desk.judge(Verdict.ACCEPT)
        counted = [each["ann"] for each in (await harvested.candidates.verdicts()).values()]
        assert counted == [Verdict.ACCEPT]

    async def test_what_is_withdrawn_meanwhile_disappears(self, harvested: Store) -> None:
        desk = await Desk.open(harvested.candidates, "ann")
        for person in (ANN, BEN, CID):
            await harvested.set_consent(person, Consent.OFF)
        with pytest.raises(ReviewError, match="withdrawn or published"):
            await desk.judge(Verdict.ACCEPT)
        assert desk.current is None
        assert await harvested.candidates.verdicts() == {}

    async def test_bad_edits_are_refused_in_one_line(self, harvested: Store) -> None:
        desk = await Desk.open(harvested.candidates, "ann")
        for line in ("", "   ", "mail me at a@b.org"):
            with pytest.raises(ReviewError):
                await desk.edit(1, line)
        with pytest.raises(ReviewError, match="stage"):
            await desk.fix_thought(1, "kind: answer | stage: hlds")
        with pytest.raises(ReviewError, match="teacher"):
            await desk.fix_thought(0, "kind: answer")
        with pytest.raises(ReviewError, match="initials"):
            await Desk.open(harvested.candidates, "two words")
        assert desk.current is not None
        assert not desk.current.edited

    async def test_a_move_is_put_right_and_only_that_one_teaches_the_ear(
        self, harvested: Store, tmp_path: Path
    ) -> None:
        desk = await Desk.open(harvested.candidates, "rev")
        with pytest.raises(ReviewError, match="'shouts' is no move"):
            await desk.fix_move(0, "shouts")
        with pytest.raises(ReviewError, match="teacher"):
            await desk.fix_move(1, "asks")
        await desk.fix_move(2, "helps + praises")
        assert desk.current is not None
        assert moves_line(desk.current.dialogue.turns[2]) == "helps + praises"
        changed = desk.current.dialogue.turns[2].content
        while desk.current is not None:
            await desk.judge(Verdict.ACCEPT)
        data = tmp_path / "data"
        (name,) = [each.name for each in await publish(harvested.candidates, data, DAY)]
        curriculum = read_curriculum(DATA)
        places = put_right(data, name)
        learned = [
            row
            for line in lines(dialogues_file(data, name))
            for row in from_dialogue(
                Dialogue.from_json(line), name, curriculum, (places or {}).get(line["id"], ())
            )
        ]
        assert [(row.text, row.moves) for row in learned] == [(changed, (MoveKind.HELPS, MoveKind.PRAISES))]

    def test_a_thought_survives_its_line(self) -> None:
        thought = Thought(ThoughtKind.EXPLAIN, "45", "7 less 2: 5", "smaller-from-larger", Stage.WAVERS, 9)
        assert from_line(as_line(thought)) == thought
        assert from_line("kind: ask | words: 12").words == 12


class TestScreen:
    async def test_keys(self, harvested: Store) -> None:
        desk = await Desk.open(harvested.candidates, "ann")
        assert desk.current is not None
        first = desk.current.key
        with create_pipe_input() as keys:
            screen = Screen(desk, source=keys, output=DummyOutput())
            running = asyncio.create_task(screen.run())
            for sent in ("j", "e", "\x15It's 43 now\r"):
                keys.send_text(sent)
                await asyncio.sleep(0.1)
            await until(lambda: desk.current is not None and desk.current.edited)
            keys.send_text("a")
            await until(lambda: first in desk.done)
            keys.send_text("r")
            await until(lambda: len(desk.done) == 2)
            keys.send_text("q")
            await asyncio.wait_for(running, 10)
        kept = await harvested.candidates.review(first, "ann")
        assert kept is not None
        assert kept.record is not None
        assert Dialogue.from_json(kept.record).turns[1].content == "It's 43 now"
        assert kept.verdict is Verdict.ACCEPT
        assert sorted(desk.done.values()) == [Verdict.ACCEPT, Verdict.REJECT]

    async def test_everything_a_reviewer_needs_is_shown(self, harvested: Store) -> None:
        desk = await Desk.open(harvested.candidates, "ann")
        await desk.show(desk.queue.index(await key_of(harvested, BEN)))
        shown = "".join(part[1] for part in Screen(desk, output=DummyOutput())._body())
        for part in ("mia", "base@1", "46 cuz it's 4 and 6", "in place of: It's 46.", "smaller-from-larger"):
            assert part in shown


async def until(holds: Any) -> None:
    for _ in range(200):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never happened")


class TestPublish:
    async def test_only_what_a_person_approved(self, harvested: Store, tmp_path: Path) -> None:
        data = tmp_path / "data"
        assert await publish(harvested.candidates, data, DAY) == []
        desk = await Desk.open(harvested.candidates, "ann")
        await desk.edit(1, "a draft only")
        await desk.show(1)
        await desk.judge(Verdict.ACCEPT)
        await desk.judge(Verdict.REJECT)
        (done,) = await publish(harvested.candidates, data, DAY)
        assert (done.name, done.dialogues) == ("harvested-2026-04-01", 1)
        assert [row["id"] for row in lines(done.path)] == [desk.queue[1]]

    async def test_one_rejection_or_too_few_acceptances_hold_it_back(
        self, harvested: Store, tmp_path: Path
    ) -> None:
        await accept_all(harvested, "ann")
        assert await publish(harvested.candidates, tmp_path / "data", DAY, least=2) == []
        key = (await harvested.candidates.queue("ben"))[0]
        await harvested.candidates.save_review(key, "ben", Verdict.REJECT, {})
        (done,) = await publish(harvested.candidates, tmp_path / "data", DAY)
        assert done.dialogues == 2

    async def test_files_lineage_and_pairs(self, harvested: Store, tmp_path: Path) -> None:
        await accept_all(harvested)
        (done,) = await publish(harvested.candidates, tmp_path / "data", DAY)
        rows = lines(done.path)
        assert [Dialogue.from_json(row).source for row in rows] == ["harvested"] * 3
        key = await key_of(harvested, BEN)
        lineage = json.loads(lineage_file(tmp_path / "data", done.name).read_text())["dialogues"]
        assert set(lineage) == {row["id"] for row in rows}
        assert lineage[key]["models"] == ["base@1"]
        assert len(lineage[key]["turns"]) == 6
        assert lineage[key]["edited"] == [3]
        (pair,) = lines(preferences_file(tmp_path / "data", done.name))
        assert (pair["chosen"], pair["rejected"], pair["dialogue"]) == (
            "46 cuz it's 4 and 6",
            "It's 46.",
            key,
        )
        assert [turn["role"] for turn in pair["turns"]] == [Role.TEACHER, Role.STUDENT, Role.TEACHER]
        text = "".join(path.read_text() for path in (tmp_path / "data").rglob("harvested-*"))
        assert not any(person in text for person in (ANN, BEN, CID))

    async def test_publishing_again_changes_no_byte(self, harvested: Store, tmp_path: Path) -> None:
        await accept_all(harvested)
        await publish(harvested.candidates, tmp_path / "data", DAY)
        before = {path: path.read_bytes() for path in (tmp_path / "data").rglob("harvested-*")}
        assert len(before) == 3
        await publish(harvested.candidates, tmp_path / "data", DAY + timedelta(days=1))
        assert {path: path.read_bytes() for path in (tmp_path / "data").rglob("harvested-*")} == before
        for path in before:
            path.unlink()  # as after a crash between the database and the disk
        await publish(harvested.candidates, tmp_path / "data", DAY)
        assert {path: path.read_bytes() for path in (tmp_path / "data").rglob("harvested-*")} == before

    async def test_who_is_forgotten_leaves_the_files(self, harvested: Store, tmp_path: Path) -> None:
        await accept_all(harvested)
        (done,) = await publish(harvested.candidates, tmp_path / "data", DAY)
        mine = {each["key"] for each in (await harvested.export(ANN))["candidates"]}
        assert len(mine) == 2  # her own, and Ben's with her line
        report = await harvested.forget(ANN)
        assert (report.candidates, report.reviews, report.harvested_lines) == (2, 2, 3)
        assert {row["id"] for row in lines(done.path)} & mine == set()
        assert not preferences_file(tmp_path / "data", done.name).exists()
        lineage = json.loads(lineage_file(tmp_path / "data", done.name).read_text())["dialogues"]
        assert all(set(lineage[key]) == {"gone"} for key in mine)
        await publish(harvested.candidates, tmp_path / "data", DAY)
        assert len(lines(done.path)) == 1

    async def test_what_was_made_of_the_files_is_cleaned_as_well(
        self, harvested: Store, tmp_path: Path
    ) -> None:
        await accept_all(harvested)
        data = tmp_path / "data"
        (done,) = await publish(harvested.candidates, data, DAY)
        mine = {each["key"] for each in (await harvested.export(ANN))["candidates"]}
        parts, cloud, other = (data / "runs" / name for name in ("split", "openai-1", "openai-2"))
        half = data / "dialogues" / f".{done.path.name}.123.new"
        for folder, ids in ((parts, {}), (cloud, {key: [1] for key in mine}), (other, {"harvested-x": [2]})):
            folder.mkdir(parents=True)
            write_run(folder, ids)
        shutil.copyfile(done.path, parts / "train.jsonl")
        shutil.copyfile(done.path, half)
        for folder in (cloud, other):
            (folder / "training.jsonl").write_text('{"messages": []}\n')
            (folder / "run.json").write_text("{}")
        manifest = data / "models" / "lora" / "1" / "manifest.json"
        manifest.parent.mkdir(parents=True)
        manifest.write_text(json.dumps({"data": {"lineage": {key: [1] for key in mine}}}))
        report = await harvested.forget(ANN)
        assert report.models == ("lora 1",)
        assert report.harvested_lines == 2 + 1 + 2 + 1
        assert {row["id"] for row in lines(parts / "train.jsonl")} == {row["id"] for row in lines(done.path)}
        assert len(lines(done.path)) == 1
        assert not half.exists()
        assert sorted(path.name for path in cloud.iterdir()) == ["lineage.json", "run.json"]
        assert (other / "training.jsonl").exists()
        assert (await harvested.forget(ANN)).harvested_lines == 0

    async def test_a_file_that_could_not_be_cleaned_is_cleaned_next_time(
        self, harvested: Store, tmp_path: Path
    ) -> None:
        await accept_all(harvested)
        (done,) = await publish(harvested.candidates, tmp_path / "data", DAY)
        sidecar = lineage_file(tmp_path / "data", done.name)
        whole = sidecar.read_text()
        sidecar.write_text("[")
        with pytest.raises(StoreError, match="forget again once"):
            await harvested.forget(ANN)
        assert len(lines(done.path)) == 3
        sidecar.write_text(whole)
        assert (await harvested.forget(ANN)).harvested_lines == 3
        assert len(lines(done.path)) == 1

    async def test_who_withdraws_leaves_the_files_at_once(
        self, harvested: Store, tmp_path: Path, out: Path
    ) -> None:
        await accept_all(harvested)
        (done,) = await publish(harvested.candidates, tmp_path / "data", DAY)
        await harvested.set_consent(CID, Consent.OFF)
        assert len(lines(done.path)) == 2
        await run(harvested, out, now=LATER + timedelta(hours=1))
        await publish(harvested.candidates, tmp_path / "data", DAY)
        assert len(lines(done.path)) == 2
