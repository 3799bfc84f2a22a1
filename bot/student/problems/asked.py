"""What a teacher's turn asks: its kind of problem and its numbers, read from free text.

Pattern by pattern, no arithmetic beyond what a reading needs. It knows nothing of right answers (that is
`problems`) or of what the child believes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from types import MappingProxyType

from bot.student.numbers import plain

SHARES = MappingProxyType({2: "a half", 3: "a third", 4: "a fourth"})
"""The shares of a whole that second grade names (CCSS 2.G.A.3)."""
COINS = MappingProxyType({"quarter": 25, "dime": 10, "nickel": 5, "penn": 1})
"""Cents by the letters a coin's name begins with, in one and in many."""

Found = tuple[str, tuple[int, ...], str | None]
"""Kind, numbers, and the right answer where the words decide it (which is smaller?), else None."""


def find(text: str) -> Found | None:
    """The problem that the turn asks, the last one if it asks several; None if it asks none. Never raises."""
    sentences = [part.strip() for part in re.split(r"(?<=[.!?])[\s\")]+|\n+", plain(text)) if part.strip()]
    sentences = _with_its_run(sentences)
    asking = [place for place, each in enumerate(sentences) if _asks(each)]
    for turn, place in reversed(list(enumerate(asking))):
        after_last = asking[turn - 1] + 1 if turn else 0
        # Alone first, then with the story since the last question, then with everything before.
        for start in dict.fromkeys((place, after_last, 0)):
            found = _read(sentences[place], " ".join(sentences[start : place + 1]))
            if found is not None:
                return found
    return None


def _with_its_run(sentences: list[str]) -> list[str]:
    """What comes next? 3, 6, 9. How many legs have 2 dogs? Each dog has 4: what stands behind belongs to it."""
    if (
        len(sentences) > 1
        and sentences[-2].endswith("?")
        and re.fullmatch(r"[\d ,._]+|(?:each|every) [^?]*\d[^?]*", sentences[-1])
    ):
        return [*sentences[:-2], f"{sentences[-1]} {sentences[-2]}"]
    return sentences


_FILL = (
    r"(?:(?:ok|okay|now|so|and|next|then|well|great|good|job|work|nice|alright|all right|hmm|yes|"
    r"no|how about|"
    r"what about|try|let's|do|one more|another one|here is one|this one|last one|new one|problem|"
    r"question|please)"
    r"\b[\s,:!.-]*)*"
)
_NUMBER = r"\d+(?:\.\d+)?"
_EXPRESSION = re.compile(rf"(?<![\d.:/$])(?<!= ){_NUMBER}(?:\s*[-+*/]\s*{_NUMBER})+(?![\d:%]|\.\d)")
_BARE = re.compile(rf"(?:^|.*: ){_FILL}{_EXPRESSION.pattern}\W*(?:together|for me|please|next|now)?\W*$")
_ASKING = re.compile(
    r"\?\W*$|[-+=,]\s*_|_\s*[-+=,]"
    r"|(?:^|[,:;] ?|\b(?:please|now|so|then|and|or|let's|can you|could you|want you to|next|try to|me|us) )"
    r"(?:what(?! (?:you|we|i|a|he|she|they|an)\b)|how many|how much|which|who|solve|find|write|"
    r"count|show|tell|"
    r"add|subtract|take|figure|work|compute|calculate|do|try|keep|put|compare|look at|read|double|fill|is)\b"
)
_HOW_OR_WHY = re.compile(
    rf"{_FILL}(?:why|how (?:did|come|does)|how (?:do|can|could|would|should) (?:you|we|i)\b(?! "
    rf"(?:solve|write|find|"
    r"figure|work out|do|count|say|add|subtract|read)\b)|are you sure|(?:can|could|would|will) you "
    r"(?:please )?"
    r"(?:explain|tell me (?:how|why)(?! m)|show me how)|(?:tell|show|explain)(?: to)?(?: me| us)? "
    r"(?:how|why)(?! m| you would write| to write| you write)"
    r"|(?:do you (?:know|think|remember|see) )?(?:how you|why))\b"
)
_YES_OR_NO = re.compile(
    rf"(?:.*[,:;] )?{_FILL}(?:is|are|was|does|did|isn't|doesn't|would|could|will)\b(?! you\b)"
)


