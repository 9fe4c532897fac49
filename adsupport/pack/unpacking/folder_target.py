"""Runs of a pack as plain files in a folder."""

from __future__ import annotations

import contextlib
import filecmp
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from ...callbacks.output import AtomicFile
from ...documents.json_text import encode_document
from ...errors import AdsupportError, ConfigurationError, OutputError, OutputExistsError
from ..making.needed_files import NeededFiles
from ..reading.opening import Pack, PackedRun
from ..safe_paths import inside_pack
from .moved_documents import moved_document

__all__ = ["FolderTarget"]

_BLOCK = 4 * 2**20


class FolderTarget:
    """A folder that takes runs: their documents as JSON lines, and their files.

    Parameters
    ----------
    folder : str or path
        Existing, or not.
    pack : Pack
        Whose runs.
    told : callable
        Called with the bytes of files that were copied, some times a file.

    Raises
    ------
    ConfigurationError
        The folder is in the pack.

    Notes
    -----
    ``<uid>.jsonl`` has the documents, with the folder as ``root`` of their resources, which lie in
    it at the path that they have in the pack.  Each file is there as a whole or not at all, and
    none is replaced; the documents come last.
    """

    remark = ""

    def __init__(
        self, folder: str | os.PathLike[str], pack: Pack, told: Callable[[int], None]
    ) -> None:
        self._folder = Path(os.path.abspath(folder))
        self._pack = pack
        self._told = told
        self._done: set[Path] = set()
        self._files: dict[str, list[str]] = {}
        for file in pack.listed.files:
            for uid in file.documents if file.path else ():
                self._files.setdefault(uid, []).append(file.path)
        if self._folder.resolve().is_relative_to(pack.directory.resolve()):
            raise ConfigurationError(
                f"{self._folder} is in the pack, which has nothing but what was packed.",
                remedy="Give another folder.",
            )

    def put(self, run: PackedRun) -> bool:
        """Unpack a run.

        Parameters
        ----------
        run : PackedRun
            Of the pack.

        Returns
        -------
        bool
            False if all of it was there.

        Raises
        ------
        OutputExistsError
            A file is there already, with another content; or a link in place of a directory.
        OutputError, PackError, DocumentError, OSError
            It can't be written, or read.
        """
        needed = NeededFiles(self._pack.path_map)
        for name, doc in run.documents():
            needed.take(name, doc)
        files = {file.source for file in needed.files.values() if os.path.isfile(file.source)}
        files |= {  # and files that HDF5 files lead to
            inside_pack(self._pack.directory, path)
            for uid in needed.resources
            for path in self._files.get(uid, ())
        }
        new = False
        for path in sorted(files):
            # files outside of the pack stay where they are; runs may share those in it
            if path.is_relative_to(self._pack.directory) and path not in self._done:
                new |= self._copy(path)
                self._done.add(path)
        return self._write(run) or new

    def _place(self, path: Path) -> tuple[str, str]:
        if path.is_relative_to(self._pack.directory):
            return str(self._folder), str(path.relative_to(self._pack.directory))
        return "/", str(path).lstrip("/")

    def _copy(self, path: Path) -> bool:
        target = Path(os.path.join(*self._place(path)))
        self._refuse_links(target.parent)
        if os.path.lexists(target):
            _check_same(path, target)
            return False
        with _begun(target) as file:
            file.check_room(path.stat().st_size)
            with path.open("rb") as reader, file.temporary.open("wb") as writer:
                while block := reader.read(_BLOCK):
                    writer.write(block)
                    self._told(len(block))
            return _name(file)

    def _refuse_links(self, directory: Path) -> None:
        """Refuse a way that leads out of the folder, whoever made it."""
        while directory != self._folder:
            if directory.is_symlink():
                raise OutputExistsError(
                    f"{directory} is a link, which may lead out of {self._folder}",
                    path=directory,
                    remedy="unpack into another folder.",
                )
            directory = directory.parent

    def _write(self, run: PackedRun) -> bool:
        target = self._folder / f"{Path(run.entry.path).stem}.jsonl"
        with _begun(target) as file:
            with file.temporary.open("wb") as writer:
                for name, doc in run.documents():
                    doc = moved_document(name, doc, self._pack.path_map, self._place)
                    writer.write(encode_document(name, doc))
            return _name(file)


@contextlib.contextmanager
def _begun(target: Path) -> Iterator[AtomicFile]:
    """Begin a file; whatever isn't named at last is removed."""
    file = AtomicFile(target)
    try:
        if file.spooled:  # what is in the pack needn't be kept elsewhere
            raise OutputError(
                file.problem.rstrip("."), path=target, remedy="unpack into another folder."
            )
        yield file
    except AdsupportError:
        raise
    except OSError as error:
        if error.filename:
            raise
        raise OutputError(
            f"{target} can't be written: {error.strerror or error}",
            path=target,
            remedy="make room, or unpack into another folder: what is done stays.",
        ) from error
    finally:
        file.abandon()


def _name(file: AtomicFile) -> bool:
    """Give a file its name; or return False if there is the same already."""
    if not os.path.lexists(file.path):
        try:
            file.commit()
            return True
        except OutputExistsError:  # another process, which unpacks too, has been faster
            pass
    _check_same(file.temporary, file.path)
    return False


def _check_same(path: Path, target: Path) -> None:
    if target.is_symlink() or not target.is_file() or not filecmp.cmp(path, target, shallow=False):
        raise OutputExistsError(
            f"{target} exists already, with another content, and isn't replaced",
            path=target,
            remedy="unpack into another folder.",
        )
