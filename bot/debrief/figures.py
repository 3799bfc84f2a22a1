"""What can be counted of a teacher's turns: talk moves, questions, asked and told, words. Counts, and no score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.debrief.questions import QuestionKind
from bot.debrief.record import Debrief, Who
from bot.debrief.talkmoves import TalkMove
from bot.student.records.dialogue import MoveKind


@dataclass(frozen=True, slots=True)
class Figures:
    """Turns are named by their numbers. `asked` are the teacher's turns with a question in them, `stated` those
    without, `gave` those that told the answer; `plain` have no talk move. Words and turns are by who spoke, and of each
    child by its name."""

    talk: Mapping[TalkMove, tuple[int, ...]]
    plain: tuple[int, ...]
    questions: Mapping[QuestionKind, tuple[int, ...]]
    asked: tuple[int, ...]
    stated: tuple[int, ...]
    gave: tuple[int, ...]
    words: Mapping[Who, int]
    turns: Mapping[Who, int]
    child_words: Mapping[str, int]
    child_turns: Mapping[str, int]


def count(debrief: Debrief) -> Figures:
    """The figures of one debrief; of the moves and questions only the teacher's own that the child heard."""
    mine = debrief.mine
    by_child = {name: debrief.by_child(name) for name in debrief.names}
    return Figures(
        talk={move: tuple(each.number for each in mine if move in each.talk) for move in TalkMove},
        plain=tuple(each.number for each in mine if not each.talk),
        questions={
            kind: tuple(each.number for each in mine for asked in each.questions if asked is kind)
            for kind in QuestionKind
        },
        asked=tuple(each.number for each in mine if each.questions),
        stated=tuple(each.number for each in mine if not each.questions),
        gave=tuple(each.number for each in mine if each.move is MoveKind.TELLS),
        words={who: sum(each.words for each in debrief.by(who)) for who in Who},
        turns={who: len(debrief.by(who)) for who in Who},
        child_words={name: sum(each.words for each in said) for name, said in by_child.items()},
        child_turns={name: len(said) for name, said in by_child.items()},
    )
