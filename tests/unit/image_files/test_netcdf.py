"""netCDF files as NDFileNetCDF writes them, read by scipy."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.io import netcdf_file

from adsupport.sim.files.netcdf import NetCDFError, NetCDFFile
from adsupport.sim.ndarray import DataType, Dimension, NDArray, NDAttribute

TYPES = [member.dtype for member in DataType]


@contextlib.contextmanager
def reading(path: Path) -> Iterator[Any]:
    with netcdf_file(path, mmap=False) as file:
        yield file


def store(path: Path, arrays: list[NDArray], *, multiple: bool = True) -> Path:
    file = NetCDFFile(str(path), arrays[0], multiple=multiple)
    for array in arrays:
        file.write(array)
    file.close()
    return path


def pixels_of(file: Any) -> np.ndarray:
    """Give the stored numbers the type that the global attribute tells, as its readers do."""
    stored = file.variables["array_data"][:]
    stored = stored.astype(stored.dtype.newbyteorder("="))
    wanted = DataType(int(file.dataType)).dtype
    return stored.view(wanted) if wanted.itemsize < 8 else stored.astype(wanted)


def frames(count: int, dtype: Any = np.uint16, shape: tuple = (3, 5)) -> list[NDArray]:
    size = int(np.prod(shape))
    return [
        NDArray(
            (np.arange(size) + 100 * n).astype(dtype).reshape(shape),
            unique_id=n + 1,
            time_stamp=10.5 + n,
            ts_sec=4_000_000_000 + n,
            ts_nsec=n,
            attributes=(NDAttribute("Temperature", 20.5 + n), NDAttribute("Sample", f"s{n}")),
        )
        for n in range(count)
    ]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("multiple", [True, False])
def test_every_type(dtype: np.dtype, multiple: bool, tmp_path: Path) -> None:
    arrays = frames(3 if multiple else 1, dtype)
    with reading(store(tmp_path / "a.nc", arrays, multiple=multiple)) as file:
        assert file.dataType == DataType.of(dtype)
        np.testing.assert_array_equal(pixels_of(file), [array.data for array in arrays])
        # netCDF-3 has no unsigned integers, and none of 64 bits
        expected = {"u": f"i{dtype.itemsize}", "i": dtype.str[1:], "f": dtype.str[1:]}[dtype.kind]
        expected = "f8" if dtype.itemsize == 8 else expected
        assert file.variables["array_data"][:].dtype == f">{expected}" or expected == "i1"


@settings(max_examples=30)
@given(
    hnp.arrays(
        st.sampled_from([t for t in TYPES if t.itemsize < 8 or t.kind == "f"]),
        hnp.array_shapes(min_dims=1, max_dims=4, max_side=9),
    ),
    st.integers(1, 4),
)
def test_bits_are_kept(tmp_path_factory, data: np.ndarray, count: int) -> None:
    path = store(tmp_path_factory.mktemp("n") / "a.nc", [NDArray(data)] * count)
    with reading(path) as file:
        assert pixels_of(file).tobytes() == data.tobytes() * count


def test_layout(tmp_path: Path) -> None:
    dims = (Dimension(5, 10, 2, True), Dimension(3, 20, 4, False))
    arrays = frames(4)
    for array in arrays:
        array.dims = dims
    with reading(store(tmp_path / "a.nc", arrays)) as file:
        assert file.version_byte == 1, "the classic format"
        assert dict(file.dimensions) == {
            "numArrays": None, "dim0": 3, "dim1": 5, "attrStringSize": 256
        }  # fmt: skip
        assert file.NDNetCDFFileVersion == 3.1
        assert file.numArrayDims == 2
        assert list(file.dimSize) == [5, 3]
        assert list(file.dimOffset) == [10, 20]
        assert list(file.dimBinning) == [2, 4]
        assert list(file.dimReverse) == [1, 0]
        assert list(file.variables) == [
            "uniqueId", "timeStamp", "epicsTSSec", "epicsTSNsec", "array_data",
            "Attr_ColorMode", "Attr_Temperature", "Attr_Sample",
        ]  # fmt: skip
        values = {name: variable[:].tolist() for name, variable in file.variables.items()}
        assert values["uniqueId"] == [1, 2, 3, 4]
        assert values["timeStamp"] == [10.5, 11.5, 12.5, 13.5]
        assert np.array(values["epicsTSSec"], np.int32).view(np.uint32)[0] == 4_000_000_000
        assert values["epicsTSNsec"] == [0, 1, 2, 3]
        assert values["Attr_Temperature"] == [20.5, 21.5, 22.5, 23.5]
        assert [b"".join(row) for row in values["Attr_Sample"]] == [b"s0", b"s1", b"s2", b"s3"]
        assert file.Attr_Temperature_DataType == b"Float64"
        assert file.Attr_Sample_DataType == b"String"
        assert file.Attr_ColorMode_DataType == b"Int32"
        assert file.Attr_Sample_SourceType == b"NDAttrSourceDriver"


def test_a_single_array_has_no_unlimited_axis(tmp_path: Path) -> None:
    with reading(store(tmp_path / "a.nc", frames(1), multiple=False)) as file:
        assert file.dimensions["numArrays"] == 1
        assert file.variables["uniqueId"][:].tolist() == [1]


def test_a_file_can_be_read_after_each_frame(tmp_path: Path) -> None:
    arrays = frames(3)
    writing = NetCDFFile(str(tmp_path / "a.nc"), arrays[0], multiple=True)
    for count, array in enumerate(arrays):
        with reading(tmp_path / "a.nc") as file:
            assert len(file.variables["uniqueId"][:]) == count
        writing.write(array)
    writing.close()
    with reading(tmp_path / "a.nc") as file:
        assert len(file.variables["uniqueId"][:]) == 3


def test_attributes_come_and_go(tmp_path: Path) -> None:
    first, second, third = frames(3)
    second.attributes = (NDAttribute("Late", 1),)
    third.attributes = (NDAttribute("Temperature", "warm"), NDAttribute("Sample", 5))
    with reading(store(tmp_path / "a.nc", [first, second, third])) as file:
        assert "Attr_Late" not in file.variables
        assert file.variables["Attr_Temperature"][:].tolist() == [20.5, 20.5, 0]
        assert [b"".join(row) for row in file.variables["Attr_Sample"][:]] == [b"s0", b"s0", b"5"]


@pytest.mark.parametrize(
    "other",
    [
        NDArray(np.zeros((3, 6), np.uint16)),
        NDArray(np.zeros((3, 5), np.uint8)),
        NDArray(np.zeros((1, 3, 5), np.uint16)),
    ],
)
def test_arrays_that_do_not_fit(other: NDArray, tmp_path: Path) -> None:
    file = NetCDFFile(str(tmp_path / "a.nc"), frames(1)[0], multiple=True)
    with pytest.raises(NetCDFError, match="the file's arrays have"):
        file.write(other)
    file.write(frames(1)[0])
    file.close()
    with reading(tmp_path / "a.nc") as read:
        assert read.variables["uniqueId"][:].tolist() == [1]


def test_a_single_file_takes_one_array(tmp_path: Path) -> None:
    file = NetCDFFile(str(tmp_path / "a.nc"), frames(1)[0], multiple=False)
    file.write(frames(1)[0])
    with pytest.raises(NetCDFError, match="one array only"):
        file.write(frames(1)[0])
    file.close()


@pytest.mark.parametrize("name", ["a/b", ""])
def test_names_that_netcdf_does_not_know(name: str, tmp_path: Path) -> None:
    array = NDArray(np.zeros((3, 5)), attributes=(NDAttribute(name, 1),))
    with pytest.raises(NetCDFError, match="no attribute"):
        NetCDFFile(str(tmp_path / "a.nc"), array, multiple=True)
    assert not (tmp_path / "a.nc").exists()


def test_an_array_without_elements(tmp_path: Path) -> None:
    with pytest.raises(NetCDFError, match="nothing to store"):
        NetCDFFile(str(tmp_path / "a.nc"), NDArray(np.zeros((0, 4))), multiple=True)


def test_a_directory_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        NetCDFFile(str(tmp_path / "none" / "a.nc"), frames(1)[0], multiple=True)
