"""Darks, flats and projections of one tomogram, and its slices at any time."""

from __future__ import annotations

import logging
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ...errors import ConfigurationError, FrameCountError
from ..asked.arguments import finite, whole
from ..reconstruction import BACKENDS, FILTERS, FilteredBackprojection
from ..reconstruction.normalisation import FrameMean, absorption, replace_bad, transmission
from ..reconstruction.slice_grid import Region
from .axis_search import AxisSearch

__all__ = ["SliceSettings", "TomogramSum"]

_log = logging.getLogger(__name__)

#: Degrees: what turned less shows nothing new, or stands still and its encoder doesn't.
_STANDS = 1e-3
#: Part of the pixels that may be replaced without a word: some are broken in any detector.
_STARVED = 0.01


@dataclass(frozen=True, slots=True)
class SliceSettings:
    """How slices are computed; see `OnlineReconstruction`.

    Raises
    ------
    ConfigurationError
        They contradict each other, or what they need isn't installed.
    """

    centre: float | tuple[float, ...] | Literal["auto"] = "auto"
    normalise: bool = True
    average: bool = True
    absorption: bool = True
    filter: str = "ramp"
    region: Region | None = None
    circle: bool = True
    window: float | None = None
    backend: str = "numba"
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.filter not in FILTERS:
            raise ConfigurationError(
                f"filter={self.filter!r} isn't known.", remedy=f"Use one of {', '.join(FILTERS)}."
            )
        if self.backend not in BACKENDS:
            raise ConfigurationError(
                f"backend={self.backend!r} isn't known.",
                remedy=f"Use one of {', '.join(BACKENDS)}.",
            )
        if self.threads is not None:
            whole("threads", self.threads)
        if self.region is not None:
            _check_region(self.region)
        if self.window is not None and not 0 < finite("window", self.window, "degrees") <= 360:
            raise ConfigurationError(f"window={self.window}: expected degrees, above 0 up to 360.")
        if self.centre == "auto":
            if self.window is not None:
                raise ConfigurationError(
                    "centre='auto' needs all projections, which a window doesn't have.",
                    remedy="Give the rotation axis' column on the detector: centre=.",
                )
            if self.normalise and not self.absorption:
                raise ConfigurationError(
                    "centre='auto' needs absorption, and absorption=False.",
                    remedy="Give the rotation axis' column on the detector: centre=.",
                )
            return
        if isinstance(self.centre, str):
            raise ConfigurationError(f"centre={self.centre!r}: expected pixels, or 'auto'.")
        for each in np.atleast_1d(self.centre):
            finite("centre", each, "pixels")

    def unit(self, pixel_size: float | None) -> str:
        """Tell the unit of the slices; ``pixel_size`` is in µm."""
        if self.normalise and not self.absorption:
            return ""
        return "1/pixel" if pixel_size is None else "1/mm"


