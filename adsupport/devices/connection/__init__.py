"""Connect everything at once, and say what is missing."""
