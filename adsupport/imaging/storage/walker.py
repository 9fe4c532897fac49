"""Where the files of a scan go: directories below one root, each scan with a number of its own."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, Self

import numpy as np

from ...callbacks.choice import check_choice
from ...callbacks.output import inside, safe_component
from ...errors import ConfigurationError, NamingError, OutputExistsError
from ...naming import PathMap
from ..asked.given import kind
from .claimed_directory import claim_directory, make_directory
from .data_set import DataSet, ioc_directory
from .image_set import ImageSetWriter
from .numbered_name import NumberedName
from .walker_lock import WalkerLock

__all__ = ["DSETNAME", "SCAN_NAME", "DirectoryWalker"]

#: Names of scan directories, and of the files of a data set.
SCAN_NAME, DSETNAME = "scan_{:>04}", "frame_{:>06}.tif"

_RIGHTS = re.compile(r"[0-7]?7[0-7]{2}")


class DirectoryWalker:
    """Go through the directories of an experiment, make them, and write images into them.

    The layout is ``root/scan_0000/darks/frame_000000.tif``.  Each scan claims a directory that
    nobody has, so sessions and processes can share a root.  No name leads out of the root.

    As a context manager it is locked: other threads wait at their ``with``.  At its end the
    walker stands where it stood, whatever has happened.

    Parameters
    ----------
    root : str or path, optional
        The directory that it never leaves; made if it's missing.  The current directory by
        default.
    dsetname : str
        Names of the files of a data set, see :class:`NumberedName`.  The extension tells the
        format: ``.tif`` or ``.tiff``, ``.h5`` or ``.hdf5``.
    start_index : int
        Number of the first file of a data set.
    bytes_per_file : int
        Longest file in bytes.  0: a TIFF file for each image, one HDF5 file for all.
    rights : str
        Of directories that it makes, octal, whatever the umask is.  The IOC's user must be able
        to write where a file plugin is to: ``"770"`` with a common group.
    path_map : PathMap, optional
        How the IOC sees the directories: ``path_map`` of its file plugin.  By default both see
        the same paths.

    Attributes
    ----------
    root : pathlib.Path
        As given, absolute.

    Raises
    ------
    PathMapError
        The root isn't the IOC's: ``path_map`` doesn't cover it.
    NamingError
        ``dsetname`` can't be.
    ConfigurationError
        Another argument can't be.
    OutputError
        The root can't be made.

    Examples
    --------
    >>> walker = DirectoryWalker("/data/sample7")  # doctest: +SKIP
    >>> with walker.scan():  # doctest: +SKIP
    ...     walker.write(images, "darks")
    """

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        dsetname: str = DSETNAME,
        start_index: int = 0,
        bytes_per_file: int = 0,
        rights: str = "750",
        path_map: PathMap | None = None,
    ) -> None:
        if not isinstance(rights, str) or not _RIGHTS.fullmatch(rights):
            raise ConfigurationError(
                f"rights={rights!r}; expected octal digits of which the owner's is 7, such as "
                "'750' or '2770'."
            )
        given = os.getcwd() if root is None else kind("root", root, str, os.PathLike)
        whole = Path(given).absolute()
        self.root = whole.resolve() if ".." in whole.parts else whole
        self.path_map = path_map
        if path_map is not None:
            ioc_directory(self.root, kind("path_map", path_map, PathMap))
        self.bytes_per_file = bytes_per_file
        self._names = NumberedName(dsetname)
        self._start_index, self._rights = start_index, int(rights, 8)
        ImageSetWriter.check(DataSet(self.root, self._names, start_index), bytes_per_file)
        self._current = self.root
        self._lock, self._stood = WalkerLock(), list[Path]()
        for each in (*reversed(self.root.parents), self.root):
            make_directory(each, self._rights)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.root)!r}), at {str(self._current)!r}"

    @property
    def current(self) -> Path:
        """The directory where the walker stands."""
        return self._current

    @property
    def ioc_path(self) -> str:
        """The current directory as the IOC sees it, for ``FilePath`` of a file plugin."""
        return ioc_directory(self._current, self.path_map)

    def descend(self, name: str) -> Path:
        """Go to a directory below, and make it if it's missing.

        Parameters
        ----------
        name : str
            Of one directory.

        Returns
        -------
        pathlib.Path
            The current directory from now on.

        Raises
        ------
        NamingError
            The name isn't that of one directory, isn't safe, or is a link that leads away.
        OutputError
            The directory can't be made, or a file has its name.
        """
        path = self._below(name)
        make_directory(path, self._rights)
        self._current = path
        return path

    def ascend(self) -> Path:
        """Go one directory up.

        Returns
        -------
        pathlib.Path
            The current directory from now on.

        Raises
        ------
        ConfigurationError
            The walker stands at its root.
        """
        if self._current == self.root:
            raise ConfigurationError(
                f"The walker stands at its root, {self.root}; it doesn't go above it."
            )
        self._current = self._current.parent
        return self._current

    def home(self) -> Path:
        """Go to the root.

        Returns
        -------
        pathlib.Path
            The root.
        """
        self._current = self.root
        return self._current

    def exists(self, *names: str) -> bool:
        """Tell whether something is below the current directory.

        Parameters
        ----------
        *names : str
            Directories on the way, and its own name.

        Returns
        -------
        bool
            Whether there is a file or directory, or a link to one.

        Raises
        ------
        NamingError
            A name leads out of the current directory.
        """
        return inside(self._current, "/".join(names)).exists() if names else self._current.exists()

    def next_scan(self, name: str = SCAN_NAME) -> Path:
        """Claim the next scan directory, which nobody has had, and go there.

        Its number is one above the highest that is there, so no gap is filled.  The directory is
        made in one step: of all sessions, threads and computers only one gets it.

        Parameters
        ----------
        name : str
            Names of the scans, see :class:`NumberedName`.

        Returns
        -------
        pathlib.Path
            The directory, empty; the current one from now on.

        Raises
        ------
        NamingError
            The name can't be.
        OutputError
            The directory can't be made.
        """
        self._current = claim_directory(self._current, NumberedName(name), self._rights)
        return self._current

    @contextlib.contextmanager
    def scan(self, name: str = SCAN_NAME) -> Iterator[Path]:
        """Claim the next scan directory for a ``with`` block.

        The walker is locked within, and stands where it stood afterwards; the directory stays,
        also when the scan fails.

        Parameters
        ----------
        name : str
            See :meth:`next_scan`.

        Yields
        ------
        pathlib.Path
            The directory, empty.

        Raises
        ------
        ConfigurationError
            Another thread has the walker.
        NamingError, OutputError
            See :meth:`next_scan`.
        """
        if not self._lock.acquire(blocking=False):
            raise ConfigurationError(
                f"The walker is used by another thread, at {self._current}",
                remedy=f"give each experiment a walker of its own; they can share {self.root}.",
            )
        self._stood.append(self._current)
        try:
            yield self.next_scan(name)
        finally:
            self.__exit__()

    def from_here(self) -> DirectoryWalker:
        """Return another walker, of the same settings, whose root is the current directory.

        For who writes in a thread of its own: it still stands there when this one has gone on to
        the next scan.

        Returns
        -------
        DirectoryWalker
            It can't leave the directory.
        """
        return DirectoryWalker(
            self._current,
            self._names.template,
            self._start_index,
            self.bytes_per_file,
            f"{self._rights:o}",
            self.path_map,
        )

    def data_set(
        self,
        name: str | None = None,
        dsetname: str | None = None,
        exists: Literal["refuse", "continue"] = "refuse",
    ) -> DataSet:
        """Make the directory of a data set that is to be written, by us or by an IOC.

        Parameters
        ----------
        name : str, optional
            Of the directory below the current one, such as ``"darks"``; by default the current.
        dsetname : str, optional
            Of the files; the walker's by default.
        exists : str
            When there are such files: ``"refuse"`` raises, ``"continue"`` numbers on behind.

        Returns
        -------
        DataSet
            With the directory here and on the IOC, and the names.

        Raises
        ------
        OutputExistsError
            The data set isn't empty.
        NamingError, OutputError
            See :meth:`descend`.
        """
        check_choice("exists", exists, ("refuse", "continue"))
        names = self._names if dsetname is None else NumberedName(dsetname)
        path = self._current if name is None else self._below(name)
        make_directory(path, self._rights)
        data_set = DataSet(path, names, self._start_index, self.path_map)
        known = data_set.numbers()
        if not known:
            return data_set
        if exists == "refuse":
            raise OutputExistsError(
                f"Data set {path / names.template} isn't empty: it has {len(known)} files, up to "
                f"{names.of(max(known))}",
                path=path,
                remedy="write into a new scan, or a data set of another name.",
            )
        return DataSet(path, names, max(max(known) + 1, self._start_index), self.path_map)

    def create_writer(
        self,
        name: str | None = None,
        dsetname: str | None = None,
        exists: Literal["refuse", "continue"] = "refuse",
    ) -> ImageSetWriter:
        """Begin to write a data set.

        Parameters
        ----------
        name, dsetname, exists
            See :meth:`data_set`.

        Returns
        -------
        ImageSetWriter
            To be closed, or used as a context manager.

        Raises
        ------
        OutputExistsError, NamingError, OutputError
            See :meth:`data_set`.
        """
        return ImageSetWriter(self.data_set(name, dsetname, exists), self.bytes_per_file)

    def write(
        self,
        images: Iterable[np.ndarray],
        name: str | None = None,
        dsetname: str | None = None,
    ) -> int:
        """Write a data set.

        Parameters
        ----------
        images : iterable of numpy.ndarray
            Each (Y, X), all of one shape and type.
        name, dsetname
            See :meth:`data_set`.

        Returns
        -------
        int
            How many images.

        Raises
        ------
        OutputExistsError, NamingError, OutputError
            See :class:`ImageSetWriter`.
        """
        with self.create_writer(name, dsetname) as writer:
            for image in images:
                writer.write(image)
        return writer.images

    def __enter__(self) -> Self:
        self._lock.acquire()
        self._stood.append(self._current)
        return self

    def __exit__(self, *_: object) -> None:
        self._current = self._stood.pop()
        self._lock.release()

    def _below(self, name: str) -> Path:
        path = inside(self._current, name)
        safe = safe_component(name)
        if safe != name:
            raise NamingError(
                f"{name!r} isn't safe as the name of one directory", remedy=f"{safe!r} would be."
            )
        return path
