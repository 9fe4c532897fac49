"""Packs opened for reading: their runs, documents and images, without databroker."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from ...documents.asset_paths import AnyPathMap
from ...documents.selection import find_runs
from ...documents.stored_runs import StoredRun
from ...errors import PackError
from ..layout import place_of
from ..manifest import Manifest, PackedRunEntry, read_manifest
from ..safe_paths import inside_pack
from .databroker_pack import is_databroker_pack, read_databroker_pack
from .packed_documents import packed_documents, packed_stop
from .paths_in_pack import PathsInPack
from .stream_arrays import stream_arrays

__all__ = ["Pack", "PackedRun", "open_pack"]

Document = tuple[str, dict[str, Any]]

#: Of a stream_datum: a kilohertz for three hours.
_MOST_ROWS = 10_000_000


def open_pack(directory: str | os.PathLike[str], path_map: AnyPathMap = None) -> Pack:
    """Open a pack.

    Parameters
    ----------
    directory : str or path
        Of a pack: one of ours, or of databroker-pack 0.3; it may have been moved.
    path_map : mapping, PathMap or function, optional
        Directories as the documents have them, and the same ones here, for files that the pack
        only lists; an empty map for those that are where they were.  Files that the pack has are
        always taken from it, and no others but those that the map covers.

    Returns
    -------
    Pack
        Its runs.  Only its manifest has been read; whether its files are as they were packed is
        told by :func:`adsupport.pack.verify`.

    Raises
    ------
    PackError
        It isn't a pack, its manifest is damaged, or has paths that lead out of it.
    OSError
        It can't be read.

    Examples
    --------
    >>> pack = open_pack("/mnt/usb/to_send")  # doctest: +SKIP
    >>> pack[-1].read()["m1"]  # doctest: +SKIP
    array([0. , 0.5, 1. ])
    """
    path = Path(os.path.abspath(directory))
    if is_databroker_pack(path):
        other = read_databroker_pack(path)
        paths = PathsInPack(path, other.place, path_map, other.original)
        return Pack(None, paths, other.runs, {**other.roots, **other.outside})
    manifest = read_manifest(path)
    paths = PathsInPack(path, place_of, path_map)
    return Pack(manifest, paths, manifest.runs, manifest.roots)


class PackedRun(StoredRun):
    """A run of a pack, which goes wherever stored runs do: ``replay``, ``export``, writers.

    Parameters
    ----------
    entry : PackedRunEntry
        What the pack's manifest says of the run.
    path_map : PathsInPack
        Where the pack has its files.

    Attributes
    ----------
    entry : PackedRunEntry
        As given.
    path_map : PathsInPack
        For writers, as in ``NXWriter(path_map=run.path_map)``.
    """

    entry: PackedRunEntry
    path_map: PathsInPack

    def __init__(self, entry: PackedRunEntry, path_map: PathsInPack) -> None:
        # the class it is of is frozen, and has start and documents as fields
        vars(self).update(entry=entry, path_map=path_map)

    def __repr__(self) -> str:
        return f"PackedRun({self.entry.uid!r})"

    @property
    def uid(self) -> str:
        """The run's uid."""
        return self.entry.uid

    @property
    def time(self) -> float:
        """When the run began, in seconds since 1970 (UTC); 0 if nothing tells."""
        return super().time if self.entry.time is None else self.entry.time

    @cached_property
    def start(self) -> dict[str, Any]:  # type: ignore[override]
        """The start document.

        Raises
        ------
        PackError, DocumentError, OSError
            See :meth:`documents`.
        """
        name, doc = next(packed_documents(self._path()), ("", {}))
        return self._checked_start(name, doc)

    @cached_property
    def stop(self) -> dict[str, Any] | None:
        """The stop document; None if there is none.

        Raises
        ------
        PackError, DocumentError, OSError
            See :meth:`documents`.
        """
        return packed_stop(self._path())

    def documents(self) -> Iterator[Document]:  # type: ignore[override]
        """Go through the run's documents, as they were packed.

        Yields
        ------
        str, dict
            Name and document.

        Raises
        ------
        PackError
            The file is another run's or isn't whole; or the files of a resource lead out of the
            pack: see :meth:`adsupport.pack.reading.paths_in_pack.PathsInPack.check`.
        DocumentError
            Something in it isn't a document.
        OSError
            It can't be read.
        """
        number = 0
        for number, (name, doc) in enumerate(packed_documents(self._path()), 1):
            if number == 1:
                self._checked_start(name, doc)
            if name in ("resource", "stream_resource"):
                self.path_map.check(doc)
            elif name == "stream_datum":
                self._check_span(doc)
            yield name, doc
        if number < self.entry.documents:
            raise PackError(
                f"{self.entry.path} of the pack has {number} documents; expected "
                f"{self.entry.documents}.",
                path=self.entry.path,
                remedy="Verify the pack, or get it from its source again.",
            )

    def read(self, stream: str = "primary") -> dict[str, Any]:
        """Read a stream as arrays.

        Parameters
        ----------
        stream : str
            Its name, such as ``"primary"`` or ``"baseline"``.

        Returns
        -------
        dict
            By data key, an array of (rows, ...), and ``seq_num`` and ``time`` of the events; a row
            without value is NaN in floats, and masked in other types.  Images are
            :class:`~adsupport.pack.LazyImages`, read when they're asked for:
            ``images[3]``, or all of them by ``np.asarray(images)``.

        Raises
        ------
        DocumentError
            The run has no such stream, or its documents can't be read.
        PackError, OSError
            See :meth:`documents`.
        """
        return stream_arrays(self.documents(), stream, self.path_map, self.path_map.check_images)

    def _check_span(self, doc: Mapping[str, Any]) -> None:
        """Refuse rows of which no list can be made."""
        indices = doc.get("indices")
        span = indices if isinstance(indices, Mapping) else {}
        start, stop = span.get("start", 0), span.get("stop", 0)
        if isinstance(start, int) and isinstance(stop, int) and stop - start > _MOST_ROWS:
            raise PackError(
                f"{self.entry.path} of the pack has a stream_datum of {stop - start} rows; "
                f"expected at most {_MOST_ROWS}.",
                path=self.entry.path,
            )

    def _path(self) -> Path:
        return inside_pack(self.path_map.directory, self.entry.path)

    def _checked_start(self, name: str, doc: dict[str, Any]) -> dict[str, Any]:
        if name != "start" or doc.get("uid") != self.entry.uid:
            raise PackError(
                f"{self.entry.path} of the pack begins with {name or 'no document'!r} of "
                f"{doc.get('uid')!r:.60}; expected the start of run {self.entry.uid!r}.",
                path=self.entry.path,
                remedy="Verify the pack, or get it from its source again.",
            )
        return doc


