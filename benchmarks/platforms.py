"""Discord and Slack at once, with their real clients on local sockets: is every message answered, once, in order?

python -m benchmarks.platforms load      200 channels, 2,000 messages, duplicates and lost connections, with a
                                         model that answers at once
python -m benchmarks.platforms teachers  24 teachers type at once to the embedded model

Prints how fast, and exits 1 when a promise is broken: a message lost, answered twice or out of order, memory
that grows, a heartbeat of Discord's gateway that comes late, an error in the bot's log.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import random
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.school import ROOT, School, Talk, open_school
from bot.store import Store

ASKED = (
    "What is 52 minus 17?",
    "How did you get that?",
    "Can you show me with blocks?",
    "And what is 64 minus 28?",
    "Why do you think so?",
    "What is 41 minus 12?",
    "Tell me more about it.",
    "What is 80 minus 35?",
    "Is that the same as before?",
    "Let us try 73 minus 49.",
)
WORDS = ("apple", "banana", "cherry", "grape", "lemon", "mango", "olive", "peach", "pepper", "plum")
"""The last word of each message. The instant model says it back, so that an answer tells what it answers."""
AT_ONCE = 2
"""Messages a teacher sends before waiting for the answers: with one there would be no order to keep."""
DUPLICATES = 0.05
QUIET_SECONDS = 3.0
"""After the last answer: time for answers that should not come."""
HEARTBEAT_SECONDS = 5.0
"""Discord asks for one every 41 s; here more often, to see more of them."""
LATE_SECONDS = 1.0
GROWTH = 1.1
"""Memory counts as flat while it stays below so many times what it was after the first quarter."""


async def load(channels: int) -> list[str]:
    """Both platforms with half of the channels each. Prints the figures, gives the broken promises."""
    total = channels * len(WORDS)
    twice = set(random.Random(7).sample(range(total), round(DUPLICATES * total)))
    memory: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        async with open_school(
            Path(folder), channels // 2, instant=True, heartbeat_seconds=HEARTBEAT_SECONDS
        ) as school:
            trouble = asyncio.create_task(_trouble(school, total, memory))
            started = time.perf_counter()
            teachers = [
                _teach(talk, [number * len(WORDS) + index in twice for index in range(len(WORDS))])
                for number, talk in enumerate(school.talks)
            ]
            await asyncio.gather(*teachers)
            seconds = time.perf_counter() - started
            trouble.cancel()
            await asyncio.gather(trouble, return_exceptions=True)
            await asyncio.sleep(QUIET_SECONDS)
            memory.append(school.resident_mib())
        broken = [fault for talk in school.talks if (fault := _out_of_order(talk))]
        broken += _broken(school)
        reconnected = school.discord.resumed, len(school.discord.identified) - 1, school.slack.connections - 1
    print(
        f"{total} messages in {channels} channels, {len(twice)} of them delivered twice; "
        "{} resumed, {} begun anew at Discord, {} begun anew at Slack".format(*reconnected)
    )
    _print_pace(school, total, seconds)
    print("memory at 25, 50, 75 and 100 %: " + ", ".join(f"{each:.0f}" for each in memory) + " MiB")
    if reconnected[0] < 1 or reconnected[1] < 1 or reconnected[2] < 1:
        broken.append(f"a lost connection was not restored: {reconnected}")
    if max(memory) > GROWTH * memory[0]:
        broken.append(f"memory grew by {max(memory) / memory[0] - 1:.0%}")
    return broken


async def _teach(talk: Talk, twice: list[bool]) -> None:
    """One teacher says everything, two messages at a time; those marked in `twice` are delivered again."""
    for first in range(0, len(WORDS), AT_ONCE):
        for number in range(first, first + AT_ONCE):
            again = await talk.say(f"{ASKED[number]} {WORDS[number]}")
            if twice[number]:
                await again()
        if not await talk.answered():
            return


async def _trouble(school: School, total: int, memory: list[float]) -> None:
    """Lose the connections three times, and note the bot's memory, each when so much is answered."""

    async def measure() -> None:
        memory.append(school.resident_mib())

    plan: list[tuple[float, Callable[[], Awaitable[None]]]] = [
        (0.20, lambda: school.discord.drop(4000)),
        (0.25, measure),
        (0.40, school.slack.hang_up),
        (0.50, measure),
        (0.60, school.discord.invalidate),
        (0.75, measure),
    ]
    for share, happens in plan:
        while sum(len(talk.heard) for talk in school.talks) < share * total:  # noqa: ASYNC110 - two servers
            await asyncio.sleep(0.02)
        await happens()


