"""Files that clients name, opened so that a client's name cannot hold up the IOC."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO


def create(path: str) -> BinaryIO:
    """Create a file, or empty the one that is there.

    A pipe without a reader is an error: opened as usual, it would be waited for.

    Parameters
    ----------
    path : str
        File to create.

    Raises
    ------
    OSError
        When it cannot be created.
    """

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags | os.O_NONBLOCK, 0o666)

    try:
        return open(path, "wb", opener=opener)
    except ValueError as error:  # a NUL in the name
        raise OSError(f"{path!r} is no file name: {error}") from error


def require_file(path: str) -> None:
    """Refuse what is not a file: a pipe would be waited for, a device read for ever.

    Raises
    ------
    OSError
        When there is no such file.
    """
    try:
        exists = Path(path).is_file()
    except ValueError as error:  # a NUL in the name
        raise OSError(f"{path!r} is no file name: {error}") from error
    if not exists:
        raise FileNotFoundError(f"there is no file {path}")
