"""The calc language against recorded results and against Python's own arithmetic."""

import math
import operator
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.sim.synapps.calc import INPUTS, CalcError, Random16, compile_calc

# Recorded on a running swait record, with A=3 and B=2.
RECORDED = [
    ("2**3", 8.0),
    ("MAX(A,B)", 5.0),
    ("SIN(30)", -0.9880316240928618),
    ("A>B?1:2", 1.0),
    ("PI", 3.141592653589793),
    ("5%3", 2.0),
    ("EXP(1)", 2.718281828459045),
    ("ABS(-3)", 3.0),
    ("NINT(2.5)", 3.0),
    ("LN(2)", 0.6931471805599453),
    ("LOG(100)", 2.0),
    ("CEIL(1.2)", 2.0),
    ("A#B", 1.0),
    ("a+b", 5.0),
    ("A&&B", 0.0),
    ("1/0", math.inf),
    ("D2R", 0.017453292519943295),
]


@pytest.mark.parametrize(("text", "expected"), RECORDED)
def test_recorded_results(text, expected):
    assert compile_calc(text)([5.0, 0.0]) == pytest.approx(expected, rel=1e-14)


def test_square_root_of_a_negative_number_is_not_a_number():
    assert math.isnan(compile_calc("SQRT(-1)")())


@pytest.mark.parametrize(
    "text",
    [
        "A+*",
        "A:=3",
        "A;B",
        "",
        "  ",
        "A:=3;A",
        "A?B:=3",
        "1 2",
        "AB",
        "(A",
        "A)",
        "A?B",
        "A:B",
        "MAX()",
        "(A,B)",
        "ATAN2(A)",
        "FOO(1)",
        "A+",
        "M",
        "SIN",
        "__import__('os')",
        "(" * 200 + "1" + ")" * 200,
        "-" * 200 + "1",
    ],
)
def test_refused(text):
    with pytest.raises(CalcError) as caught:
        compile_calc(text)
    assert caught.value.text == text
    assert "column" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2**3**2", 64.0),
        ("-2**2", 4.0),
        ("2**-1", 0.5),
        ("2^3", 8.0),
        ("7-3-2", 2.0),
        ("1+2*3", 7.0),
        ("!0+1", 2.0),
        ("6&3|8", 10.0),
        ("1||0&&0", 1.0),
        ("5 XOR 3", 6.0),
        ("NOT 0", -1.0),
        ("~5", -6.0),
        ("-16>>2", -4.0),
        ("-16>>>28", 15.0),
        ("1<<31", -2147483648.0),
        ("0xFFFFFFFF", -1.0),
        ("0x10", 16.0),
        ("1=1?2=3?1:2:3", 2.0),
        ("0?1:0?2:3", 3.0),
        ("MIN(4,2,8)", 2.0),
        ("FINITE(1,2)", 1.0),
        ("FINITE(1,INF)", 0.0),
        ("ISNAN(NAN)", 1.0),
        ("ISINF(1/0)", 1.0),
        ("NINT(-2.5)", -3.0),
        ("-7%3", -1.0),
        ("ATAN2(1,2)", math.atan2(2, 1)),
        ("FMOD(5.5,2)", 1.5),
        ("LOGE(2)", math.log(2)),
        ("sqr 9", 3.0),
        ("1.5e2", 150.0),
        (".5", 0.5),
        ("2E", None),
        ("VAL+1", 8.0),
        ("10*(C+L)", 30.0),
    ],
)
def test_rules_of_the_language(text, expected):
    if expected is None:
        pytest.raises(CalcError, compile_calc, text)
        return
    inputs = [0.0, 0.0, 1.0] + [0.0] * 8 + [2.0]
    assert compile_calc(text)(inputs, value=7.0) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["5%0", "LOG(-1)", "ACOS(2)", "NAN+1", "MAX(1,NAN)", "INF-INF"])
def test_what_has_no_value_is_not_a_number(text):
    assert math.isnan(compile_calc(text)())


@pytest.mark.parametrize(
    ("text", "expected"),
    [("EXP(1000)", math.inf), ("LOG(0)", -math.inf), ("10**400", math.inf), ("-1/0", -math.inf)],
)
def test_overflow_is_infinite(text, expected):
    assert compile_calc(text)() == expected


def test_random_sequence_is_the_recorded_generator():
    draw = compile_calc("RNDM")
    random = Random16()
    seed, expected = 0xA3BF, []
    for _ in range(100):
        seed = (1533 * seed + 0x3141) % 65536
        expected.append(seed / 65535)
    assert [draw(random=random) for _ in range(100)] == expected


def test_random_numbers_spread_over_the_interval():
    random = Random16()
    values = [random() for _ in range(2000)]
    assert 0 <= min(values) < 0.01
    assert 0.99 < max(values) <= 1
    assert sum(values) / len(values) == pytest.approx(0.5, abs=0.03)


# Random expressions: calc text and a Python function of the inputs, built side by side.
NUMBERS = st.integers(0, 1000).map(float) | st.floats(0.001, 1000).map(lambda x: round(x, 4))
LEAVES = NUMBERS.map(lambda x: (repr(x), lambda v: x)) | st.sampled_from(INPUTS).map(
    lambda name: (name, lambda v: v[INPUTS.index(name)])
)
BINARY = [
    ("+", operator.add),
    ("-", operator.sub),
    ("*", operator.mul),
    ("<", operator.lt),
    ("<=", operator.le),
    (">", operator.gt),
    (">=", operator.ge),
    ("=", operator.eq),
    ("#", operator.ne),
]
UNARY = [("abs", abs), ("ATAN", math.atan), ("sin", math.sin), ("-", operator.neg)]


def _join(parts):
    (left, f), (symbol, function), (right, g) = parts
    return f"({left}{symbol}{right})", lambda v: float(function(f(v), g(v)))


def _choose(parts):
    (test, f), (yes, g), (no, h) = parts
    return f"({test}?{yes}:{no})", lambda v: g(v) if f(v) else h(v)


def _call(parts):
    (name, function), (inner, f) = parts
    return f"{name}({inner})", lambda v: function(f(v))


EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(BINARY), inner).map(_join),
        st.tuples(inner, inner, inner).map(_choose),
        st.tuples(st.sampled_from(UNARY), inner).map(_call),
    ),
    max_leaves=12,
)


@given(EXPRESSIONS, st.lists(st.floats(-100, 100), min_size=12, max_size=12))
def test_agrees_with_python(expression, inputs):
    text, oracle = expression
    assert compile_calc(text)(inputs) == pytest.approx(oracle(inputs), rel=1e-9, abs=1e-9)


@given(st.lists(st.tuples(st.sampled_from("+-*/"), st.integers(1, 99)), max_size=15))
def test_products_before_sums_and_left_to_right(terms):
    text, summands = "7", [Fraction(7)]
    for symbol, number in terms:
        text += symbol + str(number)
        if symbol in "+-":
            summands.append(Fraction(number if symbol == "+" else -number))
        else:
            summands[-1] *= Fraction(number) if symbol == "*" else Fraction(1, number)
    assert compile_calc(text)() == pytest.approx(float(sum(summands)), rel=1e-9, abs=1e-6)


@given(st.text("ABCL0123456789.+-*/^%&|<>=!#?:;,() ESINMAXRD2", max_size=40))
def test_any_text_compiles_or_is_refused(text):
    try:
        expression = compile_calc(text)
    except CalcError:
        return
    assert isinstance(expression([1.0, 2.0]), float)
