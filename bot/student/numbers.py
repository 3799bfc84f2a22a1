"""Numbers and signs as teachers write them: "fifty-two take away 17" is "52 - 17".

It knows words, digits and signs only. What a teacher asks with them is `problems`.
"""

from __future__ import annotations

import re

LONGEST = 4_000
"""Characters read of one text: what a chat lets a person send, and few enough digits for `int`."""

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_VALUES = {word: value for value, word in enumerate(_SMALL)}
_VALUES |= {word: 10 * tens for tens, word in enumerate(_TENS, start=2)} | {"a": 1, "fourty": 40}

_ONES = "|".join(_SMALL[1:10])
_TO_99 = rf"(?:(?:{'|'.join(_TENS)}|fourty)(?:[ -](?:{_ONES}))?|{'|'.join(_SMALL[10:])}|{_ONES})"
_TO_999 = rf"(?:(?:a|{_ONES})[ -]hundred(?:(?: and)?[ -]{_TO_99})?|{_TO_99})"
_WORDS = re.compile(rf"\b(?:(?:a|{_TO_999}) thousand(?:,? (?:and )?{_TO_999})?|{_TO_999}|zero)\b")
# "one" is a pronoun more often than a number ("which one is bigger"), so it counts only beside these.
_AFTER_ONE = re.compile(
    r"\s*(?:more|less|plus|minus|times|dime|nickel|penny|quarter|tens?\b|hundred|row|take away|[-+*/=])"
)
_BEFORE_ONE = re.compile(r"(?:plus|minus|away|equals|add|has|had|gave|got|ate|found|lost|[-+*/=])\s*$")

_SIGNS = str.maketrans(
    {
        "\N{MINUS SIGN}": "-",
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{HYPHEN}": "-",
        "\N{NON-BREAKING HYPHEN}": "-",
        "\N{MULTIPLICATION SIGN}": "*",
        "\N{DIVISION SIGN}": "/",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{NO-BREAK SPACE}": " ",
        "\N{VULGAR FRACTION ONE HALF}": "1/2",
        "\N{VULGAR FRACTION ONE QUARTER}": "1/4",
        "\N{VULGAR FRACTION ONE THIRD}": "1/3",
        "\N{VULGAR FRACTION THREE QUARTERS}": "3/4",
        "\N{WHITE SQUARE}": "_",
        "\N{BALLOT BOX}": "_",
        "\N{WHITE LARGE SQUARE}": "_",
        "`": "",
        "\N{CENT SIGN}": " cents",
    }
)
_NOUN = r"(?:\s+(?!equals|plus|minus|times|is|makes|tens|ones|hundreds)[a-z]+s)?"
_UNIT = r"([\d_])"
_UNKNOWN = (
    r"(?:what number|which number|some number|a number|what|something|"
    r"(?:(?:a|the) )?(?:empty )?(?:blank|box)|how many|how much)"
)
# Applied in this order; each one rewrites a way of saying a sign into the sign.
_REWRITES = tuple(
    (re.compile(pattern), by)
    for pattern, by in (
        (r"[^\S\n]+", " "),
        (r"\*\*|~~", ""),
        (r"\b(\d{1,2}),(\d{3})\b(?!,)", r"\1\2"),
        (r"\bwh?[au]t'?s\b", "what is"),
        (r"\b(that|it|here|who|where|there|he|she)'s\b", r"\1 is"),
        (r"\[\s*\]|\(\s*\)|\{\s*\}|_+", "_"),
        (r"\?(?=\s*[-+*/=])|(?<=[-+*/=])(\s*)\?(?!\?)", " _"),
        (r"\btake-away\b", "take away"),
        (rf"{_UNIT}{_NOUN}\s+(?:plus|added to)\s+(?=[\d_]|{_UNKNOWN}\b)", r"\1 + "),
        (
            rf"{_UNIT}{_NOUN}\s+(?:and )?(?:minus|take away|takeaway|subtract)\s+(?=[\d_]|{_UNKNOWN}\b)",
            r"\1 - ",
        ),
        (rf"{_UNIT}\s+(?:times|multiplied by)\s+(?=[\d_])", r"\1 * "),
        (rf"{_UNIT}\s*x\s*(?=[\d_])", r"\1 * "),
        (rf"{_UNIT}\s+divided by\s+(?=[\d_])", r"\1 / "),
        (rf"\b{_UNKNOWN}\s+(?:plus|added to)\s+(?=\d)", "_ + "),
        (rf"\b{_UNKNOWN}\s+(?:minus|take away)\s+(?=\d)", "_ - "),
        (r"\b(?:take|subtract)s?(?: away)? (\d+)(?: away)? from (\d+)\b", r"try \2 - \1"),
        (
            r"(^|[.!?:,] |what is |try |do |solve |now |about )(\d+) (?:taken away )?from (\d+)\b",
            r"\1\3 - \2",
        ),
        (r"\badd (\d+) to (\d+)\b", r"try \2 + \1"),
        (r"\badd (\d+) and (\d+)\b", r"try \1 + \2"),
        (r"\badd [a-z\d ]*: ?(\d+),? (?:and )?(\d+),? and (\d+)\b", r"try \1 + \2 + \3"),
        (r"\badd (\d+), ?(\d+),? and (\d+)\b", r"try \1 + \2 + \3"),
        (r"\b(?:the )?sum of (\d+) and (\d+)\b", r"\1 + \2"),
        (r"\b(?:the )?difference (?:between|of) (\d+) and (\d+)\b", r"\1 - \2"),
        (r"\b((?:what|number) is|find|try|do|me|that is|say) (\d+) more than (\d+)\b", r"\1 \3 + \2"),
        (
            r"\b((?:what|number) is|find|try|do|me|that is|say) (\d+) (?:less|fewer) than (\d+)\b",
            r"\1 \3 - \2",
        ),
        (
            r"\b(?:what|how many|how much)(?: more)? (?:do|does|would|should|must) (?:i|we|you) (?:need to |have to )?"
            r"(?:add|put) (?:to|with) (\d+) to (?:get|make|have)(?: to)? (\d+)\b",
            r"\1 + _ = \2",
        ),
        (
            r"\b(what (?:is|does|would)|how much is) (\d+) and (\d+)(?: more)?"
            r"(?= *(?:\?|$|together|altogether|in all|be\b|make|come|add up))",
            r"\1 \2 + \3",
        ),
        (r"\bdouble (?:of )?(\d+)\b", r"\1 + \1"),
        (rf"{_UNIT}\s+(?:is equal to|is the same as|equals?|makes?)\s+(?=[\d_]|{_UNKNOWN}\b)", r"\1 = "),
        (rf"{_UNIT}\s+(?:is|are)\s+(?=[\d_])", r"\1 = "),
        (rf"([-+*/=])\s*{_UNKNOWN}\b", r"\1 _"),
        (rf"\b{_UNKNOWN}\s*(?=[-+*/=]\s*[\d_])", "_ "),
        (rf"([\d_]\s*[-+]\s*[\d_]+)\s+is {_UNKNOWN}\b", r"\1 = _"),
        (r"([-+]\s*[\d_]+)\s+is\s+(?=[\d_])", r"\1 = "),
        (r"=\s*(?=$|[.!\n])", "= _"),
        (r"_(?:\s*_)+", "_"),
    )
)


