"""The command line as people and scripts meet it: real processes, the real embedded model, a real terminal.

Most of them are forked (`forking`), and those that are not about words have a model that talks nonsense quickly.
"""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.store.identity import hash_user
from tests.fakes.adapters import publish_adapter
from tests.fakes.forking import command as forked

ROOT = Path(__file__).parents[1]
CONTRACT = {
    "reply",
    "model",
    "version",
    "child",
    "lesson",
    "move",
    "thought",
    "voiced",
    "latency_ms",
    "usage",
}
COMMANDS = (
    "run",
    "web",
    "chat",
    "ask",
    "replay",
    "debrief",
    "check",
    "models",
    "use",
    "migrate",
    "backup",
    "restore",
    "forget",
)
NEWEST = "0009"
CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("DISCORD_", "SLACK_", "OPENAI_", "PUPIL_"))
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The project's data, a database of this test's own, and a patience for busy machines."""
    return write_config(tmp_path)


@pytest.fixture
def quick(tmp_path: Path, small: Path) -> Path:
    """The same with the model that talks nonsense."""
    return write_config(
        tmp_path, '[student]\nmodel = "base"\nfallback = "base"', f"gguf = {json.dumps(str(small))}"
    )


def write_config(folder: Path, more: str = "", engine: str = "") -> Path:
    path = folder / "config.toml"
    path.write_text(
        f'data = "{ROOT / "data"}"\ndatabase = "pupil.db"\n{more}\n'
        f"[engine]\nthreads = 1\nslots = 2\n{engine}\n[classroom]\nreply_seconds = 100\n",
        encoding="utf-8",
    )
    return path


def pupil(
    *arguments: str | bytes,
    config: Path,
    stdin: str = "",
    env: dict[str, str] | None = None,
    seconds: float = 100,
    anew: bool = False,
) -> subprocess.CompletedProcess[str]:
    """`python -m bot` with `arguments` and this config, as a process of its own: a forked one, or Python begun `anew`."""
    return subprocess.run(
        [*((sys.executable, "-m", "bot") if anew else forked("bot")), *arguments, "--config", str(config)],
        cwd=config.parent,
        env={**CLEAN, "PYTHONPATH": str(ROOT), **(env or {})},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def assert_one_line(done: subprocess.CompletedProcess[str], *holds: str) -> None:
    """Wrong input: exit 2, nothing on stdout, one line on stderr that holds these."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("pupil: ")
    for each in holds:
        assert each in lines[0]


def newest(config: Path) -> int:
    """The number of the newest conversation in which something was said."""
    with sqlite3.connect(config.parent / "pupil.db") as database:
        found: int = database.execute("SELECT max(conversation_id) FROM turns").fetchone()[0]
    database.close()
    return found


WRONG: list[tuple[list[str | bytes], list[str]]] = [
    (["ask", "hi", "--child", "mai"], ["child", "mia"]),
    (["ask", "hi", "--lesson", "2.NBT.B.5-substract"], ["2.NBT.B.5-subtract"]),
    (["ask", "hi", "--model", "bass"], ["base"]),
    (["ask", ""], ["empty"]),
    (["ask", "\x07\x1b\x08"], ["empty"]),
    (["ask", "a" * 4_001], ["4001", "4000"]),
    (["ask", b"caf\xe9"], ["UTF-8"]),
    (["ask"], ["argument", "--help"]),
    (["ask", "hi", "--seed", "seven"], ["--seed", "--help"]),
    (["asks", "hi"], ["asks", "--help"]),
    (["replay", "missing.jsonl", "--out", "out.jsonl"], ["missing.jsonl"]),
    (["use", "nothing"], ["nothing"]),
    (["use", "../../etc"], ["../../etc"]),
    (["forget", "teams", "someone"], ["discord", "slack", "console"]),
    (["forget", "discord", b"\xff"], ["UTF-8"]),
]
WRONG_CONFIGS: list[tuple[str, list[str]]] = [
    ("colour = 3", ["colour"]),
    ("[student]\nchilds = 'mia'", ["student.childs", "child"]),
    ("[log]\nlevel = 'loud'", ["log.level"]),
    ("[student]\nfallback = 'gone'", ["gone"]),
]


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> list[subprocess.CompletedProcess[str]]:
    """What came of all of them, run two at a time."""
    config = write_config(tmp_path_factory.mktemp("wrong"))
    with ThreadPoolExecutor(2) as runners:
        running = [runners.submit(pupil, *arguments, config=config) for arguments, _ in WRONG]
        for more, _ in WRONG_CONFIGS:
            other = write_config(tmp_path_factory.mktemp("wrong"), more)
            running.append(runners.submit(pupil, "ask", "hi", config=other))
        return [each.result() for each in running]


