"""Images of every kind, by every route: described before the first event as in their files."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import bluesky.plans as bp
import h5py
import hdf5plugin  # noqa: F401  registers the filters of compressed arrays
import numpy as np
import pytest
import tifffile
from PIL import Image

from adsupport.devices import (
    AD_EpicsFileNameHDF5Plugin,
    AD_EpicsFileNameJPEGPlugin,
    AD_EpicsFileNameTIFFPlugin,
    ad_creator,
)
from adsupport.launch import IOCProcess

from .conftest import CAMERA, put_all

pytestmark = pytest.mark.slow

WRITERS = {
    "hdf1": (AD_EpicsFileNameHDF5Plugin, "h5"),
    "tiff1": (AD_EpicsFileNameTIFFPlugin, "tif"),
    "jpeg1": (AD_EpicsFileNameJPEGPlugin, "jpg"),
}
SOURCES = ("roi1", "transform1", "cc1", "process1", "codec1")
POINTS, FRAMES = 2, 2
MONO = (48, 64)


class Case(NamedTuple):
    """Camera settings, the plugin that feeds the writers, and what their files hold."""

    camera: dict[str, Any]
    files: dict[str, tuple[tuple[int, ...], str]]
    source: str = "cam"
    settings: dict[str, Any] = {}  # noqa: RUF012  not changed


def _same(shape: tuple[int, ...], dtype: str, *writers: str) -> dict[str, Any]:
    return dict.fromkeys(writers or ("hdf1", "tiff1"), (shape, dtype))


DATA_TYPES = ["Int16", "UInt16", "Int32", "UInt32", "Int64", "UInt64", "Float32", "Float64"]
CASES = {
    "UInt8": Case({}, _same(MONO, "uint8", *WRITERS)),
    # JPEG knows no sign: its readers find the same bits
    "Int8": Case({"data_type": "Int8"}, _same(MONO, "int8") | _same(MONO, "uint8", "jpeg1")),
    **{name: Case({"data_type": name}, _same(MONO, name.lower())) for name in DATA_TYPES},
    "RGB1": Case({"color_mode": "RGB1"}, _same((48, 64, 3), "uint8", *WRITERS)),
    "RGB2": Case(
        {"color_mode": "RGB2"},
        {
            "hdf1": ((48, 3, 64), "uint8"),
            "tiff1": ((3, 48, 64), "uint8"),
            "jpeg1": ((48, 64, 3), "uint8"),
        },
    ),
    "RGB3": Case({"color_mode": "RGB3", "data_type": "UInt16"}, _same((3, 48, 64), "uint16")),
    "region": Case(
        {},
        _same((10, 20), "float32"),
        "roi1",
        {
            "min_xyz.min_x": 4,
            "size.x": 20,
            "min_xyz.min_y": 8,
            "size.y": 20,
            "bin_.y": 2,
            "data_type_out": "Float32",
        },
    ),
    "region-of-colours": Case(
        {"color_mode": "RGB2"}, _same((48, 64), "uint8"), "roi1", {"min_xyz.min_z": 1, "size.z": 1}
    ),
    "turn": Case({}, _same((64, 48), "uint8", *WRITERS), "transform1", {"type_": "Rot90"}),
    "turned-colours": Case(
        {"color_mode": "RGB1"},
        _same((64, 48, 3), "uint8", *WRITERS),
        "transform1",
        {"type_": "Rot270Mirror"},
    ),
    "mirror": Case({}, _same(MONO, "uint8"), "transform1", {"type_": "Mirror"}),
    "coloured": Case({}, _same((48, 64, 3), "uint8", *WRITERS), "cc1", {"color_mode_out": "RGB1"}),
    "grey": Case(
        {"color_mode": "RGB3"}, _same(MONO, "uint8", *WRITERS), "cc1", {"color_mode_out": "Mono"}
    ),
    "processed": Case({}, _same(MONO, "int32"), "process1", {"data_type_out": "Int32"}),
    "compressed": Case(
        {"data_type": "UInt16"}, _same(MONO, "uint16", "hdf1"), "codec1", {"compressor": "BSLZ4"}
    ),
}
# What the plugins have when an IOC starts, as far as a case may change it.
FRESH = {
    "roi1": {
        **{f"min_xyz.min_{axis}": 0 for axis in "xyz"},
        **{f"size.{axis}": 1_000_000 for axis in "xyz"},
        **{f"bin_.{axis}": 1 for axis in "xyz"},
        "data_type_out": "Automatic",
    },
    "transform1": {"type_": "None"},
    "cc1": {"color_mode_out": "Mono"},
    "process1": {"data_type_out": "Automatic"},
    "codec1": {"compressor": "None"},
}


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A directory that the IOC knows as ``ioc`` and this computer as ``local``."""
    path = tmp_path_factory.mktemp("kinds")
    (path / "ioc").mkdir()
    (path / "local").symlink_to(path / "ioc")
    return path