def say(number: int) -> str:
    """The number in words, as a child learns to read it: 306 is "three hundred six". 0 to 1000."""
    if not 0 <= number <= 1_000:  # noqa: PLR2004 - second grade ends there
        raise ValueError(f"expected a number from 0 to 1000, got {number}")
    if number == 1_000:  # noqa: PLR2004
        return "one thousand"
    hundreds, rest = divmod(number, 100)
    words = [f"{_SMALL[hundreds]} hundred"] if hundreds else []
    if rest >= 20:  # noqa: PLR2004 - up to nineteen every number has its own word
        ones = f"-{_SMALL[rest % 10]}" if rest % 10 else ""
        words.append(_TENS[rest // 10 - 2] + ones)
    elif rest or not hundreds:
        words.append(_SMALL[rest])
    return " ".join(words)


def plain(text: str) -> str:
    """`text` in lower case with number words as digits, signs as + - * / = and blanks as `_`."""
    text = _WORDS.sub(_digits, text[:LONGEST].lower().translate(_SIGNS))
    for pattern, by in _REWRITES:
        text = pattern.sub(by, text)
    return text


def _digits(match: re.Match[str]) -> str:
    words = match.group()
    if words == "one" and not (
        _AFTER_ONE.match(match.string, match.end())
        or _BEFORE_ONE.search(match.string, max(0, match.start() - 8), match.start())
    ):
        return words
    total = part = 0
    for word in re.split(r"[\s,-]+", words):
        if word == "hundred":
            part *= 100
        elif word == "thousand":
            total, part = part * 1_000, 0
        else:
            part += _VALUES.get(word, 0)  # "and" counts nothing
    return str(total + part)
