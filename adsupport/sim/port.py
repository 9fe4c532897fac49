"""An asyn-like parameter library: what sits between records and a driver.

A port holds named parameters. Records write set-points into it and follow its values; the
driver's code changes parameters and then calls :meth:`Port.call_callbacks`, which posts every
change to the records in the order in which they were made. Parameter names are asyn's *drvInfo*
strings, such as ``ACQ_TIME``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np

INVALID = 3
"""Channel Access severity of a value that cannot be trusted."""


class PortError(Exception):
    """A driver refused a write; the record shows INVALID/WRITE and the parameter is unchanged.

    Parameters
    ----------
    message : str
        What was refused, and why.
    value : optional
        What the parameter has instead; its old value when omitted.
    """

    def __init__(self, message: str, value: Any = None) -> None:
        super().__init__(message)
        self.value = value


@dataclass(slots=True)
class Parameter:
    """One value of a port.

    Attributes
    ----------
    kind : type
        ``int``, ``float``, ``str`` or ``numpy.ndarray``.
    value
        Current value, of that kind.
    severity, status : int
        Channel Access alarm that input records of this parameter show.
    """

    kind: type
    value: Any
    severity: int = 0
    status: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """A parameter's new value and alarm, as posted to the records."""

    param: str
    value: Any
    severity: int
    status: int


Sink = Callable[["Port", list[Change]], None]
_Method = TypeVar("_Method", bound=Callable[..., None])


def on_write(*params: str, each_address: bool = False) -> Callable[[_Method], _Method]:
    """Mark a method ``(self, value)`` to run after a client wrote one of ``params``.

    The parameter has taken the value before the method runs; changes are posted after it. A
    :class:`PortError` out of the method restores the parameter.

    Parameters
    ----------
    *params : str
        Parameter names (drvInfo strings).
    each_address : bool
        The method is ``(self, value, address)`` and runs for the parameters of every asyn
        address; else it is for those of address 0 alone.
    """

    def mark(method: _Method) -> _Method:
        method.written_params = params  # type: ignore[attr-defined]
        method.each_address = each_address  # type: ignore[attr-defined]
        return method

    return mark


def at_address(param: str, address: int) -> str:
    """Return the name under which a port keeps a parameter of an asyn address.

    Parameters
    ----------
    param : str
        drvInfo string.
    address : int
        asyn address; 0 is the port's own, whose names are the plain drvInfo strings.
    """
    return f"{param}@{address}" if address else param


def split_address(name: str) -> tuple[str, int]:
    """Return drvInfo string and asyn address of a parameter's name; see :func:`at_address`."""
    param, _, address = name.partition("@")
    return param, int(address or 0)


def _same(old: Any, new: Any) -> bool:
    kind = type(old)
    if kind is not type(new):
        return False
    return old is new if kind is np.ndarray else old == new


class Port:
    """Parameters, their writes and their callbacks.

    Parameters
    ----------
    name : str
        asyn port name, such as ``SIM1``.
    can_block : bool
        Whether a write may take long (file I/O); such writes run one after the other on a
        thread of the port, as asyn does for ports with ``ASYN_CANBLOCK``.

    Attributes
    ----------
    lock : threading.RLock
        Guards the parameters; held while a write's method runs.
    sink : callable or None
        Receives ``(port, changes)`` from any thread; the IOC sets it.
    """

    _write_methods: ClassVar[dict[str, str]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        methods = dict(cls._write_methods)
        for attribute, method in vars(cls).items():
            for param in getattr(method, "written_params", ()):
                methods[param] = attribute
        cls._write_methods = methods

    def __init__(self, name: str, *, can_block: bool = False) -> None:
        self.name = name
        self.can_block = can_block
        self.lock = threading.RLock()
        self.sink: Sink | None = None
        self._parameters: dict[str, Parameter] = {}
        self._changed: dict[str, None] = {}
        self._worker = ThreadPoolExecutor(1, thread_name_prefix=name) if can_block else None

    def define(
        self, param: str, kind: type, value: Any, severity: int = 0, status: int = 0
    ) -> None:
        """Create a parameter with its initial value; a second definition is ignored."""
        self._parameters.setdefault(param, Parameter(kind, value, severity, status))

    def __contains__(self, param: str) -> bool:
        return param in self._parameters

    @property
    def depth(self) -> int:
        """Number of ports that this one's data pass first; ports stop in this order."""
        return 0

    @property
    def parameters(self) -> Iterable[str]:
        """Names of the port's parameters."""
        return self._parameters.keys()

    def parameter(self, param: str) -> Parameter:
        """Return the parameter itself.

        Raises
        ------
        KeyError
            Naming port and parameter, when no record table defined it.
        """
        try:
            return self._parameters[param]
        except KeyError:
            raise KeyError(
                f"port {self.name} has no parameter {param}; a record table must define it"
            ) from None

    def get(self, param: str) -> Any:
        """Return a parameter's current value."""
        entry = self._parameters.get(param) or self.parameter(param)
        return entry.value

    def set(self, param: str, value: Any, *, severity: int = 0, status: int = 0) -> None:
        """Change a parameter; :meth:`call_callbacks` posts it.

        Parameters
        ----------
        param : str
            Parameter name.
        value
            New value, converted to the parameter's kind.
        severity, status : int
            Alarm for the input records of the parameter.
        """
        with self.lock:
            # the tests are in the order of what they cost: a fast camera sets a hundred a frame
            entry = self._parameters.get(param) or self.parameter(param)
            if type(value) is not entry.kind and entry.kind is not np.ndarray:
                value = entry.kind(value)
            if entry.severity == severity and entry.status == status and _same(entry.value, value):
                return
            entry.value, entry.severity, entry.status = value, severity, status
            # a change made again before it was posted keeps its first place in the order
            self._changed.setdefault(param)

    def call_callbacks(self) -> None:
        """Post all changes since the last call, in the order in which they were made."""
        with self.lock:
            if not self._changed:
                return
            changes = []
            for param in self._changed:
                entry = self._parameters[param]
                changes.append(Change(param, entry.value, entry.severity, entry.status))
            self._changed.clear()
            if self.sink is not None:
                self.sink(self, changes)

    def write(self, param: str, value: Any) -> None:
        """Carry out a client's write: take the value, act on it, post what changed.

        Raises
        ------
        PortError
            The driver refused; the parameter has its old value again.
        """
        with self.lock:
            entry = self.parameter(param)
            before = (entry.value, entry.severity, entry.status)
            self.set(param, value)
            try:
                self.written(param, self.get(param))
            except PortError as error:
                entry.value, entry.severity, entry.status = before
                if error.value is not None:
                    self.set(param, error.value)
                raise
            finally:
                self.call_callbacks()

    def written(self, param: str, value: Any) -> None:
        """Act on a parameter that a client has just written (see :func:`on_write`)."""
        name, address = split_address(param)
        attribute = self._write_methods.get(name)
        if attribute is None:
            return
        method = getattr(self, attribute)
        if method.each_address:
            method(value, address)
        elif not address:
            method(value)

    def submit(self, function: Callable[..., Any], *args: Any) -> Any:
        """Run ``function`` on the worker thread of a port that can block; return its future."""
        if self._worker is None:
            raise RuntimeError(f"port {self.name} was not made with can_block=True")
        return self._worker.submit(function, *args)

    def start(self) -> None:
        """Start the port's threads, once all records are loaded."""

    def stop(self) -> None:
        """End the port's threads and close its files; safe to call twice."""
        if self._worker is not None:
            self._worker.shutdown(wait=True, cancel_futures=True)
