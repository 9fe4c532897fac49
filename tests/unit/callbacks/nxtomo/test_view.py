"""NXtomo views over Data Exchange files."""

import os
import shutil
import tempfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adsupport.callbacks.dataexchange import finish_dx
from adsupport.callbacks.nexus import check_nexus
from adsupport.callbacks.nxtomo import nxtomo_view
from adsupport.callbacks.tomography import FrameKind
from adsupport.errors import (
    ImageFileError,
)

from ..dataexchange.ioc_file import DARK as DX_DARK
from ..dataexchange.ioc_file import DATA as DX_DATA
from ..dataexchange.ioc_file import WHITE as DX_WHITE
from ..dataexchange.ioc_file import ioc_file
from .dx_files import ANGLES, COUNTS, SHAPE, check_frames, frames_of, seen, write_dx

DARK, FLAT, PROJECTION = FrameKind.DARK, FrameKind.FLAT, FrameKind.PROJECTION
#: As a scan with flats before and after would have it.
KEY = [2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 2]
LOCATIONS = {0: "/exchange/data", 1: "/exchange/data_white", 2: "/exchange/data_dark"}


def test_a_view_shows_all_frames(dx):
    source = dx()
    before = source.read_bytes()
    path = nxtomo_view(source)
    assert path == source.with_name("scan_nxtomo.nxs")
    check_frames(path)
    assert check_nexus(path) == []
    assert source.read_bytes() == before
    with h5py.File(path) as file:
        images = file["entry/data/data"]
        assert images == file["entry/instrument/detector/data"]
        assert (images.shape, images.dtype) == ((12, *SHAPE), np.dtype("u2"))
        assert {each.file_name for each in images.virtual_sources()} == {"scan.h5"}
        assert file["entry/data/image_key"][()].tolist() == [2, 2, 1, 1, 1] + [0] * 7
        assert "isn't known" in file["entry/data/image_key"].attrs["description"]
        assert np.isnan(file["entry/data/rotation_angle"][:5]).all()


def test_nexusformat_finds_nothing_wrong(dx, monkeypatch):
    validate = pytest.importorskip("nexusformat.nexus.validate")
    # It takes the sources of a virtual dataset for slices of one shape, whatever they are.
    monkeypatch.setattr(h5py.Dataset, "is_virtual", False)
    about = {
        "exchange/name": "a scan",
        "measurement/sample/name": "bone",
        "measurement/instrument/name": "2-BM",
        "measurement/instrument/source/name": "APS",
        "measurement/instrument/detector/pixel_size_x": [3.45e-6],
        "measurement/instrument/detector/pixel_size_y": [3.45e-6],
        "process/acquisition/start_date": "2026-11-22T01:02:03-0600",
        "process/acquisition/end_date": "2026-11-22T01:04:03-0600",
    }
    path = nxtomo_view(dx(more=about))
    assert validate.validate_application(str(path)) == (0, 0)
    assert validate.validate_file(str(path)) == (0, 0)
    with h5py.File(path) as file:
        entry = file["entry"]
        assert entry["title"].asstr()[()] == "a scan"
        assert entry["start_time"].asstr()[()] == "2026-11-22T01:02:03-06:00"
        assert entry["end_time"].asstr()[()] == "2026-11-22T01:04:03-06:00"
        assert entry["sample/name"].asstr()[()] == "bone"
        assert entry["instrument/name"].asstr()[()] == "2-BM"
        assert entry["instrument/source/name"].asstr()[()] == "APS"
        size = entry["instrument/detector/x_pixel_size"]
        assert (size[()], size.attrs["units"]) == (3.45e-6, "m")


def test_a_file_that_says_little_is_valid(dx, monkeypatch):
    validate = pytest.importorskip("nexusformat.nexus.validate")
    monkeypatch.setattr(h5py.Dataset, "is_virtual", False)
    path = nxtomo_view(dx(kinds=[PROJECTION]), entry="tomo")
    assert validate.validate_application(str(path)) == (0, 0)
    np.testing.assert_array_equal(seen(path, "tomo")[PROJECTION][0], frames_of(PROJECTION))


@pytest.mark.parametrize(
    "order",
    [
        {"process/acquisition/image_key": np.array(KEY, np.int8)},
        {"defaults/HDF5FrameLocation": np.array([LOCATIONS[each] for each in KEY], "S256")},
        {"defaults/SaveDest": [LOCATIONS[each] for each in KEY]},
    ],
    ids=["ours", "ioc", "texts"],
)
def test_frames_are_in_the_order_of_acquisition(dx, order):
    path = nxtomo_view(dx(more=order))
    check_frames(path)
    with h5py.File(path) as file:
        key = file["entry/data/image_key"]
        assert key[()].tolist() == KEY
        assert "in the order of acquisition" in key.attrs["description"]
        images = file["entry/data/data"]
        # a piece for each run of frames of one kind
        assert len(images.virtual_sources()) == 5
        np.testing.assert_array_equal(images[10], frames_of(FLAT)[2])


