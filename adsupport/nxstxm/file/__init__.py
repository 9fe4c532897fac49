"""The finished file: which runs make which entry, and how an entry is written."""
