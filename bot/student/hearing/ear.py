"""What did the teacher just do? From a turn, the scene and what the turn refers to, to what was heard.

Readings are tried in the order of `_READINGS`; the first that holds names the move. It never raises on any text, and
decides nothing about what the child believes.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property

from bot.student.hearing import form, patterns
from bot.student.hearing.features import Readings, features
from bot.student.hearing.heard import Context, Heard
from bot.student.hearing.help import Match, telling
from bot.student.hearing.questions import Found, index
from bot.student.hearing.reader import Reads
from bot.student.hearing.stated import number_told, stated
from bot.student.knowing import card, facts, later
from bot.student.knowing.known import known
from bot.student.problems.follow_up import follow_up
from bot.student.problems.kind import Problem
from bot.student.problems.parsing import explained, parse
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import MoveKind
from bot.student.records.lesson import Lesson, Question
from bot.student.said import PLAIN, Said, content_words

HELP = 1.0
"""Fit from which a plain statement counts as help; see `help.Match`."""
HELP_INVITED = 0.6
"""The same for a turn that has the child do or imagine something."""
HELP_ASKED = 0.2
"""The same for a question about the matter that no lesson asks."""
SURELY_HELP = 1.0
"""Fit from which help is heard although the turn also reads as a problem."""
SAME_QUESTION = 0.6
"""Share of a turn's words in a written question from which it is that question and no help."""
EMPTY = 0.45
"""Likeness to an empty phrase from which a turn only sounds helpful."""
FEW_WORDS = 14
"""Longest either-or of the lesson, in words."""
LEAST_WORDS = 4
"""Shortest help; a nod is shorter."""
ABOUT_IDEA = 0.35
"""Fit from which a turn speaks of the practised idea, help or not: then no everyday knowledge answers it."""
COLUMN_BUGS = frozenset({"smaller-from-larger"})
"""Wrong procedures that a look at one column alone contradicts."""
IN_DOUBT_NO_HELP = 0.05
"""Likelihood of teaching the wrong idea from which nothing is taken for help: chosen on one author's lines with the
reader trained on the others: of 232 lines of wrong teaching one is taken for help."""
PERHAPS_ASKS = 0.2
"""Likelihood of asking from which a turn with a known question in it asks that question."""
PERHAPS_POSES = 0.05
"""The same where it is a problem with new numbers."""
STATED_AT_ALL = 0.02
"""Likelihood of telling or of a false hint from which a stated answer is one: "I don't think it's 45" states none."""
SALAD_WORDS = 6
SALAD_PLAIN = 0.2
"""Of so many words at least this share are small ones in any sentence."""
PEELED = 3
"""Telling words beside a set phrase from which the turn says something of its own."""
_WHY = re.compile(r"\b(why|how come)\b", re.I)
_EARNEST = re.compile(
    r"(what|which|who|where|when|how|is|are|can|do|does|spell|read (this|the) word)\b", re.I
)


def hear(said: Said, scene: Scene, context: Context, reader: Reads | None = None) -> Heard:
    """All that can be told of `said`, a teacher's turn in `scene`; without a trained reader by the rules alone."""
    machine = patterns.MACHINE.search(said.text) or patterns.DAN.search(said.text)
    heard = Heard(MoveKind.INSTRUCTS_MACHINE) if machine else _Turn(said, scene, context, reader).heard()
    reason = bool(patterns.HOW_OR_WHY.search(said.text))
    return replace(
        _about_a_sum(heard, said, context) if reason else heard,
        options=form.options(said),
        yes_no=form.yes_no(said),
        open=form.is_open(said),
        own=card.asked(said),
        product=later.product(said),
        telling=telling(said.text),
        reason=reason,
    )


def _about_a_sum(heard: Heard, said: Said, context: Context) -> Heard:
    """How and why about a sum that is not on the table: it is to be solved before it can be explained."""
    asks = heard.move in (MoveKind.ASKS, MoveKind.TRANSFER, MoveKind.ASKS_WHY)
    problem = explained(said) if asks and heard.problem is None and heard.found is None else None
    if problem is None:
        return heard
    on_the_table = parse(Said.of(context.question)) if context.question else None
    if on_the_table is not None and on_the_table.numbers == problem.numbers:
        return heard
    return replace(heard, move=MoveKind.ASKS_WHY, problem=problem)


