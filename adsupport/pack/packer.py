"""Puts runs and their files into the directory of a pack, so that it can be stopped at any time."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .. import __version__
from ..callbacks.output.no_replace import sync_directory
from ..documents.asset_paths import AnyPathMap
from ..errors import ConfigurationError, DocumentError, OutputError, OutputExistsError, PackError
from .contents import Contents
from .copying import Copier, SourceError, writing_to
from .final_files import write_final_files
from .journal import Journal
from .layout import JOURNAL, MANIFEST
from .manifest import Manifest, PackedFile, read_manifest
from .needed_files import NeededFile, NeededFiles
from .run_documents import RunDocuments

__all__ = ["PackProgress", "Packer"]

#: What packers are named that aren't done; only one process packs, so others' are left over.
_TEMPORARY = ".adsupport-pack.{}.tmp"


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
        Values that couldn't be written.

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
        self._directory = directory
        self._path_map = path_map
        self._other = None if strict else self._remark
        self._told = told
        self._runs = self._files = self._size = 0
        self._name = ""
        self._numbers = itertools.count()
        self._made: set[Path] = set()
        _check_directory(directory)
        self._journal = Journal(directory)
        try:
            self._begin(documents, external)
        except BaseException:
            self._journal.close()
            raise

    def _begin(self, documents: str | None, external: str | None) -> None:
        records = self._journal.records
        found = None
        if os.path.lexists(self._directory / MANIFEST):
            found = read_manifest(self._directory)
        elif records:
            found = Manifest(records[0]["documents"], records[0]["external"])
        if found is None:
            found = Manifest(documents or "jsonl", external or "copy")
        for name, asked in (("documents", documents), ("external", external)):
            has = getattr(found, name)
            if asked not in (None, has):
                raise ConfigurationError(
                    f"The pack in {self._directory} was begun with "
                    f"{'format' if name == 'documents' else name}={has!r}, not {asked!r}",
                    remedy="leave the argument out, or pack to another directory.",
                )
        self._clear()
        if not records:
            begin = {"documents": found.documents, "external": found.external}
            self._journal.add(begin, sync=True)
        creator = f"adsupport {__version__}"
        self._contents = Contents(
            self._directory, dataclasses.replace(found, creator=creator), records[1:]
        )
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
        self._clear()
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
            with contextlib.suppress(FileNotFoundError):
                (self._directory / left).unlink()
        for each in sorted(self._made):
            sync_directory(each)
        write_final_files(self._directory, manifest)
        self._journal.remove()
        sync_directory(self._directory)
        return manifest

    # runs

    def _begin_run(self, start: Mapping[str, Any]) -> _RunBeingPacked:
        known = self._contents.runs.get(str(start.get("uid")))
        path = None if known is not None and self._contents.has(known) else self._temporary()
        return _RunBeingPacked(
            RunDocuments(start, self._documents, path, self._other),
            path,
            NeededFiles(self._path_map) if self._external in _WITH_FILES else None,
        )

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
        needed = run.needed or NeededFiles()
        uses = self._bring_all(needed)
        self._journal.add(self._contents.add_run(entry, needed, uses), sync=True)
        if run.path is not None:
            self._name_file(run.path, entry.path)
        (self.added if known is None else self.known).append(entry.uid)
        self._runs += 1
        self._tell(entry.uid)

    # files

    def _bring_all(self, needed: NeededFiles) -> dict[str, set[str]]:
        """Bring the files of a run; return which documents refer to each, by its key."""
        needed.finish()
        uses: dict[str, set[str]] = {}
        for file in needed.files.values():
            try:
                key = self._bring(file)
            except SourceError as error:
                if file.frames or file.source.exists():
                    needed.problem(file.source, str(error), file.documents)
            else:
                uses[key] = file.documents
        return uses

    def _bring(self, file: NeededFile) -> str:
        stays = self._external == "list"
        key = str(file.source) if stays else file.place
        known = self._contents.files.get(key)
        if known is not None and self._contents.has(known) and self._is_same(file.source, known):
            return key
        self._name = str(file.source)
        if stays:
            temporary, copied = None, self._copier.look(file.source)
        else:
            temporary = self._temporary()
            copied = self._copier.bring(file.source, temporary)
        found = PackedFile(
            "" if stays else key, str(file.source), copied.size, copied.sha256, copied.mtime_ns
        )
        self._journal.add(self._contents.add_file(found))
        if temporary is not None:
            self._name_file(temporary, found.path)
        self._files += 1
        return key

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

    # the directory

    def _temporary(self) -> Path:
        return self._directory / _TEMPORARY.format(next(self._numbers))

    def _clear(self) -> None:
        for each in self._directory.glob(_TEMPORARY.format("*")):
            with contextlib.suppress(OSError):
                each.unlink()

    def _name_file(self, temporary: Path, relative: str) -> None:
        *directories, name = relative.split("/")
        directory = self._directory
        with writing_to(self._directory / relative, 0):
            for each in directories:
                directory = directory / each
                if directory not in self._made:
                    self._make(directory)
            os.replace(temporary, directory / name)
            # two names of one file stay two, says POSIX
            with contextlib.suppress(FileNotFoundError):
                temporary.unlink()

    def _make(self, directory: Path) -> None:
        with contextlib.suppress(FileExistsError):
            directory.mkdir()
        if directory.is_symlink() or not directory.is_dir():
            raise PackError(
                f"{directory} isn't a directory, or a link to one.",
                path=directory,
                remedy="A pack has none such: get it from its source again.",
            )
        self._made.add(directory)

    # progress

    def _remark(self, place: str, value: Any) -> None:
        self.remarks.append(f"{place}: only the text of a {type(value).__name__} is in the pack.")

    def _count(self, size: int) -> None:
        self._size += size
        self._tell(self._name)

    def _tell(self, name: str) -> None:
        if self._told is not None:
            self._told(PackProgress(self._runs, self._files, self._size, name))


_WITH_FILES = ("copy", "hardlink", "reflink", "list")


@dataclass
class _RunBeingPacked:
    """A run whose documents are coming."""

    documents: RunDocuments
    path: Path | None
    needed: NeededFiles | None

    def add(self, name: str, doc: Mapping[str, Any]) -> None:
        self.documents.add(name, doc)
        if self.needed is not None:
            self.needed.take(name, doc)

    def close(self) -> None:
        self.documents.close()


def _check_directory(directory: Path) -> None:
    """Make the directory, unless it has something that isn't a pack's."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        names = os.listdir(directory)
    except OSError as error:
        raise OutputError(
            f"{directory} can't be made or read: {error.strerror}",
            path=directory,
            remedy="choose another directory.",
        ) from error
    if names and MANIFEST not in names and JOURNAL not in names:
        raise OutputExistsError(
            f"{directory} isn't empty, and isn't a pack: it has {sorted(names)[0]!r}, and no "
            f"{MANIFEST}",
            path=directory,
            remedy="give the name of a new directory.",
        )
