"""A walk through metadata that nobody checked, which notes all that's wrong on the way."""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["Place", "Problems", "decoded"]

_MOST_SHOWN = 20


class Problems(list[str]):
    """What is wrong with the metadata, a phrase each."""

    def note(self, phrase: str) -> None:
        """Add a phrase, once.

        Parameters
        ----------
        phrase : str
            Such as ``'metadata["dwell"] is missing'``.
        """
        if phrase not in self:
            self.append(phrase)

    def __str__(self) -> str:
        shown = list(self[:_MOST_SHOWN])
        if len(self) > _MOST_SHOWN:
            shown.append(f"and {len(self) - _MOST_SHOWN} more")
        return "; ".join(shown)


def decoded(text: str | bytes) -> Any:
    """Read JSON text that may be anything.

    Parameters
    ----------
    text : str or bytes
        The text.

    Returns
    -------
    any
        What it says.

    Raises
    ------
    ValueError
        It isn't JSON, or is nested deeper than can be read.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


class Place:
    """A value in the metadata, and where it stands.

    Parameters
    ----------
    value : any
        What stands there.
    path : str
        As it's written in Python, such as ``metadata["rois"]["1"]``.
    problems : Problems
        Where to note what is wrong.
    """

    def __init__(self, value: Any, path: str, problems: Problems) -> None:
        self.value = value
        self.path = path
        self.problems = problems

    def note(self, phrase: str) -> None:
        """Note what is wrong.

        Parameters
        ----------
        phrase : str
            What goes behind the place's name, such as ``"is missing"``.
        """
        self.problems.note(f"{self.path} {phrase}")

    def wrong(self, expected: str) -> None:
        """Note that the value isn't what it must be.

        Parameters
        ----------
        expected : str
            What it must be.
        """
        self.note(f"must be {expected}, not {_shown(self.value)}")

    def inner(self, key: Any, value: Any) -> Place:
        """Name a value within this one.

        Parameters
        ----------
        key : str or int
            Where it stands.
        value : any
            The value.

        Returns
        -------
        Place
            Its place.
        """
        written = json.dumps(key) if isinstance(key, str) else str(key)
        if len(written) > 60:
            written = written[:57] + '..."'
        return Place(value, f"{self.path}[{written}]", self.problems)

    def find(self, *keys: str) -> Place | None:
        """Look for a value that may be missing.

        Parameters
        ----------
        *keys : str
            Names that it may have.

        Returns
        -------
        Place or None
            None when there is none, or null, or when this isn't an object.
        """
        if not isinstance(self.value, Mapping):
            return None
        for key in keys:
            for spelt in (key, *_as_number(key)):
                found = self.value.get(spelt)
                if found is not None:
                    return self.inner(key, found)
        return None

    def need(self, key: str, meaning: str) -> Place | None:
        """Look for a value that must not be missing, and note when it is.

        Parameters
        ----------
        key : str
            Its name.
        meaning : str
            What it is.

        Returns
        -------
        Place or None
            As :meth:`find`.
        """
        found = self.find(key)
        if found is None and self.is_object():
            self.inner(key, None).note(f"is missing ({meaning})")
        return found

    def is_object(self) -> bool:
        """Tell whether this is an object, and note when it isn't.

        Returns
        -------
        bool
            True for a JSON object.
        """
        if isinstance(self.value, Mapping):
            return True
        self.wrong("an object (dict)")
        return False

    def parsed(self) -> Place:
        """Read the value where it may be JSON text as well.

        Returns
        -------
        Place
            The same place; its value is None when the text can't be read, which is noted.
        """
        if not isinstance(self.value, (str, bytes)):
            return self
        try:
            return Place(decoded(self.value), self.path, self.problems)
        except ValueError as error:
            self.note(f"isn't JSON: {error}")
        return Place(None, self.path, self.problems)

    def items(self) -> list[Place]:
        """List what a list holds.

        Returns
        -------
        list of Place
            Empty, and noted, when this isn't a list.
        """
        value = self.value.tolist() if isinstance(self.value, np.ndarray) else self.value
        if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
            return [self.inner(number, each) for number, each in enumerate(value)]
        self.wrong("a list")
        return []

    def number(self, expected: str, least: float = -math.inf) -> float | None:
        """Read a finite number.

        Parameters
        ----------
        expected : str
            What it must be, for messages.
        least : float
            No less is accepted.

        Returns
        -------
        float or None
            None, and noted, when it isn't one.
        """
        found = _number(self.value)
        if found is None or found < least:
            self.wrong(expected)
            return None
        return found

    def whole(self, expected: str, least: int = 0) -> int | None:
        """Read a whole number, also one that is written as 3.0.

        Parameters
        ----------
        expected : str
            What it must be, for messages.
        least : int
            No less is accepted.

        Returns
        -------
        int or None
            None, and noted, when it isn't one.
        """
        found = _number(self.value)
        if found is None or not found.is_integer() or found < least:
            self.wrong(expected)
            return None
        return int(found)

    def text(self, expected: str) -> str | None:
        """Read a text.

        Parameters
        ----------
        expected : str
            What it must be, for messages.

        Returns
        -------
        str or None
            None, and noted, when it isn't one, or empty.
        """
        if isinstance(self.value, str) and self.value and _can_be_written(self.value):
            return self.value
        self.wrong(expected)
        return None

    def numbers(self, expected: str) -> np.ndarray | None:
        """Read a list of finite numbers.

        Parameters
        ----------
        expected : str
            What it must be, for messages.

        Returns
        -------
        numpy.ndarray or None
            (n,), float64; None, and noted, when it isn't one.
        """
        value = self.value
        if isinstance(value, Sequence) and len(value) == 2 and isinstance(value[0], Sequence):
            value = value[0]  # numpy.linspace(..., retstep=True), as some programs write it
        try:
            # Told as float, numpy would read texts as numbers.
            found = np.array([] if isinstance(value, (str, bytes)) else value)
        except (ValueError, TypeError, OverflowError, RecursionError):
            found = np.array(None)
        if not isinstance(value, (Sequence, np.ndarray)) or isinstance(value, (str, bytes)):
            found = np.array(None)
        if found.ndim == 1 and not found.size:
            return np.empty(0)
        if found.ndim != 1 or found.dtype.kind not in "iuf" or not np.isfinite(found).all():
            self.wrong(expected)
            return None
        return found.astype(np.float64)


def _number(value: Any) -> float | None:
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, np.integer, np.floating)
    ):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _as_number(key: str) -> tuple[int, ...]:
    """Spell a key as a dict may have it that never was JSON."""
    return (int(key),) if key.isascii() and key.isdigit() and len(key) < 10 else ()


def _can_be_written(text: str) -> bool:
    """HDF5 has neither NUL nor lone surrogates in texts."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and type {value.dtype}"
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)) and len(value) > 3:
        return f"a list of {len(value)}, {reprlib.repr(value[0])} to {reprlib.repr(value[-1])}"
    return reprlib.repr(value)
