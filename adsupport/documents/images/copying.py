"""Images copied as they are stored: compressed chunks move without being decoded."""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5z  # pyright: ignore[reportAttributeAccessIssue]

from ...errors import ImageFileError
from .pieces import Piece
from .placing import blank_of, note_gaps
from .reading import FrameReader, unreadable
from .recoding import GZIP, new_dataset, write_frames
from .storage import Chunks, Storage, chunks_of, storage_of
from .waiting import ImageColumn, file_key

__all__ = ["copy"]

#: How many parameters a filter puts in front whenever a dataset is made: Bitshuffle.
_OWN_PARAMETERS = {32008: 3}
#: Filters that take any chunk: deflate, shuffle, Fletcher32, LZF, Blosc, LZ4, Bitshuffle, Zstd.
_ANY_CHUNK = {1, 2, 3, 32000, 32001, 32004, 32008, 32015}


@dataclass(frozen=True)
class _Plan:
    """How chunks of the source lie in the target.

    Parameters
    ----------
    frames : int
        Frames of a chunk; 0 when chunks can't be taken over.
    chunks : tuple of int
        Shape of the target's chunks; empty unless chunked.
    within : tuple of int
        Shape of a chunk within a frame.
    """

    frames: int = 0
    chunks: tuple[int, ...] = ()
    within: tuple[int, ...] = ()


def copy(group: h5py.Group, name: str, column: ImageColumn) -> tuple[h5py.Dataset, list[str]]:
    """Copy the images of a column.

    Chunks of HDF5 files keep their bytes, and the dataset has their filters.  Contiguous ones are
    copied in large blocks.  What doesn't fit the first file in chunks or filters is decoded, and
    a note says so.  TIFF, JPEG and NPY files are decoded, and written without compression.

    Parameters
    ----------
    group : h5py.Group
        Where to write.
    name : str
        Of the dataset.
    column : ImageColumn
        The images.

    Returns
    -------
    h5py.Dataset
        Of the column's shape and type.
    list of str
        What was decoded, and what couldn't be read in a column with placeholders.

    Raises
    ------
    ImageFileError
        A file can't be read, and the column is one without placeholders.
    """
    notes: list[str] = []
    with FrameReader(column.contents) as reader:
        model = _model(column, reader, notes)
        if model is None:
            dataset = new_dataset(group, name, column, {})
            write_frames(dataset, column, column.pieces, reader, notes)
            return dataset, notes
        creation, storage, stacked = model
        plan = _plan(column, storage, stacked)
        dataset = _target(group, name, column, creation, storage, plan)
        if dataset is None:
            notes.append(f"The filters of {name} can't be taken over: gzip stands for them.")
            dataset = new_dataset(group, name, column, GZIP)
            write_frames(dataset, column, column.pieces, reader, notes)
        else:
            _Copier(column, reader, dataset, plan, notes).run()
    return dataset, notes


def _model(
    column: ImageColumn, reader: FrameReader, notes: list[str]
) -> tuple[Any, Storage, bool] | None:
    """Look at the first HDF5 file that can be opened: the target is made like it."""
    for piece in column.pieces:
        if piece.asset.format != "hdf5":
            continue
        try:
            source = reader.dataset(piece)
        except ImageFileError:
            if column.missing_policy == "error":
                raise
            continue  # told when its frames are read
        storage = storage_of(source)
        if storage.layout in (h5d.CHUNKED, h5d.CONTIGUOUS):
            creation = source.id.get_create_plist()
            return creation, storage, column.contents_of(piece).stacked
        if storage.layout == h5d.VIRTUAL:
            notes.append(f"{piece.path} refers to other files, whose pixels were read through it.")
        return None
    return None


