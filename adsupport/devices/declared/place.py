"""A place in a declaration: what is there is checked, and named when it can't be used."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import ConfigurationError
from ..keyword_arguments import unknown_keyword

__all__ = ["Place"]


@dataclass(frozen=True)
class Place:
    """A place in a file.

    Parameters
    ----------
    source : str
        The file.
    keys : str
        The way to the place, such as ``"detectors[0].plugins"``.
    """

    source: str
    keys: str = ""

    def __truediv__(self, key: str | int) -> Place:
        """Go one step deeper."""
        if isinstance(key, int):
            return Place(self.source, f"{self.keys}[{key}]")
        return Place(self.source, f"{self.keys}.{key}" if self.keys else key)

    def error(self, message: str) -> ConfigurationError:
        """Make the error that something here can't be used.

        Parameters
        ----------
        message : str
            What is wrong, and what was expected.

        Returns
        -------
        ConfigurationError
            To be raised.
        """
        return ConfigurationError(": ".join(filter(None, (self.source, self.keys, message))))

    def mapping(self, value: object, what: str) -> dict[str, Any]:
        """Check that a mapping with text as keys is here.

        Parameters
        ----------
        value : object
            What is here.
        what : str
            What it should hold.

        Returns
        -------
        dict
            The same.
        """
        if not isinstance(value, Mapping):
            raise self.error(f"expected a mapping with {what}, got {_short(value)}.")
        for key in value:
            if not isinstance(key, str):
                raise self.error(f"the key {key!r} must be text: write it in quotes.")
        return dict(value)

    def items(self, value: object) -> Iterator[tuple[Place, Any]]:
        """Go through the list that must be here.

        Parameters
        ----------
        value : object
            What is here.

        Yields
        ------
        tuple of Place and object
            Each entry and where it is.
        """
        if not isinstance(value, list):
            raise self.error(f"expected a list, got {_short(value)}.")
        for n, entry in enumerate(value):
            yield self / n, entry

    def text(self, value: object, empty: bool = False) -> str:
        """Check that a text is here.

        Parameters
        ----------
        value : object
            What is here.
        empty : bool
            Whether an empty text will do.

        Returns
        -------
        str
            The same.
        """
        if not isinstance(value, str) or not (value or empty):
            advice = "" if value in (None, "") else ": write it in quotes"
            raise self.error(f"expected a text, got {_short(value)}{advice}.")
        return value

    def known(self, given: Collection[str], accepted: Collection[str]) -> None:
        """Check that only accepted keys are here.

        Parameters
        ----------
        given : collection of str
            The keys.
        accepted : collection of str
            Those that have a meaning.
        """
        for key in given:
            if key not in accepted:
                raise (self / key).error(unknown_keyword(key, accepted))


def _short(value: object) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"
