"""Runs as CSV files, which every program reads."""

from .writer import CSVWriter

__all__ = ["CSVWriter"]
