"""The log of an experiment, beside its images."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path

from bluesky.utils import RequestAbort, RequestStop

from ...callbacks.output import inside
from ...errors import OutputError

__all__ = ["LOG_NAME", "experiment_log"]

LOG_NAME = "experiment.log"

#: What ends a plan without a mistake that somebody had to look for.
_ASKED_FOR = {RequestAbort: "RE.abort()", RequestStop: "RE.stop()"}
#: The file of the experiment whose plan, or a thread of which, is at work here.
_here: ContextVar[_LogFile | None] = ContextVar("experiment_log", default=None)


@contextlib.contextmanager
def experiment_log(
    directory: str | os.PathLike[str],
    logger: logging.Logger,
    level: int = logging.INFO,
    *,
    above: logging.Logger | None = None,
) -> Iterator[Path]:
    """Write what is logged within a ``with`` block to ``experiment.log``, too.

    A line begins with the time (ISO 8601, with zone), the level and the logger's name.  An
    exception that ends the block becomes the last entry.  At its end, whatever has happened, the
    logger is as it was.  A disk that gets full doesn't stop the experiment: the other handlers get
    a warning at the end.

    Where nobody has configured logging, warnings go to stderr as they do without this file.

    Of several that are open at once, as of two RunEngines, each gets what is logged in its own
    context: in that of the ``with`` block, and of threads that were begun in a copy of it.  What is
    logged in any other thread goes to all.

    Parameters
    ----------
    directory : str or path
        Of the scan.
    logger : logging.Logger
        Records of this one and those below it are written.
    level : int
        The lowest that is.  The logger lets it pass meanwhile.
    above : logging.Logger, optional
        One above it: what other loggers below that one let pass is written, too.

    Yields
    ------
    pathlib.Path
        The file; entries are appended when it's there already.

    Raises
    ------
    OutputError
        The file can't be made.
    """
    path = inside(directory, LOG_NAME)
    try:
        handler = _LogFile(path, level)
    except OSError as error:
        raise OutputError(
            f"{path} can't be written: {error.strerror or error}",
            path=path,
            remedy="make the directory writable, or choose another root of the walker.",
        ) from error
    before = logger.level
    if logger.getEffectiveLevel() > level:
        logger.setLevel(level)
    target = above or logger
    target.addHandler(handler)
    target.addHandler(_TERMINAL)  # once, however often it's added
    outside = _here.get()
    _here.set(handler)
    try:
        yield path
    except BaseException as error:
        handler.tell(logger, error)
        raise
    finally:
        _here.set(outside)
        target.removeHandler(handler)
        if not any(isinstance(each, _LogFile) for each in target.handlers):
            target.removeHandler(_TERMINAL)
        logger.setLevel(before)
        handler.close()
        if handler.problem:
            logger.warning("%s isn't whole: %s", path, handler.problem)


class _LogFile(logging.FileHandler):
    """A log file that remembers why it isn't whole, in place of printing tracebacks.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    level : int
        The lowest level that it takes.
    """

    def __init__(self, path: Path, level: int) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace")
        self.setLevel(level)
        self.problem = ""

    def filter(self, record: logging.LogRecord) -> bool | logging.LogRecord:
        """Leave what belongs to another experiment to its own file; see the base class."""
        return _here.get() in (None, self) and super().filter(record)

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as text; see the base class."""
        time = (
            datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")
        )
        return f"{time} {record.levelname} {record.name}: {super().format(record)}"

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Remember the first problem; see the base class."""
        self.problem = self.problem or repr(sys.exc_info()[1])

    def tell(self, logger: logging.Logger, error: BaseException) -> None:
        """Write what has ended the experiment, here only: the caller gets the exception itself."""
        level, what, trace = logging.ERROR, repr(error), (type(error), error, error.__traceback__)
        asked = _ASKED_FOR.get(type(error))
        if asked is not None:
            level, what, trace = logging.WARNING, f"{asked}, as asked for", None
        self.handle(
            logger.makeRecord(logger.name, level, __file__, 0, "ended by %s", (what,), trace)
        )

    def close(self) -> None:
        """Close the file, also when its disk is full; see the base class."""
        try:
            super().close()
        except OSError as error:
            self.problem = self.problem or repr(error)


class _Terminal(logging.Handler):
    """Prints what nobody else does: Python itself prints no warnings beside another handler."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record as Python does where no logging is configured; see the base class."""
        last = logging.lastResort
        if last is None or record.levelno < last.level:
            return
        logger: logging.Logger | None = logging.getLogger(record.name)
        while logger is not None:
            if not all(isinstance(each, (_LogFile, _Terminal)) for each in logger.handlers):
                return  # one of the user's
            logger = logger.parent if logger.propagate else None
        last.handle(record)


_TERMINAL = _Terminal()
