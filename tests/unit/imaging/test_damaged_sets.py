"""Data Exchange files and TIFF sets that aren't whole: told with file and key, never played."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile

from adsupport.errors import FrameCountError, ImageFileError
from adsupport.imaging.addons import Accumulator
from adsupport.imaging.frames.replay import play
from adsupport.imaging.frames.stored_images import dx_acquisitions, tiff_acquisitions

STACK = np.arange(5 * 2 * 3, dtype=np.uint16).reshape(5, 2, 3)
CHUNKED: dict[str, Any] = {"dtype": "u2", "chunks": (2, 2, 2)}


def virtual(file: Any) -> None:
    layout = h5py.VirtualLayout((5, 2, 3), "u2")
    layout[:] = h5py.VirtualSource("moved.h5", "/entry/data", (5, 2, 3))
    file.create_virtual_dataset("exchange/data", layout)


def partly(file: Any) -> None:
    file.create_dataset("exchange/data", (5, 2, 3), **CHUNKED)[:4] = STACK[:4]


def linked(file: Any) -> None:
    file["exchange/data"] = h5py.ExternalLink("moved.h5", "/entry/data")


def with_theta(values: Any, **attributes: Any) -> Callable[[Any], None]:
    def make(file: Any) -> None:
        file["exchange/data"] = STACK
        file["exchange/theta"] = values
        file["exchange/theta"].attrs.update(attributes)

    return make


def with_keys(file: Any) -> None:
    file["exchange/data"] = STACK
    file["process/acquisition/image_key"] = [2, 1, 0, 0, 0, 0, 0]  # the dark is lost


@pytest.mark.parametrize(
    ("make", "key", "message"),
    [
        (virtual, "/exchange/data", "moved.h5 is missing"),
        (linked, "/exchange/data", "moved.h5"),
        (partly, "/exchange/data", "pixels of 4 of 5 frames .* for frame 4"),
        (
            lambda file: file.create_dataset("exchange/data", (10**12, 10**5, 10**5), **CHUNKED),
            "/exchange/data", "0 of 1000000000000 frames",
        ),
        (
            lambda file: file.create_dataset("exchange/data", (5, 10**6, 10**6), dtype="u2"),
            "/exchange/data", "0 of 5 frames",
        ),
        (lambda file: file.create_group("exchange/data"), "/exchange/data", "no dataset"),
        (lambda file: file.__setitem__("exchange/data", 3), "/exchange/data", r"\(n, Y, X\)"),
        (
            lambda file: file.__setitem__("exchange/data", np.full((2, 2, 2), b"x")),
            "/exchange/data", r"\|S1 .*; expected numbers",
        ),
        (with_theta([b"one"] * 5), "/exchange/theta", "expected numbers"),
        (with_theta([0.0, 1.0]), "/exchange/theta", "for each of 5 projections"),
        (with_theta(np.arange(5.0), units="furlong"), "/exchange/theta", "furlong"),
        (with_keys, "/exchange/data_dark", "has 0 frames .*expected 1"),
    ],
)  # fmt: skip
def test_a_data_exchange_file_that_is_not_whole(
    tmp_path: Path, make: Callable[[Any], Any], key: str, message: str
) -> None:
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        make(file)
        file["exchange/data_white"] = STACK[:1]  # they are whole, and can't stand for all
    with pytest.raises(ImageFileError, match=message) as raised:
        dx_acquisitions(path)
    assert str(path) in str(raised.value)
    assert key in str(raised.value)


def test_every_cut_of_a_data_exchange_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        with_theta(np.arange(5.0))(file)
    whole = path.read_bytes()
    for end in range(0, len(whole), 499):
        path.write_bytes(whole[:end])
        with pytest.raises(ImageFileError, match=r"scan\.h5"):
            play(dx_acquisitions(path), [])


def test_blank_projections_of_lost_frames_are_not_played(tmp_path: Path) -> None:
    path = tmp_path / "scan.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("exchange/data", data=STACK, chunks=(1, 2, 3))
        file["exchange/theta"] = np.radians([0.0, 30.0, 60.0, 90.0, np.inf])
        file["exchange/theta"].attrs["units"] = "rad"
        file["process/acquisition/image_key"] = [0, 3, 0, 0, 0]
    addon = Accumulator()
    with pytest.raises(FrameCountError, match="4 frames; expected 5"):
        play(dx_acquisitions(path), [])
    play(dx_acquisitions(path), [addon], missing="log")
    np.testing.assert_array_equal(addon.frames(), STACK[[0, 2, 3, 4]])
    np.testing.assert_allclose(addon.angles(), [0, 60, 90, np.nan])


def fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def stack(path: Path) -> None:
    tifffile.imwrite(path, np.zeros((5, 4, 4), np.uint16), photometric="minisblack")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_bytes(b""), "is empty"),
        (lambda path: path.write_bytes(bytes(999)), "can't be read as TIFF"),
        (lambda path: path.write_bytes(path.read_bytes()[:-7]), "can't be read as TIFF"),
        (lambda path: tifffile.imwrite(path, np.zeros((4, 4), np.float32)), "float32; expected"),
        (lambda path: tifffile.imwrite(path, np.zeros((4, 5), np.uint16)), r"\(4, 5\).*expected"),
        (stack, "has 5 images; expected one"),
        (fifo, "no regular file"),
        (nowhere, "is missing"),
    ],
)
def test_a_tiff_set_that_is_not_whole(
    tmp_path: Path, damage: Callable[[Path], Any], message: str
) -> None:
    for number in range(3):
        tifffile.imwrite(tmp_path / f"img_{number}.tif", np.full((4, 4), number, np.uint16))
    damage(tmp_path / "img_1.tif")
    addon = Accumulator()
    with pytest.raises(ImageFileError, match=message) as raised:
        play(tiff_acquisitions({"primary": tmp_path}), [addon])
    assert "img_1.tif" in str(raised.value)


def test_a_note_in_a_tiff_file_that_is_none(tmp_path: Path) -> None:
    for number, text in enumerate(("[" * 3000, '{"unique_id": true, "angle": NaN}', "[1]")):
        image = np.full((4, 4), number, np.uint16)
        tifffile.imwrite(tmp_path / f"img_{number}.tif", image, description=text)
    addon = Accumulator()
    play(tiff_acquisitions({"primary": tmp_path}), [addon])
    assert addon.ids() == [None] * 3
    assert np.isnan(addon.angles()).all()
