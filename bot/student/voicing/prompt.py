"""The one renderer: from a cue to chat messages, for training data and for the live bot alike.

What stays comes first and the thought last, so that an engine's prompt cache serves all but the newest
turn. It knows no model: a chat template is the engine's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import shorten
from typing import Literal

from bot.student.records.child import Child
from bot.student.records.cue import Cue
from bot.student.records.dialogue import Mood, Role, Thought, ThoughtKind, Turn
from bot.student.records.lesson import Lesson

VERSION = "4"
"""Part of every turn's provenance; it changes with every change of what a model is shown."""

REMEMBERED_EXCHANGES = 4
"""Older exchanges are dropped this many at a time, so that the start of the prompt stays cacheable."""

MAX_TEACHER_CHARACTERS = 600
"""A teacher's turn is shown up to here: about 150 tokens."""

ANYTHING = "Tell me."
"""What the teacher says in a second try, whatever was asked."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message in the form of every chat-completions API."""

    role: Literal["system", "user", "assistant"]
    content: str


def render(cue: Cue) -> list[ChatMessage]:
    """The messages that ask a model to say `cue.thought` as the child."""
    card = _card(cue.child)
    if cue.again:
        # What was said before can lead a small model astray, and it likes to answer a question itself: a second
        # try does without both.
        return [*OPENING, ChatMessage("system", card), ChatMessage("user", _ask(ANYTHING, cue.thought))]
    messages = [*OPENING, ChatMessage("system", " ".join((card, *page(cue.lesson))))]
    # What is recalled stands late, so that what was read before it need not be read again.
    for teacher, student in (*recent_exchanges(cue.turns), *exchanges(cue.recalled)):
        messages.append(ChatMessage("user", _ask(teacher, student.thought)))
        messages.append(ChatMessage("assistant", student.content))
    messages.append(ChatMessage("user", _ask(cue.teacher, cue.thought)))
    return messages


def remembered(exchanges: int) -> int:
    """How many of the last exchanges of a dialogue of that length are shown."""
    return exchanges % REMEMBERED_EXCHANGES + REMEMBERED_EXCHANGES


def meaning(thought: Thought) -> str:
    """The thought in plain words, before anybody voices it; never empty."""
    answer, reason, words = thought.answer, thought.reason, thought.words
    if thought.kind is ThoughtKind.ANSWER and answer:
        bare = words <= len(answer.split()) or answer.lower() in {"yes", "no"} or not _names(answer)
        said = answer if bare else f"it's {answer}"
        if not reason:
            return f"I think {said}" if words >= len(said.split()) + 2 else said
        return (
            f"{said}, {reason}"
            if reason.startswith(("because", "cuz", "wait", "and"))
            else f"{said}. {reason}"
        )
    if thought.kind is ThoughtKind.REJECT and answer:
        stays = f"no, it's {answer}" if _names(answer) else f"no, {answer}"
        return stays + (f", {reason}" if reason else "")
    return reason or answer or _BARE.get(thought.kind, "hmm")


_BARE = {
    ThoughtKind.ASK: "what do you mean?",
    ThoughtKind.UNSURE: "I don't know",
    ThoughtKind.REJECT: "no",
    ThoughtKind.OFF_TASK: "can I get a drink?",
    ThoughtKind.UPSET: "I don't want to",
}
"""What is left of an open thought where no model finds words for it."""


def _names(answer: str) -> bool:
    """Whether "it's" can stand before it: a number or a name can, a sentence cannot."""
    first = next(iter(answer.lower().split()), "")
    return answer[0].isdigit() or (len(answer.split()) <= 2 and first not in _SENTENCE_STARTS)  # noqa: PLR2004


_SENTENCE_STARTS = frozenset(
    "i you he she it we they you'd you'll can't don't it's not no yes because cuz to by".split()
)


def _card(child: Child) -> str:
    """Who speaks, with what it tells of itself: home and what it likes."""
    home, likes = "; ".join(child.family), ", ".join(child.interests)
    return (
        f"The child is {child.name}, {child.age} years old, {' and '.join(child.temperament)}. "
        f"At home: {home}. {child.name} likes {likes}."
    )


