"""What did the teacher just do? From a turn and the lesson to a `TeacherMove`.

Rules and patterns; it never raises on any text. It decides nothing about what the child believes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from bot.student.hearing import patterns
from bot.student.hearing.help import Match
from bot.student.hearing.patterns import HOW_OR_WHY
from bot.student.hearing.questions import Found, index
from bot.student.knowing import beyond, facts, ordinary
from bot.student.problems.kind import Problem
from bot.student.problems.parsing import parse
from bot.student.problems.stated import parse_answer
from bot.student.records.curriculum import Curriculum
from bot.student.records.dialogue import MoveKind
from bot.student.records.lesson import Lesson, Misconception, Question
from bot.student.said import PLAIN, Said, content_words

__all__ = ["HOW_OR_WHY", "Context", "TeacherMove", "classify"]

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
"""Longest turn, in words, that may do nothing but state an answer."""

OTHER_WORDS = 2
"""Telling words beside the answer in a turn that states it: whose answer it is, no more."""
ANSWER_WORDS = 6
"""Longest answer that a teacher puts forward."""
LEAST_WORDS = 4
"""Shortest help; a nod is shorter."""
ABOUT_IDEA = 0.35
"""Fit from which a turn speaks of the practised idea, help or not: then no everyday knowledge answers it."""
COLUMN_BUGS = frozenset({"smaller-from-larger"})
"""Wrong procedures that a look at one column alone contradicts."""
PEELED = 3
"""Telling words beside a set phrase from which the turn says something of its own."""


@dataclass(frozen=True, slots=True)
class Context:
    """What the teacher's turn refers to: the last problem's right answer, the ideas the child holds, and
    the last problem's text where it is known."""

    right: tuple[str, ...] = ()
    active: tuple[Misconception, ...] = ()
    question: str = ""


@dataclass(frozen=True, slots=True)
class TeacherMove:
    """A teacher's turn as heard. `answer` is one that the teacher stated, `misconception` the one helped."""

    kind: MoveKind
    problem: Problem | None = None
    found: Found | None = None
    answer: str | None = None
    misconception: str | None = None


def classify(text: str, lesson: Lesson, curriculum: Curriculum, context: Context = Context()) -> TeacherMove:
    """The move of `text`, a teacher's turn in `lesson`."""
    said = " ".join(text.replace("\u2019", "'").split())
    if patterns.MACHINE.search(said) or patterns.DAN.search(said):
        return TeacherMove(MoveKind.INSTRUCTS_MACHINE)
    return _Turn(said, lesson, curriculum, context).move()


