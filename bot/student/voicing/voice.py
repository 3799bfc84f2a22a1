"""From a model's raw words to the child's: clean, cut to the length, and check that it is the thought.

It calls no model: whoever does asks again, or falls back to `plain`. It decides nothing of what is meant.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from difflib import get_close_matches

from bot.student.numbers import plain as as_digits
from bot.student.records.child import Child
from bot.student.records.dialogue import Thought, ThoughtKind
from bot.student.voicing import learner, own_words
from bot.student.voicing.common import everyday
from bot.student.voicing.own_words import ADULT
from bot.student.voicing.prompt import meaning


@dataclass(frozen=True, slots=True)
class Shaped:
    """What came out. `fault` says why the words cannot stand, or is None when they can."""

    text: str
    fault: str | None = None
    likelihood: float = 0.0
    """How likely the model found its own words, in nats a token; 0 where it does not tell."""


def shape(  # noqa: PLR0913 - what a reply is measured by
    text: str, thought: Thought, child: Child, *, teacher: str = "", earlier: str = "", seed: int = 0
) -> Shaped:
    """Clean `text`, cut it to about `thought.words`, check it, and write it as this child does.

    `teacher` is the turn that is answered, `earlier` what was said before it.
    """
    text = _said(text if "$" in (thought.answer or "") else text.replace("$", ""))
    if not _DASH.search(meaning(thought)):
        text = _DASH.sub(", ", text)
    first, *more = _lines(text, child.name) or [""]
    shaped = _shape(_clean(first, child.name), thought, child, teacher, earlier, seed)
    if shaped.fault and more and not thought.open:
        # Some say one thought over several lines; a small model's next lines are talk of its own.
        whole = _shape(_clean(" ".join((first, *more)), child.name), thought, child, teacher, earlier, seed)
        shaped = shaped if whole.fault else whole
    return shaped


def _shape(  # noqa: PLR0913 - as above
    cleaned: str, thought: Thought, child: Child, teacher: str, earlier: str, seed: int
) -> Shaped:
    if not cleaned:
        return Shaped("", "empty")
    cut = _cut(cleaned, _limit(thought))
    if thought.open:
        cut = _whole(cut)
        fault = own_words.fault(cut, child, teacher) or _from_nowhere(
            cut, thought, f"{teacher} {earlier}", child
        )
    else:
        fault = _fault(cut, thought, teacher) or _from_nowhere(cut, thought, teacher, child)
    return Shaped(_written(cut, thought, child, seed), fault)


def plain(thought: Thought, child: Child, *, seed: int = 0) -> str:
    """The thought's plain words, for when no model can say them."""
    return _written(meaning(thought), thought, child, seed)


def _written(text: str, thought: Thought, child: Child, seed: int) -> str:
    """How this child puts words on the screen: a spoken child is transcribed, a typed one types."""
    if child.english is not None:
        keep = _words(thought.answer or "")
        text = learner.speak(text, child.english, random.Random(seed), keep) or text
    if child.voice == "typed":
        return _typed(text, random.Random(seed), keep=_words(thought.answer or ""))
    text = re.sub(r"\bi('m|'ll|'ve|'d)?\b", lambda match: "I" + (match.group(1) or ""), text)
    text = re.sub(r"(^|[.!?] )([a-z])", lambda match: match.group(1) + match.group(2).upper(), text)
    if text[-1].isalnum() or text[-1] in "'\")":
        text += "?" if thought.kind is ThoughtKind.ASK else "."
    return text


# Cleaning.

_THINKING = re.compile(r"<(think|thinking|reasoning|reflection)>.*?(?:</\1>|\Z)", re.I | re.S)
_FENCE = re.compile(r"^[ \t]*```[\w+-]*[ \t]*$|```", re.M)
_DASH = re.compile(r"\s*[\u2013\u2014]\s*")
"""Print's dashes, which no child writes."""


def _said(text: str) -> str:
    """Without what a model thinks aloud before it speaks, and the fence around what it says."""
    text = _THINKING.sub("", text)
    # Some servers cut the opening tag off.
    text = re.sub(r"\A.*</(?:think|thinking|reasoning)>", "", text, flags=re.I | re.S)
    return _FENCE.sub("", text)


