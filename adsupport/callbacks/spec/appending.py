"""One scan's way into a SPEC file: appended as it runs, or kept aside until the file can be had.

A file has one writer at a time: whoever appends to it holds a lock (``flock``).  What is written is
whole lines, to a file open for appending, so that a process that's killed leaves whole lines; if
one isn't all the same, the next scan makes a comment of it.  A scan that finds the file locked, or
can't write it, goes to a spool file, which is a SPEC file itself; :meth:`ScanAppender.finish`
appends that later.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from adsupport.errors import OutputError

from ..output.temporary import Temporary, make_temporary, spool_directory
from .existing import SpecContent
from .text import escape

__all__ = ["ScanAppender"]

_PIECE = 1 << 20
_PAGE = 4096
#: Between two looks whether another writer is ready, in seconds: a lock of another process
#: can't be waited for with a limit.
_LOOK = 0.05
#: What file systems say that know no locks.
_UNLOCKABLE = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


class ScanAppender:
    """Append a scan to a SPEC file.

    Parameters
    ----------
    path : pathlib.Path
        The file, which is made when it isn't there.
    begin : callable
        Makes the scan's first lines, of a file that has this content: a header when it needs
        one, and ``#S`` with its number.
    content : SpecContent
        What is known of the file; it's read on from there.
    live : bool
        Whether the scan is written as it runs; otherwise all of it by :meth:`finish`.

    Attributes
    ----------
    problem : str
        Why what was written last isn't in the file; empty when it is.
    """

    def __init__(
        self,
        path: Path,
        begin: Callable[[SpecContent], str],
        content: SpecContent,
        live: bool = True,
    ) -> None:
        self.path = path
        self.problem = "" if live else "it's written when that is asked for"
        self._begin = begin
        self._content = content
        self._descriptor = -1
        # Offsets in the file: where the scan's body begins, and where it ends so far.
        self._body = self._end = -1
        self._opening = b""  # the first lines, which go with what is written first
        self._spool: Temporary | None = None
        # Offsets in the spool: where the body begins, and what of it isn't in the file.
        self._spool_body = self._missing = 0
        if live:
            try:
                self._open()
            except (OSError, OutputError) as error:
                self.problem = _reason(error)
                self._close()

    @property
    def kept(self) -> Path | None:
        """Where the scan is kept; None when it's in the file."""
        return None if self._spool is None else self._spool.path

    def write(self, text: str) -> None:
        """Append lines.

        Parameters
        ----------
        text : str
            Whole lines.

        Raises
        ------
        OSError
            Neither the file nor a spool file takes them.
        """
        data = text.encode()
        if not self.problem:
            try:
                self._append(data)
                return
            except OSError as error:
                self.problem = str(error)
        spool = self._spool or self._make_spool()
        with spool.path.open("ab") as file:
            file.write(data)

    def release(self) -> None:
        """Let others write, unless a part of the scan isn't in the file yet: it's complete."""
        if self._descriptor >= 0 and self._spool is None:
            with contextlib.suppress(OSError):
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def finish(self, wait: float = 0.0) -> None:
        """Make sure that all of the scan is in the file, and on the disk; let others write.

        Parameters
        ----------
        wait : float
            How long to wait for another writer, in seconds.

        Raises
        ------
        OutputError
            It can't be written.  ``kept`` names the spool file; a later call tries again.
        """
        try:
            if self._descriptor >= 0 and not self._is_there():
                self._save()
            if self._spool is not None:
                self._bring(time.monotonic() + wait)
            if self._descriptor >= 0:
                os.fsync(self._descriptor)
        except (OSError, OutputError) as error:
            self.problem = _reason(error)
            raise OutputError(
                f"The scan isn't in {self.path}: {self.problem}",
                path=self.path,
                kept=self.kept,
                remedy="It's kept; call retry() of the writer when that is over.",
            ) from error
        finally:
            self._close()

    def abandon(self) -> None:
        """Let others write.  What the file has of the scan stays; a spool is removed."""
        self._close()
        if self._spool is not None:
            with contextlib.suppress(OSError):
                self._spool.remove()
            self._spool = None

    # the file

    def _open(self) -> None:
        """Lock the file, and write the scan's first lines behind what it has."""
        self._lock()
        with io.FileIO(self._descriptor, "r", closefd=False) as file:
            content = self._content.read(file)
            size = file.seek(0, io.SEEK_END)
        if size and size == self._end:
            return  # nobody has written since: the scan goes on
        if size and not content.is_spec:
            raise OutputError(
                "it's no SPEC file, for it has none of the lines #F, #E and #S", path=self.path
            )
        before = b"" if content.whole else self._mend(content.size, size)
        self._end = os.fstat(self._descriptor).st_size
        # By itself `#S`, without the date, would make the file unreadable for spec2nexus.
        self._opening = before + self._begin(content).encode()
        self._body = self._end + len(self._opening)
        self._missing = self._spool_body

    def _lock(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._descriptor = os.open(self.path, flags, 0o666)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _UNLOCKABLE:
                raise

    def _mend(self, begin: int, end: int) -> bytes:
        """Take off a last line without its end, and return it as a comment or ended.

        A row that a killed process left may be cut in the middle of a number.
        """
        line = os.pread(self._descriptor, end - begin, begin)
        if line.startswith(b"#"):
            return b"\n"
        os.ftruncate(self._descriptor, begin)
        return b"#C unfinished line: " + escape(line.decode(errors="replace"), "@").encode() + b"\n"

    def _is_there(self) -> bool:
        """Whether the path still leads to the file that is open."""
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self._descriptor))
        except OSError:
            return False

    def _save(self) -> None:
        """Take the scan out of a file that was removed or renamed; it goes to a new one."""
        if self._spool is None:
            self._make_spool()
        self._missing = self._spool_body
        self._end = -1
        self._close()

    def _append(self, data: bytes) -> None:
        """Write whole lines, all of them or none."""
        data = self._opening + data
        try:
            for piece in _pieces(data, self._end):
                view = memoryview(piece)
                while view:  # once, unless the disk is full
                    view = view[os.write(self._descriptor, view) :]
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._end)
            raise
        self._end += len(data)
        self._opening = b""

    def _close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)  # and with it the lock

    # the spool

    def _make_spool(self) -> Temporary:
        """Begin a spool file, with all that the file has of the scan."""
        spool = make_temporary(spool_directory(), self.path.name)
        try:
            with spool.path.open("wb") as file:
                self._spool_body = file.write(self._begin(SpecContent()).encode())
                at = self._body
                while self._descriptor >= 0 and at < self._end:
                    at += file.write(os.pread(self._descriptor, min(_PIECE, self._end - at), at))
                self._missing = file.tell()
        except OSError:
            spool.remove()
            raise
        self._spool = spool
        return spool

    def _bring(self, until: float) -> None:
        """Append what the spool has, and remove it."""
        spool = self._spool
        while self._descriptor < 0:
            try:
                self._open()
            except BlockingIOError:
                self._close()
                if time.monotonic() > until:
                    raise
                threading.Event().wait(_LOOK)
        if spool is None:
            return
        with spool.path.open("rb") as file:
            file.seek(self._missing)
            while piece := file.read(_PIECE):
                piece += file.readline()  # whole lines
                self._append(piece)
                self._missing += len(piece)
        spool.remove()
        self._spool = None
        self.problem = ""


def _pieces(data: bytes, at: int) -> Iterator[bytes]:
    """Cut lines into what is written at once, for a file that has so many bytes.

    Linux looks between two pages whether the process is to be killed, so no piece goes over
    the end of a page, except a single line that has to.
    """
    begin = 0
    while begin < len(data):
        page = begin + _PAGE - (at + begin) % _PAGE
        end = len(data)
        if page < end:
            end = data.rfind(b"\n", begin, page) + 1 or data.find(b"\n", page) + 1 or len(data)
            if data.startswith(b"#D", end):  # goes with its `#S`
                end = data.find(b"\n", end) + 1
        yield data[begin:end]
        begin = end


def _reason(error: Exception) -> str:
    if isinstance(error, BlockingIOError):
        return "another scan is being written to it"
    return error.problem if isinstance(error, OutputError) else str(error)
