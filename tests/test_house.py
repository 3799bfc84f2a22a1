"""The house keeps its own rules: settings shown are the real ones, versions agree, rooms stay apart."""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pydantic import BaseModel, TypeAdapter

from bot.config import load, secret_names, settings_type
from bot.platforms import PLATFORMS
from bot.sections import ChatModel

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
MALICIOUS = {("litellm", "1.82.7"), ("litellm", "1.82.8")}


def lines(name: str) -> list[str]:
    return (ROOT / name).read_text(encoding="utf-8").splitlines()


# Settings.


def defaults() -> dict[str, Any]:
    """Every default of `Settings` but the secrets, in the form TOML gives."""
    found = {
        name: field.get_default(call_default_factory=True)
        for name, field in settings_type().model_fields.items()
        if name not in secret_names()
    }
    plain: dict[str, Any] = TypeAdapter(dict[str, Any]).dump_python(found, mode="json")
    return plain


def without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {
        key: without_none(value) if isinstance(value, dict) else value
        for key, value in values.items()
        if value is not None
    }


def test_the_shipped_config_states_every_default_and_nothing_else() -> None:
    wanted = without_none(defaults())
    assert wanted.pop("models") == {}
    assert tomllib.loads("\n".join(lines("config.toml"))) == wanted


def test_the_shipped_config_is_what_the_bot_loads() -> None:
    settings = load(ROOT / "config.toml", environment_file=None)
    assert settings.data.resolve() == ROOT / "data"
    assert settings.student == settings_type().model_fields["student"].default


def test_keys_without_a_default_are_shown_in_their_section() -> None:
    section, shown = "", set()
    for line in lines("config.toml"):
        if header := re.fullmatch(r"\[(\w+)\]", line):
            section = header[1]
        elif key := re.match(r"# (\w+) = ", line):
            shown.add((section, key[1]))
    without = {
        (section, key)
        for section, values in defaults().items()
        if isinstance(values, dict)
        for key, value in values.items()
        if value is None
    }
    assert without
    assert without <= shown


def test_every_key_of_the_shipped_config_is_explained() -> None:
    text = lines("config.toml")
    bare = [line for before, line in pairwise(text) if re.match(r"\w+ =", line) and before[:1] != "#"]
    assert bare == []


def test_the_examples_of_models_hold_and_show_every_key() -> None:
    text = "\n".join(lines("config.toml"))
    start = text.index("# [models.")
    example = re.sub(r"(?m)^# ?", "", text[start : text.index("\n\n", start)])
    models = tomllib.loads(example)["models"]
    assert {ChatModel.model_validate(values).provider for values in models.values()} == {
        "openai",
        "azure",
        "compatible",
    }
    assert {key for values in models.values() for key in values} == set(ChatModel.model_fields)


def test_every_section_of_settings_forbids_unknown_keys() -> None:
    sections = [field.annotation for field in settings_type().model_fields.values()]
    models = [each for each in sections if isinstance(each, type) and issubclass(each, BaseModel)]
    assert models
    assert {model.model_config.get("extra") for model in models} == {"forbid"}
    assert settings_type().model_config.get("extra") == ChatModel.model_config.get("extra") == "forbid"


def test_the_example_environment_names_every_secret_with_one_comment_and_no_value() -> None:
    text = lines(".env.example")
    secrets = {name.upper() for name in secret_names()}
    assert {line.removesuffix("=") for line in text if "=" in line and line[0] != "#"} == secrets
    for before, line in pairwise(text):
        assert line.rstrip("=") not in secrets or before.startswith("# ")
    for platform in PLATFORMS:
        for variable, meaning in platform.secrets.items():
            assert (f"# {meaning}", f"{variable}=") in pairwise(text)


# Versions.


def pins(text: list[str]) -> dict[str, str]:
    """Exact versions by canonical name, from requirement lines or from a YAML list of them."""
    found: dict[str, str] = {}
    for line in text:
        if match := re.match(r"\s*(?:- )?([A-Za-z0-9._-]+)(?:\[[a-z,]+\])?==([^\s;]+)", line):
            found[canonicalize_name(match[1])] = match[2]
    return found