def _plan(column: ImageColumn, storage: Storage, stacked: bool) -> _Plan:
    if not storage.chunked:
        return _Plan()
    frames, within = _split(storage, stacked)
    if not column.frame_axis:
        return _Plan(frames, (frames, *within), within)
    if column.per_row % frames == 0:
        return _Plan(frames, (1, frames, *within), within)
    if frames % column.per_row == 0:
        return _Plan(frames, (frames // column.per_row, column.per_row, *within), within)
    return _Plan(0, (1, 1, *within), within)


def _split(storage: Storage, stacked: bool) -> tuple[int, tuple[int, ...]]:
    """Split a chunk's shape into frames and what it has of each."""
    return (storage.chunks[0], storage.chunks[1:]) if stacked else (1, storage.chunks)


def _target(
    group: h5py.Group, name: str, column: ImageColumn, creation: Any, storage: Storage, plan: _Plan
) -> h5py.Dataset | None:
    """Make the dataset; None when it can't have the filters of the source."""
    shape, most = column.shape, column.shape
    if storage.chunked:
        if not plan.frames and not _ANY_CHUNK.issuperset(code for code, _ in storage.filters):
            return None
        creation.set_chunk(plan.chunks)
        _set_filters(creation)
        # A chunk may be longer than an axis only if that can grow.
        most = tuple(
            h5s.UNLIMITED if chunk > length else length
            for chunk, length in zip(plan.chunks, shape, strict=True)
        )
        creation.set_alloc_time(h5d.ALLOC_TIME_INCR)
    elif column.missing or column.missing_policy == "placeholder":
        return new_dataset(group, name, column, {})
    else:
        creation = h5p.create(h5p.DATASET_CREATE)
        creation.set_fill_time(h5d.FILL_TIME_NEVER)  # or every pixel is written twice
    creation.set_obj_track_times(False)  # one run makes the same file again
    if column.missing:
        creation.set_fill_value(blank_of(column.dtype))
    space = h5s.create_simple(shape, most)
    try:
        created = h5d.create(group.id, name.encode(), storage.dtype.copy(), space, creation)
    except (OSError, RuntimeError, ValueError):
        if not storage.filters:
            raise
        return None  # a filter that only decodes here
    dataset = h5py.Dataset(created)
    if plan.frames and storage_of(dataset).filters != storage.filters:
        del group[name]
        return None
    note_gaps(dataset, column)
    return dataset


def _set_filters(creation: Any) -> None:
    """Put filters in order that a new dataset can't take as a finished one has them.

    One without a plugin here must be optional: its chunks are written as they are all the same.
    One that puts parameters of its own in front must not find them there.
    """
    filters = [creation.get_filter(index) for index in range(creation.get_nfilters())]
    for code, *_ in filters:
        creation.remove_filter(code)
    for code, flags, values, *_ in filters:
        optional = 0 if h5z.filter_avail(code) else h5z.FLAG_OPTIONAL
        creation.set_filter(code, flags | optional, tuple(values)[_OWN_PARAMETERS.get(code, 0) :])


class _Copier:
    """Copies the pieces of a column, one after the other."""

    def __init__(
        self,
        column: ImageColumn,
        reader: FrameReader,
        dataset: h5py.Dataset,
        plan: _Plan,
        notes: list[str],
    ) -> None:
        self._column, self._reader, self._dataset = column, reader, dataset
        self._plan, self._notes = plan, notes
        self._storage = storage_of(dataset)
        self._buffer = np.empty(0, np.uint8)
        self._known: tuple[Any, Storage, Chunks] | None = None
        self._checked = not self._storage.filters
        self._decoded: dict[str, int] = {}

    def run(self) -> None:
        """Copy all."""
        for piece in self._column.pieces:
            why = self._obstacle(piece) if self._storage.chunked else ""
            if why is not None:
                self._decode(piece, why)
                continue
            for part, raw in self._parts(piece):
                if raw:
                    self._copy(part)
                else:
                    self._decode(part, "its chunks don't begin where rows do")
        for why, frames in self._decoded.items():
            self._notes.append(f"{frames} frames were decoded and written again: {why}.")

    def _decode(self, piece: Piece, why: str) -> None:
        if why:
            self._decoded[why] = self._decoded.get(why, 0) + piece.count
        write_frames(self._dataset, self._column, [piece], self._reader, self._notes)

    def _obstacle(self, piece: Piece) -> str | None:
        """Say why a file's chunks can't be taken over; empty when it has none, None if they can."""
        if piece.asset.format != "hdf5":
            return f"they are in {piece.asset.format.upper()} files"
        try:
            source = self._reader.dataset(piece)
        except ImageFileError:
            return "their file can't be read"
        key = file_key(piece)
        if self._known is None or self._known[0] != key:
            storage = storage_of(source)
            chunks = chunks_of(source) if storage.chunked else Chunks(np.empty((0, 1), np.int64), 0)
            self._known = key, storage, chunks
        _, storage, chunks = self._known
        if storage.layout == h5d.CONTIGUOUS:
            return ""
        if not self._plan.frames:
            return "chunks of several frames don't fit the rows"
        like = self._plan.frames, self._plan.within
        if not storage.chunked or _split(storage, self._stacked(piece)) != like:
            return "files are chunked in different ways"
        if not storage.same_bytes(self._storage):
            return "the filters of the files differ"
        if storage.fill != self._storage.fill and len(chunks.offsets) < _whole(
            source.shape, storage.chunks
        ):
            return "pixels that never were written have another fill value"
        if not self._checked:
            self._checked = True
            if not self._try(source, storage, chunks):
                return "its compression depends on the shape of a chunk"
        return None

    def _stacked(self, piece: Piece) -> bool:
        return self._column.contents_of(piece).stacked

    def _parts(self, piece: Piece) -> Iterator[tuple[Piece, bool]]:
        """Split a piece: what lies in whole chunks of both datasets, and what doesn't."""
        each, total = self._plan.frames, self._column.rows * self._column.per_row
        if (piece.first - piece.flat) % each:
            yield piece, False
            return
        head = min(-piece.flat % each, piece.count)
        tail = (piece.flat + piece.count) % each
        if piece.flat + piece.count == total or head == piece.count:
            tail = 0  # behind the last frame of all, a chunk's other ones are never seen
        middle = piece.count - head - tail
        for start, count, raw in (
            (0, head, False),
            (head, middle, True),
            (head + middle, tail, False),
        ):
            if count:
                part = replace(piece, first=piece.first + start, count=count)
                part.flat = piece.flat + start
                yield part, raw

    def _copy(self, piece: Piece) -> None:
        """Copy the chunks of a part that begins and ends where chunks do."""
        source = self._reader.dataset(piece)
        if self._known is None:
            raise RuntimeError("chunks are copied before they are listed")
        chunks, lost, why, found = self._known[2], 0, "", 0
        for offset in self._chosen(piece, chunks):
            found += 1
            try:
                mask, size = self._take(source, offset, chunks)
            except (OSError, RuntimeError) as error:
                damage = unreadable(piece, error)
                if self._column.missing_policy == "error":
                    raise damage from error
                lost, why = lost + 1, str(damage)
                continue
            self._dataset.id.write_direct_chunk(
                self._place(piece, offset), self._buffer[:size], mask
            )
        if lost:
            self._notes.append(f"{why} {lost} chunks are missing.")
        frames = -(-piece.count // self._plan.frames)
        unwritten = frames * _whole(self._column.frame_shape, self._plan.within) - found
        if unwritten:
            self._notes.append(
                f"{piece.path} has {unwritten} chunks that never were written: they read as its "
                "fill value."
            )

    def _chosen(self, piece: Piece, chunks: Chunks) -> Iterator[tuple[int, ...]]:
        stacked = self._stacked(piece)
        found = chunks.between(piece.first, piece.first + piece.count) if stacked else None
        for offset in chunks.offsets if found is None else found:
            yield tuple(offset.tolist())

    def _take(
        self, source: h5py.Dataset, offset: tuple[int, ...], chunks: Chunks
    ) -> tuple[int, int]:
        if len(self._buffer) < chunks.largest:
            self._buffer = np.empty(chunks.largest, np.uint8)
        mask, data = source.id.read_direct_chunk(offset, out=self._buffer)
        return mask, len(data)

    def _place(self, piece: Piece, offset: tuple[int, ...]) -> tuple[int, ...]:
        """Tell where a chunk of the source goes."""
        stacked = self._stacked(piece)
        flat = piece.flat + (offset[0] - piece.first if stacked else 0)
        lead = divmod(flat, self._column.per_row) if self._column.frame_axis else (flat,)
        return (*lead, *(offset[1:] if stacked else offset))

    def _try(self, source: h5py.Dataset, storage: Storage, chunks: Chunks) -> bool:
        """Copy one chunk into a dataset in memory, and see whether it decodes to the same."""
        if not len(chunks.offsets):
            return True
        offset = tuple(chunks.offsets[0].tolist())
        mask, size = self._take(source, offset, chunks)
        shape = self._plan.chunks
        with h5py.File(f"trial-{uuid.uuid4()}", "w", driver="core", backing_store=False) as memory:
            space = h5s.create_simple(shape)
            creation = self._dataset.id.get_create_plist()
            _set_filters(creation)
            trial = h5d.create(memory.id, b"data", self._storage.dtype, space, creation)
            trial.write_direct_chunk((0,) * len(shape), self._buffer[:size], mask)
            trial.close()  # HDF5 2.0 forgets which filters a chunk skipped until it's opened again
            try:
                there = h5py.Dataset(h5d.open(memory.id, b"data"))[()]
            except (OSError, RuntimeError):
                return True  # no plugin to decode it: its bytes are right all the same
        own = storage.chunks
        here = tuple(
            slice(start, start + length) for start, length in zip(offset, own, strict=True)
        )
        wanted = source[here]
        found = there.reshape(own)[tuple(slice(length) for length in wanted.shape)]
        return found.tobytes() == wanted.tobytes()


def _whole(shape: tuple[int, ...], chunks: tuple[int, ...]) -> int:
    """Count the chunks of an array that has all of them."""
    return math.prod(-(-length // chunk) for length, chunk in zip(shape, chunks, strict=True))