def _asks(sentence: str) -> bool:
    if _HOW_OR_WHY.match(sentence):
        return False
    return bool(
        _ASKING.search(sentence)
        or _BARE.match(sentence)
        or re.search(rf"\banswer (?:to|for) {_EXPRESSION.pattern}", sentence)
    )


def _ints(text: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"\b\d+\b", text))


def _read(ask: str, scope: str) -> Found | None:
    """What the sentence `ask` asks about `scope`, which ends with it."""
    if not re.search(r"\d|half|halves|third|fourth|quarter", scope):
        return None
    for reader in _READERS:
        found = reader(ask, scope)
        if found is not None:
            return found
    if ask == scope:
        return _blank(ask) or _written(ask, scope) or _beyond(ask) or _expression(ask)
    return _written(ask, scope)


def _clock(ask: str, scope: str) -> Found | None:
    if not re.search(r"\btime|clock|show|\bread|\bsays?\b|write|o'clock", ask):
        return None
    hands = {}
    for name, size in (("hour", r"short\w*|little|small\w*|hour"), ("minute", r"long\w*|big\w*|minute")):
        hand = re.search(
            rf"\b(?:{size}) (?:hand|one)\b(.*?)(?=\b(?:short|little|small|hour|long|big|minute)|$)", scope
        )
        if hand and (numbers := tuple(n for n in _ints(hand[1]) if n <= 12)):
            hands[name] = (numbers, hand[1])
    if len(hands) == 2:
        (hours, words), (minutes, _) = hands["hour"], hands["minute"]
        minute = minutes[0] * 5 % 60
        hour = hours[0] or 12
        if len(hours) > 1 and "between" in words:
            hour = 12 if {hours[0], hours[1]} == {12, 1} else min(hours[:2])
        elif minute >= 35 and not re.search(r"past|after", words):
            hour = (hour - 2) % 12 + 1  # after the half hour the hand is nearer to the next number
        return "clock", (hour, minute), None
    spoken = re.search(r"\b(half|quarter) (past|after|to) (\d+)", ask)
    if spoken and 1 <= int(spoken[3]) <= 12:
        hour, minute = int(spoken[3]), 30 if spoken[1] == "half" else 15
        if spoken[2] == "to":
            hour, minute = (hour - 2) % 12 + 1, 60 - minute
        return "clock", (hour, minute), None
    shown = re.search(r"\bclock (?:says|shows|reads) (\d+)(?::(\d\d)| o'clock)", scope)
    if shown and 1 <= int(shown[1]) <= 12 and int(shown[2] or 0) < 60 and "time" in ask:
        return "clock", (int(shown[1]), int(shown[2] or 0)), None
    return None


def _coins(ask: str, scope: str) -> Found | None:
    found = re.findall(r"\b(\d+|an?|one) (quarter|dime|nickel|penn)", scope)
    asked = r"how much|how many (?:cents|coins)|worth|total|altogether|in all|what (?:is|do|does)\b"
    if (
        not found
        or not re.search(asked, ask)
        or re.search(r"which|bigger|more|how many (?!cents|coins)", ask)
    ):
        return None
    if re.search(r"\bdollars?\b|\$", scope):
        return None
    counts = dict.fromkeys(COINS, 0)
    for number, coin in found:
        counts[coin] += int(number) if number.isdecimal() else 1
    if "how many coins" in ask:
        return "add", tuple(count for count in counts.values() if count), None
    return "coins", tuple(counts.values()), None


