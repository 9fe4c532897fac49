"""What the files of tomography runs have in common: gathering, finding and storing frames."""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import h5py
import numpy as np

from ...documents.assets import Frames
from ...documents.images import store_images
from ...documents.run import Column, Rows, Run, Stream
from ...errors import DocumentError, ImageFileError
from ..file_set import writing
from ..output import AtomicFile
from ..output.hdf5_closing import ROOM, close_anyway
from ..output.hdf5_values import write_attribute
from ..run_file import RunFile
from .angles import degrees_per_unit, per_frame, theta_key
from .frames import FrameKind, TomoFrames
from .gathered import GatheredFrames
from .kinds import KindRules
from .locating import Located, locate

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
    run : Run
        The run, with its streams and their configuration.
    detector : str or None
        The data key of the images, once it's known.
    theta : str or None
        The data key of the angles, once it's known.
    baseline : dict
        Values of the stream ``baseline`` in its first row, by data key.
    """

    #: Name and version of the files' format, for the attribute ``format``.
    format: ClassVar[str] = ""

    def __init__(self, file: AtomicFile, options: TomoOptions) -> None:
        super().__init__()
        self.run = Run({})
        self.options = options
        self.detector, self.theta = options.detector, options.theta
        self.baseline: dict[str, Any] = {}
        self._output = file
        self._gathered = GatheredFrames()
        self._several: list[str] = []
        self._streams: dict[str, int] = {}
        self._angles: dict[str, Column] = {}
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
            All frames, in the order in which they were taken; ``frames.kinds`` is the
            ``image_key``.  With ``missing="fill"`` some projections are in no file.
        """

    def begin(self, run: Run) -> None:
        """Take the start of the run; see the base class."""
        self.run = run

    def stream(self, run: Run, stream: Stream) -> None:
        """Look for the keys of detector and angle; see the base class."""
        kind = self.options.rules.streams.get(stream.name)
        if kind is None:
            return
        if self.detector is None:
            found = [key for key, each in stream.columns.items() if each.external]
            if len(found) == 1:
                self.detector = found[0]
            elif found:
                self._several = found
        key = self.options.theta or theta_key(run, stream)
        if key is not None and key in stream.columns:
            self._angles.setdefault(stream.name, stream.columns[key])
            if kind == FrameKind.PROJECTION and self.theta is None:
                self.theta = key

    def rows(self, run: Run, rows: Rows) -> None:
        """Gather where the frames of rows are; see the base class."""
        stream = rows.stream
        if stream.name == "baseline" and rows.events and not self.baseline:
            self.baseline = dict(rows.events[0]["data"])
        if self.detector not in stream.columns:
            return
        kind = self.options.rules.streams.get(stream.name)
        if kind is None:
            for value in rows.values(self.detector):
                if isinstance(value, Frames):
                    self._gathered.announce(value)
            return
        number = self._streams.setdefault(stream.name, len(self._streams))
        for event in rows.events:
            self._gather(stream, event, kind, number)

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
                    self._describe(file)
                    file.close()
                except BaseException:
                    close_anyway(file)
                    raise
            self._written = True
        return [self._output.commit()]

    def abandon(self) -> None:
        """Remove the file; see the base class."""
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
        images = self.options.images
        if images == "link" and not found.linkable:
            images = "copy"
            self.remark(f"Images are copied: HDF5 can't link those in {found.formats}.")
        fill = self.options.missing == "fill"
        stored = store_images(
            group, name, frames.rows(), self._output.path, images=images,
            compression=self.options.compression, timeout=self.options.image_timeout,
            missing="placeholder" if fill else "error", frame_shape=found.frame_shape,
            dtype=found.dtype, frame_axis=False,
        )  # fmt: skip
        if stored.dataset is None:
            raise ImageFileError(f"No image of {self.detector!r} can be found.")
        for text in stored.notes:
            self.remark(f"{name}: {text}")
        return stored.dataset

    # while rows come

    def _factor(self, column: Column | None) -> float:
        """Tell how many degrees the unit of angles is; NaN when they can't be had."""
        if column is None:
            return np.nan
        factor = degrees_per_unit(column.units)
        if factor is None:
            self.skip(
                f"theta={column.name!r} has the units {column.units!r}; expected degrees or "
                "radians. The angles are left out: choose the rotation by theta=<data key>."
            )
            return np.nan
        if not column.units:
            self.remark(f"theta={column.name!r} has no units: they're taken for degrees.")
        return factor

    def _gather(self, stream: Stream, event: dict[str, Any], kind: FrameKind, number: int) -> None:
        data, key = event["data"], self.detector or ""
        value = data.get(key)
        if value is None:
            shape = stream.columns[key].shape
            frames, count = None, (shape[0] or 1) if len(shape) > 2 else 1
        else:
            frames, count = value, value.count
        where = f"Stream {stream.name!r}, event {event['seq_num']}"
        read = functools.partial(self._numbers, data, count, where)
        kinds: Any = kind
        type_key = self.options.rules.frame_type
        if type_key is not None and type_key in stream.columns:
            kinds = self.options.rules.by_type(data.get(type_key), count)
            if kinds is None or (kinds < 0).any():
                self.skip(
                    f"{where}: {type_key} is {data.get(type_key)!r:.100}, which is no frame type "
                    f"of {count} frames; they are left out as far as theirs isn't known."
                )
                kinds = -1 if kinds is None else kinds
        theta = self._angles.get(stream.name)
        factor = self._factor(theta)
        angle = np.nan if theta is None or np.isnan(factor) else read(theta.name) * factor
        id_key, ids = self.options.unique_id, np.full(count, -1, np.int64)
        if id_key is not None and id_key in stream.columns:
            found = read(id_key)
            ids = np.where(np.isnan(found), -1, found).astype(np.int64)
            if np.ndim(data.get(id_key)) == 0 and ids[0] >= 0:
                ids -= np.arange(count - 1, -1, -1)  # it's the last one's
        self._gathered.add(
            frames, count, stream=number, kind=kinds, time=event["time"], angle=angle, id=ids
        )

    def _numbers(self, data: dict[str, Any], count: int, where: str, key: str) -> np.ndarray:
        """Read a number for each frame; NaN where there is none."""
        value = data.get(key)
        found = None if value is None else per_frame(value, count)
        if found is None:
            self.skip(f"{where}: {key} is {value!r:.100}; expected a number for {count} frames.")
            return np.full(count, np.nan)
        return found

    # when the run is over

    def _arranged(self) -> TomoFrames | None:
        """Find the frames in their files, and do what the policy says of missing ones."""
        if self.detector is None:
            if self._several:
                raise DocumentError(
                    f"The run has images of {', '.join(map(repr, self._several))}",
                    remedy="Choose one of them by detector=<data key>.",
                )
            return None
        table = self._gathered.table()
        if not len(table):
            named = ", ".join(map(repr, self.options.rules.streams))
            if self.options.detector is None:
                return None
            raise DocumentError(
                f"None of the streams {named} has images of {self.detector!r}; the run has the "
                f"streams {', '.join(map(repr, self.run.streams)) or '(none)'}",
                remedy="Name its data key by detector=, and the streams by projections=, flats= "
                "and darks=.",
            )
        self._apply_ranges(table)
        for name, number in self._streams.items():  # another key's numbers are no angles of these
            column = self._angles.get(name)
            if column is not None and column.name != self.theta:
                table["angle"][table["stream"] == number] = np.nan
        table = table[table["kind"] >= 0]
        frames = TomoFrames(
            self.detector, self.theta or "", self._gathered.assets, table["asset"].astype(np.int64),
            table["first"], table["kind"].astype(np.uint8), table["angle"], table["id"],
        )  # fmt: skip
        located = self._located = locate(
            self.detector, self._gathered, table, frames.rows(), self.options.image_timeout
        )
        frames = replace(
            frames, sources=located.sources, positions=located.positions, ids=located.ids
        )
        self._check_angles(frames)
        return self._without_missing(frames, located)

    def _apply_ranges(self, table: np.ndarray) -> None:
        rules = self.options.rules
        wanted = [
            number
            for name, number in self._streams.items()
            if rules.streams[name] == FrameKind.PROJECTION
        ]
        own = np.isin(table["stream"], wanted)
        kinds = table["kind"][own]
        for text in rules.by_range(kinds):
            self.skip(text)
        table["kind"][own] = kinds

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
        if self.options.missing == "error":
            raise ImageFileError(
                f"{text} {why}".strip(),
                remedy="With missing='drop' they are left out, and with 'fill' projections have "
                "a blank frame.",
            )
        self.remark(f"{text} {why}".strip())
        if self.options.missing == "drop":
            return frames.chosen(~frames.missing)
        # A blank flat or dark would spoil the mean of all.
        return frames.chosen(~frames.missing | (frames.kinds == FrameKind.PROJECTION))

    def _describe(self, file: h5py.File) -> None:
        run = self.run
        write_attribute(file, "format", self.format)
        write_attribute(file, "uid", run.uid)
        write_attribute(file, "exit_status", run.exit_status)
        if run.scan_id is not None:
            write_attribute(file, "scan_id", run.scan_id)
        problems = [*run.problems, *self.skipped]
        if problems:
            write_attribute(file, "problems", problems)


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
