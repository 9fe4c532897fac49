"""One acquisition per trigger, from the put of Acquire to its proven end."""
