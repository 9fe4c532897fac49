"""How much a consumer of 0.1 s a frame slows an acquisition.

The same frames are taken with no consumer and with a slow one behind each source, by turns.  The
time is that from the start of the camera until the file is closed and the source has handed on
all frames; the consumer goes on after that.  Run ``python -m tests.bench.frame_consumers``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from adsupport.launch import IOCProcess, client_environment

PREFIX = "im:"
BUSY = 0.1  # s a frame
SETTINGS = {
    "cam1:ImageMode": "Multiple",
    "cam1:DataType": "UInt16",
    "cam1:AcquirePeriod": 0.0,
    "HDF1:EnableCallbacks": 1,
    "Pva1:EnableCallbacks": 1,
    "image1:EnableCallbacks": 1,
    "HDF1:FileWriteMode": "Stream",
    "HDF1:FileTemplate": "%s%s_%d.h5",
    "HDF1:LazyOpen": "Yes",
    "HDF1:QueueSize": 200,
}


class Camera:
    """Takes frames into files by Channel Access alone."""

    def __init__(self, folder: Path, exposure: float, size: int) -> None:
        self._pvs: dict[str, Any] = {}
        self._number = 0
        for name, value in {
            **SETTINGS,
            "HDF1:FilePath": str(folder),
            "cam1:AcquireTime": exposure,
            "cam1:SizeX": size,
            "cam1:SizeY": size,
        }.items():
            self._put(name, value)

    def _put(self, name: str, value: Any) -> None:
        import epics

        pv = self._pvs.setdefault(name, epics.PV(PREFIX + name))
        if not pv.wait_for_connection(30):
            raise TimeoutError(pv.pvname)
        pv.put(value, wait=True, timeout=120)

    def arm(self, frames: int, swmr: bool) -> None:
        """Let the plugin wait for frames."""
        self._number += 1
        self._put("HDF1:SWMRMode", int(swmr))
        self._put("HDF1:FileName", f"bench{self._number}")
        self._put("HDF1:NumCapture", frames)
        self._put("cam1:NumImages", frames)

    def take(self) -> None:
        """Take the frames, and wait until the file is closed."""
        import epics

        done = threading.Event()
        capture = self._pvs.setdefault("HDF1:Capture", epics.PV(PREFIX + "HDF1:Capture"))
        capture.wait_for_connection(30)
        # put-completion of Capture comes when all frames are in the file
        capture.put(1, callback=lambda **_: done.set())
        self._put("cam1:Acquire", 1)
        if not done.wait(120):
            raise TimeoutError("the file wasn't closed")


def sources() -> dict[str, tuple[Any, bool]]:
    """Make each source, with whether its files are written in SWMR mode."""
    from adsupport.imaging.frames.ca import CASource
    from adsupport.imaging.frames.growing import HDF5FileSource
    from adsupport.imaging.frames.pva import PVASource

    file = HDF5FileSource(f"{PREFIX}HDF1:", f"{PREFIX}cam1:", timeout=30)
    return {
        "HDF5 file in SWMR mode": (file, True),
        "HDF5 file when finished": (file, False),
        "PVA": (PVASource(f"{PREFIX}Pva1:", f"{PREFIX}cam1:", timeout=30), False),
        "CA": (CASource(f"{PREFIX}image1:", timeout=30), False),
    }


def measure(camera: Camera, source: Any, swmr: bool, frames: int) -> tuple[float, float, int]:
    """Time one acquisition with a slow consumer, or without one when there is no source.

    Returns
    -------
    float
        Seconds until the file is closed.
    float
        Seconds until the source has handed on all.
    int
        Frames that the source gave.
    """
    from adsupport.imaging.addons import Addon
    from adsupport.imaging.frames.bus import FrameBus
    from adsupport.imaging.frames.frame import Frame, StreamAbout

    class Slow(Addon):
        def frame(self, frame: Frame) -> None:  # noqa: ARG002
            time.sleep(BUSY)

    camera.arm(frames, swmr)
    if source is None:
        began = time.monotonic()
        camera.take()
        took = time.monotonic() - began
        return took, took, frames
    lossless = "HDF5" in type(source).__name__
    bus = FrameBus(source, [Slow(policy="block" if lossless else "drop")], missing="log")
    bus.begin(StreamAbout(stream="primary", expected=frames))
    began = time.monotonic()
    camera.take()
    taken = time.monotonic() - began
    ended = bus.end(frames)
    handed = time.monotonic() - began
    bus.close(timeout=0.0)
    return taken, handed, ended.frames


def turns(camera: Camera, frames: int, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Take turns: each source with a slow consumer, and right before it without one.

    Returns
    -------
    dict
        For each source, of each turn the seconds ``"alone"``, without a consumer; ``"taken"``,
        with it; ``"handed"`` on; and the number of ``"frames"`` that the source gave.
    """
    made = sources()
    found: dict[str, list[dict[str, float]]] = {name: [] for name in made}
    for turn in range(rounds + 1):
        for name, (source, swmr) in made.items():
            alone, _, _ = measure(camera, None, swmr, frames)
            taken, handed, came = measure(camera, source, swmr, frames)
            if turn:  # the first one warms up
                found[name].append(
                    {"alone": alone, "taken": taken, "handed": handed, "frames": came}
                )
    for source, _ in made.values():
        source.close()
    return found


def measured(frames: int, rounds: int) -> dict[str, list[dict[str, float]]]:
    """Run this program, which has a client of EPICS of its own; see :func:`turns`."""
    answer = subprocess.run(
        [sys.executable, "-m", __name__, "--frames", str(frames), "--rounds", str(rounds),
         "--json"],
        timeout=900, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return json.loads(answer.stdout.splitlines()[-1])


def main() -> None:
    """Measure, and print a line for each source."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--exposure", type=float, default=0.02, help="seconds")
    parser.add_argument("--size", type=int, default=256, help="pixels")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print all times as one line of JSON")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, IOCProcess("imaging_beamline", PREFIX) as ioc:
        os.environ.update(client_environment(ioc.port, pva_ports=[ioc.pva_port]))
        import epicscorelibs.path.pyepics  # noqa: F401

        found = turns(Camera(Path(folder), given.exposure, given.size), given.frames, given.rounds)
    if given.json:
        print(json.dumps(found))
        return
    print(f"{given.frames} frames of {given.size}², {given.exposure} s; consumer {BUSY} s")
    for name, turned in found.items():
        alone, taken, handed, frames = (
            statistics.median(each[what] for each in turned)
            for what in ("alone", "taken", "handed", "frames")
        )
        ratio = statistics.median(each["taken"] / each["alone"] for each in turned)
        print(
            f"{name:26} alone {alone:6.3f} s  camera and file {taken:6.3f} s "
            f"(paired {100 * (ratio - 1):+5.1f} %)  handed on {handed:6.3f} s  {frames:g} frames"
        )


if __name__ == "__main__":
    main()
