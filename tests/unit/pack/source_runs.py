"""Runs whose files are on this computer, to be packed."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from .made_packs import Document, images, resource, run_of, write_hdf5

TAG = hashlib.sha256(b"/").hexdigest()[:12]


def packed(path: Path) -> str:
    """Where a pack has a file, by the description of the format."""
    return f"external_files/{TAG}{path}"


def hdf5_run(directory: Path, number: int = 1, file: str = "", **more: Any) -> list[Document]:
    """A run with an HDF5 file in a directory, which is written unless it's there."""
    name = file or f"scan_{number}.h5"
    if not (directory / name).exists():
        write_hdf5(directory / name, images() + 100 * number)
    return run_of(number, resource(number, root=str(directory), resource_path=name, **more))


def tiff_run(directory: Path, number: int = 1) -> list[Document]:
    """A run with a TIFF file for each of its three points, one more lying beside them."""
    for point in range(4):
        write_bytes(directory / f"im_{point:03d}.tif", b"II*\0" + bytes([point]) * 50)
    kwargs = {"frame_per_point": 1, "template": "%s%s_%3.3d.tif", "filename": "im"}
    asset = resource(
        number, spec="AD_TIFF", root=str(directory), resource_path="", resource_kwargs=kwargs
    )
    return run_of(number, asset)


def streamed_run(directory: Path, number: int = 1) -> list[Document]:
    """A run whose images come by a stream_resource and a stream_datum."""
    path = directory / f"streamed {number}.h5"
    write_hdf5(path)
    documents = run_of(number)
    uid = documents[0][1]["uid"]
    keys = documents[1][1]["data_keys"]
    keys["det"] = {"dtype": "array", "shape": [1, 4, 5], "source": "x", "external": "STREAM:"}
    asset = {
        "uid": f"{uid}-sr",
        "run_start": uid,
        "data_key": "det",
        "mimetype": "application/x-hdf5",
        "uri": f"file://localhost{str(path).replace(' ', '%20')}",
        "parameters": {"dataset": "/entry/data/data", "chunk_shape": [1, 4, 5]},
    }
    datum = {
        "uid": f"{uid}-sr/0",
        "stream_resource": asset["uid"],
        "descriptor": f"{uid}-d",
        "indices": {"start": 0, "stop": 3},
        "seq_nums": {"start": 1, "stop": 4},
    }
    documents[2:2] = [("stream_resource", asset), ("stream_datum", datum)]
    return documents


def pixels(path: Path, address: str = "/entry/data/data") -> Any:
    """The images of an HDF5 file."""
    with h5py.File(path) as file:
        return np.asarray(file[address])


def write_bytes(path: Path, content: bytes) -> Path:
    """Write a file, and its directories."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def tree(directory: Path) -> dict[str, bytes]:
    """All that is in a directory, hidden files too."""
    return {
        str(Path(where, name).relative_to(directory)): Path(where, name).read_bytes()
        for where, _, names in os.walk(directory)
        for name in names
    }


def sums_are_right(directory: Path) -> bool:
    """Whether sha256sum finds all files as SHA256SUMS says, and that names every file."""
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=directory
    )
    named = {line.split("  ", 1)[1] for line in _lines(directory / "SHA256SUMS")}
    return done.returncode == 0 and named == tree(directory).keys() - {"SHA256SUMS"}


def _lines(path: Path) -> Iterable[str]:
    return path.read_text().splitlines()
