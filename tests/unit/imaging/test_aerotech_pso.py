"""Aerotech PSO: golden command sequences, and which pulses fall into the window."""

from __future__ import annotations

import dataclasses

import bluesky.plan_stubs as bps
import pytest
from bluesky import RunEngine
from hypothesis import given
from hypothesis import strategies as st
from ophyd import Signal
from ophyd.sim import SynAxis

from adsupport.errors import ConfigurationError
from adsupport.imaging.motion.aerotech_pso import (
    AerotechController,
    AerotechPSO,
    arm_commands,
    disarm_commands,
    program_commands,
)
from adsupport.imaging.motion.position_compare import with_position_compare
from adsupport.imaging.motion.window import StageMotion, constant_speed_window

PSO = AerotechPSO(axis="X", counts_per_unit=10_000, encoder_input=3)


def window_of(pso=PSO, step=0.12, frames=1500, first=0.0, period=0.02):
    return constant_speed_window(
        first, step, frames, period, StageMotion(0.5, resolution=pso.resolution)
    )


def test_ensemble_upwards():
    assert program_commands(PSO, window_of()) == (
        "PSOCONTROL X RESET",
        "PSOOUTPUT X CONTROL 1",
        "PSOPULSE X TIME 20.000000,20.000000",
        "PSOOUTPUT X PULSE WINDOW MASK",
        "PSOTRACK X INPUT 3",
        "PSODISTANCE X FIXED 1200",
        "PSOWINDOW X 1 INPUT 3",
        "PSOWINDOW X 1 RANGE -605,1799405",
    )
    assert arm_commands(PSO) == ("PSOCONTROL X ARM",)
    assert disarm_commands(PSO) == ("PSOWINDOW X OFF", "PSOCONTROL X OFF")


def test_a3200_downwards():
    pso = AerotechPSO("@1", 10_000, 2, model="A3200", pulse_width=12.5)
    window = window_of(pso, step=-0.12, first=180)
    assert program_commands(pso, window) == (
        "PSOCONTROL @1 RESET",
        "PSOOUTPUT @1 CONTROL 0 1",
        "PSOPULSE @1 TIME 12.500000,12.500000",
        "PSOOUTPUT @1 PULSE WINDOW MASK",
        "PSOTRACK @1 INPUT 2",
        "PSODISTANCE @1 FIXED 1200",
        "PSOWINDOW @1 1 INPUT 2",
        "PSOWINDOW @1 1 RANGE -1799405,605",
    )
    assert disarm_commands(pso) == ("PSOWINDOW @1 1 OFF", "PSOCONTROL @1 OFF")
    assert (window.start, window.end) == (pytest.approx(181.56), pytest.approx(-1.56))


@pytest.mark.parametrize(
    ("step", "counts", "direction", "sense"),
    [
        (1, 1, 1, 1),
        (-1, 1, 1, -1),
        (1, -1, 1, -1),
        (1, 1, -1, -1),
        (-1, -1, 1, 1),
        (-1, -1, -1, -1),
    ],
)
def test_sense(step, counts, direction, sense):
    pso = AerotechPSO("X", 1000 * counts, 3, motor_direction=direction)
    window = window_of(pso, step=0.1 * step, frames=10)
    assert pso.sense(window) == sense
    expected = "RANGE -55,955" if sense > 0 else "RANGE -955,55"
    assert program_commands(pso, window)[-1].endswith(expected)


@given(
    counts=st.integers(2, 5000),
    frames=st.integers(1, 4000),
    direction=st.sampled_from([1, -1]),
    encoder=st.sampled_from([1, -1]),
)
def test_the_frames_pulses_and_no_other_are_in_the_window(counts, frames, direction, encoder):
    pso = AerotechPSO("X", 1000 * encoder, 3)
    window = window_of(pso, step=direction * counts / 1000, frames=frames, period=1)
    *_, distance, _, last = program_commands(pso, window)
    assert distance == f"PSODISTANCE X FIXED {counts}"
    low, high = (int(each) for each in last.rsplit(" ", 1)[1].split(","))
    sense = pso.sense(window)
    inside = [k for k in range(-3, frames + 3) if low <= sense * k * counts <= high]
    assert inside == list(range(frames))


def test_steps_that_arent_whole_counts():
    window = constant_speed_window(0, 0.12345, 10, 1, StageMotion(0.5))
    with pytest.raises(ConfigurationError, match=r"1234\.5000 encoder counts of X") as caught:
        program_commands(PSO, window)
    assert "resolution=pso.resolution" in caught.value.remedy


def test_steps_of_a_single_count():
    with pytest.raises(ConfigurationError, match="at least 2 are needed"):
        program_commands(PSO, window_of(step=0.0001))


def test_pulse_longer_than_a_frame():
    pso = dataclasses.replace(PSO, pulse_width=20_000)
    with pytest.raises(ConfigurationError, match="pulse of 20000 us"):
        program_commands(pso, window_of())


@pytest.mark.parametrize(
    "wrong",
    [
        {"axis": "X\nPSOCONTROL Y ARM"},
        {"axis": ""},
        {"axis": "X Y"},
        {"counts_per_unit": 0},
        {"encoder_input": -1},
        {"model": "XC4"},
        {"pulse_width": 0},
        {"motor_direction": 0},
    ],
)
def test_settings_that_cant_be(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        dataclasses.replace(PSO, **wrong)


def test_commands_are_sent_in_order_where_the_motor_must_be():
    command, motor, seen = Signal(name="command", value=""), SynAxis(name="rot"), []
    command.subscribe(lambda value, **_: seen.append((value, motor.position)), run=False)
    window = window_of(first=30.0)
    controller = AerotechController(PSO, command)
    RE = RunEngine({})
    RE(with_position_compare(lambda: bps.mv(motor, window.end), controller, motor, window))
    sent = [*program_commands(PSO, window), *arm_commands(PSO)]
    assert seen == [(each, 30.0) for each in sent] + [
        (each, window.end) for each in disarm_commands(PSO)
    ]


def test_nothing_is_sent_or_moved_when_it_cant_be():
    command, motor = Signal(name="command", value="as before"), SynAxis(name="rot")
    window = constant_speed_window(1, 0.12345, 10, 1, StageMotion(0.5))
    with pytest.raises(ConfigurationError):
        RunEngine({})(
            with_position_compare(bps.null, AerotechController(PSO, command), motor, window)
        )
    assert (command.get(), motor.position) == ("as before", 0)