class TomogramSum:
    """Gathers darks and flats, adds up projections, and finds the axis when that is asked for.

    Parameters
    ----------
    settings : SliceSettings
        How.
    shape : (int, int)
        Rows that become slices, and columns of the detector.
    flat_scale : float
        The projections' exposure over that of the flats.

    Attributes
    ----------
    angles : sequence of float or None
        Degrees of all projections, as planned; set before the first projection.
    darks, flats : FrameMean
        Those that came.
    centre_from : str
        Where the axis is from: ``given``, ``pair``, ``slices``, or ``middle`` of the detector as
        long as it isn't found.
    """

    def __init__(
        self, settings: SliceSettings, shape: tuple[int, int], flat_scale: float = 1.0
    ) -> None:
        self.settings, self.shape, self.flat_scale = settings, shape, flat_scale
        self.darks, self.flats = FrameMean(shape, "dark"), FrameMean(shape, "flat")
        self.angles: Sequence[float] | np.ndarray | None = None
        self.centre_from = "middle" if settings.centre == "auto" else "given"
        self._slices: FilteredBackprojection | None = None
        self._search: AxisSearch | None = None
        self._last: float | None = None  # angle
        self._make(self._axis)  # refuses what doesn't fit the detector or memory, at once

    @property
    def begun(self) -> bool:
        """Whether a projection has come."""
        return self._slices is not None and bool(self._slices.projections)

    @property
    def centres(self) -> tuple[float, ...]:
        """The axis' column, of each slice; empty before the first projection."""
        return () if self._slices is None else self._slices.grid.centres

    @property
    def projections(self) -> int:
        """How many are in the slices."""
        return 0 if self._slices is None else self._slices.projections

    @property
    def replaced(self) -> int:
        """How many pixels had no finite absorption."""
        return 0 if self._slices is None else self._slices.replaced

    @property
    def missing(self) -> list[int]:
        """Places of the plan that haven't come."""
        return [] if self._slices is None else self._slices.missing

    def add_dark(self, rows: np.ndarray) -> bool:
        """Take a frame without beam; False when it's of no use: it comes after a projection.

        Parameters
        ----------
        rows : numpy.ndarray
            (slices, width), counts.

        Returns
        -------
        bool
            Whether it was taken.
        """
        if self.begun:
            return False
        if self.settings.average or not self.darks.count:
            self.darks.add(rows)
        return True

    def add_flat(self, rows: np.ndarray) -> bool:
        """Take a frame without sample; False when it's of no use, coming that late.

        Parameters
        ----------
        rows : numpy.ndarray
            (slices, width), counts.

        Returns
        -------
        bool
            Whether it was taken.
        """
        settings = self.settings
        if self.begun and (not settings.absorption or settings.window is not None):
            return False
        if settings.average or not self.flats.count:
            self.flats.add(rows)
            if self.begun and self._slices is not None:
                self._slices.add_flat(rows)
        return True

    def check_room(self, size: int) -> None:
        """Make sure that there's room for projections, if they are kept to find the axis.

        Parameters
        ----------
        size : int
            Bytes of all of them.

        Raises
        ------
        OutputError
            There isn't.
        """
        if self.settings.centre == "auto":
            AxisSearch.check_room(size)

    def add(self, rows: np.ndarray, angle: float, place: int | None, certain: bool = True) -> None:
        """Take a projection.

        Parameters
        ----------
        rows : numpy.ndarray
            (slices, width), counts.
        angle : float
            Degrees.
        place : int or None
            Which of the planned angles it is.
        certain : bool
            Whether one that has this place already is the same; else it may have got it by its
            angle, and this one takes the nearest that is free.

        Raises
        ------
        FrameCountError
            It came before, or isn't in the plan; or the window has one at its angle.
        """
        slices = self._slices
        if slices is None or not slices.projections:
            slices = self._begin()
        if self.settings.window is not None:
            place = None  # it has no plan
            if self._last is not None and abs(math.remainder(angle - self._last, 360.0)) < _STANDS:
                raise FrameCountError("the sample has hardly turned since the one before")
        taken = self._input(rows[None])
        try:
            slices.add_many(taken, [angle], places=_places(place))
        except FrameCountError:
            if certain or place is None:
                raise
            place = None
            slices.add_many(taken, [angle])
        self._last = angle
        if self._search is not None:
            found = self._search.add(rows, angle, place)
            if found is not None:
                self._use(found, "pair")

    def picture(self) -> np.ndarray | None:
        """Show the slices as far as they are known; from any thread.

        Returns
        -------
        numpy.ndarray or None
            (slices, Y, X), float32, attenuation per pixel; None before the first projection.
        """
        return self._slices.picture() if self.begun and self._slices is not None else None

    def finish(self) -> np.ndarray | None:
        """Say that all has come: find the axis, put in late flats, fill gaps of the plan.

        Returns
        -------
        numpy.ndarray or None
            As :meth:`picture`.
        """
        if self._slices is None or not self.begun:
            return None
        if self._search is not None:
            try:
                self._use(self._search.find(), "slices")
            except ConfigurationError as error:
                _log.warning(
                    "The rotation axis wasn't found, and is taken to be in the middle: %s", error
                )
                self._end_search()
        found = self._slices.finish()
        pixels = self.projections * math.prod(self.shape)
        if self.replaced >= _STARVED * pixels:
            _log.warning(
                "%d pixels (%.1f %%) had no more light than the darks, or broken ones, and were "
                "replaced from their neighbours: dense parts of the sample come out too light. "
                "Expose longer.",
                self.replaced,
                100.0 * self.replaced / pixels,
            )
        return found

    def close(self) -> None:
        """Remove what is kept."""
        self._end_search()

    # inside

    def _begin(self) -> FilteredBackprojection:
        """Know that the first projection comes."""
        settings = self.settings
        auto = settings.centre == "auto"
        self._end_search()
        if auto:
            self._search = AxisSearch(
                self._lines,
                pair=bool(self.flats.count) or not settings.normalise,
                backend=settings.backend,
            )
        self._last = None
        self._slices = self._make(self._axis)
        return self._slices

    @property
    def _axis(self) -> float | tuple[float, ...]:
        """The axis as given, or the middle as long as it isn't found."""
        given = self.settings.centre
        return (self.shape[1] - 1) / 2 if isinstance(given, str) else given

    def _make(self, centre: float | tuple[float, ...]) -> FilteredBackprojection:
        settings = self.settings
        slices, width = self.shape
        made = FilteredBackprojection(
            width,
            slices,
            centre=centre,
            filter=settings.filter,
            region=settings.region,
            circle=settings.circle,
            angles=None if settings.window else self.angles,
            window=settings.window,
            input="counts" if settings.absorption else "absorption",
            flat_scale=self.flat_scale,
            backend=settings.backend,
            threads=settings.threads,
        )
        if settings.normalise and settings.absorption:
            made.add_dark(self.darks)
            made.add_flat(self.flats)
        return made

    def _use(self, centre: float, how: str) -> None:
        """Begin anew with the right axis, and all projections that are kept."""
        made = self._make(centre)
        search = self._search
        if search is not None:
            for rows, kept in search.rows():
                angles, places = [each.angle for each in kept], [each.place for each in kept]
                known = [each for each in places if each is not None]
                taken = self._input(rows)
                if not known or len(known) == len(places):
                    made.add_many(taken, angles, places=known or None)
                    continue
                for row, angle, place in zip(taken, angles, places, strict=True):
                    made.add_many(row[None], [angle], places=_places(place))
        self._slices, self.centre_from = made, how
        self._end_search()

    def _end_search(self) -> None:
        search, self._search = self._search, None
        if search is not None:
            search.close()

    def _input(self, rows: np.ndarray) -> np.ndarray:
        """Make of rows what the sum takes."""
        if self.settings.absorption or not self.settings.normalise:
            return rows
        return transmission(rows, self.darks.mean, self.flats.mean, self.flat_scale)

    def _lines(self, rows: np.ndarray, which: slice) -> np.ndarray:
        """Make line integrals of rows, (K, n, W)."""
        settings = self.settings
        if not settings.absorption:
            lines = np.array(rows, np.float32)
            replace_bad(lines)
            return lines
        flat, dark, scale = self.flats.mean, self.darks.mean, self.flat_scale
        if not self.flats.count:
            flat, scale = np.ones_like(flat), 1.0
        if not settings.normalise:
            flat, dark = np.ones_like(flat), np.zeros_like(dark)
        return absorption(rows, dark[which], flat[which], scale)[0]


def _check_region(region: Region) -> None:
    try:
        ends = [[operator.index(end) for end in pair] for pair in region]
    except TypeError:
        ends = []
    if [len(pair) for pair in ends] != [2, 2] or any(first >= last for first, last in ends):
        raise ConfigurationError(
            f"region={region!r}: expected ((first row, last + 1), (first column, last + 1)), whole "
            "numbers."
        )


def _places(place: int | None) -> list[int] | None:
    return None if place is None else [place]
