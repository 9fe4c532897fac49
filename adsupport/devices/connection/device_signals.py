"""The EPICS signals of devices: made without waiting, with the need for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from epics import PV, ca
from ophyd.areadetector.base import ADComponent
from ophyd.device import Device, do_not_wait_for_lazy_connection
from ophyd.ophydobj import Kind
from ophyd.signal import EpicsSignal, EpicsSignalBase, Signal

from ...errors import ConfigurationTypeError
from ..signals.putting import PUT_TIMEOUT

__all__ = [
    "DeviceSignal",
    "channels",
    "devices_of",
    "epics_signals",
    "limit_write",
    "without_waiting",
]

#: What libca calls ``cs_prev_conn``: of signals that are gone, too, for pyepics keeps channels.
_PREVIOUSLY_CONNECTED = 1

_LIBRARIES = ("ophyd.", "adsupport.")


@contextmanager
def without_waiting(device: Device) -> Iterator[None]:
    """Make signals of a device and of its parts at their first use without waiting for them.

    Parameters
    ----------
    device : ophyd.Device
        The device.
    """
    before = {id(part): part.lazy_wait_for_connection for part in devices_of(device)}
    for part in devices_of(device):
        part.lazy_wait_for_connection = False
    try:
        yield
    finally:
        for part in devices_of(device):
            part.lazy_wait_for_connection = before.get(id(part), True)


def devices_of(device: Any) -> list[Device]:
    """List a device and those of its parts, at any depth, that are devices.

    Parameters
    ----------
    device : ophyd.Device or ophyd.Signal
        The device; a signal has no parts.

    Returns
    -------
    list of ophyd.Device
        The device first.
    """
    if not isinstance(device, Device):
        return []
    return [device, *(part for _, part in device.walk_subdevices())]


@dataclass
class DeviceSignal:
    """One EPICS signal of a device.

    Attributes
    ----------
    name : str
        Dotted name from the top device on; that of the signal itself when it stands alone.
    signal : ophyd.signal.EpicsSignalBase
        The signal.
    required : bool
        Whether work with the device needs it.
    owner : ophyd.Device or None
        The device that was to be connected.
    """

    name: str
    signal: EpicsSignalBase
    required: bool
    owner: Device | None = None

    @property
    def component(self) -> str:
        """Name of the device's component that the signal belongs to; empty for its own."""
        return self.name.partition(".")[0] if "." in self.name else ""

    @property
    def full_name(self) -> str:
        """Dotted name from the top device's own name on."""
        return f"{self.owner.name}.{self.name}" if self.owner is not None else self.name

    @property
    def pvs(self) -> list[str]:
        """Names of the process variables, that for reading first."""
        return [pv.pvname for pv in channels(self.signal)]

    @property
    def is_lost(self) -> bool:
        """Whether it was connected before, and isn't any more."""
        return not self.signal.connected and self.signal.alarm_status is not None

    @property
    def was_there(self) -> bool:
        """Whether it, or an earlier signal of the same record, was connected, and isn't any more.

        The IOC may have been started again without it since.
        """
        if self.signal.connected:
            return False
        return self.is_lost or any(map(_was_up, channels(self.signal)))

    def answers(self, pv: str) -> bool:
        """Tell whether one of the process variables is connected.

        Parameters
        ----------
        pv : str
            Its name.

        Returns
        -------
        bool
            True also when it is connected, but could not be read.
        """
        return self.signal._connection_states.get(pv, False)  # noqa: SLF001

    def missing_pvs(self) -> list[str]:
        """Name the process variables of the signal that don't answer, or can't be read.

        Returns
        -------
        list of str
            Their names; empty when the signal is connected.
        """
        if self.signal.connected:
            return []
        # ophyd's public attribute tells about both process variables together only.
        for kind in ("_connection_states", "_received_first_metadata"):
            lost = [pv for pv, there in getattr(self.signal, kind, {}).items() if not there]
            if lost:
                return sorted(lost)
        return [self.signal.pvname]


def _was_up(pv: Any) -> bool:
    known = isinstance(pv, PV) and pv.chid is not None
    return known and ca.state(pv.chid) == _PREVIOUSLY_CONNECTED


def channels(signal: EpicsSignalBase) -> list[Any]:
    """List the process variables of a signal.

    Parameters
    ----------
    signal : ophyd.signal.EpicsSignalBase
        The signal.

    Returns
    -------
    list of epics.PV
        The one for reading, then the one for writing when it is another.
    """
    # ophyd shows their names only
    read, write = signal._read_pv, getattr(signal, "_write_pv", None)  # noqa: SLF001
    return [read] if write is None or write is read else [read, write]


def epics_signals(
    device: Device | Signal, made: Callable[[EpicsSignalBase], None] | None = None
) -> list[DeviceSignal]:
    """Make every EPICS signal of a device and of its parts, without waiting for any.

    Signals that are derived from others have no process variable and are left alone:
    making the shaped image, for one, would subscribe to every image.

    Parameters
    ----------
    device : ophyd.Device or ophyd.Signal
        The device; its lazy signals are made.  A signal alone is taken as it is, and one that
        is derived from another stands for that.
    made : callable or None
        Called with each signal at once.

    Returns
    -------
    list of DeviceSignal
        Every signal.  Required are those which are read, configured or staged, what ophyd itself
        needs for staging, and those that were declared by classes of the user's own.

    Raises
    ------
    ConfigurationTypeError
        Neither a device nor a signal of ophyd.
    """
    made = made or (lambda _: None)
    if isinstance(device, Signal):
        source: Any = device
        while not isinstance(source, EpicsSignalBase) and hasattr(source, "derived_from"):
            source = source.derived_from
        if not isinstance(source, EpicsSignalBase):
            return []
        made(source)
        return [DeviceSignal(device.name, source, True)]
    if not isinstance(device, Device):
        raise ConfigurationTypeError(
            f"connect() got {device!r}: expected devices and signals of ophyd. all_signals, "
            "timeout and progress go by keyword; a device of ophyd-async has its own connect()"
        )
    devices: list[Device] = []
    signals = []
    for each in _walk(device, "", True, devices):
        made(each.signal)
        each.owner = device
        signals.append(each)
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
                # PluginType, which ophyd looks at whenever it stages a plugin
                at_once = isinstance(component, ADComponent) and not component.lazy
                needed = required or at_once or _is_users(device, attr)
                yield DeviceSignal(dotted, part, needed)


def _is_users(device: Device, attr: str) -> bool:
    """Tell whether a component was declared outside the libraries.

    The libraries' classes serve several ADCore versions, and list process variables that
    one or the other lacks.
    """
    for cls in type(device).__mro__:
        if attr in vars(cls):
            return not f"{cls.__module__}.".startswith(_LIBRARIES)
    return False


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