@pytest.mark.parametrize("key", [KEY[1:], [*KEY, 0], [0] * 12, [7] * 12])
def test_an_order_that_does_not_fit_the_frames_is_not_believed(dx, key):
    path = nxtomo_view(dx(more={"process/acquisition/image_key": key}))
    check_frames(path)
    with h5py.File(path) as file:
        assert "isn't known" in file["entry/data/image_key"].attrs["description"]


def test_a_frame_whose_destination_is_no_dataset_is_a_projection(dx):
    locations = [LOCATIONS[each] for each in KEY]
    locations[4] = "/exchange/nowhere"
    path = nxtomo_view(dx(more={"defaults/HDF5FrameLocation": np.array(locations, "S256")}))
    check_frames(path)
    with h5py.File(path) as file:
        assert file["entry/data/image_key"][()].tolist() == KEY


def test_blank_frames_are_invalid(dx):
    key = [3 if place == 5 else each for place, each in enumerate(KEY)]
    path = nxtomo_view(dx(more={"process/acquisition/image_key": key}))
    found = seen(path)[PROJECTION]
    np.testing.assert_array_equal(found[0], np.delete(frames_of(PROJECTION), 2, axis=0))
    np.testing.assert_array_equal(found[1], np.delete(ANGLES, 2))
    with h5py.File(path) as file:
        # it's where it was all the same, and costs no piece of its own
        np.testing.assert_array_equal(file["entry/data/data"][5], frames_of(PROJECTION)[2])
        assert len(file["entry/data/data"].virtual_sources()) == 5


def test_the_blank_frame_that_an_ioc_leaves_is_not_shown(dx):
    source = dx(kinds=[PROJECTION])
    with h5py.File(source, "a") as file:
        for name in ("data_dark", "data_white"):
            file.create_dataset(f"exchange/{name}", (1, *SHAPE), "u2", chunks=(1, *SHAPE))
        file["defaults/HDF5FrameLocation"] = np.array([LOCATIONS[0]] * 7, "S256")
    with h5py.File(nxtomo_view(source)) as file:
        assert file["entry/data/image_key"][()].tolist() == [0] * 7
        assert "in the order of acquisition" in file["entry/data/image_key"].attrs["description"]
        np.testing.assert_array_equal(file["entry/data/data"][()], frames_of(PROJECTION))


@pytest.mark.parametrize("name", ["process/acquisition/image_key", "defaults/SaveDest"])
@pytest.mark.parametrize("shape", [len(KEY), 10**12])
def test_an_order_that_is_none_is_not_read(dx, name, shape):
    source = dx()
    with h5py.File(source, "a") as file:
        kind = "i1" if shape > len(KEY) else [("kind", "i4"), ("place", "i4")]
        file.create_dataset(name, (shape,), kind, chunks=(1,))
    path = nxtomo_view(source)
    check_frames(path)
    with h5py.File(path) as file:
        assert "isn't known" in file["entry/data/image_key"].attrs["description"]


@given(st.permutations(KEY))
def test_frames_in_any_order(key):
    with tempfile.TemporaryDirectory() as directory:
        more = {"process/acquisition/image_key": key}
        path = nxtomo_view(write_dx(Path(directory) / "scan.h5", more=more))
        check_frames(path)
        with h5py.File(path) as file:
            assert file["entry/data/image_key"][()].tolist() == key


def test_the_file_of_an_ioc(tmp_path):
    scan = [(DX_WHITE, 1), (DX_DATA, 2), (DX_DARK, 3), (DX_DATA, 5), (DX_WHITE, 6)]
    source = ioc_file(tmp_path / "ioc.h5", scan)
    with pytest.raises(ImageFileError, match="finish_dx"):
        nxtomo_view(source)
    finish_dx(source, theta={2: 10.0, 5: 40.0})
    with h5py.File(nxtomo_view(source)) as file:
        data = file["entry/data"]
        assert data["data"][:, 1, 1].tolist() == [1, 2, 3, 5, 6]
        assert data["image_key"][()].tolist() == [1, 0, 2, 0, 1]
        assert data["rotation_angle"][[1, 3]].tolist() == [10, 40]


def test_names_that_hdf5_would_expand(dx):
    check_frames(nxtomo_view(dx("50%b done/scan%%_%d.h5")))


def test_files_can_be_moved_together_and_read_from_anywhere(dx, tmp_path, monkeypatch):
    source = dx("a/dx/scan.h5")
    path = nxtomo_view(source, tmp_path / "a/views/scan.nxs")
    (tmp_path / "a").rename(tmp_path / "moved")
    path = tmp_path / "moved" / path.relative_to(tmp_path / "a")
    check_frames(path)
    for directory in (tmp_path, path.parent):
        monkeypatch.chdir(directory)
        check_frames(os.path.relpath(path))


