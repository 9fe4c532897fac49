"""Tomography runs as NXtomo files."""

import h5py
import numpy as np
import pytest

from adsupport.callbacks import JSONLinesWriter
from adsupport.callbacks.dataexchange import DataExchangeWriter
from adsupport.callbacks.nexus import check_nexus
from adsupport.callbacks.nxtomo import NXtomoWriter, nxtomo_view
from adsupport.callbacks.tomography import FrameKind
from adsupport.documents import replay
from adsupport.errors import AdsupportError

from ..sending import send
from ..tomography.made import THETA, TomoRun, number_key, numbers, plain_run, write_images
from .dx_files import seen

DARK, FLAT, PROJECTION = FrameKind.DARK, FrameKind.FLAT, FrameKind.PROJECTION


@pytest.fixture
def write(tmp_path):
    """A function that writes a run's file, and returns its path."""

    def call(documents, *, strict=True, **options):
        writer = NXtomoWriter(file_path=tmp_path / "out", strict=strict, **options)
        (result,) = send(writer, documents)
        (path,) = result.paths
        return path

    return call


def tomo_run(directory, **start):
    """A run of darks 10 and 11, flats from 20, and projections from 30, 12.5 degrees apart."""
    directory.mkdir(exist_ok=True)
    return plain_run(directory, **start).stop()


@pytest.mark.parametrize("images", ["link", "copy", "repack"])
def test_a_run_becomes_an_nxtomo_file(tmp_path, write, images, monkeypatch):
    validate = pytest.importorskip("nexusformat.nexus.validate")
    about = {"title": "a scan", "sample": {"name": "bone"}, "beamline_id": "2-BM"}
    path = write(tomo_run(tmp_path / "ioc", **about), images=images)
    assert path.suffix == ".nxs"
    found = seen(path)
    assert numbers(found[DARK][0]) == [10, 11]
    assert numbers(found[FLAT][0]) == [20, 21, 22]
    assert numbers(found[PROJECTION][0]) == [30, 31, 32, 33, 34]
    assert found[PROJECTION][1].tolist() == [0, 12.5, 25, 37.5, 50]
    assert found[DARK][1].tolist() == [0, 0]
    assert check_nexus(path) == []
    with h5py.File(path) as file:
        data = file["entry/instrument/detector/data"]
        assert data.is_virtual == (images == "link")
        assert (data.shape, data.dtype) == ((10, 3, 5), np.dtype("u2"))
        assert file["entry/data/image_key"][()].tolist() == [2, 2, 1, 1, 1] + [0] * 5
        assert file["entry/title"].asstr()[()] == "a scan"
        assert file["entry/sample/name"].asstr()[()] == "bone"
        assert file["entry/instrument/name"].asstr()[()] == "2-BM"
        run = file["entry/run"].attrs
        assert (run["format"], run["scan_id"]) == ("adsupport-nxtomo-1", 7)
    # It takes the sources of a virtual dataset for slices of one shape, whatever they are.
    monkeypatch.setattr(h5py.Dataset, "is_virtual", False)
    assert validate.validate_application(str(path)) == (0, 0)
    assert validate.validate_file(str(path)) == (0, 0)


def test_frames_are_in_the_order_in_which_they_were_taken(tmp_path, write):
    names = {"darks": [10, 11], "flats": [20, 21], "primary": [30, 31, 32]}
    run = TomoRun()
    for name, which in names.items():
        write_images(tmp_path / f"{name}.h5", which)
        run.stream(name, {THETA: number_key()}).resource(tmp_path / f"{name}.h5")
    order = ("flats", "primary", "primary", "darks", "primary", "flats", "darks")
    for angle, name in enumerate(order):
        run.row(name, tmp_path / f"{name}.h5", **{THETA: float(angle)})
    with h5py.File(write(run.stop())) as file:
        assert numbers(file["entry/data/data"]) == [20, 30, 31, 10, 32, 21, 11]
        assert file["entry/data/image_key"][()].tolist() == [1, 0, 0, 2, 0, 1, 2]
        assert file["entry/data/rotation_angle"][()].tolist() == list(range(7))


@pytest.mark.parametrize("images", ["link", "copy"])
def test_live_and_offline_files_are_equal(tmp_path, write, images):
    documents = tomo_run(tmp_path / "ioc", title="a scan")
    live = write(documents, images=images, file_name="live")
    lines = JSONLinesWriter(file_path=tmp_path)
    (result,) = send(lines, documents)
    writer = NXtomoWriter(file_path=tmp_path / "out", images=images, file_name="offline")
    replay(str(result.paths[0]), writer.receiver)
    (result,) = writer.wait_writer(timeout=20)
    assert result.paths[0].name == "offline.nxs"
    assert result.paths[0].read_bytes() == live.read_bytes()


def test_linked_files_can_be_moved_together(tmp_path, monkeypatch):
    writer = NXtomoWriter(file_path=tmp_path / "a" / "out")
    (tmp_path / "a").mkdir()
    (result,) = send(writer, tomo_run(tmp_path / "a" / "ioc"))
    (tmp_path / "a").rename(tmp_path / "b")
    monkeypatch.chdir(tmp_path)
    found = seen(f"b/out/{result.paths[0].name}")
    assert numbers(found[PROJECTION][0]) == [30, 31, 32, 33, 34]


def lossy_run(directory):
    """A run of five projections of which the camera's third was lost."""
    path = directory / "images.h5"
    write_images(path, [30, 31, 33, 34], [1, 2, 4, 5])
    run = TomoRun().stream("primary", {THETA: number_key()}).resource(path)
    for row in range(5):
        run.row("primary", path, **{THETA: 10.0 * row})
    return run.stop()


