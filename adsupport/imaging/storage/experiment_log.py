"""The log of an experiment, beside its images."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from ...callbacks.output import inside
from ...errors import OutputError

__all__ = ["LOG_NAME", "experiment_log"]

LOG_NAME = "experiment.log"


@contextlib.contextmanager
def experiment_log(
    directory: str | os.PathLike[str], logger: logging.Logger, level: int = logging.INFO
) -> Iterator[Path]:
    """Write what is logged within a ``with`` block to ``experiment.log``, too.

    A line begins with the time (ISO 8601, with zone), the level and the logger's name.  An
    exception that ends the block becomes the last entry.  At its end, whatever has happened, the
    logger is as it was.  A disk that gets full doesn't stop the experiment: the other handlers get
    a warning at the end.

    Parameters
    ----------
    directory : str or path
        Of the scan.
    logger : logging.Logger
        Records of this one and those below it are written.
    level : int
        The lowest that is.  The logger lets it pass meanwhile.

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
    logger.addHandler(handler)
    try:
        yield path
    except BaseException as error:
        handler.tell(logger, error)
        raise
    finally:
        logger.removeHandler(handler)
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
        trace = (type(error), error, error.__traceback__)
        self.handle(
            logger.makeRecord(
                logger.name, logging.ERROR, __file__, 0, "ended by %s", (repr(error),), trace
            )
        )

    def close(self) -> None:
        """Close the file, also when its disk is full; see the base class."""
        try:
            super().close()
        except OSError as error:
            self.problem = self.problem or repr(error)
