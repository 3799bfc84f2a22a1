"""Engines: the programs that run a model's weights. They know messages and tokens, no child."""
