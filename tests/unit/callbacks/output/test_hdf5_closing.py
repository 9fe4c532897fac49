"""HDF5 files on a full disk: the process lives on, and can write the next one."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.callbacks.formats import make_writer
from adsupport.callbacks.output.hdf5_closing import close_anyway
from adsupport.errors import OutputError


@pytest.mark.parametrize("format_", ["hdf5", "nexus"])
@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_disk_that_gets_full_is_no_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_: str, after: int
) -> None:
    real, calls = os.statvfs, []

    def free(path: Any) -> Any:
        calls.append(path)
        found = real(path)
        if len(calls) <= after:
            return found
        return SimpleNamespace(f_bavail=10, f_frsize=4096, f_blocks=found.f_blocks)

    writer: Any = make_writer(format_, tmp_path)
    writer.warn_on_missing_content = False
    monkeypatch.setattr(os, "statvfs", free)
    play(writer, "full")
    with pytest.raises(OutputError, match="has room for 40960"):
        writer.wait_writer(20)
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(os, "statvfs", real)
    play(writer, "next")
    assert len(writer.wait_writer(20)[0].paths) == 1
    assert len(list(tmp_path.iterdir())) == 1


def play(writer: Any, uid: str) -> None:
    key = {"dtype": "number", "shape": [], "source": ""}
    writer.receiver("start", {"uid": uid, "time": 1000.0})
    descriptor = {"uid": f"d{uid}", "run_start": uid, "time": 1.0, "name": "primary"}
    writer.receiver("descriptor", descriptor | {"data_keys": {"x": key}})
    row = {"descriptor": f"d{uid}", "uid": f"e{uid}", "seq_num": 1, "time": 1.0}
    writer.receiver("event", row | {"data": {"x": 0.5}, "timestamps": {"x": 1.0}})
    stop = {"uid": f"s{uid}", "run_start": uid, "time": 2.0, "exit_status": "success"}
    writer.receiver("stop", stop)


def test_a_file_that_is_closed_is_none_of_its_business(tmp_path: Path) -> None:
    file = h5py.File(tmp_path / "a.h5", "w")
    file["x"] = np.arange(10)
    file.close()
    before = os.stat(tmp_path / "a.h5")
    close_anyway(file)
    assert os.stat(tmp_path / "a.h5") == before
    with h5py.File(tmp_path / "a.h5") as again:
        assert again["x"][()].tolist() == list(range(10))  # type: ignore[index]
