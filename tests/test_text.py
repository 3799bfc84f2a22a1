"""Text files as people's editors and systems leave them: read, or refused by a message that names the right file."""

from __future__ import annotations

import codecs
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.config import ConfigError, load
from bot.replay import read_rows
from bot.store import harvested
from bot.student.lessons import read_lessons
from bot.student.records.child import read_child, read_children
from bot.student.records.reading import DataError, parse_json
from bot.student.records.scenario import read_scenarios
from bot.student.records.text import lines_of, read_text
from tests.fakes.students import ScriptedModel, room, shipped
from training.corpus.command import data as commands
from training.corpus.read import files

DATA = Path(__file__).parents[1] / "data"
MIA = (DATA / "children" / "mia.toml").read_bytes()
HALF = {
    "id": "a",
    "turns": [{"role": "teacher", "content": "Hi \ud83d"}, {"role": "student", "content": "Hi."}],
}


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    (tmp_path / "mia.toml").write_bytes(codecs.BOM_UTF8 + MIA)
    assert read_child(tmp_path / "mia.toml").name == "Mia"
    (tmp_path / "config.toml").write_bytes(codecs.BOM_UTF8 + b'[student]\nchild = "theo"\n')
    (tmp_path / ".env").write_bytes(codecs.BOM_UTF8 + b"OPENAI_API_KEY=sk-1\r\n")
    settings = load(tmp_path / "config.toml")
    assert settings.student.child == "theo"
    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == "sk-1"


async def test_a_replay_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    source = tmp_path / "rows.jsonl"
    source.write_bytes(codecs.BOM_UTF8 + b'{"id": "a", "turns": ["Hi Mia."]}\n')
    async with room(tmp_path / "pupil.db", ScriptedModel()) as app:
        rows, bad = read_rows(source, app)
        assert ([row.id for row in rows], bad) == (["a"], [])
        source.write_text('{"id": "a", "turns": ["Hi Mia."]}\n', encoding="utf-16")
        with pytest.raises(DataError, match=r"rows\.jsonl: is UTF-16 .* save it as UTF-8"):
            read_rows(source, app)


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-16", "is UTF-16"), ("utf-16-le", "is UTF-16"), ("latin-1", "line 2 is not UTF-8")],
)
def test_another_encoding_is_refused_by_the_name_of_the_file(
    tmp_path: Path, encoding: str, said: str
) -> None:
    (tmp_path / "config.toml").write_text("", encoding="utf-8")
    (tmp_path / ".env").write_bytes("# my key\nNAME=Zoë\n".encode(encoding))
    with pytest.raises(ConfigError) as found:
        load(tmp_path / "config.toml")
    assert said in str(found.value)
    assert str(tmp_path / ".env") in str(found.value)
    assert "config.toml" not in str(found.value)
    (tmp_path / "mia.toml").write_bytes("# one\n# Zoë\n".encode(encoding))
    with pytest.raises(DataError, match=f"mia.toml: {said}"):
        read_child(tmp_path / "mia.toml")


def test_the_env_file_is_the_one_beside_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        folder.mkdir()
        (folder / "config.toml").write_text("", encoding="utf-8")
        (folder / ".env").write_text(
            f"OPENAI_API_KEY=sk-{folder.name}\nMY_KEY=my-{folder.name}\n", encoding="utf-8"
        )
    monkeypatch.chdir(here)
    for config, whose in ((None, "here"), (there / "config.toml", "there")):
        settings = load(config)
        for variable, value in (("OPENAI_API_KEY", f"sk-{whose}"), ("MY_KEY", f"my-{whose}")):
            key = settings.key(variable)
            assert key is not None
            assert key.get_secret_value() == value


def test_a_line_of_json_ends_where_json_says(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": "one\u2028two\x85three"}\r\n{"b": 1}\n', encoding="utf-8")
    assert [json.loads(line) for line in lines_of(path)] == [{"a": "one\u2028two\x85three"}, {"b": 1}]
    path.write_text("", encoding="utf-8")
    assert (lines_of(path), read_text(path)) == ([], "")
    rows = [{"turns": ["one\u2028two"]}, {"turns": ["three"]}]
    harvested.write_lines(path, rows)
    assert harvested.read_lines(path) == rows, "what was published is read again before more is"


def test_half_a_character_is_no_json() -> None:
    with pytest.raises(DataError, match="half a character"):
        parse_json('{"a": ["\\ud83d"]}')
    assert parse_json('"\\ud83d\\ude00"') == "\N{GRINNING FACE}"


@pytest.mark.parametrize(
    "command",
    [
        ["import", "{rows}", "--out", "{out}"],
        ["export", "{rows}", "--to", "openai", "--out", "{out}"],
        ["split", "{rows}", "--out", "{out}"],
        ["check", "{rows}"],
    ],
)
def test_half_a_character_ends_no_command_with_a_traceback(tmp_path: Path, command: list[str]) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps(HALF) + "\n", encoding="utf-8")
    arguments = [each.format(rows=rows, out=tmp_path / "out") for each in command]
    done = CliRunner().invoke(commands, arguments)
    assert isinstance(done.exception, SystemExit), done.exception
    assert "half a character" in done.output


DROPPINGS = (".DS_Store", "._{}", ".nfs0001", "desktop.ini", "Thumbs.db", ".#{}", "{}~", "#{}#", ".{}.swp")


def test_what_systems_and_editors_leave_is_no_data(tmp_path: Path) -> None:
    for kind, name in (("children", "mia.toml"), ("lessons", "2.G.A.1.toml"), ("scenarios", "pairs.toml")):
        folder = tmp_path / kind
        folder.mkdir()
        source = DATA / kind / name
        source = source if source.exists() else next((DATA / kind).glob("*.toml"))
        (folder / source.name).write_bytes(source.read_bytes())
        for left in DROPPINGS:
            (folder / left.format(source.name)).write_bytes(b"\x00\x05\x16\x07 no text at all")
    assert list(read_children(tmp_path / "children")) == ["mia"]
    assert len(read_lessons(tmp_path / "lessons")) == 1
    children, curriculum = shipped()
    assert list(read_scenarios(tmp_path / "scenarios", children, curriculum.lessons)) == ["pairs"]
    dialogues = tmp_path / "dialogues"
    dialogues.mkdir()
    for name in ("a.jsonl", "._a.jsonl", ".#a.jsonl", "desktop.ini"):
        (dialogues / name).touch()
    assert [path.name for path in files([dialogues])] == ["a.jsonl"]


def test_every_folder_of_files_is_listed_in_one_way() -> None:
    """Two list files of the program's own, whatever they are called; `files_in` lists what people put there."""
    found = {
        str(path.relative_to(DATA.parent))
        for package in ("bot", "training")
        for path in (DATA.parent / package).rglob("*.py")
        if re.search(r'glob\(f?"\*\.', path.read_text(encoding="utf-8"))
    }
    assert found == {"bot/models/engines/weights.py", "bot/store/harvested.py"}
