"""Teachers' turns and the problems they ask; problems made and read back."""

from __future__ import annotations

import time
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.student.numbers import plain, say
from bot.student.problems.problems import KINDS, generate, parse, parse_answer

ASKED = [
    # adding and taking away, in signs, words and stories
    ("What is 52 minus 17?", "subtract", (52, 17), "35"),
    ("52-17", "subtract", (52, 17), "35"),
    ("52 – 17 = ?", "subtract", (52, 17), "35"),
    ("52 − 17 =", "subtract", (52, 17), "35"),
    ("What's fifty-two take away seventeen?", "subtract", (52, 17), "35"),
    ("17 from 52", "subtract", (52, 17), "35"),
    ("Can you take 17 away from 52?", "subtract", (52, 17), "35"),
    ("Please subtract 17 from 52.", "subtract", (52, 17), "35"),
    ("Ok, now try 70 - 34.", "subtract", (70, 34), "36"),
    ("How about 70 - 34?", "subtract", (70, 34), "36"),
    ("Great job! Next one: 85 - 39.", "subtract", (85, 39), "46"),
    ("What is the difference between 302 and 145?", "subtract", (302, 145), "157"),
    ("What is 10 less than 46?", "subtract", (46, 10), "36"),
    ("Can you work out 61 take away 28 for me?", "subtract", (61, 28), "33"),
    ("Let's look at 52 - 17 together.", "subtract", (52, 17), "35"),
    ("I want you to solve **52 - 17**.", "subtract", (52, 17), "35"),
    ("What is 4 - 9?", "subtract", (4, 9), "you can't"),
    ("If 50 - 10 is 40, what is 52 - 10?", "subtract", (52, 10), "42"),
    ("What is 52 - 17? How do you know?", "subtract", (52, 17), "35"),
    ("What is 9 + 6? Good. Now what is 52 - 17?", "subtract", (52, 17), "35"),
    ("Sam had 43 stickers and gave away 15. How many are left?", "subtract", (43, 15), "28"),
    ("Sam had forty-three stickers. He gave 15 of them to Bo. How many stickers does Sam have "
     "now?", "subtract",
     (43, 15), "28"),
    ("There were 30 birds on a wire. 12 flew away. How many birds are still "
     "there?", "subtract", (30, 12), "18"),
    ("There are 12 pets. 5 are dogs and the rest are cats. How many cats are "
     "there?", "subtract", (12, 5), "7"),
    ("Maya has 24 shells and Ben has 15 shells. How many more shells does Maya "
     "have?", "subtract", (24, 15), "9"),
    ("What is 9 + 6?", "add", (9, 6), "15"),
    ("9 plus 6 is what?", "add", (9, 6), "15"),
    ("What is forty-six plus ten?", "add", (46, 10), "56"),
    ("What is 10 more than 46?", "add", (46, 10), "56"),
    ("What's double 7?", "add", (7, 7), "14"),
    ("Add 38 and 25.", "add", (38, 25), "63"),
    ("What do you get when you add 5 to 8?", "add", (8, 5), "13"),
    ("What is the sum of 38 and 25?", "add", (38, 25), "63"),
    ("What is 12 + 20 + 5?", "add", (12, 20, 5), "37"),
    ("Tom has 5 red marbles and 6 blue marbles. How many marbles does he have in all?", "add", (5, 6), "11"),
    ("Lily picked 14 apples. Then she picked 9 more. How many apples does she have?", "add", (14, 9), "23"),
    ("Ana has 12. Bo has 5 more than Ana. How many does Bo have?", "add", (12, 5), "17"),
    ("There are 27 kids in our class and 26 next door. How many kids is that?", "add", (27, 26), "53"),
    ("I tape a 5 inch stick and a 3 inch stick together. How long are they together?", "add", (5, 3), "8"),
    ("What is 8 and 6 together?", "add", (8, 6), "14"),
    # what is missing
    ("? + 6 = 15", "missing", (6, 15), "9"),
    ("What number plus 6 equals 15?", "missing", (6, 15), "9"),
    ("6 plus what is 15?", "missing", (6, 15), "9"),
    ("6 + ___ = 15", "missing", (6, 15), "9"),
    ("15 = 6 + [ ]", "missing", (6, 15), "9"),
    ("15 - ? = 9", "missing", (9, 15), "6"),
    ("? - 6 = 9", "missing", (-6, 9), "15"),
    ("Leo had some cookies. Mom gave him 6 more. Now he has 15. How many did he have to start?", "missing",
     (6, 15), "9"),
    ("Leo had some cookies. He ate 6. Now he has 9 left. How many did he have at "
     "first?", "missing", (-6, 9), "15"),
    ("Rosa had 6 beads. She found some more and now she has 15. How many did she "
     "find?", "missing", (6, 15), "9"),
    ("Kai has 8 dollars. He needs 15 dollars. How many more dollars does he need?", "missing", (8, 15), "7"),
    ("8 + 4 = _ + 5", "equation", (8, 4, 5), "7"),
    ("What goes in the box? 8 + 4 = □ + 5", "equation", (8, 4, 5), "7"),
    ("Eight plus four is the same as what plus five?", "equation", (8, 4, 5), "7"),
    ("5 + ? = 8 + 4", "equation", (8, 4, 5), "7"),
    # numbers
    ("Which is bigger, 398 or 412?", "compare-numbers", (398, 412), "412"),
    ("398 or 412, which one is greater?", "compare-numbers", (398, 412), "412"),
    ("Which number is less: 398 or 412?", "compare-numbers", (398, 412), "398"),
    ("Is 398 greater than 412?", "compare-numbers", (398, 412), "no"),
    ("Which symbol goes between 398 and 412?", "compare-numbers", (398, 412), "<"),
    ("What is the 1 in 16 worth?", "digit-value", (1, 16), "10"),
    ("Look at the number 16. What does the 1 stand for?", "digit-value", (1, 16), "10"),
    ("Write three hundred six in numbers.", "write-number", (306,), "306"),
    ("Our school has five hundred twelve kids. Can you write that number?", "write-number", (512,), "512"),
    ("What does the 8 mean in 83?", "digit-value", (8, 83), "80"),
    ("Ms. Lee has 20 bundles of ten straws. How many straws is that?", "unit-tens", (20, 10), "200"),
    ("Mia has read to page 209. What page is next?", "next-number", (209, 1), "210"),
    ("How do you write two hundred forty-five with digits?", "write-number", (245,), "245"),
    ("What comes after 109?", "next-number", (109, 1), "110"),
    ("What number comes right before 100?", "next-number", (100, -1), "99"),
    ("What number is between 58 and 60?", "next-number", (58, 1), "59"),
    ("107, 108, 109, what comes next?", "next-number", (109, 1), "110"),
    ("What number is 30 tens?", "unit-tens", (30, 10), "300"),
    ("How many ones is thirty tens?", "unit-tens", (30, 10), "300"),
    ("What number is 4 tens and 6 ones?", "unit-tens", (4, 10, 6, 1), "46"),
    ("How many tens are in 46?", "tens-ones", (46, 10), "4"),
    ("How many tens and ones are in 46?", "tens-ones", (46, 0), "4 tens and 6 ones"),
    ("How many tens make 100?", "tens-ones", (100, 10), "10"),
    ("Is 14 even or odd?", "even-odd", (14,), "even"),
    ("Think about 7. Is it odd or even?", "even-odd", (7,), "odd"),
    ("Can you count by fives from 15?", "skip-count", (15, 5, 3), "20, 25, 30"),
    ("What comes next: 5, 10, 15?", "skip-count", (15, 5, 1), "20"),
    ("2, 4, 6, ___", "skip-count", (6, 2, 1), "8"),
    ("Count by 10s to 50.", "skip-count", (0, 10, 5), "10, 20, 30, 40, 50"),
    # stories of two kinds, groups
    ("Ana has 12 stickers. That is 5 more than Bo. How many does Bo have?", "more-story", (12, 5), "7"),
    ("Ana has 12, which is 5 fewer than Bo has. How many does Bo have?", "more-story", (12, -5), "17"),
    ("Ben had 20 cents. He found 15 cents and then he spent 10 cents. How many cents does he have "
     "now?", "two-step",
     (20, 15, -10), "25"),
    ("What is 12 + 5 - 3?", "two-step", (12, 5, -3), "14"),
    ("There are 3 rows of 4 chairs. How many chairs are there?", "array", (3, 4), "12"),
    ("There are 4 bags with 5 apples in each bag. How many apples?", "array", (4, 5), "20"),
    # measuring
    ("The pencil goes from the 1 to the 5 on the ruler. How long is it?", "ruler", (1, 5), "4"),
    ("My crayon starts at 2 and ends at 6 on the inch ruler. How many inches long is "
     "it?", "ruler", (2, 6), "4"),
    ("The short hand is almost on the 4 and the long hand is on the 10. What time is "
     "it?", "clock", (3, 50), "3:50"),
    ("The little hand is on the 3 and the big hand is on the 12. What time does the clock show?", "clock",
     (3, 0), "3:00"),
    ("The long hand points at the 6. The short hand is between 12 and 1. What time is "
     "it?", "clock", (12, 30), "12:30"),
    ("The hour hand is just past the 4 and the minute hand is on the 3. What time is "
     "it?", "clock", (4, 15), "4:15"),
    ("How do you write half past 3?", "clock", (3, 30), "3:30"),
    ("You have 3 dimes and 2 pennies. How many cents is that?", "coins", (0, 3, 0, 2), "32"),
    ("wats 30 + 40", "add", (30, 40), "70"),
    ("Tell me 10 less than 80.", "subtract", (80, 10), "70"),
    ("Add these three numbers for me: 2, 8, and 5", "add", (2, 8, 5), "15"),
    ("Okay mathematician, give me the answer to 11 + 11.", "add", (11, 11), "22"),
    ("What do I need to add to 8 to get to 10?", "missing", (8, 10), "2"),
    ("What comes next? 3, 6, 9, 12, ...", "skip-count", (12, 3, 1), "15"),
    ("Tell me the number that has 5 tens and 3 ones.", "unit-tens", (5, 10, 3, 1), "53"),
    ("There are 24 kids in our class. 13 of them are girls. How many are boys?", "subtract", (24, 13), "11"),
    ("We planted 7 bean seeds and 6 sunflower seeds. How many seeds did we plant?", "add", (7, 6), "13"),
    ("How many legs do 2 dogs have in all? Each dog has 4.", "array", (4, 2), "8"),
    ("My string is 20 centimeters long and I snip off 6 centimeters. How long is it now?", "subtract", (20, 6), "14"),
    ("Count by 2s starting at 2 and stop at 10.", "skip-count", (0, 2, 5), "2, 4, 6, 8, 10"),
    ("Show me how you would write seventy-two using digits.", "write-number", (72,), "72"),
    ("How much money is a quarter, two dimes and one nickel?", "coins", (1, 2, 1, 0), "50"),
    ("7 kids like cats and 4 like dogs. How many more kids like cats?", "bar-graph", (7, 4), "3"),
    ("On the graph 7 chose cats, 4 chose dogs, and 5 chose fish. How many more chose cats than "
     "fish?", "bar-graph",
     (7, 5), "2"),
    ("One rope is 31 inches, one is 25. How much longer is the first "
     "rope?", "compare-lengths", (31, 25), "6"),
    ("Write 35 cents with a dollar sign.", "write-cents", (35,), "$0.35"),
    ("Which is bigger, a half or a fourth?", "compare-shares", (2, 4), "a half"),
    ("Which piece is smaller, 1/3 or 1/2 of the pizza?", "compare-shares", (3, 2), "a third"),
]  # fmt: skip

