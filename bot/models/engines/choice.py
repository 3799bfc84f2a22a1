"""Which engine the embedded model runs on, and why.

It knows the settings and what is on this machine. torch is asked only where a GPU seems to be: importing it
takes seconds, which everybody without one is spared.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.models.engines.base import EngineError
from bot.sections import Engine as Settings

EngineName = Literal["llama_cpp", "torch", "vllm"]

INSTALL = "pip install -e '.[train]'"
NEEDED = ("torch", "transformers", "peft", "gguf")
NVIDIA = (Path("/dev/nvidiactl"), Path("/proc/driver/nvidia"), Path("/dev/dxg"))
"""One of them is there where a GPU can be: of Linux, of containers, of Windows' Linux."""


@dataclass(frozen=True, slots=True)
class Choice:
    """An engine, and what spoke for it in a few words."""

    name: EngineName
    reason: str


def choose(settings: Settings) -> Choice:
    """The engine of these settings; raise `EngineError` when it is set, but not installed. May take seconds."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if settings.engine == "torch" and missing:
        raise EngineError(f'[engine] engine = "torch": {missing[0]} is not installed: {INSTALL}')
    if settings.engine != "auto":
        return Choice(settings.engine, "set in config.toml")
    if settings.vllm_urls:
        return Choice("vllm", "vllm_url is set")
    if not any(path.exists() for path in NVIDIA):
        return Choice("llama_cpp", "no NVIDIA GPU here")
    if missing:
        return Choice("llama_cpp", f"an NVIDIA GPU seems to be here; to use it: {INSTALL}")
    from bot.models.engines.torch_loading import has_cuda  # noqa: PLC0415 - imports torch

    if has_cuda():
        return Choice("torch", "an NVIDIA GPU is here")
    return Choice("llama_cpp", "torch finds no GPU it can use")
