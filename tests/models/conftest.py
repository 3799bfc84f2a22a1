"""What the tests of models share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fakes.small_gguf import write_small_gguf


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A quick model that talks nonsense."""
    return write_small_gguf(tmp_path_factory.mktemp("gguf") / "small.gguf")
