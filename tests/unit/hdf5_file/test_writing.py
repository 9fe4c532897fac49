"""Times, flushes, readers beside the writer, and errors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.sim.hdf5.file import HDF5File, HDF5FileError
from adsupport.sim.hdf5.settings import HDF5Settings

IMAGE = "/entry/data/data"
NDATTRIBUTES = "/entry/instrument/NDAttributes"
TIMES = "/entry/instrument/performance/timestamp"

# ---- times


def test_times_follow_the_plugin(tmp_path: Path, write: Any) -> None:
    """The columns relate as in the recorded rows; the first row counts from an older file."""
    write(tmp_path / "f.h5", 3, num_capture=3)
    with h5py.File(tmp_path / "f.h5") as file:
        dt, period, runtime, speed, mean = file[TIMES][:].T
    megabits = 8 * 1024 * 1024 / 2**20
    np.testing.assert_allclose(speed, megabits / period)
    np.testing.assert_allclose(mean[1:], megabits * np.array([1, 2]) / runtime[1:])
    assert mean[0] == 0
    assert (dt <= period).all()
    assert runtime[1] < runtime[2] < runtime[0]


def test_times_of_single_mode(tmp_path: Path, write: Any) -> None:
    write(tmp_path / "f.h5", 1, multiple=False)
    with h5py.File(tmp_path / "f.h5") as file:
        ((dt, period, runtime, speed, mean),) = file[TIMES][:]
    assert runtime >= dt
    assert mean == pytest.approx(8 / runtime)
    assert speed == pytest.approx(8 / period)


def test_speed_and_runtime_after_closing(tmp_path: Path, write: Any) -> None:
    file = write(tmp_path / "f.h5", 3, num_capture=3)
    assert file.runtime > 0
    assert file.io_speed == pytest.approx(3 * 8 / file.runtime)


def test_more_rows_than_a_chunk(tmp_path: Path, write: Any) -> None:
    write(tmp_path / "f.h5", 25, {"shape": (4, 5)}, num_capture=0, attribute_chunk=10)
    with h5py.File(tmp_path / "f.h5") as file:
        assert file[NDATTRIBUTES]["NDArrayUniqueId"][:].tolist() == list(range(1, 26))
        assert file[NDATTRIBUTES]["NDArrayUniqueId"].chunks == (10,)
        assert file[TIMES].shape == (25, 5)


# ---- flushing and SWMR


def test_swmr_counts_flushes(tmp_path: Path, write: Any) -> None:
    """Three frames and five attribute datasets: the eight that were recorded."""
    file = write(tmp_path / "f.h5", 3, num_capture=3, swmr=True)
    assert file.flushes == 8


def read_elsewhere(run: Any, path: Path, *, swmr: bool) -> list:
    """Number of frames, last pixel and identities that another process finds."""
    script = f"""
        import h5py, json
        with h5py.File({str(path)!r}, "r", swmr={swmr}) as file:
            images = file["{IMAGE}"]
            numbers = file["{NDATTRIBUTES}/NDArrayUniqueId"][:].tolist()
            print(json.dumps([len(images), int(images[-1, -1, -1]), numbers]))
        """
    return json.loads(run(script).stdout)


def test_reader_of_a_growing_file(tmp_path: Path, frame: Any, run: Any) -> None:
    path = tmp_path / "f.h5"
    file = HDF5File(path, HDF5Settings(num_capture=0, swmr=True), frame(1))
    file.write(frame(1))
    file.write(frame(2))
    assert read_elsewhere(run, path, swmr=True)[:2] == [2, int(frame(2).data[-1, -1])]
    file.write(frame(3))
    file.close()
    last = int(frame(3).data[-1, -1])
    assert read_elsewhere(run, path, swmr=False) == [3, last, [1, 2, 3]]


@pytest.mark.parametrize(("every", "flushes"), [(0, 0), (1, 4), (2, 2), (3, 1)])
def test_flush_every_nth_frame(every: int, flushes: int, tmp_path: Path, frame: Any) -> None:
    file = HDF5File(
        tmp_path / "f.h5", HDF5Settings(num_capture=4, frames_per_flush=every), frame(1)
    )
    for number in range(1, 5):
        file.write(frame(number))
    assert file.flushes == flushes
    file.flush()
    assert file.flushes == flushes + 1
    file.close()


# ---- errors


def test_directory_that_does_not_exist(tmp_path: Path, frame: Any) -> None:
    path = tmp_path / "none" / "f.h5"
    with pytest.raises(HDF5FileError, match=str(path)) as caught:
        HDF5File(path, HDF5Settings(), frame(1))
    assert isinstance(caught.value, OSError)
    assert not path.exists()


def test_closed_file_refuses_frames_and_closes_again(
    tmp_path: Path, frame: Any, write: Any
) -> None:
    file = write(tmp_path / "f.h5", 1)
    assert not file.is_open
    with pytest.raises(HDF5FileError, match=r"f\.h5 is not open"):
        file.write(frame(2))
    with pytest.raises(HDF5FileError, match=r"f\.h5 is not open"):
        file.flush()
    file.close()


def test_existing_file_is_replaced(tmp_path: Path, write: Any) -> None:
    write(tmp_path / "f.h5", 3, num_capture=3)
    write(tmp_path / "f.h5", 1, num_capture=1)
    with h5py.File(tmp_path / "f.h5") as file:
        assert file[IMAGE].shape == (1, 1024, 1024)


COMPRESSIONS = ("NONE", "ZLIB", "BSLZ4", "BLOSC", "NBIT")


@pytest.mark.parametrize("limit", [3_000_000, 2_097_152 + 30_000, 20_000])
def test_full_disk_leaves_the_process_alive(limit: int, tmp_path: Path, run: Any) -> None:
    """In a process of its own: a failure inside HDF5 has been seen to end it."""
    script = f"""
        import resource
        import numpy as np
        from adsupport.sim.hdf5.file import HDF5File, HDF5FileError
        from adsupport.sim.hdf5.settings import Compression, HDF5Settings
        from adsupport.sim.ndarray import NDArray
        noise = np.random.default_rng(1).integers(0, 256, (1024, 1024), dtype=np.uint8)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        for name in {COMPRESSIONS}:
            settings = HDF5Settings(num_capture=5, compression=Compression[name])
            resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, hard))
            file = HDF5File(name + ".h5", settings, NDArray(noise))
            try:
                for _ in range(5):
                    file.write(NDArray(noise))
            except HDF5FileError as error:
                print("refused", error)
            file.close()
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            again = HDF5File(name + ".h5", settings, NDArray(noise))
            again.write(NDArray(noise))
            again.close()
        """
    done = run(script, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    for name in COMPRESSIONS:
        assert f"refused cannot write HDF5 file {name}.h5" in done.stdout
        with h5py.File(tmp_path / f"{name}.h5") as file:
            assert file[IMAGE].shape == (1, 1024, 1024)
