"""Read the metadata of many process variables with all requests under way together.

ophyd asks for the time stamp and the limits of each process variable as it connects, one after
the other on a few threads that wait for every answer.  That takes most of its connection time.

Here one request serves a process variable, for limits, choices, units and alarm.  Its answer has
a time stamp for text only; with any other type the signal notes when it connected, until its
first value brings the time of the record.
"""

from __future__ import annotations

import ctypes
import functools
import queue
import threading
from collections.abc import Callable
from typing import Any

from epics import PV, ca, dbr

__all__ = ["MetadataReader"]

#: Requests that are collected before they are sent: the server works while more are prepared.
BATCH = 32

_METHOD = "get_all_metadata_callback"

_Callback = Callable[[str, dict[str, Any]], None]


class _Reading:
    """What was asked of one process variable."""

    def __init__(self, pv: Any) -> None:
        self.pv = pv
        self.callbacks: list[_Callback] = []


class _Request:
    """One request; libca hands it back with the answer."""

    def __init__(self, reading: _Reading, answers: queue.SimpleQueue[Any]) -> None:
        self.reading = reading
        self.answers = answers


# libca keeps a bare pointer to a request, also when nobody waits for its answer any more
_under_way: set[_Request] = set()


def _on_answer(args: Any) -> None:
    request: _Request = args.usr
    metadata = None
    if args.status == dbr.ECA_NORMAL:
        content = dbr.Map[args.type].from_address(args.raw_dbr)
        # pyepics has no public function that takes an answer apart without waiting for it
        metadata = ca._unpack_metadata(args.type, content)  # noqa: SLF001
    request.answers.put((request, metadata, args.status))
    _under_way.discard(request)


_ANSWER = dbr.make_callback(_on_answer, dbr.event_handler_args)


class MetadataReader:
    """Take the reading of metadata over from ophyd for some time.

    All is done in the thread that calls :meth:`work`; signals may ask from any thread.
    """

    def __init__(self) -> None:
        self._events: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._readings: dict[int, _Reading] = {}
        self._taken: list[tuple[Any, Any]] = []
        self._unsent = 0
        self._context = ca.current_context()
        #: Why a process variable that is connected could not be read, by its name.
        self.failures: dict[str, str] = {}

    @property
    def idle(self) -> bool:
        """Whether nothing is asked and not answered."""
        return not self._readings

    def take_over(self, pv: Any) -> None:
        """Let a process variable ask here instead of on ophyd's threads.

        Parameters
        ----------
        pv : ophyd's epics.PV
            The process variable.
        """
        if not isinstance(pv, PV) or _METHOD in vars(pv):
            return
        if self._context is None:
            self._context = ca.current_context()
        if pv.context == self._context:
            ask = functools.partial(self.ask, pv)
            setattr(pv, _METHOD, ask)
            self._taken.append((pv, ask))

    def give_back(self) -> None:
        """Let the process variables ask on ophyd's threads again, also what is unanswered."""
        for pv, ask in self._taken:
            if vars(pv).get(_METHOD) is ask:
                delattr(pv, _METHOD)
        with self._lock:
            open_readings = list(self._readings.values())
            self._readings.clear()
        for reading in open_readings:
            if reading.pv.connected:
                for callback in reading.callbacks:
                    reading.pv.get_all_metadata_callback(callback, timeout=10)

    def asks(self, pv: Any) -> bool:
        """Tell whether an answer for a process variable is on its way."""
        return id(pv) in self._readings

    def ask(self, pv: Any, callback: _Callback, *, timeout: float | None = None) -> None:
        """Ask for the metadata of a process variable.

        Parameters
        ----------
        pv : epics.PV
            The process variable; its channel is connected.
        callback : callable
            Called with the name and the metadata.
        timeout : float or None
            Has no effect; ophyd passes it.
        """
        with self._lock:
            reading = self._readings.get(id(pv))
            first = reading is None
            if reading is None:
                reading = self._readings[id(pv)] = _Reading(pv)
            if callback not in reading.callbacks:
                reading.callbacks.append(callback)
        if first:
            self._events.put(reading)

    def work(self, timeout: float) -> bool:
        """Send what was asked and hand out what was answered, all that is there.

        Parameters
        ----------
        timeout : float
            How long to wait for the first of it, in seconds.

        Returns
        -------
        bool
            Whether there was something.
        """
        came = False
        try:
            event = self._events.get(timeout=timeout)
            came = True
            while True:
                if isinstance(event, _Reading):
                    self._send(event)
                else:
                    self._take(*event)
                event = self._events.get_nowait()
        except queue.Empty:
            self._flush()
        return came

    def _send(self, reading: _Reading) -> None:
        pv = reading.pv
        request = _Request(reading, self._events)
        _under_way.add(request)
        send: Any = ca.libca
        status = send.ca_array_get_callback(
            _with_limits(pv), 1, pv.chid, _ANSWER, ctypes.py_object(request)
        )
        if status != dbr.ECA_NORMAL:  # the connection was lost just now
            _under_way.discard(request)
            self._take(request, None, status)
        self._unsent += 1
        if self._unsent >= BATCH:
            self._flush()

    def _flush(self) -> None:
        if self._unsent:
            self._unsent = 0
            ca.flush_io()

    def _take(self, request: _Request, metadata: dict[str, Any] | None, status: int) -> None:
        reading = request.reading
        pv = reading.pv
        with self._lock:
            if self._readings.get(id(pv)) is reading:
                del self._readings[id(pv)]
            callbacks = list(reading.callbacks)
        if metadata is None:
            self.failures[pv.pvname] = ca.message(status)
            return
        self.failures.pop(pv.pvname, None)
        pv._args.update(metadata)  # noqa: SLF001 (pyepics keeps it there, ophyd reads it)
        known = pv._args.copy()  # noqa: SLF001
        known.pop("value", None)
        for callback in callbacks:
            callback(pv.pvname, known)


def _with_limits(pv: Any) -> int:
    """Find the type of request that brings the limits along."""
    kind = ca.promote_type(pv.chid, use_ctrl=True)
    timed = ca.promote_type(pv.chid, use_time=True)
    if pv.form == "time" and pv.ftype != timed:
        # A channel that connects while pyepics makes it: the type from before overwrites the new,
        # and every value would be asked for with a type that doesn't exist.
        pv.ftype = timed
    return kind
