"""Tomography runs whose frames tell which ones they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Documents = list[tuple[str, dict[str, Any]]]

UID = "aaaaaaaa-2222-3333-4444-555555555555"
SHAPE = (3, 5)
IMAGE, THETA = "det_image", "rotation"


def frame(number: int, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """A frame: its number, plus a little for each pixel."""
    return (number * 100 + np.arange(shape[0] * shape[1])).reshape(shape).astype(np.uint16)


def numbers(pixels: np.ndarray) -> list[int]:
    """Which frames these are, whole ones only."""
    found = [int(each[0, 0]) // 100 for each in pixels]
    for number, each in zip(found, pixels, strict=True):
        np.testing.assert_array_equal(each, frame(number, each.shape))
    return found


def write_images(
    path: Path,
    which: Sequence[int],
    ids: Sequence[int] | None = None,
    *,
    shape: tuple[int, int] = SHAPE,
    address: str = "/entry/data/data",
    **options: Any,
) -> None:
    """Write frames of these numbers as ADCore does, with the ids that it gives."""
    pixels = np.array([frame(each, shape) for each in which], np.uint16).reshape(-1, *shape)
    with h5py.File(path, "w") as file:
        file.create_dataset(address, data=pixels, **{"chunks": (1, *shape), **options})
        if ids is not None:
            place = "/entry/instrument/NDAttributes/NDArrayUniqueId"
            file[place] = np.array(ids, np.int32)


class TomoRun:
    """Documents of a run, row by row.

    Parameters
    ----------
    **start
        For the start document.
    """

    def __init__(self, **start: Any) -> None:
        self.documents: Documents = [
            ("start", {"uid": UID, "time": 1000.0, "scan_id": 7, "detectors": ["det"],
                       "motors": [THETA], "plan_name": "tomo", **start})
        ]  # fmt: skip
        self._time = 1001.0
        self._rows: dict[str, int] = {}
        self._points: dict[str, int] = {}

    def stream(
        self, name: str, keys: dict[str, dict[str, Any]] | None = None,
        configuration: dict[str, Any] | None = None, images: Iterable[str] = (IMAGE,),
        per_row: int = 1, shape: Sequence[int] = SHAPE,
    ) -> TomoRun:  # fmt: skip
        """Announce a stream: keys as given, and images."""
        described: dict[str, Any] = dict(keys or {})
        for key in images:
            described[key] = {"dtype": "array", "shape": [per_row, *shape], "source": "PV:img",
                              "external": "FILESTORE:", "dtype_numpy": "<u2"}  # fmt: skip
        self.documents.append(
            ("descriptor", {"uid": name, "run_start": UID, "time": self._time, "name": name,
                            "data_keys": described, "object_keys": {"det": list(described)},
                            "configuration": configuration or {},
                            "hints": {THETA: {"fields": [THETA]}}})
        )  # fmt: skip
        self._rows[name] = 0
        return self

    def resource(self, path: Path, per_row: int = 1, **more: Any) -> TomoRun:
        """Announce a file."""
        self.documents.append(
            ("resource", {"uid": path.name, "run_start": UID, "spec": "AD_HDF5", "root": "/",
                          "resource_path": str(path).lstrip("/"), "path_semantics": "posix",
                          "resource_kwargs": {"frame_per_point": per_row}, **more})
        )  # fmt: skip
        self._points[path.name] = 0
        return self

    def row(self, name: str, file: Path | None, key: str = IMAGE, **data: Any) -> TomoRun:
        """Add a row whose images are the next ones of a file."""
        self._rows[name] += 1
        self._time += 1
        filled = {}
        if file is not None:
            point = self._points[file.name]
            self._points[file.name] += 1
            datum = f"{file.name}/{point}"
            self.documents.append(
                ("datum", {"datum_id": datum, "resource": file.name,
                           "datum_kwargs": {"point_number": point}})
            )  # fmt: skip
            data, filled = {key: datum, **data}, {key: False}
        event = {"descriptor": name, "uid": f"{name}/{self._rows[name]}", "time": self._time,
                 "seq_num": self._rows[name], "data": data, "filled": filled,
                 "timestamps": dict.fromkeys(data, self._time - 0.1)}  # fmt: skip
        self.documents.append(("event", event))
        return self

    def stop(self, exit_status: str = "success") -> Documents:
        """End the run."""
        stop = {"uid": f"{UID}-stop", "run_start": UID, "time": self._time + 1,
                "exit_status": exit_status, "num_events": dict(self._rows)}  # fmt: skip
        return [*self.documents, ("stop", stop)]


def number_key(units: str = "deg", **more: Any) -> dict[str, Any]:
    """A scalar data key."""
    return {"dtype": "number", "shape": [], "source": "PV:x", "units": units, **more}


def plain_run(
    directory: Path, darks: int = 2, flats: int = 3, projections: int = 5,
    angle: Callable[[int], float] = lambda row: 12.5 * row, **start: Any,
) -> TomoRun:  # fmt: skip
    """Darks, flats and projections, each in a stream and a file of its own.

    Frames are numbered 0 ... in each of them from 10, 20 and 30 on.
    """
    run = TomoRun(**start)
    for name, count, first in (("darks", darks, 10), ("flats", flats, 20), ("primary", projections, 30)):  # fmt: skip  # noqa: E501
        if not count:
            continue
        path = directory / f"{name}.h5"
        which = range(first, first + count)
        write_images(path, which, [each + 1 for each in which])
        run.stream(name, {THETA: number_key()}).resource(path)
        for row in range(count):
            run.row(name, path, **{THETA: angle(row) if name == "primary" else 0.0})
    return run
