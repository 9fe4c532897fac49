"""Connect a device's process variables all at once, and say which are missing.

ophyd makes the signals of an area detector one by one, each at its first use, and waits
for each.  Here all of them start to connect together; then one wait serves all.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from ophyd.device import (
    DEFAULT_CONNECTION_TIMEOUT,
    Component,
    Device,
    do_not_wait_for_lazy_connection,
)
from ophyd.ophydobj import Kind
from ophyd.signal import EpicsSignal, EpicsSignalBase

from ..errors import ConnectionTimeoutError
from .signal_io import PUT_TIMEOUT

__all__ = [
    "ConnectsAtOnce",
    "DeviceSignal",
    "connect",
    "epics_signals",
    "limit_write",
    "without_waiting",
]

logger = logging.getLogger(__name__)

#: Once all that is required is connected, how long to go on waiting for the rest after the
#: last one came, in seconds: an IOC answers for its whole database at about the same time.
OPTIONAL_TIME = 2.0

#: Part of the signals of a component that may be missing before its class is in doubt.
DOUBTFUL_PART = 0.1

_SHOWN = 5
_LIBRARIES = ("ophyd.", "adsupport.")
_META = "meta"


@contextmanager
def without_waiting(device: Device) -> Iterator[None]:
    """Make signals of a device and of its parts at their first use without waiting for them.

    Parameters
    ----------
    device : ophyd.Device
        The device.
    """
    before = {id(part): part.lazy_wait_for_connection for part in _parts(device)}
    for part in _parts(device):
        part.lazy_wait_for_connection = False
    try:
        yield
    finally:
        for part in _parts(device):
            part.lazy_wait_for_connection = before.get(id(part), True)


def _parts(device: Device) -> list[Device]:
    return [device, *(part for _, part in device.walk_subdevices())]


@dataclass
class DeviceSignal:
    """One EPICS signal of a device.

    Attributes
    ----------
    name : str
        Dotted name from the top device on.
    signal : ophyd.signal.EpicsSignalBase
        The signal.
    required : bool
        Whether work with the device needs it.
    """

    name: str
    signal: EpicsSignalBase
    required: bool

    def missing_pvs(self) -> list[str]:
        """Name the process variables of the signal that aren't connected.

        Returns
        -------
        list of str
            Their names; empty when the signal is connected.
        """
        if self.signal.connected:
            return []
        # ophyd's public attribute tells about both process variables together only.
        states = getattr(self.signal, "_connection_states", {})
        lost = [pv for pv, connected in states.items() if not connected]
        return sorted(lost) or [self.signal.pvname]


def epics_signals(device: Device) -> list[DeviceSignal]:
    """Make every EPICS signal of a device and of its parts, without waiting for any.

    Signals that are derived from others have no process variable and are left alone:
    making the shaped image, for one, would subscribe to every image.

    Parameters
    ----------
    device : ophyd.Device
        The device; its lazy signals are made.

    Returns
    -------
    list of DeviceSignal
        Every signal.
    """
    devices: list[Device] = []
    signals = list(_walk(device, "", True, devices))
    staged: set[int] = set()
    for part in devices:
        for key in part.stage_sigs:
            try:
                staged.add(id(getattr(part, key) if isinstance(key, str) else key))
            except AttributeError:
                continue  # stage() says what is wrong with this key
    for each in signals:
        each.required = each.required or id(each.signal) in staged
    return signals


def _walk(device: Device, name: str, used: bool, devices: list[Device]) -> Iterator[DeviceSignal]:
    devices.append(device)
    components = type(device)._sig_attrs  # noqa: SLF001 (ophyd has no other list of them)
    with do_not_wait_for_lazy_connection(device):
        for attr, component in components.items():
            kind = component.cls
            if not isinstance(kind, type) or not issubclass(kind, Device | EpicsSignalBase):
                continue
            part = getattr(device, attr)
            dotted = f"{name}.{attr}" if name else attr
            if isinstance(part, Device):
                # A plugin is staged whether it is read or not; a group of signals isn't.
                in_use = used and (not name or part.kind != Kind.omitted)
                yield from _walk(part, dotted, in_use, devices)
            else:
                required = used and part.kind != Kind.omitted
                yield DeviceSignal(dotted, part, required or _is_users(device, attr))


def _is_users(device: Device, attr: str) -> bool:
    """Tell whether a component was declared outside the libraries.

    The libraries' classes serve several ADCore versions, and list process variables that
    one or the other lacks.
    """
    for cls in type(device).__mro__:
        if attr in vars(cls):
            return not f"{cls.__module__}.".startswith(_LIBRARIES)
    return False


class _Waiter:
    """Wait for signals by their connection callbacks."""

    def __init__(self, signals: list[DeviceSignal]) -> None:
        self._changed = threading.Condition()
        self._waiting = {id(each.signal): each for each in signals}
        for each in signals:
            each.signal.subscribe(self._on_meta, event_type=_META, run=False)
        # A signal may have connected before its subscription.
        with self._changed:
            for each in signals:
                if each.signal.connected:
                    self._waiting.pop(id(each.signal), None)

    def _on_meta(self, *, obj: Any, connected: bool = False, **_: Any) -> None:
        with self._changed:
            if connected and self._waiting.pop(id(obj), None) is not None:
                self._changed.notify_all()

    def wait(self, timeout: float | None) -> list[DeviceSignal]:
        """Return the signals that did not connect."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while self._waiting:
                optional = not any(each.required for each in self._waiting.values())
                left = None if deadline is None else deadline - time.monotonic()
                if optional:
                    left = OPTIONAL_TIME if left is None else min(left, OPTIONAL_TIME)
                if left is not None and left <= 0:
                    break
                if not self._changed.wait(left) and optional:
                    break
            return list(self._waiting.values())

    def close(self, signals: list[DeviceSignal]) -> None:
        for each in signals:
            each.signal.clear_sub(self._on_meta, event_type=_META)


