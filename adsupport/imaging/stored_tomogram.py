"""Slices of a Data Exchange file, spread over the workers of a dask cluster."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence
from typing import Any, Literal

import h5py
import numpy as np

from ..documents.images.opening import check_given_file, opened
from ..errors import ConfigurationError, ImageFileError
from ..wording import counted
from .addons.axis_search import axis_of
from .addons.detector_rows import DetectorRows
from .addons.tomogram import Tomogram
from .asked.arguments import positive
from .asked.told_experiment import flat_scale_of, refuse_spiral
from .frames.exchange_file import ExchangeStack, exchange_stacks
from .frames.stored_start import exchange_start, uid_of
from .motion.angles import given_angles
from .reconstruction.normalisation import absorption
from .reconstruction.offline import reconstruct_and_count

__all__ = ["reconstruct_dx"]


def reconstruct_dx(
    path: str | os.PathLike[str],
    rows: int | slice | range | Sequence[int] | None = None,
    *,
    centre: float | Sequence[float] | Literal["auto"] = "auto",
    angles: Sequence[float] | np.ndarray | None = None,
    flat_scale: float | None = None,
    pixel_size: float | None = None,
    client: Any = "local",
    **settings: Any,
) -> Tomogram:
    """Compute slices of a Data Exchange file on many processors or machines.

    They are those of :class:`~adsupport.imaging.addons.OnlineReconstruction`, to which such a file
    can be played without a cluster.

    Parameters
    ----------
    path : str or path
        The file.
    rows : int, slice, range or sequence of int, optional
        Rows of the detector, each of which becomes a slice; by default the one in the middle.
    centre : float, sequence of float, or "auto"
        The rotation axis' column on the detector, in pixels, of all slices or of each; ``"auto"``
        finds it by the row that shows most of the sample.
    angles : sequence of float, optional
        Degrees of all projections in their order, for a file that tells none.  A projection that
        has an angle of its own keeps it.
    flat_scale : float, optional
        The projections' exposure over that of the flats; by default as the run tells it whose file
        it is, 1 for files of others.
    pixel_size : float, optional
        In µm, in the sample's plane: then slices are in 1/mm, else in 1/pixel.
    client : distributed.Client or str, optional
        See :func:`adsupport.imaging.reconstruction.reconstruct`.
    **settings
        ``filter``, ``region``, ``circle``, ``backend``, ``threads``; see there.

    Returns
    -------
    Tomogram
        The slices.

    Raises
    ------
    ImageFileError
        It's no such file, or has no flats, or not an angle for each projection; or pixels are
        missing: frames that were never written, or those of a file that it links to.
    ConfigurationError
        An argument can't be, or it's a spiral.
    """
    if pixel_size is not None:
        positive("pixel_size", pixel_size, "µm")
    chosen = DetectorRows(rows)
    file_path = pathlib.Path(path)
    check_given_file(file_path, "Data Exchange file")
    stacks = exchange_stacks(file_path)  # refuses a file without its pixels: HDF5 gives zeros
    angles, angles_from = _angles(stacks.get("primary"), file_path, angles)
    start = exchange_start(file_path)
    refuse_spiral(start)
    scale = flat_scale_of(start, flat_scale)
    with opened(file_path) as file:
        projections: Any = file["/exchange/data"]
        flats, darks = file.get("/exchange/data_white"), file.get("/exchange/data_dark")
        if not isinstance(flats, h5py.Dataset) or not len(flats):
            raise ImageFileError(f"{file_path} has no flats at /exchange/data_white.", path=path)
        if not isinstance(darks, h5py.Dataset) or not len(darks):
            darks = None
        chosen.of(np.empty(projections.shape[1:], bool))
        found_by = "given"
        if isinstance(centre, str):
            if centre != "auto":
                raise ConfigurationError(f"centre={centre!r}: expected pixels, or 'auto'.")
            centre = _centre(projections, angles, darks, flats, chosen.numbers, scale)
            found_by = "slices"
        slices, replaced = reconstruct_and_count(
            projections, angles, darks=darks, flats=flats, rows=chosen.numbers, centre=centre,
            flat_scale=scale, client=client, **settings,
        )  # fmt: skip
        counts = {
            "projections": len(angles),
            "darks": 0 if darks is None else len(darks),
            "flats": len(flats),
            "flat_scale": scale,
        }
        width = int(projections.shape[2])
    if pixel_size is not None:
        slices *= np.float32(1000.0 / pixel_size)
    region = settings.get("region") or ((0, width), (0, width))
    return Tomogram(
        slices,
        "1/pixel" if pixel_size is None else "1/mm",
        chosen.numbers,
        (region[0][0] - width // 2, region[1][0] - width // 2),
        tuple(np.broadcast_to(np.asarray(centre, np.float64), len(chosen.numbers)).tolist()),
        angles,
        pixel_size,
        facts={
            "run_uid": uid_of(start),
            "raw_file": str(file_path),
            **counts,
            "replaced_pixels": replaced,
            "filter": settings.get("filter", "ramp"),
            "centre_from": found_by,
            "normalise": True,
            "absorption": True,
            "backend": settings.get("backend", "numba"),
            "angles_from": angles_from,
        },
    )


def _angles(
    stack: ExchangeStack | None, path: pathlib.Path, given: Sequence[float] | np.ndarray | None
) -> tuple[np.ndarray, str]:
    """Tell the angles of the projections, degrees, which have to be all there, and where from."""
    if stack is None:
        raise ImageFileError(f"{path} has no projections at /exchange/data.", path=path)
    angles = np.array(stack.angles or [np.nan] * stack.frames, np.float64)
    own = np.isfinite(angles)
    if given is not None:
        others = given_angles(given)
        if len(others) != stack.frames:
            raise ConfigurationError(
                f"{len(others)} angles are given; {path} has {stack.frames} projections.",
                remedy="Give one for each, those that were lost included.",
            )
        angles = np.where(own, angles, others)
    known = int(np.isfinite(angles).sum())
    if known != stack.frames or stack.blank:
        lost = f", and {counted(len(stack.blank), 'projection')} lost" if stack.blank else ""
        raise ImageFileError(
            f"{path} has {stack.frames} projections, and {known} angles of them at "
            f"/exchange/theta{lost}.",
            path=path,
            remedy="Without workers, those that have no angle, or were lost, are left out.",
        )
    kinds = [kind for kind, used in (("given", ~own), ("recorded", own)) if used.any()]
    return angles, " and ".join(kinds)


def _centre(
    projections: h5py.Dataset,
    angles: np.ndarray,
    darks: h5py.Dataset | None,
    flats: h5py.Dataset,
    rows: Sequence[int],
    flat_scale: float,
) -> float:
    dark = np.zeros(flats.shape[1:]) if darks is None else darks[()].mean(axis=0)
    flat = flats[()].mean(axis=0)
    chosen = list(rows)
    shown, _ = absorption(projections[0][chosen], dark[chosen], flat[chosen], flat_scale)
    row = chosen[int(np.argmax(shown.std(axis=-1)))]
    lines, _ = absorption(projections[:, row], dark[row], flat[row], flat_scale)
    return axis_of(lines, angles)
