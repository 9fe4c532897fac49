"""Stopping a device, and waiting until it stands: one that moves may not take another target."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import bluesky.plan_stubs as bps

from ...devices.signals.reading import wait_for
from ...errors import PutError
from ...plans.in_loop import in_loop
from ...plans.in_thread import in_thread
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
        # its SUB_DONE tells only of moves that succeed, not of one that ends at a limit switch
        stands = partial(wait_for, partial(_stands, device), timeout)
        if not (yield from in_thread(stands)):
            raise _moves_on(device, timeout)
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


def _stands(device: Any) -> bool:
    done = getattr(device, "motor_done_move", None)  # a motor record begins before it moves
    try:
        return not device.moving and (done is None or bool(done.get(use_monitor=False)))
    except TimeoutError:
        if done is None or not done.connected:
            raise
        return False  # its IOC is busy: asked again


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
