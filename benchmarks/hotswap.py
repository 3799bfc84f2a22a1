"""From publishing a new version to the first reply on it, while 20 conversations go on, and whether any message was
lost or answered twice meanwhile.
Run: python -m benchmarks.hotswap [--conversations 20] [--swaps 3] [--pause 15] [--patience 300]

Every version has a random adapter of rank 8 on all layers of the embedded model, as large as a real one. Each
teacher writes `--pause` seconds, more or less by half, after an answer; with 0 the engine is never idle. Every
message comes twice, as platforms do it now and then. What takes longer than `--patience` seconds ends it with a word
on what that was.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import sqlite3
import statistics
import struct
import tempfile
import time
import uuid
from array import array
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bot import logs
from bot.app import App, opened, watching
from bot.config import load
from bot.messages import Message, Outgoing
from bot.models.artifact import publish
from bot.models.engines.weights import embedded_gguf, served_gguf
from bot.models.lora import base_checksum
from bot.models.manifest import Base, Data, Manifest, Prompt, Training
from bot.models.tensors import read_gguf
from bot.student.voicing.prompt import VERSION

NAME = "swapped"
RANK = 8
SCALE = 0.002
"""So small that the words stay those of the base: what is measured is the change, not the child."""
PARTS = {
    "attn_q": "self_attn.q",
    "attn_k": "self_attn.k",
    "attn_v": "self_attn.v",
    "attn_output": "self_attn.o",
    "ffn_gate": "mlp.gate",
    "ffn_up": "mlp.up",
    "ffn_down": "mlp.down",
}
QUESTIONS = ("What is 52 minus 17?", "How do you know?", "Are you sure?", "What is 60 take away 24?")


@dataclass(slots=True)
class Listener:
    """Counts what reaches a teacher."""

    sent: int = 0

    async def thinking(self) -> None:
        """Nobody watches."""

    async def send(self, _: Outgoing) -> None:
        """One more."""
        self.sent += 1

    async def find(self, _: Outgoing) -> list[str]:
        """Nothing is left behind here."""
        return []

    async def tell(self, _: str) -> bool:
        """Nobody is told."""
        return False


@dataclass(slots=True)
class Record:
    """All that was asked, and when a version was first heard (seconds on the monotonic clock)."""

    listeners: list[Listener] = field(default_factory=list)
    versions: Counter[str] = field(default_factory=Counter)
    voiced: Counter[str] = field(default_factory=Counter)
    first: dict[str, float] = field(default_factory=dict)
    failed: int = 0
    repeated: int = 0
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    over: bool = False


async def main(conversations: int, swaps: int, pause: float, patience: float) -> None:
    """Publish `swaps` versions one after another and print the figures."""
    record = Record()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        data.mkdir()
        shipped = load()
        served_gguf(shipped)
        for each in shipped.data.resolve().iterdir():
            if each.name in {"base", "children", "lessons", "reference", "prices.toml"}:
                (data / each.name).symlink_to(each)
        student = shipped.student.model_copy(update={"model": NAME})
        room = shipped.classroom.model_copy(update={"reply_seconds": patience})
        settings = shipped.model_copy(
            update={
                "data": data,
                "database": f"{folder}/bench.db",
                "pupil_database_url": None,
                "student": student,
                "classroom": room,
            }
        )
        _publish(data / "models", "0")
        waits, loads = [], []
        async with opened(settings) as app, watching(app.models):
            async with _patient(patience, "the first version to open", app):
                await app.models.get(NAME)
            # A conversation that breaks ends all the others, and the wait for them.
            async with asyncio.TaskGroup() as talks:
                for number in range(conversations):
                    talks.create_task(_talk(app, record, f"room-{number}", pause))
                async with _patient(patience, "the first reply", app):
                    await _hear(record, "0")
                for number in range(1, swaps + 1):
                    # Building the random weights is not what is measured: they are ready before the clock starts.
                    files = _files(number)
                    began = time.monotonic()
                    _publish(data / "models", str(number), files)
                    renamed = time.monotonic()
                    async with _patient(patience, f"version {number} to be live", app):
                        while (await app.models.get(NAME)).version != str(number):  # noqa: ASYNC110 - as a teacher would
                            await asyncio.sleep(0.005)
                    loads.append(time.monotonic() - renamed)
                    async with _patient(patience, f"the first reply of version {number}", app):
                        await _hear(record, str(number))
                    waits.append(record.first[str(number)] - renamed)
                    print(f"version {number}: published in {renamed - began:.2f} s, live after {loads[-1]:.2f} s, "
                          f"first reply after {waits[-1]:.2f} s", flush=True)  # fmt: skip
                record.over = True
        _print(settings.database, record, conversations, waits, loads)


@asynccontextmanager
async def _patient(seconds: float, what: str, app: App) -> AsyncIterator[None]:
    """Wait for `what` no longer than that; a version that was refused would be waited for in vain."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        problem = next((each.problem for each in app.models.describe() if each.name == NAME), None)
        raise SystemExit(f"waited {seconds:g} s for {what}: {problem or 'the machine is too busy'}") from None


