"""What stands in `deploy/` and compose.yaml: read by the schemas of those who will read it, and in step with the program
that it starts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml

pytest.importorskip("kubernetes_validate", reason="the extra dev brings what reads the files of deployments")

import aiohttp
import kubernetes_validate
import promql_parser as promql
from check_jsonschema.cli.main_command import main as check_jsonschema
from click.testing import CliRunner
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner as TyperRunner

from bot import app, platforms
from bot.__main__ import app as command_line
from bot.classroom import Classroom
from bot.commands import Commands
from bot.config import ConfigError, Settings, load
from bot.messages import Message
from bot.metrics import Metrics
from bot.metrics_server import MetricsServer
from bot.models.engines.base import Load
from bot.models.turnstile import Turnstile
from bot.platforms import PLATFORMS
from bot.platforms.slack import SlackSettings
from bot.platforms.spec import PlatformSettings, PlatformSpec
from bot.platforms.web import WebSettings
from tests.fakes.openai_server import OpenAIServer
from tests.fakes.students import Listener
from tests.test_metrics import get

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
KUBERNETES, PROMETHEUS = DEPLOY / "kubernetes", DEPLOY / "prometheus"
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
PROMTOOL = os.environ.get("PUPIL_PROMTOOL") or shutil.which("promtool")
PROMETHEUS_SERVER = shutil.which("prometheus", path=str(Path(PROMTOOL).parent)) if PROMTOOL else None
VERSION = "1.31"
"""Of Kubernetes: from here on a pod of a StatefulSet knows its number."""


def documents(path: Path) -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each]


def resources() -> list[dict[str, Any]]:
    named = documents(KUBERNETES / "kustomization.yaml")[0]["resources"]
    assert {path.name for path in KUBERNETES.glob("*.yaml")} == {*named, "kustomization.yaml"}
    return [each for name in named for each in documents(KUBERNETES / name)]


def pods() -> list[dict[str, Any]]:
    found = [
        each["spec"]["template"] for each in resources() if each["kind"] in {"Deployment", "StatefulSet"}
    ]
    assert len(found) == 3
    return found


def in_pods() -> list[dict[str, Any]]:
    """Every container."""
    return [each for pod in pods() for kind in ("initContainers", "containers") for each in pod["spec"][kind]]


# Whoever reads them accepts them.


def test_compose_is_what_its_schema_says() -> None:
    said = CliRunner().invoke(
        check_jsonschema, ["--builtin-schema", "vendor.compose-spec", str(ROOT / "compose.yaml")]
    )
    assert said.exit_code == 0, said.output


@pytest.mark.parametrize("each", resources(), ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_kubernetes_takes_every_resource(each: dict[str, Any]) -> None:
    kubernetes_validate.validate(each, VERSION, strict=True)


def test_a_misspelt_key_would_be_seen() -> None:
    wrong = json.loads(json.dumps(resources()[1]))
    wrong["spec"]["template"]["spec"]["containers"][0]["livenessProb"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="livenessProb"):
        kubernetes_validate.validate(wrong, VERSION, strict=True)


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian's package prometheus has it)")
@pytest.mark.parametrize("what", [("check", "config", "prometheus.yml"), ("test", "rules", "rules.test.yml")])
def test_prometheus_takes_its_files_and_each_alert_fires_when_it_should(what: tuple[str, ...]) -> None:
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, *what], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# Every figure that is asked for is one that the bot shows.


def full() -> Metrics:
    """Figures with every label."""
    metrics = Metrics()
    metrics.show(lambda: [Turnstile("engine", 1)])
    metrics.watch_engine(lambda: Load((1,), 2, 1))
    metrics.expect(["backup"])
    metrics.messages.labels("discord")
    metrics.replies.labels("base", "model")
    metrics.notices.labels("honesty")
    metrics.model_seconds.labels("base")
    metrics.tokens.labels("base", "prompt")
    metrics.cost.labels("base")
    return metrics


def shown() -> dict[str, set[str]]:
    """The names of the samples at /metrics, each with its labels."""
    families = text_string_to_metric_families(generate_latest(full().registry).decode())
    # Prometheus adds the two, and calls a label of ours that is already taken by its own name.
    renamed = {"job": "exported_job"}
    return {
        sample.name: {renamed.get(name, name) for name in sample.labels} | {"instance", "job"}
        for family in families
        for sample in family.samples
    } | {"up": {"instance", "job"}}


def asked() -> list[str]:
    """Every expression of a rule or a panel."""
    (rules,) = documents(PROMETHEUS / "rules.yml")
    found = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    for path in (DEPLOY / "grafana" / "dashboards").glob("*.json"):
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            found += [target["expr"].replace("$__rate_interval", "5m") for target in panel["targets"]]
    assert len(found) > 20
    return found


def parts(expression: Any, by: frozenset[str] = frozenset()) -> Iterator[tuple[str, set[str]]]:
    """Each series that an expression asks for, with the labels that it is asked by."""
    if isinstance(expression, promql.VectorSelector):
        assert expression.name
        yield expression.name, {each.name for each in expression.matchers.matchers} | by
    elif isinstance(expression, promql.MatrixSelector):
        yield from parts(expression.vector_selector, by)
    elif isinstance(expression, promql.AggregateExpr):
        labels = frozenset(expression.modifier.labels) if expression.modifier else frozenset()
        yield from parts(expression.expr, labels)
    elif isinstance(expression, promql.Call):
        for each in expression.args:
            yield from parts(each, by)
    elif isinstance(expression, promql.BinaryExpr):
        yield from parts(expression.lhs, by)
        yield from parts(expression.rhs, by)
    elif isinstance(expression, promql.ParenExpr):
        yield from parts(expression.expr, by)
    else:
        assert isinstance(expression, promql.NumberLiteral), type(expression)


@pytest.mark.parametrize("expression", asked())
def test_every_figure_that_is_asked_for_is_one_that_the_bot_shows(expression: str) -> None:
    figures = shown()
    for name, labels in parts(promql.parse(expression)):
        assert name in figures, f"the bot shows no {name}"
        assert labels <= figures[name], f"{name} has {sorted(figures[name])}"


def test_a_figure_that_nobody_shows_would_be_seen() -> None:
    ((name, labels),) = parts(promql.parse('sum by (le) (rate(pupil_reply_minutes_bucket{a="b"}[5m]))'))
    assert (name, labels) == ("pupil_reply_minutes_bucket", {"a", "le"})
    assert name not in shown()


def test_where_something_goes_wrong_is_a_place_that_is_shown_from_the_start() -> None:
    """An alert on a counter that appears with its first failure would not see that one."""
    named = set()
    for path in (ROOT / "bot").rglob("*.py"):
        named |= set(re.findall(r'failures\.labels\("([^"]+)"\)', path.read_text(encoding="utf-8")))
    at_start = generate_latest(Metrics().registry).decode()
    assert named
    for where in named:
        assert f'pupil_failures_total{{where="{where}"}} 0.0' in at_start
    assert 'pupil_deadline_misses_total{outcome="given up"} 0.0' in at_start


def test_every_alert_is_tried() -> None:
    (rules,) = documents(PROMETHEUS / "rules.yml")
    (tried,) = documents(PROMETHEUS / "rules.test.yml")
    alerts = {rule["alert"] for group in rules["groups"] for rule in group["rules"]}
    fired = {
        each["alertname"] for test in tried["tests"] for each in test["alert_rule_test"] if each["exp_alerts"]
    }
    assert fired == alerts


@pytest.mark.skipif(PROMETHEUS_SERVER is None, reason="prometheus is not installed")
async def test_a_real_prometheus_finds_the_bot_and_answers_every_question(tmp_path: Path) -> None:
    server = MetricsServer(full(), lambda: True)
    port = await server.start("127.0.0.1", 0)
    with socket.create_server(("127.0.0.1", 0)) as free:
        own = free.getsockname()[1]
    shutil.copy(PROMETHEUS / "rules.yml", tmp_path)
    config = (PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8").replace(": 15s", ": 1s")
    config = re.sub(r"targets: .*", f'targets: ["127.0.0.1:{port}"]', config)
    (tmp_path / "prometheus.yml").write_text(config, encoding="utf-8")
    options = (
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        f"--web.listen-address=127.0.0.1:{own}",
    )
    program = await asyncio.create_subprocess_exec(
        str(PROMETHEUS_SERVER), *options, cwd=tmp_path, stderr=asyncio.subprocess.DEVNULL
    )
    api = f"http://127.0.0.1:{own}/api/v1"
    try:
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:

            async def ask(path: str, **query: str) -> Any:
                async with session.get(f"{api}/{path}", params=query) as answer:
                    return await answer.json()

            rules: list[dict[str, Any]] = []
            while not rules or any(rule["health"] == "unknown" for rule in rules):
                await asyncio.sleep(0.1)
                with contextlib.suppress(aiohttp.ClientError):
                    rules = [
                        each for group in (await ask("rules"))["data"]["groups"] for each in group["rules"]
                    ]
            assert [rule["lastError"] for rule in rules if rule["health"] != "ok"] == []
            while not (await ask("query", query='up{job="pupil"} == 1'))["data"]["result"]:
                await asyncio.sleep(0.1)
            for expression in asked():
                assert (await ask("query", query=expression))["status"] == "success", expression
    finally:
        program.terminate()
        await program.wait()
        await server.aclose()


# In step with the program.


@pytest.fixture(scope="module", params=[KUBERNETES, DEPLOY / "compose"], ids=lambda path: path.name)
def settings(request: pytest.FixtureRequest) -> Settings:
    return load(request.param / "config.toml", environment_file=None)


def test_the_settings_are_sound_and_can_be_reached(settings: Settings) -> None:
    assert str(settings.data) == "/app/data"
    assert settings.section(WebSettings).address
    assert settings.metrics.host == settings.section(WebSettings).host == "0.0.0.0"  # noqa: S104 - of a container
    assert settings.jobs.backup == "", "PostgreSQL's are not ours"


def test_there_is_time_to_finish_what_is_in_hand(settings: Settings) -> None:
    longest = settings.classroom.shutdown_seconds
    for name, service in COMPOSE["services"].items():
        if service.get("image") == "pupil":
            assert int(service["stop_grace_period"].removesuffix("s")) >= longest + 10, name
    for pod in pods():
        slept = int(pod["spec"]["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
        assert pod["spec"]["terminationGracePeriodSeconds"] >= slept + longest + 10


def commands() -> list[list[str]]:
    return [each["command"] for each in in_pods()] + [
        service["command"]
        for service in COMPOSE["services"].values()
        if service.get("image") == "pupil" and "command" in service
    ]


def test_every_command_is_one_of_the_program_and_names_its_settings() -> None:
    for command in commands():
        assert command[:3] == ["python", "-m", "bot"]
        assert command[-1] in {each.name for each in PLATFORMS} | {"/etc/pupil/config.toml"}
        said = TyperRunner().invoke(command_line, [*command[3:], "--help"])
        assert said.exit_code == 0, said.output
        given = [each for option, each in pairwise(command) if option == "--platform"]
        assert set(given) <= {each.name for each in PLATFORMS}


def test_ports_and_probes_are_those_of_the_settings() -> None:
    found = load(KUBERNETES / "config.toml", environment_file=None)
    ports = {"slack": found.section(SlackSettings).port, "web": found.section(WebSettings).port}
    assert found.section(SlackSettings).mode == "http"
    for pod in pods():
        (bot,) = pod["spec"]["containers"]
        named = {each["name"]: each["containerPort"] for each in bot["ports"]}
        component = pod["metadata"]["labels"]["app.kubernetes.io/component"]
        assert (
            named["metrics"]
            == found.metrics.port
            == int(pod["metadata"]["annotations"]["prometheus.io/port"])
        )
        assert named.get("http") == ports.get(component)
        assert bot["livenessProbe"]["httpGet"]["path"] == "/livez"
        assert bot["startupProbe"]["httpGet"]["path"] == "/healthz"
        assert bot["readinessProbe"].keys() & {"httpGet", "tcpSocket"}
        assert [each["name"] for each in pod["spec"]["initContainers"]] == ["migrate"]
    for each in resources():
        if each["kind"] == "Service":
            (port,) = each["spec"]["ports"]
            assert port["targetPort"] in {"http", "metrics"}
    (scraped,) = documents(PROMETHEUS / "prometheus.yml")[0]["scrape_configs"]
    for target in scraped["static_configs"][0]["targets"]:
        service, _, port = target.partition(":")
        assert "team" in COMPOSE["services"][service]["profiles"]
        assert int(port) == found.metrics.port


def test_all_shards_are_served_once() -> None:
    (pod,) = (
        each for each in pods() if each["metadata"]["labels"]["app.kubernetes.io/component"] == "discord"
    )
    (stateful,) = (each for each in resources() if each["kind"] == "StatefulSet")
    shards = {each["name"]: each.get("value") for each in pod["spec"]["containers"][0]["env"]}
    assert shards["PUPIL_DISCORD_SHARDS"] == f"$(POD_NUMBER)/{stateful['spec']['replicas']}"
    composed = [each.get("environment", {}) for each in COMPOSE["services"].values()]
    served = sorted(each["PUPIL_DISCORD_SHARDS"] for each in composed if "PUPIL_DISCORD_SHARDS" in each)
    assert served == [f"{number}/{len(served)}" for number in range(len(served))]


def test_nobody_has_rights_that_they_do_not_need() -> None:
    for each in in_pods():
        assert each["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
    for pod in pods():
        assert pod["spec"]["securityContext"]["runAsUser"] == 10001
        assert pod["spec"]["automountServiceAccountToken"] is False
    for name, service in COMPOSE["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        # Whatever is published is so for this machine alone.
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        for volume in service.get("volumes", ()):
            assert volume.startswith("./") <= volume.endswith(":ro"), name


def test_every_file_that_is_mounted_is_there() -> None:
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", ()):
            if volume.startswith("./"):
                assert (ROOT / volume.split(":")[0]).exists(), volume


# How a process starts and ends.


class Messenger:
    """A platform on which one question is asked; when the model has it, the program is told to stop."""

    name = "messenger"
    heard: ClassVar[list[str]] = []
    seen: ClassVar[list[tuple[str, str, int]]] = []
    words: ClassVar[OpenAIServer]
    url: ClassVar[str]

    def __init__(self, settings: Settings, classroom: Classroom, commands: Commands) -> None:
        del settings, commands
        self._classroom = classroom

    async def serve(self) -> None:
        await self.look("serving")
        self.words.enqueue(text="It is 45.", delay=0.5)
        note = Message(
            "messenger:1", self.name, "here", None, "ann", "What is 52 minus 17?", datetime.now(UTC)
        )
        landed = Listener()
        answer = asyncio.create_task(self._classroom.receive(note, landed))
        await self.words.arrived.wait()
        signal.raise_signal(signal.SIGTERM)
        await asyncio.sleep(0)
        await self.look("stopping")
        await answer
        self.heard.extend(landed.words)
        await asyncio.Event().wait()

    async def look(self, when: str) -> None:
        for path in ("livez", "healthz"):
            self.seen.append((when, path, (await get(f"{self.url}/{path}"))[0]))

    async def announce(self, channel: str, text: str) -> None:
        raise AssertionError(f"nothing is to be said in {channel}: {text}")


async def _there(_: Settings, channel: str) -> None:
    del channel


def test_a_process_is_ready_while_it_serves_and_alive_until_all_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told to stop while the child thinks: no balancer sends it more, nobody kills it, and the answer is given."""
    spec = PlatformSpec(
        "messenger", "Messenger", "typer", "", {"MESSENGER_TOKEN": "Any."}, PlatformSettings,
        lambda _: ("MESSENGER_TOKEN",), _there, Messenger,
    )  # fmt: skip
    monkeypatch.setattr(platforms, "PLATFORMS", (*PLATFORMS, spec))
    monkeypatch.setenv("MESSENGER_TOKEN", "any")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    Messenger.url = f"http://127.0.0.1:{port}"

    async def served() -> None:
        async with OpenAIServer() as Messenger.words:
            (tmp_path / "config.toml").write_text(
                f"data = '{ROOT / 'data'}'\ndatabase = 'pupil.db'\n[metrics]\nport = {port}\n[jobs]\nbackup = ''\n"
                "[student]\nmodel = 'cloud'\nfallback = 'cloud'\n[models.cloud]\nprovider = 'compatible'\nmodel = 'm'\n"
                f"base_url = '{Messenger.words.base_url}'\n",
                encoding="utf-8",
            )
            settings = load(tmp_path / "config.toml", environment_file=None)
            await app.run(settings, wanted=app.chosen(settings, ["messenger"]))

    asyncio.run(served())
    assert Messenger.seen == [
        ("serving", "livez", 200), ("serving", "healthz", 200), ("stopping", "livez", 200), ("stopping", "healthz", 503),
    ]  # fmt: skip
    assert len(Messenger.heard) == 1, "what was in hand was answered"


def test_only_platforms_that_are_there_and_set_up_can_be_chosen(tmp_path: Path) -> None:
    settings = load(ROOT / "config.toml", environment_file=None)
    assert app.chosen(settings, []) is None
    with pytest.raises(ConfigError, match="--platform: no 'discrod'; did you mean 'discord'"):
        app.chosen(settings, ["discrod"])
    with pytest.raises(ConfigError, match="--platform discord: not set up"):
        app.chosen(settings, ["discord"])
    (tmp_path / "environment").write_text("DISCORD_TOKEN=t\nSLACK_BOT_TOKEN=s\n", encoding="utf-8")
    settings = load(ROOT / "config.toml", environment_file=tmp_path / "environment")
    assert [each.name for each in app.chosen(settings, ["slack"]) or ()] == ["slack"]
    assert [each.name for each in app.chosen(settings, ["slack", "web", "discord"]) or ()] == [
        "discord",
        "slack",
    ]
