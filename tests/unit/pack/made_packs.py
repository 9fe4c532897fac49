"""Packs made file by file, with all that pack() would never write."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.errors import DocumentError, ImageFileError, PackError
from adsupport.pack import open_pack, verify
from adsupport.pack.layout import documents_path, place_of
from adsupport.pack.making.final_files import final_texts
from adsupport.pack.manifest import Manifest, PackedFile, PackedRunEntry

Document = tuple[str, dict[str, Any]]

#: Where the files of the runs were, which isn't on this computer.
SOURCE = "/beamline/2026"
UID = "5e1d0f3a-7c1b-4b0e-9f6e-00000000{:04d}"


def images(frames: int = 3) -> np.ndarray:
    """Images of which no two pixels are the same."""
    return np.arange(frames * 20, dtype="<u2").reshape(frames, 4, 5)


def resource(number: int = 1, **more: Any) -> dict[str, Any]:
    """A resource document of run ``number``, of one HDF5 file."""
    document = {
        "uid": f"{UID.format(number)}-r",
        "run_start": UID.format(number),
        "spec": "AD_HDF5",
        "root": "/beamline",
        "resource_path": f"2026/scan_{number}.h5",
        "path_semantics": "posix",
        "resource_kwargs": {"frame_per_point": 1},
    }
    return document | more


def run_of(number: int = 1, asset: Mapping[str, Any] | None = None, points: int = 3) -> list[Any]:
    """The documents of a scan with ``scan_id`` ``number``; with images when it has a resource."""
    uid = UID.format(number)
    keys: dict[str, Any] = {"m1": {"dtype": "number", "shape": [], "source": "SIM:m1"}}
    if asset is not None:
        keys["det_image"] = {
            "dtype": "array",
            "dtype_numpy": "<u2",  # without it tiled takes images for float64
            "shape": [1, 4, 5],
            "source": "SIM:det",
            "external": "FILESTORE:",
        }
    time = 1.7e9 + number
    found: list[Document] = [
        ("start", {"uid": uid, "time": time, "scan_id": number, "plan_name": "scan"}),
        (
            "descriptor",
            {
                "uid": f"{uid}-d",
                "run_start": uid,
                "time": time,
                "name": "primary",
                "data_keys": keys,
                "object_keys": {},
                "configuration": {},
                "hints": {},
            },
        ),
    ]
    if asset is not None:
        found.append(("resource", dict(asset)))
    for point in range(points):
        data: dict[str, Any] = {"m1": point / 2}
        if asset is not None:
            data["det_image"] = f"{asset['uid']}/{point}"
            kwargs = {"point_number": point}
            datum = {"datum_id": data["det_image"], "resource": asset["uid"]}
            found.append(("datum", {**datum, "datum_kwargs": kwargs}))
        found.append(
            (
                "event",
                {
                    "uid": f"{uid}-e{point}",
                    "descriptor": f"{uid}-d",
                    "time": time + point,
                    "seq_num": point + 1,
                    "data": data,
                    "timestamps": dict.fromkeys(data, time + point),
                    "filled": {key: False for key in data if key != "m1"},
                },
            )
        )
    stop = {"uid": f"{uid}-s", "run_start": uid, "time": time + 9, "exit_status": "success"}
    return [*found, ("stop", stop)]


def write_hdf5(path: Path, data: np.ndarray | None = None) -> None:
    """Write an HDF5 file as ADCore's layout has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file["/entry/data/data"] = images() if data is None else data


def place(directory: Path, number: int = 1) -> Path:
    """Where a pack has the HDF5 file of run ``number``."""
    return directory / place_of(f"{SOURCE}/scan_{number}.h5")


def make_pack(directory: Path, runs: int = 2) -> Path:
    """Make a pack: run 1 without images, the others with an HDF5 file each."""
    written = []
    for number in range(1, runs + 1):
        asset = resource(number) if number > 1 else None
        if asset is not None:
            write_hdf5(place(directory, number), images() + 100 * number)
        written.append(run_of(number, asset))
    return seal(directory, written)


def seal(directory: Path, runs: Iterable[list[Document]], **manifest: Any) -> Path:
    """Write documents, manifest and sums, over whatever is in ``external_files``."""
    entries = []
    for documents in runs:
        uid = documents[0][1]["uid"]
        path = directory / documents_path(uid, "jsonl")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(each) + "\n" for each in documents))
        start = documents[0][1]
        entries.append(
            PackedRunEntry(
                uid,
                str(path.relative_to(directory)),
                path.stat().st_size,
                digest(path),
                len(documents),
                start.get("time"),
                start.get("scan_id"),
            )
        )
    files = [
        PackedFile(
            str(path.relative_to(directory)),
            "/" + str(path.relative_to(directory)).split("/", 2)[2],
            path.stat().st_size,
            digest(path),
            0,
        )
        for path in regular(directory / "external_files")
    ]
    found = Manifest("jsonl", "copy", "made_packs 1", tuple(entries), tuple(files), **manifest)
    return finish(directory, found)


def finish(directory: Path, manifest: Manifest) -> Path:
    """Write the manifest and what is made of it."""
    for name, text in final_texts(manifest).items():
        (directory / name).write_bytes(text)
    return directory


def refused(directory: Path) -> str:
    """What verify() says, and that the images can't be had."""
    report = verify(directory)
    assert not report.ok
    with pytest.raises((PackError, ImageFileError, DocumentError)):
        np.asarray(open_pack(directory)[1].read()["det_image"])
    return "\n".join(report.problems)


def regular(directory: Path) -> Iterator[Path]:
    """Go through the files below a directory, in order."""
    return (
        each for each in sorted(directory.rglob("*")) if each.is_file() and not each.is_symlink()
    )


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
