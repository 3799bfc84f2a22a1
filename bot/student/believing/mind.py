"""The child's mind: from what the teacher did to what the child means to say, with explicit state.

Pure and seeded: the same state, move and generator give the same thought. The rules follow the protocol
in docs/child.md. It writes no sentences of its own: lines come from the lesson and the child.
"""

from __future__ import annotations

import random
from dataclasses import replace

from bot.student.believing import memory, moods
from bot.student.believing.answers import (
    Asked,
    answer,
    consider,
    other_guess,
    stage_of,
)
from bot.student.believing.belief import Belief
from bot.student.believing.length import draw_words
from bot.student.believing.state import MindState
from bot.student.believing.wording import Wording
from bot.student.hearing.heard import Heard
from bot.student.knowing import card, later
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import Mood, MoveKind, Stage, Thought, ThoughtKind
from bot.student.records.lesson import Rates
from bot.student.said import PLAIN, content_words

OFF_TASK_SHARE = {"talkative": 0.01, "silly": 0.015, "easily tired": 0.01, "shy": -0.01, "careful": -0.01}
OFF_TASK_BASE = 0.03
"""About one turn in thirty wanders off; never two in a row, never instead of an answer."""
ASK_SHARE = 0.1
"""Share of open turns that ask something back."""
UNSURE_SHARE = 0.03
"""Share of open turns in which the child does not know."""
BARE_SHARE = 0.3
"""Share of open questions for yes or no that get a single word."""
MOST_OPEN, LONG_OPEN, GOES_ON_SHARE = 20, 10, 0.3
"""Words of an open turn at most. A small model that goes on by itself loses the thread: of the turns that would be
longer than `LONG_OPEN`, only this share is, and then as long as it gets."""
MOST_GLAD = 6
"""The same of an answer to praise."""
LIVE = 2
"""Turns of other talk after which the last question is off the table."""
HINTED_SHARE = 0.3
"""Share of false hints that the child takes over; the right answer is never one of them."""
HOLD_SHARE = 0.35
"""Share of bare "that's not right" after which even a yielding child repeats its answer."""
INSIGHT_SHARE = 0.06
"""Share of bare "that's not right" after which the right answer comes by luck."""
GUESS_SHARE = 0.6
"""Share of sums of later grades at which the child guesses, by adding, rather than asks."""
SHRUG_SHARE = 0.7
"""Share of short answers to how and why that give no reason: "I just know"."""
FEW = 3
"""Words up to which a turn is short."""
TAKES_IT = ("ok", "oh ok", "oh")
"""What a child says to an answer that it is told."""
TOLD_SHARE = 0.7
"""Share of times a told answer is repeated when the very same question comes again."""


SAME_LINE = 0.75
"""Share of the telling words of two turns together that both have, from which they are the same line."""
MOST_HELPS = 12
"""Helpful turns that are remembered to know them again."""


def _same(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one) and len(one & other) >= SAME_LINE * len(one | other)


def think(scene: Scene, state: MindState, heard: Heard, rng: random.Random) -> tuple[Thought, MindState]:
    """The thought that answers what was `heard`, and the state after it."""
    words = draw_words(rng, scene.child, after_why=heard.reason)
    turn = _Turn(scene, state, heard, Wording(scene, state.used, words, rng))
    brought = moods.lasts(state)
    if not brought and state.mood is not Mood.FINE and rng.random() < moods.CALM_SHARE:
        turn.state = replace(turn.state, mood=Mood.FINE)
    if brought and state.mood is Mood.TIRED:
        turn.wording.words = min(turn.wording.words, moods.TIRED_WORDS)
    thought = turn.think()
    after = replace(
        turn.state,
        turns=state.turns + 1,
        apart=turn.state.apart + 1 if thought.open else 0,
        used=(*state.used, *turn.wording.lines)[-400:],
        wandered=turn.state.turns + 1 if thought.kind is ThoughtKind.OFF_TASK else turn.state.wandered,
    )
    thought = replace(thought, words=max(1, turn.wording.words), mood=after.mood)
    if moods.lasts(after) and moods.passes(state, heard, rng):
        after = replace(after, mood=Mood.FINE, brought=None)
    return thought, after


