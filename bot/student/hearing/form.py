"""The form of a question, whatever it is about: yes or no, this or that, open, after a reason.

It knows wording only.
"""

from __future__ import annotations

import re

from bot.student.said import Said

_YES_NO = re.compile(
    r"(?:^|[.!?,] )(?:so |and |ok |okay |now )?"
    r"(?:is|are|do|does|did|can|could|would|will|have|has|should) [^.!?]*\?\s*$",
    re.I,
)
_OPEN = re.compile(
    r"(?:(?:so|and|ok|okay|now|hey|hmm),? )*(?:what|which|who|where|when|name|translate|say) [^.!?]{4,}\?*$",
    re.I,
)
_THING = r"(?:(?:an?|the|my|your) )?[\w'-]+"
_EITHER_OR = re.compile(
    r"\b(?:is|are|was|were|do|does|did|would|should|which|like|want|feel)\b[^.?!]{0,60}?"
    rf"(?P<one>\b{_THING}(?: day| one)?),? or (?P<other>{_THING}(?: [\w'-]+)?)\?\W*$",
    re.I,
)
MOST_OF_EITHER_OR = 120
"""Characters at a turn's end in which such a question is looked for."""


def yes_no(said: Said) -> bool:
    """Whether yes or no answers it."""
    return bool(_YES_NO.search(said.text)) and " or " not in said.text


def is_open(said: Said) -> bool:
    """Whether the whole turn is a question with an answer other than yes and no."""
    return bool(_OPEN.match(said.text))


def options(said: Said) -> tuple[str, str] | None:
    """The two things of a plain either-or."""
    found = _EITHER_OR.search(said.text[-MOST_OF_EITHER_OR:])
    return (found["one"].strip(), found["other"].strip()) if found else None
