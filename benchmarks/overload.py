"""More teachers than the embedded model can answer at once: how long they wait, and whose words they get.

Run: python -m benchmarks.overload [--teachers 24 60] [--seconds 120] [--think 10]

Half of the teachers are on Discord, half on Slack, each in a channel of their own: they say something, wait for the
answer, think, and go on. A notice that there is no answer counts as unanswered; the teacher goes on all the same.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.platforms import whose_words
from benchmarks.school import ROOT, Talk, open_school

APART = 0.618
"""Of the time for thinking: teachers do not begin in step."""


async def overload(count: int, seconds: float, think: float) -> None:
    """So many teachers for so long; prints one line of figures, and one of whose words were said."""
    lines = (ROOT / "data/practice/teachers.jsonl").read_text(encoding="utf-8").splitlines()
    scripts = [json.loads(line)["turns"] for line in itertools.islice(itertools.cycle(lines), count)]
    with tempfile.TemporaryDirectory() as folder:
        async with open_school(Path(folder), count // 2, instant=False, heartbeat_seconds=5.0) as school:
            began = time.perf_counter()

            async def teach(number: int, talk: Talk) -> None:
                await asyncio.sleep(think * (number * APART % 1))
                for text in itertools.cycle(scripts[number]):
                    if time.perf_counter() - began > seconds:
                        return
                    await talk.say(text)
                    if not await talk.answered():
                        return
                    await asyncio.sleep(think)

            await asyncio.gather(*(teach(number, talk) for number, talk in enumerate(school.talks)))
            took = time.perf_counter() - began
            if school.process.returncode is not None:
                raise RuntimeError(
                    f"the bot ended ({school.process.returncode}): " + " ".join(school.errors())
                )
            memory, errors = school.resident_mib(), school.errors()
        words = await whose_words(school)
    said = sum(len(talk.said) for talk in school.talks)
    silent = said - sum(len(talk.heard) for talk in school.talks)
    refused = sum(talk.refused() for talk in school.talks)
    waits = [wait for talk in school.talks for wait in talk.waits()]
    ranks = statistics.quantiles(waits, n=20)
    childs = words["model"] + words["retry"] + words["phrasing"]
    print(
        f"{count} teachers, {think:g} s of thinking: {said} messages in {took:.0f} s, {childs / took:.2f} replies/s; "
        f"p50 {statistics.median(waits):.1f} s, p95 {ranks[-1]:.1f} s, at most {max(waits):.1f} s"
    )
    print(
        f"  phrasing {words['phrasing'] / childs if childs else 1:.1%}, unanswered {refused + silent} "
        f"({silent} without a word), {sum(talk.moments for talk in school.talks)} asked for a moment, "
        f"{memory:.0f} MiB; words: " + ", ".join(f"{number} {whose}" for whose, number in words.most_common())
    )
    for line in errors:
        print(f"  the bot's log: {line}")


def main() -> None:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--teachers", type=int, nargs="+", default=[24, 60])
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--think", type=float, default=10.0)
    given = parser.parse_args()
    for count in given.teachers:
        asyncio.run(overload(count, given.seconds, given.think))


if __name__ == "__main__":
    main()
