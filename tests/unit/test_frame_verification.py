"""What is found in the files of a run; the files are made here, with h5py."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import h5py
import numpy as np
import pytest

from adsupport.devices.frames import extent
from adsupport.devices.frames.extent import PixelFinding, find_loss
from adsupport.devices.frames.files import FileClaim, verify_files
from adsupport.errors import FileWriteError, FrameCountError

IDS = (11, 12, 13)
SOON = 0.05


def make(
    path: pathlib.Path,
    ids: Any = IDS,
    frames: int = 3,
    data: str = "entry/data/data",
    where: str | None = "entry/instrument/NDAttributes/NDArrayUniqueId",
    **how: Any,
) -> pathlib.Path:
    """Make a file as ADCore's HDF5 plugin lays it out."""
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset(
            data, data=np.ones((frames, 4, 6), np.uint16), chunks=(1, 4, 6), **how
        )
        dataset.attrs["NDArrayNumDims"] = np.int32(2)
        if where is not None:
            file[where] = np.array(ids, np.int32)
            file[where].attrs["NDAttrName"] = np.bytes_(b"NDArrayUniqueId")
    return path


def claim(path: pathlib.Path, **changes: Any) -> FileClaim:
    """Claim three frames of known ids, shape and type."""
    values: dict[str, Any] = {
        "frames": 3,
        "shape": (4, 6),
        "dtype": np.dtype("u2"),
        "ids": IDS,
        **changes,
    }
    return FileClaim("hdf1", f"/ioc/{path.name}", (path,), **values)


def test_a_whole_file_is_whole(tmp_path: pathlib.Path) -> None:
    report = verify_files(claim(make(tmp_path / "a.h5")), SOON)
    assert report.problems == ()
    assert (report.got, report.verified, report.ids_checked, report.missing) == (3, True, True, ())
    assert report.error() is None


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ("exchange/data", "exchange/ids"),
        ("entry/detector/data", "a/b/c"),
        ("entry/data/data", "elsewhere"),
    ],
)
def test_other_layouts_are_searched(tmp_path: pathlib.Path, data: str, where: str) -> None:
    report = verify_files(claim(make(tmp_path / "a.h5", data=data, where=where)), SOON)
    assert (report.problems, report.ids_checked) == ((), True)
    short = verify_files(claim(make(tmp_path / "b.h5", IDS[:2], 2, data, where)), SOON)
    assert short.missing == (13,)


def test_without_ids_the_frames_are_counted(tmp_path: pathlib.Path) -> None:
    report = verify_files(claim(make(tmp_path / "a.h5", where=None)), SOON)
    assert (report.problems, report.got, report.ids_checked) == ((), 3, False)
    assert "no NDArrayUniqueId" in report.note
    short = verify_files(claim(make(tmp_path / "b.h5", frames=2, where=None)), SOON)
    assert "has 2 frames, expected 3" in str(short.error())


def test_missing_frames_are_named(tmp_path: pathlib.Path) -> None:
    error = verify_files(claim(make(tmp_path / "a.h5", (11, 13), 2)), SOON).error()
    assert type(error) is FrameCountError
    assert (error.plugin, error.expected, error.got, error.missing) == ("hdf1", 3, 2, (12,))
    assert "a.h5 has 2 frames, expected 3. Missing unique ids: 12." in str(error)


def test_the_right_number_of_frames_out_of_order_is_wrong(tmp_path: pathlib.Path) -> None:
    error = verify_files(claim(make(tmp_path / "a.h5", (11, 13, 12))), SOON).error()
    assert type(error) is FrameCountError
    assert "out of order" in str(error) and "SortMode" in str(error)


@pytest.mark.parametrize(
    ("found", "what"),
    [((11, 12, 1), "apart. All frames are"), ((11, 1, 12), "apart. Not all frames are")],
)
def test_a_reset_of_the_counter_between_points_is_named(
    tmp_path: pathlib.Path, found: tuple[int, ...], what: str
) -> None:
    path = make(tmp_path / "a.h5", found)
    changes = {"ids": (11, 12, 1), "counter": "ad:cam1:ArrayCounter_RBV"}
    error = verify_files(claim(path, **changes), SOON).error()
    assert type(error) is FrameCountError
    assert "a.h5: ad:cam1:ArrayCounter_RBV went back from 12 to 0 between two points" in str(error)
    assert what in str(error) and "Reset it between runs only" in str(error)
    assert "SortMode" not in str(error)


