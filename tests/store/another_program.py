"""A second program on the same database, to be raced, starved and killed by the tests."""

# ruff: noqa: T201 - it speaks through its output
from __future__ import annotations

import asyncio
import resource
import sys
from datetime import UTC, datetime

from bot.store import Store, StoreError
from bot.store.rows import ClaimedMessage, StudentTurn, TeacherTurn
from bot.student.records.dialogue import Thought, ThoughtKind


def message(key: str) -> ClaimedMessage:
    """A message with that key."""
    return ClaimedMessage(key, "discord", "room", None, "a" * 32, f"Question {key}", key, datetime.now(UTC))


async def claim(url: str, keys: int) -> None:
    """Claim as many keys as possible after a starting shot on the input; print those won."""
    store = await Store.open(url)
    print("ready", flush=True)
    sys.stdin.readline()
    for number in range(keys):
        if await store.claim(message(str(number))):
            print(number)
    await store.aclose()


async def log(url: str, prefix: str, characters: int) -> None:
    """Log exchanges for ever, print each one when it is logged, or the error that ends it."""
    store = await Store.open(url)
    conversation = await store.conversation("discord", "room", None)
    number = 0
    while True:
        key = f"{prefix}-{number}"
        now = datetime.now(UTC)
        try:
            await store.claim(message(key))
            await store.log_exchange(
                key,
                conversation.id,
                TeacherTurn(f"Question {key}", now, "a" * 32, platform_message_id=key),
                StudentTurn(
                    content=f"Answer {key}" + "." * characters,
                    said_at=now,
                    thought=Thought(ThoughtKind.ANSWER, answer="45"),
                    voiced="model",
                    model="starter",
                    model_version="1",
                    prompt_version="1",
                    child="mia",
                    lesson="2.NBT.B.5-subtract",
                ),
                "{}",
            )
        except StoreError as error:
            print("error", error, flush=True)
            break
        print("logged", key, flush=True)
        number += 1
    await store.aclose()


if __name__ == "__main__":
    mode, url, *rest = sys.argv[1:]
    if mode == "claim":
        asyncio.run(claim(url, int(rest[0])))
    elif mode == "log":
        asyncio.run(log(url, rest[0], 0))
    elif mode == "starve":
        # No file of this program may grow beyond the limit: the system refuses the write.
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(rest[0]), int(rest[0])))
        asyncio.run(log(url, "starved", 2_000))
