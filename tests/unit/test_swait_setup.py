"""Settings of the ready calculations, refused before anything is written."""

import pytest
from ophyd import Signal

from adsupport.devices import (
    SwaitRecord,
    UserCalcsDevice,
    setup_gaussian_swait,
    setup_incrementer_swait,
    setup_lorentzian_swait,
)
from adsupport.devices.synapps import setup as swait_setup
from adsupport.errors import ConfigurationError


@pytest.fixture
def swait():
    record = SwaitRecord("none:userCalc1", name="calc")
    yield record
    record.destroy()


@pytest.mark.parametrize("setup", [setup_gaussian_swait, setup_lorentzian_swait])
@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("width", 0),
        ("width", -1),
        ("width", float("nan")),
        ("noise", -0.1),
        ("noise", 1.1),
        ("noise", float("nan")),
        ("center", float("inf")),
        ("scale", float("nan")),
    ],
)
def test_peak_settings_out_of_range(swait, setup, word, value):
    with pytest.raises(ConfigurationError, match=word):
        setup(swait, "none:m1.RBV", **{word: value})


@pytest.mark.parametrize("signal", ["", None, Signal(name="soft"), 5])
def test_peak_of_something_without_a_process_variable(swait, signal):
    with pytest.raises(ConfigurationError, match="ref_signal"):
        setup_gaussian_swait(swait, signal)


@pytest.mark.parametrize("limit", [0, -1, float("inf"), float("nan")])
def test_incrementer_limit(swait, limit):
    with pytest.raises(ValueError, match="limit"):
        setup_incrementer_swait(swait, limit=limit)


@pytest.mark.parametrize("formula", [swait_setup._GAUSSIAN, swait_setup._LORENTZIAN])
def test_formulas_fit_the_record(formula):
    # A swait record cuts a longer calculation to 35 characters without a word.
    assert len(formula) <= 35


def test_user_calcs():
    calcs = UserCalcsDevice("none:", name="calcs")
    assert [c.prefix for c in calcs.calcs] == [f"none:userCalc{n}" for n in range(1, 11)]
    assert calcs.calc10.enable.pvname == "none:userCalc10Enable"
    assert calcs.enable.pvname == "none:userCalcEnable"
    calcs.destroy()


def test_fields_of_the_record(swait):
    pvs = {walk.item.pvname for walk in swait.walk_signals(include_lazy=True)}
    fields = (
        "DESC PACT SCAN DISV DISA SDIS PROC FLNK TPRO DTYP STAT SEVR NSTA NSEV DISS PREC HOPR LOPR "
        "VAL CALC OUTN DOLN DOLD DOPT OOPT ODLY OEVT"
    ).split()
    inputs = [form.format(x) for x in "ABCDEFGHIJKL" for form in ("{}", "IN{}N", "IN{}P")]
    assert pvs == {f"none:userCalc1.{field}" for field in [*fields, *inputs]}
    assert swait.read_attrs == ["calculated_value"]
