"""Ready calculations for a swait record: signals to try scans with."""

from __future__ import annotations

import math
from typing import Any

from ...errors import ConfigurationError
from ..signals.putting import PUT_TIMEOUT, put_and_confirm
from .records import SwaitRecord

__all__ = [
    "setup_gaussian_swait",
    "setup_incrementer_swait",
    "setup_lorentzian_swait",
    "setup_random_number_swait",
]

# swait keeps 35 characters of a calculation.  A: x, B: centre, C: width, D: height, E: noise.
_NOISY_HEIGHT = "D*(1-E*RNDM)"
_GAUSSIAN = f"{_NOISY_HEIGHT}/EXP(((A-B)/C)^2)"
_LORENTZIAN = f"{_NOISY_HEIGHT}/(1+((A-B)/C)^2)"


def setup_random_number_swait(
    swait: SwaitRecord, scan: str = ".1 second", timeout: float = PUT_TIMEOUT
) -> None:
    """Make a record give random numbers, evenly spread from 0 to 1.

    The record's switch (``userCalcEnable``) is switched on if it is off, or the record
    would stand still.

    Parameters
    ----------
    swait : SwaitRecord
        The record.
    scan : str
        How often, a choice of the field SCAN.
    timeout : float
        Longest wait for each put, in seconds.

    Raises
    ------
    PutError
        The IOC didn't take a value.
    """
    _begin(swait, "uniform random numbers", timeout)
    put_and_confirm(swait.calculation, "RNDM", timeout)
    _run(swait, scan, timeout)


def setup_gaussian_swait(
    swait: SwaitRecord,
    ref_signal: Any,
    center: float = 0.0,
    width: float = 1.0,
    scale: float = 1.0,
    noise: float = 0.05,
    timeout: float = PUT_TIMEOUT,
) -> None:
    r"""Make a record give a noisy Gaussian of another signal.

    :math:`y = D\,(1 - E r)\,\exp(-((x - B) / C)^2)` with r random from 0 to 1.

    Parameters
    ----------
    swait : SwaitRecord
        The record.
    ref_signal : ophyd.EpicsSignal, ophyd.EpicsMotor or str
        x: the signal, the motor (its readback), or the name of a process variable.
    center : float
        B, in units of x.
    width : float
        C, greater than 0, in units of x: the height has fallen to 1/e there.
    scale : float
        D: the height.
    noise : float
        E, from 0 to 1: the part of the height that is random.
    timeout : float
        Longest wait for each put, in seconds.

    Raises
    ------
    ConfigurationError
        A number is out of its range, or the signal has no process variable.
    PutError
        The IOC didn't take a value.
    """
    _set_up_peak(swait, "Gaussian", _GAUSSIAN, ref_signal, center, width, scale, noise, timeout)


def setup_lorentzian_swait(
    swait: SwaitRecord,
    ref_signal: Any,
    center: float = 0.0,
    width: float = 1.0,
    scale: float = 1.0,
    noise: float = 0.05,
    timeout: float = PUT_TIMEOUT,
) -> None:
    r"""Make a record give a noisy Lorentzian of another signal.

    :math:`y = D\,(1 - E r) / (1 + ((x - B) / C)^2)` with r random from 0 to 1.

    Parameters
    ----------
    swait : SwaitRecord
        The record.
    ref_signal : ophyd.EpicsSignal, ophyd.EpicsMotor or str
        x: the signal, the motor (its readback), or the name of a process variable.
    center : float
        B, in units of x.
    width : float
        C, greater than 0, in units of x: half of the full width at half maximum.
    scale : float
        D: the height.
    noise : float
        E, from 0 to 1: the part of the height that is random.
    timeout : float
        Longest wait for each put, in seconds.

    Raises
    ------
    ConfigurationError
        A number is out of its range, or the signal has no process variable.
    PutError
        The IOC didn't take a value.
    """
    _set_up_peak(swait, "Lorentzian", _LORENTZIAN, ref_signal, center, width, scale, noise, timeout)


def setup_incrementer_swait(
    swait: SwaitRecord,
    scan: str = ".1 second",
    limit: int = 100_000,
    timeout: float = PUT_TIMEOUT,
) -> None:
    """Make a record count from 0 to ``limit - 1``, over and over.

    Parameters
    ----------
    swait : SwaitRecord
        The record.
    scan : str
        How often, a choice of the field SCAN.
    limit : int
        How many numbers, at least 1.
    timeout : float
        Longest wait for each put, in seconds.

    Raises
    ------
    ConfigurationError
        The limit is less than 1.
    PutError
        The IOC didn't take a value.
    """
    if not (math.isfinite(limit) and limit >= 1):
        raise ConfigurationError(f"limit must be at least 1, got {limit}.")
    _begin(swait, "incrementer", timeout)
    put_and_confirm(swait.channels.A.input_pv, swait.calculated_value.pvname, timeout)
    put_and_confirm(swait.channels.B.input_value, limit, timeout)
    put_and_confirm(swait.calculation, "(A+1) % B", timeout)
    _run(swait, scan, timeout)


def _set_up_peak(
    swait: SwaitRecord,
    shape: str,
    calculation: str,
    ref_signal: Any,
    center: float,
    width: float,
    scale: float,
    noise: float,
    timeout: float,
) -> None:
    x = _pv_of(ref_signal)
    for word, number in (("center", center), ("scale", scale)):
        if not math.isfinite(number):
            raise ConfigurationError(f"{word} must be a finite number, got {number}.")
    if not (math.isfinite(width) and width > 0):
        raise ConfigurationError(f"width must be greater than 0, got {width}.")
    if not 0 <= noise <= 1:
        raise ConfigurationError(f"noise must be from 0 to 1, got {noise}.")
    _begin(swait, f"{shape} curve", timeout)
    channels = swait.channels
    for channel, number in (
        (channels.B, center),
        (channels.C, width),
        (channels.D, scale),
        (channels.E, noise),
    ):
        put_and_confirm(channel.input_value, number, timeout)
    put_and_confirm(swait.calculation, calculation, timeout)
    put_and_confirm(channels.A.input_pv, x, timeout)
    _run(swait, "I/O Intr", timeout)


def _pv_of(signal: Any) -> str:
    if isinstance(signal, str) and signal:
        return signal
    # A motor stands for its readback.
    signal = getattr(signal, "user_readback", signal)
    name = getattr(signal, "pvname", None)
    if not name:
        raise ConfigurationError(
            f"ref_signal must be an EPICS signal, a motor or the name of a process variable, got "
            f"{signal!r}."
        )
    return name


def _begin(swait: SwaitRecord, description: str, timeout: float) -> None:
    swait.reset(timeout)
    swait.enable_processing(timeout)
    put_and_confirm(swait.description, description, timeout)


def _run(swait: SwaitRecord, scan: str, timeout: float) -> None:
    put_and_confirm(swait.scanning_rate, scan, timeout)
    swait.read_attrs = ["calculated_value"]
