"""A plan whose messages, and what the RunEngine answers to them, somebody else looks at."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from bluesky.utils import Msg, ensure_generator

__all__ = ["watched"]


def watched(
    plan: Any,
    check: Callable[[], None] = lambda: None,
    note: Callable[[Msg, Any], None] = lambda message, answer: None,
) -> Generator[Msg, Any, Any]:
    """Run a plan, and look at each of its messages before and behind it.

    Parameters
    ----------
    plan : iterable of Msg
        The plan.
    check : callable
        Called before each message, as ``check()``.
    note : callable
        Called as ``note(message, answer)`` before the plan gets the answer.  What these two raise
        the plan gets as if its message had failed, and cleans up.

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
        What ``check``, ``note`` or the plan raised.
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
            note(message, answer)
        except GeneratorExit:
            inner.close()
            raise
        except BaseException as error:
            problem = error
