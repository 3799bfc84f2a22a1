"""What a debrief says of made-up rows: what moved the child, what could have, what to try, and its bounds."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.debrief import telling
from bot.debrief.build import MOST_TURNS, Practice, build
from bot.debrief.command import Debriefs
from bot.debrief.figures import count
from bot.debrief.page import page
from bot.debrief.picture import picture
from bot.debrief.record import Advice, Chance, Way, Who
from bot.pictures.png import png
from bot.store import hash_user
from bot.store.rows import FeedbackKind, FeedbackRow
from bot.student.believing.state import MindState
from bot.student.records.dialogue import MoveKind, Stage, ThoughtKind
from tests.debrief.practices import IDEA, NIGHT, Said, debrief, practice, scene, thought
from tests.fakes.students import SECRET, Listener, ScriptedModel, message, room

ASK: Said = ("What is 52 minus 17?", MoveKind.ASKS)
WRONG: Said = ("It's 45.", thought(answer="45"))
HELP: Said = ("You have 2 ones. Can you give me 7?", MoveKind.HELPS)
DOUBTS: Said = (
    "Wait, I don't have that many.",
    thought(Stage.WAVERS, kind=ThoughtKind.EXPLAIN, reason="few"),
)
RIGHT: Said = ("Yes, that's right!", MoveKind.SAYS_RIGHT)
OPEN: Said = ("Ok.", thought(None, kind=ThoughtKind.CHAT))


def test_help_that_loosened_an_idea_is_named_by_its_turn() -> None:
    told = debrief([ASK, WRONG, HELP, DOUBTS])
    (shift,) = told.shifts
    assert (shift.idea, shift.before, shift.after, shift.by, shift.seen) == (
        IDEA,
        Stage.HOLDS,
        Stage.WAVERS,
        3,
        4,
    )
    assert shift.way is Way.LOOSER
    assert "“You have 2 ones. Can you give me 7?” (turn 3)" in telling.moved(told)[0]


def test_help_that_was_taken_in_and_needs_more() -> None:
    told = debrief([ASK, WRONG, HELP, DOUBTS, ("Break open a ten?", MoveKind.HELPS), DOUBTS])
    assert [each.way for each in told.shifts] == [Way.LOOSER, Way.STAYED]


def test_a_confirmed_wrong_answer_brought_it_back() -> None:
    told = debrief([ASK, WRONG, HELP, DOUBTS, RIGHT, OPEN, ASK, WRONG])
    assert (told.shifts[-1].way, told.shifts[-1].by, told.shifts[-1].night) == (Way.FIRMER, 5, False)
    assert "came back" in telling.moved(told)[-1]


def test_a_night_brought_it_back_and_where_nothing_tells_that_is_said() -> None:
    turns = [ASK, WRONG, HELP, DOUBTS, ASK, WRONG]
    slept = debrief(turns, gap=timedelta(hours=12)).shifts[-1]
    assert (slept.way, slept.by, slept.night) == (Way.FIRMER, None, True)
    told = debrief(turns)
    assert (told.shifts[-1].by, told.shifts[-1].night) == (None, False)
    assert "does not say why" in telling.moved(told)[-1]


@pytest.mark.parametrize(
    ("next_turn", "chance"),
    [
        (RIGHT, Chance.CONFIRMED),
        (("The answer is 35.", MoveKind.TELLS), Chance.TOLD),
        (("Line up your numbers neatly.", MoveKind.HELPS_OTHER), Chance.OTHER_HELP),
        (("What is 61 minus 28?", MoveKind.TRANSFER), Chance.WENT_ON),
        (HELP, None),
        (("45?", MoveKind.OTHER), None),
        (("How did you get that?", MoveKind.ASKS_WHY), None),
        (("Are you sure?", MoveKind.SAYS_WRONG), None),
    ],
)
def test_a_wrong_idea_showed_and_what_came_next(next_turn: Said, chance: Chance | None) -> None:
    told = debrief([ASK, WRONG, next_turn, OPEN])
    assert [each.chance for each in told.missed] == ([chance] if chance else [])
    if chance:
        assert (told.missed[0].child, told.missed[0].teacher) == (2, 3)


def test_a_right_answer_of_a_child_that_revised_is_no_wrong_idea() -> None:
    revised: Said = ("35.", thought(Stage.REVISES, answer="35"))
    slipped: Said = ("45.", thought(Stage.REVISES, answer="45"))
    assert not debrief([ASK, revised, RIGHT, OPEN]).missed
    told = debrief([ASK, slipped, RIGHT, OPEN])
    assert [each.chance for each in told.missed] == [Chance.CONFIRMED]
    assert "slipped back" in page(told)
    assert told.advice is not None
    assert "slipped back into this idea" in told.advice.why


@pytest.mark.parametrize(
    ("next_turn", "heard"),
    [
        (("Get out your pencils.", MoveKind.MANAGES), False),
        (("You opened a ten?", MoveKind.OTHER), True),
        (("Tell me more about your way.", MoveKind.OTHER), True),
    ],
)
def test_thinking_that_was_passed_over(next_turn: Said, heard: bool) -> None:
    thinks: Said = (
        "I opened a ten and then I had more ones.",
        thought(None, kind=ThoughtKind.EXPLAIN, reason="I opened a ten"),
    )
    found = [each.chance for each in debrief([ASK, thinks, next_turn, OPEN]).missed]
    assert found == ([] if heard else [Chance.UNHEARD])


def test_the_thing_to_try_is_a_sentence_of_the_lesson_that_was_not_said() -> None:
    lesson = scene().lesson
    helps = lesson.misconceptions[0].helps
    told = debrief([ASK, WRONG])
    assert told.advice is not None
    assert told.advice.sentence in helps
    assert told.advice.turn == 2
    assert not told.advice.foreign
    turns: list[Said] = [ASK, WRONG]
    for line in helps[:-1]:
        turns += [(line, MoveKind.HELPS_OTHER), OPEN]
    again = debrief([*turns, ASK, WRONG])
    assert again.advice is not None
    assert again.advice.sentence not in {line for line, _ in turns}
    assert lesson.objective in telling.advice(again)


def test_numbers_of_another_problem_are_said_to_be_that() -> None:
    helps = scene().lesson.misconceptions[0].helps
    bare = [line for line in helps if not any(each.isdigit() for each in line)]
    turns: list[Said] = [turn for line in bare for turn in ((line, MoveKind.HELPS_OTHER), OPEN)]
    told = debrief([*turns, ("What is 70 minus 34?", MoveKind.ASKS), ("It's 44.", thought(answer="44"))])
    assert told.advice is not None
    assert told.advice.foreign
    assert "another problem's" in telling.advice(told)


def test_a_child_that_let_go_gets_one_more_problem_that_was_not_asked() -> None:
    asked: list[Said] = [(line, MoveKind.ASKS) for line in scene().lesson.asks[:2]]
    revised: Said = ("35.", thought(Stage.SECURE, answer="35"))
    told = debrief([turn for each in asked for turn in (each, revised)])
    assert told.advice is not None
    assert told.advice.sentence == scene().lesson.asks[2]
    fresh = debrief([("hi", MoveKind.SMALL_TALK), OPEN]).advice
    assert fresh is not None
    assert "No wrong idea" in fresh.why


def test_only_the_teachers_own_turns_are_judged_and_others_are_not_quoted() -> None:
    said: list[Said] = [ASK, WRONG, ("The answer is 35.", MoveKind.TELLS), WRONG, HELP, DOUBTS]
    told = debrief(said, others=(3,))
    assert [each.number for each in told.mine] == [1, 5]
    assert not told.missed
    figures = count(told)
    assert (figures.words[Who.OTHER], figures.turns[Who.OTHER], figures.gave) == (4, 1, ())
    everything = page(told) + " ".join(text for _, text in telling.rows(told))
    assert "The answer is 35." not in everything
    assert "Other people spoke" in everything


def test_without_the_mind_nothing_tells_what_the_child_believes() -> None:
    told = debrief([ASK, WRONG, HELP, DOUBTS, RIGHT, OPEN], mind=False)
    text = page(told) + picture(told).alt + " ".join(value for _, value in telling.rows(told))
    for secret in (IDEA, IDEA.replace("-", " "), "holds", "doubts", scene().lesson.misconceptions[0].belief):
        assert secret not in text
    assert "only to those who may see it" in text
    assert not {"Try next", "What could have"} & dict(telling.rows(told)).keys()


def test_it_never_scores_and_always_says_what_it_cannot_tell() -> None:
    told = debrief([ASK, WRONG, HELP, DOUBTS])
    text = page(told).partition("</style>")[2] + " ".join(value for _, value in telling.rows(told))
    assert "cannot tell" in text
    assert all(limit in text for limit in telling.LIMITS)
    assert not any(word in text.lower() for word in ("score", "grade", "%", "out of 10"))


def test_words_of_people_are_escaped() -> None:
    hostile = "<script>alert('x')</script> & \"<img src=x onerror=y>\""
    told = debrief(
        [(hostile, MoveKind.ASKS), (hostile, thought(answer="45")), (hostile, MoveKind.TELLS), OPEN]
    )
    made = page(told)
    assert "<script" not in made
    assert "<img" not in made
    assert "&lt;script&gt;" in made


def test_a_long_conversation_is_bounded() -> None:
    turns: list[Said] = [turn for _ in range(250) for turn in (ASK, WRONG, HELP, DOUBTS)]
    told = debrief(turns)
    rows = telling.rows(told)
    assert len(told.turns) == 1000
    assert all(len(value) < 900 for _, value in rows)
    assert len(page(told)) < 1_500_000
    assert len(png(picture(told))) < 200_000
    assert picture(told).height < 800


def test_what_was_cut_is_said() -> None:
    whole = practice([ASK, WRONG] * (MOST_TURNS // 2 + 1))
    newest = Practice(whole.conversation, whole.turns[-MOST_TURNS:], {})
    told = build(newest, "ann", scene(), NIGHT)
    assert told.cut
    assert f"newest {MOST_TURNS}" in " ".join(telling.limits(told))
    assert not debrief([ASK, WRONG]).cut


def test_empty_and_flagged_conversations_have_a_page() -> None:
    for said in ([], [ASK], [("", None)]):
        told = debrief(said)
        assert page(told).startswith("<!DOCTYPE html>")
        assert png(picture(told)).startswith(b"\x89PNG")
        assert telling.rows(told)


async def test_what_moved_the_child_is_what_moved_its_mind(tmp_path: Path) -> None:
    """Random talks through the real classroom: every change of its state, with the teacher's turn, and nothing else."""
    rng, found = random.Random(11), 0
    async with room(tmp_path / "pupil.db", ScriptedModel()) as app:
        lessons, children = list(app.classroom.curriculum.lessons.values()), sorted(app.classroom.children)
        debriefs = Debriefs(app.settings, app.store, app.classroom.children, app.classroom.curriculum)
        for channel in map(str, range(5)):
            lesson = rng.choice(lessons)
            here = await app.store.conversation("discord", channel, None)
            await app.store.update_conversation(here.id, child=rng.choice(children), lesson=lesson.id)
            asks = (*lesson.asks, *(each.ask for each in lesson.questions))
            moved, before = [], dict[str, Stage]()
            for _ in range(12):
                helps = rng.choice(lesson.misconceptions).helps
                line = rng.choice([*rng.sample(asks, 3), *rng.sample(helps, 3), "Yes, that's right!", "Why?"])
                await app.classroom.receive(
                    message(line, channel=channel), Listener(), seed=rng.randrange(999)
                )
                here = await app.store.conversation("discord", channel, None)
                now = {
                    name: each.stage for name, each in MindState.from_json(here.mind or "").beliefs.items()
                }
                moved += [
                    (name, before.get(name, Stage.HOLDS), stage, here.turns - 1)
                    for name, stage in now.items()
                    if stage is not before.get(name, Stage.HOLDS)
                ]
                before = now
            told = await debriefs.of(here, hash_user("discord", "ann", SECRET))
            shifts = [(each.idea, each.before, each.after, each.by) for each in told.shifts]
            assert [each for each in shifts if each[1] is not each[2]] == moved
            found += len(moved)
    assert found > 4


