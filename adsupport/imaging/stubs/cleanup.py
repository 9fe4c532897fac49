"""Plans that clean up on every way out, whatever fails on that way."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable
from typing import Any

from bluesky.utils import FailedStatus, Msg

from .watched import watched

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
        and once more if it fails: a request to abort may have come right then.  That something
        fails during a step which was told before, as the move of a motor that the step stops, is
        no failure of the step: it's begun again.

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
    told = _Told()
    try:
        result = yield from watched(plan, note=told.note)
    except GeneratorExit:  # the RunEngine has given up: nothing can be sent to it
        raise
    except BaseException as error:
        first = error
    for what, step in steps():
        failed: list[BaseException] = []
        while len(failed) < 2:
            before = told.sofar()
            try:
                made = step()
                if made is not None:
                    yield from watched(made, note=told.note)
                break
            except GeneratorExit:
                raise
            except BaseException as error:  # also a request to abort: the beam is to be closed
                if told.ends(error, before):
                    logger.info("%s: begun again, as %s", what, error.__cause__ or error)
                    first = first or error
                    continue
                failed.append(error)
                logger.exception("%s: attempt %d failed", what, len(failed))
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


class _Told:
    """What devices were told that may still fail: the RunEngine raises it whenever it does so."""

    def __init__(self) -> None:
        self._statuses: list[Any] = []

    def note(self, _: Msg, answer: Any) -> None:
        """Take note of a message's answer."""
        if all(hasattr(answer, name) for name in ("done", "success", "add_callback")):
            self._statuses = [*self.sofar(), answer]

    def sofar(self) -> list[Any]:
        """List the statuses that haven't ended well."""
        return [each for each in self._statuses if not (each.done and each.success)]

    def ends(self, error: BaseException, before: list[Any]) -> bool:
        """Tell, once, whether an error is but the end of something that was told before."""
        known = [each for each in before if isinstance(error, FailedStatus) and each in error.args]
        self._statuses = [each for each in self._statuses if each not in known]
        return bool(known)
