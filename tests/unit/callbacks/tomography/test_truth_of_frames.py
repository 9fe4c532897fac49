"""What each frame is, by its unique id: positions, source, and which frames were lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.callbacks.dataexchange import DataExchangeWriter
from adsupport.callbacks.nexus import check_nexus
from adsupport.callbacks.nxtomo import NXtomoWriter, nxtomo_view

from ..sending import send
from .made import IMAGE, TomoRun, number_key, numbers, write_images

LAST_ID = "det_last_unique_id"
DET = (IMAGE, LAST_ID)


def array_key(count: int, units: str) -> dict[str, Any]:
    return {"dtype": "array", "shape": [count], "source": "x", "units": units}


KEYS = {
    "rotation": number_key(),
    "vertical": number_key("mm"),
    "shutter": {"dtype": "string", "shape": [], "source": "x"},
    "ring": {"dtype": "integer", "shape": [], "source": "x"},
    LAST_ID: {"dtype": "integer", "shape": [], "source": "x"},
}


class Truth(TomoRun):
    """A run whose keys belong to devices of their own."""

    def add(self, name: str, keys: dict[str, Any], path: Path, per_row: int = 1) -> None:
        self.stream(name, keys, per_row=per_row).resource(path, per_row)
        descriptor = self.documents[-2][1]
        descriptor["object_keys"] = {"det": [each for each in DET if each in (*keys, IMAGE)]} | {
            each: [each] for each in keys if each not in DET
        }


def spiral(directory: Path, kept: tuple[int, ...] = tuple(range(5)), shift: int = 0) -> TomoRun:
    """Two darks (0, 1) and five projections (10 ...); the camera counts from 101 on."""
    run = Truth(motors=["rotation", "vertical"], spiral={"vertical": "vertical"})
    darks, primary = directory / "darks.h5", directory / "primary.h5"
    write_images(darks, range(2), [101, 102])
    write_images(primary, [10 + each for each in kept], [103 + each + shift for each in kept])
    run.add("darks", {key: KEYS[key] for key in ("shutter", "ring", LAST_ID)}, darks)
    for row in range(2):
        run.row("darks", darks, shutter="closed", ring=7, det_last_unique_id=101 + row)
    run.add("primary", KEYS, primary)
    for row in range(5):
        run.row("primary", primary, rotation=36.0 * row, vertical=0.5 - row / 10, shutter="open",
                ring=8, det_last_unique_id=103 + row)  # fmt: skip
    return run


def write(writer: type, directory: Path, documents: Any, **options: Any) -> Path:
    (result,) = send(writer(directory / "out", "x", image_timeout=0.1, **options), documents)
    (path,) = result.paths
    return path


def lists(group: Any) -> dict[str, list[Any]]:
    texts = {name for name, each in group.items() if each.dtype.kind == "O"}
    return {
        name: (each.asstr()[()] if name in texts else each[()]).tolist()
        for name, each in group.items()
    }


def test_each_frame_of_a_spiral_in_a_dx_file(tmp_path: Path) -> None:
    with h5py.File(write(DataExchangeWriter, tmp_path, spiral(tmp_path).stop())) as file:
        acquisition: Any = file["process/acquisition"]
        found = lists(acquisition["frames"])
        heights = [0.5 - row / 10 for row in range(5)]
        assert np.isnan(found["vertical"][:2]).all() and found["vertical"][2:] == heights
        assert found["unique_id"] == list(range(101, 108))
        assert found["image_key"] == [2, 2, 0, 0, 0, 0, 0]
        assert found["theta"][2:] == [0, 36, 72, 108, 144]
        assert found["shutter"] == ["closed"] * 2 + ["open"] * 5
        assert found["ring"] == [7, 7, 8, 8, 8, 8, 8]
        assert acquisition["frames/vertical"].attrs["units"] == "mm"
        assert acquisition["frames/ring"].dtype == np.int64
        assert LAST_ID not in found
        assert "missing_frames" not in acquisition
        assert file["exchange/vertical"][()].tolist() == heights  # type: ignore[index]
        assert "vertical_dark" not in file["exchange"]  # type: ignore[operator]
        assert "rotation" not in file["exchange"]  # type: ignore[operator]


@pytest.mark.parametrize("lost", [(0,), (4,), (0, 2), (1, 2, 4)])
@pytest.mark.parametrize("missing", ["drop", "fill"])
def test_lost_frames_are_listed_and_shift_nothing(
    tmp_path: Path, lost: tuple[int, ...], missing: str
) -> None:
    """Also the first and the last ones, which the file's ids alone don't tell."""
    kept = tuple(each for each in range(5) if each not in lost)
    path = write(DataExchangeWriter, tmp_path, spiral(tmp_path, kept).stop(), missing=missing)
    with h5py.File(path) as file:
        listed = lists(file["process/acquisition/missing_frames"])
        assert listed["unique_id"] == [103 + each for each in lost]
        assert listed["theta"] == [36.0 * each for each in lost]
        assert listed["vertical"] == [0.5 - each / 10 for each in lost]
        assert listed["image_key"] == [0] * len(lost)
        frames = lists(file["process/acquisition/frames"])
        images: Any = file["exchange/data"]
        there = range(5) if missing == "fill" else kept
        assert frames["unique_id"][2:] == [103 + each for each in there]
        assert file["exchange/theta"][()].tolist() == [36.0 * each for each in there]  # type: ignore[index]
        assert file["exchange/vertical"][()].tolist() == [0.5 - each / 10 for each in there]  # type: ignore[index]
        shown = [list(there).index(each) for each in kept]
        assert numbers(images[shown]) == [10 + each for each in kept]


def test_a_file_that_no_frame_came_to(tmp_path: Path) -> None:
    """The plugin began another file after a loss, and lost its only frame, too: it's blank."""
    run = spiral(tmp_path, kept=(0, 1, 2, 3, 4))
    blank, last = tmp_path / "blank.h5", tmp_path / "last.h5"
    with h5py.File(blank, "w") as file:
        file.create_dataset("/entry/data/data", (1, 3, 5), np.uint16, chunks=(1, 3, 5))
        file["/entry/instrument/NDAttributes/NDArrayUniqueId"] = np.zeros(1, np.int32)
    write_images(last, [16], [109])
    for path, row in ((blank, 5), (last, 6)):
        run.resource(path)
        run.row("primary", path, rotation=36.0 * row, vertical=0.5 - row / 10, shutter="open",
                ring=8, det_last_unique_id=103 + row)  # fmt: skip
    with h5py.File(write(DataExchangeWriter, tmp_path, run.stop(), missing="drop")) as file:
        assert lists(file["process/acquisition/missing_frames"])["unique_id"] == [108]
        frames = lists(file["process/acquisition/frames"])
        assert frames["unique_id"][2:] == [103, 104, 105, 106, 107, 109]
        assert numbers(file["exchange/data"][()]) == [10, 11, 12, 13, 14, 16]  # type: ignore[index]


