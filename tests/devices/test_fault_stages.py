"""Every fault at every stage of a run: an error with a name in bounded time, or complete data."""

from __future__ import annotations

import pathlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import bluesky.plans as bp
import h5py
import pytest
from bluesky.utils import FailedStatus

from adsupport.devices import ensure_AD_plugin_primed
from adsupport.errors import AdsupportError
from adsupport.launch import IOCProcess
from adsupport.plans import prepare_count

from .fault_stages import FAULTS, STAGES, striking

POINTS, FRAMES = 3, 4
#: In seconds; the longest limits that are waited for one after the other.
LONGEST = 30.0

_QUICK = {("frames dropped", "between points")}
CASES = [
    pytest.param(fault, stage, marks=() if (fault, stage) in _QUICK else pytest.mark.slow)
    for stage in STAGES
    for fault in FAULTS
]


@pytest.mark.parametrize(("fault", "stage"), CASES)
def test_a_fault_is_named_or_nothing_is_lost(
    adsim: IOCProcess,
    engine: Any,
    documents: Any,
    det: Any,
    disk: pathlib.Path,
    unchanged: Any,
    fault: str,
    stage: str,
) -> None:
    det.acquire_allowance = 1.0
    engine(prepare_count(det.hdf1, "fault", 0.02, 0.025, FRAMES))
    failed = False
    with unchanged(det), ended_then_unstaged(det), striking(adsim, det, fault, stage) as strike:
        token = engine.subscribe(strike)
        begun = time.monotonic()
        try:
            engine(bp.count([det], num=POINTS))
        except (AdsupportError, FailedStatus) as error:
            cause = error.__cause__ if isinstance(error, FailedStatus) else error
            assert isinstance(cause, AdsupportError), repr(error)
            assert str(cause)
            failed = True
        assert time.monotonic() - begun < LONGEST
        engine.unsubscribe(token)
    if not failed:
        check_complete(documents)
    ensure_AD_plugin_primed(det.hdf1, True)
    engine(prepare_count(det.hdf1, "after", 0.001, 0.002, 1))
    engine(bp.count([det]))
    assert det.hdf1.num_captured.get(use_monitor=False) == 1
    named = {pathlib.Path(d["root"], d["resource_path"]).name for d in documents.of("resource")}
    # of a run that failed at its first point bluesky emits no documents of the file
    known = named | {"fault_0000.h5"}
    assert {path.name for path in disk.rglob("*.h5")} <= known, "a file that nobody asked for"


@contextmanager
def ended_then_unstaged(det: Any) -> Iterator[None]:
    """Unstage once more when the fault has ended, as the message about a stuck plugin advises."""
    yield
    det.unstage()


def check_complete(documents: Any) -> None:
    (resource,) = documents.of("resource")
    assert [stop["exit_status"] for stop in documents.of("stop")] == ["success"]
    assert len(documents.of("event")) == POINTS
    with h5py.File(pathlib.Path(resource["root"], resource["resource_path"])) as file:
        assert file["/entry/data/data"].shape[0] == POINTS * FRAMES
        ids = list(file["/entry/instrument/NDAttributes/NDArrayUniqueId"][()])
    assert ids == list(range(ids[0], ids[0] + POINTS * FRAMES))
