"""What the log must never hold: secrets, by name or by shape, wherever they hide; and people's words."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import logs

SECRETS = (
    "sk-proj-abcdefgh12345678",
    "xoxb-123456789012-abcdefghij",
    "xapp-1-A0123456789-abcdefgh",
    "xoxe.xoxp-1-abcdefghijklmn",
    "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcdE.abcdefghijklmnopqrstuvwxyz0123456789AB",
    "Bearer abcdefgh12345678",
    "postgresql://pupil:hunter2hunter2@db.example.org/pupil",
)
PARTS = ("abcdefgh", "abcdefghij", "hunter2")
"""Of each secret one of these must be gone."""
SECRET_KEYS = (
    "token",
    "discord_token",
    "api_key",
    "apiKey",
    "password",
    "PUPIL_HASH_SECRET",
    "Authorization",
    "cookie",
)


class Failure(Exception):
    """Carries a secret in its text, as errors of clients do."""


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """What was logged at INFO and above."""
    yield from logging_to("info")


@pytest.fixture
def debugging() -> Iterator[io.StringIO]:
    """What was logged at all."""
    yield from logging_to("debug")


def logging_to(level: str) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    stream = io.StringIO()
    logs.set_up(level, stream)
    try:
        yield stream
    finally:
        structlog.reset_defaults()
        root.handlers[:], root.level = before


def assert_hidden(out: io.StringIO) -> None:
    text = out.getvalue()
    assert text
    for part in PARTS:
        assert part not in text
    out.seek(0)
    out.truncate()


HIDING_PLACES: dict[str, Callable[[Any, str], object]] = {
    "in the event": lambda log, secret: log.info(f"failed with {secret}"),  # noqa: G004
    "as a value": lambda log, secret: log.info("failed", reason=secret),
    "in a value": lambda log, secret: log.warning("failed", reason=f"GET {secret} gave 401"),
    "nested": lambda log, secret: log.info("failed", request={"headers": [("X", {"y": secret})]}),
    "in a tuple": lambda log, secret: log.info("failed", tried=(1, secret)),
    "in a set": lambda log, secret: log.info("failed", tried={secret}),
    "as bytes": lambda log, secret: log.info("failed", body=secret.encode()),
    "in an exception as a value": lambda log, secret: log.error("failed", error=Failure(secret)),
    "in a path": lambda log, secret: log.error("failed", path=Path("/x") / secret.replace("/", "_")),
    "as a key": lambda log, secret: log.info("failed", request={secret: 1}),
    "bound": lambda log, secret: log.bind(client=secret).info("failed"),
    "debug": lambda log, secret: log.error("failed", text=f"say {secret}"),
}


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("place", HIDING_PLACES)
def test_by_shape(out: io.StringIO, place: str, secret: str) -> None:
    if place == "in a path" and "://" in secret:
        pytest.skip("an address is no file name")
    HIDING_PLACES[place](structlog.get_logger("pupil"), secret)
    assert_hidden(out)


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_by_key(out: io.StringIO, key: str) -> None:
    log = structlog.get_logger("pupil")
    log.info("failed", **{key: "plain hunter2"})
    log.info("failed", request={"headers": [{key: "plain hunter2"}]})
    log.info("failed", request={key: {"inner": "plain hunter2"}})
    assert_hidden(out)


@pytest.mark.parametrize("secret", SECRETS)
def test_in_exceptions(out: io.StringIO, secret: str) -> None:
    def fail() -> None:
        try:
            raise Failure(f"inner {secret}")
        except Failure as error:
            raise RuntimeError(f"outer {secret}") from error

    for log in (structlog.get_logger("pupil"), logging.getLogger("library")):
        try:
            fail()
        except RuntimeError:
            log.exception("failed")
        assert "outer" in out.getvalue()
        assert_hidden(out)


@pytest.mark.parametrize("secret", SECRETS)
def test_in_the_standard_librarys_logging(out: io.StringIO, secret: str) -> None:
    library = logging.getLogger("some.library")
    says: list[Callable[[], object]] = [
        lambda: library.warning(f"url {secret}"),
        lambda: library.warning("url %s", secret),
        lambda: library.warning("%(token)s", {"token": secret}),
        lambda: library.error("headers %r", {"x": [secret]}),
        lambda: library.warning("extra", extra={"token": secret}),
        lambda: library.warning("stack %s", secret, stack_info=True),
        lambda: library.error("error %s", Failure(secret)),
    ]
    for say in says:
        say()
        assert_hidden(out)


NESTED = st.recursive(
    st.sampled_from(SECRETS) | st.integers() | st.none() | st.text(max_size=5) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=5) | st.sampled_from(SECRETS + SECRET_KEYS), inner, max_size=3)
    ),
    max_leaves=10,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NESTED, st.sampled_from(SECRETS))
def test_at_any_depth(out: io.StringIO, value: Any, secret: str) -> None:
    structlog.get_logger("pupil").warning("failed", first=value, second=[value, secret], token=value)
    for line in out.getvalue().split("\n")[:-1]:
        assert json.loads(line)["event"] == "failed"
    assert_hidden(out)


def test_token_counts_are_no_secrets(out: io.StringIO) -> None:
    structlog.get_logger("pupil").info("answered", prompt_tokens=310, completion_tokens=4, cached_tokens=0)
    assert json.loads(out.getvalue())["prompt_tokens"] == 310


def test_texts_only_at_debug(out: io.StringIO) -> None:
    log = structlog.get_logger("pupil")
    log.info("heard", text="my dog is Zanzibar", content="Zanzibar", reply="Zanzibar", prompt="Zanzibar")
    log.debug("heard", text="Zanzibar")
    assert "Zanzibar" not in out.getvalue()
    assert json.loads(out.getvalue().splitlines()[0])["text"] == "(18 characters)"


def test_texts_at_debug(debugging: io.StringIO) -> None:
    structlog.get_logger("pupil").debug("heard", text="my dog is Zanzibar, sk-abcdefgh12345678")
    assert "Zanzibar" in debugging.getvalue()
    assert_hidden(debugging)


def test_every_line_is_json_with_level_and_time(out: io.StringIO) -> None:
    structlog.get_logger("pupil").warning("one\nline", n=1)
    logging.getLogger("library").error("two")
    first, second = map(json.loads, out.getvalue().splitlines())
    assert (first["event"], first["level"], first["n"]) == ("one\nline", "warning", 1)
    assert (second["event"], second["level"], second["logger"]) == ("two", "error", "library")
    assert first["timestamp"].endswith("Z")


def test_a_terminal_gets_readable_lines_without_secrets() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    try:
        logs.set_up("info", screen := Terminal())
        structlog.get_logger("pupil").info("failed", reason="sk-abcdefgh12345678", token="hunter2")
        try:
            raise Failure("Bearer abcdefgh12345678")
        except Failure:
            logging.getLogger("library").exception("broken")
    finally:
        structlog.reset_defaults()
        root.handlers[:], root.level = before
    assert "failed" in screen.getvalue()
    assert_hidden(screen)


@pytest.mark.parametrize("password", ["p@ss", "@", "a@b@c", "p@ss:w/ord"])
def test_a_password_with_an_at_sign_is_hidden_whole(password: str) -> None:
    said = f"cannot reach postgresql://pupil:{password}@here/pupil now"
    assert (
        logs.redact(None, "info", {"reason": said})["reason"]
        == "cannot reach postgresql://[hidden]@here/pupil now"
    )
