"""Hardware that triggers the camera where the stage is, not when: position compare.

What a fly scan needs of it is a small protocol, which :class:`.AerotechController` has:
``FlyAxis(motor, position_compare=controller)`` lets it trigger the camera.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from bluesky.utils import ensure_generator

from ..stubs.cleanup import Plan, Step, with_cleanup
from ..stubs.moves_in_time import move_within_time
from .limits import check_places
from .window import ConstantSpeedWindow

__all__ = ["PositionCompare", "with_position_compare"]


class PositionCompare(Protocol):
    """What a fly scan needs of position-compare hardware."""

    @property
    def name(self) -> str:
        """Its name, for messages."""
        ...

    def check(self, window: ConstantSpeedWindow) -> None:
        """Raise a ConfigurationError when there can't be pulses for these frames."""
        ...

    def reference(self, window: ConstantSpeedWindow) -> float | None:
        """Tell where the stage must stand when it is armed, in units; None: anywhere."""
        ...

    def program(self, window: ConstantSpeedWindow) -> Plan:
        """Tell it the positions of the pulses; none comes before it's armed."""
        ...

    def arm(self) -> Plan:
        """Let there be pulses."""
        ...

    def disarm(self) -> Plan:
        """Let there be none; also when it was never programmed or armed."""
        ...


def with_position_compare(
    plan: Callable[[], Any], compare: PositionCompare, motor: Any, window: ConstantSpeedWindow
) -> Plan:
    """Run the plan of a fly scan with the hardware programmed, armed and in the end disarmed.

    The stage is moved to the reference position, there the hardware is programmed and armed; then
    the stage is moved to ``window.start`` and the plan begins.  It sets the speed, makes the camera
    wait for triggers, and moves the stage to ``window.end``.

    Parameters
    ----------
    plan : callable
        Without arguments; gives the plan.
    compare : PositionCompare
        The hardware.
    motor : bluesky Movable
        The stage.
    window : ConstantSpeedWindow
        Its motion.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Returns
    -------
    any
        What the plan returns.

    Raises
    ------
    ConfigurationError
        The hardware or the stage can't do it; nothing has been moved.
    """
    compare.check(window)
    reference = compare.reference(window)
    places = {"its run-up begins": window.start, "its run-down ends": window.end}
    if reference is not None:
        places[f"{compare.name} is armed"] = reference
    yield from check_places(motor, places)

    def armed() -> Plan:
        if reference is not None:
            yield from move_within_time({motor: reference})
        yield from compare.program(window)
        yield from compare.arm()
        yield from move_within_time({motor: window.start})
        return (yield from ensure_generator(plan()))

    def steps() -> list[Step]:
        return [(f"disarm {compare.name}", compare.disarm)]

    return (yield from with_cleanup(armed(), steps))
