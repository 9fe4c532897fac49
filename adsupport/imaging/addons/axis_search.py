"""Finds the rotation axis while projections come, and keeps these until it is known."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from ...errors import ConfigurationError, OutputError
from ..reconstruction import centre_from_pair, centre_from_slices

__all__ = ["AxisSearch", "Kept", "axis_of"]

#: Degrees by which two projections may miss half a turn and still be opposite.
_OPPOSITE = 0.05
#: The same, to tell about where the axis is.
_NEARLY = 5.0
#: So many projections are enough to tell good slices from bad ones.
_ENOUGH = 200


@dataclass(frozen=True, slots=True)
class Kept:
    """What is known of a projection that is kept.

    Parameters
    ----------
    angle : float
        Degrees.
    place : int or None
        Which of the planned angles it is.
    """

    angle: float
    place: int | None


class AxisSearch:
    """Keeps the rows of projections in a temporary file, until they tell where the axis is.

    Two projections half a turn apart tell it as soon as the second is there.  Where there are
    none, all of them do at the end: slices are computed for many axes, and the best is taken.

    Parameters
    ----------
    absorption : callable
        Makes line integrals, all finite, of some rows (K, n, W) as the detector gives them, and a
        slice that tells which of its rows these are.
    pair : bool
        Whether two projections are enough: not as long as there are no flats.
    backend : str
        For slices, see `FilteredBackprojection`.

    Attributes
    ----------
    kept : list of Kept
        Of the projections in the file, in their order.
    """

    def __init__(
        self,
        absorption: Callable[[np.ndarray, slice], np.ndarray],
        *,
        pair: bool = True,
        backend: str = "numba",
    ) -> None:
        self.kept: list[Kept] = []
        self._absorption, self._pair, self._backend = absorption, pair, backend
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self._like: tuple[tuple[int, ...], np.dtype[Any]] | None = None
        self._first: np.ndarray | None = None

    def add(self, rows: np.ndarray, angle: float, place: int | None) -> float | None:
        """Keep a projection.

        Parameters
        ----------
        rows : numpy.ndarray
            (rows, W), as the detector gives them.
        angle : float
            Degrees.
        place : int or None
            Which of the planned angles it is.

        Returns
        -------
        float or None
            The axis' column, if this one tells it.

        Raises
        ------
        OutputError
            There's no room for it in the directory of temporary files.
        """
        if self._like is None:
            self._like, self._first = (rows.shape, rows.dtype), rows.copy()
        try:
            self._file.write(np.ascontiguousarray(rows, self._like[1]).data)
            self._file.flush()
        except OSError as error:
            raise OutputError(
                f"Projection {len(self.kept)} can't be kept in {tempfile.gettempdir()} until the "
                f"rotation axis is known: {error.strerror}",
                remedy="Give centre=, then nothing is kept; or make room, or set TMPDIR.",
            ) from error
        self.kept.append(Kept(angle, place))
        return self._centre_with(rows) if self._pair and self._is_opposite(angle) else None

    @staticmethod
    def check_room(size: int) -> None:
        """Make sure that the directory of temporary files has room.

        Parameters
        ----------
        size : int
            Bytes of all projections.

        Raises
        ------
        OutputError
            It hasn't.
        """
        directory = tempfile.gettempdir()
        free = shutil.disk_usage(directory).free
        if size > free:
            raise OutputError(
                f"{size / 2**30:.2f} GiB of projections are kept in {directory} until the rotation "
                f"axis is known, and {free / 2**30:.2f} GiB are free there",
                remedy="Give centre=, then nothing is kept; or fewer rows; or make room, or set "
                "TMPDIR.",
            )

    def find(self) -> float:
        """Find the axis with all that is kept.

        Returns
        -------
        float
            Its column.

        Raises
        ------
        ConfigurationError
            They don't tell it.
        """
        if self._first is None or len(self.kept) < 3:
            raise ConfigurationError(
                f"{len(self.kept)} projections don't tell where the rotation axis is.",
                remedy="Give centre=, the axis' column on the detector.",
            )
        opposite = [place for place, each in enumerate(self.kept) if self._is_opposite(each.angle)]
        found = self._centre_with(self._read(opposite[0], 1)[0]) if opposite else None
        if found is not None:
            return found
        # the row that shows most of the sample: an empty one tells nothing
        shown = self._absorption(self._first[None], slice(None))[0].std(axis=-1)
        row = int(np.argmax(shown))
        one = slice(row, row + 1)
        lines = [self._absorption(rows[:, one], one)[:, 0] for rows, _ in self.rows()]
        turned = np.array([each.angle for each in self.kept])
        return axis_of(np.concatenate(lines), turned, self._backend)

    def rows(self, together: int = 16) -> Iterator[tuple[np.ndarray, list[Kept]]]:
        """Read what is kept.

        Parameters
        ----------
        together : int
            How many projections at a time.

        Yields
        ------
        numpy.ndarray
            (K, rows, W), as the detector gave them.
        list of Kept
            Of each.
        """
        for begin in range(0, len(self.kept), together):
            some = self.kept[begin : begin + together]
            yield self._read(begin, len(some)), some

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def _is_opposite(self, angle: float) -> bool:
        """Tell whether an angle is half a turn from the first one."""
        return abs(abs(angle - self.kept[0].angle) - 180.0) <= _OPPOSITE

    def _centre_with(self, rows: np.ndarray) -> float | None:
        """Find the axis with the first projection and one half a turn from it."""
        if self._first is None:
            return None
        pair = self._absorption(np.stack([self._first, rows]), slice(None))
        try:
            return centre_from_pair(pair[0], pair[1])
        except ConfigurationError:  # they show nothing: all together may
            return None

    def _read(self, begin: int, number: int) -> np.ndarray:
        if self._like is None:
            return np.empty((0, 0, 0))
        shape, dtype = self._like
        size = math.prod(shape) * dtype.itemsize
        self._file.seek(begin * size)
        return np.frombuffer(self._file.read(number * size), dtype).reshape(number, *shape)


def axis_of(rows: np.ndarray, angles: np.ndarray, backend: str = "numba") -> float:
    """Find the axis with one row of the detector in all projections.

    Two projections that are almost opposite tell about where it is; slices are tried around there,
    and everywhere when there is none, or nothing good is found.

    Parameters
    ----------
    rows : numpy.ndarray
        (N, W), line integrals.
    angles : numpy.ndarray
        (N,), degrees.
    backend : str
        For slices.

    Returns
    -------
    float
        Its column.

    Raises
    ------
    ConfigurationError
        They don't tell it.
    """
    once = np.flatnonzero(np.abs(angles - angles[0]) < 180.0)  # more would tell less, not more
    used = once[:: max(1, len(once) // _ENOUGH)]
    width = rows.shape[1]
    turned = np.abs(np.abs(angles - angles[0]) - 180.0)
    nearest = int(np.argmin(turned))
    if turned[nearest] < _NEARLY:
        reach = max(4.0, width / 64)
        try:
            about = centre_from_pair(rows[0], rows[nearest])
            search = max(0.0, about - reach), min(width - 1.0, about + reach)
            return centre_from_slices(rows[used], angles[used], search, backend=backend)
        except ConfigurationError:
            pass  # it isn't there
    return centre_from_slices(rows[used], angles[used], backend=backend)
