"""What every detector made by the factory can do, whatever its bases."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ophyd.device import DEFAULT_CONNECTION_TIMEOUT, Device

from ..adcore import Release
from .asyn_ports import KnowsItsPorts
from .connection.connect import ConnectsAtOnce
from .connection.progress import Progress
from .signals.batched_reading import ReadsAtOnce

__all__ = ["DetectorMixin"]


#: Default of ``wait_for_connection()``, in seconds.
CONNECTION_TIMEOUT = 5.0

_construction = threading.RLock()


@contextmanager
def _no_lazy_waits() -> Iterator[None]:
    """Let signals be made without waiting for them, in whatever device.

    ophyd's trigger and file store mixins touch signals when they are constructed, which
    would wait for an IOC.  A part can be reached only by its class then.
    """
    with _construction:
        before = Device.lazy_wait_for_connection
        Device.lazy_wait_for_connection = False
        try:
            yield
        finally:
            Device.lazy_wait_for_connection = before


class DetectorMixin(ConnectsAtOnce, ReadsAtOnce, KnowsItsPorts):
    """Mixin: a detector that is constructed without its IOC, and connects all at once.

    Attributes
    ----------
    validate_ports : bool
        Whether :meth:`wait_for_connection` also checks that every plugin's arrays come
        from the camera or from a plugin of this detector.  Staging always does.
    adcore : Release or None
        The release of ADCore that the classes of the parts fit; None when they were taken as
        they are.
    """

    validate_ports: bool = True
    adcore: Release | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("connection_timeout", CONNECTION_TIMEOUT)
        with _no_lazy_waits():
            super().__init__(*args, **kwargs)
        for part in (self, *(part for _, part in self.walk_subdevices())):
            part.lazy_wait_for_connection = True  # what a part took over in its construction

    def wait_for_connection(
        self,
        all_signals: bool = False,
        timeout: float | None | object = DEFAULT_CONNECTION_TIMEOUT,
        *,
        progress: Progress | None = None,
    ) -> None:
        """Connect all process variables together, then check the ports.

        Parameters
        ----------
        all_signals : bool
            Whether every process variable is required.  By default those are which are
            read, configured or staged; another one missing is logged.
        timeout : float or None
            Longest wait for all together, in seconds; the detector's ``connection_timeout``
            (5 s) by default, None waits for ever.
        progress : callable or None
            Called with the number of connected signals and of all signals; by default a bar
            comes up on a terminal when it takes longer than a second.

        Raises
        ------
        ConnectionTimeoutError
            A required process variable didn't connect; it is named with its component.
        UnknownPortError
            A plugin takes its arrays from a port that no part of the detector has.
        """
        super().wait_for_connection(all_signals, timeout, progress=progress)
        if self.validate_ports:
            self.validate_asyn_ports()
