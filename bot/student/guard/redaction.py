"""Real people's data that a teacher pastes in: taken out before anything is stored.

It knows forms of writing only (an e-mail address, a name beside a diagnosis), no roster and no lesson.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

from bot.student.guard import tagger

_STREET = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Court|Ct|Boulevard|Blvd|Way|Place|Pl|Terrace|Circle"
    r"|Parkway|Pkwy|Highway|Hwy)\b\.?"
)
_DOT = r"(?: ?[\[(]dot[\])] ?| dot )"
_NAME = r"[A-Z][\w'\u2019-]+"
_FULL = rf"{_NAME}(?: {_NAME}){{1,2}}"
_TITLED = rf"(?:Mrs?|Ms|Miss|Dr|Prof)\b\.? {_NAME}(?: {_NAME})?"
_CLASS = r"(?i:(?:my|our) (?:\w+ )?(?:class|classroom|group|school|homeroom|section|placement|practicum|caseload))\b"
_ADULT = (
    r"(?i:mom|mum|dad|mother|father|parent|guardian|stepmom|stepdad|supervisor|principal|coach|mentor(?: teacher)?"
    r"|(?:cooperating|co-?|homeroom|classroom) ?teacher|professor|counsel(?:l)?or)"
)
_RECORD = (
    r"(?:ADHD|autis\w+|dyslexi\w+|dyscalculi\w+|IEP|504\b|diagnos\w+|speech (?:delay|therap\w+)"
    r"|(?i:anxiety|depression|medication|seizures?|asthma|foster care"
    r"|free lunch|suspended|expelled|special ed\w*|failing|reading level|reads at|retained)|ELL\b"
    r"|\d{1,3} ?%|\d+(?:st|nd|rd|th) percentile|an? [A-DF][+-]?(?= |\.|$))"
)
_YEAR = r"20[012]\d"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*\.?"
_PUPIL = (
    r"(?:student|pupil|kid|child|son|daughter|niece|nephew|(?:first|second|third|1st|2nd|3rd)[- ]grader"
    r"|kindergartner)s?"
)

_DATA: tuple[tuple[re.Pattern[str], str], ...] = (
    # With the stars and strokes of chat markup in it: it is taken out before markup is taken off.
    (re.compile(r"(?<![\w.+*\\~|-])[\w.+*\\~|-]+@[\w*\\-]+(?:\.[\w*\\-]+)+"), "[email]"),
    (
        re.compile(
            rf"(?i:(?<![\w.+-])[\w+-]{{1,32}}(?:(?:\.|{_DOT})[\w+-]{{1,32}}){{0,3}}(?: ?[\[({{]at[\])}}] ?| at | @ )"
            rf"[\w-]{{1,40}}(?:(?:\.|{_DOT})[\w-]{{1,40}}){{0,3}}(?:\.|{_DOT})"
            r"(?:com|org|edu|net|example|us|uk|de|fr|mx|ca|gov|info|[a-z]{2}(?=\W|$))\b)"
        ),
        "[email]",
    ),
    (re.compile(r"(?<![\w.@])@[A-Za-z_][\w.]*(?:-\w+)*\w"), "[handle]"),
    (re.compile(r"(?<![\w#])[A-Za-z][\w.]{1,31}#\d{4}\b"), "[handle]"),
    (
        re.compile(
            r"(?i:(?P<keep>\b(?:snap(?:chat)?|insta(?:gram)?|ig|tik ?tok|venmo|twitter|discord|skype|telegram"
            r"|whatsapp|facebook|fb|roblox|xbox|gamertag|user ?name|handle)(?: (?:name|handle|account|user|id))?"
            r"(?: is|'s)?[\s:=]+))(?=\w*[\d_.])[A-Za-z_][\w.]*\w"
        ),
        "[handle]",
    ),
    (re.compile(r"\b\d{3}-\d{2}-\d{4}\b"), "[id]"),
    (
        re.compile(
            r"(?<![\d-])(?:\+\d{1,3}[-. ]?)?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}\b"
            r"|\+\d{1,3}(?:[ -.]?\d){7,12}\b|(?<![\d-])[2-9]\d{9}\b|(?<![\d-])0\d{2,4}[ -]\d{3,4}[ -]\d{3,4}\b"
        ),
        "[phone]",
    ),
    (
        re.compile(r"(?i:(?P<keep>\b(?:call|text|phone|cell|mobile|reach)\b[^.\d]{0,25}))\d{3}[-. ]\d{4}\b"),
        "[phone]",
    ),
    (
        re.compile(
            rf"\b\d{{1,5}}[A-Z]? (?:[NSEW]\.? )?(?:{_NAME} ){{1,3}}{_STREET}(?:,? (?:Apt|Unit|#)\.? ?\w+)?"
            rf"(?:,? {_NAME}(?: {_NAME})?,? [A-Z]{{2}}\b)?(?: \d{{5}}(?:-\d{{4}})?\b)?"
            rf"|\b{_NAME} {_STREET},? (?:no\.? ?)?\d{{1,5}}\b|\b(?i:p\.? ?o\.? ?box) \d+"
        ),
        "[address]",
    ),
    (
        re.compile(r"(?i:(?P<keep>\b(?:zip|post(?:al)?)[ -]?(?:code)?\W{0,3}(?:is )?))\d{5}(?:-\d{4})?\b"),
        "[address]",
    ),
    (
        re.compile(
            r"(?i:(?P<keep>\b(?:dob|date of birth|birth ?dat[e]|birthday|born)\b\W{0,3}(?:is |on |was )?))"
            rf"(?i:\d{{1,2}}[/.-]\d{{1,2}}[/.-](?:\d{{4}}|\d{{2}})\b|{_YEAR}[/.-]\d{{1,2}}[/.-]\d{{1,2}}"
            rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? {_YEAR}|\d{{1,2}}(?:st|nd|rd|th)? {_MONTH},? {_YEAR})"
        ),
        "[date of birth]",
    ),
    (
        re.compile(
            r"(?i:(?P<keep>\b(?:(?:student|pupil|school|district|state|lunch) (?:id|number|no\.?|#)|id ?#"
            r"|id(?: number| no\.?)|ssn)\W{0,3}(?:is )?))[A-Za-z]{0,3}\d{4,}\b"
        ),
        "[id]",
    ),
    (
        re.compile(
            rf"(?P<keep>\b(?i:one of my|one of our|my|our|a|one|this|another) (?i:(?:real|actual|own|new"
            rf"|former) )?(?i:{_PUPIL})(?i:,? of mine)?(?i:,? (?:named|called|is called|whose name is))?,? )"
            rf"(?!(?i:teacher|council|loan|I\b)){_NAME}(?: {_NAME}){{0,2}}"
        ),
        "[name]",
    ),
    (re.compile(rf"\b{_NAME}(?: {_NAME}){{1,2}}(?=(?:'s)?(?: [\w'-]+){{0,5}} {_RECORD})"), "[name]"),
    (
        re.compile(
            rf"(?P<keep>\b(?i:i (?:teach|tutor|have|work with|had)) (?i:(?:a|this|one) (?:\w+ )?(?:boy"
            rf"|girl|kid)) (?i:(?:called|named) )){_NAME}(?: {_NAME})?"
        ),
        "[name]",
    ),
    (
        re.compile(
            rf"(?P<keep>\b(?i:(?:(?:his|her|their|the student'?s|the pupil'?s)(?: (?:full|real|whole))? name is"
            rf"|(?:boy|girl|kid|child|student|pupil) (?:is|was) (?:called|named)) )){_FULL}"
        ),
        "[name]",
    ),
    (re.compile(rf"\b{_FULL}(?=,? \(?(?i:student|pupil|lunch|id|dob|\[id\]|\[date)\b)"), "[name]"),
    # Somebody of my class: "a girl in my class, Amira Haddad," and "Devonte Harris in my class".
    (
        re.compile(
            rf"(?P<keep>\b(?i:boy|girl|kid|child|student|pupil)s? (?:(?i:in|from|at) {_CLASS}|(?i:that |who )?"
            rf"(?i:i|we) (?i:babysit|tutor|teach|mentor|coach|work with|know)),? (?i:named |called )?)"
            rf"(?!(?i:I|Is|Has|Does)\b){_NAME}(?: {_NAME})?"
        ),
        "[name]",
    ),
    (re.compile(rf"(?P<keep>\b(?i:in|from|at) {_CLASS},? ){_FULL}"), "[name]"),
    (re.compile(rf"\b{_FULL}(?= (?i:in|from) {_CLASS})"), "[name]"),
    (re.compile(rf"\b{_FULL}(?=,? (?i:a|my|one of my|our) (?i:\w+ )?{_PUPIL}\b)"), "[name]"),
    (re.compile(rf"(?P<keep>(?i:{_PUPIL}),? \[name\],? (?i:and) ){_NAME}(?: {_NAME})?"), "[name]"),
    # Their grown-ups, and those of the one who writes.
    (
        re.compile(
            rf"(?P<keep>\b(?i:(?:my|his|her|their|our|the)|\w+'s) {_ADULT}(?i:,| is| was| named| called|'s name is)? )"
            rf"(?:{_TITLED}|{_FULL})"
        ),
        "[name]",
    ),
    (
        re.compile(
            rf"\b{_FULL}(?='s {_ADULT} (?i:is|was|called|emailed|texted|says|told me|wrote|works|wants|complained))"
        ),
        "[name]",
    ),
    # Forms and files.
    (
        re.compile(
            rf"(?P<keep>\b(?i:(?:(?:student|pupil|child|parent|guardian|mother|father|full|legal|emergency)'?s? )?"
            rf"(?:name|contact)) ?[:=] ?){_NAME}(?: {_NAME}){{0,2}}"
        ),
        "[name]",
    ),
    (re.compile(rf"(?P<keep>\b(?i:student|pupil|child|parent|guardian) ?: ?){_FULL}"), "[name]"),
    (
        re.compile(
            rf"(?P<keep>\b(?:IEP|504(?: plan)?|(?i:report card|file|(?:behaviou?r|learning) plan))"
            rf"(?i: says| for| of| notes| lists)(?i: that)? ){_FULL}"
        ),
        "[name]",
    ),
)

_OWN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(rf"(?P<keep>\b(?i:my (?:full )?name is|my name's) )(?:{_TITLED}|{_FULL})"), "[name]"),
    (re.compile(rf"(?P<keep>\b(?:I|i)(?:'m|\u2019m| am) ){_TITLED}"), "[name]"),
    (
        re.compile(
            rf"(?P<keep>\b(?i:this is|i'm|i am) ){_FULL}(?= (?i:from|in) (?i:section|period|room|cohort|[A-Z]{{2,}})\b)"
        ),
        "[name]",
    ),
)
"""How teachers introduce themselves, which is no reason to stop the lesson."""


_PRETENDED = re.compile(
    r"\b(?:story|forest|santa|sherlock|shoe|compare|pretend|odd|even|who lives|letters for|book|map|grid|fairy|witch"
    r"|bears?|chapter|number line|how (?:many|far))\b",
    re.I,
)
"""A house with a number is the lesson's own beside one of these; the tagger may see it otherwise."""
_AFTER_ADDRESS = re.compile(r"\[address[ \d]*\],? ?$")
_NUMBERS = re.compile(r"\d{1,9}(?:\W{1,3}\d{1,9})+")

