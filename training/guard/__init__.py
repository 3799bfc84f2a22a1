"""Training the guard: labelled lines in, the readers of harm, sincere questions and private data out, in one file."""
