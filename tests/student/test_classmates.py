"""Children who sit together: each hears the teacher and minds its own ideas; what another says moves nobody."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from bot.student import classmates, student
from bot.student.believing.belief import Belief
from bot.student.believing.minds import Minds
from bot.student.believing.state import MindError, MindState
from bot.student.class_talk import Floor
from bot.student.classmates import Line
from bot.student.records.cue import Cue
from bot.student.records.curriculum import Scene
from bot.student.records.dialogue import Role, Stage, Thought, ThoughtKind, Turn
from bot.student.said import Said
from bot.student.voicing.prompt import render
from tests.fakes.students import shipped

CHILDREN, CURRICULUM = shipped()
LESSON = CURRICULUM.lessons["2.NBT.B.5-subtract"]
IDEA = "smaller-from-larger"
SEATS = ("mia", "owen", "yusuf")
SCENES = tuple(Scene(CHILDREN[each], LESSON, CURRICULUM) for each in SEATS)
NAMES = {each: CHILDREN[each].name for each in SEATS}
HELP = "Say you have 5 tens and 2 ones. Can you hand me 7 ones from just those 2?"
ASKED = "What is 52 minus 17?"


def believing(stage: Stage) -> MindState:
    return MindState(beliefs={IDEA: Belief(stage, needed=4)})


def minds(*stages: Stage) -> Minds:
    return Minds.begin([believing(each) for each in stages])


HELD = minds(Stage.HOLDS, Stage.HOLDS, Stage.SECURE)


def heard(before: Minds, text: str, *speakers: int, told_of: tuple[int, ...] = (), seed: int = 1) -> Minds:
    """All minds after this turn, as the classroom keeps them."""
    said = Said.of(text)
    round_ = classmates.hear(SCENES, before, said, Floor(speakers, told_of), seed)
    after = round_.minds
    for part in round_.parts:
        after = after.spoken(
            part.place, student.spoken(part.turned, said, part.turned.thought.answer or "hm")
        )
    return after


def stages(of: Minds) -> list[Stage]:
    return [each.beliefs[IDEA].stage for each in of.states]


def answers(of: Minds) -> list[str | None]:
    return [each.asked.answer if each.asked else None for each in of.states]


def asked(seed: int = 1) -> Minds:
    """A class in which Owen was asked, and answered wrongly, as Mia would."""
    after = heard(HELD, f"Owen, {ASKED[0].lower()}{ASKED[1:]}", 1, seed=seed)
    assert answers(after) == ["45", "45", "35"]
    return after


def test_a_question_to_one_is_on_everybodys_mind_with_their_own_answer() -> None:
    after = asked()
    assert after.silent == (2, 0, 2)
    assert [each.turns for each in after.states] == [0, 1, 0]
    assert stages(after) == stages(HELD)


def test_teaching_reaches_all_who_hear_it() -> None:
    after = heard(asked(), f"Owen, {HELP}", 1)
    assert stages(after) == [Stage.WAVERS, Stage.WAVERS, Stage.SECURE]
    assert [each.beliefs[IDEA].helped for each in after.states[:2]] == [1, 1]


@pytest.mark.parametrize(
    "text",
    [
        "Owen says it's 35. What do you think, Mia?",
        "Do you agree with Yusuf, Mia?",
        "Mia, Yusuf got 35 because he opened a ten into ones. Do you agree?",
    ],
)
def test_what_another_child_says_is_no_teaching(text: str) -> None:
    before = asked()
    other = 1 if "Owen" in text else 2
    after = heard(before, text, 0, told_of=(other,))
    assert stages(after) == stages(before)
    assert answers(after) == answers(before)


def test_who_is_asked_about_anothers_answer_says_its_own() -> None:
    before = asked()
    for place, other, kind, answer in (
        (0, 1, ThoughtKind.ANSWER, "yes"),
        (0, 2, ThoughtKind.REJECT, "45"),
        (2, 1, ThoughtKind.REJECT, "35"),
    ):
        said = Said.of(f"Do you agree with {CHILDREN[SEATS[other]].name}?")
        (part,) = classmates.hear(SCENES, before, said, Floor((place,), (other,)), 1).parts
        assert (part.turned.thought.kind, part.turned.thought.answer) == (kind, answer)
        if place == 0:
            assert (part.turned.thought.misconception, part.turned.thought.stage) == (IDEA, Stage.HOLDS)


def test_who_sees_it_another_way_has_another_answer() -> None:
    before = asked()
    for text in ("Who sees it another way?", "Does anyone have a different answer?", "Who disagrees?"):
        for seed in range(10):
            floor = classmates.addressed(SCENES, before, Said.of(text), seed)
            assert floor == Floor((2,), (1,), free=True)
            (part,) = classmates.hear(SCENES, before, Said.of(text), floor, seed).parts
            assert (part.turned.thought.kind, part.turned.thought.answer) == (ThoughtKind.REJECT, "35")
    alike = before.spoken(2, replace(before.states[2], asked=before.states[1].asked))
    drawn = {
        classmates.addressed(SCENES, alike, Said.of("Who disagrees?"), seed).speakers for seed in range(40)
    }
    assert drawn == {(0,), (1,)}


def test_what_is_said_to_anothers_face_reaches_only_that_child() -> None:
    before = asked()
    after = heard(before, "No, that is not right.", 1)
    assert [each.pushes for each in after.states] == [0, 1, 0]
    assert heard(before, "Yes, that's right!", 2).states[0].beliefs == before.states[0].beliefs


def test_a_second_one_contradicts_where_its_own_answer_is_another() -> None:
    text, contradicted = Said.of(ASKED), 0
    for seed in range(120):
        round_ = classmates.hear(SCENES, HELD, text, Floor((1,), free=True), seed)
        first, *others = (part.turned.thought for part in round_.parts)
        for thought in others:
            if thought.answer == "yes":
                assert thought.reason == f"I got {first.answer} too"
                continue
            contradicted += 1
            assert thought.kind is ThoughtKind.REJECT
            assert thought.answer != first.answer
            assert thought.words >= classmates.LEAST_NO
    assert 15 < contradicted < 60


def seconds(state: Minds, text: str, given: Floor, seeds: int) -> list[tuple[int, Thought]]:
    """What a second child says of its own accord, with its seat, over so many seeds."""
    rounds = (classmates.hear(SCENES, state, Said.of(text), given, seed) for seed in range(seeds))
    return [(part.place, part.turned.thought) for round_ in rounds for part in round_.parts[1:]]


def test_who_is_asked_with_all_how_they_got_it_tells_its_own_way() -> None:
    said = Said.of("Who can tell us how they got it?")
    assert classmates.heard_by_all(SCENES, said).text == "How did you get that?"
    (part, *_) = classmates.hear(SCENES, asked(), said, Floor((0,), free=True), 3).parts
    assert part.turned.thought.kind is ThoughtKind.EXPLAIN


def test_who_has_the_same_answer_says_so_now_and_then() -> None:
    same = minds(Stage.SECURE, Stage.SECURE, Stage.SECURE)
    found = seconds(same, ASKED, Floor((1,), free=True), 120)
    assert 4 < len(found) < 30
    assert {(each.answer, each.reason) for _, each in found} == {("yes", "I got 35 too")}


def test_who_sees_it_otherwise_speaks_up_where_another_was_called_and_sometimes_says_why() -> None:
    found = seconds(asked(), "Owen, how did you get that?", Floor((1,)), 200)
    assert {place for place, _ in found} == {2}, "Mia has what Owen has, and was not asked"
    assert 8 < len(found) < 60
    assert {(each.kind, each.answer) for _, each in found} == {(ThoughtKind.REJECT, "35")}


def test_a_second_one_gives_its_own_steps_half_of_the_time() -> None:
    found = [each for _, each in seconds(HELD, ASKED, Floor((1,), free=True), 200) if each.answer == "35"]
    why = [each.reason for each in found if each.reason]
    assert 0.2 < len(why) / len(found) < 0.8
    assert all("20" in each or "42" in each or "ten" in each for each in why), why


def test_nobody_takes_up_what_is_not_of_the_matter() -> None:
    assert seconds(HELD, "Owen, do you like recess?", Floor((1,)), 60) == []


def test_a_child_that_sits_alone_is_as_ever() -> None:
    """The same thought, state and prompt, byte for byte, as without this room."""
    scene, state = SCENES[0], MindState()
    lines: list[Line] = []
    for number, text in enumerate((ASKED, "Mia, how did you get that?", "Owen says 35.", "Hello Mia!")):
        said = Said.of(text)
        alone = Minds.begin([state])
        floor = classmates.addressed([scene], alone, said, number)
        (part,) = classmates.hear([scene], alone, said, floor, number).parts
        assert part.turned == student.turn(scene, state, said, number)
        assert part.seed == number
        turns, since = classmates.as_heard("mia", lines, {"mia": "Mia"})
        assert (turns, since) == (tuple(each.turn for each in lines), ())
        mine = Cue(scene.child, LESSON, turns, " ".join((*since, text)), part.turned.thought)
        plain = Cue(scene.child, LESSON, tuple(each.turn for each in lines), text, part.turned.thought)
        assert render(mine) == render(plain)
        state = student.spoken(part.turned, said, "45")
        assert alone.spoken(0, state).to_json(["mia"]) == state.to_json()
        assert Minds.from_json(state.to_json(), ["mia"]) == Minds.begin([state])
        lines += [Line(None, Turn(Role.TEACHER, text)), Line("mia", Turn(Role.STUDENT, "45"))]


def test_others_words_stand_in_the_teachers_line() -> None:
    thought = Thought(ThoughtKind.ANSWER, answer="45", words=1)
    lines = [
        Line(None, Turn(Role.TEACHER, ASKED)),
        Line("owen", Turn(Role.STUDENT, "It's 45.", thought=thought)),
        Line("yusuf", Turn(Role.STUDENT, "No, it's 35.")),
        Line(None, Turn(Role.TEACHER, "Mia?")),
        Line("mia", Turn(Role.STUDENT, "45", thought=thought)),
        Line(None, Turn(Role.TEACHER, "Yusuf, why?")),
        Line("yusuf", Turn(Role.STUDENT, "I opened a ten.")),
    ]
    turns, since = classmates.as_heard("mia", lines, NAMES)
    assert [each.content for each in turns] == [
        'Owen says: "It\'s 45." Yusuf says: "No, it\'s 35." Mia?',
        "45",
    ]
    assert since == ("Yusuf, why?", 'Yusuf says: "I opened a ten."')
    shown = render(Cue(CHILDREN["mia"], LESSON, turns, " ".join((*since, "And you, Mia?")), thought))
    assert shown[-1].content.startswith(
        'Teacher: Yusuf, why? Yusuf says: "I opened a ten." And you, Mia?\nSay in 1 word: 45'
    )
    own, _ = classmates.as_heard("owen", lines, NAMES)
    assert [each.content for each in own] == [ASKED, "It's 45."]
    assert own[1].thought == thought


def test_a_long_talk_of_others_leaves_room_for_the_teachers_words() -> None:
    lines = [
        Line(who, Turn(Role.TEACHER if who is None else Role.STUDENT, f"{number} " + "word " * 400))
        for number in range(30)
        for who in (None, "owen")
    ]
    _, since = classmates.as_heard("mia", lines, NAMES)
    assert len(since) == classmates.SAID_BEFORE
    assert sum(map(len, since)) < 300
    assert since[1].startswith('Owen says: "29 word')


def test_minds_are_kept_by_child_and_sleep_at_night() -> None:
    kept = replace(HELD, silent=(0, 3, 1))
    text = kept.to_json(SEATS)
    assert Minds.from_json(text, SEATS) == kept
    assert Minds.from_json(text, ("yusuf", "mia")).states == (kept.states[2], kept.states[0])
    assert stages(kept.next_day()) == [Stage.HOLDS, Stage.HOLDS, Stage.REVISES]
    for wrong, children in (
        (text, ("mia", "zoe")),
        ("{", SEATS),
        ("[]", SEATS),
        (MindState().to_json(), SEATS),
    ):
        with pytest.raises(MindError, match="starts afresh"):
            Minds.from_json(wrong, children)


def test_the_same_of_all_gives_the_same() -> None:
    said, rng = Said.of("What is 61 minus 28?"), random.Random(3)
    for _ in range(10):
        seed = rng.getrandbits(31)
        floor = classmates.addressed(SCENES, HELD, said, seed)
        assert classmates.hear(SCENES, HELD, said, floor, seed) == classmates.hear(
            SCENES, HELD, said, floor, seed
        )
