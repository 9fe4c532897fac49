"""A part, read: the columns of a run's streams, and what the start document asked for."""

from __future__ import annotations

import os
import traceback
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np

from ...callbacks.output.hdf5_names import key_of
from ...callbacks.output.hdf5_values import read_value
from ...documents.json_text import decode
from ...documents.run import Run
from ...errors import AdsupportError, StxmDataError
from ..asked.reading import read_request
from ..asked.request import ScanRequest

__all__ = ["PART", "PartColumn", "PartReader", "PartStream"]

#: Name and version of the parts' format, as it stands in the attribute ``format``.
PART = "adsupport-nxstxm-part-1"

#: What h5py raises where a file is damaged.
_OF_HDF5 = (KeyError, OSError, RuntimeError, TypeError, ValueError)


class PartColumn:
    """The values of a data key.

    Parameters
    ----------
    key : str
        The data key.
    dataset : h5py.Dataset
        (rows, ...): its values.

    Attributes
    ----------
    key, dataset
        As given.
    """

    def __init__(self, key: str, dataset: h5py.Dataset) -> None:
        self.key, self.dataset = key, dataset

    @cached_property
    def units(self) -> str:
        """As the descriptor has them; empty when it hasn't."""
        return _text(self.dataset.attrs.get("units"))

    @cached_property
    def source(self) -> str:
        """As the descriptor has it; empty when it hasn't."""
        return _text(self.dataset.attrs.get("source"))

    @cached_property
    def object_name(self) -> str:
        """Name of the device; empty when the descriptor hasn't it."""
        return _text(self.dataset.attrs.get("object_name"))

    @cached_property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of a row's value."""
        return tuple(self.dataset.shape[1:])

    @cached_property
    def dtype(self) -> np.dtype:
        """Of the values; truth values are numbers here, as NeXus has it."""
        found = self.dataset.dtype
        if self._missing is not None:
            return np.dtype(np.float64)
        return np.dtype(np.uint8) if found.kind == "b" else found

    @cached_property
    def _missing(self) -> Any:
        """What stands for a number that a row hasn't."""
        return self.dataset.attrs.get("missing_value")

    @cached_property
    def is_numeric(self) -> bool:
        """Whether the values are numbers, and all of one shape."""
        return self.dataset.dtype.kind in "biuf"

    @property
    def is_ragged(self) -> bool:
        """Whether the values are arrays of numbers that differ in shape."""
        inner = h5py.check_vlen_dtype(self.dataset.dtype)
        return isinstance(inner, np.dtype) and inner.kind in "biuf"

    def read(self, rows: slice) -> np.ndarray:
        """Read values.

        Parameters
        ----------
        rows : slice
            Which.

        Returns
        -------
        numpy.ndarray
            (rows, ...); NaN where a row has no number.
        """
        found: Any = self.dataset[rows]
        if self._missing is not None:
            return np.where(found == self._missing, np.nan, found)
        return found.astype(self.dtype, copy=False)


class PartStream:
    """A stream of a run.

    Parameters
    ----------
    group : h5py.Group
        Where it is in the part.
    """

    def __init__(self, group: h5py.Group) -> None:
        self._group = group

    @cached_property
    def columns(self) -> dict[str, PartColumn]:
        """The columns by data key, in the order of the descriptor."""
        found: Any = self._group["data"]
        return {key_of(name): PartColumn(key_of(name), found[name]) for name in found}

    @cached_property
    def seq_nums(self) -> np.ndarray:
        """Numbers of the rows, from 1, ascending; int64."""
        found: Any = self._group["seq_num"]
        return found[()]

    @cached_property
    def times(self) -> np.ndarray:
        """Times of the rows, seconds since 1970 (UTC); float64."""
        found: Any = self._group["time"]
        return found[()]

    @cached_property
    def descriptors(self) -> list[dict[str, Any]]:
        """The event descriptors."""
        found: Any = self._group["descriptors"]
        return read_value(found)

    def stamps(self, key: str) -> np.ndarray:
        """Tell when a data key's values were measured.

        Parameters
        ----------
        key : str
            The data key.

        Returns
        -------
        numpy.ndarray
            (rows,), float64, seconds since 1970 (UTC); NaN where there is none.
        """
        group: Any = self._group["timestamps"]
        for name in group:
            if key_of(name) == key:
                return group[name][()]
        return np.full(len(self.times), np.nan)

    def find(self, names: list[str]) -> PartColumn | None:
        """Find a column by one of the names that it may have.

        Parameters
        ----------
        names : list of str
            Data keys, sources (with or without ``PV:`` and field), or names of devices.

        Returns
        -------
        PartColumn or None
            The first that fits; of a device the key that has its name, or its only one.
        """
        for name in names:
            if name in self.columns:
                return self.columns[name]
        for name in names:
            for column in self.columns.values():
                source = column.source.split(":", 1)[-1] if ":" in column.source else ""
                if column.source == name or source in (name, f"{name}.RBV", f"{name}.VAL"):
                    return column
        for name in names:
            own = [each for each in self.columns.values() if each.object_name == name]
            if len(own) == 1:
                return own[0]
        return None


