"""Names of groups, datasets and attributes in HDF5 files, from any text."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import unquote

__all__ = ["UNFIT", "attribute_name", "key_of", "member_name"]

#: Longest name written, in bytes: an attribute's has to fit its object's header.
_LONGEST = 1024
#: What h5py can't encode, and what C takes for the end of a text.
UNFIT = re.compile("[\0\ud800-\udfff]")
#: A separator, and what would read as an escape.
_MISLEADING = re.compile("[\0/\ud800-\udfff]|%(?=[0-9A-Fa-f]{2})")
_DOTS = re.compile(r"\.+")


def member_name(key: str) -> str:
    """Return the name of a group's member for a key.

    Parameters
    ----------
    key : str
        Such as a data key.

    Returns
    -------
    str
        The key with ``%2F`` for ``/``, and so on for NUL, lone surrogates, and the dots of a
        name that has nothing else: as in URLs.  A percent sign is ``%25`` where it would read
        as such an escape.  An empty key is ``%``.  Different keys have different names; one of
        more than 1024 bytes is cut and gets a hash of the whole.
    """
    name = _MISLEADING.sub(_escape, key)
    if _DOTS.fullmatch(name):
        name = name.replace(".", "%2E")
    return _cut(name)


def attribute_name(key: str) -> str:
    """Return the name of an attribute for a key.

    Parameters
    ----------
    key : str
        Any text.

    Returns
    -------
    str
        As :func:`member_name`, but separators, dots and percent signs stay: they have no
        meaning there.
    """
    return _cut(UNFIT.sub(_escape, key))


def key_of(name: str) -> str:
    """Return the key that :func:`member_name` has made a name of.

    Parameters
    ----------
    name : str
        The name.

    Returns
    -------
    str
        The key; the name itself where it was cut.
    """
    return "" if name == "%" else unquote(name, errors="surrogatepass")


def _escape(match: re.Match[str]) -> str:
    raw = match.group().encode("utf-8", "surrogatepass")
    return "".join(f"%{byte:02X}" for byte in raw)


def _cut(name: str) -> str:
    raw = name.encode("utf-8")
    if len(raw) <= _LONGEST:
        return name or "%"
    tag = hashlib.blake2b(raw, digest_size=8).hexdigest()
    return raw[: _LONGEST - 17].decode("utf-8", errors="ignore") + "~" + tag
