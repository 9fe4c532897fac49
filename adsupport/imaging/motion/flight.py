"""Flights can't be taken up again: what has been missed is gone, and the stage has been stopped."""

from __future__ import annotations

import logging
from typing import Any

from bluesky.utils import Msg, NoReplayAllowed

from ...errors import InterruptedFlightError
from ..stubs.cleanup import Plan
from ..stubs.watched import watched

__all__ = ["not_resumed"]

logger = logging.getLogger(__name__)


def not_resumed(plan: Any, what: str) -> Plan:
    """Run a plan that can't be taken up again after a pause.

    ``RE.request_pause()``, two Ctrl-C and suspenders stop all motors at once.  Abort and stop end
    the plan then as they end any other; when it's resumed it gets an error, so that it cleans up.
    bluesky would repeat its messages, with the stage somewhere on its way.  A deferred pause, such
    as one Ctrl-C asks for, waits for the next checkpoint, and there is none in such a plan.

    ``bps.clear_checkpoint()`` isn't used: after it no pause could be resumed until the
    RunEngine's call ends, and a deferred one would abort the next acquisition (bluesky 1.15).

    Parameters
    ----------
    plan : iterable of Msg
        The plan.
    what : str
        What it does, for the message, such as ``"the flight of rotation"``.

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
    InterruptedFlightError
        It was paused, and resumed.
    """
    watch = _Watch(what)

    def look(message: Msg, answer: Any) -> None:
        if watch.interrupted:
            watch.end()
            raise InterruptedFlightError(
                f"{what} was interrupted by a pause, which stops the stage on its way, and "
                "can't be resumed",
                remedy="Source, sample and speeds are put back: run the experiment again. A "
                "deferred pause (Ctrl-C once) waits until a flight is over.",
            )

    yield Msg("null", watch)  # the RunEngine tells those of a pause that it has had messages for
    watch.begin()
    try:
        return (yield from watched(plan, note=look))
    finally:
        watch.end()


class _Watch:
    """Looks like a device: the RunEngine tells it of pauses."""

    parent = None

    def __init__(self, what: str) -> None:
        self.name, self._what = what, what
        self._flying = self.interrupted = False

    def begin(self) -> None:
        """Take pauses for interruptions from now on."""
        self._flying = True

    def end(self) -> None:
        """Care for pauses no more."""
        self._flying = self.interrupted = False

    def pause(self) -> None:
        """Note the pause, and let no message be repeated; called by the RunEngine."""
        if self._flying:
            self.interrupted = True
            logger.warning(
                "%s can't be resumed: RE.resume(), RE.abort() and RE.stop() all end it and put "
                "things back. Until then the source stays as it is.",
                self._what,
            )
            raise NoReplayAllowed

    def resume(self) -> None:
        """Do nothing: the plan is told by its next message."""
