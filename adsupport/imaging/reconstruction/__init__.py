"""Slices from projections: filtered back-projection, online and offline, and the rotation axis.

Pure numerics: arrays go in, arrays come out.  numba and cupy are imported when they are used.
"""

from .axis import METRICS, centre_from_pair, centre_from_slices
from .backprojection import BACKENDS, warm_up
from .filters import FILTERS
from .offline import reconstruct
from .streaming import FilteredBackprojection

__all__ = [
    "BACKENDS",
    "FILTERS",
    "METRICS",
    "FilteredBackprojection",
    "centre_from_pair",
    "centre_from_slices",
    "reconstruct",
    "warm_up",
]