BEYOND = [
    "What is 6 x 7?",
    "What's six times seven?",
    "6 × 7 = ?",
    "What is 24 ÷ 6?",
    "What is 24 divided by 6?",
    "Can you do 2.5 + 1.5?",
    "What is 20 percent of 50?",
    "What is 1/2 + 1/4?",
    "What is the square root of 16?",
    "Solve for x: x + 5 = 12.",
    "What is 4,562 + 2,789?",
    "There are 6 bags with 7 cookies in each bag. How many cookies?",
    "Share 12 cookies equally with 3 friends. How many does each get?",
    "Which is bigger, 1/8 or 1/6?",
    "What is the area of a rectangle that is 4 by 5?",
]

NOT_ASKED = [
    "There are 5 apples in the picture.",
    "I have 2 minutes.",
    "Turn to page 52.",
    "You have 5 minutes.",
    "I like how you counted 7.",
    "Let's look at the 4 again.",
    "You said 45. Tell me more.",
    "Is 45 right?",
    "52 - 17 is 35.",
    "52 minus 17 equals 35.",
    "52 - 17 = 35",
    "Fifty-two take away seventeen makes thirty-five.",
    "The answer is 35.",
    "How did you get 45?",
    "How do you know that 52 - 17 is 45?",
    "Why is 52 - 17 not 45?",
    "Can you tell me how you solved 52 - 17?",
    "Tell me how you got 45 for 52 - 17.",
    "You did 52 - 17 and you got 45.",
    "Is 52 - 17 really 45?",
    "Check it by adding: does 45 plus 17 get you back to 52?",
    "You have 2 ones. Can you give me 7 ones from just those 2?",
    "Let's build 52 with tens rods and ones. Can you hand me 17 from your pile?",
    "If you had 52 cents and you spent almost 20, would you have 45 left?",
    "Try it on a number line: start at 52 and jump back 10, then back 7 more.",
    "Trade one ten for ten ones.",
    "What do you see on page 12?",
    "What did you have for lunch?",
    "Please do problems 5-7 on page 20.",
    "We will be done in 3-4 minutes, ok?",
    "How many times did you count?",
    "Good morning! It is 9 o'clock.",
    "I see what you did with 52 - 17.",
    "6 is an even number.",
    "How do you know 14 is even?",
    "That one is bigger.",
    "Which one do you like?",
    "My brother is 8 and my sister is 5.",
    "When we do 52 - 17 we start with the ones.",
    "No, 8 + 4 is 12 and 7 + 5 is 12.",
    "Write 2 sentences about your dog.",
    "What time do we go to recess?",
    "You got 3 of them!",
    "Remember, ten ones make one ten.",
    "Do you want to take a break for 5 minutes?",
    "Are you sure? I think it's 46.",
    "Can you show me with the blocks?",
    "For 67 minus 42, do you have to trade a ten?",
    "In 7 - 2, can you switch the 7 and the 2 and get the same answer?",
    "If I add 10 to 35, which digit stays the same?",
    "When you do 52 - 17, what do you do first?",
    "On the graph, purple has 8 and green has 5. Who got the most votes?",
    "You said 8, 9, 10. How many hops did the frog really make?",
    "Put 8 dots on the ten frame and then 3 more. How many fill it up?",
    "Where would 150 go, if 200 comes right after 109?",
    "Show me 3 tens with blocks. Is it only three, or is it more?",
    "",
    "?",
    "= _",
]

