"""What the user runs: bluesky plans and plan stubs."""

from .prepare import prepare_count
from .prime import prime_plugin

__all__ = ["prepare_count", "prime_plugin"]
