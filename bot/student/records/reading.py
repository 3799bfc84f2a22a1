"""Data from outside, parsed once where it enters: a typed value comes out, or one sentence says what is wrong.

What is right is said by the types themselves, frozen dataclasses that pydantic checks; here is how pydantic's
complaint becomes "file: key: expected …, got …". How a file is opened is `text`. It knows nothing of children or
lessons.
"""

from __future__ import annotations

import difflib
import json
import re
import reprlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import tomli  # the standard library's reader, compiled: there are two megabytes of lessons and tables
from pydantic import (
    AfterValidator,
    Field,
    GetCoreSchemaHandler,
    Strict,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError, core_schema

from bot.student.records.text import DataError as DataError  # noqa: PLC0414 - whoever parses needs it, too
from bot.student.records.text import lines_of, read_text

T = TypeVar("T")
MOST_NAMES = 12
"""More are not listed where a name is none of them."""
_EXPECTED, _WRONG = "expected", "wrong"
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
"""Half of a character beyond the first 65,536, as JSON writes it: alone it is no text, and no file takes it."""


# What types expect, beyond what pydantic says of itself.


@dataclass(frozen=True, slots=True)
class Expected:
    """In `Annotated`: the words for what a type expects, whatever is wrong with the value."""

    what: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.custom_error_schema(
            handler(source), custom_error_type=_EXPECTED, custom_error_message=self.what
        )


def expected(what: str) -> PydanticCustomError:
    """To be raised by a check of one value: it is not `what`."""
    return PydanticCustomError(_EXPECTED, "{what}", {"what": what})


def wrong(sentence: str) -> PydanticCustomError:
    """To be raised by a check that says all there is to say."""
    return PydanticCustomError(_WRONG, "{sentence}", {"sentence": sentence})


def _not_blank(text: str) -> str:
    if not text.strip():
        raise expected("text that is not empty")
    return text


def _only_once(items: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(items)) < len(items):
        raise expected("every entry only once")
    return items


def every(names: Collection[str]) -> AfterValidator:
    """In `Annotated`: a dict with these keys, in this order, and no others."""

    def check(found: dict[str, Any]) -> dict[str, Any]:
        for name in found:
            if name not in names:
                raise wrong(_unknown(name, names))
        for name in names:
            if name not in found:
                raise wrong(f"{name}: missing")
        return {name: found[name] for name in names}

    return AfterValidator(check)


Text = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1), Expected("text that is not empty")
]
"""Text without the space around it."""
Said = Annotated[str, AfterValidator(_not_blank)]
"""Text as it was written, not only space."""
Texts = Annotated[tuple[Text, ...], AfterValidator(_only_once)]
"""Different texts."""
Whole = Annotated[int, Strict()]
"""A whole number, and no true or false."""
Fraction = Annotated[float, Strict(), Field(ge=0, le=1), Expected("a number from 0 to 1")]


# Values and files.


def parse(
    kind: type[T],
    raw: object,
    *,
    place: str = "",
    known_only: bool = True,
    error: type[ValueError] = DataError,
) -> T:
    """`raw` as a `kind`; raise `error`, which begins with `place`.

    Where not `known_only`, unknown keys are passed over, but for types that forbid them themselves.
    """
    try:
        value: T = _adapter(cast("Any", kind)).validate_python(raw, extra="forbid" if known_only else None)
    except ValidationError as found:
        said = _told(found, kind)
        raise error(f"{place}: {said}" if place else said) from None
    return value


def read_toml(kind: type[T], path: Path, **given: object) -> T:
    """A TOML file as a `kind`, of which `given` are the fields that do not stand in the file; raise `DataError`."""
    try:
        raw = tomli.loads(read_text(path))
    except tomli.TOMLDecodeError as error:
        raise DataError(f"{path.name}: not valid TOML: {error}") from None
    for name in given:
        if name in raw:
            raise DataError(f"{path.name}: {name}: unknown key")
    return parse(kind, {**raw, **given}, place=path.name)


