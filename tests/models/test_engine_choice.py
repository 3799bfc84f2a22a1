"""Which engine is picked on which machine, and that nobody without a GPU waits for torch to be imported."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.config import ConfigError, load
from bot.models.base import ModelUnavailable
from bot.models.engines import choice
from bot.models.engines.base import EngineError
from bot.models.engines.choice import Choice, choose
from bot.models.engines.llama_cpp import LlamaCppEngine
from bot.models.registry import Models
from bot.readiness import check
from bot.sections import Engine
from tests.fakes.adapters import data_folder, publish_adapter
from tests.fakes.students import settings_at
from tests.fakes.vllm_server import VllmServer

ROOT = Path(__file__).parents[2]
URL = "http://localhost:8000/v1"
Machine = Callable[..., None]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    """A machine with these parts."""

    def has(*, gpu: bool, torch: bool, cuda: bool = False) -> None:
        (tmp_path / "nvidiactl").touch()
        paths = (tmp_path / "none", tmp_path / "nvidiactl") if gpu else (tmp_path / "none",)
        monkeypatch.setattr(choice, "NVIDIA", paths)
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: None if name in choice.NEEDED and not torch else name
        )
        fake = SimpleNamespace(has_cuda=lambda: cuda)
        monkeypatch.setitem(sys.modules, "bot.models.engines.torch_loading", fake)

    return has


@pytest.mark.parametrize(
    ("parts", "engine", "expected"),
    [
        ({"gpu": False, "torch": False}, {}, ("llama_cpp", "no NVIDIA GPU")),
        ({"gpu": False, "torch": True, "cuda": True}, {}, ("llama_cpp", "no NVIDIA GPU")),
        ({"gpu": True, "torch": False}, {}, ("llama_cpp", "pip install -e '.[train]'")),
        ({"gpu": True, "torch": True}, {}, ("llama_cpp", "no GPU it can use")),
        ({"gpu": True, "torch": True, "cuda": True}, {}, ("torch", "an NVIDIA GPU is here")),
        ({"gpu": True, "torch": True, "cuda": True}, {"vllm_url": URL}, ("vllm", "vllm_url is set")),
        ({"gpu": True, "torch": True, "cuda": True}, {"engine": "llama_cpp"}, ("llama_cpp", "config.toml")),
        ({"gpu": False, "torch": True}, {"engine": "torch"}, ("torch", "config.toml")),
        (
            {"gpu": False, "torch": False},
            {"engine": "llama_cpp", "vllm_url": URL},
            ("llama_cpp", "config.toml"),
        ),
    ],
)
def test_what_is_picked_and_why(
    machine: Machine, parts: dict[str, bool], engine: dict[str, Any], expected: tuple[str, str]
) -> None:
    machine(**parts)
    picked = choose(Engine(**engine))
    assert picked.name == expected[0]
    assert expected[1] in picked.reason


def test_torch_that_is_set_but_not_installed_says_how_to_install_it(machine: Machine) -> None:
    machine(gpu=True, torch=False)
    with pytest.raises(EngineError, match=r"torch is not installed: pip install -e '\.\[train\]'"):
        choose(Engine(engine="torch"))


def test_settings_that_cannot_be_meant(tmp_path: Path) -> None:
    for text, holds in (
        ('engine = "cuda"', "engine.engine"),
        ('engine = "vllm"', "vllm_url is needed"),
        ('vllm_url = "localhost:8000"', "http://localhost:8000/v1"),
    ):
        path = tmp_path / "config.toml"
        path.write_text(f"[engine]\n{text}\n", encoding="utf-8")
        with pytest.raises(ConfigError, match=holds):
            load(path, environment_file=None)


def test_picking_imports_no_torch_where_there_is_no_gpu() -> None:
    program = (
        "import sys; from pathlib import Path; from bot.config import Engine; from bot.models.engines import choice;"
        "choice.NVIDIA = (Path('none'),); print(choice.choose(Engine()).name);"
        "import bot.models.registry; print(sorted({'torch', 'transformers', 'peft', 'openai'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.stdout.splitlines() == ["llama_cpp", "[]"], done.stderr


async def test_check_says_which_engine_and_why(tmp_path: Path, small: Path, machine: Machine) -> None:
    machine(gpu=False, torch=False)
    settings = settings_at(tmp_path / "pupil.db", engine={"gguf": small, "slots": 1, "threads": 1})
    notes = {part.name: (part.ready, part.note) for part in await check(settings)}
    assert notes["engine"] == (True, "llama_cpp: no NVIDIA GPU here")
    broken = settings_at(tmp_path / "pupil.db", engine={"gguf": small, "engine": "torch"})
    notes = {part.name: (part.ready, part.note) for part in await check(broken)}
    assert notes["engine"][0] is notes["model"][0] is False
    assert "pip install" in notes["engine"][1]


async def test_base_and_adapters_go_through_the_engine_and_programs_through_llama_cpp(
    tmp_path: Path, small: Path
) -> None:
    async with VllmServer() as server:
        engine = {"engine": "vllm", "vllm_url": server.url, "gguf": small, "slots": 1, "threads": 1}
        settings = settings_at(tmp_path / "pupil.db", engine=engine)
        settings = settings.model_copy(update={"data": data_folder(tmp_path / "data")})
        publish_adapter(settings.data / "models", "1", base=small)
        models = Models(settings)
        assert await models.engine() == Choice("vllm", "set in config.toml")
        await models.get("base")
        await models.get("starter")
        assert len(server.chats) == 1, "an adapter is let speak once before anybody hears it"
        program = await models._engines.llama_cpp()
        assert isinstance(program, LlamaCppEngine)
        assert models._engines.running is not program
        await models.aclose()
        with pytest.raises(EngineError, match="closed"):
            await program.add_adapter(tmp_path / "adapter.gguf", lambda _: models.refresh())


async def test_where_llama_cpp_is_picked_programs_share_it(tmp_path: Path, small: Path) -> None:
    engine = {"engine": "llama_cpp", "gguf": small, "slots": 1, "threads": 1}
    models = Models(settings_at(tmp_path / "pupil.db", engine=engine))
    first = await models._engines.llama_cpp()
    assert await models._engines.get() is first
    await models.aclose()


async def test_a_server_that_is_away_makes_the_model_unavailable_until_it_is_back(tmp_path: Path) -> None:
    async with VllmServer() as server:
        settings = settings_at(tmp_path / "pupil.db", engine={"engine": "vllm", "vllm_url": server.url})
    models = Models(settings)
    with pytest.raises(ModelUnavailable, match="vllm: connection failed"):
        await models.get("base")
    async with VllmServer() as server:
        back = settings.engine.model_copy(update={"vllm_url": server.url})
        models._engines._settings = settings.model_copy(update={"engine": back})
        assert (await models.get("base")).version.startswith("HuggingFaceTB")
        await models.aclose()
