"""A student whose prompt DSPy optimised: the signature, the program, and the `StudentModel` around it.

A published program is instructions and examples; which language model says them is the backend's
business. It must not optimise anything. Importing DSPy takes seconds: import this module only when a
program is opened.
"""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path
from typing import Any

import dspy
from dspy.utils.exceptions import DSPyError, LMAuthError, LMError, LMInvalidRequestError, LMRateLimitError

from bot.models.base import ModelRefused, ModelUnavailable, Reply
from bot.models.embedded import TOKENS_PER_WORD
from bot.models.program_lm import (
    CONVERSATION,
    REFUSED,
    Backend,
    Embedded,
    Endpoint,
    close,
    language_model,
)
from bot.models.program_state import ProgramError, read_state
from bot.student.records.cue import Cue
from bot.student.voicing.prompt import OPENING, render

MAX_PROMPT_CHARACTERS = 6_000
"""About 1,700 tokens: with more, the oldest exchanges are left out, so that a prompt always fits."""

__all__ = ["Backend", "Embedded", "Endpoint", "ProgramError", "StudentSimulationModel", "open_program"]


class StudentResponse(dspy.Signature):  # type: ignore[misc] # DSPy has no types
    # DSPy takes a signature's instructions from its docstring; the zero-shot ones are the bot's own rules.
    __doc__ = OPENING[0].content

    conversation_history: dspy.History = dspy.InputField(desc="what teacher and child said so far")
    teacher_prompt: str = dspy.InputField(desc="what the teacher says now")
    child: str = dspy.InputField(desc="who the child is")
    thought: str = dspy.InputField(desc="what the child means, and in how many words")
    student_response: str = dspy.OutputField(desc="what the child says")


class StudentSimulationModel(dspy.Module):  # type: ignore[misc] # DSPy has no types
    """The program: reasoning first where the model can reason, the child's words at once where it cannot."""

    def __init__(self, *, reasons: bool) -> None:
        super().__init__()
        self.reasons = reasons
        self.respond = dspy.ChainOfThought(StudentResponse) if reasons else dspy.Predict(StudentResponse)

    def forward(self, **inputs: Any) -> dspy.Prediction:
        """Ask for the words; the inputs are those of `inputs_of`."""
        return self.respond(**inputs, config=self._room(inputs))

    async def aforward(self, **inputs: Any) -> dspy.Prediction:
        """The same, awaited."""
        return await self.respond.acall(**inputs, config=self._room(inputs))

    def _room(self, inputs: dict[str, Any]) -> dict[str, int]:
        """A child's words at once need no more room than they take; a small model would use it all."""
        if self.reasons:
            return {}
        note = re.match(r"[\w ]+ in (\d+) words?(?:: (.*))?", inputs["thought"])
        words = max(int(note[1]), len((note[2] or "").split())) if note else 20
        return {"max_tokens": round(words * TOKENS_PER_WORD) + 8}


