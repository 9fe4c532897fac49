"""Between a run and its file: what goes wrong there is told in the run's result."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ..documents.run import Rows, Run, Stream
from .run_file import RunFile, WriterResult

if TYPE_CHECKING:
    from .writer import RunWriter

__all__ = ["RunGuard", "abandoned"]

logger = logging.getLogger(__name__)


class RunGuard:
    """Take a run to its file, and what goes wrong there to its result.

    A :class:`~adsupport.documents.run.RunConsumer`, which see for the methods.

    Parameters
    ----------
    writer : RunWriter
        Has the results.
    as_it_was : RunWriter
        A copy of it with the options of the run; makes the file.
    """

    def __init__(self, writer: RunWriter, as_it_was: RunWriter) -> None:
        self._writer, self._as_it_was = writer, as_it_was
        self._file: Any = None

    @property
    def wants_documents(self) -> bool:
        """Whether the file takes documents as they are."""
        return self._file is not None and self._file.wants_documents

    @property
    def wants_rows(self) -> bool:
        """Whether the file takes rows."""
        return self._file is None or self._file.wants_rows

    def begin(self, run: Run) -> None:
        """Make the file."""
        self._file = self._as_it_was.run_file(run)
        self._file.begin(run)

    def document(self, run: Run, name: str, doc: dict[str, Any]) -> None:
        """Hand on a document."""
        self._file.document(name, doc)

    def stream(self, run: Run, stream: Stream) -> None:
        """Hand on a stream."""
        self._file.stream(run, stream)

    def rows(self, run: Run, rows: Rows) -> None:
        """Hand on rows."""
        self._file.rows(run, rows)

    def end(self, run: Run) -> None:
        """Hand on the end, and let the file be finished."""
        self._file.end(run)
        self._writer.finish_in_thread(run, self._file)

    def failed(self, run: Run, error: Exception) -> None:
        """Tell that the file has failed.

        Parameters
        ----------
        run : Run
            The run.
        error : Exception
            What its file raised.
        """
        if self._file is not None:
            abandoned(self._file)
        result = WriterResult(run.uid, run.scan_id, run.exit_status, error=error)
        self._writer.add_result(run, self._file, result)


def abandoned(file: RunFile) -> None:
    """Abandon a file; an error there is logged, as another one is told already.

    Parameters
    ----------
    file : RunFile
        The file.
    """
    try:
        file.abandon()
    except Exception:
        logger.exception("%s: what was begun can't be removed", type(file).__name__)
