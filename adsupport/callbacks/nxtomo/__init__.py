"""NXtomo files: a view over Data Exchange files."""

from .view import nxtomo_view

__all__ = ["nxtomo_view"]
