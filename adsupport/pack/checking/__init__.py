"""Packs being checked: every byte of them, and that their documents can be read."""