def _ruler(ask: str, scope: str) -> Found | None:
    marks = re.search(
        r"\b(?:from|(?:starts?|begins?) (?:at|on)|between|at) (?:the )?(\d+)\D{0,40}?"
        r"\b(?:to|until|(?:ends?|stops?) (?:at|on)|and) (?:the )?(\d+)",
        scope,
    )
    measured = re.search(r"how (?:long|many (?:inch|cm|centi|unit))|length|measure", ask)
    if (
        marks
        and measured
        and re.search(r"ruler|inch|cent|\bcm\b|mark|long", scope)
        and len(_ints(scope)) == 2
    ):
        return "ruler", (int(marks[1]), int(marks[2])), None
    return None


_PIECES = {"hal": 2, "third": 3, "fourth": 4, "quarter": 4, "fifth": 5, "sixth": 6, "eighth": 8, "tenth": 10}


def _compare_shares(ask: str, scope: str) -> Found | None:
    asked = re.search(r"\b(bigger|larger|greater|more|biggest|smaller|less|smallest)\b", ask)
    if not asked:
        return None
    words = re.findall(
        r"\b1/(\d+)\b|\b(hal)(?:f|ves)\b|\b(third|fourth|quarter|fifth|sixth|eighth|tenth)s?\b", scope
    )
    pieces = tuple(int(number) if number else _PIECES[half or name] for number, half, name in words)
    if not pieces:
        pieces = tuple(
            int(each) for each in re.findall(r"\b(\d+) (?:equal )?(?:pieces|parts|shares)\b", scope)
        )
    if len(pieces) != 2 or len(set(pieces)) != 2:
        return None
    if not set(pieces) <= set(SHARES):
        return "beyond", pieces, ""
    small = asked[1] in {"smaller", "less", "smallest"}
    return "compare-shares", pieces, SHARES[max(pieces) if small else min(pieces)]


def _digit_value(ask: str, scope: str) -> Found | None:
    if not re.search(r"worth|value|\bmean|stand", ask):
        return None
    if found := re.search(r"\b(\d) (?:\w+ )?in (?:the )?(?:number )?(\d{2,3})\b", scope):
        digit, number = found[1], found[2]
    elif found := re.search(r"\b(\d{2,3})\b.*\bthe (\d)\b", scope):
        digit, number = found[2], found[1]
    else:
        return None
    return ("digit-value", (int(digit), int(number)), None) if digit in number else None


