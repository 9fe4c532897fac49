"""What a declaration may hold at all, before anybody asks what it means."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from .place import Place

__all__ = ["check_content", "check_name", "check_size", "read_text"]

#: Some hundred detectors; a parser of YAML needs seconds for as much.
_MOST_BYTES = 200_000
#: Levels of lists and mappings; a plugin's settings are on the fifth.
_MOST_LEVELS = 20
#: Longest number, in bits, and text, in characters.
_MOST_BITS = 64
_MOST_CHARACTERS = 1_000


def read_text(place: Place, path: Path) -> str:
    """Read the file of a declaration.

    Parameters
    ----------
    place : Place
        The file, for messages.
    path : pathlib.Path
        The same.

    Returns
    -------
    str
        What it holds.

    Raises
    ------
    ConfigurationError
        It isn't there, isn't a plain file, is too large, or isn't UTF-8.
    """
    try:
        found = os.stat(path)
    except (OSError, ValueError) as error:  # the latter: a name that no file can have
        raise place.error(f"can't be read: {error}") from error
    if not stat.S_ISREG(found.st_mode):
        raise place.error("can't be read: it isn't a plain file.")  # a pipe might never end
    check_size(place, found.st_size)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise place.error(f"can't be read: {error}. Save it as UTF-8.") from error
    except OSError as error:
        raise place.error(f"can't be read: {error}") from error


def check_size(place: Place, size: int) -> None:
    """Check that a declaration isn't so large that it would take minutes.

    Parameters
    ----------
    place : Place
        Where it is.
    size : int
        Its bytes or characters.

    Raises
    ------
    ConfigurationError
        It's too large.
    """
    if size > _MOST_BYTES:
        raise place.error(
            f"has {size} bytes, and a declaration may have {_MOST_BYTES}. Is it the right file? "
            "Split a long one."
        )


def check_content(place: Place, content: object, levels: int = _MOST_LEVELS) -> None:
    """Check every value of a declaration for what nothing could use.

    Parameters
    ----------
    place : Place
        Where it is.
    content : object
        What is there.
    levels : int
        How many levels it may have.

    Raises
    ------
    ConfigurationError
        A text has a control character or is too long, a number is too large, or lists and
        mappings are nested too deep.
    """
    if isinstance(content, str):
        _check_text(place, content)
    elif isinstance(content, int) and content.bit_length() > _MOST_BITS:
        raise place.error(f"expected a number of at most {_MOST_BITS} bits, got a larger one.")
    elif isinstance(content, Mapping | list):
        if not levels:
            raise place.error(
                f"lists and mappings are nested deeper than {_MOST_LEVELS} levels; detectors need "
                "five."
            )
        if isinstance(content, Mapping):
            for key, value in content.items():
                if isinstance(key, str):
                    _check_text(place, key, "a key")
                    check_content(place / key, value, levels - 1)
        else:
            for n, value in enumerate(content):
                check_content(place / n, value, levels - 1)


def _check_text(place: Place, text: str, what: str = "a text") -> None:
    if len(text) > _MOST_CHARACTERS:
        raise place.error(
            f"expected {what} of at most {_MOST_CHARACTERS} characters, got {len(text)}: "
            f"{text[:40]!r}..."
        )
    odd = next((each for each in text if not each.isprintable()), None)
    if odd is not None:
        raise place.error(
            f"expected {what} that can be printed, got {text!r} with the character {odd!r}: take "
            "it out."
        )


def check_name(place: Place, name: str) -> str:
    """Check the name of a detector, which the names of its readings begin with.

    Parameters
    ----------
    place : Place
        Where it is.
    name : str
        The name.

    Returns
    -------
    str
        The same.

    Raises
    ------
    ConfigurationError
        It has other characters than letters, digits, ``_`` and ``-``, or begins with a digit.
    """
    if not (name[:1].isidentifier() and name.replace("-", "_").isidentifier()):
        raise place.error(
            f"expected letters, digits, '_' and '-', a letter first, such as 'adsimdet', got "
            f"{name!r}: the readings in the events are named after it."
        )
    return name