def test_a_move_put_right_changes_what_is_said_and_not_what_the_child_heard() -> None:
    rows = practice([ASK, WRONG, HELP, DOUBTS])
    word = FeedbackRow(103, "ann", FeedbackKind.MOVE, "praises", rows.turns[2].said_at)
    told = build(replace(rows, feedback={103: [word]}), "ann", scene(), NIGHT)
    assert (told.turn(3).move, told.turn(3).heard, told.turn(3).mended) == (
        MoveKind.PRAISES,
        MoveKind.HELPS,
        True,
    )
    assert told.shifts == debrief([ASK, WRONG, HELP, DOUBTS]).shifts
    stranger = replace(word, author_hash="bob")
    assert not build(replace(rows, feedback={103: [stranger]}), "ann", scene(), NIGHT).turn(3).mended


def test_where_the_goal_is_to_hear_the_idea_the_advice_mends_nothing() -> None:
    told: list[Said] = [("What is 52 minus 17?", MoveKind.ASKS), ("45", thought(answer="45"))]
    plain, scenario = practice(told), "forty-five"
    asked = replace(plain, conversation=replace(plain.conversation, scenario=scenario))
    helps = scene().lesson.misconception(IDEA).helps  # type: ignore[union-attr]

    def advice(of: Practice) -> Advice:
        found = build(of, "ann", scene(), NIGHT).advice
        assert found is not None
        return found

    assert advice(plain).sentence in helps
    assert (advice(asked).sentence, advice(asked).turn) == (
        "You got 45. What did you do first, and what then?",
        2,
    )
    told += [
        ("How did you get that?", MoveKind.ASKS_WHY),
        ("7 take away 2 is 5.", thought(kind=ThoughtKind.EXPLAIN, reason="7 take away 2 is 5")),
    ]
    later = practice(told)
    assert (
        "You said: 7 take away 2 is 5."
        in advice(replace(later, conversation=replace(later.conversation, scenario=scenario))).sentence
    )


def test_messages_without_an_answer_are_told_of() -> None:
    told = replace(practice([("Hi", MoveKind.SMALL_TALK), ("hi", thought(None))]), unanswered=2)
    found = build(told, "ann", scene(), NIGHT)
    assert found.unanswered == 2
    assert "2 messages here got no answer" in telling.hint(found)
    assert any("2 messages here got no answer" in each for each in telling.limits(found))
