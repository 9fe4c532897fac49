"""A tomography plan in a RunEngine, with a detector that writes a file for each frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import bluesky.plan_stubs as bps
import h5py
import numpy as np
import pytest
from bluesky import RunEngine
from bluesky.preprocessors import run_decorator, stage_decorator
from ophyd.sim import SynAxis, SynSignalWithRegistry

from adsupport.callbacks.dataexchange import DataExchangeWriter

from ..tomography.made import frame, numbers


@pytest.fixture
def detector(tmp_path) -> Iterator[Any]:
    count = iter(range(-1, 1000))  # one is taken when it's made
    yield SynSignalWithRegistry(
        func=lambda: frame(max(0, next(count))),
        name="camera",
        save_path=str(tmp_path),
        labels={"det"},
    )


def tomography(detector, rotation, flats, angles, fail_after=None):
    @stage_decorator([detector])
    @run_decorator(md={"sample": "rock", "motors": ["rotation"]})
    def plan():
        yield from bps.mv(rotation, 0)
        for _ in range(flats):
            yield from bps.trigger_and_read([detector, rotation], name="flats")
        for number, angle in enumerate(angles):
            if number == fail_after:
                raise RuntimeError("no beam")
            yield from bps.mv(rotation, angle)
            yield from bps.trigger_and_read([detector, rotation], name="primary")

    return plan()


def test_a_run_becomes_a_file_as_it_ends(tmp_path, detector):
    rotation, RE = SynAxis(name="rotation"), RunEngine()
    writer = DataExchangeWriter(tmp_path / "dx", theta="rotation")
    RE.subscribe(writer.receiver)
    RE(tomography(detector, rotation, 2, [0, 45, 90, 135]))
    (result,) = writer.wait_writer(timeout=20)
    with h5py.File(result.paths[0]) as file:
        assert numbers(file["exchange/data_white"][()]) == [0, 1]  # type: ignore[index]
        assert numbers(file["exchange/data"][()]) == [2, 3, 4, 5]  # type: ignore[index]
        theta: Any = file["exchange/theta"]
        np.testing.assert_array_equal(theta, [0, 45, 90, 135])
        assert file["measurement/sample/name"].asstr()[()] == "rock"  # type: ignore[union-attr]
    assert any("no darks" in text for text in result.remarks)


def test_a_plan_that_fails_leaves_what_was_taken(tmp_path, detector):
    rotation, RE = SynAxis(name="rotation"), RunEngine()
    writer = DataExchangeWriter(tmp_path / "dx")
    RE.subscribe(writer.receiver)
    with pytest.raises(RuntimeError, match="no beam"):
        RE(tomography(detector, rotation, 1, [0, 45, 90], fail_after=2))
    (result,) = writer.wait_writer(timeout=20)
    with h5py.File(result.paths[0]) as file:
        assert file.attrs["exit_status"] == "fail"
        assert numbers(file["exchange/data"][()]) == [1, 2]  # type: ignore[index]
        np.testing.assert_array_equal(file["exchange/theta"], [0, 45])  # type: ignore[arg-type]
