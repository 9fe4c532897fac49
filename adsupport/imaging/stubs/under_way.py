"""What devices of ophyd-async still do of what a plan has told them.

A plan that is interrupted leaves them at it: a motor that has been told where to go, and asks for
its limits yet, can't be stopped and goes there afterwards; a detector starts although unstaged.
"""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

from bluesky.utils import FailedStatus, Msg

from ...plans.in_loop import in_loop
from .cleanup import Plan
from .watched import watched

__all__ = ["end_what", "noting"]

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

    def note(message: Msg, answer: Any) -> None:
        if isinstance(getattr(answer, "task", None), asyncio.Task):
            before = _told.get(message.obj, ())
            _told[message.obj] = [each for each in (*before, answer) if not each.done]

    return watched(plan, note=note)


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
    try:
        told = [each for each in _told.get(device, ()) if not each.done]
    except TypeError:  # it can't be a key
        return
    if not told:
        return

    async def end() -> None:
        tasks = [each.task for each in told]
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=10.0)
        for _ in range(3):  # until the RunEngine has heard of it, and raises it here
            await asyncio.sleep(0)

    try:
        yield from in_loop(end)
    except FailedStatus as error:
        if not any(each is known for each in error.args for known in told):
            raise
