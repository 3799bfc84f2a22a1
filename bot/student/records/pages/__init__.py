"""Something to look at in a lesson or a scenario: what is on the page, and the same in words. Nothing is drawn here."""
