"""The frames of a run while its rows come: some fifty bytes for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...documents.assets import Asset, Frames

__all__ = ["GatheredFrames"]

_COLUMNS = np.dtype(
    [
        ("asset", np.int32),  # -1: never announced
        ("first", np.int64),
        ("row", np.int64),  # frames of one row were taken one after the other
        ("place", np.int32),  # of the frame in its row
        ("stream", np.int32),
        ("kind", np.int8),
        ("type", np.int8),  # the kind that a recorded frame type says; -1 where it says none
        ("time", np.float64),
        ("angle", np.float64),
        ("id", np.int64),
    ]
)


class GatheredFrames:
    """A table with one line for each frame that the documents tell of.

    Attributes
    ----------
    assets : list of Asset
        The files.
    """

    def __init__(self) -> None:
        self.assets: list[Asset] = []
        self._table = np.empty(64, _COLUMNS)
        self._frames = self._rows = 0
        #: By file and address: two documents may tell of one file.
        self._announced: dict[tuple[Path, str], int] = {}
        self._indices: dict[Asset, int] = {}

    def add(self, frames: Frames | None, count: int, **columns: Any) -> int:
        """Add the frames of a row.

        Parameters
        ----------
        frames : Frames or None
            None for images that never were announced.
        count : int
            How many.
        **columns
            All but the first four fields, each one for all or an array.

        Returns
        -------
        int
            The row's number.
        """
        end = self._frames + count
        if end > len(self._table):
            grown = np.empty(max(end, 2 * len(self._table)), _COLUMNS)
            grown[: self._frames] = self._table[: self._frames]
            self._table = grown
        part = self._table[self._frames : end]
        part["asset"] = -1 if frames is None else self.announce(frames)
        part["place"] = np.arange(count)
        part["first"] = part["place"] + (0 if frames is None else np.int64(frames.first))
        part["row"] = self._rows
        for name, values in columns.items():
            part[name] = values
        self._frames, self._rows = end, self._rows + 1
        return self._rows - 1

    def table(self) -> np.ndarray:
        """Return the frames in the order in which they were taken.

        Returns
        -------
        numpy.ndarray
            (n,), with a field for each column.
        """
        found = self._table[: self._frames]
        times = found["time"].copy()
        for stream in np.unique(found["stream"]):  # rows of a stream are in order whatever it says
            own = found["stream"] == stream
            times[own] = np.maximum.accumulate(np.nan_to_num(times[own], nan=-np.inf))
        return found[np.argsort(times, kind="stable")]

    def announce(self, frames: Frames) -> int:
        """Note that a file should have frames, whether they're wanted here or not.

        Parameters
        ----------
        frames : Frames
            The frames.

        Returns
        -------
        int
            Index of their asset in :attr:`assets`.
        """
        place = frames.asset.path, frames.asset.dataset
        end = frames.first + frames.count
        self._announced[place] = max(self._announced.get(place, 0), end)
        return self._number(frames.asset)

    def announced(self, number: int) -> int:
        """Tell how many frames the file of an asset should have.

        Parameters
        ----------
        number : int
            Index of the asset in :attr:`assets`.

        Returns
        -------
        int
            As all documents tell that have the file.
        """
        asset = self.assets[number]
        return self._announced[asset.path, asset.dataset]

    def _number(self, asset: Asset) -> int:
        last = self.assets[-1] if self.assets else None
        if asset is last:  # mostly it's the one of the row before
            return len(self.assets) - 1
        number = self._indices.setdefault(asset, len(self.assets))
        if number == len(self.assets):
            self.assets.append(asset)
        return number
