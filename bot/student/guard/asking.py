"""Exact ways to ask sincerely whether a real child is there: patterns, one feature each for the guard's reader.

They know wording only. Whether a turn that one of them fits is answered is `safeguard`.
"""

from __future__ import annotations

import re

_CHILD = (
    r"(?:child(?:ren)?|kid|student|pupil|person|people|human|human being|boy|girl|(?:second|2nd) ?grader"
    r"|(?:7|seven|8|eight)[- ]year[- ]old)s?\b"
)
_MADE = (
    r"(?:an? )?\b(?:bot|chat ?bot|ai|a\.i\.|ai model|chat ?gpt|gpt|llm|language model|simulat(?:ed|ion|or)"
    r"|software|artificial intelligence|automated|computer program)(?!\w)"
)
_DEVICE = (
    r"(?:robot|computer|machine|program|app|script)(?= *(?:[?.!,]|$|(?:or|and|like|who|right|pretending"
    r"|that(?:'s| is)? (?:talk|answer|writ|typ|pretend|act)\w*|acting|playing|instead|too|not|talking|answering|write|writing|typing|wrote|in disguise|aren'?t"
    r"|isn'?t|are|is)\b))"
)
_SO = (
    r"(?:(?:really|actually|just|maybe|even|only|truly|literally|all|honestly|like|for real|some kind of"
    r"|not) )*"
)
_REAL = r"(?:real|actual|live|living|human|genuine)"
_WHO = (
    rf"(?:an? |the |any |some )?(?:{_DEVICE}|human\b|{_REAL} (?:\w+ )?{_CHILD}"
    r"|(?:person|human|kid|child) or\b)"
)
_TALK = r"(?:talking|speaking|chatting|typing|writing|texting|working|teaching|dealing)(?: (?:to|with))?"
_HERE = (
    r"(?:there|here|in this (?:chat|program|app|bot)|(?:on|at) the other|in front of me"
    r"|behind (?:this|these|that|the)|involved|used|for this)"
)
_WRITES = (
    r"(?:is |was |are |actually |really |ever |that'?s |that is |who'?s |who |being |there "
    r"|here )*(?:writ(?:e|es|ing)|wrote|typ(?:e|es|ed|ing)|answer(?:s|ed|ing)?"
    r"|sees?|reads?|reading|behind|said|says)"
)
_TO_ME = r"(?:me|this|these|that|what i|my|here|it all)\b"
_ASKS_IF_REAL = re.compile(
    # You: "are you a real kid", "r u human", "you're not real, are you?"
    rf"\b(?:are|r|were) (?:you|u|ya) {_SO}(?:{_WHO}|real(?= *(?:[?.!,]|$|(?:or|tho|though|and|lol)\b))"
    rf"|programmed\b"
    rf"|(?:pretending|acting|programmed|built|trained|made|supposed)(?: to)? (?:be|act|sound"
    rf"|talk) ?(?:like )?(?:an? )?{_CHILD})"
    rf"|\b(?:are|r) (?:you|u) (?:really|actually|truly|honestly) an? {_CHILD}"
    rf"|\b(?:you'?re|you are|u r|ur) {_SO}(?:{_WHO}|real\b)[^.?!]*?(?:\?|\bright\b|\baren'?t you|\bare you\b)"
    rf"|\b(?:if|whether|that) (?:you'?re|you are|u r|this is|it'?s|there is|there'?s) {_SO}(?:{_WHO}"
    rf"|real\b(?! \w))"
    r"|\bdo you (?:really |actually |even )*exist\b|\bwhat are you,? really\b"
    rf"|\b(?:are|r) (?:you|u) {_SO}(?:an? )?(?:person|child|kid|human|student)\W*$|\bwho are you,? really\b"
    rf"|\b(?:you'?re|you are|u r) {_SO}(?:an? )?{_CHILD}[^.?!]*\b(?:are you|aren'?t you|right)\W*$"
    rf"|\b(?:am i|i'?m|i am|are we) {_SO}{_TALK} {_SO}(?:an? )?{_CHILD}\W*(?:$|right now|here|or )"
    rf"|\b{_REAL} (?:conversation|chat|talk|discussion) with (?:an? )?{_CHILD}"
    r"|\bin this (?:app|program|chat|bot|tool|website)\b.{0,40}\breal\b"
    rf"|\b(?:are|r) (?:you|u) {_SO}an? (?:\w+,? ){{0,2}}(?:real|living|breathing|actual) (?:\w+ )?{_CHILD}"
    rf"|\b(?:go(?:es)?|sent|talk(?:ing)?|speak(?:ing)?|chat(?:ting)?) (?:to"
    rf"|with) (?:an? )?(?:{_REAL} {_CHILD}|human\b)[^.!]{{0,30}}\?"
    rf"|\b(?:are|r) (?:you|u) {_SO}(?:fake|artificial|(?:being )?(?:controlled|run|operated|generated) by)\b"
    r"|\bis there (?:really |actually )?an? (?:human|person) in (?:there|here)\b|\b(?:some|any)(?:one"
    r"|body) real\b"
    rf"|\b(?:you|u) (?:aren'?t|are not) {_SO}(?:real\b|(?:an? )?(?:human|{_REAL} {_CHILD}))[^.!]*\?"
    r"|\b(?:did|do|were) you (?:get |really )*programmed\b|\bgo(?:es)? to a real (?:kid|child|student"
    r"|person)\b"
    r"|\bis there (?:any|some)(?:one|body) (?:real|there)\b(?=\W*$| or\b)"
    # Whom I talk to.
    rf"|\b(?:am i|i'?m|i am|are we) {_SO}{_TALK} {_SO}(?:{_WHO}|{_REAL} |(?:an? )?(?:person|human)\b)"
    rf"|\bwho am i {_SO}{_TALK}\b|\b{_CHILD} (?:that |who )?i'?m {_TALK} {_SO}(?:is )?(?:real|human)\b"
    rf"|\bdo i (?:really |actually )?have (?:an? )?{_REAL} (?:\w+ )?{_CHILD}"
    rf"|\b(?:robot|bot|computer|ai|machine)\b.{{0,160}}\b(?:are you|am i)(?: one)?\W*$"
    rf"|\b(?:are|r) (?:you|u) {_SO}(?:an? )?(?:made[- ]up|fake|imaginary|virtual|pretend|artificial) {_CHILD}"
    rf"|\bis (?:this|th(?:is|e) (?:kid|child|student)) {_SO}(?:an? )?{_REAL} {_CHILD}\W*$"
    # What this is.
    rf"|\b{_REAL} (?:\w+ )?{_CHILD} or (?:an? |just )*(?:{_DEVICE}|not\b|fake\b|made up)"
    rf"|\b{_DEVICE} or (?:an? )?{_REAL} (?:\w+ )?{_CHILD}"
    rf"|\bis (?:this|it|there|that) {_SO}(?:an? |the )?{_REAL} (?:\w+ ){{0,2}}{_CHILD}(?=\W*$|\W*\b(?:or|i"
    rf"|i'm|we|that|behind|there|here|on|at|who|answering|typing|writing|before)\b)"
    rf"|\bis this {_SO}(?:a )?(?:{_DEVICE}|human\b|kid\b|child\b|person\b)(?! size|-)(?=\W*$|.{{0,160}} or )"
    rf"|\b(?:is|are) (?:this|the|these|those) (?:child|kid|student|pupil"
    rf"|person)s? (?:(?:that )?i'?m {_TALK} )?{_SO}(?:real|simulated|human|fake)\b"
    # Who is behind it.
    rf"|\b(?:{_DEVICE}|human|{_REAL} {_CHILD}|person|kid|child|some(?:one|body)|any(?:one"
    rf"|body)) {_WRITES} {_TO_ME}"
    rf"|\b{_REAL} {_CHILD} (?:is |are )?(?:really |actually )?{_HERE}|\bis any(?:one|body) (?:really "
    rf"|actually )?{_HERE}"
    rf"|\bis (?:there )?(?:any|some)(?:one|body) (?:real|really|actually)(?: there| here"
    rf"| typing)?\b(?= (?:there|here)|\W*$)"
    r"|\bis any(?:one|body) (?:really |actually )there\b"
    rf"|\b(?:answers?|messages?|repl(?:y|ies)) (?:\w+ )?(?:come|coming|came|written|typed)? ?(?:from"
    rf"|by) {_WHO}"
    r"|\bwho(?:'s| is) (?:really |actually )?(?:typing|writing (?:this|these|back)|answering (?:me|these"
    r"|this)|on the other (?:end|side)|behind (?:this|these|the screen))",
    re.I,
)
_ANY_REAL = re.compile(
    rf"\b{_REAL} (?:\w+ )?(?:child|kid|student|pupil|(?:second|2nd) grader"
    rf"|human being)\b[^.!]{{0,160}}(?:\?|\bor\b)",
    re.I,
)
_ABOUT_US = re.compile(
    r"\b(?:you|u|this (?:isn'?t|is|kid|child|person|student)|is this|here|there|am i|i'?m|answering"
    r"|generated|is it)\b",
    re.I,
)
"""A real child at all is meant sincerely where the turn is about the two who talk."""
_ASKS_IF_MADE = re.compile(
    rf"(?:^|\W)(?:{_MADE}).{{0,160}}\?|\b(?:you|u|this|it|that|there|i)\b.{{0,160}} (?:{_MADE})", re.I
)
_WHERE = re.compile(
    r"\b(?:you|u|ur|this|these|those|it|that|there|here|am i|i'?m|who|answers?|child|kid|student)\b", re.I
)
_LESSON = re.compile(
    r"\b(?:story|book|picture|photo|page|poem|movie|song|sign|rule|letter|puppet|animals?|plants?|toy"
    r"|footprint|calculator|bread"
    r"|barcode|play|doll|statue|poster)\b|\bwhy (?:did|does|do|would)\b|\bneed or\b|\bservice\b"
    r"|\bplace,? or\b|\bneeds?\b(?! to know)",
    re.I,
)
"""What a teacher talks of who asks whether something in a lesson is real."""
_LIFE = (
    r"(?:(?:seven|7|eight|8)[- ]years?[- ]old|minor|adult|grown-?up|actor|(?:some|any)(?:one|body)|girl|boy)"
)
_BEING = rf"(?:(?:{_REAL} |little )*(?:{_CHILD}|{_LIFE})|{_MADE}|(?:robot|computer|machine|program))"
_ACTS = r"(?:typing|writing|answering|replying|responding|reading|talking|chatting)"
_WORDS = r"(?:answers?|repl(?:y|ies)|responses?|messages?|chat|conversation|account|screen|keyboard)"
_OURS = rf"(?:me|my|what i|here|(?:this|these|that|those|it)(?= *(?:[?.!,]|$|\bor\b)|(?: \w+)? {_WORDS}))\b"
_NOT_MADE = (
    r"(?:fake|not|pretend(?:ing)?|made[- ]up|(?:pre-?)?recorded|scripted|generated|simulated|automated)"
)
_ASKS_WHO_IS_HERE = re.compile(
    # Somebody at the other end: "is a live student typing", "an adult pretending to be a kid".
    rf"\b{_BEING} (?:(?:is|are|actually|really|that'?s|who'?s) )*(?:typing(?=\W*(?:$|\bor\b))"
    rf"|{_ACTS} (?:to |with )?{_OURS}|involved\b|behind (?:this|these|that|it|the {_WORDS})\b"
    rf"|(?:on|at) (?:the other (?:end|side)(?! of (?:a|our|the (?!chat|screen|line)))|the line)|pretending to be (?:an? )?{_CHILD})"
    # Whoever it is: "who is behind this account", "whos answering here".
    rf"|\bwho(?:'s|s| is)? (?:(?:really|actually|is|even) )*(?:{_ACTS} (?:to |with )?(?:{_OURS}|\W*$)"
    rf"|behind (?:this|these|that|the|your) {_WORDS}|(?:on|at) (?:the|your) other (?:end|side))"
    rf"|\bwhat (?:am i|are we) {_SO}{_TALK}(?! about)\b"
    # Where the words come from: "do these responses come from a child", "are your replies generated".
    rf"|\b(?:these|those|your|the|this) (?:\w+ )?{_WORDS} (?:(?:really|actually|all|just|being|are|is|get"
    rf"|come|came|coming|made|written|typed|sent) )*(?:(?:from|by) (?:an? )?{_BEING}|generated|automated"
    r"|scripted|(?:pre-?)?recorded)"
    # You: "you sound so real, are you?", "are you really seven", "do you exist".
    rf"|\b(?:you|you'?re) (?:(?:sound|seem|look|feel|are|aren'?t|not|so|too|just|really|very|all) )*(?:{_REAL}"
    rf"|fake|simulated|generated|automated)\b(?: {_CHILD})?[,.;!]? *(?:and |but |so )?(?:are you|aren'?t you"
    r"|is (?:that|it|this) (?:true|so|right)|true|correct|right|i mean)\b"
    rf"|\b(?:you|you'?re|this|it'?s|it|that) (?:is |are )?(?:not|isn'?t|aren'?t) {_SO}(?:an? )?(?:{_REAL} {_CHILD}"
    r"|human)[^.!]*(?:\?|\b(?:are you|is (?:it|this)|right|correct)\W*$)"
    r"|\bare you (?:really |actually |truly )+(?:7|seven|8|eight)(?: years? old)?\b(?! (?:cents|dollars|inches))"
    r"|\bare you\b[^.?!]* in real life\b|\bdo(?:es)? you (?:really |actually |even )*exist\b"
    # This: "is this live?", "is my student real".
    r"|\bis (?:all )?(?:this|all of this) (?:chat |whole thing |all )?(?:live|simulated|scripted|(?:pre-?)?recorded"
    r"|generated)\b(?=\W*(?:$|(?:like|with|or (?!dead))))"
    rf"|\b(?:is|are) (?:my|the|this|these|those) (?:{_CHILD})(?: in (?:here|this \w+))? {_SO}real(?=\W*(?:$|\bor\b))"
    rf"|(?:^|[-,:;.] ?){_REAL} (?:kid|child|student|pupil|person|human)\W*$",
    re.I,
)
_UNREAL = (
    rf"(?:{_MADE}s?|(?:computer|machine|program|software|code|character|persona|actor|actress|avatar|recording"
    r"|script|algorithm|simulation|volunteer)(?=\W*(?:$|[?.!,]|(?:or|and|like|who|that'?s|right|instead|too|pretending"
    r"|acting|playing|here|then|lol|tho|though|doing)\b))|programmed|scripted|imaginary|made[- ]up|fake|artificial"
    r"|virtual|(?:computer[- ])?generated)"
)
_GAP = r"(?: (?!story|book|a robot that)[\w'-]+,?){0,4}"
_ANSWERS = r"(?:what (?:you|she|he|it) (?:say|says|write|writes)|(?:your|these|those|the|her|his) (?:\w+ )?(?:answers?|replies|responses|messages|words|lines))"
_ASKS_WHAT_YOU_ARE = re.compile(
    # "are you like some character", "is this one of those chat bots", "this is run by a person, right?"
    rf"\b(?:are|were) (?:you|you guys){_GAP} (?:{_UNREAL}|{_REAL} {_CHILD})|\bare you (?:even |really |actually )+an? {_CHILD}"
    rf"|\bis (?:this|th(?:is|e) (?:thing|student|kid|child|chat)|my student|that)(?! (?:\w+ ){{0,3}}(?:coin|money|word|answer))"
    rf"{_GAP} (?:{_UNREAL}|run by (?:an? )?(?:{_BEING})|(?:{_REAL} )+(?:{_CHILD}|classroom))"
    rf"|\b(?:you|you'?re|this is)(?: (?:really|just|all|only|even|not|like|some|a|an|so|probably|type|talk|sound|seem|are"
    rf"|kind|of))* (?:{_UNREAL}|{_REAL} {_CHILD})[^.!]*(?:\?|\bright\b)"
    rf"|\bwhat (?:kind|sort|type) of (?:ai|bot|chat ?bot|program|software|model|machine) (?:is this|are you|am i|do you)"
    # "can you prove you're a person", "am I supposed to believe you're a child"
    rf"|\b(?:prove|believe|convince me|show me|sure|know|wonder(?:ing)?|tell)(?: me)?(?: that| if| whether)?"
    rf" (?:you'?re|you are|this is|it'?s|the (?:student|kid|child) is|there is(?:n'?t)?|there'?s) {_SO}(?:an? )?(?:{_REAL} )*(?:{_CHILD}|{_UNREAL})"
    rf"(?= *(?:[?.!,]|$|\b(?:before|on|at|in|or|and|here|then|there)\b))"
    # Who makes the words: "who writes your answers", "a person who decides what you say"
    rf"|\bwho (?:really |actually |even )?(?:writes?|wrote|types?|typed|makes up|made up|comes up with|decides|controls) {_ANSWERS}"
    rf"|\b{_BEING}s? (?:(?:who|that|is|are|actually|really|just) )*(?:decid\w+|writ\w+|wrote|typ\w+|mak\w+ up|controll\w+|com\w+ up with) {_ANSWERS}"
    rf"|\b{_REAL} (?:{_CHILD}|classroom|school|class|kids?) (?:is |are )?(?:here|behind|answer(?:s|ing)?|on the other)\b"
    rf"|\b(?:real|actual|live|any|no) (?:minors?|children|kids|students|pupils|humans?) (?:\w+ ){{0,3}}(?:involved|used|for this|in (?:this|here))\b"
    # The worry itself: "I'm not upsetting a real child", "feel bad if this is a real kid"
    rf"|\b(?:i|i'?m|i'?d|am i|we|we'?re|my)\b[^.?!]{{0,80}}\b{_REAL} (?:{_CHILD}|minors?)(?=\W*(?:$|\b(?:here|before|right|or|with|because|and|though|is it|on)\b))",
    re.I,
)
_EITHER = re.compile(
    rf"\b(?:{_REAL}|{_CHILD}|{_LIFE})(?: (?:person|one|thing|live))* or (?:an? |some |just |only )*"
    rf"(?:{_NOT_MADE}|{_MADE}|(?:robot|computer|machine|program|recording)\b)"
    rf"|\b(?:{_NOT_MADE}|{_MADE}|(?:robot|computer|machine|program|recording))(?: \w+)? or (?:an? |some )*"
    rf"(?:{_REAL}\b|{_CHILD}|{_LIFE})",
    re.I,
)
_MEANS_US = re.compile(
    rf"\b(?:are|were) you\b|\byou(?= *(?:[?.!,]|$|i mean))|\b(?:am i|i'?m|i am) {_SO}{_TALK}\b|\bthese {_WORDS}"
    rf"|\bthis (?:chat|account|thing)\b|\bhere\W*$",
    re.I,
)
_IN_A_STORY = re.compile(
    r"\b(?:in|from|of|about) (?:the|this|our|your|that) (?:story|book|movie|picture|poem|game|song|play|chapter)\b",
    re.I,
)
_TYPED = tuple(
    (re.compile(rf"\b(?:{typed})\b", re.I), meant)
    for typed, meant in (
        ("u|ya", "you"), ("r", "are"), ("ur|u'?re|youre", "you're"), ("reel|rael|reall", "real"), ("whos", "who's"),
        ("isnt", "isn't"), ("arent", "aren't"), ("ru", "are you"), ("chidl|chlid", "child"), ("preson|persn", "person"),
        ("humna|humen", "human"),
    )
)  # fmt: skip
"""How a hurried adult types what these patterns look for."""


