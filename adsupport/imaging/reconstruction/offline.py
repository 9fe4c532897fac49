"""Slices of projections that are there already, here or on the workers of a dask cluster."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from ...errors import AdsupportError, ConfigurationError
from .backprojection import usable_cores
from .slice_grid import SliceGrid
from .streaming import FilteredBackprojection

__all__ = ["reconstruct", "reconstruct_and_count"]

#: Projections that are read and added at once.
_TOGETHER = 16
#: Bytes of images that go to a worker at once, about.
_BLOCK = 64 << 20


def reconstruct(
    projections: Any,
    angles: Sequence[float] | np.ndarray,
    *,
    darks: Any = None,
    flats: Any = None,
    rows: Sequence[int] | None = None,
    centre: float | Sequence[float] | np.ndarray | None = None,
    planned: Sequence[float] | np.ndarray | None = None,
    places: Sequence[int] | None = None,
    client: Any = None,
    **settings: Any,
) -> np.ndarray:
    """Compute slices of stored projections: the same numbers as online, to the bit.

    Parameters
    ----------
    projections : array_like
        (N, Y, W), or (N, W) of a single row: an array or an h5py dataset, which is read in pieces.
    angles : sequence of float
        (N,), degrees: where each was taken.
    darks, flats : array_like, optional
        (any number, Y, W): counts without beam, and without sample.
    rows : sequence of int, optional
        Rows of the detector, each becomes a slice; all by default.
    centre : float or sequence of float, optional
        The axis' column, of all slices or of each.
    planned : sequence of float, optional
        Degrees of all projections of the scan, lost ones too, by which each counts as much as it
        fills of the half circle; ``angles`` by default.  Give what was given online.
    places : sequence of int, optional
        (N,): which of the planned each is, from 0; by default in order when none is lost, and the
        nearest that hasn't come otherwise.
    client : distributed.Client or str, optional
        Spreads the slices over the workers of a dask cluster; ``"local"`` makes one on this
        computer, and closes it.  In this process by default, on all its cores.
    **settings
        ``filter``, ``region``, ``circle``, ``input``, ``flat_scale``, ``backend``, ``threads`` of
        `FilteredBackprojection`.

    Returns
    -------
    numpy.ndarray
        (slices, Y, X), float32, attenuation per pixel.

    Raises
    ------
    ConfigurationError
        Shapes or arguments don't fit, or what they need isn't installed.
    AdsupportError
        Workers of the cluster die again and again.
    """
    return reconstruct_and_count(
        projections, angles, darks=darks, flats=flats, rows=rows, centre=centre, planned=planned,
        places=places, client=client, **settings,
    )[0]  # fmt: skip


def reconstruct_and_count(
    projections: Any,
    angles: Sequence[float] | np.ndarray,
    *,
    darks: Any = None,
    flats: Any = None,
    rows: Sequence[int] | None = None,
    centre: float | Sequence[float] | np.ndarray | None = None,
    planned: Sequence[float] | np.ndarray | None = None,
    places: Sequence[int] | None = None,
    client: Any = None,
    **settings: Any,
) -> tuple[np.ndarray, int]:
    """Compute slices as :func:`reconstruct`, and count the pixels that had to be replaced.

    Parameters
    ----------
    projections, angles, darks, flats, rows, centre, planned, places, client, **settings
        See :func:`reconstruct`.

    Returns
    -------
    numpy.ndarray
        (slices, Y, X), float32, attenuation per pixel.
    int
        How many pixels of the projections' rows had no finite absorption.
    """
    stack = _Stack(projections, "projections")
    turned = np.asarray(angles, np.float64)
    if turned.shape != (len(stack),) or not len(stack):
        raise ConfigurationError(
            f"{turned.size} angles for {len(stack)} projections; expected one for each."
        )
    plan = turned if planned is None else np.asarray(planned, np.float64)
    if places is None and len(plan) == len(turned):
        places = range(len(turned))
    elif places is not None and len(places) != len(turned):
        raise ConfigurationError(
            f"{len(places)} places for {len(stack)} projections; expected one for each."
        )
    turn = _Turn(turned, plan, places)
    others = [_Stack(given, what) for given, what in ((darks, "darks"), (flats, "flats"))]
    for each in others:
        if len(each) and each.shape != stack.shape:
            raise ConfigurationError(
                f"{each.what} have rows and columns {each.shape}, projections {stack.shape}."
            )
    height, width = stack.shape
    wanted = np.arange(height) if rows is None else np.asarray(rows)
    if wanted.ndim != 1 or not wanted.size or wanted.min() < 0 or wanted.max() >= height:
        raise ConfigurationError(f"rows={rows}: expected rows of the detector, 0 to {height - 1}.")
    centres = SliceGrid.of(width, len(wanted), centre).centres
    if client is None:
        return _slices((stack, *others), turn, wanted, centres, settings)
    if client == "local":
        distributed = _distributed()
        with (
            distributed.LocalCluster(
                n_workers=min(usable_cores(), len(wanted)),
                threads_per_worker=1,
                dashboard_address=None,
            ) as cluster,
            distributed.Client(cluster) as local,
        ):
            return _spread(local, (stack, *others), turn, wanted, centres, settings)
    if not hasattr(client, "submit") or getattr(client, "asynchronous", False):
        raise ConfigurationError(
            f"client={client!r}: expected a distributed.Client that isn't asynchronous, or 'local'."
        )
    return _spread(client, (stack, *others), turn, wanted, centres, settings)


class _Turn(NamedTuple):
    """How the sample turned."""

    angles: np.ndarray  # of the projections
    planned: np.ndarray  # of the whole scan
    places: Sequence[int] | None  # of the projections in it


class _Stack:
    """Images one behind the other, of which some are read at a time."""

    def __init__(self, images: Any, what: str) -> None:
        self.what = what
        self._images = np.empty((0, 0, 0)) if images is None else images
        if not hasattr(self._images, "shape"):
            self._images = np.asarray(self._images)
        if len(self._images.shape) not in (2, 3):
            raise ConfigurationError(
                f"{what} have shape {self._images.shape}; expected (number, rows, columns)."
            )

    def __len__(self) -> int:
        return self._images.shape[0]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of an image."""
        height, width = (1, *self._images.shape[1:])[-2:]
        return height, width

    @property
    def bytes_per_row(self) -> int:
        """Of an image."""
        return self.shape[1] * np.dtype(self._images.dtype).itemsize

    def pieces(self, wanted: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Read some images at a time: which, and their wanted rows (K, rows, W)."""
        # a file is read once from the first to the last row, in order
        first, last = int(wanted.min()), int(wanted.max()) + 1
        for begin in range(0, len(self), _TOGETHER):
            some = slice(begin, min(begin + _TOGETHER, len(self)))
            if len(self._images.shape) == 2:
                images = np.asarray(self._images[some])[:, None]
            else:
                images = np.asarray(self._images[some, first:last])
            yield some, images[:, wanted - first]

    def all_of(self, wanted: np.ndarray) -> np.ndarray:
        """Read the wanted rows of all images: (N, rows, W)."""
        return np.concatenate([images for _, images in self.pieces(wanted)])


def _slices(
    stacks: tuple[_Stack, ...],
    turn: _Turn,
    rows: np.ndarray,
    centres: tuple[float, ...],
    settings: dict[str, Any],
) -> tuple[np.ndarray, int]:
    projections, darks, flats = stacks
    total = FilteredBackprojection(
        projections.shape[1], len(rows), centre=centres, angles=turn.planned, **settings
    )
    for frames, add in ((darks, total.add_dark), (flats, total.add_flat)):
        if len(frames):
            for _, images in frames.pieces(rows):
                for image in images:
                    add(image)
    for some, images in projections.pieces(rows):
        places = None if turn.places is None else turn.places[some]
        total.add_many(images, turn.angles[some], places=places)
    return total.finish(), total.replaced


def _block(
    stacks: tuple[np.ndarray | None, ...],
    turn: _Turn,
    centres: tuple[float, ...],
    settings: dict[str, Any],
) -> tuple[np.ndarray, int]:
    """Compute some slices, on a worker."""
    whats = ("projections", "darks", "flats")
    given = tuple(_Stack(stack, what) for stack, what in zip(stacks, whats, strict=True))
    return _slices(given, turn, np.arange(len(centres)), centres, settings)


def _spread(
    client: Any,
    stacks: tuple[_Stack, ...],
    turn: _Turn,
    rows: np.ndarray,
    centres: tuple[float, ...],
    settings: dict[str, Any],
) -> tuple[np.ndarray, int]:
    distributed = _distributed()
    import dask.config

    threads = client.nthreads()
    if not threads:
        raise ConfigurationError(
            "The dask cluster has no workers.", remedy="Start some, or wait for them."
        )
    # each of a worker's threads computes a block of its own
    at_once = sum(threads.values())
    settings = {"threads": 1, **settings}
    size = len(rows) * sum(len(stack) * stack.bytes_per_row for stack in stacks)
    pieces = min(len(rows), max(2 * at_once, math.ceil(size / _BLOCK)))
    blocks = np.array_split(np.arange(len(rows)), pieces)
    places: dict[str, int] = {}  # of blocks, by the keys of what computes them
    found: dict[int, tuple[np.ndarray, int]] = {}

    def submit(number: int) -> Any:
        block = blocks[number]
        read = tuple(stack.all_of(rows[block]) if len(stack) else None for stack in stacks)
        some = centres[block[0] : block[-1] + 1]
        # images go with the task, not as scattered data, which are lost with their worker
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TiB"}):
            future = client.submit(_block, read, turn, some, settings, pure=False)
        places[future.key] = number
        return future

    # no more blocks lie on the cluster than twice what it can work at
    waiting = iter(range(len(blocks)))
    done = distributed.as_completed([submit(number) for number in islice(waiting, 2 * at_once)])
    for future in done:
        try:
            found[places[future.key]] = future.result()
        except distributed.KilledWorker as error:
            raise AdsupportError(
                f"Workers of the dask cluster died again and again; {len(found)} of {len(blocks)} "
                "blocks of slices are done.",
                remedy="See the workers' logs; too little memory is the usual reason.",
            ) from error
        following = next(waiting, None)
        if following is not None:
            done.add(submit(following))
    slices = np.concatenate([found[number][0] for number in range(len(blocks))])
    return slices, sum(replaced for _, replaced in found.values())


def _distributed() -> Any:
    try:
        import distributed
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"Slices are spread over workers by dask.distributed: {error.name} isn't installed.",
            remedy="pip install 'adsupport[recon]'.",
        ) from error
    return distributed
