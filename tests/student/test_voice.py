"""From raw words to a child's: whatever a model says, what comes out is short, plain and the thought."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import wordfreq
from hypothesis import example, given
from hypothesis import strategies as st

from bot.student.numbers import plain as in_digits
from bot.student.records.child import read_children
from bot.student.records.dialogue import Mood, Stage, Thought, ThoughtKind
from bot.student.voicing.common import EVERYDAY, everyday
from bot.student.voicing.prompt import meaning
from bot.student.voicing.voice import Shaped, plain, shape

CHILDREN = read_children(Path(__file__).parents[2] / "data" / "children")
MIA = CHILDREN["mia"]

PIECES = st.sampled_from(
    "**45** __45__ `45` # * - • 1. > | ~~ [link](http://x) (smiles) <b> </s> <|im_end|> $ \\( \\n \n \r\n \t "
    "Student: Teacher: Mia: mia: Assistant: USER: system: Note: forty-five 45 15 7 17 52 0 1,000 4:30 five ten "
    "I think it's because cuz and so but the a ? ! . , ... ; : ' \" “ ” ’ … 😀 ❤️ é ½ ² ٣ 五 \u200d \u202e \x07 \x1b[31m "
    "yes no yeah certainly equals total she-says Mia says that".split(" ")
)
RAW = (
    st.text(max_size=200)
    | st.lists(PIECES, max_size=40).map(" ".join)
    | st.lists(PIECES, max_size=40).map("".join)
)
LINES = st.none() | st.sampled_from(
    ["45", "15", "yes", "no", "sand", "it pours so it's a liquid", "because 7 take away 2 is 5", "9:30", "35 cents"]
) | st.text(max_size=40)  # fmt: skip
THOUGHTS = st.builds(
    Thought,
    kind=st.sampled_from(ThoughtKind),
    answer=LINES,
    reason=LINES,
    misconception=st.none(),
    stage=st.none() | st.sampled_from(Stage),
    words=st.integers(1, 100),
    mood=st.sampled_from(Mood),
)
SEEDS = st.integers(0, 2**31 - 1)


@given(RAW, THOUGHTS, st.sampled_from(sorted(CHILDREN)), RAW, SEEDS)
@example("**", Thought(ThoughtKind.ANSWER, "45"), "mia", "", 0)
@example(", , , , , , , , ,", Thought(ThoughtKind.CHAT, words=1), "mia", "", 0)
@example("and and and and and and and", Thought(ThoughtKind.CHAT, words=1), "eli", "", 0)
def test_any_text_comes_out_short_and_plain(
    text: str, thought: Thought, name: str, teacher: str, seed: int
) -> None:
    shaped = shape(text, thought, CHILDREN[name], teacher=teacher, seed=seed)
    assert isinstance(shaped, Shaped)
    assert not set(shaped.text) & set("\n\r\t*`#|~>\x1b\x07\u202e")
    assert shaped.text.isprintable()
    assert shaped.text or shaped.fault
    most = max(2 * thought.words, thought.words + 6, len(meaning(thought).split()) + 4)
    assert len(shaped.text.split()) <= most
    assert shape(text, thought, CHILDREN[name], teacher=teacher, seed=seed) == shaped


@given(
    RAW,
    st.sampled_from(["45", "7", "15", "120", "3"]),
    st.none() | st.just("because 7 take away 2 is 5"),
    st.sampled_from([ThoughtKind.ANSWER, ThoughtKind.REJECT]),
    st.integers(1, 40),
)
@example("It's 45, I think 35", "45", None, ThoughtKind.ANSWER, 10)
@example("forty-five", "45", None, ThoughtKind.ANSWER, 2)
def test_accepted_words_state_the_answer_and_no_other_number(
    text: str, answer: str, reason: str | None, kind: ThoughtKind, words: int
) -> None:
    thought = Thought(kind, answer=answer, reason=reason, words=words)
    shaped = shape(text, thought, MIA, teacher="What is 52 minus 17?")
    if shaped.fault is not None:
        return
    said = set(re.findall(r"\d+", in_digits(shaped.text)))
    assert answer in said
    assert said <= {answer, *re.findall(r"\d+", reason or "")}


@given(THOUGHTS, st.sampled_from(sorted(CHILDREN)), SEEDS)
def test_plain_words_never_fail(thought: Thought, name: str, seed: int) -> None:
    assert isinstance(plain(thought, CHILDREN[name], seed=seed), str)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("It's **45**!", "45"),
        ("Student: it's 45", "45"),
        ("Mia: it's 45", "45"),
        ("Student: Mia: it's 45", "45"),
        ("Mia: Student: it's 45", "45"),
        ("**Mia:** it's 45", "45"),
        ("*Student:* it's 45", "45"),
        ('"it\'s 45"', "45"),
        ("it's 45\nTeacher: are you sure?", "45"),
        ("\n\n  it's 45", "45"),
        ("it's 45 😀", "45"),
    ],
)
def test_wrapping_is_taken_off(text: str, answer: str) -> None:
    shaped = shape(text, Thought(ThoughtKind.ANSWER, answer=answer, words=3), MIA)
    assert shaped.fault is None
    assert re.sub(r"[.!]", "", shaped.text) == "It's 45"


def test_only_the_childs_own_name_is_taken_for_a_stage_direction() -> None:
    thought = Thought(ThoughtKind.CHAT, words=8)
    for name, child in CHILDREN.items():
        shaped = shape("I like dogs, mia says that too", thought, child)
        assert ("mia says" in shaped.text.lower()) == (name != "mia")
        assert "says" not in shape(f"I like dogs, {child.name} says that", thought, child).text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "***",
        "it's 35",
        "it's 45 or 35",
        "I don't know",
        "As an AI language model, it's 45",
        "it's 45 because that equals 45",
    ],
)
def test_what_is_not_the_thought_cannot_stand(text: str) -> None:
    assert shape(text, Thought(ThoughtKind.ANSWER, answer="45", words=8), MIA).fault


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("45. Because I took it away", "45, because I took it away."),
        ("45. I counted", "45, I counted."),
        ("45) I'm done", "45, I'm done."),
    ],
)
def test_a_number_and_a_full_stop_make_no_list(said: str, shown: str) -> None:
    assert shape(said, Thought(ThoughtKind.ANSWER, answer="45", words=6), MIA).text == shown


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("<think>The child believes 45.\nLet me see: 52 - 17 = 35.</think>\n\nIt's 45.", "It's 45."),
        ("<THINK>hm</THINK>It's 45.", "It's 45."),
        ("The thought is 45, so I say it.\n</think>\nIt's 45.", "It's 45."),
        ("```\nIt's 45.\n```", "It's 45."),
        ("```text\nIt's 45.\n```", "It's 45."),
        ("```It's 45.```", "It's 45."),
        ("It's 45 \u2014 because 7 take away 2 is 5.", "It's 45, because 7 take away 2 is 5."),
        ("Because 7 take away 2 is 5.\n\nSo it's 45.", "Because 7 take away 2 is 5. So it's 45."),
        ("Mia:\nIt's 45.", "It's 45."),
        ("It's 45.\nTeacher: No, it's 35.", "It's 45."),
    ],
)
def test_thinking_aloud_fences_dashes_and_lines_are_no_fault(said: str, shown: str) -> None:
    thought = Thought(ThoughtKind.ANSWER, "45", "because 7 take away 2 is 5", words=9)
    shaped = shape(said, thought, MIA, teacher="What is 52 minus 17?")
    assert (shaped.fault, shaped.text) == (None, shown)


@pytest.mark.parametrize("said", ["<think>It's 45, I should say so", "<think>45</think>", "```\n```"])
def test_thoughts_alone_are_not_spoken(said: str) -> None:
    assert shape(said, Thought(ThoughtKind.ANSWER, "45", words=9), MIA).fault == "empty"
    assert shape(said, Thought(ThoughtKind.CHAT, words=9), MIA).fault == "empty"


def test_the_opposite_yes_or_no_cannot_stand() -> None:
    thought = Thought(ThoughtKind.ANSWER, answer="no", words=2)
    assert shape("yes", thought, MIA).fault
    assert shape("no", thought, MIA).fault is None


def test_yes_will_do_for_yeah() -> None:
    assert shape("yes", Thought(ThoughtKind.CHAT, reason="yeah", words=1), MIA).fault is None
    assert shape("no", Thought(ThoughtKind.CHAT, reason="yeah", words=1), MIA).fault
    assert shape("?", Thought(ThoughtKind.CHAT, reason="yeah", words=1), MIA).fault


def test_ramblings_are_cut() -> None:
    text = "it's 45 and I like it very much and so on and my cat likes it and my dog likes it and then we went home"
    shaped = shape(text, Thought(ThoughtKind.ANSWER, answer="45", words=4), MIA)
    assert shaped.fault is None
    assert len(shaped.text.split()) <= 8


def test_a_spoken_child_is_transcribed_and_a_typed_one_types() -> None:
    thought = Thought(ThoughtKind.ANSWER, answer="45", words=6)
    spoken = [
        shape("i think it's 45", thought, child, seed=1).text
        for child in CHILDREN.values()
        if child.voice == "spoken" and not child.english
    ]
    assert set(spoken) == {"I think it's 45."}
    typed = [child for child in CHILDREN.values() if child.voice == "typed"]
    assert typed
    texts = [
        shape("i think it's 45.", thought, child, seed=seed).text for child in typed for seed in range(40)
    ]
    assert sum(text == text.lower() for text in texts) > 0.8 * len(texts)
    assert all("45" in text for text in texts)


def test_everyday_words_are_those_of_wordfreq() -> None:
    pack = wordfreq.get_frequency_list("en", "small")
    heads = ["i", "it", "we", "o", "qu", "zq"]
    words = [word for bucket in pack for word in bucket if re.fullmatch(r"[a-z]+(?:'[a-z]+)?|\d+", word)]
    tails = [word for bucket in pack[:700:20] for word in bucket[:3] if word[0] in "aehiouy"]
    odd = [f"{head}'{tail}" for head in heads for tail in tails] + ["zorbish", "grandma's", "y'all", "'"]
    numbers = [str(number) for number in (*range(1200), *range(1900, 2100), 31415, 1_000_000)]
    for word in (*words, *odd, *numbers, "007", "05"):
        used = wordfreq.zipf_frequency(word, "en", wordlist="small")
        assert everyday(word) == (used >= EVERYDAY), (word, used)


def test_to_know_everyday_words_takes_no_wordfreq() -> None:
    asked = "import sys\nfrom bot.student.voicing.common import everyday\nprint(everyday('dog'), 'wordfreq' in sys.modules)"
    program = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert program.stdout.split() == ["True", "False"]
