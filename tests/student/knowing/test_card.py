"""What a child tells of itself: each way to ask, and every child's own words."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.student.knowing import card
from bot.student.said import Said
from tests.fakes.students import shipped

CHILDREN, CURRICULUM = shipped()


def told(child: str, text: str, seed: int = 1) -> str | None:
    own = card.asked(Said.of(text))
    return card.tell(own, CHILDREN[child], random.Random(seed)) if own else None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("What's your name?", "Mia"),
        ("What is your name, sweetie?", "Mia"),
        ("I forgot your name, I'm so sorry. Who are you?", "Mia"),
        ("And you are?", "Mia"),
        ("What should I call you?", "Mia"),
        ("Sorry, say your name for me one more time?", "Mia"),
        ("Can you tell me your name again?", "Mia"),
        ("What grade are you in?", "second"),
        ("Which grade do you go to?", "second"),
        ("Are you in first or second grade?", "second"),
        ("Are you in first grade or second grade?", "second"),
        ("How old are you now?", "7"),
        ("What's your age?", "7"),
        ("What is your age?", "7"),
        ("Are you seven or eight?", "7"),
        ("Are you six?", "7"),
        ("how old r u", "7"),
        ("whats ur name", "Mia"),
        ("What do your friends call you?", "Mia"),
        ("are you a second grader", "second"),
        ("Have you got any siblings?", "Leo"),
        ("Do you own any animals?", "Pickle"),
    ],
)
def test_it_says_who_it_is(text: str, wanted: str) -> None:
    for seed in range(5):
        assert wanted in (told("mia", text, seed) or "")


@pytest.mark.parametrize(
    ("child", "text", "wanted"),
    [
        ("mia", "Do you have any brothers or sisters?", "I have a big brother, Leo, who is ten"),
        ("theo", "Do you have any sisters?", "I have a big sister, Nora, who is twelve"),
        ("theo", "Do you have a brother?", "no, I have a big sister, Nora, who is twelve"),
        ("eli", "Are you an only child?", "no, just me"),
        ("mia", "Do you have a pet?", "my cat Pickle"),
        ("mia", "Have you got any pets?", "my cat Pickle"),
        ("mia", "Do you have a cat?", "my cat Pickle"),
        ("mia", "Do you have a dog?", "no, just my cat Pickle"),
        ("theo", "What is your pet's name?", "no, I don't have a pet"),
        ("mia", "Does your dad drive the bus for no money?", "my dad drives a bus"),
        ("mateo", "Does your mom like jokes?", "my mom fixes computers"),
        ("mateo", "What's your abuelo like?", "my abuelo tells the same jokes every Sunday"),
        (
            "linh",
            "Where does your grandma live?",
            "my grandma lives with us, and at home we speak Vietnamese",
        ),
        ("owen", "Tell me of your grandpa.", "my grandpa picks me up in a green truck"),
        ("theo", "Tell me of your aunt.", "my aunt takes me to the museum"),
        ("theo", "Tell me of your dad.", "my two dads cook on Sundays"),
        ("ruby", "Did you get to ride with your uncle?", "my uncle has two horses"),
        ("eli", "How old is your cousin?", "my cousin Sam is nine and lives next door"),
        ("zoe", "Does your nana have a photo of a knight?", "my nana teaches me to knit"),
        ("zoe", "Does your mom knit?", "I have two houses, my mom's and my dad's"),
        ("mateo", "Your mom bakes 5 rolls. How many does your mom bake?", None),
        ("mateo", "Your mom was 5 then. Who was older, Sam, or your mom was?", None),
    ],
)
def test_home_is_told_in_its_own_words(child: str, text: str, wanted: str | None) -> None:
    assert told(child, text) == wanted


@pytest.mark.parametrize(
    "text",
    ["Tell me about your family.", "Who lives with you at home?", "Do your parents help you with reading?"],
)
def test_its_family(text: str) -> None:
    families = {told("owen", text, seed) for seed in range(30)}
    assert families == {
        "I have twin baby brothers who wake everybody up",
        "my mom is a nurse and works nights",
        "my grandpa picks me up in a green truck",
    }
    assert told("eli", text, 1) == "just me and my mom and our snail"


@pytest.mark.parametrize(
    "text",
    [
        "What do you like to do at recess?",
        "What do you do for fun?",
        "What's your favorite thing?",
        "What's your favourite thing?",
        "Tell me about yourself.",
    ],
)
def test_what_it_likes(text: str) -> None:
    assert {told("theo", text, seed) for seed in range(30)} == {
        "I like dinosaurs",
        "I like fossils",
        "I like the natural history museum",
        "I like my rock collection",
    }


@pytest.mark.parametrize(
    "text",
    [
        "Who are you in the story?",
        "Who are you in this book?",
        "What do you like as your favorite color?",
        "What would your mom say about it?",
        "Could your dad lift it?",
        "If your dad has 5, who has more?",
        "Is it ten when your dad adds 5?",
        "How big is your dad's bus?",
        "What is the name of the dog that your mom and my mom and her mom and all of them saw?",
        "What grade is it?",
    ],
)
def test_other_talk_is_not_about_it(text: str) -> None:
    assert told("mia", text) is None
    assert told("eli", text) is None


def test_home_is_told_without_the_words_of_others() -> None:
    for child in CHILDREN:
        for seed in range(20):
            for text in ("Tell me about your family.", "Do you have a pet?", "What do you like?"):
                said = told(child, text, seed) or ""
                assert said
                assert not {"her", "his", "she", "he", "they", "them"} & set(said.lower().split())


def test_lessons_seldom_ask_the_child_about_itself() -> None:
    lessons = CURRICULUM.lessons.values()
    asks = [question.ask for lesson in lessons for question in (*lesson.questions, *lesson.neighbours)]
    assert len([ask for ask in asks if told("mia", ask)]) <= 0.005 * len(asks)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=320))
def test_any_text_is_read(text: str) -> None:
    told("zoe", text)
