"""A file that is whole under its final name, or isn't there."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, get_args

from ...errors import OutputError, OutputExistsError, OutputNameError
from ...naming.template import MAX_NAME_BYTES
from ..choice import check_choice
from .no_replace import rename_new, sync_directory, sync_file
from .temporary import Temporary, clear_sometimes, make_temporary, spool_directory

__all__ = ["AtomicFile", "Exists"]

Exists = Literal["refuse", "bump", "replace"]

#: Numbers that a name gets before its writer gives up.
_MOST_BUMPS = 9999

_COPY_BYTES = 4 * 2**20


class AtomicFile:
    r"""A file under a temporary name, until it is finished and takes its final one.

    Write to :attr:`temporary` with any library, close it there, then :meth:`commit`.  Killed at
    any moment, the final name is free or has the whole file.  As a context manager it commits
    at the end, and abandons what an exception has interrupted.

    Parameters
    ----------
    path : str or path
        The final name.  Missing directories are made.
    exists : str
        What to do when the final name is taken at the end: ``"refuse"`` raises; ``"bump"``
        takes the next free name (``scan-1.h5``, ``scan-2.h5``); ``"replace"`` replaces the
        file that has it (or the link, not what it leads to).
    finished : path, optional
        A file that is finished already, to be named and no more; by default an empty one is made.

    Attributes
    ----------
    path : pathlib.Path
        The final name, absolute; with ``"bump"`` that which was taken, after the commit.
    temporary : pathlib.Path
        The file to write, empty: ``.<name>.<pid>-<random>.tmp`` beside the target, with the
        permissions of a new file.  Where that directory can't be written, in a spool directory
        (``adsupport-spool-<user id>`` beside other temporary files); the commit brings it then.
        It's locked against being cleared away; HDF5's own lock doesn't mind.
    problem : str
        Why the commit would fail as things are, in a sentence: the directory can't be written,
        or the target exists.  Empty when nothing is wrong.
    committed : bool
        Whether the final name has been taken.

    Raises
    ------
    OutputNameError
        The path has no name for a file, a NUL character, or a name of more than 255 bytes.
    OutputError
        Neither the target's directory nor the spool directory can be written.

    Notes
    -----
    A commit that failed leaves the finished work where it is, and can be called again.
    Temporaries of the same target, free and older than an hour, are removed when a new one is
    made, unless its directory was looked at within the last ten seconds.  Finished work isn't: its
    name ends in ``.kept``.

    Examples
    --------
    >>> with AtomicFile("/data/scan.csv") as file:  # doctest: +SKIP
    ...     file.temporary.write_text("a,b\n1,2\n")
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        exists: Exists = "refuse",
        finished: Path | None = None,
    ) -> None:
        check_choice("exists", exists, get_args(Exists))
        self.path = _checked(path)
        self.exists = exists
        self.problem = ""
        self.committed = False
        self._made: list[Path] = []
        self._lost: OSError | None = None
        self._process = os.getpid()
        self._file = self._begin() if finished is None else Temporary(finished, -1)

    @property
    def temporary(self) -> Path:
        """The file to write, or the finished work that is kept."""
        return self._file.path

    @property
    def spooled(self) -> bool:
        """Whether :attr:`temporary` isn't beside the target."""
        return self.temporary.parent != self.path.parent

    def _begin(self) -> Temporary:
        directory = self.path.parent
        try:
            self._made += _make_directories(directory)
            clear_sometimes(directory, self.path.name)
            file = make_temporary(directory, self.path.name)
        except OSError as error:
            self.problem = f"{directory} can't be written: {_reason(error)}."
        else:
            if self.exists == "refuse" and os.path.lexists(self.path):
                self.problem = f"{self.path} exists already."
            return file
        try:
            spool = spool_directory()
            clear_sometimes(spool, self.path.name)
            return make_temporary(spool, self.path.name)
        except OSError as error:
            raise OutputError(
                f"{self.path} can't be written: {self.problem} Nor can its work be kept meanwhile "
                f"in the directory for temporary files: {_reason(error)}",
                path=self.path,
                remedy="make room, or choose another directory.",
            ) from error

    def commit(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        synced: bool = False,
        lasting: bool = True,
    ) -> Path:
        """Give the finished file its final name.

        Its content is on the disk first, and its name when this returns.

        Parameters
        ----------
        path : str or path, optional
            Another final name, from now on.
        synced : bool
            Whether the content is on the disk already, see :meth:`sync`.
        lasting : bool
            Whether the file is to come through a power failure; otherwise neither its content
            nor its name is waited for.

        Returns
        -------
        pathlib.Path
            The final name.  Once committed, the same again.

        Raises
        ------
        OutputExistsError
            The final name is taken.
        OutputError
            The file couldn't be written or named; ``kept`` says where the finished work is.
            It's None when the disk refused the content, which is lost then.
        OutputNameError
            See the class.
        """
        if self.committed:
            return self.path
        if path is not None:
            self.path = _checked(path)
        self._check_content(sync=lasting and not synced)
        try:
            return self._take_name(lasting)
        except FileExistsError as error:
            self.keep()
            self.problem = f"{self.path} exists already."
            raise OutputExistsError(
                f"{self.path} exists already, and isn't replaced; the finished file is kept as "
                f"{self.temporary}",
                path=self.path,
                kept=self.temporary,
                remedy="Move the other file away and call retry() of the writer; or write the run "
                "again under another name, or with exists='bump' or 'replace'.",
            ) from error
        except OSError as error:
            self.keep()
            self.problem = f"{self.path} can't be written: {_reason(error)}."
            raise OutputError(
                f"{self.path} can't be written: {_reason(error)}; the finished file is kept as "
                f"{self.temporary}",
                path=self.path,
                kept=self.temporary,
                remedy="make the directory writable, or make room in it, and try again.",
            ) from error

    def sync(self) -> None:
        """Bring the content to the disk, as the commit does.

        Raises
        ------
        OutputError
            The disk refused the content, or it can't be that of a finished file.
        """
        self._check_content(sync=True)

    def check_room(self, size: int) -> None:
        """Make sure that there is room for so much, before it's written.

        Parameters
        ----------
        size : int
            Bytes that are still to be written.

        Raises
        ------
        OutputError
            The file system of :attr:`temporary` has less.
        """
        try:
            found = os.statvfs(self.temporary.parent)
        except OSError:  # writing will tell
            return
        free = found.f_bavail * found.f_frsize
        if found.f_blocks and free < size:
            raise OutputError(
                f"{self.path} needs {size} bytes more, and {self.temporary.parent} has room for "
                f"{free}",
                path=self.path,
                remedy="make room, or choose another directory.",
            )

    def abandon(self) -> None:
        """Remove the temporary file, and release its lock.

        After a commit, or again, it does nothing; nor in a forked process: the file belongs to
        the one that has made it.
        """
        if self.committed or os.getpid() != self._process:
            return
        with contextlib.suppress(OSError):
            self._file.remove()

    def keep(self) -> None:
        """Rename finished work that can't have its final name yet, so that nobody clears it away.

        A failed commit does so by itself; this is for files that are to be committed together.
        """
        if not self.committed and self.temporary.suffix == ".tmp":
            kept = self.temporary.with_suffix(".kept")
            with contextlib.suppress(OSError):
                rename_new(self.temporary, kept)
                self._file.path = kept

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        if kind is None:
            self.commit()
        else:
            self.abandon()

    def _check_content(self, sync: bool) -> None:
        try:
            if self._lost is not None:
                raise self._lost
            if not stat.S_ISREG(self.temporary.lstat().st_mode):
                raise OSError(f"{self.temporary} isn't a file any more")
            if sync:
                sync_file(self.temporary)
        except OSError as error:
            # The kernel has thrown away what it couldn't write: a second sync would succeed.
            self._lost = error
            self.problem = f"{self.temporary} isn't whole: {_reason(error)}."
            raise OutputError(
                f"{self.path} can't be written: the content of {self.temporary} didn't reach the "
                f"disk: {_reason(error)}",
                path=self.path,
                remedy="make room, and write the file again from its source.",
            ) from error

    def _take_name(self, lasting: bool) -> Path:
        directory = self.path.parent
        self._made += _make_directories(directory)
        try:
            self.path = self._named(self.temporary)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._take_name_of_copy()
        self.committed = True
        self.problem = ""
        self._file.release()
        named = (directory, *(made.parent for made in self._made))
        for each in named if lasting else ():
            # The file has its name.  What fails here is only its coming through a power failure.
            with contextlib.suppress(OSError):
                sync_directory(each)
        return self.path

    def _take_name_of_copy(self) -> None:
        """Bring the work from another file system, and give the copy the name."""
        copy = _copied_beside(self.temporary, self.path)
        try:
            self.path = self._named(copy.path)
        except BaseException:
            with contextlib.suppress(OSError):
                copy.remove()
            raise
        copy.release()
        with contextlib.suppress(OSError):
            self._file.remove()

    def _named(self, source: Path) -> Path:
        if self.exists == "replace":
            os.replace(source, self.path)
            return self.path
        for number in range(_MOST_BUMPS + 1):
            target = self.path
            if number:
                target = target.with_name(f"{target.stem}-{number}{target.suffix}")
            try:
                rename_new(source, target)
            except FileExistsError:
                if self.exists == "refuse" or number == _MOST_BUMPS:
                    raise
            else:
                return target
        raise FileExistsError(str(self.path))