def _out_of_order(talk: Talk) -> str | None:
    """What is wrong with the answers of one channel, by the words said back; None when nothing is."""
    heard = [re.findall("[a-z]+", text.lower())[-1] for _, text in talk.heard]
    if heard == list(WORDS):
        return None
    counts = Counter(heard)
    lost = [word for word in WORDS if not counts[word]]
    repeated = [word for word in counts if counts[word] > 1]
    strange = [text for _, text in talk.heard if not text.lower().rstrip(".?").endswith(WORDS)]
    return f"{talk.place}: lost {lost}, repeated {repeated}, strange {strange}; in this order: {heard}"


async def teachers(count: int, messages: int) -> list[str]:
    """Half of the teachers on each platform, all with the embedded model. Prints the figures, gives the
    broken promises."""
    lines = (ROOT / "data/practice/teachers.jsonl").read_text(encoding="utf-8").splitlines()
    scripts = [
        json.loads(line)["turns"][:messages] for line in itertools.islice(itertools.cycle(lines), count)
    ]
    with tempfile.TemporaryDirectory() as folder:
        async with open_school(
            Path(folder), count // 2, instant=False, heartbeat_seconds=HEARTBEAT_SECONDS
        ) as school:

            async def teach(talk: Talk, script: list[str]) -> None:
                for text in script:
                    await talk.say(text)
                    if not await talk.answered():
                        return

            started = time.perf_counter()
            await asyncio.gather(*map(teach, school.talks, scripts))
            seconds = time.perf_counter() - started
            await asyncio.sleep(QUIET_SECONDS)
        broken = [
            f"{talk.place}: {len(talk.said)} said, {len(talk.heard)} answered"
            for talk in school.talks
            if not messages == len(talk.said) == len(talk.heard)
        ]
        broken += _broken(school)
        words = await whose_words(school)
    print(f"{count} teachers at once with {messages} messages each")
    _print_pace(school, count * messages, seconds)
    print("words: " + ", ".join(f"{number} {whose}" for whose, number in words.most_common()))
    return broken


async def whose_words(school: School) -> Counter[str]:
    """How many answers are the model's, its second try's, the plain thought's, or a notice."""
    store = await Store.open(school.database, read_only=True)
    try:
        voiced = Counter([logged.turn.voiced or "" async for logged in store.turns_stream()])
    finally:
        await store.aclose()
    # What a teacher said without an answer of the child got a notice.
    voiced["notice"] = voiced.pop("", 0) - voiced.total()
    return +voiced


def _broken(school: School) -> list[str]:
    broken = [f"the bot's log: {line}" for line in school.errors()]
    if school.discord.late > LATE_SECONDS:
        broken.append(f"a heartbeat came {school.discord.late:.1f} s late")
    return broken


def _print_pace(school: School, total: int, seconds: float) -> None:
    waits = [wait for talk in school.talks for wait in talk.waits()]
    ranks = statistics.quantiles(waits, n=20)
    print(
        f"{total / seconds:.1f} replies/s; from a message to its answer p50 {statistics.median(waits):.2f} s, "
        f"p95 {ranks[-1]:.2f} s, at most {max(waits):.2f} s"
    )
    print(f"{school.discord.beats} heartbeats, the latest {school.discord.late:.2f} s after its time")


def _even(text: str) -> int:
    number = int(text)
    if number < 2 or number % 2:  # noqa: PLR2004 - one on each platform
        raise argparse.ArgumentTypeError(f"expected an even number from 2 on, got {text}")
    return number


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", choices=["load", "teachers"])
    parser.add_argument("--channels", type=_even, default=200, help="of load; half of them on each platform")
    parser.add_argument("--teachers", type=_even, default=24, help="half of them on each platform")
    parser.add_argument(
        "--messages", type=int, default=3, help="of each of the teachers", choices=range(1, 7)
    )
    given = parser.parse_args()
    if given.run == "load":
        broken = asyncio.run(load(given.channels))
    else:
        broken = asyncio.run(teachers(given.teachers, given.messages))
    for each in broken:
        print(f"broken: {each}")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
