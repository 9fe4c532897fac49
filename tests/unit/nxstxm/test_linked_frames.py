"""Frames in files of an area detector: of each line's points, and of regions that take turns."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from adsupport import nxstxm

from .slow_params import mostly_slow
from .stxm_checks import opened
from .stxm_runs import Documents, cut, runs
from .stxm_scan import StxmScan
from .test_readings import keys, primary


def with_frames(path: Path, scan: StxmScan, of_event: int) -> Documents:
    """A run with so many frames of an event; each has its number everywhere."""
    (documents,) = runs(scan)
    events = primary(documents)
    count = of_event * len(events)
    with h5py.File(path, "w") as file:
        frames = np.broadcast_to(np.arange(count)[:, None, None], (count, 2, 3))
        file.create_dataset("entry/data/data", data=frames.astype(np.uint16), chunks=(1, 2, 3))
    keys(documents)["ccd"] = {"dtype": "array", "source": "PV:ccd", "external": "FILESTORE:",
                              "shape": [of_event, 2, 3]}  # fmt: skip
    made: Documents = []
    for name, doc in documents:
        if name == "event" and "primary" in doc["uid"]:
            datum = f"frames/{doc['seq_num']}"
            where = {"point_number": doc["seq_num"] - 1}
            made.append(("datum", {"datum_id": datum, "resource": "frames", "datum_kwargs": where}))
            doc["data"]["ccd"], doc["filled"], doc["timestamps"]["ccd"] = datum, {"ccd": False}, 0.0
        made.append((name, doc))
        if doc.get("name") == "primary":
            made.append(("resource", {
                "uid": "frames", "run_start": doc["run_start"], "spec": "AD_HDF5", "root": "/",
                "resource_path": str(path).lstrip("/"), "path_semantics": "posix",
                "resource_kwargs": {"frame_per_point": of_event},
            }))  # fmt: skip
    return made


@pytest.mark.parametrize("lines", mostly_slow([3, 2], quick=[2]))
def test_frames_of_lines_are_linked_point_by_point(lines: int, tmp_path: Path) -> None:
    scan = StxmScan(13, per_line=True)
    documents = with_frames(tmp_path / "frames.h5", scan, scan.nx)
    nxstxm.export(documents if lines == 3 else cut(documents, lines), tmp_path / "out", "C1")
    with opened(nxstxm.finish_export(tmp_path / "out", "C1").path) as file:
        frames = file["entry0/instrument/ccd/data"]
        assert frames.is_virtual
        assert frames.shape == (lines * scan.nx, 2, 3)
        np.testing.assert_array_equal(frames[:, 1, 2], np.arange(lines * scan.nx))


def test_regions_that_take_turns_have_their_own_frames(tmp_path: Path) -> None:
    scan = StxmScan(4, regions=(3, 1), energies=(700.0, 701.0, 702.0))
    nxstxm.export(with_frames(tmp_path / "frames.h5", scan, 1), tmp_path / "out", "C1")
    with opened(nxstxm.finish_export(tmp_path / "out", "C1").path) as file:
        for turn, name in enumerate(("entry3", "entry1")):
            frames = file[f"{name}/instrument/ccd/data"]
            np.testing.assert_array_equal(frames[:, 1, 2], np.arange(turn, 6, 2))