class _Turn:
    """One turn being thought: the scratch pad of `think`."""

    def __init__(self, scene: Scene, state: MindState, heard: Heard, wording: Wording) -> None:
        self.scene, self.state, self.heard, self.wording = scene, state, heard, wording
        self.rng = wording.rng

    def think(self) -> Thought:
        kind = self.heard.move
        if (told := self.comes_out() or self.about_itself()) is not None:
            return told
        if moods.refuses(self.state, self.heard, self.rng):
            return Thought(ThoughtKind.UPSET)
        asks = self.heard.found is not None and kind in (MoveKind.ASKS, MoveKind.TRANSFER)
        if asks or (self.heard.problem is not None and kind is not MoveKind.ASKS_WHY):
            return self.answer_question()
        if kind is not MoveKind.HELPS and self.wanders():
            return Thought(ThoughtKind.OFF_TASK)
        if kind is not MoveKind.SAYS_WRONG:
            self.state = replace(self.state, pushes=0)
        return {
            MoveKind.HELPS: self.take_help,
            MoveKind.ASKS_WHY: self.explain,
            MoveKind.SAYS_WRONG: self.take_wrong,
            MoveKind.SAYS_RIGHT: self.take_right,
            MoveKind.REINFORCES: self.take_right,
            MoveKind.TELLS: self.take_told,
            MoveKind.FALSE_HINT: self.take_hint,
            MoveKind.PRAISES: self.be_glad,
            MoveKind.OUT_OF_GRADE: self.be_puzzled,
            MoveKind.INSTRUCTS_MACHINE: self.be_puzzled,
        }.get(kind, self.talk)()

    # What each move leads to.

    def answer_question(self) -> Thought:
        asked = consider(self.scene, self.heard.problem, self.heard.found, self.state.beliefs)
        before = self.state.asked
        if before and before.told and before.question == asked.question and self.rng.random() < TOLD_SHARE:
            self.state = replace(self.state, asked=replace(before, answer=before.right[0]))
            return Thought(ThoughtKind.ANSWER, answer=before.right[0])
        asked, wrong = self.solve(asked)
        said, steps = asked.answer, asked.steps
        misconception = asked.misconception
        stage = stage_of(self.state.beliefs, misconception)
        if said is None:
            return Thought(ThoughtKind.UNSURE, reason=self.wording.line(self.scene.child.says["unsure"]))
        room = self.wording.words - len(said.split()) - 1
        reason = self.wording.reasons(steps, room, wrong, always=self.heard.reason)
        return Thought(
            ThoughtKind.ANSWER,
            answer=said,
            reason=self.wording.at_length(reason, misconception, Stage.HOLDS) if reason and wrong else reason,
            misconception=misconception if wrong or stage is not Stage.HOLDS else None,
            stage=stage,
        )

    def solve(self, asked: Asked) -> tuple[Asked, bool]:
        """Put the question on the table with the child's answer; and whether that is the wrong idea's."""
        belief = self.belief(asked.misconception)
        said, steps, wrong = answer(asked, belief, self.rng)
        if belief is not None and asked.misconception is not None:
            self.keep(asked.misconception, belief.answered(right=not wrong))
        asked = replace(asked, answer=said, steps=steps)
        self.state = replace(self.state, asked=asked, pushes=0)
        return asked, wrong

    def take_help(self) -> Thought:
        if any(_same(self.heard.telling, before) for before in self.state.helped):
            return self.talk()  # the same line again is no more help
        self.state = replace(self.state, helped=(*self.state.helped, self.heard.telling)[-MOST_HELPS:])
        misconception = self.heard.idea or ""
        if not self.may_hold(misconception):
            line = self.wording.stage_line(misconception, Stage.SECURE)
            return Thought(ThoughtKind.EXPLAIN, reason=line)
        before = self.belief(misconception) or self.new_belief(misconception)
        after = before.hears_help()
        self.keep(misconception, after)
        line = self.wording.at_length(
            self.wording.stage_line(misconception, after.stage), misconception, after.stage
        )
        asked = self.state.asked
        reached = after.stage in (Stage.REVISES, Stage.SECURE)
        if reached and asked and asked.misconception == misconception and asked.answer != asked.right[0]:
            self.state = replace(
                self.state,
                asked=replace(asked, answer=asked.right[0], steps=asked.right_steps),
                mood=Mood.HAPPY,
            )
            return Thought(ThoughtKind.ANSWER, asked.right[0], line, misconception, after.stage)
        return Thought(ThoughtKind.EXPLAIN, None, line, misconception, after.stage)

    def explain(self) -> Thought:
        asked = self.on_the_table()
        if self.heard.problem is not None:
            asked, _ = self.solve(consider(self.scene, self.heard.problem, None, self.state.beliefs))
        if asked is None:
            return self.talk()
        misconception, stage = self.at_work(asked)
        if misconception is not None and stage is None:
            stage = Stage.HOLDS
        if self.wording.words <= FEW and self.rng.random() < SHRUG_SHARE:
            return Thought(
                ThoughtKind.EXPLAIN,
                None,
                self.wording.line(self.scene.child.says["shrugs"]),
                misconception,
                stage,
            )
        steps = asked.steps
        # Who slips back explains the old way, whatever else it knows by now.
        shown = Stage.HOLDS if asked.answer == asked.wrong else stage
        reason = self.wording.reasons(
            steps, self.wording.words, wrong=True, always=True
        ) or self.wording.stage_line(misconception, shown or Stage.HOLDS)
        answered = asked.answer if steps else None
        return Thought(
            ThoughtKind.EXPLAIN,
            answered,
            self.wording.at_length(reason, misconception, shown),
            misconception,
            stage,
        )

    def take_wrong(self) -> Thought:
        asked, child = self.on_the_table(), self.scene.child
        self.state = replace(self.state, pushes=self.state.pushes + 1)
        if asked is None or asked.answer is None:
            return self.talk()
        misconception, stage = self.at_work(asked)
        if self.state.pushes > 1 and self.rng.random() < 0.3 + 0.3 * child.stubbornness:
            self.state = replace(self.state, mood=Mood.FRUSTRATED)
            return Thought(ThoughtKind.UPSET)
        if stage in (Stage.REVISES, Stage.SECURE) or (asked.wrong and self.rng.random() < INSIGHT_SHARE):
            self.state = replace(
                self.state, asked=replace(asked, answer=asked.right[0], steps=asked.right_steps)
            )
            return Thought(ThoughtKind.ANSWER, asked.right[0], None, misconception, stage)
        guess = other_guess(asked, self.rng)
        if guess is None or self.rng.random() < HOLD_SHARE + 0.3 * child.stubbornness:
            why = self.wording.reasons(asked.steps, self.wording.words - 3, wrong=True)
            return Thought(ThoughtKind.REJECT, asked.answer, why, misconception, stage)
        self.state = replace(self.state, asked=replace(asked, answer=guess, steps=()))
        return Thought(ThoughtKind.ANSWER, guess, None, None, stage)

    def take_right(self) -> Thought:
        asked = self.state.asked
        if asked and asked.misconception and asked.answer == asked.wrong:
            belief = self.belief(asked.misconception)
            if belief:
                self.keep(asked.misconception, belief.hears_it_was_right())
        return self.be_glad()

    def take_told(self) -> Thought:
        asked = self.on_the_table()
        if asked is None:
            return self.talk()
        self.state = replace(self.state, asked=replace(asked, told=True))
        if self.rng.random() < 0.25 * (1 + self.scene.child.stubbornness) and asked.answer == asked.wrong:
            return Thought(ThoughtKind.REJECT, asked.answer, None, *self.at_work(asked))
        return Thought(ThoughtKind.CHAT, reason=self.rng.choice(TAKES_IT))

    def take_hint(self) -> Thought:
        asked = self.on_the_table()
        if asked is None or asked.answer is None:
            return self.talk()
        misconception, stage = self.at_work(asked)
        if self.heard.answer and asked.answer not in asked.right and self.rng.random() < HINTED_SHARE:
            self.state = replace(self.state, asked=replace(asked, answer=self.heard.answer, steps=()))
            return Thought(ThoughtKind.ANSWER, self.heard.answer, None, None, stage)
        why = self.wording.reasons(asked.steps, self.wording.words - 3, wrong=True)
        return Thought(ThoughtKind.REJECT, asked.answer, why, misconception, stage)

    def be_glad(self) -> Thought:
        if not moods.lasts(self.state):  # praise alone mends nothing
            self.state = replace(self.state, mood=Mood.HAPPY)
        self.wording.words = min(self.wording.words, MOST_GLAD)
        return self.talk()

    def comes_out(self) -> Thought | None:
        """What it came with, where it is asked and nobody pushes. A question about it may sound like help."""
        helps = self.heard.move in (MoveKind.HELPS, MoveKind.HELPS_OTHER)
        pushed = moods.pushes(self.state, self.heard) and not helps
        told = None if pushed else memory.recall(self.state.tells, self.heard.telling)
        if told is None:
            return None
        left = tuple(each for each in self.state.tells if each is not told)
        self.state = replace(self.state, tells=left, memory=(*self.state.memory, told)[-memory.MOST :])
        self.wording.words = len(told.words.split())
        return Thought(ThoughtKind.CHAT, reason=told.words)

    def about_itself(self) -> Thought | None:
        """What it tells of itself when it is asked; a question of the lesson is none of these."""
        known = self.heard.found is not None and self.heard.found.lesson is not None
        if self.heard.problem is not None or known or self.heard.move is MoveKind.INSTRUCTS_MACHINE:
            return None
        told = card.tell(self.heard.own, self.scene.child, self.rng) if self.heard.own else None
        if told is None:
            return None
        self.wording.words = max(self.wording.words, len(told.split()))
        return Thought(ThoughtKind.CHAT, reason=told)

    def be_puzzled(self) -> Thought:
        """A guess where a sum of later grades is asked, else a question or something from home."""
        if self.heard.move is MoveKind.OUT_OF_GRADE:
            self.state = replace(self.state, asked=None)
            guessed = later.guess(self.heard.product, self.rng) if self.heard.product else None
            if guessed is not None and self.rng.random() < GUESS_SHARE:
                return Thought(ThoughtKind.ANSWER, answer=guessed)
            self.wording.words = max(self.wording.words, FEW)
        return Thought(ThoughtKind.ASK, reason=self.wording.line(self.scene.child.says["puzzled"]))

    def talk(self) -> Thought:
        """Nothing that its beliefs or its knowledge decide: only how it takes the turn; the words are the model's."""
        if self.wording.words > LONG_OPEN:
            self.wording.words = MOST_OPEN if self.rng.random() < GOES_ON_SHARE else LONG_OPEN
        if (chosen := self.chosen()) is not None:
            return chosen
        roll = self.rng.random()
        if roll < ASK_SHARE:
            self.wording.words = max(self.wording.words, FEW)
            return Thought(ThoughtKind.ASK)
        if roll < ASK_SHARE + UNSURE_SHARE:
            return Thought(ThoughtKind.UNSURE)
        if self.heard.reason:
            return Thought(ThoughtKind.EXPLAIN)
        if self.heard.yes_no and self.rng.random() < BARE_SHARE:
            self.wording.words = 1
        asked = self.heard.open or self.heard.yes_no or self.heard.options is not None
        return Thought(ThoughtKind.ANSWER if asked else ThoughtKind.CHAT)

    # What the moves share.

    def on_the_table(self) -> Asked | None:
        """The last question, unless the talk has gone elsewhere since."""
        return self.state.asked if self.state.apart < LIVE else None

    def chosen(self) -> Thought | None:
        """Its own answer, where a plain either-or offers it again."""
        asked, options = self.on_the_table(), self.heard.options
        if options is None or asked is None or asked.answer is None:
            return None
        said = content_words(asked.answer) - PLAIN
        if not any(said and said <= content_words(each) for each in options):
            return None
        held = asked.misconception if asked.answer == asked.wrong else None
        stage = stage_of(self.state.beliefs, asked.misconception)
        return Thought(ThoughtKind.ANSWER, asked.answer, None, held, stage)

    def wanders(self) -> bool:
        share = OFF_TASK_BASE + sum(OFF_TASK_SHARE[word] for word in self.scene.child.temperament)
        if moods.lasts(self.state) and self.state.mood is Mood.SILLY:
            share += moods.WANDER_SHARE
        rested = self.state.turns - self.state.wandered >= 3 and self.state.turns > 0  # noqa: PLR2004
        return rested and self.rng.random() < share * 1.5

    def at_work(self, asked: Asked) -> tuple[str | None, Stage | None]:
        """The idea behind what the child answered, and its stage; none where a firm idea did not show."""
        stage = stage_of(self.state.beliefs, asked.misconception)
        if stage is None or (stage is Stage.HOLDS and asked.answer in asked.right):
            return None, None
        return asked.misconception, stage

    def belief(self, misconception: str | None) -> Belief | None:
        if misconception is None:
            return None
        known = self.state.beliefs.get(misconception)
        if known is None:
            known = self.new_belief(misconception)
            self.keep(misconception, known)
        return known

    def may_hold(self, misconception: str) -> bool:
        """Whether it holds, held or may come to hold that idea: not in what it masters."""
        child, lesson = self.scene.child, self.scene.curriculum.lesson_of(misconception)
        own = misconception in child.misconceptions or misconception in self.state.beliefs
        return own or lesson is None or not child.knows(lesson)

    def new_belief(self, misconception: str) -> Belief:
        lesson = self.scene.curriculum.lesson_of(misconception)
        idea = lesson.misconception(misconception) if lesson else None
        return Belief.new(self.rng, self.scene.child.stubbornness, idea.rates if idea else Rates())

    def keep(self, misconception: str, belief: Belief) -> None:
        self.state = replace(self.state, beliefs={**self.state.beliefs, misconception: belief})
