"""One thing to try where the goal is none to mend an idea with: a sentence for the goal itself, from a list of our own.

Each is the next step that the talk has not had yet. It knows the turns and the goal; the lesson's own help is `advice`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher

from bot.debrief.record import Advice, Debrief, Spoken, Who
from bot.debrief.talkmoves import TalkMove
from bot.student.records.dialogue import ThoughtKind
from bot.student.records.scenario import Kind

ALIKE = 0.7
"""Likeness of letters from which a sentence counts as said already."""
LONGEST = 90
"""Characters of a child's words that are given back."""

_WHY: Mapping[Kind, str] = {
    "launch-a-task": "The goal is that {name} knows what the task asks before it begins.",
    "talk-with-an-upset-child": "The goal puts {name} first, and the work later.",
    "extend-a-right-answer": "The goal is what lies behind a right answer.",
    "talk-with-a-parent": "Who has been heard can hear: the goal asks before it tells.",
}
_SAYS: Mapping[Kind, tuple[str, ...]] = {
    "launch-a-task": (
        "Before you start: what does this ask you to find out? Tell me in your own words.",
        "What on this page could help you with it?",
        "What will you try first, and why that?",
    ),
    "talk-with-an-upset-child": (
        "I can see that something is wrong. Do you want to tell me what happened?",
        "We can leave this for now. Shall I sit with you for a moment?",
        "Which small piece of it would you do with me, if you want to?",
    ),
    "extend-a-right-answer": (
        "How do you know that is so?",
        "Will it always be like that? Can you think of one where it is not?",
        "Say a friend got something else. How would you show your friend what you see?",
    ),
    "talk-with-a-parent": (
        "What do you see at home when it comes up?",
        "So what worries you most about it?",
        "What would you like us both to look for until we talk again?",
    ),
}
OWN = frozenset({"elicit-thinking", "lead-a-discussion", *_SAYS})
"""The goals with advice of their own; any other is served by the lesson's help."""


def advise(debrief: Debrief, goal: Kind) -> Advice | None:
    """The first step towards the goal that the talk has not had yet; None where it had all."""
    if goal == "elicit-thinking":
        steps = _elicit(debrief)
    elif goal == "lead-a-discussion":
        steps = _discuss(debrief)
    else:
        steps = iter(Advice(_WHY[goal].format(name=debrief.child), each) for each in _SAYS[goal])
    said = [each.text.lower() for each in debrief.mine]
    return next(
        (
            step
            for step in steps
            if not any(SequenceMatcher(None, step.sentence.lower(), each).ratio() >= ALIKE for each in said)
        ),
        None,
    )


def _elicit(debrief: Debrief) -> Iterator[Advice]:
    """Ask for the way, give it back, then test it; nothing of it says what is right."""
    name, heard = debrief.child, {move for each in debrief.mine for move in each.talk}
    answered, told = _last_answer(debrief), _last_telling(debrief)
    if TalkMove.REASONING not in heard:
        what = f"You got {answered.thought.answer}" if answered and answered.thought else "You did this one"
        yield Advice(
            f"No turn has asked {name} for the way yet.",
            f"{what}. What did you do first, and what then?",
            answered.number if answered else None,
        )
    if told is not None and not heard & {TalkMove.RESTATE, TalkMove.REVOICE}:
        yield Advice(
            f"{name} told a part of the way, and nothing has given it back to see whether you have it.",
            f"Let me see if I have it. You said: {_short(told)} Is that what you do every time?",
            told.number,
        )
    yield Advice(
        f"Whether you know what {name} does shows when you can say what comes next.",
        "Here is another one. Before you write anything: what will you do first, and why?",
    )


def _discuss(debrief: Debrief) -> Iterator[Advice]:
    """Have one answer to another, by name; then to the reason; then let them find a test."""
    heard, answered = {move for each in debrief.mine for move in each.talk}, _last_answer(debrief)
    others = sorted(
        (each for each in debrief.names if answered is None or each != answered.child),
        key=lambda each: len(debrief.by_child(each)),
    )
    if others and len(debrief.names) > 1 and answered is not None and TalkMove.RELATE not in heard:
        answer = answered.thought.answer if answered.thought else ""
        yield Advice(
            "No turn has asked one child about another's idea yet.",
            f"{others[0]}, {answered.child} says {answer}. Do you agree? Tell {answered.child} why.",
            answered.number,
        )
    if TalkMove.REASONING not in heard:
        yield Advice("No turn has asked for a reason yet.", "How did you come to that? What makes you sure?")
    yield Advice(
        "A discussion is settled by something that all can see, not by the teacher.",
        "How could we find out which of these is so, without anybody telling us?",
    )
    yield Advice(
        "Who says another's idea in their own words has heard it.",
        "Who can say what the other way was, in their own words?",
    )


def _last_answer(debrief: Debrief) -> Spoken | None:
    return next(
        (each for each in reversed(debrief.turns) if each.thought is not None and each.thought.answer), None
    )


def _last_telling(debrief: Debrief) -> Spoken | None:
    """The last turn in which a child told how it does it."""
    told = (each for each in reversed(debrief.by(Who.CHILD)) if each.thought is not None)
    return next(
        (
            each
            for each in told
            if each.thought is not None
            and (each.thought.kind is ThoughtKind.EXPLAIN or each.thought.reason is not None)
        ),
        None,
    )


def _short(turn: Spoken) -> str:
    text = " ".join(turn.text.split())
    if len(text) > LONGEST:
        text = text[:LONGEST].rsplit(" ", 1)[0] + "…"
    return text if text[-1] in ".!?…" else f"{text}."
