"""What hardly changes is in the file as it was given, in fewer bytes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adsupport.nxstxm.file.packed_chunks import ChunkPacker
from adsupport.nxstxm.file.steady_array import SteadyArray
from adsupport.nxstxm.file.steady_grid import SteadyGrid
from adsupport.nxstxm.parts.points import Block

POINTS = 200_000  # of float64, three chunks and more


def written(
    path: Path, pieces: Sequence[np.ndarray], packer: ChunkPacker | None = None, of_run: int = 0
) -> tuple[np.ndarray, int]:
    """What h5py reads of it, and the bytes that it takes."""
    first = pieces[0]
    points = sum(map(len, pieces))
    with h5py.File(path, "w") as file:
        made = SteadyArray(
            file, "data", points, first.dtype, packer or ChunkPacker(), first.shape[1:], of_run
        )
        for piece in pieces:
            made.add(piece)
        made.close()
    with h5py.File(path) as file:
        dataset: Any = file["data"]
        return dataset[()], dataset.id.get_storage_size()


@settings(max_examples=4)
@given(
    cuts=st.lists(st.integers(0, POINTS), max_size=5),
    of_run=st.sampled_from([0, 1, 40_000, 65_537, 100_000]),
    kind=st.sampled_from(["f8", ">f4", "i2", "u1", "?"]),
)
def test_any_pieces_are_read_as_they_were(
    cuts: list[int], of_run: int, kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    values = (np.arange(POINTS) // 1000).astype(kind)
    pieces = np.split(values, sorted(cuts))
    found, _ = written(tmp_path_factory.mktemp("steady") / "a.h5", pieces, of_run=of_run)
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, values)


def test_values_that_stand_take_hardly_any_room(tmp_path: Path) -> None:
    values = np.full(POINTS, 700.125)
    found, size = written(tmp_path / "a.h5", [values])
    np.testing.assert_array_equal(found, values)
    assert size < values.nbytes / 100


@pytest.mark.parametrize("of_run", [1, 15, 7000])
def test_short_runs_share_chunks(of_run: int, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        made = SteadyArray(file, "data", POINTS, np.dtype("f8"), ChunkPacker(), of_run=of_run)
        assert made.dataset.chunks is not None
        (size,) = made.dataset.chunks
        assert size % of_run == 0
        assert 2**15 <= size <= 2**16


def test_noise_is_kept_as_it_is(tmp_path: Path) -> None:
    noise = np.frombuffer(os.urandom(8 * POINTS), np.uint64)
    found, size = written(tmp_path / "a.h5", [noise, noise[:7]])
    np.testing.assert_array_equal(found, np.r_[noise, noise[:7]])
    assert size < 1.6 * noise.nbytes  # the last chunk isn't full


def test_few_values_are_plain(tmp_path: Path) -> None:
    values = np.array([np.nan, -0.0, np.inf])
    found, size = written(tmp_path / "a.h5", [values[:1], values[1:]])
    assert found.tobytes() == values.tobytes()
    assert size == values.nbytes


def test_frames_are_values_too(tmp_path: Path) -> None:
    frames = np.arange(300, dtype=np.uint16)[:, None, None] * np.ones((64, 65), np.uint16)
    found, size = written(tmp_path / "a.h5", [frames[:99], frames[99:]])
    np.testing.assert_array_equal(found, frames)
    assert size < frames.nbytes / 20


def test_datasets_share_what_was_packed(tmp_path: Path) -> None:
    packer = ChunkPacker()
    zeros = np.zeros(2**19, np.uint8)
    for kind in ("u1", "f8"):  # the same bytes, which are shuffled differently
        for ramp in (0, 1):
            values = zeros.view(kind).copy()
            values[100:-100] += ramp * (np.arange(len(values) - 200) % 7).astype(kind)
            pieces = [values, values, values[:5]]
            found, _ = written(tmp_path / f"{kind}{ramp}.h5", pieces, packer)
            np.testing.assert_array_equal(found, np.concatenate(pieces))


def block_of(first: int, slow: np.ndarray, fast: np.ndarray, width: int) -> Block:
    """Points in the grid's order; whole lines when there are as many."""
    last = int(slow[-1]) + 1
    full = len(slow) == (last - first) * width
    return Block(slice(0, len(slow)), np.zeros(len(slow)), slow, fast, first, last, full)


@pytest.mark.parametrize("lines", [200, 201, 211])  # the last chunk isn't full, of a prime
@pytest.mark.parametrize("cuts", [[], [100], [150], [100, 30_000], [99_999]])
def test_a_grid_in_blocks_of_any_size(lines: int, cuts: list[int], tmp_path: Path) -> None:
    width = 500
    values = np.arange(lines * width) // 3000 + 0.5
    slow, fast = np.divmod(np.arange(lines * width), width)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        shape = (2, lines, width)
        grid = SteadyGrid(file, "data", shape, values.dtype, False, ChunkPacker())
        for points in np.split(np.arange(lines * width), sorted(cuts)):
            block = block_of(int(slow[points[0]]), slow[points], fast[points], width)
            grid.add(values[points], block, width, 1)
    with h5py.File(tmp_path / "a.h5") as file:
        dataset: Any = file["data"]
        assert np.isnan(dataset[0]).all()
        np.testing.assert_array_equal(dataset[1], values.reshape(lines, width))
        assert dataset.id.get_storage_size() < values.nbytes / 20


@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 3, 4)])
def test_a_small_grid_is_plain(shape: tuple[int, ...], tmp_path: Path) -> None:
    lines, width = (shape[-2], shape[-1]) if len(shape) > 1 else (7, 1)
    values = np.arange(float(lines * width))
    slow, fast = np.divmod(np.arange(lines * width), width)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        grid = SteadyGrid(file, "data", shape, values.dtype, True, ChunkPacker())
        e_idx = 1 if len(shape) == 3 else None
        grid.add(values, block_of(0, slow, fast, width), width, e_idx)
        found = grid.dataset[()]
        assert grid.dataset.chunks is None
    np.testing.assert_array_equal(
        found[1] if len(shape) == 3 else found, values.reshape(shape[-2:])
    )
