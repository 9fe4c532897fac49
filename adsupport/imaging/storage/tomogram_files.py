"""Slices as files: an NXtomoproc file for all, and a TIFF file for each."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import __version__
from ...callbacks.nexus.nx_group import nx_group
from ...callbacks.output.hdf5_values import write_value
from ...callbacks.tiff.page import ascii_json
from ...callbacks.tomography.metadata import INSTRUMENT, SOURCE, said
from .named_images import check_free, new_hdf5, write_tiff

if TYPE_CHECKING:
    import h5py

    from ..addons.tomogram import Tomogram

__all__ = ["tomogram_files", "write_tomogram"]


def tomogram_files(directory: Path, rows: Collection[int], formats: Collection[str]) -> list[Path]:
    """List the files of a tomogram.

    Parameters
    ----------
    directory : pathlib.Path
        Where.
    rows : collection of int
        The detector's rows that become slices.
    formats : collection of str
        Of ``hdf5`` and ``tiff``.

    Returns
    -------
    list of pathlib.Path
        ``tomogram.h5``, and ``slice_000256.tif`` by the rows.
    """
    together = [directory / "tomogram.h5"] if "hdf5" in formats else []
    each = [directory / f"slice_{row:06}.tif" for row in rows if "tiff" in formats]
    return together + each


def write_tomogram(
    directory: Path, tomogram: Tomogram, formats: Collection[str] = ("hdf5", "tiff")
) -> list[Path]:
    """Write a tomogram; no file is replaced, and each is whole when it has its name.

    The HDF5 file is as NXtomoproc, a definition of the NeXus International Advisory Committee,
    wants it: the volume (X, Y, slices) with its axes at ``/entry/data``, and how it came about at
    ``/entry/reconstruction``.  TIFF files are float32, and their ``ImageDescription`` is JSON.

    Parameters
    ----------
    directory : pathlib.Path
        Where; it exists.
    tomogram : Tomogram
        It.
    formats : collection of str
        Of ``hdf5`` and ``tiff``.

    Returns
    -------
    list of pathlib.Path
        The files.

    Raises
    ------
    OutputExistsError
        A file is there already.
    OutputError
        One couldn't be written.
    """
    files = tomogram_files(directory, tomogram.rows, formats)
    check_free(files)
    pages = files
    if "hdf5" in formats:
        with new_hdf5(files[0], tomogram.slices.nbytes) as file:
            _write_entry(file, tomogram)
        pages = files[1:]
    about = {**tomogram.facts, "units": tomogram.units, "angles": len(tomogram.angles)}
    for path, row, centre, pixels in zip(
        pages, tomogram.rows if pages else (), tomogram.centres, tomogram.slices, strict=False
    ):
        write_tiff(path, pixels, ascii_json({"row": row, "centre": centre, **about}))
    return files


def _write_entry(file: h5py.File, tomogram: Tomogram) -> None:
    md = tomogram.md
    file.attrs.update(NX_class="NXroot", default="entry", creator="adsupport")
    entry = nx_group(file, "entry", "NXentry")
    entry.attrs["default"] = "data"
    entry["definition"] = "NXtomoproc"
    sample = md.get("sample")
    name = sample.get("name") if isinstance(sample, dict) else sample or md.get("sample_name")
    entry["title"] = str(md.get("title") or name or "tomogram")
    instrument = nx_group(entry, "instrument", "NXinstrument")
    instrument["name"] = str(said(md, INSTRUMENT) or "unknown")
    source = nx_group(instrument, "source", "NXsource")
    source["name"] = str(said(md, SOURCE) or "unknown")
    source["type"] = str(said(md, ("source_type",)) or "unknown")
    source["probe"] = str(said(md, ("probe",)) or "x-ray")
    nx_group(entry, "sample", "NXsample")["name"] = str(name or "unknown")
    _write_volume(entry, tomogram)
    process = nx_group(entry, "reconstruction", "NXprocess")
    process["program"] = "adsupport"
    process["version"] = __version__
    process["date"] = datetime.now(UTC).isoformat(timespec="seconds")
    settings = nx_group(process, "parameters", "NXparameters")
    facts: dict[str, Any] = dict(tomogram.facts)
    settings["raw_file"] = str(facts.pop("raw_file", "") or "unknown")
    for key, value in facts.items():
        write_value(settings, key, value)
    settings.create_dataset("rows", data=np.array(tomogram.rows, np.int64))
    centres = settings.create_dataset("centre", data=np.array(tomogram.centres, np.float64))
    centres.attrs["units"] = "pixel"
    angles = settings.create_dataset("angles", data=np.asarray(tomogram.angles, np.float64))
    angles.attrs["units"] = "degree"
    angles.attrs["from"] = str(tomogram.facts.get("angles_from", "unknown"))
    settings.create_dataset("missing", data=np.array(tomogram.missing, np.int64))
    ranges = np.array(tomogram.source_frames, np.int64).reshape(-1, 2)
    settings.create_dataset("source_frames", data=ranges)
    settings["left_out"] = ascii_json(dict(tomogram.left_out))
    settings["ended"] = tomogram.reason or "well"


def _write_volume(entry: h5py.Group, tomogram: Tomogram) -> None:
    """Write the slices and their axes: NXtomoproc wants (X, Y, Z), of which we have (Z, Y, X)."""
    group = nx_group(entry, "data", "NXdata")
    number, height, width = tomogram.slices.shape
    volume = group.create_dataset(
        "data", (width, height, number), np.float32, chunks=(width, height, 1)
    )
    for place, pixels in enumerate(tomogram.slices):
        volume[:, :, place] = pixels.T
    volume.attrs["units"] = tomogram.units
    volume.attrs.update(transform="none", offset=0.0, scaling=1.0)
    volume.attrs["long_name"] = "attenuation" if tomogram.units else "slices"
    length, units = 1.0, "pixel"
    if tomogram.pixel_size is not None:
        length, units = tomogram.pixel_size / 1000.0, "mm"
    top, left = tomogram.corner
    axes = {
        "x": left + np.arange(width),
        "y": top + np.arange(height),
        "z": np.array(tomogram.rows),
    }
    for place, (name, values) in enumerate(axes.items()):
        axis = group.create_dataset(name, data=values * length)
        axis.attrs["units"] = units
        group.attrs[f"{name}_indices"] = [place]
    group["x"].attrs["long_name"] = "to the right of the axis of rotation"
    group["y"].attrs["long_name"] = "below the axis of rotation in the picture"
    group["z"].attrs["long_name"] = "down the detector, from its first row"
    group.attrs.update(signal="data", axes=["x", "y", "z"])
