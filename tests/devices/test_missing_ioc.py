"""A missing IOC or a wrong prefix: an error within seconds that says what to do."""

from __future__ import annotations

import pathlib
import time
from collections.abc import Callable
from typing import Any

import bluesky.plans as bp
import pytest

from adsupport.devices import AD_EpicsFileNameHDF5Plugin, ad_creator, ensure_AD_plugin_primed
from adsupport.errors import ConnectionTimeoutError
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
    ],
    ids=["count", "prepare", "prime", "ensure"],
)
def test_every_use_names_a_process_variable_and_a_remedy(
    engine: Any, lost: Any, use: Callable[[Any, Any], Any]
) -> None:
    begun = time.monotonic()
    with pytest.raises(ConnectionTimeoutError, match=r"nobody:(cam1|HDF1):\w+.*EPICS_CA_ADDR_LIST"):
        use(engine, lost)
    assert time.monotonic() - begun < 5
