"""Where everything lies in the directory of a pack: the format ``adsupport-pack-1``.

=========================================== ======================================================
file                                        content
=========================================== ======================================================
``manifest.json``                           see :mod:`adsupport.pack.manifest`
``SHA256SUMS``                              digest of every other file, as ``sha256sum -c`` takes it
``documents/<uid>.jsonl`` (``.msgpack``)    the documents of a run, as they came
``external_files/<tag>/<path>``             the files that documents refer to, see :func:`place_of`
``catalog.yml``, ``tiled.yml``              for databroker 1.2 and for tiled
``documents_manifest.txt``,                 lists that databroker-pack has, too: documents by their
``external_files_manifest_<tag>.txt``       path here, files by their path at the source
``.adsupport-pack.journal``                 what is done, while it's being packed
=========================================== ======================================================
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections.abc import Iterable
from pathlib import PureWindowsPath

from ..callbacks.output import safe_component
from ..errors import PackError
from ..naming import path_style
from ..naming.paths import PathStyle
from .safe_paths import checked_relative

__all__ = [
    "DOCUMENTS",
    "DOCUMENTS_LIST",
    "EXTERNAL_FILES",
    "FORMAT",
    "JOURNAL",
    "MANIFEST",
    "SUMS",
    "anchor_of",
    "directories_of",
    "documents_path",
    "external_list",
    "place_of",
    "tag_of",
]

FORMAT = "adsupport-pack-1"
MANIFEST = "manifest.json"
SUMS = "SHA256SUMS"
DOCUMENTS = "documents"
EXTERNAL_FILES = "external_files"
DOCUMENTS_LIST = "documents_manifest.txt"
JOURNAL = ".adsupport-pack.journal"


def place_of(path: str) -> str:
    r"""Tell where the pack has a file, or a directory, of which documents tell.

    Files of one file system keep their order: whichever ``root`` a document has, it leads to the
    place of that root in the pack, and a file that two documents call by different roots has
    one place.

    Parameters
    ----------
    path : str
        As the documents have it, root included: absolute in the way of Linux or of Windows, or
        relative.

    Returns
    -------
    str
        Relative to the pack: ``external_files/<tag of the anchor>/<what follows the anchor>``.

    Raises
    ------
    PackError
        The path can't be that of a file in a pack: it holds a NUL, a backslash or a line's end;
        or it's relative, with more ``..`` than directories.

    Examples
    --------
    >>> place_of("/data/2026/a.h5")
    'external_files/8a5edab28263/data/2026/a.h5'
    >>> place_of("C:\\data\\a.h5")
    'external_files/508e9f1d9b22/data/a.h5'
    """
    anchor = anchor_of(path)
    rest = path if anchor in ("", "/") else "/".join(PureWindowsPath(path).parts[1:])
    rest = rest.lstrip("/")
    # above the root of a file system is the root again; above a relative path is nothing known
    rest = posixpath.normpath("/" + rest).lstrip("/") if anchor else posixpath.normpath(rest or ".")
    directory = f"{EXTERNAL_FILES}/{tag_of(anchor)}"
    if rest in ("", "."):
        return directory
    try:
        return checked_relative(f"{directory}/{rest}")
    except PackError as error:
        raise PackError(
            f"{path!r} can't be the path of a file in a pack: {error.problem}"
        ) from None


def anchor_of(path: str) -> str:
    r"""Tell what a path begins with that isn't the name of a directory.

    Parameters
    ----------
    path : str
        A path.

    Returns
    -------
    str
        ``"/"``; a drive or a share, such as ``"C:\\"``; or nothing, for a relative path.
    """
    if path_style(path) is not PathStyle.WINDOWS:
        return "/" if path.startswith("/") else ""
    return PureWindowsPath(path).anchor


def tag_of(anchor: str) -> str:
    """Name the directory of the files below an anchor.

    Parameters
    ----------
    anchor : str
        See :func:`anchor_of`.

    Returns
    -------
    str
        The first twelve hexadecimal digits of its SHA-256.
    """
    plain = anchor.replace("\\", "/").lower()
    return hashlib.sha256(plain.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def documents_path(uid: str, suffix: str) -> str:
    """Tell where the pack has the documents of a run.

    Parameters
    ----------
    uid : str
        The run's; any text.
    suffix : str
        ``"jsonl"`` or ``"msgpack"``.

    Returns
    -------
    str
        Relative to the pack.  Two runs have different ones.
    """
    name = safe_component(uid)
    if name != uid or not re.fullmatch(r"[\w.-]+", name, re.ASCII):
        raw = uid.encode("utf-8", "surrogatepass")
        name = f"{name[:100]}~{hashlib.sha256(raw).hexdigest()[:12]}"
    return f"{DOCUMENTS}/{name}.{suffix}"


def directories_of(paths: Iterable[str]) -> set[str]:
    """Name the directories of files, and those that have these.

    Parameters
    ----------
    paths : iterable of str
        Of files, relative to the pack; empty for one that isn't there.

    Returns
    -------
    set of str
        Relative to the pack.
    """
    split = (path.split("/") for path in paths)
    return {"/".join(parts[:count]) for parts in split for count in range(1, len(parts))}


def external_list(tag: str) -> str:
    """Name the list of the files below an anchor.

    Parameters
    ----------
    tag : str
        See :func:`tag_of`.

    Returns
    -------
    str
        Relative to the pack.
    """
    return f"external_files_manifest_{tag}.txt"
