"""What holds for every test: no real keys, and no clock in Hypothesis's way."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from bot.config import SECRETS

# A shared machine is slow now and then, which is no failure; and what CI finds must be found again.
settings.register_profile("pupil", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("pupil")


@pytest.fixture(scope="session", autouse=True)
def _no_real_keys() -> Iterator[None]:
    """Tokens in the developer's environment are not for tests."""
    with pytest.MonkeyPatch.context() as environment:
        for name in SECRETS:
            environment.delenv(name.upper(), raising=False)
        yield