class Pack:
    """The runs of a pack, in the order of their start.

    Parameters
    ----------
    manifest : Manifest or None
        What is in it; None of one that databroker-pack made.
    path_map : PathsInPack
        Where it has the files of its documents.
    runs : tuple of PackedRunEntry
        Its runs.
    roots : mapping of str to str
        By ``root`` of resources, the directory that has their files: relative to the pack, or
        absolute.

    Attributes
    ----------
    directory : pathlib.Path
        The pack, absolute.
    manifest : Manifest or None
        As given.
    path_map : PathsInPack
        As given; a path map for all its runs.
    name : str
        The directory's name.
    root_map : dict of str to str
        For databroker: by ``root`` of resources, the absolute directory that has their files.
    """

    def __init__(
        self,
        manifest: Manifest | None,
        path_map: PathsInPack,
        runs: tuple[PackedRunEntry, ...],
        roots: Mapping[str, str],
    ) -> None:
        self.directory = path_map.directory
        self.manifest = manifest
        self.path_map = path_map
        self.name = self.directory.name
        self.root_map = {root: str(self.directory / place) for root, place in roots.items()}
        self._runs = [PackedRun(entry, path_map) for entry in runs]

    @property
    def listed(self) -> Manifest:
        """What it says that it has: its manifest, or an empty one where there is none."""
        return self.manifest or Manifest("jsonl", "copy")

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[PackedRun]:
        return iter(self._runs)

    def __repr__(self) -> str:
        return f"Pack({str(self.directory)!r}, {len(self)} runs)"

    def __getitem__(self, which: str | int) -> PackedRun:
        """Choose a run.

        Parameters
        ----------
        which : str or int
            A uid or its beginning of at least 5 characters; a scan_id, of several the latest run;
            or ``-1`` for the latest run, ``-2`` for the one before.

        Returns
        -------
        PackedRun
            The run; :func:`adsupport.documents.selection.find_runs` chooses several.

        Raises
        ------
        RunNotFoundError
            No run, or more than one, is what is asked for.
        """
        (found,) = find_runs(self, [which])
        return found  # type: ignore[return-value]
