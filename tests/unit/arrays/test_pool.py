"""Memory for arrays that is used again."""

from __future__ import annotations

import numpy as np

from adsupport.sim.arrays.pool import MAX_FREE_BYTES, ArrayPool

U1 = np.dtype(np.uint8)


def address(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def test_memory_comes_back_when_the_last_view_is_gone() -> None:
    pool = ArrayPool()
    first = pool.empty((4, 5), np.dtype(np.float32))
    place = address(first)
    view = first[1:].reshape(-1).view(np.uint8)
    other = pool.empty((4, 5), np.dtype(np.float32))
    del first
    assert address(pool.empty((4, 5), np.dtype(np.float32))) != place, "a view has it"
    window = memoryview(view[:3])
    del view
    again = pool.empty((20,), np.dtype(np.float32))
    assert address(again) != place, "a buffer has it"
    del window
    found = [pool.empty((2, 10), np.dtype(np.float32)) for _ in range(3)]
    assert place in [address(item) for item in found]
    assert len({address(item) for item in (*found, other, again)}) == 5


def test_arrays_are_as_wanted() -> None:
    pool = ArrayPool()
    array = pool.empty((3, 2), np.dtype(np.int16))
    assert (array.shape, array.dtype) == ((3, 2), np.int16)
    assert array.flags.c_contiguous
    array[...] = 7
    assert (array == 7).all()
    assert pool.empty((0, 3), U1).shape == (0, 3)


def test_little_is_kept() -> None:
    pool = ArrayPool()
    size = MAX_FREE_BYTES // 4
    arrays = [pool.empty((size,), U1) for _ in range(8)]
    arrays.clear()
    assert len(pool._free) == 4
    pool.empty((10,), U1)
    assert len(pool._free) <= 1, "memory of another size is given up"
