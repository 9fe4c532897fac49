"""Detectors declared in a file."""
