"""Consumers of frames."""
