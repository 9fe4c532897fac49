"""The text tree of an HDF5 file."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from adsupport.file_tree import tree_lines


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as h5:
        entry = h5.create_group("entry")
        entry.attrs["NX_class"] = np.bytes_("NXentry")
        images = np.arange(2 * 9 * 8, dtype="u1").reshape(2, 9, 8)
        data = entry.create_dataset("data/images", data=images)
        data.attrs["signal"] = 1
        data.attrs["offsets"] = [3, 4]
        entry["same"] = data
        entry["soft"] = h5py.SoftLink("/entry/nowhere")
        entry["outside"] = h5py.ExternalLink("b.h5", "/x")
        entry["title"] = 'a "quote"\n\x1b[31m'
        entry["empty"] = h5py.Empty("f4")
        entry["none"] = np.zeros(0)
    return path


def test_every_kind_of_item(file: Path):
    assert list(tree_lines(file)) == [
        f"{file} : NeXus data file",
        "  entry:NXentry",
        '    @NX_class = "NXentry"',
        "    data",
        "      images:NX_UINT8[2,9,8] =",
        "        [0, 0, :] = [0, 1, 2, ..., 7]",
        "        [0, 8, :] = [64, 65, 66, ..., 71]",
        "        [1, 0, :] = [72, 73, 74, ..., 79]",
        "        [1, 8, :] = [136, 137, 138, ..., 143]",
        "        @offsets = [3 4]",
        "        @signal = 1",
        "    empty:NX_FLOAT32 = (empty)",
        "    none:NX_FLOAT64[0] = []",
        "    outside --> b.h5#/x",
        "    same --> /entry/data/images",
        "    soft --> /entry/nowhere",
        '    title:NX_CHAR = "a \\"quote\\"\\n\\u001b[31m"',
    ]


def test_a_group_that_contains_itself_ends(tmp_path: Path):
    path = tmp_path / "loop.h5"
    with h5py.File(path, "w") as h5:
        h5.create_group("a")["back"] = h5["/"]
    assert list(tree_lines(path))[1:] == ["  a", "    back --> /"]


def test_not_hdf5_is_an_oserror(tmp_path: Path):
    path = tmp_path / "x.h5"
    path.write_text("no")
    with pytest.raises(OSError, match="signature"):
        list(tree_lines(path))


def test_what_nexus_says_is_at_home_elsewhere_is_a_link(tmp_path: Path):
    with h5py.File(tmp_path / "nexus.h5", "w") as file:
        home = file.create_dataset("z/value", data=[1.0, 2.0])
        home.attrs["target"] = "/z/value"
        file["a/plotted"] = home
        stray = file.create_dataset("b", data=3)
        stray.attrs["target"] = "/nowhere"
    lines = list(tree_lines(tmp_path / "nexus.h5"))
    assert "    plotted --> /z/value" in lines
    assert "    value:NX_FLOAT64[2] = [1.0, 2.0]" in lines
    assert "  b:NX_INT64 = 3" in lines


def test_a_virtual_dataset_names_its_files(tmp_path: Path):
    layout = h5py.VirtualLayout((5, 2), "u2")
    for index in range(5):
        layout[index] = h5py.VirtualSource(f"part{index}.h5", "/data", (2,))
    with h5py.File(tmp_path / "master.h5", "w") as file:
        file.create_virtual_dataset("data", layout, fillvalue=7)
    lines = list(tree_lines(tmp_path / "master.h5"))
    assert lines[-4:] == [
        "    --> part0.h5#/data",
        "    --> part1.h5#/data",
        "    --> part2.h5#/data",
        "    --> ... 2 more",
    ]
