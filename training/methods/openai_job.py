"""A fine-tuning job from uploaded files to a published model, one saved step at a time.

A job costs money, so it is never asked for twice in one run: the SDK's own retries are off for that one request, the
run's id goes with it, and before it is sent the provider's list of jobs is looked through. Everything else may be
repeated. It knows the API and the run; it prints nothing and asks nobody.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import openai
from pydantic import BaseModel, SecretStr, ValidationError

from training.methods.openai_run import Checkpoint, Endpoint, FineTuningError, Run, save

if TYPE_CHECKING:
    from openai.types import FileObject
    from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent

T = TypeVar("T")

ASKED_AT_MOST = 6
"""Times that a refusal for too many requests is waited out before the run is put aside."""
LONGEST_WAIT_S = 300.0
CLOCKS_APART = dt.timedelta(days=1)
"""How far the provider's clock may be from ours: older jobs cannot be this run's."""
UNCLEAR = {408, 409}
"""Besides 5xx, answers after which a job may have been started all the same."""


class Unreachable(FineTuningError):
    """No answer to be had right now; asking later may help."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient to be, in seconds; `retries` are the SDK's, for every request but the one that costs money.

    `settle` is how long a job that was asked for may take to turn up in the list of jobs.
    """

    poll: float = 10.0
    settle: float = 60.0
    look: float = 5.0
    files: float = 600.0
    timeout: float = 120.0
    retries: int = 5


Tell = Callable[[Run, tuple[str, ...]], None]
"""Told after every look at the job: the run as it stands, and the provider's new messages, oldest first."""


class _Metrics(BaseModel):
    """What an event of type "metrics" carries, as far as it is read."""

    step: int | None = None
    total_steps: int | None = None
    train_loss: float | None = None
    valid_loss: float | None = None
    full_valid_loss: float | None = None


