"""Runs and the files they refer to, boxed to travel: whole, checkable, and readable anywhere."""