class PartReader:
    """A run's part, open for reading; a context manager.

    Parameters
    ----------
    path : path
        The part.
    request : ScanRequest, optional
        What the run was asked for, where that's known.

    Attributes
    ----------
    path : pathlib.Path
        As given.
    run : Run
        Start and stop document, without streams.
    request : ScanRequest
        What was asked for.
    problems : list of str
        What was wrong with the run's documents.
    streams : dict of str to PartStream
        By name.

    Raises
    ------
    StxmDataError
        It isn't a part, or a damaged one.
    StxmMetadataError
        See :func:`~adsupport.nxstxm.asked.reading.read_request`.
    """

    def __init__(self, path: str | os.PathLike[str], request: ScanRequest | None = None) -> None:
        self.path = Path(path)
        try:
            self._file = h5py.File(path, "r")
        except OSError as error:
            raise _damaged(self.path, error) from error
        try:
            self._read(request)
        except BaseException as error:
            self.__exit__(type(error), error, error.__traceback__)
            raise

    def _read(self, request: ScanRequest | None) -> None:
        file: Any = self._file
        if _text(file.attrs.get("format")) != PART:
            raise _damaged(self.path, f"its format isn't {PART!r}")
        self.run = Run(decode(file["start"].asstr()[()], where="start"))
        if "stop" in file:
            self.run.stop = decode(file["stop"].asstr()[()], where="stop")
        self.problems = [str(each) for each in file["problems"].asstr()[()]]
        self.request = read_request(self.run.start) if request is None else request
        groups = dict(file["streams"].items())
        if None in groups.values():  # h5py's way to say that it can't open one
            raise _damaged(self.path, "a stream can't be read")
        self.streams = {key_of(name): PartStream(group) for name, group in groups.items()}

    @property
    def primary(self) -> PartStream | None:
        """The stream with the scan's points; None when the run ended before the first."""
        return self.streams.get("primary")

    def names_of(self, name: str) -> list[str]:
        """List what a device may be called in the documents.

        Parameters
        ----------
        name : str
            Its name in the metadata.

        Returns
        -------
        list of str
            What the metadata map it to, and the name itself.
        """
        mapped = self.request.names.get(name)
        return [each for each in (mapped, name) if each]

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()
        if isinstance(error, _OF_HDF5) and _is_from_reading(error, where):
            raise _damaged(self.path, error) from error


def _is_from_reading(error: BaseException, where: TracebackType | None) -> bool:
    """Tell whether HDF5 has raised an error, and not when it wrote another file."""
    if isinstance(error, AdsupportError) or "write" in str(error):
        return False
    places = traceback.extract_tb(where)
    return bool(places) and "h5py" in places[-1].filename


def _damaged(path: Path, why: object) -> StxmDataError:
    return StxmDataError(
        f"{path} isn't a whole part of an STXM file: {why}.",
        remedy="Remove it, and export its run again.",
    )


def _text(found: Any) -> str:
    if isinstance(found, bytes):
        return found.decode(errors="replace")
    return found if isinstance(found, str) else ""
