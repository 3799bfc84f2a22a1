"""How likely is a turn a sincere question whether a real child is there? A small word model.

It backs up the patterns of `safeguard`, which know fewer ways of asking. Its weights come from
`python -m training.reality`; it decides nothing: what to make of the score is `safeguard`.
"""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache
from itertools import combinations, pairwise

from bot.student.records.files import REFERENCE

WEIGHTS = REFERENCE / "reality.json"
SINCERE = -1.5
"""Score (log-odds) from which a question is taken for sincere, chosen by five-fold cross-validation on the
labelled lines: 95 % of sincere ones reach it, 9 % of written look-alikes, 0.1 % of ordinary teaching. It is low
on purpose: a notice too many costs a moment, a child that is taken for a real one costs trust."""

_ALIKE = {
    word: name
    for name, line in {
        "REAL": "real reel actual live living genuine breathing authentic",
        "PERSON": "human humans person people someone somebody anyone anybody nobody adult grownup grown-up actor"
        " minor minors individual",
        "CHILD": "kid kids child children student students pupil pupils girl boy grader graders",
        "MADE": "ai bot bots chatbot chatbots chatgpt gpt llm simulation simulated automated automatic artificial"
        " generated algorithm virtual persona scripted avatar",
        "MACHINE": "robot computer machine program software app code script programmed character",
        "UNREAL": "fake pretend imaginary pretending recorded made-up",
        "TALK": "talking speaking chatting interacting communicating dealing practicing texting teaching",
        "TYPE": "typing typed types type writing writes answering replying responding responds",
        "WORDS": "answers replies responses messages reply response message",
        "CHAT": "chat conversation account screen keyboard practice exercise session",
        "YOU": "you u ya",
        "ARE": "are r",
        "YOURE": "you're youre ur",
        "SURE": "honest honestly truth truthfully seriously confirm clear",
        "KNOW": "know wonder wondering prove believe",
        "REALLY": "really actually truly",
    }.items()
    for word in line.split()
}
_TELLING = frozenset(_ALIKE.values()) | set(
    "exist behind other there here this who i ? or am is it not if".split()
)
_WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*|\d+|\?")


def score(text: str, name: str = "") -> float:
    """Log-odds that `text` asks this sincerely; `name` is the child's, who counts as "you"."""
    weights = _weights()
    found = features(text, name)
    return weights[""] + sum(weights.get(each, 0.0) for each in found) / math.sqrt(len(found) + 1)


def features(text: str, name: str = "") -> set[str]:
    """Words, pairs of neighbours, pairs with one word between, and pairs of telling words anywhere."""
    words = [_ALIKE.get(word, word) for word in _WORD.findall(text.lower().replace("\u2019", "'"))]
    words = ["#" if word.isdigit() else "YOU" if word == name.lower() else word for word in words]
    telling = sorted(_TELLING.intersection(words))
    words = ["^", *words, "$"]
    return {
        *words,
        *(f"{one} {two}" for one, two in pairwise(words)),
        *(f"{one} _ {two}" for one, two in zip(words, words[2:], strict=False)),
        *(f"{one}&{two}" for one, two in combinations(telling, 2)),
    }


@lru_cache(maxsize=1)
def _weights() -> dict[str, float]:
    weights: dict[str, float] = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return weights
