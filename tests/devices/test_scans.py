"""Any plan after prepare_count: the right number of frames at every point, readable."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import bluesky.plans as bp
import h5py
import numpy as np
import pytest
from bluesky import RunEngine
from ophyd.sim import SynAxis

from adsupport.devices import AD_full_file_name_local
from adsupport.plans import prepare_count

FRAMES = 5


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

    det.cam.size.size_x.set(48, timeout=5).wait()
    det.cam.size.size_y.set(32, timeout=5).wait()
    ensure_AD_plugin_primed(det.hdf1, True)
    return det


def _count(det: Any) -> Any:
    return bp.count([det], num=3)


def _scan(det: Any) -> Any:
    return bp.scan([det], SynAxis(name="m1"), -1, 1, 4)


def _grid_scan(det: Any) -> Any:
    return bp.grid_scan([det], SynAxis(name="m1"), 0, 1, 2, SynAxis(name="m2"), 0, 1, 3)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("plan", "points"), [(_count, 3), (_scan, 4), (_grid_scan, 6)])
def test_every_point_has_its_frames_in_the_catalog(
    engine: RunEngine, catalog: Any, small: Any, plan: Callable[[Any], Any], points: int
) -> None:
    engine(prepare_count(small.hdf1, "run", 0.001, 0.002, FRAMES))
    (uid,) = engine(plan(small))
    image = catalog[uid].primary.read()["det_image"]
    assert image.shape == (points, FRAMES, 32, 48)
    assert small.hdf1.num_captured.get() == points * FRAMES
    with h5py.File(AD_full_file_name_local(small.hdf1)) as file:
        data = file["entry/data/data"][()]
        ids = file["entry/instrument/NDAttributes/NDArrayUniqueId"][()]
    np.testing.assert_array_equal(image.values.reshape(data.shape), data)
    assert list(np.diff(ids)) == [1] * (points * FRAMES - 1)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_many_runs_after_one_preparation(engine: RunEngine, catalog: Any, small: Any) -> None:
    engine(prepare_count(small.hdf1, "run", 0.001, 0.002, FRAMES))
    names = []
    for _ in range(3):
        (uid,) = engine(bp.count([small]))
        names.append(AD_full_file_name_local(small.hdf1).name)
        assert catalog[uid].primary.read()["det_image"].shape == (1, FRAMES, 32, 48)
    assert names == ["run_0000.h5", "run_0001.h5", "run_0002.h5"]
