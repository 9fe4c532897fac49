"""Plans that others are made of: moves, events, cleaning up on every way out."""
