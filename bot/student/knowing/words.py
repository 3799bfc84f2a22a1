"""Letters, sounds and words: what rhymes, begins, ends, is the opposite, is spelled, is one of many.

By the tables of everyday words, and by spelling where that is enough. No lesson is known here.
"""

from __future__ import annotations

import re

from bot.student.knowing.question import QUESTION_WORDS, WORD, asks
from bot.student.knowing.tables import Answers, known_things, single, things, words


@asks(rf"(?:^|[,;] )(?:is|are) {WORD} the opposite of {WORD}$")
def are_opposite(asked: re.Match[str]) -> Answers:
    """Is left the opposite of right?"""
    return ("yes", "yeah") if asked[2] in things().opposites.get(asked[1], ()) else ("no", "nope")


@asks(rf"\bopposite of {WORD}|\bis (\w+), the \w+ is _")
def opposite(asked: re.Match[str]) -> Answers | None:
    """What is the opposite of wet? The sky is up, the ground is ..."""
    return things().opposites.get(asked[1] or asked[2])


@asks(rf"\bmeans the same as {WORD}")
def means_same(asked: re.Match[str]) -> Answers | None:
    """A word that means the same as big."""
    found = words().same.get(asked[1])
    return (found,) if found else None


@asks(rf"^(?!.*\b(?:do|does)\b.*\brhyme\b|.*\bor\b).*\brhymes? with {WORD}")
def rhyme(asked: re.Match[str]) -> Answers | None:
    """What rhymes with tree?"""
    found = next((line for line in words().rhymes if asked[1] in line), ())
    return tuple(each for each in found if each != asked[1]) or None


_EDGE = rf".*\b(?:(first|last|end)\b.* (?:in|of)|does) {WORD}(?: start with|$)"
_DIGRAPHS = ("sh", "ch", "th", "wh")


@asks(rf"^(?=.*\bsound\b){_EDGE}")
def sound(asked: re.Match[str]) -> Answers:
    """What is the first sound in sun?"""
    last, word = asked[1] in {"last", "end"}, asked[2]
    letters = word[-1] if last else word[:2] if word[:2] in _DIGRAPHS else word[0]
    return letters, words().letter_sounds.get(letters, letters)


@asks(rf"^(?=.*\bletter\b){_EDGE}")
def letter_of(asked: re.Match[str]) -> Answers:
    """What's the last letter in dog?"""
    return (asked[2][-1 if asked[1] in {"last", "end"} else 0].upper(),)


@asks(rf"\bspell {WORD}")
def spelled(asked: re.Match[str]) -> Answers:
    """How do you spell bone?"""
    return "-".join(asked[1]), asked[1]


@asks(rf"\bhow many (letters|syllables|beats) .*\b(?:in|for) {WORD}$")
def counted(asked: re.Match[str]) -> Answers:
    """How many letters are in frog? How many syllables?"""
    return (str(len(asked[2]) if asked[1] == "letters" else _syllables(asked[2])),)


def _syllables(word: str) -> int:
    """By groups of vowels, a silent e at the end uncounted."""
    return max(1, len(re.findall(r"[aeiouy]+", re.sub(r"(?<=[a-z]{2})(?<!l)e$", "", word))))


@asks(rf"\b(?:plural of|more than one) {WORD}|\bone ([a-z]+), two _", "told")
def plural(asked: re.Match[str]) -> Answers:
    """What do you call more than one foot? One fox, two ..."""
    return (_plural(single(asked[1] or asked[2])),)


def _plural(word: str) -> str:
    if word in words().plurals:
        return words().plurals[word]
    if re.search(r"(?:s|x|ch|sh)$", word):
        return word + "es"
    return word[:-1] + "ies" if re.search(r"[^aeiou]y$", word) else word + "s"


@asks(r"\b(?:today|now) i ([a-z]+)\b.*\byesterday i ?_", "told")
def past(asked: re.Match[str]) -> Answers:
    """Today I jump. Yesterday I ..."""
    return (words().pasts.get(asked[1]) or _past(asked[1]),)


def _past(word: str) -> str:
    if re.search(r"[^aeiou]y$", word):
        return word[:-1] + "ied"
    if re.fullmatch(r"[^aeiou]*[aeiou][^aeiouwxy]", word):  # one short vowel, as in hop and plan
        return word + word[-1] + "ed"
    return word + ("d" if word.endswith("e") else "ed")


@asks(r"^(?=.*\b(?:contraction|short)\b).*['\"]([a-z]+ [a-z]+)['\"]")
def contraction(asked: re.Match[str]) -> Answers | None:
    """What's the short way to say "I am"?"""
    found = words().short.get(asked[1])
    return (found,) if found else None


@asks(r"\b([a-z]) a vowel or a consonant\b")
def vowel(asked: re.Match[str]) -> Answers:
    """Is A a vowel or a consonant?"""
    return ("vowel" if asked[1] in "aeiou" else "consonant",)


@asks(r"^(?=.*\babc order\b).*?([a-z]+), ([a-z]+),? (?:and |or )?([a-z]+)$")
def in_order(asked: re.Match[str]) -> Answers:
    """Put dog, cat and bear in ABC order; which of them comes first?"""
    ordered = sorted(asked.groups())
    return (ordered[0],) if "first" in asked.string else (", ".join(ordered),)


_LETTER = r"(?:an? |the )?['\"]?([a-z])['\"]?"


@asks(rf"\bchange {_LETTER} in {WORD} to {_LETTER}\b", "told")
def changed(asked: re.Match[str]) -> Answers | None:
    """Change the c in can to an f. What word is it?"""
    return (asked[2].replace(asked[1], asked[3], 1),) if asked[1] in asked[2] else None


@asks(rf"\badd {_LETTER} to {WORD}", "told")
def added(asked: re.Match[str]) -> Answers:
    """Add an s to top; add an e to cap."""
    letter, word = asked.groups()
    return (word + letter if letter == "e" else letter + word,)


@asks(rf"\btake {_LETTER} off (?:of )?{WORD}", "told")
def taken(asked: re.Match[str]) -> Answers | None:
    """Take the s off of stop."""
    letter, word = asked.groups()
    return (word.replace(letter, "", 1),) if letter in word else None


LEAST_LETTERS = 3


@asks(rf"\btwo (?:little |small )?words make up {WORD}$")
def compound(asked: re.Match[str]) -> Answers | None:
    """Which two words make up cupcake?"""
    word, known = asked[1], known_things()
    for at in range(LEAST_LETTERS, len(word) - LEAST_LETTERS + 1):
        one, other = word[:at], word[at:]
        if one in known and other in known:
            return f"{one} and {other}", f"{one} {other}", f"{one}, {other}"
    return None


@asks(r"\b(?:telling|asking) sentence or an? (?:telling|asking) sentence\W+(.+)", "told")
def sentence_kind(asked: re.Match[str]) -> Answers:
    """Is this a telling or an asking sentence: Where is my hat"""
    kind = ("asking", "question") if asked[1].split()[0] in QUESTION_WORDS else ("telling", "statement")
    return *kind, f"{kind[0]} sentence"
