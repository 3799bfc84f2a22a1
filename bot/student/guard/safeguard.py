"""What the child does not answer: the program itself does, with a fixed notice.

It knows texts only. A flagged turn is logged with its flag and never becomes training data; what
`redact` takes out of a turn is stored nowhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.student.guard import asking, reader
from bot.student.guard.alarms import Alarm, ring
from bot.student.guard.disguise import uncover
from bot.student.guard.features import words
from bot.student.guard.redaction import redact

__all__ = ["CRISIS", "HONESTY", "PRIVATE", "PUPIL_DATA", "SAFETY", "Flag", "Notice", "check", "redact"]


class Flag(StrEnum):
    """Why the program answered instead of the child."""

    HONESTY = "honesty"
    SAFETY = "safety"
    CRISIS = "crisis"
    PUPIL_DATA = "pupil_data"


@dataclass(frozen=True, slots=True)
class Notice:
    """The fixed answer, with its flag."""

    flag: Flag
    text: str


HONESTY = Notice(
    Flag.HONESTY,
    "This is a simulated student: a computer program for practising teaching. No child is here. "
    "You can go on with the lesson whenever you like.",
)
SAFETY = Notice(
    Flag.SAFETY,
    "This practice stops here: that is nothing to say to a child, simulated or not. "
    "The message is marked and will not be used. Start again with a lesson when you are ready.",
)
PRIVATE = Notice(
    Flag.SAFETY,
    "This child is made up: it has no address, phone, password or photo, and no real child should be asked "
    "for them. The message is marked and will not be used. You can go on with the lesson.",
)
CRISIS = Notice(
    Flag.CRISIS,
    "I am a practice program, so let me step out of the lesson. If you are thinking about hurting yourself "
    "or are in danger, please reach a person now: call or text 988 (US, day and night), your local emergency "
    "number, or findahelpline.com. Your course staff will want to help, too.",
)
PUPIL_DATA = Notice(
    Flag.PUPIL_DATA,
    "That looked like a real person's data, so I took it out before anything was stored. Please don't paste "
    "names, contacts or records of real pupils here; say 'a student of mine' and go on with the lesson.",
)

HARM, HARM_ALARMED = 0.5, -3.0
"""Log-odds from which a turn is taken for harmful: by the reader alone, and where a row of `alarms.toml` rings. All
four were chosen on lines whose authors the reader had not learned from, and on lines kept aside."""
CERTAIN = frozenset(Alarm) - {Alarm.GROOMING}
"""Alarms that the reader cannot overrule: the others ring for too much that is harmless."""
REAL, REAL_MARKED = -0.25, -2.0
"""The same for a question whether a real child is there, where a pattern of `asking` fits."""

# How people who meet begin; the child says its name. With one word more ("really", "in real life") it may be sincere.
_GETS_TO_KNOW = re.compile(
    r"(?:(?:hi|hello|hey|ok|okay|and|so|well)\W+)*"
    r"(?:who are you|what's your name|what is your name|how old are you|what grade are you in"
    r"|what (?:should|can|do|may) (?:i|we) call you)\W*",
    re.I,
)


def check(text: str, name: str = "") -> Notice | None:
    """The notice that must answer `text`, or None for ordinary talk. `name` is the child's.

    A crisis goes before all else; someone else's data goes last, for `redact` has dealt with it.
    """
    said = " ".join(text.replace("\u2019", "'").split())
    if _GETS_TO_KNOW.fullmatch(said):
        return None
    meant = uncover(said)
    alarm, asks = ring(meant), asking.marks(said, name)
    score = reader.scores(words(meant, name), [*asks, *([f"!{alarm}"] if alarm else [])])
    if alarm in CERTAIN or score["harm"] >= (HARM_ALARMED if alarm else HARM):
        if alarm is Alarm.PRIVATE:
            return PRIVATE
        return CRISIS if alarm is Alarm.CRISIS or score["crisis"] > 0 else SAFETY
    if score["real"] >= (REAL_MARKED if asks else REAL):
        return HONESTY
    return PUPIL_DATA if redact(text)[1] else None
