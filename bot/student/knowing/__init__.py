"""What any second grader knows, whatever lesson is on; what it tells of itself; what later grades teach.

In comes a teacher's question; out go answers that count, the child's own first, or None.
A new shape of question is one reader with examples beside it.
"""
