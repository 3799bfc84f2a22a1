"""Words themselves: what rhymes, begins, ends, is the opposite, is spelled, is one of many.

By the tables of everyday words, and by spelling where that is enough. No lesson is known here.
"""

from __future__ import annotations

import re

from bot.student.knowing.everyday import Answers, known_things, single, things, words

_W = r"(?:the words? |the letters? )?['\"]?([a-z]+)['\"]?"


def opposite(ask: str, scope: str) -> Answers | None:
    """What is the opposite of wet? If it is not open, it is ..."""
    del scope
    if pair := re.search(
        rf"(?:^|[,;] )(?:is|are) (?!the\b){_W} (?:and {_W} |the |an? )?opposites?(?: of {_W})?$", ask
    ):
        other = pair[2] or pair[3]
        return ("yes", "yeah") if other in things().opposites.get(pair[1], ()) else ("no", "nope")
    asked = re.search(
        rf"\b(?:opposite (?:of|to|for)|antonym (?:of|for)|not {_W} (?:so )?it(?:'s| is)) {_W}", ask
    )
    asked = asked or re.search(rf"\bopposite .*? {_W}$", ask)
    if asked:
        return things().opposites.get(asked[asked.lastindex or 1])
    pair = re.search(
        r"\b(?:is|are) (?:the \w+ |a \w+ )?(\w+)[,;] (?:and |but |so )?(?:the |a )?\w+ (?:is|are) _", ask
    )
    return things().opposites.get(pair[1]) if pair else None


def means_same(ask: str, scope: str) -> Answers | None:
    """A word that means the same as big; another word for happy."""
    del scope
    asked = re.search(
        rf"\b(?:means? (?:the )?same (?:thing )?as|another word for|synonym (?:of|for)|same as) {_W}", ask
    )
    found = words().same.get(asked[1]) if asked else None
    return (found,) if found else None


def rhyme(ask: str, scope: str) -> Answers | None:
    """What rhymes with tree?"""
    del scope
    asked = re.search(rf"\b(?:rhym\w*|sounds? like|sounds? the same as) (?:with |as )?{_W}", ask)
    if asked is None:
        asked = re.search(rf"\brhymes? (?:for|of) {_W}", ask)
    if asked is None or re.search(r"\b(?:do|does)\b.*\brhyme\b|\bor\b", ask):
        return None
    word = asked[1]
    found = next((line for line in words().rhymes if word in line), ())
    rest = tuple(each for each in found if each != word)
    return rest or None


_FIRST = re.compile(
    r"\b(?P<which>first|last|second|third|beginning|begin|begins|start|starts|starting"
    r"|end|ends|ending|middle)\b"
)


def sounds(ask: str, scope: str) -> Answers | None:
    """What letter does ball start with? What is the last sound in cat? What sound does sh make?"""
    del scope
    if made := re.search(
        r"\bsounds? (?:does|do) (?:the )?(?:letters? )?['\"]?([a-z]{1,2})['\"]? (?:make|say)", ask
    ):
        found = words().letter_sounds.get(made[1])
        return (found, made[1]) if found else None
    which = _FIRST.search(ask)
    if which is None or not re.search(r"\b(?:letter|sound|hear|start|begin|end)", ask):
        return None
    if starts := re.search(
        r"\bwords? (?:that )?(?:starts?|begins?) (?:with|like) (?:the )?(?:letter |sound )?['\"]?([a-z]+)",
        ask,
    ):
        return _starting(starts[1])
    word = re.search(r"['\"]([a-z]+)['\"]", ask) or re.search(
        r"\b(?:word|in|of|does|is|do|at the (?:start|beginning|end) of) (?:the word )?(?!the\b"
        r"|letter|sound|word|your|you\b|what|alphabet)([a-z]{2,})(?: (?:start|begin|end)s?"
        r"(?: with)?| sound)?$",
        ask,
    )
    return _letter_of(word[1], which["which"], sound="sound" in ask or "hear" in ask) if word else None


_DIGRAPHS = ("sh", "ch", "th", "wh", "ph", "ck", "ng")
_AS_HEARD = {"ck": "k", "ph": "f", "wh": "w"}


