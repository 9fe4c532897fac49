"""Copies of images: equal pixels whatever the layout, and equal bytes where nothing is decoded."""

from __future__ import annotations

import pathlib
import tempfile
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest
from h5py import h5z  # pyright: ignore[reportAttributeAccessIssue]
from hypothesis import given, settings
from hypothesis import strategies as st

from adsupport.documents.images import frames_of, kind, read, store_images, wait_for_images
from adsupport.documents.images.placing import blank_of, blocks
from adsupport.documents.images.recoding import GZIP
from adsupport.errors import ConfigurationError, ImageFileError

from .stacks import hdf5_asset, pixels, points, write_stack

FILTERS: dict[str, dict[str, Any]] = {
    "none": {},
    "zlib": {"compression": "gzip", "shuffle": True, "fletcher32": True},
    "lzf": {"compression": "lzf"},
    "blosc": dict(hdf5plugin.Blosc()),
    "bitshuffle": dict(hdf5plugin.Bitshuffle()),
    "lz4": dict(hdf5plugin.LZ4()),
    "zfp": dict(hdf5plugin.Zfp(reversible=True)),
    "blosc2": dict(hdf5plugin.Blosc2()),
}


def store(target: pathlib.Path, rows: Any, **options: Any) -> list[str]:
    with h5py.File(target, "w") as file:
        return store_images(file, "data", rows, target, timeout=0, **options).notes


def content(target: pathlib.Path) -> np.ndarray:
    with h5py.File(target) as file:
        return file["data"][()]  # pyright: ignore


def raw(dataset: h5py.Dataset) -> list[bytes]:
    found: list[Any] = []
    dataset.id.chunk_iter(lambda chunk: found.append(chunk.chunk_offset))
    return [dataset.id.read_direct_chunk(offset)[1] for offset in found]


@pytest.mark.parametrize("name", FILTERS)
def test_chunks_keep_their_bytes(tmp_path: pathlib.Path, name: str) -> None:
    source, target = tmp_path / "s.h5", tmp_path / "t.h5"
    data = pixels(6, (32, 48), "i4")
    write_stack(source, data, chunks=(1, 32, 48), fillvalue=7, **FILTERS[name])
    notes = store(target, points(hdf5_asset(source, 2), 0, 1, 2), images="copy")
    assert np.array_equal(content(target), data.reshape(3, 2, 32, 48))
    with h5py.File(source) as before, h5py.File(target) as after:
        old: Any = before["entry/data/data"]
        new: Any = after["data"]
        if name == "blosc2":  # its parameters hold the chunk's shape
            assert "gzip" in notes[0] and new.compression == "gzip"
            return
        assert not notes
        assert raw(old) == raw(new)
        assert new.chunks == (1, 1, 32, 48) and new.fillvalue == 7
        assert new._filters == old._filters


