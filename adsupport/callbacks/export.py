"""Stored runs to files of several formats at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..documents.run import Run
from ..documents.stored_runs import StoredRun
from ..errors import OutputExistsError
from .file_writer import FileWriter
from .run_file import WriterResult
from .writer import RunWriter

__all__ = ["Exported", "export_runs"]


@dataclass
class Exported:
    """What became of a run in a format.

    Parameters
    ----------
    run : StoredRun
        The run.
    format : str
        The name of the format.
    paths : list of pathlib.Path
        The files.
    skipped : list of str
        What they don't have, each a sentence.
    remarks : list of str
        What was unusual, or left out as the format says.
    error : Exception or None
        Why there is no file, or what is wrong with it.
    """

    run: StoredRun
    format: str
    paths: list[Path] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    error: Exception | None = None


def export_runs(
    runs: Iterable[StoredRun],
    writers: Mapping[str, RunWriter],
    progress: Callable[[StoredRun, int], None] = lambda run, documents: None,
) -> Iterator[Exported]:
    """Write runs, each to the files of all formats, and one run after the other.

    A run that fails doesn't keep the others from being written.  Nothing is kept of a file whose
    name is taken: the run can be written again.

    Parameters
    ----------
    runs : iterable of StoredRun
        The runs; their documents are read once.
    writers : mapping of str to RunWriter
        By format; new ones, which have nothing else to do.
    progress : callable, optional
        Called as ``progress(run, documents)`` with how many documents of it have been read.

    Yields
    ------
    Exported
        For each run and format.
    """
    for run in runs:
        broken: Exception | None = None
        count = 0
        earlier = {name: _by_id(writer.results) for name, writer in writers.items()}
        progress(run, 0)
        refused = _refused(run, writers)
        wanted = [writer for name, writer in writers.items() if name not in refused]
        try:
            for count, (name, doc) in enumerate(run.documents() if wanted else (), 1):
                for writer in wanted:
                    writer.receiver(name, doc)
                if not count % 100:
                    progress(run, count)
        except Exception as error:  # of a catalog's server or files: any
            broken = error
        progress(run, count)
        for name, writer in writers.items():
            found = Exported(run, name, error=refused.get(name, broken))
            _finish(found, writer, earlier[name], broken)
            yield found


def _finish(
    found: Exported,
    writer: RunWriter,
    earlier: dict[int, WriterResult],
    broken: Exception | None,
) -> None:
    """Wait for the files of a run, and note what became of it."""
    try:
        writer.close(error=broken)
    except Exception as error:
        found.error = found.error or error
    for result in writer.results:
        if id(result) not in earlier:
            found.paths += result.paths
            found.skipped += result.skipped
            found.remarks += result.remarks
            if isinstance(result.error, OutputExistsError) and result.unfinished is not None:
                result.unfinished.abandon()
                result.unfinished = None
                if found.error is result.error:
                    found.error = _exists_already(result.error.path)


def _refused(run: StoredRun, writers: Mapping[str, RunWriter]) -> dict[str, OutputExistsError]:
    """Tell which formats a run can't have: it may be long, and their files are there."""
    found = {}
    for name, writer in writers.items():
        path = writer.taken(Run(dict(run.start))) if isinstance(writer, FileWriter) else None
        if path is not None:
            found[name] = _exists_already(path)
    return found


def _exists_already(path: Path | str | None) -> OutputExistsError:
    return OutputExistsError(
        f"{path} exists already, and isn't replaced",
        path=path,
        remedy="choose another name or directory, or exists='bump' or 'replace'.",
    )


def _by_id(results: Iterable[WriterResult]) -> dict[int, WriterResult]:
    """Make results findable; with what is kept here no new one gets the id of another."""
    return {id(each): each for each in results}
