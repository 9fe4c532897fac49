"""Which back-projection is used: numba on all cores, numpy, or cupy on a GPU."""

from __future__ import annotations

import math
import os
from typing import Protocol

import numpy as np

from ...errors import ConfigurationError
from .slice_grid import SliceGrid

__all__ = ["BACKENDS", "BackprojectionSum", "make_sum", "usable_cores", "warm_up"]

#: Names of the backends; the first one is the default.
BACKENDS = ("numba", "numpy", "cupy")


class BackprojectionSum(Protocol):
    """Slices to which filtered rows are added, as each backend has them."""

    def add(self, rows: np.ndarray, angles: np.ndarray) -> None:
        """Add rows (K, S, E), float32 and already weighted, at angles (K,) in degrees."""
        ...

    def slices(self) -> np.ndarray:
        """Return a copy of the slices: (S, Y, X), float32."""
        ...

    def clear(self) -> None:
        """Set all to 0."""
        ...


def usable_cores() -> int:
    """Tell how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def make_sum(
    grid: SliceGrid, backend: str = "numba", threads: int | None = None
) -> BackprojectionSum:
    """Make slices of 0.

    Parameters
    ----------
    grid : SliceGrid
        Their pixels.
    backend : str
        One of :data:`BACKENDS`.
    threads : int, optional
        How many threads numba may use; as many as there are processors by default.

    Returns
    -------
    BackprojectionSum
        It.

    Raises
    ------
    ConfigurationError
        There is no such backend, or what it needs isn't installed; or the slices are larger than
        this computer's memory.
    """
    if backend not in BACKENDS:
        raise ConfigurationError(
            f"backend={backend!r} isn't known.", remedy=f"Use one of {', '.join(BACKENDS)}."
        )
    _check_room(grid)
    if threads is not None and threads < 1:
        raise ConfigurationError(f"threads={threads}: expected at least 1.")
    if backend == "numba":
        try:
            from .numba_sum import NumbaSum
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f"backend='numba' needs {error.name}, which isn't installed.",
                remedy="pip install 'adsupport[recon]', or use backend='numpy', which is slower.",
            ) from error
        return NumbaSum(grid, threads or usable_cores())
    from .array_sum import ArraySum

    if backend == "numpy":
        return ArraySum(grid)
    try:
        import cupy  # pyright: ignore[reportMissingImports]

        return ArraySum(grid, cupy)
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            "backend='cupy' needs cupy, which isn't installed.",
            remedy="Install the cupy package of this computer's CUDA, such as cupy-cuda12x.",
        ) from error


def _check_room(grid: SliceGrid) -> None:
    """Refuse slices that memory can't hold: the system would give it, and end the process later."""
    size = math.prod(grid.shape) * np.dtype(np.float32).itemsize
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not told here
        return
    if size > memory:
        raise ConfigurationError(
            f"Slices of shape {grid.shape} need {size / 2**30:.1f} GiB, and this computer has "
            f"{memory / 2**30:.1f} GiB of memory.",
            remedy="Ask for fewer rows of the detector, or for a region.",
        )


def warm_up(backend: str = "numba") -> None:
    """Let a backend get ready before the first frame comes.

    numba compiles its kernels when they are first used, which takes a second or two; later it
    finds them in its cache.  Call it where nobody waits, not in the RunEngine's thread.

    Parameters
    ----------
    backend : str
        One of :data:`BACKENDS`.

    Raises
    ------
    ConfigurationError
        There is no such backend, or what it needs isn't installed.
    """
    grid = SliceGrid.of(4)
    ends = sum(grid.margins)
    make_sum(grid, backend, 1).add(np.zeros((1, 1, 4 + ends), np.float32), np.zeros(1))
