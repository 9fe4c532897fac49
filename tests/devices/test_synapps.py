"""swait records and user calculations against the simulated IOC."""

import math
import threading

import epics
import pytest
from ophyd import EpicsMotor, EpicsSignalRO

from adsupport.devices import (
    SwaitRecord,
    UserCalcsDevice,
    setup_gaussian_swait,
    setup_incrementer_swait,
    setup_lorentzian_swait,
    setup_random_number_swait,
)
from adsupport.errors import ConnectionTimeoutError, PutError


def collect(pvname, count, timeout=5.0):
    """Return the next values of a process variable, seen by another client."""
    values, full = [], threading.Event()

    def take(value, **_):
        values.append(value)
        if len(values) >= count:
            full.set()

    pv = epics.PV(pvname, callback=take, auto_monitor=True)
    assert full.wait(timeout), f"only {len(values)} of {count} values of {pvname}"
    pv.clear_callbacks()
    return values[:count]


@pytest.fixture
def calc(gp):
    record = SwaitRecord(f"{gp.prefix}userCalc7", name="calc7")
    record.wait_for_connection(all_signals=True, timeout=10)
    yield record
    record.reset()


def test_random_numbers_run_on_a_fresh_ioc(start_fresh):
    ioc = start_fresh("gp")
    switch = epics.PV(f"{ioc.prefix}userCalcEnable")
    assert switch.get(as_string=True, timeout=5) == "Disable"
    record = SwaitRecord(f"{ioc.prefix}userCalc10", name="calc10")
    record.wait_for_connection(timeout=10)
    setup_random_number_swait(record)
    values = collect(f"{ioc.prefix}userCalc10.VAL", 12)
    assert len(set(values)) >= 10  # the first may come twice: read, and as the first monitor
    assert all(0 <= value <= 1 for value in values)
    assert switch.get(as_string=True, timeout=5, use_monitor=False) == "Enable"
    assert record.read_attrs == ["calculated_value"]
    found = epics.caget_many(
        [f"{ioc.prefix}userCalc10.{field}" for field in ("DESC", "CALC", "SCAN")], as_string=True
    )
    assert found == ["uniform random numbers", "RNDM", ".1 second"]


def test_setup_leaves_nothing_of_what_was_set_before(calc):
    prefix = calc.prefix
    for field, value in {"A": 3, "INBN": "gp:m1.VAL", "PREC": 2, "ODLY": 1, "CALC": "A*7"}.items():
        assert epics.caput(f"{prefix}.{field}", value, wait=True, timeout=5) == 1
    epics.caput(f"{prefix}.OUTN", "gp:userCalc8.A", wait=True, timeout=5)
    setup_random_number_swait(calc)
    found = {
        field: epics.caget(f"{prefix}.{field}", timeout=5)
        for field in ("A", "INBN", "OUTN", "PREC", "ODLY")
    }
    assert found == {"A": 0, "INBN": "", "OUTN": "", "PREC": 5, "ODLY": 0}


def test_reset_stops_the_record(calc):
    setup_random_number_swait(calc)
    calc.reset()
    assert epics.caget(f"{calc.prefix}.SCAN", as_string=True) == "Passive"
    assert epics.caget(f"{calc.prefix}.CALC") == "0"
    assert epics.caget(f"{calc.prefix}.DESC") == calc.prefix


def test_value(calc):
    setup_incrementer_swait(calc, limit=3)
    assert calc.value in (0, 1, 2)


def test_incrementer_counts_and_starts_again(calc):
    setup_incrementer_swait(calc, limit=3)
    values = collect(f"{calc.prefix}.VAL", 8)[1:]
    assert set(values) == {0, 1, 2}
    steps = {(int(b) - int(a)) % 3 for a, b in zip(values, values[1:], strict=False)}
    assert steps == {1}


GAUSSIAN = (setup_gaussian_swait, 100 * math.exp(-(0.25**2)))
LORENTZIAN = (setup_lorentzian_swait, 100 / (1 + 0.25**2))


@pytest.mark.parametrize(
    ("setup", "expected", "by"),
    [
        (*GAUSSIAN, "motor"),
        (*GAUSSIAN, "signal"),
        (*GAUSSIAN, "name"),
        (*LORENTZIAN, "name"),
        pytest.param(*LORENTZIAN, "motor", marks=pytest.mark.slow),
        pytest.param(*LORENTZIAN, "signal", marks=pytest.mark.slow),
    ],
)
def test_peaks_follow_a_motor(gp, calc, setup, expected, by):
    motor = EpicsMotor(f"{gp.prefix}m7", name="m7")
    motor.wait_for_connection(timeout=10)
    signal = {"motor": motor, "signal": motor.user_readback, "name": f"{gp.prefix}m7.RBV"}[by]
    motor.move(0.4, timeout=30)
    setup(calc, signal, center=0, width=2, scale=100, noise=0)
    motor.move(0.5, timeout=30)
    seen = threading.Event()
    value = EpicsSignalRO(f"{calc.prefix}.VAL", name="value", auto_monitor=True)
    value.subscribe(lambda value, **_: math.isclose(value, expected, rel_tol=1e-6) and seen.set())
    assert seen.wait(5), f"expected {expected}, found {value.get()}"


def test_noise_stays_in_its_part_of_the_height(gp, calc):
    setup_gaussian_swait(calc, f"{gp.prefix}m8.RBV", center=0, width=1e6, scale=100, noise=0.2)
    calc.scanning_rate.put(".1 second", use_complete=True)
    values = collect(f"{calc.prefix}.VAL", 10)[1:]
    assert all(79.99 < value <= 100 for value in values)
    assert max(values) - min(values) > 1


def test_user_calcs_are_enabled_and_reset(gp):
    calcs = UserCalcsDevice(gp.prefix, name="calcs")
    calcs.wait_for_connection(timeout=10)
    setup_random_number_swait(calcs.calc2)
    calcs.enable.put("Disable", use_complete=True)
    calcs.reset()
    assert epics.caget(f"{gp.prefix}userCalcEnable", as_string=True) == "Enable"
    assert epics.caget(f"{gp.prefix}userCalc2.SCAN", as_string=True) == "Passive"


def test_a_switch_that_is_not_there_is_named(gp, calc):
    link = epics.caget(f"{calc.prefix}.SDIS")
    try:
        epics.caput(f"{calc.prefix}.SDIS", "gp:noSuchSwitch", wait=True, timeout=5)
        with pytest.raises(ConnectionTimeoutError, match="gp:noSuchSwitch") as caught:
            setup_random_number_swait(calc, timeout=1)
        assert caught.value.missing == ("gp:noSuchSwitch",)
    finally:
        epics.caput(f"{calc.prefix}.SDIS", link, wait=True, timeout=5)


def test_a_scan_rate_that_is_none_is_an_error(calc):
    with pytest.raises((PutError, ValueError)):
        setup_random_number_swait(calc, scan="3 second", timeout=1)
