"""Image files beside what the event descriptor says of them."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.documents.descriptor import add_descriptor
from adsupport.documents.images import contradiction, wait_for_images
from adsupport.documents.images.pieces import Piece
from adsupport.documents.images.waiting import ImageColumn
from adsupport.documents.run import Column, Stream

from .stacks import hdf5_asset, pixels, points, write_stack


def declared(shape: Any, **more: Any) -> Column:
    key = {"dtype": "array", "source": "x", "external": "FILESTORE:", "shape": shape, **more}
    stream = Stream("primary")
    add_descriptor(stream, {"uid": "d", "data_keys": {"image": key}})
    return stream.columns["image"]


def in_files(shape: tuple[int, ...], per_row: int = 1, dtype: str = "<u2") -> ImageColumn:
    path = pathlib.Path("/ioc/a.h5")
    piece = Piece(hdf5_asset(path), path, 0, per_row, 0)
    return ImageColumn(1, per_row, shape, np.dtype(dtype), [piece], {})


@pytest.mark.parametrize(
    ("told", "found", "per_row"),
    [
        ([5, 480, 640], (480, 640), 5),
        ([480, 640], (480, 640), 5),
        ([640, 480, 0], (480, 640), 1),  # old ophyd: width, height, depth
        ([640, 480, 5], (480, 640), 5),
        ([1, 480, 640], (480, 640), 5),  # the number of frames was set later
        ([5, 640, 480], (480, 640), 5),
        ([0, 0, 0], (480, 640), 1),  # no array had come
        ([5, 0, 0], (480, 640), 5),
        ([None, None, None], (480, 640), 1),
        ([None, 480, 640], (480, 640), 1),
        ([None, 480], (480, 640), 1),
        ([], (480, 640), 1),
        (None, (480, 640), 1),
        ([5, 480, 640], (480, 640, 3), 5),
        ([5, 480, 640, 3], (3, 480, 640), 5),
        ([5, 480, 640, 3], (480, 640), 5),  # Bayer
        ([5, 1, 640], (640,), 5),
        ([5, 640], (640,), 5),
        ([5, 480, 640], (5, 480, 640), 1),  # an array of three axes in each frame
        ([1], (), 1),
    ],
)
def test_loose_descriptors_agree(told: Any, found: tuple[int, ...], per_row: int) -> None:
    assert contradiction(declared(told), in_files(found, per_row)) == ""


@pytest.mark.parametrize(
    ("told", "found", "per_row"),
    [
        ([1, 480, 640], (480, 320), 1),
        ([480, 640], (240, 320), 1),
        ([640, 480, 0], (480, 320), 1),
        ([None, 480], (240, 320), 1),
        ([None, 480, 640], (7, 480, 640, 9), 1),
        ([2, 480, 480], (480, 640), 2),
        ([1, 1, 1], (480, 640), 1),
        ([2, 480], (480, 640), 2),
    ],
)
def test_another_shape_is_told(told: Any, found: tuple[int, ...], per_row: int) -> None:
    text = contradiction(declared(told, dtype_numpy="<u2"), in_files(found, per_row))
    assert text == (
        f"Image file /ioc/a.h5 has frames of {found} uint16; expected {tuple(told)} <u2, as the "
        "event descriptor says."
    )


@pytest.mark.parametrize(
    ("told", "found", "agree"),
    [
        ("<u2", "<u2", True),
        (">u2", "<u2", True),
        ("uint16", ">u2", True),
        ("<u2", "<i2", False),
        ("<u2", "|u1", False),
        ("<f4", "<f8", False),
        ("<u2", "<f2", False),
        ("UInt16 of the camera", "<u2", True),
        (None, "<f8", True),
    ],
)
def test_types_agree_by_kind_and_size(told: str | None, found: str, agree: bool) -> None:
    column = declared([4, 5], dtype_numpy=told)
    text = contradiction(column, in_files((4, 5), dtype=found))
    assert (text == "") == agree, text
    assert agree or f"{np.dtype(found)}; expected (4, 5) {told}" in text


sizes = st.lists(st.integers(1, 9), min_size=2, max_size=3)


@given(
    st.integers(1, 9),
    sizes.flatmap(lambda found: st.tuples(st.just(found), st.permutations(found))),
)
def test_any_order_with_or_without_frames_agrees(
    frames: int, both: tuple[list[int], list[int]]
) -> None:
    found, told = both
    for shape in (told, [frames, *told], [*told, 0]):
        assert contradiction(declared(shape), in_files(tuple(found), frames)) == ""


def test_nothing_is_compared_with_placeholders(tmp_path: pathlib.Path) -> None:
    rows = points(hdf5_asset(tmp_path / "a.h5"), 0)
    column, _ = wait_for_images(
        rows, timeout=0, missing="placeholder", frame_shape=(9, 9), dtype="u1"
    )
    assert column is not None and contradiction(declared([4, 5]), column) == ""
    assert contradiction(declared([4, 5]), None) == ""
    write_stack(tmp_path / "a.h5", pixels(1))
    column, _ = wait_for_images(rows, timeout=0)
    assert "a.h5 has frames of (4, 5)" in contradiction(declared([4, 6]), column)
