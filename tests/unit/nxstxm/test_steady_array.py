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

from adsupport.nxstxm.steady_array import ChunkPacker, SteadyArray

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


@settings(max_examples=20, deadline=None)
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
