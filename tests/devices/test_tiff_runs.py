"""Runs that write a file a frame: TIFF and JPEG plugins of the simulated IOC, named by the user."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import bluesky.plans as bp
import numpy as np
import pytest
import tifffile
from area_detector_handlers.handlers import AreaDetectorTiffHandler
from PIL import Image

from adsupport.devices import (
    AD_EpicsFileNameJPEGPlugin,
    AD_EpicsFileNameTIFFPlugin,
    AD_full_file_name_local,
    ad_creator,
    ensure_AD_plugin_primed,
)
from adsupport.errors import ConfigurationError, FileWriteError
from adsupport.launch import IOCProcess
from adsupport.plans import prepare_count

SIZE = (48, 64)
KINDS = {"tiff1": (AD_EpicsFileNameTIFFPlugin, "tif"), "jpeg1": (AD_EpicsFileNameJPEGPlugin, "jpg")}


@pytest.fixture
def make(
    adsim: IOCProcess, disk: pathlib.Path, make_ready: Callable[..., None]
) -> Iterator[Callable[[str], Any]]:
    """Make a small detector with one of the plugins, primed, in the state of a new IOC."""
    made = []

    def make(key: str) -> Any:
        kind, suffix = KINDS[key]
        spec = {
            "class": kind,
            "write_path_template": f"{disk}/ioc/%Y/%m/",
            "read_path_template": f"{disk}/local/%Y/%m/",
        }
        det = ad_creator(adsim.prefix, name="det", plugins=["cam", "image", {key: spec}])
        det.wait_for_connection(timeout=15)
        made.append(det)
        rows, columns = SIZE
        make_ready(
            det,
            getattr(det, key),
            {"size.size_x": columns, "size.size_y": rows},
            {"file_template": f"%s%s_%4.4d.{suffix}"},
        )
        return det

    yield make
    for det in made:
        det.unstage()
        det.cam.size.size_x.put(1024)
        det.cam.size.size_y.put(1024)
        det.stop(success=True)


def files(disk: pathlib.Path) -> list[pathlib.Path]:
    return sorted(path for path in (disk / "ioc").rglob("*") if path.is_file())


def frames_of(documents: Any, disk: pathlib.Path) -> list[np.ndarray]:
    """Read the images of a run as a catalog's handler does."""
    (resource,) = documents.of("resource")
    assert resource["spec"] == "AD_TIFF"
    handler = AreaDetectorTiffHandler(
        pathlib.Path(resource["root"]) / resource["resource_path"], **resource["resource_kwargs"]
    )
    data = [datum for page in documents.of("datum") for datum in [page["datum_kwargs"]]]
    for page in documents.of("datum_page"):
        kwargs = page["datum_kwargs"]
        count = len(next(iter(kwargs.values())))
        data += [{key: values[n] for key, values in kwargs.items()} for n in range(count)]
    for kwargs in data:
        for path in handler.get_file_list([kwargs]):
            assert str(path).startswith(f"{disk}/local/"), "documents name the local mount"
    return [np.asarray(handler(**kwargs)) for kwargs in data]


@pytest.mark.parametrize("dtype", ["UInt8", "UInt16", "Float64"])
def test_tiff_frames_are_read_back_through_the_documents(
    dtype: str, make: Callable, engine: Any, documents: Any, disk: pathlib.Path
) -> None:
    det = make("tiff1")
    det.cam.data_type.set(dtype, timeout=5).wait()
    ensure_AD_plugin_primed(det.tiff1, True)
    det.cam.acquire.set(0, timeout=5).wait()
    det.cam.image_mode.set("Multiple", timeout=5).wait()
    engine(prepare_count(det.tiff1, "sample", 0.001, 0.002, n_images=3))
    engine(bp.count([det], num=2))
    names = [path.name for path in files(disk)]
    assert names == [f"sample_{number:04}.tif" for number in range(6)]
    stored = [tifffile.imread(path) for path in files(disk)]
    assert all(image.shape == SIZE and image.dtype == dtype.lower() for image in stored)
    points = frames_of(documents, disk)
    assert [point.shape for point in points] == [(3, *SIZE)] * 2
    np.testing.assert_array_equal(np.concatenate(points), stored)
    # the ramp goes on by one from frame to frame: none is lost, doubled or out of order
    steps = np.diff(np.array(stored)[:, 5, 5].astype(int))
    assert steps.tolist() == [1] * 5
    assert det.tiff1.file_number.get() == 6
    assert AD_full_file_name_local(det.tiff1) == disk / "local" / files(disk)[-1].relative_to(
        disk / "ioc"
    )


def test_two_runs_write_to_files_of_their_own(
    make: Callable, engine: Any, documents: Any, disk: pathlib.Path
) -> None:
    det = make("tiff1")
    for name in ("one", "two"):
        engine(prepare_count(det.tiff1, name, 0.001, 0.002, n_images=2))
        engine(bp.count([det]))
    assert [path.name for path in files(disk)] == [
        "one_0000.tif", "one_0001.tif", "two_0002.tif", "two_0003.tif"
    ], "the number goes on"  # fmt: skip
    assert len(documents.of("resource")) == 2


def test_jpeg_frames_are_written_and_documented(
    make: Callable, engine: Any, documents: Any, disk: pathlib.Path
) -> None:
    det = make("jpeg1")
    engine(prepare_count(det.jpeg1, "look", 0.001, 0.002, n_images=2))
    engine(bp.count([det]))
    assert [path.name for path in files(disk)] == ["look_0000.jpg", "look_0001.jpg"]
    with Image.open(files(disk)[0]) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "L", SIZE[::-1])
    (resource,) = documents.of("resource")
    assert resource["spec"] == "AD_JPEG"
    kwargs = resource["resource_kwargs"]
    directory = f"{resource['root']}{resource['resource_path']}"
    named = kwargs["template"] % (str(pathlib.Path(directory)) + "/", kwargs["filename"], 1)
    assert pathlib.Path(named).samefile(files(disk)[1])


def test_jpeg_of_wide_frames_is_refused_before_the_run(
    make: Callable, engine: Any, disk: pathlib.Path
) -> None:
    det = make("jpeg1")
    det.cam.data_type.set("UInt16", timeout=5).wait()
    ensure_AD_plugin_primed(det.jpeg1, True)
    with pytest.raises(ConfigurationError, match="8-bit frames only"):
        engine(prepare_count(det.jpeg1, "wide", 0.001, 0.002))
        engine(bp.count([det]))
    assert files(disk) == []


def test_a_directory_that_goes_away_fails_the_run(
    make: Callable, engine: Any, disk: pathlib.Path
) -> None:
    det = make("tiff1")
    engine(prepare_count(det.tiff1, "lost", 0.001, 0.002))
    det.stage()
    directory = pathlib.Path(det.tiff1.file_path.get())
    directory.rename(directory.with_name("gone"))
    with pytest.raises(FileWriteError, match=r"TIFF1:WriteStatus.*lost_0000\.tif.*0 of 1 frames"):
        det.trigger().wait(10)
    det.unstage()
    assert files(disk) == []
