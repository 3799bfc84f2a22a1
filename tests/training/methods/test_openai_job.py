"""A job from files to a published model, over a real socket, with every step breaking once."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import pytest_asyncio
from pydantic import SecretStr

from bot.models import artifact, catalogue
from bot.models.manifest import Base
from tests.fakes.fine_tuning_server import MODELS, STEPS, Fault, FineTuningServer
from tests.fakes.openapi import ApiDescription
from training.methods import openai_job, openai_run
from training.methods.openai_api import Pace, Unreachable
from training.methods.openai_job import FineTuning
from training.methods.openai_publish import publish
from training.methods.openai_run import FineTuningError, Run

KEY = "sk-test-4b1d77e0"
MODEL = "gpt-4o-mini-2024-07-18"
CREATE = "POST /fine_tuning/jobs"
FAST = Pace(poll=0.0, settle=0.0, look=0.0, retries=0, timeout=5.0)
SHORT = ["queued", "running", "succeeded"]
ROW = {
    "messages": [{"role": "user", "content": "3 plus 3?"}, {"role": "assistant", "content": "6", "weight": 1}]
}
ANSWERS = {
    "POST /files": "OpenAIFile",
    "GET /files": "ListFilesResponse",
    CREATE: "FineTuningJob",
    "GET /fine_tuning/jobs": "ListPaginatedFineTuningJobsResponse",
    "events": "ListFineTuningJobEventsResponse",
    "checkpoints": "ListFineTuningJobCheckpointsResponse",
}


class Crash(BaseException):
    """The process ends here."""


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FineTuningServer]:
    """The provider; whatever a test did, every request and answer was one that OpenAI's description has."""
    async with FineTuningServer() as running:
        yield running
        for call in running.calls:
            assert KEY in (call.headers.get("authorization", "") + call.headers.get("api-key", ""))
            if (description := api()) is not None and "api-key" not in call.headers:
                check(description, call)
        if (description := api()) is not None and not any(
            "api-key" in call.headers for call in running.calls
        ):
            for path, body in running.answers:
                name = next((ANSWERS[key] for key in (path, path.rpartition("/")[2]) if key in ANSWERS), None)
                name = name or ("OpenAIFile" if "/files/" in path else "FineTuningJob")
                jsonschema.Draft202012Validator(
                    {"$ref": f"spec:api#/components/schemas/{name}"}, registry=description._registry
                ).validate(body)


@pytest.fixture(autouse=True)
def _quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is lost when the power fails is not shown here, and a slow disk would be most of the time."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@cache
def api() -> ApiDescription | None:
    folder = os.environ.get("PUPIL_API_SPECS")
    return ApiDescription(Path(folder) / "openai.json") if folder else None


def check(description: ApiDescription, call: Any) -> None:
    body = call.body
    if call.media == "multipart/form-data":
        body = {key: value for key, value in body.items() if key != "filename"}
    description.check(call.method, call.path, call.query, body, call.media or "application/json")


def begun(server: FineTuningServer, runs: Path, rows: int = 12, **changes: Any) -> Run:
    """A run as the command leaves it before anything is sent."""
    values = {"provider": "openai", "base_url": server.base_url, "key_variable": "OPENAI_API_KEY"}
    settings = {
        "endpoint": openai_run.Endpoint(**{**values, **changes.pop("endpoint", {})}),
        "model": MODEL,
        "epochs": 3,
        "seed": 7,
    }
    now = dt.datetime.fromtimestamp(server.clock, dt.UTC)
    run = Run(
        id=openai_run.new_id(now),
        created_at=now,
        settings=openai_run.Settings(**{**settings, **changes}),
        data=openai_run.Data(
            sha256="0" * 64,
            dialogues=rows + 2,
            training_rows=rows,
            validation_rows=2,
            tokens=(100, 150),
            prompt_version="1",
        ),
        usd_per_million_training=3.0,
    )
    openai_run.save(runs, run)
    for name, count in (("training", rows), ("validation", 2)):
        (runs / run.id / f"{name}.jsonl").write_text(f"{json.dumps(ROW)}\n" * count, encoding="utf-8")
    return run


def tuning(run: Run, tmp_path: Path, *, pace: Pace = FAST, said: list[str] | None = None) -> FineTuning:
    return FineTuning(
        openai_run.load(tmp_path / "runs", run.id),
        tmp_path / "runs",
        SecretStr(KEY),
        publish=lambda trained: publish(trained, tmp_path / "models"),
        tell=lambda _, messages: said.extend(messages) if said is not None else None,
        pace=pace,
    )


