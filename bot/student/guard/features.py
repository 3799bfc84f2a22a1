"""What the guard's reader sees of a turn: words, their neighbours, pieces of words, all as they are meant.

It knows spelling and words for the same thing only; what they say about a turn is learned (`reader`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations, pairwise

from bot.student.guard.alarms import plain
from bot.student.said import stem

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
        "SURE": "honest honestly truth truthfully seriously confirm clear",
        "KNOW": "know wonder wondering prove believe",
        "REALLY": "really actually truly",
        "KIN": "mom dad parents brother sister grandma grandpa uncle aunt stepdad stepmom cousin husband wife",
        "HARM": "hit hurt beat slap punch kick choke stab shoot kill smack spank whip burn drown strangle break cut",
        "BODY": "arm arms leg legs head face neck hand hands finger fingers mouth teeth bones skull nose throat",
        "STUPID": "stupid dumb idiot moron retard loser pathetic worthless useless dumbest stupidest retarded failure"
        " trash garbage brainless disgusting ugly fat lazy",
        "PEOPLE": "blacks mexicans muslims jews immigrants asians indians gays arabs chinese africans foreigners"
        " refugees gypsies mexican black muslim jewish asian gay arab african",
        "DRUG": "weed pills vape meth cocaine coke heroin vodka beer wine whiskey cigarette cigarettes alcohol drugs"
        " drug joint edibles gummies pill molly xanax adderall fentanyl lsd shrooms crack tequila rum booze dope",
        "WEAPON": "gun knife rifle pistol bomb bullets glock blade razor machete grenade ammo shotgun weapon weapons",
        "DIE": "die dead death dying suicide suicidal",
    }.items()
    for word in line.split()
}
"""Words that are one for the reader, beside the words themselves."""
_TELLING = frozenset(_ALIKE.values()) | set(
    "exist behind other there here this who i you your me my not is are am will ? or if no never".split()
)
STOP = "."
"""Ends a sentence; it is no feature."""
_WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*|\d+|\?|(?<=\w)[.!](?=\s|$)")
_VOWELS = re.compile(r"[aeiouyhw]+")


def words(text: str, name: str = "") -> list[str]:
    """The words of `text`, whose spelling is uncovered, numbers as #, the child's name as "you"."""
    found = _WORD.findall(plain(text))
    me = name.lower()
    return [
        "#" if word[0].isdigit() else "you" if word == me else STOP if word in ".!" else word
        for word in found
    ]


def features(said: Sequence[str]) -> set[str]:
    """Of words: them, pairs, pairs with one between, three in a row, stems, classes, letters."""
    said = [word for word in said if word != STOP]
    alike = [_ALIKE.get(word, word) for word in said]
    stems = [stem(word) for word in said]
    telling = sorted(_TELLING.intersection(alike))
    framed, classes = ["^", *said, "$"], ["^", *alike, "$"]
    found = set(said)
    found.update(f"{one} {two}" for one, two in pairwise(framed))
    found.update(f"{one} _ {two}" for one, two in zip(framed, framed[2:], strict=False))
    found.update(
        f"{one} {two} {three}" for one, two, three in zip(framed, framed[1:], framed[2:], strict=False)
    )
    found.update(alike)
    found.update(f"{one} {two}" for one, two in pairwise(classes))
    found.update(f"{one} _ {two}" for one, two in zip(classes, classes[2:], strict=False))
    found.update(f"{one}&{two}" for one, two in combinations(telling, 2))
    found.update(f"={each}" for each in stems)
    found.update(f"={one} {two}" for one, two in pairwise(stems))
    for word in said:
        edged = f"<{word}>"
        for size in (3, 4, 5):
            found.update([edged[at : at + size] for at in range(len(edged) - size + 1)])
    stream = _VOWELS.sub("", "".join(said))
    found.update([f"%{stream[at : at + 5]}" for at in range(len(stream) - 4)])
    return found
