"""Small stories with two or three numbers. What comes and what goes is read clause by clause from its verbs.

A story may ask any sum: two kinds that are told in no other way stand here, two more in `measuring`.
"""

from __future__ import annotations

import re

from bot.student.problems import adding, subtracting, sums
from bot.student.problems.asking import EXPRESSION, Asking, integers, words
from bot.student.problems.kind import Bug, BuggyAnswer, Kind, Problem, Reading

_ASKS_AMOUNT = re.compile(
    r"how (?:many|much)|\btotal\b|how long .*together|how (?:long|tall) [^?]*\b(?:now|left)\b"
)
_NO_STORY = re.compile(  # talk about the work itself: materials, marks, what the child said
    r"\b(?:tens|ones|hundreds|rods?|flats?|frame|number line|hops?|fingers|digits?|dimes?|nickels?"
    r"|penn(?:y|ies)|quarters?|you (?:said|say|told|wrote|write|got|counted))\b"
)
_HOW_MANY_MORE = re.compile(r"how (?:many|much) (?:more|fewer|less)\b")
_COMPARED = re.compile(
    r"\bhow (?:many|much) (?:\w+ )?(?:longer|shorter|taller|higher|wider|farther|further)"
    r"|difference in (?:length|height)"
)
_GRAPH = re.compile(r"graph|chart|tally|\bvote|\blikes?\b|\bliked\b|\bchose|picked|favorite|prefer|survey")
_WANTED = re.compile(r"\bneed|\bto (?:get|make|have|reach|fill)\b|\buntil\b|\bwants?\b")
_SHARED = re.compile(r"\b(?:share|split|divide)[sd]?\b.*\b(?:each|equal)")
_LOSS = re.compile(
    r"\b(?:gives?|gave|giving|loses?|lost|eats?|ate|eaten|uses?|used|spends?|spent|sells?|sold|broke|popped"
    r"|flew|fl(?:y|ies)|left (?!to)|walked|walks?|ran|runs?|(?:go(?:es)?|went) home|takes?|took|throws?"
    r"|threw|dropped|fell|melted|away|swam|hopped|drove|g[eo]ts? off|cuts? off|snip(?:s|ped)?|trim(?:s|med)?"
    r"|mailed|shared)\b"
)
_GAIN = re.compile(
    r"\b(?:more|another|gets?|got|finds?|found|buys?|bought|pick(?:s|ed)|adds?|added|comes?|came|join(?:s|ed)"
    r"|w[io]ns?|collect(?:s|ed)|earn(?:s|ed)|receive[sd]?|makes?|made|baked?"
    r"|(?:gives?|gave) (?:him|her|them|me|us|you)\b(?! away))\b"
)
_GONE = re.compile(r"\b(?:away|g[eo]ts? off)\b")
_TOTAL = re.compile(r"\b(?:in all|altogether|total|together|in the end|both)\b")
_CLAUSE = re.compile(r"[.!?;,]|\b(?:and|then|but|when|after|so)\b")
_LETTERS = re.compile(r"[a-z]+")


def read(asking: Asking) -> Reading | None:
    """A small story with two or three numbers that asks how many or how much."""
    ask, scope, numbers = asking.ask, asking.scope, asking.numbers
    if not _ASKS_AMOUNT.search(ask) or _NO_STORY.search(scope) or EXPRESSION.search(scope) or "_" in scope:
        return None
    if _HOW_MANY_MORE.search(ask):
        return _how_many_more(asking)
    if len(numbers) == 2:
        if _COMPARED.search(ask):
            return Reading("compare-lengths", (max(numbers), min(numbers)))
        if _SHARED.search(scope):
            return Reading("beyond", numbers)
        return _more_than(asking) or _unknown(asking) or _sum_of_two(asking)
    return _sum_of_three(asking) if len(numbers) == 3 else None


def _how_many_more(asking: Asking) -> Reading | None:
    scope, numbers = asking.scope, asking.numbers
    graph = bool(_GRAPH.search(scope))
    if graph and len(numbers) > 2:
        # "7 like cats, 4 like dogs, 5 like fish. How many more like cats than dogs?": by their names.
        bars = [set(_LETTERS.findall(part)) for part in _CLAUSE.split(scope) if _has_digit(part)]
        if len(bars) == len(numbers):
            names = set(_LETTERS.findall(asking.ask)) - set.intersection(*bars)
            names -= {"how", "many", "more", "than", "kids"}
            numbers = tuple(number for number, bar in zip(numbers, bars, strict=True) if bar & names)
    if len(numbers) != 2:
        return None
    low, high = sorted(numbers)
    if _WANTED.search(scope):
        return Reading("missing", (low, high))
    return Reading("bar-graph" if graph else "subtract", (high, low))


_THAN = re.compile(r"\b(\d+) (?:\w+ )?(more|fewer|less) (?:\w+ )?than (?:the )?([a-z]+)")


def _more_than(asking: Asking) -> Reading | None:
    """Ana has 12, that is 5 more than Bo: who is asked decides whether "more" means add."""
    found = _THAN.search(asking.scope)
    if not found:
        return None
    apart, before = int(found[1]), integers(asking.scope[: found.start(1)])
    known = before[0] if before else asking.numbers[1]
    more = found[2] == "more"
    if found[3] in words(asking.ask.partition("how")[2]):
        return Reading("more-story", (known, apart if more else -apart))
    return Reading("add" if more else "subtract", (known, apart))