def _tens_ones(ask: str, scope: str) -> Found | None:
    numbers = _ints(scope)
    place = re.search(
        r"\bhow many (hundreds|tens|ones)( and (?:how many )?ones)?|\bin the (hundred|ten|one)s place", ask
    )
    if not place or len(numbers) != 1 or "is that" in ask or re.search(r"\d (?:hundreds|tens|10s?)\b", scope):
        return None
    if place[2]:
        return ("tens-ones", (numbers[0], 0), None) if numbers[0] < 100 else None
    size = {"h": 100, "t": 10, "o": 1}[(place[1] or place[3])[0]]
    if size == 1 and place[1] and numbers[0] % 100 == 0:
        return None
    digit = None if place[1] else str(numbers[0] // size % 10)
    return "tens-ones", (numbers[0], size), digit


_UNIT = r"\b(?:\d+|one|a) (?:hundred|ten|10|one|1)s?\b"
_UNITS = re.compile(rf"{_UNIT}(?:,? (?:and )?{_UNIT})*")
_UNIT_SIZE = MappingProxyType({"h": 100, "t": 10, "1": 10, "o": 1})  # "1 ten" reads as "1 10"


def _unit_tens(ask: str, scope: str) -> Found | None:
    if bundles := re.search(r"\b(\d+) (?:bundles|stacks|groups|rods) of (?:ten|10)s?\b", scope):
        return (
            ("unit-tens", (int(bundles[1]), 10), None)
            if "how many" in ask and len(_ints(scope)) == 2
            else None
        )
    runs = _UNITS.findall(ask)
    asked = r"what (?:number )?is|how (?:much|many)|what number|which number|me the number|equals? what|_"
    if not runs or not re.search(asked, ask) or re.search(r"\b(?:more|less|than|from|away)\b|[-+]", ask):
        return None
    pairs = [each.split(" ") for each in re.findall(_UNIT, runs[-1])]
    sizes = [_UNIT_SIZE[unit[0]] for _, unit in pairs]
    if sizes[0] == 1 or sizes != sorted(set(sizes), reverse=True):
        return None
    counts = [int(count) if count.isdecimal() else 1 for count, _ in pairs]
    return "unit-tens", tuple(number for pair in zip(counts, sizes, strict=True) for number in pair), None


def _even_odd(ask: str, scope: str) -> Found | None:
    numbers = _ints(scope)
    return ("even-odd", numbers, None) if re.search(r"\b(?:even|odd)\b", ask) and len(numbers) == 1 else None


_STEPS = {"ones": 1, "twos": 2, "threes": 3, "fours": 4, "fives": 5, "tens": 10, "hundreds": 100}


def _skip_count(ask: str, scope: str) -> Found | None:
    return _sequence(ask, scope) or _count_by(ask, scope)


def _sequence(ask: str, scope: str) -> Found | None:
    """5, 10, 15 and what comes next, or a blank inside."""
    run = re.search(r"(?:\d+|_)(?:\s*,\s*(?:and )?(?:\d+|_)){2,}", scope)
    if not run or not re.search(r"next|after|keep|continu|missing|blank|pattern|_", ask):
        return None
    terms = re.findall(r"\d+|_", run[0])
    terms = terms if "_" in terms else [*terms, "_"]
    gap = terms.index("_")
    known = [(place, int(term)) for place, term in enumerate(terms) if term != "_"]
    steps = {(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(known)}
    if len(steps) != 1 or 0 in steps or not (step := steps.pop()).is_integer():
        return None
    before = known[0][1] + int(step) * (gap - 1 - known[0][0])
    if abs(step) == 1:
        return "next-number", (before, int(step)), None
    return "skip-count", (before, int(step), 1), None


def _count_by(ask: str, scope: str) -> Found | None:
    by = re.search(
        r"\bcount(?:ing)? (?:up |on |forward )?by (?:(\d+)|(ones|twos|threes|fours|fives|tens|hundreds))",
        scope,
    )
    if not by or not re.search(r"count|next|after|comes", ask):
        return None
    step = int(by[1]) if by[1] else _STEPS[by[2]]
    start = re.search(r"\b(?:from|at|with|after) (\d+)\b", scope)
    end = re.search(r"\b(?:to|until|stop(?:ping)? (?:at|on)) (\d+)\b", scope)
    last = int(start[1]) if start else 0
    if start and end and re.search(r"\bstart", scope):
        last -= step  # "starting at 2" says the 2, too
    terms = 3 if start else 4
    if start and re.search(r"(?:comes?|say|is) (?:right |just )?(?:next|after)|next number", ask):
        terms = 1
    elif end and step and 1 <= (int(end[1]) - last) // step <= 20:
        terms = (int(end[1]) - last) // step
    return ("skip-count", (last, step, terms), None) if step else None


def _next_number(ask: str, scope: str) -> Found | None:
    if re.search(r"\bwhat (?:number|page|one)? ?(?:is|comes) next\b", ask) and len(_ints(scope)) == 1:
        return "next-number", (_ints(scope)[0], 1), None
    if re.search(r"minute|o'clock|\bday|page|time|lunch|recess", ask) or not re.search(
        r"\b(?:what|which|tell|name|count)\b.*\b(?:number|comes?|goes|next|is|say|after|before)\b", ask
    ):
        return None
    if (found := re.search(r"\bbetween (\d+) and (\d+)", ask)) and not re.search(r"symbol|sign|[<>]", ask):
        return "next-number", (min(int(found[1]), int(found[2])), 1), None
    if found := re.search(r"\b(after|before) (?:the number )?(\d+)\s*(?:$|[?.!,_]|when|if|in\b)", ask):
        return "next-number", (int(found[2]), 1 if found[1] == "after" else -1), None
    return None


def _compare_numbers(ask: str, scope: str) -> Found | None:
    numbers = _ints(scope)
    if (
        len(set(numbers)) != 2
        or len(numbers) != 2
        or re.search(r"how (?:much|many)|cents|coins?\b|graph|vote|\d more(?! than)|\d\s*[-+*/]\s*\d", scope)
    ):
        return None
    first, second = numbers
    if re.search(r"symbol|[<>]", ask):
        return "compare-numbers", numbers, "<" if first < second else ">"
    size = re.search(
        r"\b(bigger|biggest|larger|largest|greater|greatest|more|most|smaller|smallest|less|least|fewer)\b",
        ask,
    )
    if not size:
        return None
    small = size[1] in {"smaller", "smallest", "less", "least", "fewer"}
    if re.search(rf"\bis {first} (?:a )?{size[1]} (?:number )?than {second}\b", ask):
        return "compare-numbers", numbers, "yes" if (first < second if small else first > second) else "no"
    if not re.search(r"\b(?:which|what|who|or)\b", ask):
        return None
    return "compare-numbers", numbers, str(min(numbers) if small else max(numbers))


_GROUPS = (
    r"bags|boxes|plates|groups|teams|packs|baskets|cups|jars|tables|cars|bowls|nests|vases|"
    r"shelves|piles|sets|trays"
)


def _array(ask: str, scope: str) -> Found | None:
    numbers = _ints(scope)
    if len(numbers) != 2 or not re.search(r"how many|total|what", ask):
        return None
    rows = re.search(r"\b\d+ rows\b|\b\d+ (?:by|\*) \d+ array|\brow\b.*\bcolumns?\b", scope)
    groups = re.search(rf"\b\d+ (?:{_GROUPS})\b", scope) and re.search(
        rf"\beach\b|\bevery\b|(?:{_GROUPS}) (?:of|with)", scope
    )
    groups = groups or re.search(
        r"\beach (?:\w+ )?(?:has|have|gets?|got) \d+|\d+ (?:\w+ )?(?:each|apiece)\b", scope
    )
    if not (rows or groups) or re.search(r"\bshar|split|divid|left|more\b|gave|away", scope):
        return None
    small, large = sorted(numbers)
    # Rows of up to five, or a count by twos, fives or tens (CCSS 2.OA.C.4, 2.NBT.A.2).
    inside = large <= 5 or (large <= 10 and {small, large} & {2, 5, 10})
    return "array" if inside else "beyond", numbers, None


_COMPARED = re.compile(
    r"\bhow (?:many|much) (?:(\w+ )?(?:longer|shorter|taller|higher|wider|farther|further))"
)
_GRAPH = re.compile(r"graph|chart|tally|\bvote|\blikes?\b|\bliked\b|\bchose|picked|favorite|prefer|survey")
_LOSS = re.compile(
    r"\b(?:gives?|gave|giving|loses?|lost|eats?|ate|eaten|uses?|used|spends?|spent|sells?|sold|"
    r"broke|popped|flew|fl(?:y|ies)|"
    r"left (?!to)|walked|walks?|ran|runs?|go(?:es)? (?:home|away)|went (?:home|away)|takes?|took|"
    r"throws?|threw|dropped|fell|"
    r"melted|away|swam|hopped|drove|got off|gets? off|cuts? off|snip(?:s|ped)?|trim(?:s|med)?|mailed|shared)\b"
)
_GAIN = re.compile(
    r"\b(?:more|another|gets?|got|finds?|found|buys?|bought|pick(?:s|ed)|adds?|added|comes?|came|"
    r"join(?:s|ed)|w[io]ns?|"
    r"collect(?:s|ed)|earn(?:s|ed)|receive[sd]?|makes?|made|baked?|(?:gives?|gave) (?:him|her|them|"
    r"me|us|you)\b(?! away))\b"
)
_TOTAL = re.compile(r"\b(?:in all|altogether|all together|total|together|in the end|both)\b")

_NO_STORY = re.compile(  # talk about the work itself: materials, marks, what the child said
    r"\b(?:tens|ones|hundreds|rods?|flats?|frame|number line|hops?|fingers|digits?|dimes?|nickels?|"
    r"penn(?:y|ies)|"
    r"quarters?|you (?:said|say|told|wrote|write|got|counted))\b"
)


def _story(ask: str, scope: str) -> Found | None:
    """A small story with two or three numbers that asks how many or how much."""
    if not re.search(
        r"how (?:many|much)|\btotal\b|how long .*together|how (?:long|tall) [^?]*\b(?:now|left)\b", ask
    ) or _NO_STORY.search(scope):
        return None
    if _EXPRESSION.search(scope) or "_" in scope:
        return None
    numbers = _ints(scope)
    if re.search(r"how (?:many|much) (?:more|fewer|less)\b", ask):
        return _how_many_more(ask, scope, numbers)
    if len(numbers) == 2:
        low, high = sorted(numbers)
        if _COMPARED.search(ask) or re.search(r"difference in (?:length|height)", ask):
            return "compare-lengths", (high, low), None
        if re.search(r"\b(?:share|split|divide)[sd]?\b.*\b(?:each|equal)", scope):
            return "beyond", numbers, ""
        return (
            _more_than(ask, scope) or _missing_story(ask, scope, numbers) or _two_numbers(ask, scope, numbers)
        )
    if len(numbers) == 3:
        signs = _signs(scope)
        if signs[0] < 0:
            return None
        if min(signs) > 0 and not _GAIN.search(scope):
            return ("add", numbers, None) if _TOTAL.search(ask) else None
        return "two-step", tuple(n * sign for n, sign in zip(numbers, signs, strict=True)), None
    return None


def _how_many_more(ask: str, scope: str, numbers: tuple[int, ...]) -> Found | None:
    graph = bool(_GRAPH.search(scope))
    if graph and len(numbers) > 2:
        # "7 like cats, 4 like dogs, 5 like fish. How many more like cats than dogs?": by their names.
        bars = [set(re.findall(r"[a-z]+", part)) for part in _clauses(scope) if re.search(r"\d", part)]
        if len(bars) == len(numbers):
            names = (
                set(re.findall(r"[a-z]+", ask))
                - set.intersection(*bars)
                - {"how", "many", "more", "than", "kids"}
            )
            numbers = tuple(number for number, bar in zip(numbers, bars, strict=True) if bar & names)
    if len(numbers) != 2:
        return None
    low, high = sorted(numbers)
    if re.search(r"\bneed|\bto (?:get|make|have|reach|fill)\b|\buntil\b|\bwants?\b", scope):
        return "missing", (low, high), None
    return "bar-graph" if graph else "subtract", (high, low), None


def _more_than(ask: str, scope: str) -> Found | None:
    """Ana has 12, that is 5 more than Bo: who is asked decides whether "more" means add."""
    found = re.search(r"\b(\d+) (?:\w+ )?(more|fewer|less) (?:\w+ )?than (?:the )?([a-z]+)", scope)
    if not found:
        return None
    apart, before = int(found[1]), _ints(scope[: found.start(1)])
    known = before[0] if before else _ints(scope)[1]
    more = found[2] == "more"
    if re.search(rf"\b{found[3]}\b", ask[ask.find("how") :]):
        return "more-story", (known, apart if more else -apart), None
    return ("add" if more else "subtract"), (known, apart), None


def _missing_story(ask: str, scope: str, numbers: tuple[int, ...]) -> Found | None:
    some = re.search(r"\bsome\b", scope)
    start = re.search(r"\b(?:to start|start with|at the start|at first|begin|beginning|before)\b", ask)
    if not some and not start:
        return None
    digit = re.search(r"\d", scope)
    if start or (some and digit and some.start() < digit.start()):
        change, total = numbers
        return "missing", (-change if _signs(scope)[0] < 0 else change, total), None
    low, high = sorted(numbers)
    return "missing", (low, high), None


def _two_numbers(ask: str, scope: str, numbers: tuple[int, ...]) -> Found | None:
    first, second = _signs(scope)
    if re.search(r"\b(?:rest|others)\b", scope):
        return "subtract", numbers, None
    if _TOTAL.search(ask):
        return "add", numbers, None
    if first < 0 and re.search(r"\d+ of (?:the|his|her|their|my|those|your)\b", scope):
        return "subtract", numbers[::-1], None
    if second < 0 or re.search(r"\b(?:left|remain|still)\b", ask):
        return "subtract", numbers, None
    both = r"\d[^.]* and [^.]*\d[^.]*\. how many (?:\w+ )?(?:is that|are there|are they|is it)"
    part = rf"\b{numbers[1]} (?:of (?:them|those|these)\b|are |were )[^.]*\. (?:so )?how many (?:\w+ )?(?:are|were) "
    if re.search(part, scope):
        return "subtract", numbers, None
    return (
        ("add", numbers, None)
        if _GAIN.search(scope) or re.search(both, scope) or _kinds(ask, scope)
        else None
    )


def _kinds(ask: str, scope: str) -> bool:
    """7 bean seeds and 6 sunflower seeds. How many seeds?"""
    asked = re.search(r"how many (\w{3,})", ask)
    return bool(asked and re.search(rf"\d+ (?:\w+ )?{asked[1]}\b.* and .*\d+ (?:\w+ )?{asked[1]}\b", scope))


def _clauses(scope: str) -> list[str]:
    return re.split(r"[.!?;,]|\b(?:and|then|but|when|after|so)\b", scope)


def _signs(scope: str) -> tuple[int, ...]:
    """+1 or -1 for each number of a story: does it come or go? A clause without a verb goes on as before."""
    signs, sign = [], 1
    for clause in _clauses(scope):
        if "how many" in clause and not re.search(r"\d", clause):
            continue
        if _GAIN.search(clause) and not re.search(r"\baway\b|\bgot off\b", clause):
            sign = 1
        elif _LOSS.search(clause):
            sign = -1
        signs += [sign] * len(_ints(clause))
    return tuple(signs)


def _blank(ask: str) -> Found | None:
    """An equation with one blank: 52 - 17 = _, _ + 6 = 15, 8 + 4 = _ + 5."""
    term = r"(?:\d+|_)"
    for match in reversed(
        list(re.finditer(rf"({term}(?:\s*[-+]\s*{term})*)\s*=\s*({term}(?:\s*[-+]\s*{term})*)", ask))
    ):
        if match[0].count("_") != 1:
            continue
        full, holed = (match[1], match[2]) if "_" in match[2] else (match[2], match[1])
        known = _terms(full)
        if holed.strip() == "_":
            return _sum(known) if len(known) > 1 else None
        rest = _terms(holed.replace("_", "0"))
        terms = re.findall(r"[-+]?\s*(?:\d+|_)", holed)
        hole = next(place for place, each in enumerate(terms) if "_" in each)
        others = rest[:hole] + rest[hole + 1 :]
        if len(others) != 1 or len(known) > 2:
            return "beyond", _ints(ask), ""
        if "-" in terms[hole]:  # 15 - _ = 9: the blank is a part of 15
            return ("missing", (known[0], others[0]), None) if len(known) == 1 else ("beyond", _ints(ask), "")
        return (
            ("missing", (others[0], known[0]), None)
            if len(known) == 1
            else ("equation", (*known, *others), None)
        )
    return None


def _terms(side: str) -> tuple[int, ...]:
    return tuple(int(each) for each in re.findall(r"-?\d+", re.sub(r"\s", "", side)))


def _sum(terms: tuple[int, ...]) -> Found:
    if min(terms) >= 0:
        return "add", terms, None
    return ("subtract", (terms[0], -terms[1]), None) if len(terms) == 2 else ("two-step", terms, None)


def _written(ask: str, scope: str) -> Found | None:
    numbers = _ints(scope)
    if len(numbers) != 1 or not re.search(r"\b(?:write|type)\b|\$|dollar sign", ask):
        return None
    if (
        ask == scope
        and re.search(r"\bcents?\b", ask)
        and not re.search(r"how (?:many|much)", ask)
        and numbers[0] < 100
    ):
        return (
            "write-cents",
            numbers,
            None if re.search(r"\$|dollar|money sign", ask) else f"{numbers[0]}\N{CENT SIGN}",
        )
    number = r"(?:(?:the (?:number|numeral) )?\W?\d+\W?|(?:that|this|it)(?: number)?\b)"
    end = r"(?: (?:in|with|using|as) (?:numbers?|digits|numerals?)| for me| please|\W)*$"
    if re.search(rf"\b(?:write|type) (?:down |out )?{number}{end}", ask) and not re.search(
        r"cents|\$", scope
    ):
        return "write-number", numbers, None
    return None


_BEYOND = re.compile(
    r"%|\bpercent|\bdecimal|\bsquare root|\bsquared\b|\bcubed\b|\bmultipl|\bdivid|\bquotient|"
    r"\bproduct of|\bperimeter|\barea\b|"
    r"\bvolume\b|\bnegative \d|\bsolve for\b|\b[xyn]\s*[-+=]\s*\d|\d\s*[-+]\s*[xyn]\b|\b\d+[xyn]\b|"
    r"\bprime\b|\baverage\b|\^|"
    r"\b(?:third|fourth|quarter|\d/\d+) of \d|\bhalf of (?!(?:\d|1\d|20)\b)\d|\bfactors? of|(?:^|\bis )-\s?\d"
)


def _beyond(ask: str) -> Found | None:
    return ("beyond", _ints(ask), "") if _BEYOND.search(ask) and _ints(ask) else None


_ABOUT_IT = re.compile(  # a question about the sum, not for its answer
    r"\bdo (?:you|we) (?:have|need) to\b|\bswitch|\bflip|\bsame answer|\bdigits?\b|\bwhat (?:do|"
    r"did|should) (?:you|we) do\b|"
    r"\bwhere (?:do|does|should|did)\b"
)


def _expression(ask: str) -> Found | None:
    """The last sum written in the sentence that is not followed by its answer."""
    if _YES_OR_NO.match(ask) or _ABOUT_IT.search(ask):
        return None
    for match in reversed(list(_EXPRESSION.finditer(ask))):
        if re.match(r"\s*(?:=|is|makes|was|are|gives)\s*\$?\d", ask[match.end() :]):
            continue
        if re.search(
            r"\b(?:pages?|problems?|questions?|numbers?|grades?|ages?) $", ask[: match.start()]
        ) or re.match(r" (?:minutes|times|sentences|pages|grade)", ask[match.end() :]):
            continue
        if re.search(r"[*/.]", match[0]):
            return "beyond", _ints(match[0]), ""
        return _sum(_terms(match[0]))
    return None


_READERS: tuple[Callable[[str, str], Found | None], ...] = (
    _clock, _coins, _ruler, _compare_shares, _digit_value, _tens_ones, _unit_tens, _even_odd, _skip_count,
    _next_number, _compare_numbers, _array, _story,
)  # fmt: skip