def _lines(text: str, name: str) -> list[str]:
    """The lines up to where somebody else is made to speak."""
    found: list[str] = []
    for line in text.replace("\r", "\n").split("\n"):
        if found and re.match(rf"\s*(?:{re.escape(name)}|{_ROLES})\s*:", line, re.I):
            break
        if line.strip():
            found.append(line)
    return found


_MARKUP = re.compile(r"[*_`#~|>]+|\[[^\]]*\]|\([^)]*\)|\\[a-z(\[]+|<[^>]*>?|^\s*[-•]\s*", re.M)
_ROLES = "teacher|student|assistant|user|system|note|answer"
_EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\ufe0f\u200d]+")


def _clean(text: str, name: str) -> str:
    text = "".join(
        ch for ch in text.replace("\u2019", "'").replace("\r", "\n") if ch.isprintable() or ch == "\n"
    )
    line = next((line for line in text.split("\n") if line.strip()), "")
    line = _EMOJI.sub("", _MARKUP.sub("", line))
    role = re.compile(
        rf"^\s*(?:{re.escape(name)}(?:\s+(?:wants to say[^:]*|says|said))?|{_ROLES})\s*:\s*", re.I
    )
    while (bare := role.sub("", line)) != line:
        line = bare
    # "45. Because ..." would be shown as the first item of a list.
    line = re.sub(r"^(\d+)[.)]\s+(?=\S)", r"\1, ", line.lstrip())
    line = re.sub(r"^(\d+, )(?!I\b)([A-Z])", lambda found: found[1] + found[2].lower(), line)
    tail = rf"[,;:\s]*\b(?:she|he|{re.escape(name)}) says (?:it|this|that)\b.*$"
    line = (
        re.sub(tail, "", line, flags=re.I | re.S).replace('"', "").replace("\u201c", "").replace("\u201d", "")
    )
    line = re.sub(r"([!?.,])\1{2,}", r"\1", re.sub(r"\s+", " ", line)).strip(" ,;:-")
    return _without_loops(line)


def _without_loops(line: str) -> str:
    """A small model that gets stuck says the same clause again and again: keep the first."""
    kept: list[str] = []
    for part in re.split(r"(?<=[.!?,])\s+|\s+(?=(?:and|so|but) )", line):
        bare = re.sub(r"^(?:and|so|but) |[.!?,]+$", "", part.lower())
        if any(bare == re.sub(r"^(?:and|so|but) |[.!?,]+$", "", each.lower()) for each in kept):
            break
        kept.append(part)
    return " ".join(kept).strip(" ,;:-")


# Cutting.

_END = re.compile(r"[.!?](?=\s|$)")
_CLAUSE = re.compile(r",|\s(?=(?:and|so|but|because|cuz|then|or)\s)")
_DANGLING = re.compile(
    r"[\s,;:-]+(?:and|so|but|because|cuz|then|or|the|a|an|to|of|is|it's|i|my|that|if|with|in|on|was)$", re.I
)


def _limit(thought: Thought) -> int:
    """Words after which a turn is cut: the target with some air, never less than what was meant."""
    return max(round(thought.words * 1.4), thought.words + 3, min(len(meaning(thought).split()) + 2, 45))


def _cut(text: str, limit: int) -> str:
    words = text.split(" ")
    if len(words) <= limit:
        return text
    head = " ".join(words[:limit])
    for pattern in (_END, _CLAUSE):
        ends = [match.end() if pattern is _END else match.start() for match in pattern.finditer(head)]
        if ends and len(head[: ends[-1]].split()) * 2 >= limit:
            return head[: ends[-1]].strip(" ,;:-")
    while (shorter := _DANGLING.sub("", head)) != head:
        head = shorter
    return head.strip(" ,;:-")


def _whole(text: str) -> str:
    """Without a last sentence that breaks off, or without its loose end where it is the only one."""
    bare = text.rstrip(" .!?,;:-")
    if not _DANGLING.search(bare):
        return text
    ends = [match.end() for match in _END.finditer(text[: len(bare)])]
    if ends:
        return text[: ends[-1]]
    while (shorter := _DANGLING.sub("", bare)) != bare:
        bare = shorter
    return bare


# Checking.

