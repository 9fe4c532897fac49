"""Tomography runs as NXtomo files."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from ...documents.run import Run
from ..nexus.nx_group import nx_group
from ..nexus.run_view import iso_time
from ..tomography import FrameKind, TomoFile, TomoFrames, TomoWriter
from .entry import IN_ORDER, INVALID, About, write_entry

__all__ = ["NXtomoFile", "NXtomoWriter"]


class NXtomoFile(TomoFile):
    """The NXtomo file of a run; see :class:`NXtomoWriter`."""

    format = "adsupport-nxtomo-1"

    def write(self, file: h5py.File, frames: TomoFrames) -> None:
        """Write the file's content; see the base class."""
        projections = frames.of(FrameKind.PROJECTION)
        if len(projections) and not projections.has_angles:
            self.skip("No projection has an angle, which NXtomo demands: name it by theta=.")
        image_key = frames.kinds.astype(np.int8)
        image_key[frames.missing] = INVALID

        def store(group: h5py.Group, name: str) -> h5py.Dataset:
            return self.store(group, name, frames)

        write_entry(file, "entry", image_key, frames.angles, IN_ORDER, _about(self.run), store)

    def _describe(self, file: h5py.File) -> None:
        # NeXus knows which attributes a file may have; those of a collection are free.
        group: Any = nx_group(file, "entry/run", "NXcollection")
        super()._describe(group)


class NXtomoWriter(TomoWriter):
    """Write an NXtomo file for each tomography run: ``RE.subscribe(NXtomoWriter().receiver)``.

    ::

        /entry
            definition                      "NXtomo"
            title, start_time, end_time     as far as the run tells them
            instrument/detector/data        (n, Y, X): all frames, as they were taken
            instrument/detector/image_key   (n,): 0 projection, 1 flat, 2 dark, 3 missing
            sample/name, rotation_angle     (n,): degrees, NaN where unknown
            data                            what to plot: links to these
            run                             @format @uid @scan_id @exit_status @problems

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


def _about(run: Run) -> About:
    start, stop = run.start, run.stop or {}
    sample = start.get("sample")
    return About(
        title=_text(start.get("title")),
        start_time=_time(start.get("time")),
        end_time=_time(stop.get("time")),
        sample=_text(sample.get("name") if isinstance(sample, dict) else sample)
        or _text(start.get("sample_name")),
        instrument=_text(start.get("instrument_name") or start.get("beamline_id")),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _time(value: object) -> str:
    return iso_time(value) if isinstance(value, (int, float)) else ""
