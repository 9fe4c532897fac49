"""What a bluesky user sees of the faults of an IOC: a clear error soon, and a detector that is
as before; or nothing at all, where the devices have to stand a fault."""

from __future__ import annotations

import time
from typing import Any

import bluesky.plans as bp
import pytest
from bluesky.utils import FailedStatus

from adsupport.devices import ensure_AD_plugin_primed
from adsupport.devices.signals.reading import wait_for
from adsupport.errors import (
    AcquireTimeoutError,
    AdsupportError,
    DroppedFramesError,
    FileWriteError,
    FrameCountError,
)
from adsupport.launch import IOCProcess
from adsupport.plans import prepare_count

FRAMES = 5

FAILING: dict[str, tuple[tuple[Any, ...], type[AdsupportError], str]] = {
    "disk full": (("disk-full", "HDF1", {"after": 2}), FileWriteError, "Error writing file"),
    "directory lost": (
        ("directory-vanishes", "HDF1", {"how": "pretend"}),
        FileWriteError,
        "doesn't exist on the IOC",
    ),
    "not permitted": (("permission-lost", "HDF1", {}), FileWriteError, "Error opening file"),
    "permission lost": (
        ("permission-lost", "HDF1", {"at": "write", "after": 3}),
        FileWriteError,
        "Error writing file",
    ),
    "plugin stuck": (("slow-plugin", "HDF1", {}), AcquireTimeoutError, "hdf1 has had 0 of 5"),
    "frames dropped": (
        ("queue-overflow", "HDF1", {"after": 1, "count": 2}),
        DroppedFramesError,
        "2 of 5 frames were dropped",
    ),
    "camera stalled": (
        ("camera-stalls", "cam1", {"after": 3}),
        AcquireTimeoutError,
        "NumImagesCounter 3",
    ),
    "camera stopped": (
        ("camera-stops-early", "cam1", {"frames": 3}),
        FrameCountError,
        "took 3 frames, expected 5",
    ),
    "other size": (("wrong-size", "cam1", {"after": 2}), FileWriteError, "Invalid frame"),
    "other size for a while": (
        ("wrong-size", "cam1", {"after": 2, "frames": 2}),
        FrameCountError,
        "2 frames reached it and were refused, as WriteMessage 'Invalid frame. Ignoring.'",
    ),
}

STOOD = {
    "directory gone, which CreateDirectory makes anew": (
        "directory-vanishes",
        "HDF1",
        {"how": "rename"},
    ),
    "slow disk": ("slow-disk", "HDF1", {"seconds": 0.1}),
    "slow viewer": ("slow-plugin", "image1", {"seconds": 0.1}),
    "frames that a viewer drops": ("queue-overflow", "image1", {"count": 3}),
    "lost monitors of the camera": ("drop-monitors", "cam1:*", {}),
    "lost monitors of the writer": ("drop-monitors", "HDF1:*", {}),
    "every second monitor lost": ("drop-monitors", "*", {"every": 2}),
    "late completion": ("delay-completion", "cam1:Acquire", {"seconds": 0.5}),
    "slow network": ("latency", None, {"seconds": 0.02, "jitter": 0.01}),
}


@pytest.fixture
def prepared(det: Any, engine: Any) -> Any:
    """A detector that is ready for five frames, and gives up early."""
    det.acquire_allowance = 1.0
    engine(prepare_count(det.hdf1, "fault", 0.001, 0.005, FRAMES))
    return det


def begin(ioc: IOCProcess, fault: tuple[Any, ...]) -> Any:
    name, target, parameters = fault
    return ioc.fault(name, target, **parameters)


def let_plugins_finish(det: Any) -> None:
    """Wait for frames that were in a queue when the run ended; a plugin still takes them."""
    assert wait_for(lambda: not det.cam.num_queued_arrays.get(use_monitor=False), 20)


# It differs from the plugin that is stuck in the name alone, and takes its time as well.
VIEWER_STUCK = pytest.param(
    ("slow-plugin", "image1", {}),
    AcquireTimeoutError,
    "image has had 0 of 5",
    id="viewer stuck",
    marks=pytest.mark.slow,
)


@pytest.mark.parametrize(
    ("fault", "kind", "message"),
    [*(pytest.param(*case, id=name) for name, case in FAILING.items()), VIEWER_STUCK],
)
def test_a_fault_fails_the_run_and_the_next_one_works(
    adsim: IOCProcess,
    engine: Any,
    prepared: Any,
    unchanged: Any,
    fault: tuple[Any, ...],
    kind: type[AdsupportError],
    message: str,
) -> None:
    with unchanged(prepared):
        with begin(adsim, fault):
            begun = time.monotonic()
            with pytest.raises((FailedStatus, AdsupportError)) as caught:
                engine(bp.count([prepared]))
            assert time.monotonic() - begun < 20
        error = caught.value
        let_plugins_finish(prepared)
        prepared.unstage()  # puts back what would have let a late plugin write files
        cause = error.__cause__ if isinstance(error, FailedStatus) else error
        assert isinstance(cause, kind), repr(cause)
        assert message in str(cause)
    ensure_AD_plugin_primed(prepared.hdf1, True)
    engine(bp.count([prepared]))
    assert prepared.hdf1.num_captured.get() == FRAMES


@pytest.mark.parametrize("fault", STOOD.values(), ids=STOOD)
def test_a_fault_that_loses_no_frame_fails_nothing(
    adsim: IOCProcess, engine: Any, prepared: Any, unchanged: Any, fault: tuple[Any, ...]
) -> None:
    with unchanged(prepared), begin(adsim, fault):
        begun = time.monotonic()
        engine(bp.count([prepared], num=2))
        assert time.monotonic() - begun < 20
    assert prepared.hdf1.num_captured.get(use_monitor=False) == 2 * FRAMES
