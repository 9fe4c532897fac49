"""The calculation language of EPICS records, as the swait record accepts it.

:func:`compile_calc` turns an infix expression into a postfix program once; the program is then
evaluated as often as the record processes. Nothing is handed to Python's own evaluator.

Notes
-----
Binding, loosest first: ``?:``; ``||``, ``|``, ``OR``, ``XOR``; ``&&``, ``&``, ``AND``, shifts;
comparisons; ``+ -``; ``* / %``; ``** ^``; unary operators and functions. Binary operators of one
level bind from the left, so ``2**3**2`` is 64 and ``-2**2`` is 4. Arithmetic is IEEE: ``1/0`` is
infinite and ``SQRT(-1)`` is not a number. Assignment (``:=``) and several expressions (``;``)
are refused, as the swait record refuses them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from adsupport.sim.synapps.calc_operations import BINARY, CONSTANTS, FUNCTIONS, PREFIX, Operation

INPUTS = "ABCDEFGHIJKL"
"""Names of the inputs an expression may use."""

MAX_DEPTH = 80
"""Deepest nesting of parentheses, operators and conditions that is accepted."""

_NUMBER = re.compile(r"0X[0-9A-F]+|(?:\d+\.?\d*|\.\d+)(?:E[+-]?\d+)?|INFINITY|INF|NAN", re.I)


class CalcError(ValueError):
    """An expression that the language does not allow.

    Attributes
    ----------
    text : str
        The whole expression.
    position : int
        Index of the first character that could not be understood.
    """

    def __init__(self, reason: str, text: str, position: int) -> None:
        self.text = text
        self.position = position
        found = repr(text[position : position + 8]) if position < len(text) else "the end"
        super().__init__(f"calc expression {text!r}: {reason} at column {position + 1}, at {found}")


class Random16:
    """The 16-bit linear congruential generator behind ``RNDM``.

    Each draw is ``seed = (1533 * seed + 0x3141) mod 2**16``, returned as ``seed / 65535``; the
    sequence from one start is always the same, and one generator serves a whole IOC.

    Parameters
    ----------
    seed : int
        Start value, 16 bits.
    """

    def __init__(self, seed: int = 0xA3BF) -> None:
        self._seed = seed & 0xFFFF

    def __call__(self) -> float:
        """Return the next number, in 0..1."""
        self._seed = (1533 * self._seed + 0x3141) & 0xFFFF
        return self._seed / 65535.0


@dataclass(frozen=True, slots=True)
class _Number:
    number: float


@dataclass(frozen=True, slots=True)
class _Input:
    index: int


@dataclass(frozen=True, slots=True)
class _Previous:
    """The record's last result, ``VAL``."""


@dataclass(frozen=True, slots=True)
class _Draw:
    """A number out of the random generator."""


@dataclass(frozen=True, slots=True)
class _Apply:
    operation: Operation
    arguments: int


@dataclass(frozen=True, slots=True)
class _Jump:
    target: int
    when_zero: bool


_Step = _Number | _Input | _Previous | _Draw | _Apply | _Jump


class Expression:
    """A compiled expression; made by :func:`compile_calc`.

    Attributes
    ----------
    text : str
        The expression as it was written.
    """

    def __init__(self, text: str, steps: Sequence[_Step]) -> None:
        self.text = text
        self._steps = tuple(steps)

    def __call__(
        self,
        inputs: Sequence[float] = (),
        value: float = 0.0,
        random: Callable[[], float] | None = None,
    ) -> float:
        """Evaluate.

        Parameters
        ----------
        inputs : sequence of float
            Values of A, B, ... L; missing ones are 0.
        value : float
            What ``VAL`` stands for: the previous result.
        random : callable, optional
            Source of ``RNDM``; a fresh :class:`Random16` when omitted.

        Returns
        -------
        float
            May be infinite or not a number.
        """
        random = random or Random16()
        stack: list[float] = []
        position = 0
        with np.errstate(all="ignore"):
            while position < len(self._steps):
                step = self._steps[position]
                position += 1
                match step:
                    case _Number(number):
                        stack.append(number)
                    case _Input(index):
                        stack.append(inputs[index] if index < len(inputs) else 0.0)
                    case _Apply(operation, arguments):
                        first = len(stack) - arguments
                        stack[first:] = [float(operation.function(*stack[first:]))]
                    case _Jump(target, when_zero):
                        if not when_zero or stack.pop() == 0.0:
                            position = target
                    case _Previous():
                        stack.append(value)
                    case _Draw():
                        stack.append(random())
        return float(stack[-1])


