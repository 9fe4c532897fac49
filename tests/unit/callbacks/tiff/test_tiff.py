"""Images of runs as TIFF files, read back by tifffile."""

from __future__ import annotations

import csv
import errno
import json
import os
import pathlib
import threading

import h5py
import numpy as np
import pytest
import tifffile

from adsupport.callbacks.tiff import TIFFWriter
from adsupport.callbacks.tiff.page import ascii_json, images_in, needs_bigtiff, write_page
from adsupport.errors import ConfigurationError, DocumentError, OutputError, OutputExistsError

from ...documents import encodings as enc
from ..sending import send

RANGE = {
    "int8": [-128, 127], "uint8": [0, 255], "int16": [-32768, 32767], "uint16": [0, 65535],
    "int32": [-(2**31), 2**31 - 1], "uint32": [0, 2**32 - 1], "int64": [-(2**63), 2**63 - 1],
    "uint64": [0, 2**64 - 1], "float16": [-1.5, np.inf], "float32": [-1.5, np.nan],
    "float64": [5e-324, -1e308], "complex64": [1 + 2j, -1j], "bool": [True, False],
}  # fmt: skip


def inline(*values, shape, dtype_numpy=None, start=None):
    """A run with an array column, as documents."""
    documents = enc.start_of({})
    documents[0][1].update(start or {})
    key = {"dtype": "array", "shape": list(shape), "source": "x"}
    if dtype_numpy:
        key["dtype_numpy"] = dtype_numpy
    descriptor = enc.descriptor_of("primary", {"kinds": [], "images": False})
    documents.append(("descriptor", descriptor | {"data_keys": {"a": key}, "hints": {}}))
    for number, value in enumerate(values, 1):
        event = {"descriptor": "primary-0", "uid": f"e{number}", "seq_num": number,
                 "time": 1000.0 + number, "data": {"a": value}, "timestamps": {"a": 0.0},
                 "filled": {}}  # fmt: skip
        documents.append(("event", event))
    stop = {"uid": "stop", "run_start": enc.UID, "time": 2000.0, "exit_status": "success"}
    return [*documents, ("stop", stop | {"num_events": {"primary": len(values)}})]


def in_hdf5(directory, frames, rows=3):
    """A run whose images are in an HDF5 file, two for each event."""
    stream = {"kinds": ["number"], "images": True, "table": [[1.5]] * rows}
    documents = enc.singly({"streams": {"primary": stream}, "stop": True, "seed": 0})
    if frames is not None:
        with h5py.File(directory / "primary.h5", "w") as file:
            file["entry/data/data"] = frames
    for name, doc in documents:
        if name == "resource":
            doc.update(root="/", resource_path=str(directory / "primary.h5").lstrip("/"))
    return documents


def described(path):
    with tifffile.TiffFile(path) as file:
        texts = [page.aspage().description for page in file.pages]
    assert all(text.isascii() for text in texts)
    return [json.loads(text) for text in texts]


@pytest.mark.parametrize("dtype", RANGE)
@pytest.mark.parametrize("layout", ["stack", "series"])
def test_every_type_comes_back_exactly(tmp_path, dtype, layout):
    image = np.array([RANGE[dtype], RANGE[dtype][::-1], RANGE[dtype]], dtype)
    documents = inline(image, image, shape=(3, 2))
    (result,) = send(TIFFWriter(tmp_path, "x", layout=layout), documents)
    files = [path for path in result.paths if path.suffix == ".tif"]
    assert len(files) == {"stack": 1, "series": 2}[layout]
    found = tifffile.imread(files[0])
    assert found.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(found, np.stack([image, image]) if layout == "stack" else image)


def test_lists_take_the_type_of_the_descriptor(tmp_path):
    documents = inline([[1, 2], [3, 65535]], shape=(2, 2), dtype_numpy="<u2")
    (result,) = send(TIFFWriter(tmp_path, "x"), documents)
    assert tifffile.imread(result.paths[0]).dtype == np.uint16
    documents = inline([[1, 2], [3, 65536]], [[0.5, 1], [2, 3]], shape=(2, 2), dtype_numpy="<u2")
    (result,) = send(TIFFWriter(tmp_path, "y"), documents)
    found = tifffile.imread(result.paths[0])
    np.testing.assert_array_equal(found, [[[1, 2], [3, 65536]], [[0.5, 1], [2, 3]]])


