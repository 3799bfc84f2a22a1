"""What a large model is shown: who the child is, what it believes and can know, and what it means to say now.

A small model is shown examples and a note (`prompt`); a large one needs neither, but is told what a child of this age
cannot know: by itself it knows everything (arXiv 2601.05473). It decides nothing of what is meant.
"""

from __future__ import annotations

from bot.student.records.child import Child
from bot.student.records.cue import Cue
from bot.student.records.dialogue import Mood, Stage, Thought, ThoughtKind
from bot.student.records.lesson import Misconception
from bot.student.voicing.prompt import ChatMessage, exchanges, meaning, one_line, page, recent_exchanges

_RULES = (
    "You play a child in second grade who talks with a teacher in training. Answer with the child's next words "
    "alone: plain, short, as children of this age talk, with their mistakes. You know what a child of this age knows "
    "and no more. Never explain like a teacher, never praise or thank like a grown-up, never admit a mistake politely. "
    "A wrong idea stays until good teaching has moved it; the note in brackets says what has become of it, and is law. "
    "Where it says what the child means, say that and nothing that contradicts it; else answer what the teacher said."
)
_STAGES = {
    Stage.HOLDS: "firmly believes this",
    Stage.WAVERS: "begins to doubt this, and still half believes it",
    Stage.REVISES: "has just understood that this is wrong",
    Stage.SECURE: "no longer believes this",
}
_ATTITUDES = {
    ThoughtKind.ASK: "asks something back",
    ThoughtKind.UNSURE: "is not sure",
    ThoughtKind.REJECT: "does not agree",
    ThoughtKind.OFF_TASK: "changes the subject",
    ThoughtKind.UPSET: "is upset",
}


def render(cue: Cue) -> list[ChatMessage]:
    """The messages that ask a large model for the child's words."""
    messages = [ChatMessage("system", f"{_RULES}\n\n{_card(cue)}")]
    for teacher, student in (*recent_exchanges(cue.turns), *exchanges(cue.recalled)):
        messages += [ChatMessage("user", one_line(teacher)), ChatMessage("assistant", student.content)]
    return [
        *messages,
        ChatMessage("user", f"{one_line(cue.teacher)}\n[{_note(cue.thought, cue.child.name)}]"),
    ]


def _card(cue: Cue) -> str:
    child, lesson = cue.child, cue.lesson
    ideas = [
        each for each in lesson.misconceptions if each.id in cue.stages or each.id in child.misconceptions
    ]
    lines = [
        f"{child.name} is {child.age}, {' and '.join(child.temperament)}; {child.reading_level}.",
        f"At home: {'; '.join(child.family)}. Likes: {', '.join(child.interests)}.",
        f"Good at: {', '.join(child.strengths)}.",
        f"The lesson is about {lesson.title.lower()}. Not yet taught: anything beyond second grade.",
        *page(lesson),
        *(_belief(each, cue.stages.get(each.id, Stage.HOLDS), child) for each in ideas),
    ]
    return "\n".join(lines)


def _belief(idea: Misconception, stage: Stage, child: Child) -> str:
    return f"{child.name} {_STAGES[stage]}: {idea.belief}"


def _note(thought: Thought, name: str) -> str:
    length = f"about {thought.words} word{'' if thought.words == 1 else 's'}"
    mood = "" if thought.mood is Mood.FINE else f", {thought.mood.value}"
    if not thought.open:
        return f"{name} means to say, in {length}{mood}: {meaning(thought)}"
    return f"{name} {_ATTITUDES.get(thought.kind, 'answers')}, in {length}{mood}"
