"""A user's scan of the beamline: devices of ophyd, a plan of bluesky, angles out of the file."""

from __future__ import annotations

import bluesky.plan_stubs as bps
import bluesky.plans as bp
import h5py
import numpy as np
import pytest
from bluesky import RunEngine
from ophyd import EpicsMotor, EpicsSignal, EpicsSignalRO

from adsupport.devices import (
    AD_EpicsFileNameHDF5Plugin,
    AD_full_file_name_local,
    ad_creator,
    ensure_AD_plugin_primed,
)
from adsupport.plans import prepare_count

ANGLES = (-60.0, 120.0, 7)
BEADS = ((1.76, 0.0), (1.94, 120.0), (2.12, 240.0))
"""Height above the middle (mm) and azimuth (degrees) of the beads above the head."""


@pytest.fixture
def own(adsupport_ioc_factory, caput):
    """A beamline whose PVs nobody has read: ophyd may miss the first event of those known."""
    with adsupport_ioc_factory("imaging_beamline") as ioc:
        caput(f"{ioc.prefix}tube:On", 1)
        yield ioc


@pytest.fixture
def detector(own, tmp_path):
    """The camera with its file plugin, as users create it."""
    hdf1 = {
        "class": AD_EpicsFileNameHDF5Plugin,
        "write_path_template": f"{tmp_path}/",
        "read_path_template": f"{tmp_path}/",
    }
    made = ad_creator(own.prefix, name="det", plugins=["cam", "image", {"hdf1": hdf1}])
    made.wait_for_connection(timeout=30)
    ensure_AD_plugin_primed(made.hdf1, True)
    yield made
    made.unstage()
    made.stop(success=True)


def bead_place(frame: np.ndarray, dark: np.ndarray, flat: np.ndarray, height: float) -> float:
    """Return where the bead at a height is, in mm from the middle of the image."""
    shadow = -np.log(np.clip((frame - dark) / (flat - dark), 1e-3, None))
    row = 255.5 - height / 0.01
    band = shadow[int(row) - 8 : int(row) + 10].sum(0)
    band = np.where(band > 0.3 * band.max(), band, 0)
    return float(band @ (np.arange(512) - 255.5) * 0.01 / band.sum())


def test_angles_of_a_scan_are_in_the_pixels(own, detector):
    rotation = EpicsMotor(f"{own.prefix}m1", name="rotation")
    stage = EpicsMotor(f"{own.prefix}m5", name="stage")
    shutter = EpicsSignal(f"{own.prefix}shutter:Control", name="shutter", put_complete=True)
    state = EpicsSignalRO(f"{own.prefix}shutter:Status_RBV", string=True, name="state")
    for device in (rotation, stage, shutter, state):
        device.wait_for_connection(timeout=30)
    engine, documents = RunEngine({}), []
    engine.subscribe(lambda name, document: documents.append((name, document)))
    files = []

    def tomography():
        for name, position, opened in (("flat", 6.0, 1), ("dark", 0.0, 0), ("projection", 0.0, 1)):
            yield from bps.mv(stage, position, shutter, opened)
            yield from prepare_count(detector.hdf1, name, 0.05, 0.06, n_images=1)
            if name == "projection":
                yield from bp.scan([detector, state], rotation, *ANGLES)
            else:
                yield from bp.count([detector, state], num=1)
            files.append(AD_full_file_name_local(detector.hdf1))

    engine(tomography())
    assert [document["exit_status"] for kind, document in documents if kind == "stop"] == [
        "success"
    ] * 3
    events = [document["data"] for kind, document in documents if kind == "event"]
    assert [event["state"] for event in events] == ["Open", "Closed"] + ["Open"] * 7
    images = []
    for file in files:
        with h5py.File(file) as h5:
            images.append(h5["entry/data/data"][()].astype(float))
    (flat,), (dark,), projections = images
    assert len(projections) == 7
    for event, frame in zip(events[2:], projections, strict=True):
        told = np.radians(event["rotation"])
        for height, turn in BEADS:
            # the beads run on a circle of 1 mm around the axis
            expected = np.cos(told - np.radians(turn))
            assert bead_place(frame, dark, flat, height) == pytest.approx(expected, abs=0.01)