_AT_START = re.compile(r"\b(?:to start|start with|at the start|at first|begin|beginning|before)\b")
_SOME_FIRST = re.compile(r"\D*\bsome\b")


def _unknown(asking: Asking) -> Reading | None:
    """He had some, or found some: the start or the change is asked."""
    first, second = asking.numbers
    if _AT_START.search(asking.ask) or _SOME_FIRST.match(asking.scope):
        return Reading("missing", (-first if _signs(asking.scope)[0] < 0 else first, second))
    if "some" in words(asking.scope):
        return Reading("missing", (min(first, second), max(first, second)))
    return None


_OF_THEM = re.compile(r"\d+ of (?:the|his|her|their|my|those|your)\b")
_PART = re.compile(
    r"\b(\d+) (?=(?:of (?:them|those|these)\b|are |were )[^.]*\. (?:so )?how many (?:\w+ )?(?:are|were) )"
)
_BOTH = re.compile(r"\d[^.]* and [^.]*\d[^.]*\. how many (?:\w+ )?(?:is that|are there|are they|is it)")
_KIND_ASKED = re.compile(r"how many (\w{3,})")
_COUNTED = re.compile(r"\d+ (?=(\w+)(?: (\w+))?)")


def _sum_of_two(asking: Asking) -> Reading | None:
    ask, scope, numbers = asking.ask, asking.scope, asking.numbers
    first, second = _signs(scope)
    if words(scope) & {"rest", "others"}:
        return Reading("subtract", numbers)
    if _TOTAL.search(ask):
        return Reading("add", numbers)
    if first < 0 and _OF_THEM.search(scope):
        return Reading("subtract", numbers[::-1])
    if second < 0 or asking.words & {"left", "remain", "still"}:
        return Reading("subtract", numbers)
    if any(int(part[1]) == numbers[1] for part in _PART.finditer(scope)):
        return Reading("subtract", numbers)
    added = _GAIN.search(scope) or _BOTH.search(scope) or _of_one_kind(asking)
    return Reading("add", numbers) if added else None


def _of_one_kind(asking: Asking) -> bool:
    """7 bean seeds and 6 sunflower seeds. How many seeds?"""
    asked = _KIND_ASKED.search(asking.ask)
    counted = [each for each in _COUNTED.finditer(asking.scope) if asked and asked[1] in each.groups()]
    return len(counted) > 1 and " and " in asking.scope[counted[0].end() : counted[-1].start()]


def _sum_of_three(asking: Asking) -> Reading | None:
    numbers, signs = asking.numbers, _signs(asking.scope)
    if signs[0] < 0:
        return None
    if min(signs) > 0 and not _GAIN.search(asking.scope):
        return Reading("add", numbers) if _TOTAL.search(asking.ask) else None
    return Reading("two-step", tuple(n * sign for n, sign in zip(numbers, signs, strict=True)))


def _signs(scope: str) -> tuple[int, ...]:
    """+1 or -1 for each number of a story: does it come or go? A clause without a verb goes on as before."""
    signs, sign = [], 1
    for clause in _CLAUSE.split(scope):
        if "how many" in clause and not _has_digit(clause):
            continue
        if _GAIN.search(clause) and not _GONE.search(clause):
            sign = 1
        elif _LOSS.search(clause):
            sign = -1
        signs += [sign] * len(integers(clause))
    return tuple(signs)


def _has_digit(text: str) -> bool:
    return any(map(str.isdecimal, text))


def _explain_other(problem: Problem) -> tuple[str, ...]:
    known, apart = problem.numbers
    if apart > 0:
        return (f"the other one has {apart} less", *subtracting.explain(known, apart))
    return (f"the other one has {-apart} more", *adding.explain(known, -apart))


def _more_means_add(problem: Problem) -> BuggyAnswer | None:
    """The word decides: more is plus, fewer is take away; 12 is 5 more than Bo's 17 (Riley, Greeno & Heller
    1983; Carpenter et al. 1999)."""
    known, apart = problem.numbers
    if known + apart < 0:
        return None
    said = "it says more so you add" if apart > 0 else "it says fewer so you take away"
    return BuggyAnswer.of(known + apart, said, sums.step(known, apart))


MORE_STORY = Kind(
    "more-story",
    read=read,
    right=lambda numbers: str(numbers[0] - numbers[1]),
    explain=_explain_other,
    bugs=(Bug("more-means-add", _more_means_add),),
)
"""Numbers: who is known, and by how many more (fewer: negative) than the other."""


def _explain_steps(problem: Problem) -> tuple[str, ...]:
    steps, total = [], problem.numbers[0]
    for change in problem.numbers[1:]:
        steps.append(sums.step(total, change))
        total += change
    return tuple(steps)


def _one_step_only(problem: Problem) -> BuggyAnswer | None:
    """After the first sum the story is done (practitioner literature)."""
    start, change = problem.numbers[:2]
    if start + change < 0:
        return None
    return BuggyAnswer.of(start + change, f"first there was {start}", sums.step(start, change))


TWO_STEP = Kind(
    "two-step",
    read=read,
    right=lambda numbers: str(sum(numbers)),
    explain=_explain_steps,
    bugs=(Bug("one-step-only", _one_step_only),),
)
"""Numbers: the start and each change."""
