"""Set-points over restarts and power cuts: restored as autosave does; nothing else is."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import caproto.sync.client as caproto_client
import pytest
from caproto import ChannelType

from adsupport.launch import IOCError, IOCProcess

SETTINGS = {
    "cam1:AcquireTime": 0.0125,
    "cam1:ImageMode": 1,
    "cam1:SizeX": 640,
    "cam1:Gain": 2.5,
    "HDF1:EnableCallbacks": 1,
    "HDF1:CreateDirectory": -2,
    "HDF1:FileTemplate": "%s%s_%4.4d.h5",
    "HDF1:FileName": "sample 7",
    "HDF1:FileWriteMode": 2,
    "HDF1:NumCapture": 9,
    "HDF1:LazyOpen": 1,
    "HDF1:AutoIncrement": 1,
    "HDF1:TempSuffix": ".part",
    "image1:NDArrayPort": "ROI1",
    "ROI1:MinX": 17,
}
"""Something of every kind."""


def wait_until_saved(file: Path, line: str) -> None:
    deadline = time.monotonic() + 20
    while line not in file.read_text().splitlines():
        assert time.monotonic() < deadline, f"{line} was not saved"
        time.sleep(0.02)


@pytest.fixture
def ioc(adsupport_ioc_factory: Callable[..., IOCProcess], tmp_path: Path):
    with adsupport_ioc_factory("adsim", autosave=tmp_path / "auto.sav") as ioc:
        yield ioc


@pytest.fixture
def read(ioc: IOCProcess) -> Callable[[str], Any]:
    """Read a record, as text if it is one.

    By a client without a past: libca takes up to ten seconds to find a restarted IOC again.
    """

    def read(name: str) -> Any:
        found = caproto_client.read(
            ioc.prefix + name, timeout=30, repeater=False, force_int_enums=True
        )
        if found.data_type == ChannelType.CHAR:
            return bytes(found.data).split(b"\0")[0].decode()
        value = found.data[0]
        return value.decode() if isinstance(value, bytes) else value

    return read


def test_a_killed_ioc_has_its_settings_again_and_has_seen_no_array(
    ioc: IOCProcess, caput: Callable, read: Callable, tmp_path: Path
) -> None:
    for name, value in SETTINGS.items():
        caput(ioc.prefix + name, value)
    caput(f"{ioc.prefix}HDF1:FilePath", str(tmp_path))
    caput(f"{ioc.prefix}cam1:NumImages", 3)
    caput(f"{ioc.prefix}cam1:WaitForPlugins", 1)
    caput(f"{ioc.prefix}HDF1:Capture", 1, wait=False)
    caput(f"{ioc.prefix}cam1:Acquire", 1)
    assert read("HDF1:FileNumber") == 1
    wait_until_saved(tmp_path / "auto.sav", f"{ioc.prefix}HDF1:FileNumber 1")
    caput(f"{ioc.prefix}cam1:ImageMode", 2)
    wait_until_saved(tmp_path / "auto.sav", f"{ioc.prefix}cam1:ImageMode 2")
    caput(f"{ioc.prefix}cam1:Acquire", 1, wait=False)
    ioc.kill()
    ioc.restart()
    for name, value in {**SETTINGS, "cam1:ImageMode": 2, "cam1:NumImages": 3}.items():
        assert read(name) == value, name
        if name != "cam1:SizeX":
            assert read(f"{name}_RBV") == value, f"{name}_RBV"
    assert read("HDF1:FilePath") == str(tmp_path)
    assert read("HDF1:FilePath_RBV") == f"{tmp_path}/"
    assert read("HDF1:FilePathExists_RBV") == 1
    assert read("HDF1:FileNumber") == read("HDF1:FileNumber_RBV") == 1
    zero = ("cam1:Acquire", "cam1:AcquireBusy", "cam1:ArrayCounter_RBV", "cam1:ArraySize_RBV",
            "cam1:NumImagesCounter_RBV", "HDF1:Capture", "HDF1:Capture_RBV", "HDF1:WriteFile",
            "HDF1:NumCaptured_RBV", "HDF1:ArraySize0_RBV", "HDF1:ArrayCounter_RBV")  # fmt: skip
    assert {name: read(name) for name in zero} == dict.fromkeys(zero, 0)


def test_a_clean_end_saves_at_once(ioc: IOCProcess, caput: Callable, read: Callable) -> None:
    caput(f"{ioc.prefix}cam1:Gain", 7.5)
    ioc.restart()
    assert read("cam1:Gain_RBV") == 7.5


def test_a_damaged_file_is_replaced_by_the_one_before(
    ioc: IOCProcess, caput: Callable, read: Callable, tmp_path: Path
) -> None:
    file = tmp_path / "auto.sav"
    for gain in (3.5, 4.5):
        caput(f"{ioc.prefix}cam1:Gain", gain)
        wait_until_saved(file, f"{ioc.prefix}cam1:Gain {gain}")
    ioc.kill()
    file.write_text(file.read_text().removesuffix("<END>\n"))
    ioc.restart()
    assert read("cam1:Gain_RBV") == 3.5


def test_a_file_of_something_else_stops_the_start(
    adsupport_ioc_factory: Callable[..., IOCProcess], tmp_path: Path
) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("monday: align the tube\n")
    with pytest.raises(IOCError, match=r"notes\.txt is not overwritten"):
        adsupport_ioc_factory("adsim", autosave=notes)
    assert notes.read_text() == "monday: align the tube\n"
