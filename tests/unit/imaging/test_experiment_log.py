"""What addons, clean-ups and devices tell is in the log of their experiment, and in no other."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bluesky import RunEngine
from bluesky.plan_stubs import null
from bluesky.utils import RequestAbort

from adsupport.imaging import (
    DirectoryWalker,
    PreparedCamera,
    RadiographyConfig,
    radiography,
)
from adsupport.imaging.addons import Addon
from adsupport.imaging.frames.arrival import Arrival

from .beamline import Beamline


class Three:
    """A source of three frames an acquisition."""

    def begin(self, about: Any, take: Any) -> None:
        for number in range(3):
            take(Arrival(lambda: np.zeros((2, 2)), stored=False, unique_id=number))

    def end(self, expected: int | None, timeout: float) -> None:
        pass

    def close(self) -> None:
        pass


class Full(Addon):
    def frame(self, frame: Any) -> None:
        raise RuntimeError(f"the disk of {self.name} is full")


class Waiting(Addon):
    """Has no room for more than one frame while it is at work."""

    def __init__(self, go: threading.Event) -> None:
        super().__init__(queue=1, policy="drop")
        self._go = go

    def frame(self, frame: Any) -> None:
        self._go.wait(10)


def run(folder: Path, addons: list[Any], name: str = "radiography", **options: Any) -> str:
    beamline = Beamline()
    camera = PreparedCamera(beamline.camera, lambda *settings: settings)
    config = RadiographyConfig(exposure=0.1, darks=0, flats=0, projections=3)
    made = radiography(
        camera, config, source=beamline.source, walker=DirectoryWalker(folder), frames=Three(),
        addons=addons, name=name, **options,
    )  # fmt: skip
    scans: list[str] = []
    engine = RunEngine({}, context_managers=[])  # also in a thread
    engine.subscribe(lambda _, document: scans.append(document["scan_directory"]), "start")
    try:
        engine(made.run())
    finally:
        log = (Path(scans[0]) / "experiment.log").read_text()
    return log


def test_failures_of_addons_and_frames_that_they_missed(tmp_path: Path) -> None:
    go = threading.Event()

    def finish() -> Any:
        go.set()
        yield from null()

    log = run(tmp_path, [Full(errors="isolate"), Waiting(go)], finish=finish)
    assert "ERROR adsupport.imaging.frames.worker: Addon Full failed; all else goes on." in log
    assert "the disk of Full is full" in log
    assert "didn't get 1 frame" in log or "didn't get 2 frames" in log
    assert logging.getLogger("adsupport").handlers == []


def test_clean_ups_that_failed(tmp_path: Path) -> None:
    def broken() -> Any:
        raise OSError("the lamp is stuck")

    with pytest.raises(OSError, match="lamp"):
        run(tmp_path, [], cleanup=[("switch the lamp off", broken)])
    log = (tmp_path / "scan_0000" / "experiment.log").read_text()
    assert "ERROR adsupport.imaging.stubs.cleanup: switch the lamp off: attempt 1 failed" in log
    assert "ended by OSError('the lamp is stuck')" in log


def test_an_abort_is_no_error(tmp_path: Path) -> None:
    def aborted() -> Any:
        raise RequestAbort

    log = run(tmp_path, [], prepare=aborted)
    assert "WARNING adsupport.imaging.experiment.radiography: ended by RE.abort(), as asked" in log
    assert "Traceback" not in log
    assert "ERROR" not in log


def test_two_experiments_at_once_have_a_log_each(tmp_path: Path) -> None:
    """Of one name, in one process, and the one within the other's time."""
    logs: dict[str, str] = {}

    def other() -> None:
        logs["Inner"] = run(tmp_path / "inner", [Inner(errors="isolate")])

    class Inner(Full):
        pass

    class Outer(Full):
        pass

    def meanwhile() -> Any:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(30)
        yield from null()

    logs["Outer"] = run(tmp_path / "outer", [Outer(errors="isolate")], prepare=meanwhile)
    for mine, not_mine in (("Inner", "Outer"), ("Outer", "Inner")):
        assert f"the disk of {mine} is full" in logs[mine]
        assert f"disk of {not_mine}" not in logs[mine]
        assert logs[mine].count("radiography: primary") == 1


def test_warnings_are_printed_once_whether_or_not_logging_is_configured(tmp_path: Path) -> None:
    program = f"""
import logging
from adsupport.imaging.storage.experiment_log import experiment_log
above = logging.getLogger("adsupport")
log = logging.getLogger("adsupport.imaging.motion")
for configure in (lambda: None, logging.basicConfig):
    configure()
    with experiment_log({str(tmp_path)!r}, above, above=above):
        with experiment_log({str(tmp_path)!r}, above, above=above):
            log.warning("the stage is slow")
            log.info("all is well")
assert above.handlers == []
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines() == [
        "the stage is slow",
        "WARNING:adsupport.imaging.motion:the stage is slow",
        "INFO:adsupport.imaging.motion:all is well",
    ]
    assert (tmp_path / "experiment.log").read_text().count("the stage is slow") == 2
