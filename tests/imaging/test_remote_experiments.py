"""Experiments whose frames go to other processes: ready before anything moves, and their losses."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from adsupport.errors import FrameConnectionError
from adsupport.imaging import TomographyConfig, tomography
from adsupport.imaging.addons import Addon
from adsupport.imaging.frames.growing import HDF5FileSource
from adsupport.imaging.remote import FrameConnection, FramePublisher

from ..unit.imaging.made_frames import Collector
from .remote_consumers import Background, Consumer
from .station import Station


def scan(station: Station, *addons: Any, projections: int = 6) -> Any:
    config = TomographyConfig(
        exposure=0.02, period=0.05, darks=1, flats=1, projections=projections, mode="step"
    )
    return tomography(
        station.camera, station.rotation, config,
        frames=HDF5FileSource(station.det.hdf1, timeout=30), addons=addons, **station.places,
    )  # fmt: skip


def test_nothing_moves_before_the_consumers_are_there(station: Station) -> None:
    with FramePublisher(consumers="recon", wait=0.1) as publisher:
        with pytest.raises(FrameConnectionError, match="missing: recon"):
            station.run(scan(station, publisher))
    assert not station.of("start")


class Signal(Addon):
    """Sends a signal to a process at the third projection."""

    def __init__(self, process: Any, number: int) -> None:
        super().__init__(streams=["primary"])
        self._process, self._signal = process, number

    def frame(self, frame: Any) -> None:
        if frame.sequence == 2:
            os.kill(self._process.pid, self._signal)


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["log", "raise"])
def test_a_consumer_killed_during_the_scan(station: Station, lost: Any, tmp_path: Any) -> None:
    recorder = Collector()
    with FramePublisher(consumers=["victim", "other"], lost=lost) as publisher:
        victim = Consumer(publisher.address, "gaps", "--name", "victim", cwd=tmp_path)
        other = Background(FrameConnection(publisher.address, name="other"), recorder)
        experiment = scan(
            station, publisher, Signal(victim.process, signal.SIGKILL), projections=60
        )
        if lost == "raise":
            with pytest.raises(FrameConnectionError, match="'victim' of frames is lost"):
                station.run(experiment)
        else:
            station.run(experiment)
        victim.ended()
        other.join()
    came = len([each for each in recorder.frames if each.stream == "primary"])
    assert came == 60 if lost == "log" else 3 <= came < 60
    assert recorder.ends[-1].complete is (lost == "log")
    assert station.of("stop")[-1]["exit_status"] == ("success" if lost == "log" else "fail")
    if lost == "log":  # the same publisher again, with what is left
        headers = {each.stream: each for each in recorder.frames}
        assert set(headers) == {"darks", "flats", "primary"}
        assert headers["primary"].run_uid == station.of("start")[-1]["uid"]
        assert headers["primary"].angle is not None and headers["primary"].timestamp is not None


@pytest.mark.slow
def test_one_publisher_for_two_experiments(station: Station) -> None:
    recorder, uids = Collector(), []
    with FramePublisher(consumers=1) as publisher:
        running = Background(FrameConnection(publisher.address), recorder, runs=2)
        for _ in range(2):
            station.run(scan(station, publisher))
            uids.append(station.of("start")[-1]["uid"])
        assert running.join().runs == 2
    assert [each.about.run_uid for each in recorder.ends] == [uids[0]] * 3 + [uids[1]] * 3
    assert all(each.complete for each in recorder.ends)