def direct(*extras: str) -> list[Requirement]:
    project = PROJECT["project"]
    wanted = [*project["dependencies"]]
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    return [Requirement(each) for each in wanted]


def closure(wanted: list[Requirement]) -> set[str]:
    """Everything that `wanted` brings with it here, by canonical name."""
    found: set[tuple[str, str]] = set()
    left = [(each, extra) for each in wanted for extra in ("", *each.extras)]
    while left:
        requirement, extra = left.pop()
        name = canonicalize_name(requirement.name)
        if (name, extra) in found:
            continue
        found.add((name, extra))
        for text in importlib.metadata.requires(name) or []:
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                left += [(needed, each) for each in ("", *needed.extras)]
    return {name for name, _ in found}


def test_everything_installed_is_pinned_and_the_base_install_has_no_torch() -> None:
    pinned = pins(lines("constraints.txt"))
    base = closure(direct())
    assert {"discord-py", "openai", "litellm", "xllamacpp"} <= base
    assert not base & {"torch", "transformers", "peft", "trl", "bitsandbytes"}
    assert closure(direct("dev", "postgres")) - set(pinned) == set()
    assert {canonicalize_name(each.name) for each in direct("train")} - set(pinned) == set()
    assert not MALICIOUS & set(pinned.items())


def test_the_requirements_admit_the_pinned_versions() -> None:
    pinned = pins(lines("constraints.txt"))
    for requirement in direct("train", "dev", "postgres"):
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), requirement


def test_the_conda_environment_has_the_versions_of_the_constraints() -> None:
    environment = yaml.safe_load("\n".join(lines("environment.yml")))
    assert environment["name"] == "pupil"
    (pip,) = (each["pip"] for each in environment["dependencies"] if isinstance(each, dict))
    assert pip[:2] == ["-c constraints.txt", "-e ."]
    stated, pinned = pins(pip), pins(lines("constraints.txt"))
    assert {name: pinned.get(name) for name in stated} == stated
    assert {canonicalize_name(each.name) for each in direct("train", "dev", "postgres")} == set(stated)


# The container.


def stages() -> list[list[str]]:
    """The Dockerfile's instructions by stage, continued lines joined, comments gone."""
    text = "\n".join(line for line in lines("Dockerfile") if not line.startswith("#")).replace("\\\n", " ")
    found: list[list[str]] = []
    for instruction in filter(None, (re.sub(r"\s+", " ", line).strip() for line in text.split("\n"))):
        if instruction.startswith("FROM "):
            found.append([])
        found[-1].append(instruction)
    return found


def test_the_image_runs_as_nobody_special_without_build_tools() -> None:
    first, last = stages()
    for stage in (first, last):
        assert re.match(r"FROM python:3\.\d+-slim-\w+( AS \w+)?$", stage[0])
    assert not [each for each in last if each.startswith(("RUN", "ADD"))], "the last stage only copies"
    (user,) = (each.split()[1] for each in last if each.startswith("USER "))
    assert user.split(":")[0] not in {"root", "0"}
    assert last.index(f"USER {user}") < next(
        place for place, each in enumerate(last) if each.startswith("CMD ")
    )
    assert json.loads(last[-1].removeprefix("CMD ")) == ["python", "-m", "bot", "run"]


def test_the_image_asks_the_bot_itself_whether_it_is_well() -> None:
    (health,) = (each for each in stages()[-1] if each.startswith("HEALTHCHECK "))
    metrics = defaults()["metrics"]
    assert f"http://127.0.0.1:{metrics['port']}/healthz" in health
    assert metrics["enabled"]
    assert metrics["host"] == "127.0.0.1"


def test_the_image_keeps_its_database_in_the_volume() -> None:
    first, last = (" ".join(stage) for stage in stages())
    (change,) = re.findall(
        r"sed -i -e '(s\|\^database = \.\*\|database = \"/var/lib/pupil/pupil\.db\"\|)'", first
    )
    assert change
    assert [line for line in lines("config.toml") if line.startswith("database = ")]
    assert "VOLUME /var/lib/pupil" in last


