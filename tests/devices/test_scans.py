"""Any plan after prepare_count: the right number of frames at every point, readable."""

from __future__ import annotations

import pathlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import bluesky.plans as bp
import h5py
import numpy as np
import pytest
from bluesky import RunEngine
from bluesky.utils import RunEngineInterrupted
from ophyd.sim import SynAxis, SynGauss

from adsupport.devices import AD_full_file_name_local
from adsupport.plans import prepare_count

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
FRAMES = 3
SHAPE = (32, 48)


@pytest.fixture
def catalog(engine: RunEngine) -> Iterator[Any]:
    """A temporary databroker catalog that takes in all runs."""
    import databroker

    cat = databroker.temp().v2
    engine.subscribe(cat.v1.insert)
    yield cat


@pytest.fixture
def small(det: Any) -> Any:
    """The detector with small images, so that many points stay quick."""
    from adsupport.devices import ensure_AD_plugin_primed

    det.cam.size.size_x.set(SHAPE[1], timeout=5).wait()
    det.cam.size.size_y.set(SHAPE[0], timeout=5).wait()
    ensure_AD_plugin_primed(det.hdf1, True)
    return det


def _axis(name: str = "m1") -> SynAxis:
    return SynAxis(name=name)


def _adaptive(det: Any) -> Any:
    motor = _axis()
    peak = SynGauss("peak", motor, "m1", center=0, Imax=1, sigma=1)
    return bp.adaptive_scan([det, peak], "peak", motor, -2, 2, 0.4, 1.5, 0.5, True)


def _tune(det: Any) -> Any:
    motor = _axis()
    peak = SynGauss("peak", motor, "m1", center=0.3, Imax=1, sigma=1)
    return bp.tune_centroid([det, peak], "peak", motor, -2, 2, 0.4, 5)


def _several(det: Any) -> Any:
    yield from bp.count([det], num=2)
    yield from bp.scan([det], _axis(), 0, 1, 2)


#: Plan and its runs' numbers of points; None where the plan finds out.
PLANS: dict[str, tuple[Callable[[Any], Any], list[int | None]]] = {
    "count": (lambda det: bp.count([det], num=3), [3]),
    "scan": (lambda det: bp.scan([det], _axis(), -1, 1, 4), [4]),
    "rel_scan": (lambda det: bp.rel_scan([det], _axis(), -1, 1, 3), [3]),
    "grid_scan": (lambda det: bp.grid_scan([det], _axis(), 0, 1, 2, _axis("m2"), 0, 1, 3), [6]),
    "adaptive_scan": (_adaptive, [None]),
    "tune_centroid": (_tune, [None]),
    "several runs": (_several, [2, 2]),
}


@pytest.mark.parametrize("name", PLANS)
def test_every_point_has_its_frames_in_the_catalog(
    engine: RunEngine, catalog: Any, small: Any, disk: pathlib.Path, documents: Any, name: str
) -> None:
    plan, points = PLANS[name]
    engine(prepare_count(small.hdf1, "run", 0.001, 0.002, FRAMES))
    uids = engine(plan(small))
    files = sorted((disk / "ioc").rglob("*.h5"))
    assert [file.name for file in files] == [f"run_{n:04}.h5" for n in range(len(points))]
    assert len(documents.of("resource")) == len(uids) == len(points)
    for uid, expected, file in zip(uids, points, files, strict=True):
        run = catalog[uid]
        image = run.primary.read()["det_image"]
        count = run.metadata["stop"]["num_events"]["primary"]
        assert count == expected or (expected is None and count > 2)
        assert image.shape == (count, FRAMES, *SHAPE)
        assert image.dtype == np.uint8
        with h5py.File(file) as opened:
            data = opened["entry/data/data"][()]
            ids = opened["entry/instrument/NDAttributes/NDArrayUniqueId"][()]
        np.testing.assert_array_equal(image.values.reshape(data.shape), data)
        assert np.diff(ids).tolist() == [1] * (count * FRAMES - 1)
    assert small.hdf1.num_captured.get() == count * FRAMES


def test_many_runs_after_one_preparation(engine: RunEngine, catalog: Any, small: Any) -> None:
    engine(prepare_count(small.hdf1, "run", 0.001, 0.002, FRAMES))
    names = []
    for _ in range(3):
        (uid,) = engine(bp.count([small]))
        names.append(AD_full_file_name_local(small.hdf1).name)
        assert catalog[uid].primary.read()["det_image"].shape == (1, FRAMES, *SHAPE)
    assert names == ["run_0000.h5", "run_0001.h5", "run_0002.h5"]


def _pause_in(engine: RunEngine, det: Any, frame: int, *, defer: bool) -> None:
    """Ask for a pause when a frame of the run is in the file."""
    asked = threading.Event()
    begun = threading.Event()  # the count of the run before stands until then

    def captured(value: Any = None, **_: Any) -> None:
        if value is None or asked.is_set():
            return
        if int(value) < frame:
            begun.set()
        elif begun.is_set():
            asked.set()
            engine.request_pause(defer)

    det.hdf1.num_captured.subscribe(captured, run=False)


def _slow(det: Any, engine: RunEngine) -> None:
    """Prepare points that last, so that a pause can come in their midst."""
    engine(prepare_count(det.hdf1, "run", 0.04, 0.05, 10))


@pytest.mark.parametrize("defer", [True, False], ids=["deferred", "at-once"])
def test_a_run_that_pauses_and_resumes_has_whole_points(
    engine: RunEngine, catalog: Any, small: Any, documents: Any, defer: bool
) -> None:
    _slow(small, engine)
    _pause_in(engine, small, 13, defer=defer)
    with pytest.raises(RunEngineInterrupted):
        engine(bp.count([small], num=3))
    assert not small.cam.acquire.get()
    (uid,) = engine.resume()
    run = catalog[uid]
    image = run.primary.read()["det_image"]
    assert image.shape == (3, 10, *SHAPE)
    # at once: the torn point stays in the first file, and is taken again into a second one
    assert len(documents.of("resource")) == (1 if defer else 2)
    for point in image.values:
        assert np.diff(point[:, 5, 5]).tolist() == [1] * 9  # bytes wrap around as the ramp does
    assert small.hdf1.capture.get() == 0


@pytest.mark.parametrize("ending", ["abort", "stop", "halt"])
def test_a_run_that_is_given_up_keeps_its_points_and_the_next_one_works(
    engine: RunEngine, catalog: Any, small: Any, unchanged: Any, ending: str
) -> None:
    _slow(small, engine)
    _pause_in(engine, small, 13, defer=False)
    with unchanged(small):
        with pytest.raises(RunEngineInterrupted):
            engine(bp.count([small], num=3))
        getattr(engine, ending)()
        if ending == "halt":  # which means: without any plan's cleaning up
            small.unstage()
    assert catalog[-1].primary.read()["det_image"].shape == (1, 10, *SHAPE)
    engine(prepare_count(small.hdf1, "next", 0.001, 0.002, 2))
    (uid,) = engine(bp.count([small], num=2))
    assert catalog[uid].primary.read()["det_image"].shape == (2, 2, *SHAPE)
