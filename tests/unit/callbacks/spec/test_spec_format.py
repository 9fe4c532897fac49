"""The pure parts of SPEC files: text, numbers, commands, columns."""

from __future__ import annotations

import locale
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.callbacks.spec.columns import layout_of
from adsupport.callbacks.spec.command import scan_command
from adsupport.callbacks.spec.numbers import array_text, number_text
from adsupport.callbacks.spec.text import date_text, escape, label, literal, unique_labels
from adsupport.documents.run import Run

from ..described import column, stream

AXIS = "SynAxis(prefix='', name='m1', read_attrs=['readback'], configuration_attrs=['velocity'])"


@given(st.text())
def test_escaped_text_is_one_line_and_can_be_read_back(text):
    line = escape(text)
    assert line.splitlines() in ([], [line])
    assert not line.endswith("\\")
    line.encode()
    plain = line.encode("ascii", "backslashreplace").decode()
    assert plain.encode().decode("unicode_escape") == text


def test_lines_are_escaped_like_python_strings():
    assert escape("one\ntwo\tthree\x0b\u2028\ud800") == r"one\ntwo\tthree\x0b\u2028\ud800"
    assert escape("C:\\data\\") == r"C:\\data\x5c"
    assert escape("a@b", "@") == r"a\x40b"


@given(st.lists(st.text(), max_size=20))
def test_labels_are_unique_and_have_single_spaces(names):
    labels = unique_labels(names)
    assert len(set(labels)) == len(names)
    for each in labels:
        assert each
        assert each == each.strip()
        assert "  " not in each
        assert "\t" not in each
        assert len(each.encode()) <= 210


def test_a_label_has_what_a_name_has():
    assert label("  scaler   time\n1 ") == "scaler time 1"
    assert label("") == "unnamed"
    assert label("é" * 300) == "é" * 100
    assert unique_labels(["a b", "a  b", "a b_1"]) == ["a b", "a b_1", "a b_1_1"]


def test_dates_are_english_in_any_language(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    monkeypatch.setattr(locale, "setlocale", None)
    assert date_text(1_793_000_000.9)[:3] in ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    assert date_text(0)[-4:] in ("1969", "1970")
    assert len(date_text(1_793_000_000)) == 24


def test_metadata_are_plain_python():
    assert literal("text") == "text"
    assert literal({"a": np.float64(1.5), "b": (np.int32(2), [np.bool_(True)])}) == (
        "{'a': 1.5, 'b': [2, [True]]}"
    )
    assert literal(np.arange(3)) == "[0, 1, 2]"
    assert literal(None) == "None"


@given(st.floats(allow_nan=False))
def test_a_number_is_read_back_bit_for_bit(value):
    assert float(str(number_text(value))) == value
    assert float(str(number_text(np.float64(value)))) == value
    assert math.copysign(1, float(str(number_text(value)))) == math.copysign(1, value)


@given(st.integers(-(2**200), 2**200))
def test_an_integer_fits_the_readers(value):
    text = str(number_text(value))
    assert float(text) == float(value)
    assert len(text) < 40


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "1"),
        (np.bool_(False), "0"),
        (np.uint64(2**64 - 1), "18446744073709551615"),
        (np.float32(0.1), "0.10000000149011612"),
        (float("nan"), "-nan"),
        (float("inf"), "1.0e999"),
        (-np.inf, "-1.0e999"),
        (10**400, "1.0e999"),
        (-(10**400), "-1.0e999"),
        (np.array(1.5), "1.5"),
        ([2], "2"),
        (np.array([1, 2]), None),
        ("1.5", None),
        (None, None),
        (1j, None),
        ({}, None),
    ],
)
def test_a_number_of_any_kind(value, text):
    assert number_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([], ""),
        ([1, 2, 3], "1 2 3"),
        (np.array([[1, 2], [3, 4]], "u2"), "1 2 3 4"),
        ([True, False], "1 0"),
        ([1.5, math.nan, -math.inf], "1.5 -nan -1.0e999"),
        ([1e22, 3e30], "1.0e+22 3e+30"),  # spec2nexus looks for a point
        ([2**70, 1], f"{2**70} 1"),
        ([math.nan], None),  # spec2nexus would fail on it
        ([[1], [2, 3]], None),
        (["a"], None),
        ([1j], None),
        ([None, 1], None),
    ],
)
def test_an_array_of_any_kind(value, text):
    assert array_text(value) == text