def test_a_driver_that_counts_its_frames_otherwise(tmp_path: Path) -> None:
    """The ids of the documents don't fit the file's: nothing is lost, and nothing shifted."""
    path = write(DataExchangeWriter, tmp_path, spiral(tmp_path, shift=-3).stop())
    with h5py.File(path) as file:
        found = lists(file["process/acquisition/frames"])
        assert found["unique_id"] == [101, 102, *range(100, 105)]
        assert found["theta"][2:] == [0, 36, 72, 108, 144]


def flight(directory: Path, kept: tuple[int, ...]) -> Truth:
    """Four frames of one event; the motors are read again when all is over."""
    run = Truth(motors=["rotation", "vertical"], spiral={"vertical": "vertical"},
                hints={"dimensions": [[["rotation_frames"], "primary"]]})  # fmt: skip
    path = directory / "primary.h5"
    write_images(path, [10 + each for each in kept], [51 + each for each in kept])
    keys = {**KEYS, "rotation_frames": array_key(4, "deg"), "vertical_frames": array_key(4, "mm")}
    run.add("primary", keys, path, per_row=4)
    run.row("primary", path, rotation=200.0, vertical=9.0, shutter="open", ring=8,
            rotation_frames=[1.0, 2.0, 3.0, 4.0], vertical_frames=[0.1, 0.2, 0.3, 0.4],
            det_last_unique_id=54)  # fmt: skip
    return run


