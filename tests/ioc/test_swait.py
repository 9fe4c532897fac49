"""Simulated swait records (userCalc) over Channel Access, as recorded from a running IOC."""

from __future__ import annotations

import math
import time

import epics
import pytest

TIMEOUT = 30.0
SLOW = 3.0

NUMBER = "userCalc7"
DEFAULTS = {
    "SCAN": "Passive", "CALC": "0", "OUTN": "", "DOLN": "", "OOPT": "Every Time",
    "DOPT": "Use VAL", "ODLY": 0, "MDEL": 0, "PREC": 5,
    **{f"IN{letter}N": "" for letter in "ABCDEFGHIJKL"},
    **{f"IN{letter}P": "Yes" for letter in "ABCDEFGHIJKL"},
    **dict.fromkeys("ABCDEFGHIJKL", 0.0),
}  # fmt: skip


@pytest.fixture
def enabled(gp, caput):
    caput("gp:userCalcEnable", "Enable")


@pytest.fixture
def calc(enabled, caput, _left_as_it_was):
    """Give the name of a calculation with its settings as after the start, enabled."""
    _reset(caput)
    return f"gp:{NUMBER}"


@pytest.fixture(scope="module")
def _left_as_it_was(gp, caput):
    yield
    _reset(caput)  # other tests share the IOC, and a deadband would hide their values


def _reset(caput):
    for number in ("userCalc3", NUMBER):
        for field, value in DEFAULTS.items():
            caput(f"gp:{number}.{field}", value, wait=False)
        caput(f"gp:{number}.PROC", 1)


def alarm(name: str) -> tuple[int, int]:
    pv = epics.PV(name, form="time")
    assert pv.wait_for_connection(TIMEOUT)
    reading = pv.get_with_metadata(use_monitor=False, timeout=TIMEOUT)
    return int(reading["status"]), int(reading["severity"])


def test_disabled_does_not_process(start_fresh, caput, caget):
    prefix = start_fresh("gp").prefix
    name = f"{prefix}userCalc1"
    assert caget(f"{prefix}userCalcEnable") == 0
    assert alarm(name) == (17, 3)
    caput(f"{name}.CALC", "2*3")
    caput(f"{name}.PROC", 1)
    assert caget(name) == 0
    assert alarm(name) == (18, 0)
    assert (caget(f"{name}.STAT"), caget(f"{name}.SEVR")) == (18, 0)
    assert caget(f"{name}.DISA") == 0
    caput(f"{prefix}userCalcEnable", "Enable")
    caput(f"{name}.PROC", 1)
    assert caget(name) == 6
    assert alarm(name) == (0, 0)
    assert caget(f"{name}.DISA") == 1
    assert caget(f"{name}.UDF") == 0


def test_the_switches_of_a_family(enabled, caput, caget):
    assert caget("gp:userCalc1EnableCalc") == 1
    caput("gp:DisableUserCalcs", 0)
    assert caget("gp:userCalcEnable", as_string=True) == "Disable"
    assert caget("gp:userCalc1EnableCalc") == 0
    caput("gp:EnableUserCalcs", 1)
    assert caget("gp:userCalcEnable", as_string=True) == "Enable"
    caput("gp:userCalc1Enable", "D")
    assert caget("gp:userCalc1EnableCalc") == 0
    caput("gp:userCalc1Enable", "E")
    assert caget("gp:userCalc1EnableCalc") == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2**3", 8.0), ("A&&B", 0.0), ("MAX(A,B)", 5.0), ("SIN(30)", -0.9880316240928618),
        ("A>B?1:2", 1.0), ("PI", math.pi), ("5%3", 2.0), ("a+b", 5.0), ("EXP(1)", math.e),
        ("ABS(-3)", 3.0), ("NINT(2.5)", 3.0), ("LN(2)", math.log(2)), ("LOG(100)", 2.0),
        ("CEIL(1.2)", 2.0), ("A#B", 1.0), ("1/0", math.inf), ("SQRT(-1)", math.nan),
        ("D2R", math.radians(1)),
    ],
)  # fmt: skip
def test_recorded_expressions(calc, caput, caget, text, expected):
    caput(f"{calc}.A", 5)
    caput(f"{calc}.CALC", text)
    caput(f"{calc}.PROC", 1)
    assert caget(calc) == pytest.approx(expected, nan_ok=True)
    assert caget(f"{calc}.CLCV") == 0
    assert alarm(calc) == (0, 0)