class TestAsk:
    def test_json_is_the_contract_and_a_seed_repeats_it(self, config: Path) -> None:
        first, second = (
            pupil("ask", "--json", "--seed", "7", "What is 52 minus 17?", config=config, anew=anew)
            for anew in (True, False)
        )
        assert first.returncode == 0, first.stderr
        assert len(first.stdout.splitlines()) == 1
        answer, again = json.loads(first.stdout), json.loads(second.stdout)
        assert set(answer) - {"flag"} == CONTRACT
        assert {"kind", "answer", "stage", "words"} <= set(answer["thought"])
        assert set(answer["usage"]) == {"prompt_tokens", "completion_tokens", "cost_usd"}
        assert (answer["model"], answer["child"], answer["lesson"]) == (
            "starter",
            "mia",
            "2.NBT.B.5-subtract",
        )
        assert answer["version"].startswith("lora-")
        assert (answer["move"], answer["thought"]["answer"]) == ("asks", "45")
        assert answer["voiced"] in {"model", "retry", "phrasing"}
        assert answer["usage"]["prompt_tokens"] > 100
        assert answer["usage"]["cost_usd"] is None
        assert {**answer, "latency_ms": 0} == {**again, "latency_ms": 0}

    @pytest.mark.parametrize("case", range(len(WRONG)))
    def test_wrong_input_is_one_line(self, wrong: list[subprocess.CompletedProcess[str]], case: int) -> None:
        assert_one_line(wrong[case], *WRONG[case][1])

    @pytest.mark.parametrize("case", range(len(WRONG_CONFIGS)))
    def test_wrong_config_is_one_line(self, wrong: list[subprocess.CompletedProcess[str]], case: int) -> None:
        assert_one_line(wrong[len(WRONG) + case], *WRONG_CONFIGS[case][1])

    def test_missing_config_and_missing_data(self, config: Path) -> None:
        assert_one_line(pupil("ask", "hi", config=config.with_name("none.toml")), "none.toml", "no such file")
        config.write_text('data = "nowhere"\n', encoding="utf-8")
        assert_one_line(pupil("ask", "hi", config=config), "nowhere")

    def test_missing_or_corrupt_model_file(self, tmp_path: Path) -> None:
        config = write_config(tmp_path, engine='gguf = "student.gguf"')
        assert_one_line(pupil("ask", "hi", config=config), "student.gguf", "cannot be read")
        (tmp_path / "student.gguf").write_bytes(b"no model")
        assert_one_line(pupil("ask", "hi", config=config), "student.gguf", "GGUF")
        (tmp_path / "student.gguf").write_bytes(b"GGUF" + bytes(5_000))
        assert_one_line(pupil("ask", "hi", config=config), "student.gguf")

    def test_unusable_database(self, config: Path) -> None:
        database = config.with_name("pupil.db")
        database.write_bytes(b"Dear diary, " * 400)
        assert_one_line(pupil("ask", "hi", config=config), "pupil.db", "not a database")
        database.unlink()
        database.mkdir()
        assert_one_line(pupil("ask", "hi", config=config), "pupil.db", "cannot be opened")

    def test_newer_database(self, config: Path) -> None:
        assert pupil("migrate", config=config).returncode == 0
        with sqlite3.connect(config.with_name("pupil.db")) as connection:
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
        assert_one_line(pupil("ask", "hi", config=config), "pupil.db", "newer")
        assert_one_line(pupil("migrate", config=config), "pupil.db", "newer")