def connect(device: Device, all_signals: bool = False, timeout: float | None = 10.0) -> list[str]:
    """Connect all process variables of a device together.

    Parameters
    ----------
    device : ophyd.Device
        The device.
    all_signals : bool
        Whether every process variable is required.  By default those are which are read,
        configured or staged, and those declared by classes of the user's own; of the rest
        a missing one is logged, for the classes serve several versions of ADCore.
    timeout : float or None
        Longest wait for all together, in seconds; None waits for ever.

    Returns
    -------
    list of str
        Names of the optional process variables that are missing.

    Raises
    ------
    ConnectionTimeoutError
        A required process variable didn't connect; it is named with its component.
    """
    started = time.monotonic()
    signals = epics_signals(device)
    for each in signals:
        each.required = each.required or all_signals
        limit_write(each.signal)
    left = None if timeout is None else max(0.0, timeout - (time.monotonic() - started))
    waiter = _Waiter(signals)
    try:
        missing = waiter.wait(left)
    finally:
        waiter.close(signals)
    lost = [each for each in missing if each.required]
    if lost:
        pvs = [pv for each in missing for pv in each.missing_pvs()]
        raise ConnectionTimeoutError(_report(device, signals, missing, timeout), pvs)
    optional = [pv for each in missing for pv in each.missing_pvs()]
    if optional:
        logger.warning(
            "%s: did not answer within %.1f s, and not needed: %s%s",
            device.name,
            time.monotonic() - started,
            _some(optional),
            "".join(f". {doubt}" for doubt in _doubts(device, signals, missing)),
        )
    return optional


def _doubts(
    device: Device, signals: list[DeviceSignal], missing: list[DeviceSignal]
) -> Iterator[str]:
    """Tell which components lack so many signals that their class may be the wrong one."""
    totals = Counter(_component(each) for each in signals)
    for part, lost in Counter(_component(each) for each in missing).items():
        if lost > DOUBTFUL_PART * totals[part]:
            owner = getattr(device, part) if part else device
            yield (
                f"That is {lost} of the {totals[part]} signals of {owner.name}: "
                f"{type(owner).__name__} may be the wrong class for it"
            )


