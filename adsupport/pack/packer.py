"""Puts runs and their files into the directory of a pack, so that it can be stopped at any time."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .. import __version__
from ..documents.asset_paths import AnyPathMap
from ..errors import (
    ConfigurationError,
    DocumentError,
    ImageFileError,
    PackError,
)
from .contents import Contents
from .copying import Copier, SourceError
from .final_files import write_final_files
from .journal import Journal
from .layout import MANIFEST
from .manifest import Manifest, PackedFile, read_manifest
from .needed_files import NeededFile, NeededFiles
from .pack_directory import PackDirectory
from .run_documents import RunDocuments
from .safe_paths import inside_pack

__all__ = ["PackProgress", "Packer"]


@dataclass(frozen=True)
class PackProgress:
    """How far packing has come.

    Parameters
    ----------
    runs : int
        Runs that are done.
    files : int
        Files that were brought into the pack, or read for its list.
    size : int
        Bytes of these.
    name : str
        The file that is being brought, or the uid of the run that is done.
    """

    runs: int = 0
    files: int = 0
    size: int = 0
    name: str = ""


class Packer:
    """A pack that is being made, or made longer.

    Parameters
    ----------
    directory : pathlib.Path
        Of a pack, or to become one: missing or empty.
    documents, external : str or None
        See :func:`~adsupport.pack.pack`; None for those that the pack has.
    path_map : mapping, PathMap, function or None
        See :func:`~adsupport.documents.assets.asset_of`.
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
        path_map: AnyPathMap,
        strict: bool,
        told: Callable[[PackProgress], None] | None,
    ) -> None:
        self.added: list[str] = []
        self.known: list[str] = []
        self.remarks: list[str] = []
        self._path_map = path_map
        self._other = None if strict else self._remark
        self._told = told
        self._runs = self._files = self._size = 0
        self._name = ""
        self._directory = PackDirectory(directory)
        self._journal = Journal(directory)
        try:
            self._begin(documents, external)
        except BaseException:
            self._journal.close()
            raise

    def _begin(self, documents: str | None, external: str | None) -> None:
        path, records = self._directory.path, self._journal.records
        found = Manifest(documents or "jsonl", external or "copy")
        if os.path.lexists(path / MANIFEST):
            found = read_manifest(path)
        elif len(records) > 1:  # something was packed in the way that the first one tells
            found = Manifest(records[0]["documents"], records[0]["external"])
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
        self._copier = Copier(self._external, self._count)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self._copier.close()
        self._directory.clear()
        self._journal.close()

    def add(self, documents: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        """Put documents into the pack, and the files that they refer to.

        Parameters
        ----------
        documents : iterable of (str, mapping)
            Of a run, or of several one after the other.

        Raises
        ------
        DocumentError
            They don't begin with a start document; runs are mixed; the pack has the run with other
            documents; or a value can't be written.
        OutputError
            The pack can't be written.
        """
        run = None
        try:
            for name, doc in documents:
                if name == "start":
                    if run is not None:
                        self._end_before(run, doc)
                    run = self._begin_run(doc)
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

    def _begin_run(self, start: Mapping[str, Any]) -> _RunBeingPacked:
        known = self._contents.runs.get(str(start.get("uid")))
        done = known is not None and self._contents.has(known)
        path = None if done else self._directory.temporary()
        needed = NeededFiles(self._path_map)
        documents = RunDocuments(start, self._documents, path, self._other)
        return _RunBeingPacked(documents, path, needed, self._way(needed))

    def _way(self, needed: NeededFiles) -> Callable[[str, Mapping[str, Any]], Iterable[Any]]:
        """Tell what becomes of each document of a run before it's written."""
        if self._external == "fill":
            from .filling import Filler  # with h5py

            return Filler(self._path_map, needed.problem).take
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
        uses = self._bring_all(run.needed)
        self._journal.add(self._contents.add_run(entry, run.needed, uses), sync=True)
        if run.path is not None:
            self._directory.name(run.path, entry.path)
        (self.added if known is None else self.known).append(entry.uid)
        self._runs += 1
        self._tell(entry.uid)

    # files

    def _bring_all(self, needed: NeededFiles) -> dict[str, set[str]]:
        """Bring the files of a run; return which documents refer to each, by its key."""
        needed.finish()
        uses: dict[str, set[str]] = {}
        waiting = list(needed.files.values())
        for file in waiting:
            try:
                key = self._bring(file)
            except SourceError as error:
                if file.frames or file.source.exists():
                    needed.problem(file.source, str(error), file.documents)
                key = self._key(file)
                if key not in self._contents.files:
                    continue
            uses[key] = file.documents
            if file.is_hdf5:
                waiting.extend(self._linked(needed, file))
        return uses

    def _linked(self, needed: NeededFiles, file: NeededFile) -> list[NeededFile]:
        from .linked_files import add_linked_files  # with h5py

        path = file.source if self._external == "list" else self._directory.path / file.place
        try:
            return list(add_linked_files(needed, file, path))
        except (ImageFileError, PackError) as error:
            self.remarks.append(f"Which files {file.source} needs can't be told: {error.problem}")
            return []

    def _bring(self, file: NeededFile) -> str:
        key, stays = self._key(file), self._external == "list"
        known = self._contents.files.get(key)
        if known is not None and self._contents.has(known) and self._is_same(file.source, known):
            return key
        self._name = str(file.source)
        if stays:
            temporary, copied = None, self._copier.look(file.source)
        else:
            temporary = self._directory.temporary()
            copied = self._copier.bring(file.source, temporary)
        found = PackedFile(
            "" if stays else key, str(file.source), copied.size, copied.sha256, copied.mtime_ns
        )
        self._journal.add(self._contents.add_file(found))
        if temporary is not None:
            self._directory.name(temporary, found.path)
        self._files += 1
        return key

    def _key(self, file: NeededFile) -> str:
        return str(file.source) if self._external == "list" else file.place

    def _is_same(self, source: Path, known: PackedFile) -> bool:
        """Tell whether what the pack has is what the source has, or had when it was there."""
        try:
            found = source.stat()
        except OSError:
            return True
        if (found.st_size, found.st_mtime_ns) == (known.size, known.mtime_ns):
            return True
        if (known.path or known.source) not in self._contents.old:
            return False
        if self._copier.look(source).sha256 == known.sha256:
            return True
        raise SourceError("the pack has it as it was before it was changed")

    # progress

    def _remark(self, place: str, value: Any) -> None:
        self.remarks.append(f"{place}: only the text of a {type(value).__name__} is in the pack.")

    def _count(self, size: int) -> None:
        self._size += size
        self._tell(self._name)

    def _tell(self, name: str) -> None:
        if self._told is not None:
            self._told(PackProgress(self._runs, self._files, self._size, name))


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
