"""Let a plan wait for a call that would block the RunEngine."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextvars import copy_context
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import Msg

__all__ = ["in_thread"]


def in_thread(call: Callable[[], Any]) -> Generator[Msg, Any, Any]:
    """Call something in a thread and a copy of the context; the RunEngine works on meanwhile.

    Parameters
    ----------
    call : callable
        Without arguments.

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
    outcome: Future[Any] = Future()
    outcome.set_running_or_notify_cancel()  # from now on nobody can cancel it
    begun: list[threading.Thread] = []

    def work() -> None:
        try:
            outcome.set_result(call())
        except Exception as error:
            outcome.set_exception(error)
        except BaseException as error:  # a thread that just ends would be waited for
            problem = RuntimeError(f"{type(error).__name__} in a thread of a plan: {error}")
            problem.__cause__ = error
            outcome.set_exception(problem)

    async def wait() -> None:
        if not begun:  # after a pause the RunEngine waits again, for the same call
            run = copy_context().run
            begun.append(threading.Thread(target=run, args=(work,), name="in_thread", daemon=True))
            begun[0].start()
        ended = asyncio.wrap_future(outcome)
        await asyncio.wait([ended])
        ended.exception()  # is told below

    yield from bps.wait_for([wait])
    return outcome.result(timeout=0)
