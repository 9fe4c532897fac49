"""The same file seen from two computers: the IOC that writes and this one that reads."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from ..errors import PathMapError
from .dates import expand_dates
from .paths import PathStyle, SplitPath, split_path

__all__ = ["PathMap"]

_AnyPath = str | os.PathLike[str]


class PathMap:
    r"""Translate paths of the IOC to local paths, and back.

    Directories are matched by whole components: ``/data`` covers ``/data/a`` and not
    ``/data2``.  The longest matching directory decides.  A path that no directory
    covers is an error, never a guess.

    Parameters
    ----------
    pairs : mapping or iterable of pairs of str
        Directory on the IOC and the same directory here.  POSIX, or Windows with a
        drive or share; both separators, and capital or small letters, are then the same.
        No pairs at all: both see the same file system (identity).

    Raises
    ------
    PathMapError
        A directory is relative, has a ``..`` component, or is mapped twice.

    Examples
    --------
    >>> PathMap({"/data": "/mnt/ioc/"}).to_local("/data/f.h5")
    PosixPath('/mnt/ioc/f.h5')
    """

    def __init__(self, pairs: Mapping[str, _AnyPath] | Iterable[tuple[str, _AnyPath]] = ()) -> None:
        items: Any = pairs.items() if isinstance(pairs, Mapping) else pairs
        self._pairs: list[tuple[SplitPath, SplitPath]] = []
        for ioc, local in items:
            pair = split_path(os.fspath(ioc)), split_path(os.fspath(local))
            known = next((k for k, _ in self._pairs if k.key == pair[0].key), None)
            if known is not None:
                raise PathMapError(f"IOC directory {known} is mapped twice", remedy="give it once.")
            self._pairs.append(pair)

    @classmethod
    def from_templates(
        cls, write_path_template: _AnyPath, read_path_template: _AnyPath | None = None
    ) -> PathMap:
        """Derive the map from the two path templates of a file plugin.

        Both templates end in the same dated components; what stands before them is
        mapped.  So ``/tmp/%Y/%m/`` and ``/mnt/ioc/tmp/%Y/%m/`` map ``/tmp`` to
        ``/mnt/ioc/tmp``; ``/data`` and ``/mnt/ioc/`` are mapped as they are.

        Parameters
        ----------
        write_path_template : str or path
            Directory as the IOC sees it, with ``strftime`` codes.
        read_path_template : str or path, optional
            The same directory as seen here; the same template by default.

        Returns
        -------
        PathMap
            The map; the identity when both templates are equal.

        Raises
        ------
        PathMapError
            A template is relative, or their dated components differ.
        NamingError
            A template holds something that isn't a date code.
        """
        write = os.fspath(write_path_template)
        read = write if read_path_template is None else os.fspath(read_path_template)
        ioc, ioc_dates = _static_part(write)
        local, local_dates = _static_part(read)
        if (ioc.style, ioc.key, ioc_dates) == (local.style, local.key, local_dates):
            return cls()
        if ioc_dates != local_dates:
            raise PathMapError(
                f"The dated parts of the path templates differ: write {write!r} has "
                f"{'/'.join(ioc_dates) or 'none'}, read {read!r} has "
                f"{'/'.join(local_dates) or 'none'}.",
                remedy="Both must name the same directory: end them alike.",
            )
        return cls([(str(ioc), str(local))])

    @property
    def is_identity(self) -> bool:
        """Whether IOC and this computer see the same file system."""
        return not self._pairs

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Each directory on the IOC with the same directory here."""
        return tuple((str(ioc), str(local)) for ioc, local in self._pairs)

    def to_local(self, path: str) -> pathlib.PurePath:
        """Translate a path of the IOC to a local path.

        Parameters
        ----------
        path : str
            Absolute path on the IOC.

        Returns
        -------
        pathlib.Path
            The same file, seen from here (a pure path when its style isn't this
            computer's).

        Raises
        ------
        PathMapError
            The path is relative, has a ``..`` component, or lies outside the map.
        """
        return _as_path(self._move(path, self._pairs, "IOC", "local"))

    def to_ioc(self, path: _AnyPath) -> str:
        """Translate a local path to the path of the IOC.

        Parameters
        ----------
        path : str or path
            Absolute local path.

        Returns
        -------
        str
            The same file, seen from the IOC.

        Raises
        ------
        PathMapError
            The path is relative, has a ``..`` component, or lies outside the map.
        """
        text = os.fspath(path)
        back = [(local, ioc) for ioc, local in self._pairs]
        found = self._move(text, back, "local", "IOC")
        # A deeper pair may take over part of the IOC's directory: then no file of the
        # IOC's is seen at this local path.
        again = self._move(str(found), self._pairs, "IOC", "local")
        if again.key != split_path(text).key:
            raise PathMapError(
                f"Local path {text!r} can't be reached from the IOC: {found} is seen at {again}. "
                f"The map knows: {self}."
            )
        return str(found)

    def _move(
        self, path: str, pairs: list[tuple[SplitPath, SplitPath]], here: str, there: str
    ) -> SplitPath:
        styles = {source.style for source, _ in pairs}
        # One style on that side: the path must follow it, whatever it looks like.
        whole = split_path(path, styles.pop() if len(styles) == 1 else None)
        if not pairs:
            return whole
        covering = [
            (source, target)
            for source, target in pairs
            if source.style is whole.style and whole.key[: len(source.key)] == source.key
        ]
        if not covering:
            raise PathMapError(
                f"{here} path {path!r} lies outside every directory the map knows: {self}. "
                f"Its {there} path is unknown:",
                remedy="choose a path below one of them, or give the plugin a write_path_template "
                "and a read_path_template that cover it.",
            )
        source, target = max(covering, key=lambda pair: len(pair[0].parts))
        rest = whole.parts[len(source.parts) :]
        if target.style is PathStyle.WINDOWS and any(_unfit_for_windows(part) for part in rest):
            raise PathMapError(
                f"{here} path {path!r} has a component that no Windows path can have",
                remedy="rename it.",
            )
        return SplitPath(target.style, target.anchor, target.parts + rest)

    def __str__(self) -> str:
        if self.is_identity:
            return "the same paths on both sides"
        return ", ".join(f"{ioc} (IOC) = {local} (local)" for ioc, local in self._pairs)

    def __repr__(self) -> str:
        return f"PathMap({list(self.pairs)!r})"


def _static_part(template: str) -> tuple[SplitPath, tuple[str, ...]]:
    """Split a template before its first dated component."""
    expand_dates(template, datetime(2000, 1, 1))  # refuses what isn't a date code
    whole = split_path(template)
    dated = next((i for i, part in enumerate(whole.parts) if "%" in part), len(whole.parts))
    return SplitPath(whole.style, whole.anchor, whole.parts[:dated]), whole.parts[dated:]


def _unfit_for_windows(part: str) -> bool:
    return any(char in part for char in '\\:*?"<>|') or part[-1] in " ."


def _as_path(path: SplitPath) -> pathlib.PurePath:
    native = PathStyle.WINDOWS if os.name == "nt" else PathStyle.POSIX
    if path.style is native:
        return pathlib.Path(str(path))
    windows = path.style is PathStyle.WINDOWS
    return (pathlib.PureWindowsPath if windows else pathlib.PurePosixPath)(str(path))
