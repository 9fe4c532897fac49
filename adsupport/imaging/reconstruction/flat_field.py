"""Line integrals of what comes: by the darks and flats before it, and by flats that come last."""

from __future__ import annotations

import math

import numpy as np

from ...errors import ConfigurationError
from .normalisation import FrameMean, minus_log, replace_bad

__all__ = ["INPUTS", "FlatField"]

#: What frames may be: counts of a detector, or line integrals already.
INPUTS = ("counts", "absorption")


class FlatField:
    """Makes line integrals of counts, with the darks and flats that came before the first of them.

    Parameters
    ----------
    shape : tuple of int
        (slices, width).
    input : str
        One of :data:`INPUTS`.
    flat_scale : float
        What is above the dark in flats is multiplied by it.

    Attributes
    ----------
    darks, flats : FrameMean
        Those that came.
    replaced : int
        How many pixels had no finite absorption.
    begun : bool
        Whether a projection has come.

    Raises
    ------
    ConfigurationError
        There is no such input, or the scale isn't above 0.
    """

    def __init__(
        self, shape: tuple[int, int], input: str = "counts", flat_scale: float = 1.0
    ) -> None:
        if input not in INPUTS:
            raise ConfigurationError(f"input={input!r}: expected one of {', '.join(INPUTS)}.")
        if not 0 < flat_scale < math.inf:
            raise ConfigurationError(
                f"flat_scale={flat_scale!r}: expected a number above 0.",
                remedy="Give the projections' exposure over that of the flats.",
            )
        self._input = input
        self._log_scale = np.float32(math.log(flat_scale))
        self.darks, self.flats = FrameMean(shape, "dark"), FrameMean(shape, "flat")
        self.replaced = 0
        self.begun = False
        self._dark = np.zeros(shape)
        self._log_flat: np.ndarray | None = None
        self._flats_used = 0

    @property
    def late_flats(self) -> int:
        """How many flats came after the first projection, and aren't in yet."""
        return self.flats.count - self._flats_used if self.begun else 0

    def add_dark(self, rows: np.ndarray | FrameMean) -> None:
        """Take a frame without beam.

        Parameters
        ----------
        rows : numpy.ndarray or FrameMean
            (slices, width), counts; or those of many frames.

        Raises
        ------
        ConfigurationError
            It comes after a projection, has another shape, or line integrals come.
        """
        self._refuse_with_lines("dark")
        if self.begun:
            raise ConfigurationError(
                "A dark came after the first projection.",
                remedy="Darks are subtracted before the logarithm: take them first.",
            )
        self.darks.add(rows)

    def add_flat(self, rows: np.ndarray | FrameMean) -> None:
        """Take a frame without sample.

        Parameters
        ----------
        rows : numpy.ndarray or FrameMean
            (slices, width), counts; or those of many frames.

        Raises
        ------
        ConfigurationError
            It has another shape, or line integrals come.
        """
        self._refuse_with_lines("flat")
        self.flats.add(rows)

    def absorption(self, rows: np.ndarray) -> np.ndarray:
        """Normalise projections.

        Parameters
        ----------
        rows : numpy.ndarray
            (K, slices, width), counts, or line integrals already.

        Returns
        -------
        numpy.ndarray
            The same shape, float32, all finite.  Without flats that of the light alone.
        """
        if self._input == "absorption":
            self.begun = True
            return self._mended(np.array(rows, np.float32))
        if not self.begun:
            self.begun = True
            self._dark = self.darks.mean
            self._flats_used = self.flats.count
            if self._flats_used:
                self._log_flat = self._log_of_flats()
        values = minus_log(rows, self._dark)
        if self._log_flat is not None:
            with np.errstate(all="ignore"):  # infinite ones of both make NaN
                values += self._log_flat
        return self._mended(values)

    def late_difference(self) -> np.ndarray:
        """Tell what the mean of all flats adds to each projection; from then on it's used.

        Returns
        -------
        numpy.ndarray
            (slices, width), float32, all finite.
        """
        new = self._mended(self._log_of_flats())
        difference = new
        if self._log_flat is not None:
            old = self._log_flat.copy()
            replace_bad(old)
            difference = new - old
        self._log_flat, self._flats_used = new, self.flats.count
        return difference

    def _log_of_flats(self) -> np.ndarray:
        return self._log_scale - minus_log(self.flats.mean, self._dark)

    def _mended(self, values: np.ndarray) -> np.ndarray:
        self.replaced += replace_bad(values)
        return values

    def _refuse_with_lines(self, what: str) -> None:
        if self._input == "absorption":
            raise ConfigurationError(
                f"A {what} is given, but projections are line integrals already.",
                remedy="Give input='counts', or no darks and flats.",
            )