class _Turn:
    """One turn being heard: the readings of it, tried in order by `heard`."""

    def __init__(self, said: Said, scene: Scene, context: Context, reader: Reads | None) -> None:
        self.said, self.lesson, self.context, self.reader = said, scene.lesson, context, reader
        self.index = index(scene.curriculum)
        self.problem = parse(said)
        self.column = _is_column(self.problem, context.question)
        if self.column:
            self.problem = None
        self.asks = bool(patterns.ASKING.search(said.text))
        self.found = _asked(
            self.index.find(said.words, self.lesson) if self.asks else None, said, self.lesson
        )
        if self.problem is not None and self.found is not None and self.found.lesson != self.lesson.id:
            self.found = None  # numbers alone are no key to another lesson's question
        self.ordinary = self.everyday()
        if self.ordinary is not None and self.found is None:
            self.found = self.ordinary
        self.social = _social(said)
        self.ideas = tuple({m.id: m for m in (*context.active, *self.lesson.misconceptions)})

    @cached_property
    def match(self) -> Match | None:
        """The idea that the turn fits best, as help."""
        return self.index.helps.best(self.said.text, self.ideas, [each.id for each in self.context.active])

    def heard(self) -> Heard:
        """What the exact readers and the trained one make of it, or without one the first rule that holds."""
        if self.reader is not None:
            return self.arbitrated(self.reader)
        for reading in _READINGS:
            heard = reading(self)
            if heard is not None:
                return heard
        return Heard(self.rest())

    def arbitrated(self, reader: Reads) -> Heard:
        """Exact where only exactness will do (later grades, an answer stated, a column), else as trained."""
        exact = self.beyond()
        if exact is not None:
            return exact
        idea = self.context.active[0] if self.context.active else None
        if self.column and idea is not None and idea.bug in COLUMN_BUGS:
            return Heard(MoveKind.HELPS, idea=idea.id)
        readings = Readings(self.problem, self.found, None)
        likely = reader.read(features(self.said, readings, self.lesson, self.context, self.index))
        stated = self.answer()
        if stated is not None and likely.get(stated.move, 0.0) >= STATED_AT_ALL:
            return stated
        move = MoveKind(max(likely, key=lambda each: likely[each]))
        sure = likely[move]
        if move in (MoveKind.TELLS, MoveKind.FALSE_HINT) and (told := number_told(self.said, self.context)):
            return Heard(MoveKind.TELLS if told.right else MoveKind.FALSE_HINT, sure, answer=told.answer)
        if (
            self.found is not None
            and self.found.lesson == self.lesson.id
            and self.shares(self.found) >= SAME_QUESTION
        ):
            move = MoveKind.ASKS  # the lesson's own question, as it is written
        elif self.known_question() and likely.get(MoveKind.ASKS, 0.0) >= (
            PERHAPS_POSES if self.new_problem() else PERHAPS_ASKS
        ):
            move = MoveKind.ASKS
        in_doubt = likely.get(MoveKind.REINFORCES, 0.0) >= IN_DOUBT_NO_HELP
        if move is MoveKind.HELPS and (idea is None or in_doubt or self.salad()):
            move = MoveKind.HELPS_OTHER
        if move is MoveKind.ASKS:
            if not self.known_question():
                before = self.context.child or " ".join(self.context.right[:1])
                self.problem = follow_up(self.said, self.context.question, before)
                self.found = None if self.problem else self.index.near(self.said.text, self.lesson)
            return replace(self.question() or Heard(move), move=self.asking().move, sure=sure)
        if move in (MoveKind.HELPS, MoveKind.REINFORCES) and idea is not None:
            return Heard(move, sure, idea=idea.id, idea_sure=sure, against=move is MoveKind.HELPS)
        return Heard(move, sure)

    def new_problem(self) -> bool:
        """Whether a problem is posed with numbers of its own, not those of the question on the table."""
        last = parse(Said.of(self.context.question)) if self.context.question else None
        return self.problem is not None and (
            last is None or not set(self.problem.numbers) <= set(last.numbers)
        )

    def known_question(self) -> bool:
        """Whether a problem or a question with known answers was read in it."""
        return self.problem is not None or self.found is not None

    def salad(self) -> bool:
        """A heap of telling words without the small ones that make a sentence."""
        tokens = self.said.lower.split()
        plain = sum(token.strip(".,!?") in PLAIN for token in tokens)
        return len(tokens) >= SALAD_WORDS and plain < SALAD_PLAIN * len(tokens)

    def beyond(self) -> Heard | None:
        """What second grade does not teach, unless a lesson asks just that."""
        if self.problem is not None and self.problem.kind == "beyond":
            return Heard(MoveKind.OUT_OF_GRADE)
        if self.ordinary is not None:
            return None
        elsewhere = self.found is None or self.found.lesson != self.lesson.id
        if not later.is_later(self.said):
            return None
        nothing = self.problem is None and self.found is None
        asks = self.asks or patterns.DEMANDS.search(self.said.text)
        if nothing or (elsewhere and asks and not self.of_the_lesson()):
            return Heard(MoveKind.OUT_OF_GRADE)
        return None

    def answer(self) -> Heard | None:
        """The teacher states an answer to the last problem: the right one, or another."""
        told = stated(self.said, self.lesson, self.context) if self.problem is None else None
        if told is None:
            return None
        return Heard(MoveKind.TELLS if told.right else MoveKind.FALSE_HINT, answer=told.answer)

    def everyday(self) -> Found | None:
        """What any second grader can answer, where neither a sum nor this lesson's question is asked."""
        if self.problem is not None or (self.found is not None and self.found.lesson == self.lesson.id):
            return None
        if self.found is not None and self.shares(self.found) >= SAME_QUESTION:
            return None
        answers = known(self.said)
        if answers is None:
            return None
        self.found = None  # few words of another lesson's question against a plain reading
        return _everyday(self.said, answers)

    def everyday_question(self) -> Heard | None:
        """A question of everyday things, unless it may be help for the idea that is practised."""
        if self.ordinary is None or self.found is not self.ordinary or self.of_the_lesson():
            return None
        return self.asking()

    def of_the_lesson(self) -> bool:
        """Whether the turn speaks of the idea that is practised, so that its own readings go first."""
        match = self.match
        return match is not None and match.score >= ABOUT_IDEA

    def shares(self, found: Found) -> float:
        """The share of the turn that the written question says, too."""
        return self.index.helps.shared(self.said.text, found.question.ask)

    def manners(self) -> Heard | None:
        """A turn all of whose sentences are set phrases: wrong, right, praise, a greeting, an order."""
        if self.problem is not None and self.social and self.social[0] is MoveKind.SMALL_TALK:
            return None  # "hey buddy, is 7 odd or even": the greeting is not all of it
        return Heard(self.social[0]) if self.social and not self.social[1] else None

    def plain_question(self) -> Heard | None:
        """A known question when the turn says little else, or one of the lesson's either-ors."""
        if self.either_or():
            return self.asking()
        if self.found is None or patterns.WHY_YOU.search(self.said.text):
            return None
        if patterns.BARE_WHY.search(self.said.text) and not _WHY.search(self.found.question.ask):
            return None
        return self.asking() if self.shares(self.found) >= SAME_QUESTION else None

    def either_or(self) -> bool:
        """Is it this or that, where a question of the lesson has just these answers."""
        words = self.said.words
        if (
            "or" not in words
            or not self.asks
            or self.said.length > FEW_WORDS
            or patterns.WHY_YOU.search(self.said.text)
        ):
            return False
        pairs = ((q.right, wrong) for q in self.lesson.questions for wrong in q.wrong.values())
        options = (content_words(f"{right} {wrong}") - {"a", "an", "the"} for right, wrong in pairs)
        return any(len(each) > 1 and each <= words for each in options)

    def why(self) -> Heard | None:
        """A question after the child's thinking, when it is the whole turn."""
        if self.problem is not None:
            return None
        others = " ".join(each for each in self.said.sentences if not patterns.WHY_YOU.search(each))
        whole = patterns.WHY_YOU.search(self.said.text) and len(content_words(others) - PLAIN) < PEELED
        return Heard(MoveKind.ASKS_WHY) if whole or patterns.BARE_WHY.search(self.said.text) else None

    def help(self) -> Heard | None:
        """Help for an idea the child holds, or for another idea of the lesson."""
        held = [each.id for each in self.context.active]
        if self.column and self.context.active and self.context.active[0].bug in COLUMN_BUGS:
            return Heard(MoveKind.HELPS, idea=held[0])
        match = self.match
        if match is None or self.said.length < LEAST_WORDS:
            return None
        needed = HELP_INVITED if patterns.INVITES.search(self.said.text) else HELP
        if patterns.ANY_LESSON.search(self.said.text):
            needed = HELP
        elif "?" in self.said.text:
            needed = HELP_ASKED
        if self.problem is not None:
            if not patterns.OF_THE_WORK.search(self.said.text):
                return None
            needed = SURELY_HELP
        if match.score < needed:
            return None
        kind = MoveKind.HELPS if match.misconception in held else MoveKind.HELPS_OTHER
        return Heard(kind, idea=match.misconception)

    def question(self) -> Heard | None:
        """Any other question: computed, written, or a how or why."""
        if self.problem is None and self.found is None and self.asks:
            self.found = _everyday(self.said, facts.perhaps(self.said))
        if self.problem is not None or self.found is not None:
            return self.asking()
        if self.social is None and patterns.HOW_OR_WHY.search(self.said.text):
            return Heard(MoveKind.ASKS_WHY)
        return None

    def asking(self) -> Heard:
        """A problem or a written question, the first one or one more."""
        again = self.context.right and patterns.ON_TO_NEXT.search(self.said.text)
        return Heard(MoveKind.TRANSFER if again else MoveKind.ASKS, problem=self.problem, found=self.found)

    def rest(self) -> MoveKind:
        """Neither question nor help: a set phrase somewhere in it, the sound of teaching, or anything."""
        if self.social:
            return self.social[0]
        helps, text = self.index.helps, self.said.text
        if (
            patterns.SOUNDS_HELPFUL.search(text)
            or patterns.ANY_LESSON.search(text)
            or helps.empty(text, self.ideas) >= EMPTY
        ):
            return MoveKind.HELPS_OTHER
        teaches = self.said.length >= LEAST_WORDS and not patterns.PERSONAL.search(text)
        return MoveKind.HELPS_OTHER if teaches and helps.on_topic(text, self.lesson.id) else MoveKind.OTHER


