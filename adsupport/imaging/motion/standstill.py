"""Stopping a device, and waiting until it stands: one that moves may not take another target."""

from __future__ import annotations

from typing import Any

import bluesky.plan_stubs as bps
from ophyd.status import Status

from ..cleanup import Plan

__all__ = ["halt"]


def halt(device: Any, timeout: float = 30.0) -> Plan:
    """Stop a device, and wait until it stands.

    A motor record that gets a target while it slows down may call the place where it stops its
    target, and a client take that for the end of its own motion.

    Parameters
    ----------
    device : bluesky Movable
        One that can't be stopped is left alone; whether it stands is known of those with
        ``moving`` and ``subscribe``, as positioners of ophyd have them.
    timeout : float
        Longest wait, in seconds.

    Yields
    ------
    Msg
        Messages for the RunEngine.
    """
    if not callable(getattr(device, "stop", None)):
        return
    yield from bps.stop(device)
    if hasattr(device, "SUB_DONE") and hasattr(type(device), "moving"):
        standing: Any = _Standing(device, timeout)
        yield from bps.trigger(standing, wait=True)


class _Standing:
    """Looks like a device: its trigger ends when a positioner stands."""

    parent = None

    def __init__(self, device: Any, timeout: float) -> None:
        self.name = f"{device.name} standing"
        self._device, self._timeout = device, timeout

    def trigger(self) -> Status:
        """Wait for it."""
        device, status = self._device, Status(timeout=self._timeout)

        def look(**_: Any) -> None:
            if not status.done and _stands(device):
                status.set_finished()

        token = device.subscribe(look, event_type=device.SUB_DONE, run=False)
        status.add_callback(lambda _: device.unsubscribe(token))
        look()
        return status


def _stands(device: Any) -> bool:
    done = getattr(device, "motor_done_move", None)  # a motor record begins before it moves
    return not device.moving and (done is None or bool(done.get(use_monitor=False)))
