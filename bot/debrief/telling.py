"""A debrief in sentences: what is said in a chat, and what the page says alike. It never grades, it points to turns.

It knows the debrief and nothing of platforms; whoever shows it escapes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.debrief.figures import Figures, count
from bot.debrief.questions import QuestionKind
from bot.debrief.record import Chance, Debrief, Missed, Shift, Way, Who
from bot.student.records.dialogue import Stage

QUOTED, QUOTED_WHOLE = 60, 400
"""Characters of a turn that are quoted in a chat, and on a page."""
MOST_TURNS_NAMED = 6
"""Numbers of turns in a row of a chat."""
MOST_MOMENTS = 2
"""Moments of one kind in a chat, the newest ones of most weight; the page has all."""
SITS = {
    Stage.HOLDS: "holds it",
    Stage.WAVERS: "doubts it",
    Stage.REVISES: "sees it the right way, and may slip back",
    Stage.SECURE: "is sure of the right way",
}
_LEFT = {
    Chance.CONFIRMED: "its wrong idea was said to be right",
    Chance.TOLD: "the answer was told, and its idea stayed where it was",
    Chance.OTHER_HELP: "the help was about something other than its idea",
    Chance.WENT_ON: "the talk went on, and its idea was not asked about",
    Chance.UNHEARD: "it told of its thinking, and nothing of it was taken up",
}
LIMITS = (
    "What was heard is read from words alone, by rules and a small trained reader: both err. Put right what is wrong.",
    "Tone, pauses, faces, drawings and what you had in mind are not in a log.",
    "The child is simulated: what moved it may not move a child in your room.",
    "It counts and points; it does not say how good a teacher you are, and nobody is told of it.",
)
"""What a debrief cannot judge."""


def opening(debrief: Debrief) -> str:
    """What it is about, in one line."""
    return f"Your practice with {debrief.child}: {debrief.lesson}"


def rows(debrief: Debrief) -> tuple[tuple[str, str], ...]:
    """The debrief for a chat: what there is to say, each with its turns."""
    figures = count(debrief)
    told = [
        ("Try next", advice(debrief)),
        (f"What moved {debrief.child}", " ".join((*_idea(debrief), *moved(debrief)[-MOST_MOMENTS:]))),
        ("What could have", " ".join(left(debrief, MOST_MOMENTS))),
        ("Talk moves", talk(figures)),
        ("Your questions", asked(figures)),
        ("Words", words(figures)),
    ]
    return tuple((name, text) for name, text in told if text)


def advice(debrief: Debrief) -> str:
    """One thing to try, how it might sound, and what the lesson aims at."""
    if debrief.advice is None:
        return ""
    return f"{reason(debrief)} “{debrief.advice.sentence}” The aim: {debrief.goal}"


def reason(debrief: Debrief, most: int = QUOTED) -> str:
    """What speaks for the one thing to try, up to the sentence itself."""
    found = debrief.advice
    if found is None:
        return ""
    back = (
        f" It showed when {_child(debrief, found.turn)} said {quoted(debrief, found.turn, most)}."
        if found.turn
        else ""
    )
    numbers = " (the numbers are another problem's)" if found.foreign else ""
    return f"{found.why}{back} It might sound like this{numbers}:"


def _idea(debrief: Debrief) -> Iterator[str]:
    """The only idea there is, where what to try does not name it."""
    if len(debrief.ideas) == 1:
        (idea,) = debrief.ideas.values()
        if idea not in advice(debrief):
            yield f"The idea: “{idea}”"


def hint(debrief: Debrief) -> str:
    """What stands below it in a chat, whatever else there is room for."""
    missing = f" {no_answer(debrief.unanswered)}." if debrief.unanswered else ""
    return (
        f"Read from words alone, by rules that err; no score. Conversation {debrief.conversation}.{missing} "
        "Is a move wrong? /student debrief move TURN MOVE puts it right."
    )


def moved(debrief: Debrief, most: int = QUOTED) -> list[str]:
    """What moved a wrong idea, one sentence each, of so many characters of each turn at `most`; nothing where the
    child's mind is not shown."""
    if not debrief.mind or debrief.grown_up:
        return []
    return [_moved(debrief, each, most) for each in debrief.shifts] or ["No wrong idea moved in these turns."]


def _moved(debrief: Debrief, shift: Shift, most: int) -> str:
    if shift.by is not None:
        cause = f"After {quoted(debrief, shift.by, most)}"
    else:
        cause = "After a night" if shift.night else "Between two turns, the log does not say why"
    # Which idea is said where there are several.
    idea = f" (“{debrief.ideas.get(shift.idea, shift.idea)}”)" if len(debrief.ideas) > 1 else ""
    what = {
        Way.FIRMER: "the idea came back: ",
        Way.STAYED: "it took that in, and needs more: ",
        Way.LOOSER: "",
    }
    return f"{cause}, {what[shift.way]}{shift.child or debrief.child} {SITS[shift.after]}{idea}."


