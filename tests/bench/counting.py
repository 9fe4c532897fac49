"""Count images with one of the contestants; a program of its own, for whichever Python has it.

Prints what a stopwatch beside the RunEngine shows after each run, as a line of JSON.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from typing import Any

import bluesky.plan_stubs as bps
import bluesky.plans as bp
from bluesky import RunEngine

# What every contestant does: frames of one point each, as fast as the camera comes ready again.
EXPOSURE, PERIOD, COMPRESSION = 0.001, 0.002, "None"

#: How many runs may fail before the contestant is given up.
_MOST_FAILURES = 3


def adsupport(prefix: str, directory: str, points: int) -> tuple[RunEngine, Any]:
    """Make the detector of adsupport."""
    from adsupport.plans import prepare_count

    detector = _with_named_files("adsupport", prefix, directory)
    engine = RunEngine({})
    engine(prepare_count(detector.hdf1, "adsupport", EXPOSURE, PERIOD, 1, compression=COMPRESSION))
    return engine, detector


def apstools(prefix: str, directory: str, points: int) -> tuple[RunEngine, Any]:
    """Make the detector of apstools, set up as its users are told to."""
    detector = _with_named_files("apstools", prefix, directory)
    cam, hdf1 = detector.cam, detector.hdf1
    detector.read_attrs.append("hdf1")
    cam.stage_sigs["wait_for_plugins"] = "Yes"
    hdf1.stage_sigs["blocking_callbacks"] = "No"
    hdf1.stage_sigs.move_to_end("capture", last=True)
    for signal, value in (
        (cam.num_images, 1),
        (cam.acquire_time, EXPOSURE),
        (cam.acquire_period, PERIOD),
        (cam.image_mode, "Single"),
        (hdf1.auto_increment, "Yes"),
        (hdf1.auto_save, "Yes"),
        (hdf1.create_directory, -5),
        (hdf1.file_name, "apstools"),
        (hdf1.file_path, directory),
        (hdf1.num_capture, points),  # of the whole run: it writes no frame after these
        (hdf1.compression, COMPRESSION),
        (hdf1.file_template, "%s%s_%4.4d.h5"),
    ):
        signal.set(value).wait(10)
    return RunEngine({}), detector


def _with_named_files(package: str, prefix: str, directory: str) -> Any:
    """Make a detector whose files the user names: both packages have the same classes."""
    devices = importlib.import_module(f"{package}.devices")
    writer = {
        "class": devices.AD_EpicsFileNameHDF5Plugin,
        "write_path_template": directory,
        "read_path_template": directory,
    }
    detector = devices.ad_creator(prefix, name="detector", plugins=["cam", {"hdf1": writer}])
    detector.wait_for_connection(timeout=60)
    devices.ensure_AD_plugin_primed(detector.hdf1, True)
    return detector


def ophyd_async(prefix: str, directory: str, points: int) -> tuple[RunEngine, Any]:
    """Make the detector of ophyd-async, which sets up its writer itself."""
    core, adcore, adsimdetector = (
        importlib.import_module(f"ophyd_async.{name}")
        for name in ("core", "epics.adcore", "epics.adsimdetector")
    )
    engine = RunEngine({})
    paths = core.StaticPathProvider(core.UUIDFilenameProvider(), directory)
    with core.init_devices():
        detector = adsimdetector.SimDetector(
            prefix, adcore.ADWriterFactory.hdf(paths), name="detector"
        )
    driver = detector.driver
    engine(bps.mv(driver.acquire_time, EXPOSURE, driver.acquire_period, PERIOD))
    return engine, detector


class BareCamera:
    """The least that a point can take: a put of ``Acquire``, and its answer; no file."""

    name, parent, root = "bare", None, None
    hints: dict[str, Any] = {}

    def __init__(self, prefix: str) -> None:
        import epicscorelibs.path.pyepics  # noqa: F401
        from epics import PV

        self._acquire = PV(f"{prefix}cam1:Acquire")
        self._acquire.wait_for_connection(30)

    def trigger(self) -> Any:
        """Take a frame."""
        from ophyd.status import Status

        status = Status(self)
        self._acquire.put(1, callback=lambda **_: status.set_finished())
        return status

    def read(self) -> dict[str, Any]:
        """Read nothing of the IOC."""
        return {"bare": {"value": 1, "timestamp": time.time()}}

    def describe(self) -> dict[str, Any]:
        """Describe the number that stands for the frame."""
        return {"bare": {"source": "", "dtype": "integer", "shape": []}}

    def read_configuration(self) -> dict[str, Any]:
        """Read no configuration."""
        return {}

    def describe_configuration(self) -> dict[str, Any]:
        """Describe no configuration."""
        return {}


def bare(prefix: str, directory: str, points: int) -> tuple[RunEngine, Any]:
    """Set up the camera, and count with as little as possible."""
    camera = BareCamera(prefix)
    from epics import caput

    for record, value in (
        ("AcquireTime", EXPOSURE),
        ("AcquirePeriod", PERIOD),
        ("ImageMode", "Single"),
    ):
        caput(f"{prefix}cam1:{record}", value, wait=True, timeout=10)
    return RunEngine({}), camera


class Stopwatch:
    """Note when a run was asked for, when its events came, and when it was over."""

    def __init__(self, engine: RunEngine) -> None:
        self._engine = engine
        self._events: list[float] = []
        engine.subscribe(lambda *_: self._events.append(time.perf_counter()), "event")

    def run(self, plan: Any, warm_up: int) -> dict[str, Any]:
        """Run a plan.

        Parameters
        ----------
        plan
            One run.
        warm_up
            Events at its start that don't count.

        Returns
        -------
        dict
            ``points``; seconds from event to event as ``point``; as ``stage`` what passed until
            the first event, beyond the time of its point, and as ``unstage`` what passed after
            the last: opening and closing the file and the other documents belong to these.
            Without ``unstage`` when the run failed after some points.

        Raises
        ------
        Exception
            The run failed before there were enough points to tell.
        """
        self._events.clear()
        start = time.perf_counter()
        error = None
        try:
            self._engine(plan)
        except Exception as failure:
            # a run of one of them fails now and then; its points until then count
            print(f"after {len(self._events)} points: {failure!r}", file=sys.stderr)
            error = failure
        end = time.perf_counter()
        events = self._events
        if len(events) < 3 * warm_up:
            if error is not None:
                raise error
            raise RuntimeError(f"only {len(events)} events came")
        point = (events[-1] - events[warm_up]) / (len(events) - 1 - warm_up)
        result = {"points": len(events), "point": point, "stage": events[0] - start - point}
        return result if error is not None else result | {"unstage": end - events[-1]}


def main() -> None:
    """Parse the options, count, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contestant", choices=("adsupport", "bare", "apstools", "ophyd_async"))
    parser.add_argument("prefix")
    parser.add_argument("directory", help="with a slash at its end")
    parser.add_argument("--points", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    make = {
        "adsupport": adsupport,
        "bare": bare,
        "apstools": apstools,
        "ophyd_async": ophyd_async,
    }
    engine, detector = make[options.contestant](options.prefix, options.directory, options.points)
    watch = Stopwatch(engine)
    results: list[dict[str, Any]] = []
    whole = failures = 0
    tried = 0
    while whole < options.runs:
        tried += 1
        plan = bp.count([detector], num=options.points)
        try:
            result = watch.run(plan, warm_up=options.points // 10)
        except Exception as error:
            print(f"run {tried}: {error!r}", file=sys.stderr)
            failures += 1
        else:
            results.append(result)
            whole += "unstage" in result
            failures += "unstage" not in result
        # each time, for whoever doesn't wait for the end
        print(json.dumps({"runs": results, "tried": tried, "failures": failures}), flush=True)
        if failures > _MOST_FAILURES:
            break


if __name__ == "__main__":
    main()
