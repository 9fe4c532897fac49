"""A simulated IOC writes Data Exchange in the generated layout; the file is completed and read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import pytest
from ophyd.areadetector.plugins import HDF5Plugin_V34
from ophyd.status import SubscriptionStatus

from adsupport.callbacks.dataexchange import PV, Param, check_dx_layout, finish_dx, write_dx_layout
from adsupport.devices import AD_setup_FrameType, ad_creator
from adsupport.devices.signals.putting import put_in_order
from adsupport.errors import ImageFileError
from adsupport.launch import IOCProcess

THETA = [0.0, 36.0, 72.0, 108.0, 144.0]
IMAGE, DARK, WHITE = 0, 1, 2
ROTATION = "/process/acquisition/rotation"
VALUES = {
    "/measurement/instrument/name": "simulated",
    "/measurement/instrument/detector/manufacturer": Param("MANUFACTURER", "STRING"),
    "/measurement/instrument/detector/exposure_time": PV("$(P)$(R)AcquireTime_RBV"),
    "/measurement/instrument/detector/exposure_time@units": "s",
    f"{ROTATION}/start": 0.0,
    f"{ROTATION}/step": 36.0,
    f"{ROTATION}/num_angles": PV("$(P)$(R)NumImages_RBV"),
}
CAMERA = {"acquire": 0, "image_mode": "Multiple", "num_images": 1, "acquire_time": 0.001,
          "acquire_period": 0.002, "array_callbacks": 1, "wait_for_plugins": "Yes",
          "data_type": "UInt8", "color_mode": "Mono", "size.size_x": 64,
          "size.size_y": 48}  # fmt: skip
WRITER = {"capture": 0, "enable": 1, "file_write_mode": "Stream", "num_capture": 9,
          "auto_increment": 0, "file_number": 0, "create_directory": 0, "compression": "None",
          "file_name": "scan", "file_template": "%s%s.h5", "lazy_open": "No"}  # fmt: skip


def put_all(device: Any, values: dict[str, Any]) -> None:
    assert put_in_order([(getattr(device, name), value) for name, value in values.items()]) == []


@pytest.fixture
def det(adsim: IOCProcess, tmp_path: Path, caput: Callable[..., float]) -> Iterator[Any]:
    """A small camera whose HDF5 plugin has the generated layout and has seen a frame."""
    layout, attributes = write_dx_layout(tmp_path / "xml", values=VALUES)
    assert check_dx_layout(layout, attributes) == []
    spec = {"class": HDF5Plugin_V34, "suffix": "HDF1:"}
    detector = ad_creator(adsim.prefix, name="det", plugins=["cam", {"writer": spec}])
    detector.wait_for_connection(timeout=15)
    put_all(detector.cam, CAMERA)
    put_all(detector.writer, WRITER | {"file_path": f"{tmp_path}/"})
    AD_setup_FrameType(adsim.prefix, "DataExchange")
    macros = {"NDAttributesMacros": f"P={adsim.prefix},R=cam1:"}
    for name, value in {**macros, "NDAttributesFile": str(attributes)}.items():
        caput(f"{adsim.prefix}cam1:{name}", value)
    caput(f"{adsim.prefix}HDF1:XMLFileName", str(layout))
    take(detector, IMAGE, 1)
    yield detector
    put_all(detector.writer, {"capture": 0})
    for name in ("cam1:NDAttributesMacros", "cam1:NDAttributesFile", "HDF1:XMLFileName"):
        caput(f"{adsim.prefix}{name}", "")
    put_all(detector.cam, {"frame_type": IMAGE, "wait_for_plugins": "No", "size.size_x": 1024,
                           "size.size_y": 1024})  # fmt: skip
    AD_setup_FrameType(adsim.prefix, "reset")


def take(detector: Any, kind: int, count: int) -> None:
    """Acquire frames of a kind; the plugins are done with them when this returns."""
    put_all(detector.cam, {"frame_type": kind, "num_images": count})
    done = threading.Event()
    detector.cam.acquire.put(1, use_complete=True, callback=lambda **_: done.set())
    assert done.wait(30)


def capturing(detector: Any, state: int) -> SubscriptionStatus:
    """Wait until the plugin captures, or doesn't any more."""
    return SubscriptionStatus(detector.writer.capture, lambda value, **_: value == state)


def test_an_ioc_writes_data_exchange(det: Any, tmp_path: Path) -> None:
    assert det.writer.xml_valid.get() == "Yes"
    path = tmp_path / "scan.h5"
    det.writer.capture.put(1)
    capturing(det, 1).wait(30)
    take(det, DARK, 2)
    take(det, WHITE, 2)
    before = path.stat()
    with pytest.raises(ImageFileError, match="stop the capture of the file plugin"):
        finish_dx(path)
    assert path.stat() == before
    take(det, IMAGE, 5)
    capturing(det, 0).wait(30)

    result = finish_dx(path)
    assert result.frames == {
        "/exchange/data": 5,
        "/exchange/data_dark": 2,
        "/exchange/data_white": 2,
    }
    assert (result.missed_ids, result.remarks) == ((), [])
    with h5py.File(path) as file:
        assert file["implements"].asstr()[()] == "exchange:measurement:process"
        exchange = file["exchange"]
        names = ("data_dark", "data_white", "data")
        assert [exchange[name].shape for name in names] == [(2, 48, 64), (2, 48, 64), (5, 48, 64)]
        # the ramp grows by one a frame, as the unique ids do
        pixels = [int(value) for name in names for value in exchange[name][:, 0, 0]]
        ids = file["defaults/NDArrayUniqueId"][:].tolist()
        assert [(each - pixels[0]) % 256 for each in pixels] == list(range(9))
        assert ids == list(range(ids[0], ids[0] + 9))
        assert exchange["theta"][:].tolist() == THETA
        assert exchange["theta"].attrs["units"] == "degree"
        assert exchange["data"].attrs["units"] == b"counts"
        assert file["measurement/instrument/name"][0] == b"simulated"
        detector = file["measurement/instrument/detector"]
        assert detector["manufacturer"][0] == b"Simulated detector"
        assert detector["exposure_time"][:].tolist() == [0.001]
        assert detector["exposure_time"].attrs["units"] == b"s"
        assert file[f"{ROTATION}/num_angles"][:].tolist() == [5]
    whole = path.read_bytes()
    assert not finish_dx(path).changed
    assert path.read_bytes() == whole


def test_a_swmr_file_that_is_stopped_early(det: Any, tmp_path: Path) -> None:
    """Three of five projections, no flats: what is there is completed, and nothing invented."""
    path = tmp_path / "scan.h5"
    put_all(det.writer, {"swmr_mode": "On"})
    try:
        det.writer.capture.put(1)
        capturing(det, 1).wait(30)
        take(det, DARK, 2)
        take(det, IMAGE, 3)
        with pytest.raises(ImageFileError, match="held by its writer, in SWMR mode"):
            finish_dx(path, theta=THETA)
        put_all(det.writer, {"capture": 0})
    finally:
        put_all(det.writer, {"swmr_mode": "Off"})
    result = finish_dx(path, theta=THETA, missing="drop")
    assert result.missed_theta.tolist() == THETA[3:]
    assert result.remarks == ["No frame went to /exchange/data_white."]
    with h5py.File(path) as file:
        assert file["exchange/theta"][:].tolist() == THETA[:3]
        assert file["exchange/data_white"].shape == (0, 48, 64)
        assert file["exchange/data_dark"].shape == (2, 48, 64)
