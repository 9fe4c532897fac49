"""Slices of the sample while its projections are taken."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ...callbacks.output import safe_component
from ...errors import ConfigurationError, FrameCountError
from ...wording import counted
from ..asked.arguments import positive
from ..asked.told_experiment import flat_scale_of, refuse_spiral
from ..frames.frame import Frame, StreamAbout, StreamEnd
from ..motion.angles import given_angles
from ..reconstruction import warm_up
from ..reconstruction.slice_grid import Region
from ..storage.named_images import check_formats, check_free
from ..storage.tomogram_files import tomogram_files, write_tomogram
from ..storage.walker import DirectoryWalker
from .angles_used import AnglesUsed
from .base import Addon
from .detector_rows import DetectorRows
from .run_count import RunCount
from .slice_pictures import SlicePictures
from .told_angles import told_angles
from .tomogram import Tomogram
from .tomogram_sum import SliceSettings, TomogramSum

__all__ = ["OnlineReconstruction"]

_log = logging.getLogger(__name__)


class OnlineReconstruction(Addon):
    """Computes slices by filtered back-projection, from frames as they come.

    Each projection is added when it comes, and forgotten; the memory it needs doesn't depend on
    how many there are.  Projections come in any order.  Darks must come before them, flats may come
    at any time.  When projections come in several acquisitions of a run, all make one tomogram.

    Parameters
    ----------
    rows : int, slice, range or sequence of int, optional
        Rows of the detector, each of which becomes a slice, such as ``slice(100, 400, 50)``; by
        default the one in the middle.
    centre : float, sequence of float, or "auto"
        The rotation axis' column on the detector, in pixels from 0 in the middle of the first; of
        all slices or of each.  ``"auto"`` finds it: with two projections half a turn apart when
        both have come, else when all have.  Until then the pictures are those of an axis in the
        middle, and the rows are kept in a temporary file.
    normalise : bool
        Whether darks and flats are used.
    average : bool
        Whether all of them are, or the first only.
    flat_scale : float, optional
        The projections' exposure over that of the flats, whose counts above the dark are multiplied
        by it; by default as the run tells it, 1 when it doesn't.  Darks are those of the
        projections' exposure: more or less dark current in flats of another one isn't known.
    absorption : bool
        Whether to take the negative logarithm.  Without it, slices have no unit; flats must come
        before the projections then.
    filter : str
        ``ramp``, ``shepp-logan``, ``cosine``, ``hamming`` or ``hann``.
    region : ((int, int), (int, int)), optional
        Rows and columns of the full slice, which is as wide and high as the detector is wide, each
        from its first to before its last.
    circle : bool
        Whether what isn't seen from all sides is left 0.
    angles : sequence of float, optional
        Degrees of all projections in their order, for sources that tell none, such as
        ``equal_angles(1500, 180)``; below 0 for a stage that turns the other way.  A frame that has
        an angle of its own keeps it.  Those of a fly scan have none yet: they are taken to be where
        its config wants them, and ``result.facts`` says so: ``angles_from`` is ``"planned"``.  When
        the flight is over they are compared with the measured ones: ``angles_off_degrees`` is the
        largest difference, and ``angles_off`` whether that's more than half a step, of which
        there's a warning.  Play the finished run once more for slices of the measured ones.
    window : float, optional
        Degrees: only the projections of the last so many are in the slices.  180 for a sample that
        turns without end; frames of one that stands still are left out, but the first.
    pixel_size : float, optional
        In µm, in the sample's plane: then slices are in 1/mm, else in 1/pixel.
    darks, flats, primary : str
        Names of the streams.
    viewer : object, optional
        Has ``show_image(channel, image, facts)``, as
        :class:`~adsupport.imaging.view.LiveView` has; gets slices as ``slice z``, and cuts through
        several of them as ``slice y`` and ``slice x``.
    interval : float
        Seconds from picture to picture for the viewer, at least.  Pictures take no more than some
        5 % of the time.
    walker : DirectoryWalker, optional
        Where files are written when the run has ended, in a directory below where it stands when
        the run begins: that of the experiment, for the scan's own directory.
    output_directory : str
        Name of that directory.
    files : str or sequence of str
        ``"hdf5"``: ``tomogram.h5``, as NXtomoproc; ``"tiff"``: a file for each slice.  No file is
        replaced.
    backend : str
        ``numba``, ``numpy`` or ``cupy``.
    threads : int, optional
        Of numba; as many as there are processors by default.
    **options
        See :class:`~adsupport.imaging.addons.Addon`; without ``streams``.

    Attributes
    ----------
    result : Tomogram or None
        The slices of the last run that has ended.
    written : list of pathlib.Path
        Its files.
    left_out : collections.Counter
        How many frames of this run weren't used, by the reason.

    Raises
    ------
    ConfigurationError
        An argument can't be.  When a run begins: it's a spiral, of which only a window has
        slices.  When projections begin: darks or flats that are needed come later,
        or never.  With the first frame: rows or axis aren't on the detector, or the slices are
        larger than the memory.
    ImportError
        TIFF files are asked for, and tifffile isn't installed.
    OutputExistsError
        When projections begin: there are files of these names already.
    FrameCountError
        When a run ends: none of its projections could be used.
    OutputError
        When a run ends: a file couldn't be written.  :attr:`result` is there.  With the first
        frame, or while projections come: there's no room for the temporary file of
        ``centre="auto"``.

    Examples
    --------
    >>> slices = OnlineReconstruction(rows=slice(100, 400, 100))     # doctest: +SKIP
    >>> experiment.attach(slices)                                    # doctest: +SKIP
    >>> RE(experiment.run())                                         # doctest: +SKIP
    >>> slices.result.slices.shape                                   # doctest: +SKIP
    """

    def __init__(
        self,
        rows: int | slice | range | Sequence[int] | None = None,
        *,
        centre: float | Sequence[float] | Literal["auto"] = "auto",
        normalise: bool = True,
        average: bool = True,
        flat_scale: float | None = None,
        absorption: bool = True,
        filter: str = "ramp",
        region: Region | None = None,
        circle: bool = True,
        angles: Sequence[float] | np.ndarray | None = None,
        window: float | None = None,
        pixel_size: float | None = None,
        darks: str = "darks",
        flats: str = "flats",
        primary: str = "primary",
        viewer: Any = None,
        interval: float = 0.5,
        walker: DirectoryWalker | None = None,
        output_directory: str = "online-slices",
        files: str | Collection[str] = ("hdf5", "tiff"),
        backend: str = "numba",
        threads: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(streams={darks, flats, primary} if normalise else {primary}, **options)
        if len({darks, flats, primary}) < 3:
            raise ConfigurationError(
                f"darks={darks!r}, flats={flats!r} and primary={primary!r}: expected three streams."
            )
        if safe_component(output_directory) != output_directory:
            raise ConfigurationError(
                f"output_directory={output_directory!r}: expected the name of one directory.",
                remedy=f"{safe_component(output_directory)!r} would be one.",
            )
        axis = tuple(np.ravel(centre).tolist()) if np.ndim(centre) else centre
        self._settings = SliceSettings(
            axis,  # type: ignore[arg-type]
            normalise, average, absorption, filter, region, circle, window, backend, threads,
        )  # fmt: skip
        if window is not None and angles is not None:
            raise ConfigurationError(
                "Both angles and window are given.",
                remedy="Give no window for planned angles; a sample that turns on has no plan.",
            )
        self._rows = DetectorRows(rows)
        self._given = None if angles is None else given_angles(angles)
        flat_scale_of({}, flat_scale)  # refuses what can't be
        self._flat_scale = flat_scale
        self._pixel_size = None if pixel_size is None else positive("pixel_size", pixel_size, "µm")
        self._darks, self._flats, self._primary = darks, flats, primary
        self._pictures = None if viewer is None else SlicePictures(viewer, interval)
        self.walker, self.output_directory = walker, output_directory
        self._files = () if walker is None else check_formats(files)
        self.result: Tomogram | None = None
        self.written: list[Path] = []
        self.left_out: Counter[str] = Counter()
        self._there: DirectoryWalker | None = None  # the walker where this run's files go
        self._run: RunCount | None = None
        self._angles = AnglesUsed(False, primary)
        self._sum: TomogramSum | None = None
        self._plan: np.ndarray | None = None  # angles of this run's projections

    # what is known at any time

    @property
    def projections(self) -> int:
        """How many are in the slices."""
        return 0 if self._sum is None else self._sum.projections

    @property
    def centre(self) -> float | None:
        """The rotation axis' column of the first slice, as far as it's known, in pixels."""
        return self._sum.centres[0] if self._sum is not None and self._sum.centres else None

    def picture(self) -> np.ndarray | None:
        """Show the slices as far as they are known; from any thread.

        It waits while the run is finished: for seconds when flats come last or the axis is sought.

        Returns
        -------
        numpy.ndarray or None
            (slices, Y, X), float32; None before the first projection of a run.
        """
        total = self._sum
        found = None if total is None else total.picture()
        return None if found is None else self._scaled(found)

    # what the bus calls

    def ready(self) -> None:
        """Compile what is needed, which takes seconds once."""
        warm_up(self._settings.backend)

    def begin(self, about: StreamAbout) -> None:
        """Expect darks, flats or projections."""
        if self._run is None or about.run_uid != self._run.about.run_uid:
            self._end_run()
            self.result, self.written = None, []
            if self._settings.window is None:
                refuse_spiral(about.md)
            self._run = RunCount(about, self.streams or ())
            self._sum, self._plan, self.left_out = None, None, Counter()
            self._angles = AnglesUsed(self._given is not None, self._primary)
            self._rows.forget()
            self._there = None if self.walker is None else self.walker.from_here()
        self._run.begin(about)
        self._angles.begin(about)
        if about.stream == self._primary:
            self._begin_projections(self._run, about)

    def frame(self, frame: Frame) -> None:
        """Take a frame."""
        run = self._run
        if run is None:
            return
        reason = self._take(run, frame)
        run.note(frame)
        if reason:
            self.left_out[reason] += 1
            if self.left_out[reason] == 1:
                _log.warning(
                    "Frame %d of stream %r isn't used: %s.", frame.sequence, frame.stream, reason
                )

    def end(self, ended: StreamEnd) -> None:
        """Count; behind the last acquisition of the run finish the slices."""
        self._angles.end(ended)
        if self._run is not None and self._run.end(ended):
            self._end_run()

    def close(self) -> None:
        """Finish the slices, unless it has been done; the next acquisition is another run's."""
        self._end_run()

    # inside

    def _begin_projections(self, run: RunCount, about: StreamAbout) -> None:
        bare = self._settings.normalise and not self._settings.absorption
        if self._settings.normalise:
            run.need(self._darks, "Darks are subtracted before the logarithm")
        if bare:
            run.need(self._flats, "Without absorption flats can't come later")
        if bare and not run.came[self._flats]:
            raise ConfigurationError(
                f"absorption=False needs flats, and none came in stream {self._flats!r}.",
                remedy="Take flats first, or give normalise=False for the camera's counts.",
            )
        if self._given is not None:
            self._plan = self._given
            return
        self._plan = told_angles(about.md, self._primary)
        told = len(about.angles) and np.isfinite(about.angles).all()
        if self._plan is None and told and run.is_alone(self._primary):
            self._plan = np.array(about.angles)
        # else the angles of the other acquisitions aren't known: all count the same

    def _take(self, run: RunCount, frame: Frame) -> str:
        """Take a frame; tell why it can't be used, or nothing."""
        total = self._sum
        try:
            rows = self._rows.of(frame.data)
        except ConfigurationError as error:
            if total is None:
                raise  # rows that aren't on the detector: none of them can be used
            return error.problem.rstrip(".")
        if total is None:
            if self._there is not None:
                directory = self._there.current / self.output_directory
                check_free(tomogram_files(directory, self._rows.numbers, self._files))
            scale = flat_scale_of(run.about.md, self._flat_scale)
            total = TomogramSum(self._settings, (rows.shape[0], rows.shape[1]), scale)
            self._sum = total
        if not total.begun:
            total.check_room(run.expected(self._primary) * rows.nbytes)
        if not run.is_new(frame):
            return "it came before, by its unique id"
        if frame.stream == self._darks:
            return "" if total.add_dark(rows) else "darks after the projections are of no use"
        if frame.stream == self._flats:
            return "" if total.add_flat(rows) else "flats after the projections are of no use here"
        plan = self._plan
        place = run.place_of(frame, plan, in_order=self._given is not None)
        angle = frame.angle
        if angle is None and plan is not None and place is not None and 0 <= place < len(plan):
            angle = float(plan[place])
        if angle is None or not np.isfinite(angle):
            return "nobody knows its angle"
        if not total.begun:
            total.angles = plan
        try:
            total.add(rows, angle, place, run.is_certain(frame))
        except FrameCountError as error:
            return error.problem.rstrip(".")
        run.note_used(frame, angle)
        here = frame.place if place is None else place - run.before[frame.stream]
        self._angles.note(frame, angle, here)
        if self._pictures is not None:
            self._pictures.show(self.picture, self._facts_of_picture)
        return ""

    def _end_run(self) -> None:
        """Finish the slices, and write them."""
        total, run, there = self._sum, self._run, self._there
        self._run = self._there = None
        if total is None or run is None:
            return
        try:
            slices = total.finish()
        finally:
            total.close()
        if slices is None:
            came = run.came[self._primary]
            if came:
                reasons = "; ".join(f"{number}: {why}" for why, number in self.left_out.items())
                raise FrameCountError(
                    f"No slices: none of {counted(came, 'projection')} could be used ({reasons}).",
                    got=0,
                )
            return
        self.result = self._tomogram(run, total, self._scaled(slices))
        if self._pictures is not None:
            self._pictures.show(lambda: slices, self._facts_of_picture, last=True)
        if self._settings.normalise and not total.flats.count:
            _log.warning("No flats came: slices are those of the camera's counts alone.")
        for reason, number in self.left_out.items():
            _log.warning("%s weren't used: %s.", counted(number), reason)
        if there is not None:
            path = there.data_set(self.output_directory, exists="continue").path
            for each in self._files:  # what is written is known if the next one fails
                self.written += write_tomogram(path, self.result, (each,))

    def _tomogram(self, run: RunCount, total: TomogramSum, slices: np.ndarray) -> Tomogram:
        settings, about = self._settings, run.about
        region = settings.region or ((0, total.shape[1]), (0, total.shape[1]))
        facts = {
            "run_uid": about.run_uid,
            "raw_file": about.md.get("file") or about.md.get("scan_directory") or "",
            "projections": total.projections,
            "darks": total.darks.count,
            "flats": total.flats.count,
            "flat_scale": total.flat_scale,
            "replaced_pixels": total.replaced,
            "filter": settings.filter,
            "centre_from": total.centre_from,
            "normalise": settings.normalise,
            "absorption": settings.absorption,
            "backend": settings.backend,
            **self._angles.facts,
        }
        if settings.window is not None:
            facts["window_degrees"] = settings.window
        if run.shifted:
            facts["angles_shifted"] = True
        return Tomogram(
            slices,
            settings.unit(self._pixel_size),
            tuple(self._rows.numbers),
            (region[0][0] - total.shape[1] // 2, region[1][0] - total.shape[1] // 2),
            total.centres,
            np.array(run.angles),
            self._pixel_size,
            () if run.shifted else tuple(total.missing),
            dict(self.left_out),
            tuple(run.used.ranges),
            run.reason,
            facts,
            dict(about.md),
        )

    def _scaled(self, slices: np.ndarray) -> np.ndarray:
        if self._pixel_size is not None:
            slices *= np.float32(1000.0 / self._pixel_size)
        return slices

    def _facts_of_picture(self) -> Mapping[str, Any]:
        unit, rows = self._settings.unit(self._pixel_size), tuple(self._rows.numbers)
        return {"projections": self.projections, "centre": self.centre, "unit": unit, "rows": rows}
