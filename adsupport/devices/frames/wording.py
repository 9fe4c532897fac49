"""Numbers of frames, as messages have them."""

from __future__ import annotations

__all__ = ["counted"]


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
