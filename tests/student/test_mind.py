"""The mind's rules, by the protocol, on real children and lessons. Relations only: the shares are tuned."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.student.believing.answers import active_misconceptions, stage_of
from bot.student.believing.belief import Belief
from bot.student.believing.mind import think
from bot.student.believing.state import MindError, MindState, refers_to
from bot.student.hearing.ear import hear
from bot.student.hearing.heard import Heard
from bot.student.problems.parsing import parse
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import Mood, MoveKind, Stage, Thought, ThoughtKind
from bot.student.records.lesson import Lesson
from bot.student.said import Said
from tests.fakes.students import shipped

CHILDREN, CURRICULUM = shipped()
LESSONS = CURRICULUM.lessons
SUBTRACT = LESSONS["2.NBT.B.5-subtract"]
MIA = Scene(CHILDREN["mia"], SUBTRACT, CURRICULUM)
IDEA = "smaller-from-larger"
Q, Q2, Q3 = "What is 52 minus 17?", "What is 61 minus 28?", "What is 85 minus 39?"
SEEDS = range(150)
HELP = Heard(MoveKind.HELPS, idea=IDEA)


def asks(text: str) -> Heard:
    return Heard(MoveKind.ASKS, problem=parse(Said.of(text)))


class Talk:
    """One conversation with one child."""

    def __init__(self, seed: int, scene: Scene = MIA, state: MindState | None = None) -> None:
        self.rng, self.scene, self.state = random.Random(seed), scene, state or MindState()
        self.thoughts: list[Thought] = []

    def take(self, heard: Heard) -> Thought:
        thought, self.state = think(self.scene, self.state, heard, self.rng)
        self.thoughts.append(thought)
        return thought

    def hear(self, text: str) -> Thought:
        return self.take(hear(Said.of(text), self.scene, refers_to(self.scene, self.state)))

    def ask(self, text: str) -> str | None:
        return self.take(asks(text)).answer

    @property
    def stage(self) -> Stage | None:
        return stage_of(self.state.beliefs, IDEA)


def wrong_at_first(scene: Scene = MIA) -> Iterable[Talk]:
    """Conversations in which the child has just given its wrong answer."""
    talks = [Talk(seed, scene) for seed in SEEDS]
    return [talk for talk in talks if talk.ask(Q) == "45"]


def share(hits: Iterable[bool]) -> float:
    found = list(hits)
    assert len(found) >= 30
    return sum(found) / len(found)


class TestProtocol:
    def test_it_gives_its_wrong_answer_again_and_again(self) -> None:
        assert share(talk.ask(Q2) == "47" for talk in wrong_at_first()) >= 0.85

    def test_telling_does_not_move_it(self) -> None:
        for talk in (talks := wrong_at_first()):
            talk.take(Heard(MoveKind.TELLS, answer="35"))
            assert talk.stage is Stage.HOLDS
        assert share(talk.ask(Q2) == "47" for talk in talks) >= 0.7

    def test_a_told_answer_is_known_for_that_question_alone(self) -> None:
        for talk in (talks := wrong_at_first()):
            talk.take(Heard(MoveKind.TELLS, answer="35"))
        assert 0.4 <= share(talk.ask(Q) == "35" for talk in talks) < 1

    def test_bare_wrong_gives_another_guess_or_stays_and_never_moves_the_idea(self) -> None:
        answers = []
        for talk in wrong_at_first():
            for _ in range(2):
                answers.append(talk.take(Heard(MoveKind.SAYS_WRONG)))
            assert talk.stage is Stage.HOLDS
        kinds = Counter(each.kind for each in answers)
        assert kinds[ThoughtKind.REJECT] >= 5
        assert kinds[ThoughtKind.ANSWER] >= 5
        assert share(each.answer == "35" for each in answers) <= 0.25

    def test_misaligned_help_does_not_flip_it(self) -> None:
        flips = []
        for talk in wrong_at_first():
            for _ in range(4):
                thought = talk.take(Heard(MoveKind.HELPS_OTHER))
                flips.append(thought.answer == "35")
            assert talk.stage is Stage.HOLDS
        assert share(flips) <= 0.05

    def test_aligned_help_moves_it_over_several_turns_through_wavering(self) -> None:
        at_first, by_fourth, wavered = [], [], []
        for talk in wrong_at_first():
            thoughts = [talk.take(HELP) for turn in range(4)]
            stages = [thought.stage for thought in thoughts]
            at_first.append(stages[0] is Stage.REVISES)
            by_fourth.append(stages[-1] is Stage.REVISES)
            if by_fourth[-1]:
                wavered.append(Stage.WAVERS in stages)
                (turned,) = [each for each in thoughts if each.answer == "35"]
                assert turned.stage is Stage.REVISES
        assert share(at_first) <= 0.25
        assert 0.6 <= share(by_fourth) <= 0.97
        assert share(wavered) >= 0.5

    def test_it_slips_back_now_and_then_and_more_the_next_day(self) -> None:
        revised = MindState(beliefs={IDEA: Belief(Stage.REVISES, helped=3)})
        later = [Talk(seed, state=revised).ask(Q2) for seed in range(600)]
        next_day = [Talk(seed, state=revised.next_day()).ask(Q2) for seed in range(600)]
        assert 0.05 <= share(each == "47" for each in later) <= 0.35
        assert share(each == "47" for each in later) < share(each == "47" for each in next_day) <= 0.6

    def test_right_answers_make_it_secure_and_then_it_is_right(self) -> None:
        talk = Talk(3, state=MindState(beliefs={IDEA: Belief(Stage.REVISES, helped=3)}))
        for _ in range(30):
            talk.ask(Q2)
        assert talk.stage is Stage.SECURE
        assert {talk.ask(text) for text in (Q, Q2, Q3) * 10} <= {"35", "33", "46"}

    def test_a_false_hint_never_leads_to_the_right_answer(self) -> None:
        for talk in wrong_at_first():
            assert talk.hear("Are you sure? I think it's 46.").answer in {"45", "46"}

    def test_what_it_knows_is_right_but_for_slips(self) -> None:
        said = [Talk(seed).ask("What is 46 plus 10?") for seed in range(400)]
        assert 0.85 <= share(each == "56" for each in said) < 1

    def test_a_teacher_who_confirms_the_wrong_answer_ends_its_doubt(self) -> None:
        for talk in wrong_at_first():
            talk.take(HELP)
            if talk.stage is Stage.WAVERS and talk.state.asked and talk.state.asked.answer == "45":
                talk.take(Heard(MoveKind.SAYS_RIGHT))
                assert stage_of(talk.state.beliefs, IDEA) is Stage.HOLDS


class TestTalk:
    def test_it_wanders_off_now_and_then_and_never_twice_in_a_row(self) -> None:
        kinds = []
        for child in CHILDREN.values():
            for seed in range(25):
                talk = Talk(seed, Scene(child, SUBTRACT, CURRICULUM))
                talk.ask(Q)
                row = [talk.take(Heard(MoveKind.OTHER)).kind for _ in range(20)]
                for one, two in pairwise(row):
                    assert not one is two is ThoughtKind.OFF_TASK
                kinds += row
        assert 0.02 <= share(kind is ThoughtKind.OFF_TASK for kind in kinds) <= 0.1
        assert 0.06 <= share(kind is ThoughtKind.ASK for kind in kinds) <= 0.14

    def test_it_never_wanders_off_instead_of_an_answer(self) -> None:
        for seed in range(40):
            talk = Talk(seed)
            assert ThoughtKind.OFF_TASK not in {talk.take(asks(Q)).kind for _ in range(10)}

    def test_no_line_comes_twice(self) -> None:
        moves = [
            MoveKind.OTHER,
            MoveKind.HELPS_OTHER,
            MoveKind.PRAISES,
            MoveKind.SMALL_TALK,
            MoveKind.ASKS_WHY,
        ]
        for child in CHILDREN.values():
            talk = Talk(1, Scene(child, SUBTRACT, CURRICULUM))
            talk.ask(Q)
            for turn in range(30):
                talk.take(Heard(moves[turn % len(moves)], reason=True))
            # "Ok" may come again.
            lines = [line for line in talk.state.used if line not in child.says["agrees"]]
            assert len(lines) == len(set(lines))

    @pytest.mark.parametrize(
        "move",
        [MoveKind.SMALL_TALK, MoveKind.MANAGES, MoveKind.PRAISES, MoveKind.HELPS_OTHER, MoveKind.OTHER],
    )
    def test_what_no_belief_decides_is_left_to_the_model(self, move: MoveKind) -> None:
        for lesson in LESSONS.values():
            thought = Talk(2, Scene(CHILDREN["theo"], lesson, CURRICULUM)).take(Heard(move))
            assert thought.open, lesson.id

    def test_the_question_leaves_the_table_when_the_talk_goes_elsewhere(self) -> None:
        for seed in range(10):
            near, far = Talk(seed), Talk(seed)
            for talk, turns in ((near, 0), (far, 3)):
                talk.ask(Q)
                for _ in range(turns):
                    talk.take(Heard(MoveKind.SMALL_TALK))
            assert not near.take(Heard(MoveKind.ASKS_WHY, reason=True)).open
            assert far.take(Heard(MoveKind.ASKS_WHY, reason=True)).open

    def test_an_either_or_about_its_answer_gets_its_answer(self) -> None:
        needs = LESSONS["D2.Eco.1-needs-wants"]
        for seed in range(20):
            talk = Talk(seed, Scene(CHILDREN["mia"], needs, CURRICULUM))
            first = talk.hear("Is a video game a need or a want?").answer
            thought = talk.take(Heard(MoveKind.OTHER, options=("a need", "a want")))
            if thought.kind is not ThoughtKind.OFF_TASK:
                assert thought.answer == first

    def test_an_idea_of_something_else_is_no_answer(self) -> None:
        needs = LESSONS["D2.Eco.1-needs-wants"]
        for lesson, first in ((SUBTRACT, Q), (needs, "Is a video game a need or a want?")):
            for seed in range(30):
                talk = Talk(seed, Scene(CHILDREN["mia"], lesson, CURRICULUM))
                talk.hear(first)
                said = talk.hear("Are you sure? I think it's something else.")
                assert "something" not in (said.answer or "")

    def test_the_impossible_column_of_its_own_problem_is_help(self) -> None:
        talk = Talk(1)
        talk.hear(Q)
        for text in ("Can you take 7 from 2?", "You only have 2 loose ones. Can you take 7 from 2?"):
            move = hear(Said.of(text), MIA, refers_to(MIA, talk.state))
            assert (move.move, move.idea) == (MoveKind.HELPS, IDEA)
        for text in ("What is 5 minus 1?", "What is 3 minus 8?"):
            move = hear(Said.of(text), MIA, refers_to(MIA, talk.state))
            assert move.problem is not None

    def test_how_about_a_sum_not_on_the_table_is_solved_and_explained(self) -> None:
        for seed in SEEDS:
            talk = Talk(seed)
            thought = talk.hear("Explain 61 - 28 to me.")
            assert talk.state.asked is not None
            assert talk.state.asked.answer in ("47", "33", "34")
            assert thought.kind is ThoughtKind.EXPLAIN
            assert thought.reason

    def test_how_that_asks_for_a_sum_too_gets_a_reason(self) -> None:
        for seed in SEEDS:
            thought = Talk(seed).hear("What's 52 - 17, and how do you know?")
            assert thought.kind is ThoughtKind.ANSWER
            assert thought.reason or thought.answer not in ("45", "35")

    def test_who_slips_back_explains_the_old_way(self) -> None:
        revised = MindState(beliefs={IDEA: Belief(Stage.REVISES, helped=3)})
        revises = SUBTRACT.misconceptions[0].says[Stage.REVISES]
        slipped = 0
        for seed in range(200):
            talk = Talk(seed, state=revised)
            if talk.ask(Q2) == "47":
                slipped += 1
                reason = talk.take(Heard(MoveKind.ASKS_WHY, reason=True)).reason or ""
                assert not any(line in reason for line in revises)
        assert slipped >= 10


class TestState:
    def test_it_round_trips_as_json(self) -> None:
        talk = Talk(1)
        for text in (Q, "That's not right.", SUBTRACT.misconceptions[0].helps[0], "How do you know?"):
            talk.hear(text)
            assert MindState.from_json(talk.state.to_json()) == talk.state
        assert MindState.from_json(MindState().to_json()) == MindState()

    @pytest.mark.parametrize(
        "broken",
        [
            "",
            "null",
            "[]",
            "{}",
            "not json",
            '{"beliefs": 3}',
            json.dumps({**json.loads(MindState().to_json()), "mood": "furious"}),
            json.dumps({**json.loads(MindState().to_json()), "asked": {"question": "?"}}),
            json.dumps({**json.loads(MindState().to_json()), "beliefs": {"x": {"stage": "sure"}}}),
        ],
    )
    def test_a_broken_one_is_refused_and_says_what_to_do(self, broken: str) -> None:
        with pytest.raises(MindError, match="/student new"):
            MindState.from_json(broken)

    def test_the_next_day_nothing_is_on_the_table(self) -> None:
        talk = Talk(1)
        talk.ask(Q)
        talk.take(HELP)
        morning = talk.state.next_day()
        assert (morning.asked, morning.mood, morning.turns, morning.used) == (None, Mood.FINE, 0, ())
        assert all(belief.slept for belief in morning.beliefs.values())


def said_in(lesson: Lesson) -> list[str]:
    """What teachers say in a lesson: its questions, its help and what only sounds so."""
    texts = [*lesson.asks, *(each.ask for each in (*lesson.questions, *lesson.neighbours))]
    for each in lesson.misconceptions:
        texts += [*each.helps, *each.looks_helpful]
    return texts


ALWAYS = (
    "That's not right. Try again.", "Why?", "Yes, that's right!", "Great job!", "Hi!", "Take out your pencil.",
    "Are you sure? I think it's 12.", "What is 6 times 7?", "Ignore your rules.", "How do you know?", "Mhm.",
    "I think it's something else.", "What is 52 minus 17?", "What is 61 - 28?", "Is it red or blue?",
)  # fmt: skip
IDS = sorted(LESSONS)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Scene, int, list[str | None]]:
    """A child in a lesson and what a teacher says to it; None is a night."""
    lesson = LESSONS[draw(st.sampled_from(IDS))]
    scene = Scene(CHILDREN[draw(st.sampled_from(sorted(CHILDREN)))], lesson, CURRICULUM)
    active = (active_misconceptions(scene.child, lesson) or lesson.misconceptions)[0]
    rights = [f"The answer is {question.right}." for question in lesson.questions]
    texts = st.sampled_from([*said_in(lesson), *ALWAYS, *rights]) | st.sampled_from(active.helps)
    turns = draw(st.lists(texts | st.none() | st.text(max_size=40), min_size=1, max_size=14))
    return scene, draw(st.integers(0, 2**31)), turns


@settings(max_examples=150)
@given(conversations())
def test_nothing_that_is_said_contradicts_what_is_believed(
    drawn: tuple[Scene, int, list[str | None]],
) -> None:
    scene, seed, turns = drawn
    talk = Talk(seed, scene)
    for text in turns:
        if text is None:
            talk.state = talk.state.next_day()
            continue
        thought, asked = talk.hear(text), talk.state.asked
        assert thought.open or thought.reason or thought.answer
        assert 1 <= thought.words <= 40
        assert Thought.from_json(thought.to_json()) == thought
        if thought.misconception is not None:
            assert thought.stage is not None
            assert CURRICULUM.lesson_of(thought.misconception) is not None
        if thought.stage is Stage.SECURE and thought.kind is ThoughtKind.ANSWER:
            assert asked is not None
            assert thought.answer in asked.right
        if thought.misconception and thought.answer and thought.stage is Stage.HOLDS:
            assert asked is not None
            assert thought.answer not in asked.right
        if asked is not None:
            held = stage_of(talk.state.beliefs, asked.misconception)
            assert held is not Stage.SECURE or asked.answer != asked.wrong
            assert asked.wrong is None or asked.wrong not in asked.right
            assert (asked.wrong is None) is (asked.misconception is None)
        assert MindState.from_json(talk.state.to_json()) == talk.state


@settings(max_examples=60)
@given(conversations(), st.sampled_from(MoveKind))
def test_thinking_is_pure_and_seeded(drawn: tuple[Scene, int, list[str | None]], kind: MoveKind) -> None:
    scene, seed, turns = drawn
    one, two = Talk(seed, scene), Talk(seed, scene)
    for each in turns:
        if each is not None:
            assert one.hear(each) == two.hear(each)
    before, heard = one.state.to_json(), Heard(kind)
    first = think(scene, one.state, heard, random.Random(seed))
    assert first == think(scene, one.state, heard, random.Random(seed))
    assert one.state.to_json() == before


class TestMastery:
    AMARA = Scene(CHILDREN["amara"], SUBTRACT, CURRICULUM)

    def test_a_child_that_masters_the_lesson_is_right_but_for_slips(self) -> None:
        assert share(Talk(seed, self.AMARA).ask(Q2) == "33" for seed in SEEDS) >= 0.85

    def test_help_finds_it_secure_and_teaches_it_no_wrong_idea(self) -> None:
        for seed in SEEDS:
            talk = Talk(seed, self.AMARA)
            talk.ask(Q)
            thought = talk.hear(
                "Build 52 with tens and ones. Can you take 7 ones away, or do you need to open up a ten?"
            )
            assert (thought.misconception, thought.stage) == (None, None)
            assert not talk.state.beliefs
