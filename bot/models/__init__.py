"""What gives the child words: models behind one contract. It knows `bot.student`, nothing else of `bot`."""
