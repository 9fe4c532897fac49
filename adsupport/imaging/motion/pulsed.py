"""A camera that takes its frames when pulses come, instead of by its own clock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import short_uid
from ophyd.status import Status

from ...devices.files.compression import choice_index
from ...errors import AcquireTimeoutError, ConfigurationError
from ..stubs.cleanup import Plan, Step, with_cleanup
from ..stubs.moves import set_and_wait

__all__ = ["on_pulses", "trigger_and_then"]

_TIMEOUT = 10.0  # s, for a setting, and until a camera has begun to wait


def on_pulses(device: Any, mode: str | None, plan: Callable[[], Any]) -> Plan:
    """Run a plan with a camera's trigger mode set to that of pulses, and put it back.

    Parameters
    ----------
    device : ophyd Device
        With a ``cam.trigger_mode``.
    mode : str or None
        The mode; None leaves it as it is.
    plan : callable
        Gives the plan.

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
        The camera hasn't got the mode.
    """
    if mode is None:
        return (yield from plan())
    signal = getattr(getattr(device, "cam", None), "trigger_mode", None)
    choices = list(getattr(signal, "enum_strs", None) or ())
    index = choice_index(choices, mode)
    if signal is None or index is None:
        raise ConfigurationError(
            f"pulse_mode={mode!r}: {device.name} has "
            f"{', '.join(map(repr, choices)) or 'no trigger modes'}",
            remedy="Give FlyAxis(..., pulse_mode=) the one in which a pulse begins a frame, or "
            "None if it's set already.",
        )
    before = yield from bps.rd(signal)

    def pulsed() -> Plan:
        yield from set_and_wait(signal, index, _TIMEOUT)
        return (yield from plan())

    def back() -> list[Step]:
        return [("restore the trigger mode", lambda: set_and_wait(signal, before, _TIMEOUT))]

    return (yield from with_cleanup(pulsed(), back))


def trigger_and_then(device: Any, start: Callable[[], Any], timeout: float) -> Plan:
    """Start a camera, begin the motion when it waits for pulses, and wait for all frames.

    Parameters
    ----------
    device : bluesky Triggerable
        The camera; of one with ``cam.acquire`` its read-back tells that it waits.
    start : callable
        Gives the plan that begins the motion.
    timeout : float
        Longest wait for the frames, in seconds.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Raises
    ------
    AcquireTimeoutError
        Not all pulses came.
    """
    group = short_uid("pulses")
    yield from bps.trigger(device, group=group)
    acquire = getattr(getattr(device, "cam", None), "acquire", None)
    if acquire is not None:
        waiting: Any = _Waiting(acquire)
        yield from bps.trigger(waiting, wait=True)
    yield from start()
    try:
        yield from bps.wait(group, timeout=timeout)
    except TimeoutError as error:
        raise AcquireTimeoutError(
            f"{device.name} hasn't got a pulse for each frame within {timeout:.3g} s",
            remedy="Look at the cable, the camera's trigger input and the controller's window.",
        ) from error


class _Waiting:
    """Looks like a device: its trigger ends when a camera acquires."""

    parent = None

    def __init__(self, acquire: Any) -> None:
        self.name, self._acquire = f"{acquire.name} is on", acquire

    def trigger(self) -> Status:
        """Wait for it."""
        status = Status(timeout=_TIMEOUT)

        def look(value: Any = None, **_: Any) -> None:
            if value and not status.done:
                status.set_finished()

        token = self._acquire.subscribe(look)
        status.add_callback(lambda _: self._acquire.unsubscribe(token))
        return status
