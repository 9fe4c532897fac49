"""Let a plan await something in the RunEngine's loop, where devices of ophyd-async live."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import Msg, maybe_await

__all__ = ["in_loop"]


def in_loop(call: Callable[[], Any]) -> Generator[Msg, Any, Any]:
    """Call something in the RunEngine's loop, and await what it returns if that can be awaited.

    Parameters
    ----------
    call : callable
        Without arguments; it's called again when the plan was paused meanwhile.

    Yields
    ------
    Msg
        To the RunEngine.

    Returns
    -------
    any
        What the call returns.

    Raises
    ------
    Exception
        What the call raises.
    """
    outcome: dict[str, Any] = {}

    async def work() -> None:
        outcome.clear()
        try:
            outcome["result"] = await maybe_await(call())
        except Exception as error:  # the RunEngine wouldn't tell the plan
            outcome["error"] = error

    yield from bps.wait_for([work])
    if "error" in outcome:
        raise outcome["error"]
    return outcome.get("result")
