"""Take the same tomograms by several plans, by turns; a program of its own.

Prints one JSON object: for each plan, the seconds of its runs.  An IOC of the imaging beamline
has to run, and the environment has to lead to it.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import bluesky.plan_stubs as bps
import h5py
from bluesky import RunEngine
from ophyd import EpicsMotor, EpicsSignal

from adsupport.devices import (
    AD_EpicsFileNameHDF5Plugin,
    AD_full_file_name_local,
    ad_creator,
    ensure_AD_plugin_primed,
)
from adsupport.imaging import ADCamera, SampleStage, Source, TomographyConfig, tomography
from adsupport.imaging.addons import Addon
from adsupport.imaging.frames.growing import HDF5FileSource
from adsupport.plans import prepare_count

#: What a slow consumer takes for a frame, in seconds.
BUSY = 0.1
_OUT = 6.0
_TIMEOUT = 30.0


class Slow(Addon):
    """Takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.frames = 0

    def frame(self, frame: Any) -> None:  # noqa: ARG002
        """Count, slowly."""
        time.sleep(BUSY)
        self.frames += 1


class Beamline:
    """Devices, and the plans that are compared."""

    def __init__(self, prefix: str, directory: str, config: TomographyConfig) -> None:
        self.prefix, self.config = prefix, config
        writer = {
            "class": AD_EpicsFileNameHDF5Plugin,
            "write_path_template": directory,
            "read_path_template": directory,
        }
        self.det = ad_creator(prefix, name="det", plugins=["cam", "image", {"hdf1": writer}])
        self.rotation = EpicsMotor(f"{prefix}m1", name="rotation")
        self.stage = EpicsMotor(f"{prefix}m5", name="stage")
        self.shutter = EpicsSignal(f"{prefix}shutter:Control", name="shutter", put_complete=True)
        tube = EpicsSignal(f"{prefix}tube:On", name="tube", put_complete=True)
        for device in (self.det, self.rotation, self.stage, self.shutter, tube):
            device.wait_for_connection(timeout=_TIMEOUT)
        tube.set(1).wait(_TIMEOUT)
        self.rotation.velocity.set(720).wait(_TIMEOUT)
        self.stage.velocity.set(50).wait(_TIMEOUT)
        ensure_AD_plugin_primed(self.det.hdf1, True)

    def bare(self) -> Generator[Any, Any, Any]:
        """Do the same moves, and take the same frames, as one writes it down."""
        config, det = self.config, self.det
        devices: list[Any] = [det, self.rotation]

        def take(stream: str, frames: int, places: list[float]) -> Generator[Any, Any, Any]:
            yield from prepare_count(det.hdf1, stream, config.exposure, config.period, frames)
            yield from bps.stage(det, wait=True)
            for angle in places:
                if stream == "primary":
                    yield from bps.mv(self.rotation, angle)
                yield from bps.trigger_and_read(devices, name=stream)
            yield from bps.unstage(det, wait=True)

        yield from bps.open_run()
        yield from bps.mv(self.shutter, 0)
        yield from take("darks", config.darks, [0.0])
        yield from bps.mv(self.stage, _OUT)
        yield from bps.mv(self.shutter, 1)
        yield from take("flats", config.flats, [0.0])
        yield from bps.mv(self.shutter, 0)  # no beam while stages move, as ours
        yield from bps.mv(self.stage, 0.0)
        yield from bps.mv(self.shutter, 1)
        yield from take("primary", 1, config.set_points)
        yield from bps.mv(self.shutter, 0)
        yield from bps.close_run()

    def ours(self, **options: Any) -> Any:
        """Make the experiment."""
        return tomography(
            ADCamera(self.det), self.rotation, self.config, source=Source(self.shutter),
            sample=SampleStage({self.stage: (0.0, _OUT)}), **options,
        )  # fmt: skip

    def source(self) -> HDF5FileSource:
        """Make a source of frames, for all runs: as the devices, before anything is timed."""
        return HDF5FileSource(f"{self.prefix}HDF1:", f"{self.prefix}cam1:", timeout=_TIMEOUT)


def main() -> None:
    """Take turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("prefix")
    parser.add_argument("directory")
    parser.add_argument("--projections", type=int, default=40)
    parser.add_argument("--exposure", type=float, default=0.05, help="seconds")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    config = TomographyConfig(
        exposure=given.exposure, darks=5, flats=5, projections=given.projections
    )
    beamline = Beamline(given.prefix, given.directory, config)
    engine = RunEngine({})
    frames: list[tuple[float, float]] = []  # of each event with a frame: time, processor time

    def note(_: str, event: dict[str, Any]) -> None:
        if "det_image" in event["data"]:
            frames.append((event["time"], time.process_time()))

    engine.subscribe(note, "event")
    source = beamline.source()

    def with_consumer() -> Any:
        addon = Slow()
        yield from beamline.ours(frames=source, addons=[addon]).run()
        if addon.frames != config.count + 10:
            raise RuntimeError(f"the consumer got {addon.frames} frames")

    plans: dict[str, Callable[[], Any]] = {
        "bare": beamline.bare,
        "ours": lambda: beamline.ours().run(),
        "with a consumer": with_consumer,
    }
    found: dict[str, list[dict[str, float]]] = {name: [] for name in plans}
    for turn in range(given.rounds + 1):
        for name, plan in random.sample(list(plans.items()), len(plans)):
            beamline.rotation.set(0).wait(_TIMEOUT)
            frames.clear()
            began, worked = time.time(), time.process_time()
            engine(plan())
            whole = time.time() - began
            _check(AD_full_file_name_local(beamline.det.hdf1), config.count)
            # the last frame is the end of the acquisition: a consumer may go on
            last, processor = max(frames)
            if turn:  # the first one warms up
                found[name].append(
                    {"whole": whole, "frames": last - began, "processor": processor - worked}
                )
    source.close()
    print(json.dumps(found))


def _check(path: Path | None, frames: int) -> None:
    if path is None:
        raise RuntimeError("no file was written")
    with h5py.File(path) as file:
        images: Any = file["entry/data/data"]
        if len(images) != frames:
            raise RuntimeError(f"{path} has {len(images)} frames, and not {frames}")


if __name__ == "__main__":
    main()
