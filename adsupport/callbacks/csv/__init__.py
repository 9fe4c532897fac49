"""Runs as CSV files."""
