"""Images of area detectors in the NeXus file: linked, copied, late, missing."""

import threading
import time

import h5py
import numpy as np
import pytest

from adsupport.callbacks.nexus import NXWriter, check_nexus
from adsupport.errors import AdsupportError

POINTS, FRAMES = 3, 2


@pytest.fixture
def images():
    return np.arange(POINTS * FRAMES * 4 * 5, dtype=np.uint16).reshape(POINTS * FRAMES, 4, 5)


@pytest.fixture
def image_file(tmp_path, images):
    """A function that writes what the IOC writes."""

    def call(name="images.h5", data=images):
        path = tmp_path / "ioc" / name
        path.parent.mkdir(exist_ok=True)
        with h5py.File(tmp_path / "new.h5", "w") as file:
            file.create_dataset("entry/data/data", data=data, chunks=(1, 4, 5), compression="gzip")
        (tmp_path / "new.h5").rename(path)
        return path

    return call


@pytest.fixture
def scan(documents, tmp_path):
    """A function that makes a run with images."""

    def call(points=POINTS, start=None, **columns):
        values = columns or {"m": [float(each) for each in range(points)]}
        found = documents(
            {"primary": {**values, "det_image": ["datum"] * points}},
            start={"detectors": ["det"], "motors": ["m"], **(start or {})},
            objects={"det": ["det_image"], **{key: [key] for key in values}},
            hints={key: {"fields": [key]} for key in values} | {"det": {"fields": []}},
            keys={
                "det_image": {
                    "dtype": "array",
                    "shape": [FRAMES, 4, 5],
                    "external": "FILESTORE:",
                    "dtype_numpy": "<u2",
                }
            },
        )
        uid = found[0][1]["uid"]
        resource = {
            "uid": "0123-res",
            "run_start": uid,
            "spec": "AD_HDF5",
            "root": str(tmp_path),
            "resource_path": "ioc/images.h5",
            "resource_kwargs": {"frame_per_point": FRAMES},
            "path_semantics": "posix",
        }
        datums = []
        for row in range(points):
            datum = f"0123-res/{row}"
            kwargs = {"point_number": row}
            datums.append(
                ("datum", {"datum_id": datum, "resource": "0123-res", "datum_kwargs": kwargs})
            )
            found[2 + row][1]["data"]["det_image"] = datum
            found[2 + row][1]["filled"]["det_image"] = False
        return [*found[:2], ("resource", resource), *datums, *found[2:]]

    return call


VALUE = "entry/instrument/bluesky/streams/primary/det_image/value"


@pytest.mark.parametrize("way", ["link", "copy", "repack"])
def test_images_are_in_the_file_or_linked(scan, write, image_file, images, way):
    source = image_file()
    path = write(scan(), images=way)
    with h5py.File(path) as file:
        value = file[VALUE]
        assert value.is_virtual == (way == "link")
        np.testing.assert_array_equal(value[()].reshape(images.shape), images)
        assert value.shape == (POINTS, FRAMES, 4, 5)
        assert value.attrs["source_file"] == str(source)
        assert value.attrs["source_address"] == "/entry/data/data"
        assert value.attrs["resource_id"] == "0123-res"
        data = file["entry/data"]
        assert data.attrs["signal"] == "det_image"
        assert list(data.attrs["axes"]) == ["m", ".", ".", "."]
        assert data["det_image"] == value
        streams = file["entry/instrument/bluesky/streams/primary"]
        assert streams["det"] == streams["det_image"]
        assert file["entry/instrument/detectors/det_image/data/value"] == value
    assert check_nexus(path) == []


def test_links_are_relative(scan, write, image_file, images, tmp_path):
    image_file()
    path = write(scan(), file_path=tmp_path / "out")
    (tmp_path / "out").rename(tmp_path / "moved")
    with h5py.File(tmp_path / "moved" / path.name) as file:
        np.testing.assert_array_equal(file[VALUE][()].reshape(images.shape), images)


def test_images_that_come_late_are_waited_for(scan, write, image_file, images):
    timer = threading.Timer(0.3, image_file)
    timer.start()
    began = time.monotonic()
    path = write(scan(), image_timeout=20)
    timer.join()
    assert time.monotonic() - began >= 0.25
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file[VALUE][()].reshape(images.shape), images)


@pytest.mark.parametrize("way", ["link", "copy"])
def test_images_that_never_come_are_told_and_the_rest_is_written(scan, tmp_path, caplog, way):
    writer = NXWriter(
        file_path=tmp_path, image_timeout=0.1, images=way, warn_on_missing_content=False
    )
    for name, doc in scan():
        writer.receiver(name, doc)
    with pytest.raises(AdsupportError, match="images.h5"):
        writer.wait_writer(timeout=20)
    (path,) = writer.results[-1].paths
    with h5py.File(path) as file:
        assert file["entry/data/m"][()].tolist() == [0, 1, 2]
        value = file[VALUE]
        assert value.attrs["missing_frames"] == POINTS * FRAMES
        assert (value[()] == np.iinfo(np.uint16).max).all()


def test_images_that_may_be_missing(scan, write):
    path = write(scan(), image_timeout=0.1, on_missing_images="placeholder")
    with h5py.File(path) as file:
        assert file[VALUE].attrs["missing_frames"] == POINTS * FRAMES


def test_images_over_a_grid(scan, write, image_file, images):
    image_file()
    start = {
        "motors": ["x", "y"],
        "shape": [1, 3],
        "snaking": [False, False],
        "plan_pattern": "outer_product",
        "hints": {"dimensions": [[["x"], "primary"], [["y"], "primary"]]},
    }
    path = write(scan(start=start, x=[0.0] * 3, y=[1.0, 2.0, 3.0]))
    with h5py.File(path) as file:
        data = file["entry/data"]
        assert list(data.attrs["axes"]) == ["x", "y", ".", ".", "."]
        np.testing.assert_array_equal(
            data["det_image"][()], images.reshape(1, POINTS, FRAMES, 4, 5)
        )
    assert check_nexus(path) == []


def test_no_points_have_no_images(scan, write):
    path = write(scan(points=0, m=[]))
    with h5py.File(path) as file:
        assert "det_image" not in file["entry/data"]
    assert check_nexus(path) == []


def test_images_that_come_in_the_documents(scan, write, images):
    found = scan()
    for row, (_, event) in enumerate(found[-1 - POINTS : -1]):
        event["data"]["det_image"] = images[row * FRAMES : (row + 1) * FRAMES]
        event["filled"]["det_image"] = "0123-res/0"
    path = write(found)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file[VALUE][()].reshape(images.shape), images)
        assert file["entry/data"].attrs["signal"] == "det_image"
    assert check_nexus(path) == []
