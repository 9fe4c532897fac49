"""A walk through metadata that nobody checked, which notes all that's wrong on the way."""

from __future__ import annotations

import json
import math
import reprlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

__all__ = ["Place", "Problems", "plain"]

_MOST_SHOWN = 20


class Problems(list[str]):
    """What is wrong with the metadata, a phrase each; of very many the first ones."""

    def __init__(self) -> None:
        super().__init__()
        self._more = 0

    def note(self, phrase: str) -> None:
        """Add a phrase, once.

        Parameters
        ----------
        phrase : str
            Such as ``'metadata["dwell"] is missing'``.
        """
        if phrase in self:
            return
        if len(self) < _MOST_SHOWN:
            self.append(phrase)
        else:
            self._more += 1

    def note_all(self, others: Problems) -> None:
        """Add the phrases of others, and how many more these have.

        Parameters
        ----------
        others : Problems
            Found elsewhere.
        """
        for phrase in others:
            self.note(phrase)
        self._more += others._more  # noqa: SLF001  of its own class

    def __str__(self) -> str:
        more = [f"and {self._more} more"] if self._more else []
        return "; ".join([*self, *more])


def plain(value: Any) -> Any:
    """Make a value what JSON has: of dicts with any keys, tuples and numpy's arrays as well.

    Parameters
    ----------
    value : any
        The value.

    Returns
    -------
    any
        None, bool, int, float, str, and lists and dicts of these; text for all else.
    """
    if isinstance(value, Mapping):
        return {plain_key(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Sequence):
        return [plain(each) for each in value]
    if isinstance(value, int):
        # Python refuses to write numbers of thousands of digits.
        return int(value) if value.bit_length() < 1000 else math.inf
    return float(value) if isinstance(value, float) else f"<{type(value).__name__}>"


def plain_key(key: Any) -> str:
    """Spell a key of a dict as JSON has it.

    Parameters
    ----------
    key : any
        The key.

    Returns
    -------
    str
        The text; of numbers their digits.
    """
    return key if isinstance(key, str) else str(plain(key))


class Place:
    """A value in the metadata, and where it stands.

    Parameters
    ----------
    value : any
        What stands there; such as JSON has it, see :func:`plain`.
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
        if not isinstance(self.value, dict):
            return None
        for key in keys:
            found = self.value.get(key)
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
        if isinstance(self.value, dict):
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
        if not isinstance(self.value, str):
            return self
        try:
            return Place(json.loads(self.value), self.path, self.problems)
        except ValueError as error:
            self.note(f"isn't JSON: {error}")
        except RecursionError:
            self.note("is nested too deep")
        return Place(None, self.path, self.problems)

    def items(self) -> list[Place]:
        """List what a list holds.

        Returns
        -------
        list of Place
            Empty, and noted, when this isn't a list.
        """
        if isinstance(self.value, list):
            return [self.inner(number, each) for number, each in enumerate(self.value)]
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
        if isinstance(value, list) and len(value) == 2 and isinstance(value[0], list):
            value = value[0]  # numpy.linspace(..., retstep=True), as some programs write it
        found = np.array(None)
        if isinstance(value, list):
            if not value:
                return np.empty(0)
            with suppress(ValueError, OverflowError):
                # Told to make floats, numpy would read texts as numbers.
                found = np.array(value)
        if found.ndim != 1 or found.dtype.kind not in "iuf" or not np.isfinite(found).all():
            self.wrong(expected)
            return None
        return found.astype(np.float64)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _can_be_written(text: str) -> bool:
    """HDF5 has neither NUL nor lone surrogates in texts."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _shown(value: Any) -> str:
    if isinstance(value, list) and len(value) > 3:
        return f"a list of {len(value)}, {reprlib.repr(value[0])} to {reprlib.repr(value[-1])}"
    return reprlib.repr(value)
