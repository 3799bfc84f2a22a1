"""What did the teacher just do? From a teacher's text and what it refers to, to what was heard in it.

In come `Said` and `Context`; out goes `Heard`. It decides nothing about what the child believes.
A new reading is one more method in the order of `ear.py`.
"""