@pytest.fixture(scope="module")
def det(adsim: IOCProcess, disk: pathlib.Path) -> Iterator[Any]:
    """A detector with three writers, and the plugins that may feed them."""
    places = {"write_path_template": f"{disk}/ioc/", "read_path_template": f"{disk}/local/"}
    detector = ad_creator(
        adsim.prefix,
        name="det",
        plugins=[
            "cam",
            *SOURCES,
            *({key: {"class": cls, **places}} for key, (cls, _) in WRITERS.items()),
        ],
    )
    detector.wait_for_connection(timeout=15)
    put_all(detector.cam, CAMERA | {"size.size_x": 64, "size.size_y": 48, "acquire_period": 0.002})
    camera = detector.cam.port_name.get()
    yield detector
    detector.unstage()
    for key in (*SOURCES, *WRITERS):
        getattr(detector, key).nd_array_port.put(camera)
        put_all(getattr(detector, key), FRESH.get(key, {}))
    put_all(detector.cam, CAMERA)
    detector.stop(success=True)


def prepare(det: Any, name: str, case: Case) -> None:
    """Set camera, source and writers; writers without files are left out."""
    put_all(det.cam, {"data_type": "UInt8", "color_mode": "Mono", **case.camera})
    put_all(det.cam, {"image_mode": "Multiple", "num_images": FRAMES})
    for key in SOURCES:
        put_all(getattr(det, key), FRESH[key])
    if case.source != "cam":
        put_all(getattr(det, case.source), case.settings)
    port = getattr(det, case.source).port_name.get()
    for key, (_, suffix) in WRITERS.items():
        writer = getattr(det, key)
        writer.stage_sigs["enable"] = int(key in case.files)
        writer.stage_sigs["lazy_open"] = "Yes"
        writer.stage_sigs.move_to_end("capture")
        put_all(
            writer,
            {
                "nd_array_port": port,
                "create_directory": -5,
                "file_name": name,
                "file_template": f"%s%s_%4.4d.{suffix}",
                "file_number": 0,
                "auto_increment": 1,
                "auto_save": 1,
            },
        )
        writer.file_path.put(writer.expand_path())
        # The last put on the circuit is confirmed, so the others are done.
        writer.file_number.set(0, timeout=10).wait()


def stored(disk: pathlib.Path, name: str, suffix: str) -> np.ndarray:
    """Read all frames of a case's files, as others do."""
    paths = sorted((disk / "ioc").glob(f"{name}_*.{suffix}"))
    if suffix == "h5":
        (path,) = paths
        with h5py.File(path) as file:
            return file["entry/data/data"][()]
    if suffix == "tif":
        return np.stack([tifffile.imread(path) for path in paths])
    images = []
    for path in paths:
        with Image.open(path) as image:
            images.append(np.asarray(image))
    return np.stack(images)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("name", CASES)
def test_images_are_described_as_their_files_have_them_and_read_back(
    name: str,
    det: Any,
    disk: pathlib.Path,
    engine: Any,
    documents: Any,
    catalog: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = CASES[name]
    prepare(det, name, case)
    # the descriptor comes before the first trigger, with the last case's arrays in the plugins
    monkeypatch.setenv("BLUESKY_PREDECLARE", "1")
    (uid,) = engine(bp.count([det], num=POINTS))
    (descriptor,) = documents.of("descriptor")
    images = {k: v for k, v in descriptor["data_keys"].items() if "external" in v}
    first, *others = case.files
    names = {first: "det_image", **{writer: f"det_{writer}_image" for writer in others}}
    assert set(images) == set(names.values())
    run = catalog[uid].primary.read()
    for writer, (shape, dtype) in case.files.items():
        image = images[names[writer]]
        assert image["shape"] == [FRAMES, *shape]
        assert np.dtype(image["dtype_numpy"]) == dtype
        frames = stored(disk, name, WRITERS[writer][1])
        assert (frames.shape, frames.dtype) == ((POINTS * FRAMES, *shape), np.dtype(dtype))
        read = run[names[writer]]
        assert (read.shape, read.dtype) == ((POINTS, FRAMES, *shape), np.dtype(dtype))
        np.testing.assert_array_equal(read.values, frames.reshape(read.shape))
    if "hdf1" in case.files and case.source == "cam" and case.camera.get("color_mode") is None:
        # the ramp goes on by one from frame to frame: none is lost, doubled or out of order
        pixels = stored(disk, name, "h5")[:, 5, 5].astype(np.float64)
        assert (np.diff(pixels) % 256).tolist() == [1] * (POINTS * FRAMES - 1)
