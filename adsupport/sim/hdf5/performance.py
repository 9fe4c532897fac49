"""How long each frame took to write."""

# h5py's low-level modules are compiled and come without stubs
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import numpy as np
from h5py import h5d, h5f, h5p, h5s, h5t

COLUMNS = 5


class PerformanceDataset:
    """A row of times a frame, written a chunk at a time.

    Parameters
    ----------
    file : h5py.h5f.FileID
        The file.
    path : str
        Path of the dataset, whose group exists.
    chunk : int
        Rows in a chunk.
    """

    def __init__(self, file: h5f.FileID, path: str, chunk: int) -> None:
        self._chunk = chunk
        self._rows: list[tuple[float, ...]] = []
        self._written = 0
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_chunk((chunk, COLUMNS))
        space = h5s.create_simple((0, COLUMNS), (h5s.UNLIMITED, h5s.UNLIMITED))
        self.id = h5d.create(file, path.encode(), h5t.NATIVE_DOUBLE, space, plist)

    def append(self, row: tuple[float, ...]) -> None:
        """Keep a frame's times.

        Parameters
        ----------
        row : tuple of float
            Time to write the frame (s), time since the previous one was written (s), time since
            the first frame (s), speed of this frame and mean speed (Mbit/s).
        """
        self._rows.append(row)
        if len(self._rows) >= self._chunk:
            self.write()

    def write(self) -> None:
        """Write the rows kept so far."""
        if not self._rows:
            return
        table = np.array(self._rows, dtype=np.float64)
        start, self._written = self._written, self._written + len(table)
        self.id.set_extent((self._written, COLUMNS))
        space = self.id.get_space()
        space.select_hyperslab((start, 0), table.shape)
        self.id.write(h5s.create_simple(table.shape), space, table)
        self._rows.clear()
