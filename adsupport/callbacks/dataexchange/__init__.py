"""Tomography runs as Data Exchange files."""

from .writer import DataExchangeWriter

__all__ = ["DataExchangeWriter"]
