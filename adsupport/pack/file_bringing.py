"""Brings the files of runs into a pack, each once, whichever documents refer to it."""

from __future__ import annotations

import os
from concurrent.futures import Future
from pathlib import Path

from ..errors import ImageFileError, PackError
from .contents import Contents
from .copying import Copied, Copier, SourceError
from .in_order import InOrder
from .journal import Journal
from .manifest import PackedFile
from .needed_files import NeededFile, NeededFiles
from .pack_directory import PackDirectory
from .pack_progress import ProgressTeller

__all__ = ["FileBringer"]


class FileBringer:
    """Brings files.

    Parameters
    ----------
    how : str
        ``"copy"``, ``"hardlink"``, ``"reflink"`` or ``"list"``, see :func:`~adsupport.pack.pack`.
    directory : PackDirectory
        Of the pack.
    journal : Journal
        Is told of each file before that takes its name.
    contents : Contents
        What the pack has; takes the files.
    closing : InOrder
        Brings files to the disk and names them, while the next ones are read.
    progress : ProgressTeller
        Is told what was read.

    Attributes
    ----------
    remarks : list of str
        HDF5 files of the last run that couldn't be looked through.
    """

    def __init__(
        self,
        how: str,
        directory: PackDirectory,
        journal: Journal,
        contents: Contents,
        closing: InOrder,
        progress: ProgressTeller,
    ) -> None:
        self.remarks: list[str] = []
        self._how = how
        self._directory = directory
        self._journal = journal
        self._contents = contents
        self._closing = closing
        self._progress = progress
        self._copier = Copier(how, progress.read)

    def close(self) -> None:
        """End the thread that hashes."""
        self._copier.close()

    def bring(self, needed: NeededFiles) -> dict[str, set[str]]:
        """Bring the files of a run, and those that these name.

        Parameters
        ----------
        needed : NeededFiles
            Of the run; takes as problems what can't be had.

        Returns
        -------
        dict of str to set of str
            By the key of each file, the uids of the documents that refer to it.

        Raises
        ------
        OutputError
            The pack can't be written.
        PackError
            The pack has another file in the place of one.
        """
        self.remarks.clear()
        needed.finish()
        uses: dict[str, set[str]] = {}
        waiting = list(needed.files.values())
        for file in waiting:
            try:
                key = self._bring(file)
            except SourceError as error:
                if file.frames or not error.missing:
                    needed.problem(file.source, str(error), file.documents)
                key = self._closing.settled(self._key(file))
                if key not in self._contents.files:
                    continue
            uses[key] = file.documents
            if file.is_hdf5:
                waiting.extend(self._linked(needed, file))
        return uses

    def _linked(self, needed: NeededFiles, file: NeededFile) -> list[NeededFile]:
        from .linked_files import add_linked_files  # with h5py

        path = self._directory.path / file.place
        if self._how == "list" or os.path.exists(file.source):
            path = file.source
        try:
            return list(add_linked_files(needed, file, path))
        except (ImageFileError, PackError) as error:
            self.remarks.append(f"Which files {file.source} needs can't be told: {error.problem}")
            return []

    def _bring(self, file: NeededFile) -> str:
        key = self._closing.settled(self._key(file))
        known = self._contents.files.get(key)
        if known is not None and self._contents.has(known) and self._is_same(file.source, known):
            return key
        self._progress.file_begun(str(file.source))
        path = synced = None
        if self._how == "list":
            copied = self._copier.look(file.source)
        else:
            path = self._directory.temporary()
            copied = self._copier.bring(file.source, path)
            synced = self._directory.to_disk(path)
        self._closing.do(key, self._close_file, file, copied, path, synced)
        self._progress.file_done()
        return key

    def _close_file(
        self, file: NeededFile, copied: Copied, path: Path | None, synced: Future[None] | None
    ) -> None:
        place = "" if path is None else file.place
        digest = copied.digest.result()
        found = PackedFile(place, str(file.source), copied.size, digest, copied.mtime_ns)
        for each in copied.flushed:
            each.result()
        if synced is not None:
            synced.result()
        self._journal.add(self._contents.add_file(found))
        if path is not None:
            self._directory.name(path, place)

    def _key(self, file: NeededFile) -> str:
        return str(file.source) if self._how == "list" else file.place

    def _is_same(self, source: Path, known: PackedFile) -> bool:
        """Tell whether what the pack has is what the source has, or had when it was there."""
        try:
            found = source.stat()
        except OSError:
            return True
        if (found.st_size, found.st_mtime_ns) == (known.size, known.mtime_ns):
            return True
        other = known.source != str(source)
        if not other and (known.path or known.source) not in self._contents.old:
            return False
        if self._copier.look(source).digest.result() == known.sha256:
            return True
        if other:
            raise PackError(
                f"{source} can't be packed beside {known.source}: their documents call both by one "
                "path, and their content differs.",
                path=source,
                remedy="Pack this run to another directory.",
            )
        raise SourceError("the pack has it as it was before it was changed")