def _checked(path: str | os.PathLike[str]) -> Path:
    text = os.fspath(path)
    if "\0" in text:
        raise OutputNameError(f"File name {text!r} holds a NUL character", remedy="leave it out.")
    if os.path.basename(text) in ("", ".", ".."):
        raise OutputNameError(f"{text!r} is a directory", remedy="give the name of a file.")
    whole = Path(text).absolute()
    try:
        size = len(os.fsencode(whole.name))
    except UnicodeEncodeError:
        raise OutputNameError(
            f"File name {whole.name!r} can't be encoded for the file system",
            remedy="see adsupport.callbacks.output.safe_component.",
        ) from None
    if size > MAX_NAME_BYTES:
        raise OutputNameError(
            f"File name {whole.name!r} has {size} bytes; expected at most {MAX_NAME_BYTES}."
        )
    return whole


def _make_directories(directory: Path) -> list[Path]:
    """Make a directory and those above it; list what was missing."""
    missing = []
    for each in (directory, *directory.parents):
        if each.exists():
            break
        missing.append(each)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except FileExistsError:  # which would mean that the target exists
        raise NotADirectoryError(
            errno.ENOTDIR, "a file has the directory's name", str(directory)
        ) from None
    return missing


def _copied_beside(source: Path, target: Path) -> Temporary:
    """Copy finished work into the target's directory, under a temporary name."""
    copy = make_temporary(target.parent, target.name)
    try:
        with source.open("rb") as reader, copy.path.open("r+b") as writer:
            shutil.copyfileobj(reader, writer, _COPY_BYTES)
            writer.flush()
            os.fsync(writer.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            copy.remove()
        raise
    return copy


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
