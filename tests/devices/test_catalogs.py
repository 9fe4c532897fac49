"""One run in two catalogs: databroker and Tiled give the same arrays, those of the files."""

from __future__ import annotations

import pathlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import bluesky.plans as bp
import h5py
import numpy as np
import pytest
import tifffile
from ophyd.sim import SynAxis
from PIL import Image

from adsupport.devices import (
    AD_EpicsFileNameHDF5Plugin,
    AD_EpicsFileNameJPEGPlugin,
    AD_EpicsFileNameTIFFPlugin,
    ad_creator,
)
from adsupport.documents import MIMETYPES, register_handlers
from adsupport.launch import IOCProcess
from adsupport.plans import prepare_count

from .conftest import CAMERA, put_all

pytestmark = [
    # of databroker 1, xarray and Tiled's server, about each other
    pytest.mark.filterwarnings("ignore"),
]
WRITERS = {
    "hdf1": (AD_EpicsFileNameHDF5Plugin, "h5"),
    "tiff1": (AD_EpicsFileNameTIFFPlugin, "tif"),
    "jpeg1": (AD_EpicsFileNameJPEGPlugin, "jpg"),
}
POINTS, FRAMES, SHAPE = 3, 2, (48, 64)


# It ends when its standard input does, however this process ends.
SERVER = """
import sys
from tiled.server import SimpleTiledServer

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
        (path,) = paths
        with h5py.File(path) as file:
            return file["entry/data/data"][()]
    if suffix == "tif":
        return np.stack([tifffile.imread(path) for path in paths])
    return np.stack([np.asarray(Image.open(path)) for path in paths])


def test_one_run_reads_the_same_in_databroker_and_in_tiled(
    tiled_uri: str, det: Any, disk: pathlib.Path, engine: Any, request: pytest.FixtureRequest
) -> None:
    import databroker
    from bluesky_tiled_plugins import TiledWriter
    from tiled.client import from_uri

    broker = databroker.temp().v2
    register_handlers(broker)
    engine.subscribe(broker.v1.insert)
    client = from_uri(tiled_uri)
    request.addfinalizer(client.context.close)
    engine.subscribe(TiledWriter(client, spec_to_mimetype=MIMETYPES))
    engine(prepare_count(det.hdf1, "both", 0.001, 0.002, FRAMES))
    (uid,) = engine(bp.scan([det], SynAxis(name="m1"), -1, 1, POINTS))
    dataset = broker[uid].primary.read()
    stream = client[uid]["primary"]
    for name, suffix in {
        "det_image": "h5",
        "det_tiff1_image": "tif",
        "det_jpeg1_image": "jpg",
    }.items():
        frames = stored(disk, suffix).reshape(POINTS, FRAMES, *SHAPE)
        assert dataset[name].dtype == frames.dtype
        np.testing.assert_array_equal(dataset[name].values, frames)
        served = stream[name].read()
        assert served.dtype == frames.dtype
        np.testing.assert_array_equal(served, frames)
    np.testing.assert_array_equal(dataset["m1"], stream["m1"].read())
    assert np.diff(stored(disk, "h5")[:, 5, 5].astype(int)).tolist() == [1] * 5
