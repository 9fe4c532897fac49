"""A missing IOC or a wrong prefix: an error within seconds that says what to do."""

from __future__ import annotations

import os
import pathlib
import signal
import time
from collections.abc import Callable
from typing import Any

import bluesky.plans as bp
import pytest

from adsupport.adcore import Release
from adsupport.devices import (
    AD_EpicsFileNameHDF5Plugin,
    AD_full_file_name_local,
    AD_plugin_primed,
    SwaitRecord,
    UserCalcsDevice,
    ad_creator,
    ensure_AD_plugin_primed,
    setup_random_number_swait,
)
from adsupport.devices.releases.installed import installed_releases
from adsupport.errors import ConnectionTimeoutError
from adsupport.launch import IOCProcess
from adsupport.plans import prepare_count, prime_plugin


@pytest.fixture
def lost(tmp_path: pathlib.Path) -> Any:
    """A detector that no IOC serves."""
    spec = {"class": AD_EpicsFileNameHDF5Plugin, "write_path_template": tmp_path}
    return ad_creator("nobody:", name="det", plugins=["cam", "image", {"hdf1": spec}])


@pytest.mark.parametrize(
    "use",
    [
        lambda engine, det: engine(bp.count([det])),
        lambda engine, det: engine(prepare_count(det.hdf1, "x", 0.1, 0.2)),
        lambda engine, det: engine(prime_plugin(det.hdf1)),
        lambda engine, det: ensure_AD_plugin_primed(det.hdf1, True),
        lambda engine, det: AD_plugin_primed(det.hdf1),
        lambda engine, det: AD_full_file_name_local(det.hdf1),
    ],
    ids=["count", "prepare", "prime", "ensure", "primed", "file name"],
)
def test_every_use_names_a_process_variable_and_a_remedy(
    engine: Any, lost: Any, use: Callable[[Any, Any], Any]
) -> None:
    begun = time.monotonic()
    with pytest.raises(ConnectionTimeoutError, match=r"nobody:(cam1|HDF1):\w+.*EPICS_CA_ADDR_LIST"):
        use(engine, lost)
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize(
    "use",
    [
        lambda: setup_random_number_swait(SwaitRecord("nobody:userCalc1", name="calc")),
        lambda: UserCalcsDevice("nobody:", name="calcs").reset(),
    ],
    ids=["setup", "reset"],
)
def test_user_calculations_that_nobody_serves(use: Callable[[], None]) -> None:
    with pytest.raises(ConnectionTimeoutError, match=r"nobody:userCalc\S+ .*EPICS_CA_ADDR_LIST"):
        use()


def test_user_calculations_connect_together_or_are_named() -> None:
    with pytest.raises(ConnectionTimeoutError) as caught:
        UserCalcsDevice("nobody:", name="calcs").wait_for_connection(timeout=1)
    assert "nobody:userCalcEnable" in caught.value.missing
    assert "No process variable under 'nobody:' answered" in str(caught.value)


def test_an_ioc_that_hangs_is_named_when_it_is_asked_for_its_release(adsim: IOCProcess) -> None:
    """No warning of pyepics comes before: here it would be the error."""
    cam = f"{adsim.prefix}cam1:"
    installed_releases(cam)
    os.kill(adsim.pid, signal.SIGSTOP)
    try:
        with pytest.raises(ConnectionTimeoutError, match=r"ADCoreVersion_RBV didn't answer within"):
            installed_releases(cam, 0.3)
    finally:
        os.kill(adsim.pid, signal.SIGCONT)
    assert installed_releases(cam).adcore == Release(3, 14)
