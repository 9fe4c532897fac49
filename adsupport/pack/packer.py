"""Puts runs and their files into the directory of a pack, so that it can be stopped at any time."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .. import __version__
from ..documents.asset_paths import AnyPathMap
from ..errors import (
    ConfigurationError,
    DocumentError,
    OutputError,
    PackError,
)
from .contents import Contents
from .file_bringing import FileBringer
from .final_files import write_final_files
from .in_order import InOrder
from .journal import Journal
from .layout import MANIFEST
from .manifest import (
    DOCUMENT_FORMATS,
    EXTERNAL_WAYS,
    Manifest,
    PackedRunEntry,
    read_manifest,
)
from .needed_files import NeededFiles
from .pack_directory import PackDirectory
from .pack_progress import PackProgress, ProgressTeller
from .run_documents import RunDocuments
from .safe_paths import inside_pack

__all__ = ["Packer"]


class Packer:
    """A pack that is being made, or made longer.

    Parameters
    ----------
    directory : pathlib.Path
        Of a pack, or to become one: missing or empty.
    documents, external : str or None
        See :func:`~adsupport.pack.pack`; None for those that the pack has.
    strict : bool
        Whether a value that can't be written is an error.
    told : callable or None
        Called with a :class:`PackProgress`.

    Attributes
    ----------
    added, known : list of str
        uids of the runs that were added, and of those that were there already.
    remarks : list of str
        Values that couldn't be written, and HDF5 files that can't be read.

    Raises
    ------
    OutputExistsError
        The directory has something else in it.
    ConfigurationError
        The pack has another format than the one asked for.
    PackError
        The manifest of the pack is damaged.
    OutputError
        Another process is packing there; or the directory can't be written.
    """

    def __init__(
        self,
        directory: Path,
        documents: str | None,
        external: str | None,
        strict: bool,
        told: Callable[[PackProgress], None] | None,
    ) -> None:
        self.added: list[str] = []
        self.known: list[str] = []
        self.remarks: list[str] = []
        self._other = None if strict else self._remark
        self._progress = ProgressTeller(told)
        self._directory = PackDirectory(directory)
        self._journal = Journal(directory)
        try:
            self._begin(documents, external)
        except (KeyError, TypeError, AttributeError) as error:
            self._give_up()
            raise self._journal.damaged(error) from error
        except BaseException:
            self._give_up()
            raise

    def _begin(self, documents: str | None, external: str | None) -> None:
        path, records = self._directory.path, self._journal.records
        found = Manifest(documents or "jsonl", external or "copy")
        if os.path.lexists(path / MANIFEST):
            found = read_manifest(path)
        elif len(records) > 1:  # something was packed in the way that the first one tells
            found = Manifest(records[0]["documents"], records[0]["external"])
            if found.documents not in DOCUMENT_FORMATS or found.external not in EXTERNAL_WAYS:
                raise KeyError("the first line has options that no pack has")
        for name, asked in (("documents", documents), ("external", external)):
            has = getattr(found, name)
            if asked not in (None, has):
                raise ConfigurationError(
                    f"The pack in {path} was begun with "
                    f"{'format' if name == 'documents' else name}={has!r}, not {asked!r}",
                    remedy="leave the argument out, or pack to another directory.",
                )
        self._directory.clear()
        if len(records) <= 1:
            self._journal.begin({"documents": found.documents, "external": found.external})
        creator = f"adsupport {__version__}"
        self._contents = Contents(path, dataclasses.replace(found, creator=creator), records[1:])
        self._documents, self._external = found.documents, found.external
        self._closing = InOrder("adsupport-pack-closing")
        self._files = FileBringer(
            self._external,
            self._directory,
            self._journal,
            self._contents,
            self._closing,
            self._progress,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._closing.close()
        self._files.close()
        self._directory.close()
        self._give_up()

    def _give_up(self) -> None:
        """Let go of the journal, and leave none that tells of nothing: the pack is as it was."""
        if self._journal.lines <= 1 and not self._journal.records:
            with contextlib.suppress(OutputError):
                self._journal.remove()
        self._journal.close()

    def add(
        self, documents: Iterable[tuple[str, Mapping[str, Any]]], path_map: AnyPathMap = None
    ) -> None:
        """Put documents into the pack, and the files that they refer to.

        Parameters
        ----------
        documents : iterable of (str, mapping)
            Of a run, or of several one after the other.
        path_map : mapping, PathMap, function or None
            See :func:`~adsupport.documents.assets.asset_of`.

        Raises
        ------
        DocumentError
            They don't begin with a start document; runs are mixed; the pack has the run with other
            documents; or a value can't be written.
        OutputError
            The pack can't be written.
        PackError
            The pack has another file in the place of one of this run.
        """
        run = None
        try:
            for name, doc in documents:
                if name == "start":
                    if run is not None:
                        self._end_before(run, doc)
                    run = self._begin_run(doc, path_map)
                elif run is None:
                    raise DocumentError(
                        f"The documents of a run begin with a {name!r} document.",
                        remedy="Give all documents of the run, its start document first.",
                    )
                run.add(name, doc)
            if run is not None:
                self._end_run(run)
        finally:
            if run is not None:
                run.close()

    def finish(self) -> Manifest:
        """Write the manifest, and what else makes it a pack.

        Returns
        -------
        Manifest
            What the pack has.

        Raises
        ------
        OutputError
            The pack can't be written.
        """
        self._closing.wait()
        manifest = self._contents.manifest()
        for left in self._contents.left_over(manifest):
            with contextlib.suppress(PackError):  # it never took its name
                inside_pack(self._directory.path, left).unlink()
        self._directory.sync()
        write_final_files(self._directory, manifest)
        self._journal.remove()
        self._directory.sync()
        return manifest

    # runs

    def _begin_run(self, start: Mapping[str, Any], path_map: AnyPathMap) -> _RunBeingPacked:
        known = self._contents.runs.get(self._closing.settled(str(start.get("uid"))))
        done = known is not None and self._contents.has(known)
        path = None if done else self._directory.temporary()
        needed = NeededFiles(path_map)
        documents = RunDocuments(start, self._documents, path, self._other)
        return _RunBeingPacked(documents, path, needed, self._way(needed, path_map))

    def _way(
        self, needed: NeededFiles, path_map: AnyPathMap
    ) -> Callable[[str, Mapping[str, Any]], Iterable[Any]]:
        """Tell what becomes of each document of a run before it's written."""
        if self._external == "fill":
            from .filling import Filler  # with h5py

            return Filler(path_map, needed.problem).take
        if self._external == "ignore":
            return lambda name, doc: ((name, doc),)

        def noted(name: str, doc: Mapping[str, Any]) -> Iterable[Any]:
            needed.take(name, doc)
            return ((name, doc),)

        return noted

    def _end_before(self, run: _RunBeingPacked, start: Mapping[str, Any]) -> None:
        if not run.documents.stopped:
            raise DocumentError(
                f"The documents of run {run.documents.uid!r} and of run {start.get('uid')!r:.60} "
                "are mixed.",
                remedy="Give each run by itself, or the name of the file that has them.",
            )
        self._end_run(run)

    def _end_run(self, run: _RunBeingPacked) -> None:
        entry = run.documents.finish()
        known = self._contents.runs.get(entry.uid)
        if known is not None and known.sha256 != entry.sha256:
            raise DocumentError(
                f"Run {entry.uid!r} is in the pack already, with other documents",
                remedy="pack it to another directory.",
            )
        uses = self._files.bring(run.needed)
        self.remarks += self._files.remarks
        synced = None if run.path is None else self._directory.to_disk(run.path)
        self._closing.do(entry.uid, self._close_run, entry, run, uses, synced)
        (self.added if known is None else self.known).append(entry.uid)
        self._progress.run_done(entry.uid)

    def _close_run(
        self,
        entry: PackedRunEntry,
        run: _RunBeingPacked,
        uses: Mapping[str, set[str]],
        synced: Future[None] | None,
    ) -> None:
        if synced is not None:
            synced.result()
        self._journal.add(self._contents.add_run(entry, run.needed, uses))
        if run.path is not None:
            self._directory.name(run.path, entry.path)

    def _remark(self, place: str, value: Any) -> None:
        self.remarks.append(f"{place}: only the text of a {type(value).__name__} is in the pack.")


@dataclass
class _RunBeingPacked:
    """A run whose documents are coming."""

    documents: RunDocuments
    path: Path | None
    needed: NeededFiles
    way: Callable[[str, Mapping[str, Any]], Iterable[Any]]

    def add(self, name: str, doc: Mapping[str, Any]) -> None:
        for each in self.way(name, doc):
            self.documents.add(*each)

    def close(self) -> None:
        self.documents.close()
