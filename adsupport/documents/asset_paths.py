"""Where the files of resource documents are: local paths, and names by number.

Documents are read as they are: nothing here looks at the file system, and what can't be
understood is told by a ``ValueError``, which the asset keeps until its files are asked for.
"""

from __future__ import annotations

import os
import pathlib
import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from ..errors import NamingError, PathMapError
from ..naming import FileTemplate, PathMap, path_style
from ..naming.paths import PathStyle

__all__ = [
    "AnyPathMap",
    "local_path",
    "numbered",
    "path_of_document",
    "path_of_resource",
    "path_of_uri",
]

#: A mapping of directories (or of the documents' ``root``) to local ones, or a function.
AnyPathMap = Mapping[str, Any] | Callable[[str], Any] | PathMap | None

_NUMBER = re.compile(r"%(?P<flags>[-+ #0]*)(?P<width>\d*)(?:\.(?P<precision>\d*))?d")
_BRACES = re.compile(r"\{(?:0|)(?::(?P<spec>0?\d{0,3})d?)?\}")


def path_of_document(document: Mapping[str, Any], path_map: AnyPathMap) -> pathlib.Path:
    """Take the path out of a resource or stream_resource document, whatever its spec.

    Parameters
    ----------
    document : mapping
        With ``uri``, or with ``resource_path``.
    path_map : mapping, PathMap, function or None
        See :func:`local_path`.

    Returns
    -------
    pathlib.Path
        The local path.

    Raises
    ------
    ValueError
        It can't be one of this computer.
    KeyError, TypeError, AttributeError
        The document isn't as such documents are.
    """
    if "uri" in document:
        return path_of_uri(document["uri"], path_map)[0]
    root = str(document.get("root") or "")
    return path_of_resource(root, str(document["resource_path"]), path_map)


def path_of_resource(root: str, path: str, path_map: AnyPathMap) -> pathlib.Path:
    """Join a resource's root and path.

    Parameters
    ----------
    root : str
        ``root`` of the document; a path map may have this very text as a key.
    path : str
        ``resource_path`` of the document.
    path_map : mapping, PathMap, function or None
        See :func:`local_path`.

    Returns
    -------
    pathlib.Path
        The local path.

    Raises
    ------
    ValueError
        The path can't be one of this computer.
    """
    if isinstance(path_map, Mapping) and root in path_map:
        return _absolute(os.path.join(os.fspath(path_map[root]), path.lstrip("/\\")))
    joined = path if not root else os.path.join(root, path)
    if root and path_style(root) is PathStyle.WINDOWS and path_style(path) is PathStyle.POSIX:
        joined = root.rstrip("/\\") + "\\" + path.lstrip("/\\")
    return local_path(joined, path_map)


def path_of_uri(uri: str, path_map: AnyPathMap) -> tuple[pathlib.Path, bool]:
    """Take the path out of a ``file:`` URI.

    Parameters
    ----------
    uri : str
        Such as ``file://localhost/data/a.h5``; escapes such as ``%20`` are undone.
    path_map : mapping, PathMap, function or None
        See :func:`local_path`.

    Returns
    -------
    pathlib.Path
        The local path.
    bool
        Whether it ended in a separator: names then follow within it, and not behind its text.

    Raises
    ------
    ValueError
        It's no ``file:`` URI, or its path can't be one of this computer.
    """
    parts = urlsplit(uri)
    if parts.scheme not in ("file", ""):
        raise ValueError(f"uri {uri!r} is no file; expected file://localhost/...")
    path = unquote(parts.path)
    if re.match(r"/[A-Za-z]:[\\/]", path):
        path = path[1:]
    return local_path(path, path_map), path.endswith(("/", "\\"))


def local_path(path: str, path_map: AnyPathMap = None) -> pathlib.Path:
    """Translate a path of the documents to one of this computer.

    Parameters
    ----------
    path : str
        A path, as the documents have it.
    path_map : mapping, PathMap, function or None
        Directories and what they are here, of which the longest counts; a path that none covers
        stays as it is.  A function takes the path and returns the local one.

    Returns
    -------
    pathlib.Path
        Absolute.

    Raises
    ------
    ValueError
        The path holds a NUL, or is one of Windows and this computer isn't.
    """
    if "\0" in path:
        raise ValueError(f"path {path!r} holds a NUL character")
    if path_map is not None:
        if callable(path_map):
            return _absolute(os.fspath(path_map(path)))
        # Without "..", or a path could leave a mapped directory for any other one.
        plain = posixpath.normpath(path) if path_style(path) is PathStyle.POSIX else path
        try:
            pairs = path_map if isinstance(path_map, PathMap) else _absolute_pairs(path_map)
            return _absolute(str(pairs.to_local(plain)))
        except (PathMapError, NamingError):
            pass
    return _absolute(path)


def _absolute_pairs(path_map: Mapping[str, Any]) -> PathMap:
    # A map may have roots that are mere names (those of databroker-pack) beside directories.
    pairs = {key: value for key, value in path_map.items() if re.match(r"[/\\]|[A-Za-z]:", key)}
    if not pairs:
        raise PathMapError("no directory is mapped")
    return PathMap({key: os.path.abspath(value) for key, value in pairs.items()})


def _absolute(path: str) -> pathlib.Path:
    if os.name == "posix" and path_style(path) is PathStyle.WINDOWS:
        raise ValueError(f"{path!r} is a path of Windows: give a path_map that tells where it is")
    return pathlib.Path.cwd() / path


def numbered(
    path: pathlib.Path, template: str, filename: str, within: bool
) -> Callable[[int], pathlib.Path]:
    """Compose the names of files from their numbers.

    Parameters
    ----------
    path : pathlib.Path
        Directory, or what the names begin with.
    template : str
        ADCore's (``%s%s_%6.6d.tif``), or one of a stream resource (``{:06d}.tif``), in which
        ``%s`` stands for the file name, once.
    filename : str
        File name, without number; may be empty.
    within : bool
        Whether names are of files in ``path``, else they are put behind its text.

    Returns
    -------
    function
        From a number to a path.

    Raises
    ------
    ValueError
        The template isn't understood, or has no number.
    """
    start = os.path.join(path, "") if within else str(path)
    if template.count("%s") == 2 and within and "{" not in template:
        pattern = FileTemplate(template)
        if not pattern.has_number:
            raise ValueError(f"template {template!r} has no number, so all frames have one file")
        return lambda number: pathlib.Path(pattern.format(start, filename, number))
    text = template.replace("%s", filename, 1).replace("%s", "")
    found = list(_BRACES.finditer(text)) + list(_NUMBER.finditer(text))
    if len(found) != 1:
        raise ValueError(
            f"template {template!r} has {len(found)} numbers; expected one, such as '{{:06d}}.tif' "
            "or '%s%s_%6.6d.tif'"
        )
    (match,) = found
    head, tail = text[: match.start()], text[match.end() :]
    fields = match.groupdict()
    if "spec" in fields:
        spec = fields["spec"] or ""
        return lambda number: pathlib.Path(f"{start}{head}{number:{spec}d}{tail}")
    FileTemplate(f"%s%s{match[0]}")  # refuses widths that no name has
    return lambda number: pathlib.Path(f"{start}{head}{match[0] % number}{tail}")
