"""Tomography runs as Data Exchange files, which tomopy, tomocupy, Savu and httomo read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from ..nexus.run_view import iso_time
from ..output.hdf5_values import member_name, write_value
from ..tomography import FrameKind, TomoFile, TomoFrames, TomoWriter
from ..tomography.frame_table import (
    MISSING_TEXT,
    Z_TRANSLATION,
    spiral_motor,
    write_frames,
    write_reading,
)
from ..tomography.metadata import (
    INSTRUMENT,
    SOURCE,
    Fact,
    detector_facts,
    number,
    photon_energy,
    said,
)
from .texts import AXES

__all__ = ["DATASETS", "FORMAT", "IMPLEMENTS", "DataExchangeFile", "DataExchangeWriter"]

#: Name and version of the files' format, as it stands in the attribute ``format``.
FORMAT = "adsupport-dataexchange-1"
#: Which groups a file has, as it stands in ``/implements``.
IMPLEMENTS = "exchange:measurement:process"

#: Datasets of images and of angles, and what they are, by kind of frame.
DATASETS = {
    FrameKind.PROJECTION: ("data", "theta", "projections"),
    FrameKind.FLAT: ("data_white", "theta_white", "flat fields: beam without sample"),
    FrameKind.DARK: ("data_dark", "theta_dark", "dark fields: no beam"),
}

#: Names in ``/exchange`` that have a meaning of their own, so that no motor can have them.
_RESERVED = {"x", "y", "title", "name", "description", "data_shift_x", "data_shift_y",
             *(name for each in DATASETS.values() for name in each[:2])}  # fmt: skip

#: Angles are evenly spaced when none is further off than this part of a step.
_EVEN = 0.01


class DataExchangeFile(TomoFile):
    """The Data Exchange file of a run."""

    format = FORMAT

    def write(self, file: h5py.File, frames: TomoFrames) -> None:
        """Write the file's content; see the base class."""
        write_value(file, "implements", IMPLEMENTS)
        exchange = file.create_group("exchange")
        title = self.run.start.get("title")
        if isinstance(title, str):
            write_value(exchange, "name", title)
        for kind in FrameKind:
            self._write_kind(exchange, kind, frames.of(kind))
        self._write_measurement(file.create_group("measurement"), frames.detector)
        self._write_acquisition(file.create_group("process/acquisition"), frames)
        for name, document in (("start", self.run.start), ("stop", self.run.stop)):
            if document is not None:
                write_value(file, f"process/bluesky/{name}", document, notes=self.skipped)

    def _write_kind(self, exchange: h5py.Group, kind: FrameKind, frames: TomoFrames) -> None:
        name, theta, description = DATASETS[kind]
        if not len(frames):
            self.remark(
                f"The run has no {kind.name.lower()}s: /exchange/{name} is left out. tomocupy "
                "needs data, data_white, data_dark and theta; other readers may do without."
            )
            return
        dataset = self.store(exchange, name, frames)
        dataset.attrs["units"] = "counts"
        dataset.attrs["description"] = description
        if kind == FrameKind.PROJECTION:
            dataset.attrs["axes"] = AXES
        if frames.has_angles:
            angles = exchange.create_dataset(theta, data=frames.angles)
            angles.attrs["units"] = "degree"
            angles.attrs["source"] = frames.theta
        elif kind == FrameKind.PROJECTION and _may_turn(self.run.start):
            self.remark(
                "No angle of the projections is known: /exchange/theta is left out. Name the data "
                "key of the rotation by theta=<data key>."
            )
        # "Dimension descriptors within the group may also serve to describe 'positioner' values
        # involved in a scan": the format's own words.
        for motor in self.run.motors:
            reading = frames.readings.get(motor)
            if reading is None or motor in _RESERVED:
                continue
            if frames.has_angles and frames.theta in (motor, *reading.source.split(", ")):
                continue
            if reading.values.dtype.kind == "f" and np.isnan(reading.values).all():
                continue
            write_reading(exchange, f"{member_name(motor)}{name.removeprefix('data')}", reading)

    def _write_measurement(self, group: h5py.Group, detector: str) -> None:
        start = self.run.start
        facts: dict[str, Any] = {
            "instrument/name": said(start, INSTRUMENT),
            "instrument/source/name": said(start, SOURCE),
            "instrument/monochromator/energy": photon_energy(self.run, self.baseline),
            "instrument/detector/name": detector,
            "sample/experimenter/name": said(start, ("experimenter", "user", "operator")),
            "sample/experiment/proposal": said(start, ("proposal_id", "proposal")),
        }
        for name, fact in detector_facts(self.run, detector).items():
            facts[f"instrument/detector/{name}"] = fact
        sample = start.get("sample")
        for name, value in (sample if isinstance(sample, dict) else {"name": sample}).items():
            facts[f"sample/{member_name(str(name))}"] = value
        if facts.get("sample/name") is None:
            facts["sample/name"] = start.get("sample_name")
        for place in ("instrument", "sample"):
            group.create_group(place)
        for place, fact in facts.items():
            value, units = fact if isinstance(fact, Fact) else (fact, "")
            if value is not None and place not in group:
                dataset = write_value(group, place, value, notes=self.skipped)
                if units:
                    dataset.attrs["units"] = units

    def _write_acquisition(self, group: h5py.Group, frames: TomoFrames) -> None:
        order = group.create_dataset("image_key", data=frames.image_key)
        order.attrs["description"] = (
            "What each frame is, in the order in which they were taken: 0 projection, 1 flat, 2 "
            "dark, 3 projection that is missing"
        )
        table = group.create_group("frames")
        write_frames(table, frames, "Each frame, in the order in which they were taken.")
        vertical = spiral_motor(self.run, frames)
        if vertical is not None:
            table.attrs[Z_TRANSLATION] = member_name(vertical)
        if self.lost is not None:
            write_frames(group.create_group("missing_frames"), self.lost, MISSING_TEXT)
        for name, time in (("start_date", self.run.time), ("end_date", self.run.stop_time)):
            if time:
                write_value(group, name, iso_time(time))
        counts = {kind: len(frames.of(kind)) for kind in FrameKind}
        write_value(group, "dark_fields/num_dark_fields", counts[FrameKind.DARK])
        write_value(group, "flat_fields/num_flat_fields", counts[FrameKind.FLAT])
        write_value(group, "rotation/num_angles", counts[FrameKind.PROJECTION])
        begin, step = _spacing(frames.of(FrameKind.PROJECTION).angles)
        if begin is None and not self.left_out:  # else they'd tell the angles of other frames
            begin = number(self.run.start.get("rotation_start"))
            step = number(self.run.start.get("rotation_step"))
        # One reader looks for the short names, another one for the long ones.
        for name, value in (("start", begin), ("step", step)):
            for place in (name, f"rotation_{name}"):
                if value is not None:
                    write_value(group, f"rotation/{place}", value).attrs["units"] = "degree"


