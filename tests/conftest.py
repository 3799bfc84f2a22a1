"""What holds for every test: no real keys, and no clock in Hypothesis's way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from bot.config import secret_names
from tests.fakes.small_gguf import write_small_gguf

# A shared machine is slow now and then, which is no failure; and what CI finds must be found again.
settings.register_profile("pupil", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("pupil")

if (worker := os.environ.get("PYTEST_XDIST_WORKER")) and hasattr(os, "sched_setaffinity"):
    # A core for each worker and all that it starts: the embedded model's threads would wait for the neighbour's.
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[int(worker.removeprefix("gw")) % len(cores)]})


@pytest.fixture(scope="session", autouse=True)
def _no_real_keys() -> Iterator[None]:
    """Tokens in the developer's environment are not for tests."""
    with pytest.MonkeyPatch.context() as environment:
        for name in secret_names():
            environment.delenv(name.upper(), raising=False)
        yield


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A quick model that talks nonsense."""
    return write_small_gguf(tmp_path_factory.mktemp("gguf") / "small.gguf")
