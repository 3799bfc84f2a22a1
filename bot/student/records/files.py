"""Where the tables lie that belong to the program itself, whatever `data` is set to."""

from __future__ import annotations

from pathlib import Path

REFERENCE = Path(__file__).parents[3] / "data" / "reference"
"""What any second grader knows, alarms, weights of small readers: see the files' own heads."""
