"""What any second grader knows, whatever lesson is on (`known`, `facts`); what the child tells of itself (`card`); what
later grades teach (`later`).

In comes a teacher's turn; out go answers that count, the child's own first, or None. A new shape of question is one
reader in the file of its shape, one line in `known`, and its questions in tests/student/knowing.
"""