class SpokenAdapter(dspy.Adapter):  # type: ignore[misc] # DSPy has no types
    """For models that cannot keep to a form: the prompt is a conversation, the answer is the child's words.

    Instructions, examples, the child, what was said, the thought: in the order of `bot.student.voicing.prompt`,
    so that a prompt cache serves all that stays.
    """

    def format(
        self, signature: type[dspy.Signature], demos: list[dict[str, Any]], inputs: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """The messages of one call."""
        fixed = [_message("system", signature.instructions)]
        for demo in demos:
            fixed += _exchange(demo)
        fixed.append(_message("system", inputs["child"]))
        asked = _message("user", _asked(inputs))
        said = [_exchange(past) for past in inputs["conversation_history"].messages]
        room = MAX_PROMPT_CHARACTERS - sum(len(message["content"]) for message in [*fixed, asked])
        while said and sum(len(message["content"]) for pair in said for message in pair) > room:
            said.pop(0)
        return [*fixed, *(message for pair in said for message in pair), asked]

    def parse(self, signature: type[dspy.Signature], completion: str) -> dict[str, Any]:
        """All of it is what the child says."""
        return dict.fromkeys(signature.output_fields, completion.strip())


def adapter_for(*, reasons: bool) -> dspy.Adapter:
    """How a program talks to its model. A broken form is not asked for again in another: that costs a call."""
    return dspy.ChatAdapter(use_json_adapter_fallback=False) if reasons else SpokenAdapter()


def inputs_of(cue: Cue) -> dict[str, Any]:
    """The signature's inputs, taken from the one rendering that training and the bot share."""
    child, *said, asked = render(cue)[len(OPENING) :]
    history = [
        {**_parts(teacher.content), "student_response": student.content}
        for teacher, student in zip(said[::2], said[1::2], strict=True)
    ]
    return {
        "conversation_history": dspy.History(messages=history),
        "child": child.content,
        **_parts(asked.content),
    }


def _parts(asked: str) -> dict[str, str]:
    teacher, _, thought = asked.partition("\n")
    return {"teacher_prompt": teacher.removeprefix("Teacher: "), "thought": thought}


def _asked(fields: Any) -> str:
    return f"Teacher: {fields['teacher_prompt']}\n{fields['thought']}".strip()


def _exchange(fields: Any) -> list[dict[str, str]]:
    return [_message("user", _asked(fields)), _message("assistant", fields["student_response"])]


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def open_program(name: str, version: str, folder: Path, backend: Backend) -> ProgramModel:
    """The program that was published in `folder`; raise `ProgramError` when it cannot be served."""
    return ProgramModel(name, version, load_program(read_state(folder)), backend)


def load_program(state: dict[str, Any]) -> StudentSimulationModel:
    """A program with a checked state; raise `ProgramError` when it is of another signature."""
    program = StudentSimulationModel(reasons="respond.predict" in state)
    ours = program.dump_state()
    for name, predictor in state.items():
        if predictor["signature"]["fields"] != ours[name]["signature"]["fields"]:
            raise ProgramError(
                "program.json: its signature is not this bot's StudentResponse: optimise again"
            )
    program.load_state(state)
    return program


class ProgramModel:
    """A program and its language model under a name; safe for any number of replies at once."""

    def __init__(self, name: str, version: str, program: StudentSimulationModel, backend: Backend) -> None:
        self.name = name
        self.version = version
        self._program = program
        self._adapter = adapter_for(reasons=program.reasons)
        self._lm = language_model(backend)
        self._lm_again = language_model(backend, again=True)
        self._deadline = backend.timeout_s if isinstance(backend, Endpoint) else None
        self._price = backend.price if isinstance(backend, Endpoint) else None

    async def reply(self, cue: Cue, *, seed: int | None) -> Reply:
        """Say the cue's thought; raise `ModelUnavailable` or `ModelRefused`, nothing else."""
        started = time.perf_counter()
        CONVERSATION.set(cue.conversation)
        lm = self._lm_again if cue.again else self._lm
        if seed is not None:
            lm = lm.copy(seed=seed)
        # Everything is set for this task alone, and nothing that was said is kept in DSPy's histories.
        task = dspy.context(
            lm=lm, adapter=self._adapter, track_usage=True, trace=None, disable_history=True, callbacks=[]
        )
        try:
            with task:
                async with asyncio.timeout(self._deadline):
                    said = await self._program.acall(**inputs_of(cue))
        except TimeoutError:
            raise ModelUnavailable(f"{self.name}: no answer within {self._deadline:g} s") from None
        except LMError as error:
            raise self._failure(error) from None
        except (DSPyError, ValueError, TypeError) as error:
            # The error's own text quotes the answer, which belongs in no log.
            raise ModelUnavailable(f"{self.name}: no readable answer ({type(error).__name__})") from None
        used: dict[str, Any] = next(iter((said.get_lm_usage() or {}).values()), {})
        return Reply(
            text=said.student_response,
            prompt_tokens=used.get("prompt_tokens"),
            completion_tokens=used.get("completion_tokens"),
            cost_usd=self._cost(used),
            latency_ms=(time.perf_counter() - started) * 1000,
        )

    async def aclose(self) -> None:
        """Close the connections; an embedded engine stays its owner's."""
        for lm in (self._lm, self._lm_again):
            await close(lm)

    def _cost(self, used: dict[str, Any]) -> float | None:
        prompt, completion = used.get("prompt_tokens"), used.get("completion_tokens")
        if self._price is None or prompt is None or completion is None:
            return None
        return self._price.cost(
            prompt, completion, (used.get("prompt_tokens_details") or {}).get("cached_tokens", 0)
        )

    def _failure(self, error: LMError) -> ModelUnavailable | ModelRefused:
        if isinstance(error, LMInvalidRequestError) and error.provider_code == REFUSED:
            return ModelRefused(f"{self.name}: the model or its content filter declined")
        status = f"HTTP {error.status}" if error.status else type(error).__name__
        if isinstance(error, LMAuthError):
            return ModelUnavailable(f"{self.name}: credentials refused ({status}): check the model's key")
        if isinstance(error, LMRateLimitError):
            return ModelUnavailable(f"{self.name}: too many requests or no quota left ({status})")
        return ModelUnavailable(f"{self.name}: the model could not answer ({status})")