@pytest.mark.parametrize("text", ["A+*", "A:=3", "A;B"])
def test_an_invalid_expression_is_kept_and_raises_an_alarm(calc, caput, caget, text):
    caput(f"{calc}.CALC", "4")
    caput(f"{calc}.PROC", 1)
    caput(f"{calc}.CALC", text)
    assert caget(f"{calc}.CALC") == text
    assert caget(f"{calc}.CLCV") == -1
    assert caget(calc) == 4
    assert alarm(calc) == (0, 0)
    caput(f"{calc}.PROC", 1)
    assert caget(calc) == 4
    assert alarm(calc) == (12, 3)
    caput(f"{calc}.CALC", "5")
    caput(f"{calc}.PROC", 1)
    assert (caget(calc), alarm(calc)) == (5, (0, 0))


def test_a_long_expression_is_cut(calc, caput, caget):
    text = "D*(0.95+E*RNDM)/exp(((A-B)/C)^2)"
    caput(f"{calc}.CALC", text)
    assert (caget(f"{calc}.CALC"), caget(f"{calc}.CLCV")) == (text, 0)
    caput(f"{calc}.CALC", "1+" * 17 + "12345")
    assert caget(f"{calc}.CALC") == "1+" * 17 + "1"
    caput(f"{calc}.PROC", 1)
    assert caget(calc) == 18


def test_random_numbers_ten_times_a_second(calc, caput, watch):
    caput(f"{calc}.CALC", "RNDM")
    with watch("gp:", NUMBER) as seen:
        caput(f"{calc}.SCAN", ".1 second")
        seen.wait(lambda events: len(events) >= 15, "15 random numbers")
        caput(f"{calc}.SCAN", "Passive")
    values = seen.values(NUMBER)
    assert len(set(values)) == len(values)
    assert all(0 <= value <= 1 for value in values)
    times = [event.time for event in seen.events]
    assert 1.2 <= times[14] - times[0] <= 1.4 + SLOW  # recorded: 10 a second


def test_a_slower_rate_and_passive(calc, caput, watch):
    caput(f"{calc}.CALC", "A+1")
    caput(f"{calc}.INAN", calc)
    with watch("gp:", NUMBER) as seen:
        caput(f"{calc}.SCAN", ".5 second")
        seen.wait(lambda events: len(events) >= 3, "3 values")
        caput(f"{calc}.SCAN", "Passive")
        number = len(seen.events)
        time.sleep(0.7)  # nothing may happen meanwhile
        assert len(seen.events) == number
    values = seen.values(NUMBER)
    assert values == [values[0] + index for index in range(number)]
    assert seen.events[1].time - seen.events[0].time > 0.3


def test_incrementer(calc, caput, watch):
    caput(f"{calc}.CALC", "(A+1) % B")
    caput(f"{calc}.B", 5)
    caput(f"{calc}.INAN", f"{calc}.VAL")
    with watch("gp:", NUMBER) as seen:
        caput(f"{calc}.SCAN", ".1 second")
        seen.wait(lambda events: len(events) >= 12, "12 values")
        caput(f"{calc}.SCAN", "Passive")
    values = seen.values(NUMBER)
    assert [value for value, _ in zip(values, range(12), strict=False)] == [
        (values[0] + index) % 5 for index in range(12)
    ]


