"""Runs as JSON: all documents line by line, or the values of each stream in columns."""

from .lines import JSONLinesWriter
from .whole import JSONWriter

__all__ = ["JSONLinesWriter", "JSONWriter"]
