"""What writing a motor field changes in other fields: speeds, limits, offset, resolution.

Each function takes the record after the written field has its new value. Fields that change at
once are posted at once; those that the record posts when it has processed are marked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adsupport.sim.motor.record import MotorRecord

SPEEDS = (("VELO", "S"), ("VBAS", "SBAS"), ("VMAX", "SMAX"), ("BVEL", "SBAK"))
"""Pairs of the same speed, in units/s and in revolutions/s."""

LOWEST_DEADBAND_FACTOR = 2
DEFAULT_RAMP = 0.1
DEFAULT_STEPS = 200
SMALLEST_STEP = 1e-9


def _within(motor: MotorRecord, field: str, lowest: float, highest: float) -> None:
    """Keep a speed between two others; a highest one of 0 is none."""
    value = max(motor[field], lowest)
    if highest:
        value = min(value, highest)
    motor.change(field, value)


def _in_range(motor: MotorRecord, field: str) -> None:
    lowest, highest = ("SBAS", "SMAX") if field in ("S", "SBAK") else ("VBAS", "VMAX")
    _within(motor, field, motor[lowest], motor[highest])


def _other_speed(motor: MotorRecord, field: str) -> None:
    """Make the other field of a pair of speeds agree."""
    turn = abs(motor["UREV"])
    for per_second, turns in SPEEDS:
        if field == per_second and turn:
            motor.change(turns, motor[per_second] / turn)
        elif field == turns:
            motor.change(per_second, turn * motor[turns])


def _speed(field: str) -> Callable[[MotorRecord], None]:
    def check(motor: MotorRecord) -> None:
        _in_range(motor, field)
        _other_speed(motor, field)

    return check


def _limit_speed(field: str) -> Callable[[MotorRecord], None]:
    """VBAS, SBAS, VMAX, SMAX: never negative, in order, and the other speeds within them."""

    def check(motor: MotorRecord) -> None:
        motor.change(field, max(motor[field], 0.0))
        _other_speed(motor, field)
        if motor["VMAX"] and motor["VBAS"] > motor["VMAX"]:
            winner, loser = ("VMAX", "VBAS") if field in ("VMAX", "SMAX") else ("VBAS", "VMAX")
            motor.change(loser, motor[winner])
            _other_speed(motor, loser)
        for speed in ("VELO", "BVEL", "JVEL", "HVEL"):
            _in_range(motor, speed)
            _other_speed(motor, speed)
        motor.post_metadata("VELO")

    return check


def _ramp(field: str) -> Callable[[MotorRecord], None]:
    def check(motor: MotorRecord) -> None:
        if motor[field] <= 0:
            motor.change(field, DEFAULT_RAMP)
        _share_acceleration(motor)

    return check


def _share_acceleration(motor: MotorRecord) -> None:
    """ACCS is the acceleration that VELO, VBAS and ACCL amount to."""
    motor.change("ACCS", (motor["VELO"] - motor["VBAS"]) / motor["ACCL"])


def _acceleration(motor: MotorRecord) -> None:
    if motor["ACCS"] > 0 and motor["VELO"] > motor["VBAS"]:
        motor.change("ACCL", (motor["VELO"] - motor["VBAS"]) / motor["ACCS"])
    else:
        _share_acceleration(motor)


def _slew(field: str) -> Callable[[MotorRecord], None]:
    def check(motor: MotorRecord) -> None:
        _speed(field)(motor)
        if motor["ACCU"]:  # the acceleration stays, the time changes
            _acceleration(motor)
        else:
            _share_acceleration(motor)

    return check


def user_limits(motor: MotorRecord) -> None:
    """Translate the dial limits to user limits."""
    offset = motor["OFF"]
    if motor.sign > 0:
        motor["HLM"], motor["LLM"] = motor["DHLM"] + offset, motor["DLLM"] + offset
    else:
        motor["HLM"], motor["LLM"] = offset - motor["DLLM"], offset - motor["DHLM"]
    motor.mark("HLM", "LLM")
    motor.show_limits()


def _from_user_limit(field: str) -> Callable[[MotorRecord], None]:
    def check(motor: MotorRecord) -> None:
        high = (field == "HLM") == (motor.sign > 0)
        dial = "DHLM" if high else "DLLM"
        motor[dial] = motor.sign * (motor[field] - motor["OFF"])
        motor.mark(dial, field)
        motor.show_limits()

    return check


def _from_dial_limit(motor: MotorRecord) -> None:
    user_limits(motor)
    motor.mark("DHLM", "DLLM")


def _direction(motor: MotorRecord) -> None:
    if motor["FOFF"]:
        motor["VAL"] = motor["LVAL"] = motor.to_user(motor["DVAL"])
        motor.mark("VAL")
    else:
        motor["OFF"] = motor["VAL"] - motor["DVAL"] * motor.sign
        motor.mark("OFF")
    motor["RBV"] = motor.to_user(motor["DRBV"])
    motor.mark("RBV")
    user_limits(motor)


def _offset(motor: MotorRecord) -> None:
    motor["VAL"] = motor.to_user(motor["DVAL"])
    motor["LVAL"] = motor.to_user(motor["LDVL"])
    motor["RBV"] = motor.to_user(motor["DRBV"])
    motor.mark("VAL", "RBV")
    user_limits(motor)


def _resolution(field: str) -> Callable[[MotorRecord], None]:
    """MRES, UREV and SREV agree, and speeds in revolutions stay what they are."""

    def check(motor: MotorRecord) -> None:
        if motor["SREV"] <= 0:
            motor.change("SREV", DEFAULT_STEPS)
        if field == "MRES" or abs(motor["UREV"] / motor["SREV"]) < SMALLEST_STEP:
            if abs(motor["MRES"]) < SMALLEST_STEP:
                motor.change("MRES", 1.0)
            motor.change("UREV", motor["MRES"] * motor["SREV"])
        else:
            motor.change("MRES", motor["UREV"] / motor["SREV"])
        if field != "SREV":
            for _, turns in SPEEDS:
                _other_speed(motor, turns)
        motor.resolution_changed = True
        motor.show_limits()

    return check


def _deadband(motor: MotorRecord) -> None:
    motor.change("RDBD", max(motor["RDBD"], abs(motor["MRES"])))


def _fraction(motor: MotorRecord) -> None:
    motor.change("FRAC", min(max(motor["FRAC"], 0.1), 1.5))


def _jog_acceleration(motor: MotorRecord) -> None:
    if motor["JAR"] <= 0:
        motor.change("JAR", motor["JVEL"] / DEFAULT_RAMP)


def _new_target_factor(motor: MotorRecord) -> None:
    motor.change("NTMF", max(motor["NTMF"], LOWEST_DEADBAND_FACTOR))


def _button(field: str, state: int) -> Callable[[MotorRecord], None]:
    def press(motor: MotorRecord) -> None:
        motor.change(field, state)

    return press


AFTER_PUT: dict[str, Callable[[MotorRecord], None]] = {
    "VELO": _slew("VELO"),
    "S": _slew("S"),
    "BVEL": _speed("BVEL"),
    "SBAK": _speed("SBAK"),
    "JVEL": _speed("JVEL"),
    "HVEL": _speed("HVEL"),
    "VBAS": _limit_speed("VBAS"),
    "SBAS": _limit_speed("SBAS"),
    "VMAX": _limit_speed("VMAX"),
    "SMAX": _limit_speed("SMAX"),
    "ACCL": _ramp("ACCL"),
    "BACC": _ramp("BACC"),
    "ACCS": _acceleration,
    "HLM": _from_user_limit("HLM"),
    "LLM": _from_user_limit("LLM"),
    "DHLM": _from_dial_limit,
    "DLLM": _from_dial_limit,
    "DIR": _direction,
    "OFF": _offset,
    "MRES": _resolution("MRES"),
    "UREV": _resolution("UREV"),
    "SREV": _resolution("SREV"),
    "RDBD": _deadband,
    "BDST": _deadband,
    "FRAC": _fraction,
    "JAR": _jog_acceleration,
    "NTMF": _new_target_factor,
    "SSET": _button("SET", 1),
    "SUSE": _button("SET", 0),
    "FOF": _button("FOFF", 1),
    "VOF": _button("FOFF", 0),
}
"""What each field does after it was written."""
