"""Data Exchange files: of tomography runs, and of IOCs that write the format themselves."""

from .finish import FinishedDX, finish_dx
from .layout import PV, Param, write_dx_layout
from .layout_check import check_dx_layout
from .writer import DataExchangeWriter

__all__ = [
    "PV",
    "DataExchangeWriter",
    "FinishedDX",
    "Param",
    "check_dx_layout",
    "finish_dx",
    "write_dx_layout",
]