def test_a_stack_of_images_in_a_file(tmp_path):
    frames = np.arange(6 * 4 * 5, dtype="u4").reshape(6, 4, 5) * 2**20
    (result,) = send(TIFFWriter(tmp_path / "out", "x"), in_hdf5(tmp_path, frames))
    assert [path.name for path in result.paths] == ["x-primary-image.tif"]
    assert os.listdir(tmp_path / "out") == ["x-primary-image.tif"]
    found = tifffile.imread(result.paths[0])
    assert found.dtype == np.uint32
    np.testing.assert_array_equal(found, frames)
    pages = described(result.paths[0])
    assert [(page["seq_num"], page["frame"]) for page in pages] == [
        (1, 0), (1, 1), (2, 0), (2, 1), (3, 0), (3, 1),
    ]  # fmt: skip
    assert pages[0]["start"]["uid"] == enc.UID and pages[0]["stop"]["exit_status"] == "success"
    assert "start" not in pages[1] and pages[1]["time"] == 1001.0
    with tifffile.TiffFile(result.paths[0]) as file:
        assert not file.is_bigtiff and len(file.series) == 1


def test_a_series_has_a_file_for_each_image_and_an_index(tmp_path):
    frames = np.arange(6 * 4 * 5, dtype="i2").reshape(6, 4, 5) - 60
    writer = TIFFWriter(tmp_path / "out", "x", layout="series")
    (result,) = send(writer, in_hdf5(tmp_path, frames))
    assert os.listdir(tmp_path / "out") == ["x"]
    with open(tmp_path / "out" / "x" / "index.csv", newline="") as file:
        index = list(csv.DictReader(file))
    assert [each["file"] for each in index][:2] == [
        "primary-image-000001-0000.tif", "primary-image-000001-0001.tif",
    ]  # fmt: skip
    for number, each in enumerate(index):
        found = tifffile.imread(tmp_path / "out" / "x" / each["file"])
        np.testing.assert_array_equal(found, frames[number])
    metadata = json.loads((tmp_path / "out" / "x" / "metadata.json").read_text())
    assert metadata["start"]["scan_id"] == 7 and metadata["problems"] == []
    assert result.paths[-1].name == "metadata.json"


def test_metadata_with_a_shape_and_unicode_confuses_no_reader(tmp_path):
    image = np.eye(3, dtype="u1")
    awkward = {"shape": [5, 5], "who": "Ä\n\udc80", "nan": float("nan")}
    (result,) = send(TIFFWriter(tmp_path, "x"), inline(image, image, shape=(3, 3), start=awkward))
    assert tifffile.imread(result.paths[0]).shape == (2, 3, 3)
    assert described(result.paths[0])[0]["start"]["shape"] == [5, 5]


def test_colours_stay_colours(tmp_path):
    rgb = np.arange(2 * 4 * 5 * 3, dtype="u1").reshape(2, 4, 5, 3)
    (result,) = send(TIFFWriter(tmp_path, "x"), inline(rgb, shape=rgb.shape))
    with tifffile.TiffFile(result.paths[0]) as file:
        assert len(file.pages) == 2 and file.pages[0].aspage().photometric == 2  # RGB
        np.testing.assert_array_equal(file.asarray(), rgb)


@pytest.mark.parametrize("shape", [(4, 5, 3), (3, 4, 5), (4, 5, 4), (4, 4, 5)])
def test_pages_in_colour_are_read_back(tmp_path, shape):
    image = np.arange(np.prod(shape), dtype="u2").reshape(shape)
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        write_page(writer, image, "x")
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        assert len(file.pages) == 1
        np.testing.assert_array_equal(file.asarray(), image)


