"""A practice log for the tests: written through the store, as the bot writes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.store import Store, hash_user
from bot.store.rows import ClaimedMessage, Consent, Exchange, StudentTurn, TeacherTurn
from bot.student.records.child import read_children
from bot.student.records.dialogue import MoveKind, Stage, Thought, ThoughtKind
from training.harvest.harvest import Options, Summary, harvest

DATA = Path(__file__).parents[3] / "data"
ANN, BEN, CID = (hash_user("discord", name, b"secret") for name in ("ann", "ben", "cid"))
LESSON = "2.NBT.B.5-subtract"
BEGIN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LATER = BEGIN + timedelta(days=30)
CHILDREN = read_children(DATA / "children")


@dataclass(slots=True)
class Log:
    """Writes conversations into a store, one after another in time."""

    store: Store
    said: int = 0

    async def exchange(  # every part of an exchange can be set
        self,
        text: str,
        answer: str | None,
        *,
        channel: str = "room",
        author: str = ANN,
        consent: Consent | None = Consent.ON,
        move: MoveKind = MoveKind.ASKS,
        flag: str | None = None,
        reply: str | None = None,
        at: datetime | None = None,
        voiced: str = "model",
        model: str = "base",
        version: str = "1",
        child: str = "mia",
    ) -> Exchange:
        self.said += 1
        at = at or BEGIN + timedelta(minutes=self.said)
        key = f"discord:{self.said}"
        place = await self.store.conversation("discord", channel, None)
        await self.store.claim(ClaimedMessage(key, "discord", channel, None, author, text, key, at))
        student = None
        if answer is not None:
            student = StudentTurn(
                content=f"It's {answer}." if reply is None else reply,
                said_at=at + timedelta(seconds=2),
                thought=Thought(
                    ThoughtKind.ANSWER, answer, None, "smaller-from-larger", Stage.HOLDS, words=2
                ),
                voiced=voiced,
                model=model,
                model_version=version,
                prompt_version="3",
                child=child,
                lesson=LESSON,
                seed=7,
                prompt_tokens=300,
                completion_tokens=4,
                latency_ms=500,
                platform_message_id=f"sent-{self.said}",
            )
        teacher = TeacherTurn(text, at, author, key, move, consent, flag)
        return await self.store.log_exchange(key, place.id, teacher, student, None)

    async def talk(self, channel: str = "room", author: str = ANN, number: int = 0) -> list[Exchange]:
        """A whole good conversation; other numbers are other conversations."""
        await self.store.set_consent(author, Consent.ON)
        said = []
        for step, (pattern, answer) in enumerate(PATTERNS):
            text = pattern.format(*WORDS[(number + step) % len(WORDS)].split())
            ending = WORDS[number % len(WORDS)]
            reply = f"It's {answer}." if step else f"Um, {answer} {ending.split()[0]}."
            said.append(
                await self.exchange(
                    f"{text} {ending} {number}", answer, channel=channel, author=author, reply=reply
                )
            )
        return said


WORDS = (
    "red bees hum",
    "slow trains pass",
    "warm bread rises",
    "green frogs leap",
    "old clocks tick",
    "tall trees sway",
)
PATTERNS = (
    ("The {0} {1} {2}: take 24 from 61 for me.", "43"),
    ("Say the {1} were {0}, and 72 less 38 {2}?", "46"),
    ("Now {2} the {0} {1}, 85 without 29.", "64"),
)


async def run(
    store: Store,
    out: Path,
    *,
    data: Path = DATA,
    now: datetime = LATER,
    options: Options | None = None,
) -> Summary:
    """Harvest as the command does."""
    return await harvest(store, data, CHILDREN, {LESSON: None}, options or Options(), out, now=now)
