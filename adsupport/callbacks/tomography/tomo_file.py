"""What the files of tomography runs have in common: gathering, finding and storing frames."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import h5py
import numpy as np

from ...documents.assets import Frames
from ...documents.images import contradiction, store_images
from ...documents.run import Column, Rows, Run, Stream
from ...errors import ImageFileError
from ..file_set import writing
from ..output import AtomicFile
from ..output.hdf5_closing import ROOM, close_anyway
from ..output.hdf5_values import write_attribute
from ..run_file import RunFile
from .frames import FrameKind, TomoFrames
from .kinds import KindRules
from .locating import Located, locate
from .pixel_spool import PixelSpool, pixels_of
from .run_frames import RunFrames

__all__ = ["Images", "Missing", "TomoFile", "TomoOptions"]

Images = Literal["link", "copy", "repack"]
Missing = Literal["error", "drop", "fill"]

_SOME = 20  # numbers that a message lists


@dataclass(frozen=True)
class TomoOptions:
    """How a run becomes a tomography file; see :class:`~.writer.TomoWriter`.

    Parameters
    ----------
    detector, theta, unique_id, images, compression, image_timeout, missing
        See there.
    rules : KindRules
        How kinds of frames are told apart.
    """

    detector: str | None = None
    theta: str | None = None
    unique_id: str | None = None
    rules: KindRules = field(default_factory=KindRules)
    images: Images = "link"
    compression: Mapping[str, Any] | None = None
    image_timeout: float = 20.0
    missing: Missing = "error"


class TomoFile(RunFile):
    """The tomography file of a run: what its kind writes is in :meth:`write`.

    Parameters
    ----------
    file : AtomicFile
        What to write.
    options : TomoOptions
        How.

    Attributes
    ----------
    baseline : dict
        Values of the stream ``baseline`` in its first row, by data key.
    left_out : int
        Projections that are missing and left out, once the frames are known.
    lost : TomoFrames or None
        All frames that are missing, in the order in which they were to come; None when none is.
    """

    #: Name and version of the files' format, for the attribute ``format``.
    format: ClassVar[str] = ""

    def __init__(self, file: AtomicFile, options: TomoOptions) -> None:
        super().__init__()
        self.options = options
        self.baseline: dict[str, Any] = {}
        self.left_out = 0
        self.lost: TomoFrames | None = None
        self._output = file
        self._frames = RunFrames(
            options.detector, options.theta, options.unique_id, options.rules,
            self._keep, self.skip, self.remark,
        )  # fmt: skip
        self._spool: PixelSpool | None = None
        self._located: Located | None = None
        self._written = False

    @abstractmethod
    def write(self, file: h5py.File, frames: TomoFrames) -> None:
        """Write the file's content.

        Parameters
        ----------
        file : h5py.File
            Open and empty.
        frames : TomoFrames
            All frames, in the order in which they were taken.  With ``missing="fill"``
            some projections are in no file.
        """

    def describe(self, group: h5py.Group) -> None:
        """Write attributes that tell which run it is, and what is wrong or unusual with it.

        Parameters
        ----------
        group : h5py.Group
            The file; subclasses may choose a group.
        """
        run = self.run
        write_attribute(group, "format", self.format)
        write_attribute(group, "uid", run.uid)
        write_attribute(group, "exit_status", run.exit_status)
        if run.scan_id is not None:
            write_attribute(group, "scan_id", run.scan_id)
        problems = [*run.problems, *self.skipped]
        for name, texts in (("problems", problems), ("remarks", self.remarks)):
            if texts:
                write_attribute(group, name, texts)

    def stream(self, run: Run, stream: Stream) -> None:
        """Look for the keys of detector and angle; see the base class."""
        self._frames.stream(run, stream)

    def rows(self, run: Run, rows: Rows) -> None:
        """Gather where the frames of rows are; see the base class."""
        if rows.stream.name == "baseline" and rows.events and not self.baseline:
            self.baseline = dict(rows.events[0]["data"])
        with writing(self._output.path):  # images may come in the documents
            self._frames.rows(rows)

    def end(self, run: Run) -> None:
        """Close what was kept of the documents; see the base class."""
        if self._spool is not None:
            with writing(self._output.path):
                self._spool.close()

    def finish(self) -> list[Path]:
        """Find the frames, write the file and name it; see the base class."""
        if not self._written:
            frames = self._arranged()
            if frames is None:
                self.remark("The run has no images: there is nothing to write.")
                self.abandon()
                return []
            self._output.check_room(ROOM)
            with writing(self._output.path):
                file = h5py.File(self._output.temporary, "w")
                try:
                    self.write(file, frames)
                    self.describe(file)
                    file.close()
                except BaseException:
                    close_anyway(file)
                    raise
            self._written = True
            self._remove_spool()
        return [self._output.commit()]

    def abandon(self) -> None:
        """Remove the file; see the base class."""
        self._remove_spool()
        self._output.abandon()

    def store(self, group: h5py.Group, name: str, frames: TomoFrames) -> h5py.Dataset:
        """Bring images into the file.

        Parameters
        ----------
        group : h5py.Group
            Where to write.
        name : str
            Of the dataset.
        frames : TomoFrames
            The frames, at least one.

        Returns
        -------
        h5py.Dataset
            (n, Y, X).

        Raises
        ------
        ImageFileError
            Images can't be read.
        """
        found = self._located
        if found is None:
            raise RuntimeError("Frames are stored before they are found.")
        images, column = self.options.images, found.column
        unlinkable = "the documents" if self._spool is not None else found.other_formats
        if images == "link" and unlinkable:
            images = "copy"
            self.remark(f"Images are copied: HDF5 can't link those in {unlinkable}.")
        fill = self.options.missing == "fill"
        stored = store_images(
            group, name, frames.rows(), self._output.path, images=images,
            compression=self.options.compression, timeout=self.options.image_timeout,
            missing="placeholder" if fill else "error", frame_axis=False,
            frame_shape=None if column is None else column.frame_shape,
            dtype=None if column is None else column.dtype,
        )  # fmt: skip
        if stored.dataset is None:
            raise ImageFileError(f"No image of {frames.detector!r} can be found.")
        gaps = f"{int(frames.missing.sum())} of {len(frames)} rows have no images"
        for text in stored.notes:
            if not text.startswith(gaps):  # which ones is told already
                self.remark(f"{name}: {text}")
        return stored.dataset

    def _keep(self, value: Any, column: Column) -> Frames | None:
        """Keep images that came in a document."""
        pixels = pixels_of(value, column)
        if pixels is None:
            return None
        self._output.check_room(ROOM + pixels.nbytes)
        if self._spool is None:
            temporary = self._output.temporary
            self._spool = PixelSpool(temporary.parent, self._output.path.name)
        return self._spool.add(pixels)

    def _arranged(self) -> TomoFrames | None:
        """Find the frames in their files, and do what the policy says of missing ones."""
        table, detector = self._frames.table(self.run), self._frames.detector
        if table is None or detector is None:
            return None
        gathered = self._frames.gathered
        frames = TomoFrames(
            detector, self._frames.theta or "", gathered.assets, table["asset"].astype(np.int64),
            table["first"], table["kind"].astype(np.uint8), table["angle"], table["id"],
            self._frames.readings.of(table),
        )  # fmt: skip
        located = self._located = locate(
            detector, gathered, table, frames.rows(), self.options.image_timeout,
            ids_named=self.options.unique_id is not None,
        )  # fmt: skip
        for text in located.remarks:
            self.remark(text)
        for stream in self.run.streams.values():
            column = stream.columns.get(detector)
            if column is not None and self._spool is None:
                wrong = contradiction(column, located.column)
                if wrong:
                    self.skip(wrong)
        frames = replace(
            frames, sources=located.sources, positions=located.positions, ids=located.ids
        )
        self._check_angles(frames)
        return self._without_missing(frames, located)

    def _check_angles(self, frames: TomoFrames) -> None:
        angles = frames.of(FrameKind.PROJECTION).angles
        lacking = int(np.isnan(angles).sum())
        if 0 < lacking < len(angles):
            self.skip(f"{lacking} of {len(angles)} projections have no angle: it's NaN.")

    def _without_missing(self, frames: TomoFrames, located: Located) -> TomoFrames:
        """Leave out missing frames, or let projections stand for themselves."""
        missing = np.flatnonzero(frames.missing)
        if not missing.size:
            return frames
        text = _told(frames, missing)
        why = " ".join(located.notes[:3])
        if missing.size == len(frames):
            raise ImageFileError(f"{text} {why}".strip(), remedy="There is no image to write.")
        if self.options.missing == "error":
            raise ImageFileError(
                f"{text} {why}".strip(),
                remedy="With missing='drop' they are left out, and with 'fill' projections have "
                "a blank frame.",
            )
        self.remark(f"{text} {why}".strip())
        self.lost = frames.chosen(missing)
        projections = frames.kinds == FrameKind.PROJECTION
        if self.options.missing == "drop":
            self.left_out = int((frames.missing & projections).sum())
            return frames.chosen(~frames.missing)
        # A blank flat or dark would spoil the mean of all.
        return frames.chosen(~frames.missing | projections)

    def _remove_spool(self) -> None:
        if self._spool is not None:
            self._spool.remove()


def _told(frames: TomoFrames, missing: np.ndarray) -> str:
    """Say which frames are missing."""
    parts = []
    for kind in FrameKind:
        own = np.flatnonzero(frames.kinds == kind)
        lost = np.flatnonzero(np.isin(own, missing))
        if not lost.size:
            continue
        text = f"{lost.size} of {own.size} {kind.name.lower()}s (number {_listed(lost)}"
        angles, ids = frames.angles[own[lost]], frames.ids[own[lost]]
        if (ids >= 0).any():
            text += f"; NDArrayUniqueId {_listed(ids)}"
        if not np.isnan(angles).all():
            text += f"; angle {_listed(angles)}"
        parts.append(f"{text})")
    return f"Missing of {frames.detector!r}: {', '.join(parts)}."


def _listed(numbers: np.ndarray) -> str:
    text = ", ".join(f"{each:.10g}" for each in numbers[:_SOME].tolist())
    return text if numbers.size <= _SOME else f"{text} ..."