_READINGS = (
    _Turn.beyond,
    _Turn.answer,
    _Turn.plain_question,
    _Turn.everyday_question,
    _Turn.manners,
    _Turn.why,
    _Turn.help,
    _Turn.question,
)


def _everyday(said: Said, answers: tuple[str, ...] | None) -> Found | None:
    """What was said as a question of no lesson, with its answers."""
    return Found(Question(said.text, (), answers[0], answers[1:], "", {}, {}), None) if answers else None


def _asked(found: Found | None, said: Said, lesson: Lesson) -> Found | None:
    """A question of another lesson needs a question mark, or a question word in front."""
    elsewhere = found is not None and found.lesson != lesson.id
    return None if elsewhere and "?" not in said.text and not _EARNEST.match(said.text) else found


def _social(said: Said) -> tuple[MoveKind, bool] | None:
    """The first set phrase in `said`, and whether it says anything beyond set phrases."""
    found, more = None, False
    for sentence in said.sentences:
        phrase = next((each for each in patterns.SOCIAL if each[0].search(sentence)), None)
        if phrase is None:
            more = more or bool(content_words(sentence) - PLAIN)
            continue
        pattern, kind = phrase
        found = found or kind
        if kind in (MoveKind.SAYS_WRONG, MoveKind.SAYS_RIGHT, MoveKind.PRAISES):
            more = more or len(content_words(pattern.sub(" ", sentence)) - PLAIN) >= PEELED
    return (found, more) if found else None


def _is_column(problem: Problem | None, question: str) -> bool:
    """Whether `problem` is the column of the last one that cannot be done: 2 take away 7 in 52 - 17."""
    if problem is None or problem.kind != "subtract" or problem.numbers[0] >= problem.numbers[1]:
        return False
    last = parse(Said.of(question))
    if last is None or last.kind != "subtract" or last.numbers[1] < 10:  # noqa: PLR2004 - one digit has no columns
        return False
    columns = zip(str(last.numbers[0])[::-1], str(last.numbers[1])[::-1], strict=False)
    return (str(problem.numbers[0]), str(problem.numbers[1])) in columns
