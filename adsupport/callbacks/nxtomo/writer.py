"""Tomography runs as NXtomo files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import h5py

from ...documents.run import Run
from ..nexus.nx_group import nx_group
from ..nexus.run_view import iso_time
from ..tomography import FrameKind, TomoFile, TomoFrames, TomoWriter
from ..tomography.frame_table import MISSING_TEXT, spiral_motor, write_frames
from ..tomography.metadata import INSTRUMENT, SOURCE, Fact, detector_facts, said
from .entry import IN_ORDER, About, write_entry

__all__ = ["NXtomoFile", "NXtomoWriter"]

_SAMPLE = ("sample", "sample_name")


class NXtomoFile(TomoFile):
    """The NXtomo file of a run; see :class:`NXtomoWriter`."""

    format = "adsupport-nxtomo-1"

    def write(self, file: h5py.File, frames: TomoFrames) -> None:
        """Write the file's content; see the base class."""
        projections = frames.of(FrameKind.PROJECTION)
        if len(projections) and not projections.has_angles:
            self.skip("No projection has an angle, which NXtomo demands: name it by theta=.")

        def store(group: h5py.Group, name: str) -> h5py.Dataset:
            return self.store(group, name, frames)

        about = _about(self.run, frames.detector)
        heights = _heights(self.run, frames)
        entry = write_entry(
            file, "entry", frames.image_key, frames.angles, IN_ORDER, about, store, heights
        )
        write_frames(nx_group(entry, "frames", "NXcollection"), frames, IN_ORDER)
        if self.lost is not None:
            group = nx_group(entry, "missing_frames", "NXcollection")
            write_frames(group, self.lost, MISSING_TEXT)

    def describe(self, group: h5py.Group) -> None:
        """Write which run it is into a collection; see the base class."""
        # NeXus knows which attributes a file may have; those of a collection are free.
        super().describe(nx_group(group, "entry/run", "NXcollection"))


class NXtomoWriter(TomoWriter):
    """Write an NXtomo file for each tomography run: ``RE.subscribe(NXtomoWriter().receiver)``.

    ::

        /entry
            definition                      "NXtomo"
            title, start_time, end_time     as far as the run tells them
            instrument/detector/data        (n, Y, X): all frames, as they were taken
            instrument/detector/image_key   (n,): 0 projection, 1 flat, 2 dark, 3 missing
            sample/name, rotation_angle     (n,): degrees, NaN where unknown
            sample/z_translation            (n,): of a spiral, along the axis of rotation
            frames                          (n,): unique_id, and what each device has read
            missing_frames                  the same of frames that were lost, if any
            data                            what to plot: links to these
            run                             @format @uid @scan_id @exit_status @problems @remarks

    The parameters are those of :class:`~adsupport.callbacks.tomography.TomoWriter`, the same as
    for Data Exchange files.  With ``missing="fill"`` a blank frame has the ``image_key`` 3, so
    programs leave it out.

    Examples
    --------
    >>> writer = NXtomoWriter(file_path="/data", theta="rotation")  # doctest: +SKIP
    >>> RE.subscribe(writer.receiver)  # doctest: +SKIP
    """

    file_extension = "nxs"
    tomo_file = NXtomoFile


def _about(run: Run, detector: str) -> About:
    start = run.start
    sample = start.get("sample")
    title = start.get("title")
    known = detector_facts(run, detector)
    sizes = {axis: known.get(f"pixel_size_{axis}") for axis in "xy"}
    return About(
        title=title if isinstance(title, str) else "",
        start_time=iso_time(run.time) if run.time else "",
        end_time=iso_time(run.stop_time) if run.stop_time else "",
        sample=_text(sample, ("name",)) if isinstance(sample, dict) else _text(start, _SAMPLE),
        instrument=_text(start, INSTRUMENT),
        source=_text(start, SOURCE),
        pixel_sizes={f"{axis}_pixel_size": fact for axis, fact in sizes.items() if fact},
    )


def _heights(run: Run, frames: TomoFrames) -> Fact | None:
    motor = spiral_motor(run, frames)
    if motor is None:
        return None
    return Fact(frames.readings[motor].values, frames.readings[motor].units)


def _text(document: Mapping[str, Any], names: Iterable[str]) -> str:
    found = said(document, names)
    return "" if found is None else str(found)