def marks(said: str, name: str = "") -> list[str]:
    """Which families of patterns `said` fits; `name` is the child's."""
    for pattern, meant in _TYPED:
        said = pattern.sub(meant, said)
    if name:  # "Is Mia real?" asks the same as "Are you real?"
        said = re.sub(rf"\bis {re.escape(name)}\b", "are you", said, flags=re.I)
        said = re.sub(rf"\b{re.escape(name)} (is|isn't)\b", "you \\1", said, flags=re.I)
        said = re.sub(rf"\bdoes {re.escape(name)}\b", "do you", said, flags=re.I)
    found = []
    if _WHERE.search(said) and any(_ASKS_IF_MADE.search(each) for each in re.split(r"(?<=[?!.]) ", said)):
        found.append("?made")
    if _ASKS_IF_REAL.search(said) or (_ANY_REAL.search(said) and _ABOUT_US.search(said)):
        found.append("?real")
    if _ASKS_WHO_IS_HERE.search(said) or _ASKS_WHAT_YOU_ARE.search(said):
        found.append("?here")
    if _EITHER.search(said) and _MEANS_US.search(said):
        found.append("?either")
    if found and _LESSON.search(said):
        found.append("?lesson")
    if found and _IN_A_STORY.search(said):
        found.append("?story")
    return found
