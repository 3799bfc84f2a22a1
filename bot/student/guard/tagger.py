"""Which words of a turn are a real person's data? A linear tagger of words by shape, frequency, names and neighbours.

Its weights come from `python -m training guard`. It knows forms of writing, names that people bear and how often words
are used; what is done with what it finds is `redaction`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from bot.student.frequency import frequencies
from bot.student.guard.reader import worth
from bot.student.guard.weights import buckets, learned
from bot.student.records.files import REFERENCE

NAMES = REFERENCE / "names.txt"
TOKEN = re.compile(r"\[[a-z ]+\d*\]|[^\W_]+(?:['\u2019][^\W_]+)*|[^\w\s]|_")
_CUES = {
    word: name
    for name, line in {
        "PUPIL": "student students pupil pupils kid kids kiddo child boy girl son daughter nephew niece twins grader"
        " graders kindergartner tutee schueler alumno eleve",
        "KIN": "mom mum mam mama dad mother father parent parents guardian grandma grandpa grandmother aunt uncle"
        " stepdad stepmom brother sister nana foster sibling cousin daddy mommy gran moms dads mums husband wife",
        "MINE": "my our mine ours",
        "HIS": "his her their he she they him hes shes theyre",
        "CLASS": "class classroom school homeroom placement practicum section group caseload roster district grade",
        "HEALTH": "adhd autism autistic iep dyslexia dyslexic diagnosed diagnosis diabetic asthma epilepsy seizures"
        " anxiety depression medication meds ritalin therapy therapist counselor allergic allergy disability odd ptsd"
        " speech ot evaluation cancer adopted foster rehab jail prison evicted homeless divorce custody cps 504 esl"
        " ell",
        "RECORD": "failing failed suspended expelled retained percentile scored score reads level absences tardy absent"
        " detention referral behavior grade gpa f report note record records file test tested",
        "CALL": "call text phone cell mobile tel telephone number ring reach ph fax whatsapp txt contact hotline",
        "MAIL": "email mail e-mail address gmail yahoo hotmail com org edu net example dot at",
        "BORN": "born birthday birthdate dob bday birth turns turned turning geb",
        "LIVES": "lives live living moved address apt apartment house street lot trailer stays unit",
        "ID": "id sid ssn number no num # student_id license dni badge case social pin lunch code medicaid passport",
        "LOGIN": "login password username user handle account instagram insta tiktok snapchat snap roblox discord"
        " youtube twitter pw pass pwd logs gamertag fortnite minecraft venmo facebook ig profile channel",
        "SCHOOL": "elementary elem school academy primary middle charter bus route room rm stop magnet prep isd",
        "TITLE": "mr mrs ms miss dr mister principal coach prof professor señora senor frau herr",
        "STREET": "street st avenue ave road rd lane ln drive dr court ct boulevard blvd way place pl terrace circle"
        " parkway pkwy highway hwy row close crescent square trail turnpike cottages alley crossing grove hollow",
        "MONTH": "january february march april may june july august september october november december jan feb mar"
        " apr jun jul aug sep sept oct nov dec",
        "COUNT": "zero oh one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty"
        " sixty seventy eighty ninety hundred thousand teen nineteen seventeen sixteen fifteen double first second"
        " third fourth fifth",
        "GOOD": "good great nice wow job hi hello hey thanks thank yes ok okay right now look try listen welcome",
    }.items()
    for word in line.split()
}
_WINDOW = 3


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number or sign of a text and where it stands."""

    text: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """The words, numbers and signs of `text`; a placeholder is one."""
    return [Token(found.group(), *found.span()) for found in TOKEN.finditer(text)]


@lru_cache(maxsize=1)
def _known() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    first, last, famous = NAMES.read_text(encoding="utf-8").splitlines()[-3:]
    return frozenset(first.split()), frozenset(last.split()), frozenset(famous.split())


@lru_cache(maxsize=1)
def _frequent() -> dict[str, int]:
    return frequencies(3.0)


