"""Intensity, visibility and phase of a grating stepping, while it's taken or from a stored run."""

from __future__ import annotations

import threading
from dataclasses import fields
from typing import Any, Self

import numpy as np

from ...errors import ConfigurationError
from ..frames.frame import Frame, StreamAbout, StreamEnd
from ..fringes import Contrasts, FringeMaps, FringeSum, contrasts_of
from .base import Addon

__all__ = ["GratingProcessing"]


class GratingProcessing(Addon):
    """Turns the images of grating steppings into maps of what the sample does to the beam.

    No image is kept: five arrays of 8 to 16 bytes a pixel are all it needs.  Streams come in any
    order; of a stream that comes again the last acquisition counts, of darks all.

    Parameters
    ----------
    periods : int
        Periods of the grating that all steps together go through.
    steps_per_period : int
        Steps of a period, at least 3.
    grating_period : float, optional
        In µm.
    propagation_distance : float, optional
        From the sample to the analyser grating, in mm.  Without it there is no
        ``differential_phase_in_rad``.
    darks, reference, sample : str
        Names of the streams without beam, without the sample and with it.
    **options
        See :class:`~adsupport.imaging.addons.Addon`; without ``streams``.

    Raises
    ------
    ConfigurationError
        An argument can't be.
    FrameCountError
        At the end of a stepping: steps are missing.

    Examples
    --------
    >>> grating = GratingProcessing(steps_per_period=8)      # doctest: +SKIP
    >>> play(catalog[-1], [grating])                         # doctest: +SKIP
    >>> grating.contrasts.differential_phase                 # doctest: +SKIP
    """

    def __init__(
        self,
        periods: int = 1,
        steps_per_period: int = 16,
        *,
        grating_period: float | None = None,
        propagation_distance: float | None = None,
        darks: str = "darks",
        reference: str = "flats",
        sample: str = "primary",
        **options: Any,
    ) -> None:
        super().__init__(streams={darks, reference, sample}, **options)
        if len({darks, reference, sample}) < 3:
            raise ConfigurationError(
                f"darks={darks!r}, reference={reference!r} and sample={sample!r}: expected three "
                "streams."
            )
        FringeSum(periods, steps_per_period)  # refuses what can't be, before anything is taken
        nothing = FringeMaps(np.ones(()), np.ones(()), np.zeros(()))
        self._scale = {
            "grating_period": grating_period,
            "propagation_distance": propagation_distance,
        }
        contrasts_of(nothing, nothing, **self._scale)
        self._periods, self._steps = periods, steps_per_period
        self._darks, self._reference, self._sample = darks, reference, sample
        self._lock = threading.Lock()
        self._run = ""
        self._dark: np.ndarray | None = None
        self._dark_count = 0
        self._done: dict[str, FringeSum] = {}
        self._sum: FringeSum | None = None
        self._first: int | None = None
        self._came = 0

    @classmethod
    def of(cls, config: Any, **options: Any) -> Self:
        """Make one for a grating experiment.

        Parameters
        ----------
        config : GratingConfig
            Has the numbers of periods and steps, and the grating's period in µm.
        **options
            See the class.

        Returns
        -------
        GratingProcessing
            The addon.
        """
        return cls(
            config.periods,
            config.steps_per_period,
            grating_period=config.grating_period,
            **options,
        )

    # results

    @property
    def dark(self) -> np.ndarray | float:
        """Mean of the darks, (Y, X), float64, in counts; 0 without any."""
        with self._lock:
            return 0.0 if self._dark is None else self._dark / self._dark_count

    @property
    def reference(self) -> FringeMaps | None:
        """Fringes without the sample; None before they are known."""
        return self._maps(self._reference)

    @property
    def sample(self) -> FringeMaps | None:
        """Fringes with the sample; None before they are known."""
        return self._maps(self._sample)

    @property
    def contrasts(self) -> Contrasts | None:
        """What the sample does to the fringes; None before both are known."""
        reference, sample = self.reference, self.sample
        if reference is None or sample is None:
            return None
        return contrasts_of(reference, sample, **self._scale)

    def images(self) -> dict[str, np.ndarray]:
        """Return all maps that are known.

        Returns
        -------
        dict of str to numpy.ndarray
            (Y, X), float64, by concert's names: ``reference_intensity``, ``object_phase``,
            ``visibility_contrast``, ``differential_phase`` and so on.
        """
        found: dict[str, np.ndarray] = {}
        for prefix, maps in (
            ("reference_", self.reference),
            ("object_", self.sample),
            ("", self.contrasts),
        ):
            if maps is not None:
                for field in fields(maps):
                    value = getattr(maps, field.name)
                    if value is not None:
                        found[prefix + field.name] = value
        return found

    # what the bus calls

    def begin(self, about: StreamAbout) -> None:
        """Expect a stepping, or darks."""
        with self._lock:
            if about.run_uid != self._run:
                self._run = about.run_uid
                self._dark, self._dark_count = None, 0
                self._done.clear()
            self._sum = None
            if about.stream != self._darks:
                self._sum = FringeSum(self._periods, self._steps)
                self._done.pop(about.stream, None)
            self._first, self._came = None, 0

    def frame(self, frame: Frame) -> None:
        """Take an image."""
        with self._lock:
            if self._sum is None:
                counts = frame.data.astype(np.float64)
                self._dark = counts if self._dark is None else self._dark + counts
                self._dark_count += 1
                return
            if self._first is None:
                self._first = frame.unique_id
            step = self._came
            if frame.unique_id is not None and self._first is not None:
                step = frame.unique_id - self._first  # a lost frame shifts no other one
            self._sum.add(step, frame.data)
            self._came += 1

    def end(self, ended: StreamEnd) -> None:
        """Make sure of all steps."""
        with self._lock:
            total, self._sum = self._sum, None
            if total is None or ended.reason:
                return
            total.maps()  # raises when steps are missing
            self._done[ended.about.stream] = total

    def _maps(self, stream: str) -> FringeMaps | None:
        dark = self.dark
        with self._lock:
            total = self._done.get(stream)
        return None if total is None else total.maps(dark)