class _Turn:
    """One turn being heard: the readings of it, tried in order by `move`."""

    def __init__(self, said: str, lesson: Lesson, curriculum: Curriculum, context: Context) -> None:
        self.said, self.lesson, self.context = said, lesson, context
        self.index = index(curriculum)
        self.problem = parse(Said.of(said))
        self.column = _is_column(self.problem, context.question)
        if self.column:
            self.problem = None
        self.asks = bool(patterns.ASKING.search(said))
        self.found = _asked(self.index.find(said, lesson) if self.asks else None, said, lesson)
        if self.problem is not None and self.found is not None and self.found.lesson != lesson.id:
            self.found = None  # numbers alone are no key to another lesson's question
        self.ordinary = self.everyday()
        if self.ordinary is not None and self.found is None:
            self.found = self.ordinary
        self.social = _social(said)
        self.ideas = tuple({m.id: m for m in (*context.active, *lesson.misconceptions)})

    @cached_property
    def match(self) -> Match | None:
        """The idea that the turn fits best, as help."""
        return self.index.helps.best(self.said, self.ideas, [each.id for each in self.context.active])

    def move(self) -> TeacherMove:
        """The first reading that holds."""
        for reading in (
            self.beyond,
            self.answer,
            self.plain_question,
            self.everyday_question,
            self.manners,
            self.why,
            self.help,
            self.question,
        ):
            heard = reading()
            if heard is not None:
                return heard
        return TeacherMove(self.rest())

    def beyond(self) -> TeacherMove | None:
        """What second grade does not teach, unless a lesson asks just that."""
        if self.problem is not None and self.problem.kind == "beyond":
            return TeacherMove(MoveKind.OUT_OF_GRADE)
        if self.ordinary is not None:
            return None
        elsewhere = self.found is None or self.found.lesson != self.lesson.id
        if self.problem is None and self.found is None and patterns.BEYOND_GRADE.search(self.said):
            return TeacherMove(MoveKind.OUT_OF_GRADE)
        asks = self.asks or patterns.DEMANDS.search(self.said)
        if elsewhere and asks and beyond.later(self.said) and not self.of_the_lesson():
            return TeacherMove(MoveKind.OUT_OF_GRADE)
        return None

    def answer(self) -> TeacherMove | None:
        """The teacher states an answer to the last problem: the right one, or another."""
        if not self.context.right or self.problem is not None or len(self.said.split()) > FEW_WORDS:
            return None
        if patterns.RIGHT.search(self.said):
            return None
        if any(re.search(r"\d|\b(even|odd|half|third|fourth)\b", right) for right in self.context.right):
            return self.number_stated()
        return self.words_stated()

    def number_stated(self) -> TeacherMove | None:
        """A number, a time or a share; other words about it are no answer."""
        answer = parse_answer(Said.of(self.said)) if patterns.STATES.search(self.said) else None
        if answer is None:
            named = next((told for told in map(self.right_in, self.statements()) if told), None)
            return TeacherMove(MoveKind.TELLS, answer=named) if named else None
        right = answer.lower() in {each.lower() for each in self.context.right}
        return TeacherMove(MoveKind.TELLS if right else MoveKind.FALSE_HINT, answer=answer)

    def words_stated(self) -> TeacherMove | None:
        """The right answer in words, or one that the teacher puts forward instead."""
        named = next((told for told in map(self.right_in, self.statements()) if told), None)
        if named is not None:
            return TeacherMove(MoveKind.TELLS, answer=named)
        proposed = patterns.PROPOSES.search(self.said)
        if proposed is None:
            return None
        answer = proposed["answer"].strip()
        if len(answer.split()) > ANSWER_WORDS or patterns.OPINION.search(answer):
            return None
        if re.match(r"its?\b|it'?s|it is", proposed[0], re.I) and not self.is_an_answer(answer):
            return None
        return TeacherMove(MoveKind.FALSE_HINT, answer=None if patterns.VAGUE.search(answer) else answer)

    def statements(self) -> list[str]:
        """The sentences that ask nothing."""
        return [sentence for sentence in _sentences(self.said) if not sentence.endswith("?")]

    def is_an_answer(self, text: str) -> bool:
        """Whether a question of the lesson has an answer with a word of `text`: "it's" may begin anything."""
        words = content_words(text) - PLAIN
        answers = (" ".join((q.right, *q.accept, *q.wrong.values())) for q in self.lesson.questions)
        return any(words & content_words(answer) for answer in answers)

    def right_in(self, sentence: str) -> str | None:
        """The right answer if all that `sentence` does is state it, with or without a reason."""
        whole = re.sub(r"^((no|nope|yes|actually|well)\W+)+|\W+$", "", sentence.lower())
        reason = re.sub(r"\W*\b(because|cuz|since|right)\b.*", "", whole)
        rights = [right.lower() for right in self.context.right if right]
        return next((right for right in rights for told in {reason, whole} if self.states(told, right)), None)

    def states(self, told: str, right: str) -> bool:
        """Whether `told`, without its full stop, only states `right`."""
        words, needed = content_words(told), content_words(right) - PLAIN or content_words(right)
        last = right.rsplit(maxsplit=1)[-1]
        if right in ("yes", "no"):
            return bool(re.search(rf"\bthe answer is {right}\b", told))
        if (
            not needed <= words
            or not re.search(rf"\b{re.escape(last)}(?!\w)", told)
            or "both" in words - needed
        ):
            return False
        if _denies(told) and not _denies(right):
            return False
        others = {word for word in words - needed - PLAIN if len(word) > 1}
        names_it = re.search(r"\b(the answer|it'?s|its)\b", told) and len(others) <= 1
        about_it = bool(self.context.question) and others <= content_words(self.context.question)
        return bool(names_it) or about_it or (told.endswith(last) and len(others) <= OTHER_WORDS)

    def everyday(self) -> Found | None:
        """What any second grader can answer, where neither a sum nor this lesson's question is asked."""
        if self.problem is not None or (self.found is not None and self.found.lesson == self.lesson.id):
            return None
        if (
            self.found is not None
            and self.index.helps.shared(self.said, self.found.question.ask) >= SAME_QUESTION
        ):
            return None
        answers = ordinary.known(self.said)
        if answers is None:
            return None
        self.found = None  # few words of another lesson's question against a plain reading
        return _everyday(self.said, answers)

    def everyday_question(self) -> TeacherMove | None:
        """A question of everyday things, unless it may be help for the idea that is practised."""
        if self.ordinary is None or self.found is not self.ordinary or self.of_the_lesson():
            return None
        return self.asking()

    def of_the_lesson(self) -> bool:
        """Whether the turn speaks of the idea that is practised, so that its own readings go first."""
        match = self.match
        return match is not None and match.score >= ABOUT_IDEA

    def manners(self) -> TeacherMove | None:
        """A turn all of whose sentences are set phrases: wrong, right, praise, a greeting, an order."""
        if self.problem is not None and self.social and self.social[0] is MoveKind.SMALL_TALK:
            return None  # "hey buddy, is 7 odd or even": the greeting is not all of it
        return TeacherMove(self.social[0]) if self.social and not self.social[1] else None

    def plain_question(self) -> TeacherMove | None:
        """A known question when the turn says little else, or one of the lesson's either-ors."""
        if self.either_or():
            return self.asking()
        if self.found is None or patterns.WHY_YOU.search(self.said):
            return None
        ask = self.found.question.ask
        if patterns.BARE_WHY.search(self.said) and not re.search(r"\b(why|how come)\b", ask, re.I):
            return None
        return self.asking() if self.index.helps.shared(self.said, ask) >= SAME_QUESTION else None

    def either_or(self) -> bool:
        """Is it this or that, where a question of the lesson has just these answers."""
        words = content_words(self.said)
        if (
            "or" not in words
            or not self.asks
            or len(self.said.split()) > FEW_WORDS
            or patterns.WHY_YOU.search(self.said)
        ):
            return False
        pairs = ((q.right, wrong) for q in self.lesson.questions for wrong in q.wrong.values())
        options = (content_words(f"{right} {wrong}") - {"a", "an", "the"} for right, wrong in pairs)
        return any(len(each) > 1 and each <= words for each in options)

    def why(self) -> TeacherMove | None:
        """A question after the child's thinking, when it is the whole turn."""
        if self.problem is not None:
            return None
        others = " ".join(each for each in _sentences(self.said) if not patterns.WHY_YOU.search(each))
        whole = patterns.WHY_YOU.search(self.said) and len(content_words(others) - PLAIN) < PEELED
        return TeacherMove(MoveKind.ASKS_WHY) if whole or patterns.BARE_WHY.search(self.said) else None

    def help(self) -> TeacherMove | None:
        """Help for an idea the child holds, or for another idea of the lesson."""
        held = [each.id for each in self.context.active]
        if self.column and self.context.active and self.context.active[0].bug in COLUMN_BUGS:
            return TeacherMove(MoveKind.HELPS, misconception=held[0])
        match = self.match
        if match is None or len(self.said.split()) < LEAST_WORDS:
            return None
        needed = HELP_INVITED if patterns.INVITES.search(self.said) else HELP
        if patterns.ANY_LESSON.search(self.said):
            needed = HELP
        elif "?" in self.said:
            needed = HELP_ASKED
        if self.problem is not None:
            if patterns.NEW_ONE.search(self.said) or not patterns.OF_THE_WORK.search(self.said):
                return None
            needed = SURELY_HELP
        if match.score < needed:
            return None
        kind = MoveKind.HELPS if match.misconception in held else MoveKind.HELPS_OTHER
        return TeacherMove(kind, misconception=match.misconception)

    def question(self) -> TeacherMove | None:
        """Any other question: computed, written, or a how or why."""
        if self.problem is None and self.found is None and self.asks:
            self.found = _everyday(self.said, facts.perhaps(self.said))
        if self.problem is not None or self.found is not None:
            return self.asking()
        if self.social is None and HOW_OR_WHY.search(self.said):
            return TeacherMove(MoveKind.ASKS_WHY)
        return None

    def asking(self) -> TeacherMove:
        """A problem or a written question, the first one or one more."""
        again = self.context.right and patterns.ON_TO_NEXT.search(self.said)
        return TeacherMove(
            MoveKind.TRANSFER if again else MoveKind.ASKS, problem=self.problem, found=self.found
        )

    def rest(self) -> MoveKind:
        """Neither question nor help: a set phrase somewhere in it, the sound of teaching, or anything."""
        if self.social:
            return self.social[0]
        helps = self.index.helps
        if (
            patterns.SOUNDS_HELPFUL.search(self.said)
            or patterns.ANY_LESSON.search(self.said)
            or helps.empty(self.said, self.ideas) >= EMPTY
        ):
            return MoveKind.HELPS_OTHER
        teaches = len(self.said.split()) > 3 and not patterns.PERSONAL.search(self.said)  # noqa: PLR2004 - a nod is no teaching
        return (
            MoveKind.HELPS_OTHER if teaches and helps.on_topic(self.said, self.lesson.id) else MoveKind.OTHER
        )


