"""What is nothing to say to a child, and what calls for help: families of wording, not sentences.

A wording is a row of words with slots, gaps and choices: `i .. <will> .. <harm> you` rings for "I'm gonna hit
you" and for "I swear I will really hurt you". They stand in `alarms.toml`. It knows wording only; what is
answered, and in which order, is `safeguard`.

The marks of a wording, between spaces:
    word, say_that      as it stands (_ is a space); harm* is any word that begins so
    a/b/<slot>          one of these; a slot is a list of words in `alarms.toml`
    ?word               may be left out
    ..  ...             up to three, up to seven words of the same sentence
    ~                   up to three words, neither "you" nor "not"
    ^  $  .             the beginning of a clause, its end, the end of a sentence
    !word               at the end: must not follow
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from bot.student.records.files import REFERENCE

FILE = REFERENCE / "alarms.toml"


class Alarm(StrEnum):
    """What kind of talk it is."""

    CRISIS = "crisis"
    VIOLENCE = "violence"
    SEXUAL = "sexual"
    GROOMING = "grooming"
    DISCLOSURE = "disclosure"
    CARICATURE = "caricature"
    PRIVATE = "private"


_ENDINGS = {
    "n't": " not",
    "'ll": " will",
    "'re": " are",
    "'ve": " have",
    "'d": " would",
    "'m": " am",
    "'s": "",
}
_IS = frozenset("what where who there that it he she here when how everything something nothing".split())
_WORD = re.compile(r"[a-z0-9][a-z0-9'*]*")

_LESSON = re.compile(
    r"\b(?:story|stories|book|chapter|page|poem|movie|song|map|tale|character|communit\w+|city|cities|country"
    r"|town|continent|planet|state|animals?|graph|compare|number line|cubes|example|wolf|giant"
    r"|safety rule|stranger|landmarks?|envelope|the mail|world|sentence|costume|weather|sort|rain\w*"
    r"|snow\w*|recess|soccer|library|zoo|museum|urban|rural|suburb\w*|upstairs|or an apartment|how many"
    r"|plus|minus|o'?clock|\d ?[ap]m|doctor|pretend|safety|online|not ever)\b"
)
"""A sentence with one of these asks about a lesson, not about the child."""
_SURPRISE = re.compile(
    r"\b(?:surprise|card|birthday|party|answers?|riddle|numbers?|code|words?|password|computer|partner"
    r"|how many|story|book|favorite|always liked)\b"
)
"""What makes a secret a harmless one."""
_UNLESS = {"lesson": _LESSON, "surprise": _SURPRISE}

_PAUSE = "[,:;]? "
_ANY = r"[\w-]+"
_GAPS = {"..": (3, _ANY), "~": (3, r"(?!you\b|not\b)[\w-]+"), "...": (7, _ANY)}
_CLAUSE_BEGINS = r"(?:^|(?<=[.,!?;:] ))"
_ENDS = {"$": r"(?=\W*(?:$|[.?!,;]))", ".": r"(?=\W*(?:$|[.?!]))"}


_HEAD = 4
"""So many letters of a word are compared before a pattern is tried."""
_COMMON = frozenset(
    word[:_HEAD]
    for word in (
        "i you your me my we us he she it they them the a an this that these those is are was were be am"
        " been do does did have has had not no and or but if so to of in on at for with from up down out"
        " off over as like what who where when how why which will would could can may might should must"
        " going want need think know see say tell show get give take put make let look come go one two all"
        " some any more than there here then now just only too very about because into by same other"
        " number"
    ).split()
)
"""What almost every turn holds, which tells nothing about it."""


@dataclass(frozen=True, slots=True)
class Wording:
    """One row of marks, and the word heads of which a text must hold one: most turns need no more looking."""

    alarm: Alarm
    heads: frozenset[str]
    hit: re.Pattern[str]
    unless: re.Pattern[str] | None

    def rings(self, said: str) -> bool:
        """Whether `said`, plain, holds this wording in a sentence that nothing excuses."""
        return any(
            self.unless is None or not self.unless.search(_sentence(said, found))
            for found in self.hit.finditer(said)
        )


def ring(text: str) -> Alarm | None:
    """What kind of alarming talk `text` holds, the gravest first, or None."""
    said = plain(text)
    heads = {word[:_HEAD] for word in re.findall(r"[a-z0-9]+", said)}
    return next(
        (each.alarm for each in _table().wordings if not each.heads.isdisjoint(heads) and each.rings(said)),
        None,
    )


def plain(text: str) -> str:
    """`text` in small letters, with contractions, chat spellings and words for the same thing made one."""
    said = " ".join(_WORD.sub(_spell, text.lower().replace("\u2019", "'")).split())
    return said.replace("any more", "anymore")


def _spell(match: re.Match[str]) -> str:
    word = match.group()
    if same := _table().spelling.get(word):
        return same
    stem, mark, ending = word.partition("'")
    if not mark:
        return word
    if word.endswith("n't"):
        return word[:-3] + " not"
    if ending == "s" and stem in _IS:
        return stem + " is"
    return _table().spelling.get(stem, stem) + _ENDINGS.get(mark + ending, mark + ending)


def _sentence(said: str, found: re.Match[str]) -> str:
    """The sentence of `found` and the next one: "Where do you live? In a city or in the country?"."""
    start = max(said.rfind(mark, 0, found.start() + 1) for mark in ".?!") + 1
    return " ".join(re.split("[.?!]", said[start:] + "..")[: 2 + found.group().count("?")])


@dataclass(frozen=True, slots=True)
class _Table:
    """What `alarms.toml` holds."""

    spelling: dict[str, str]
    wordings: tuple[Wording, ...]


@lru_cache(maxsize=1)
def _table() -> _Table:
    read = tomllib.loads(FILE.read_text(encoding="utf-8"))
    slots = {name: "/".join(words.split()) for name, words in read["slots"].items()}
    spelling = {typed: meant for meant, words in read["spelling"].items() for typed in words.split()}
    wordings = tuple(
        _wording(Alarm(family["alarm"]), line, slots, _UNLESS.get(family.get("unless", "")))
        for family in read["family"]
        for line in family["wordings"].splitlines()
        if line and not line.startswith("#")
    )
    return _Table(spelling, wordings)


def _wording(alarm: Alarm, line: str, slots: dict[str, str], unless: re.Pattern[str] | None) -> Wording:
    pattern, rarest, pause = "", _COMMON, r"\b"
    for mark in re.sub(r"<(\w+)>", lambda slot: slots[slot.group(1)], line).split():
        if mark in _GAPS:
            most, word = _GAPS[mark]
            pattern += rf"(?:{_PAUSE}{word}){{0,{most}}}?"
        elif mark == "^":
            pattern += _CLAUSE_BEGINS
        elif mark.startswith("!"):
            pattern += rf"(?!{_PAUSE}(?:{_either(mark[1:].split('/'))}))"
        else:
            options = mark.lstrip("?").split("/")
            words = [each for each in options if each not in _ENDS]
            steps = [f"{pause}(?:{_either(words)})"] if words else []
            steps += [_ENDS[each] for each in options if each in _ENDS]
            pattern += f"(?:{'|'.join(steps)})" + ("?" if mark.startswith("?") else "")
            pause = _PAUSE
            if not mark.startswith("?") and len(words) == len(options):
                heads = frozenset(map(_head, words))
                rarest = min(rarest, heads, key=lambda them: (len(them & _COMMON), len(them)))
    return Wording(alarm, rarest, re.compile(pattern), unless)


def _head(option: str) -> str:
    """The least common word of `option`, shortened: a text without it does not hold the option."""
    words = re.split("[_-]", option)
    if any(word.endswith("*") and len(word) <= _HEAD for word in words):
        raise ValueError(f"alarms.toml: {option!r} needs {_HEAD} letters or more before its *")
    heads = [word[:_HEAD] for word in words]
    return min(heads, key=lambda head: (head in _COMMON, -len(head)))


def _either(words: list[str]) -> str:
    return "|".join(re.escape(word).replace("_", " ").replace(r"\*", r"\w*") + r"\b" for word in words)
