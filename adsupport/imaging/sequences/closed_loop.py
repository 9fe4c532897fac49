"""Measure, compare, correct, until it's good."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from typing import Any

import bluesky.plan_stubs as bps
from bluesky.utils import Msg, ensure_generator

from ...errors import ConfigurationError
from ..asked.arguments import whole

__all__ = ["closed_loop"]

logger = logging.getLogger(__name__)


def closed_loop(
    measure: Callable[[], Any],
    compare: Callable[[Any], Any],
    control: Callable[[Any], Any],
    max_iterations: int = 10,
) -> Generator[Msg, Any, bool]:
    """Measure and correct until the comparison is satisfied.

    Parameters
    ----------
    measure : callable
        Without arguments; gives the plan that measures and returns what it found.
    compare : callable
        Takes what was found; returns whether it's good, or gives a plan that returns it.
    control : callable
        Takes what was found; gives the plan that corrects it.
    max_iterations : int
        How often to measure at most.  There is no correction behind the last measurement: nobody
        would see what it did.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Returns
    -------
    bool
        Whether it's good.  ``RE(...)`` itself returns the uids of runs; a RunEngine that was made
        with ``call_returns_result=True`` has this in ``RE(...).plan_result``.

    Raises
    ------
    ConfigurationError
        An argument can't be, or ``compare`` returned None.

    Examples
    --------
    >>> def measure():
    ...     return (yield from bps.rd(tilt))
    >>> def control(found):
    ...     yield from bps.mvr(leg, -0.5 * found)
    >>> RE = RunEngine({}, call_returns_result=True)  # doctest: +SKIP
    >>> RE(closed_loop(measure, lambda found: abs(found) < 0.01, control)).plan_result
    ... # doctest: +SKIP
    """
    max_iterations = whole("max_iterations", max_iterations)
    for name, each in (("measure", measure), ("compare", compare), ("control", control)):
        if not callable(each):
            raise ConfigurationError(
                f"{name} must be a function, got {each!r}",
                remedy="Give the function itself, without calling it.",
            )
    for iteration in range(1, max_iterations + 1):
        yield from bps.checkpoint()
        found = yield from ensure_generator(measure())
        good = compare(found)
        if hasattr(good, "send") or hasattr(good, "__next__"):
            good = yield from ensure_generator(good)
        if good is None:
            raise ConfigurationError(
                f"compare returned None for {found!r}", remedy="It must return True or False."
            )
        logger.info("iteration %d: %r is %s", iteration, found, "good" if good else "not yet good")
        if good:
            return True
        if iteration < max_iterations:
            yield from ensure_generator(control(found))
    return False
