"""The question that a teacher's turn asks, as readers get it, and how a reader names its wording.

It knows how questions are wrapped in talk, not what they are about.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps

from bot.student.knowing.tables import Answers
from bot.student.numbers import plain
from bot.student.said import Said

WORD = r"(?:the words? )?['\"]?([a-z]+)['\"]?"
"""A word that is asked about, quoted or not."""

FILLERS = ("ok", "okay", "now", "so", "and", "then", "well", "hey", "hmm", "great", "good", "alright", "please",
           "tell me", "can you tell me", "do you know")  # fmt: skip
"""What leads in to a question."""
QUESTION_WORDS = ("what", "which", "who", "whose", "where", "when", "why", "how", "is", "are", "do", "does", "can",
                  "could")  # fmt: skip
"""How a question begins; it needs no mark at its end."""
ORDERS = (
    "if",
    "name",
    "tell",
    "say",
    "spell",
    "give",
    "read",
    "count",
    "put",
    "make",
    "order",
    "true or false",
)
"""How else a teacher asks."""
_FILLER = re.compile(rf"^(?:(?:{'|'.join(FILLERS)})\b[\s,:!-]*)+(?=\w)")
_ASKS = re.compile(rf"[?_]|^(?:{'|'.join((*QUESTION_WORDS, *ORDERS))})\b")
_NUMBERS = re.compile(r"^[\w ,+=_-]*\d[\w ,+=_-]*[.!]?$")
"""What is asked about may stand behind the question."""


@dataclass(frozen=True)
class Question:
    """A question in small letters, its blanks as _: `ask` is its sentence alone, without what leads in and without
    the mark at its end; `told` is all that leads to it, itself included."""

    ask: str
    told: str

    @classmethod
    def of(cls, said: Said) -> Question | None:
        """The last question in `said`, or what asks like "tell me a word" where nothing else does."""
        text = re.sub(r"\bwhat'?s\b", "what is", said.lower.replace("colour", "color"))
        text = re.sub(r"\.{3,}$", "_", text)
        sentences = [each for each in Said.of(text).sentences if re.search(r"\w", each)]
        bare = [_FILLER.sub("", each) for each in sentences]
        asking = [at for at, each in enumerate(bare) if _ASKS.search(each)]
        asking = asking or [at for at, each in enumerate(sentences) if _ASKS.search(each)]
        if not asking:
            return None
        at = asking[-1]
        ask = bare[at].strip(" ?.!").removesuffix("yes or no").rstrip(" ,")
        after = _NUMBERS.search(" ".join(sentences[at + 1 :]))
        return cls(ask, " ".join(sentences if after else sentences[: at + 1]))

    @cached_property
    def plain(self) -> str:
        """`ask` with digits and signs (see `numbers`)."""
        return plain(self.ask)

    @cached_property
    def plain_told(self) -> str:
        """`told` with digits and signs."""
        return plain(self.told)


Reader = Callable[[Question], Answers | None]
"""From a question to what the child answers; None where it is another reader's, or not known."""


def asks(wording: str, of: str = "ask") -> Callable[[Callable[[re.Match[str]], Answers | None]], Reader]:
    """Make a reader of a function that answers where `wording` is found in that field of a question."""
    pattern = re.compile(wording)

    def reader(answer: Callable[[re.Match[str]], Answers | None]) -> Reader:
        @wraps(answer)
        def read(question: Question) -> Answers | None:
            asked = pattern.search(getattr(question, of))
            return answer(asked) if asked else None

        return read

    return reader
