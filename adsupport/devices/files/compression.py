"""Choices of compression by their names, whatever release of ADCore spells them.

Set-point and read-back name the same choice differently until R3-4 (``N-bit`` and ``nbit``), and
R3-5 renamed ``blosc`` to ``Blosc``: a name is compared without case and hyphen, and written as its
number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ophyd.areadetector.base import EpicsSignalWithRBV

from ...adcore import Release, compressions
from ...errors import ConfigurationError
from ..signals.reading import pv_name

__all__ = ["CompressionSignal", "choice_index", "unknown_choice"]

_SPELLINGS = {"nbit": "N-bit"}
_RELEASES = [Release(2, 6), *(Release(3, minor) for minor in range(15))]


def choice_index(choices: Sequence[str], value: object) -> int | None:
    """Find a choice by its name, without regard to case and hyphen.

    Parameters
    ----------
    choices : sequence of str
        The names, in the order of their numbers.
    value : object
        A name, or a number.

    Returns
    -------
    int or None
        Its number; None when it's none of the choices.
    """
    if isinstance(value, int | np.integer):  # also True, which is a choice of No and Yes
        return int(value) if 0 <= value < len(choices) else None
    known = [_plain(choice) for choice in choices]
    wanted = _plain(str(value))
    return known.index(wanted) if wanted in known else None


def _plain(choice: str) -> str:
    return choice.lower().replace("-", "")


def unknown_choice(signal: Any, choices: Sequence[str], value: object, argument: str) -> str:
    """Say that a choice isn't there.

    Parameters
    ----------
    signal : ophyd.EpicsSignal
        What was to be written.
    choices : sequence of str
        What it knows.
    value : object
        What was asked for.
    argument : str
        Where it was given; ``"compression"`` for the choices of NDFileHDF5.

    Returns
    -------
    str
        What is known instead and, of a compression, which release of ADCore brought it.
    """
    text = f"{argument}={value!r}: {pv_name(signal, True)} knows {', '.join(choices)}."
    since = _since(value) if argument == "compression" else None
    if since is not None:
        text += f" {value} came with ADCore {since}: upgrade the IOC, or take another one."
    return text


def _since(value: object) -> Release | None:
    """Tell which release of ADCore brought a compression."""
    wanted = _plain(str(value))
    for release in _RELEASES:
        if wanted in map(_plain, compressions(release)):
            return release
    return None


class CompressionSignal(EpicsSignalWithRBV):
    """``Compression`` of NDFileHDF5: takes any spelling of a choice, shows the set-point's.

    The number of the choice is written, so that setting and waiting also ends where the read-back
    is spelled otherwise.
    """

    @property
    def enum_strs(self) -> tuple[str, ...] | None:
        """The choices, as the set-point spells them; None when not connected."""
        found: Any = super().enum_strs
        return None if found is None else tuple(_SPELLINGS.get(str(c), str(c)) for c in found)

    def get(self, **kwargs: Any) -> Any:
        """Read the choice.

        Parameters
        ----------
        **kwargs
            See :class:`ophyd.EpicsSignal`.

        Returns
        -------
        str or int
            Its name as the set-point spells it; its number with ``as_string=False``.
        """
        value = super().get(**kwargs)
        return _SPELLINGS.get(value, value) if isinstance(value, str) else value

    def put(self, value: Any, **kwargs: Any) -> None:
        """Write a choice.

        Parameters
        ----------
        value : str or int
            Name in any spelling, or number.
        **kwargs
            See :class:`ophyd.EpicsSignal`.

        Raises
        ------
        ConfigurationError
            The installed release of ADCore doesn't have it; the message says which has.
        """
        super().put(self.choice_number(value), **kwargs)

    def set(self, value: Any, **kwargs: Any) -> Any:
        """Write a choice and tell when the read-back shows it.

        Parameters
        ----------
        value : str or int
            Name in any spelling, or number.
        **kwargs
            See :class:`ophyd.EpicsSignal`.

        Returns
        -------
        ophyd.status.Status
            Done when the read-back shows the choice.

        Raises
        ------
        ConfigurationError
            The installed release of ADCore doesn't have it; the message says which has.
        """
        return super().set(self.choice_number(value), **kwargs)

    def choice_number(self, value: Any) -> int:
        """Return the number of a choice.

        Parameters
        ----------
        value : str or int
            Name in any spelling, or number.

        Returns
        -------
        int
            What is written for it.

        Raises
        ------
        ConfigurationError
            The installed release of ADCore doesn't have it; the message says which has.
        """
        self.wait_for_connection()
        choices = self.enum_strs or ()
        number = choice_index(choices, value)
        if number is None:
            raise ConfigurationError(unknown_choice(self, choices, value, "compression"))
        return number