class FineTuning:
    """One run's way through the API. Whoever uses it holds the run's lock (`openai_run.alone`)."""

    def __init__(  # noqa: PLR0913 - what it works on, and what it works with
        self,
        run: Run,
        runs: Path,
        key: SecretStr | None,
        *,
        publish: Callable[[Run], None],
        tell: Tell,
        pace: Pace | None = None,
    ) -> None:
        """Raise `FineTuningError` where a key is needed and there is none."""
        self.run = run
        self._runs = runs
        self._publish = publish
        self._tell = tell
        self._pace = pace or Pace()
        self._secret = key.get_secret_value() if key else ""
        self._client = _client(run.settings.endpoint, self._secret, self._pace)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def to_end(self) -> Run:
        """Go on from where the run stands until it has ended; raise `FineTuningError` when it cannot go on."""
        if self.run.status == "prepared":
            await self._upload()
        if self.run.status in {"uploaded", "creating"}:
            await self._create()
        while self.run.status == "training":
            try:
                await self._look()
            except Unreachable as error:
                # The job goes on without us; so does the watch.
                self._tell(self.run, (f"{error}; trying again",))
            if self.run.status == "training":
                await asyncio.sleep(self._pace.poll)
        self._finish()
        return self.run

    async def once(self) -> Run:
        """One look at a run that may have a job, without ever starting one; publish it when it is trained."""
        if self.run.status == "creating" and (found := await self._asked(self._find())) is not None:
            self._adopt(found)
        if self.run.status == "training":
            await self._look()
        self._finish()
        return self.run

    async def cancel(self) -> Run:
        """Have the job stopped, or the run ended where there is no job yet; a job that is over stays as it is."""
        if self.run.status == "creating" and (found := await self._settled()) is not None:
            self._adopt(found)
        if self.run.status in {"prepared", "uploaded", "creating"}:
            self._save(status="cancelled", finished_at=_now())
        elif self.run.status == "training":
            self._save(cancel_requested=True)
            await self._look()
        return self.run

    async def stop(self) -> None:
        """Ask the provider to stop the job, and write nothing: also for a run that another process follows."""
        try:
            await self._asked(self._client.fine_tuning.jobs.cancel(self._job_id))
        except FineTuningError:
            # Refused, as a rule because the job has ended meanwhile: then there is nothing left to stop.
            if (await self._job()).status not in {"succeeded", "failed", "cancelled"}:
                raise

    async def _upload(self) -> None:
        folder = self._runs / self.run.id
        if self.run.training_file is None:
            self._save(training_file=await self._file(folder / "training.jsonl"))
        if self.run.validation_file is None and self.run.data.validation_rows:
            self._save(validation_file=await self._file(folder / "validation.jsonl"))
        for file_id in (self.run.training_file, self.run.validation_file):
            if file_id is not None and (wrong := await self._unreadable(file_id)) is not None:
                self._fail(wrong)
                return
        self._save(status="uploaded")

    async def _file(self, path: Path) -> str:
        """The uploaded file's id; one that a crashed try has uploaded already is taken."""
        try:
            name, content = f"{self.run.id}-{path.name}", await asyncio.to_thread(path.read_bytes)
        except FileNotFoundError:
            raise FineTuningError(
                f"{path}: is gone; where somebody in it asked to be forgotten, that is why: begin a new run"
            ) from None

        async def look() -> FileObject | None:
            async for file in self._client.files.list(purpose="fine-tune"):
                if file.filename == name and file.bytes == len(content) and file.status != "error":
                    return file
            return None

        file = await self._asked(look()) or await self._asked(
            self._client.files.create(file=(name, content, "application/jsonl"), purpose="fine-tune")
        )
        return self._id(file, "file")

    async def _unreadable(self, file_id: str) -> str | None:
        """Wait until the provider has read the file, and say what it found wrong; Azure takes no job before."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._pace.files
        while True:
            file = await self._asked(self._client.files.retrieve(file_id))
            if file.status == "error":
                return f"the provider cannot read {file.filename}: {file.status_details or 'no reason given'}"
            if file.status not in {"uploaded", "pending", "running"} or loop.time() >= deadline:
                # Past the deadline the job's own check of its files has the last word.
                return None
            await asyncio.sleep(self._pace.poll)

    async def _create(self) -> None:
        found = await (self._settled() if self.run.status == "creating" else self._asked(self._find()))
        if found is None:
            found = await self._ask_for_job()
        self._adopt(found)

    async def _ask_for_job(self) -> FineTuningJob:
        for tried in range(ASKED_AT_MOST):
            # Written before the request is sent: whoever reads "creating" must look before asking again.
            self._save(status="creating", creating_at=_now(), error=None)
            try:
                job = await self._send_create()
                self._id(job, "fine-tuning job")
            except openai.RateLimitError as error:
                wait = _wait_asked_for(error, 2.0**tried)
                if "quota" in str(error.code) or wait > LONGEST_WAIT_S or tried == ASKED_AT_MOST - 1:
                    raise self._refused(error) from None
                self._tell(self.run, (f"too many requests; the next try is in {wait:.0f} s",))
                await asyncio.sleep(wait)
            except openai.APIStatusError as error:
                if error.status_code not in UNCLEAR and error.status_code < 500:  # noqa: PLR2004 - HTTP's own border
                    raise self._refused(error) from None
                return await self._found_after_all()
            except (openai.APIConnectionError, openai.APIResponseValidationError, FineTuningError):
                return await self._found_after_all()
            else:
                return job
            if (found := await self._asked(self._find())) is not None:
                return found
        raise AssertionError("the last try returns or raises")

    async def _send_create(self) -> FineTuningJob:
        settings, run = self.run.settings, self.run
        if run.training_file is None:
            raise FineTuningError(f"{run.id}: no training file was uploaded; resume {run.id} begins there")
        return await self._client.with_options(max_retries=0).fine_tuning.jobs.create(
            model=settings.model,
            training_file=run.training_file,
            validation_file=run.validation_file or openai.omit,
            method={
                "type": "supervised",
                "supervised": {"hyperparameters": {"n_epochs": settings.epochs or "auto"}},
            },
            seed=settings.seed,
            suffix=settings.name,
            metadata={"run_id": run.id, "program": "pupil"},
        )

    async def _found_after_all(self) -> FineTuningJob:
        """The job that was asked for, though its answer was lost; never a second one."""
        if (found := await self._settled()) is not None:
            return found
        raise Unreachable(
            f"{self.run.id}: the answer was lost when the job was asked for, and no job is to be seen; "
            f"resume {self.run.id} looks again before it asks again"
        )

    async def _settled(self) -> FineTuningJob | None:
        """The run's job, looked for until it would have turned up in the list."""
        asked_at = self.run.creating_at or _now()
        while True:
            found = await self._asked(self._find())
            left = self._pace.settle - (_now() - asked_at).total_seconds()
            if found is not None or left <= 0:
                return found
            await asyncio.sleep(min(self._pace.look, left))

    async def _find(self) -> FineTuningJob | None:
        """The job with this run's id, or, where a server drops metadata, with the file that this run uploaded."""
        oldest = (self.run.created_at - CLOCKS_APART).timestamp()
        async for job in self._client.fine_tuning.jobs.list(limit=100):
            owner = (job.metadata or {}).get("run_id")
            if owner == self.run.id or (owner is None and job.training_file == self.run.training_file):
                return job
            if job.created_at is not None and job.created_at < oldest:
                break
        return None

    async def _look(self) -> None:
        """See how far the job is, and write it down."""
        if self.run.cancel_requested:
            await self.stop()
        job = await self._job()
        news = await self._asked(self._news())
        seen = _metrics(news)
        if news:
            seen["last_event"] = news[-1].id
        self._save(job_status=job.status, **seen)
        if job.status == "succeeded" and job.fine_tuned_model:
            self._save(
                status="trained",
                fine_tuned_model=job.fine_tuned_model,
                trained_tokens=job.trained_tokens,
                checkpoints=tuple(await self._asked(self._checkpoints())),
                finished_at=_when(job.finished_at),
            )
        elif job.status == "failed":
            reason = job.error.message if job.error else None
            about = f" ({job.error.param})" if job.error and job.error.param else ""
            self._fail((reason or "the provider gives no reason") + about)
        elif job.status == "cancelled":
            self._save(
                status="cancelled", finished_at=_when(job.finished_at), trained_tokens=job.trained_tokens
            )
        self._tell(self.run, tuple(event.message for event in news if event.type != "metrics"))

    async def _job(self) -> FineTuningJob:
        job = await self._asked(self._client.fine_tuning.jobs.retrieve(self._job_id))
        self._id(job, "fine-tuning job")
        return job

    async def _news(self) -> list[FineTuningJobEvent]:
        """Events since the last one that was seen, oldest first; the API gives the newest first."""
        news = []
        async for event in self._client.fine_tuning.jobs.list_events(self._job_id, limit=100):
            if event.id == self.run.last_event:
                break
            news.append(event)
        return news[::-1]

    async def _checkpoints(self) -> list[Checkpoint]:
        found = []
        try:
            async for each in self._client.fine_tuning.jobs.checkpoints.list(self._job_id, limit=100):
                found.append(
                    Checkpoint(
                        model=each.fine_tuned_model_checkpoint,
                        step=each.step_number,
                        train_loss=each.metrics.train_loss,
                        valid_loss=each.metrics.full_valid_loss or each.metrics.valid_loss,
                    )
                )
        except openai.NotFoundError:
            # Not every compatible server knows checkpoints.
            return []
        return sorted(found, key=lambda each: each.step)

    def _finish(self) -> None:
        if self.run.status == "trained":
            self._publish(self.run)
            self._save(status="published")
            self._tell(self.run, ())

    def _adopt(self, job: FineTuningJob) -> None:
        self._save(status="training", job=job.id, job_status=job.status)
        self._tell(self.run, ())

    def _save(self, **changes: Any) -> None:
        changed = self.run.model_copy(update=changes)
        if changed != self.run:
            self.run = save(self._runs, changed)

    def _fail(self, reason: str) -> None:
        self._save(status="failed", error=self._clean(reason), finished_at=_now())

    def _refused(self, error: openai.APIStatusError) -> FineTuningError:
        """Nothing was started: the run is as it was before."""
        told = self._explained(error)
        self._save(status="uploaded", creating_at=None, error=str(told))
        return told

    @property
    def _job_id(self) -> str:
        if self.run.job is None:
            raise FineTuningError(f"{self.run.id}: has no job yet; resume {self.run.id} asks for it")
        return self.run.job

    async def _asked(self, request: Awaitable[T]) -> T:
        """Await a request, or a part that sends some; the SDK's errors become one line that holds no key."""
        try:
            return await request
        except openai.OpenAIError as error:
            raise self._explained(error) from None

    def _explained(self, error: openai.OpenAIError) -> FineTuningError:
        endpoint = self.run.settings.endpoint
        if isinstance(error, openai.APIStatusError):
            status = f"HTTP {error.status_code}"
            if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
                # Without the server's prose, which quotes parts of the key.
                return FineTuningError(f"credentials refused ({status}): check {endpoint.key_variable}")
            said = error.body.get("message") if isinstance(error.body, dict) else None
            told = self._clean(f"{endpoint.base_url} answered {status}: {said or 'no reason given'}")
            if isinstance(error, openai.RateLimitError) or error.status_code >= 500:  # noqa: PLR2004
                return Unreachable(told)
            return FineTuningError(told)
        if isinstance(error, openai.APITimeoutError):
            return Unreachable(f"{endpoint.base_url}: no answer within {self._pace.timeout:g} s")
        if isinstance(error, openai.APIConnectionError):
            return Unreachable(
                f"{endpoint.base_url}: connection failed ({type(error.__cause__ or error).__name__})"
            )
        return FineTuningError(f"{endpoint.base_url}: not the API of OpenAI ({type(error).__name__})")

    def _clean(self, text: str) -> str:
        line = " ".join(text.split())
        return line.replace(self._secret, "***") if self._secret else line

    def _id(self, answer: object, what: str) -> str:
        """The id of what came back; a page of some other server has none."""
        found = getattr(answer, "id", None)
        if not isinstance(found, str) or not found:
            raise FineTuningError(
                f"{self.run.settings.endpoint.base_url}: the answer is no {what}; check --base-url"
            )
        return found