def test_states_of_an_input(calc, caput, caget):
    caput(f"{calc}.CALC", "A*2")
    caput("gp:userCalc3.CALC", "21")
    caput("gp:userCalc3.PROC", 1)
    caput(f"{calc}.INAN", "gp:userCalc3")
    assert caget(f"{calc}.INAV", as_string=True) == "PV OK"
    caput(f"{calc}.PROC", 1)
    assert (caget(calc), caget(f"{calc}.A"), caget(f"{calc}.LA")) == (42, 21, 21)
    caput(f"{calc}.INAN", "gp:nothing.VAL")
    assert caget(f"{calc}.INAV", as_string=True) == "PV BAD"
    assert alarm(calc) == (0, 0)
    caput(f"{calc}.PROC", 1)
    assert (caget(calc), alarm(calc)) == (42, (1, 3))
    caput(f"{calc}.INAN", "")
    assert caget(f"{calc}.INAV", as_string=True) == "No PV"
    caput(f"{calc}.PROC", 1)
    assert (caget(calc), alarm(calc)) == (42, (0, 0))


def test_inputs_of_other_types(calc, caput, caget):
    links = {"A": "gp:m5.HLM", "B": "gp:m5.SPMG", "C": "gp:m5.RVAL", "D": "gp:userCalcEnable"}
    for letter, name in links.items():
        caput(f"{calc}.IN{letter}N", name)
    caput(f"{calc}.CALC", "A+B*10+C+D")
    caput(f"{calc}.PROC", 1)
    assert caget(calc) == 100 + 30 + 0 + 1


def test_io_intr_follows_every_update_of_a_motor(calc, caput, caget, watch):
    caput("gp:m5.VAL", 0)
    caput(f"{calc}.CALC", "A*2")
    caput(f"{calc}.INAN", "gp:m5.RBV")
    caput(f"{calc}.SCAN", "I/O Intr")
    with watch("gp:", NUMBER, f"{NUMBER}.A", "m5.RBV") as seen:
        caput("gp:m5.VAL", 0.6)
        seen.wait_for(NUMBER, 1.2)
    assert len(seen.values("m5.RBV")) >= 4
    assert seen.values(f"{NUMBER}.A") == seen.values("m5.RBV")
    assert seen.values(NUMBER) == [2 * value for value in seen.values("m5.RBV")]
    results = [pair[0] for pair in seen.pairs(NUMBER, f"{NUMBER}.A")]
    assert results[:2] == [NUMBER, f"{NUMBER}.A"]  # recorded: the result before the input


def test_io_intr_only_from_inputs_that_process(calc, caput, caget, watch):
    caput(f"{calc}.CALC", "A+B")
    caput(f"{calc}.INAN", "gp:m5.TWV")
    caput(f"{calc}.INAP", "No")
    caput(f"{calc}.INBN", "gp:m5.JAR")
    caput(f"{calc}.SCAN", "I/O Intr")
    with watch("gp:", NUMBER) as seen:
        caput("gp:m5.TWV", 3)
        caput("gp:m5.JAR", 4)
        seen.wait_for(NUMBER, 7)
    assert seen.values(NUMBER) == [7]
    caput("gp:m5.TWV", 1)
    caput("gp:m5.JAR", 5)


def test_an_output_processes_the_next_calculation(calc, caput, caget):
    caput("gp:userCalc3.CALC", "A+1")
    caput(f"{calc}.OUTN", "gp:userCalc3.A")
    assert caget(f"{calc}.OUTV", as_string=True) == "PV OK"
    caput(f"{calc}.CALC", "7")
    caput(f"{calc}.PROC", 1)
    assert caget("gp:userCalc3.A") == 7
    assert caget("gp:userCalc3") == 8


