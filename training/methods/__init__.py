"""The ways of training: dialogues go in, a published version comes out.

A way is files here, one of which makes a `Method`, and its line in `METHODS`; nothing else lists it.
"""

from training.methods.dspy_method import DSPY
from training.methods.lora_method import LORA
from training.methods.method import Method
from training.methods.openai_method import OPENAI

METHODS: tuple[Method, ...] = (DSPY, LORA, OPENAI)
"""All there are, in the order in which they are shown."""
