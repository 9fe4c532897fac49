"""Settings of a motor record over Channel Access, as recorded from a running motor IOC."""

from __future__ import annotations

import epics
import pytest
from caproto.threading.client import Context

TIMEOUT = 30.0


def test_velocities_keep_to_their_limits(motor, caput, caget):
    caput(f"{motor}.VELO", 0.01)
    assert caget(f"{motor}.VELO") == 0.1
    caput(f"{motor}.VELO", 10)
    assert caget(f"{motor}.S") == 5.0
    caput(f"{motor}.VMAX", 2)
    assert caget(f"{motor}.VELO") == 2.0
    caput(f"{motor}.VELO", 7)
    assert caget(f"{motor}.VELO") == 2.0
    caput(f"{motor}.S", 0.25)
    assert caget(f"{motor}.VELO") == 0.5
    assert caget(f"{motor}.SMAX") == 1.0
    caput(f"{motor}.ACCL", 0)
    assert caget(f"{motor}.ACCL") == 0.1
    limits = epics.PV(f"{motor}.VELO").get_ctrlvars(timeout=TIMEOUT)
    assert (limits["lower_ctrl_limit"], limits["upper_ctrl_limit"]) == (0.1, 2.0)


def test_set_changes_the_offset_and_the_limits(motor, caput, caget):
    caput(f"{motor}.SET", 1)
    caput(f"{motor}.VAL", 10)
    expected = {"VAL": 10, "RBV": 10, "DVAL": 0, "DRBV": 0, "OFF": 10, "HLM": 110, "LLM": -90}
    assert {field: caget(f"{motor}.{field}") for field in expected} == expected
    assert caget(f"{motor}.DHLM") == 100
    assert caget("gp:m3Offset") == 10
    caput(f"{motor}.VAL", 0)
    caput(f"{motor}.SET", 0)
    assert caget(f"{motor}.HLM") == 100


def test_set_with_frozen_offset_loads_the_position(motor, caput, caget):
    caput(f"{motor}.FOFF", 1)
    caput(f"{motor}.SET", 1)
    caput(f"{motor}.VAL", 3)
    expected = {"VAL": 3, "RBV": 3, "DVAL": 3, "DRBV": 3, "OFF": 0, "RRBV": 300, "DMOV": 1}
    assert {field: caget(f"{motor}.{field}") for field in expected} == expected
    caput(f"{motor}.VAL", 0)
    assert caget(f"{motor}.RRBV") == 0


def test_direction_turns_user_coordinates(motor, caput, caget):
    caput(f"{motor}.VAL", 0.5)
    caput(f"{motor}.DIR", 1)
    assert caget(f"{motor}.RBV") == 0.5  # the offset keeps the user's position
    assert caget(f"{motor}.OFF") == 1.0
    assert (caget(f"{motor}.HLM"), caget(f"{motor}.LLM")) == (101.0, -99.0)
    assert caget("gp:m3Direction") == 1
    caput(f"{motor}.VAL", 0.4)
    assert caget(f"{motor}.DRBV") == pytest.approx(0.6)
    caput(f"{motor}.HLM", 50)
    assert caget(f"{motor}.DLLM") == -49.0
    caput(f"{motor}.HLM", 101)


def test_limits_move_the_control_limits(motor, caput, caget):
    caput(f"{motor}.HLM", 50)
    assert caget(f"{motor}.DHLM") == 50
    limits = epics.PV(f"{motor}.VAL").get_ctrlvars(timeout=TIMEOUT)
    assert (limits["upper_ctrl_limit"], limits["lower_ctrl_limit"]) == (50, -100)
    assert (limits["units"], limits["precision"]) == ("degrees", 5)


def test_units_and_precision_show_on_every_field(motor, caput):
    caput(f"{motor}.EGU", "mm")
    caput(f"{motor}.PREC", 3)
    for field, units in (("RBV", "mm"), ("VELO", "mm/sec"), ("ACCL", "sec")):
        shown = epics.PV(f"{motor}.{field}").get_ctrlvars(timeout=TIMEOUT)
        assert (shown["units"], shown["precision"]) == (units, 3)


def test_a_disabled_motor_refuses_writes(motor, caput, caget):
    caput("gp:m3_able", 1)
    context = Context()
    try:
        (pv,) = context.get_pvs(f"{motor}.VAL")
        pv.wait_for_connection(timeout=TIMEOUT)
        response = pv.write([2.0], wait=True, timeout=TIMEOUT)
        assert response.status.name == "ECA_PUTFAIL"
    finally:
        context.disconnect()
    assert caget(f"{motor}.VAL") == 0
    caput("gp:m3_able", 0)
    caput(f"{motor}.VAL", 0.1)
    assert caget(f"{motor}.RBV") == pytest.approx(0.1)


def test_resolution_keeps_dial_and_speed_in_turns(motor, caput, caget):
    caput(f"{motor}.VAL", 0.2)
    try:
        caput(f"{motor}.MRES", 0.001)
        assert caget(f"{motor}.RBV") == pytest.approx(0.2)
        assert caget(f"{motor}.RRBV") == 200
        assert caget(f"{motor}.UREV") == pytest.approx(0.2)
        assert caget(f"{motor}.S") == 0.5
        assert caget(f"{motor}.VELO") == pytest.approx(0.1)
        assert caget("gp:m3Resolution") == 0.001
    finally:
        caput(f"{motor}.MRES", 0.01)
        caput(f"{motor}.RDBD", 0.01)
