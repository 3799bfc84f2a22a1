"""Problems with numbers: reading them, the right answer, the way there, and the wrong ways of children.

In come words or numbers; out go problems, answers and steps.
A new kind of problem is one file here and one line in `kinds.py`.
"""
