"""The ways of training a student: prompts, a cloud job, a local adapter. One way knows nothing of the others."""
