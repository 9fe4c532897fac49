"""The simulated detector with an older ADCore, over Channel Access: its records and what it does.

Which records a release has is known from ADCore's templates; what the detector and the chosen
plugins do without those that came later, from its release notes.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
from epics import ca

from adsupport import adcore
from adsupport.launch import IOCProcess, boot_file
from adsupport.testing import IOCFactory

from .records import Records

DATA = Path(__file__).parents[1] / "data"
TIMEOUT = 30.0

BY_DEFAULT = ("R2-6",)
RELEASES = [
    pytest.param(str(release), marks=() if str(release) in BY_DEFAULT else pytest.mark.slow)
    for release in adcore.KNOWN_RELEASES
]

# one instance of each template, and those that commonPlugins.cmd loads more than once
INSTANCES = {
    "cam1": "ADBase", "cam2": "ADBase", "image1": "NDStdArrays", "Pva1": "NDPva",
    "netCDF1": "NDFileNetCDF", "TIFF1": "NDFileTIFF", "JPEG1": "NDFileJPEG",
    "Nexus1": "NDFileNexus", "HDF1": "NDFileHDF5", "ROI1": "NDROI", "ROIStat1": "NDROIStat",
    "Proc1": "NDProcess", "Scatter1": "NDScatter", "Gather1": "NDGather", "Stats1": "NDStats",
    "Stats5": "NDStats", "Trans1": "NDTransform", "Over1": "NDOverlay", "CC1": "NDColorConvert",
    "CB1": "NDCircularBuff", "Attr1": "NDAttribute", "FFT1": "NDFFT", "Codec1": "NDCodec",
    "BadPix1": "NDBadPixel",
}  # fmt: skip
# asyn addresses of a gatherer: records of a template of their own, under the same name
GATHERED = re.compile(r"NDArray(Port|Address)_[1-8](_RBV)?")


def own_of_driver() -> set[str]:
    """Return the records of ADSimDetector, beside those of ADBase, on the recorded IOC."""
    lines = (DATA / "adsim-records.jsonl").read_text().splitlines()
    names = {json.loads(line)["pv"] for line in lines if line.startswith('{"pv":"ad:cam1:')}
    own = {name.removeprefix("ad:cam1:") for name in names}
    return own - adcore.records("ADBase", "R3-14")


def listed(release: str) -> dict[str, set[str]]:
    """Return the names that the IOC lists, by what stands before their last colon."""
    command = [sys.executable, str(boot_file("adsim")), "--prefix=p:", "--list-pvs"]
    command.append(f"--adcore={release}")
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    rooms: dict[str, set[str]] = {}
    for name in output.stdout.split():
        room, _, record = name.removeprefix("p:").rpartition(":")
        rooms.setdefault(room, set()).add(record)
    return rooms


@pytest.fixture(scope="module", params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def old_ioc(adsupport_ioc_factory: IOCFactory, release: str) -> Iterator[IOCProcess]:
    with adsupport_ioc_factory("adsim", adcore=release) as ioc:
        yield ioc


@pytest.fixture
def records(old_ioc: IOCProcess) -> Records:
    return Records(old_ioc.prefix)


def test_no_record_is_listed_that_the_release_lacks(release: str) -> None:
    rooms = listed(release)
    extra = {"cam1": own_of_driver(), "cam2": own_of_driver()}
    for name, template in INSTANCES.items():
        found = rooms.get(name, set()) - extra.get(name, set())
        if template == "NDGather":
            found = {record for record in found if not GATHERED.fullmatch(record)}
        assert found == adcore.records(template, release), name


def test_every_record_of_the_release_answers(records: Records, release: str) -> None:
    names = [
        records.name(f"{instance}:{record}")
        for instance, template in INSTANCES.items()
        for record in sorted(adcore.records(template, release))
    ]
    channels = [ca.create_channel(name, connect=False, auto_cb=False) for name in names]
    silent = [
        name
        for name, channel in zip(names, channels, strict=True)
        if not ca.connect_channel(channel, timeout=TIMEOUT)
    ]
    for channel in channels:
        ca.clear_channel(channel)
    assert not silent


def test_versions(records: Records, release: str) -> None:
    version = adcore.Release.parse(release).version
    assert version == release.replace("R", "").replace("-", ".") + ".0"
    assert records.get("cam1:ADCoreVersion_RBV") == version
    assert records.get("HDF1:DriverVersion_RBV") == version


def test_compressions(records: Records, release: str) -> None:
    choices = adcore.compressions(release)
    for record, strings in (
        ("HDF1:Compression", choices),
        ("HDF1:Compression_RBV", adcore.compression_readbacks(release)),
    ):
        assert records.pv(record).get_ctrlvars()["enum_strs"] == strings
    records.write({"HDF1:Compression": "N-bit"})
    said = "nbit" if release in ("R2-6", "R3-1", "R3-3", "R3-4") else "N-bit"
    assert records.get("HDF1:Compression_RBV", as_string=True) == said
    records.write({"HDF1:Compression": "None"})


def test_frames_are_written(records: Records, tmp_path: Path) -> None:
    write_frames(records, tmp_path, {"HDF1:Compression": "zlib"})
    with h5py.File(tmp_path / "old_0.h5") as file:
        data = file["entry/data/data"]
        assert data.shape == (3, 1024, 1024)
        assert data.compression == "gzip"
        first, last = data[0].astype(int), data[2].astype(int)
        assert list(file["entry/instrument/NDAttributes/NDArrayUniqueId"]) == [2, 3, 4]
    # LinearRamp: 1 more for each pixel to the right, and for each frame
    assert np.array_equal(np.diff(first, axis=1) % 256, np.ones((1024, 1023)))
    assert np.array_equal((last - first) % 256, np.full((1024, 1024), 2))


def write_frames(records: Records, directory: Path, more: dict[str, object]) -> None:
    """Prime the plugin with one frame, then write three."""
    records.write(
        {
            "cam1:ArrayCounter": 0, "cam1:ImageMode": "Single", "cam1:AcquireTime": 0.001,
            "cam1:AcquirePeriod": 0.001, "cam1:ArrayCallbacks": 1, "HDF1:EnableCallbacks": 1,
        }
    )  # fmt: skip
    records.write({"cam1:Acquire": 1})
    records.wait_until("HDF1:UniqueId_RBV", 1)
    records.write(
        {
            "HDF1:FilePath": str(directory), "HDF1:FileName": "old", "HDF1:FileNumber": 0,
            "HDF1:FileTemplate": "%s%s_%d.h5", "HDF1:FileWriteMode": "Stream",
            "HDF1:NumCapture": 3, **more,
        }
    )  # fmt: skip
    records.pv("HDF1:Capture").put(1)
    records.wait_until("HDF1:Capture_RBV", 1)
    records.write({"cam1:ImageMode": "Multiple", "cam1:NumImages": 3})
    records.write({"cam1:Acquire": 1})
    records.wait_until("HDF1:Capture_RBV", 0)
    assert records.get("HDF1:NumCaptured_RBV") == 3
    assert records.get("HDF1:WriteStatus", as_string=True) == "Write OK"


def test_data_types(records: Records, release: str, tmp_path: Path) -> None:
    """64-bit integers came with R3-9, before the floating-point types."""
    strings = records.pv("cam1:DataType").get_ctrlvars()["enum_strs"]
    has_64_bits = adcore.Release.parse(release) >= adcore.Release(3, 9)
    assert ("Int64" in strings, "UInt64" in strings) == (has_64_bits, has_64_bits)
    assert strings[-2:] == ("Float32", "Float64")
    assert records.get("ROI1:DataTypeOut_RBV", as_string=True) == "Automatic"
    records.write({"cam1:DataType": "Float32"})
    assert records.get("cam1:DataType_RBV", as_string=True) == "Float32"
    write_frames(records, tmp_path, {"HDF1:Compression": "None"})
    assert records.get("HDF1:DataType_RBV", as_string=True) == "Float32"
    with h5py.File(tmp_path / "old_0.h5") as file:
        assert file["entry/data/data"].dtype == np.float32
    records.write({"cam1:DataType": "UInt8"})


def test_the_end_of_an_acquisition(old_ioc: IOCProcess, records: Records, release: str) -> None:
    """A put-callback ends with the last frame, or with the plugins where these can be waited for.

    WaitForPlugins came with R3-3.
    """
    waits = adcore.Release.parse(release) >= adcore.Release(3, 3)
    records.write(
        {
            "cam1:ImageMode": "Multiple", "cam1:NumImages": 2, "cam1:AcquireTime": 0.001,
            "cam1:AcquirePeriod": 0.001, "cam1:ArrayCounter": 0, "cam1:ArrayCallbacks": 1,
            "Stats1:ArrayCounter": 0, "Stats1:EnableCallbacks": 1,
        }
    )  # fmt: skip
    if waits:
        records.write({"cam1:WaitForPlugins": 1})
    ended = threading.Event()
    with old_ioc.fault("slow-plugin", "Stats1"):
        acquire = records.pv("cam1:Acquire")
        acquire.put(1, callback=lambda **_: ended.set())
        records.wait_until("cam1:Acquire_RBV", 0)
        assert records.get("cam1:ArrayCounter_RBV") == 2
        if waits:
            assert records.get("cam1:AcquireBusy") == 1
            assert not ended.is_set()
        else:
            assert ended.wait(TIMEOUT)
    assert ended.wait(TIMEOUT)
    records.wait_until("Stats1:ArrayCounter_RBV", 2)
    if waits:
        assert records.get("cam1:AcquireBusy") == 0
        records.write({"cam1:WaitForPlugins": 0})
    records.write({"Stats1:EnableCallbacks": 0})


def test_time_series_of_statistics(records: Records, release: str) -> None:
    """They had records of the plugin itself before R3-3, then a plugin of their own."""
    own = adcore.Release.parse(release) < adcore.Release(3, 3)
    start, points = ("TSControl", "TSNumPoints") if own else ("TS:TSAcquire", "TS:TSNumPoints")
    acquiring = "TSAcquiring" if own else "TS:TSAcquiring"
    records.write(
        {
            "cam1:ImageMode": "Multiple", "cam1:NumImages": 4, "cam1:AcquireTime": 0.001,
            "cam1:AcquirePeriod": 0.001, "cam1:ArrayCallbacks": 1, "Stats1:EnableCallbacks": 1,
            f"Stats1:{points}": 3,
        }
    )  # fmt: skip
    # what starts them now is a busy record, whose put-callback ends with the series
    records.pv(f"Stats1:{start}").put("Erase/Start" if own else "Acquire")
    records.wait_until(f"Stats1:{acquiring}", 1)
    records.write({"cam1:Acquire": 1})
    records.wait_until(f"Stats1:{acquiring}", 0)
    # a ramp that wraps in 8 bits has every value equally often
    assert list(records.get("Stats1:TSMeanValue")) == [127.5] * 3
    records.write({"Stats1:EnableCallbacks": 0})


def test_clip_limits_that_replace_values_too(adsupport_ioc_factory: IOCFactory) -> None:
    """Before R3-13 one number was the limit and the replacement."""
    with adsupport_ioc_factory("adsim", adcore="R3-11") as ioc:
        records = Records(ioc.prefix)
        records.write({"Proc1:LowClip": 10.0, "Proc1:HighClip": 200.0})
        assert records.get("Proc1:HighClip_RBV") == 200.0
        records.write(
            {
                "Proc1:EnableLowClip": 1, "Proc1:EnableHighClip": 1, "Proc1:EnableCallbacks": 1,
                "image1:NDArrayPort": "PROC1", "image1:EnableCallbacks": 1,
                "cam1:ImageMode": "Single", "cam1:ArrayCallbacks": 1,
            }
        )  # fmt: skip
        records.write({"cam1:WaitForPlugins": 1})
        records.write({"cam1:Acquire": 1})
        pixels = np.asarray(records.get("image1:ArrayData")).astype(np.uint8)
        assert (pixels.min(), pixels.max()) == (10, 200)
