"""Real people's data that a teacher pastes in: taken out before anything is stored.

It knows forms of writing only (an e-mail address, a name beside a diagnosis), no roster and no lesson.
"""

from __future__ import annotations

import re
from functools import partial

_STREET = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Court|Ct|Boulevard|Blvd|Way|Place|Pl|Terrace|Circle"
    r"|Parkway|Pkwy|Highway|Hwy)\b\.?"
)
_NAME = r"[A-Z][\w'\u2019-]+"
_RECORD = (
    r"(?:ADHD|autis\w+|dyslexi\w+|dyscalculi\w+|IEP|504\b|diagnos\w+|speech (?:delay|therap\w+)"
    r"|(?i:anxiety|depression|medication|seizures?|asthma|foster care"
    r"|free lunch|suspended|expelled|special ed\w*|failing|reading level|reads at|retained)|ELL\b"
    r"|\d{1,3} ?%|\d+(?:st|nd|rd|th) percentile|an? [A-DF][+-]?(?= |\.|$))"
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec)[a-z]*\.?"
_PUPIL = (
    r"(?:student|pupil|kid|child|son|daughter|niece|nephew|(?:first|second|third|1st|2nd|3rd)[- ]grader"
    r"|kindergartner)s?"
)

_DATA: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), "[email]"),
    (re.compile(r"(?<![\w.@])@[A-Za-z_][\w.]*\w"), "[handle]"),
    (re.compile(r"\b\d{3}-\d{2}-\d{4}\b"), "[id]"),
    (
        re.compile(
            r"(?<![\d-])(?:\+\d{1,3}[-. ]?)?(?:\(\d{3}\) ?|\d{3}[-. ])\d{3}[-. ]\d{4}\b"
            r"|\+\d{1,3}(?:[ -.]?\d){7,12}\b|(?<![\d-])[2-9]\d{9}\b"
        ),
        "[phone]",
    ),
    (
        re.compile(r"(?i:(?P<keep>\b(?:call|text|phone|cell|mobile|reach)\b[^.\d]{0,25}))\d{3}[-. ]\d{4}\b"),
        "[phone]",
    ),
    (
        re.compile(
            rf"\b\d{{1,5}}[A-Z]? (?:[NSEW]\.? )?(?:{_NAME} ){{1,3}}{_STREET}(?:,? (?:Apt|Unit|#) ?\w+)?"
        ),
        "[address]",
    ),
    (
        re.compile(
            r"(?i:(?P<keep>\b(?:dob|date of birth|birth ?dat[e]|birthday|born)\b\W{0,3}(?:is |on |was )?))"
            rf"(?i:\d{{1,2}}[/.-]\d{{1,2}}[/.-](?:\d{{4}}|\d{{2}})\b|(?:20[012]\d)-\d\d-\d\d"
            rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? 20[012]\d|\d{{1,2}} {_MONTH} 20[012]\d)"
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
            rf"|former) )?(?i:{_PUPIL})(?i:,? (?:of mine,? )?(?:named|called|is called|whose name is))?,? )"
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
            rf"(?P<keep>\b(?i:(?:his|her|their|the student'?s|the pupil'?s) name is ))(?:{_NAME} {_NAME})"
        ),
        "[name]",
    ),
    (re.compile(rf"\b{_NAME} {_NAME}(?=,? \(?(?i:student|pupil|lunch|id|dob|\[id\]|\[date)\b)"), "[name]"),
)


def redact(text: str) -> tuple[str, bool]:
    """`text` with the data of real people replaced by placeholders such as [email], and whether any was.

    It takes out e-mail addresses, phone numbers, street addresses, dates of birth, ids, @handles, and names
    given as a pupil's or beside a diagnosis or grade. Names in lesson talk ("Maria and Tom share") stay.
    """
    cleaned = text
    for pattern, placeholder in _DATA:
        cleaned = pattern.sub(partial(_put, placeholder), cleaned)
    return cleaned, cleaned != text


def _put(placeholder: str, match: re.Match[str]) -> str:
    """What tells that data follow ("my student", "DOB") stays in front."""
    return (match.groupdict().get("keep") or "") + placeholder
