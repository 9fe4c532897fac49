"""Let a camera's FrameType choose the dataset that its HDF5 plugin writes to.

The HDF5 plugin can file frames by an attribute that holds the address of a dataset.  The
states of ``FrameType`` are given these addresses as their strings.
"""

from __future__ import annotations

import time

from ..errors import ConfigurationError, ConnectionTimeoutError, PutError
from .signals.putting import PUT_TIMEOUT

__all__ = ["AD_FrameType_schemes", "AD_setup_FrameType"]

#: For each scheme the strings of the first three states of FrameType, which are image, dark
#: field (background) and white field (flat field).
AD_FrameType_schemes: dict[str, dict[str, str]] = {
    "reset": {"ZRST": "Normal", "ONST": "Background", "TWST": "FlatField"},
    "NeXus": {"ZRST": "/entry/data/data", "ONST": "/entry/data/dark", "TWST": "/entry/data/white"},
    "DataExchange": {
        "ZRST": "/exchange/data",
        "ONST": "/exchange/data_dark",
        "TWST": "/exchange/data_white",
    },
}

_LONGEST = 25  # bytes that a state string of an mbbo record holds


def AD_setup_FrameType(
    prefix: str, scheme: str = "NeXus", *, cam: str = "cam1:", timeout: float = PUT_TIMEOUT
) -> None:
    """Name the states of a camera's FrameType after the datasets of a file format.

    Writes the first three state strings of ``FrameType`` and ``FrameType_RBV``, and reads
    each back.

    Parameters
    ----------
    prefix : str
        Prefix of the detector, such as ``"ad:"``.
    scheme : str
        A key of ``AD_FrameType_schemes``: ``"NeXus"``, ``"DataExchange"`` or ``"reset"``.
    cam : str
        Suffix of the camera.
    timeout : float
        Longest wait for all, in seconds.

    Raises
    ------
    ConfigurationError
        The scheme is unknown, or one of its strings doesn't fit the record.
    ConnectionTimeoutError
        A process variable didn't connect; it is named.
    PutError
        The IOC didn't take a string.
    """
    if scheme not in AD_FrameType_schemes:
        raise ConfigurationError(
            f"FrameType scheme {scheme!r} is unknown; expected one of "
            f"{', '.join(map(repr, AD_FrameType_schemes))}."
        )
    states = AD_FrameType_schemes[scheme]
    for field, text in states.items():
        if len(text.encode()) > _LONGEST:
            raise ConfigurationError(
                f"FrameType scheme {scheme!r}: {field} is {text!r}, which is longer than the "
                f"{_LONGEST} bytes of a record's state string."
            )
    # Not needed to import the devices.
    import epics

    deadline = time.monotonic() + timeout
    records = (f"{prefix}{cam}FrameType", f"{prefix}{cam}FrameType_RBV")
    values = {f"{record}.{field}": text for record in records for field, text in states.items()}
    pvs = {name: epics.PV(name, auto_monitor=False) for name in values}
    missing = [
        name
        for name, pv in pvs.items()
        if not pv.wait_for_connection(timeout=max(0.01, deadline - time.monotonic()))
    ]
    if missing:
        raise ConnectionTimeoutError(
            f"{', '.join(missing)} did not connect within {timeout:g} s. Is the IOC running, and "
            f"are prefix {prefix!r} and cam {cam!r} right?",
            missing,
        )
    for name, text in values.items():
        left = max(0.1, deadline - time.monotonic())
        pvs[name].put(text, wait=True, timeout=left)
        # Some servers acknowledge a put that they refused.
        found = pvs[name].get(as_string=True, use_monitor=False, timeout=left)
        if found != text:
            raise PutError(f"{name}: put {text!r}, but it shows {found!r}; the IOC refused it.")
