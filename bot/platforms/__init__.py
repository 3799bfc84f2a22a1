"""The thin edge: Discord, Slack and the terminal, each translating its own events."""
