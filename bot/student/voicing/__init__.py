"""From a thought to a model's prompt, and from a model's raw words to the child's.

In come a `Cue` or raw words; out go messages, or words that may stand. It calls no model.
A new check of a model's words goes into `voice.py`.
"""
