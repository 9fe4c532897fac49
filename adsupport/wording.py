"""Numbers and their nouns, as messages have them."""

from __future__ import annotations

__all__ = ["counted", "verb"]


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


def verb(number: int, singular: str, plural: str) -> str:
    """Choose the form of a verb for a number.

    Parameters
    ----------
    number : int
        How many.
    singular, plural : str
        The forms, such as ``"is"`` and ``"are"``.

    Returns
    -------
    str
        One of the two.
    """
    return singular if number == 1 else plural
