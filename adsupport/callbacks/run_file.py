"""What a kind of file defines, and what is told of each run that was written."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..documents.run import Rows, Run, Stream
from ..documents.sentences import Sentences

__all__ = ["RunFile", "WriterResult"]


class RunFile(ABC):
    """The file, or files, of one run: what a kind of writer defines.

    The calls up to :meth:`end` come from the writer's thread, in the order of
    :class:`~adsupport.documents.run.RunConsumer`, and should be quick; :meth:`finish` has its own.

    Attributes
    ----------
    run : Run
        The run, from :meth:`begin` on.
    skipped : list of str
        What the file lacks that it should have, each a sentence: a strict writer fails then.
    remarks : list of str
        What was left out as the writer's options or its format say, and what is unusual.
    wants_documents : bool
        Whether :meth:`document` is to be called.
    wants_rows : bool
        Whether :meth:`rows` is to be called: otherwise they are counted, and not put in order.
    """

    run: Run
    wants_documents = False
    wants_rows = True

    def __init__(self) -> None:
        self.skipped: Sentences = Sentences()
        self.remarks: Sentences = Sentences()

    def skip(self, text: str) -> None:
        """Note in :attr:`skipped` what the file lacks, once.

        Parameters
        ----------
        text : str
            A sentence.
        """
        self.skipped.note(text)

    def remark(self, text: str) -> None:
        """Note in :attr:`remarks` what is unusual, once.

        Parameters
        ----------
        text : str
            A sentence.
        """
        self.remarks.note(text)

    def document(self, name: str, doc: dict[str, Any]) -> None:  # noqa: B027  most need none
        """Take a document of the run as it came.

        Parameters
        ----------
        name : str
            Its kind.
        doc : dict
            The document.
        """

    def begin(self, run: Run) -> None:
        """Take the start of the run.

        Parameters
        ----------
        run : Run
            The run.
        """
        self.run = run

    def stream(self, run: Run, stream: Stream) -> None:  # noqa: B027
        """Take a new stream, or one that has got another descriptor.

        Parameters
        ----------
        run : Run
            The run.
        stream : Stream
            Its stream.
        """

    def rows(self, run: Run, rows: Rows) -> None:  # noqa: B027
        """Take rows.

        Parameters
        ----------
        run : Run
            The run.
        rows : Rows
            In the order of ``seq_num``.
        """

    def end(self, run: Run) -> None:  # noqa: B027
        """Take the end of the run.

        Parameters
        ----------
        run : Run
            The run.
        """

    @abstractmethod
    def finish(self) -> list[Path]:
        """Complete the file and give it its name.  May wait; may be called again if it raises.

        Returns
        -------
        list of pathlib.Path
            What was written.

        Raises
        ------
        OutputError
            It couldn't be; with ``kept`` the work isn't lost, and a later call may succeed.
        """

    @abstractmethod
    def abandon(self) -> None:
        """Remove what was begun."""


@dataclass
class WriterResult:
    """What became of a run.

    Parameters
    ----------
    uid : str
        Of the run.
    scan_id : int or None
        Its number.
    exit_status : str
        Of the run, see :attr:`~adsupport.documents.run.Run.exit_status`.
    paths : list of pathlib.Path
        The files.
    skipped : list of str
        What was wrong with the run's documents, and what the files lack.
    remarks : list of str
        What was unusual, or left out as the options say.
    error : Exception or None
        Why there is no file, or what is wrong with it.
    unfinished : RunFile or None
        The work that is kept for :meth:`RunWriter.retry`.
    told : bool
        Whether :meth:`RunWriter.wait_writer` has returned or raised it.
    """

    uid: str
    scan_id: int | None
    exit_status: str = "unknown"
    paths: list[Path] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list, repr=False)
    error: Exception | None = None
    unfinished: RunFile | None = field(default=None, repr=False, compare=False)
    told: bool = field(default=False, repr=False, compare=False)

    def __str__(self) -> str:
        number = "" if self.scan_id is None else f" (scan_id {self.scan_id})"
        files = ", ".join(map(str, self.paths)) or "no file"
        told = self.skipped or [str(each) for each in [self.error] if each is not None]
        return "\n".join([f"Run {self.uid[:8]}{number}, {self.exit_status}: {files}", *told])