def compile_calc(text: str) -> Expression:
    """Compile an expression.

    Parameters
    ----------
    text : str
        Infix expression; upper and lower case are the same.

    Returns
    -------
    Expression
        Callable with the inputs.

    Raises
    ------
    CalcError
        Where the text is no expression of the language.
    """
    return _Parser(text).parse()


class _Parser:
    """Precedence climbing; emits postfix steps while it reads."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.upper = text.upper()
        self.position = 0
        self.steps: list[_Step] = []

    def parse(self) -> Expression:
        self.conditional(0)
        if not self.at_end():
            raise self.error("expected an operator or the end")
        return Expression(self.text, self.steps)

    def conditional(self, depth: int) -> None:
        """``test ? when_true : when_false``, or just ``test``."""
        self.check(depth)
        self.binary(1, depth)
        if not self.accept("?"):
            return
        to_else = self.reserve()
        self.conditional(depth + 1)
        if self.upper.startswith(":=", self.position) or not self.accept(":"):
            raise self.error("expected ':'")
        to_end = self.reserve()
        self.steps[to_else] = _Jump(len(self.steps), when_zero=True)
        self.conditional(depth + 1)
        self.steps[to_end] = _Jump(len(self.steps), when_zero=False)

    def binary(self, level: int, depth: int) -> None:
        self.check(depth)
        self.operand(depth + 1)
        while True:
            self.skip_blanks()
            symbol = self.longest(BINARY)
            if symbol is None or BINARY[symbol].level < level:
                return
            self.position += len(symbol)
            operation = BINARY[symbol]
            self.binary(operation.level + 1, depth + 1)
            self.steps.append(_Apply(operation, 2))

    def operand(self, depth: int) -> None:
        self.check(depth)
        if self.at_end():
            raise self.error("expected a value")
        # The longest name wins: EXP is a function, not the input E.
        name = self.longest(FUNCTIONS) or ""
        number = _NUMBER.match(self.text, self.position)
        if number and len(number[0]) > len(name):
            self.position = number.end()
            self.steps.append(_Number(_number(number[0])))
        elif name:
            self.position += len(name)
            self.function(FUNCTIONS[name], depth)
        elif (symbol := self.longest(PREFIX)) is not None:
            self.position += len(symbol)
            self.operand(depth + 1)
            self.steps.append(_Apply(PREFIX[symbol], 1))
        elif (symbol := self.longest(CONSTANTS)) is not None:
            self.position += len(symbol)
            self.steps.append(_Number(CONSTANTS[symbol]))
        elif self.accept("RNDM"):
            self.steps.append(_Draw())
        elif self.accept("VAL"):
            self.steps.append(_Previous())
        elif self.upper[self.position] in INPUTS:
            self.steps.append(_Input(INPUTS.index(self.upper[self.position])))
            self.position += 1
        elif self.accept("("):
            self.conditional(depth + 1)
            if not self.accept(")"):
                raise self.error("expected ')'")
        else:
            raise self.error("expected a value")

    def function(self, operation: Operation, depth: int) -> None:
        """Arguments in parentheses; a function of one argument may go without."""
        arguments = 1
        if self.accept("("):
            self.conditional(depth + 1)
            while self.accept(","):
                self.conditional(depth + 1)
                arguments += 1
            if not self.accept(")"):
                raise self.error("expected ',' or ')'")
        else:
            self.operand(depth + 1)
        if not operation.fewest <= arguments <= operation.most:
            raise self.error(f"wrong number of arguments ({arguments})")
        self.steps.append(_Apply(operation, arguments))

    def reserve(self) -> int:
        """Keep a place for a jump whose target is not known yet."""
        self.steps.append(_Jump(0, when_zero=False))
        return len(self.steps) - 1

    def skip_blanks(self) -> None:
        while self.position < len(self.text) and self.text[self.position].isspace():
            self.position += 1

    def at_end(self) -> bool:
        self.skip_blanks()
        return self.position >= len(self.text)

    def accept(self, symbol: str) -> bool:
        self.skip_blanks()
        if self.upper.startswith(symbol, self.position):
            self.position += len(symbol)
            return True
        return False

    def longest(self, table: dict[str, Operation] | dict[str, float]) -> str | None:
        found = [name for name in table if self.upper.startswith(name, self.position)]
        return max(found, key=len, default=None)

    def check(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise self.error(f"nested deeper than {MAX_DEPTH}")

    def error(self, reason: str) -> CalcError:
        return CalcError(reason, self.text, self.position)


def _number(text: str) -> float:
    if text[:2].upper() == "0X":
        # Hexadecimal literals are 32-bit integers, and signed.
        return float(np.uint32(int(text, 16) & 0xFFFFFFFF).astype(np.int32))
    return math.nan if text.upper() == "NAN" else float(text)
