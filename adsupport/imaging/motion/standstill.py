"""Stopping a device, and waiting until it stands: one that moves may not take another target."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import FailedStatus
from ophyd.status import Status

from ...errors import PutError
from ...plans.in_loop import in_loop
from ..stubs.cleanup import Plan
from ..stubs.under_way import end_what

__all__ = ["halt", "stop_well"]


def halt(device: Any, timeout: float = 30.0) -> Plan:
    """Stop a device, and wait until it stands.

    A motor record that gets a target while it slows down may call the place where it stops its
    target, and a client take that for the end of its own motion.

    Parameters
    ----------
    device : bluesky Movable
        One that can't be stopped is left alone; whether it stands is known of those with
        ``moving`` and ``subscribe``, as positioners of ophyd have them, and of those with
        ``motor_done_move``, as motors of ophyd-async.
    timeout : float
        Longest wait, in seconds.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Raises
    ------
    PutError
        It goes on moving, or is still to move.
    """
    if not callable(getattr(device, "stop", None)):
        return
    yield from end_what(device)
    yield from bps.stop(device)
    if hasattr(device, "SUB_DONE") and hasattr(type(device), "moving"):
        standing: Any = _Standing(device, timeout)
        try:
            yield from bps.trigger(standing, wait=True)
        except FailedStatus as error:
            if not standing.failed:
                raise
            raise _moves_on(device, timeout) from error
        return
    done = getattr(device, "motor_done_move", None)
    if callable(getattr(done, "subscribe_reading", None)):
        yield from in_loop(partial(_until_it_stands, device, done, timeout))


def stop_well(device: Any) -> Plan:
    """Stop a device for which that is no failure: the status of its move ends well.

    Parameters
    ----------
    device : bluesky Movable
        One that can't be stopped is left alone.

    Yields
    ------
    Msg
        Messages for the RunEngine.
    """
    if callable(getattr(device, "stop", None)):
        yield from in_loop(partial(device.stop, success=True))


class _Standing:
    """Looks like a device: its trigger ends when a positioner stands."""

    parent = None

    def __init__(self, device: Any, timeout: float) -> None:
        self.name = f"{device.name} standing"
        self._device, self._timeout = device, timeout
        self._status: Status | None = None

    @property
    def failed(self) -> bool:
        """Whether it has been waited for in vain."""
        return self._status is not None and self._status.done and not self._status.success

    def trigger(self) -> Status:
        """Wait for it."""
        device = self._device
        status = self._status = Status(timeout=self._timeout)

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


def _moves_on(device: Any, timeout: float) -> PutError:
    return PutError(
        f"{device.name} still moves, {timeout:g} s after it was told to stop",
        remedy="Look at the motor: it may be paused with a way before it (SPMG).",
    )


async def _until_it_stands(device: Any, done: Any, timeout: float) -> None:
    """Wait until a signal of ophyd-async says so."""
    stands = asyncio.Event()

    def look(reading: dict[str, Any]) -> None:
        if next(iter(reading.values()))["value"]:
            stands.set()

    done.subscribe_reading(look)
    try:
        await asyncio.wait_for(stands.wait(), timeout)
    except TimeoutError as error:
        raise _moves_on(device, timeout) from error
    finally:
        done.clear_sub(look)
