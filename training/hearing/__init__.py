"""Training the ear: labelled teachers' turns in, a reader of moves out, published like every other artifact."""