RARE_WORD = "a word from nowhere: "
ANOTHER_NUMBER = "another number: "
_STATES_ANSWER = (ThoughtKind.ANSWER, ThoughtKind.REJECT)


def _fault(text: str, thought: Thought, teacher: str) -> str | None:
    meant_words = meaning(thought).lower()
    if (adult := ADULT.search(text)) and adult.group().lower() not in meant_words:
        return f"adult words: {adult.group().lower()}"
    if foreign := set(re.sub(r"[\x00-\x7f]", "", text)) - set(meaning(thought)):
        return f"not plain letters: {min(foreign)!r}"
    if len(text.split()) * 5 < 2 * min(len(meaning(thought).split()), thought.words + 4) - 10:
        return "too little of what was meant"
    meant = set(_numbers(meaning(thought)))
    said = set(_numbers(text))
    strange = said - meant - (set() if thought.kind in _STATES_ANSWER else set(_numbers(teacher)))
    if strange:
        return f"{ANOTHER_NUMBER}{min(strange)}"
    if thought.kind in _STATES_ANSWER and thought.answer and not states(text, thought.answer):
        return "does not state the answer"
    if thought.kind is ThoughtKind.EXPLAIN and thought.answer and _another_answer(text, thought):
        return "states another answer"
    if thought.kind not in _STATES_ANSWER and thought.reason and not _shares_words(text, thought.reason):
        return "says something else"
    if thought.kind in (ThoughtKind.ANSWER, ThoughtKind.REJECT) and _flips(text, thought.answer or ""):
        return "says yes to the other answer"
    return None


def _from_nowhere(text: str, thought: Thought, teacher: str, child: Child) -> str | None:
    """A rare word that neither the thought nor the teacher said: made up, or read out of the instructions."""
    known = (
        _words(meaning(thought))
        | _words(teacher)
        | _words(" ".join((*child.family, *child.interests)))
        | _SMALL
    )
    strange = [word for word in sorted(_words(text) - known) if not everyday(word.removesuffix("'s"))]
    if not strange:
        return None
    known |= _words(" ".join(line for lines in child.says.values() for line in lines)) | _BY_EAR
    word = next((each for each in strange if not _like_one_of(each, known)), None)
    return f"{RARE_WORD}{word}" if word else None


def _like_one_of(word: str, known: set[str]) -> bool:
    """The word itself, another form of it, or the same spelled by ear."""
    return bool(get_close_matches(word, known, n=1, cutoff=0.66))


def states(text: str, answer: str) -> bool:
    """Whether `text` states `answer`: its numbers, in digits or words, or all its telling words.

    Not where it denies it ("not alive"), nor where a list comes in another order.
    """
    wanted, words = _numbers(answer), _words(answer)
    if wanted:
        # $35 and 35 cents are one number and two answers; so are 5 and more than 5.
        signed = all(re.search(said, text, re.I) for sign, said in _SIGNS.items() if sign in answer)
        return _in_order(wanted, _numbers(text), answer) and signed and words & _COMPARING <= _words(text)
    if not words & _DENYING:
        text = _without_denials(text, answer)
    telling = words - _SMALL or words
    if telling <= _words(text):
        return _in_order(re.findall(r"[a-z]+", answer.lower()), re.findall(r"[a-z]+", text.lower()), answer)
    return bool(words & _YES and _words(text) & _YES)


def _in_order(wanted: list[str], said: list[str], answer: str) -> bool:
    """All of `wanted` in `said`; of a list (nickel, dime, quarter) in its order."""
    if answer.count(",") < 2:  # noqa: PLR2004 - one comma makes no list
        return set(wanted) <= set(said) or not _numbers(answer)
    rest = iter(said)
    return all(each in rest for each in wanted if each not in _SMALL)


def _without_denials(text: str, answer: str) -> str:
    bare = re.escape(re.sub(r"^(?:it's|its|it is|an?|the) ", "", answer.lower()))
    return re.sub(
        rf"(?:\b(?:not|no|never)|n't) (?:an? |the |really |even |any |just )*{bare}\b", " ", text, flags=re.I
    )


