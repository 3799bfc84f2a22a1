"""The corpus room: practice dialogues as data. It reads, checks, converts, describes and splits them."""
