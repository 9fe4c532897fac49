"""Which files the documents of a run refer to: where they are now, and where a pack has them."""

from __future__ import annotations

import contextlib
import os
import posixpath
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...documents.asset_paths import AnyPathMap, path_of_document
from ...documents.assets import Asset, Frames, asset_of
from ...documents.pages import datums_of_page
from ...errors import DocumentError, ImageFileError, PackError
from ..layout import EXTERNAL_FILES, anchor_of, place_of
from ..safe_paths import checked_relative

__all__ = ["NeededFile", "NeededFiles", "not_understood"]


@dataclass
class NeededFile:
    """A file that documents refer to.

    Parameters
    ----------
    place : str
        Its path in the pack.
    source : pathlib.Path
        Where it is.
    documents : set of str
        uids of the resource and stream_resource documents.
    is_hdf5 : bool
        Whether it may name other files.
    frames : bool
        Whether frames of it are known of; a resource without any may have no file.
    needs : dict of str to (Asset, int)
        Of HDF5: by dataset, whose it is and how many frames the documents refer to.
    """

    place: str
    source: Path
    documents: set[str] = field(default_factory=set)
    is_hdf5: bool = False
    frames: bool = False
    needs: dict[str, tuple[Asset, int]] = field(default_factory=dict)

    def need(self, asset: Asset, frames: int) -> None:
        """Note how many frames it must have.

        Parameters
        ----------
        asset : Asset
            Whose.
        frames : int
            How many.
        """
        known = self.needs.get(asset.dataset)
        if known is None or known[1] < frames:
            self.needs[asset.dataset] = (asset, frames)


@dataclass(frozen=True)
class _Resource:
    """A resource: its files where they are, and where they are to be."""

    uid: str
    here: Asset
    there: Asset
    data_key: str = ""