class DataExchangeWriter(TomoWriter):
    """Write each tomography run to a Data Exchange file.

    ::

        /                       @format @uid @scan_id @exit_status @problems @remarks
        /implements             "exchange:measurement:process"
        /exchange
            data, data_white, data_dark      (n, Y, X): projections, flats and darks  @units
            theta, theta_white, theta_dark   (n,), degrees  @units
            <motor>, <motor>_white, ..._dark (n,): of other motors of the scan  @units
        /measurement/instrument, sample      what the documents tell of these
        /process/acquisition
            rotation, dark_fields, flat_fields
            image_key           (n,) in the order in which frames were taken
            frames/unique_id, image_key, theta, <device>  (n,) in this order
            missing_frames/     the same of frames that were lost; absent when there are none
        /process/bluesky/start, stop         the documents, JSON text

    What the run doesn't have is left out, and told in the remarks.  The format is that of
    https://dxfile.readthedocs.io; it leaves to each facility what ``/process/acquisition`` has.

    ``frames`` has what every device but the detector has read with each frame, such as the height
    in a spiral, the step of a grating and the state of the shutter.  Those of ``/exchange/data``
    have the ``image_key`` 0 there.  With ``missing="drop"`` a lost frame is only in
    ``missing_frames``, with ``"fill"`` a projection is in both.  A reading that has a number for
    each frame, such as ``vertical_frames`` of a fly scan, stands for its device's own.

    Parameters
    ----------
    *args, **options
        See :class:`~adsupport.callbacks.tomography.TomoWriter`.

    Examples
    --------
    >>> writer = DataExchangeWriter("/data/dx", theta="rotation")
    >>> RE.subscribe(writer.receiver)  # doctest: +SKIP
    """

    file_extension = "h5"
    tomo_file = DataExchangeFile


def _may_turn(start: Mapping[str, Any]) -> bool:
    """Tell whether angles may be had: not of an imaging experiment that asks for none."""
    asked = start.get("imaging")
    return not isinstance(asked, Mapping) or "angular_range" in asked


def _spacing(angles: np.ndarray) -> tuple[float | None, float | None]:
    """Tell the first angle, and the step where the angles are evenly spaced."""
    if not angles.size or np.isnan(angles).any():
        return None, None
    if angles.size < 2:
        return float(angles[0]), None
    step = float(angles[-1] - angles[0]) / (angles.size - 1)
    even = angles[0] + step * np.arange(angles.size)
    return float(angles[0]), step if np.abs(angles - even).max() <= _EVEN * abs(step) else None
