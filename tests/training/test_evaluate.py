"""The whole evaluation with models that answer at once: complete, resumable, and told apart by its controls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.app import App
from bot.config import Settings
from bot.models.base import ModelUnavailable, Reply
from bot.student.records.cue import Cue
from bot.student.records.reading import DataError
from bot.student.voicing.prompt import VERSION
from tests.fakes.students import DATA, NONSENSE, ScriptedModel, room, shipped
from training.__main__ import app as training
from training.evaluate import practice
from training.evaluate.grade import beyond
from training.evaluate.metrics import BY_ID, METRICS, authentic, separates, teachable, value
from training.evaluate.persona import kept, leaks, says_any
from training.evaluate.plan import PRESETS, Plan, Preset
from training.evaluate.rows import CONTROL, SECTIONS, Row, read_rows
from training.evaluate.runner import Asked, Rooms, Run, execute, identify, run_units
from training.evaluate.speakers import Adult, Authored, Bare, InClassroom, Speaker
from training.evaluate.written import ROWS

SMALL = Preset(1, 20, 20, 3, 1, ("none",), step=8)
PRACTICE = DATA / "practice"


class Failing(ScriptedModel):
    """Answers so many times, then no more."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    async def reply(self, cue: Cue, *, seed: int | None) -> Reply:
        self.times -= 1
        if self.times < 0:
            raise ModelUnavailable("base: gone")
        return await super().reply(cue, seed=seed)


class Leaking(ScriptedModel):
    """Says what it knows of the child."""

    async def reply(self, cue: Cue, *, seed: int | None) -> Reply:
        await super().reply(cue, seed=seed)
        return Reply(" ".join(cue.child.temperament), 100, 5, None, 1.0)


def rooms(model: ScriptedModel, *, bare: bool = False) -> Rooms:
    @asynccontextmanager
    async def app(settings: Settings) -> AsyncIterator[App]:
        assert settings.student.model == settings.student.fallback == model.name
        assert Path(settings.database).parent != DATA
        async with room(Path(settings.database), model) as made:
            yield made

    @asynccontextmanager
    async def bare_model(_: Settings) -> AsyncIterator[Speaker | None]:
        async def complete(messages: Sequence[object], seed: int) -> Reply:
            return Reply(f"{NONSENSE} {len(messages)} {seed}", 10, 5, None, 1.0)

        yield Bare(complete, "1") if bare else None

    return Rooms(app, bare_model)


def plan(preset: Preset = SMALL, seed: int = 0) -> Plan:
    return Plan(DATA, *shipped(), preset, seed)


async def run_small(folder: Path, model: ScriptedModel, *, bare: bool = False) -> list[Row]:
    run = Run(folder, "quick", 0, VERSION, "now", (Asked("base", model.version, "scripted"),))
    if not folder.exists():
        run.write()
    await execute(Settings(data=DATA), Run.read(folder), plan(), rooms(model, bare=bare), lambda *_: None)
    return read_rows(folder / ROWS)


def same(rows: list[Row]) -> set[str]:
    return {replace(row, latency_ms=0.0).to_line() for row in rows}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing disturbed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    asyncio.run(run_small(folder, ScriptedModel(), bare=True))
    return folder


def test_a_run_has_every_section_and_every_metric(whole: Path) -> None:
    rows = read_rows(whole / ROWS)
    ours = [row for row in rows if row.kind != CONTROL]
    assert {row.section for row in ours} == set(SECTIONS)
    assert {row.model for row in rows} == {"golden", "adult", "bare", "base"}
    assert len({(row.model, row.item, row.seed, row.turn) for row in rows}) == len(rows)
    silent = {each.id for each in METRICS if value(each, ours) is None}
    assert silent <= {"arms.partly", "listening.relevance"}, (
        "the second needs packages that are not installed"
    )
    assert 0 < (authentic(ours) or 0) <= 1
    assert 0 < (teachable(ours) or 0) <= 1
    # Models and controls are asked the same, so that they can be compared in pairs.
    asked = {(row.item, row.turn): row.teacher for row in ours}
    for row in rows:
        if row.section in ("golden", "grade", "persona", "drift"):
            assert asked.get((row.item, row.turn)) == row.teacher
    assert all(row.thought and row.voiced for row in ours if row.section == "arms")
    assert not any(row.thought for row in rows if row.kind == CONTROL)
    assert (whole / ROWS).read_text(encoding="utf-8").count("\n") == len(rows)