class NeededFiles:
    """Gathers the files of a run from its documents.

    Parameters
    ----------
    path_map : mapping, PathMap, function or None
        See :func:`~adsupport.documents.assets.asset_of`.

    Attributes
    ----------
    files : dict of str to NeededFile
        By place.
    problems : dict of (str, str) to set of str
        What can't be packed, and why; with the uids of the documents that refer to it.
    roots : dict of str to str
        See :class:`~adsupport.pack.manifest.Manifest`.
    resources : set of str
        uids of all resource and stream_resource documents.
    """

    def __init__(self, path_map: AnyPathMap = None) -> None:
        self.files: dict[str, NeededFile] = {}
        self.problems: dict[tuple[str, str], set[str]] = {}
        self.roots: dict[str, str] = {}
        self.resources: set[str] = set()
        self._path_map = path_map
        self._known: dict[str, _Resource] = {}
        self._early: dict[str, list[Callable[[_Resource], None]]] = {}
        self._told: set[str] = set()
        self._single: dict[str, NeededFile] = {}
        self._frames_of_row: dict[tuple[str, str], int] = {}

    def take(self, name: str, doc: Mapping[str, Any]) -> None:
        """Take a document.

        Parameters
        ----------
        name, doc
            In any order, as far as datums and their resources go.

        Raises
        ------
        DocumentError
            It isn't as such documents are.
        """
        try:
            self._take(name, doc)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise not_understood(name, error) from error

    def _take(self, name: str, doc: Mapping[str, Any]) -> None:
        match name:
            case "resource" | "stream_resource":
                self._add_resource(doc)
            case "datum":
                self._add_datums(str(doc["resource"]), [doc["datum_kwargs"]])
            case "datum_page":
                self._add_datums(
                    str(doc["resource"]), [each for _, each in datums_of_page(dict(doc))]
                )
            case "bulk_datum":
                self._add_datums(str(doc["resource"]), doc["datum_kwarg_list"])
            case "descriptor":
                for key, described in doc.get("data_keys", {}).items():
                    shape = described.get("shape") or ()
                    frames = int(shape[0] or 1) if len(shape) > 2 else 1
                    self._frames_of_row[doc["uid"], key] = frames
            case "stream_datum":
                self._later(str(doc["stream_resource"]), lambda found: self._add_rows(found, doc))

    def problem(self, source: str | Path, reason: str, documents: Iterable[str]) -> None:
        """Note that something can't be packed.

        Parameters
        ----------
        source : str or path
            What.
        reason : str
            Why, in a sentence's end.
        documents : iterable of str
            uids of the documents that refer to it.
        """
        self.problems.setdefault((str(source), reason), set()).update(map(str, documents))

    def finish(self) -> None:
        """Note the datums that have no resource, once all documents were taken."""
        for uid in self._early:
            self.problem(f"resource {uid}", "its document isn't in the run", [uid])
        self._early.clear()

    def _add_resource(self, doc: Mapping[str, Any]) -> None:
        uid = str(doc["uid"])
        self.resources.add(uid)
        if doc.get("root"):
            self._add_root(str(doc["root"]))
        here = asset_of(doc, self._path_map)
        there = asset_of(doc, self._place)
        if here.problem or there.problem:
            self._add_unknown(doc, here.problem or there.problem)
            self._known[uid] = _Resource(uid, here, there)
        else:
            self._known[uid] = _Resource(uid, here, there, str(doc.get("data_key", "")))
            if here.kind == "hdf5":
                self._add(uid, here.path, there.path, is_hdf5=True)
        for use in self._early.pop(uid, ()):
            use(self._known[uid])

    def _add_unknown(self, doc: Mapping[str, Any], problem: str) -> None:
        """Take a resource that isn't understood, whose path may be that of its only file."""
        uid = str(doc["uid"])
        try:
            here = path_of_document(doc, self._path_map)
            there = path_of_document(doc, self._place)
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            text = str(doc.get("uri") or doc.get("resource_path") or f"resource {uid}")
            reason = str(error).rstrip(".")
            self.problem(text, problem if reason in problem else f"{problem}: {reason}", [uid])
            return
        if os.path.isfile(here):
            self._add(uid, here, there, frames=True)
        else:
            self.problem(here, f"{problem}, and it isn't a regular file", [uid])

    def _add_root(self, root: str) -> None:
        with contextlib.suppress(PackError):  # its files will say so
            self.roots[root] = place_of(root)

    def _place(self, path: str) -> str:
        """Map a path of the documents to one below the pack, as if that were the whole disk."""
        self._add_root(anchor_of(path))
        return "/" + place_of(path)

    def _add_datums(self, uid: str, kwargs: Iterable[Mapping[str, Any]]) -> None:
        def use(found: _Resource) -> None:
            for each in kwargs:
                self._add_frames(
                    found, found.here.frames_of_datum(each), found.there.frames_of_datum(each)
                )

        self._later(uid, use)

    def _add_rows(self, found: _Resource, doc: Mapping[str, Any]) -> None:
        start, stop = int(doc["indices"]["start"]), int(doc["indices"]["stop"])
        frames = self._frames_of_row.get((doc["descriptor"], found.data_key))
        self._add_frames(
            found,
            found.here.frames_of_indices(start, stop, frames),
            found.there.frames_of_indices(start, stop, frames),
        )

    def _later(self, uid: str, use: Callable[[_Resource], None]) -> None:
        """Use a resource as soon as it's known, unless what is wrong with it was told."""
        if uid in self._told:
            return
        if uid in self._known:
            use(self._known[uid])
        else:
            self._early.setdefault(uid, []).append(use)

    def _add_frames(self, found: _Resource, here: Frames, there: Frames) -> None:
        single = self._single.get(found.uid)
        if single is not None and not here.asset.problem:
            single.need(here.asset, here.first + here.count)
            return
        if found.here.problem or found.there.problem:
            self._told.add(found.uid)
            return
        try:
            pairs = zip(here.files(), there.files(), strict=True)
        except ImageFileError as error:
            self.problem(found.here.path, error.problem.rstrip("."), [found.uid])
            return
        for source, place in pairs:
            is_hdf5, single = found.here.format == "hdf5", found.here.kind == "hdf5"
            file = self._add(found.uid, source, place, is_hdf5, frames=True)
            if file is not None and is_hdf5:
                file.need(found.here, here.first + here.count if single else 1)
            if file is not None and single:
                self._single[found.uid] = file

    def _add(
        self, uid: str, source: Path, there: Path, is_hdf5: bool = False, frames: bool = False
    ) -> NeededFile | None:
        place = posixpath.normpath(there.as_posix()).lstrip("/")
        known = self.files.get(place)
        if known is None:
            try:
                checked_relative(place)
            except PackError as error:
                self.problem(source, error.problem.rstrip("."), [uid])
                return None
            if not place.startswith(EXTERNAL_FILES + "/"):
                self.problem(source, "its name leads out of its directory", [uid])
                return None
            known = self.files[place] = NeededFile(place, source, is_hdf5=is_hdf5)
        known.documents.add(uid)
        known.frames |= frames
        return known


def not_understood(name: str, error: Exception) -> DocumentError:
    """Say that a document can't be followed to its files.

    Parameters
    ----------
    name : str
        Of the document.
    error : Exception
        What shows it.

    Returns
    -------
    DocumentError
        To raise; that one, if it says so by itself.
    """
    if isinstance(error, DocumentError):
        return error
    return DocumentError(
        f"A {name} document isn't understood: {type(error).__name__}: {error}",
        remedy="external='ignore' packs documents as they are, without files.",
    )
