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
        kept = self.streams.setdefault(rows.stream.name, _Stream())
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
        angles = stream.angles[first : first + count]
        expected = sum(0 if row is None else row.count for row in rows)
        about = StreamAbout(self.run.uid, name, expected, self.run.start)
        return StoredAcquisition(about, partial(_read, rows, angles, stream.ids[first:]))


def _read(rows: list[Frames | None], angles: list[Any], ids: list[int | None]) -> Iterator[Arrival]:
    labels: dict[Any, FrameLabels | None] = {}
    told: dict[Any, int] = {}
    for row in rows:
        if row is not None and _labels(row, labels) is not None:
            key = row.asset.path, row.asset.dataset
            told[key] = max(told.get(key, 0), row.first + row.count)

    def lacks(row: tuple[Frames, Any, int | None]) -> bool:
        frames, _, first_id = row
        label = _labels(frames, labels)
        key = frames.asset.path, frames.asset.dataset
        if label is None or label.frames >= told[key]:
            return False
        return not label.frames or (label.ids is not None and first_id is not None)

    whole = zip(rows, angles, ids, strict=False)
    known = [(row, angle, id_) for row, angle, id_ in whole if row is not None]
    for lacking, some in itertools.groupby(known, lacks):
        read = _read_those_left if lacking else _read_all
        yield from read(list(some), labels)


def _read_those_left(
    rows: list[tuple[Frames, Any, int | None]], labels: dict[Any, FrameLabels | None]
) -> Iterator[Arrival]:
    """Read what a file has, by the unique ids: some frames never came to it."""
    for row, angle, first_id in rows:
        label, file = _labels(row, labels), StackFile(row.asset.path, row.asset.dataset)
        if label is None or label.ids is None or first_id is None:
            continue
        for place in np.flatnonzero((label.ids >= first_id) & (label.ids < first_id + row.count)):
            id_, moment = _label(label, int(place))
            mine = None if angle is None or id_ is None else float(angle[id_ - first_id])
            yield Arrival(
                partial(file.read, int(place)),
                stored=False,
                unique_id=id_,
                timestamp=moment,
                angle=None if mine is None or np.isnan(mine) else mine,
            )


def _read_all(
    rows: list[tuple[Frames, Any, int | None]], labels: dict[Any, FrameLabels | None]
) -> Iterator[Arrival]:
    known = [(row, angle) for row, angle, _ in rows]
    column, _ = wait_for_images([row for row, _ in known], timeout=0.0)
    if column is None:
        return
    # a row that has fewer frames than others is filled up there
    extra = [column.per_row - row.count for row, _ in known]
    pixels = frames_of(column)
    for (row, angle), fill in zip(known, extra, strict=True):
        label = _labels(row, labels)
        for index in range(row.count):
            place = row.first + index
            id_, moment = _label(label, place)
            image = next(pixels)
            yield Arrival(
                lambda image=image: image,
                stored=False,
                unique_id=id_,
                timestamp=moment,
                angle=None if angle is None or np.isnan(angle[index]) else float(angle[index]),
            )
        for _ in range(fill):
            next(pixels)


def _labels(row: Frames, known: dict[Any, FrameLabels | None]) -> FrameLabels | None:
    asset = row.asset
    if asset.kind != "hdf5":
        return None
    key = asset.path, asset.dataset
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