@pytest.mark.parametrize("service", ["bot", "postgres"])
def test_the_services_have_no_rights_they_do_not_need(service: str) -> None:
    compose = yaml.safe_load("\n".join(lines("compose.yaml")))
    wanted = compose["services"][service]
    assert wanted["read_only"] is True
    assert wanted["cap_drop"] == ["ALL"]
    assert wanted["security_opt"] == ["no-new-privileges:true"]
    assert wanted["tmpfs"]
    assert "ports" not in wanted
    assert "privileged" not in wanted


def test_only_what_the_image_needs_reaches_the_build_and_no_database_or_key() -> None:
    allowed = [line for line in lines(".dockerignore") if line and line[0] != "#"]
    assert allowed[0] == "*"
    kept = {line[1:] for line in allowed if line[0] == "!"}
    copied = {
        name
        for each in stages()[0]
        if each.startswith("COPY ")
        for name in each.split()[1:-1]
        if name != "--from"
    }
    assert copied == kept
    assert {"data/pupil.*", "data/chat_history"} <= set(allowed)


# Rooms.

OFFENCES = {
    "student": ("bot/student/records/child.py", "bot.config"),
    "layers": ("bot/student/said.py", "bot.student.hearing.ear"),
    "models": ("bot/models/base.py", "bot.store.rows"),
    "store": ("bot/store/rows.py", "bot.config"),
    "core": ("bot/messages.py", "bot.platforms.base"),
    "platforms": ("bot/platforms/base.py", "bot.models.prices"),
    "debrief": ("bot/debrief/build.py", "bot.metrics"),
    "pictures": ("bot/pictures/svg.py", "bot.markup"),
    "pages": ("bot/pages/layout.py", "bot.commands"),
    "training": ("bot/logs.py", "training.evaluate"),
    "heavy": ("bot/commands.py", "torch"),
}


def test_each_room_rule_catches_what_it_is_for(tmp_path: Path) -> None:
    contracts = {each["id"]: each["name"] for each in PROJECT["tool"]["importlinter"]["contracts"]}
    assert set(contracts) == set(OFFENCES)
    for name in ("bot", "training"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for file, module in OFFENCES.values():
        with (tmp_path / file).open("a", encoding="utf-8") as opened:
            opened.write(f"\nimport {module}\n")
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", command, "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    for contract, (file, module) in OFFENCES.items():
        importer = file.removesuffix(".py").replace("/", ".")
        assert re.search(rf"{re.escape(contracts[contract])} BROKEN", done.stdout)
        assert f"{importer} -> {module} " in done.stdout.replace("\n", " ")


def test_a_terminal_chat_imports_nothing_heavy() -> None:
    heavy = {"torch", "transformers", "dspy", "litellm", "openai", "discord", "slack_bolt", "PIL"}
    program = (
        "import sys, bot.__main__, bot.app, bot.replay, bot.platforms.console, bot.models.embedded; "
        f"print(*sorted({heavy} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


# Make.


def test_make_refuses_an_old_python_in_one_plain_line(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("pyproject.toml", "constraints.txt"):
        (tmp_path / name).touch()
    old = tmp_path / "old-python"
    pretend = "import sys; sys.version_info = (3, 10, 4); exec(sys.argv[1])"
    old.write_text(f"#!/bin/sh\nexec {sys.executable} -c '{pretend}' \"$2\"\n", encoding="utf-8")
    old.chmod(0o755)
    for python, said in (
        (old, "is 3.10."),
        ("no-such-python", "is not installed; Pupil needs Python 3.11 or newer"),
    ):
        done = subprocess.run(
            ["make", "chat", f"PYTHON={python}"],  # noqa: S607 - whichever make there is
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        assert said in done.stderr.splitlines()[0]
        assert not (tmp_path / ".venv").exists()