class TestOthers:
    def test_run_without_tokens_says_what_to_set(self, config: Path) -> None:
        assert_one_line(
            pupil("run", config=config), "DISCORD_TOKEN", "SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "chat"
        )

    def test_check_is_ready_and_shows_no_key(self, quick: Path) -> None:
        secrets = {
            "OPENAI_API_KEY": "sk-test-abcdefgh12345678",
            "PUPIL_HASH_SECRET": "not-to-be-seen-by-anybody",
            "SLACK_BOT_TOKEN": "xoxb-not-to-be-seen",
        }
        done = pupil("check", config=quick, env=secrets)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "OPENAI_API_KEY" in done.stdout
        for secret in secrets.values():
            assert secret not in done.stdout + done.stderr

    def test_what_is_written_is_for_its_user_alone(self, quick: Path) -> None:
        old = os.umask(0o022)
        try:
            done = pupil("chat", config=quick, stdin="/quit\n")
            out = quick.with_name("out")
            rows = quick.with_name("rows.jsonl")
            rows.write_text("", encoding="utf-8")
            pupil("replay", str(rows), "--out", str(out), config=quick)
        finally:
            os.umask(old)
        assert done.returncode == 0
        written = [path for path in quick.parent.iterdir() if path not in (quick, rows)]
        assert {"pupil.db", "pupil.secret", "out"} <= {path.name for path in written}
        assert [path.name for path in written if path.stat().st_mode & 0o077] == []

    def test_check_with_a_broken_model(self, tmp_path: Path) -> None:
        (tmp_path / "student.gguf").write_bytes(b"GGUF" + bytes(5_000))
        done = pupil("check", config=write_config(tmp_path, engine='gguf = "student.gguf"'))
        assert done.returncode == 2
        assert "missing" in done.stdout
        assert "Traceback" not in done.stderr

    def test_models_json(self, tmp_path: Path) -> None:
        more = '[models.cloud]\nmodel = "gpt-4o-mini"\n[models.local]\nprovider = "compatible"\nbase_url = "http://127.0.0.1:1/v1"\nmodel = "m"'
        publish_adapter(tmp_path / "data" / "models", "1")
        shutil.copy(ROOT / "data" / "prices.toml", tmp_path / "data")
        config = tmp_path / "config.toml"
        config.write_text(f'data = "data"\n{more}\n', encoding="utf-8")
        done = pupil("models", "--json", config=config)
        assert done.returncode == 0, done.stderr
        listed = {each["name"]: each for each in json.loads(done.stdout)}
        assert set(listed) == {"base", "cloud", "local", "starter"}
        assert set(listed["base"]) == {"name", "kind", "version", "price", "problem", "state", "versions"}
        assert listed["base"]["problem"] is None
        assert "OPENAI_API_KEY" in listed["cloud"]["problem"]
        assert listed["local"]["price"] == "price unknown"

    def test_use_promotes_and_rolls_back(self, config: Path) -> None:
        data = config.parent / "data"
        config.write_text('data = "data"\n', encoding="utf-8")
        for version in ("1", "2", "3"):
            folder = publish_adapter(data / "models", version, promote=False)
            os.utime(folder / "manifest.json", (int(version), int(version)))
        with (folder / "adapter.gguf").open("ab") as file:
            file.write(b"more")
        assert_one_line(pupil("use", "starter", config=config), "starter 3", "adapter.gguf")
        assert not (data / "models" / "starter" / "current.json").exists()
        assert "2" in pupil("use", "starter", "--version", "2", config=config).stdout
        assert "1" in pupil("use", "starter", "--version", "1", config=config).stdout
        current = json.loads((data / "models" / "starter" / "current.json").read_text(encoding="utf-8"))
        assert (current["version"], current["before"][0]["version"]) == ("1", "2")
        assert_one_line(pupil("use", "starter", "--version", "4", config=config), "'4'", "1, 2, 3")

    def test_migrate_then_forget_nobody(self, config: Path) -> None:
        done = pupil("migrate", config=config)
        assert (done.returncode, NEWEST in done.stdout) == (0, True)
        done = pupil("forget", "discord", "123", config=config)
        assert done.returncode == 0, done.stderr
        assert "teacher turns: 0" in done.stdout

    def test_every_command_has_help(self) -> None:
        def run(command: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, "-m", "bot", *command.split(), "--help"],
                cwd=ROOT, env=CLEAN, capture_output=True, text=True, timeout=60, check=False,
            )  # fmt: skip

        with ThreadPoolExecutor(2) as runners:
            for command, done in zip(("", *COMMANDS), runners.map(run, ("", *COMMANDS)), strict=True):
                assert (done.returncode, done.stderr) == (0, ""), command
                assert "Usage:" in done.stdout, command

    def test_help_is_light(self) -> None:
        assert not imported("bot", "--help") & HEAVY
        assert not imported("training", "--help") & (HEAVY | {"numpy", "sklearn", "scipy", "matplotlib"})

    def test_a_chat_without_the_cloud_imports_no_cloud(self, config: Path) -> None:
        # An empty text is refused at once; a broken model file after everything was imported.
        config.write_text(
            config.read_text(encoding="utf-8").replace("threads = 1", 'gguf = "none.gguf"'), "utf-8"
        )
        found = imported("bot", "ask", "hi", "--config", str(config))
        assert {"bot.models.registry", "bot.models.engines.choice"} <= found
        assert not found & (HEAVY - {"xllamacpp"}), "an engine is picked without asking torch"