def _client(endpoint: Endpoint, key: str, pace: Pace) -> openai.AsyncOpenAI:
    if not key and endpoint.provider != "compatible":
        raise FineTuningError(f"{endpoint.key_variable} is not set; put the key into the environment or .env")
    if not key.isascii() or not key.isprintable() or " " in key:
        raise FineTuningError(f"{endpoint.key_variable}: expected a key without spaces, line ends or accents")
    timeout = openai.Timeout(pace.timeout, connect=min(10.0, pace.timeout))
    # Never None: the SDK would take OPENAI_API_KEY from the environment and send it to a stranger's server.
    key = key or "none"
    if endpoint.provider == "azure" and endpoint.api_version is not None:
        return openai.AsyncAzureOpenAI(
            azure_endpoint=endpoint.base_url,
            api_version=endpoint.api_version,
            api_key=key,
            max_retries=pace.retries,
            timeout=timeout,
        )
    return openai.AsyncOpenAI(
        base_url=endpoint.base_url, api_key=key, max_retries=pace.retries, timeout=timeout
    )


def _metrics(events: list[FineTuningJobEvent]) -> dict[str, Any]:
    """The newest figures of the events; what a server leaves out stays as it was."""
    newest: dict[str, Any] = {}
    for event in events:
        if event.type != "metrics":
            continue
        try:
            found = _Metrics.model_validate(event.data)
        except ValidationError:
            continue
        valid = found.full_valid_loss if found.full_valid_loss is not None else found.valid_loss
        figures = {
            "step": found.step,
            "steps": found.total_steps,
            "train_loss": found.train_loss,
            "valid_loss": valid,
        }
        newest.update({name: value for name, value in figures.items() if value is not None})
    return newest


def _wait_asked_for(error: openai.RateLimitError, otherwise: float) -> float:
    try:
        return max(0.0, float(error.response.headers["retry-after"]))
    except (KeyError, ValueError):
        return otherwise


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _when(stamp: int | None) -> dt.datetime:
    return _now() if stamp is None else dt.datetime.fromtimestamp(stamp, dt.UTC)