ANSWERS = [
    ("The answer is 35", "35"),
    ("I think it's 46", "46"),
    ("Are you sure? I think it's 46.", "46"),
    ("it's thirty-five", "35"),
    ("52 - 17 is 35.", "35"),
    ("52 minus 17 equals 35", "35"),
    ("52 - 17 = 35", "35"),
    ("It's not 45, it's 35.", "35"),
    ("No, 35.", "35"),
    ("35 is the right answer.", "35"),
    ("You should get 35.", "35"),
    ("There are 35 stickers left.", "35"),
    ("Isn't it 46?", "46"),
    ("It's even.", "even"),
    ("It is 3:50.", "3:50"),
    ("It's 3 o'clock.", "3:00"),
    ("It's half past 3.", "3:30"),
    ("The answer is $0.35.", "$0.35"),
    ("It's 32 cents.", "32"),
    ("I think it's one half.", "a half"),
    ("The answer is a quarter.", "a fourth"),
    ("It's worth 10.", "10"),
    ("The 1 is worth 10.", "10"),
    ("It goes 20, 25, 30. The answer is 20, 25, 30.", "20, 25, 30"),
    ("There are 5 apples in the picture.", None),
    ("What is 52 minus 17?", None),
    ("Is 45 right?", None),
    ("45 is not right.", None),
    ("It's not 45.", None),
    ("You said 45. Tell me more.", None),
    ("You say it's odd because it starts with a 1.", None),
    ("Make 8 and 3 with cubes and count them all.", None),
    ("Are 38 and 25 together more than 100?", None),
    ("8 and 3 make 11.", "11"),
    ("Could it be 46?", "46"),
    ("Turn to page 52.", None),
    ("You have 5 minutes.", None),
    ("Let's look at the 4 again.", None),
    ("Good job!", None),
]


