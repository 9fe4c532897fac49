"""What an HDF5 file of the simulated plugin shall be like, and the shapes that follow from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

SINGLE_ATTRIBUTE_CHUNK = 1
ENDLESS_ATTRIBUTE_CHUNK = 16 * 1024
"""Rows in a chunk of an attribute dataset when the number of frames is not known."""
MOST_ATTRIBUTE_ROWS = 256 * 1024
"""Rows in such a chunk at most: all of it is in memory and on the disk, however few are used."""
MOST_CHUNK_BYTES = 2**30
"""Size of a chunk of several frames at most, for the same reason."""


class Compression(IntEnum):
    """Choices of the ``Compression`` record."""

    NONE = 0
    NBIT = 1
    SZIP = 2
    ZLIB = 3
    BLOSC = 4
    BSLZ4 = 5
    LZ4 = 6
    JPEG = 7


@dataclass(frozen=True, slots=True)
class HDF5Settings:
    """Settings of one file, taken when it is opened.

    Attributes
    ----------
    multiple : bool
        True for Capture and Stream mode (frame axes first), False for Single mode.
    num_capture : int
        Frames expected; 0 means any number.
    extra_dims : tuple of int
        Sizes of the frame axes, slowest first, the frames of one point last; empty for one axis
        of ``num_capture`` frames.
    extra_chunks : tuple of int
        Chunk sizes of all but the last of ``extra_dims``; below 1 or missing means 1.
    chunk_auto : bool
        Chunk a whole frame, whatever ``chunk_sizes`` says.
    chunk_sizes : tuple of int
        Chunk sizes of the array's axes, fastest first; below 1 or missing means the whole axis.
    frames_per_chunk : int
        Frames in a chunk; below 1 means 1.
    attribute_chunk : int
        Rows in a chunk of an attribute dataset; 0 means ``num_capture``.
    compression : Compression
        Filter of the image dataset.
    zlib_level, blosc_level, blosc_shuffle, blosc_compressor, szip_pixels : int
        Options of the filters, as the plugin's records give them.
    nbit_precision, nbit_offset : int
        Significant bits and their offset, for the N-bit filter.
    store_attributes, store_performance : bool
        Whether attribute datasets (with the NeXus class names) and write times are stored.
    fill_value : float
        Value of pixels that were never written.
    dim_att_datasets : bool
        Give attribute datasets the frame axes of the images.
    boundary_align, boundary_threshold : int
        Alignment in the file, bytes, of objects at least as large as the threshold; 0 for none.
    swmr : bool
        Let readers in while the file is written.
    frames_per_flush : int
        Frames between two flushes; 0 leaves it to HDF5, or to the chunks when ``swmr``.
    position_names : tuple of str
        NDAttributes with a frame's place along each frame axis, slowest first; empty for frames
        that are written one after the other.
    index_names : tuple of str
        NDAttributes that are stored along one frame axis alone, by axis, slowest first; only
        for positions, and with ``dim_att_datasets``.
    """

    multiple: bool = True
    num_capture: int = 1
    extra_dims: tuple[int, ...] = ()
    extra_chunks: tuple[int, ...] = ()
    chunk_auto: bool = True
    chunk_sizes: tuple[int, ...] = ()
    frames_per_chunk: int = 0
    attribute_chunk: int = 0
    compression: Compression = Compression.NONE
    zlib_level: int = 6
    blosc_level: int = 5
    blosc_shuffle: int = 1
    blosc_compressor: int = 0
    szip_pixels: int = 16
    nbit_precision: int = 8
    nbit_offset: int = 0
    store_attributes: bool = True
    store_performance: bool = True
    fill_value: float = 0.0
    dim_att_datasets: bool = False
    boundary_align: int = 0
    boundary_threshold: int = 65536
    swmr: bool = False
    frames_per_flush: int = 0
    position_names: tuple[str, ...] = ()
    index_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Geometry:
    """Shapes of a file's datasets.

    Attributes
    ----------
    frame : tuple of int
        Shape of one frame, slowest axis first.
    virtual : tuple of (int or None)
        Sizes of the frame axes; None where it is not limited; empty in Single mode.
    chunks : tuple of int
        Chunk shape of the image dataset.
    attribute_chunk, performance_chunk : int
        Rows in a chunk of an attribute dataset and of the performance dataset.
    frames_per_flush : int
        Frames between two flushes; 0 for none.
    """

    frame: tuple[int, ...]
    virtual: tuple[int | None, ...]
    chunks: tuple[int, ...]
    attribute_chunk: int
    performance_chunk: int
    frames_per_flush: int

    @property
    def whole_frames(self) -> bool:
        """Whether a chunk holds exactly one frame."""
        return self.chunks == (1,) * len(self.virtual) + self.frame

    def check_chunk(self, element_bytes: int) -> None:
        """See whether a chunk of several frames can be held in memory.

        Parameters
        ----------
        element_bytes : int
            Width of one element, bytes.

        Raises
        ------
        ValueError
            When it is larger than :data:`MOST_CHUNK_BYTES`.
        """
        frames = math.prod(self.chunks[: len(self.virtual)])
        size = math.prod(self.chunks) * element_bytes
        if frames > 1 and size > MOST_CHUNK_BYTES:
            raise ValueError(
                f"a chunk of {frames} frames takes {size} bytes, expected {MOST_CHUNK_BYTES} at"
                " most: lower NumFramesChunks, ExtraDimChunk or the chunk sizes of the frame"
            )

    @property
    def capacity(self) -> float:
        """Frames the file has room for; infinite where not limited."""
        return math.prod(math.inf if size is None else size for size in self.virtual)

    def position(self, index: int) -> tuple[int, ...]:
        """Return the place of frame ``index`` (from 0) along the frame axes."""
        place = []
        for size in reversed(self.virtual[1:]):
            index, rest = divmod(index, size or 1)
            place.append(rest)
        return (index, *reversed(place)) if self.virtual else ()


def plan_geometry(settings: HDF5Settings, frame: tuple[int, ...]) -> Geometry:
    """Work out the shapes of a file's datasets.

    Parameters
    ----------
    settings : HDF5Settings
        What was asked for.
    frame : tuple of int
        Shape of one frame, slowest axis first.

    Returns
    -------
    Geometry
        Chunk sizes are clamped to the axes they lie along.
    """
    virtual: tuple[int | None, ...] = ()
    virtual_chunks: tuple[int, ...] = ()
    if settings.multiple:
        virtual = settings.extra_dims or (settings.num_capture or None,)
        wanted = (*settings.extra_chunks, *(1,) * len(virtual))[: len(virtual) - 1]
        virtual_chunks = tuple(
            _clamp(chunk, size, 1)
            for chunk, size in zip((*wanted, settings.frames_per_chunk), virtual, strict=True)
        )
    sizes = () if settings.chunk_auto else settings.chunk_sizes
    sizes = (*sizes, *(0,) * len(frame))[: len(frame)]
    frame_chunks = tuple(
        _clamp(chunk, size, size) for chunk, size in zip(reversed(sizes), frame, strict=True)
    )
    if not settings.multiple:
        rows = SINGLE_ATTRIBUTE_CHUNK
    else:
        rows = settings.num_capture or ENDLESS_ATTRIBUTE_CHUNK
    flush = settings.frames_per_flush
    if settings.swmr:
        # a flush inside a chunk would write the chunk twice
        flush = max(flush, virtual_chunks[-1] if virtual_chunks else 1)
    return Geometry(
        frame=frame,
        virtual=virtual,
        chunks=virtual_chunks + frame_chunks,
        attribute_chunk=min(max(settings.attribute_chunk, 0) or rows, MOST_ATTRIBUTE_ROWS),
        performance_chunk=min(rows, MOST_ATTRIBUTE_ROWS),
        frames_per_flush=flush,
    )


def _clamp(chunk: int, size: int | None, default: int) -> int:
    """Return a chunk size that fits an axis; ``default`` when none was chosen."""
    if chunk < 1:
        return default
    return chunk if size is None else min(chunk, size)
