"""Filtered back-projection, frame by frame while frames come."""

from __future__ import annotations

import math
import threading
from array import array
from collections.abc import Sequence
from functools import partial

import numpy as np

from ...errors import ConfigurationError, FrameCountError
from .backprojection import BackprojectionSum, make_sum
from .filters import RowFilter
from .flat_field import FlatField
from .normalisation import FrameMean
from .planned_angles import PlannedAngles
from .seen_ids import SeenIds
from .slice_grid import Region, SliceGrid
from .window import WindowedSum

__all__ = ["FilteredBackprojection"]

#: Late flats are put in for so many angles at once.
_TOGETHER = 16


class FilteredBackprojection:
    """Slices of a sample, from parallel-beam projections in any order.

    Each projection is normalised, filtered, added and forgotten.  `picture` may be asked for at any
    time, from any thread.  The result is attenuation per pixel; the geometry is that of
    `slice_grid`.

    Parameters
    ----------
    width : int
        Columns of the detector.
    slices : int
        How many rows of the detector are given, a slice each.
    centre : float or sequence of float, optional
        The axis' column, of all slices or of each; ``width // 2`` by default.
    filter : str
        ``ramp``, ``shepp-logan``, ``cosine``, ``hamming`` or ``hann``.
    region : ((int, int), (int, int)), optional
        Rows and columns of the full slice (width x width) that are wanted, each from its first to
        before its last.
    circle : bool
        Whether what isn't seen from all sides is left 0.
    angles : sequence of float, optional
        Degrees of all projections, as planned.  With them each counts as much as it fills of the
        half circle, and `finish` lets the neighbours of lost ones stand in for these.  Without
        them, all count the same.
    window : float, optional
        Degrees: only the projections of the last so many are in the picture; 180 for a sample that
        turns without end.  All count the same then.
    input : str
        ``counts``, or ``absorption`` when frames are line integrals already.
    flat_scale : float
        The projections' exposure over that of the flats: by it the flats' counts above the dark
        are multiplied.
    backend : str
        ``numba``, ``numpy`` or ``cupy``.
    threads : int, optional
        Of numba; as many as there are processors by default.

    Raises
    ------
    ConfigurationError
        Arguments contradict each other, or what they need isn't installed.

    Notes
    -----
    Darks must come before the first projection, or there are none.  Flats may come after it: as
    ``-log((I - D) / (F - D)) = -log(I - D) + log(F - D)``, and all that follows is linear, `finish`
    adds the second term, for all angles.  The picture is then that of the mean of all flats; until
    then it has rings.  Only pixels that had to be replaced (see `normalisation`) may differ a
    little from those of a run that had its flats first.

    A part of the projections is scaled as if they were all: the picture's mean is right.
    """

    def __init__(
        self,
        width: int,
        slices: int = 1,
        *,
        centre: float | Sequence[float] | np.ndarray | None = None,
        filter: str = "ramp",
        region: Region | None = None,
        circle: bool = True,
        angles: Sequence[float] | np.ndarray | None = None,
        window: float | None = None,
        input: str = "counts",
        flat_scale: float = 1.0,
        backend: str = "numba",
        threads: int | None = None,
    ) -> None:
        if window is not None and angles is not None:
            raise ConfigurationError(
                "Both angles and window are given.",
                remedy="Give no window for planned angles; a sample that turns on has no plan.",
            )
        if window is not None and not 0 < window <= 360:
            raise ConfigurationError(f"window={window}: expected degrees, above 0 up to 360.")
        self.grid = SliceGrid.of(width, slices, centre, region, circle)
        self.shape = (slices, width)
        self._filter = RowFilter(filter, width, *self.grid.margins)
        make = partial(make_sum, self.grid, backend, threads)
        self._window = None if window is None else WindowedSum(make, window)
        self._sum = make() if window is None else None  # a window has sums of its own
        # what is kept for gaps is at most as large as the slices
        _, height, across = self.grid.shape
        held = max(4, height * across // self._filter.length)
        self._plan = None if angles is None else PlannedAngles(angles, held)
        self._field = FlatField(self.shape, input, flat_scale)
        self._seen = SeenIds()
        self._angles, self._weights = array("d"), array("d")  # of what is in the sum
        self._arrival: dict[int, int] = {}  # of places: the index in these
        self._count = 0
        self._finished = False
        self._lock = threading.RLock()

    @property
    def projections(self) -> int:
        """How many have come."""
        return self._count

    @property
    def replaced(self) -> int:
        """How many pixels had no finite absorption and were replaced."""
        return self._field.replaced

    @property
    def darks(self) -> int:
        """How many darks have come."""
        return self._field.darks.count

    @property
    def flats(self) -> int:
        """How many flats have come."""
        return self._field.flats.count

    @property
    def late_flats(self) -> int:
        """How many flats wait for `finish`."""
        return self._field.late_flats

    @property
    def missing(self) -> list[int]:
        """Places of the plan, from 0, that haven't come; empty without planned angles."""
        return [] if self._plan is None else self._plan.missing

    def add_dark(self, rows: np.ndarray | FrameMean) -> None:
        """Take a frame without beam.

        Parameters
        ----------
        rows : numpy.ndarray or FrameMean
            (slices, width), counts; or those of many frames.

        Raises
        ------
        ConfigurationError
            It comes after a projection, has another shape, or projections are line integrals.
        """
        with self._lock:
            self._field.add_dark(rows)

    def add_flat(self, rows: np.ndarray | FrameMean) -> None:
        """Take a frame without sample; those after the projections wait for `finish`.

        Parameters
        ----------
        rows : numpy.ndarray or FrameMean
            (slices, width), counts; or those of many frames.

        Raises
        ------
        ConfigurationError
            It has another shape, or comes after a projection of a window, or projections are
            line integrals.
        """
        with self._lock:
            if self._field.begun and self._window is not None:
                raise ConfigurationError(
                    f"A flat came after {self._count} projections of a sliding window.",
                    remedy="Take flats first, or begin a new reconstruction with the new ones.",
                )
            self._field.add_flat(rows)

    def add(
        self,
        rows: np.ndarray,
        angle: float,
        unique_id: int | None = None,
        place: int | None = None,
    ) -> None:
        """Take a projection.

        Parameters
        ----------
        rows : numpy.ndarray
            (slices, width): the detector's rows of the slices.
        angle : float
            Where it was taken, degrees.
        unique_id : int, optional
            A second one with it is refused.
        place : int, optional
            Which of the planned angles it is, from 0; the nearest that hasn't come by default.

        Raises
        ------
        ConfigurationError
            It has another shape, or an angle that isn't finite.
        FrameCountError
            It came before, or isn't in the plan, or the reconstruction is finished.
        """
        self.add_many(
            np.asarray(rows)[None],
            [angle],
            None if unique_id is None else [unique_id],
            None if place is None else [place],
        )

    def add_many(
        self,
        rows: np.ndarray,
        angles: Sequence[float] | np.ndarray,
        unique_ids: Sequence[int] | None = None,
        places: Sequence[int] | None = None,
    ) -> None:
        """Take some projections at once: none of them when one of them is refused.

        Parameters
        ----------
        rows : numpy.ndarray
            (K, slices, width).
        angles, unique_ids, places
            One for each, as of `add`.

        Raises
        ------
        ConfigurationError
            They have another shape, or an angle that isn't finite.
        FrameCountError
            One came before, or isn't in the plan, or the reconstruction is finished.
        """
        rows = np.asarray(rows)
        turned = np.asarray(angles, np.float64)
        if rows.shape[1:] != self.shape or turned.shape != rows.shape[:1]:
            raise ConfigurationError(
                f"{rows.shape[0]} projections have shape {rows.shape[1:]}, and {turned.size} "
                f"angles; expected {self.shape} (slices, width), and one angle each."
            )
        if not np.isfinite(turned).all():
            raise ConfigurationError(f"An angle isn't finite: {turned[~np.isfinite(turned)][0]}.")
        with self._lock:
            self._check(unique_ids, places, len(turned))
            filtered = self._filter(self._field.absorption(rows))
            for unique_id in unique_ids or ():
                self._seen.add(int(unique_id))
            self._accumulate(filtered, turned, unique_ids, places)
            self._count += len(turned)

    def remove(self, unique_id: int) -> None:
        """Take a projection out of the window.

        Parameters
        ----------
        unique_id : int
            Its id.

        Raises
        ------
        ConfigurationError
            There is no window: what was added isn't kept.
        FrameCountError
            The window doesn't have it.
        """
        if self._window is None:
            raise ConfigurationError(
                f"Projection {unique_id} can't be removed: without a window none is kept.",
                remedy="Give window=180.",
            )
        with self._lock:
            self._window.remove(int(unique_id))

    def picture(self) -> np.ndarray:
        """Show the slices as far as they are known.

        Returns
        -------
        numpy.ndarray
            (slices, Y, X), float32, attenuation per pixel; 0 before the first projection.
        """
        with self._lock:
            if self._window is None:
                total, slices = math.fsum(self._weights), self._plain.slices()
            else:
                total, slices = float(len(self._window)), self._window.slices()
        if total:
            slices *= np.float32(math.pi / total)
        return slices

    def finish(self) -> np.ndarray:
        """Say that no projection comes any more; put in late flats, and fill gaps of the plan.

        More flats may follow, and another `finish`.

        Returns
        -------
        numpy.ndarray
            As `picture`.
        """
        with self._lock:
            self._finished = True
            for place, lacking, rows in self._plan.fill() if self._plan else ():
                at = self._arrival[place]
                self._weights[at] += lacking
                self._plain.add(_weighted(rows[None], [lacking]), np.array([self._angles[at]]))
            if self.late_flats:
                self._put_in_flats()
            return self.picture()

    @property
    def _plain(self) -> BackprojectionSum:
        if self._sum is None:
            raise ConfigurationError("A sliding window has no sum of all projections.")
        return self._sum

    def _check(
        self, unique_ids: Sequence[int] | None, places: Sequence[int] | None, count: int
    ) -> None:
        if self._finished:
            raise FrameCountError(
                f"A projection came after finish(), as number {self._count + 1}.",
                got=self._count + 1,
            )
        for what, given in (("unique_ids", unique_ids), ("places", places)):
            if given is not None and len(given) != count:
                raise ConfigurationError(f"{len(given)} {what} for {count} projections.")
            if given is not None and len(set(given)) != count:
                raise FrameCountError(f"Some {what} are given twice: {list(given)}.")
        for unique_id in unique_ids or ():
            if int(unique_id) in self._seen:
                raise FrameCountError(f"Projection {unique_id} came twice.", got=self._count)
        if self._plan is None:
            if places is not None:
                raise ConfigurationError("Places are given, but no planned angles.")
        elif places is not None:
            for place in places:
                self._plan.check(place)
        elif count > len(self._plan.missing):
            raise FrameCountError(
                f"{self._count + count} projections; the plan has {len(self._plan.angles)}.",
                expected=len(self._plan.angles),
                got=self._count + count,
            )

    def _accumulate(
        self,
        filtered: np.ndarray,
        angles: np.ndarray,
        unique_ids: Sequence[int] | None,
        places: Sequence[int] | None,
    ) -> None:
        if self._window is not None:
            for k, angle in enumerate(angles.tolist()):
                unique_id = None if unique_ids is None else int(unique_ids[k])
                self._window.add(filtered[k : k + 1].copy(), angle, unique_id)
            return
        weights = [1.0] * len(angles)
        if self._plan is not None:
            for k, angle in enumerate(angles.tolist()):
                place = self._plan.place_of(angle) if places is None else int(places[k])
                weights[k] = self._plan.take(place, filtered[k])
                self._arrival[place] = len(self._angles) + k
        self._plain.add(_weighted(filtered, weights), angles)
        self._angles.extend(angles)
        self._weights.extend(weights)

    def _put_in_flats(self) -> None:
        """Add what the mean of all flats differs by from that of those that were used."""
        row = self._filter(self._field.late_difference()[None])
        for first in range(0, len(self._angles), _TOGETHER):
            some = slice(first, first + _TOGETHER)
            weights = self._weights[some]
            repeated = np.repeat(row, len(weights), axis=0)
            self._plain.add(_weighted(repeated, weights), np.array(self._angles[some]))


def _weighted(rows: np.ndarray, weights: Sequence[float]) -> np.ndarray:
    return rows * np.array(weights, np.float32)[:, None, None]