@pytest.mark.parametrize(
    ("shape", "dtype", "images"),
    [
        ((4, 5), "u1", [(4, 5)]),
        ((2, 4, 5), "u1", [(4, 5)] * 2),
        ((4, 5, 3), "u1", [(4, 5, 3)]),
        ((4, 5, 3), "f8", [(5, 3)] * 4),
        ((2, 4, 5, 4), "u2", [(4, 5, 4)] * 2),
        ((2, 3, 4, 5), "i4", [(4, 5)] * 6),
    ],
)
def test_values_are_split_into_images(shape, dtype, images):
    assert [each.shape for each in images_in(np.zeros(shape, dtype))] == images


def test_long_files_are_bigtiff():
    assert not needs_bigtiff(100, 2**20, 10**5)
    assert needs_bigtiff(4096, 2**20, 10**5)


def test_shapes_that_differ_are_pages_that_differ(tmp_path):
    one, other = np.ones((2, 3)), np.zeros((4, 5))
    (result,) = send(TIFFWriter(tmp_path, "x"), inline(one, other, shape=(2, 3)))
    with tifffile.TiffFile(result.paths[0]) as file:
        np.testing.assert_array_equal(file.pages[0].asarray(), one)
        np.testing.assert_array_equal(file.pages[1].asarray(), other)


def test_missing_images_are_told_and_not_made_up(tmp_path):
    frames = np.ones((4, 4, 5), "f4")
    documents = in_hdf5(tmp_path, frames, rows=2)
    documents = [each for each in documents if each[0] != "datum" or each[1]["datum_id"][-1] != "0"]
    with pytest.raises(DocumentError, match="image"):
        send(TIFFWriter(tmp_path, "a", image_timeout=0), documents)
    pages = described(tmp_path / "a-primary-image.tif")
    assert [page.get("missing", False) for page in pages] == [True, True, False, False]
    assert np.isnan(tifffile.imread(tmp_path / "a-primary-image.tif")[:2]).all()
    writer = TIFFWriter(tmp_path, "b", layout="series", image_timeout=0, strict=False)
    (result,) = send(writer, documents)
    assert [path.name for path in result.paths if path.suffix == ".tif"] == [
        "primary-image-000002-0000.tif", "primary-image-000002-0001.tif",
    ]  # fmt: skip


@pytest.mark.parametrize("layout", ["stack", "series"])
def test_without_its_image_file_a_run_has_no_file_and_fails(tmp_path, layout):
    documents = in_hdf5(tmp_path, None)
    writer = TIFFWriter(tmp_path, layout=layout, image_timeout=0.05)
    with pytest.raises(DocumentError, match=r"primary\.h5"):
        send(writer, documents)
    assert os.listdir(tmp_path) == []


def test_a_late_file_is_waited_for(tmp_path):
    frames = np.ones((6, 4, 5), "u1")
    documents = in_hdf5(tmp_path, None)
    writer = TIFFWriter(tmp_path / "out", "x", image_timeout=10)
    later = threading.Timer(0.2, in_hdf5, (tmp_path, frames))
    later.start()
    (result,) = send(writer, documents)
    later.join()
    np.testing.assert_array_equal(tifffile.imread(result.paths[0]), frames)


def test_a_run_without_images_has_no_files(tmp_path):
    stream = {"kinds": ["number", "array"], "images": False, "table": [[1.5, [1, 2, 3]]]}
    documents = enc.singly({"streams": {"primary": stream}, "stop": True, "seed": 0})
    for layout in ("stack", "series"):
        (result,) = send(TIFFWriter(tmp_path, layout=layout), documents)
        assert result.paths == [] and "no images" in result.remarks[0]
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("layout", ["stack", "series"])
def test_a_name_that_is_taken_can_be_tried_again(tmp_path, layout):
    image = np.eye(3, dtype="u1")
    taken = {"stack": "x-primary-a.tif", "series": "x/primary-a-000002.tif"}[layout]
    (tmp_path / taken).parent.mkdir(exist_ok=True)
    (tmp_path / taken).write_text("mine")
    writer = TIFFWriter(tmp_path, "x", layout=layout)
    with pytest.raises(OutputExistsError):
        send(writer, inline(image, image, shape=(3, 3)))
    assert (tmp_path / taken).read_text() == "mine"
    (tmp_path / taken).unlink()
    (result,) = writer.retry(timeout=20)
    assert len(result.paths) == {"stack": 1, "series": 4}[layout]
    assert not [name for name in os.listdir((tmp_path / taken).parent) if name.startswith(".")]
    np.testing.assert_array_equal(tifffile.imread(tmp_path / taken).reshape(-1, 3)[-3:], image)


