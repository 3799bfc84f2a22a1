"""A turn rehearsed before anybody comes: what is made at its first use (patterns, lists, tables) is there then.

It knows the child alone; no model is asked, and nothing is kept.
"""

from __future__ import annotations

from bot.student import student
from bot.student.believing.state import MindState
from bot.student.guard import safeguard
from bot.student.hearing.reader import Reads
from bot.student.records.cue import Cue
from bot.student.records.curriculum import Scene
from bot.student.said import Said
from bot.student.voicing import prompt, voice

LINES = (
    "Good morning! I am so glad to see you.",
    "What is 52 minus 17?",
    "How did you get that?",
    "No, the answer is 35. Say you have 6 tens and 1 one. Can you hand me 8 ones?",
    "What do bees make, and why?",
    "Well done. Do you like to read about dogs or cats?",
)
"""One of each sort of thing that teachers say."""
STRANGE = "zorbish"
"""A word that has to be looked up."""


def rehearse(scene: Scene, reader: Reads | None) -> None:
    """Go through a short practice, up to the words. Takes about half a second: call it in a thread."""
    state, child = MindState(), scene.child
    for seed, line in enumerate(LINES):
        text, _ = safeguard.redact(line)
        safeguard.check(text, child.name)
        turned = student.turn(scene, state, Said.of(text), seed, reader)
        prompt.render(Cue(child, scene.lesson, (), text, turned.thought))
        for words in (prompt.meaning(turned.thought), f"{prompt.meaning(turned.thought)} {STRANGE}"):
            shaped = voice.shape(words, turned.thought, child, teacher=text, seed=seed)
            state = MindState.from_json(student.spoken(turned, Said.of(text), shaped.text).to_json())