@pytest.mark.parametrize(("text", "kind", "numbers", "right"), ASKED)
def test_a_problem_is_read_from_the_teachers_words(
    text: str, kind: str, numbers: tuple[int, ...], right: str
) -> None:
    problem = parse(text)
    assert problem is not None
    assert (problem.kind, problem.numbers, problem.right) == (kind, numbers, right)
    assert problem.text == text


@pytest.mark.parametrize("text", BEYOND)
def test_what_second_grade_does_not_teach_has_no_right_answer(text: str) -> None:
    problem = parse(text)
    assert problem is not None
    assert (problem.kind, problem.right) == ("beyond", "")


@pytest.mark.parametrize("text", NOT_ASKED)
def test_a_turn_that_asks_no_problem(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(("text", "answer"), ANSWERS)
def test_the_answer_a_statement_names(text: str, answer: str | None) -> None:
    assert parse_answer(text) == answer


PIECES = st.sampled_from(
    "what is how many 52 17 - + = _ ? . , 1/2 rows of tens ones and or bigger the short hand long "
    "on 10 dimes count "
    "by fives even odd some more than Bo gave away left write cents $ ruler from to each % x one "
    "hundred ² ٣ \n".split(" ")
)


@given(st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=30).map(" ".join)))
@settings(max_examples=400, deadline=None)
def test_no_text_makes_the_parser_fail(text: str) -> None:
    problem = parse(text)
    assert problem is None or problem.kind in KINDS
    parse_answer(text)


