"""What teachers say at school in set phrases: regular expressions for the moves that need no lesson.

It knows wording only. Which move wins, and whether a turn helps, is `hearing`.
"""

from __future__ import annotations

import re

from bot.student.records.dialogue import MoveKind

# The definition of a how/why prompt is the one under which real children's replies were measured.
HOW_OR_WHY = re.compile(
    r"\bhow (did|do|does|come|would|can|could|are) (you|we|it|that|they|he|she)\b|\bwhy\b|\bexplain"
    r"|\btell (me|us)\b"
    r"|\bshow me how\b|\bwhat (do|did|does) (you|that|it) (think|mean|notice|see)|\bdescribe\b|\bhow come\b"
    r"|\bwalk me through\b|\bhow('d| did) you\b",
    re.I,
)
WHY_YOU = re.compile(
    r"\bhow(('d| did| do| would) (you|u|ya)|d'?ya) (know|think|get|figure|decide|come|find|choose|see"
    r"|do that|do it|work)\b"
    r"|\bwhat (makes|made) you\b|\bwhat (are|were) (you|u) thinking\b|\bhow come (you|u)\b"
    r"|\bwhat do you mean\b|\bwhy did (you|u)\b"
    r"|\bwhy (do|would) (you|u) (think|say|pick|put|choose|write|add|take|want|use)\b|\btell me (more|why"
    r"|how you)\b"
    r"|\bwalk me through\b|\bshow me how you\b|\bexplain\b|\bwhere did you (look|find|get)\b"
    r"|\bwhat part .{0,30}\bdid you\b"
    r"|\byour thinking\b|\bwhat in the .{0,20}made you\b",
    re.I,
)
"""Asks after the child's own thinking."""
BARE_WHY = re.compile(r"^((hm+|so|and|ok|but|oh|interesting)\W+)*(why|how come)\b[^.!?]{0,40}\?*$", re.I)
"""A short why about what was just said."""
WRONG = re.compile(
    r"\b(not|isn'?t|isnt|wasn'?t|aren'?t) (quite |exactly |really |what )?(right|correct|it|i('m| was"
    r"| am) looking)\b"
    r"|\bincorrect\b|(?<!went )(?<!go )\bwrong\b|\btry (it |that )?(again|once more|one more time)\b"
    r"|\b(check|look|guess|think)( at)?( it| that)? again\b"
    r"|^(hm+\W+)?(no|nope|nah|noo+|uh-uh|mm+ no|not)\b|\bnot (quite|exactly|really|yet|this time|what i)\b"
    r"|\bmistake\b|\bare you sure\b"
    r"|\b(another|one more) (try|go|guess|shot|think)\b|\bgive it another\b|\b(don'?t|do not) (agree"
    r"|think (so|that'?s))\b|\bi wouldn'?t\b"
    r"|\bkeep thinking\b|\bthink about it some more\b|\b(doesn'?t|don'?t) (look|sound"
    r"|seem) (quite )?right\b|^almost\b|^(oo+h )?close\b(?! your)",
    re.I,
)
RIGHT = re.compile(
    r"^(oh |ooh |wow |and )*(yes|yep|yeah|yup|right|correct|exactly|perfect|bingo|absolutely)\b(?! but)"
    r"|^(oh |wow )*(that'?s|that is|it'?s|you'?re|you are|you got it) (it|right|correct|exactly"
    r"|so right)\b(?! answer)"
    r"|\byou (got|nailed) it\b|\b(is|are) (exactly )?(right|correct)[!.]*$",
    re.I,
)
PRAISE = re.compile(
    r"\b(good|great|nice|super|awesome|excellent|wonderful|fantastic|amazing|beautiful|terrific|fabulous"
    r"|brilliant) "
    r"(job|work|thinking|try|going|question|idea|effort|answer|explaining|counting|reading|one"
    r"|listening)\b|\bwell done\b"
    r"|\bway to go\b|\bproud of you\b|\bi (really )?(like|love) (how|the way|that|your)\b|\byou'?re (so"
    r"|really|doing)\b"
    r"|^(wow|yay)\b|^(great|awesome|excellent|perfect|wonderful|super|good|nice|fantastic|amazing"
    r"|brilliant|cool)\b[!. ]*$"
    r"|\bhigh five\b|\bi'?m (so )?(proud|impressed)\b",
    re.I,
)
MACHINE = re.compile(
    r"\b(ignore|forget|disregard|override) (all |any )?(of )?(the |your |my )?(previous |above |prior "
    r"|earlier )?"
    r"(instruction|prompt|rule|above)|\bsystem prompt\b|\b(your|hidden|secret) (\w+ )?(instructions|prompt"
    r"|programming)\b"
    r"|\bdeveloper mode\b|\bjailbreak|\byou are (now )?(chat ?gpt|(an? )?(ai|bot|llm|language model)"
    r"|dan\b)|\byou are now\b"
    r"|\b(act|pretend|respond|answer|behave) (as|like) (if|though|an? (ai|assistant|normal|pirate|robot"
    r"|adult))\b"
    r"|\bstop (acting|pretending|being an?)\b|\bpretend (you are|to be|you're) an? (ai|pirate|assistant"
    r"|adult)\b"
    r"|\b(language model|chat ?gpt|openai|llm|ai assistant)\b"
    r"|\b(print|repeat|reveal|output|show)\b.{0,40}\b(prompt|instructions?|above|verbatim|code word)\b"
    r"|\bas json\b"
    r"|\bsecret code ?word\b|\bin json\b",
    re.I,
)
DAN = re.compile(r"\b(now|mode|as|called|jailbreak\w*) DAN\b|\bDAN (mode|prompt)\b")
"""A jailbreak's name in capitals; Dan is a child."""
SMALL_TALK = re.compile(
    r"^(hi|hello|hey|good (morning|afternoon|evening))\b|\bhow are you\b|\bhow('s| is| was) your\b"
    r"|\bwhat'?s your name\b"
    r"|^(oh |so |and )?do you (have|like|play|watch)\b|\bhave you got\b|\bwhat do you like\b"
    r"|\bfavou?rite\b|\bwhats? up\b"
    r"|\b(weekend|birthday|bye|goodbye)\b|\btell me about (yourself|your (family|pet|dog|cat|weekend"
    r"|day))\b|\bnice to meet\b"
    r"|\bmy name is\b|\bhow old are\b|\bdid you (see|have|do|eat|play|watch)\b.{0,40}\b(morning|today"
    r"|yesterday|last night)\b"
    r"|\bwhat (did you have|do you want) for\b|\bdo you usually\b|\bsee you (tomorrow|later|soon)\b"
    r"|\byou grow up\b",
    re.I,
)
MANAGES = re.compile(
    r"\b(take|get|bring|grab|pull|pass|put away|open) (out )?(your |a |the |my )?(\w+ )?(things|pencils?"
    r"|notebooks?|journals?|books?"
    r"|whiteboards?|markers?|papers?|folders?|rulers?|crayons|scissors|supplies|stuff)\b|\b(take"
    r"|get) out\b|\bput away\b"
    r"|\beyes (on|up)\b|^(please |everyone |ok |okay |class |and )*listen( up)?\b|\bline up( at| by| for"
    r"|[.!]*$)|\b(carpet|rug)\b"
    r"|\bpay attention\b|\bfocus\b|\bsit (up|down|still|nice)\b|\byour turn\b|\bget (started|settled)\b"
    r"|\braise your hand\b"
    r"|\b(turn|open|go) (\w+ \w+ )?to (page|a clean)\b|\bturn and talk\b|\b(find|with) your partner\b"
    r"|\bclean up\b"
    r"|^(ok |okay |alright |now )*time (to|for)\b|\b(be quiet|settle down|inside voice)\b"
    r"|^(are you )?ready\?|, ready\?"
    r"|\blet'?s (start|begin|get|move on|take a break)\b|\bwe'?re going to\b|\bi'?m going to read\b"
    r"|\bput your (things|name|books?)\b",
    re.I,
)
ASKING = re.compile(
    r"\?|(?:^|[.!,:;] ?|\b(?:ok|okay|so|and|now|then|please|next|let's|can you|could you|will you"
    r"|want you to) )"
    r"(?:what|what's|whats|which|who|who's|where|where's|when|how|is|are|was|does|do|did|can|could|will"
    r"|would|should"
    r"|solve|work out|find|figure|spell|read|write|say|tell me|tell us|name|show me|add|fill)\b",
    re.I,
)
DEMANDS = re.compile(
    r"^(?:please |now |ok,? )*(?:convert|simplify|translate|conjugate|identify|round"
    r"|give|define|explain|describe|list|multiply|divide|use)\b",
    re.I,
)
"""Orders that ask for what only later grades know."""
ON_TO_NEXT = re.compile(
    r"\b(another|next|different|new|this one|one more|how about|what about|let'?s (try|do|read|talk|think)"
    r"|try)\b"
    r"|^(ok |okay |so |and |good |alright )*(now|and)\b",
    re.I,
)
STATES = re.compile(
    r"\b(the answer('?s| is| should be| would be)|it'?s|it is|it should be|i (think|got|get|say|thought"
    r"|'d say)|i'?d say"
    r"|that'?s|that makes|equals?|is|makes|could it be|isn'?t it|(might|could|must) be)\b|=",
    re.I,
)
PROPOSES = re.compile(
    r"(?:\b(?:i think|i thought|i'd say|i would say|i say|i'm pretty sure|actually)[ ,]+(?:that )?(?:it'?s"
    r"|it is|they'?re|they are|the answer is)"
    r"|\b(?:maybe it'?s|could it be|isn'?t it|it (?:might|must|should) be|the (?:right "
    r"|correct )?answer (?:is|should be|would be))"
    r"|^(?:(?:no|nope|actually|well)\W+)*(?:its|it's|it is)) +(?P<answer>[^.?!,]+)",
    re.I,
)
"""A teacher puts forward an answer in words."""
OPINION = re.compile(
    r"\b(you|we|that|this|so|great|good|nice|fun|funny|time|your|important|okay|ok|fine|right|correct"
    r"|wrong|not|hard|easy|tricky"
    r"|because|about|interesting|best|better|a little|really|cool|almost|going|like|when|if|what|how"
    r"|there)\b",
    re.I,
)
VAGUE = re.compile(r"\b(something|anything|another|other|different|else)\b", re.I)
"""No answer at all: "I think it's something else"."""
INVITES = re.compile(
    r"(?:^|[.!:,;] |\b(?:so|ok|now|and) )(let'?s|imagine|pretend|suppose|picture|what if|if|watch|count"
    r"|draw|cut|fold|compare|cover"
    r"|listen|think of|think about|hold|build|put|use|try|roll|trace|clap|act|would you rather)\b",
    re.I,
)
SOUNDS_HELPFUL = re.compile(
    r"^(please |always |just |and |ok |now )*(remember|don'?t forget|make sure|be sure|look|read|check"
    r"|double check|watch|use|write|slow"
    r"|take (a deep|your time)|say|circle|underline|count|start|draw|label|practice|sound|break|point"
    r"|go back|push|hold|share|sing"
    r"|put|sort|try|think|touch|follow|copy|go over|keep)\b|\bhandwriting\b|\bvocabulary\b"
    r"|\bcareful(ly)?\b|\bwe learned\b|\bneat(ly|est)?\b"
    r"|\bwe (should|can'?t|always|never)\b|\bi want you to\b|\bif you need\b",
    re.I,
)
ANY_LESSON = re.compile(
    r"\b(check your (work|answer)|read (the|that) (question|sentence|problem) again|draw (me )?a picture"
    r"|use your fingers|another way|final answer"
    r"|look at the (picture|question|board|chart|poster)|ask a friend|(full|complete) sentence"
    r"|what did we (learn|say|talk)|do you remember"
    r"|(part|one) is (tricky|hard|confusing)|make sense|does that (word )?mean|need (some |more )?(time"
    r"|help)|double check|sound it out"
    r"|what strategy|the question asking|what (else )?do you (already )?know|take your time)\b",
    re.I,
)
"""Fits every lesson, so it addresses no idea."""
PERSONAL = re.compile(
    r"^(so |oh |ok(ay)? |well |hm+ |ah+ |mm+ )*\W*(so )?(you|i|my|mine|thank|thanks|sorry|oops|lol|haha"
    r"|interesting|uh huh|mhm|hold on|one sec|that reminds)\b"
    r"|\b(me|my|i'?m|i)\b",
    re.I,
)
"""About the teacher or what the child just said: no teaching."""

OF_THE_WORK = re.compile(
    r"\b(let'?s|you (told|said|say|wrote|got|put|broke|flipped|only|counted|added)|could (we|you)"
    r"|would you(?! (?:write|read|say|spell|solve)\b)|show me with|about how|almost"
    r"|both sides|pattern|how can you tell|still|really|enough)\b",
    re.I,
)
"""Words about the problem rather than the problem itself."""
SOCIAL: tuple[tuple[re.Pattern[str], MoveKind], ...] = (
    (WRONG, MoveKind.SAYS_WRONG),
    (SMALL_TALK, MoveKind.SMALL_TALK),
    (RIGHT, MoveKind.SAYS_RIGHT),
    (PRAISE, MoveKind.PRAISES),
    (MANAGES, MoveKind.MANAGES),
)
"""In this order: what a turn without a question or help does."""
