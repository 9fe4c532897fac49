"""TIFF files as NDFileTIFF writes them, read by tifffile."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from adsupport.sim.files.tiff import TIFFError, read_tiff, write_tiff
from adsupport.sim.ndarray import ColorMode, DataType, NDArray, NDAttribute

TYPES = [member.dtype for member in DataType]
RGB = {ColorMode.RGB1: 2, ColorMode.RGB2: 1, ColorMode.RGB3: 0}


def store(path: Path, array: NDArray) -> Path:
    with path.open("wb") as file:
        write_tiff(file, array)
    return path


def tags_of(path: Path) -> dict[int, object]:
    with tifffile.TiffFile(path) as file:
        return {tag.code: tag.value for tag in file.pages.first.tags.values()}


@settings(max_examples=40)
@given(hnp.arrays(st.sampled_from(TYPES), hnp.array_shapes(min_dims=2, max_dims=2, max_side=30)))
def test_grey_pixels_keep_type_and_bits(tmp_path_factory, data: np.ndarray) -> None:
    path = store(tmp_path_factory.mktemp("t") / "a.tif", NDArray(data))
    read = tifffile.imread(path)
    assert read.dtype == data.dtype and read.tobytes() == data.tobytes()
    back = read_tiff(str(path))
    assert back.data.dtype == data.dtype and back.data.tobytes() == data.tobytes()
    assert back.color_mode is ColorMode.MONO


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("mode", RGB)
def test_colours(mode: ColorMode, dtype: np.dtype, tmp_path: Path) -> None:
    pixels = np.arange(6 * 7 * 3).reshape(6, 7, 3).astype(dtype)
    data = np.ascontiguousarray(np.moveaxis(pixels, 2, RGB[mode]))
    path = store(tmp_path / "a.tif", NDArray(data, color_mode=mode))
    with tifffile.TiffFile(path) as file:
        page = file.pages.first
        assert page.photometric == tifffile.PHOTOMETRIC.RGB and page.samplesperpixel == 3
        planar = page.planarconfig == tifffile.PLANARCONFIG.SEPARATE
        assert planar == (mode is not ColorMode.RGB1)
        assert page.rowsperstrip == (1 if mode is ColorMode.RGB2 else 6)
        stored = page.asarray()
    np.testing.assert_array_equal(np.moveaxis(stored, 0, 2) if planar else stored, pixels)
    back = read_tiff(str(path))
    # rows by rows of colours are not what TIFF knows: they come back as planes
    assert back.color_mode is (ColorMode.RGB3 if planar else ColorMode.RGB1)
    np.testing.assert_array_equal(
        np.moveaxis(back.data, 0, 2) if planar else back.data, pixels, strict=True
    )


def test_tags_tell_identity_and_attributes(tmp_path: Path) -> None:
    attributes = (
        NDAttribute("Count", 5),
        NDAttribute("Ratio", 0.1),
        NDAttribute("Single", np.float32(2)),
        NDAttribute("Sample", "steel: 3"),
        NDAttribute("Manufacturer", "Simulated detector"),
        NDAttribute("Model", "Basic simulator"),
        NDAttribute("TIFFImageDescription", "first light"),
        NDAttribute("Long", "x" * 5000),
    )
    array = NDArray(
        np.zeros((3, 4), np.uint16), unique_id=12, time_stamp=1.1e9 + 0.25, ts_sec=1_100_000_000,
        ts_nsec=250_000_000, attributes=attributes,
    )  # fmt: skip
    tags = tags_of(store(tmp_path / "a.tif", array))
    assert [tags[65000 + n] for n in range(4)] == [1.1e9 + 0.25, 12, 1_100_000_000, 250_000_000]
    assert tags[305] == "EPICS areaDetector"
    assert (tags[271], tags[272]) == ("Simulated detector", "Basic simulator")
    assert tags[270] == "first light"
    texts = [tags[65010 + n] for n in range(8)]
    assert texts == [
        "ColorMode:0", "Count:5", "Ratio:0.100000", "Single:2.000000", "Sample:steel: 3",
        "Manufacturer:Simulated detector", "Model:Basic simulator",
        "TIFFImageDescription:first light",
    ]  # fmt: skip
    assert 2000 < len(tags[65018]) <= 2048
    back = read_tiff(str(tmp_path / "a.tif"))
    assert (back.unique_id, back.time_stamp, back.ts_sec, back.ts_nsec) == (
        12, 1.1e9 + 0.25, 1_100_000_000, 250_000_000,
    )  # fmt: skip
    sample = back.attribute("Sample")
    assert sample is not None and sample.value == "steel: 3"
    assert back.attribute("ColorMode") is None


def test_without_names_a_camera_is_unknown(tmp_path: Path) -> None:
    tags = tags_of(store(tmp_path / "a.tif", NDArray(np.zeros((3, 4), np.uint16))))
    assert (tags[271], tags[272]) == ("Unknown", "Unknown")
    assert 270 not in tags


def test_more_attributes_than_tags(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    many = tuple(NDAttribute(f"A{n}", n) for n in range(600))
    path = store(tmp_path / "a.tif", NDArray(np.zeros((3, 4), np.uint8), attributes=many))
    # tifffile takes some of these tags for a microscope's
    with Image.open(path) as image:
        tags = dict(image.getexif())
    assert tags[65500] == "A489:489" and 65501 not in tags
    assert "601 attributes, of which a TIFF file takes 491" in caplog.text


def test_a_line_of_pixels_is_an_image_of_one_row(tmp_path: Path) -> None:
    path = store(tmp_path / "a.tif", NDArray(np.arange(9, dtype=np.int16)))
    assert tifffile.imread(path).shape in ((9,), (1, 9))
    assert read_tiff(str(path)).data.shape == (1, 9)


@pytest.mark.parametrize(
    ("shape", "mode"),
    [
        ((0, 4), ColorMode.MONO),
        ((2, 3, 4), ColorMode.MONO),
        ((2, 3, 4), ColorMode.RGB1),
        ((2, 4, 3), ColorMode.RGB2),
        ((2, 2, 2, 2), ColorMode.RGB1),
    ],
)
def test_other_structures_are_refused(shape: tuple, mode: ColorMode, tmp_path: Path) -> None:
    with pytest.raises(TIFFError, match="unsupported array structure"):
        store(tmp_path / "a.tif", NDArray(np.zeros(shape, np.uint8), color_mode=mode))


# ---- files of others


@pytest.mark.parametrize("byteorder", "<>")
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_any_grey_tiff_can_be_read(byteorder: str, compression: str, tmp_path: Path) -> None:
    data = np.arange(20, dtype=np.uint16).reshape(4, 5)
    tifffile.imwrite(tmp_path / "a.tif", data, byteorder=byteorder, compression=compression)
    back = read_tiff(str(tmp_path / "a.tif"))
    np.testing.assert_array_equal(back.data, data)
    assert back.data.dtype == np.uint16 and back.data_type is DataType.UINT16
    assert (back.unique_id, back.time_stamp, back.attributes) == (0, 0.0, ())


@pytest.mark.parametrize("content", [b"", b"II*\0", b"not a TIFF file at all", b"II*\0\x08\0\0\0"])
def test_what_is_no_tiff_is_an_error(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(OSError, match=r"a\.tif"):
        read_tiff(str(tmp_path / "a.tif"))


def test_a_file_cut_short_is_an_error(tmp_path: Path) -> None:
    whole = store(tmp_path / "a.tif", NDArray(np.zeros((40, 50), np.float64))).read_bytes()
    for size in range(1, len(whole), 997):
        (tmp_path / "cut.tif").write_bytes(whole[:size])
        with pytest.raises(OSError):
            read_tiff(str(tmp_path / "cut.tif"))


@settings(max_examples=150)
@given(st.data())
def test_a_broken_file_is_an_error_or_an_image(tmp_path_factory, data: st.DataObject) -> None:
    directory = tmp_path_factory.mktemp("t")
    path = store(directory / "a.tif", NDArray(np.zeros((4, 5), np.uint16)))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    try:
        array = read_tiff(str(path))
    except OSError:
        return
    assert isinstance(array, NDArray)


def test_other_kinds_of_image_are_refused(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 5), np.complex64))
    with pytest.raises(OSError, match="complex64"):
        read_tiff(str(tmp_path / "a.tif"))
    tifffile.imwrite(tmp_path / "b.tif", np.zeros((4, 5, 4), np.uint8), photometric="rgb")
    with pytest.raises(OSError, match="4 samples"):
        read_tiff(str(tmp_path / "b.tif"))
    with pytest.raises(FileNotFoundError):
        read_tiff(str(tmp_path / "none.tif"))


def test_a_small_file_of_a_huge_image_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((4, 5), np.uint8), compression="zlib")
    with tifffile.TiffFile(path, mode="r+") as file:
        for code in (256, 257, 278):  # width, length, rows of a strip
            file.pages.first.tags[code].overwrite(30_000)
    with pytest.raises(OSError, match="900000000 bytes"):
        read_tiff(str(path))


def test_a_device_takes_no_image() -> None:
    with Path("/dev/zero").open("wb") as file, pytest.raises(TIFFError, match="cannot write"):
        write_tiff(file, NDArray(np.zeros((4, 5), np.uint8)))