@pytest.mark.parametrize("layout", ["stack", "series"])
def test_keys_that_look_alike_in_names_have_files_of_their_own(tmp_path, layout):
    documents = inline({}, shape=(2, 2))
    names = ["a/b", "a:b", "a?b", "\udc80"]
    key = documents[1][1]["data_keys"].pop("a")
    documents[1][1]["data_keys"] = dict.fromkeys(names, key)
    documents[2][1]["data"] = {name: np.full((2, 2), i) for i, name in enumerate(names)}
    documents[2][1]["timestamps"] = dict.fromkeys(names, 0.0)
    (result,) = send(TIFFWriter(tmp_path, "x", layout=layout), documents)
    found = [tifffile.imread(path) for path in result.paths if path.suffix == ".tif"]
    assert [each[0, 0] for each in found] == [0, 1, 2, 3]


def test_bump_takes_another_directory(tmp_path):
    (tmp_path / "x").mkdir()
    image = np.eye(3)
    writer = TIFFWriter(tmp_path, "x", layout="series", exists="bump")
    send(writer, inline(image, shape=(3, 3)))
    assert "metadata.json" in os.listdir(tmp_path / "x-1")


def test_series_that_end_together_get_directories_of_their_own(tmp_path):
    writer = TIFFWriter(tmp_path, "x", layout="series", exists="bump")
    for number in range(5):
        documents = inline([[number] * 2] * 2, shape=(2, 2), start={"uid": f"run-{number}"})
        documents[1][1].update(run_start=f"run-{number}", uid=f"descriptor-{number}")
        documents[2][1].update(descriptor=f"descriptor-{number}")
        documents[3][1].update(run_start=f"run-{number}")
        for name, doc in documents:
            writer(name, doc)
    results = writer.wait_writer(timeout=20)
    assert len({result.paths[0].parent for result in results}) == 5
    assert all(len(os.listdir(result.paths[0].parent)) == 3 for result in results)


@pytest.fixture
def old_series(tmp_path):
    """A series of three images, and a writer that is to replace it."""
    send(TIFFWriter(tmp_path, "x", layout="series"), inline(*[np.eye(3)] * 3, shape=(3, 3)))
    return TIFFWriter(tmp_path, "x", layout="series", exists="replace")


def content(directory):
    return {each.name: each.is_file() and each.read_bytes() for each in directory.iterdir()}


#: The series that is to replace the old one.
NEW = inline(*[np.full((3, 3), i) for i in range(3)], shape=(3, 3))


def test_no_image_is_replaced_when_one_is_known_to_fail(tmp_path, old_series):
    (tmp_path / "x" / "primary-a-000002.tif").unlink()
    (tmp_path / "x" / "primary-a-000002.tif").mkdir()
    old = content(tmp_path / "x")
    with pytest.raises(OutputError, match=r"primary-a-000002\.tif can't be written") as caught:
        send(old_series, NEW)
    assert "were replaced" not in str(caught.value)
    assert old.items() <= content(tmp_path / "x").items()
    (tmp_path / "x" / "primary-a-000002.tif").rmdir()
    (result,) = old_series.retry(timeout=20)
    assert sorted(path.name for path in result.paths) == sorted(os.listdir(tmp_path / "x"))
    assert [tifffile.imread(path)[0, 0] for path in result.paths[:3]] == [0, 1, 2]


