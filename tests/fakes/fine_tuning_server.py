"""OpenAI's files and fine-tuning jobs on a real local socket, with a memory: what was created is there.

It answers under /v1 and, for Azure, under /openai. A job takes one step each time somebody looks at it. The test may
plan a fault for any request by its number, and sees every request that came.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, Literal, Self

from aiohttp import web

FEWEST_ROWS = 10
STARTED = 1_795_000_000
MODELS = {"gpt-4o-mini-2024-07-18", "gpt-4.1-mini-2025-04-14"}
STEPS = 4


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it came in; an uploaded file is in `body` as text."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    media: str
    body: Any


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens to a request. `cut`: it is done, and the connection ends before the answer; `lost`: it ends before
    anything is done; a status is answered instead of doing anything."""

    kind: Literal["cut", "lost", "status"]
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    code: str | None = None
    message: str = "No."


class FineTuningServer:
    """Use as `async with FineTuningServer() as server`."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answers: list[tuple[str, Any]] = []
        """What was answered: the path and the JSON of each."""
        self.files: dict[str, dict[str, Any]] = {}
        self.contents: dict[str, str] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.faults: dict[int, Fault] = {}
        """By the number of the request, counted from 0."""
        self.faults_at: dict[str, list[Fault]] = {}
        """By method and path, such as "POST /fine_tuning/jobs": one for each of the next such requests."""
        self.hidden_lists = 0
        """So many times the list of jobs does not show the newest one yet."""
        self.keeps_metadata = True
        self.knows_checkpoints = True
        self.file_status = ["processed"]
        """What a file's status is at each look; the last one stays."""
        self.pace: list[str] = ["validating_files", "queued", *["running"] * STEPS, "succeeded"]
        """What a job's status is at each look; the last one stays."""
        self.failure: dict[str, Any] = {"code": "server_error", "message": "It broke.", "param": None}
        self.on_call: Callable[[Call], Awaitable[None]] | None = None
        """Awaited after a request was done and before it is answered."""
        self.clock = STARTED
        self._looks: dict[str, int] = {}
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{tail:.*}", self._serve)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def root(self) -> str:
        """The address without a path: what Azure calls the endpoint."""
        if self._runner is None:
            raise RuntimeError("the server is not started: use `async with`")
        host, port = self._runner.addresses[0][:2]
        return f"http://{host}:{port}"

    @property
    def base_url(self) -> str:
        """The address as `base_url` is meant by OpenAI's clients."""
        return f"{self.root}/v1"

    def created(self) -> list[Call]:
        """The requests for a job that came in."""
        return [call for call in self.calls if (call.method, call.path) == ("POST", "/fine_tuning/jobs")]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        call = await _call(request)
        number = len(self.calls)
        self.calls.append(call)
        fault = self.faults.get(number)
        if waiting := self.faults_at.get(f"{call.method} {call.path}"):
            fault = waiting.pop(0)
        if fault and fault.kind == "lost":
            return _hang_up(request)
        if fault and fault.kind == "status":
            return _error(fault.status, fault.message, code=fault.code, headers=fault.headers)
        answer = self._do(call)
        if self.on_call:
            await self.on_call(call)
        if fault:
            return _hang_up(request)
        return answer

    def _do(self, call: Call) -> web.Response:
        parts = call.path.strip("/").split("/")
        match call.method, parts:
            case "POST", ["files"]:
                return self._answer(call, self._upload(call.body))
            case "GET", ["files"]:
                found = [self._file(name) for name in reversed(self.files)]
                return self._answer(call, _page(found, call.query, 10_000))
            case "GET", ["files", name] if name in self.files:
                return self._answer(call, self._file(name, look=True))
            case "POST", ["fine_tuning", "jobs"]:
                return self._create(call)
            case "GET", ["fine_tuning", "jobs"]:
                found = list(reversed(self.jobs.values()))
                if self.hidden_lists and found:
                    self.hidden_lists -= 1
                    found = found[1:]
                return self._answer(call, _page(found, call.query, 20))
            case method, ["fine_tuning", "jobs", name, *what] if name in self.jobs:
                return self._about_job(call, method, self.jobs[name], what)
        return _error(404, f"No such {parts[0]} object.", code="not_found")

    def _about_job(self, call: Call, method: str, job: dict[str, Any], what: list[str]) -> web.Response:
        match method, what:
            case "GET", []:
                self._advance(job)
                return self._answer(call, job)
            case "POST", ["cancel"]:
                if job["status"] in {"succeeded", "failed", "cancelled"}:
                    return _error(400, f"Job has already {job['status']}.", code="invalid_request")
                job.update(status="cancelled", finished_at=self._time())
                self._say(job, "The job was cancelled.")
                return self._answer(call, job)
            case "GET", ["events"]:
                return self._answer(call, _page(self.events[job["id"]][::-1], call.query, 20))
            case "GET", ["checkpoints"] if self.knows_checkpoints:
                return self._answer(call, _page(self._checkpoints(job), call.query, 10))
        return _error(404, "No such thing.", code="not_found")

    def _upload(self, body: dict[str, str]) -> dict[str, Any]:
        name = f"file-{len(self.files) + 1:04}"
        self.contents[name] = body["file"]
        self.files[name] = {
            "id": name,
            "object": "file",
            "bytes": len(body["file"].encode()),
            "created_at": self._time(),
            "filename": body["filename"],
            "purpose": body["purpose"],
        }
        return self._file(name)

    def _file(self, name: str, *, look: bool = False) -> dict[str, Any]:
        seen = self._looks.get(name, 0)
        if look:
            self._looks[name] = seen + 1
        status = self.file_status[min(seen, len(self.file_status) - 1)]
        return {
            **self.files[name],
            "status": status,
            **({"status_details": "line 3 is no JSON"} if status == "error" else {}),
        }

    def _create(self, call: Call) -> web.Response:
        body = call.body
        for kind in ("training_file", "validation_file"):
            if kind in body and body[kind] not in self.files:
                return _error(400, f"invalid {kind}: {body[kind]}", code="invalid_file", param=kind)
        if body["model"] not in MODELS:
            return _error(
                400, f"Model {body['model']} is not available for fine-tuning.", code="model_not_available"
            )
        name = f"ftjob-{len(self.jobs) + 1:04}"
        hyperparameters = body["method"]["supervised"]["hyperparameters"]
        hyperparameters = {"batch_size": "auto", "learning_rate_multiplier": "auto", **hyperparameters}
        self.jobs[name] = {
            "id": name,
            "object": "fine_tuning.job",
            "created_at": self._time(),
            "error": None,
            "fine_tuned_model": None,
            "finished_at": None,
            "hyperparameters": hyperparameters,
            "model": body["model"],
            "organization_id": "org-test",
            "result_files": [],
            "seed": body.get("seed", 0),
            "status": self.pace[0],
            "trained_tokens": None,
            "training_file": body["training_file"],
            "validation_file": body.get("validation_file"),
            "method": {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}},
            "metadata": body.get("metadata") if self.keeps_metadata else None,
        }
        self._looks[name] = 0
        self.events[name] = []
        self._say(self.jobs[name], f"Created fine-tuning job: {name}")
        self.suffix = body.get("suffix") or ""
        return self._answer(call, self.jobs[name])

    def _advance(self, job: dict[str, Any]) -> None:
        if job["status"] in {"succeeded", "failed", "cancelled"}:
            return
        look = self._looks[job["id"]]
        self._looks[job["id"]] = look + 1
        status = self.pace[min(look, len(self.pace) - 1)]
        if status == "validating_files" and (wrong := self._wrong(job)):
            job.update(status="failed", error=wrong, finished_at=self._time())
            self._say(job, wrong["message"], level="error")
            return
        if status == "running":
            self._train(job)
        elif status != job["status"]:
            self._say(job, f"The job is now {status}.")
        job["status"] = status
        if status == "failed":
            job.update(error=self.failure, finished_at=self._time())
        if status == "succeeded":
            tuned = f"ft:{job['model']}:org-test:{self.suffix}:{job['id'][-4:]}"
            job.update(fine_tuned_model=tuned, finished_at=self._time(), trained_tokens=12_000)

    def _train(self, job: dict[str, Any]) -> None:
        step = sum(event["type"] == "metrics" for event in self.events[job["id"]]) + 1
        loss = round(2.0 / step, 4)
        data = {"step": step, "total_steps": STEPS, "train_loss": loss, "valid_loss": round(loss + 0.1, 4)}
        self._say(job, f"Step {step}/{STEPS}: training loss={loss}", data=data)

    def _wrong(self, job: dict[str, Any]) -> dict[str, Any] | None:
        """What the provider's own check of the files finds: the training file's rows, the first that is wrong."""
        lines = self.contents[job["training_file"]].splitlines()
        message = f"The training file has {len(lines)} examples, expected {FEWEST_ROWS}." * (
            len(lines) < FEWEST_ROWS
        )
        for number, line in enumerate(lines, start=1):
            messages = json.loads(line)["messages"]
            if message or not all(re.fullmatch("system|user|assistant", each["role"]) for each in messages):
                message = message or f"Line {number}: a role is unknown."
            elif messages[-1]["role"] != "assistant":
                message = f"Line {number}: the last message is not the assistant's."
        return (
            {"code": "invalid_training_file", "message": message, "param": "training_file"}
            if message
            else None
        )

    def _checkpoints(self, job: dict[str, Any]) -> list[dict[str, Any]]:
        if job["status"] != "succeeded":
            return []
        return [
            {
                "id": f"ftckpt-{step}",
                "object": "fine_tuning.job.checkpoint",
                "created_at": self.clock,
                "fine_tuned_model_checkpoint": f"{job['fine_tuned_model']}:ckpt-step-{step}",
                "fine_tuning_job_id": job["id"],
                "metrics": {"step": step, "train_loss": 2.0 / step, "full_valid_loss": 2.0 / step + 0.1},
                "step_number": step,
            }
            for step in (STEPS, STEPS // 2)
        ]

    def _say(
        self, job: dict[str, Any], message: str, *, level: str = "info", data: dict[str, Any] | None = None
    ) -> None:
        said = self.events[job["id"]]
        said.append(
            {
                "id": f"ftevent-{job['id'][-4:]}-{len(said) + 1}",
                "object": "fine_tuning.job.event",
                "created_at": self._time(),
                "level": level,
                "message": message,
                "type": "metrics" if data else "message",
                "data": data or {},
            }
        )

    def _time(self) -> int:
        self.clock += 1
        return self.clock

    def _answer(self, call: Call, body: dict[str, Any]) -> web.Response:
        copy = json.loads(json.dumps(body))
        self.answers.append((f"{call.method} {call.path}", copy))
        return web.json_response(copy)


async def _call(request: web.Request) -> Call:
    body: Any = None
    media = request.content_type if request.can_read_body else ""
    if media == "multipart/form-data":
        form = await request.post()
        upload = form["file"]
        assert isinstance(upload, web.FileField)
        body = {"purpose": form["purpose"], "file": upload.file.read().decode(), "filename": upload.filename}
    elif media:
        body = json.loads(await request.read())
    path = re.sub("^/(v1|openai/v1|openai)(?=/)", "", request.path)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Call(request.method, path, dict(request.query), headers, media, body)


def _page(found: list[dict[str, Any]], query: dict[str, str], usual: int) -> dict[str, Any]:
    after, limit = query.get("after"), int(query.get("limit", usual))
    start = next((number for number, each in enumerate(found, start=1) if each["id"] == after), 0)
    shown = found[start : start + limit]
    ids = {"first_id": shown[0]["id"] if shown else "", "last_id": shown[-1]["id"] if shown else ""}
    return {"object": "list", "data": shown, "has_more": start + limit < len(found), **ids}


def _error(
    status: int,
    message: str,
    *,
    code: str | None = None,
    param: str | None = None,
    headers: dict[str, str] | None = None,
) -> web.Response:
    kind = "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return web.json_response(body, status=status, headers=headers)


def _hang_up(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