def _letter_of(word: str, which: str, *, sound: bool) -> Answers:
    last = which.startswith("end") or which == "last"
    if which == "middle":
        return (word[len(word) // 2],)
    if which in {"second", "third"}:
        return (
            word[1 if which == "second" else 2 : 2 if which == "second" else 3].upper() or word[-1].upper(),
        )
    if sound:
        spoken = word[:-1] if last and word.endswith("e") and len(word) > 3 else word  # noqa: PLR2004 - bake ends in k
        pair = spoken[-2:] if last else spoken[:2]
        letter = pair if pair in _DIGRAPHS else spoken[-1] if last else spoken[0]
        letter = _AS_HEARD.get(letter, letter)
        return letter, words().letter_sounds.get(letter, letter)
    return (word[-1 if last else 0].upper(),)


def _starting(letters: str) -> Answers | None:
    known = [each for name in ("animal", "noun", "food", "toy", "verb") for each in things().true[name]]
    fitting = tuple(each for each in known if each.startswith(letters))
    return fitting or None


def spelling(ask: str, scope: str) -> Answers | None:
    """How do you spell dog? How many letters or syllables are in it? What does c-a-t spell?"""
    del scope
    if spelled := re.search(r"\bwhat (?:word )?(?:do|does|is) ((?:[a-z][- ,]+){1,6}[a-z])(?: spell)?$", ask):
        return (re.sub(r"[^a-z]", "", spelled[1]),)
    if spell := re.search(rf"\bspell {_W}", ask):
        return "-".join(spell[1]), spell[1]
    asked = re.search(
        rf"\b(syllables?|claps?|beats|parts|letters)\b.*?\b(?:in|for|have|of|does) {_W}(?: have)?$", ask
    )
    if asked is None or not re.search(r"how many|clap", ask):
        return None
    word = asked[2]
    if asked[1] == "letters":
        return None if word == "alphabet" else (str(len(word)),)
    if asked[1] == "parts" and word not in words().claps:
        return None
    return (words().claps.get(word) or str(_claps(word)),)


def _claps(word: str) -> int:
    """Claps by groups of vowels, a silent e at the end uncounted."""
    return max(1, len(re.findall(r"[aeiouy]+", re.sub(r"(?<=[a-z]{2})(?<!l)e$", "", word))))


def forms(ask: str, scope: str) -> Answers | None:
    """More than one foot; yesterday I ... (go); the short form of do not; sun and flower together."""
    if many := re.search(
        rf"\b(?:plural (?:of|for|form of)|more than one|one \w+[,;] (?:but )?(?:two|three"
        rf"|many)) (?:form of )?{_W}",
        ask,
    ):
        word = single(many[1])
        return (words().plurals.get(word) or _plural(word),)
    if many := re.search(r"\bone ([a-z]+)[,;] (?:but )?(?:two|three|many|lots of|some) _", scope):
        return (words().plurals.get(many[1]) or _plural(many[1]),)
    if past := re.search(rf"\b(?:past tense (?:of|for|form of)|past of|yesterday (?:for|of)) {_W}", ask):
        return (words().pasts.get(past[1]) or past[1] + ("d" if past[1].endswith("e") else "ed"),)
    if past := re.search(
        r"\b(?:today|now|every day) (?:i|we|they|you) ([a-z]+)\b.*\byesterday (?:i|we|they|you) ?_", scope
    ):
        return (words().pasts.get(past[1]) or past[1] + ("d" if past[1].endswith("e") else "ed"),)
    if short := re.search(
        r"\b(?:contraction (?:of|for)|short (?:for|form of|way to (?:say|write))|(?:make|turn|change|write|say)) ['\"]?"
        r"([a-z]+ [a-z]+|cannot)\b(?=['\"]?$|.*\bcontraction|.*\bshort)",
        ask,
    ):
        found = words().short.get(short[1])
        return (found,) if found else None
    joined = re.search(
        r"\b(?:put|join|add|together|make|from|with) (?:the words? )?['\"]?([a-z]+)['\"]?"
        r" (?:and|plus|\+|with) ['\"]?([a-z]+)['\"]?(?: together)?",
        ask,
    ) or re.search(r"[:,] ['\"]?([a-z]+)['\"]? (?:and|plus|\+) ['\"]?([a-z]+)['\"]?$", ask)
    if (
        joined
        and re.search(r"word|together|compound", ask)
        and joined[1] not in {"red", "blue", "yellow", "white", "black"}
    ):
        return (joined[1] + joined[2],)
    return None


def _plural(word: str) -> str:
    if re.search(r"(?:s|x|z|ch|sh)$", word):
        return word + "es"
    return word[:-1] + "ies" if re.search(r"[^aeiou]y$", word) else word + "s"


def blends(ask: str, scope: str) -> Answers | None:
    """Is A a vowel or a consonant?"""
    del scope
    asked = re.search(r"\b(?:letter )?['\"]?([a-z])['\"]? an? (vowel|consonant)\b(?: or)?", ask)
    if asked is None:
        return None
    kind = "vowel" if asked[1] in "aeiou" else "consonant"
    if " or " in ask:
        return (kind,)
    return ("yes", "yeah") if kind == asked[2] else ("no", "nope")


_LISTED = re.compile(
    r"['\"]?([a-z]+)['\"]?, ?['\"]?([a-z]+)['\"]?(?:,? (?:and|or) ?|, ?)['\"]?([a-z]+)['\"]?\b"
)
_OF_TWO = re.compile(r"['\"]?\b([a-z]{2,})['\"]? or ['\"]?([a-z]{2,})\b")


def in_order(ask: str, scope: str) -> Answers | None:
    """Put dog, cat and bear in ABC order; which of them comes first?"""
    del scope
    listed = _LISTED.search(ask) or _OF_TWO.search(ask)
    if listed is None or not re.search(r"\b(?:abc|alphabet\w*)\b", ask):
        return None
    ordered = sorted(listed.groups())
    if re.search(r"\b(?:comes?|is|goes) (?:first|before)\b", ask):
        return (ordered[0],)
    if re.search(r"\b(?:comes?|is|goes) last\b", ask):
        return (ordered[-1],)
    return (", ".join(ordered),) if re.search(r"\border\b", ask) else None


_LETTER = r"(?:an? |the )?(?:letter )?['\"]?([a-z])['\"]?"
_SWAPPED = re.compile(
    rf"\b(?:change|switch|swap|replace|trade) {_LETTER} (?:in|of|at the start of) {_W} (?:to|for|into|with) {_LETTER}\b"
)
_ADDED = re.compile(
    rf"\b(?:add|put) {_LETTER} (?:to|on|in front of|before|at) (?:the )?(?:(?:start|front|beginning|(end)) of )?{_W}"
)
_GONE = re.compile(rf"\b(?:take|drop|remove) (?:away )?{_LETTER} (?:away |off )?(?:of|off|from|out of) {_W}")
LEAST_LETTERS = 3


def changed(ask: str, scope: str) -> Answers | None:
    """Change the c in can to an f; take the s off stop; add an s to top."""
    del ask
    if swap := _SWAPPED.search(scope):
        return (swap[2].replace(swap[1], swap[3], 1),) if swap[1] in swap[2] else None
    if added := _ADDED.search(scope):
        letter, end, word = added.groups()
        return (word + letter,) if end or letter == "e" else (letter + word,)
    if gone := _GONE.search(scope):
        letter, word = gone.groups()
        return (word.replace(letter, "", 1),) if letter in word and len(word) >= LEAST_LETTERS else None
    return None


_TWO_IN_ONE = re.compile(
    rf"\b(?:two|little|small|smaller) (?:\w+ )?(?:words?|parts) .*?\b(?:in|makes?|make up|inside|of|from) {_W}$"
)


def compound(ask: str, scope: str) -> Answers | None:
    """Which two words make cupcake?"""
    del scope
    asked = _TWO_IN_ONE.search(ask)
    if asked is None:
        return None
    word, known = asked[1], known_things() | _HALVES
    cuts = [(word[:at], word[at:]) for at in range(LEAST_LETTERS, len(word) - LEAST_LETTERS + 1)]
    # Both halves known, else one of them.
    cut = max(cuts, key=lambda cut: len(known.intersection(cut)), default=None)
    if cut is None or not known.intersection(cut):
        return None
    return f"{cut[0]} and {cut[1]}", f"{cut[0]} {cut[1]}", f"{cut[0]}, {cut[1]}"


_HALVES = frozenset(
    "sun rain snow foot bed play back day butter cup pan fire air base basket bird book bath birth class dog fish"
    " grand hand home jelly lady mail moon note pine pop rail sail sand sea skate star straw tooth water flower bow"
    " man ball room ground pack light fly cake place plane house case tub brush paste bug box apple corn road boat"
    " castle shell board berry melon fall time side walk some thing one body any every mother father mate pot news"
    " paper rattle snake gold dough nut hair cut".split()
)

_KINDS = r"\b(?:telling|asking|statement|question)\b"
_WHICH_KIND = re.compile(rf"[^.!?]*{_KINDS}[^.!?]*\bor\b[^.!?:]*{_KINDS}[^.!?:]*")
_QUESTION = re.compile(
    r"(?:who|what|where|when|why|how|is|are|do|does|did|can|could|will|may|which|would|have|has)\b"
)


def sentence_kind(ask: str, scope: str) -> Answers | None:
    """Is this a telling or an asking sentence: Where is my hat"""
    del ask
    asked = _WHICH_KIND.search(scope)
    if asked is None:
        return None
    text = scope[asked.end() :].strip(" .?!:\"'") or scope[: asked.start()].strip(" .?!:\"'")
    if not text:
        return None
    if _QUESTION.match(text):
        return "asking", "question", "asking sentence"
    return "telling", "statement", "telling sentence"
