"""Frames that look lost but aren't: dark edges, black frames, and files with holes."""

from __future__ import annotations

import pathlib
import struct
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import pytest

from adsupport.devices.frames import extent
from adsupport.devices.frames.extent import PixelFinding, find_loss

SIZE = (90, 100)


def dark_edged(frames: int = 3) -> np.ndarray:
    """Make frames of noise whose first and last rows are dark, as behind a beam stop."""
    images = np.random.default_rng(1).integers(1, 4096, (frames, *SIZE), np.uint16)
    images[:, :2] = images[:, -2:] = 0
    return images


def write(
    path: pathlib.Path,
    images: np.ndarray,
    aligned: bool = False,
    raw: tuple[bytes, int] | None = None,
    bits: int = 16,
    **how: Any,
) -> PixelFinding:
    """Write frames as chunks of one each, then look for losses.

    With ``raw``, the chunks are stored as they are: behind these bytes, and with this mask of
    filters left out.
    """
    kind = h5py.h5t.STD_U16LE.copy()
    kind.set_precision(bits)
    places: dict[str, Any] = (
        {"alignment_threshold": 1, "alignment_interval": 1 << 16} if aligned else {}
    )
    with h5py.File(path, "w", **places) as file:
        data = file.create_dataset(
            "data", images.shape, h5py.Datatype(kind), chunks=(1, *images.shape[1:]), **how
        )
        for number, image in enumerate(images):
            if raw is None:
                data[number] = image
            else:
                data.id.write_direct_chunk((number, 0, 0), raw[0] + image.tobytes(), raw[1])
    with h5py.File(path) as file:
        found = file["data"]
        assert isinstance(found, h5py.Dataset)
        np.testing.assert_array_equal(found[()], images)
    if aligned:
        assert path.stat().st_blocks * 512 < path.stat().st_size, "no holes"
    return look(path)


def look(path: pathlib.Path) -> PixelFinding:
    with h5py.File(path) as file:
        return find_loss(file["data"], path, path.stat().st_size)


def n_bit() -> h5py.h5p.PropDCID:
    """Ask for the N-bit filter, for which h5py has no name."""
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_filter(h5py.h5z.FILTER_NBIT, h5py.h5z.FLAG_OPTIONAL)
    return plan


LENGTH = 2 * SIZE[0] * SIZE[1]
STORED = {
    "N-bit": {"dcpl": n_bit(), "bits": 12},
    "LZ4": {"raw": (struct.pack(">QII", LENGTH, LENGTH, LENGTH), 0), **hdf5plugin.LZ4()},
    "Blosc": {
        # flags 2: the bytes are copied
        "raw": (struct.pack("<4B3I", 2, 1, 2, 2, LENGTH, LENGTH, LENGTH + 16), 0),
        **hdf5plugin.Blosc(),
    },
    "deflate, left out": {"raw": (b"", 1), "compression": "gzip"},
    "scale-offset": {"scaleoffset": 0},
    "nothing": {},
}


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("how", STORED.values(), ids=STORED)
def test_dark_first_and_last_rows_are_no_loss(
    tmp_path: pathlib.Path, how: dict[str, Any], aligned: bool
) -> None:
    assert write(tmp_path / "a.h5", dark_edged(), aligned, **how) == PixelFinding()


@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("shape", [SIZE, (40, 50)])
@pytest.mark.parametrize("filters", ["N-bit", "scale-offset", "nothing"])
def test_black_frames_that_were_written_are_no_loss(
    tmp_path: pathlib.Path, filters: str, shape: tuple[int, int], aligned: bool
) -> None:
    black = np.zeros((3, *shape), np.uint16)
    assert write(tmp_path / "a.h5", black, aligned, **STORED[filters]) == PixelFinding()


def wipe(path: pathlib.Path) -> None:
    """Put zeros in the place of the chunks of a file, and make it sparse."""
    with h5py.File(path) as file:
        low = file["data"].id
        found = [low.get_chunk_info(each) for each in range(low.get_num_chunks())]
    content = bytearray(path.read_bytes())
    for each in found:
        content[each.byte_offset : each.byte_offset + each.size] = bytes(each.size)
    make_sparse(path, content)


def make_sparse(path: pathlib.Path, content: bytes | bytearray) -> None:
    """Write a file with a hole for each block of zeros."""
    path.unlink()
    with path.open("wb") as file:
        for start in range(0, len(content), 4096):
            if any(content[start : start + 4096]):
                file.seek(start)
                file.write(content[start : start + 4096])
        file.truncate(len(content))


@pytest.mark.parametrize("filters", STORED)
def test_chunks_that_may_be_black_are_doubted_over_a_hole(
    tmp_path: pathlib.Path, filters: str
) -> None:
    write(tmp_path / "a.h5", dark_edged(), **STORED[filters])
    wipe(tmp_path / "a.h5")
    found = look(tmp_path / "a.h5")
    assert found.problem == ""
    assert found.doubt.startswith("has 3 of 3 chunks of frames without any content: they are black")


@pytest.mark.parametrize("shape", [SIZE, (4, 6)])
def test_a_deflated_chunk_of_zeros_is_lost(tmp_path: pathlib.Path, shape: tuple[int, int]) -> None:
    images = np.arange(3 * shape[0] * shape[1], dtype=np.uint16).reshape(3, *shape)
    write(tmp_path / "a.h5", images, compression="gzip", shuffle=True)
    wipe(tmp_path / "a.h5")
    assert look(tmp_path / "a.h5") == PixelFinding(
        "has 3 of 3 chunks of frames without any content"
    )


def test_a_few_chunks_are_read_whole(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extent, "_MOST_WHOLE", 2)
    write(tmp_path / "a.h5", dark_edged(5))
    wipe(tmp_path / "a.h5")
    assert look(tmp_path / "a.h5").doubt.startswith("has at least 2 of 5 chunks")
    monkeypatch.setattr(extent, "_LONGEST", LENGTH - 1)
    assert look(tmp_path / "a.h5") == PixelFinding()


def test_content_between_empty_ends_is_found(tmp_path: pathlib.Path) -> None:
    image = np.zeros((1, 600, 700), np.uint16)
    image[0, 300, 300] = 1
    write(tmp_path / "a.h5", image)
    make_sparse(tmp_path / "a.h5", (tmp_path / "a.h5").read_bytes())
    assert (tmp_path / "a.h5").stat().st_blocks * 512 < image.nbytes
    assert look(tmp_path / "a.h5") == PixelFinding()
