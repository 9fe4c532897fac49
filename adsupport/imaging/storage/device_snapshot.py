"""What devices say of themselves at one moment: values with units, limits and timestamps."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import bluesky.plan_stubs as bps
import numpy as np
from bluesky.utils import Msg, maybe_await

__all__ = ["Snapshot", "device_snapshot", "plain_value", "read_devices"]

#: Longest array that is kept: a longer one is an image or a waveform, which have files.
_LONGEST = 1000


@dataclass
class Snapshot:
    """The devices as they were.

    Parameters
    ----------
    devices : dict
        Of each device by its name, see :func:`device_snapshot`.
    failures : dict
        Of each optional device that couldn't be read: ``error``, the type, and ``message``.
    """

    devices: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    failures: dict[str, dict[str, str]] = field(default_factory=dict)


def device_snapshot(
    reading: Mapping[str, Mapping[str, Any]], description: Mapping[str, Mapping[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Put together what a device's ``read()`` and ``describe()`` say.

    Parameters
    ----------
    reading : mapping
        Of each key ``value`` and ``timestamp``.
    description : mapping
        Of each key, as far as known, ``units``, limits, ``precision``, choices and ``source``; as
        ophyd or ophyd-async names them.

    Returns
    -------
    dict
        Of each key of the reading: ``value`` (a number is a number), and where known ``units``,
        ``lower_limit``, ``upper_limit``, ``precision``, ``choices``, ``label`` (of a value that
        numbers a choice), ``timestamp`` (seconds since 1970), ``source``; for what is left out of
        the value ``left_out`` says why.
    """
    return {
        str(key): _signal(each, description.get(key, {}))
        for key, each in reading.items()
        if isinstance(each, Mapping)
    }


def read_devices(
    devices: Iterable[Any], optional: bool | Collection[str] = ()
) -> Generator[Msg, Any, Snapshot]:
    """Read devices with their configuration, one after the other; a plan stub.

    Parameters
    ----------
    devices : iterable of bluesky Readable
        Of ophyd or ophyd-async.
    optional : bool or collection of str
        Names of those that may fail; True is all of them.

    Yields
    ------
    Msg
        Messages for the RunEngine.

    Returns
    -------
    Snapshot
        With the failures of those that may.

    Raises
    ------
    Exception
        What a device raised that must not fail, with a note that names it.
    """
    snapshot = Snapshot()
    for device in devices:
        found: dict[str, Any] = {}
        yield from bps.wait_for([partial(_read, device, found)])
        error = found.get("error")
        if error is None:
            snapshot.devices[device.name] = device_snapshot(found["reading"], found["description"])
        elif optional is True or (optional is not False and device.name in optional):
            snapshot.failures[device.name] = {
                "error": type(error).__name__,
                "message": str(error) or repr(error),
            }
        else:
            error.add_note(f"The device is {device.name!r}.")
            raise error
    return snapshot


async def _read(device: Any, found: dict[str, Any]) -> None:
    """Read a device within the RunEngine's loop, where ophyd-async's devices live."""
    try:
        reading, description = {}, {}
        for verb in ("", "_configuration"):
            if hasattr(device, f"read{verb}"):
                description.update(await maybe_await(getattr(device, f"describe{verb}")()))
                reading.update(await maybe_await(getattr(device, f"read{verb}")()))
        found.update(reading=reading, description=description)
    except Exception as error:  # whatever a device raises is told, or raised, by the plan
        found["error"] = error


def _signal(reading: Mapping[str, Any], description: Mapping[str, Any]) -> dict[str, Any]:
    value, left_out = plain_value(reading.get("value"))
    found: dict[str, Any] = {"value": value, "left_out": left_out or None}
    lower, upper = _limits(description)
    choices = description.get("enum_strs") or description.get("choices")
    found.update(
        units=description.get("units"),
        lower_limit=lower,
        upper_limit=upper,
        precision=description.get("precision"),
    )
    if choices:
        found["choices"] = [str(each) for each in choices]
        if isinstance(value, int) and 0 <= value < len(choices):
            found["label"] = found["choices"][value]
    found.update(
        alarm_severity=reading.get("alarm_severity"),
        timestamp=reading.get("timestamp"),
        source=description.get("source"),
    )
    return {
        key: plain_value(each)[0]
        for key, each in found.items()
        if key == "value" or each not in (None, "")
    }


def _limits(description: Mapping[str, Any]) -> tuple[Any, Any]:
    limits = description.get("limits")
    if isinstance(limits, Mapping):
        control = limits.get("control") or {}
        lower, upper = control.get("low"), control.get("high")
    else:
        lower, upper = (description.get(f"{side}_ctrl_limit") for side in ("lower", "upper"))
    # EPICS: two equal ones, mostly zeros, are none
    return (None, None) if lower == upper else (lower, upper)


def plain_value(value: Any) -> tuple[Any, str]:
    """Return a value as JSON has it, as far as it can.

    Parameters
    ----------
    value : any
        A number, a text, an array, or anything else.

    Returns
    -------
    any, str
        A numpy scalar as Python's number, an array as lists, the rest as it is; None for an array
        that is too long, and why.
    """
    if isinstance(value, np.generic):
        return value.item(), ""
    if isinstance(value, np.ndarray):
        if value.size > _LONGEST:
            return None, f"array of shape {value.shape} and type {value.dtype}"
        return value.tolist(), ""
    if isinstance(value, (list, tuple)) and len(value) > _LONGEST:
        return None, f"list of {len(value)} items"
    return value, ""
