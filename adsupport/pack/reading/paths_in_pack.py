"""From the paths that documents have to the files of a pack, and to none outside of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ...documents.asset_paths import AnyPathMap, local_path
from ...documents.assets import Asset, asset_of
from ...documents.images import ImageColumn
from ...documents.images.formats import file_kind
from ...errors import ImageFileError, PackError
from ...naming import PathMap
from ..hdf5_reach import check_hdf5, check_unfolded
from ..layout import place_of
from ..tree import tree_of

__all__ = ["PathsInPack"]


class PathsInPack:
    """Tells where a pack has the files of its documents; a ``path_map`` for all who take one.

    Parameters
    ----------
    directory : pathlib.Path
        The pack, absolute.
    place : callable
        From a path, as the documents have it, to one relative to the pack; None for a path of
        which the pack has no files.
    path_map : mapping, PathMap or function, optional
        Where files are that the pack only lists: see :func:`adsupport.documents.asset_of`.  What a
        mapping doesn't cover is looked for in the pack; an empty one covers all.
    original : callable
        From a path, as the documents have it, to that which the path map knows.

    Notes
    -----
    Called with a path of the documents it returns the local one.  A pack may be moved: nothing but
    its directory counts.
    """

    def __init__(
        self,
        directory: Path,
        place: Callable[[str], str | None],
        path_map: AnyPathMap = None,
        original: Callable[[str], str] = str,
    ) -> None:
        self.directory = directory
        self._place = place
        self._path_map = _closed(path_map, directory)
        self._original = original
        self._checked: dict[tuple[str, Path], tuple[int, int]] = {}

    def __call__(self, path: str) -> str:
        """Translate a path.

        Parameters
        ----------
        path : str
            Of the documents, root included.

        Returns
        -------
        str
            In the pack; of a file that the pack doesn't have, what the path map says if there is
            one.

        Raises
        ------
        PackError
            It leads out of the pack, or there's a link on the way to it.
        """
        relative = self._place(path)
        if self._path_map is None:  # where nothing is, if the pack doesn't have it
            relative = relative or place_of(self._original(path))
        if relative is not None:
            target = self.directory / relative
            self._refuse_links(target)
            # names of NPY files follow on the path itself
            if self._path_map is None or target.exists() or target.parent.exists():
                return str(target)
        return str(local_path(self._original(path), self._path_map))

    def check(self, document: Mapping[str, Any]) -> Asset:
        """Look at the files of a resource, before anybody reads them.

        Parameters
        ----------
        document : mapping
            A resource or stream_resource document.

        Returns
        -------
        Asset
            Of the document, with local paths.

        Raises
        ------
        PackError
            The document leads out of the pack, or one of its files does: by a link, or by what
            HDF5 files have in place of one; or a file unfolds to more than it can hold.
        """
        refused: list[PackError] = []

        def mapped(path: str) -> str:
            try:
                return self(path)
            except PackError as error:  # which asset_of would keep for those who read the files
                refused.append(error)
                raise

        asset = asset_of(document, mapped)
        if refused:
            raise refused[0]
        if asset.problem:  # nobody can read it
            return asset
        if asset.kind == "files":
            self._check_series(asset)
        elif asset.path.is_relative_to(self.directory):  # else it's where the user's path map says
            self._check_file(asset, asset.path)
        return asset

    def check_images(self, column: ImageColumn) -> None:
        """Look at the images of a stream, before anybody reads the first of them.

        Parameters
        ----------
        column : ImageColumn
            The images, found in their files.

        Raises
        ------
        PackError
            One unfolds to more than its file can hold.
        """
        for piece in column.pieces:
            if piece.path.is_relative_to(self.directory):
                item, shape = column.dtype.itemsize, column.frame_shape
                check_unfolded("its image", shape, item, piece.path, self.directory)

    def _check_series(self, asset: Asset) -> None:
        try:
            first, second = asset.file_of(0)[0], asset.file_of(asset.frames_per_file)[0]
        except ImageFileError:
            return
        base = asset.path if asset.has_frame_axis else asset.path.parent
        if not Path(os.path.normpath(first)).is_relative_to(base):
            raise PackError(
                f"Resource {asset.uid!r:.100} of the pack is refused: its file names lead out of "
                f"its directory, such as {str(first)!r:.300}.",
                remedy="Don't use this pack unless you know who wrote it.",
            )
        if not base.is_relative_to(self.directory):
            return
        # with numbers in names of directories, there are several
        directory = first.parent if second.parent == first.parent else base
        self._refuse_links(directory)
        if not directory.is_dir() or self._is_known(asset, directory):
            return
        tree = tree_of(directory, nested=directory != first.parent)
        if tree.problems:
            raise PackError(
                f"{self._name(directory)} of the pack is refused: {tree.problems[0]}",
                path=self._name(directory),
                remedy="Don't use this pack unless you know who wrote it.",
            )
        # files of other formats can't lead anywhere, and are looked at again with their images
        files = [directory / name for name in tree.sizes] if asset.format == "hdf5" else [first]
        for file in files:
            self._check_file(asset, file)
        self._note(asset, directory)

    def _check_file(self, asset: Asset, path: Path) -> None:
        """Look at what a file holds, once; what is damaged is told by those who read it."""
        try:
            found = path.lstat()
        except OSError:
            return
        if not stat.S_ISREG(found.st_mode):
            raise PackError(f"{path} of the pack isn't a regular file.", path=self._name(path))
        if self._is_known(asset, path):
            return
        try:
            if asset.format == "hdf5":
                check_hdf5(path, self.directory)
            else:
                kind = file_kind(asset.format, path)
                check_unfolded("its image", kind.shape, kind.dtype.itemsize, path, self.directory)
        except ImageFileError:
            return
        self._note(asset, path)

    def _is_known(self, asset: Asset, path: Path) -> bool:
        return self._checked.get((asset.format, path)) == _state(path)

    def _note(self, asset: Asset, path: Path) -> None:
        self._checked[asset.format, path] = _state(path)

    def _refuse_links(self, target: Path) -> None:
        path = self.directory
        for part in target.relative_to(self.directory).parts:
            path = path / part
            if path.is_symlink():
                raise PackError(
                    f"{path} of the pack is a link, which may lead out of it.",
                    path=self._name(path),
                    remedy="Don't use this pack unless you know who wrote it.",
                )

    def _name(self, path: Path) -> Path:
        return path.relative_to(self.directory)


def _state(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_size, found.st_mtime_ns


def _closed(path_map: AnyPathMap, directory: Path) -> AnyPathMap:
    """Let a map lead what it doesn't cover into the pack: to where the documents say, nobody goes.

    Otherwise a pack could name any file of this computer.
    """
    if path_map is None or callable(path_map):
        return path_map
    pairs = dict(path_map.pairs if isinstance(path_map, PathMap) else path_map)
    return {"/": str(directory / place_of("/")), **pairs} if pairs else path_map
