"""Who the child is: pure code, no I/O but reading `data/`; imports nothing else of `bot`."""
