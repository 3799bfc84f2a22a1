"""What any second grader knows; the child's own card; what later grades teach.

In comes a teacher's turn; out go answers that count, the child's own first, or None: surely (`known`), perhaps
(`facts`), of itself (`card`). A new shape of question is one reader in the file of its shape, one line in `known`, and
its questions in tests/student/knowing.
"""
