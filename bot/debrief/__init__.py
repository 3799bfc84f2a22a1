"""A word to the teacher after a practice: what its log says of the teacher's turns, with the turn it is about."""
