"""Replay: rows in, dialogues out, in order, whatever interrupts it; the store keeps every turn."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from bot.replay import Bad, ReplayError, read_rows, replay
from tests.fakes.students import ModelUnavailable, ScriptedModel, room
from tests.test_cli import CLEAN, CONTRACT, ROOT, assert_one_line, pupil, write_config


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pupil.db"


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def conversations(count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"c{n}", "turns": [f"What is {n + 10} minus 7?", "How do you know?"]} for n in range(count)
    ]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]


def logged(path: Path) -> list[tuple[str, int]]:
    """Conversations with their numbers of turns."""
    with sqlite3.connect(path) as connection:
        return connection.execute(
            "SELECT channel, COUNT(*) FROM turns JOIN conversations c ON c.id = conversation_id GROUP BY 1"
        ).fetchall()


async def run(path: Path, source: Path, out: Path, *models: ScriptedModel, seed: int = 1) -> list[int]:
    steps: list[int] = []
    async with room(path, *models) as app:
        rows, bad = read_rows(source, app)
        assert bad == []
        await replay(app, rows, out, source=source, seed=seed, done=steps.append)
    return steps


class TestHistory:
    async def test_what_the_child_said_is_told_and_not_asked(self, path: Path, tmp_path: Path) -> None:
        source, out = tmp_path / "rows.jsonl", tmp_path / "out.jsonl"
        turns: list[object] = [
            {"role": "teacher", "content": "What did you do on the weekend?"},
            {"role": "student", "content": "I caught a frog."},
            "Was it big?",
        ]
        source.write_text(json.dumps({"id": "a", "turns": turns}), encoding="utf-8")
        async with room(path) as app:
            rows, bad = read_rows(source, app)
            assert not bad
            await replay(app, rows, out, source=source, seed=1, done=lambda _: None)
            conversation = (await app.store.turns(1, limit=10))[1]
        said = json.loads(out.read_text(encoding="utf-8"))["dialogue"]
        assert [each["content"] for each in said[:3]] == [
            "What did you do on the weekend?",
            "I caught a frog.",
            "Was it big?",
        ]
        assert said[1]["voiced"] == "given"
        assert said[3]["voiced"] != "given"
        assert (conversation.content, conversation.voiced) == ("I caught a frog.", "given")

    async def test_what_cannot_be_told_is_said(self, path: Path, tmp_path: Path) -> None:
        source = tmp_path / "rows.jsonl"
        for turns, word in (
            ([{"role": "student", "content": "hi"}], "before it"),
            (["hi", {"role": "student", "content": "a"}, {"role": "student", "content": "b"}], "turns[2]"),
            ([{"role": "nurse", "content": "hi"}], "role"),
        ):
            source.write_text(json.dumps({"id": "a", "turns": turns}), encoding="utf-8")
            async with room(path) as app:
                rows, bad = read_rows(source, app)
            assert not rows
            assert word in bad[0].reason


class TestRows:
    async def test_bad_rows_are_told_by_line(self, path: Path, tmp_path: Path) -> None:
        good = '{"id": "a", "turns": ["hi"]}'
        bad = {
            2: '{"id": "b", "turns": [',
            3: "[]",
            4: '{"turns": ["hi"]}',
            5: '{"id": "c", "turns": []}',
            6: '{"id": "d", "turns": ["hi", 3]}',
            7: '{"id": "e", "turns": [""]}',
            8: '{"id": "a", "turns": ["again"]}',
            9: '{"id": "f", "turns": ["hi"], "child": "nobody"}',
            10: '{"id": "g", "turns": ["hi"], "lesson": ["2.NBT.B.5-add"]}',
            11: '{"id": "h", "turns": ["hi"], "colour": 1}',
            12: '{"id": "i", "turns": ["' + "a" * 4_001 + '"]}',
            13: '{"id": "\\ud800", "turns": ["hi"]}',
            14: '{"id": "j", "turns": ["\\ud800"]}',
            15: "[" * 100_000,
            16: "9" * 5_000,
        }
        last = b'{"id": "z\xff", "turns": ["hi"]}'
        source = tmp_path / "rows.jsonl"
        source.write_bytes(
            "\n".join([good, *bad.values(), ""]).encode() + last + b'\n\n{"id": "k", "turns": ["hi"]}'
        )
        async with room(path) as app:
            rows, found = read_rows(source, app)
        assert [row.id for row in rows] == ["a", "k"]
        assert [each.line for each in found] == [*bad, 17]
        reasons = {each.line: each.reason for each in found}
        for line, word in (
            (4, "id"),
            (5, "turns"),
            (8, "before"),
            (9, "mia"),
            (10, "lesson"),
            (11, "colour"),
        ):
            assert word in reasons[line]
        assert all("\n" not in reason for reason in reasons.values())
        assert isinstance(found[0], Bad)

    async def test_no_such_file(self, path: Path, tmp_path: Path) -> None:
        async with room(path) as app:
            with pytest.raises(ReplayError, match=r"none\.jsonl: cannot be read"):
                read_rows(tmp_path / "none.jsonl", app)

    async def test_an_empty_file_gives_an_empty_file(self, path: Path, tmp_path: Path) -> None:
        await run(path, write(tmp_path / "in.jsonl"), out := tmp_path / "out.jsonl")
        assert out.read_bytes() == b""


class TestAnswers:
    async def test_row_order_contract_and_dialogue(self, path: Path, tmp_path: Path) -> None:
        model = ScriptedModel()
        for number in range(40):
            model.enqueue("hmm", delay=0.03 if number % 8 == 0 else 0.001)
        rows = conversations(12)
        rows[3] |= {"child": "eli", "lesson": "2.NBT.B.5-add"}
        rows[4]["turns"] = ["Are you a real child?", "What is 9 plus 6?"]
        steps = await run(path, write(tmp_path / "in.jsonl", *rows), out := tmp_path / "out.jsonl", model)
        found = lines(out)
        assert [row["id"] for row in found] == [row["id"] for row in rows]
        assert sum(steps) == 12
        for row, result in zip(rows, found, strict=True):
            assert set(result) - {"flag"} == CONTRACT | {"id", "dialogue"}
            said = [turn for turn in result["dialogue"] if turn["role"] == "teacher"]
            assert [turn["content"] for turn in said] == row["turns"]
            assert result["reply"] == result["dialogue"][-1]["content"]
        assert (found[3]["child"], found[3]["lesson"]) == ("eli", "2.NBT.B.5-add")
        assert [turn["role"] for turn in found[4]["dialogue"]] == ["teacher", "notice", "teacher", "student"]
        assert not list(tmp_path.glob("*.part*"))

    async def test_fifty_conversations_finish(self, path: Path, tmp_path: Path) -> None:
        model = ScriptedModel(delay=0.005)
        source = write(tmp_path / "in.jsonl", *conversations(50))
        async with asyncio.timeout(60):
            await run(path, source, out := tmp_path / "out.jsonl", model)
        assert len(lines(out)) == 50
        assert [turns for _, turns in logged(path)] == [4] * 50
        assert model.most_at_once > 1

    async def test_same_seed_same_thoughts_another_seed_others(self, path: Path, tmp_path: Path) -> None:
        source = write(tmp_path / "in.jsonl", *conversations(10))
        for name, seed in (("a", 1), ("b", 1), ("c", 2)):
            await run(path, source, tmp_path / name, seed=seed)
        thoughts = {
            name: [turn.get("thought") for row in lines(tmp_path / name) for turn in row["dialogue"]]
            for name in "abc"
        }
        assert thoughts["a"] == thoughts["b"]
        assert thoughts["a"] != thoughts["c"]

    async def test_a_folder_that_is_not_there(self, path: Path, tmp_path: Path) -> None:
        source = write(tmp_path / "in.jsonl", *conversations(1))
        with pytest.raises(ReplayError, match=r"out\.jsonl.*cannot be read or written"):
            await run(path, source, tmp_path / "nowhere" / "out.jsonl")


class TestInterrupted:
    async def stopped(self, path: Path, source: Path, out: Path, after: int) -> None:
        """A replay that is cancelled when `after` rows are done."""
        async with room(path, ScriptedModel(delay=0.01)) as app:
            rows, _ = read_rows(source, app)
            done: list[int] = []
            task = asyncio.create_task(replay(app, rows, out, source=source, seed=1, done=done.append))
            while sum(done) < after:
                await asyncio.sleep(0.001)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert not out.exists()

    async def test_goes_on_where_it_stopped(self, path: Path, tmp_path: Path) -> None:
        source, out = write(tmp_path / "in.jsonl", *conversations(20)), tmp_path / "out.jsonl"
        await self.stopped(path, source, out, after=9)
        part = out.with_name("out.jsonl.part")
        kept = part.read_bytes().split(b"\n")[1:-1]
        # What a kill leaves at the end: half a line, even half a letter.
        part.write_bytes(part.read_bytes() + b'{"id": "c19", "reply": "caf\xc3')
        model = ScriptedModel()
        steps = await run(path, source, out, model)
        assert steps[0] == len(kept) >= 9
        assert len(model.cues) >= 2 * (20 - len(kept))
        assert [row["id"] for row in lines(out)] == [f"c{number}" for number in range(20)]
        assert [line for line in kept if line not in out.read_bytes()] == []

    @pytest.mark.parametrize("changed", ["seed", "source"])
    async def test_a_changed_run_starts_afresh(self, path: Path, tmp_path: Path, changed: str) -> None:
        source, out = write(tmp_path / "in.jsonl", *conversations(12)), tmp_path / "out.jsonl"
        await self.stopped(path, source, out, after=4)
        if changed == "source":
            write(source, *conversations(11))
        steps = await run(path, source, out, seed=2 if changed == "seed" else 1)
        assert steps[0] == 0
        assert len(lines(out)) == (12 if changed == "seed" else 11)

    async def test_texts_with_odd_line_ends_survive(self, path: Path, tmp_path: Path) -> None:
        rows = conversations(12)
        for row in rows:
            row["turns"][0] += " Well\u2028then?"
        source, out = write(tmp_path / "in.jsonl", *rows), tmp_path / "out.jsonl"
        await self.stopped(path, source, out, after=5)
        steps = await run(path, source, out)
        assert steps[0] >= 5

    async def test_a_row_without_an_answer_ends_it_in_one_line(self, path: Path, tmp_path: Path) -> None:
        source = write(tmp_path / "in.jsonl", *conversations(2))
        model = ScriptedModel()
        model.enqueue(ModelUnavailable("base: closed"))
        with pytest.raises(ReplayError, match="turn 1 got no answer; see the log"):
            await run(path, source, tmp_path / "out.jsonl", model)


class TestCommand:
    """The same through the command line, with the real model."""

    def test_killed_in_the_middle_then_run_again(self, tmp_path: Path) -> None:
        config, out = write_config(tmp_path), tmp_path / "out.jsonl"
        source = tmp_path / "in.jsonl"
        rows = [
            json.dumps({"id": f"r{number}", "turns": [f"What is {number} plus 6?"]}) for number in range(4)
        ]
        source.write_text("\n".join(["nonsense", *rows]), encoding="utf-8")
        command = ["replay", str(source), "--out", str(out), "--seed", "1"]
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", *command, "--config", str(config)],
            cwd=ROOT, env=CLEAN, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        part = tmp_path / "out.jsonl.part"
        until = time.monotonic() + 100
        while not (part.exists() and part.read_bytes().count(b"\n") >= 2):
            assert time.monotonic() < until
            assert process.poll() is None
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kept = part.read_bytes().count(b"\n") - 1
        before = logged(tmp_path / "pupil.db")
        assert len(before) >= kept
        done = pupil(*command, config=config)
        assert done.returncode == 1
        assert done.stdout == ""
        assert f"{source}:1: not JSON" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert [row["id"] for row in lines(out)] == [f"r{number}" for number in range(4)]
        after = logged(tmp_path / "pupil.db")
        assert set(before) <= set(after)
        assert len(after) - len(before) == 4 - kept

    def test_files_that_cannot_be_used(self, tmp_path: Path) -> None:
        config = write_config(tmp_path)
        assert_one_line(pupil("replay", str(tmp_path), "--out", "out.jsonl", config=config), "cannot be read")
