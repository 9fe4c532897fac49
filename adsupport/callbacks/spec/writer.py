"""The writer of SPEC files that users make and subscribe."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from adsupport.documents.run import Run
from adsupport.errors import ConfigurationError, OutputError

from ..output import OutputName
from ..run_file import RunFile
from ..writer import RunWriter
from .existing import SpecContent
from .scan import SpecScan

__all__ = ["SpecWriterCallback", "spec_comment"]

#: Where a comment stands in the scan, by the kind of document that it's said to belong to.
_PLACES = {
    "start": "start",
    "descriptor": "start",
    "resource": "start",
    "datum": "start",
    "event": "event",
    "stop": "stop",
}


class SpecWriterCallback(RunWriter):
    """Write each run as a scan of a SPEC data file.

    Subscribe it (``RE.subscribe(specwriter.receiver)``) or replay runs to it.  Rows are written
    as they come.  A file that is there is always appended to, never replaced; what can't be
    written to it is kept in a spool file and shown by :meth:`wait_writer`, and :meth:`retry` tries
    again.  Runs that overlap, of this or another program, are written one behind the other.

    Parameters
    ----------
    filename : str or path, optional
        The file; by default ``YYYYmmdd-HHMMSS.dat`` of this moment, in the working directory.
        It's made with the first scan.  With ``{start[proposal]}`` and the like the name is a
        template (:class:`~adsupport.callbacks.output.OutputName`), and each run goes to the file
        that it names.
    auto_write : bool
        Whether scans are written by themselves; otherwise :meth:`write_scan` writes them.
    RE : bluesky.RunEngine, optional
        The RunEngine whose ``md["scan_id"]`` is to go on from the file's highest number.
    reset_scan_id : bool
        Whether that is done here, for a file that exists.
    nan : float, optional
        What stands for NaN in the columns, such as ``0`` or ``-1``.  By default NaN is written
        (``-nan``), which silx and PyMca read as 0; spec2nexus reads it as NaN.
    lock_timeout : float
        How long the end of a scan waits for another writer of the same file, in seconds.
    **options
        See :class:`~adsupport.callbacks.writer.RunWriter`.

    Raises
    ------
    ConfigurationError
        The file is there and isn't a SPEC file, or ``nan`` isn't a number.
    """

    def __init__(
        self,
        filename: Any = None,
        auto_write: bool = True,
        RE: Any = None,  # noqa: N803
        reset_scan_id: bool = False,
        *,
        nan: float | None = None,
        lock_timeout: float = 60.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if nan is not None and not isinstance(nan, int | float):
            raise ConfigurationError(f"nan must be a number or None, got {nan!r}.")
        self.auto_write = auto_write
        self.RE = RE
        self.nan = nan
        self.lock_timeout = lock_timeout
        self._open_scans: list[SpecScan] = []
        self._held: list[SpecScan] = []
        self._comments: list[tuple[float, str, str]] = []
        self.newfile(filename, RE=None if reset_scan_id is False else RE)

    @property
    def spec_filename(self) -> Path:
        """The file that the next scan goes to."""
        return self._name

    @staticmethod
    def make_default_filename() -> str:
        """Make a file name of the time.

        Returns
        -------
        str
            ``YYYYmmdd-HHMMSS.dat``, local time.
        """
        return time.strftime("%Y%m%d-%H%M%S.dat")

    def newfile(
        self,
        filename: Any = None,
        scan_id: int | bool | None = None,
        RE: Any = None,  # noqa: N803
    ) -> Path:
        """Take another file from the next scan on.

        Parameters
        ----------
        filename : str or path, optional
            The file; by default :meth:`make_default_filename`.  It's made with the first scan,
            and appended to when it's there already.
        scan_id : int, bool or None
            Number of the scan before the next one: True for 0, None or False to leave it.  With
            a file that is there, at least the highest number in it.
        RE : bluesky.RunEngine, optional
            Whose ``md["scan_id"]`` is set, so that the next scan has the number behind it.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        ConfigurationError
            The file is there and isn't a SPEC file.
        """
        name = Path(filename or self.make_default_filename())
        number = (0 if scan_id else None) if isinstance(scan_id, bool) else scan_id
        content = SpecContent()
        if name.exists():
            content = _read(name)
            number = max(number or 0, content.highest)
        self._use(name, content)
        if number is not None and RE is not None:
            RE.md["scan_id"] = number
        return self._name

    def usefile(self, filename: Any) -> int:
        """Take a file that exists from the next scan on.

        Parameters
        ----------
        filename : str or path
            The file.

        Returns
        -------
        int
            The highest scan number in it, 0 when there is no scan.

        Raises
        ------
        OutputError
            There is no such file, or it can't be read.
        ConfigurationError
            It isn't a SPEC file.
        """
        content = _read(Path(filename))
        self._use(Path(filename), content)
        return content.highest

    def _use(self, name: Path, content: SpecContent) -> None:
        self._name, self._path = name, name.absolute()
        self._contents = {self._path: content}

    def run_file(self, run: Run) -> RunFile:
        """Make what writes a run as a scan.

        Parameters
        ----------
        run : Run
            The run.

        Returns
        -------
        RunFile
            For this run.
        """
        path = self._path
        if "{" in path.name:
            path = path.with_name(OutputName(path.name).render(start=run.start))
        scan = SpecScan(
            path,
            str(self._name.with_name(path.name)),
            self._contents.setdefault(path, SpecContent()),
            live=self.auto_write,
            wait=self.lock_timeout,
            nan=self.nan,
        )
        for at, text, place in self._comments:
            scan.comment(at, text, place)
        self._comments.clear()
        self._open_scans[:] = [*(each for each in self._open_scans if not each.ended), scan]
        if scan.held:
            self._held.append(scan)
        return scan

    def write_scan(self, timeout: float | None = None) -> list[Path]:
        """Write the scans that ended since the last call, of a writer without ``auto_write``.

        Parameters
        ----------
        timeout : float or None
            See :meth:`wait_writer`.

        Returns
        -------
        list of pathlib.Path
            The files.

        Raises
        ------
        OutputError
            A file can't be written; the scan is kept, and written by the next call.
        WriterTimeoutError, AdsupportError
            See :meth:`wait_writer`.
        """
        self.wait_writer(timeout)
        paths = []
        for scan in [each for each in self._held if each.ended]:
            scan.held = False
            paths += scan.finish()
            self._held.remove(scan)
        return paths

    def spec_comment(self, comment: str, doc: str | None = None) -> None:
        """Put a comment into the file: lines ``#C`` with the time.

        Parameters
        ----------
        comment : str
            The comment, one line or several.
        doc : str or None
            Where: ``"start"``, ``"descriptor"``, ``"resource"`` or ``"datum"`` in the scan's
            head, ``"event"`` behind the rows so far, ``"stop"`` at the end.  By default
            ``"event"`` in a scan, else ``"start"`` of the next one.

        Raises
        ------
        ConfigurationError
            There is no such document.
        """
        if doc is not None and doc not in _PLACES:
            raise ConfigurationError(
                f"There is no document {doc!r} to comment on; expected {', '.join(_PLACES)}."
            )
        at, lines = time.time(), str(comment).splitlines()
        self.in_order(lambda: self._comment(at, lines, doc))

    def _comment(self, at: float, lines: list[str], doc: str | None) -> None:
        """Comment on the run that was begun last; with none open, on the next one."""
        running = [each for each in self._open_scans if not each.ended]
        place = _PLACES[doc or ("event" if running else "start")]
        for line in lines:
            if running:
                running[-1].comment(at, line, place)
            else:
                self._comments.append((at, line, place))


def spec_comment(
    comment: str, doc: str | None = None, writer: SpecWriterCallback | None = None
) -> None:
    """Put a comment into a writer's file.

    Parameters
    ----------
    comment, doc
        See :meth:`SpecWriterCallback.spec_comment`.
    writer : SpecWriterCallback
        The writer.

    Raises
    ------
    ConfigurationError
        There is no writer, or no such document.
    """
    if writer is None:
        raise ConfigurationError(
            "spec_comment() was given no writer.", remedy="Call it with writer=specwriter."
        )
    writer.spec_comment(comment, doc)


def _read(path: Path) -> SpecContent:
    """Read what a file holds already."""
    try:
        with path.open("rb", buffering=0) as file:
            content = SpecContent().read(file)
    except OSError as error:
        raise OutputError(
            f"SPEC file {path} can't be read: {error.strerror or error}",
            path=path,
            remedy="newfile() makes a new one.",
        ) from error
    if not content.is_spec and path.stat().st_size:
        raise ConfigurationError(
            f"{path} is no SPEC file: it has none of the lines #F, #E and #S",
            remedy="Choose another name: a file is never replaced.",
        )
    return content
