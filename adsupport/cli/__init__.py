"""The ``adsupport`` command: one module per command."""

from adsupport.cli.app import app, main

__all__ = ["app", "main"]
