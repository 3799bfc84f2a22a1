"""A turn as it is meant, where its spelling hides that: k1ll, k i l l, k.i.l.l, killl, ki ll, k*ll and a skull.

For the alarms and the readers of the guard alone: what is stored and what the child hears stays as it was written.
It knows words and how often people use them, not what is alarming about them (`alarms.toml` lists what is masked).
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product

from bot.student.frequency import frequencies
from bot.student.said import Said

LEAST = 3.0
"""Zipf frequency of the rarest known word."""
COMMON = 3.5
"""... and of one for which two pieces are put together."""

RARE = 430
"""Rank (see `rank`) from which a known word may be a piece of another."""
FREQUENT = 3.9
"""... and of one that a misspelt word is taken for."""
SHORTEST, LONGEST = 4, 30
"""Letters of a word that may be misspelt or masked: no known word is longer."""

_SIGNS = {
    "0": "o", "1": "il", "3": "e", "4": "a", "5": "s", "6": "g", "7": "t", "8": "b", "9": "g",
    "@": "a", "$": "s", "!": "i", "|": "l", "\u20ac": "e", "+": "t", "*": "",
}  # fmt: skip
"""What a sign may stand for inside a word."""
_SAID = {
    "h8": "hate", "h8s": "hates", "h8d": "hated", "gr8": "great", "m8": "mate", "l8": "late", "l8r": "later",
    "w8": "wait", "b4": "before", "2nite": "tonight", "2night": "tonight", "2nyt": "tonight", "2morrow": "tomorrow",
    "2day": "today", "4ever": "forever", "4eva": "forever", "sk8": "skate", "str8": "straight", "any1": "anyone",
    "some1": "someone", "every1": "everyone", "no1": "no one", "evry1": "everyone", "4u": "for you", "2u": "to you",
}  # fmt: skip
_PICTURES = {
    "\U0001f480": "die", "\u2620": "die", "\u26b0": "dead", "\U0001faa6": "dead", "\U0001f52b": "gun",
    "\U0001f52a": "knife", "\U0001f5e1": "knife", "\u2694": "swords", "\U0001f44a": "hit", "\U0001f91b": "hit",
    "\U0001f91c": "hit", "\U0001f4a3": "bomb", "\U0001f9e8": "bomb", "\U0001f48a": "pills", "\U0001f489": "needle",
    "\U0001fa78": "blood", "\U0001f37a": "beer", "\U0001f37b": "beer", "\U0001f377": "wine", "\U0001f943": "whiskey",
    "\U0001f378": "drink", "\U0001f6ac": "cigarette", "\U0001f33f": "weed", "\U0001f343": "weed", "\U0001f341": "weed",
    "\U0001f346": "dick", "\U0001f351": "ass", "\U0001f4a6": "wet", "\U0001f445": "tongue", "\U0001f459": "bikini",
    "\U0001f48b": "kiss", "\U0001f618": "kiss", "\U0001f92b": "secret", "\U0001f910": "secret", "\U0001f595": "fuck",
    "\U0001f5d1": "trash", "\U0001f4a9": "shit", "\U0001f437": "pig", "\U0001f416": "pig", "\U0001f412": "monkey",
    "\U0001f435": "monkey", "\U0001f648": "monkey", "\U0001f400": "rat", "\U0001f40d": "snake", "\U0001f921": "clown",
    "\U0001f525": "fire", "\U0001fa93": "axe", "\U0001f528": "hammer", "\U0001f4f8": "photo", "\U0001f4f7": "photo",
    "\U0001f933": "selfie", "\U0001f6cf": "bed", "\U0001f6bf": "shower", "\U0001fa92": "razor", "\U0001faa2": "rope",
    "\U0001f697": "car", "\U0001f381": "gift", "\U0001f36c": "candy", "\U0001f36d": "candy", "\U0001f916": "robot",
    "\U0001f467": "girl", "\U0001f466": "boy", "\U0001f476": "baby",
}  # fmt: skip
_PICTURE = re.compile("[" + "".join(_PICTURES) + "]")
_ORNAMENT = re.compile(r"[\u2190-\u2bff\ufe00-\ufe0f\U0001f000-\U0001faff]+")
_MASKED = tuple(
    "fuck fucking fucked fucker shit bitch ass asshole dick cock cunt pussy sex sexy porn rape raped nude nudes naked"
    " tits boobs slut whore cum kill killed killing kick cut cutting hit hurt die dead beat stab shoot gun knife bomb"
    " suicide drug drugs meth coke weed vape pills heroin vodka retard retarded stupid idiot dumb moron loser fat ugly"
    " trash hell damn bastard nigger nigga faggot fag jews blacks mexicans muslims punch slap smack choke burn belt"
    " bleach jump hate".split()
)
"""Words that people write with a star in them, so k*ll and f**k."""
# A run of signs or of letters is begun at its first one alone: what fails there fails at each of its others.
_TOKEN = re.compile(r"(?<![@$!|\u20ac+*'])[\w@$!|\u20ac+*']*\w[\w@$|\u20ac+*']*|[^\w\s]|\s+")
_SPACED = re.compile(r"(?<![\w'*])[^\W_]([\s._~|/*+-]{1,3})[^\W_](?:\1[^\W_]){1,}(?![\w'*])")
"""Single letters with the same thing between them."""
_PIECES = re.compile(r"(?<![^\W_])[^\W_]+(?:[._~|*+/-]{1,3}[^\W_]+)+")
_MEASURE = re.compile(
    r"\d+(?:st|nd|rd|th|s|am|pm|a|p|cm|mm|m|km|ft|in|yd|kg|g|lb|lbs|oz|x|k|d|c|l|ml|yo|min|hr|hrs|sec|e)?"
)
_RUNS = re.compile(r"(.)\1+")
_LONG = re.compile(r"(.)\1{2,}")
_WORDLIKE = re.compile(r"[a-z']+")
_MOST = 24
"""So many readings of one word's signs are tried."""


