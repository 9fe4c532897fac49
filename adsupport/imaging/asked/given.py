"""Devices and functions that a user gave: what they must have, or an error that names them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...errors import ConfigurationError

__all__ = ["function", "having", "kind", "listed", "mapping", "movable", "readables"]


def having(argument: str, given: Any, names: Iterable[str], remedy: str = "") -> Any:
    """Take what has certain attributes.

    Parameters
    ----------
    argument : str
        Its name, for the message.
    given : any
        As given.
    names : iterable of str
        Of methods and attributes.
    remedy : str
        What to give instead.

    Returns
    -------
    any
        As given.

    Raises
    ------
    ConfigurationError
        It lacks one.
    """
    lacking = [name for name in names if not hasattr(type(given), name)]
    lacking = [name for name in lacking if not hasattr(given, name)]
    if lacking:
        raise ConfigurationError(
            f"{argument}: {given!r} has no {' and no '.join(lacking)}", remedy=remedy
        )
    return given


def movable(argument: str, device: Any) -> Any:
    """Take a device that can be set and read.

    Parameters
    ----------
    argument : str
        Its name, for the message.
    device : bluesky Movable and Readable
        As given.

    Returns
    -------
    any
        The device.

    Raises
    ------
    ConfigurationError
        It's none.
    """
    return having(
        argument, device, ("name", "set", "read", "describe"), "Give a device that can be moved "
        "and read, such as an EpicsMotor.",
    )  # fmt: skip


def readables(argument: str, devices: Any) -> list[Any]:
    """Take devices that can be read.

    Parameters
    ----------
    argument : str
        Their name, for the message.
    devices : iterable of bluesky Readable
        As given.

    Returns
    -------
    list
        The devices.

    Raises
    ------
    ConfigurationError
        One can't be read, or there's no list.
    """
    found = listed(argument, devices, "devices")
    for index, each in enumerate(found):
        having(f"{argument}[{index}]", each, ("name", "read", "describe"), "Give devices only.")
    return found


def listed(argument: str, given: Any, what: str) -> list[Any]:
    """Take several things.

    Parameters
    ----------
    argument : str
        Their name, for the message.
    given : iterable
        As given; no text.
    what : str
        What they are.

    Returns
    -------
    list
        The things.

    Raises
    ------
    ConfigurationError
        It's no iterable, or a text.
    """
    if not isinstance(given, (str, bytes, Mapping)):
        try:
            return list(given)
        except TypeError:
            pass
    raise ConfigurationError(f"{argument}={given!r}: expected a list of {what}.")


def mapping(argument: str, given: Any) -> dict[str, Any]:
    """Take metadata.

    Parameters
    ----------
    argument : str
        Its name, for the message.
    given : mapping or None
        As given; None is an empty one.

    Returns
    -------
    dict
        A copy.

    Raises
    ------
    ConfigurationError
        It's no mapping.
    """
    if given is not None and not isinstance(given, Mapping):
        raise ConfigurationError(f"{argument} must be a dictionary, got {given!r}.")
    return dict(given or {})


def function(argument: str, given: Any) -> Any:
    """Take a function, or None.

    Parameters
    ----------
    argument : str
        Its name, for the message.
    given : callable or None
        As given.

    Returns
    -------
    callable or None
        As given.

    Raises
    ------
    ConfigurationError
        It can't be called.
    """
    if given is not None and not callable(given):
        raise ConfigurationError(
            f"{argument} must be a function, got {given!r}",
            remedy="Give the function itself, without calling it.",
        )
    return given


def kind(argument: str, given: Any, *wanted: type) -> Any:
    """Take an object of a class.

    Parameters
    ----------
    argument : str
        Its name, for the message.
    given : any
        As given.
    *wanted : type
        Its class, or several.

    Returns
    -------
    any
        As given.

    Raises
    ------
    ConfigurationError
        It's of another class.
    """
    if not isinstance(given, wanted):
        names = " or ".join(each.__name__ for each in wanted)
        raise ConfigurationError(f"{argument} must be a {names}, got {given!r}.")
    return given
