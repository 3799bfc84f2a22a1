"""Pages to look at, drawn: from what a lesson or a scenario says lies on the table to a picture for a phone."""
