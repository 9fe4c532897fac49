"""Which files hold the images of a run, and where in them: from resource documents to frames."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import ImageFileError
from .asset_paths import AnyPathMap, numbered, path_of_resource, path_of_uri

__all__ = ["ADCORE_DATASET", "Asset", "Frames", "asset_of"]

#: Where ADCore's default layout has the images of an HDF5 file.
ADCORE_DATASET = "/entry/data/data"

#: More files than this for one point are a mistake, and would fill the memory with their names.
_MOST_FILES = 100_000

#: Format of the files, and whether each has frames of its own, by spec.
_SPECS = {
    "AD_HDF5": ("hdf5", False),
    "AD_HDF5_SWMR": ("hdf5", False),
    "AD_HDF5_SWMR_SLICE": ("hdf5", False),
    "AD_HDF5_SWMR_STREAM": ("hdf5", False),
    "AD_HDF5_SINGLE": ("hdf5", True),
    "AD_TIFF": ("tiff", True),
    "AD_JPEG": ("jpeg", True),
    "NPY_SEQ": ("npy", True),
    "application/x-hdf5": ("hdf5", False),
    "multipart/related;type=application/x-hdf5": ("hdf5", True),
    "multipart/related;type=image/tiff": ("tiff", True),
    "multipart/related;type=image/jpeg": ("jpeg", True),
    "multipart/related;type=application/x-npy": ("npy", True),
}


@dataclass(frozen=True)
class Asset:
    """Files of images that a resource or stream_resource document tells of.

    Parameters
    ----------
    uid : str
        Of the document.
    spec : str
        The document's ``spec``, or ``mimetype``.
    kind : str
        ``"hdf5"`` for one HDF5 file with all frames, ``"files"`` for files that have the frames
        by turns, ``"unknown"`` for what can't be read.
    path : pathlib.Path
        The file; of ``"files"`` their directory, or what their names begin with.
    dataset : str
        Address of the images in an HDF5 file.
    frames_per_point : int
        Frames of one row.
    format : str
        ``"hdf5"``, ``"tiff"``, ``"jpeg"`` or ``"npy"``; empty when unknown.
    frames_per_file : int
        Of ``"files"``: frames of each, mostly 1.
    problem : str
        Why the files can't be found, in a sentence's end; empty when they can.
    document : dict
        The document.
    """

    uid: str
    spec: str = ""
    kind: str = "unknown"
    path: pathlib.Path = field(default_factory=pathlib.Path)
    dataset: str = ADCORE_DATASET
    frames_per_point: int = 1
    format: str = ""
    frames_per_file: int = 1
    problem: str = ""
    document: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    _name: Callable[[int], pathlib.Path] | None = field(default=None, repr=False, compare=False)

    @property
    def has_frame_axis(self) -> bool:
        """Whether a row is a stack of frames, and not an array as it is (NPY files)."""
        return self.format != "npy"

    def check(self) -> None:
        """Make sure that the files can be found.

        Raises
        ------
        ImageFileError
            The document isn't one that is understood.
        """
        if self.problem:
            raise ImageFileError(
                f"Resource {self.uid} ({self.spec or 'without spec'}): {self.problem}.",
                path=None if self.kind == "unknown" else self.path,
                remedy=f"Supported are {', '.join(_SPECS)}.",
            )

    def file_of(self, number: int) -> tuple[pathlib.Path, int]:
        """Tell where a frame is.

        Parameters
        ----------
        number : int
            Index of the frame, from 0.

        Returns
        -------
        pathlib.Path
            Its file.
        int
            Its index in that file.

        Raises
        ------
        ImageFileError
            The document isn't one that is understood, or makes no name of this number.
        """
        self.check()
        if self._name is None:
            return self.path, number
        file, index = divmod(number, self.frames_per_file)
        try:
            return self._name(file), index
        except ValueError as error:
            raise ImageFileError(
                f"Resource {self.uid} ({self.spec}) makes no file name of {file}: {error}"
            ) from None

    def frames_of_datum(self, datum_kwargs: Mapping[str, Any]) -> Frames:
        """Find the frames of a datum.

        Parameters
        ----------
        datum_kwargs : mapping
            Of the datum document: ``point_number`` (of points with :attr:`frames_per_point`
            frames each), ``index`` or ``frame``.

        Returns
        -------
        Frames
            The frames.  When the datum isn't understood, its asset says so as soon as the files
            are asked for.
        """
        for key, count in (("point_number", self.frames_per_point), ("index", 1), ("frame", 1)):
            if key in datum_kwargs:
                try:
                    number = int(datum_kwargs[key])
                except (TypeError, ValueError, OverflowError):
                    break
                if number < 0:
                    break
                return Frames(self, number * count, count)
        found = {key: datum_kwargs[key] for key in list(datum_kwargs)[:5]}
        problem = f"a datum has {found!r:.200} where 'point_number' or 'index' from 0 is expected"
        return Frames(replace(self, problem=self.problem or problem), 0, self.frames_per_point)

    def frames_of_indices(self, start: int, stop: int, per_row: int | None = None) -> Frames:
        """Find the frames of some rows of a stream_datum.

        Parameters
        ----------
        start, stop : int
            ``indices`` of the document, of one row or several; ``stop`` is behind the last.
        per_row : int, optional
            Frames of one row; :attr:`frames_per_point` by default.  NPY files have one each.

        Returns
        -------
        Frames
            The frames of all these rows.
        """
        each = self.frames_per_point if per_row is None else per_row
        if not self.has_frame_axis:
            each = 1
        return Frames(self, start * each, (stop - start) * each)


@dataclass(frozen=True, slots=True)
class Frames:
    """Images one after the other.

    Parameters
    ----------
    asset : Asset
        The files.
    first : int
        Index of the first one, from 0.
    count : int
        How many.
    """

    asset: Asset
    first: int
    count: int

    def files(self) -> list[pathlib.Path]:
        """List the files of these frames.

        Returns
        -------
        list of pathlib.Path
            Each file once, in the order of the frames; none is looked at.

        Raises
        ------
        ImageFileError
            The asset's document isn't one that is understood.
        """
        self.asset.check()
        if self.asset.kind == "hdf5":
            return [self.asset.path]
        numbers = range(self.first, self.first + self.count)
        return list(dict.fromkeys(self.asset.file_of(number)[0] for number in numbers))


def asset_of(document: Mapping[str, Any], path_map: AnyPathMap = None) -> Asset:
    """Read a resource or stream_resource document.

    Parameters
    ----------
    document : mapping
        Resources of ophyd, adsupport and area-detector-handlers; stream resources by ``uri`` and
        ``parameters``, or in their first form by ``resource_path`` and ``resource_kwargs``.
    path_map : mapping, PathMap or function, optional
        Directories as they stand in the document, or its ``root``, and the same directories as
        seen here; a function takes the document's path.  A path that isn't covered stays.

    Returns
    -------
    Asset
        The files.  What isn't understood is no error here: :meth:`Asset.check` tells it, and
        whatever asks for the files.
    """
    uid, spec = str(document.get("uid", "")), str(document.get("mimetype", ""))
    spec = spec.replace(" ", "") or str(document.get("spec", ""))
    whole = dict(document)
    known = _SPECS.get(spec)
    if known is None:
        problem = f"{'spec' if 'spec' in document else 'mimetype'} {spec!r} isn't known"
        return Asset(uid, spec, problem=problem, document=whole)
    kwargs = document.get("parameters", document.get("resource_kwargs")) or {}
    try:
        return _read(uid, spec, known, whole, kwargs, path_map)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        problem = f"its document isn't understood: {type(error).__name__}: {error}".rstrip(".")
        return Asset(uid, spec, format=known[0], problem=problem, document=whole)


def _read(
    uid: str,
    spec: str,
    known: tuple[str, bool],
    document: dict[str, Any],
    kwargs: Mapping[str, Any],
    path_map: AnyPathMap,
) -> Asset:
    if kwargs.get("slice") or kwargs.get("squeeze"):
        raise ValueError("'slice' and 'squeeze' of stream resources aren't supported")
    format_, many = known
    if "uri" in document:
        path, within = path_of_uri(document["uri"], path_map)
    else:
        root, within = str(document.get("root") or ""), spec != "NPY_SEQ"
        path = path_of_resource(root, str(document["resource_path"]), path_map)
    dataset = kwargs.get("dataset", kwargs.get("path", kwargs.get("key", ADCORE_DATASET)))
    per_point = kwargs.get("frame_per_point", kwargs.get("multiplier", 1))
    asset = Asset(
        uid,
        spec,
        "files" if many else "hdf5",
        path,
        "/" + str(dataset).strip("/"),
        _positive("frame_per_point", per_point),
        format_,
        document=document,
    )
    if not many:
        return asset
    if asset.frames_per_point > _MOST_FILES:
        raise ValueError(f"a point of {asset.frames_per_point} files isn't believable")
    per_file = 1
    if format_ == "npy":
        template, filename = "_%d.npy" if "uri" not in document else "%s_%d.npy", ""
        template = kwargs.get("template", template)
    else:
        template, filename = kwargs["template"], kwargs.get("filename", "")
        if kwargs.get("chunk_shape"):
            per_file = _positive("chunk_shape", kwargs["chunk_shape"][0])
    name = numbered(path, str(template), str(filename), within)
    return replace(asset, frames_per_file=per_file, _name=name)


def _positive(key: str, value: Any) -> int:
    number = int(value)
    if number < 1 or number != value:
        raise ValueError(f"{key} is {value!r}, so the frames of a point can't be told")
    return number
