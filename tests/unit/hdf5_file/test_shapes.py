"""Shapes and chunks of the datasets; frames that do not fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.sim.hdf5.file import HDF5File, HDF5FileError
from adsupport.sim.hdf5.settings import Compression, HDF5Settings, plan_geometry
from adsupport.sim.ndarray import ColorMode

IMAGE = "/entry/data/data"
NDATTRIBUTES = "/entry/instrument/NDAttributes"
TIMES = "/entry/instrument/performance/timestamp"


@pytest.mark.conformance
@pytest.mark.parametrize(
    ("asked", "chunks"),
    [
        ({"chunk_sizes": (0, 0)}, (1, 1024, 1024)),
        ({"chunk_sizes": (200, 100), "chunk_auto": False}, (1, 100, 200)),
        (
            {"chunk_sizes": (1024, 256), "frames_per_chunk": 4, "chunk_auto": False},
            (4, 256, 1024),
        ),
        (
            {"chunk_sizes": (2000, 2000), "frames_per_chunk": 1, "chunk_auto": False},
            (1, 1024, 1024),
        ),
        ({"chunk_sizes": (2000, 2000), "frames_per_chunk": 1}, (1, 1024, 1024)),
    ],
)
def test_chunks_equal_recorded(
    asked: dict, chunks: tuple, tmp_path: Path, frame: Any, write: Any, describe: Any
) -> None:
    file = write(tmp_path / "f.h5", 5, num_capture=5, **asked)
    assert file.geometry.chunks == chunks
    found = describe(tmp_path / "f.h5")
    assert tuple(found[IMAGE]["chunks"]) == chunks
    assert found[IMAGE]["shape"] == found[IMAGE]["maxshape"] == [5, 1024, 1024]
    assert found[TIMES]["shape"] == [5, 5]
    assert found[f"{NDATTRIBUTES}/NDArrayUniqueId"]["chunks"] == [5]
    with h5py.File(tmp_path / "f.h5") as opened:
        np.testing.assert_array_equal(opened[IMAGE][4], frame(5).data)


@pytest.mark.conformance
def test_early_stop_keeps_the_limit(tmp_path: Path, write: Any, describe: Any) -> None:
    write(tmp_path / "f.h5", 2, num_capture=5)
    found = describe(tmp_path / "f.h5")
    assert found[IMAGE]["shape"] == [2, 1024, 1024]
    assert found[IMAGE]["maxshape"] == [5, 1024, 1024]
    assert found[f"{NDATTRIBUTES}/NDArrayUniqueId"]["shape"] == [2]


@pytest.mark.conformance
def test_no_frame_leaves_one_of_the_fill_value(tmp_path: Path, write: Any, describe: Any) -> None:
    write(tmp_path / "f.h5", 0, num_capture=5, fill_value=3)
    found = describe(tmp_path / "f.h5")
    assert found[IMAGE]["shape"] == [1, 1024, 1024]
    assert found[IMAGE]["maxshape"] == [5, 1024, 1024]
    assert found[TIMES]["shape"] == [0, 5]
    assert found[TIMES]["maxshape"] == [None, None]
    for name in ("NDArrayUniqueId", "NDArrayTimeStamp", "NDArrayEpicsTSSec", "NDArrayEpicsTSnSec"):
        assert found[f"{NDATTRIBUTES}/{name}"]["shape"] == [1]
    with h5py.File(tmp_path / "f.h5") as file:
        assert (file[IMAGE][:] == 3).all()


@pytest.mark.conformance
def test_extra_dimensions(tmp_path: Path, frame: Any, write: Any, describe: Any) -> None:
    write(tmp_path / "f.h5", 6, num_capture=6, extra_dims=(2, 3))
    found = describe(tmp_path / "f.h5")[IMAGE]
    assert found["shape"] == [2, 3, 1024, 1024]
    assert found["chunks"] == [1, 1, 1024, 1024]
    with h5py.File(tmp_path / "f.h5") as file:
        for number in range(1, 7):
            image = file[IMAGE][divmod(number - 1, 3)]
            np.testing.assert_array_equal(image, frame(number).data)


def test_extra_dimensions_of_attributes(tmp_path: Path, write: Any) -> None:
    write(tmp_path / "f.h5", 5, num_capture=6, extra_dims=(2, 3), dim_att_datasets=True)
    with h5py.File(tmp_path / "f.h5") as file:
        values = file[NDATTRIBUTES]["NDArrayUniqueId"]
        assert values[:].tolist() == [[1, 2, 3], [4, 5, 0]]
        assert file[IMAGE].shape == (2, 3, 1024, 1024)


def test_more_frames_than_there_is_room_for(tmp_path: Path, frame: Any) -> None:
    file = HDF5File(tmp_path / "f.h5", HDF5Settings(num_capture=1), frame(1))
    file.write(frame(1))
    with pytest.raises(HDF5FileError, match="room for 1 frames"):
        file.write(frame(2))
    file.close()
    with h5py.File(tmp_path / "f.h5") as opened:
        assert opened[IMAGE].shape == (1, 1024, 1024)


@given(
    settings=st.builds(
        HDF5Settings,
        multiple=st.booleans(),
        num_capture=st.integers(0, 50),
        extra_dims=st.one_of(st.just(()), st.lists(st.integers(1, 5), max_size=4).map(tuple)),
        chunk_auto=st.booleans(),
        chunk_sizes=st.lists(st.integers(-2, 30), max_size=4).map(tuple),
        frames_per_chunk=st.integers(-1, 60),
        swmr=st.booleans(),
        frames_per_flush=st.integers(0, 9),
    ),
    shape=st.lists(st.integers(1, 20), min_size=1, max_size=3).map(tuple),
)
def test_geometry_is_always_legal(settings: HDF5Settings, shape: tuple[int, ...]) -> None:
    geometry = plan_geometry(settings, shape)
    limits = (*geometry.virtual, *shape)
    assert len(geometry.chunks) == len(limits)
    for chunk, limit in zip(geometry.chunks, limits, strict=True):
        assert chunk >= 1
        assert limit is None or chunk <= limit
    places = [geometry.position(index) for index in range(int(min(geometry.capacity, 60)))]
    assert len(set(places)) == len(places)
    assert places == sorted(places)
    assert geometry.attribute_chunk >= 1
    if settings.swmr:
        assert geometry.frames_per_flush >= 1


@pytest.mark.parametrize("asked", [{"num_capture": 2**31 - 1}, {"attribute_chunk": 2**31 - 1}])
def test_room_for_frames_that_may_never_come_is_limited(
    tmp_path: Path, write: Any, asked: dict[str, int]
) -> None:
    write(tmp_path / "f.h5", 3, {"shape": (4, 5)}, **({"num_capture": 3} | asked))
    assert (tmp_path / "f.h5").stat().st_size < 20 * 2**20
    with h5py.File(tmp_path / "f.h5") as file:
        assert file[NDATTRIBUTES]["NDArrayUniqueId"][:].tolist() == [1, 2, 3]
        assert file[TIMES].shape == (3, 5)


@pytest.mark.parametrize(
    "asked",
    [
        {"num_capture": 10**6, "frames_per_chunk": 10**6},
        {"num_capture": 0, "frames_per_chunk": 2**31 - 1},
        {"extra_dims": (2**10, 2**10), "extra_chunks": (2**10,), "frames_per_chunk": 2**10},
    ],
)
def test_a_chunk_of_frames_that_may_never_come_is_refused(
    asked: dict, tmp_path: Path, frame: Any
) -> None:
    path = tmp_path / "f.h5"
    path.write_bytes(b"of before")
    with pytest.raises(HDF5FileError, match=r"f\.h5: a chunk of \d+ frames.*NumFramesChunks"):
        HDF5File(path, HDF5Settings(**asked), frame(1, (64, 64)))
    assert path.read_bytes() == b"of before"


def test_a_chunk_of_one_frame_is_as_large_as_the_frame() -> None:
    huge = plan_geometry(HDF5Settings(num_capture=0), (2**15, 2**15))
    huge.check_chunk(2)
    two = plan_geometry(HDF5Settings(num_capture=0, frames_per_chunk=2), (2**15, 2**14))
    two.check_chunk(1)
    with pytest.raises(ValueError, match="a chunk of 2 frames takes 2147483648 bytes"):
        two.check_chunk(2)


def test_szip_without_pixels_is_refused(tmp_path: Path, write: Any) -> None:
    with pytest.raises(OSError, match="blocks of 0 pixels"):
        write(tmp_path / "f.h5", 1, compression=Compression.SZIP, szip_pixels=0)


def test_narrow_type_of_nbit(tmp_path: Path, frame: Any, write: Any) -> None:
    write(tmp_path / "f.h5", 1, {"dtype": "uint16"}, num_capture=1, compression=Compression.NBIT,
          nbit_precision=12)  # fmt: skip
    with h5py.File(tmp_path / "f.h5") as file:
        assert file[IMAGE].id.get_type().get_precision() == 12
        np.testing.assert_array_equal(file[IMAGE][0], frame(1, dtype="uint16").data & 0xFFF)


def test_alignment(tmp_path: Path, write: Any) -> None:
    write(tmp_path / "f.h5", 3, num_capture=3, boundary_align=65536)
    with h5py.File(tmp_path / "f.h5") as file:
        dataset = file[IMAGE].id
        for index in range(dataset.get_num_chunks()):
            assert dataset.get_chunk_info(index).byte_offset % 65536 == 0


# ---- frames that do not fit


def test_frame_of_another_type_gives_its_bytes(tmp_path: Path, frame: Any) -> None:
    file = HDF5File(tmp_path / "f.h5", HDF5Settings(num_capture=3), frame(1))
    file.write(frame(1))
    file.write(frame(2, dtype="int8"))
    file.write(frame(3, (1024, 1024, 3), color_mode=ColorMode.RGB1))
    file.close()
    with h5py.File(tmp_path / "f.h5") as opened:
        np.testing.assert_array_equal(opened[IMAGE][1], frame(2).data)
        wanted = (
            frame(3, (1024, 1024, 3), color_mode=ColorMode.RGB1)
            .data.reshape(-1)[: 1024 * 1024]
            .reshape(1024, 1024)
        )
        np.testing.assert_array_equal(opened[IMAGE][2], wanted)


def test_attribute_that_disappears_keeps_its_value(tmp_path: Path, frame: Any) -> None:
    file = HDF5File(tmp_path / "f.h5", HDF5Settings(num_capture=2), frame(1, xml=True))
    file.write(frame(1))
    file.write(frame(2, xml=True))
    file.close()
    with h5py.File(tmp_path / "f.h5") as opened:
        assert opened[NDATTRIBUTES]["Gain"][:].tolist() == [1.0, 1.0]