@settings(max_examples=30)
@given(st.data())
def test_every_way_has_the_same_pixels(data: st.DataObject) -> None:
    draw = data.draw
    shape = draw(st.tuples(st.integers(1, 6), st.integers(1, 6)))
    dtype = draw(st.sampled_from(["u1", "<u2", ">i4", "f4", ">f8"]))
    images = pixels(draw(st.integers(1, 14)), shape, dtype)
    layout: dict[str, Any] = {}
    if draw(st.booleans()):
        chunk = tuple(draw(st.integers(1, length)) for length in shape)
        layout = {"chunks": (draw(st.integers(1, 6)), *chunk), "maxshape": (None, *shape)}
        layout |= FILTERS[draw(st.sampled_from(["none", "zlib", "lzf", "bitshuffle"]))]
    per_row = draw(st.integers(1, len(images)))
    order = draw(st.permutations(range(len(images) // per_row)))
    kept = images[: len(order) * per_row].reshape(-1, per_row, *shape)
    wanted = np.array([kept[number] for number in order], dtype)
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        write_stack(directory / "s.h5", images, **layout)
        rows = points(hdf5_asset(directory / "s.h5", per_row), *order)
        gap = draw(st.none() | st.integers(0, len(rows)))
        if gap is not None:
            rows.insert(gap, None)
            blank = np.full((1, per_row, *shape), blank_of(np.dtype(dtype)), dtype)
            wanted = np.concatenate([wanted[:gap], blank, wanted[gap:]]).astype(dtype)
        for way in ("link", "copy", "repack"):
            target = directory / f"{way}.h5"
            store(target, rows, images=way)
            found = content(target)
            assert found.dtype == wanted.dtype
            assert np.array_equal(found, wanted, equal_nan=wanted.dtype.kind == "f")
        column, _ = wait_for_images(rows, timeout=0)
        assert column is not None
        found = np.array(list(frames_of(column)), dtype).reshape(wanted.shape)
        assert np.array_equal(found, wanted, equal_nan=wanted.dtype.kind == "f")


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 9))
def test_boxes_cover_consecutive_frames(flat: int, count: int, per_row: int) -> None:
    found = list(blocks(flat, count, per_row))
    assert len(found) <= 3
    covered = [
        (row + i) * per_row + frame + j
        for row, frame, rows, frames in found
        for i in range(rows)
        for j in range(frames)
    ]
    assert covered == list(range(flat, flat + count))


def test_a_filter_that_is_not_here_is_copied_all_the_same(tmp_path: pathlib.Path) -> None:
    # ADCore's JPEG filter: HDF5 finds no plugin for it, and needs none.
    source, target = tmp_path / "s.h5", tmp_path / "t.h5"
    assert not h5z.filter_avail(32019)
    with h5py.File(source, "w") as file:
        made = file.create_group("entry/data").create_dataset(
            "data", (3, 4, 5), "u1", chunks=(1, 4, 5), compression=32019,
            compression_opts=(90, 5, 4, 0), allow_unknown_filter=True,
        )  # fmt: skip
        for number in range(3):
            made.id.write_direct_chunk((number, 0, 0), bytes([number]) * (7 + number))
    rows = points(hdf5_asset(source), 0, 1, 2)
    assert store(target, rows, images="copy") == []
    with h5py.File(target) as file:
        copied: Any = file["data"]
        assert raw(copied) == [bytes([number]) * (7 + number) for number in range(3)]
        assert copied.id.get_create_plist().get_filter(0)[0::2][0] == 32019
    with pytest.raises(ImageFileError, match="plugin"):
        store(tmp_path / "r.h5", rows, images="repack")


def test_files_with_other_filters_are_decoded_and_noted(tmp_path: pathlib.Path) -> None:
    data = pixels(6)
    write_stack(tmp_path / "a.h5", data[:3], chunks=(1, 4, 5), compression="gzip")
    write_stack(tmp_path / "b.h5", data[3:], chunks=(1, 4, 5), compression="lzf")
    write_stack(tmp_path / "c.h5", data[3:], chunks=(1, 2, 5), compression="gzip")
    write_stack(tmp_path / "d.h5", data[3:])
    first = points(hdf5_asset(tmp_path / "a.h5"), 0, 1, 2)
    for name, words in (("b", "filters"), ("c", "chunked"), ("d", "")):
        second = points(hdf5_asset(tmp_path / f"{name}.h5", uid="r2"), 0, 1, 2)
        notes = store(tmp_path / "t.h5", first + second, images="copy")
        assert np.array_equal(content(tmp_path / "t.h5")[:, 0], data)
        assert len(notes) == bool(words)
        assert not words or (words in notes[0] and "3 frames" in notes[0])


def test_chunks_of_several_frames(tmp_path: pathlib.Path) -> None:
    data = pixels(12)
    write_stack(tmp_path / "s.h5", data, chunks=(4, 4, 5), compression="gzip")
    for per_row, chunks, noted in ((1, (4, 1), 0), (2, (2, 2), 0), (4, (1, 4), 0), (3, (1, 1), 1)):
        rows = points(hdf5_asset(tmp_path / "s.h5", per_row), *range(12 // per_row))
        notes = store(tmp_path / "t.h5", rows, images="copy")
        assert len(notes) == noted
        assert np.array_equal(content(tmp_path / "t.h5").reshape(data.shape), data)
        with h5py.File(tmp_path / "t.h5") as file:
            assert file["data"].chunks == (*chunks, 4, 5)  # pyright: ignore


def test_frames_that_never_were_written_are_noted(tmp_path: pathlib.Path) -> None:
    with h5py.File(tmp_path / "s.h5", "w") as file:
        made = file.create_dataset(
            "entry/data/data", (4, 4, 5), "u2", chunks=(1, 4, 5), fillvalue=3
        )
        made[1] = 8
    rows = points(hdf5_asset(tmp_path / "s.h5"), 0, 1, 2, 3)
    notes = store(tmp_path / "t.h5", rows, images="copy")
    assert "3 chunks that never were written" in notes[0]
    assert content(tmp_path / "t.h5")[:, 0, 0, 0].tolist() == [3, 8, 3, 3]
    # With a gap the target has another fill value, which these frames must not take.
    store(tmp_path / "u.h5", [*rows, None], images="copy")
    assert content(tmp_path / "u.h5")[:, 0, 0, 0].tolist() == [3, 8, 3, 3, 65535]


def test_a_source_that_is_virtual_itself(tmp_path: pathlib.Path) -> None:
    data = pixels(4)
    write_stack(tmp_path / "s.h5", data)
    rows = points(hdf5_asset(tmp_path / "s.h5"), 0, 1, 2, 3)
    store(tmp_path / "v.h5", rows)
    with h5py.File(tmp_path / "v.h5", "a") as file:
        file["entry/data/data"] = file["data"]
    notes = store(tmp_path / "t.h5", points(hdf5_asset(tmp_path / "v.h5"), 0, 3), images="copy")
    assert "refers to other files" in notes[0]
    assert np.array_equal(content(tmp_path / "t.h5").reshape(2, 4, 5), data[[0, 3]])


@pytest.mark.parametrize("options", [{}, dict(hdf5plugin.Bitshuffle()), {"compression": "lzf"}])
def test_repacking_takes_the_compression_asked_for(tmp_path: pathlib.Path, options: Any) -> None:
    data = pixels(3, (64, 64))
    write_stack(tmp_path / "s.h5", data)
    rows = points(hdf5_asset(tmp_path / "s.h5"), 0, 1, 2)
    store(tmp_path / "t.h5", rows, images="repack", compression=options)
    with h5py.File(tmp_path / "t.h5") as file:
        assert bool(file["data"]._filters) == bool(options)  # pyright: ignore
    assert np.array_equal(content(tmp_path / "t.h5")[:, 0], data)
    store(tmp_path / "u.h5", rows, images="repack")
    with h5py.File(tmp_path / "u.h5") as file:
        assert file["data"].compression == GZIP["compression"]  # pyright: ignore


def test_a_compression_that_h5py_does_not_take(tmp_path: pathlib.Path) -> None:
    write_stack(tmp_path / "s.h5", pixels(1))
    rows = points(hdf5_asset(tmp_path / "s.h5"), 0)
    for options in ({"compression": "zip"}, {"squeeze": True}):
        with pytest.raises(ConfigurationError, match="data"):
            store(tmp_path / "t.h5", rows, images="repack", compression=options)


def test_a_damaged_chunk(tmp_path: pathlib.Path) -> None:
    data = pixels(4, (32, 32))
    write_stack(tmp_path / "s.h5", data, chunks=(1, 32, 32), compression="gzip", fletcher32=True)
    with h5py.File(tmp_path / "s.h5") as file:
        made: Any = file["entry/data/data"]
        place = made.id.get_chunk_info(2).byte_offset
    with open(tmp_path / "s.h5", "r+b") as bytes_:
        bytes_.seek(place + 5)
        bytes_.write(b"\xff" * 20)
    rows = points(hdf5_asset(tmp_path / "s.h5"), 0, 1, 2, 3)
    with pytest.raises(ImageFileError, match="s.h5"):
        store(tmp_path / "t.h5", rows, images="repack")
    notes = store(tmp_path / "t.h5", rows, images="repack", missing="placeholder")
    found = content(tmp_path / "t.h5")[:, 0]
    assert np.array_equal(found[[0, 1, 3]], data[[0, 1, 3]]) and (found[2] == 65535).all()
    assert "1 frames are missing" in notes[0]


def test_reading_without_a_target(tmp_path: pathlib.Path) -> None:
    data = pixels(6, (4, 5, 3), "u1")
    write_stack(tmp_path / "s.h5", data)
    (frames,) = points(hdf5_asset(tmp_path / "s.h5", 2), 2)
    assert frames is not None
    assert kind(frames) == ((4, 5, 3), np.dtype("u1"))
    assert np.array_equal(read(frames), data[4:])
    with pytest.raises(ImageFileError, match="holds 6 frames; the run's documents tell of 8"):
        read(points(frames.asset, 3)[0])  # pyright: ignore
