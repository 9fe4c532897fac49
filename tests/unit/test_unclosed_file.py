"""The error of a file that its IOC didn't close: what it says of the file."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.devices.files.unclosed import unclosed
from adsupport.devices.frames.files import FileClaim
from adsupport.errors import ConnectionTimeoutError, FileWriteError

LOST = ConnectionTimeoutError(
    "ad:HDF1:Capture_RBV isn't connected.", ["ad:HDF1:Capture_RBV"], remedy="Is its IOC running?"
)


def claim(file: pathlib.Path, frames: int = 3) -> FileClaim:
    """Claim some frames of a file that has three."""
    if not file.exists() and file.parent.is_dir():
        with h5py.File(file, "w") as handle:
            handle.create_dataset("entry/data/data", data=np.ones((3, 4, 6), "u2"))
    return FileClaim("det_hdf1", f"/ioc/{file.name}", (file,), frames, shape=(4, 6))


@pytest.mark.parametrize(
    ("frames", "look", "said"),
    [
        (3, True, "It is whole as it lies here: all 3 frames can be read."),
        (5, True, "It is incomplete: "),
        (3, False, "Whether it is whole isn't known: verify_files is False."),
        (0, True, "No point of it was complete."),
    ],
)
def test_the_file_and_its_state_are_named(
    tmp_path: pathlib.Path, frames: int, look: bool, said: str
) -> None:
    file = tmp_path / "a.h5"
    error = unclosed(LOST, lambda: claim(file, frames), look)
    assert type(error) is ConnectionTimeoutError
    assert error.missing == LOST.missing
    assert str(error).startswith(f"det_hdf1: {file} was not closed by its IOC. {said}")
    assert str(error).endswith("ad:HDF1:Capture_RBV isn't connected. Is its IOC running?")


def test_a_file_that_was_not_written_to_its_end_is_incomplete(tmp_path: pathlib.Path) -> None:
    wanted = claim(tmp_path / "a.h5")
    os.truncate(tmp_path / "a.h5", 300)
    assert "It is incomplete: " in str(unclosed(LOST, lambda: wanted, True))


def test_a_file_that_is_not_mounted_here_is_said_to_be_unknown(tmp_path: pathlib.Path) -> None:
    error = unclosed(LOST, lambda: claim(tmp_path / "away" / "a.h5"), True)
    assert f"Whether it is whole isn't known: {tmp_path}/away isn't here." in str(error)


def test_files_whose_names_the_ioc_knows_only(tmp_path: pathlib.Path) -> None:
    def ask() -> Any:
        raise LOST

    assert "Its files can't be named" in str(unclosed(LOST, ask, True))


def test_another_reason_is_kept(tmp_path: pathlib.Path) -> None:
    error = TimeoutError("ad:HDF1:Capture could not connect.")
    told = unclosed(error, lambda: claim(tmp_path / "a.h5"), True)
    assert type(told) is ConnectionTimeoutError
    assert str(told).endswith(str(error))


@pytest.mark.parametrize(
    ("frames", "look", "said"),
    [
        (3, True, "All 3 frames can be read now; the IOC still has it open. Look at the disk."),
        (5, True, "It is incomplete: "),
        (3, False, "Whether it is whole isn't known: verify_files is False. Look at the disk."),
    ],
)
def test_a_file_that_the_ioc_still_has_open_is_not_called_whole(
    tmp_path: pathlib.Path, frames: int, look: bool, said: str
) -> None:
    file = tmp_path / "a.h5"
    why = "ad:HDF1:Capture: the file wasn't closed within 60 s."
    error = FileWriteError(why, plugin="det_hdf1", remedy="Look at the disk.")
    told = unclosed(error, lambda: claim(file, frames), look)
    assert type(told) is FileWriteError
    assert str(told).startswith(f"det_hdf1: {file}: {why} {said}")
    assert (told.plugin, told.remedy) == ("det_hdf1", "Look at the disk.")
    assert "as it lies here" not in told.problem
    assert "was not closed by its IOC" not in told.problem
