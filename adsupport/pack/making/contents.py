"""What a pack has so far: by its manifest, by a journal that was left behind, by this packer."""

from __future__ import annotations

import dataclasses
import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..layout import directories_of
from ..manifest import DAMAGED, Manifest, MissingFile, PackedFile, PackedRunEntry
from ..safe_paths import checked_relative
from .needed_files import NeededFiles

__all__ = ["Contents"]


class Contents:
    """Runs and files of a pack, and which of the files each document refers to.

    Parameters
    ----------
    directory : pathlib.Path
        The pack's.
    manifest : Manifest
        What the pack had when it was last finished; an empty one for a new pack.
    records : iterable of dict
        Of the journal.

    Attributes
    ----------
    runs : dict of str to PackedRunEntry
        By uid.
    files : dict of str to PackedFile
        By path in the pack; by source where they stay there.
    """

    def __init__(
        self, directory: Path, manifest: Manifest, records: Iterable[Mapping[str, Any]] = ()
    ) -> None:
        self._directory = directory
        self._manifest = manifest
        self.runs = {each.uid: each for each in manifest.runs}
        self.files = {_key(each): each for each in manifest.files}
        self._old = frozenset(self.files)  # of the last manifest
        self._uses = {_key(each): set(each.documents) for each in manifest.files}
        self._missing = {
            (each.source, each.reason): set(each.documents) for each in manifest.missing
        }
        self._told: dict[str, list[set[str]]] = {}  # by document, those of these that have it
        for uids in (*self._uses.values(), *self._missing.values()):
            self._tell(uids, list(uids))
        self._roots = dict(manifest.roots)
        self._left: set[str] = set()
        for record in records:
            self._replay(record)

    def _replay(self, record: Mapping[str, Any]) -> None:
        if "file" in record:
            file = PackedFile(**record["file"])
            self._leave(file.path)
            if self.has(file, file.mtime_ns):
                self.files[_key(file)] = file
        elif "run" in record:
            run = PackedRunEntry(**record["run"])
            self._leave(run.path)
            if self.has(run):
                self.runs[run.uid] = run
                self._note(record)

    def _note(self, record: Mapping[str, Any]) -> None:
        resources = set(record["resources"])
        for uid in resources & self._told.keys():  # by the same run, when it was packed before
            for uids in self._told.pop(uid):
                uids.discard(uid)
        for key, uids in record["uses"].items():
            self._tell(self._uses.setdefault(key, set()), uids)
        for source, reason, uids in record["missing"]:
            self._tell(self._missing.setdefault((source, reason), set()), uids)
        self._roots.update(record["roots"])

    def _tell(self, uids: set[str], more: Iterable[str]) -> None:
        uids.update(more)
        for uid in more:
            self._told.setdefault(uid, []).append(uids)

    def add_file(self, file: PackedFile) -> dict[str, Any]:
        """Take a file.

        Parameters
        ----------
        file : PackedFile
            That is about to take its name.

        Returns
        -------
        dict
            The journal's record of it.
        """
        self.files[_key(file)] = file
        self._leave(file.path)
        return {"file": dataclasses.asdict(file)}

    def add_run(
        self, run: PackedRunEntry, needed: NeededFiles, uses: Mapping[str, set[str]]
    ) -> dict[str, Any]:
        """Take a run, whose files have been taken.

        Parameters
        ----------
        run : PackedRunEntry
            Whose documents are about to take their name.
        needed : NeededFiles
            What its documents refer to, and which of that is missing.
        uses : mapping of str to set of str
            Of its files, by their keys here, the uids of documents that refer to them.

        Returns
        -------
        dict
            The journal's record of it.
        """
        record = {
            "run": dataclasses.asdict(run),
            "resources": sorted(needed.resources),
            "uses": {key: sorted(uids) for key, uids in uses.items()},
            "missing": [[*key, sorted(uids)] for key, uids in needed.problems.items()],
            "roots": needed.roots,
        }
        self.runs[run.uid] = run
        self._leave(run.path)
        self._note(record)
        return record

    def _leave(self, path: str) -> None:
        if path:
            self._left.add(checked_relative(path))

    def manifest(self) -> Manifest:
        """Tell what the pack has.

        Returns
        -------
        Manifest
            Without files to which no document of a run refers: one that was interrupted, and
            hasn't been packed again, may have left such.
        """
        files = [
            dataclasses.replace(file, documents=tuple(sorted(self._uses[key])))
            for key, file in self.files.items()
            if self._uses.get(key)
        ]
        missing = [MissingFile(*key, tuple(sorted(uids))) for key, uids in self._missing.items()]
        directories = directories_of(file.path for file in files)
        return dataclasses.replace(
            self._manifest,
            runs=tuple(self.runs.values()),
            files=tuple(files),
            missing=tuple(each for each in missing if each.documents),
            roots={root: place for root, place in self._roots.items() if place in directories},
        )

    def left_over(self, manifest: Manifest) -> list[str]:
        """List the files that packers have named, and that aren't in the manifest.

        Parameters
        ----------
        manifest : Manifest
            The new one.

        Returns
        -------
        list of str
            Relative to the pack.
        """
        kept = {each.path for each in (*manifest.runs, *manifest.files)}
        return sorted(self._left - kept)

    def may_change(self, file: PackedFile) -> bool:
        """Tell whether a file of the pack may get another content of its source.

        Parameters
        ----------
        file : PackedFile
            One of :attr:`files`.

        Returns
        -------
        bool
            True if no finished pack has it, or it wasn't whole.
        """
        return _key(file) not in self._old or self.is_damaged(file)

    def is_damaged(self, file: PackedFile) -> bool:
        """Tell whether a file wasn't whole when it was packed.

        Parameters
        ----------
        file : PackedFile
            One of :attr:`files`.

        Returns
        -------
        bool
            Whether a run says so.
        """
        return any(
            source == file.source and reason.startswith(DAMAGED) and uids
            for (source, reason), uids in list(self._missing.items())  # another thread adds some
        )

    def has(self, entry: PackedRunEntry | PackedFile, mtime_ns: int | None = None) -> bool:
        """Tell whether a file of the pack is there as it should be, by its size.

        Parameters
        ----------
        entry : PackedRunEntry or PackedFile
            What it should be.
        mtime_ns : int, optional
            When it should have been changed.

        Returns
        -------
        bool
            True, too, for a file that stays at its source.
        """
        if not entry.path:
            return True
        try:
            found = os.lstat(self._directory / entry.path)
        except OSError:
            return False
        return (
            stat.S_ISREG(found.st_mode)
            and found.st_size == entry.size
            and mtime_ns in (None, found.st_mtime_ns)
        )


def _key(file: PackedFile) -> str:
    return file.path or file.source