def read_json(kind: type[T], path: Path, **given: object) -> T:
    """A file that this program wrote as JSON, as a `kind`; what else stands in it is passed over. Raise `DataError`."""
    place = str(path)
    raw = parse(dict[str, Any], parse_json(read_text(path), place=place), place=place)
    return parse(kind, {**raw, **given}, place=place, known_only=False)


def read_lines(kind: type[T], path: Path, *, known_only: bool = True) -> Iterator[T]:
    """Every line of a file of JSON lines as a `kind`; raise `DataError` naming file and line."""
    for number, line in enumerate(lines_of(path), start=1):
        place = f"{path}:{number}"
        yield parse(kind, parse_json(line, place=place), place=place, known_only=known_only)


def parse_json(text: str, *, place: str = "", error: type[ValueError] = DataError) -> Any:
    """The value of a JSON text; raise `error`, which begins with `place`."""
    try:
        value = json.loads(text)
        if _HALF.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        said = "holds half a character, such as \\ud83d without what follows it; write the whole one"
    except json.JSONDecodeError as found:
        said = f"not JSON: {found.msg} at column {found.colno}"
    except (RecursionError, ValueError):
        said = "not a record: nested too deep, or a number too long"
    else:
        return value
    raise error(f"{place}: {said}" if place else said)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


# One sentence of pydantic's list of complaints.

_UNKNOWN = ("unexpected_keyword_argument", "extra_forbidden")
_WORDS = {
    "string_type": "text",
    "int_type": "a whole number",
    "tuple_type": "a list",
    "dict_type": "an object",
    "dataclass_type": "an object",
}
_SHORT = reprlib.Repr()
_SHORT.maxstring = 80


def _told(error: ValidationError, kind: Any) -> str:
    """The first complaint; an unknown key before all, since it often is the one that is missing."""
    complaints = error.errors(include_url=False)
    first = next((each for each in complaints if each["type"] in _UNKNOWN), complaints[0])
    path = first["loc"]
    if first["type"] in _UNKNOWN:
        path, said = path[:-1], _unknown(str(path[-1]), get_type_hints(_at(kind, path[:-1])))
    else:
        said = _complaint(first)
    place = _place(path)
    return f"{place}: {said}" if place else said


def _complaint(found: ErrorDetails) -> str:
    kind, context = found["type"], found.get("ctx", {})
    if kind in (_WRONG, "value_error"):
        return found["msg"].removeprefix("Value error, ")
    if kind == "missing":
        return "missing"
    if kind == "too_short":
        return f"expected a list of at least {context['min_length']}, got {context['actual_length']}"
    if kind == "too_long":
        return f"expected a list of at most {context['max_length']}, got {context['actual_length']}"
    if kind in ("literal_error", "enum"):
        what = "one of " + context["expected"].replace("'", "").replace(" or ", ", ")
    else:
        what = _WORDS.get(kind) or found["msg"].removeprefix("Input should be ")
    return f"expected {what}, got {_SHORT.repr(found['input'])}"


def _place(path: Sequence[int | str]) -> str:
    """Where in a value: `says.greets`, or `question 2: ask` for the second of `questions`."""
    said, keys = [], list[str]()
    for part in path:
        if isinstance(part, str):
            keys.append(part)
        else:
            said.append(f"{'.'.join(keys).removesuffix('s')} {part + 1}")
            keys = []
    return ": ".join([*said, ".".join(keys)] if keys else said)


def near(name: str, known: Collection[str]) -> str:
    """What may have been meant by a name that is none of `known`."""
    if found := difflib.get_close_matches(name, known, n=1):
        return f"did you mean {found[0]!r}?"
    return f"there are: {', '.join(list(known)[:MOST_NAMES])}{', …' if len(known) > MOST_NAMES else ''}"


def _unknown(name: str, known: Collection[str]) -> str:
    return f"unknown key {name!r}; {near(name, known)}"


def _at(kind: Any, path: Sequence[int | str]) -> Any:
    """The type at that place of a type."""
    for part in path:
        if get_origin(kind) is None:
            kind = get_type_hints(kind)[str(part)]
        else:
            kind = get_args(kind)[0 if isinstance(part, int) else -1]
        if get_origin(kind) in (Union, UnionType):
            kind = next(each for each in get_args(kind) if each is not NoneType)
    return kind