def _everyday(said: str, answers: tuple[str, ...] | None) -> Found | None:
    """What was said as a question of no lesson, with its answers."""
    return Found(Question(said, (), answers[0], answers[1:], "", {}, {}), None) if answers else None


def _asked(found: Found | None, said: str, lesson: Lesson) -> Found | None:
    """A question of another lesson needs a question mark, or a question word in front."""
    elsewhere = found is not None and found.lesson != lesson.id
    earnest = "?" in said or re.match(
        r"(what|which|who|where|when|how|is|are|can|do|does|spell|read (this|the) word)\b", said, re.I
    )
    return None if elsewhere and not earnest else found


def _social(said: str) -> tuple[MoveKind, bool] | None:
    """The first set phrase in `said`, and whether it says anything beyond set phrases."""
    found, more = None, False
    for sentence in _sentences(said):
        phrase = next((each for each in patterns.SOCIAL if each[0].search(sentence)), None)
        if phrase is None:
            more = more or bool(content_words(sentence) - PLAIN)
            continue
        pattern, kind = phrase
        found = found or kind
        if kind in (MoveKind.SAYS_WRONG, MoveKind.SAYS_RIGHT, MoveKind.PRAISES):
            more = more or len(content_words(pattern.sub(" ", sentence)) - PLAIN) >= PEELED
    return (found, more) if found else None


def _sentences(said: str) -> list[str]:
    return re.split(r"(?<=[.!?]) ", said)


def _is_column(problem: Problem | None, question: str) -> bool:
    """Whether `problem` is the column of the last one that cannot be done: 2 take away 7 in 52 - 17."""
    if problem is None or problem.kind != "subtract" or problem.numbers[0] >= problem.numbers[1]:
        return False
    last = parse(Said.of(question))
    if last is None or last.kind != "subtract" or last.numbers[1] < 10:  # noqa: PLR2004 - one digit has no columns
        return False
    columns = zip(str(last.numbers[0])[::-1], str(last.numbers[1])[::-1], strict=False)
    return (str(problem.numbers[0]), str(problem.numbers[1])) in columns


def _denies(text: str) -> bool:
    return bool(re.search(r"\b(not|never|no|nobody|nothing)\b|n't\b", text, re.I))
