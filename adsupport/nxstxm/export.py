"""Runs to the parts of a file: stored ones one by one, or live."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..callbacks.run_file import RunFile
from ..callbacks.writer import RunWriter
from ..documents.run import Run
from ..errors import ConfigurationError, DocumentError
from .parts.part import StxmPart
from .parts.work import rendered, work_of

__all__ = ["PartWriter", "export"]


class PartWriter(RunWriter):
    """Write each run to a part of its file.

    Parameters
    ----------
    directory : str or path
        Where the file is to go.
    file_prefix : str
        Its name without ending, or a template for it.
    first_uid : str, optional
        Of the first run of the file; by default each run has a file of its own.
    strict, path_map
        See :class:`~adsupport.callbacks.writer.RunWriter`.
    image_timeout : float
        How long to wait for the files of images, in seconds.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        file_prefix: str,
        first_uid: str | None = None,
        *,
        strict: bool = True,
        image_timeout: float = 20.0,
        path_map: Any = None,
    ) -> None:
        super().__init__(strict=strict, path_map=path_map)
        self.directory = Path(os.fsdecode(directory)).absolute()
        self.file_prefix = file_prefix
        self.first_uid = first_uid
        self.image_timeout = image_timeout

    def run_file(self, run: Run) -> RunFile:
        """Make the part of a run; see the base class."""
        rendered(self.file_prefix, run.start)  # what's wrong with it is told now
        work = work_of(self.directory, self.file_prefix, self.first_uid or run.uid)
        return StxmPart(work, run, self.image_timeout)


def export(
    docs: Iterable[tuple[Any, Any]],
    directory: str | os.PathLike[str],
    file_prefix: str,
    first_uid: str | None = None,
    *,
    image_timeout: float = 20.0,
    path_map: Any = None,
) -> dict[str, list[Path]]:
    """Take a run into a file that :func:`finish_export` makes of all its runs.

    Parameters
    ----------
    docs : iterable of tuple
        Names and documents of a run (or of several), of any encoding, such as
        ``header.documents(fill=True)``.
    directory : str or path
        Where the file is to go; it's made.
    file_prefix : str
        Name of the file without ``.hdf5``, or a template such as ``"{start[scan_id]:05d}"``,
        which the first run's start document fills in.
    first_uid : str, optional
        uid of the first run of the file, which stands for all; by default the run's own.
    image_timeout : float
        How long to wait for the files of images, in seconds.
    path_map : mapping of str to str, or callable, optional
        From the directories of images in the documents to those here.

    Returns
    -------
    dict of str to list of pathlib.Path
        ``{"nxstxm": [...]}``: the parts, in ``<first_uid>-<file_prefix>.tmp``.

    Raises
    ------
    StxmMetadataError
        The start document doesn't say what was scanned.
    StxmDataError
        The events contradict the metadata.
    DocumentError
        There is no run, or ``docs`` has something else than pairs; or something was wrong with
        its documents, and the part has the rest: :func:`finish_export` makes the file of that.
    OutputError
        The part can't be written.

    Notes
    -----
    Runs may come in any order, from several programs at once, and again: the same run takes the
    place of what came of it before.
    """
    writer = PartWriter(
        directory,
        file_prefix,
        first_uid,
        strict=False,
        image_timeout=image_timeout,
        path_map=path_map,
    )
    failed: Exception | None = None
    try:
        for pair in docs:
            writer.receiver(*_name_and_document(pair))
    except BaseException as error:
        failed = error if isinstance(error, Exception) else ConfigurationError("interrupted")
        raise
    finally:
        if failed is not None:
            _closed(lambda: writer.close(error=failed))
    results = writer.close()
    if not results:
        raise DocumentError(
            "There is no run in the documents.",
            remedy="Give all documents of a run, from its start document on.",
        )
    wrong = [f"run {each.uid}: {text}" for each in results for text in each.skipped]
    if wrong:
        raise DocumentError(
            "Not all is as it should be in the documents: " + " ".join(wrong),
            remedy="What there is has been kept: finish_export() makes a file of it, unless the "
            "run is exported again from documents that are whole.",
        )
    return {"nxstxm": [path for each in results for path in each.paths]}


def _name_and_document(pair: Any) -> tuple[Any, Any]:
    """Mind what else may be given, such as a header itself, or documents without names."""
    if isinstance(pair, tuple | list) and len(pair) == 2:
        name, doc = pair
        return name, doc
    raise DocumentError(
        f"docs must have pairs of a name and a document, not {type(pair).__name__}: {pair!r:.60}",
        remedy="Give header.documents(fill=True), not the header or its uid.",
    )


def _closed(close: Callable[[], Any]) -> None:
    """End what was begun; the error that led here is the one that is told."""
    try:
        close()
    except Exception:  # noqa: S110
        pass
