"""The scan of the session "Callback": a sensor of random numbers against a motor."""

from __future__ import annotations

from types import SimpleNamespace

import databroker
import epics
import numpy as np
import pytest
from bluesky import RunEngine
from bluesky import plans as bp
from bluesky.callbacks.best_effort import BestEffortCallback
from matplotlib import pyplot as plt
from ophyd import EpicsMotor, EpicsSignalRO

from adsupport.devices import SwaitRecord, setup_random_number_swait
from adsupport.launch import IOCProcess


@pytest.fixture(scope="module")
def session(gp: IOCProcess) -> SimpleNamespace:
    IOC = gp.prefix

    # ophyd-level
    motor = EpicsMotor(f"{IOC}m10", name="motor")
    calc10 = SwaitRecord(f"{IOC}userCalc10", name="calc10")
    sensor = EpicsSignalRO(calc10.calculated_value.pvname, name="sensor")
    motor.wait_for_connection()
    sensor.wait_for_connection()

    # calc10 sets up the RNG, updating at 10Hz
    calc10.wait_for_connection()
    setup_random_number_swait(calc10)

    # bluesky-level
    best_effort_callback = BestEffortCallback()
    lines: list[str] = []
    best_effort_callback._out = lines.append
    cat = databroker.temp().v2
    RE = RunEngine({})
    RE.subscribe(cat.v1.insert)
    RE.subscribe(best_effort_callback)  # LivePlot & LiveTable

    uids = RE(bp.scan([sensor], motor, -0.5, 0.5, 5))
    axes = plt.gcf().axes
    plotted = [tuple(np.asarray(xy) for xy in line.get_data()) for line in axes[0].lines]
    plt.close("all")
    return SimpleNamespace(
        calc10=calc10, motor=motor, run=cat.v2[uids[0]], lines=lines, plotted=plotted, prefix=IOC
    )


def test_five_points_at_the_positions_asked_for(session):
    data = session.run.primary.read()
    assert data["motor"].shape == (5,)
    resolution = epics.caget(f"{session.prefix}m10.MRES")
    np.testing.assert_allclose(data["motor"], [-0.5, -0.25, 0, 0.25, 0.5], atol=resolution)
    np.testing.assert_allclose(data["motor_user_setpoint"], [-0.5, -0.25, 0, 0.25, 0.5])


def test_the_sensor_gives_a_new_random_number_at_each_point(session):
    values = session.run.primary.read()["sensor"].values
    assert len(set(values)) == 5
    assert ((values >= 0) & (values < 1)).all()


def test_the_calculation_is_set_up_in_the_ioc(session):
    record = f"{session.prefix}userCalc10"
    assert epics.caget(f"{record}.CALC") == "RNDM"
    assert epics.caget(f"{record}.SCAN", as_string=True) == ".1 second"


def test_documents_describe_motor_and_sensor(session):
    start = session.run.metadata["start"]
    assert start["plan_name"] == "scan"
    assert list(start["motors"]) == ["motor"]
    assert start["detectors"] == ["sensor"]
    keys = session.run.primary.metadata["descriptors"][0]["data_keys"]
    assert keys["motor"]["source"] == f"PV:{session.prefix}m10.RBV"
    assert keys["sensor"]["source"] == f"PV:{session.prefix}userCalc10.VAL"
    assert keys["motor"]["units"] == epics.caget(f"{session.prefix}m10.EGU")
    assert keys["sensor"]["precision"] == 5


def test_the_plot_shows_the_five_points(session):
    (x, y) = session.plotted[0]
    data = session.run.primary.read()
    np.testing.assert_allclose(np.ravel(x), data["motor"])
    np.testing.assert_allclose(np.ravel(y), data["sensor"])