@pytest.mark.parametrize(
    ("option", "values", "written"),
    [
        ("Every Time", [1, 1, 0], [1, 1, 0]),
        ("On Change", [1, 1, 2], [1, 2]),
        ("When Zero", [1, 0, 0], [0, 0]),
        ("When Non-zero", [1, 0, 2], [1, 2]),
        ("Transition To Zero", [1, 0, 0], [0]),
        ("Transition To Non-zero", [1, 2, 0], [1]),
        ("Never", [1, 0, 2], []),
    ],
)
def test_output_options(calc, caput, watch, option, values, written):
    caput(f"{calc}.CALC", "A")
    caput(f"{calc}.OOPT", option)
    caput("gp:userCalc3.CALC", "B+0*A")
    caput("gp:userCalc3.B", 0)
    caput(f"{calc}.OUTN", "gp:userCalc3.L")  # posted at each write, changed or not
    with watch("gp:", "userCalc3.L", f"{NUMBER}.OVAL") as seen:
        for value in values:
            caput(f"{calc}.A", value)
        caput("gp:userCalc3.L", 99)
        seen.wait_for("userCalc3.L", 99)
    posted = seen.values("userCalc3.L")
    # a changed input is posted when it is written and when its record has processed
    assert [
        value for index, value in enumerate(posted) if index == 0 or value != posted[index - 1]
    ][:-1] == [
        value for index, value in enumerate(written) if index == 0 or value != written[index - 1]
    ]
    if not written:
        assert set(posted) == {99}


def test_output_of_dol_after_a_delay(calc, caput, caget):
    caput(f"{calc}.CALC", "1")
    caput(f"{calc}.OUTN", "gp:userCalc3.A")
    caput(f"{calc}.DOLN", "gp:m5.HLM")
    caput(f"{calc}.DOPT", "Use DOL")
    caput(f"{calc}.ODLY", 0.3)
    assert caput(f"{calc}.PROC", 1) >= 0.3
    assert caget("gp:userCalc3.A") == caget(f"{calc}.DOLD") == 100
    assert caget(f"{calc}.PACT") == 0


def test_put_callback_waits_for_a_motor_at_the_output(calc, caput, caget):
    caput("gp:m5.VAL", 0)
    caput(f"{calc}.CALC", "0.3")
    caput(f"{calc}.OUTN", "gp:m5.VAL")
    assert caput(f"{calc}.PROC", 1) >= 0.3
    assert caget("gp:m5.RBV") == pytest.approx(0.3)
    caput(f"{calc}.OUTN", "")
    caput("gp:m5.VAL", 0)


def test_forward_link(calc, caput, caget):
    caput("gp:userCalc3.CALC", "A+1")
    caput("gp:userCalc3.INAN", calc)
    caput(f"{calc}.FLNK", "gp:userCalc3")
    caput(f"{calc}.CALC", "11")
    caput(f"{calc}.PROC", 1)
    caput(f"{calc}.FLNK", "")
    assert caget("gp:userCalc3") == 12


def test_precision_and_deadband(calc, caput, caget, watch):
    caput(f"{calc}.PREC", 2)
    caput(f"{calc}.CALC", "A/3")
    caput(f"{calc}.A", 1)
    assert caget(calc, as_string=True) == "0.33"
    caput(f"{calc}.MDEL", 1)
    with watch("gp:", NUMBER) as seen:
        caput(f"{calc}.A", 2)
        caput(f"{calc}.A", 30)
        seen.wait_for(NUMBER, 10)
    assert seen.values(NUMBER) == [10]


def test_a_busy_record_completes_when_somebody_clears_it(gp, caput, caget, watch):
    with watch("gp:", "mybusy1") as seen:
        busy = epics.PV("gp:mybusy1")
        assert busy.wait_for_connection(TIMEOUT)
        busy.put("Busy", callback=lambda **_: seen.note("completed"))
        seen.wait_for("mybusy1", 1)
        time.sleep(0.3)  # nothing may happen meanwhile
        assert seen.pairs() == [("mybusy1", 1)]
        caput("gp:mybusy1", 0, wait=False)
        seen.wait_for("completed", None)
    assert caget("gp:mybusy1", as_string=True) == "Done"
