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
from bluesky.utils import RunEngineInterrupted
from PIL import Image

from adsupport.devices import (
    AD_EpicsFileNameHDF5Plugin,
    AD_EpicsFileNameJPEGPlugin,
    AD_EpicsFileNameTIFFPlugin,
    AD_full_file_name_local,
    ad_creator,
    ensure_AD_plugin_primed,
)
from adsupport.errors import ConfigurationError, FileWriteError, NamingError
from adsupport.launch import IOCProcess
from adsupport.plans import prepare_count

SIZE = (48, 64)
KINDS = {
    "tiff1": (AD_EpicsFileNameTIFFPlugin, "tif"),
    "jpeg1": (AD_EpicsFileNameJPEGPlugin, "jpg"),
    "hdf1": (AD_EpicsFileNameHDF5Plugin, "h5"),
}


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
        plugins = ["cam", "image", "process1", {key: spec}]
        det = ad_creator(adsim.prefix, name="det", plugins=plugins)
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
        det.process1.data_type_out.put("Automatic")
        for key in {*KINDS} & {*det.component_names}:
            getattr(det, key).nd_array_port.put(det.cam.port_name.get())
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


@pytest.mark.parametrize(
    "dtype", ["UInt8", "UInt16", pytest.param("Float64", marks=pytest.mark.slow)]
)
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


def test_jpeg_of_what_a_plugin_makes_wide_is_refused_before_a_frame_came(
    make: Callable, engine: Any, disk: pathlib.Path
) -> None:
    det = make("jpeg1")
    det.process1.data_type_out.set("UInt16", timeout=5).wait()
    det.jpeg1.nd_array_port.put(det.process1.port_name.get())
    det.jpeg1.stage_sigs["lazy_open"] = "Yes"
    engine(prepare_count(det.jpeg1, "wide", 0.001, 0.002))
    with pytest.raises(ConfigurationError, match=r"JPEG1:DataType_RBV.*UInt16.*8-bit frames only"):
        engine(bp.count([det]))
    assert files(disk) == []


WAYS = [("tiff1", "Single"), ("tiff1", "Capture"), ("jpeg1", "Single"), ("hdf1", "Single")]


@pytest.mark.parametrize(("key", "mode"), WAYS, ids=[" ".join(way) for way in WAYS])
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_file_a_frame_is_read_through_the_catalog_in_any_mode(
    key: str, mode: str, make: Callable, engine: Any, catalog: Any, disk: pathlib.Path
) -> None:
    det = make(key)
    writer = getattr(det, key)
    engine(prepare_count(writer, "look", 0.001, 0.002, 2, file_path=f"{disk}/ioc/deep/er/"))
    writer.read_path_template, writer.write_path_template = f"{disk}/local/", f"{disk}/ioc/"
    writer.stage_sigs["file_write_mode"] = mode
    if mode == "Capture":
        writer.stage_sigs["num_capture"] = 6
        writer.stage_sigs.move_to_end("capture")
    (uid,) = engine(bp.count([det], num=3))
    image = catalog[uid].primary.read()["det_image"]
    assert (image.shape, image.dtype) == ((3, 2, *SIZE), np.uint8)
    assert len(files(disk)) == 6
    if key != "jpeg1":  # which blurs
        assert np.diff(image.values[..., 5, 5].ravel()).tolist() == [1] * 5


@pytest.mark.parametrize(("key", "mode"), [("tiff1", "Stream"), ("hdf1", "Single")])
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_first_point_that_was_torn_is_taken_again_into_files_behind(
    key: str, mode: str, make: Callable, engine: Any, catalog: Any, disk: pathlib.Path
) -> None:
    det = make(key)
    writer = getattr(det, key)
    writer.stage_sigs["file_write_mode"] = mode
    engine(prepare_count(writer, "torn", 0.05, 0.06, 8))
    number = {"begun": False, "asked": False}

    def written(value: Any = None, **_: Any) -> None:
        if value is not None and int(value) < 3:
            number["begun"] = True
        elif number["begun"] and not number["asked"]:
            number["asked"] = True
            engine.request_pause(False)

    writer.file_number.subscribe(written, run=False)
    with pytest.raises(RunEngineInterrupted):
        engine(bp.count([det], num=2))
    (uid,) = engine.resume()
    image = catalog[uid].primary.read()["det_image"]
    assert image.shape == (2, 8, *SIZE)
    assert np.diff(image.values[..., 5, 5], axis=1).tolist() == [[1] * 7] * 2
    numbers = [int(path.stem[-4:]) for path in files(disk)]
    torn = len(numbers) - 16  # what was in the plugin's queue at the pause is written, too
    assert 3 <= torn <= 8
    assert numbers == [*range(torn), *range(8, 24)]


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_template_with_a_directory_in_it_is_read_where_it_was_written(
    make: Callable, engine: Any, catalog: Any, disk: pathlib.Path
) -> None:
    det = make("tiff1")
    (disk / "ioc/here/sub").mkdir(parents=True)
    engine(
        prepare_count(
            det.tiff1,
            "look",
            0.001,
            0.002,
            file_path=f"{disk}/ioc/here/",
            file_template="%ssub/%s_%d.tif",
        )
    )
    det.tiff1.read_path_template, det.tiff1.write_path_template = f"{disk}/local/", f"{disk}/ioc/"
    (uid,) = engine(bp.count([det], num=2))
    assert catalog[uid].primary.read()["det_image"].shape == (2, 1, *SIZE)
    assert [path.name for path in files(disk)] == ["look_0.tif", "look_1.tif"]


def test_a_template_that_readers_fill_in_otherwise_is_refused(
    make: Callable, engine: Any, disk: pathlib.Path
) -> None:
    det = make("tiff1")
    # printf ignores the flag 0 before a precision, Python doesn't
    engine(prepare_count(det.tiff1, "look", 0.001, 0.002, file_template="%s%s_%06.3d.tif"))
    with pytest.raises(
        NamingError, match=r"look_   000\.tif.*readers of AD_TIFF.*look_000000\.tif"
    ):
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
