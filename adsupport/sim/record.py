"""A record: a row of a table, the channel that serves it, the parameter it writes or follows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import numpy as np

from adsupport.sim.ca.channel import WRITE_ALARM, Channel, Metadata
from adsupport.sim.ca.wire import NATIVE_TYPES
from adsupport.sim.port import INVALID, Change, Port, PortError
from adsupport.sim.record_fields import RecordFields
from adsupport.sim.table import RecordRow

STATE_ALARM = 7
"""Channel Access alarm status of a state with a severity."""

UNKNOWN_STATE = 65535
"""State of an mbbi record whose parameter has a value that belongs to none."""

SHORT_STRING = 39
"""Characters a string record holds."""


def parameter_kind(row: RecordRow) -> type:
    """Return the kind of the parameter that a record writes or follows."""
    if row.is_long_string or row.dbr == "STRING":
        return str
    if row.count > 1:
        return np.ndarray
    return float if row.dbr in ("DOUBLE", "FLOAT") else int


def parameter_value(row: RecordRow) -> Any:
    """Return what the parameter of a record has right after the start."""
    return row.raws[row.value] if row.raws and isinstance(row.value, int) else row.value


class Record:
    """One record of the IOC.

    Parameters
    ----------
    name : str
        Record name with its prefix.
    row : RecordRow
        Type, metadata and initial value.
    port : Port or None
        Where the record's parameter lives; None for records without one.
    deliver : callable, optional
        Hands what ports have posted so far to the records, so that a client whose put has ended
        reads what the put has changed.

    Attributes
    ----------
    channel : Channel
        What clients see.
    on_process : list of callables
        Called with the new value after a client's write was processed, as forward links are; a
        returned future joins the put's completion.
    on_update : list of callables
        Called with the new value whenever the record's value was posted.
    """

    def __init__(
        self,
        name: str,
        row: RecordRow,
        port: Port | None,
        deliver: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.row = row
        self.port = port if row.param else None
        self.is_input = row.scan == "I/O Intr" or row.type in ("ai", "bi", "mbbi", "stringin")
        self.on_process: list[Callable[[Any], asyncio.Future[Any] | None]] = []
        self.on_update: list[Callable[[Any], None]] = []
        self._deliver = deliver
        self._writing = 0
        self._deferred: Change | None = None
        self._idle_waiters: dict[asyncio.Future[Any], None] = {}
        limits = {}
        if row.drvl < row.drvh:
            limits = {"lower_ctrl_limit": row.drvl, "upper_ctrl_limit": row.drvh}
        meta = Metadata(units=row.egu, precision=row.prec, enums=row.enum, limits=limits)
        self.channel = Channel(
            NATIVE_TYPES[row.dbr],
            self._initial(),
            count=row.count,
            meta=meta,
            severity=row.sevr,
            status=row.stat,
            put=self.put,
            record_type=row.type,
        )
        self.channel.fields = RecordFields(name, row, self.channel)

    def _initial(self) -> Any:
        value = self.row.value
        if isinstance(value, str) and self.row.is_long_string:
            # a read-back carries its NUL even when empty; a set-point nobody wrote has no element
            return value.encode("latin-1") + (b"\0" if value or self.is_input else b"")
        return value

    # ---- from the port to the client

    def update(self, change: Change) -> None:
        """Follow the parameter (input records, and outputs with the read-back option)."""
        if self._writing:
            self._deferred = change
            return
        value = self._from_parameter(change.value)
        if change.severity:
            severity, status = change.severity, change.status
        else:
            severity, status = self._state_alarm(value)
        self._post(value, severity, status)

    def _from_parameter(self, value: Any) -> Any:
        if self.row.raws:
            return self.row.raws.index(value) if value in self.row.raws else UNKNOWN_STATE
        if isinstance(value, str):
            if self.row.is_long_string:
                return value.encode("latin-1", "replace")[: self.row.count - 1] + b"\0"
            return value[:SHORT_STRING]
        # a driver's array may be longer than a record: it takes the first elements
        return value[: self.row.count] if isinstance(value, np.ndarray) else value

    def _state_alarm(self, value: Any) -> tuple[int, int]:
        severity = 0
        if self.row.states and isinstance(value, int):
            severity = self.row.states.get(value, 0)
        return severity, (STATE_ALARM if severity else 0)

    def _post(self, value: Any, severity: int = 0, status: int = 0) -> None:
        # a waveform record posts whenever it is processed, whatever it holds
        always = self.row.type == "waveform"
        self.channel.post(value, severity=severity, status=status, always=always)
        for follow in self.on_update:
            follow(value)
        if isinstance(value, int) and not value:
            for waiter in tuple(self._idle_waiters):
                if not waiter.done():
                    waiter.set_result(None)

    def post(self, value: Any) -> None:
        """Give a record without a parameter a value, with the alarm of its state."""
        self._post(value, *self._state_alarm(value))

    def until_zero(self) -> asyncio.Future[Any]:
        """Return a future that ends when the record's value becomes 0; cancel one not needed."""
        waiter = asyncio.get_running_loop().create_future()
        self._idle_waiters[waiter] = None
        waiter.add_done_callback(lambda ended: self._idle_waiters.pop(ended, None))
        return waiter

    # ---- from the client to the port

    def put(self, value: Any) -> asyncio.Future[Any] | None:
        """Process a client's write; see :class:`adsupport.sim.ca.channel.Channel`.

        Cancelling the returned future ends the wait, not the work.
        """
        return self._put(value, at_once=self.port is None or not self.port.can_block)

    def put_now(self, value: Any) -> asyncio.Future[Any] | None:
        """Process a write on this thread even when the port may block, as at boot."""
        return self._put(value, at_once=True)

    def _put(self, value: Any, *, at_once: bool) -> asyncio.Future[Any] | None:
        value = self._within_drive_limits(value)
        if self.port is None or self.is_input:
            return self._processed(value, refused=False)
        if self.row.type == "mbbo" and value >= len(self.channel.meta.enums):
            return self._processed(value, refused=True)  # a state that the driver does not know
        written = self._to_parameter(value)
        if not at_once:
            work = asyncio.ensure_future(self._write_on_port_thread(value, written))
            return _end_of(work)
        self._writing += 1
        refused = False
        try:
            self.port.write(self.row.param, written)
        except PortError:
            refused = True
        finally:
            self._writing -= 1
        return self._processed(value, refused)

    async def _write_on_port_thread(self, value: Any, written: Any) -> asyncio.Future[Any] | None:
        assert self.port is not None  # noqa: S101  narrowing: put() checked it
        self._writing += 1
        refused = False
        try:
            future = self.port.submit(self.port.write, self.row.param, written)
            await asyncio.wrap_future(future)
        except PortError:
            refused = True
        finally:
            self._deliver()  # of this record, the newest change is kept for after the write
            self._writing -= 1
        return self._processed(value, refused)

    def _processed(self, value: Any, refused: bool) -> asyncio.Future[Any] | None:
        waits: list[asyncio.Future[Any]] = []
        if refused:
            self._post(value, INVALID, WRITE_ALARM)
        else:
            self._post(value, *self._state_alarm(value))
        for follow in self.on_process:
            future = follow(value)
            if future is not None:
                waits.append(future)
        if self.row.type == "busy" and value and not refused:
            waits.append(self.until_zero())
        if self._deferred is not None and not self._writing:
            change, self._deferred = self._deferred, None
            self.update(change)
        self._deliver()
        if not waits:
            return None
        return waits[0] if len(waits) == 1 else asyncio.ensure_future(_all_of(waits))

    def _within_drive_limits(self, value: Any) -> Any:
        low, high = self.row.drvl, self.row.drvh
        if low >= high or not isinstance(value, (int, float)):
            return value
        return type(value)(min(max(value, low), high))

    def _to_parameter(self, value: Any) -> Any:
        if self.row.raws:
            return self.row.raws[value]
        if isinstance(value, bytes) and self.row.is_long_string:
            return value.split(b"\0", 1)[0].decode("latin-1")
        # two states are all that a bo record's driver hears of, whatever number was put
        return int(bool(value)) if self.row.type in ("bo", "busy") else value


def _end_of(work: asyncio.Future[asyncio.Future[Any] | None]) -> asyncio.Future[None]:
    """Return a future that ends with a write, and with what it has set off.

    Cancelling it leaves the write alone, and ends the wait for what it has set off.
    """
    end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def settle(ended: asyncio.Future[Any]) -> None:
        if end.done() or ended.cancelled():
            end.cancel()
        elif error := ended.exception():
            end.set_exception(error)
        else:
            end.set_result(None)

    def worked(work: asyncio.Future[asyncio.Future[Any] | None]) -> None:
        more = None if work.cancelled() or work.exception() else work.result()
        if more is None:
            settle(work)
            return
        more.add_done_callback(settle)
        if end.cancelled():
            more.cancel()
        else:
            end.add_done_callback(lambda _: more.cancel())

    work.add_done_callback(worked)
    return end


async def _all_of(futures: list[asyncio.Future[Any]]) -> None:
    await asyncio.gather(*futures)
