"""The API of a provider of fine-tuning: one method for each request, errors in one line that holds no key.

Everything may be asked again but `create`, which costs money: the SDK's own retries are off for that one. It knows
requests and answers; what a run does with them is `openai_job`.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import openai
from pydantic import SecretStr

from training.methods.openai_run import Checkpoint, Endpoint, FineTuningError, Run

if TYPE_CHECKING:
    from openai.types import FileObject
    from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent

T = TypeVar("T")

CLOCKS_APART = dt.timedelta(days=1)
"""How far the provider's clock may be from ours: older jobs cannot be this run's."""


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


class Provider:
    """An open connection. Methods raise `FineTuningError`, `Unreachable` where asking later may help."""

    def __init__(self, endpoint: Endpoint, key: SecretStr | None, pace: Pace) -> None:
        """Raise `FineTuningError` where a key is needed and there is none."""
        self._endpoint = endpoint
        self._pace = pace
        self._secret = key.get_secret_value() if key else ""
        self._client = _client(endpoint, self._secret, pace)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.close()

    async def upload(self, name: str, content: bytes) -> str:
        """The uploaded file's id; one that a crashed try has uploaded already is taken."""

        async def look() -> FileObject | None:
            async for file in self._client.files.list(purpose="fine-tune"):
                if file.filename == name and file.bytes == len(content) and file.status != "error":
                    return file
            return None

        file = await self._asked(look()) or await self._asked(
            self._client.files.create(file=(name, content, "application/jsonl"), purpose="fine-tune")
        )
        return self._id(file, "file")

    async def unreadable(self, file_id: str) -> str | None:
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

    async def create(self, run: Run) -> FineTuningJob:
        """Ask for the run's job, once. Raises the SDK's own errors: not all of them mean that nothing was started."""
        settings = run.settings
        if run.training_file is None:
            raise FineTuningError(f"{run.id}: no training file was uploaded; resume {run.id} begins there")
        job = await self._client.with_options(max_retries=0).fine_tuning.jobs.create(
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
        self._id(job, "fine-tuning job")
        return job

    async def find(self, run: Run) -> FineTuningJob | None:
        """The job with this run's id, or, where a server drops metadata, with the file that this run uploaded."""
        oldest = (run.created_at - CLOCKS_APART).timestamp()

        async def look() -> FineTuningJob | None:
            async for job in self._client.fine_tuning.jobs.list(limit=100):
                owner = (job.metadata or {}).get("run_id")
                if owner == run.id or (owner is None and job.training_file == run.training_file):
                    return job
                if job.created_at is not None and job.created_at < oldest:
                    break
            return None

        return await self._asked(look())

    async def job(self, job_id: str) -> FineTuningJob:
        """How far a job is."""
        job = await self._asked(self._client.fine_tuning.jobs.retrieve(job_id))
        self._id(job, "fine-tuning job")
        return job

    async def cancel(self, job_id: str) -> None:
        """Ask for a job to be stopped."""
        await self._asked(self._client.fine_tuning.jobs.cancel(job_id))

    async def news(self, job_id: str, last_event: str | None) -> list[FineTuningJobEvent]:
        """A job's events since the last one that was seen, oldest first; the API gives the newest first."""

        async def look() -> list[FineTuningJobEvent]:
            found = []
            async for event in self._client.fine_tuning.jobs.list_events(job_id, limit=100):
                if event.id == last_event:
                    break
                found.append(event)
            return found[::-1]

        return await self._asked(look())

    async def checkpoints(self, job_id: str) -> list[Checkpoint]:
        """A job's models that were saved on the way, none at a server that does not know them."""

        async def look() -> list[Checkpoint]:
            found = []
            try:
                async for each in self._client.fine_tuning.jobs.checkpoints.list(job_id, limit=100):
                    found.append(
                        Checkpoint(
                            model=each.fine_tuned_model_checkpoint,
                            step=each.step_number,
                            train_loss=each.metrics.train_loss,
                            valid_loss=each.metrics.full_valid_loss or each.metrics.valid_loss,
                        )
                    )
            except openai.NotFoundError:
                return []
            return sorted(found, key=lambda each: each.step)

        return await self._asked(look())

    def explained(self, error: openai.OpenAIError) -> FineTuningError:
        """The SDK's error in one line."""
        endpoint = self._endpoint
        if isinstance(error, openai.APIStatusError):
            status = f"HTTP {error.status_code}"
            if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
                # Without the server's prose, which quotes parts of the key.
                return FineTuningError(f"credentials refused ({status}): check {endpoint.key_variable}")
            said = error.body.get("message") if isinstance(error.body, dict) else None
            told = self.clean(f"{endpoint.base_url} answered {status}: {said or 'no reason given'}")
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

    def clean(self, text: str) -> str:
        """The text on one line, without the key."""
        line = " ".join(text.split())
        return line.replace(self._secret, "***") if self._secret else line

    async def _asked(self, request: Awaitable[T]) -> T:
        """Await a request, or a part that sends some; the SDK's errors become one line that holds no key."""
        try:
            return await request
        except openai.OpenAIError as error:
            raise self.explained(error) from None

    def _id(self, answer: object, what: str) -> str:
        """The id of what came back; a page of some other server has none."""
        found = getattr(answer, "id", None)
        if not isinstance(found, str) or not found:
            raise FineTuningError(f"{self._endpoint.base_url}: the answer is no {what}; check --base-url")
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


def wait_asked_for(error: openai.RateLimitError, otherwise: float) -> float:
    """The seconds that the server wants to be left alone, or `otherwise` where it does not say."""
    try:
        return max(0.0, float(error.response.headers["retry-after"]))
    except (KeyError, ValueError):
        return otherwise
