"""Numbers of frames, as messages have them."""

from __future__ import annotations

__all__ = ["are", "counted", "were"]


def counted(number: int, noun: str = "frame") -> str:
    """Write a number with its noun.

    Parameters
    ----------
    number : int
        How many.
    noun : str
        Of what, in the singular; the plural ends in s.

    Returns
    -------
    str
        Such as ``"1 frame"`` and ``"2 frames"``.
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def are(number: int) -> str:
    """Choose the verb for a number.

    Parameters
    ----------
    number : int
        How many.

    Returns
    -------
    str
        ``"is"`` or ``"are"``.
    """
    return "is" if number == 1 else "are"


def were(number: int) -> str:
    """Choose the verb of the past for a number.

    Parameters
    ----------
    number : int
        How many.

    Returns
    -------
    str
        ``"was"`` or ``"were"``.
    """
    return "was" if number == 1 else "were"
