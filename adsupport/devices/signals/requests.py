"""Read requests of Channel Access: sent now, answered later, and never waited for in vain."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any, cast

from ...errors import ConnectionTimeoutError

__all__ = ["fetch", "lost", "put_unless_unanswered", "put_with_answer", "request"]

_unanswered: weakref.WeakKeyDictionary[Any, threading.Event] = weakref.WeakKeyDictionary()


def lost(pv: str, what: str) -> ConnectionTimeoutError:
    """Make the error for a process variable that isn't there.

    Parameters
    ----------
    pv : str
        Name of the process variable.
    what : str
        What is wrong with it.

    Returns
    -------
    ConnectionTimeoutError
        What failed, and what to do.
    """
    return ConnectionTimeoutError(
        f"{pv} {what}.",
        remedy="Is its IOC running, is the prefix right, and does EPICS_CA_ADDR_LIST reach it? "
        "wait_for_connection() of the detector waits until all is back, and names what isn't.",
    )


def request(pv: Any) -> None:
    """Ask for a value, without waiting for it.

    Parameters
    ----------
    pv : epics.PV
        The process variable, connected.

    Raises
    ------
    ConnectionTimeoutError
        The connection is lost.
    """
    from epics import ca

    try:
        ca.get_with_metadata(pv.chid, ftype=pv.ftype, wait=False)
    except ca.CASeverityException as error:
        _forget_request(pv)
        raise lost(pv.pvname, "isn't connected any more") from error


def fetch(pv: Any, timeout: float) -> Any:
    """Wait for the answer to :func:`request`.

    Parameters
    ----------
    pv : epics.PV
        The process variable.
    timeout : float
        Longest wait, in seconds.

    Returns
    -------
    dict or None
        The value under ``value``, with what came along; None when there was no answer.

    Raises
    ------
    ConnectionTimeoutError
        The connection is lost.
    """
    from epics import ca

    try:
        answer = _complete(pv, pv.ftype, timeout)
        if answer is None and _answers(pv):
            _forget_request(pv)
            request(pv)
            answer = _complete(pv, pv.ftype, timeout)
    except ca.ChannelAccessGetFailure as error:
        raise lost(pv.pvname, "lost its IOC before it answered") from error
    return answer


def put_with_answer(signal: Any, value: int, answered: Callable[[], None]) -> None:
    """Put a number, and be told when the IOC has done what that asks for.

    Parameters
    ----------
    signal : ophyd.EpicsSignal
        A number or an enum, connected.
    value : int
        The number.
    answered : callable
        Called once, without arguments, also when the connection is lost.  With pyepics this
        is on libca's own thread: it must not wait, nor ask the IOC anything.

    Raises
    ------
    ConnectionTimeoutError
        The connection is lost.
    """
    if getattr(signal.cl, "name", "") != "pyepics":
        signal.put(value, use_complete=True, callback=lambda **_: answered())
        return
    from epics import ca

    # ophyd hands the answer from thread to thread, which takes longer than many a frame
    pv = signal.cl.get_pv(signal.setpoint_pvname)
    if not ca.isConnected(pv.chid):
        raise lost(pv.pvname, "isn't connected any more")
    try:
        ca.put(pv.chid, value, callback=lambda **_: answered())
    except (ca.CASeverityException, ca.ChannelAccessException) as error:
        raise lost(pv.pvname, "isn't connected any more") from error


def put_unless_unanswered(signal: Any, value: int) -> threading.Event:
    """Put a number with completion; without, when such a put before it isn't answered yet.

    A second put-callback on a channel before the first is answered holds up all that this client
    asks of the IOC.

    Parameters
    ----------
    signal : ophyd.EpicsSignal
        A number or an enum, connected.
    value : int
        The number.

    Returns
    -------
    threading.Event
        Set when the IOC has answered, or the connection is lost; of the put before, if that one
        was unanswered.

    Raises
    ------
    ConnectionTimeoutError
        The connection is lost.
    """
    before = _unanswered.get(signal)
    if before is not None and not before.is_set():
        signal.put(value)
        return before
    answered = threading.Event()
    put_with_answer(signal, value, answered.set)
    _unanswered[signal] = answered
    return answered


def _answers(pv: Any) -> bool:
    """Tell whether the IOC answers a request of another type on the same channel."""
    from epics import ca

    native = ca.field_type(pv.chid)
    if native == pv.ftype or not ca.isConnected(pv.chid):
        return False
    ca.get_with_metadata(pv.chid, ftype=native, wait=False)
    return _complete(pv, native, 0.5) is not None


def _complete(pv: Any, kind: int, timeout: float) -> Any:
    from epics import ca

    try:
        return ca.get_complete_with_metadata(pv.chid, ftype=kind, timeout=timeout)
    except UserWarning:  # it warns when time is up, and the user has made errors of warnings
        return None


def _forget_request(pv: Any) -> None:
    """Let pyepics forget a request that was never sent.

    It notes a request as sent before it sends it.  When the IOC goes at this moment nothing is
    sent, and every later read would wait for that answer, also when the IOC is back.
    """
    from epics import ca

    entry = cast(Any, ca.get_cache(pv.pvname))
    if entry is not None:
        with entry.lock:
            entry.get_results[pv.ftype] = [None]
