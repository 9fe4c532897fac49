"""Names of output files that are safe wherever they lie, whatever they were made from."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from pathlib import Path

from ...errors import OutputNameError

__all__ = ["MAX_COMPONENT_BYTES", "inside", "safe_characters", "safe_component"]

#: Longest name that :func:`safe_component` gives: an extension, a number of :class:`AtomicFile`
#: and what its temporary file needs fit behind it.
MAX_COMPONENT_BYTES = 200

_SUBSTITUTE = "_"
#: What no Windows name can have, separators among it.
_FORBIDDEN = frozenset('<>:"/\\|?*')
#: Control and formatting characters (which can turn the reading direction), line separators,
#: surrogates, private and unassigned ones.
_UNSEEN = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"))
#: Names that Windows gives to devices, with any extension and in any case.
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])\s*(\.|$)", re.I)
_LONGEST_SUFFIX = 20


def safe_characters(text: str) -> str:
    """Replace the characters that a file name can't have, or that wouldn't be seen in it.

    Parameters
    ----------
    text : str
        Part of a name.

    Returns
    -------
    str
        The same with ``_`` for each separator, ``<>:"|?*``, and control, formatting, private
        and unassigned character or lone surrogate.
    """
    return "".join(
        _SUBSTITUTE if char in _FORBIDDEN or unicodedata.category(char) in _UNSEEN else char
        for char in text
    )


def safe_component(text: str) -> str:
    """Make a text the name of one file or directory.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        A name of 1 to 200 bytes in UTF-8 that no system reads as something else: characters as
        :func:`safe_characters` has them, ``_`` for a dot, dash, tilde or space at its beginning
        and for a dot or space at its end, ``_`` before a name that Windows gives to a device.
        A longer name is cut and gets a hash of the whole, so that two of them stay different;
        a short extension stays.  A safe name stays as it is.

    Examples
    --------
    >>> safe_component("../../etc/passwd")
    '_._.._etc_passwd'
    """
    name = safe_characters(text)
    if name[:1] in ("", ".", "-", "~") or name[0].isspace():
        name = _SUBSTITUTE + name[1:]
    if name[-1] == "." or name[-1].isspace():
        name = name[:-1] + _SUBSTITUTE
    if _DEVICE.match(name):
        name = _SUBSTITUTE + name
    return _cut(name)


def inside(directory: str | os.PathLike[str], name: str) -> Path:
    """Return the path of a file in a directory, and refuse one that leads out of it.

    Parameters
    ----------
    directory : str or path
        The directory; it need not exist.
    name : str
        Name of the file, with directories below that one where wanted.

    Returns
    -------
    pathlib.Path
        The two joined, absolute.  Links aren't resolved in it.

    Raises
    ------
    OutputNameError
        The name is empty, absolute, has a ``..``, ``.`` or empty component, a NUL or other
        control character, or a backslash; or a link on the way leads out of the directory.
    """
    root = Path(directory).absolute()
    if not isinstance(name, str):
        raise OutputNameError(f"File name must be a str, got {type(name).__name__}: {name!r}.")
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise OutputNameError(
            f"File name {name!r} is empty, or has an empty, '.' or '..' component",
            remedy=f"give the name of a file in {root}.",
        )
    if any(char == "\\" or unicodedata.category(char) in ("Cc", "Cs") for char in name):
        raise OutputNameError(
            f"File name {name!r} holds a backslash, a control character or half a character",
            remedy="see adsupport.callbacks.output.safe_component.",
        )
    path = root.joinpath(*parts)
    try:
        really = path.resolve()
        within = really != root.resolve() and really.is_relative_to(root.resolve())
    except (OSError, RuntimeError) as error:  # a loop of links
        raise OutputNameError(f"File name {name!r} can't be followed in {root}: {error}") from error
    if not within:
        raise OutputNameError(
            f"File name {name!r} leads out of {root}, to {really}",
            remedy="remove the link, or choose the directory that it leads to.",
        )
    return path


def _cut(name: str) -> str:
    raw = name.encode("utf-8")
    if len(raw) <= MAX_COMPONENT_BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix.encode("utf-8")) > _LONGEST_SUFFIX:
        stem, dot, suffix = name, "", ""
    end = f"~{hashlib.blake2b(raw, digest_size=4).hexdigest()}{dot}{suffix}"
    kept = stem.encode("utf-8")[: MAX_COMPONENT_BYTES - len(end.encode("utf-8"))]
    return kept.decode("utf-8", errors="ignore") + end