@pytest.mark.parametrize("ids", [(1, 2, 3), (1, 2, 11), (0, 0, 0)])
def test_ids_of_the_cameras_own_are_no_alarm(tmp_path: pathlib.Path, ids: tuple[int, ...]) -> None:
    report = verify_files(claim(make(tmp_path / "a.h5", ids)), SOON)
    assert (report.problems, report.ids_checked) == ((), False)
    assert "ArrayCounter" in report.note


def test_ids_that_nobody_knows_are_no_alarm(tmp_path: pathlib.Path) -> None:
    report = verify_files(claim(make(tmp_path / "a.h5"), ids=None), SOON)
    assert (report.problems, report.ids_checked) == ((), False)


def test_frames_of_an_interrupted_point_may_be_there(tmp_path: pathlib.Path) -> None:
    path = make(tmp_path / "a.h5", (*IDS, 14), 4)
    assert verify_files(claim(path, exact=False), SOON).problems == ()
    assert "has 4 frames, expected 3" in str(verify_files(claim(path), SOON).error())


@pytest.mark.parametrize("changes", [{"shape": (6, 4)}, {"dtype": np.dtype("u1")}])
def test_frames_unlike_the_documents_are_wrong(
    tmp_path: pathlib.Path, changes: dict[str, Any]
) -> None:
    error = verify_files(claim(make(tmp_path / "a.h5"), **changes), SOON).error()
    assert type(error) is FileWriteError
    assert "documents say" in str(error)


def test_a_file_that_is_not_there_is_named_with_the_time_waited(tmp_path: pathlib.Path) -> None:
    error = verify_files(claim(tmp_path / "gone.h5"), SOON).error()
    assert type(error) is FileWriteError
    assert "gone.h5 doesn't exist here after 0.05 s" in str(error)
    (tmp_path / "empty.h5").touch()
    assert "is empty" in str(verify_files(claim(tmp_path / "empty.h5"), SOON).error())


@pytest.mark.parametrize("size", [100, 1500, -1])
def test_a_file_that_was_cut_off_is_found_out(tmp_path: pathlib.Path, size: int) -> None:
    path = make(tmp_path / "a.h5")
    os.truncate(path, path.stat().st_size + size if size < 0 else size)
    error = verify_files(claim(path), SOON).error()
    assert type(error) is FileWriteError
    assert "a.h5" in str(error)


def grown_behind_a_cut(
    path: pathlib.Path, how: dict[str, Any], size: tuple[int, int] = (90, 100)
) -> pathlib.Path:
    """Make a file whose first frames were cut away while it was written."""
    random = np.random.default_rng(1)
    with h5py.File(path, "w") as file:
        data = file.create_dataset(
            "entry/data/data",
            (0, *size),
            "u2",
            maxshape=(None, *size),
            chunks=(1, *size),
            **how,
        )
        for n in range(3):
            data.resize(n + 1, axis=0)
            data[n] = random.integers(0, 60_000, size)
            file.flush()
            if n == 1:
                os.truncate(path, 1000)
        file["entry/instrument/NDAttributes/NDArrayUniqueId"] = np.array(IDS, np.int32)
    return path


@pytest.mark.parametrize("size", [(4, 6), (90, 100)])
def test_frames_cut_away_in_mid_run_are_found_out_although_all_else_agrees(
    tmp_path: pathlib.Path, size: tuple[int, int]
) -> None:
    path = grown_behind_a_cut(tmp_path / "a.h5", {"compression": "gzip"}, size)
    report = verify_files(claim(path, shape=size), SOON)
    error = report.error()
    assert type(error) is FileWriteError
    assert "a.h5 has 2 of 3 chunks of frames without any content" in str(error)
    assert (report.got, report.missing, len(report.problems)) == (3, (), 1)


def test_black_frames_look_as_if_cut_away_without_compression(tmp_path: pathlib.Path) -> None:
    path = grown_behind_a_cut(tmp_path / "a.h5", {})
    report = verify_files(claim(path, shape=(90, 100)), SOON)
    assert report.problems == ()
    assert "2 of 3 chunks of frames without any content: they are black, or" in report.doubt


