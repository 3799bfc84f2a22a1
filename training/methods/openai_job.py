"""A fine-tuning job from uploaded files to a published model, one saved step at a time.

A job costs money, so it is never asked for twice in one run: the SDK's own retries are off for that one request, the
run's id goes with it, and before it is sent the provider's list of jobs is looked through. Everything else may be
repeated. It knows the API and the run; it prints nothing and asks nobody.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import openai
from pydantic import BaseModel, SecretStr, ValidationError

from training.methods.openai_api import Pace, Provider, Unreachable, wait_asked_for
from training.methods.openai_run import FineTuningError, Run, save

if TYPE_CHECKING:
    from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent

ASKED_AT_MOST = 6
"""Times that a refusal for too many requests is waited out before the run is put aside."""
LONGEST_WAIT_S = 300.0
UNCLEAR = {408, 409}
"""Besides 5xx, answers after which a job may have been started all the same."""

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
        self._api = Provider(run.settings.endpoint, key, self._pace)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._api.aclose()

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
        if self.run.status == "creating" and (found := await self._api.find(self.run)) is not None:
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
            await self._api.cancel(self._job_id)
        except FineTuningError:
            # Refused, as a rule because the job has ended meanwhile: then there is nothing left to stop.
            if (await self._api.job(self._job_id)).status not in {"succeeded", "failed", "cancelled"}:
                raise

    async def _upload(self) -> None:
        folder = self._runs / self.run.id
        if self.run.training_file is None:
            self._save(training_file=await self._file(folder / "training.jsonl"))
        if self.run.validation_file is None and self.run.data.validation_rows:
            self._save(validation_file=await self._file(folder / "validation.jsonl"))
        for file_id in (self.run.training_file, self.run.validation_file):
            if file_id is not None and (wrong := await self._api.unreadable(file_id)) is not None:
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
        return await self._api.upload(name, content)

    async def _create(self) -> None:
        found = await (self._settled() if self.run.status == "creating" else self._api.find(self.run))
        if found is None:
            found = await self._ask_for_job()
        self._adopt(found)

    async def _ask_for_job(self) -> FineTuningJob:
        for tried in range(ASKED_AT_MOST):
            # Written before the request is sent: whoever reads "creating" must look before asking again.
            self._save(status="creating", creating_at=_now(), error=None)
            try:
                job = await self._api.create(self.run)
            except openai.RateLimitError as error:
                wait = wait_asked_for(error, 2.0**tried)
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
            if (found := await self._api.find(self.run)) is not None:
                return found
        raise AssertionError("the last try returns or raises")

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
            found = await self._api.find(self.run)
            left = self._pace.settle - (_now() - asked_at).total_seconds()
            if found is not None or left <= 0:
                return found
            await asyncio.sleep(min(self._pace.look, left))

    async def _look(self) -> None:
        """See how far the job is, and write it down."""
        if self.run.cancel_requested:
            await self.stop()
        job = await self._api.job(self._job_id)
        news = await self._api.news(self._job_id, self.run.last_event)
        seen = _metrics(news)
        if news:
            seen["last_event"] = news[-1].id
        self._save(job_status=job.status, **seen)
        if job.status == "succeeded" and job.fine_tuned_model:
            self._save(
                status="trained",
                fine_tuned_model=job.fine_tuned_model,
                trained_tokens=job.trained_tokens,
                checkpoints=tuple(await self._api.checkpoints(self._job_id)),
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
        self._save(status="failed", error=self._api.clean(reason), finished_at=_now())

    def _refused(self, error: openai.APIStatusError) -> FineTuningError:
        """Nothing was started: the run is as it was before."""
        told = self._api.explained(error)
        self._save(status="uploaded", creating_at=None, error=str(told))
        return told

    @property
    def _job_id(self) -> str:
        if self.run.job is None:
            raise FineTuningError(f"{self.run.id}: has no job yet; resume {self.run.id} asks for it")
        return self.run.job


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


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _when(stamp: int | None) -> dt.datetime:
    return _now() if stamp is None else dt.datetime.fromtimestamp(stamp, dt.UTC)