@lru_cache(maxsize=1)
def _words() -> dict[str, int]:
    return frequencies(LEAST)


def rank(word: str) -> int:
    """How rare `word` is, from about 130 (the) over 600 (one in a million) to 900 (unknown)."""
    return _words().get(word, 900)


def uncover(text: str) -> str:
    """`text` in small letters with its words as they are meant; ordinary text stays as it is."""
    said = Said.of(text).text.lower()
    if not said.isascii():
        said = _PICTURE.sub(lambda found: f" {_PICTURES[found.group()]} ", said)
        said = _ORNAMENT.sub(lambda found: _between(said, found), said)
    said = _SPACED.sub(_together, said)
    said = _PIECES.sub(_joined, said)
    tokens = [_meant(token) for token in _TOKEN.findall(said)]
    return "".join(map(_corrected, _mended(tokens)))


def _between(said: str, found: re.Match[str]) -> str:
    before, after = said[found.start() - 1 : found.start()], said[found.end() : found.end() + 1]
    return "" if before.isalpha() and after.isalpha() else " "


def _together(found: re.Match[str]) -> str:
    spelled = re.sub(r"[\W_]+", "", found.group())
    if sum(map(str.isalpha, spelled)) * 2 <= len(spelled):
        return found.group()
    first, rest = spelled[0], spelled[1:]
    if first in "ai" and _meant(spelled) not in _words() and _meant(rest) in _words():  # a g u n
        return f"{first} {rest}"
    return spelled


def _joined(found: re.Match[str]) -> str:
    if "*" in found.group() and (masked := _unmasked(found.group())):
        return masked
    pieces = re.split(r"[._~|*+/-]+", found.group())
    whole = _meant("".join(pieces))
    known = all((len(piece) > 2 and piece in _words()) or piece.isdigit() for piece in pieces)  # noqa: PLR2004
    return whole if not known and whole in _words() else found.group()


@lru_cache(maxsize=20_000)
def _meant(token: str) -> str:
    """One token as it is meant."""
    if token in _words() or len(token) < 2 or _MEASURE.fullmatch(token):  # noqa: PLR2004
        return token
    if token in _SAID:
        return _SAID[token]
    if _WORDLIKE.fullmatch(token):
        return _shortened(token)
    core = token.rstrip("!|+")
    if not any(map(str.isalpha, core)):
        return token
    if "*" in core and (masked := _unmasked(core)):
        return masked
    options = [_SIGNS.get(sign, sign) or "*" for sign in core]
    readings = ["".join(each) for each, _ in zip(product(*options), range(_MOST), strict=False)]
    best = min(map(_shortened, readings), key=rank)
    if best in _words():
        return best
    return _shortened(readings[0]) if sum(map(str.isalpha, core)) > 1 else token


def _shortened(word: str) -> str:
    """Without letters that are drawn out: killl, hurtt, stoopiddd."""
    if word in _words() or not _RUNS.search(word):
        return word
    singly, doubly = _RUNS.sub(r"\1", word), _LONG.sub(r"\1\1", word)
    ends = re.sub(r"(.)\1+$", r"\1", doubly)
    best = min((doubly, ends, singly), key=rank)
    return best if best in _words() else _LONG.sub(r"\1", word)


def _unmasked(word: str) -> str:
    """The first of the words that people mask with the letters of `word`, or nothing."""
    if len(word) > LONGEST:
        return ""
    pattern = re.compile(re.escape(word).replace(r"\*", "[a-z]{1,2}"))
    return next((each for each in _MASKED if pattern.fullmatch(each)), "")


def _corrected(token: str) -> str:
    """An unknown word with one letter too many, missing, wrong or swapped is the most frequent word so near."""
    if (
        not SHORTEST <= len(token) <= LONGEST
        or token in _words()
        or not token.isalpha()
        or not token.isascii()
    ):
        return token
    near = _near()
    found = [near[each] for each in (token, *_cuts(token)) if each in near]
    return min(found, key=rank, default=token)


def _cuts(word: str) -> list[str]:
    return [word[:place] + word[place + 1 :] for place in range(len(word))]


@lru_cache(maxsize=1)
def _near() -> dict[str, str]:
    """Every frequent word by each form of it that lacks a letter, the most frequent first come."""
    near: dict[str, str] = {}
    for word in frequencies(FREQUENT):
        if len(word) >= SHORTEST and word.isalpha() and word.isascii():
            for cut in _cuts(word):
                near.setdefault(cut, word)
    return near


def _mended(tokens: list[str]) -> list[str]:
    """Words that were cut in two by a space are put together: ki ll, bea ts."""
    known = _words()
    place = 0
    while place + 2 < len(tokens):
        one, gap, two = tokens[place : place + 3]
        if gap == " " and one.isalpha() and two.isalpha() and max(rank(one), rank(two)) > RARE:
            whole = _shortened(one + two)
            cut = one not in known or two not in known or min(rank(one), rank(two)) > RARE
            if cut and rank(whole) <= (9 - COMMON) * 100 and rank(whole) < max(rank(one), rank(two)):
                tokens[place : place + 3] = [whole]
                continue
        place += 1
    return tokens