def test_a_missing_frame_that_is_filled_is_invalid(tmp_path, write):
    path = write(lossy_run(tmp_path), missing="fill", image_timeout=0)
    found = seen(path)[PROJECTION]
    assert numbers(found[0]) == [30, 31, 33, 34]
    assert found[1].tolist() == [0, 10, 30, 40]
    with h5py.File(path) as file:
        assert file["entry/data/image_key"][()].tolist() == [0, 0, 3, 0, 0]
        assert file["entry/data/rotation_angle"][()].tolist() == [0, 10, 20, 30, 40]
        assert (file["entry/data/data"][2] == 65535).all()


def test_a_missing_frame_that_is_dropped_takes_its_angle_along(tmp_path, write):
    path = write(lossy_run(tmp_path), missing="drop", image_timeout=0)
    with h5py.File(path) as file:
        assert file["entry/data/image_key"][()].tolist() == [0, 0, 0, 0]
        assert file["entry/data/rotation_angle"][()].tolist() == [0, 10, 30, 40]


def test_a_missing_frame_is_an_error(tmp_path):
    writer = NXtomoWriter(file_path=tmp_path / "out", image_timeout=0)
    with pytest.raises(AdsupportError, match="NDArrayUniqueId 3"):
        send(writer, lossy_run(tmp_path))
    assert list((tmp_path / "out").iterdir()) == []


def test_projections_without_angles(tmp_path):
    path = tmp_path / "images.h5"
    write_images(path, [30, 31])
    run = TomoRun(motors=[]).stream("primary").resource(path)
    documents = run.row("primary", path).row("primary", path).stop()
    writer = NXtomoWriter(file_path=tmp_path / "out")
    with pytest.raises(AdsupportError, match="No projection has an angle"):
        send(writer, documents)
    (path,) = writer.results[-1].paths
    found = seen(path)[PROJECTION]
    assert numbers(found[0]) == [30, 31]
    assert np.isnan(found[1]).all()


@pytest.mark.parametrize("title", ["a\0b", "\ud800", "", 7, None])
def test_awkward_titles(tmp_path, write, title):
    path = write(tomo_run(tmp_path / "ioc", title=title))
    assert numbers(seen(path)[FLAT][0]) == [20, 21, 22]


def test_a_run_without_images_has_no_file(tmp_path):
    run = TomoRun().stream("primary", {THETA: number_key()}, images=())
    writer = NXtomoWriter(file_path=tmp_path / "out")
    (result,) = send(writer, run.row("primary", None, **{THETA: 0.0}).stop())
    assert result.paths == []


@pytest.mark.parametrize("images", ["link", "copy", "repack"])
def test_a_view_of_the_data_exchange_file_is_the_same(tmp_path, write, images, monkeypatch):
    cam = {f"det_cam_pixel_size_{axis}": 3.45 for axis in "xy"}
    configuration = {
        "det": {"data": cam, "data_keys": {key: number_key("um") for key in cam}, "timestamps": {}}
    }
    (tmp_path / "data" / "ioc").mkdir(parents=True)
    path = tmp_path / "data" / "ioc" / "images.h5"
    write_images(path, range(30, 36))
    run = TomoRun(title="a scan", sample={"name": "bone"}, beamline_id="2-BM", facility="APS")
    run.stream("primary", {THETA: number_key(), "kind": number_key("")}, configuration)
    run.resource(path)
    kinds = (2, 0, 0, 1, 0, 2)
    for row, kind in enumerate(kinds):
        run.row("primary", path, **{THETA: 5.0 * row, "kind": {0: 0, 1: 2, 2: 1}[kind]})
    documents = run.stop()
    options = {"images": images, "frame_type": "kind"}
    writer = DataExchangeWriter(file_path=tmp_path / "data" / "dx", **options)
    (result,) = send(writer, documents)
    nxtomo_view(result.paths[0], tmp_path / "data" / "views" / "scan.nxs")
    own = write(documents, **options)
    (tmp_path / "data").rename(tmp_path / "moved")
    (tmp_path / "data").symlink_to(tmp_path / "moved")  # for the writer's own file
    monkeypatch.chdir("/")
    with h5py.File(tmp_path / "moved" / "views" / "scan.nxs") as file, h5py.File(own) as other:
        found, expected = contents(file["entry"]), contents(other["entry"])
        assert numbers(file["entry/data/data"]) == [30, 31, 32, 33, 34, 35]
        assert file["entry/data/image_key"][()].tolist() == list(kinds)
    expected = {name: value for name, value in expected.items() if not name.startswith("run")}
    assert found == expected


def contents(group):
    """Return all datasets of a group by name, as nested lists, and their attributes."""
    found = {}

    def take(name, item):
        attributes = {key: np.asarray(value).tolist() for key, value in item.attrs.items()}
        values = np.asarray(item[()]).tolist() if isinstance(item, h5py.Dataset) else None
        found[name] = values, attributes

    group.visititems(take)
    return found


def test_a_blank_frame_of_a_data_exchange_file_is_invalid_in_the_view(tmp_path):
    writer = DataExchangeWriter(file_path=tmp_path / "out", missing="fill", image_timeout=0)
    (result,) = send(writer, lossy_run(tmp_path))
    found = seen(nxtomo_view(result.paths[0]))[PROJECTION]
    assert numbers(found[0]) == [30, 31, 33, 34]
    assert found[1].tolist() == [0, 10, 30, 40]
