"""Numbers that a user gave: what they must be, or an error that names the argument."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from ...errors import ConfigurationError

__all__ = ["MOST", "finite", "positive", "whole", "yes_or_no"]

#: Frames of an experiment, at most: months, and lists of them that are no burden yet.
MOST = 10_000_000


def finite(argument: str, value: Any, unit: str = "") -> float:
    """Take a finite number.

    Parameters
    ----------
    argument : str
        Its name, for the message.
    value : any
        As given.
    unit : str
        Its unit, for the message.

    Returns
    -------
    float
        The number.

    Raises
    ------
    ConfigurationError
        It isn't one.
    """
    try:
        number = math.nan if isinstance(value, (str, bytes, bool)) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise ConfigurationError(f"{argument} must be a finite number{_in(unit)}, got {value!r}.")
    return number


def positive(argument: str, value: Any, unit: str = "", *, zero: bool = False) -> float:
    """Take a finite number above zero.

    Parameters
    ----------
    argument : str
        Its name, for the message.
    value : any
        As given.
    unit : str
        Its unit, for the message.
    zero : bool
        Whether zero will do as well.

    Returns
    -------
    float
        The number.

    Raises
    ------
    ConfigurationError
        It isn't one.
    """
    number = finite(argument, value, unit)
    if number < 0 or (number == 0 and not zero):
        least = "at least 0" if zero else "above 0"
        raise ConfigurationError(f"{argument} must be {least}{_in(unit)}, got {value!r}.")
    return number


def whole(argument: str, value: Any, least: int = 1, most: int = MOST) -> int:
    """Take a whole number.

    Parameters
    ----------
    argument : str
        Its name, for the message.
    value : any
        As given.
    least, most : int
        The smallest and the largest that will do.

    Returns
    -------
    int
        The number.

    Raises
    ------
    ConfigurationError
        It isn't one, or it is smaller or larger.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or number < least:
        raise ConfigurationError(
            f"{argument} must be a whole number, at least {least}, got {value!r}."
        )
    if number > most:
        raise ConfigurationError(f"{argument} must be at most {most}, got {number:.6g}.")
    return number


def yes_or_no(argument: str, value: Any) -> bool:
    """Take a bool.

    Parameters
    ----------
    argument : str
        Its name, for the message.
    value : bool
        As given.

    Returns
    -------
    bool
        The same.

    Raises
    ------
    ConfigurationError
        It's something else: tomoscan's ``"No"`` would be true.
    """
    if not isinstance(value, (bool, np.bool_)):
        raise ConfigurationError(f"{argument} must be True or False, got {value!r}.")
    return bool(value)


def _in(unit: str) -> str:
    return f" (in {unit})" if unit else ""