async def _talk(app: App, record: Record, channel: str, pause: float) -> None:
    turn = 0
    waits = random.Random(channel)
    while True:
        await asyncio.sleep(pause * waits.uniform(0.5 if turn else 0.0, 1.5))
        if record.over:
            return
        text = QUESTIONS[turn % len(QUESTIONS)]
        turn += 1
        said = Message(str(uuid.uuid4()), "bench", channel, None, "bench", text, datetime.now(UTC))
        listener = Listener()
        record.listeners.append(listener)
        answer, again = await asyncio.gather(
            app.classroom.receive(said, listener, seed=turn), app.classroom.receive(said, listener, seed=turn)
        )
        record.repeated += again is not None
        if answer is None or answer.version is None:
            record.failed += 1
            continue
        record.versions[answer.version] += 1
        record.voiced[answer.voiced or ""] += 1
        record.first.setdefault(answer.version, time.monotonic())
        record.heard.set()


async def _hear(record: Record, version: str) -> None:
    while version not in record.first:
        record.heard.clear()
        await record.heard.wait()


def _print(database: str, record: Record, conversations: int, waits: list[float], loads: list[float]) -> None:
    with sqlite3.connect(database) as store:
        (logged,) = store.execute("SELECT count(*) FROM turns WHERE role = 'student'").fetchone()
        (open_claims,) = store.execute("SELECT count(*) FROM claims WHERE state != 'answered'").fetchone()
    sent = [listener.sent for listener in record.listeners]
    print(
        f"{conversations} conversations, {len(sent)} messages, each delivered twice; {logged} replies logged"
    )
    print(f"from rename to live {_spread(loads)}, to the first reply on the new version {_spread(waits)}")
    twice = sum(count > 1 for count in sent) + record.repeated
    print(f"lost {sent.count(0)}, failed {record.failed}, answered twice {twice}, left open {open_claims}")
    print(f"replies by version {dict(sorted(record.versions.items()))}, voiced {dict(record.voiced)}")


def _spread(seconds: Iterable[float]) -> str:
    ordered = sorted(seconds)
    return f"{statistics.median(ordered):.2f} s (median; {ordered[0]:.2f} to {ordered[-1]:.2f})"


def _publish(models: Path, version: str, files: dict[str, Path | bytes] | None = None) -> None:
    manifest = Manifest(
        name=NAME,
        version=version,
        kind="lora",
        base=Base(id="SmolLM2-135M-Instruct", sha256=base_checksum(embedded_gguf())),
        prompt=Prompt(version=VERSION),
        data=Data(sha256=hashlib.sha256(b"none").hexdigest(), dialogues=0, split="none"),
        training=Training(method="random"),
    )
    publish(models, manifest, files or _files(int(version)))


def _files(seed: int) -> dict[str, Path | bytes]:
    """A random adapter in both formats."""
    numbers = random.Random(seed)
    served: list[tuple[str, tuple[int, int], bytes]] = []
    kept: list[tuple[str, tuple[int, int], bytes]] = []
    for name, tensor in read_gguf(embedded_gguf()).tensors.items():
        _, _, rest = name.partition("blk.")
        block, _, part = rest.removesuffix(".weight").partition(".")
        if part not in PARTS:
            continue
        rows, columns = tensor.shape
        for half, shape in (("a", (RANK, columns)), ("b", (rows, RANK))):
            sample = [numbers.uniform(-SCALE, SCALE) for _ in range(997)]
            count = shape[0] * shape[1]
            content = array("f", (sample * (count // len(sample) + 1))[:count]).tobytes()
            served.append((f"{name}.lora_{half}", shape, content))
            peft = f"base_model.model.model.layers.{block}.{PARTS[part]}_proj.lora_{half.upper()}.weight"
            kept.append((peft, shape, content))
    config = {"peft_type": "LORA", "r": RANK, "lora_alpha": RANK}
    return {
        "adapter.gguf": _gguf(served),
        "adapter_model.safetensors": _safetensors(kept),
        "adapter_config.json": json.dumps(config).encode(),
    }


def _gguf(tensors: list[tuple[str, tuple[int, int], bytes]]) -> bytes:
    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    pairs = {"general.architecture": "llama", "general.type": "adapter", "adapter.type": "lora"}
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(pairs) + 1)
    for key, value in pairs.items():
        head += text(key) + struct.pack("<I", 8) + text(value)
    head += text("adapter.lora.alpha") + struct.pack("<If", 6, RANK)
    body = bytearray()
    for name, (rows, columns), content in tensors:
        head += text(name) + struct.pack("<IQQIQ", 2, columns, rows, 0, len(body))
        body += content + bytes(-len(content) % 32)
    return head + bytes(-len(head) % 32) + bytes(body)


def _safetensors(tensors: list[tuple[str, tuple[int, int], bytes]]) -> bytes:
    header, body = {}, bytearray()
    for name, shape, content in tensors:
        offsets = (len(body), len(body) + len(content))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": offsets}
        body += content
    packed = json.dumps(header).encode()
    return struct.pack("<Q", len(packed)) + packed + bytes(body)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=20)
    parser.add_argument("--swaps", type=int, default=3)
    parser.add_argument("--pause", type=float, default=15.0)
    parser.add_argument("--patience", type=float, default=300.0)
    logs.set_up("error")
    asyncio.run(main(**vars(parser.parse_args())))
