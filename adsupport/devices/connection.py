"""Connect devices' process variables all at once, and say which are missing.

ophyd makes the signals of an area detector one by one, each at its first use, and waits
for each.  Here all of them start to connect together; then one wait serves all.
"""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ophyd.device import DEFAULT_CONNECTION_TIMEOUT, Component, Device

from ..errors import ConnectionTimeoutError
from .connection_signals import DeviceSignal, epics_signals, limit_write, without_waiting
from .connection_wait import ConnectionWait

__all__ = [
    "ConnectsAtOnce",
    "DeviceSignal",
    "connect",
    "epics_signals",
    "limit_write",
    "without_waiting",
]

logger = logging.getLogger(__name__)

#: Part of the signals of a component that may be missing before its class is in doubt.
DOUBTFUL_PART = 0.1

_SHOWN = 5


def connect(
    *objects: Any,
    all_signals: bool = False,
    timeout: float | None = 10.0,
) -> list[str]:
    """Connect all process variables of devices and signals together.

    Parameters
    ----------
    *objects : ophyd.Device or ophyd.Signal
        The devices and signals.
    all_signals : bool
        Whether every process variable is required.  By default those are which are read,
        configured or staged, those declared by classes of the user's own, and the signals
        that are given themselves; of the rest a missing one is logged, for the classes serve
        several versions of ADCore.
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
    ConfigurationTypeError
        An object is neither a device nor a signal of ophyd.
    """
    started = time.monotonic()
    wait = ConnectionWait(objects, all_signals, lambda *_: None)
    signals = wait.signals
    for each in signals:
        limit_write(each.signal)
    left = None if timeout is None else max(0.0, timeout - (time.monotonic() - started))
    missing = wait.wait(left)
    device = objects[0]
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
        connect(self, all_signals=all_signals, timeout=timeout)  # type: ignore[arg-type]
