"""Frame accounting: expected, received, dropped, written, and what stands in the file."""