@pytest.mark.parametrize(
    "text", ["9" * 20_000 + " + 1?", "5 - " * 5_000, "_ " * 5_000, " " * 5_000, "(" * 5_000, "ten " * 5_000]
)
def test_a_hostile_text_is_read_fast(text: str) -> None:
    start = time.perf_counter()
    parse(text)
    parse_answer(text)
    assert time.perf_counter() - start < 1


@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 10**9))
@settings(max_examples=600, deadline=None)
def test_a_made_problem_reads_back_as_itself(kind: str, seed: int) -> None:
    made = generate(kind, Random(seed))
    assert parse(made.text) == made


def test_the_same_seed_makes_the_same_problem() -> None:
    assert generate("subtract", Random(3)) == generate("subtract", Random(3))


def test_an_unknown_kind_or_bug_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no problem kind 'minus'"):
        generate("minus", Random(1))
    with pytest.raises(ValueError, match="'no-carry' never shows in 'subtract'"):
        generate("subtract", Random(1), "no-carry")


@given(st.integers(0, 1000))
def test_number_words_read_back(number: int) -> None:
    assert plain(f"what is {say(number)} plus 5") == f"what is {number} + 5"


def test_parsing_takes_less_than_a_millisecond() -> None:
    texts = [text for text, *_ in ASKED] + NOT_ASKED
    best = min(_seconds(texts) for _ in range(3))
    assert best / len(texts) < 0.001


def _seconds(texts: list[str]) -> float:
    start = time.perf_counter()
    for text in texts:
        parse(text)
    return time.perf_counter() - start
