"""What the RunEngine answers to a plan, for somebody who takes note of it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from bluesky.utils import Msg

__all__ = ["with_answers"]


def with_answers(
    plan: Generator[Msg, Any, Any], note: Callable[[Msg, Any], None]
) -> Generator[Msg, Any, Any]:
    """Run a plan, and tell what each of its messages was answered with.

    Parameters
    ----------
    plan : generator of Msg
        The plan.
    note : callable
        Called as ``note(message, answer)``, before the plan gets the answer; must not raise.

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
                note(message, answer)
                message = plan.send(answer)
    except StopIteration as end:
        return end.value
