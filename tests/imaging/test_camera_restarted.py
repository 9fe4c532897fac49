"""The camera's IOC is restarted while a tomography is paused: its settings and its file are gone.

Source, sample and rotation are another IOC's.  The run ends soon, says that of the camera, and the
next one works with the same devices.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import bluesky.plan_stubs as bps
import pytest
from bluesky.preprocessors import plan_mutator
from bluesky.utils import FailedStatus, RunEngineInterrupted

from adsupport.errors import AdsupportError
from adsupport.imaging import (
    DirectoryWalker,
    Experiment,
    SampleStage,
    TomographyConfig,
    tomography,
)
from adsupport.imaging.addons import Accumulator
from adsupport.imaging.frames import HDF5FileSource
from adsupport.launch import IOCProcess

from .station import OUT, Station

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

LIMIT = 60.0
"""Seconds until the run must have ended."""


@pytest.fixture
def own_ioc(adsupport_ioc_factory: Any) -> Any:
    """The camera's."""
    with adsupport_ioc_factory("imaging_beamline") as ioc:
        yield ioc


class Beamline:
    """A camera of one IOC, and all else of another one."""

    def __init__(self, station: Station, ioc: IOCProcess, folder: Path) -> None:
        self.station, self.ioc = station, ioc
        self.other = Station(ioc, folder / "other")
        self.other.begin()
        self.source = HDF5FileSource(self.other.det.hdf1, timeout=30)
        self.frames = Accumulator()
        self.walker = DirectoryWalker(folder / "scans")

    def experiment(self) -> Experiment:
        self.frames = Accumulator()
        config = TomographyConfig(
            exposure=0.05, darks=1, flats=1, projections=6, order=("darks", "flats", "primary")
        )
        return tomography(
            self.other.camera, self.station.rotation, config, source=self.station.source,
            sample=SampleStage({self.station.stage: (0.0, OUT)}), frames=self.source,
            addons=[self.frames], walker=self.walker,
        )  # fmt: skip

    def pause(self) -> None:
        """Pause in the third projection, with the beam on."""
        seen = 0

        def look(message: Any) -> tuple[Any, None]:
            nonlocal seen
            seen += message.command == "trigger" and message.obj is self.other.det
            if seen != 5 or message.command != "trigger":
                return None, None
            seen += 1

            def first() -> Any:
                yield from bps.pause()
                return (yield message)

            return first(), None

        with pytest.raises(RunEngineInterrupted):
            self.station.engine(plan_mutator(self.experiment().run(), look))
        assert self.station.engine.state == "paused"
        assert len(self.station.events("primary")) == 2

    def is_put_right(self, begun: float, status: str) -> None:
        assert time.monotonic() - begun < LIMIT
        assert self.station.engine.state == "idle"
        assert self.station.of("stop")[0]["exit_status"] == status
        assert self.station.unsafe() == {}
        assert self.other.get("cam1:Acquire") == self.other.get("HDF1:Capture_RBV") == 0

    def works_again(self) -> None:
        self.other.det.wait_for_connection(timeout=60)
        frames = self.station.run(self.experiment())["primary"]
        assert self.frames.ids() == [frame.unique_id for frame in frames]
        assert len(frames) == 6
        assert self.station.unsafe() == {}


@pytest.mark.parametrize("connected", [True, False])
@pytest.mark.parametrize("autosaved", [True, False])
def test_resumed(
    station: Station, own_ioc: IOCProcess, tmp_path: Path, connected: bool, autosaved: bool
) -> None:
    beamline = Beamline(station, own_ioc, tmp_path)
    beamline.pause()
    own_ioc.restart()
    if connected:
        beamline.other.det.wait_for_connection(timeout=60)
    if autosaved:  # the IOC has its own settings back, but those that a restart never keeps
        for name in ("AcquireTime", "AcquirePeriod", "NumImages"):
            beamline.other.put(f"cam1:{name}", 1 if name == "NumImages" else 0.05)
        beamline.other.put("cam1:ImageMode", "Multiple")
    begun = time.monotonic()
    # of a point that had begun bluesky raises its own error, with the same words
    with pytest.raises((AdsupportError, FailedStatus), match=own_ioc.prefix) as raised:
        station.engine.resume()
    if connected and not autosaved:
        assert "is Continuous, and was staged as Multiple" in str(raised.value)
    beamline.is_put_right(begun, "fail")
    beamline.works_again()


@pytest.mark.parametrize("connected", [True, False])
def test_aborted(
    station: Station, own_ioc: IOCProcess, tmp_path: Path, connected: bool, caplog: Any
) -> None:
    beamline = Beamline(station, own_ioc, tmp_path)
    beamline.pause()
    own_ioc.restart()
    if connected:
        beamline.other.det.wait_for_connection(timeout=60)
    begun = time.monotonic()
    station.engine.abort()
    empty = f"{own_ioc.prefix}HDF1:NumCaptured_RBV: the file holds 0 frames"
    # while libca still looks for it
    unknown = f"{own_ioc.prefix}HDF1:Capture_RBV isn't connected"
    assert empty in caplog.text or (not connected and unknown in caplog.text)
    beamline.is_put_right(begun, "abort")
    beamline.works_again()