async def to_end(run: Run, tmp_path: Path, **options: Any) -> Run:
    async with tuning(run, tmp_path, **options) as job:
        return await job.to_end()


def on_disk(run: Run, tmp_path: Path) -> Run:
    return openai_run.load(tmp_path / "runs", run.id)


async def test_from_files_to_a_published_model(server: FineTuningServer, tmp_path: Path) -> None:
    said: list[str] = []
    run = begun(server, tmp_path / "runs")
    ended = await to_end(run, tmp_path, said=said)
    assert ended == on_disk(run, tmp_path)
    assert ended.status == "published"
    (create,) = server.created()
    assert create.body == {
        "model": MODEL,
        "training_file": "file-0001",
        "validation_file": "file-0002",
        "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 3}}},
        "seed": 7,
        "suffix": "openai",
        "metadata": {"run_id": run.id, "program": "pupil"},
    }
    assert [file["purpose"] for file in server.files.values()] == ["fine-tune", "fine-tune"]
    assert server.contents["file-0001"] == (tmp_path / "runs" / run.id / "training.jsonl").read_text()
    assert said == [
        "Created fine-tuning job: ftjob-0001",
        "The job is now queued.",
        "The job is now succeeded.",
    ]
    assert (ended.step, ended.steps, ended.train_loss, ended.valid_loss) == (STEPS, STEPS, 0.5, 0.6)
    assert [(each.step, each.train_loss, each.valid_loss) for each in ended.checkpoints] == [
        (2, 1.0, 1.1),
        (4, 0.5, 0.6),
    ]
    assert ended.cost_usd == pytest.approx(0.036)
    manifest = artifact.take(tmp_path / "models" / "openai" / run.id)
    tuned = f"ft:{MODEL}:org-test:openai:0001"
    assert (manifest.kind, manifest.base) == ("openai", Base(id=tuned, endpoint=server.base_url))
    assert (manifest.training.tokens, manifest.training.cost_usd) == (12_000, ended.cost_usd)
    assert catalogue.promotions(tmp_path / "models", "openai")[0].version == run.id


async def test_without_epochs_and_validation_the_provider_chooses(
    server: FineTuningServer, tmp_path: Path
) -> None:
    run = begun(server, tmp_path / "runs", epochs=None)
    openai_run.save(
        tmp_path / "runs", run.model_copy(update={"data": run.data.model_copy(update={"validation_rows": 0})})
    )
    assert (await to_end(run, tmp_path)).status == "published"
    (create,) = server.created()
    assert create.body["method"]["supervised"]["hyperparameters"] == {"n_epochs": "auto"}
    assert "validation_file" not in create.body
    assert len(server.files) == 1


