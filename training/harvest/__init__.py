"""From the practice log to training data: a harvest finds candidates, people review them, files come out.

Nothing that no person touched becomes training data.
"""