def test_a_view_over_virtual_datasets(dx, tmp_path, monkeypatch):
    stored = dx("a/ioc/images.h5")
    source = tmp_path / "a/dx/scan.h5"
    source.parent.mkdir()
    with h5py.File(source, "w") as file:
        for kind, name in ((DARK, "data_dark"), (FLAT, "data_white"), (PROJECTION, "data")):
            shape = (COUNTS[kind], *SHAPE)
            layout = h5py.VirtualLayout(shape, "u2")
            layout[...] = h5py.VirtualSource("../ioc/images.h5", f"exchange/{name}", shape, "u2")
            file.create_virtual_dataset(f"exchange/{name}", layout)
        file["exchange/theta"] = ANGLES
    assert stored.exists()
    nxtomo_view(source, tmp_path / "a/views/of/scan.nxs")
    (tmp_path / "a").rename(tmp_path / "moved")
    monkeypatch.chdir(tmp_path)
    check_frames("moved/views/of/scan.nxs")
    monkeypatch.chdir("/")
    check_frames(tmp_path / "moved/views/of/scan.nxs")
    # by a link that is elsewhere
    (tmp_path / "mine.h5").symlink_to(tmp_path / "moved/dx/scan.h5")
    check_frames(nxtomo_view(tmp_path / "mine.h5"))


def test_a_file_that_is_a_link(dx, tmp_path):
    source = dx("far/away/scan.h5")
    (tmp_path / "near").mkdir()
    (tmp_path / "near/mine.h5").symlink_to(source)
    path = nxtomo_view(tmp_path / "near/mine.h5")
    assert path == tmp_path / "near/mine_nxtomo.nxs"
    check_frames(path)


def test_the_size_of_a_file_does_not_matter(tmp_path):
    source = tmp_path / "large.h5"
    shape = (12_000, 2048, 2048)  # 100 GB of which none is on the disk
    with h5py.File(source, "w") as file:
        file.create_dataset("exchange/data", shape, "u2", chunks=(1, 2048, 2048))
        file.create_dataset("exchange/data_dark", (20, *shape[1:]), "u2", chunks=(1, 2048, 2048))
        file["exchange/theta"] = np.linspace(0, 180, shape[0])
        file["exchange/data_dark"][19, 3, 4] = 7
    path = nxtomo_view(source)
    with h5py.File(path) as file:
        images = file["entry/data/data"]
        assert images.shape == (12_020, 2048, 2048)
        assert len(images.virtual_sources()) == 2
        assert images[19, 3, 4] == 7
        assert file["entry/data/rotation_angle"][-1] == 180
    assert path.stat().st_size < 200_000


def test_averaged_darks_of_another_type(dx):
    mean = frames_of(DARK).mean(axis=0).astype("f4")
    path = nxtomo_view(dx(more={"exchange/data_dark": mean, "defaults/SaveDest": ["a"] * 12}))
    found = seen(path)
    np.testing.assert_array_equal(found[DARK][0], mean[None])
    np.testing.assert_array_equal(found[PROJECTION][0], frames_of(PROJECTION))


def test_angles_of_flats_and_darks_that_are_known(dx):
    more = {"exchange/theta_white": [0.0, 0.0, 180.0], "exchange/theta_dark": [-1.0, 181.0]}
    found = seen(nxtomo_view(dx(more=more)))
    assert found[FLAT][1].tolist() == [0, 0, 180]
    assert found[DARK][1].tolist() == [-1, 181]


@pytest.mark.parametrize(
    ("units", "factor"), [("°", 1), ("deg.", 1), ("", 1), ("radians", 180 / np.pi)]
)
def test_units_of_angles(dx, units, factor):
    angles = seen(nxtomo_view(dx(units=units)))[PROJECTION][1]
    np.testing.assert_allclose(angles, ANGLES * factor, rtol=1e-15)


@pytest.mark.parametrize("names", [("start", "step"), ("rotation_start", "rotation_step")])
def test_angles_that_the_settings_tell(dx, names):
    more = dict(zip(names, (0.5, 2.0), strict=True), num_angles=[7])
    more = {f"process/acquisition/rotation/{name}": value for name, value in more.items()}
    angles = seen(nxtomo_view(dx(theta=False, more=more)))[PROJECTION][1]
    assert angles.tolist() == [0.5, 2.5, 4.5, 6.5, 8.5, 10.5, 12.5]


def test_units_of_images(dx):
    source = dx()
    assert units_of(nxtomo_view(source)) == "counts"
    with h5py.File(source, "a") as file:
        file["exchange/data"].attrs["units"] = np.bytes_("photons")
    assert units_of(nxtomo_view(source, exists="replace")) == "photons"


def units_of(path):
    """Return the units of the images."""
    with h5py.File(path) as file:
        return file["entry/data/data"].attrs["units"]


def test_a_view_is_a_file_that_can_be_copied_with_its_source(dx, tmp_path):
    path = nxtomo_view(dx("a/scan.h5"))
    shutil.copytree(path.parent, tmp_path / "b")
    shutil.rmtree(path.parent)
    check_frames(tmp_path / "b" / path.name)
