"""A session that is killed leaves all as it is: what the next one finds, and how it goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from adsupport.errors import ConfigurationError
from adsupport.imaging import DirectoryWalker, TomographyConfig, tomography

from .station import Station

KILLED = """
import os, pathlib, signal, sys, types
from adsupport.imaging import DirectoryWalker, TomographyConfig, tomography
from tests.imaging.station import Station
station = Station(types.SimpleNamespace(prefix=sys.argv[1]), pathlib.Path(sys.argv[2]))
station.begin()
config = TomographyConfig(
    exposure=0.05, period=0.1, darks=1, flats=50, projections=2,
    order=("darks", "flats", "primary"),
)
walker = DirectoryWalker(sys.argv[3])
experiment = tomography(
    station.camera, station.rotation, config, walker=walker, files=("dx",), **station.places
)
first = station.get("cam1:ArrayCounter_RBV")

def die(value=None, **_):
    if value > first + 5:
        os.kill(os.getpid(), signal.SIGKILL)

station.det.cam.array_counter.subscribe(die)
station.engine(experiment.run())
"""


@pytest.mark.slow
def test_the_next_run_is_refused_and_says_what_to_do(station: Station) -> None:
    root = station.folder / "killed"
    command = [sys.executable, "-c", KILLED, station.ioc.prefix, str(station.folder), str(root)]
    top = Path(__file__).parents[2]
    ended = subprocess.run(command, cwd=top, capture_output=True, timeout=100, check=False)
    assert ended.returncode == -9, ended.stderr.decode()
    assert station.get("shutter:Status_RBV") > 0  # nobody could close it
    assert station.get("m5.RBV") == pytest.approx(6.0)
    assert station.get("HDF1:Capture_RBV") == 1
    # the frames so far, how it began, and nothing under the name of a finished file
    scan = root / "scan_0000"
    assert {path.name for path in scan.iterdir() if not path.name.startswith(".")} == {
        "darks", "flats", "experiment.log", "experiment_start.json",
    }  # fmt: skip
    assert json.loads((scan / "experiment_start.json").read_text())

    config = TomographyConfig(exposure=0.02, period=0.1, darks=1, flats=1, projections=3)
    experiment = tomography(
        station.camera, station.rotation, config, walker=DirectoryWalker(root), **station.places
    )
    with pytest.raises(ConfigurationError, match=r"det_hdf1 is writing a file.*capture\.put\(0\)"):
        station.engine(experiment.run())
    assert station.get("shutter:Status_RBV") == 0  # and the sample is in again
    assert station.get("m5.RBV") == pytest.approx(0.0)
    station.det.hdf1.capture.put(0)
    station.det.cam.acquire.put(0)
    station.begin()
    frames = station.run(experiment)
    assert {stream: len(each) for stream, each in frames.items()} == {
        "darks": 1, "flats": 1, "primary": 3,
    }  # fmt: skip
    assert station.of("start")[0]["scan_directory"] == str(root / "scan_0002")
