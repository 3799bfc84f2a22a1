"""What everything is said in: dialogues, thoughts, children, lessons, cues, read from files once and checked there.

In come files; out go frozen values. Nothing here decides anything.
A new field of a child or a lesson is added here.
"""
