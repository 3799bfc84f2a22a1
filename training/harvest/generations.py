"""How many generations of model output a model's words are away from people's.

A model that was trained on what people wrote speaks the first generation; one that was trained on harvested turns
of that model, the second. It reads the manifests of published versions.
"""

from __future__ import annotations

import json
from pathlib import Path


class Generations:
    """The generation of every model version that the log names."""

    def __init__(self, models: Path) -> None:
        self._models = models
        self._known: dict[tuple[str, str], int | None] = {}

    def of(self, model: str, version: str) -> int | None:
        """1 for a model that never saw another's words here; None where that cannot be told.

        A version without a manifest was not trained here. A manifest says in `data.generation` how many generations
        deep its training data was: 0 is authored by people.
        """
        key = model, version
        if key not in self._known:
            self._known[key] = self._read(model, version)
        return self._known[key]

    def _read(self, model: str, version: str) -> int | None:
        if version.startswith("ft:") and not (self._models / model).is_dir():
            return None  # fine-tuned somewhere else, on who knows what
        folder = self._models / model
        if folder.parent != self._models or not folder.is_dir():
            return 1
        try:
            manifest = json.loads((folder / version / "manifest.json").read_text(encoding="utf-8"))
            depth = manifest["data"]["generation"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return depth + 1 if isinstance(depth, int) and depth >= 0 else None