def _component(signal: DeviceSignal) -> str:
    return signal.name.partition(".")[0] if "." in signal.name else ""


def limit_write(signal: Any, timeout: float = PUT_TIMEOUT) -> None:
    """Give a signal a limit for its writes when it has none: ophyd's default waits for ever.

    Parameters
    ----------
    signal : ophyd.Signal
        The signal.
    timeout : float
        Longest time for a write to take effect, in seconds.
    """
    if isinstance(signal, EpicsSignal) and signal.write_timeout is None:
        signal._write_timeout = timeout  # noqa: SLF001 (ophyd takes it at construction only)


def _some(names: list[str]) -> str:
    rest = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _report(
    device: Device, signals: list[DeviceSignal], missing: list[DeviceSignal], timeout: float | None
) -> str:
    """Say which process variables are missing, component by component."""
    everything = len(missing) == len(signals)
    lines = [f"{device.name}: not connected within {timeout:g} s:"]
    parts: dict[str, list[DeviceSignal]] = {}
    for each in missing:
        parts.setdefault(_component(each), []).append(each)
    for part, lost in parts.items():
        pvs = [
            pv for each in sorted(lost, key=lambda e: not e.required) for pv in each.missing_pvs()
        ]
        whole = sum(1 for each in signals if part and each.name.startswith(part + "."))
        where = f"{device.name}.{part}" if part else device.name
        prefix = getattr(getattr(device, part, None) if part else device, "prefix", "")
        if whole and len(lost) == whole:
            lines.append(f"  {where}: nothing under {prefix!r}: {_some(pvs)}")
        else:
            named = [f"{each.name} ({', '.join(each.missing_pvs())})" for each in lost]
            lines.append(f"  {where}: {_some(named)}")
    if everything:
        lines.append(
            f"No process variable under {device.prefix!r} answered. Is the IOC running, and the "
            "prefix right? Does EPICS_CA_ADDR_LIST "
            f"({os.environ.get('EPICS_CA_ADDR_LIST') or 'not set'}) reach it?"
        )
    else:
        lines.append(
            "The IOC answers, so check the suffix or the class of these components; a signal that "
            "this IOC lacks can be removed by setting its component to None in a subclass."
        )
    return "\n".join(lines)


class ConnectsAtOnce(Device):
    """Mixin: a device whose process variables connect together, and whose writes end.

    Every signal of the device itself gets a limit for its writes of 10 s, unless it was
    declared with one.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # ophyd takes a component from the first base that knows it, even where Python would
        # take another: a mixin on CamBase would undo what a camera's own class changed.
        for attr in cls._sig_attrs:
            component = getattr(cls, attr)
            if isinstance(component, Component):
                cls._sig_attrs[attr] = component
                cls._component_kinds[attr] = component.kind
        cls._sub_devices = [attr for attr, cpt in cls._sig_attrs.items() if cpt.is_device]

    def _instantiate_component(self, attr: str) -> Any:
        part = super()._instantiate_component(attr)
        limit_write(part)
        if isinstance(part, Device):
            # ophyd doesn't hand this on to the parts of a device.
            part.lazy_wait_for_connection = self.lazy_wait_for_connection
        return part

    def __repr__(self) -> str:
        # ophyd makes the signals that it shows: that must not wait for an IOC.
        with without_waiting(self):
            return super().__repr__()

    def wait_for_connection(
        self, all_signals: bool = False, timeout: float | None | object = DEFAULT_CONNECTION_TIMEOUT
    ) -> None:
        """Connect all process variables together and wait for them.

        Parameters
        ----------
        all_signals : bool
            Whether every process variable is required, see :func:`connect`.
        timeout : float or None
            Longest wait for all together, in seconds; the device's ``connection_timeout``
            by default, None waits for ever.

        Raises
        ------
        ConnectionTimeoutError
            A required process variable didn't connect; it is named with its component.
        """
        if timeout is DEFAULT_CONNECTION_TIMEOUT:
            timeout = self.connection_timeout
        connect(self, all_signals, timeout)  # type: ignore[arg-type]
