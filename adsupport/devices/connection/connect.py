"""Connect devices' process variables all at once, and say which are missing.

ophyd makes the signals of an area detector one by one, each at its first use, and waits
for each.  Here all of them start to connect together; then one wait serves all.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Any

from ophyd.device import DEFAULT_CONNECTION_TIMEOUT, Component, Device

from ...errors import ConnectionTimeoutError
from .device_signals import DeviceSignal, epics_signals, limit_write, without_waiting
from .progress import Progress, shown
from .report import MissingGroup, brief, group_missing, missing_pvs
from .wait import ConnectionWait

__all__ = [
    "ConnectsAtOnce",
    "DeviceSignal",
    "connect",
    "epics_signals",
    "limit_write",
    "without_waiting",
]

logger = logging.getLogger(__name__)


def connect(
    *objects: Any,
    all_signals: bool = False,
    timeout: float | None = 10.0,
    progress: Progress | None = None,
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
    progress : callable or None
        Called with the number of connected signals and of all signals.  By default a bar comes
        up on a terminal when it takes longer than a second.

    Returns
    -------
    list of str
        Names of the optional process variables that are missing.

    Raises
    ------
    ConnectionTimeoutError
        A required process variable didn't connect; its ``pvs`` has all that are missing, each
        with its component, and its message groups them by what that probably comes from.
    ConfigurationTypeError
        An object is neither a device nor a signal of ophyd.
    """
    started = time.monotonic()
    names = ", ".join(str(getattr(each, "name", each)) for each in objects)
    with shown(progress, names) as show:
        wait = ConnectionWait(objects, all_signals, show)
        logger.info("%s: connecting %d signals", names, len(wait.signals))
        for each in wait.signals:
            limit_write(each.signal)
        left = None if timeout is None else max(0.0, timeout - (time.monotonic() - started))
        missing = wait.wait(left)
        arriving = wait.arriving
    spent = time.monotonic() - started
    logger.info(
        "%s: %d of %d signals connected in %.2f s",
        names,
        len(wait.signals) - len(missing),
        len(wait.signals),
        spent,
    )
    groups = group_missing(wait.signals, missing, wait.failures, arriving=arriving)
    lost = any(each.required for each in missing)
    unready = [] if lost else wait.unready()  # the one comes from the other
    if lost or unready:
        limit = "" if timeout is None else f" within {timeout:g} s"
        message = [
            f"{names}: {len(missing)} of {len(wait.signals)} signals not connected{limit}:",
            *_lines(group for group in groups if group.required),
            *(f"  never ready: {text}" for text in unready),
        ]
        if not all(group.required for group in groups):
            message.append("  Missing too, and not required:")
            message += _indented(brief(group for group in groups if not group.required))
        raise ConnectionTimeoutError("\n".join(message), missing_pvs(missing), arriving)
    optional = list(missing_pvs(missing))
    if optional:
        # classes for another ADCore than the IOC's lack a hundred: nobody reads such a list
        logger.warning(
            "%s: %d process variables did not answer within %.1f s, and are not needed:\n%s",
            names,
            len(optional),
            spent,
            "\n".join(_indented(brief(groups))),
        )
        logger.debug("%s: all that did not answer: %s", names, ", ".join(optional))
    return optional


def _lines(groups: Iterable[MissingGroup]) -> list[str]:
    return _indented(line for group in groups for line in group.lines())


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]


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
        self,
        all_signals: bool = False,
        timeout: float | None | object = DEFAULT_CONNECTION_TIMEOUT,
        *,
        progress: Progress | None = None,
    ) -> None:
        """Connect all process variables together and wait for them.

        Parameters
        ----------
        all_signals : bool
            Whether every process variable is required, see :func:`connect`.
        timeout : float or None
            Longest wait for all together, in seconds; the device's ``connection_timeout``
            by default, None waits for ever.
        progress : callable or None
            Called with the number of connected signals and of all signals, see :func:`connect`.

        Raises
        ------
        ConnectionTimeoutError
            A required process variable didn't connect; it is named with its component.
        """
        limit: Any = self.connection_timeout if timeout is DEFAULT_CONNECTION_TIMEOUT else timeout
        connect(self, all_signals=all_signals, timeout=limit, progress=progress)
