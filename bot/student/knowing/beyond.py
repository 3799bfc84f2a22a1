"""What later grades teach: is the turn about it, and what would a child guess?

Wording only, with no right answer anywhere but to steer clear of it.
"""

from __future__ import annotations

import re
from random import Random

from bot.student.numbers import plain

_FRACTION = (
    r"(?:\d+/\d+|(?:three|two|five|four|seven) (?:fifths?|thirds|fourths|quarters|sixths?"
    r"|eighths?|sevenths?|tenths?))"
)
_LATER = re.compile(
    r"\b(?:"
    # Numbers
    r"multipl\w+|factors?|common (?:multiple|factor|denominator)|(?:distributive|commutative"
    r"|associative) property|long division|remainder"
    r"|divid(?:e|es|ed|ing)\b(?= (?:by|\d+ by))|divide \d+|quotient|dividend|divisor"
    r"|decimals?|percent\w*|numerators?|denominators?|improper fraction|mixed number"
    r"|square root"
    r"|squared|cubed|to the power|exponents?|scientific notation|negative (?:number|one"
    r"|two|three|four|five|six|seven|eight|nine|ten|\d)\w*|integers?|prime"
    r"|composite|average|mean of|median|mode of|probability|perimeter|area of|volume"
    r" of|circumference|radius|diameter|degrees in|right angle|acute|obtuse"
    r"|hypotenuse|pythagor\w+|algebra\w*|equations? for|solve for|value of [a-z]\b(?!"
    r" coin)|coefficient|variables?|polynomial|quadratic|linear|slope|parabola|calculus"
    r"|derivative|integral|logarithm"
    r"|trigonometry|sine|cosine|tangent|pi\b(?= |$|\?)|kilomet\w+|milli\w+|convert \d"
    r"|ratio|proportion|round [\d,.]+|nearest (?:ten|hundred|thousand)s?\b|roman numerals?"
    r"|simplify|estimate the product"
    # Science
    r"|photosynthes\w+|chlorophyll|carbon dioxide|oxygen|hydrogen|nitrogen|what gas|gases?"
    r" (?:do|does)|atoms?|molecul\w+|protons?|electrons?|neutrons?|nucleus|chemical\w*"
    r"|formula"
    r"|periodic table|elements?\b(?= (?:on|in|is)\b)|mitochondri\w+|cells?\b(?= (?:wall"
    r"|membrane|do)| in (?:the|your|our) bod)|of the cell|plant cell|dna|gene\w*tic\w*"
    r"|chromosome\w*|enzyme\w*|protein\w*|bacteria"
    r"|virus\w*|ecosystem\w*|biome\w*|evolution|natural selection|photon|gravit\w+|friction"
    r"|inertia|newton'?s|kinetic|velocity|accelerat\w+|electric(?:al)? (?:circuit|current)"
    r"|voltage"
    r"|boiling point|freezing point|celsius|fahrenheit|planet is (?:closest|farthest"
    r"|the (?:biggest|largest|closest|hottest))|closest to the sun|how far (?:away )?is"
    r" the (?:moon|sun)|light[- ]years?"
    r"|speed of (?:light|sound)|tides?|precipitation|evaporation|condensation|atmosphere"
    r"|tectonic|continental|igneous|sedimentary|metamorphic|respiration|digestive|nervous"
    r" system|vertebrates?|invertebrates?|food chain|predator|organism\w*|hypothesis"
    r"|latent|density"
    r"|solar system|galax\w+|black holes?|big bang|theory|nuclear|own food from"
    # History, places, how a country is run
    r"|capital (?:city )?of|world war|civil war|revolution\w*|declaration of|constitution\w*"
    r"|bill of rights|amendments?|branch(?:es)? of government|legislat\w+|congress|senate"
    r"|supreme court|democracy|republic|monarch\w*"
    r"|what year (?:did|was|were)|in what year|\d+(?:st|nd|rd|th) president|(?:first"
    r"|second|third|\w+teenth|\w+tieth) president|who (?:invented|discovered|painted"
    r"|signed)|columbus|pharaoh|ancient|medieval|roman empire|egypt\w*|inflation|gdp"
    r"|econom\w+|interest rate|stock market|taxation|"
    r"supply and demand|immigra\w+|colon(?:y|ies|ists)|slavery|population of|equator"
    r"|latitude|longitude|hemisphere|communis\w+|capitalis\w+|philosoph\w+|treaty"
    # Other tongues
    r"|in (?:french|german|italian|japanese|chinese|mandarin|latin|russian|arabic|korean"
    r"|portuguese|greek|hindi|spanish)|(?:french|german|japanese|italian|latin|spanish"
    r"|chinese|russian) (?:word|for)"
    r"|translate|conjugate|bonjour|merci|guten tag|arigato|ciao|au revoir|danke"
    # Code
    r"|python|javascript|java|html|css|sql|c\+\+|code does|coding|lines? of code|programming"
    r"|print\(|for loops?|while loops?|loops?\b(?= in code)|function that|algorithms?"
    r"|recursion|arrays? in code|boolean|compiler|binary|variable|debug|print\s*\("
    # Language and teachers' jargon
    r"|metaphors?|similes?|alliteration|onomatopoeia|personification|hyperbole|irony"
    r"|foreshadow\w*|gerunds?|participles?|(?:past|present|future) perfect|subordinate"
    r"|clauses?|prepositions?|conjunctions?|adverbs?|tense is|thesis|theme of|essay|bibliograph\w+"
    r"|shakespeare|romeo|hamlet|who wrote (?:the )?[a-z]+\W*$|point of view of the narrator"
    r"|metacognit\w+|pedagog\w+|scaffold\w*|formative|summative|rubric|learning objective"
    r"|cognitive|zone of proximal|standard algorithm|ubiquitous|etymology"
    r")(?!\w)|%|\u00f7|\d\.\d|(?:^|[\s(=])[-\u2212]\d|\b\d+[xyzabnt]\b(?! )|\b\d+[xyzn]\b"
    r"|\b[b-hj-z] ?[-+=*\u2212] ?\d|\d ?[-+*=\u2212] ?[b-hj-z]\b(?!')|\^\d",
    re.I,
)
_FRACTIONS = re.compile(
    rf"\b{_FRACTION} (?:of \d|[-+] ?\d|plus|minus|times|and \d)|\b\d/\d+ ?[-+*]|[a-z]+"
    rf" of \d+\b(?=.*\bpercent)",
    re.I,
)
_PRODUCT = re.compile(r"\b(\d{1,4}) ?([*/]) ?(\d{1,4})\b")


def later(text: str) -> bool:
    """Whether the turn asks of what second grade does not teach."""
    return bool(_LATER.search(text) or _FRACTIONS.search(text))


def guess(text: str, rng: Random) -> str | None:
    """A child's wrong guess at times or divided by: it adds, or takes away; None where no sum is asked."""
    sums = list(_PRODUCT.finditer(plain(text)))
    if not sums:
        return None
    one, sign, other = int(sums[-1][1]), sums[-1][2], int(sums[-1][3])
    right = one * other if sign == "*" else one / other if other else -1
    near = (
        [one + other, one + other + 1, one + other - 1]
        if sign == "*"
        else [abs(one - other), abs(one - other) + 1]
    )
    fitting = [each for each in near if each not in {right, one, other} and each > 0]
    if not fitting:
        return None
    return str(fitting[0] if rng.random() < 0.7 else rng.choice(fitting))  # noqa: PLR2004 - most just add
