"""Measuring a student: how it talks, whether it errs and learns like a second grader, what it costs."""
