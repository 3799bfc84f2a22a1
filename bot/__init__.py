"""The running bot: a simulated second grader in a chat channel."""
