"""Memory for arrays that is used again: fresh memory costs a page fault for every 4 KiB."""

from __future__ import annotations

import math
import weakref
from collections.abc import Sequence

import numpy as np

MAX_FREE_BYTES = 64 * 2**20
"""Bytes kept for later use; two arrays are kept in any case, however large."""


class ArrayPool:
    """Hands out arrays of one size, in memory of arrays that nobody refers to any more.

    An array's memory comes back by itself when the array and all its views are gone. Another
    size makes the pool forget what it has kept. To be used by one thread.
    """

    def __init__(self) -> None:
        self._size = 0
        self._free: list[bytearray] = []

    def empty(self, shape: Sequence[int], dtype: np.dtype) -> np.ndarray:
        """Return an array with arbitrary content.

        Parameters
        ----------
        shape : sequence of int
            Its shape.
        dtype : numpy.dtype
            Its type.

        Returns
        -------
        numpy.ndarray
            In C order, writeable.
        """
        size = math.prod(shape) * dtype.itemsize
        if not size:
            return np.empty(shape, dtype)
        if size != self._size:
            self._size = size
            self._free.clear()
        try:
            memory = self._free.pop()
        except IndexError:
            memory = bytearray(size)
        # The base of every view is this array: numpy looks no further for it than to the last
        # array, whose own base is other memory.
        owner = np.frombuffer(memory, dtype)
        weakref.finalize(owner, self._give_back, memory).atexit = False
        return owner.reshape(shape)

    def _give_back(self, memory: bytearray) -> None:
        # in any thread, and in the midst of empty(): each step here is atomic
        if len(memory) == self._size and len(self._free) < max(2, MAX_FREE_BYTES // self._size):
            self._free.append(memory)
