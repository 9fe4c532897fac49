"""Opening image files that others have open as well."""

from __future__ import annotations

import threading
from pathlib import Path

import h5py
import pytest

from adsupport.documents.images.opening import opened


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "images.h5"
    with h5py.File(path, "w") as made:
        made["entry/data/data"] = [[1, 2]]
    return path


@pytest.mark.parametrize("locking", [None, False, True, "best-effort"])
def test_a_file_that_this_program_has_open_is_read(file: Path, locking: bool | str | None):
    with h5py.File(file, "r", locking=locking), opened(file) as found:
        assert found["entry/data/data"][()].tolist() == [[1, 2]]


def test_a_file_that_another_thread_opens_and_closes_is_read(file: Path):
    """As a detector does, that looks for its frames at the end of a run."""
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            try:
                with h5py.File(file, "r", locking=False):
                    pass
            except OSError as error:
                assert "locking" in str(error)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for _ in range(50):
            with opened(file) as found:
                assert found["entry/data/data"].shape == (1, 2)
    finally:
        over.set()
        thread.join()
