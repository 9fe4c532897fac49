"""What devices of ophyd-async still do of what a plan has told them.

A plan that is interrupted leaves them at it: a motor that has been told where to go, and asks for
its limits yet, can't be stopped and goes there afterwards; a detector starts although unstaged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from bluesky.utils import FailedStatus

from ...plans.in_loop import in_loop
from .cleanup import Plan

__all__ = ["await_what", "end_what", "noting"]

_told: WeakKeyDictionary[Any, list[Any]] = WeakKeyDictionary()


def noting(plan: Plan) -> Plan:
    """Run a plan, and take note of what devices do.

    Parameters
    ----------
    plan : generator of Msg
        The plan.

    Yields
    ------
    Msg
        The plan's messages.

    Returns
    -------
    any
        What the plan returns.
    """
    try:
        message = next(plan)
        while True:
            try:
                answer = yield message
            except GeneratorExit:
                plan.close()
                raise
            except BaseException as error:
                message = plan.throw(error)
            else:
                if isinstance(getattr(answer, "task", None), asyncio.Task):
                    before = _told.get(message.obj, ())
                    _told[message.obj] = [each for each in (*before, answer) if not each.done]
                message = plan.send(answer)
    except StopIteration as end:
        return end.value


def end_what(device: Any) -> Plan:
    """Cancel what a device still does.

    Parameters
    ----------
    device : bluesky device
        The device; one of ophyd has no tasks that could be cancelled.

    Yields
    ------
    Msg
        Messages for the RunEngine.
    """
    yield from _until(device, _cancelled)


def await_what(device: Any, timeout: float) -> Plan:
    """Wait until a device has ended what it does, whatever becomes of it.

    Parameters
    ----------
    device : bluesky device
        The device.
    timeout : float
        Longest wait, in seconds; after it nothing happens.

    Yields
    ------
    Msg
        Messages for the RunEngine.
    """
    yield from _until(device, partial(asyncio.wait, timeout=timeout))


def _until(device: Any, ended: Callable[[list[asyncio.Task[Any]]], Awaitable[Any]]) -> Plan:
    """Wait for the tasks of a device, and take it for no failure that they haven't succeeded."""
    try:
        told = [each for each in _told.get(device, ()) if not each.done]
    except TypeError:  # it can't be a key
        return
    if not told:
        return

    async def wait() -> None:
        await ended([each.task for each in told])
        for _ in range(3):  # until the RunEngine has heard of it, and raises it here
            await asyncio.sleep(0)

    try:
        yield from in_loop(wait)
    except FailedStatus as error:
        if not any(each is known for each in error.args for known in told):
            raise


async def _cancelled(tasks: list[asyncio.Task[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks, timeout=10.0)
