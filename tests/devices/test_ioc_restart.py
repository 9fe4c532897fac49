"""An IOC that goes away and comes back: errors that say so, and a detector that works again."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import bluesky.plans as bp
import pytest
from bluesky.utils import FailedStatus

from adsupport.devices import (
    AD_full_file_name_local,
    AD_plugin_primed,
    ad_creator,
    ensure_AD_plugin_primed,
)
from adsupport.devices.signals.reading import wait_for
from adsupport.errors import ConnectionTimeoutError, UnprimedError
from adsupport.plans import prepare_count

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def _await_return(det: Any) -> None:
    """Wait until all channels are there again: CA searches more and more seldom."""
    det.wait_for_connection(timeout=60)
    assert wait_for(lambda: det.cam.acquire.connected and det.hdf1.capture.connected, 60)


def test_after_a_restart_the_plugin_is_unprimed_and_the_same_detector_goes_on(
    fresh_adsim: Any, make_detector: Any, engine: Any
) -> None:
    det = make_detector(fresh_adsim)
    ensure_AD_plugin_primed(det.hdf1, True)
    engine(prepare_count(det.hdf1, "before", 0.001, 0.002, 2))
    engine(bp.count([det]))
    fresh_adsim.restart()
    _await_return(det)
    assert not AD_plugin_primed(det.hdf1)
    engine(prepare_count(det.hdf1, "after", 0.001, 0.002, 2))
    with pytest.raises(UnprimedError):
        engine(bp.count([det]))
    ensure_AD_plugin_primed(det.hdf1, True)
    engine(bp.count([det], num=2))
    assert AD_full_file_name_local(det.hdf1).name.startswith("after_")
    assert det.hdf1.num_captured.get() == 4


def test_a_new_detector_on_an_ioc_that_is_gone_hears_that_it_was_there(
    fresh_adsim: Any, make_detector: Any
) -> None:
    make_detector(fresh_adsim)
    fresh_adsim.stop()
    new = ad_creator(fresh_adsim.prefix, name="new", plugins=["cam", "image"])
    with pytest.raises(ConnectionTimeoutError, match="was connected before") as caught:
        new.wait_for_connection(timeout=0.5)
    assert "Is the IOC running?" in str(caught.value)
    assert "wrong class" not in str(caught.value)
    fresh_adsim.start()
    new.wait_for_connection(timeout=60)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_after_a_restart_a_lazy_plugin_needs_no_priming_and_describes_what_it_writes(
    fresh_adsim: Any, make_detector: Any, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import databroker

    catalog = databroker.temp().v2
    engine.subscribe(catalog.v1.insert)
    # the stream is described before the first trigger, when the plugin has had no array
    monkeypatch.setenv("BLUESKY_PREDECLARE", "1")
    det = make_detector(fresh_adsim)
    det.hdf1.stage_sigs["lazy_open"] = "Yes"
    det.hdf1.stage_sigs.move_to_end("capture")
    for name, rows in {"before": 32, "after": 24}.items():
        det.cam.size.size_y.set(rows, timeout=5).wait()
        engine(prepare_count(det.hdf1, name, 0.001, 0.002, 2))
        (uid,) = engine(bp.count([det], num=2))
        assert catalog[uid].primary.read()["det_image"].shape == (2, 2, rows, 1024)
        key = catalog[uid].primary.metadata["descriptors"][0]["data_keys"]["det_image"]
        assert (key["shape"], key["dtype_numpy"]) == ([2, rows, 1024], "|u1")
        if name == "before":
            fresh_adsim.restart()
            _await_return(det)


def test_an_ioc_lost_during_an_acquisition_is_an_error_and_the_next_run_works(
    fresh_adsim: Any, make_detector: Any, engine: Any
) -> None:
    det = make_detector(fresh_adsim)
    ensure_AD_plugin_primed(det.hdf1, True)
    engine(prepare_count(det.hdf1, "lost", 20.0, 20.0))
    det.acquire_allowance = 1.0
    threading.Timer(1.0, fresh_adsim.stop).start()
    begun = time.monotonic()
    with pytest.raises((FailedStatus, TimeoutError, OSError)):
        engine(bp.count([det]))
    assert time.monotonic() - begun < 90
    fresh_adsim.start()
    _await_return(det)
    ensure_AD_plugin_primed(det.hdf1, True)
    engine(prepare_count(det.hdf1, "found", 0.001, 0.002, 3))
    engine(bp.count([det]))
    assert det.hdf1.num_captured.get() == 3


def test_an_ioc_killed_during_an_acquisition_is_said_soon_and_nothing_stays_staged(
    fresh_adsim: Any, make_detector: Any, engine: Any, caplog: pytest.LogCaptureFixture
) -> None:
    det = make_detector(fresh_adsim)
    ensure_AD_plugin_primed(det.hdf1, True)
    engine(prepare_count(det.hdf1, "killed", 0.01, 0.02, 500))
    killer = threading.Timer(1.0, os.kill, (fresh_adsim.pid, signal.SIGKILL))
    killer.start()
    begun = time.monotonic()
    with pytest.raises(ConnectionTimeoutError, match=r":\w+ .*EPICS_CA_ADDR_LIST"):
        engine(bp.count([det]))
    # two devices have a look for the connection, and no setting waits for its own
    assert time.monotonic() - begun < 10
    # one line for each device with settings that wait for the IOC, not one for each setting
    assert len([each for each in caplog.records if each.name.startswith("adsupport")]) <= 4
    killer.join()
    fresh_adsim.stop()
    fresh_adsim.start()
    _await_return(det)
    ensure_AD_plugin_primed(det.hdf1, True)
    engine(prepare_count(det.hdf1, "again", 0.001, 0.002, 3))
    engine(bp.count([det]))
    assert det.hdf1.num_captured.get() == 3
