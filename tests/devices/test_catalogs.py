"""One run in two catalogs: databroker and Tiled give the same arrays, those of the files."""

from __future__ import annotations

import pathlib
import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import h5py
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
from adsupport.plans import prepare_count

from .conftest import CAMERA, put_all

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),  # the server starts in some 6 s, unless others need the cores
    # of databroker 1, xarray and Tiled's server, about each other
    pytest.mark.filterwarnings("ignore"),
]
WRITERS = {
    "hdf1": (AD_EpicsFileNameHDF5Plugin, "h5"),
    "tiff1": (AD_EpicsFileNameTIFFPlugin, "tif"),
    "jpeg1": (AD_EpicsFileNameJPEGPlugin, "jpg"),
}
ROOT = pathlib.Path(__file__).parents[2]
POINTS, FRAMES, SHAPE = 3, 2, (48, 64)


# It ends when its standard input does, however this process ends.
SERVER = """
import sys
from tiled.server import SimpleTiledServer, simple

simple._STARTUP_TIMEOUT = 120  # 20 s is short where tests share two cores with others
server = SimpleTiledServer(readable_storage=sys.argv[1:])
print(server.uri, flush=True)
sys.stdin.read()
server.close()
"""


@pytest.fixture(scope="session")
def tiled_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Tiled server that may read the tests' files.

    In a process of its own: HDF5 opens a file with or without SWMR in one process, not both.
    """
    command = [sys.executable, "-c", SERVER, str(tmp_path_factory.getbasetemp())]
    log = tmp_path_factory.mktemp("tiled") / "log"
    with log.open("w") as errors:
        server = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        assert server.stdin and server.stdout
        with server:
            uri = server.stdout.readline().strip()
            assert uri, log.read_text()
            yield uri
            server.stdin.close()


@pytest.fixture
def det(adsim: IOCProcess, disk: pathlib.Path, make_ready: Callable[..., None]) -> Iterator[Any]:
    """A detector with small images and three writers, ready to write."""
    places = {"write_path_template": f"{disk}/ioc/%Y/", "read_path_template": f"{disk}/local/%Y/"}
    plugins = [{key: {"class": cls, **places}} for key, (cls, _) in WRITERS.items()]
    detector = ad_creator(adsim.prefix, name="det", plugins=["cam", "image", *plugins])
    detector.wait_for_connection(timeout=15)
    for key, (_, suffix) in WRITERS.items():
        make_ready(
            detector,
            getattr(detector, key),
            {"size.size_x": SHAPE[1], "size.size_y": SHAPE[0]},
            {"file_template": f"%s%s_%4.4d.{suffix}", "file_number": 4, "auto_save": 1},
        )
    yield detector
    detector.unstage()
    put_all(detector.cam, CAMERA)
    detector.stop(success=True)


def stored(disk: pathlib.Path, suffix: str) -> np.ndarray:
    """Read all frames of the run's files, as others do."""
    paths = sorted((disk / "ioc").rglob(f"*.{suffix}"))
    if suffix == "h5":
        found = []
        for path in paths:
            with h5py.File(path) as file:
                found.append(file["entry/data/data"][()])
        return np.stack(found) if len(found) > 1 else found[0]
    if suffix == "tif":
        return np.stack([tifffile.imread(path) for path in paths])
    return np.stack([np.asarray(Image.open(path)) for path in paths])


# Colour mode and mode of the HDF5 plugin; what stands where in its files and in TIFF's.
WAYS = {
    "Stream": ("Mono", SHAPE, SHAPE, SHAPE),
    "Single": ("RGB2", (48, 3, 64), (3, 48, 64), (48, 64, 3)),
}


@pytest.mark.parametrize("mode", WAYS)
def test_one_run_reads_the_same_in_databroker_and_in_tiled_as_the_how_to_shows(
    mode: str,
    tiled_uri: str,
    det: Any,
    disk: pathlib.Path,
    engine: Any,
    tmp_path: pathlib.Path,
    request: pytest.FixtureRequest,
) -> None:
    color, *shapes = WAYS[mode]
    det.cam.color_mode.set(color, timeout=5).wait()
    for key in WRITERS:
        writer = getattr(det, key)
        writer.stage_sigs["lazy_open"] = "Yes"
        writer.stage_sigs.move_to_end("capture")
    det.hdf1.stage_sigs["file_write_mode"] = mode
    engine(prepare_count(det.hdf1, "both", 0.001, 0.002, FRAMES))

    server = 'from_uri("http://127.0.0.1:8000", api_key="secret")'
    page = (ROOT / "docs/how-to/read-with-tiled.md").read_text()
    code = "".join(re.findall(r"```python\n(.*?)```", page, re.S))
    assert server in code
    script = tmp_path / "page.py"
    script.write_text(code.replace(server, f"from_uri({tiled_uri!r})"))
    page = runpy.run_path(str(script), init_globals={"RE": engine, "det": det})
    request.addfinalizer(page["client"].context.close)

    dataset = page["catalog"][page["uid"]].primary.read()
    stream = page["client"][page["uid"]]["primary"]
    names = ("det_image", "det_tiff1_image", "det_jpeg1_image")
    for name, (_, suffix), shape in zip(names, WRITERS.values(), shapes, strict=True):
        frames = stored(disk, suffix).reshape(POINTS, FRAMES, *shape)
        assert dataset[name].dtype == frames.dtype
        np.testing.assert_array_equal(dataset[name].values, frames)
        served = stream[name].read()
        assert served.dtype == frames.dtype
        np.testing.assert_array_equal(served, frames)
    np.testing.assert_array_equal(page["image"], page["served"])
    np.testing.assert_array_equal(dataset["time"], stream["time"].read())
