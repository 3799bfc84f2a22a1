"""A teacher's text, folded once: every reader takes a `Said`, and none folds again.

It knows letters, words and digits only: no lesson and no move. `words` keeps words apart that a spelling lesson keeps
apart (hop, hope); `stems` folds verbs too, for likeness. Chat markup is the platforms' and is off already.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property, lru_cache

import snowballstemmer

from bot.student.numbers import plain

_LOOK_ALIKE = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0445\u0443\u0456\u0458\u0455\u0501\u051b\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u03bf\u03b1\u03bd\u0391\u0392\u0395\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a7",
    "aeopcxyijsdqABEKMHOPCTXIoavABEHIKMNOPTX",
)
"""Cyrillic and Greek letters that look like Latin ones: a text with them is meant to be read as Latin."""
_QUOTED = re.compile(r"[ \t]*>{1,3}[ \t]*(?=[^\s<>=])(?!(?:or|and)\b)")
"""How a quoted line begins; "> or <" is a question about signs."""
_QUOTES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'", "\u201c": '"', "\u201d": '"'})


@dataclass(frozen=True)
class Said:
    """One turn of a teacher. `raw` is what was sent, `text` the same on one line with every character in its plain
    form: NFKC for letters and digits, look-alikes, quotes, no zero-width or control characters."""

    raw: str
    text: str

    @classmethod
    def of(cls, raw: str) -> Said:
        """Fold `raw`; any text will do."""
        return _folded(raw)

    @property
    def own(self) -> Said:
        """What its author says, without the lines quoted from others; all of it where there is nothing else."""
        lines = self.raw.partition("\n>>>")[0].split("\n")
        kept = "\n".join(line for line in lines if not _QUOTED.match(line))
        return Said.of(kept if kept.strip() else "\n".join(_QUOTED.sub("", line) for line in lines))

    @cached_property
    def lower(self) -> str:
        """In small letters."""
        return self.text.lower()

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """Cut behind . ! and ?; one empty sentence where nothing was said."""
        return tuple(re.split(r"(?<=[.!?]) ", self.text))

    @cached_property
    def plain(self) -> str:
        """In small letters with number words as digits and signs as + - * / = _ (see `numbers`)."""
        return plain(self.text)

    @cached_property
    def words(self) -> frozenset[str]:
        """The different words and numbers (see `content_words`)."""
        return content_words(self.text)

    @cached_property
    def stems(self) -> tuple[str, ...]:
        """The words in order, folded for likeness (see `stems`)."""
        return tuple(stems(self.text))

    @cached_property
    def length(self) -> int:
        """In words, as cut by spaces."""
        return len(self.text.split())


@lru_cache(maxsize=64)
def _folded(raw: str) -> Said:
    text = unicodedata.normalize("NFC", raw).translate(_QUOTES)
    if not text.isascii():
        text = "".join(map(_plain_form, text)).translate(_LOOK_ALIKE)
    return Said(raw, " ".join(text.split()))


def _plain_form(character: str) -> str:
    """NFKC for letters, digits and spaces alone: of 5\u00b2 it would make 52."""
    if character.isalpha() or character.isdecimal() or character.isspace() or character.isascii():
        return unicodedata.normalize("NFKC", character)
    return "" if unicodedata.category(character)[0] == "C" else character


WORD = re.compile(r"[a-z]+(?:'[a-z]+)*|\d+(?::\d+)?")
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "`": "'"})


def _words(text: str) -> list[str]:
    return WORD.findall(text.lower().translate(_APOSTROPHES))


def content_words(text: str) -> frozenset[str]:
    """The different words and numbers of `text`, lower case: toy, toys and toy's are one, can't is cant."""
    return frozenset(map(singular, _words(text)))


def stems(text: str) -> list[str]:
    """The words of `text` in order, no digits, plurals and verb endings folded: traded, trades, trading."""
    return [stem(word) for word in _words(text) if not word[0].isdigit()]


def singular(word: str) -> str:
    """One of it: toys and toy's are toy, berries berry, boxes box."""
    word = (word.removesuffix("'s")).replace("'", "")
    if len(word) > 4 and word.endswith("ies"):  # noqa: PLR2004 - ties and dies are no plurals of ty and dy
        return word[:-3] + "y"
    if len(word) > 4 and re.search(r"(ch|sh|x|ss|zz|to)es$", word):  # noqa: PLR2004
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word  # noqa: PLR2004


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """The word folded for likeness by the English Snowball stemmer, irregular verbs by their first form."""
    if word == "ones":  # a place in a number, not one of them
        return word
    stemmed: str = _STEMMER.stemWord(_IRREGULAR.get(word, word.replace("'", "")))
    return stemmed


_STEMMER = snowballstemmer.stemmer("english")
_VERBS = (
    "break broke broken", "buy bought", "come came", "cut cutting", "draw drew drawn", "eat ate eaten",
    "fall fell fallen", "feel felt", "find found", "foot feet", "give gave given giving",
    "go went gone goes", "grow grew grown", "have has had having", "hear heard", "hold held", "keep kept", "leave left",
    "make made making", "pay paid", "run ran", "see saw seen", "say said", "sell sold", "slide slid",
    "spend spent", "stand stood", "take took taken taking", "tell told", "think thought",
    "throw threw thrown", "wear wore worn", "write wrote written",
)  # fmt: skip
_IRREGULAR = {form: verb for verb, *forms in map(str.split, _VERBS) for form in forms}

PLAIN = content_words(
    "a an the is are was were be been it this these those that to of in on at and or but so if you your "
    "yours i me my we us our he she they them his her their do does did done can could would should will "
    "have has had having what which who how why when where let let's now then there here with for from as "
    "not no yes ok okay just one about try think tell look see get got make many much say said want know "
    "like good right really very all some any more too also still up down out into by than because maybe "
    "well thing things way going go put give take use please answer again each it's i'm you're don't "
    "doesn't isn't didn't what's that's "
)
"""Words that tell nothing of what a turn is about."""
PLAIN_STEMS = frozenset(stems(" ".join(PLAIN)))


def telling(text: str) -> frozenset[str]:
    """The stems of the words that tell what `text` is about: all but those that stand in any sentence."""
    return frozenset(stems(text)) - PLAIN_STEMS