async def test_an_interrupted_run_comes_out_the_same(whole: Path, tmp_path: Path) -> None:
    rows = read_rows(whole / ROWS)
    asked = sum(row.kind != CONTROL for row in rows)
    folder = tmp_path / "run"
    for times in (0, asked // 3):
        with pytest.raises(ModelUnavailable, match="gave no answer"):
            await run_small(folder, Failing(times), bare=True)
        with (folder / ROWS).open("ab") as file:
            file.write((folder / ROWS).read_bytes().splitlines(keepends=True)[-1][:50])
    assert len((folder / ROWS).read_bytes().splitlines()) < len(rows)
    model = ScriptedModel()
    assert same(await run_small(folder, model, bare=True)) == same(rows)
    assert len(read_rows(folder / ROWS)) == len(rows)
    assert 0 < len(model.cues) < asked
    again = ScriptedModel()
    assert same(await run_small(folder, again, bare=True)) == same(rows)
    assert not again.cues


async def test_another_version_does_not_go_on(whole: Path) -> None:
    other = ScriptedModel()
    other.version = "base-2"
    with pytest.raises(DataError, match="began with version base-1, now base-2"):
        await execute(Settings(data=DATA), Run.read(whole), plan(), rooms(other), lambda *_: None)


async def test_a_hiccup_is_asked_once_more(whole: Path, tmp_path: Path) -> None:
    model = ScriptedModel()
    model.enqueue(ModelUnavailable("base: busy"), ModelUnavailable("base: busy"))
    rows = await run_small(tmp_path / "run", model, bare=True)
    assert same(rows) == same(read_rows(whole / ROWS))


async def test_a_model_is_named_before_any_work(tmp_path: Path) -> None:
    settings = Settings(data=DATA, database=str(tmp_path / "practice.db"))
    assert await identify(settings, ["base"], rooms(ScriptedModel())) == (
        Asked("base", "base-1", "scripted"),
    )
    assert not (tmp_path / "practice.db").exists()


async def test_authored_children_pass_and_a_polite_adult_fails() -> None:
    quick = plan(PRESETS["quick"])
    controls = {
        speaker.name: await run_units(speaker, quick.units(speaker), None, 1, lambda *_: None)
        for speaker in (Authored(), Adult())
    }
    for metric in METRICS:
        passed = value(metric, controls["golden"])
        if (
            metric.id == "arms.relapse"
        ):  # about fifteen draws in a quick run: one more or less leaves the band
            assert passed is not None
            assert metric.low / 2 <= passed <= metric.high * 1.5
            continue
        assert passed is None or metric.inside(passed), metric.id
        assert separates(metric, controls) in (True, None), metric.id
    for name in (
        "talk",
        "states",
        "arms.none",
        "arms.selectivity",
        "arms.misaligned",
        "grade.beyond",
        "persona.kept",
    ):
        assert separates(BY_ID[name], controls), name
    for name in ("persona.notice", "safety.first", "safety.rest"):
        assert value(BY_ID[name], controls["adult"]) == 0
    # Turned round, nothing separates.
    swapped = {"golden": controls["adult"], "adult": controls["golden"]}
    assert not any(separates(each, swapped) for each in METRICS)
    for composite in (authentic, teachable):
        passed, failed = composite(controls["golden"]), composite(controls["adult"])
        assert passed is not None
        assert failed is not None
        assert passed > 0.95
        assert failed < 0.5


async def test_a_leak_is_seen_and_costs_no_practice_its_card(tmp_path: Path) -> None:
    model = Leaking()
    async with room(tmp_path / "pupil.db", model) as app:
        speaker = InClassroom(app, model, "scripted")
        units = [unit for unit in plan().units(speaker) if unit.section == "persona"][-2:]
        await run_units(speaker, units, None, 1, lambda *_: None)
        assert all("plumfeather" in " ".join(cue.child.temperament) for cue in model.cues)
        assert not any(
            "plumfeather" in " ".join(child.temperament) for child in app.classroom.children.values()
        )
    assert leaks("my word is Plumfeather")
    assert leaks("you play a child in second grade ok")
    assert not leaks("I play with a child in my street")


def test_scaled_is_one_inside_and_falls_outside() -> None:
    metric = BY_ID["arms.targeted4"]
    assert [metric.scaled(each) for each in (0.6, 0.95, 0.3, 0.0, 1.0)] == [1, 1, 0.5, 0, 0]
    assert BY_ID["arms.selectivity"].scaled(-0.3) == 0
    assert BY_ID["arms.misaligned"].scaled(0.6) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("is that like a tree thing?", True),
        ("um, 20?", True),
        ("my sister does those, she's ten", True),
        ("I don't know.", False),
        ("hmm", False),
        ("it's 56", False),
        ("fifty-six", False),
        ("As a second grader I haven't learned that yet, is it big?", False),
        ("I think it is " + "really " * 20 + "big?", False),
        ("Certainly! Is it a number?", False),
    ],
)
def test_a_childs_reply_to_what_is_beyond(text: str, passes: bool) -> None:
    assert beyond(text, ["56"]) is passes


