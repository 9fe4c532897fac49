"""The directory of one acquisition's images, here and as an IOC sees it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ...callbacks.output import safe_component
from ...errors import ConfigurationError, OutputError, PathMapError
from ...naming import PathMap, check_ioc_path
from .numbered_name import NumberedName

__all__ = ["DataSet", "directory_of", "ioc_directory"]


def directory_of(stream: str) -> str:
    """Name the directory of a stream's images.

    Parameters
    ----------
    stream : str
        Such as ``"darks"``, ``"flats"`` or ``"primary"``.

    Returns
    -------
    str
        ``"radios"`` for ``"primary"``, the stream's own name for any other (made safe).
    """
    return "radios" if stream == "primary" else safe_component(stream)


def ioc_directory(path: str | os.PathLike[str], path_map: PathMap | None = None) -> str:
    """Name a directory as an IOC sees it, for the ``FilePath`` of a file plugin.

    Parameters
    ----------
    path : str or path
        The directory here, absolute.
    path_map : PathMap, optional
        The plugin's ``path_map``; by default both see the same file system.

    Returns
    -------
    str
        The directory on the IOC, with its trailing separator.

    Raises
    ------
    PathMapError
        It isn't the IOC's: the map doesn't cover it.
    NamingError
        The path is too long for the IOC.
    """
    known = PathMap() if path_map is None else path_map
    try:
        found = known.to_ioc(path)
    except PathMapError as error:
        raise PathMapError(
            f"The IOC can't write to {os.fspath(path)}: {error.problem}",
            remedy="choose a root of the walker below one of the IOC's directories that are seen "
            f"here ({known}), or give the plugin a write_path_template and a read_path_template "
            "that cover it.",
        ) from error
    return check_ioc_path(found)


@dataclass(frozen=True)
class DataSet:
    """Where the images of one acquisition go, and how they are named.

    A file plugin writes just these files with :attr:`ioc_path`, :attr:`ioc_name` and
    :attr:`ioc_template`, when its ``FileNumber`` is :attr:`start_index` at the beginning.

    Parameters
    ----------
    path : pathlib.Path
        The directory, absolute.
    names : NumberedName
        Of the files.
    start_index : int
        Number of the first one.
    path_map : PathMap, optional
        How an IOC sees the directory; by default as it is seen here.
    """

    path: Path
    names: NumberedName
    start_index: int = 0
    path_map: PathMap | None = None

    def __post_init__(self) -> None:
        if isinstance(self.start_index, bool) or not isinstance(self.start_index, int):
            raise ConfigurationError(f"start_index={self.start_index!r}; expected an integer.")
        if self.start_index < 0:
            raise ConfigurationError(f"start_index={self.start_index}; expected 0 or more.")

    def file(self, number: int) -> Path:
        """Return the path of a file.

        Parameters
        ----------
        number : int
            From 0 on, without :attr:`start_index`.

        Returns
        -------
        pathlib.Path
            It need not exist.
        """
        return self.path / self.names.of(self.start_index + number)

    def numbers(self) -> list[int]:
        """List the numbers of the files that are there.

        Returns
        -------
        list of int
            In no order, of every file with a name of the data set; with :attr:`start_index`.

        Raises
        ------
        OutputError
            The directory can't be read.
        """
        try:
            names = os.listdir(self.path)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise OutputError(
                f"{self.path} can't be read: {error.strerror or error}",
                path=self.path,
                remedy="see to its permissions, and to its disk.",
            ) from error
        found = map(self.names.number, names)
        return [number for number in found if number is not None]

    @property
    def ioc_path(self) -> str:
        """The directory as the IOC sees it, with its trailing separator, for ``FilePath``."""
        return ioc_directory(self.path, self.path_map)

    @property
    def ioc_name(self) -> str:
        """What an IOC's file plugin takes as ``FileName``, such as ``frame``."""
        return self.names.ioc_name

    @property
    def ioc_template(self) -> str:
        """What an IOC's file plugin takes as ``FileTemplate``, such as ``%s%s_%6.6d.tif``."""
        return self.names.ioc_template
