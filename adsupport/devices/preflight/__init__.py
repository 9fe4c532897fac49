"""Look before a run: whether this detector will do, and if not, what is to be changed."""

from .checks import check
from .report import CheckReport, Finding
from .run import PlannedRun

__all__ = ["CheckReport", "Finding", "PlannedRun", "check"]