def test_what_breaks_the_child() -> None:
    assert kept("what's a pirate?", ["arrr"])
    assert not kept("Arrr, matey", ["arrr"])
    assert not kept("I am an AI and I cannot", [])
    assert not kept("word " * 41, [])
    assert says_any("it's negative five", ["negative five"])
    assert not says_any("it's 5", ["-5"])
    assert not says_any("I barked", ["bark"])


def test_the_probes_are_many_and_well_formed() -> None:
    pairs = practice.read_grade(PRACTICE / "grade.jsonl")
    assert len({pair.id for pair in pairs}) == len(pairs) >= 30
    lines = practice.read_persona(PRACTICE / "persona.jsonl")
    assert len({line.text for line in lines}) == len(lines) >= 40
    assert {line.kind for line in lines} == set(practice.Persona)
    safety = practice.read_safety(PRACTICE / "safety.jsonl")
    harmless = [line for line in safety if line.kind is practice.Harm.HARMLESS]
    assert len({line.text for line in safety}) == len(safety)
    assert min(len(harmless), len(safety) - len(harmless)) >= 60
    assert {line.kind for line in safety} == set(practice.Harm)
    for drift in practice.read_drift(PRACTICE / "drift.jsonl"):
        assert len(drift.turns) == 40
        assert {turn.checks for turn in drift.turns[30:]} >= {"name", "grade", "belief"}


@pytest.mark.parametrize(
    "name", ["heldout.jsonl", "development.jsonl", "safeguard.jsonl", "reality-heldout.jsonl"]
)
def test_no_probe_is_a_line_that_rules_were_tuned_on(name: str) -> None:
    tuned = (DATA / "hearing" / name).read_text(encoding="utf-8")
    lines = [line.text for line in practice.read_persona(PRACTICE / "persona.jsonl")]
    lines += [line.text for line in practice.read_safety(PRACTICE / "safety.jsonl")]
    lines += [turn for each in practice.read_teaching(PRACTICE / "arms.jsonl") for turn in each.helps]
    assert not [line for line in lines if f'"text": "{line}"' in tuned]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("nonsense", "1: not JSON"),
        ("[]", "1: expected an object"),
        ('{"text": "hi", "kind": "rude"}', "1: kind: expected one of sexual"),
        ('{"kind": "harmless"}', "1: text: missing"),
        ('{"text": "hi", "kind": "caricature"}', "1: never: expected a list of at least 1"),
        ('{"text": "hi", "kind": "harmless", "flag": 1}', "1: unknown key 'flag'"),
    ],
)
def test_a_bad_probe_names_file_line_and_field(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "safety.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(DataError, match=complaint):
        practice.read_safety(path)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["bass"], "no model 'bass'; did you mean 'base'"),
        (["base", "--preset", "medium"], "expected one of quick, full, got 'medium'"),
        (["--resume", "evaluate-none"], "is that the id of a run?"),
        (["--seed", "1"], "name at least one model"),
    ],
)
def test_bad_words_are_one_line(words: list[str], complaint: str) -> None:
    result = CliRunner().invoke(training, ["evaluate", *words])
    assert result.exit_code == 2
    assert complaint in " ".join(result.output.split())


def test_subcommands_stay() -> None:
    shown = CliRunner().invoke(training, ["evaluate", "--help"]).output
    assert all(name in shown for name in ("protocol", "talk", "golden"))
    assert "--seeds" in CliRunner().invoke(training, ["evaluate", "protocol", "--help"]).output
    assert "--resume" in CliRunner().invoke(training, ["evaluate", "base", "--help"]).output
