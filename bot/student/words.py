"""The words of a turn, folded so that one word in its simple forms is one word.

It knows letters only: no lesson and no move. `content_words` keeps words apart that a spelling lesson
keeps apart (hop, hope); `stems` folds verbs too, for likeness.
"""

from __future__ import annotations

import re

WORD = re.compile(r"[a-z]+(?:'[a-z]+)*|\d+(?::\d+)?")
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "`": "'"})


def _words(text: str) -> list[str]:
    return WORD.findall(text.lower().translate(_APOSTROPHES))


def content_words(text: str) -> frozenset[str]:
    """The different words and numbers of `text`, lower case: toy, toys and toy's are one, can't is cant."""
    return frozenset(map(_singular, _words(text)))


def stems(text: str) -> list[str]:
    """The words of `text` in order, no digits, plurals and verb endings folded: traded, trades, trading."""
    return [_stem(word) for word in _words(text) if not word[0].isdigit()]


def _singular(word: str) -> str:
    word = (word.removesuffix("'s")).replace("'", "")
    if len(word) > 4 and word.endswith("ies"):  # noqa: PLR2004 - ties and dies are no plurals of ty and dy
        return word[:-3] + "y"
    if len(word) > 4 and re.search(r"(ch|sh|x|ss|zz|to)es$", word):  # noqa: PLR2004
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word  # noqa: PLR2004


def _stem(word: str) -> str:
    if word == "ones":  # a place in a number, not one of them
        return word
    word = _singular(_IRREGULAR.get(word, word))
    if len(word) > 4 and word.endswith("ied"):  # noqa: PLR2004
        return word[:-3] + "y"
    for ending in ("ing", "ed"):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            word = word[: -len(ending)]
            return word[:-1] if re.search(r"([bdgkmnprtv])\1$", word) else word
    return word[:-1] if len(word) > 4 and word.endswith("e") else word  # noqa: PLR2004


_VERBS = (
    "break broke broken", "buy bought", "come came", "cut cutting", "draw drew drawn", "eat ate eaten",
    "fall fell fallen", "feel felt", "find found", "foot feet", "give gave given giving",
    "go went gone goes", "grow grew grown", "hear heard", "hold held", "keep kept", "leave left",
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