_DENYING = frozenset(
    {"not", "no", "never", "nothing", "nobody", "isn't", "aren't", "don't", "doesn't", "can't", "won't"}
)
_COMPARING = frozenset({"more", "less", "fewer", "longer", "shorter", "bigger", "smaller"})
_SIGNS = {"$": r"\$|dollar", "\N{CENT SIGN}": "\N{CENT SIGN}|cent"}


def _another_answer(text: str, thought: Thought) -> bool:
    """An explanation that says "it's 4" on its way to 45."""
    stated = re.findall(r"\b(?:it's|its|it is|i think|i got|the answer is) (\d+(?::\d+)?)", as_digits(text))
    return any(number != thought.answer and f"it's {number}" not in meaning(thought) for number in stated)


def _flips(text: str, answer: str) -> bool:
    """A reply that opens with the opposite of the meant yes or no."""
    first = re.match(r"(yes|yeah|yep|no|nope)\b", text.lower())
    if first is None or answer.lower() not in {"yes", "yeah", "no"}:
        return False
    return (first.group(1) in {"no", "nope"}) is not (answer.lower() == "no")


def _shares_words(text: str, reason: str) -> bool:
    """At least one telling word in three of what was meant, or one of a very short reply's; yes for yeah."""
    meant, said = _words(reason) - _SMALL or _words(reason), _words(text)
    if said and said <= _YES and meant & _YES:
        return True
    return 3 * len(meant & said) >= len(meant) or (len(said) <= 3 and bool(meant & said))  # noqa: PLR2004


def _numbers(text: str) -> list[str]:
    spoken = re.sub(r"half past (\d+)", r"\1:30", as_digits(text))
    return re.findall(r"\d+(?::\d+)?", re.sub(r"(?<!:)\b(\d+) o'clock", r"\1:00", spoken))


_YES = frozenset({"yes", "yeah", "yep", "yup", "uh-huh", "mhm"})
_SMALL = frozenset(
    "a an the is it it's its i i'm to of in and or so because cuz um uh like just that my you".split()
)


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+(?:'[a-z]+)?|\d+", text.lower()))


# Typing.

_SPELLINGS = {
    "because": ("becuz", "becuse", "cuz"),
    "they": ("thay",),
    "said": ("sed",),
    "was": ("wuz",),
    "were": ("wer",),
    "when": ("wen",),
    "what": ("wut", "wat"),
    "know": ("no",),
    "don't": ("dont",),
    "can't": ("cant",),
    "it's": ("its",),
    "i'm": ("im",),
    "that's": ("thats",),
    "didn't": ("didnt",),
    "there": ("ther",),
    "their": ("thier",),
    "have": ("hav",),
    "take": ("tak",),
    "away": ("awa",),
    "like": ("lik",),
    "little": ("littel",),
    "people": ("peple",),
    "really": ("rily",),
    "think": ("thingk",),
    "would": ("wood",),
    "could": ("cud",),
    "enough": ("enuf",),
    "are": ("ar",),
    "you": ("u",),
    "going": ("gowing",),
    "right": ("rite",),
    "write": ("rite",),
    "bigger": ("biger",),
    "water": ("woter",),
    "school": ("skool",),
    "friend": ("frend",),
}
_BY_EAR = {spelled for choices in _SPELLINGS.values() for spelled in choices}
CAPITAL_SHARE = 0.09
END_MARK_SHARE = 0.03
"""Of children's chat messages in grades 1-3, 91 % start lower-case and 97 % have no end mark."""
SPELLING_SHARE = 0.45
"""Share of hard words spelled by ear: with these words about one word in eight, as in children's chat."""


def _typed(text: str, rng: random.Random, keep: set[str]) -> str:
    """`keep` holds the answer's words: spelled by ear, they could be another answer."""

    def spell(match: re.Match[str]) -> str:
        word = match.group()
        choices = () if word.lower() in keep else _SPELLINGS.get(word.lower())
        return rng.choice(choices) if choices and rng.random() < SPELLING_SHARE else word

    text = re.sub(r"[A-Za-z]+(?:'[a-z]+)?", spell, text)
    text = text if rng.random() < CAPITAL_SHARE else text.lower()
    return text if rng.random() < END_MARK_SHARE else re.sub(r"(?<=\w)[.!]+$", "", text)


__all__ = ["Shaped", "plain", "shape", "states"]
