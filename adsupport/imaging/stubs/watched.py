"""A plan that ends early when something beside it has failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bluesky.utils import ensure_generator

from .cleanup import Plan

__all__ = ["watched"]


def watched(plan: Any, check: Callable[[], None]) -> Plan:
    """Run a plan, and look before each of its messages whether all is well.

    Parameters
    ----------
    plan : iterable of Msg
        The plan.
    check : callable
        Raises what is wrong, once: the plan gets it as if its message had failed, and cleans up.

    Yields
    ------
    Msg
        The plan's.

    Returns
    -------
    any
        What the plan returns.

    Raises
    ------
    BaseException
        What ``check`` or the plan raised.
    """
    inner = ensure_generator(plan)
    answer, problem = None, None
    while True:
        try:
            message = inner.send(answer) if problem is None else inner.throw(problem)
        except StopIteration as ended:
            return ended.value
        answer = problem = None
        try:
            check()
            answer = yield message
        except GeneratorExit:
            inner.close()
            raise
        except BaseException as error:
            problem = error