HEAVY = {"torch", "transformers", "peft", "dspy", "openai", "discord", "slack_bolt", "xllamacpp"}


def imported(*arguments: str) -> set[str]:
    """Every module that `python -m ARGUMENTS` imports."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", *arguments],
        cwd=ROOT, env=CLEAN, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    found = set(re.findall(r"import time: .*\|\s+([\w.]+)$", done.stderr, re.M))
    assert "typer" in found
    return found


class TestChat:
    def test_piped_lines_are_answered_logged_and_forgotten(self, quick: Path) -> None:
        lines = "What is 9 plus 6?\n\n/student status\n/student nonsense\n/nothing\n/student child eli\n/quit\nnever read\n"
        done = pupil("chat", "--seed", "3", config=quick, stdin=lines)
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        for expected in ("What is 9 plus 6?", "Mia", "2.NBT.B.5-subtract", "nonsense", "Eli sits here now"):
            assert expected in done.stdout
        assert "never read" not in done.stdout
        assert [role for role, _ in turns(quick)] == ["teacher", "student"]
        secret = quick.with_name("pupil.secret").read_text(encoding="ascii").encode()
        with sqlite3.connect(quick.with_name("pupil.db")) as connection:
            hashes = connection.execute("SELECT author_hash FROM turns WHERE role = 'teacher'").fetchall()
        assert hashes == [(hash_user("console", "terminal", secret),)]
        assert "teacher turns: 1" in pupil("forget", "console", "terminal", config=quick).stdout
        assert turns(quick) == [("teacher", ""), ("student", "")]

    def test_a_chat_is_looked_back_on_in_the_terminal_and_as_a_page(self, quick: Path) -> None:
        said = "What is 52 minus 17?\nHow did you get that?\n/student debrief\n/student debrief move 1 transfer\n"
        chat = pupil("chat", "--seed", "5", config=quick, stdin=said)
        assert chat.returncode == 0, chat.stderr
        told = " ".join(chat.stdout.split())
        for holds in ("Your practice with Mia", "Try next", "is kept as", "python -m bot debrief"):
            assert holds in told
        shown = pupil("debrief", config=quick)
        assert shown.returncode == 0, shown.stderr
        assert "pressing for reasoning 1 (turn 3)" in " ".join(shown.stdout.split())
        page = pupil("debrief", str(newest(quick)), "--out", "page.html", config=quick)
        assert page.stdout == "wrote page.html\n"
        assert "What is 52 minus 17?" in (quick.parent / "page.html").read_text(encoding="utf-8")
        assert_one_line(pupil("debrief", "999", config=quick), "no conversation 999")

    def test_a_look_back_without_a_database_is_one_line(self, tmp_path: Path) -> None:
        config = write_config(tmp_path)
        text = config.read_text(encoding="utf-8").replace("pupil.db", "never/written.db")
        config.write_text(text, encoding="utf-8")
        assert_one_line(pupil("debrief", config=config), "never/written.db", "no such database")
        assert not config.with_name("never").exists()

    def test_forgetting_the_terminal_deletes_the_lines_typed_there(self, quick: Path) -> None:
        history = quick.with_name("chat_history")
        history.write_text("\n# 2026-01-01 12:00:00\n+My neighbour is called Zanzibar.\n", encoding="utf-8")
        pupil("forget", "discord", "terminal", config=quick)
        assert history.exists(), "another platform's people typed none of it"
        done = pupil("forget", "console", "terminal", config=quick)
        assert (done.returncode, done.stderr) == (0, "")
        assert "chat_history deleted" in done.stdout
        assert not history.exists()
        again = pupil("forget", "console", "terminal", config=quick)
        assert "lines typed in chat: none kept" in again.stdout

    def test_forgetting_oneself_in_the_chat_deletes_the_lines_typed_there(self, quick: Path) -> None:
        history = quick.with_name("chat_history")
        history.write_text("\n# 2026-01-01 12:00:00\n+My neighbour is called Zanzibar.\n", encoding="utf-8")
        done = pupil("chat", config=quick, stdin="/student privacy\n/student privacy forget\n")
        assert (done.returncode, done.stderr) == (0, "")
        assert "Forgotten" in done.stdout
        assert not history.exists()

    def test_invalid_utf8_and_too_long_lines_are_told(self, quick: Path) -> None:
        done = subprocess.run(
            [*forked("bot"), "chat", "--config", str(quick)],
            cwd=ROOT, env=CLEAN, timeout=100, check=False, capture_output=True,
            input=b"caf\xe9\n" + b"a" * 4_001 + b"\n",
        )  # fmt: skip
        assert (done.returncode, done.stderr.decode()) == (0, "")
        assert b"not valid UTF-8" in done.stdout
        assert b"4001 characters" in done.stdout
        assert turns(quick) == []

    def test_sigterm_with_the_pipe_still_open(self, quick: Path) -> None:
        process = subprocess.Popen(
            [*forked("bot"), "chat", "--config", str(quick)],
            cwd=ROOT, env=CLEAN, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        while b"Ctrl-D" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (0, b"")

    def test_in_a_terminal_another_process_asks_meanwhile_then_ctrl_d(self, config: Path) -> None:
        with terminal(config) as (screen, process):
            screen.wait_for("you")
            screen.type("What is 8 plus 5?\r")
            screen.wait_for("Mia  ", seconds=100)
            other = pupil("ask", "What is 7 plus 6?", config=config)
            assert other.returncode == 0, other.stderr
            assert other.stdout.strip()
            screen.type("\x04")
            screen.wait_for("Bye!")
            assert process.wait(timeout=20) == 0
        said = turns(config)
        assert sorted(content for role, content in said if role == "teacher") == [
            "What is 7 plus 6?",
            "What is 8 plus 5?",
        ]
        assert [role for role, _ in said].count("student") == 2
        with sqlite3.connect(config.with_name("pupil.db")) as connection:
            assert connection.execute("SELECT DISTINCT state FROM claims").fetchall() == [("answered",)]

    @pytest.mark.parametrize("way", ["ctrl-c", "sigterm"])
    def test_leaving_from_the_prompt(self, quick: Path, way: str) -> None:
        with terminal(quick) as (screen, process):
            screen.wait_for("you")
            time.sleep(0.3)  # until the prompt listens
            if way == "ctrl-c":
                screen.type("half a line\x03")
            else:
                process.send_signal(signal.SIGTERM)
            screen.drain(process)
            assert process.wait(timeout=20) == 0
        assert "Traceback" not in screen.text
        assert "Error" not in screen.text

    def test_ctrl_c_while_the_child_thinks(self, config: Path) -> None:
        with terminal(config) as (screen, process):
            screen.wait_for("you")
            screen.type("What is 8 plus 5?\r")
            screen.wait_for("thinking")
            process.send_signal(signal.SIGINT)
            screen.drain(process)
            assert process.wait(timeout=60) == 0
        assert "Traceback" not in screen.text


def turns(config: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(config.with_name("pupil.db")) as connection:
        return connection.execute("SELECT role, content FROM turns ORDER BY id").fetchall()


class Screen:
    """The teacher's side of a terminal. It answers the questions that terminals are asked."""

    def __init__(self, master: int) -> None:
        self._master = master
        self.text = ""
        self._seen = 0

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Read until `text` shows up after what was waited for last."""
        until = time.monotonic() + seconds
        while text not in self._plain()[self._seen :]:
            assert time.monotonic() < until, self.text
            self._read(0.2)
        self._seen = self._plain().index(text, self._seen) + len(text)

    def drain(self, process: subprocess.Popen[bytes], seconds: float = 30) -> None:
        """Keep reading until the program is gone: a full terminal would hold it up."""
        until = time.monotonic() + seconds
        while process.poll() is None and time.monotonic() < until:
            self._read(0.1)
        self._read(0.1)

    def _read(self, seconds: float) -> None:
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return
        try:
            chunk = os.read(self._master, 65_536).decode("utf-8", "replace")
        except OSError:  # the other side is closed
            return
        self.text += chunk
        if "\x1b[6n" in chunk:
            os.write(self._master, b"\x1b[1;1R")

    def _plain(self) -> str:
        return re.sub(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[=>])", "", self.text)


@contextmanager
def terminal(config: Path) -> Iterator[tuple[Screen, subprocess.Popen[bytes]]]:
    """`python -m bot chat` in a pseudo-terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*forked("bot"), "chat", "--seed", "3", "--config", str(config)],
        cwd=ROOT, env={**CLEAN, "TERM": "xterm", "COLUMNS": "100"}, stdin=slave, stdout=slave, stderr=slave,
        start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    try:
        yield Screen(master), process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(master)
