"""Intensity, visibility and phase of a grating stepping, while it's taken or from a stored run."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Collection
from dataclasses import fields
from pathlib import Path
from typing import Any, Self

import numpy as np

from ...callbacks.output import safe_component
from ...errors import ConfigurationError, FrameCountError
from ...wording import counted, verb
from ..asked.arguments import positive
from ..asked.told_experiment import flat_scale_of
from ..frames.frame import Frame, StreamAbout, StreamEnd
from ..fringes import Contrasts, FringeMaps, FringeSum, contrasts_of
from ..storage.named_images import check_formats, check_free, files_of, write_images
from ..storage.walker import DirectoryWalker
from .base import Addon
from .frame_places import FramePlaces

__all__ = ["GratingProcessing"]

_log = logging.getLogger(__name__)

#: Of each map that there can be.
_UNITS = {
    **{
        f"{who}_{what}": units
        for who in ("reference", "object")
        for what, units in (("intensity", "counts"), ("visibility", "1"), ("phase", "rad"))
    },
    "intensity_contrast": "1",
    "visibility_contrast": "1",
    "differential_phase": "rad",
    "differential_phase_in_rad": "rad",
}
#: Name of the HDF5 file.
_TOGETHER = "grating"


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
    flat_scale : float, optional
        Exposure of the frames with the sample over that of those without, by which the intensity
        without it is multiplied for ``intensity_contrast``; by default as the run tells it, 1 when
        it doesn't.  Darks are those of the exposure with the sample: more or less dark current in
        frames of another one isn't known.
    darks, reference, sample : str
        Names of the streams without beam, without the sample and with it.
    saturation : float, optional
        Counts from which on a pixel is saturated, such as 4095 of a camera with 12 bits; by default
        the largest number that the type of the images has, if they are integers.  Saturated frames
        are counted, and warned of: visibility and phase are wrong there.
    walker : DirectoryWalker, optional
        Where the maps are written, a directory below where it stands when a run begins: that of
        the experiment, for the scan's own directory.  Without it there are no files.
    output_directory : str
        Name of that directory.
    files : str or sequence of str
        ``"tiff"``: a file for each map, such as ``differential_phase.tif`` (float32).  ``"hdf5"``:
        all in ``grating.h5`` (float64).  No file is replaced.
    **options
        See :class:`~adsupport.imaging.addons.Addon`; without ``streams``.

    Attributes
    ----------
    written : list of pathlib.Path
        The files of the last run, when it has ended.

    Raises
    ------
    ConfigurationError
        An argument can't be.
    ImportError
        TIFF files are asked for, and tifffile isn't installed.
    FrameCountError
        At the end of a stepping: steps are missing.
    OutputExistsError
        When a run begins: there are files of these names already.
    OutputError
        When it ends: a file couldn't be written.  The maps can still be had from :meth:`images`.

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
        flat_scale: float | None = None,
        darks: str = "darks",
        reference: str = "flats",
        sample: str = "primary",
        saturation: float | None = None,
        walker: DirectoryWalker | None = None,
        output_directory: str = "contrasts",
        files: str | Collection[str] = "tiff",
        **options: Any,
    ) -> None:
        super().__init__(streams={darks, reference, sample}, **options)
        if len({darks, reference, sample}) < 3:
            raise ConfigurationError(
                f"darks={darks!r}, reference={reference!r} and sample={sample!r}: expected three "
                "streams."
            )
        if safe_component(output_directory) != output_directory:
            raise ConfigurationError(
                f"output_directory={output_directory!r}: expected the name of one directory.",
                remedy=f"{safe_component(output_directory)!r} would be one.",
            )
        FringeSum(periods, steps_per_period)  # refuses what can't be, before anything is taken
        nothing = FringeMaps(np.ones(()), np.ones(()), np.zeros(()))
        self._scale: dict[str, Any] = {
            "grating_period": grating_period,
            "propagation_distance": propagation_distance,
        }
        contrasts_of(nothing, nothing, **self._scale)
        self._told_scale, self._flat_scale = flat_scale, flat_scale_of({}, flat_scale)
        self._periods, self._steps = periods, steps_per_period
        self._darks, self._reference, self._sample = darks, reference, sample
        self._limit = None if saturation is None else positive("saturation", saturation, "counts")
        self.walker, self.output_directory = walker, output_directory
        self._files = () if walker is None else check_formats(files)
        self._there: DirectoryWalker | None = None  # the walker where this run's files go
        self.written: list[Path] = []
        self._coming: Counter[str] | None = None  # acquisitions of the run, where it tells
        self._saturated: dict[str, int] = {}
        self._worst = 0  # saturated pixels of a frame
        self._seen = 0
        self._maximum = 0.0
        self._lock = threading.Lock()
        self._run: str | None = None
        self._dark: np.ndarray | None = None
        self._dark_count = 0
        self._done: dict[str, FringeSum] = {}
        self._sum: FringeSum | None = None
        self._places = FramePlaces()

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
        return contrasts_of(reference, sample, flat_scale=self._flat_scale, **self._scale)

    @property
    def saturated(self) -> dict[str, int]:
        """How many frames of each stream had saturated pixels, in its last acquisition."""
        with self._lock:
            return {stream: frames for stream, frames in self._saturated.items() if frames}

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
        if about.run_uid != self._run:
            self._begin_run(about)
        with self._lock:
            self._sum = None
            if about.stream != self._darks:
                self._sum = FringeSum(self._periods, self._steps)
                self._done.pop(about.stream, None)
            self._places.begin(about)
            self._saturated[about.stream] = self._worst = self._seen = 0

    def frame(self, frame: Frame) -> None:
        """Take an image."""
        saturated = self._count_saturated(frame.data)
        with self._lock:
            self._saturated[frame.stream] += saturated > 0
            self._worst = max(self._worst, saturated)
            self._seen += 1
            if self._sum is None:
                counts = frame.data.astype(np.float64)
                self._dark = counts if self._dark is None else self._dark + counts
                self._dark_count += 1
                return
            step = self._places.of(frame)
            self._places.note(frame)
            if step is None:
                raise FrameCountError(
                    f"Frame {frame.unique_id} of stream {frame.stream!r} comes behind a later one."
                )
            self._sum.add(step, frame.data)

    def end(self, ended: StreamEnd) -> None:
        """Make sure of all steps; behind the last acquisition of the run write the files."""
        stream = ended.about.stream
        self._places.end(ended)
        with self._lock:
            total, self._sum = self._sum, None
            saturated = self._saturated[stream]
        if saturated:
            _log.warning(
                "Stream %r: %d of %s %s saturated pixels (%g counts or more), up to %d in a frame: "
                "visibility and phase are wrong there.",
                stream,
                saturated,
                counted(self._seen, "frame"),
                verb(saturated, "has", "have"),
                self._maximum,
                self._worst,
            )
        if total is not None and not ended.reason:
            total.maps()  # raises when steps are missing
            with self._lock:
                self._done[stream] = total
        if self._coming is not None:
            self._coming[stream] -= 1
            if not +self._coming:
                self._write()

    def close(self) -> None:
        """Write the files, unless it has been done; the next acquisition is another run's."""
        self._write()
        self._run = None

    # inside

    def _begin_run(self, about: StreamAbout) -> None:
        with self._lock:
            self._run = about.run_uid
            self._flat_scale = flat_scale_of(about.md, self._told_scale)
            self._dark, self._dark_count = None, 0
            self._done.clear()
            self._saturated.clear()
        self.written, self._coming, self._places = [], None, FramePlaces()
        announced = about.md.get("acquisitions")
        if isinstance(announced, (list, tuple)):
            mine = (self._darks, self._reference, self._sample)
            self._coming = Counter(str(each) for each in announced if each in mine)
        if self.walker is not None:
            self._there = self.walker.from_here()
            check_free(
                files_of(
                    self._there.current / self.output_directory, _UNITS, self._files, _TOGETHER
                )
            )

    def _count_saturated(self, pixels: np.ndarray) -> int:
        limit = self._limit
        if limit is None:
            if pixels.dtype.kind not in "iu":
                return 0
            limit = np.iinfo(pixels.dtype).max
        self._maximum = float(limit)
        return int(np.count_nonzero(pixels >= limit))

    def _write(self) -> None:
        there, self._there = self._there, None
        images = {} if there is None else self.images()
        if there is None or not images:
            return
        path = there.data_set(self.output_directory, exists="continue").path
        about = {
            "run_uid": self._run or None,
            "periods": self._periods,
            "steps_per_period": self._steps,
            "grating_period_um": self._scale["grating_period"],
            "propagation_distance_mm": self._scale["propagation_distance"],
            "darks": self._dark_count,
            "flat_scale": self._flat_scale,
        }
        self.written = write_images(path, images, self._files, _TOGETHER, units=_UNITS, about=about)

    def _maps(self, stream: str) -> FringeMaps | None:
        dark = self.dark
        with self._lock:
            total = self._done.get(stream)
        return None if total is None else total.maps(dark)
