"""What a published DSPy program may be: instructions and examples in JSON, bounded, and nothing else.

DSPy's saved state can also name language models, addresses and classes to import. None of that is taken
from a file. It knows the file's form only, and must not import DSPy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

STATE_FILE = "program.json"
MAX_BYTES = 256 * 1024
MAX_DEMOS = 16

Short = Annotated[str, Field(max_length=1_000)]


class ProgramError(ValueError):
    """A file is no program that can be served; the message names the file and what is wrong with it."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Demo(_Strict):
    teacher_prompt: Short
    thought: Short
    student_response: Annotated[str, Field(min_length=1, max_length=1_000)]
    child: Short = ""
    reasoning: Short | None = None


class _FieldText(_Strict):
    prefix: Short
    description: Short


class _Signature(_Strict):
    instructions: Annotated[str, Field(min_length=1, max_length=8_000)]
    fields: Annotated[list[_FieldText], Field(max_length=12)]


class _Predictor(_Strict):
    traces: Annotated[list[Any], Field(max_length=0)]
    train: Annotated[list[Any], Field(max_length=0)]
    demos: Annotated[list[_Demo], Field(max_length=MAX_DEMOS)]
    signature: _Signature
    lm: None


class _Plain(_Strict):
    respond: _Predictor


class _Reasoned(_Strict):
    respond: Annotated[_Predictor, Field(alias="respond.predict")]


def read_state(folder: Path) -> dict[str, Any]:
    """The checked state in `folder`, as DSPy's `load_state` takes it; raise `ProgramError`."""
    path = folder / STATE_FILE
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ProgramError(f"{STATE_FILE}: cannot be read ({error.strerror})") from None
    return check_state(raw)


def check_state(raw: bytes) -> dict[str, Any]:
    """The same of a file's content."""
    if len(raw) > MAX_BYTES:
        raise ProgramError(f"{STATE_FILE}: larger than {MAX_BYTES // 1024} KiB, which no program needs")
    form = _Reasoned if b'"respond.predict"' in raw else _Plain
    try:
        state = form.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ProgramError(f"{STATE_FILE}: {where}: {first['msg'].lower()}") from None
    checked: dict[str, Any] = state.model_dump(by_alias=True)
    for demo in next(iter(checked.values()))["demos"]:
        if demo["reasoning"] is None:
            del demo["reasoning"]
    return checked
