"""Plans that clean up on every way out, whatever fails on that way."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable
from typing import Any

from bluesky.utils import Msg, ensure_generator

__all__ = ["Plan", "Step", "with_cleanup"]

logger = logging.getLogger(__name__)

Plan = Generator[Msg, Any, Any]
#: What is done, in a few words, and the function that gives the plan of it.
Step = tuple[str, Callable[[], Any]]


def with_cleanup(plan: Any, steps: Callable[[], Iterable[Step]]) -> Plan:
    """Run a plan, and then all steps, also when the plan or one of the steps fails.

    Parameters
    ----------
    plan : iterable of Msg
        The plan.
    steps : callable
        Gives the steps when the plan has ended; each is tried whatever becomes of the others,
        and once more if it fails: a request to abort may have come right then.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Returns
    -------
    any
        What the plan returns.

    Raises
    ------
    BaseException
        What the plan raised, with what else failed as notes, also if the second attempt didn't;
        of a plan that didn't fail, what the first step raised that did.
    """
    first: BaseException | None = None
    result = None
    try:
        result = yield from ensure_generator(plan)
    except GeneratorExit:  # the RunEngine has given up: nothing can be sent to it
        raise
    except BaseException as error:
        first = error
    for what, step in steps():
        failed: list[BaseException] = []
        for attempt in (1, 2):
            try:
                made = step()
                if made is not None:
                    yield from ensure_generator(made)
                break
            except GeneratorExit:
                raise
            except BaseException as error:  # also a request to abort: the beam is to be closed
                logger.exception("%s: attempt %d failed", what, attempt)
                failed.append(error)
        others = [error for error in failed if error is not first]
        if first is None and others:
            first = others.pop(0)
        if first is not None and others:
            wrong = "it was not possible to" if len(failed) == 2 else "the first attempt to"
            ended = ":" if len(failed) == 2 else " failed:"
            about = [str(others[-1]), *getattr(others[-1], "__notes__", ())]
            first.add_note(f"Besides, {wrong} {what}{ended} {'; '.join(about)}")
    if first is not None:
        raise first
    return result
