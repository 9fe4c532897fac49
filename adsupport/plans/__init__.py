"""What the user runs: bluesky plans and plan stubs."""

from .accounted import accounted
from .prepare import prepare_count
from .prime import prime_plugin

__all__ = ["accounted", "prepare_count", "prime_plugin"]