@pytest.mark.parametrize("kept", [(0, 1, 2, 3), (1, 3)])
def test_each_frame_of_a_flight(tmp_path: Path, kept: tuple[int, ...]) -> None:
    documents = flight(tmp_path, kept).stop()
    with h5py.File(write(DataExchangeWriter, tmp_path, documents, missing="drop")) as file:
        found = lists(file["process/acquisition/frames"])
        assert found["rotation"] == found["theta"] == [each + 1.0 for each in kept]
        assert found["vertical"] == [[0.1, 0.2, 0.3, 0.4][each] for each in kept]
        assert found["unique_id"] == [51 + each for each in kept]
        assert found["shutter"] == ["open"] * len(kept)
        assert file["process/acquisition/frames/vertical"].attrs["source"] == "vertical_frames"
        assert file["exchange/vertical"].shape == (len(kept),)  # type: ignore[union-attr]


def test_darks_of_a_flight_have_the_angles_that_were_read(tmp_path: Path) -> None:
    run, path = flight(tmp_path, (0, 1, 2, 3)), tmp_path / "darks.h5"
    write_images(path, [1, 2], [1, 2])
    run.add("darks", KEYS, path)
    for row in range(2):
        run.row("darks", path, rotation=7.0, vertical=9.0, shutter="closed", ring=8,
                det_last_unique_id=row + 1)  # fmt: skip
    with h5py.File(write(DataExchangeWriter, tmp_path, run.stop())) as file:
        exchange: Any = file["exchange"]
        assert exchange["theta_dark"][()].tolist() == [7.0, 7.0]
        assert exchange["theta"][()].tolist() == [1.0, 2.0, 3.0, 4.0]
        assert lists(file["process/acquisition/frames"])["theta"].count(7.0) == 2


def test_each_frame_of_a_grating_stepping(tmp_path: Path) -> None:
    run = Truth(motors=["grating"], hints={"dimensions": [[["grating"], "primary"]]})
    for name, first in (("flats", 0), ("primary", 3)):
        path = tmp_path / f"{name}.h5"
        write_images(path, range(first, first + 3), range(first, first + 3))
        run.add(name, {"grating": number_key("um"), "shutter": KEYS["ring"]}, path)
        for row in range(3):
            run.row(name, path, grating=0.8 * row, shutter=1)
    with h5py.File(write(DataExchangeWriter, tmp_path, run.stop())) as file:
        exchange: Any = file["exchange"]
        for name in ("grating", "grating_white"):
            assert exchange[name][()].tolist() == [0.8 * row for row in range(3)]
            assert exchange[name].attrs["units"] == "um"
        assert "theta" not in exchange
        assert lists(file["process/acquisition/frames"])["grating"] == [0, 0.8, 1.6] * 2
        assert "problems" not in file.attrs


@pytest.mark.parametrize("name", ["x", "data", "theta", "image_key", "a/b"])
def test_motors_with_names_that_mean_something_else(tmp_path: Path, name: str) -> None:
    run = Truth(motors=["rotation", name])
    path = tmp_path / "primary.h5"
    write_images(path, range(3), range(3))
    run.add("primary", {"rotation": number_key(), name: number_key("mm")}, path)
    for row in range(3):
        read: dict[str, Any] = {"rotation": 60.0 * row, name: 0.5 * row}
        run.row("primary", path, **read)
    with h5py.File(write(DataExchangeWriter, tmp_path, run.stop())) as file:
        frames = lists(file["process/acquisition/frames"])
        assert frames["theta"] == [0, 60, 120]
        member = {"theta": "theta_read", "image_key": "image_key_read", "a/b": "a%2Fb"}
        assert frames[member.get(name, name)] == [0, 0.5, 1]
        assert numbers(file["exchange/data"][()]) == [0, 1, 2]  # type: ignore[index]


@pytest.mark.parametrize("view", [False, True])
def test_what_an_nxtomo_file_tells(tmp_path: Path, view: bool) -> None:
    documents = spiral(tmp_path, (1, 2, 4)).stop()
    writer = DataExchangeWriter if view else NXtomoWriter
    path = write(writer, tmp_path, documents, missing="drop", images="copy")
    if view:
        path = nxtomo_view(path)
    else:
        validate = pytest.importorskip("nexusformat.nexus.validate")
        assert validate.validate_application(str(path)) == (0, 0)
    assert check_nexus(path) == []
    with h5py.File(path) as file:
        height: Any = file["entry/sample/z_translation"]
        assert height[2:].tolist() == [0.4, 0.3, 0.5 - 4 / 10] and height.attrs["units"] == "mm"
        assert lists(file["entry/missing_frames"])["unique_id"] == [103, 106]
        frames = lists(file["entry/frames"])
        assert frames["unique_id"] == [101, 102, 104, 105, 107]
        assert frames["shutter"] == ["closed"] * 2 + ["open"] * 3
