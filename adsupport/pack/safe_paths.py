"""Paths within a pack, which somebody else may have written: none of them leads out of it."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from ..errors import PackError

__all__ = ["checked_relative", "inside_pack"]

_DRIVE = re.compile(r"[A-Za-z]:")


def checked_relative(relative: str) -> str:
    """Make sure that a text can be the path of a file in a pack.

    Parameters
    ----------
    relative : str
        Relative to the pack, with ``/`` between its parts.

    Returns
    -------
    str
        The same.

    Raises
    ------
    PackError
        It's absolute, empty, or holds a NUL, a line's end, a backslash, a drive, half of a
        character (a surrogate of UTF-16), or an empty, ``.`` or ``..`` part.
    """
    problem = _problem(relative)
    if problem:
        raise PackError(
            f"{relative!r:.300} isn't the path of a file in a pack: it {problem}.",
            path=relative,
            remedy="Don't use this pack unless you know who wrote it.",
        )
    return relative


def inside_pack(directory: str | os.PathLike[str], relative: str) -> Path:
    """Return the path of a file in a pack, and refuse one that leads out of it.

    Parameters
    ----------
    directory : str or path
        The pack's.
    relative : str
        Of a file that is there, relative to the pack.

    Returns
    -------
    pathlib.Path
        The two joined.

    Raises
    ------
    PackError
        See :func:`checked_relative`; or there's no such file, or it or a directory on the way is
        a link, or it isn't a regular file.
    """
    checked_relative(relative)
    path = Path(directory)
    found = None
    for part in relative.split("/"):
        if found is not None and not stat.S_ISDIR(found.st_mode):
            raise _refused(path, relative, "isn't a directory")
        path = path / part
        try:
            found = path.lstat()
        except OSError as error:
            raise _refused(path, relative, f"can't be read: {error.strerror}") from error
        if stat.S_ISLNK(found.st_mode):
            raise _refused(path, relative, "is a link, which may lead out of the pack")
    if found is None or not stat.S_ISREG(found.st_mode):
        raise _refused(path, relative, "isn't a regular file")
    return path


def _problem(relative: object) -> str:
    if not isinstance(relative, str):
        return f"is a {type(relative).__name__}"
    if not relative:
        return "is empty"
    if relative.startswith("/"):
        return "is absolute"
    if any(char in relative for char in "\0\\\n\r"):
        return "holds a NUL, a line's end or a backslash"
    if _DRIVE.match(relative):
        return "begins with a drive"
    if any(part in ("", ".", "..") for part in relative.split("/")):
        return "has an empty, '.' or '..' part"
    try:
        os.fsencode(relative)
    except UnicodeEncodeError:
        return "holds half of a character"
    return ""


def _refused(path: Path, relative: str, problem: str) -> PackError:
    return PackError(
        f"{path} {problem}.",
        path=relative,
        remedy="Verify the pack, or get it from its source again.",
    )
