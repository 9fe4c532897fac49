"""Puts runs and their files into the directory of a pack, so that it can be stopped at any time."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ... import __version__
from ...documents.asset_paths import AnyPathMap
from ...errors import (
    ConfigurationError,
    DocumentError,
    ImageFileError,
    OutputError,
    PackError,
)
from ..layout import MANIFEST
from ..manifest import (
    DOCUMENT_FORMATS,
    EXTERNAL_WAYS,
    Manifest,
    PackedRunEntry,
    read_manifest,
)
from ..safe_paths import inside_pack
from .contents import Contents
from .file_bringing import FileBringer
from .final_files import write_final_files
from .in_order import InOrder
from .journal import Journal
from .needed_files import NeededFiles
from .pack_directory import PackDirectory
from .pack_progress import PackProgress, ProgressTeller
from .run_documents import RunDocuments

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
        uids of the runs that were added or have grown, and of those that were there already.
    failed : dict of str to Exception
        By uid, why a run was refused.
    remarks : list of str
        Values that couldn't be written, runs without stop, and HDF5 files that can't be read.

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
        self.failed: dict[str, Exception] = {}
        self.remarks: list[str] = []
        self._uid = ""
        self._held: list[tuple[str, Mapping[str, Any]]] = []
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
        if self._journal.is_bare:
            with contextlib.suppress(OutputError):
                self._journal.remove()
        self._journal.close()

    def add(
        self,
        documents: Iterable[tuple[str, Mapping[str, Any]]],
        path_map: AnyPathMap = None,
        uid: str = "",
    ) -> None:
        """Put documents into the pack, and the files that they refer to.

        A run that is refused is noted in :attr:`failed`, and the next one looked for.  That is one
        whose documents don't begin with a start document, are mixed with another's, can't be read
        or written; or which the pack has with other documents, or other files of the same path.

        Parameters
        ----------
        documents : iterable of (str, mapping)
            Of a run, or of several one after the other.
        path_map : mapping, PathMap, function or None
            See :func:`~adsupport.documents.assets.asset_of`.
        uid : str
            Of the run, as far as it's known.

        Raises
        ------
        OutputError, PackError
            The pack can't be written.
        """
        self._uid = uid
        self._held.clear()
        items = (each for each in documents)  # ends once it has failed
        rest: Iterator[tuple[str, Mapping[str, Any]]] = items
        while True:
            try:
                if not self._add(rest, path_map) and rest is items:
                    raise DocumentError(f"Run {uid!r} has no documents.")
                return
            except (DocumentError, PackError, ImageFileError, OSError) as error:
                # not of this run: what names the files has failed, or the disk
                if self._closing.failed or isinstance(error, OutputError):
                    raise
                self.failed[self._uid] = error
                rest = itertools.dropwhile(lambda each: each[0] != "start", items)
                if self._held:
                    rest = itertools.chain([self._held.pop()], items)

    def _add(
        self, documents: Iterable[tuple[str, Mapping[str, Any]]], path_map: AnyPathMap
    ) -> bool:
        """Take documents, and tell whether there were any."""
        run = None
        try:
            for name, doc in documents:
                if name == "start":
                    if run is not None:
                        self._held.append((name, doc))  # packed even if the one before is refused
                        self._end_before(run, doc)
                        self._held.clear()
                    run = self._begin_run(doc, path_map)
                elif run is None:
                    self._skip_headless(name, documents)
                    raise DocumentError(
                        f"The documents of a run begin with a {name!r} document.",
                        remedy="Give all documents of the run, its start document first.",
                    )
                run.add(name, doc)
            if run is not None:
                self._end_run(run)
            return run is not None
        finally:
            if run is not None:
                run.close()

    def _skip_headless(self, name: str, documents: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Go to the end of a run, whose start may come late: without the rest it isn't packed."""
        for each, doc in documents if name != "stop" else ():
            if each == "start":
                self._uid = str(doc.get("uid"))
            elif each == "stop":
                break

    @property
    def has_something(self) -> bool:
        """Whether there's something to finish: runs, or what was brought for one of a pack's."""
        self._closing.wait()
        packed = self.added or self.known or not self._journal.is_bare
        return bool(self._contents.runs and packed)

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
        self._uid = str(start.get("uid"))
        known = self._contents.runs.get(self._closing.settled(self._uid))
        packed = None
        if known is not None and self._contents.has(known):
            packed = known, self._directory.path / known.path
        needed = NeededFiles(path_map)
        path = self._directory.temporary()
        documents = RunDocuments(start, self._documents, path, packed, self._other)
        return _RunBeingPacked(documents, needed, self._way(needed, path_map))

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
            self._held.clear()
            error = DocumentError(
                f"The documents of run {run.documents.uid!r} and of run {start.get('uid')!r:.60} "
                "are mixed.",
                remedy="Give each run by itself, or the name of the file that has them.",
            )
            self.failed[str(start.get("uid"))] = error
            raise error
        self._end_run(run)

    def _end_run(self, run: _RunBeingPacked) -> None:
        entry = run.documents.finish()
        known = self._contents.runs.get(entry.uid)
        grown = run.documents.grown
        if known is not None and known.sha256 != entry.sha256 and not grown:
            raise DocumentError(
                f"Run {entry.uid!r} is in the pack already, with other documents",
                remedy="pack it to another directory.",
            )
        uses = self._files.bring(run.needed, grown)
        self.remarks += self._files.remarks
        if not run.documents.stopped:
            self.remarks.append(
                f"Run {entry.uid} has no stop document: once it's finished, pack it again."
            )
        path = run.documents.path
        synced = None if path is None else self._directory.to_disk(path)
        self._closing.do(entry.uid, self._close_run, entry, run, uses, synced)
        (self.added if known is None or grown else self.known).append(entry.uid)
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
        if run.documents.path is not None:
            self._directory.name(run.documents.path, entry.path)

    def _remark(self, place: str, value: Any) -> None:
        self.remarks.append(f"{place}: only the text of a {type(value).__name__} is in the pack.")


@dataclass
class _RunBeingPacked:
    """A run whose documents are coming."""

    documents: RunDocuments
    needed: NeededFiles
    way: Callable[[str, Mapping[str, Any]], Iterable[Any]]

    def add(self, name: str, doc: Mapping[str, Any]) -> None:
        for each in self.way(name, doc):
            self.documents.add(*each)

    def close(self) -> None:
        self.documents.close()
