"""What goes into the store and what comes out: plain frozen values, no SQL in sight."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, TypedDict

from bot.student.records.dialogue import MoveKind, Role, Thought


class ClaimState(StrEnum):
    """How far a claimed message got."""

    CLAIMED = "claimed"
    SPOKEN = "spoken"
    ANSWERED = "answered"
    FAILED = "failed"


class Standing(IntEnum):
    """Whether a message may be answered: once in all, and one at a time in its conversation, over all programs."""

    NONE = 0
    """Never by this program: another one has it, or it was answered or given up."""
    WAITS = 1
    """Not yet: another one is being answered."""
    BEHIND = 2
    """Not yet: nobody is being answered there, but another program has one that came before."""
    NOW = 3


class Consent(StrEnum):
    """Whether a person lets their turns be used for training."""

    ON = "on"
    OFF = "off"


class FeedbackKind(StrEnum):
    """What a person thinks of one turn. A suggestion says what a child would have said; teachers say of their own
    turns what they did: a move is what the child should have heard, a talk move one of those or "none"."""

    UP = "up"
    DOWN = "down"
    SUGGESTION = "suggestion"
    MOVE = "move"
    TALK_MOVE = "talk_move"


@dataclass(frozen=True, slots=True)
class ClaimedMessage:
    """A teacher's message with all it takes to answer it after a restart.

    `key` is unique over all platforms, such as `discord:123456`; `thread` is None outside threads.
    """

    key: str
    platform: str
    channel: str
    thread: str | None
    author_hash: str
    text: str
    message_id: str
    created_at: datetime
    private: bool = False
    """Whether a real person's data was taken out of the text."""


@dataclass(frozen=True, slots=True)
class TeacherTurn:
    """What a teacher said, to be logged. `consent` is what holds for an author who never answered; an answer that the
    store knows is logged instead."""

    content: str
    said_at: datetime
    author_hash: str
    platform_message_id: str | None = None
    move: MoveKind | None = None
    consent: Consent | None = None
    flag: str | None = None


@dataclass(frozen=True, slots=True)
class StudentTurn:
    """What the child said and everything that made it, to be logged.

    `voiced` is `model`, `retry` or `phrasing`; `cost_usd` is None where the price is not known.
    """

    content: str
    said_at: datetime
    thought: Thought
    voiced: str
    model: str
    model_version: str
    prompt_version: str
    child: str
    lesson: str
    seed: int | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    latency_ms: int = 0
    platform_message_id: str | None = None
    flag: str | None = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """What is to be sent in answer to a message, and what is to be logged once the platform has it.

    `student` is None where a notice takes the child's place; `mind_before` is the state that this was
    thought from. `at` is when it was put into the outbox: the platform cannot have it from before. `then` is what
    another child says to the same message, once this is logged; that one `follows`: its teacher's turn is there."""

    nonce: str
    text: str
    speaker: str | None
    first: bool
    conversation_id: int
    teacher: TeacherTurn
    student: StudentTurn | None
    mind: str | None
    mind_before: str | None
    at: datetime
    then: Spoken | None = None
    follows: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """A message that a program which is no more left behind: `spoken` when it may have been answered."""

    message: ClaimedMessage
    spoken: Spoken | None
    not_before: datetime | None


@dataclass(frozen=True, slots=True)
class Exchange:
    """The row ids of one logged exchange; `student_id` is None where the child said nothing."""

    teacher_id: int
    student_id: int | None


class ConversationChanges(TypedDict, total=False):
    """What may change in a conversation; None means the default (for `lesson`: automatic)."""

    model: str | None
    child: str | None
    lesson: str | None
    mind: str | None
    scenario: str | None


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """One practice in one place. `child` names who sits there, several with spaces between; `mind` is their state as
    JSON text, None at the beginning; `turns` counts logged turns; `ended_at` is None for the current conversation of a
    place; `spoken_at` is when one of them last spoke. Another try goes on behind the turn `branch_at` of the
    conversation `branch_of`, whose turns up to there count as its own."""

    id: int
    platform: str
    channel: str
    thread: str | None
    model: str | None
    child: str | None
    lesson: str | None
    mind: str | None
    turns: int
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    spoken_at: datetime | None
    scenario: str | None
    branch_of: int | None
    branch_at: int | None

    @property
    def children(self) -> tuple[str, ...]:
        """The ids of who sits there, in order; none where nobody was chosen."""
        return tuple((self.child or "").split())


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of a conversation to which one can go back: before the teacher's turn `number` of the conversation
    `conversation_id`. `content` is '' where that turn was taken out; `said_before` is when the child had spoken last,
    `lesson` the one that was on, None where the child did not answer."""

    conversation_id: int
    number: int
    content: str
    said_at: datetime
    said_before: datetime | None
    lesson: str | None = None


@dataclass(frozen=True, slots=True)
class TurnRow:
    """One logged turn; `number` counts from 1 within its conversation. A student's turn carries the
    consent of the teacher it answers."""

    id: int
    conversation_id: int
    number: int
    role: Role
    content: str
    said_at: datetime
    author_hash: str | None
    platform_message_id: str | None
    move: MoveKind | None
    thought: Thought | None
    voiced: str | None
    model: str | None
    model_version: str | None
    prompt_version: str | None
    child: str | None
    lesson: str | None
    seed: int | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: float | None
    latency_ms: int | None
    consent: Consent | None
    flag: str | None


@dataclass(frozen=True, slots=True)
class FeedbackRow:
    """One person's judgement of one turn."""

    turn_id: int
    author_hash: str
    kind: FeedbackKind
    text: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class RatingRow:
    """One person's rating of a conversation: a score of 1 to 5 for each line of the rubric."""

    id: int
    conversation_id: int
    author_hash: str
    scores: dict[str, int]
    comment: str | None
    at: datetime
    model: str | None
    model_version: str | None


