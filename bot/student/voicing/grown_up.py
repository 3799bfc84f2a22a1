"""A child's parent as a large model is asked to play them, and what of its words may stand.

There is no state of mind here: who the person is and what they came for stands in the scenario, and all that is said is
the model's own. A small model cannot do this, and is never asked to.
"""

from __future__ import annotations

import re

from bot.student.records.cue import Cue
from bot.student.records.scenario import Parent
from bot.student.voicing.prompt import ChatMessage, exchanges, one_line, recent_exchanges
from bot.student.voicing.voice import Shaped

WORDS = 25
"""Words that a turn is to have, about; chosen by feel."""
MOST_WORDS = 70
"""Words after which a turn is cut at the end of a sentence."""
_RULES = (
    "You play a parent of a second grader who talks with the child's teacher, a teacher in training. Answer with the "
    "parent's next words alone, spoken, in one to three short sentences. You are tired after a day of work, not a "
    "helper: you never coach the teacher, never sum up, never praise the talk. You say what you know only when you are "
    "asked or feel heard. Where you are lectured or hear jargon, you grow short. You grow warmer only for a reason."
)
_PROGRAM = re.compile(r"\b(?:as an ai|language model|i am an assistant|role-?play)\b", re.I)
_SPEAKER = re.compile(r"^\s*(?:[A-Z][\w.]*(?: [A-Z]\w+)?|parent|mother|father)\s*:\s*", re.I)
_ASIDE = re.compile(r"\*[^*]*\*|\([^)]*\)|\[[^\]]*\]")


def render(cue: Cue, parent: Parent) -> list[ChatMessage]:
    """The messages that ask a large model for the parent's words."""
    messages = [ChatMessage("system", f"{_RULES}\n\n{_card(cue, parent)}")]
    for teacher, said in (*recent_exchanges(cue.turns), *exchanges(cue.recalled)):
        messages += [ChatMessage("user", one_line(teacher)), ChatMessage("assistant", said.content)]
    return [*messages, ChatMessage("user", one_line(cue.teacher))]


def _card(cue: Cue, parent: Parent) -> str:
    return "\n".join(
        (
            f"You are {parent.name}, {parent.who}. {cue.child.name} is {cue.child.age} and in second grade.",
            f"How you talk: {parent.manner}",
            f"What you came for: {parent.wants}",
            "What you know, and tell only when it is asked for: " + " ".join(parent.knows),
            f"What makes you easier to talk with: {parent.eases}",
        )
    )


def shape(text: str) -> Shaped:
    """The words without stage directions and names in front, cut at the end of a sentence; a fault where none are left
    or a machine speaks."""
    said = " ".join(_ASIDE.sub("", _SPEAKER.sub("", text.strip())).split()).strip(' "\u201c\u201d')
    words = said.split()
    if len(words) > MOST_WORDS:
        head = " ".join(words[:MOST_WORDS])
        ends = [match.end() for match in re.finditer(r"[.!?](?=\s|$)", head)]
        said = head[: ends[-1]] if ends else head
    if not said:
        return Shaped("", "empty")
    return Shaped(said, "speaks as a machine" if _PROGRAM.search(said) else None)
