"""What the child believes and means to say.

In come scene, state and `Heard`; out go a `Thought` and the state after it. Pure and seeded.
A new rule of the mind goes into `mind.py`, a new figure of how ideas move into `belief.py`.
"""