@pytest.mark.parametrize("kind", ["lost", "cut"])
async def test_a_connection_lost_at_any_request_costs_one_job_at_most(
    server: FineTuningServer, tmp_path: Path, kind: Any
) -> None:
    """Every request in turn is lost before it is done, or done and its answer lost; then the run is resumed."""
    server.pace = SHORT
    number = 0
    while True:
        server.calls.clear()
        before = len(server.jobs)
        server.faults = {number: Fault(kind)}
        run = begun(server, tmp_path / "runs")
        try:
            ended = await to_end(run, tmp_path)
        except FineTuningError as error:
            assert KEY not in str(error)
            assert not server.faults or len(server.calls) > number
            server.faults = {}
            ended = await to_end(run, tmp_path)
        assert ended.status == "published"
        assert len(server.jobs) == before + 1
        names = [file["filename"] for file in server.files.values() if run.id in file["filename"]]
        assert sorted(names) == [f"{run.id}-training.jsonl", f"{run.id}-validation.jsonl"]
        if number >= len(server.calls):
            break
        number += 1
    assert number > 12


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_crash_at_any_step_resumes_without_a_second_job(
    server: FineTuningServer, tmp_path: Path, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends at the n-th time that the run is written down, for every n."""
    server.pace = SHORT
    save, crashes = openai_run.save, 0
    while True:
        left = crashes
        before = len(server.jobs)
        run = begun(server, tmp_path / "runs")

        def dying(runs: Path, given: Run) -> Run:
            nonlocal left
            left -= 1
            if left < 0 and when == "before":
                raise Crash
            saved = save(runs, given)
            if left < 0:
                raise Crash
            return saved

        with monkeypatch.context() as patch:
            patch.setattr(openai_job, "save", dying)
            try:
                await to_end(run, tmp_path)
            except Crash:
                crashed = True
            else:
                crashed = False
        ended = await to_end(run, tmp_path)
        assert ended.status == "published"
        assert len(server.jobs) == before + 1
        assert catalogue.versions(tmp_path / "models", "openai").count(run.id) == 1
        if not crashed:
            break
        crashes += 1
    assert crashes > 8


async def test_a_crash_between_publishing_and_writing_it_down(
    server: FineTuningServer, tmp_path: Path
) -> None:
    run = begun(server, tmp_path / "runs")

    def publish_and_die(trained: Run) -> None:
        publish(trained, tmp_path / "models")
        raise Crash

    job = tuning(run, tmp_path)
    job._publish = publish_and_die
    async with job:
        with pytest.raises(Crash):
            await job.to_end()
    assert on_disk(run, tmp_path).status == "trained"
    assert (await to_end(run, tmp_path)).status == "published"
    assert catalogue.versions(tmp_path / "models", "openai") == [run.id]


async def test_a_job_whose_answer_was_cut_is_found_when_it_turns_up_late(
    server: FineTuningServer, tmp_path: Path
) -> None:
    run = begun(server, tmp_path / "runs")
    server.faults_at = {CREATE: [Fault("cut")]}
    server.hidden_lists = 3
    ended = await to_end(run, tmp_path, pace=Pace(poll=0.0, settle=30.0, look=0.01, retries=0))
    assert ended.status == "published"
    assert len(server.created()) == len(server.jobs) == 1


async def test_a_job_that_does_not_turn_up_is_not_asked_for_again_unasked(
    server: FineTuningServer, tmp_path: Path
) -> None:
    run = begun(server, tmp_path / "runs")
    server.faults_at = {CREATE: [Fault("status", 503)]}
    with pytest.raises(Unreachable, match=rf"no job is to be seen; resume {run.id} looks again"):
        await to_end(run, tmp_path)
    assert (len(server.created()), len(server.jobs)) == (1, 0)
    assert on_disk(run, tmp_path).status == "creating"
    assert (await to_end(run, tmp_path)).status == "published"
    assert len(server.jobs) == 1


async def test_the_sdk_never_repeats_the_request_that_costs(server: FineTuningServer, tmp_path: Path) -> None:
    run = begun(server, tmp_path / "runs")
    server.faults_at = {CREATE: [Fault("status", 500, {"x-should-retry": "true", "retry-after-ms": "1"})] * 2}
    with pytest.raises(Unreachable):
        await to_end(run, tmp_path, pace=Pace(poll=0.0, settle=0.0, retries=5))
    assert len(server.created()) == 1


async def test_the_list_of_jobs_is_looked_through_page_by_page(
    server: FineTuningServer, tmp_path: Path
) -> None:
    """Without metadata in the answers, the file that the run uploaded says which job is its own."""
    server.keeps_metadata = False
    run = begun(server, tmp_path / "runs")
    server.faults_at = {CREATE: [Fault("cut")]}
    server.on_call = None

    async def others(call: Any) -> None:
        if (call.method, call.path) == ("POST", "/fine_tuning/jobs") and len(server.jobs) == 1:
            mine = server.jobs["ftjob-0001"]
            for number in range(2, 252):
                name = f"ftjob-{number:04}"
                server.jobs[name] = {**mine, "id": name, "training_file": "file-9999"}

    server.on_call = others
    assert (await to_end(run, tmp_path)).job == "ftjob-0001"
    assert len(server.created()) == 1
    pages = [call.query for call in server.calls if (call.method, call.path) == ("GET", "/fine_tuning/jobs")]
    assert [page.get("after") for page in pages] == [None, None, "ftjob-0152", "ftjob-0052"]


async def test_another_runs_job_is_not_taken(server: FineTuningServer, tmp_path: Path) -> None:
    """A server that gives the same content the same file id must not give two runs the same job."""
    first, second = begun(server, tmp_path / "runs"), begun(server, tmp_path / "runs")
    await to_end(first, tmp_path)
    for name in ("training_file", "validation_file"):
        second = second.model_copy(update={name: getattr(on_disk(first, tmp_path), name)})
    openai_run.save(tmp_path / "runs", second.model_copy(update={"status": "uploaded"}))
    assert (await to_end(second, tmp_path)).job == "ftjob-0002"


async def test_too_many_requests_are_waited_out(server: FineTuningServer, tmp_path: Path) -> None:
    run, said = begun(server, tmp_path / "runs"), list[str]()
    busy = Fault("status", 429, {"retry-after": "0"}, code="rate_limit_exceeded")
    server.faults_at = {CREATE: [busy, busy], "POST /files": [busy], "GET /fine_tuning/jobs": [busy]}
    server.faults_at["GET /fine_tuning/jobs/ftjob-0001"] = [busy] * 5
    ended = await to_end(run, tmp_path, said=said, pace=Pace(poll=0.0, settle=0.0, retries=3))
    assert ended.status == "published"
    assert (len(server.created()), len(server.jobs)) == (3, 1)
    assert said[:2] == ["too many requests; the next try is in 0 s"] * 2
    assert any(line.endswith("answered HTTP 429: No.; trying again") for line in said)


async def test_no_quota_left_is_said_at_once(server: FineTuningServer, tmp_path: Path) -> None:
    run = begun(server, tmp_path / "runs")
    server.faults_at = {
        CREATE: [Fault("status", 429, code="insufficient_quota", message="You exceeded your current quota.")]
    }
    with pytest.raises(Unreachable, match="HTTP 429: You exceeded your current quota"):
        await to_end(run, tmp_path)
    assert on_disk(run, tmp_path).status == "uploaded"
    assert (len(server.created()), len(server.jobs)) == (1, 0)


@pytest.mark.parametrize(
    ("status", "message", "told"),
    [
        (
            401,
            f"Incorrect API key provided: {KEY[:7]}***",
            r"^credentials refused \(HTTP 401\): check OPENAI_API_KEY$",
        ),
        (403, "Fine-tuning is closed.", r"^credentials refused \(HTTP 403\)"),
        (400, f"Bad seed, {KEY}.", r"answered HTTP 400: Bad seed, \*\*\*\.$"),
    ],
)
async def test_a_refusal_is_told_without_the_key_and_can_be_resumed(
    server: FineTuningServer, tmp_path: Path, status: int, message: str, told: str
) -> None:
    run = begun(server, tmp_path / "runs")
    server.faults_at = {CREATE: [Fault("status", status, message=message)]}
    with pytest.raises(FineTuningError, match=told) as caught:
        await to_end(run, tmp_path)
    record = (tmp_path / "runs" / run.id / "run.json").read_text()
    assert KEY[:7] not in str(caught.value) + record
    assert on_disk(run, tmp_path).status == "uploaded"
    assert (await to_end(run, tmp_path)).status == "published"


async def test_a_model_that_cannot_be_trained(server: FineTuningServer, tmp_path: Path) -> None:
    assert "gpt-9" not in MODELS
    run = begun(server, tmp_path / "runs", model="gpt-9")
    with pytest.raises(FineTuningError, match="HTTP 400: Model gpt-9 is not available for fine-tuning"):
        await to_end(run, tmp_path)
    assert server.jobs == {}


async def test_a_file_that_fails_the_providers_validation(server: FineTuningServer, tmp_path: Path) -> None:
    run, said = begun(server, tmp_path / "runs", rows=9), list[str]()
    ended = await to_end(run, tmp_path, said=said)
    assert ended.status == "failed"
    assert ended.error == "The training file has 9 examples, expected 10. (training_file)"
    assert not (tmp_path / "models").exists()
    calls = len(server.calls)
    assert await to_end(run, tmp_path) == ended
    assert len(server.calls) == calls


async def test_a_file_that_the_provider_cannot_read(server: FineTuningServer, tmp_path: Path) -> None:
    run = begun(server, tmp_path / "runs")
    server.file_status = ["uploaded", "uploaded", "error"]
    ended = await to_end(run, tmp_path)
    assert ended.status == "failed"
    assert ended.error == f"the provider cannot read {run.id}-training.jsonl: line 3 is no JSON"
    assert server.created() == []


async def test_files_are_waited_for_before_a_job_is_asked_for(
    server: FineTuningServer, tmp_path: Path
) -> None:
    run = begun(server, tmp_path / "runs")
    server.file_status = ["uploaded", "uploaded", "processed"]
    assert (await to_end(run, tmp_path)).status == "published"
    paths = [call.path for call in server.calls]
    looks = [number for number, path in enumerate(paths) if path.startswith("/files/")]
    assert len(looks) == 6
    assert looks[-1] < paths.index("/fine_tuning/jobs")


async def test_a_failed_job(server: FineTuningServer, tmp_path: Path) -> None:
    run = begun(server, tmp_path / "runs")
    server.pace = ["validating_files", "queued", "running", "failed"]
    ended = await to_end(run, tmp_path)
    assert (ended.status, ended.error, ended.step) == ("failed", "It broke.", 1)
    assert not (tmp_path / "models").exists()


async def test_an_outage_while_the_job_runs_is_waited_out(server: FineTuningServer, tmp_path: Path) -> None:
    run, said = begun(server, tmp_path / "runs"), list[str]()
    server.faults_at = {
        "GET /fine_tuning/jobs/ftjob-0001": [Fault("lost"), Fault("status", 502), Fault("cut")]
    }
    assert (await to_end(run, tmp_path, said=said)).status == "published"
    assert sum(line.endswith("; trying again") for line in said) == 3
    assert said.count("Created fine-tuning job: ftjob-0001") == 1


async def test_once_follows_and_publishes_but_never_starts(server: FineTuningServer, tmp_path: Path) -> None:
    run = begun(server, tmp_path / "runs")

    async def once() -> Run:
        async with tuning(run, tmp_path) as job:
            return await job.once()

    assert (await once()).status == "prepared"
    assert server.calls == []
    server.faults_at = {CREATE: [Fault("cut")], "GET /fine_tuning/jobs": []}
    server.hidden_lists = 1
    with pytest.raises(Unreachable):
        await to_end(run, tmp_path)
    seen = [await once() for _ in range(8)]
    assert [each.status for each in seen] == ["training"] * 6 + ["published"] * 2
    assert [each.step for each in seen[:6]] == [None, None, 1, 2, 3, 4]
    assert len(server.created()) == 1


async def test_cancelling_a_running_job(server: FineTuningServer, tmp_path: Path) -> None:
    run = begun(server, tmp_path / "runs")
    server.faults_at = {"GET /fine_tuning/jobs/ftjob-0001": [Fault("status", 401)]}
    with pytest.raises(FineTuningError, match="HTTP 401"):
        await to_end(run, tmp_path)
    async with tuning(run, tmp_path) as job:
        assert (await job.cancel()).status == "cancelled"
    assert server.jobs["ftjob-0001"]["status"] == "cancelled"
    assert on_disk(run, tmp_path).status == "cancelled"
    assert (await to_end(run, tmp_path)).status == "cancelled"
    assert not (tmp_path / "models").exists()


async def test_a_cancellation_that_did_not_get_through_is_sent_again(
    server: FineTuningServer, tmp_path: Path
) -> None:
    run = begun(server, tmp_path / "runs")
    server.faults_at = {
        "GET /fine_tuning/jobs/ftjob-0001": [Fault("status", 401)],
        "POST /fine_tuning/jobs/ftjob-0001/cancel": [Fault("lost")],
    }
    with pytest.raises(FineTuningError):
        await to_end(run, tmp_path)
    server.faults_at["GET /fine_tuning/jobs/ftjob-0001"] = [Fault("lost")]
    async with tuning(run, tmp_path) as job:
        with pytest.raises(Unreachable):
            await job.cancel()
    assert (await to_end(run, tmp_path)).status == "cancelled"
    assert server.jobs["ftjob-0001"]["status"] == "cancelled"


async def test_cancelling_before_there_is_a_job_sends_nothing_later(
    server: FineTuningServer, tmp_path: Path
) -> None:
    run = begun(server, tmp_path / "runs")
    async with tuning(run, tmp_path) as job:
        assert (await job.cancel()).status == "cancelled"
    assert (await to_end(run, tmp_path)).status == "cancelled"
    assert server.calls == []


async def test_cancelling_after_a_cut_finds_the_job_first(server: FineTuningServer, tmp_path: Path) -> None:
    run = begun(server, tmp_path / "runs")
    server.faults_at = {CREATE: [Fault("cut")]}
    server.hidden_lists = 1
    with pytest.raises(Unreachable):
        await to_end(run, tmp_path)
    async with tuning(run, tmp_path) as job:
        assert (await job.cancel()).status == "cancelled"
    assert server.jobs["ftjob-0001"]["status"] == "cancelled"


async def test_cancelling_what_is_over_leaves_it_so(server: FineTuningServer, tmp_path: Path) -> None:
    run = begun(server, tmp_path / "runs")
    server.pace = ["succeeded"]
    server.faults_at = {"GET /fine_tuning/jobs/ftjob-0001": [Fault("status", 401)]}
    with pytest.raises(FineTuningError):
        await to_end(run, tmp_path)
    server.jobs["ftjob-0001"].update(status="succeeded", fine_tuned_model="ft:x", trained_tokens=1)
    async with tuning(run, tmp_path) as job:
        assert (await job.cancel()).status == "trained"
    assert (await to_end(run, tmp_path)).status == "published"


@pytest.mark.parametrize("dated", [True, False])
async def test_azure(server: FineTuningServer, tmp_path: Path, dated: bool) -> None:
    """Published, but not live: at Azure somebody must deploy the model first."""
    endpoint = {"provider": "azure", "key_variable": "AZURE_OPENAI_API_KEY"}
    endpoint |= {"base_url": server.root} if dated else {"base_url": f"{server.root}/openai/v1"}
    endpoint |= {"api_version": "2025-04-01-preview"} if dated else {}
    server.file_status = ["pending", "processed"] if dated else ["processed"]
    server.keeps_metadata = False
    run = begun(server, tmp_path / "runs", endpoint=endpoint)
    assert (await to_end(run, tmp_path)).status == "published"
    assert {call.query.get("api-version") for call in server.calls} == {
        "2025-04-01-preview" if dated else None
    }
    assert catalogue.versions(tmp_path / "models", "openai") == [run.id]
    assert catalogue.promotions(tmp_path / "models", "openai") == []


async def test_a_compatible_server_without_checkpoints(server: FineTuningServer, tmp_path: Path) -> None:
    server.knows_checkpoints = False
    run = begun(server, tmp_path / "runs", endpoint={"provider": "compatible", "key_variable": "OTHER_KEY"})
    ended = await to_end(run, tmp_path)
    assert (ended.status, ended.checkpoints) == ("published", ())


async def test_a_page_of_some_other_server_is_no_job(server: FineTuningServer, tmp_path: Path) -> None:
    run = begun(server, tmp_path / "runs", endpoint={"base_url": f"{server.root}/elsewhere"})
    with pytest.raises(FineTuningError, match="answered HTTP 404"):
        await to_end(run, tmp_path)
    server.calls.clear()


def test_two_processes_do_not_work_on_one_run(tmp_path: Path) -> None:
    (tmp_path / "openai-20261123-120000-abcdef").mkdir()
    run_id = "openai-20261123-120000-abcdef"
    with (
        openai_run.alone(tmp_path, run_id),
        pytest.raises(openai_run.RunBusy, match="another process"),
        openai_run.alone(tmp_path, run_id),
    ):
        raise AssertionError("both have it")
    with openai_run.alone(tmp_path, run_id):
        pass


@pytest.mark.parametrize(
    "url", ["ftp://x/v1", "https://me:secret@x/v1", "https://x/v1?key=secret", "x", "https://"]
)
def test_an_address_that_holds_a_secret_or_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="expected an address") as caught:
        openai_run.Endpoint(provider="compatible", base_url=url, key_variable="KEY")
    assert "secret" not in str(caught.value.errors(include_input=False))  # type: ignore[attr-defined]


def test_a_broken_record_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "openai-20261123-120000-abcdef"
    folder.mkdir()
    (folder / "run.json").write_text('{"method": "openai"')
    with pytest.raises(FineTuningError, match=r"run\.json"):
        openai_run.load(tmp_path, folder.name)
    with pytest.raises(FineTuningError, match=r"no run '\.\./x'"):
        openai_run.load(tmp_path, "../x")


def test_requests_are_as_openai_describes_them() -> None:
    description = api()
    if description is None:
        pytest.skip("PUPIL_API_SPECS names no folder with OpenAI's API description (openai.json)")
    good = {"model": MODEL, "training_file": "file-1", "method": {"type": "supervised"}}
    description.check("POST", "/fine_tuning/jobs", {}, good)
    for bad in ({**good, "training_file": 1}, {**good, "method": {"type": "magic"}}, {"model": MODEL}):
        with pytest.raises(AssertionError):
            description.check("POST", "/fine_tuning/jobs", {}, bad)