def page(lesson: Lesson) -> Iterator[str]:
    """What lies on the table in one line, where anything does."""
    if lesson.page is not None:
        yield f"On the page: {one_line(lesson.page.told)}"


def _ask(teacher: str, thought: Thought | None) -> str:
    teacher = one_line(teacher)
    if thought is None:
        return f"Teacher: {teacher}"
    count = f"{thought.words} word{'' if thought.words == 1 else 's'}"
    if not thought.open:
        return f"Teacher: {teacher}\nSay in {count}: {meaning(thought)}"
    mood = "" if thought.mood is Mood.FINE else f", {thought.mood.value}"
    return f"Teacher: {teacher}\n{_OPEN[thought.kind]} in {count}{mood}."


def one_line(teacher: str) -> str:
    """A teacher's turn on one line and bounded: it cannot pretend to be a note or another speaker's turn, nor push the
    examples out."""
    # Chat templates mark who speaks with <|…|>; an engine would read it so.
    harmless = teacher.replace("<|", "<").replace("|>", ">")
    return shorten(" ".join(harmless.split()), MAX_TEACHER_CHARACTERS, placeholder=" ...")


def recent_exchanges(turns: tuple[Turn, ...]) -> list[tuple[str, Turn]]:
    """The last exchanges of a dialogue, as many as a model is shown."""
    found = exchanges(turns)
    return found[-remembered(len(found)) :]


def exchanges(turns: tuple[Turn, ...]) -> list[tuple[str, Turn]]:
    """The child's turns, each with the teacher's before it."""
    found: list[tuple[str, Turn]] = []
    teacher = ""
    for turn in turns:
        if turn.role is Role.TEACHER:
            teacher = turn.content
        else:
            found.append((teacher, turn))
            teacher = ""
    return found


_OPEN = {
    ThoughtKind.ANSWER: "Answer",
    ThoughtKind.EXPLAIN: "Answer",
    ThoughtKind.CHAT: "Answer",
    ThoughtKind.ASK: "Ask back",
    ThoughtKind.UNSURE: "Not sure",
    ThoughtKind.REJECT: "Say no",
    ThoughtKind.OFF_TASK: "Change the subject",
    ThoughtKind.UPSET: "Upset",
}
"""How an open turn is asked for: the attitude and the length are drawn, the words are the model's own."""

_RULES = (
    "You play a child in second grade. Under the teacher's words stands a note. Where it says what the child wants to "
    "say, say just that in a little kid's own plain words. Else answer the teacher yourself, in about so many words. "
    "Keep it short. Never explain like a teacher, never be polite like a grown-up, nothing else."
)
# Rules without examples, or examples without rules, come out far more adult than both together.
_EXAMPLES = (
    ("What is 60 take away 24?", Thought(ThoughtKind.ANSWER, answer="44", words=2), "it's 44"),
    (
        "How do you know?",
        Thought(
            ThoughtKind.EXPLAIN, reason="because 6 take away 2 is 4 and then 4 take away 0 is 4", words=13
        ),
        "cuz 6 take away 2 is 4 and then 4 take away 0 is 4",
    ),
    (
        "Are you ready to start?",
        Thought(ThoughtKind.OFF_TASK, reason="my sock is wet", words=4),
        "my sock is wet",
    ),
    ("What is 3 plus 3?", Thought(ThoughtKind.ANSWER, answer="6", words=1), "6"),
    ("What did you see on your walk?", Thought(ThoughtKind.ANSWER, words=4), "a really big worm"),
)


def _opening() -> tuple[ChatMessage, ...]:
    messages = [ChatMessage("system", _RULES)]
    for teacher, thought, said in _EXAMPLES:
        messages.append(ChatMessage("user", _ask(teacher, thought)))
        messages.append(ChatMessage("assistant", said))
    return tuple(messages)


OPENING = _opening()
"""The start of every prompt, the same for all children, so that every conversation shares its cache."""
