"""Making better students from reviewed dialogues. It may import bot; bot never imports it."""
