"""Ask an IOC which releases of ADCore and of the camera's driver it was built with."""

from __future__ import annotations

import time
from dataclasses import dataclass

from ophyd import EpicsSignalRO

from ...adcore import Release
from ...errors import ConfigurationError, ConnectionTimeoutError
from ..signals.reading import READ_TIMEOUT, read_signals

__all__ = ["InstalledReleases", "installed_releases"]

#: Longest time for the driver's own record once ADCore's has answered, in seconds.
_DRIVER_TIMEOUT = 1.0

# With the last channel the connection to an IOC would be closed, just when the detector is about
# to open its thousands.
_open: dict[str, EpicsSignalRO] = {}


@dataclass(frozen=True)
class InstalledReleases:
    """What an IOC was built with.

    Attributes
    ----------
    adcore : Release
        Release of ADCore.
    driver : Release or None
        Release of the camera's driver; None when it doesn't tell.
    """

    adcore: Release
    driver: Release | None = None


def installed_releases(cam_prefix: str, timeout: float | None = 5.0) -> InstalledReleases:
    """Ask an IOC for its releases.

    Parameters
    ----------
    cam_prefix : str
        What the names of the camera's records begin with, such as ``"ad:cam1:"``.
    timeout : float or None
        Longest wait for the answer, in seconds; None waits for the connection for ever.

    Returns
    -------
    InstalledReleases
        The releases that ``ADCoreVersion_RBV`` and ``DriverVersion_RBV`` tell.

    Raises
    ------
    ConnectionTimeoutError
        The IOC didn't answer in time.
    ConfigurationError
        What it told isn't a release.
    """
    name = f"{cam_prefix}ADCoreVersion_RBV"
    try:
        found = _ask(name, timeout)
    except TimeoutError as error:
        limit = "" if timeout is None else f" within {timeout:g} s"
        raise ConnectionTimeoutError(
            f"{name} didn't answer{limit}, so it isn't known which release of ADCore this IOC has.",
            [name],
            remedy="Is it running, is the prefix right, and does EPICS_CA_ADDR_LIST reach it? "
            "Start it, or give adcore='R3-14' to build without the IOC.",
        ) from error
    try:
        adcore = Release.parse(found)
    except ValueError as error:
        raise ConfigurationError(
            f"{name}: {error}. Give the release yourself, as in adcore='R3-14'."
        ) from None
    return InstalledReleases(adcore, _of_driver(f"{cam_prefix}DriverVersion_RBV"))


def _ask(name: str, timeout: float | None) -> str:
    """Read a text; the channel stays open when it answers."""
    # taken out while it is used: another thread that asks the same makes one of its own
    signal = _open.pop(name, None) or EpicsSignalRO(name, name="version", string=True)
    deadline = None if timeout is None else time.monotonic() + timeout
    try:
        signal.wait_for_connection(timeout=timeout)  # type: ignore[arg-type]
        left = None if deadline is None else max(0.1, deadline - time.monotonic())
        found = str(read_signals({name: signal}, left or READ_TIMEOUT)[name])
    except BaseException:
        signal.destroy()
        raise
    if _open.setdefault(name, signal) is not signal:
        signal.destroy()
    return found


def _of_driver(name: str) -> Release | None:
    """Parse what the driver tells; drivers spell their releases as they like."""
    try:
        return Release.parse(_ask(name, _DRIVER_TIMEOUT))
    except (TimeoutError, ValueError):
        return None