@pytest.mark.parametrize("how", [{"compression": "gzip"}, {"compression": "lzf"}])
def test_black_frames_are_whole(tmp_path: pathlib.Path, how: dict[str, Any]) -> None:
    path = make(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        del file["entry/data/data"]
        black = np.zeros((3, 600, 700), "u2")
        file.create_dataset("entry/data/data", data=black, chunks=(1, 600, 700), **how)
    report = verify_files(claim(path, shape=(600, 700)), SOON)
    assert (report.problems, report.doubt) == ((), "")


def test_frames_that_were_never_written_are_found_out(tmp_path: pathlib.Path) -> None:
    path = make(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        del file["entry/data/data"]
        file.create_dataset("entry/data/data", (3, 4, 6), "u2", chunks=(1, 4, 6))[0] = 1
    error = verify_files(claim(path), SOON).error()
    assert type(error) is FileWriteError
    assert "a.h5 has no pixels at all for 2 of its chunks" in str(error)
    with h5py.File(path, "a") as file:
        del file["entry/data/data"]
        file.create_dataset("entry/data/data", (3, 4, 6), "u2")
    assert "no pixels at all for its frames" in str(verify_files(claim(path), SOON).error())


@pytest.mark.parametrize("how", [{"chunks": (2, 4, 6)}, {"chunks": None}])
def test_other_layouts_of_pixels_are_whole(tmp_path: pathlib.Path, how: dict[str, Any]) -> None:
    path = make(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        del file["entry/data/data"]
        file.create_dataset("entry/data/data", data=np.zeros((3, 4, 6), "u2"), **how)
    assert verify_files(claim(path), SOON).problems == ()


@pytest.mark.parametrize("how", [{"chunks": (1, 4, 6)}, {}])
def test_pixels_beyond_the_end_of_the_file_are_found_out(
    tmp_path: pathlib.Path, how: dict[str, Any]
) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset("data", data=np.ones((3, 4, 6), "u2"), **how)
        file.flush()
        low = data.id
        chunked = "chunks" in how
        last = low.get_chunk_info(2).byte_offset if chunked else low.get_offset()
        end = last + (48 if chunked else 3 * 48)
        assert find_loss(data, tmp_path / "a.h5", end).problem == ""
        found = find_loss(data, tmp_path / "a.h5", end - 1)
    assert found.problem == f"has {end - 1} bytes, but its frames reach to byte {end}"


def test_of_very_many_chunks_some_are_looked_at(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extent, "_MOST_CHUNKS", 4)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset("data", data=np.ones((9, 4, 6), "u2"), chunks=(1, 4, 6))
        file.flush()
        end = data.id.get_chunk_info(8).byte_offset + 48
        assert "reach to byte" in find_loss(data, tmp_path / "a.h5", end - 1).problem
        assert find_loss(data, tmp_path / "a.h5", end) == PixelFinding()


def test_a_file_that_is_no_hdf5_is_found_out(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a.h5").write_bytes(b"nothing" * 1000)
    assert "can't be read" in str(verify_files(claim(tmp_path / "a.h5"), SOON).error())
    with h5py.File(tmp_path / "b.h5", "w"):
        pass
    assert "no dataset of frames" in str(verify_files(claim(tmp_path / "b.h5"), SOON).error())


def test_a_file_that_shows_late_is_waited_for(tmp_path: pathlib.Path, monkeypatch: Any) -> None:
    path = tmp_path / "late.h5"
    looks = []
    true_stat = pathlib.Path.stat

    def stat(self: pathlib.Path, **more: Any) -> Any:
        if self == path:
            looks.append(self)
            if len(looks) == 3:
                make(path)
        return true_stat(self, **more)

    monkeypatch.setattr(pathlib.Path, "stat", stat)
    report = verify_files(claim(path), 20.0)
    assert report.problems == ()
    assert len(looks) >= 3


def test_compression_and_another_reader_do_not_matter(tmp_path: pathlib.Path) -> None:
    path = make(tmp_path / "a.h5", compression="gzip")
    # the same program has it open, with HDF5's locks
    with h5py.File(path, "r"):
        assert verify_files(claim(path), SOON).problems == ()
    with h5py.File(path, "r+") as file:
        assert file["entry/data/data"].shape == (3, 4, 6)


def test_files_of_one_frame_each(tmp_path: pathlib.Path) -> None:
    files = tuple(tmp_path / f"f{i}.tif" for i in range(3))
    for file in files:
        file.write_bytes(b"II*")
    whole = FileClaim("tiff1", "/ioc/f0.tif", files, 3, per_frame=True)
    assert verify_files(whole, SOON).problems == ()
    files[1].write_bytes(b"")
    files[2].unlink()
    error = verify_files(whole, SOON).error()
    assert type(error) is FileWriteError
    assert (error.expected, error.got) == (3, 1)
    assert "2 of 3 files are missing or empty" in str(error) and "f1.tif" in str(error)