SURE = 0.75
"""Log-odds from which a word is taken for a real person's data."""
BESIDE = -2.0
"""... and in a turn that holds some already."""


@lru_cache(maxsize=2)  # the same turn is looked at on its way in and by the safeguard
def redact(text: str) -> tuple[str, bool]:
    """`text` with the data of real people replaced by placeholders, and whether a warning is due.

    It takes out e-mail addresses, phone numbers, street addresses, dates of birth, ids, handles, and names
    given as a pupil's, a parent's or beside a diagnosis or grade. The same value gets the same placeholder:
    [name], then [name 2] for another one. Names in lesson talk ("Maria and Tom share") stay. Who only
    introduces themselves ("I'm Ms. Rowland") is made nameless without a warning.
    """
    placeholders = _Placeholders()
    cleaned, warned = text, False
    while True:  # what is taken out may make the rest tell more; each round takes something
        before = cleaned
        framed = _without(before, _DATA, placeholders)
        framed, own = _without(framed, _OWN, placeholders), framed
        cleaned = _without_words(framed, placeholders)
        warned = warned or own != before or cleaned != framed
        if cleaned == before:
            return cleaned, warned


def exact(text: str) -> str:
    """`text` without what stands in one of the exact frames: what the tagger of single words gets to see."""
    placeholders = _Placeholders()
    return _without(_without(text, _DATA, placeholders), _OWN, placeholders)


