"""What a file plugin writes: where, when it is open, and what the documents say of it."""
