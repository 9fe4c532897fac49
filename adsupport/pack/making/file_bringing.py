"""Brings the files of runs into a pack, each once, whichever documents refer to it."""

from __future__ import annotations

import os
from concurrent.futures import Future
from pathlib import Path

from ...errors import ImageFileError, PackError
from ..manifest import DAMAGED, PackedFile
from .contents import Contents
from .copying import Copied, Copier, SourceError
from .in_order import InOrder
from .journal import Journal
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
        HDF5 files of the last run that couldn't be looked through, and needn't be there.
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

    def bring(self, needed: NeededFiles, grown: bool = False) -> dict[str, set[str]]:
        """Bring the files of a run, and those that these name.

        Parameters
        ----------
        needed : NeededFiles
            Of the run; takes as problems what can't be had, or isn't whole.
        grown : bool
            Whether the pack has the beginning of this run, and its files may have grown with it.

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
            damage = self._damage(file)  # before it's copied: its writer may go on meanwhile
            try:
                key = self._bring(file, grown and not damage)
                if damage:
                    needed.problem(file.source, DAMAGED + damage, file.documents)
            except SourceError as error:
                if file.frames or not error.missing:
                    needed.problem(file.source, str(error), file.documents)
                key = self._closing.settled(self._key(file))
                if key not in self._contents.files:
                    continue
            uses[key] = file.documents
            if file.is_hdf5:
                waiting.extend(self._linked(needed, file, bool(damage)))
        return uses

    def _damage(self, file: NeededFile) -> str:
        """Tell what is wrong with an HDF5 file that there is, and that has frames."""
        path = self._readable(file)
        if not (file.is_hdf5 and file.frames and os.path.isfile(path)):
            return ""
        from .damage import damage_of  # with h5py

        try:
            return damage_of(file, path)
        except PackError as error:
            return error.problem.rstrip(".")

    def _linked(self, needed: NeededFiles, file: NeededFile, told: bool) -> list[NeededFile]:
        from .linked_files import add_linked_files  # with h5py

        try:
            return list(add_linked_files(needed, file, self._readable(file)))
        except (ImageFileError, PackError) as error:
            reason = f"which files it needs can't be told: {error.problem.rstrip('.')}"
            if told:
                return []
            if file.frames:
                needed.problem(file.source, DAMAGED + reason, file.documents)
            else:
                self.remarks.append(f"{file.source}: {reason}.")
            return []

    def _readable(self, file: NeededFile) -> Path:
        """Tell where a file can be read: at its source, or else in the pack."""
        if self._how == "list" or os.path.exists(file.source):
            return file.source
        return self._directory.path / file.place

    def _bring(self, file: NeededFile, may_change: bool) -> str:
        key = self._closing.settled(self._key(file))
        known = self._contents.files.get(key)
        if known is not None:
            may_change = may_change or self._contents.may_change(known)
            if self._is_same(file.source, known, may_change) and self._contents.has(known):
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

    def _is_same(self, source: Path, known: PackedFile, may_change: bool) -> bool:
        """Tell whether what the pack has is what the source has, or had when it was there."""
        try:
            found = source.stat()
        except OSError:
            return True
        if (found.st_size, found.st_mtime_ns) == (known.size, known.mtime_ns):
            return True
        other = known.source != str(source)
        if may_change and not other:
            return False
        if self._copier.look(source).digest.result() == known.sha256:
            return True
        if other and self._contents.is_damaged(known):
            return False
        if other:
            raise PackError(
                f"{source} can't be packed beside {known.source}: their documents call both by one "
                "path, and their content differs.",
                path=source,
                remedy="Pack this run to another directory.",
            )
        has = "its hard link in the pack was changed with it"
        if self._how != "hardlink":
            has = "the pack has it as it was before it was changed"
        raise SourceError(f"{has}; another directory can take it as it is now")