class _Placeholders:
    """Which value got which placeholder, in one text."""

    def __init__(self) -> None:
        self._given: dict[str, dict[str, str]] = {}

    def of(self, kind: str, value: str) -> str:
        """The placeholder of that kind for `value`: the first one bare, later ones numbered."""
        given = self._given.setdefault(kind, {})
        number = f" {len(given) + 1}" if given else ""
        return given.setdefault(value.lower(), f"{kind[:-1]}{number}]")


def _without(
    text: str, patterns: tuple[tuple[re.Pattern[str], str], ...], placeholders: _Placeholders
) -> str:
    for pattern, kind in patterns:

        def put(match: re.Match[str], kind: str = kind, text: str = text) -> str:
            if (kind == "[phone]" and _counted(text, *match.span())) or (
                kind == "[address]" and _PRETENDED.search(text)
            ):
                return match.group()
            # What tells that data follow ("my student", "DOB") stays in front.
            keep = match.groupdict().get("keep") or ""
            return keep + placeholders.of(kind, match.group()[len(keep) :])

        text = pattern.sub(put, text)
    return text


def _counting(text: str) -> list[tuple[int, int]]:
    """Where `text` counts: three numbers or more that go on at one step ("997 998 999 1000")."""
    found = []
    for run in _NUMBERS.finditer(text):
        numbers = [int(each) for each in re.findall(r"\d+", run.group())]
        steps = {two - one for one, two in pairwise(numbers)}
        if len(steps) == 1 and len(numbers) > 2 and steps != {0}:  # noqa: PLR2004 - two numbers always have one step
            found.append(run.span())
    return found


def _counted(text: str, start: int, end: int) -> bool:
    return any(start < last and first < end for first, last in _counting(text))


def _without_words(text: str, placeholders: _Placeholders) -> str:
    said = tagger.tokens(text)
    scores = tagger.scores(said)
    cleaned, at = "", 0
    for first, last in tagger.spans(said, scores, SURE, BESIDE):
        start, end = said[first].start, said[last].end
        if _counted(text, start, end):
            continue
        cleaned += text[at:start]
        kind = "[address]" if _AFTER_ADDRESS.search(cleaned) else tagger.kind(said[first : last + 1])
        cleaned += placeholders.of(kind, text[start:end])
        at = end
    return cleaned + text[at:]