@pytest.mark.parametrize(
    ("start", "command"),
    [
        ({}, "()"),
        ({"plan_name": "count", "plan_args": None}, "count()"),
        (
            {
                "plan_name": "scan",
                "detectors": ["det1", "det2"],
                "motors": ("m1",),
                "plan_args": {
                    "detectors": ["SynGauss(prefix='', name='det1')"],
                    "num": 3,
                    "args": [AXIS, -1, 1],
                    "per_step": "None",
                },
            },
            "scan(detectors=['det1', 'det2'], num=3, args='['m1', -1, 1]', per_step='None')",
        ),
        (
            {"plan_name": "rel_list_scan", "plan_args": {"args": [AXIS, [1, 2, 3]]}},
            "rel_list_scan(args='['m1', [1, 2, 3]]')",
        ),
        (
            {"plan_name": "grid_scan", "plan_args": {"args": [AXIS, 0, 1, 2, AXIS, 3, 4, 5, True]}},
            "grid_scan(args='['m1', 0, 1, 2, 'm1', 3, 4, 5, True]')",
        ),
        (
            {"plan_name": "x", "motors": ["a"], "plan_args": {"motor": AXIS, "md": {"a": [1]}}},
            "x(motor=['a'], md={a=[1]})",
        ),
        (
            {"plan_name": "spiral", "plan_args": {"x_motor": AXIS, "at": np.array([1, 2])}},
            "spiral(x_motor='m1', at=[1, 2])",
        ),
        ({"plan_name": "two\nlines", "plan_args": {"a": "b\nc"}}, r"two\nlines(a='b\nc')"),
    ],
)
def test_the_command_is_that_of_apstools(start, command):
    assert scan_command(start) == command


def test_columns_stand_in_the_order_of_spec():
    of = stream(*map(column, ("det2", "m1", "extra", "det1", "m1_setpoint", "m2")))
    of.hints = {"det1": {"fields": ["det1"]}, "det2": {"fields": ["det2"]}}
    run = Run({"uid": "u", "detectors": ["det1", "det2"], "motors": ("m2", "m1")})
    assert layout_of(run, of).labels == (
        *("m2", "m1", "Epoch", "Epoch_float"),
        *("extra", "m1_setpoint", "det2", "det1"),
    )


def test_columns_of_devices_are_found_by_their_hints():
    of = stream(*map(column, ("c1", "c2", "c3", "th", "th_setpoint", "x")))
    of.hints = {"scaler": {"fields": ["c2", "c1"]}, "diff": {"fields": ["th"]}}
    of.object_keys = {"scaler": ["c1", "c2", "c3"], "diff": ["th_setpoint", "th"], "stage": ["x"]}
    run = Run({"uid": "u", "detectors": ["scaler", "gone"], "motors": ["stage", "diff", "no"]})
    layout = layout_of(run, of)
    assert layout.before == ("x", "th")
    assert layout.after == ("c3", "th_setpoint", "c1", "c2")


def test_each_kind_of_value_has_its_place():
    of = stream(
        column("n"),
        column("flag", "boolean"),
        column("text", "string"),
        column("texts", "array", (3,), dtype_numpy="<U8"),
        column("mca", "array", (8,)),
        column("image", "array", (5, 4), external=True),
    )
    layout = layout_of(Run({"uid": "u"}), of)
    assert layout.numbers == ("n", "flag")
    assert layout.texts == ("text", "texts")
    assert [each.name for each in layout.arrays] == ["mca"]
    assert layout.images == ("image",)
    assert layout.keys == set(of.columns)


def test_devices_called_epoch_leave_the_time_its_columns():
    of = stream(column("Epoch"), column("Epoch_float"), column("x"))
    layout = layout_of(Run({"uid": "u", "motors": ["Epoch"]}), of)
    assert layout.labels == ("Epoch_1", "Epoch", "Epoch_float", "Epoch_float_1", "x")
