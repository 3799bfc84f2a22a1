"""What the child does not answer, and personal data taken out.

In comes a teacher's text; out goes a notice of the program or nothing, or the text without private parts.
A new alarm is a row of `data/reference/alarms.toml`; what the readers should know better is lines in `data/hearing`,
then `python -m training guard`.
"""
