"""From the rows of a run to its frames: the images of one detector, with kind, angle and id."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from ...documents.assets import Frames
from ...documents.run import Column, Rows, Run, Stream
from ...errors import DocumentError
from .angles import degrees_per_unit, per_frame, theta_key
from .frames import MOST_FRAMES, FrameKind
from .gathered import GatheredFrames
from .kinds import KindRules
from .readings import FRAMES_SUFFIX, RowReadings

__all__ = ["RunFrames"]

_LARGEST = 2**53  # float64 has all integers up to it
#: Ends the data key in which adsupport's detectors tell the unique id of an event's last frame.
_LAST_ID = "_last_unique_id"


class RunFrames:
    """Gathers the frames of a run while its rows come.

    Parameters
    ----------
    detector, theta, unique_id : str or None
        Data keys; see :class:`~.writer.TomoWriter`.
    rules : KindRules
        How kinds of frames are told apart.
    keep : callable
        Takes pixels that came in a document and their column, and returns where they are.
    skip, remark : callable
        Take what is wrong, and what is unusual: sentences.

    Attributes
    ----------
    detector, theta : str or None
        The keys, once they're known.
    gathered : GatheredFrames
        The frames so far.
    readings : RowReadings
        What was read with them.
    """

    def __init__(
        self,
        detector: str | None,
        theta: str | None,
        unique_id: str | None,
        rules: KindRules,
        keep: Callable[[Any, Column], Frames | None],
        skip: Callable[[str], None],
        remark: Callable[[str], None],
    ) -> None:
        self.detector, self.theta = detector, theta
        self.gathered, self.readings = GatheredFrames(), RowReadings()
        self._named, self._theta_named, self._unique_id = detector is not None, theta, unique_id
        self._rules, self._keep = rules, keep
        self._skip, self._remark = skip, remark
        self._external: dict[str, None] = {}
        self._numbers: dict[str, int] = {}
        self._angles: dict[str, Column] = {}
        self._types: dict[str, None] = {}

    def stream(self, run: Run, stream: Stream) -> None:
        """Look for the keys of detector and angle.

        Parameters
        ----------
        run : Run
            The run.
        stream : Stream
            A stream of it, or one with another descriptor.
        """
        kind = self._rules.streams.get(stream.name)
        if kind is None:
            return
        self._external |= {key: None for key, each in stream.columns.items() if _is_image(each)}
        if self.detector is None and self._external:
            self.detector = next(iter(self._external))
        if kind == FrameKind.PROJECTION:
            self._types |= {key: None for key, each in stream.columns.items() if _is_type(each)}
        key = self._theta_named or theta_key(run, stream)
        if key is not None and key in stream.columns:
            if stream.columns[key].external:
                self._skip(
                    f"theta={key!r} has its numbers in files, which aren't read: the angles of "
                    f"stream {stream.name!r} are left out. Choose another data key by theta=."
                )
                return
            self._angles.setdefault(stream.name, stream.columns[key])
            if kind == FrameKind.PROJECTION and self.theta is None:
                self.theta = key

    def rows(self, rows: Rows) -> None:
        """Take rows.

        Parameters
        ----------
        rows : Rows
            Of any stream.
        """
        stream = rows.stream
        if self.detector is None or self.detector not in stream.columns:
            return
        kind = self._rules.streams.get(stream.name)
        if kind is not None:
            number = self._numbers.setdefault(stream.name, len(self._numbers))
            for event in rows.events:
                self._gather(stream, event, kind, number, self.detector)
            return
        for value in rows.values(self.detector):  # not wanted, but its file has them
            if isinstance(value, Frames):
                self.gathered.announce(value)

    def table(self, run: Run) -> np.ndarray | None:
        """Return all frames, when the run is over.

        Parameters
        ----------
        run : Run
            The run.

        Returns
        -------
        numpy.ndarray or None
            See :meth:`GatheredFrames.table`; only frames of a known kind.  None when the run has
            no images and no detector was named.

        Raises
        ------
        DocumentError
            There are several detectors, or the one that was named has no images.
        """
        if not self._named and len(self._external) > 1:
            raise DocumentError(
                f"The run has images of {', '.join(map(repr, self._external))}",
                remedy="Choose one of them by detector=<data key>.",
            )
        table = self.gathered.table()
        if any(_is_image(each) for own in run.streams.values() for each in own.columns.values()):
            for text in self._rules.lacking(run.streams):
                self._skip(text)
        if not len(table):
            if self._named:
                self._refuse(run)
            return None
        if self._theta_named is not None and not self._angles:
            self._skip(
                f"theta={self._theta_named!r}: no stream of frames has this data key, so no angle "
                "is known."
            )
        if self.theta is None:  # a run without projections may have angles of flats
            self.theta = next((each.name for each in self._angles.values()), None)
        for name, number in self._numbers.items():  # another key's numbers are no angles of these
            column = self._angles.get(name)
            if column is not None and self.theta not in (
                column.name,
                f"{column.name}{FRAMES_SUFFIX}",
            ):
                table["angle"][table["stream"] == number] = np.nan
        streams = self._rules.streams
        of_projections = [
            number for name, number in self._numbers.items() if not streams[name]
        ]  # fmt: skip
        own = np.isin(table["stream"], of_projections)
        if own.all():
            self._take_recorded_types(table)
        kinds = table["kind"][own]
        for text in self._rules.by_range(kinds):
            self._skip(text)
        table["kind"][own] = kinds
        return table[table["kind"] >= 0]

    def _take_recorded_types(self, table: np.ndarray) -> None:
        """Believe a recorded frame type, if the user says nothing and one stream has all."""
        if self._rules.frame_type is not None or self._rules.has_ranges:
            return
        if not table["type"].any():  # all are projections, as they are without it
            return
        listed = ", ".join(self._types)
        if len(self._types) > 1 or (table["type"] < 0).any():
            if self._types:
                self._remark(
                    f"All frames are taken for projections, though {listed} may tell flats and "
                    "darks: name the data key by frame_type=<data key>."
                )
            return
        table["kind"] = table["type"]
        self._remark(
            f"Projections, flats and darks are told apart by {listed}, as all frames are in one "
            "stream. Name another data key by frame_type=, or ranges by flats= and darks=."
        )

    def _refuse(self, run: Run) -> None:
        streams = ", ".join(map(repr, self._rules.streams))
        raise DocumentError(
            f"None of the streams {streams} has images of {self.detector!r}; the run has the "
            f"streams {', '.join(map(repr, run.streams)) or '(none)'}",
            remedy="Name its data key by detector=, and the streams by projections=, flats= and "
            "darks=.",
        )

    def _gather(
        self, stream: Stream, event: dict[str, Any], kind: FrameKind, number: int, key: str
    ) -> None:
        """Take the frames of a row."""
        data, column = event["data"], stream.columns[key]
        where = f"Stream {stream.name!r}, event {event['seq_num']}"
        value = data.get(key)
        if value is not None and not isinstance(value, Frames):
            value = self._keep(value, column)
            if value is None:
                self._skip(f"{where}: {key} is no image of (Y, X) or (frames, Y, X).")
                return
        several = column.shape[0] if len(column.shape) > 2 else 1
        count = (several or 1) if value is None else value.count
        first = 0 if value is None else value.first
        if count > MOST_FRAMES or not 0 <= first < _LARGEST:
            raise DocumentError(
                f"{where}: {key} has {count} frames from {first} on; expected at most "
                f"{MOST_FRAMES}, from 0 to {_LARGEST}",
                remedy="The document of its file, or the descriptor, is damaged.",
            )
        read = partial(self._read, data, count, where)
        kinds: Any = kind
        type_key = self._rules.frame_type
        if type_key is not None and type_key in stream.columns:
            kinds = self._rules.by_type(data.get(type_key), count)
            if kinds is None or (kinds < 0).any():
                self._skip(
                    f"{where}: {type_key} is {data.get(type_key)!r:.100}, which is no frame type"
                    f"{f' of {count} frames' if count > 1 else ''}; those whose type isn't known "
                    "are left out."
                )
                kinds = -1 if kinds is None else kinds
        elif type_key is not None and kind == FrameKind.PROJECTION:
            self._skip(
                f"Stream {stream.name!r} has no data key {type_key!r}: all of its frames are taken "
                "for projections, unless ranges say otherwise."
            )
        recorded = None
        if type_key is None and len(self._types) == 1:
            recorded = self._rules.by_type(data.get(next(iter(self._types))), count)
        angle: Any = np.nan
        theta = self._angles.get(stream.name)
        if theta is not None:
            factor = self._factor(theta)
            angle = np.nan if factor is None else read(theta.name) * factor
        id_key, ids = self._unique_id, np.full(count, -1, np.int64)
        own_key = f"{column.object_name}{_LAST_ID}"
        if id_key is None and data.get(own_key, -1) is not None and own_key in stream.columns:
            id_key = own_key
        if id_key is not None and id_key in stream.columns:
            found = read(id_key)
            ids = np.where(np.abs(found) < _LARGEST, found, -1).astype(np.int64)
            if ids[0] >= 0 and np.size(data.get(id_key)) == 1:
                ids -= np.arange(count - 1, -1, -1)  # it's the last one's
        elif id_key is not None:
            self._remark(f"Stream {stream.name!r} has no data key {id_key!r} of unique ids.")
        row = self.gathered.add(
            value, count, stream=number, kind=kinds, type=-1 if recorded is None else recorded,
            time=self._time(stream, event["time"]), angle=angle, id=ids,
        )  # fmt: skip
        self.readings.add(stream, data, row, count, key)

    def _time(self, stream: Stream, time: float) -> float:
        """Tell when a row was taken; rows that have no time are put where their stream began."""
        if time == time:
            return time
        self._remark(
            f"Rows of stream {stream.name!r} have no time: among the frames of other streams they "
            "stand where it began."
        )
        began = stream.descriptors[0].get("time")
        return float(began) if isinstance(began, (int, float)) else np.nan

    def _factor(self, column: Column) -> float | None:
        """Tell how many degrees the unit of angles is; None when they can't be had."""
        factor = degrees_per_unit(column.units)
        if factor is None:
            tell = self._remark if self._theta_named is None else self._skip  # it may be a grating
            tell(
                f"theta={column.name!r} has the units {column.units!r}; expected degrees or "
                "radians. The angles are left out: choose the rotation by theta=<data key>."
            )
        elif not column.units:
            self._remark(f"theta={column.name!r} has no units: its numbers are taken for degrees.")
        return factor

    def _read(self, data: dict[str, Any], count: int, where: str, key: str) -> np.ndarray:
        """Read a number for each frame; NaN where there is none."""
        value = data.get(key)
        found = None if value is None else per_frame(value, count)
        if found is None:
            self._skip(f"{where}: {key} is {value!r:.100}; expected a number for {count} frames.")
            return np.full(count, np.nan)
        return found


def _is_type(column: Column) -> bool:
    """Tell a camera's FrameType by the name that ophyd gives it."""
    return column.name.endswith("frame_type") and not column.external


def _is_image(column: Column) -> bool:
    """Tell images from the numbers that files have of each frame, as ophyd-async announces them.

    Of several frames of an event these are an array, too, with one axis.
    """
    return column.external and (
        len(column.shape) > 1 or (column.dtype == "array" and not column.shape)
    )
