"""Why a turn is left out: every rule that looks at one sitting or one exchange.

A rule gives a reason or None. What spans the whole log (near-duplicates, the cap for one teacher) is in `harvest`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from bot.debrief import moves
from bot.store.rows import Consent, FeedbackKind, LoggedTurn
from bot.student.guard import safeguard
from bot.student.guard.redaction import redact
from bot.student.guard.safeguard import Flag
from bot.student.records.child import Child
from bot.student.records.dialogue import Dialogue, MoveKind, Role
from bot.student.records.text import DataError, lines_of
from bot.student.voicing import voice
from training.evaluate.talk import words
from training.harvest.generations import Generations
from training.harvest.sittings import Exchange, Sitting

MOST_WORDS = 61
"""No turn of a real second grader was longer (see training.evaluate.talk)."""
GRAM = 8
"""Words in a row that no harvested exchange may share with the golden test dialogues."""
LEAST_REPEATED = 10
"""A line of a teacher is stale when it was said so often in the log by at most `MOST_REPEATING` people ..."""
MOST_REPEATING = 2
REPEATED_WORDS = 5
"""... and has at least so many words: everybody says "how do you know?"."""
SAME_LINE = 3
"""Within a sitting, a line said so often, and in a third of its exchanges, is no practice."""


class Reason(StrEnum):
    """Why a turn is not harvested, as the summary says it."""

    RUNNING = "the sitting may still go on"
    CONSENT = "somebody in the sitting did not agree"
    FLAGGED = "flagged"
    CLASS = "several children spoke in the sitting"
    UNANSWERED = "no answer in the log"
    PROVENANCE = "origin incomplete"
    GENERATION = "said by a model that was trained on harvested turns"
    MACHINE = "said to the machine, not to the child"
    PERSONAL = "personal data"
    REPEATED = "the same line over and over"
    VOTED_DOWN = "voted down, and no better line suggested"
    BANDS = "not how a second grader talks"
    PERSONA = "not what the child meant or would say"
    GOLDEN = "words of the golden test set"
    SHORT = "too short a piece"
    PHRASING = "mostly authored phrasings"
    RATED_LOW = "the conversation was rated low"
    DUPLICATE = "nearly the same as an earlier one"
    CAP = "more than one teacher may give"
    REFUSED = "reviewed in another cut, or withdrawn meanwhile"


STOPS = (Flag.SAFETY.value, Flag.CRISIS.value, Flag.PUPIL_DATA.value)
"""With one of these the whole sitting is left out: who wrote of a real pupil once goes on about them."""
NOT_TO_THE_CHILD = frozenset(
    {
        MoveKind.INSTRUCTS_MACHINE,
        MoveKind.ASKS_IF_REAL,
        MoveKind.UNSAFE,
        MoveKind.CRISIS,
        MoveKind.PUPIL_DATA,
    }
)
_MACHINE = re.compile(
    r"\b(?:(?:ignore|forget|disregard) (?:all |any |the |your |previous |prior |earlier |above )+(?:instruction|rule"
    r"|prompt|message)s?|system prompt|jailbreak|developer mode|you are now|from now on,? (?:always |only |you )"
    r"|(?:always|only) (?:answer|reply|respond|say) (?:with|that)?|pretend (?:to be|you are|that you)|as an ai"
    r"|language model|chat ?gpt|your (?:training|prompt|instructions))\b",
    re.I,
)
_OUT_OF_ROLE = re.compile(
    r"\b(?:as an ai|language model|ai assistant|system prompt|chat ?gpt|openai|simulat(?:ed|ion)|i'?m (?:a|an) (?:bot"
    r"|ai|program|computer|assistant)|how can i help|great question|i apologi[sz]e|as a second grader|teacher:"
    r"|student:|assistant:)",
    re.I,
)
_TEMPLATE = re.compile(
    r"<\|.*?\|>|</?(?:s|bos|eos|think|system|user|assistant|human|start_of_turn|end_of_turn)>|\[/?(?:inst|sys)\]"
    r"|<</?sys>>|^\s*#{2,}\s*\w+\s*:|\bsay in \d+ words?:"
    r"|(?:^|[.!?]\s+)(?:teacher|student|assistant|user|system|human|ai|model)\s*:",
    re.I | re.M,
)
"""What makes a model take the words for another speaker's: tokens of chat templates, labels of roles, our own notes."""
_NUMBER = re.compile(r"\d+(?::\d+)?")
_MARKUP = re.compile(r"\*\*|`|#|\$|\\|^\s*[-\u2022]\s|[\U0001f300-\U0001faff]{2,}|\n|https?://")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A better line, by a person who lets it be used."""

    text: str
    author_hash: str


@dataclass(frozen=True, slots=True)
class Kept:
    """An exchange that passed, with the suggested line that takes the place of the child's, and the move that the
    teacher says theirs was."""

    teacher: LoggedTurn
    student: LoggedTurn
    suggestion: Suggestion | None
    ups: int
    downs: int
    move: MoveKind | None = None

    @property
    def said(self) -> str:
        """What the child says in the candidate."""
        return self.suggestion.text if self.suggestion else self.student.turn.content


@dataclass(frozen=True, slots=True)
class Rules:
    """What the rules need to know. `consents` is everybody's answers, the newest last, `repeated` the stale lines of
    the log in lower case, `golden` the word rows of the test set."""

    children: Mapping[str, Child]
    lessons: Collection[str]
    generations: Generations
    consents: Mapping[str, Sequence[tuple[datetime, Consent]]]
    repeated: Collection[str]
    golden: frozenset[str]
    silence_is_consent: bool = False

    def agreed(self, person: str, at: datetime | None = None) -> bool:
        """Whether this person lets their words be used today, or did so at that time."""
        states = [state for when, state in self.consents.get(person, ()) if at is None or when <= at]
        return states[-1] is Consent.ON if states else self.silence_is_consent

    def sitting(self, sitting: Sitting) -> Reason | None:
        """Why nothing of the sitting may be used."""
        for logged in sitting.turns:
            turn = logged.turn
            # Of who was forgotten nobody knows any more whether they agreed.
            if turn.role is Role.TEACHER and turn.author_hash is None:
                return Reason.CONSENT
            # On the child's turn stands the consent of the teacher whom it answers.
            if turn.consent is not Consent.ON:
                return Reason.CONSENT
        if not sitting.people or not all(self.agreed(person) for person in sitting.people):
            return Reason.CONSENT
        # Each of them heard the others: none of it is a dialogue of one child with its teacher.
        if len({logged.turn.child for logged in sitting.turns if logged.turn.role is Role.STUDENT}) > 1:
            return Reason.CLASS
        if any(logged.turn.flag in STOPS for logged in sitting.turns):
            return Reason.FLAGGED
        return None

    def exchanges(self, sitting: Sitting) -> list[Kept | Reason]:
        """Each exchange of an allowed sitting: kept, or why not."""
        lines = Counter(_line(each) for each in sitting.exchanges)
        stale = {
            line
            for line, count in lines.items()
            if line and count >= SAME_LINE and 3 * count >= len(sitting.exchanges)
        }
        return [
            Reason.REPEATED if _line(each) in stale else self._exchange(each) for each in sitting.exchanges
        ]

    def _exchange(self, exchange: Exchange) -> Kept | Reason:
        teacher, student = exchange.teacher, exchange.student
        if any(logged.turn.flag for logged in exchange.turns):
            return Reason.FLAGGED
        if teacher is None or student is None:
            return Reason.UNANSWERED
        move = self._put_right(teacher)
        reason = self._origin(teacher, student) or self._teacher(
            teacher.turn.content, move or teacher.turn.move
        )
        if reason is not None:
            return reason
        ups = sum(each.kind is FeedbackKind.UP for each in student.feedback)
        downs = sum(each.kind is FeedbackKind.DOWN for each in student.feedback)
        suggestion = self._suggestion(teacher, student)
        if suggestion is None and downs > ups:
            return Reason.VOTED_DOWN
        kept = Kept(teacher, student, suggestion, ups, downs, move)
        if suggestion is None and (reason := self._child(teacher, student)):
            return reason
        spoken = [*words(teacher.turn.content), *words(kept.said)]
        return Reason.GOLDEN if any(gram in self.golden for gram in _grams(spoken)) else kept

    def _put_right(self, teacher: LoggedTurn) -> MoveKind | None:
        """What the teacher says their own turn did, where that may be used."""
        said = [each for each in teacher.feedback if self.agreed(each.author_hash, each.at)]
        return moves.mended(said, teacher.turn.author_hash).move

    def _origin(self, teacher: LoggedTurn, student: LoggedTurn) -> Reason | None:
        said = student.turn
        known = (
            teacher.turn.move is not None
            and said.thought is not None
            and said.voiced in ("model", "retry", "phrasing")
            and said.child in self.children
            and said.lesson in self.lessons
            and said.seed is not None
        )
        if not known or not said.model or not said.model_version or not said.prompt_version:
            return Reason.PROVENANCE
        depth = self.generations.of(said.model, said.model_version)
        if depth is None:
            return Reason.PROVENANCE
        return Reason.GENERATION if depth > 1 else None

    def _teacher(self, text: str, move: MoveKind | None) -> Reason | None:
        if move in NOT_TO_THE_CHILD or _MACHINE.search(text) or _TEMPLATE.search(text):
            return Reason.MACHINE
        if redact(text)[0] != text:
            return Reason.PERSONAL
        # Looked at again: the rules may know more today than when it was said.
        if safeguard.check(text) is not None:
            return Reason.FLAGGED
        line = text.strip().lower()
        return Reason.REPEATED if line in self.repeated and len(words(line)) >= REPEATED_WORDS else None

    def _child(self, teacher: LoggedTurn, student: LoggedTurn) -> Reason | None:
        said = student.turn
        if not child_talk(said.content):
            return Reason.BANDS
        if _OUT_OF_ROLE.search(said.content) or _TEMPLATE.search(said.content):
            return Reason.PERSONA
        child = self.children[said.child or ""]
        if said.voiced == "phrasing" or child.voice == "typed" or said.thought is None:
            return None  # authored, or written as a child spells: its words were checked before that
        shaped = voice.shape(said.content, said.thought, child, teacher=teacher.turn.content)
        return Reason.PERSONA if shaped.fault else None

    def _suggestion(self, teacher: LoggedTurn, student: LoggedTurn) -> Suggestion | None:
        """The newest suggested line that this child could say for its thought, and that may be used."""
        for each in reversed(student.feedback):
            text = " ".join((each.text or "").split())
            if (
                each.kind is FeedbackKind.SUGGESTION
                and self.agreed(each.author_hash)
                and self.agreed(each.author_hash, each.at)
                and child_talk(text)
                and not _OUT_OF_ROLE.search(text)
                and not _MACHINE.search(text)
                and not _TEMPLATE.search(text)
                and redact(text)[0] == text
                and safeguard.check(text) is None
                and self._says(text, teacher, student)
            ):
                return Suggestion(text, each.author_hash)
        return None

    def _says(self, text: str, teacher: LoggedTurn, student: LoggedTurn) -> bool:
        """Whether the words can stand for what the child thought, as a model's must, be it for a part of it."""
        thought, child = student.turn.thought, self.children[student.turn.child or ""]
        if thought is None:
            return False
        # The answer binds; how much of the reason is said does not.
        reason = None if thought.answer else thought.reason
        room = replace(thought, reason=reason, words=max(thought.words, len(text.split())))
        fault = voice.shape(text, room, child, teacher=teacher.turn.content).fault or ""
        # People give the child's steps in numbers and words of their own; what it comes to stands at one end.
        steps = _NUMBER.findall(text)
        ends = not steps or thought.answer in (steps[0], steps[-1])
        return not fault or (ends and fault.startswith((voice.ANOTHER_NUMBER, voice.RARE_WORD)))


def child_talk(text: str) -> bool:
    """Whether one turn can be a second grader's: some words, none of them an adult's, no markup."""
    return 0 < len(words(text)) <= MOST_WORDS and not _MARKUP.search(text)


def golden_grams(path: Path) -> frozenset[str]:
    """All rows of `GRAM` words within the exchanges of the golden test dialogues. Raises `DataError`."""
    try:
        lines = lines_of(path)
    except DataError as error:
        raise DataError(f"the golden test set: {error}") from None
    found: set[str] = set()
    for line in lines:
        said = [words(turn.content) for turn in Dialogue.from_line(line).turns]
        for first, second in zip(said, [*said[1:], []], strict=True):
            found.update(_grams([*first, *second]))
    return frozenset(found)


def _grams(spoken: list[str]) -> Iterable[str]:
    return (" ".join(spoken[at : at + GRAM]) for at in range(len(spoken) - GRAM + 1))


def _line(exchange: Exchange) -> str:
    return " ".join(words(exchange.teacher.turn.content)) if exchange.teacher else ""