@lru_cache(maxsize=20_000)
def _own(text: str) -> tuple[str, ...]:
    """What is seen of one token by itself: word, class, shape, frequency, whether it is a name."""
    low = text.lower().replace("\u2019", "'")
    bare = low.removesuffix("'s").rstrip("'")
    found = [f"w={low}"]
    if cue := _CUES.get(bare):
        found.append(f"c={cue}")
    if low[0].isdigit() or any(map(str.isdigit, low)):
        shape = re.sub(r"[a-z]+", "a", re.sub(r"\d", "9", low))
        found += [f"s={shape[:8]}", f"n={min(len(low), 8)}"]
        if not low.isdigit():
            found.append("mixed")
    elif low[0].isalpha():
        first, last, _ = _known()
        rank = _frequent().get(bare, 700)
        rare = "x" if rank >= 700 else str(rank // 60)  # noqa: PLR2004 - 700: in no list
        name = ("F" if bare in first else "") + ("L" if bare in last else "")
        case = "U" if text.isupper() and len(text) > 1 else "I" if text[0].isupper() else "l"
        found += [
            f"r={rare}",
            f"N={name}",
            f"{case}",
            f"{case}{name}{rare}",
            f"{case}{name}",
            f"{name}{rare}",
        ]
        found += [f"e={bare[-2:]}", f"e={bare[-3:]}", f"b={bare[:3]}", f"l={min(len(bare), 9)}"]
        if "'" in low:
            found.append("apo")
    else:
        found.append("sign")
    return tuple(found)


@lru_cache(maxsize=20_000)
def _seen_from_afar(text: str) -> tuple[str, ...]:
    """What a neighbour sees of a token."""
    low = text.lower().replace("\u2019", "'")
    own = _own(text)
    short = [each for each in own if each[:2] in {"w=", "c=", "s=", "N="} or len(each) == 1 or each == "sign"]
    if low.endswith("'s"):
        short.append("'s")
    return tuple(short)


@lru_cache(maxsize=20_000)
def _masked(text: str) -> str:
    """A token as the whole turn is read: any name is N, any number 9."""
    own = _own(text)
    if own[1:2] == ("mixed",) or text[0].isdigit():
        return "9" * min(len(text), 4)
    low = own[0][2:]
    if not _NAMELIKE.isdisjoint(own) or "rx" in own or "r=x" in own:
        return "N's" if low.endswith("'s") else "N"
    return low


_NAMELIKE = frozenset(
    f"{case}{name}{rare}"
    for case in "IU"
    for name in ("F", "L", "FL")
    for rare in ("x", *map(str, range(6, 12)))
) | frozenset(f"l{name}{rare}" for name in ("F", "FL") for rare in ("x", "9", "10", "11"))
"""Shapes of a word that is surely a name: in the lists and no frequent word."""


def _triples(words: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    return zip(words, words[1:], words[2:], strict=False)


def famous(said: Sequence[Token]) -> list[int]:
    """For each token of how many words the name is that it is part of, of people in history and stories; else 0."""
    low = [each.text.lower().replace("\u2019", "'").removesuffix("'s") for each in said]
    known, found = _known()[2], [0] * len(low)
    for size in (1, 2, 3):
        for at in range(len(low) - size + 1):
            if "_".join(low[at : at + size]) in known:
                found[at : at + size] = [size] * size
    return found


def about(said: Sequence[Token]) -> tuple[str, ...]:
    """What is seen of the whole turn: the words that tell whether pupils are spoken about or spoken to."""
    low = [each.text.lower().replace("\u2019", "'") for each in said]
    found = {f"a={word}" for word in low if word.isalpha() or "'" in word}
    found |= {f"A={_CUES[word]}" for word in low if word in _CUES}
    masked = ["^", *(_masked(each.text) for each in said), "$"]
    found |= {f"a={one} {two}" for one, two in pairwise(masked)}
    found |= {f"a={one} {two} {three}" for one, two, three in _triples(masked)}
    found |= {f"famous{size}" for size in famous(said) if size}
    return tuple(sorted(found))


def features(said: Sequence[Token], place: int, whole: float, known: Sequence[int]) -> list[str]:
    """What is seen of the token at `place`; `whole` is the score of the turn that it stands in, `known` who in it
    is famous."""
    own = _own(said[place].text)
    kind = own[-1] if own[-1] == "sign" else next((each for each in own if each[:2] in {"s=", "N="}), "?")
    turn = f"T{max(-4, min(4, round(whole)))}"
    found = [*own, turn, f"{turn}{kind}", f"k={kind}"]
    if known[place]:
        found += [f"famous{known[place]}", f"famous{known[place]}{turn}"]
    if len(own) > 5:  # noqa: PLR2004 - a word
        found.append(f"{turn}{own[-9] if own[-1] == 'apo' else own[-8]}")
        found.append(turn + next((each for each in own if each[0] in "UIl" and len(each) > 1), ""))
    for step in range(-_WINDOW, _WINDOW + 1):
        at = place + step
        if not step:
            continue
        if not 0 <= at < len(said):
            found.append(f"{step}^")
            if abs(step) == 1:
                found.append(f"{step}^{kind}")
            continue
        near = _seen_from_afar(said[at].text)
        found += [f"{step}{each}" for each in near]
        if abs(step) == 1:
            found += [f"{step}{each}|{kind}" for each in near]
            glued = said[at].end == said[place].start or said[place].end == said[at].start
            if glued:
                found.append(f"{step}glued")
                found.append(f"{step}glued{said[at].text if near[-1] == 'sign' else ''}")
    for step in (-1, 1):
        pair = [
            said[at].text.lower() if 0 <= at < len(said) else "^" for at in (place + step, place + 2 * step)
        ]
        found.append(f"{step}p={pair[0]} {pair[1]}")
        cues = [_CUES.get(each, "") for each in pair]
        if any(cues):
            found.append(f"{step}C={cues[0]} {cues[1]}|{kind}")
    return found


def scores(said: Sequence[Token]) -> list[float]:
    """Log-odds of each token that it is a real person's data."""
    whole_turn, seen = learned()["turn"], about(said)
    whole, known, single = whole_turn.score(buckets(seen), worth(len(seen))), famous(said), learned()["token"]
    return [single.score(buckets(features(said, place, whole, known))) for place in range(len(said))]


def spans(said: Sequence[Token], read: Sequence[float], sure: float, beside: float) -> list[tuple[int, int]]:
    """The first and last place of each run of tokens that are somebody's data: from `sure` on, or from `beside` on
    where the turn holds some already; another mention of a word that goes, goes, too."""
    if not any(
        score >= sure or _PLACEHOLDER.fullmatch(each.text) for each, score in zip(said, read, strict=True)
    ):
        return []
    gone = [
        score >= (beside if each.text[0].isalnum() else sure) and not _PLACEHOLDER.fullmatch(each.text)
        for each, score in zip(said, read, strict=True)
    ]
    words = {_bare(each.text) for each, goes in zip(said, gone, strict=True) if goes and len(each.text) > 3}  # noqa: PLR2004
    words = {word for word in words if word[0].isdigit() or _frequent().get(word, 700) > 420}  # noqa: PLR2004 - the, and
    gone = [goes or _bare(each.text) in words for each, goes in zip(said, gone, strict=True)]
    found: list[tuple[int, int]] = []
    for place, goes in enumerate(gone):
        if not goes:
            continue
        if found and _joined(said, found[-1][1], place):
            found[-1] = (found[-1][0], place)
        else:
            found.append((place, place))
    return found


def _joined(said: Sequence[Token], last: int, place: int) -> bool:
    """Whether nothing but signs without a space around them, or a dot of an abbreviation, lies between."""
    if place == last + 1:
        return True
    between = said[last + 1 : place]
    if any(each.text[0].isalnum() or each.text[0] == "[" for each in between):
        return False
    return said[last].end == between[0].start and between[-1].end == said[place].start


_PLACEHOLDER = re.compile(r"\[[a-z ]+\d*\]")


def _bare(word: str) -> str:
    return word.lower().replace("\u2019", "'").removesuffix("'s")


def kind(part: Sequence[Token]) -> str:
    """The placeholder for a run of tokens."""
    low = [_bare(each.text) for each in part]
    cues = {_CUES.get(each, "") for each in low}
    digits = sum(map(str.isdigit, "".join(low)))
    if "@" in low or {"at", "dot"} <= set(low):
        return "[email]"
    if digits >= 7 and not any(map(str.isalpha, "".join(low))):  # noqa: PLR2004 - a phone number's
        return "[phone]"
    if "STREET" in cues or ("LIVES" in cues and digits):
        return "[address]"
    if "MONTH" in cues or (digits >= 3 and {"/", ".", "-"} & set(low)):  # noqa: PLR2004
        return "[date of birth]"
    if "SCHOOL" in cues:
        return "[school]"
    if digits or "COUNT" in cues:
        return "[id]"
    return "[handle]" if "_" in low or "#" in low else "[name]"
