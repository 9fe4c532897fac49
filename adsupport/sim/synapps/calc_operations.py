"""Operators, functions and constants of the calculation language, with their C semantics.

Arithmetic goes through numpy, whose floating point follows IEEE where Python's raises; the
caller silences numpy's warnings. Bitwise operators work on 32-bit integers.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

INT32_MIN = -(2**31)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator or function.

    Attributes
    ----------
    function : callable
        Takes floats, returns a number.
    level : int
        How tightly a binary operator binds; more is tighter.
    fewest, most : int
        Number of arguments of a function.
    """

    function: Callable[..., float]
    level: int = 0
    fewest: int = 1
    most: int = 1


def _wrap(value: float) -> int:
    """Double to signed 32 bits, wrapping; what is not finite counts as 0."""
    if not math.isfinite(value):
        return 0
    return ((int(value) + 2**31) & 0xFFFFFFFF) - 2**31


def _truncate(value: float) -> int:
    """Double to signed 32 bits; out of range gives the lowest integer, as on x86."""
    if not math.isfinite(value) or not INT32_MIN <= int(value) < 2**31:
        return INT32_MIN
    return int(value)


def _modulo(dividend: float, divisor: float) -> float:
    """Integer remainder with the sign of the dividend; of zero, not a number."""
    left, right = _truncate(dividend), _truncate(divisor)
    if right == 0:
        return math.nan
    return math.copysign(abs(left) % abs(right), left) if left % right else 0.0


def _nearest(value: float) -> float:
    """Nearest integer, halves away from zero."""
    return float(_truncate(value + 0.5 if value >= 0 else value - 0.5))


def _on_bits(function: Callable[[int, int], int]) -> Callable[[float, float], float]:
    return lambda left, right: float(_wrap(function(_wrap(left), _wrap(right))))


def _compare(function: Callable[[float, float], bool]) -> Callable[[float, float], float]:
    return lambda left, right: float(function(left, right))


def _shift(function: Callable[[int, int], int], *, signed: bool = True) -> Callable[..., float]:
    def shift(value: float, count: float) -> float:
        bits = _wrap(value) if signed else _wrap(value) & 0xFFFFFFFF
        result = function(bits, _wrap(count) & 31)
        return float(_wrap(result) if signed else result)

    return shift


def _binary(level: int, function: Callable[..., float]) -> Operation:
    return Operation(function, level=level, fewest=2, most=2)


_POWER = _binary(6, np.float_power)
_NOT_EQUAL = _binary(3, _compare(operator.ne))
_EQUAL = _binary(3, _compare(operator.eq))
_AND = _binary(2, _on_bits(operator.and_))
_OR = _binary(1, _on_bits(operator.or_))

BINARY: dict[str, Operation] = {
    "||": _binary(1, lambda left, right: float(bool(left) or bool(right))),
    "|": _OR,
    "OR": _OR,
    "XOR": _binary(1, _on_bits(operator.xor)),
    "&&": _binary(2, lambda left, right: float(bool(left) and bool(right))),
    "&": _AND,
    "AND": _AND,
    "<<": _binary(2, _shift(operator.lshift)),
    ">>": _binary(2, _shift(operator.rshift)),
    ">>>": _binary(2, _shift(operator.rshift, signed=False)),
    "=": _EQUAL,
    "==": _EQUAL,
    "!=": _NOT_EQUAL,
    "#": _NOT_EQUAL,
    "<": _binary(3, _compare(operator.lt)),
    "<=": _binary(3, _compare(operator.le)),
    ">": _binary(3, _compare(operator.gt)),
    ">=": _binary(3, _compare(operator.ge)),
    "+": _binary(4, np.add),
    "-": _binary(4, np.subtract),
    "*": _binary(5, np.multiply),
    "/": _binary(5, np.divide),
    "%": _binary(5, _modulo),
    "**": _POWER,
    "^": _POWER,
}
"""Binary operators by symbol."""

_BIT_NOT = Operation(lambda value: float(~_wrap(value)))

PREFIX: dict[str, Operation] = {
    "-": Operation(np.negative),
    "!": Operation(lambda value: float(not value)),
    "~": _BIT_NOT,
}
"""Unary operators by symbol."""

_ANY = 80
_LOG = Operation(np.log)
_ROOT = Operation(np.sqrt)

FUNCTIONS: dict[str, Operation] = {
    "ABS": Operation(np.abs),
    "ACOS": Operation(np.arccos),
    "ASIN": Operation(np.arcsin),
    "ATAN": Operation(np.arctan),
    # The language takes ATAN2(x, y): its arguments are the other way round than in C.
    "ATAN2": Operation(lambda x, y: np.arctan2(y, x), fewest=2, most=2),
    "CEIL": Operation(np.ceil),
    "COS": Operation(np.cos),
    "COSH": Operation(np.cosh),
    "EXP": Operation(np.exp),
    "FINITE": Operation(lambda *values: float(all(map(math.isfinite, values))), most=_ANY),
    "FLOOR": Operation(np.floor),
    "FMOD": Operation(np.fmod, fewest=2, most=2),
    "ISINF": Operation(lambda value: float(math.isinf(value))),
    "ISNAN": Operation(lambda *values: float(any(map(math.isnan, values))), most=_ANY),
    "LN": _LOG,
    "LOG": Operation(np.log10),
    "LOGE": _LOG,
    "MAX": Operation(lambda *values: float(np.max(values)), most=_ANY),
    "MIN": Operation(lambda *values: float(np.min(values)), most=_ANY),
    "NINT": Operation(_nearest),
    "NOT": _BIT_NOT,
    "SIN": Operation(np.sin),
    "SINH": Operation(np.sinh),
    "SQR": _ROOT,
    "SQRT": _ROOT,
    "TAN": Operation(np.tan),
    "TANH": Operation(np.tanh),
}
"""Functions by name; ``LOG`` is decimal, ``LN`` and ``LOGE`` are natural."""

CONSTANTS: dict[str, float] = {"PI": math.pi, "D2R": math.pi / 180.0, "R2D": 180.0 / math.pi}
"""Named numbers."""
