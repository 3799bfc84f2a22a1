"""The rows of an evaluation: parsed once, written whole, and not spoiled by a crash."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot.student.records.reading import DataError
from training.evaluate.rows import Row, RowError, Writer, read_rows


def row(cluster: str = "a", turn: int = 1, *, last: bool = True) -> Row:
    return Row(
        model="base", version="base-1", kind="embedded", section="arms", item=f"{cluster}/none", cluster=cluster,
        seed=0, turn=turn, child="mia", lesson="x", teacher="What is 9 + 6?", text="it’s 15",
        thought={"kind": "answer"}, voiced="model", scores={"arms.none": 1.0}, latency_ms=12.5, last=last,
    )  # fmt: skip


def test_a_row_comes_back_as_it_was() -> None:
    assert Row.from_line(row().to_line()) == row()
    bare = replace(
        row(), thought=None, voiced=None, scores={}, cost_usd=0.25, cache_hit=False, prompt_tokens=7
    )
    assert Row.from_line(bare.to_line()) == bare


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"section": "arm"}, "section: expected one of golden"),
        ({"seed": True}, "seed: expected a whole number"),
        ({"turn": None}, "turn: expected a whole number"),
        ({"text": 3}, "text: expected text"),
        ({"scores": {"a": "high"}}, "scores: expected an object of numbers"),
        ({"scores": {"a": float("nan")}}, "scores: expected an object of numbers"),
        ({"voiced": "loudly"}, "voiced: expected one of model"),
        ({"cost_usd": "free"}, "cost_usd: expected a number"),
        ({"thought": []}, "thought: expected an object"),
        ({"mood": "fine"}, "unknown key 'mood'"),
    ],
)
def test_a_bad_row_says_what_is_wrong(change: dict[str, object], complaint: str) -> None:
    with pytest.raises(RowError, match=complaint):
        Row.from_line(json.dumps({**json.loads(row().to_line()), **change}))


@pytest.mark.parametrize("line", ["", "[1]", "{", '{"model": "base"}'])
def test_what_is_no_row_at_all(line: str) -> None:
    with pytest.raises(RowError):
        Row.from_line(line)


def test_a_bad_line_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(row().to_line() + "\nnonsense\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"rows\.jsonl:2: not JSON"):
        read_rows(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_rows(tmp_path / "none.jsonl")


@pytest.mark.parametrize("cut", [1, 40, -1])
def test_what_a_crash_left_half_done_is_dropped(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "rows.jsonl"
    with Writer(path) as writer:
        writer.append([row("a")])
    whole = path.read_bytes()
    half = (row("b", 1, last=False).to_line() + "\n" + row("b", 2).to_line() + "\n").encode()
    path.write_bytes(whole + half[: -len(row("b", 2).to_line()) - 1 + cut if cut > 0 else cut])
    assert read_rows(path) == [row("a")]
    with Writer(path) as writer:
        assert path.read_bytes() == whole
        assert writer.finished == {row("a").unit}
        writer.append([row("b", 1, last=False), row("b", 2)])
    assert [each.cluster for each in read_rows(path)] == ["a", "b", "b"]


def test_only_whole_units_are_written_and_only_once(tmp_path: Path) -> None:
    with Writer(tmp_path / "rows.jsonl") as writer:
        for bad in ([], [row(last=False)], [row(), row()], [row("a", last=False), row("b")]):
            with pytest.raises(ValueError, match="unit"):
                writer.append(bad)
        writer.append([row()])
        with pytest.raises(ValueError, match="written before"):
            writer.append([row()])


def test_two_writers_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with Writer(path), pytest.raises(DataError, match="another evaluation is writing"):
        Writer(path)
    with Writer(path):
        pass
