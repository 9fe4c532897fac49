"""NXtomo files: of runs as they come, and views over Data Exchange files."""

from .view import nxtomo_view
from .writer import NXtomoWriter

__all__ = ["NXtomoWriter", "nxtomo_view"]