def test_which_images_were_replaced_is_told(tmp_path, old_series, monkeypatch):
    (tmp_path / "x" / "primary-a-000002.tif").unlink()
    (tmp_path / "x" / "primary-a-000002.tif").mkdir()
    with monkeypatch.context() as patch:
        for room in ("file_set", "tiff.writer"):
            patch.setattr(f"adsupport.callbacks.{room}.is_blocked", lambda *args: False)
        with pytest.raises(OutputError) as caught:
            send(old_series, NEW)
    assert (
        "these were replaced: primary-a-000001.tif; these weren't: primary-a-000002.tif, "
        "primary-a-000003.tif, index.csv, metadata.json" in str(caught.value)
    )
    assert not (tmp_path / "x" / "metadata.json").exists()  # the series isn't whole
    with pytest.raises(OutputError, match=r"these were replaced: primary-a-000001\.tif;"):
        old_series.retry(timeout=20)
    (tmp_path / "x" / "primary-a-000002.tif").rmdir()
    (result,) = old_series.retry(timeout=20)
    assert sorted(path.name for path in result.paths) == sorted(os.listdir(tmp_path / "x"))
    assert [tifffile.imread(path)[0, 0] for path in result.paths[:3]] == [0, 1, 2]


def test_a_series_that_cant_be_written_leaves_the_old_one(tmp_path, old_series, monkeypatch):
    def full(writer, pixels, text):
        if pixels[0, 0] == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        write_page(writer, pixels, text)

    old = content(tmp_path / "x")
    monkeypatch.setattr("adsupport.callbacks.tiff.writer.write_page", full)
    with pytest.raises(OutputError, match=r"primary-a-000003\.tif can't be written: No space"):
        send(old_series, NEW)
    assert content(tmp_path / "x") == old


def test_a_series_waits_elsewhere_for_its_directory(tmp_path):
    (tmp_path / "no").write_text("no directory")
    writer = TIFFWriter(tmp_path / "no", "x", layout="series")
    with pytest.raises(OutputError, match="no") as caught:
        send(writer, inline(np.eye(3), shape=(3, 3)))
    kept = pathlib.Path(getattr(caught.value, "kept", ""))
    assert kept.is_file()
    (tmp_path / "no").unlink()
    (result,) = writer.retry(timeout=20)
    np.testing.assert_array_equal(tifffile.imread(result.paths[0]), np.eye(3))
    assert not kept.parent.exists()


def test_a_row_without_image_in_the_documents_has_a_page_that_says_so(tmp_path):
    rows = [[[1, 2], [3, 4]], None, [[5, 6], [7, 8]]]
    writer = TIFFWriter(tmp_path, "x")
    (result,) = send(writer, inline(*rows, shape=(2, 2), dtype_numpy="<u2"))
    (path,) = result.paths
    assert tifffile.imread(path)[:, 0].tolist() == [[1, 2], [65535, 65535], [5, 6]]
    assert [page.get("missing", False) for page in described(path)] == [False, True, False]


def test_a_directory_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "no").write_text("no directory")
    writer = TIFFWriter(tmp_path / "no", "x")
    with pytest.raises(OutputError, match="no"):
        send(writer, inline(np.eye(3), shape=(3, 3)))
    (tmp_path / "no").unlink()
    (result,) = writer.retry(timeout=20)
    np.testing.assert_array_equal(tifffile.imread(result.paths[0]), np.eye(3))


def test_values_that_are_no_images_are_told(tmp_path):
    writer = TIFFWriter(tmp_path, "x", strict=False)
    documents = inline(np.eye(2), [["a", "b"], ["c", "d"]], [1.0], shape=(2, 2))
    (result,) = send(writer, documents)
    assert len(result.skipped) == 2
    pages = tifffile.imread(result.paths[0])
    np.testing.assert_array_equal(pages[0], np.eye(2))
    assert np.isnan(pages[1:]).all() and len(pages) == 3


def test_descriptions_are_ascii_json_of_anything():
    text = ascii_json({"a": "ü", "b": float("nan"), "shape": (1, 2), "c": object()})
    assert text.isascii() and '"shape":' not in text
    json.loads(text, parse_constant=pytest.fail)


def test_wrong_options_are_refused():
    with pytest.raises(ConfigurationError, match="layout"):
        TIFFWriter(layout="pile")  # type: ignore[arg-type]