def left(debrief: Debrief, count: int | None = None, most: int = QUOTED) -> list[str]:
    """The moments that could have moved the child, one sentence each; at most `count`, the weightiest and newest."""
    weight = list(Chance)
    chosen = sorted(debrief.missed, key=lambda each: (weight.index(each.chance), -each.child))[:count]
    return [_left(debrief, each, most) for each in sorted(chosen, key=lambda each: each.child)]


def _left(debrief: Debrief, missed: Missed, most: int) -> str:
    said, then = quoted(debrief, missed.child, most), quoted(debrief, missed.teacher, most)
    return f"{_child(debrief, missed.child)} said {said}; you went on with {then}: {_LEFT[missed.chance]}."


def talk(figures: Figures) -> str:
    """The talk moves with their turns, those that were not there, too."""
    there = [f"{move.value} {len(found)} ({_turns(found)})" for move, found in figures.talk.items() if found]
    none = [move.value for move, found in figures.talk.items() if not found]
    said = "; ".join([*there, f"no talk move in {len(figures.plain)}"] if figures.plain else there)
    return f"{said or 'none yet'}. " + (f"Not heard: {', '.join(none)}." if none else "All six were heard.")


def asked(figures: Figures) -> str:
    """Questions by kind; how many turns asked, and how many told."""
    kinds = [f"{len(found)} {_kind(kind, len(found))}" for kind, found in figures.questions.items() if found]
    told = f"{len(figures.asked)} of your turns asked, {len(figures.stated)} told"
    gave = f"; the answer was given in {_turns(figures.gave)}" if figures.gave else ""
    return f"{'; '.join(kinds) or 'none'}. {told}{gave}."


def _kind(kind: QuestionKind, count: int) -> str:
    return {
        QuestionKind.REASON: "asks for a reason" if count == 1 else "ask for a reason",
        QuestionKind.ANSWER: "asks for an answer" if count == 1 else "ask for an answer",
    }.get(kind, kind.value)


def words(figures: Figures) -> str:
    """Who spoke how much."""
    parts = [
        f"you {figures.words[Who.YOU]} in {_count(figures.turns[Who.YOU], 'turn')}",
        *(
            f"{name} {said} in {_count(figures.child_turns[name], 'turn')}"
            for name, said in figures.child_words.items()
        ),
    ]
    if figures.turns[Who.OTHER]:
        parts.append(f"others {figures.words[Who.OTHER]} in {_count(figures.turns[Who.OTHER], 'turn')}")
    return ", ".join(parts) + "."


def limits(debrief: Debrief) -> tuple[str, ...]:
    """What this cannot judge, with what is left out here."""
    return tuple(_limits(debrief))


def _limits(debrief: Debrief) -> Iterator[str]:
    yield from LIMITS
    if debrief.grown_up:
        yield "A parent here is a model's own words on a card; whether one would have said that, nobody has looked at."
    if not debrief.mind:
        yield "What the child believed is shown here only to those who may see it."
    if debrief.by(Who.OTHER):
        yield "Other people spoke in this conversation, too: their turns are counted, and not judged."
    if debrief.unanswered:
        yield f"{no_answer(debrief.unanswered)}."
    if debrief.cut:
        yield f"Only the newest {len(debrief.turns)} turns were looked at."


def quoted(debrief: Debrief, number: int, most: int = QUOTED) -> str:
    """A turn by its number and words; somebody else's only by its number."""
    turn = debrief.turn(number)
    if turn.who is Who.OTHER:
        return f"another teacher's turn {number}"
    text = " ".join(turn.text.split())
    if len(text) > most:
        text = text[: most - 1].rsplit(" ", 1)[0] + "…"
    return f"“{text}” (turn {number})"


def no_answer(count: int) -> str:
    """That messages are missing, and why."""
    some = "One message" if count == 1 else f"{count} messages"
    return f"{some} here got no answer, and {'is' if count == 1 else 'are'} not counted"


def _child(debrief: Debrief, number: int) -> str:
    """The name of the child that speaks in that turn."""
    return debrief.turn(number).child or debrief.child


def _turns(numbers: Sequence[int]) -> str:
    different = list(dict.fromkeys(numbers))
    named = ", ".join(map(str, different[:MOST_TURNS_NAMED]))
    return f"turn{'s' * (len(different) > 1)} {named}" + (", …" if len(different) > MOST_TURNS_NAMED else "")


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("s" if number != 1 else "")