@dataclass(frozen=True, slots=True)
class LoggedTurn:
    """A turn with all that says whether and how it may be used.

    `consent_now` is what the teacher says today (None on student turns): who takes consent back takes
    it back for what was said before, too.
    """

    turn: TurnRow
    platform: str
    consent_now: Consent | None
    feedback: tuple[FeedbackRow, ...]


@dataclass(frozen=True, slots=True)
class ForgetReport:
    """How many rows of each kind no longer say anything of the person."""

    teacher_turns: int
    student_turns: int
    feedback: int
    ratings: int
    consents: int
    claims: int
    candidates: int = 0
    reviews: int = 0
    courses: int = 0
    """Places on lists of courses, shared practices, and courses of their own."""
    harvested_lines: int = 0
    """Lines taken out of harvested files and of what was made from them."""
    backups: int = 0
    """Backups that the person was taken out of."""
    damaged: tuple[str, ...] = ()
    """Backups that cannot be read: whether the person is in there, nobody can tell."""
    models: tuple[str, ...] = ()
    """Published versions that were trained on the person's words."""

    @property
    def found(self) -> bool:
        """Whether there was anything of the person."""
        return any(asdict(self).values())

    def told(self) -> list[tuple[str, str]]:
        """What was done, as names and values for people; what is left for them to do comes last."""
        counts = [(name, value) for name, value in asdict(self).items() if isinstance(value, int)]
        rows = [(name.replace("_", " "), str(value)) for name, value in counts]
        if self.damaged:
            rows.append(("backups that cannot be read; delete them", ", ".join(self.damaged)))
        if self.models:
            rows.append(("models that have learned from it; train anew", ", ".join(self.models)))
        return rows


@dataclass(frozen=True, slots=True)
class BackupsReport:
    """How many backups a person was taken out of, and which ones cannot be read."""

    cleaned: int = 0
    damaged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PurgeReport:
    """How many rows of each kind were too old to be kept."""

    turns: int
    ratings: int
    claims: int
    candidates: int = 0


@dataclass(frozen=True, slots=True)
class WeekRow:
    """What happened since some day, and how many candidates nobody has judged yet."""

    student_turns: int
    teachers: int
    ratings: int
    candidates: int


class CandidateState(StrEnum):
    """Whether a candidate may become training data."""

    PENDING = "pending"
    WITHDRAWN = "withdrawn"
    FORGOTTEN = "forgotten"


class Verdict(StrEnum):
    """What a reviewer says."""

    ACCEPT = "accept"
    REJECT = "reject"


class Put(StrEnum):
    """What became of a candidate that a harvest handed in."""

    NEW = "new"
    CHANGED = "changed"
    KNOWN = "known"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class NewCandidate:
    """A dialogue that a harvest found. `key` is the same in every harvest; `people` are all whose words are in
    it; `record` is the dialogue's record, `lineage` where it comes from, with the ids of the `turns`."""

    key: str
    conversation_id: int
    people: frozenset[str]
    turns: tuple[int, ...]
    record: dict[str, Any]
    lineage: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A stored candidate; without record and lineage once forgotten. `published` names the file it went into."""

    key: str
    state: CandidateState
    record: dict[str, Any] | None
    lineage: dict[str, Any] | None
    published: str | None


@dataclass(frozen=True, slots=True)
class Review:
    """One person's word on a candidate: no verdict yet means a draft. `record` is the dialogue as they left it."""

    candidate_key: str
    reviewer: str
    verdict: Verdict | None
    record: dict[str, Any] | None
    at: datetime
