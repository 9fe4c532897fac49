"""Paths as an IOC writes them: POSIX or Windows, whatever this computer runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from ..errors import NamingError, PathMapError

__all__ = [
    "MAX_IOC_PATH_BYTES",
    "PathStyle",
    "SplitPath",
    "check_ioc_path",
    "path_style",
    "same_path",
    "split_last",
    "split_path",
    "with_trailing_separator",
]

#: Longest path an ADCore file plugin holds: waveforms of 256 bytes, one of them NUL.
MAX_IOC_PATH_BYTES = 255

_DRIVE = re.compile(r"[A-Za-z]:(?=[\\/]|$)")
_SEPARATORS = re.compile(r"[\\/]+")


class PathStyle(Enum):
    """Whose rules a path follows."""

    POSIX = "posix"
    WINDOWS = "windows"


def path_style(path: str, style: PathStyle | str | None = None) -> PathStyle:
    r"""Tell POSIX paths from Windows paths.

    Parameters
    ----------
    path : str
        A path, absolute.
    style : PathStyle or {"posix", "windows", "nt"}, optional
        The answer, when it is known already.

    Returns
    -------
    PathStyle
        ``WINDOWS`` when the path starts with a drive (``C:\``) or a share (``\\host\``).

    Raises
    ------
    NamingError
        ``style`` is none of these words.
    """
    if style is None:
        windows = bool(_DRIVE.match(path)) or path.startswith("\\\\")
        return PathStyle.WINDOWS if windows else PathStyle.POSIX
    if isinstance(style, PathStyle):
        return style
    try:
        return PathStyle("windows" if style == "nt" else style)
    except ValueError:
        raise NamingError(
            f"Path style {style!r} is unknown; expected 'posix' or 'windows'."
        ) from None


@dataclass(frozen=True)
class SplitPath:
    r"""An absolute path in parts.

    Attributes
    ----------
    style : PathStyle
        Whose rules the path follows.
    anchor : str
        ``/``, a drive such as ``C:\`` or a share such as ``\\host\share\``.
    parts : tuple of str
        The components below the anchor.
    """

    style: PathStyle
    anchor: str
    parts: tuple[str, ...]

    @property
    def key(self) -> tuple[str, ...]:
        """What compares equal for paths that name the same place."""
        whole = (self.anchor, *self.parts)
        # Windows file systems don't tell capital from small letters.
        return tuple(part.lower() for part in whole) if self.style is PathStyle.WINDOWS else whole

    def __str__(self) -> str:
        return self.anchor + ("/" if self.style is PathStyle.POSIX else "\\").join(self.parts)


def split_path(path: str, style: PathStyle | str | None = None) -> SplitPath:
    """Split an absolute path in its components.

    Parameters
    ----------
    path : str
        Absolute path.  Repeated and trailing separators and ``.`` components vanish.
    style : PathStyle or str, optional
        Whose rules to follow; seen from the path by default.

    Returns
    -------
    SplitPath
        The components.

    Raises
    ------
    PathMapError
        The path is relative, has a ``..`` component or a NUL character.
    """
    style = path_style(path, style)
    if "\0" in path:
        raise PathMapError(f"Path {path!r} holds a NUL character.")
    if style is PathStyle.POSIX:
        absolute, anchor = path.startswith("/"), "/"
        parts = path.split("/")
    else:
        absolute, anchor, parts = _split_windows(path)
    parts = [part for part in parts if part not in ("", ".")]
    if not absolute:
        raise PathMapError(
            f"Path {path!r} isn't an absolute {style.value} path, so where it lies depends on "
            "the program that reads it",
            remedy="give it from the root or the drive on.",
        )
    if ".." in parts:
        raise PathMapError(f"Path {path!r} has a '..' component", remedy="write the directory out.")
    return SplitPath(style, anchor, tuple(parts))


def _split_windows(path: str) -> tuple[bool, str, list[str]]:
    if path[:2] in ("\\\\", "//"):
        host, _, rest = path[2:].replace("/", "\\").partition("\\")
        share, *parts = _SEPARATORS.split(rest)
        absolute = bool(host.strip("?.") and share)
        return absolute, f"\\\\{host}\\{share}\\", parts
    drive = _DRIVE.match(path)
    if drive is None:
        return False, "", _SEPARATORS.split(path)
    return True, drive.group() + "\\", _SEPARATORS.split(path[drive.end() :])


def split_last(path: str) -> str:
    """Return the last component of a path of either style.

    Parameters
    ----------
    path : str
        A path.

    Returns
    -------
    str
        What follows the last separator.
    """
    if path_style(path) is PathStyle.WINDOWS:
        return _SEPARATORS.split(path)[-1]
    return path.rpartition("/")[2]


def with_trailing_separator(path: str, style: PathStyle | str | None = None) -> str:
    r"""Give a directory its trailing separator, which ADCore needs to append a name.

    Parameters
    ----------
    path : str
        Directory.
    style : PathStyle or str, optional
        Whose rules to follow; seen from the path by default.

    Returns
    -------
    str
        The directory with at least one separator at its end; an empty path stays empty.
    """
    windows = path_style(path, style) is PathStyle.WINDOWS
    if not path or path.endswith("/") or (windows and path.endswith("\\")):
        return path
    return path + ("\\" if windows and "/" not in path else "/")


def same_path(first: str, second: str, style: PathStyle | str | None = None) -> bool:
    """Tell whether two paths name the same place.

    Parameters
    ----------
    first, second : str
        Paths; trailing and repeated separators don't count, nor do capital and small
        letters or the kind of separator under Windows.
    style : PathStyle or str, optional
        Whose rules to follow; seen from the paths by default.

    Returns
    -------
    bool
        True when both name the same place.
    """
    if first == second:
        return True
    try:
        one, other = split_path(first, style), split_path(second, style)
    except PathMapError:
        return False
    return one.style is other.style and one.key == other.key


def check_ioc_path(path: str, style: PathStyle | str | None = None) -> str:
    """Check a directory before it is put to an IOC.

    Parameters
    ----------
    path : str
        Directory on the IOC, dates expanded.
    style : PathStyle or str, optional
        Whose rules to follow; seen from the path by default.

    Returns
    -------
    str
        The directory, with a trailing separator.

    Raises
    ------
    NamingError
        The path is empty or longer than the IOC can hold.
    PathMapError
        The path is relative or has a ``..`` component.
    """
    if not path:
        raise NamingError("File path is empty", remedy="give the directory, as the IOC sees it.")
    split_path(path, style)
    full = with_trailing_separator(path, style)
    size = len(full.encode("utf-8"))
    if size > MAX_IOC_PATH_BYTES:
        raise NamingError(
            f"File path {full!r} has {size} bytes; the IOC keeps {MAX_IOC_PATH_BYTES}.",
            remedy="Use a shorter path.",
        )
    return full
