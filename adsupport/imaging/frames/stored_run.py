"""The acquisitions of a run that is over, from its documents and the detector's files."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from ...callbacks.tomography.angles import degrees_per_unit, per_frame, theta_key
from ...documents.asset_paths import AnyPathMap
from ...documents.assets import Frames
from ...documents.images import FrameRows, frames_of, wait_for_images
from ...documents.router import RunRouter
from ...documents.run import Rows, Run, Stream
from ...documents.stored_runs import replay
from ...errors import AdsupportError, DocumentError
from .arrival import Arrival
from .frame import StreamAbout
from .replay import StoredAcquisition
from .stack_file import FrameLabels, StackFile

__all__ = ["run_acquisitions"]

_FIRST_ID = "_first_unique_id"


def run_acquisitions(
    run: Any, *, detector: str | None = None, path_map: AnyPathMap = None
) -> list[StoredAcquisition]:
    """List the acquisitions of a run, in the order in which they were taken.

    Rows of one stream that follow each other in time are one acquisition; so flats before and
    after the projections are two.  Of an HDF5 file that lost frames the others are there, as its
    unique ids and the ``..._first_unique_id`` of the events tell; the lost ones count as expected.

    Parameters
    ----------
    run : any
        One run, as :func:`adsupport.documents.replay` takes it.
    detector : str, optional
        Data key of the images; by default the first one with images in files.
    path_map : mapping, PathMap or function, optional
        From directories in the documents to those here.

    Returns
    -------
    list of StoredAcquisition
        For a :class:`~adsupport.imaging.frames.replay.ReplaySource`.

    Raises
    ------
    DocumentError
        It's no run, more than one, or has no images.
    """
    found: list[_Taken] = []

    def begin(started: Run) -> _Taken:
        found.append(_Taken(started, detector))
        return found[-1]

    router = RunRouter(begin, path_map=path_map)
    replay(run, router)
    router.close()
    if len(found) != 1:
        raise DocumentError(f"{len(found)} runs were given; expected one.")
    (taken,) = found
    if not taken.streams:
        what = "any" if detector is None else repr(detector)
        raise DocumentError(
            f"Run {taken.run.uid} has no images in files, of {what} data key.",
            remedy="Give its data key by detector=.",
        )
    return list(taken.acquisitions())


@dataclass
class _Stream:
    """The rows of a stream."""

    rows: FrameRows = field(default_factory=FrameRows)
    times: list[float] = field(default_factory=list)
    angles: list[Any] = field(default_factory=list)
    ids: list[int | None] = field(default_factory=list)  # of the first frame of each row
    per_row: int = 1  # frames, as the descriptor has it


class _Taken:
    """Where the images of a run are, row by row."""

    def __init__(self, run: Run, detector: str | None) -> None:
        self.run, self._detector = run, detector
        self.streams: dict[str, _Stream] = {}
        self._keys: dict[str, tuple[str, str | None, float]] = {}

    # what the router calls

    def begin(self, run: Run) -> None:
        pass

    def stream(self, run: Run, stream: Stream) -> None:
        images = [name for name, column in stream.columns.items() if column.external]
        chosen = images[0] if images and self._detector is None else self._detector
        if chosen not in images or chosen is None:
            return
        theta = theta_key(run, stream)
        if theta is None and "theta" in stream.columns:
            theta = "theta"
        factor = None if theta is None else degrees_per_unit(stream.columns[theta].units)
        self._keys[stream.name] = chosen, theta if factor else None, factor or 1.0

    def rows(self, run: Run, rows: Rows) -> None:  # noqa: ARG002
        keys = self._keys.get(rows.stream.name)
        if keys is None:
            return
        images, theta, factor = keys
        shape = rows.stream.columns[images].shape
        per_row = (shape[0] or 1) if len(shape) > 2 else 1
        kept = self.streams.setdefault(rows.stream.name, _Stream(per_row=per_row))
        values = rows.values(images)
        if any(not isinstance(value, Frames | None) for value in values):
            raise DocumentError(
                f"Stream {rows.stream.name!r} has images in its documents; expected those in files."
            )
        kept.rows.extend(values)
        kept.times.extend(rows.times().tolist())
        named = [each for each in rows.stream.columns if each.endswith(_FIRST_ID)]
        ids = rows.values(named[0]) if len(named) == 1 else [None] * len(values)
        kept.ids.extend(None if each is None else int(each) for each in ids)
        angles = rows.values(theta) if theta is not None else [None] * len(values)
        for value, frames in zip(angles, values, strict=True):
            number = 0 if frames is None else frames.count
            each = None if value is None else per_frame(value, number)
            kept.angles.append(None if each is None else each * factor)

    def end(self, run: Run) -> None:
        pass

    # what is made of it

    def acquisitions(self) -> Iterator[StoredAcquisition]:
        names = list(self.streams)
        times = np.concatenate([np.array(self.streams[name].times) for name in names])
        which = np.repeat(np.arange(len(names)), [len(self.streams[n].times) for n in names])
        which = which[np.argsort(times, kind="stable")]
        places = np.zeros(len(names), int)
        ends = [*np.flatnonzero(np.diff(which)) + 1, len(which)]
        begin = 0
        for end in ends:
            number, count = which[begin], end - begin
            first, places[number] = places[number], places[number] + count
            begin = end
            yield self._acquisition(names[number], int(first), int(count))

    def _acquisition(self, name: str, first: int, count: int) -> StoredAcquisition:
        stream = self.streams[name]
        rows = [stream.rows[row] for row in range(first, first + count)]
        # a row whose images never were announced lacks as many as another one has
        most = max((row.count for row in rows if row is not None), default=stream.per_row)
        counts = [most if row is None else row.count for row in rows]
        begins = itertools.accumulate(counts, initial=0)
        about = StreamAbout(self.run.uid, name, sum(counts), self.run.start)
        mine = slice(first, first + count)
        known = [
            _Row(frames, angle, first_id, place)
            for frames, angle, first_id, place in zip(
                rows, stream.angles[mine], stream.ids[mine], begins, strict=False
            )
            if frames is not None
        ]
        return StoredAcquisition(about, partial(_read, known))


@dataclass(frozen=True)
class _Row:
    """The frames of an event."""

    frames: Frames
    angle: Any
    first_id: int | None
    place: int  # of its first frame in the acquisition

    @property
    def file(self) -> tuple[Any, str]:
        return self.frames.asset.path, self.frames.asset.dataset

    def is_at(self, label: FrameLabels) -> bool:
        """Tell whether a file has these frames where the documents say, by their ids."""
        if label.ids is None or self.first_id is None:
            return False
        found = label.ids[self.frames.first : self.frames.first + self.frames.count]
        return found.tolist() == list(range(self.first_id, self.first_id + self.frames.count))

    def arrival(self, load: Any, index: int, label: FrameLabels | None, at: int) -> Arrival:
        """Make an arrival of one of its frames, which is at a place of the file."""
        id_, moment = _label(label, at)
        angle = None if self.angle is None or np.isnan(self.angle[index]) else self.angle[index]
        return Arrival(
            load,
            stored=False,
            unique_id=id_,
            timestamp=moment,
            angle=None if angle is None else float(angle),
            place=self.place + index,
        )


def _read(rows: list[_Row]) -> Iterator[Arrival]:
    labels: dict[Any, FrameLabels | None] = {}
    told: dict[Any, int] = {}
    ids_match: set[Any] = set()
    for row in rows:
        label = _labels(row, labels)
        if label is not None:
            told[row.file] = max(told.get(row.file, 0), row.frames.first + row.frames.count)
            if row.is_at(label):
                ids_match.add(row.file)

    def lacks(row: _Row) -> bool:
        label = _labels(row, labels)
        if label is None:
            return False
        if label.frames >= told[row.file]:  # or it has others behind those that it lost
            return row.file in ids_match and row.first_id is not None and not row.is_at(label)
        return not label.frames or (label.ids is not None and row.first_id is not None)

    for lacking, some in itertools.groupby(rows, lacks):
        read = _read_those_left if lacking else _read_all
        yield from read(list(some), labels)


def _read_those_left(rows: list[_Row], labels: dict[Any, FrameLabels | None]) -> Iterator[Arrival]:
    """Read what a file has, by the unique ids: some frames never came to it."""
    for row in rows:
        label, first = _labels(row, labels), row.first_id
        if label is None or label.ids is None or first is None:
            continue
        file = StackFile(row.frames.asset.path, row.frames.asset.dataset)
        for at in np.flatnonzero((label.ids >= first) & (label.ids < first + row.frames.count)):
            index = int(label.ids[at]) - first
            yield row.arrival(partial(file.read, int(at)), index, label, int(at))


def _read_all(rows: list[_Row], labels: dict[Any, FrameLabels | None]) -> Iterator[Arrival]:
    column, _ = wait_for_images([row.frames for row in rows], timeout=0.0)
    if column is None:
        return
    pixels = frames_of(column)
    for row in rows:
        label = _labels(row, labels)
        for index in range(row.frames.count):
            image = next(pixels)
            yield row.arrival(lambda image=image: image, index, label, row.frames.first + index)
        # a row that has fewer frames than others is filled up there
        for _ in range(column.per_row - row.frames.count):
            next(pixels)


def _labels(row: _Row, known: dict[Any, FrameLabels | None]) -> FrameLabels | None:
    asset = row.frames.asset
    if asset.kind != "hdf5":
        return None
    key = row.file
    if key not in known:
        known[key] = None
        with contextlib.suppress(AdsupportError):  # pixels of a file without labels are read, too
            known[key] = StackFile(asset.path, asset.dataset).labels()
    return known[key]


def _label(labels: FrameLabels | None, place: int) -> tuple[int | None, float | None]:
    if labels is None or place >= labels.frames:
        return None, None
    return (
        None if labels.ids is None else int(labels.ids[place]),
        None if labels.times is None else float(labels.times[place]),
    )
